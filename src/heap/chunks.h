/** What malloc gave out and has back, in sums; and which of it is Python's. */
#ifndef SCRY_CHUNKS_H
#define SCRY_CHUNKS_H

#include "heap/index.h"
#include "memory/block.h"
#include "memory/malloc.h"

struct scry_chunks {
	/* runs of chunks without a gap, in the arena; such with own mappings among them */
	struct scry_block_area *runs;
	size_t run_count, run_room;
	/* bytes with malloc's own words; without what stands in them of Python's allocator */
	uint64_t used, free, mapped;
	uint64_t python; /* of `used`: chunks with objects, or with tables and buffers of objects */
	uint64_t by_state[SCRY_MALLOC_TOP + 1];
};

/**
 * Negative when out of memory. Without glibc's malloc there are none. `areas` are those of Python's
 * allocator, which may stand in chunks.
 */
int scry_chunks_count(struct scry_heap *h, const struct scry_block_area *areas, size_t area_count,
		      struct scry_chunks *ret);
/** The first of the areas, in order of address, that ends after an address: its place. */
size_t scry_area_after(const struct scry_block_area *areas, size_t count, scry_addr addr);

#endif
