/** What was found out, once, about glibc's malloc. For the files malloc*.c. */
#ifndef SCRY_MALLOC_STATE_H
#define SCRY_MALLOC_STATE_H

#include "memory/malloc.h"

#define SCRY_MALLOC_ALIGN   16  /* MALLOC_ALIGNMENT */
#define SCRY_MALLOC_FLAGS   7   /* SIZE_BITS: PREV_INUSE, IS_MMAPPED, NON_MAIN_ARENA */
#define SCRY_MALLOC_OWN_MAP 2   /* IS_MMAPPED, of these */
#define SCRY_MALLOC_BINS    127 /* NBINS - 1: bins that have a pair of links */

/** A free chunk on a list; `start` is what malloc() returned. */
struct scry_malloc_free {
	scry_addr start;
	enum scry_malloc_state state;
	unsigned order;
};

/** A run of chunks without a gap. */
struct scry_malloc_region {
	scry_addr arena;
	scry_addr start; /* its first chunk, at malloc's words */
	scry_addr end;   /* where the last one ends */
	scry_addr top;   /* the top chunk that ends it; 0: it ends with fenceposts */
	/* its chunks lead to its end; `reached`: how far they were followed */
	bool sound;
	scry_addr reached;
	/* chunks here and there, in order of address, where a search may begin */
	scry_addr *marks;
	size_t mark_count, mark_room;
};

/** struct malloc_state: what is needed of it. */
struct scry_malloc_arena {
	scry_addr addr;
	scry_addr bins, top;
};

/** The chunks in one mapping of the target that have a mapping of their own, by address. */
struct scry_malloc_own {
	bool known; /* it was looked for them */
	struct scry_malloc_chunk *chunks;
	size_t count, room;
};

/** All that is known of a runtime's malloc. */
struct scry_malloc {
	struct scry_runtime *runtime;
	struct scry_malloc_arena *arenas; /* the main one first */
	size_t arena_count, arena_room;
	struct scry_malloc_region *regions; /* in order of address */
	size_t region_count, region_room;
	uint32_t head;    /* bytes from an arena to its bins */
	uint32_t fast_at; /* from an arena to its fastbins, 0: it has none */
	unsigned fast_count;
	/*
	 * are links mangled (PROTECT_PTR(), glibc 2.32+)? Known from the first list that shows it
	 */
	enum { SCRY_LINKS_UNKNOWN, SCRY_LINKS_PLAIN, SCRY_LINKS_MANGLED } links;
	struct scry_malloc_free *free; /* by address */
	size_t free_count, free_room;
	struct scry_malloc_own *own; /* one for each mapping of the target, when first asked for */
	struct scry_hash met;        /* chunks met so far, while the lists are read */
	bool lists_read;
	unsigned damaged; /* lists and regions that make no sense */
	struct scry_malloc_damage *damages;
	size_t damage_count, damage_room;
};

/** Note a place; `m->damaged` counts it. */
void scry_malloc_note(struct scry_malloc *m, const struct scry_malloc_damage *damage);
/** Is the arena's mutex held, so that its words may be half changed? */
bool scry_malloc_is_locked(struct scry_malloc *m, scry_addr arena);
/** Read all lists, once. malloc_bins.c */
void scry_malloc_read_lists(struct scry_malloc *m);
/** NULL where there is no glibc, its arenas were not found, or out of memory. */
struct scry_malloc *scry_malloc_of(struct scry_runtime *r);
/** Find the arenas and regions: malloc_arenas.c. False where there are none. */
bool scry_malloc_find_arenas(struct scry_malloc *m);
/** The chunk on a list that malloc() returned as `start`, or NULL. malloc_bins.c */
const struct scry_malloc_free *scry_malloc_listed(struct scry_malloc *m, scry_addr start);
/** The size of a chunk, malloc's words included; its flags go apart. 0: not a valid size. */
uint64_t scry_malloc_size(struct scry_malloc *m, scry_addr chunk, unsigned *ret_flags);
/** The region that has an address, or NULL. */
struct scry_malloc_region *scry_malloc_region_at(struct scry_malloc *m, scry_addr addr);
/** Those of a mapping of the target's; NULL when out of memory. malloc_mmapped.c */
const struct scry_malloc_own *scry_malloc_mmapped(struct scry_malloc *m,
						  const struct scry_map *map);
/** The one of them that contains an address, as scry_malloc_find(). */
bool scry_malloc_find_mmapped(struct scry_malloc *m, scry_addr addr, struct scry_malloc_chunk *ret);
/** A word of the target; 0 where it cannot be read. */
uint64_t scry_malloc_word(struct scry_malloc *m, scry_addr addr);

#endif
