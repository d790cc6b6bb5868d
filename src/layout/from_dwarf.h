/** Layouts from DWARF, with libdw's handle in hand. */
#ifndef SCRY_FROM_DWARF_H
#define SCRY_FROM_DWARF_H

#include <elfutils/libdw.h>

#include "layout/sources.h"

/**
 * Read the structs of fields.def: those of a few well-known compile units (about 5 ms for a CPython), or with `all`
 * go on through every unit until all are found. SCRY_ENOTFOUND where not even PyObject is there.
 */
int scry_layout_scan_dwarf(Dwarf *dwarf, bool all, struct scry_layout *l);

#endif
