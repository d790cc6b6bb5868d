/** Memory that was given back to its allocator: where it is, and what it may have been. */
#ifndef SCRY_FREED_H
#define SCRY_FREED_H

#include "memory/block.h"
#include "memory/malloc.h"

struct scry_type;

/** The block of Python's allocator, or else malloc's chunk, that an address is in. */
struct scry_memory_at {
	bool has_block, has_chunk; /* at most one of them */
	struct scry_block block;
	struct scry_malloc_chunk chunk;
};
/** False where no allocator that is known gave out the memory. */
bool scry_memory_at(struct scry_runtime *r, scry_addr addr, struct scry_memory_at *ret);
/** Is it free, so that what points there is dangling? */
bool scry_memory_is_free(const struct scry_memory_at *m);

/**
 * The object that free memory from `start` to `end` was: its first word is a list's, but that of
 * its type may be there still. A guess, for somebody else may have had the memory since and left
 * the word alone.
 */
bool scry_freed_object(struct scry_runtime *r, scry_addr start, scry_addr end, scry_addr *ret,
		       struct scry_type **ret_type);
/**
 * "in a free block of 128 bytes at 0x7f12 (pymalloc), which may have been a list", in the arena.
 * NULL where the memory is in use, or it is not certain that it is free.
 */
const char *scry_freed_text(struct scry_runtime *r, scry_addr addr);

#endif
