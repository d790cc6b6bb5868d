/** Line tables, as plain data: from the offset of an instruction to a place in the source. */
#ifndef SCRY_LINETABLE_H
#define SCRY_LINETABLE_H

#include "runtime/runtime.h"

/** co_linetable or co_lnotab; `data` is borrowed. */
struct scry_line_table {
	const uint8_t *data;
	uint32_t size;
	int first_line;     /* co_firstlineno */
	uint32_t code_size; /* bytes of code that it should cover */
};

/**
 * Each decodes one encoding: `lasti` is the instruction's offset in bytes, < 0 before the first
 * one. *ret must be zeroed; what the table does not say stays 0. They read only within the table
 * and always return SCRY_OK. Formats: Objects/lnotab_notes.txt (up to 3.10), Objects/locations.md
 * (3.11 to 3.13).
 */
/* <= 3.5 */
int scry_line_from_lnotab(const struct scry_line_table *t, int64_t lasti,
			  struct scry_location *ret);
/* 3.6-3.9 */
int scry_line_from_signed_lnotab(const struct scry_line_table *t, int64_t lasti,
				 struct scry_location *ret);
/* 3.10 */
int scry_line_from_ranges(const struct scry_line_table *t, int64_t lasti,
			  struct scry_location *ret);
/* 3.11+ */
int scry_line_from_locations(const struct scry_line_table *t, int64_t lasti,
			     struct scry_location *ret);

/**
 * What is wrong with a table (static), or NULL: decoded to its end it must cover its code, no less
 * and no more. An empty table is always wrong, except as lnotab, where all code is then on one
 * line.
 */
const char *scry_lnotab_check(const struct scry_line_table *t);
const char *scry_ranges_check(const struct scry_line_table *t);
const char *scry_locations_check(const struct scry_line_table *t);

#endif
