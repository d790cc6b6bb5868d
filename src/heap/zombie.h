/**
 * Frames kept for the next call, 2.7 to 3.9: one per code object (co_zombieframe), and a list of
 * others. They hold memory, but nothing else refers to them.
 */
#ifndef SCRY_ZOMBIE_H
#define SCRY_ZOMBIE_H

#include "runtime/runtime.h"

struct scry_kept_frame {
	scry_addr addr;
	scry_addr code; /* 0: of the free list, whose frames have none */
	uint64_t size;  /* bytes, without the collector's header */
};

struct scry_kept_frames {
	struct scry_kept_frame *frames; /* the largest first; in the arena */
	size_t count, room;
	uint64_t bytes;
	const char *error; /* why they cannot be found, or why the list is cut; NULL */
	bool unreachable;  /* it cannot be found: nothing is known of it, `error` says why */
};

struct scry_zombies {
	struct scry_kept_frames zombies, free_list;
	uint64_t codes; /* code objects looked at */
};

/** SCRY_EUNSUPPORTED for versions that keep no such frames. */
int scry_zombies_find(struct scry_runtime *r, struct scry_zombies *ret);

#endif
