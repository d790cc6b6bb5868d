/* numpy: see below. */
#include "object/internal.h"

const struct scry_printer_row scry_printers_numpy[] = {
	{ NULL },
};
