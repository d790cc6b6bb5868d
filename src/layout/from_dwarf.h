/** Layouts from DWARF, given libdw's handle. */
#ifndef SCRY_FROM_DWARF_H
#define SCRY_FROM_DWARF_H

#include <elfutils/libdw.h>

#include "layout/sources.h"

/**
 * Read the structs of fields.def from a few well-known compile units (about 4 ms for a CPython), or
 * with `all` from every unit until all are found. The symbols of `m`, which may be NULL, help to
 * find the units faster. SCRY_ENOTFOUND where not even PyObject is there.
 */
int scry_layout_scan_dwarf(Dwarf *dwarf, struct scry_module *m, bool all, struct scry_layout *l);

#endif
