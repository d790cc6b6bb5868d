/**
 * Which block of the allocators is at an address: pymalloc, mimalloc, and the marks of the debug
 * hooks.
 */
#ifndef SCRY_BLOCK_H
#define SCRY_BLOCK_H

#include "runtime/runtime.h"

/**
 * A block of Python's allocator: pymalloc, for up to 512 bytes, or mimalloc in free-threaded
 * builds.
 */
struct scry_block {
	const char *allocator;
	scry_addr start;
	uint64_t size;
	bool free; /* freed, or never given out: what points here is dangling */
};
/** What the debug hooks (PYTHONMALLOC=debug, debug builds) have put around a block. */
struct scry_debug_block {
	scry_addr start;                   /* of what the caller got */
	uint64_t size;                     /* that the caller asked for */
	const char *domain;                /* "raw", "mem", "object": who gave it out */
	bool before_intact, behind_intact; /* the bytes that nobody should write */
};
/** The block that an address lies in; false where there is none. */
bool scry_block_find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
/** The debug hooks' marks around what starts at `start`; false where there are none. */
bool scry_debug_block_at(struct scry_runtime *r, scry_addr start, struct scry_debug_block *ret);

#endif
