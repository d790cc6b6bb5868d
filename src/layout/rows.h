/**
 * Built-in rows: the members of a struct in declaration order, as text (docs/layouts.md has the
 * grammar), from which offsets are computed for the target's ABI. A set of rows is one file:
 * CPython's, Stackless', an extension module's.
 */
#ifndef SCRY_ROWS_H
#define SCRY_ROWS_H

#include "layout/layout.h"

struct scry_row {
	/* as PY_VERSION_HEX: holds from this version on, until a later row of the same struct */
	uint32_t since;
	uint8_t of;       /* enum scry_struct */
	const char *text; /* NULL: the struct is gone */
};

struct scry_row_set {
	const char *name;            /* "CPython" */
	const struct scry_row *rows; /* in order of version */
	size_t count;
	/* oldest and newest version that the set was made for: major and minor count */
	uint32_t first, last;
};

extern const struct scry_row_set scry_rows_cpython;

/**
 * The row text in force for each struct at `version`, NULL where the set has none. Later calls add
 * to and override.
 */
void scry_rows_choose(const struct scry_row_set *set, uint32_t version,
		      const char *texts[SCRY_S_COUNT]);
/**
 * Lay out struct `s` from texts[s]: its slots, sources and size in `l`. False where the text is
 * malformed, which the tests rule out for built-in rows; the slots laid out before the flaw stay.
 */
bool scry_row_lay_out(const char *const texts[SCRY_S_COUNT], enum scry_struct s,
		      const struct scry_flavour *flavour, const struct scry_abi *abi,
		      struct scry_layout *l);

#endif
