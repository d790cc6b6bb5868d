/**
 * A table of ELF symbols: .symtab or .dynsym of a mapped file, or the one that the dynamic section
 * in target memory points to. Symbols without an address of their own (undefined, thread-local,
 * section and file names) are left out.
 */
#ifndef SCRY_SYMTAB_H
#define SCRY_SYMTAB_H

#include "symbol/elf_image.h"

struct scry_symtab_entry;

/** One table, by name and by address. The file or image must outlive it. */
struct scry_symtab {
	const struct scry_elf *elf;
	const uint8_t *symbols; /* NULL: an empty table */
	const char *strings;    /* its last byte is NUL */
	size_t count, strings_size;
	uint64_t gnu_hash, hash; /* the image's addresses of DT_GNU_HASH and DT_HASH, 0 none */
	uint32_t *hashes;        /* of all names; made at the third find without a hash section */
	/* functions and variables by address; made after a few calls of scry_symtab_at() */
	struct scry_symtab_entry *sorted;
	size_t sorted_count;
	unsigned finds, ats;
};

/** One symbol, at the image's own address. */
struct scry_symtab_symbol {
	const char *name;
	uint64_t value, size;
	bool is_function, is_data;
};

/** The table in a mapped file's section of the given type (SHT_SYMTAB); empty without one. */
void scry_symtab_from_section(struct scry_symtab *t, const struct scry_elf *e, uint32_t type);
/** The table that PT_DYNAMIC names; empty without one. */
void scry_symtab_from_dynamic(struct scry_symtab *t, const struct scry_elf *e);
/** Free what was made besides the file; a zeroed one is fine. */
void scry_symtab_done(struct scry_symtab *t);

/**
 * A symbol by its exact name; false where none has it. `name` of *ret lives as long as the table.
 */
bool scry_symtab_find(struct scry_symtab *t, const char *name, struct scry_symtab_symbol *ret);
/** The function or variable that covers `addr`, or else the nearest before it; false: none. */
bool scry_symtab_at(struct scry_symtab *t, uint64_t addr, struct scry_symtab_symbol *ret);

#endif
