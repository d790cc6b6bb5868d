/** An opened ELF core: what elfcore.c and its notes (elfnotes.c) share. */
#ifndef SCRY_ELFCORE_H
#define SCRY_ELFCORE_H

#include "target/target.h"

/** Memory that is in the file. */
struct scry_elf_segment {
	scry_addr start;
	uint64_t len, offset; /* both within the file */
};

/** Memory that was mapped, but is not in the file. */
struct scry_elf_hole {
	scry_addr start, end;
	bool cut; /* it was written, but the file ends before it */
};

/** t->state of an ELF core. */
struct scry_elfcore {
	const struct scry_elf_segment *last; /* where the last view was; never NULL once opened */
	struct scry_elf_segment *segments;   /* in address order, disjoint */
	size_t count;
	struct scry_elf_hole *holes; /* in the order of the headers, which is that of addresses */
	size_t hole_count;
	bool has_private;       /* it has memory that is backed by no file */
	struct scry_map *files; /* NT_FILE, in address order, disjoint */
	size_t file_count;
	bool is64, big_endian;
	const char *main_name; /* the main thread's */
	bool of_gdb;           /* gcore's: NT_PRPSINFO comes before the threads */
	uint64_t missing;      /* bytes after the end of the file */
};

/** Decode a PT_NOTE segment; what cannot be understood is skipped. */
int scry_elfcore_notes(struct scry_target *t, uint64_t offset, uint64_t len, unsigned align);

#endif
