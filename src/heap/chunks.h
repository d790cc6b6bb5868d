/** What malloc gave out and got back, summed up; and which of it is Python's. */
#ifndef SCRY_CHUNKS_H
#define SCRY_CHUNKS_H

#include "heap/index.h"
#include "memory/areas.h"
#include "memory/malloc.h"

/** The sums. */
struct scry_chunks {
	/* runs of chunks without a gap, also those with their own mapping; in the arena */
	struct scry_areas runs;
	/* bytes, malloc's own words included, but not what Python's allocator has in chunks */
	uint64_t used, free, mapped;
	uint64_t python; /* of `used`: chunks with objects, or with tables and buffers of objects */
	uint64_t by_state[SCRY_MALLOC_TOP + 1];
};

/**
 * Count. Negative when out of memory; all is 0 without glibc's malloc. `areas` are those of
 * Python's allocator, which may be in chunks.
 */
int scry_chunks_count(struct scry_heap *h, const struct scry_block_area *areas, size_t area_count,
		      struct scry_chunks *ret);

#endif
