#include "object/internal.h"

const struct scry_printer_row scry_printers_exception[] = {
	{ NULL },
};
