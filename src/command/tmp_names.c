/* Until the layout resolver is there. */
#include "layout/layout.h"

__attribute__((weak)) const char *scry_source_name(enum scry_source s)
{
	(void)s;
	return "?";
}
