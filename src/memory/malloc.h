/**
 * glibc's malloc: its arenas, the lists of what is free, and every chunk. What it says of itself is
 * checked word by word: a region is believed where its chunks lead from its start to its end.
 * Other allocators (musl's, jemalloc ...) are told by name, and nothing is known of their blocks.
 */
#ifndef SCRY_MALLOC_H
#define SCRY_MALLOC_H

#include "runtime/runtime.h"

enum scry_malloc_state {
	SCRY_MALLOC_USED,
	SCRY_MALLOC_MMAPPED, /* in use, in a mapping of its own */
	/* free, from here on; the first five are on a list */
	SCRY_MALLOC_TCACHE,
	SCRY_MALLOC_FASTBIN,
	SCRY_MALLOC_UNSORTED,
	SCRY_MALLOC_SMALL,
	SCRY_MALLOC_LARGE,
	SCRY_MALLOC_UNLISTED, /* the chunk after it says so, but no list has it */
	SCRY_MALLOC_TOP,      /* the rest of a region, never given out or joined to it again */
};

/** A chunk of glibc's malloc, from the address that its user has. */
struct scry_malloc_chunk {
	scry_addr start; /* as malloc() returned it */
	uint64_t size;   /* bytes that its user has */
	enum scry_malloc_state state;
	unsigned order;  /* its place on its list, from 1 (the next to be given out); 0: on none */
	scry_addr arena; /* 0: of none */
	/* reached from the start of a region whose chunks lead to its end; else it only looks so */
	bool certain;
};

/** Freed, whichever list has it: what points there is dangling. */
static inline bool scry_malloc_is_free(const struct scry_malloc_chunk *c)
{
	return c->state >= SCRY_MALLOC_TCACHE;
}
/** "tcache", "unsorted bin" ...; NULL for what is in use. Static. */
const char *scry_malloc_state_name(enum scry_malloc_state state);

/**
 * Who answers for malloc() here: "malloc" for glibc's, "musl malloc", "jemalloc" ...; NULL where
 * that is not known.
 */
const char *scry_malloc_name(struct scry_runtime *r);
/**
 * The chunk that an address lies in, be it in what its user has or in malloc's own words before
 * that. False where there is none, or another malloc's.
 */
bool scry_malloc_find(struct scry_runtime *r, scry_addr addr, struct scry_malloc_chunk *ret);
/**
 * Is the chunk that malloc() returned as `start` on a list of free ones? Costs no walk: the lists
 * are read once.
 */
bool scry_malloc_is_listed(struct scry_runtime *r, scry_addr start);
/** A place where malloc's own words contradict one another: somebody else wrote there. */
struct scry_malloc_damage {
	scry_addr start;  /* the chunk whose words they are, as malloc() returned it */
	scry_addr before; /* the chunk that ends there, 0 not known: it may have been left */
	bool freed;       /* it is free: what was written is its user's part */
	const char *what; /* static */
};
/**
 * All such places, found by a look at all regions and lists: how many, in *ret. Arenas that were
 * being changed at the moment are left out.
 */
size_t scry_malloc_damages(struct scry_runtime *r, const struct scry_malloc_damage **ret);
/** Is the address in a region of malloc's arenas, whatever stands there? */
bool scry_malloc_owns(struct scry_runtime *r, scry_addr addr);

/** A walk over all chunks: by arena, in order of address, then those with mappings of their own. */
struct scry_malloc_walk {
	struct scry_runtime *runtime;
	size_t region;  /* walked, counted from 1; 0: none yet */
	size_t map;     /* of the target's, once the regions are through */
	scry_addr next; /* the next chunk, or where one may be in the mapping */
	/* of that mapping: pages looked at in vain; whether all before `next` was explained */
	uint64_t steps;
	bool explained;
};
/** SCRY_ENOTFOUND where there is no malloc of glibc's, or its arenas were not found. */
int scry_malloc_open(struct scry_malloc_walk *w, struct scry_runtime *r);
/** SCRY_ITEM, SCRY_OK at the end. A region that is damaged ends there, which is noted. */
int scry_malloc_next(struct scry_malloc_walk *w, struct scry_malloc_chunk *ret);

#endif
