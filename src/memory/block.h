/**
 * The blocks of Python's own allocator: pymalloc, for up to 512 bytes, or mimalloc in free-threaded
 * builds. Which block is at an address, a walk over all of them, and the marks of the debug hooks.
 */
#ifndef SCRY_BLOCK_H
#define SCRY_BLOCK_H

#include "runtime/runtime.h"

struct scry_allocator;

/** A block of one of Python's allocators, as its user sees it. */
struct scry_block {
	const char *allocator;
	scry_addr start;
	uint64_t size;
	const struct scry_allocator *of;
	bool free;   /* freed, or never given out: what points here is dangling */
	bool broken; /* on a list of free blocks, and its link to the next leads nowhere */
	bool raw;  /* given out by PyMem_Malloc(), not for an object, where those are kept apart */
	bool idle; /* nothing in its pool or page is in use: it may become blocks of any size */
};

/** A run of memory that belongs to the allocator: an arena, a segment. */
struct scry_block_area {
	scry_addr start, end;
	uint64_t
		idle; /* bytes of it where nothing is in use, so that blocks of any size may come */
	uint64_t
		lost; /* bytes of it that are not in blocks: headers, rests; 0 also where unknown */
};

/**
 * The block that contains an address; false where none does: the memory is not the allocator's, or
 * is between its blocks. Cheap: the last pools are remembered.
 */
bool scry_block_find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
/**
 * The same without a search for the allocator's arenas: until they are known, what looks like one
 * of its pools is taken for one, which nothing does by chance. For questions where the answer can
 * only contradict something else.
 */
bool scry_block_guess(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
/**
 * Does the memory at an address belong to the allocator, whether it is in a block, between blocks,
 * or was never given out? False also where that is not known.
 */
bool scry_block_owns(struct scry_runtime *r, scry_addr addr);
/**
 * Does the dump lack what would show whether the allocator has a block at an address? If so, it
 * means nothing that none is found.
 */
bool scry_block_lost(struct scry_runtime *r, scry_addr addr);

/**
 * The place of a free block on its pool's or page's list, from 1 (given out next); 0: it was never
 * given out, or is on no list that is known.
 */
unsigned scry_block_order(struct scry_runtime *r, const struct scry_block *block);
/** The fewest bytes that a caller may have asked for to get this block. */
uint64_t scry_block_least(const struct scry_block *b);
/**
 * May the allocator have given out the block for `size` bytes, or (`resized`) for more, of which
 * realloc() left `size`?
 */
bool scry_block_suits(const struct scry_block *b, uint64_t size, bool resized);

/** A walk over all blocks of a runtime, in order of address within a pool or page. */
struct scry_blocks {
	struct scry_runtime *runtime;
	const struct scry_allocator *allocator;
	void *state; /* the allocator's */
};
/**
 * Begin; scry_blocks_done() where this succeeds. SCRY_ENOTFOUND where the runtime has no such
 * allocator (PYTHONMALLOC=malloc) or it was not found.
 */
int scry_blocks_open(struct scry_blocks *b, struct scry_runtime *r);
/**
 * The next block, used or free: SCRY_ITEM, SCRY_OK at the end. Pools and pages that make no sense
 * are skipped, and noted at the end.
 */
int scry_blocks_next(struct scry_blocks *b, struct scry_block *ret);
void scry_blocks_done(struct scry_blocks *b);

/**
 * All memory of the allocator, in order of address, in the session's arena; SCRY_ENOTFOUND where it
 * has none, or it is not known.
 */
int scry_block_areas(struct scry_runtime *r, struct scry_block_area **ret, size_t *ret_count);

/** A kind of allocator: a file with one of these, and a row in block.c. */
struct scry_allocator {
	const char *name;
	/** Is it the one that this runtime's objects come from? */
	bool (*serves)(const struct scry_runtime *r);
	bool (*find)(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
	bool (*guess)(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
	bool (*owns)(struct scry_runtime *r, scry_addr addr);
	/**
	 * How many bytes smaller the next smaller size of blocks is, at most; NULL: 16, in builds
	 * of 32 bits and up to 3.6 less.
	 */
	uint64_t (*step)(uint64_t size);
	/* all blocks on a list of free ones were given out before, except the last */
	bool lists_freed;
	/*
	 * realloc() keeps a block if more than keep/4 of it are still wanted; keeps_equal: or as
	 * much
	 */
	unsigned keep;
	bool keeps_equal;
	bool (*lost)(struct scry_runtime *r, scry_addr addr); /* NULL: never */
	/** scry_block_order() */
	unsigned (*order)(struct scry_runtime *r, const struct scry_block *block);
	/** As scry_blocks_open(), _next() and _done(), with a state of its own. */
	int (*open)(struct scry_runtime *r, void **ret_state);
	int (*next)(struct scry_runtime *r, void *state, struct scry_block *ret);
	void (*done)(void *state);
	/** scry_block_areas(); overlapping ones are joined there. */
	int (*areas)(struct scry_runtime *r, struct scry_block_area **ret, size_t *ret_count);
};
extern const struct scry_allocator scry_allocator_pymalloc, scry_allocator_mimalloc;

/** What the debug hooks (PYTHONMALLOC=debug, debug builds) have put around a block. */
struct scry_debug_block {
	scry_addr start;                   /* of what the caller got */
	uint64_t size;                     /* what the caller asked for */
	const char *domain;                /* "raw", "mem", "object": which allocator gave it out */
	bool before_intact, behind_intact; /* the bytes that nobody should write */
};
/** The debug hooks' marks around what starts at `start`; false where there are none. */
bool scry_debug_block_at(struct scry_runtime *r, scry_addr start, struct scry_debug_block *ret);

#endif
