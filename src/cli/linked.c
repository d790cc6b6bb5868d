/* In the static program: what others load when a target needs it is linked (base/loadable.h). */
#include "base/loadable.h"

#define MEMBER(f) .f = (f),
const struct scry_archive_library scry_archive_linked = { SCRY_ARCHIVE_FUNCTIONS(MEMBER) };
const struct scry_capstone_library scry_capstone_linked = { SCRY_CAPSTONE_FUNCTIONS(MEMBER) };
