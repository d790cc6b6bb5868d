/**
 * One compile unit's line table (.debug_line, DWARF 2 to 5; DWARF 5, 6.2), run for one address at a
 * time: libdw decodes and sorts all lines of a unit before it answers, and the units of an
 * interpreter have tens of thousands.
 */
#ifndef SCRY_LINE_TABLE_H
#define SCRY_LINE_TABLE_H

#include <elfutils/libdw.h>

#include "base/buf.h"

/** Bytes of a section that are still to be read. */
struct scry_line_bytes {
	const uint8_t *at, *end;
	bool bad; /* they ended too early */
};

/** A unit's header, decoded, and where its parts are. */
struct scry_line_table {
	const uint8_t *line_str, *str; /* .debug_line_str, .debug_str: texts of version 5 */
	size_t line_str_size, str_size;
	unsigned version, offset_size;
	uint8_t min_length, line_range, opcode_base;
	int8_t line_base;
	const uint8_t *lengths;                      /* operands of standard opcodes, from 1 on */
	const char *directory;                       /* where it was compiled, or NULL */
	struct scry_line_bytes directories, program; /* the files come after the directories */
};

/**
 * False where the unit has no table, or one that only libdw can read: in another byte order, split,
 * for VLIW machines. *ret points into `dwarf`, which must stay open.
 */
bool scry_line_table_open(Dwarf *dwarf, Dwarf_Die *unit, struct scry_line_table *ret);
/**
 * The line that covers an address, and the number of its file. 1: found; 0: none covers it; -1: the
 * table is damaged, or needs libdw.
 */
int scry_line_table_find(const struct scry_line_table *t, Dwarf_Addr addr, int *ret_line,
			 uint64_t *ret_file);
/** Append the path of a file by its number; false where there is none. */
bool scry_line_table_file(const struct scry_line_table *t, uint64_t number, struct scry_buf *out);

#endif
