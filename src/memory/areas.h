/** Runs of memory as a list: joined, in order of address, looked up. */
#ifndef SCRY_AREAS_H
#define SCRY_AREAS_H

#include "base/arena.h"
#include "memory/block.h"

struct scry_areas {
	struct scry_block_area *list; /* in the arena that it was added by */
	size_t count, room;
};

/** Add a run; one that begins where the last one ends is joined to it. False: out of memory. */
bool scry_areas_add(struct scry_arena *arena, struct scry_areas *areas, scry_addr start,
		    scry_addr end);
/** Put them in order of address. */
void scry_areas_sort(struct scry_block_area *list, size_t count);
/** The index of the first one, of a list in order, that ends after an address; `count`: none. */
size_t scry_area_after(const struct scry_block_area *list, size_t count, scry_addr addr);

#endif
