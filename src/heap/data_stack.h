/** The threads' data stacks, in which frames are (3.11+): chunks of memory. */
#ifndef SCRY_DATA_STACK_H
#define SCRY_DATA_STACK_H

#include "heap/index.h"
#include "memory/block.h"

/** Where they are, in order of address, none over another. */
struct scry_data_stacks {
	struct scry_block_area *list; /* in the arena */
	size_t count, room;
};

/** Those of all threads; none in versions without such. SCRY_OK, or SCRY_ENOMEM. */
int scry_data_stacks_find(struct scry_heap *h, struct scry_data_stacks *ret);

#endif
