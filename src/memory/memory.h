/**
 * What was found out about the memory of a runtime, once: where its allocator's arenas are, how
 * large the collector's headers are. For the files of this room.
 */
#ifndef SCRY_MEMORY_H
#define SCRY_MEMORY_H

#include "memory/mi_page.h"

struct scry_pymalloc;
struct scry_malloc;

/** A thread's C stack. */
struct scry_stack_span {
	scry_addr start, end;
};

/** The runtime's memory_state. */
struct scry_memory {
	struct scry_pymalloc *pymalloc; /* NULL: not looked for */
	/* the page of mimalloc that was asked for last; block_size 0: none was */
	struct scry_mi_page page;
	struct scry_mi_bits page_free;
	bool head_known;    /* the next two are known */
	bool head_measured; /* an object that is certainly tracked has shown the size */
	uint32_t head_size; /* of the collector's headers */
	bool libc_known, has_chunks;
	bool malloc_known;
	struct scry_malloc *malloc; /* NULL: its arenas were not found */
	bool chunks_asked, chunks_sure;
	bool stacks_known;
	struct scry_stack_span *stacks; /* in order of address */
	size_t stack_count;
};

/** It is in the session's arena, and lost at refresh. NULL only when out of memory. */
struct scry_memory *scry_memory_of(struct scry_runtime *r);

#endif
