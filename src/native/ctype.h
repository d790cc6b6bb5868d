/** Types of C, by DWARF: what ctype.c and ctype_value.c share beside variables.h. */
#ifndef SCRY_CTYPE_H
#define SCRY_CTYPE_H

#include "native/variables.h"

#define SCRY_DIMENSIONS_MAX 4

/** "int a[2][3]" is one array with two ranges, the outer one first (DWARF 5, 5.5). */
struct scry_bounds {
	uint64_t count[SCRY_DIMENSIONS_MAX];
	unsigned dimensions;
};

/**
 * DW_AT_type of the entry itself or of the one that it completes: an inlined or out-of-line copy of
 * a variable has its type in the abstract one (DWARF 5, 3.3.8.2, 2.13.2). False for void, which
 * compilers write as no type at all.
 */
bool scry_ctype_inner(Dwarf_Die *die, Dwarf_Die *ret);
/**
 * What the evaluator of expressions calls the type (cfi.h). False for floats, for what has more
 * than 8 bytes, and for all but base types.
 */
bool scry_ctype_code(Dwarf_Die *type, uint64_t *ret);
/**
 * How many items an array has in each of its dimensions. False where a bound is not known, or all
 * of them are more than memory can hold.
 */
bool scry_ctype_bounds(Dwarf_Die *array, struct scry_bounds *ret);

#endif
