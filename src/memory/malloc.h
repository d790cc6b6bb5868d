/**
 * glibc's malloc: its arenas, the lists of free chunks, and every chunk. What it says of itself is
 * checked word by word: a region is believed where its chunks lead from its start to its end. Other
 * allocators (musl's, jemalloc ...) are only recognised: nothing is known of their blocks.
 */
#ifndef SCRY_MALLOC_H
#define SCRY_MALLOC_H

#include "runtime/runtime.h"

/** What a chunk is: malloc/malloc.c of glibc. */
enum scry_malloc_state {
	SCRY_MALLOC_USED,
	SCRY_MALLOC_MMAPPED, /* in use, in a mapping of its own */
	/* free from here on; the first five are on a list */
	SCRY_MALLOC_TCACHE,
	SCRY_MALLOC_FASTBIN,
	SCRY_MALLOC_UNSORTED,
	SCRY_MALLOC_SMALL,
	SCRY_MALLOC_LARGE,
	SCRY_MALLOC_UNLISTED, /* the next chunk says that it is free, but no list has it */
	SCRY_MALLOC_TOP,      /* the rest of a region: never given out, or merged into it again */
};

/** A chunk of glibc's malloc, as its user sees it. */
struct scry_malloc_chunk {
	scry_addr start; /* as malloc() returned it */
	uint64_t size;   /* bytes that its user has */
	enum scry_malloc_state state;
	unsigned order;  /* its place on its list, from 1 (the next to be given out); 0: on none */
	scry_addr arena; /* 0: it belongs to none */
	/* reached from the start of a region whose chunks lead to its end; else it only looks so */
	bool certain;
};

/** Is it free, on whichever list? Then what points there is dangling. */
static inline bool scry_malloc_is_free(const struct scry_malloc_chunk *c)
{
	return c->state >= SCRY_MALLOC_TCACHE;
}
/** "tcache", "unsorted bin" ...; NULL for what is in use. Static. */
const char *scry_malloc_state_name(enum scry_malloc_state state);

/**
 * Whose malloc() the target uses: "malloc" for glibc's, "musl malloc", "jemalloc" ...; NULL where
 * it is not known.
 */
const char *scry_malloc_name(struct scry_runtime *r);
/**
 * The chunk that contains an address, in its user's part or in malloc's own words before that.
 * False where none does, or it is not glibc's.
 */
bool scry_malloc_find(struct scry_runtime *r, scry_addr addr, struct scry_malloc_chunk *ret);
/**
 * Is the chunk for which malloc() returned `start` on a list of free ones? Needs no walk: the lists
 * are read once.
 */
bool scry_malloc_is_listed(struct scry_runtime *r, scry_addr start);
/** A place where malloc's own words contradict each other: something else wrote there. */
struct scry_malloc_damage {
	scry_addr start;  /* the chunk whose words they are, as malloc() returned it */
	scry_addr before; /* the chunk that ends there, which may have been overrun; 0 not known */
	bool freed;       /* it is free: its user's part was written to */
	const char *what; /* static */
};
/**
 * All such places, in all regions and lists: *ret points to them; returns how many. Arenas that
 * were just being changed are left out.
 */
size_t scry_malloc_damages(struct scry_runtime *r, const struct scry_malloc_damage **ret);
/** Is the address in a region of malloc's arenas, whatever is there? */
bool scry_malloc_owns(struct scry_runtime *r, scry_addr addr);

/** A walk over all chunks: by arena, in order of address, then those with mappings of their own. */
struct scry_malloc_walk {
	struct scry_runtime *runtime;
	size_t region;  /* the current one, from 1; 0: none yet */
	size_t map;     /* once the regions are done: the current mapping of the target */
	scry_addr next; /* the next chunk of the region; then the number of it in the mapping */
};
/** Start a walk, which needs no release. SCRY_ENOTFOUND: no glibc malloc, or no arena was found. */
int scry_malloc_open(struct scry_malloc_walk *w, struct scry_runtime *r);
/** SCRY_ITEM, SCRY_OK at the end. A damaged region ends at the damage, which is noted. */
int scry_malloc_next(struct scry_malloc_walk *w, struct scry_malloc_chunk *ret);

#endif
