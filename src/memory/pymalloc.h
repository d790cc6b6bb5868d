/**
 * pymalloc: arenas, cut into pools, each with blocks of one size. Facts: Objects/obmalloc.c, since
 * 3.12 Include/internal/pycore_obmalloc.h; the same from 2.7 to 3.15, except for the sizes.
 */
#ifndef SCRY_PYMALLOC_H
#define SCRY_PYMALLOC_H

#include "memory/block.h"

#define SCRY_POOL_BLOCKS_MAX 1024 /* of 16 bytes in 16 KiB */

/** Bytes of an arena and of a pool, and what the sizes of blocks are multiples of. */
struct scry_pymalloc_shape {
	uint32_t arena, pool, align;
};

/** A pool, decoded: struct pool_header. */
struct scry_pool {
	scry_addr at; /* its header; 0: none */
	uint32_t size, head, block;
	uint32_t arena;   /* index of the arena that it says it is in */
	uint32_t blocks;  /* how many fit */
	uint32_t used;    /* how many are in use, by its own count; 0: it may get any size next */
	bool damaged;     /* the list of its free blocks makes no sense: some may pass for used */
	scry_addr broken; /* the block of that list whose link makes no sense; 0 not known */
	uint64_t free[SCRY_POOL_BLOCKS_MAX / 64]; /* a bit for each block */
};

/** An arena: its pools are from `start` to `end`, the rest was never cut. */
struct scry_pymalloc_arena {
	scry_addr address; /* as it was allocated */
	scry_addr start, end;
	uint32_t index;
};

/** All that is known of a runtime's pymalloc. */
struct scry_pymalloc {
	struct scry_runtime *runtime;
	bool searched; /* its arenas were looked for */
	/*
	 * that of all arenas; NULL: they were not found, and what looks like a pool is taken for
	 * one
	 */
	const struct scry_pymalloc_shape *shape;
	struct scry_pymalloc_arena *arenas; /* in order of address */
	size_t count, room;
	struct scry_pool *cache; /* POOLS_KEPT of them */
};

/** All possible shapes, the likelier first; the last one's `arena` is 0. */
extern const struct scry_pymalloc_shape scry_pymalloc_shapes[];

/**
 * What is known of the runtime's pymalloc; with `search`, its arenas are looked for on first use.
 * NULL only when out of memory.
 */
struct scry_pymalloc *scry_pymalloc_of(struct scry_runtime *r, bool search);
/** The arena that has the address, or NULL. */
const struct scry_pymalloc_arena *scry_pymalloc_arena_at(const struct scry_pymalloc *p,
							 scry_addr addr);
/**
 * Decode the pool at `at` as one of a shape; false where its numbers contradict each other (random
 * words always do).
 */
bool scry_pool_read(struct scry_runtime *r, const struct scry_pymalloc_shape *shape, scry_addr at,
		    struct scry_pool *ret);
/** Fill in the arenas of `p` and their shape, where they can be found (pymalloc_arenas.c). */
void scry_pymalloc_find_arenas(struct scry_pymalloc *p);

#endif
