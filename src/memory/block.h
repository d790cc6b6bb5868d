/**
 * The blocks of Python's own allocator, whichever it is: pymalloc, for up to 512 bytes, or mimalloc
 * in free-threaded builds. Which one is at an address; walk them all. And the marks of the debug
 * hooks.
 */
#ifndef SCRY_BLOCK_H
#define SCRY_BLOCK_H

#include "runtime/runtime.h"

struct scry_allocator;

/** A block of an allocator of Python's, as its user has it. */
struct scry_block {
	const char *allocator;
	scry_addr start;
	uint64_t size;
	const struct scry_allocator *of;
	bool free;   /* freed, or never given out: what points here is dangling */
	bool broken; /* on a list of free blocks whose link from here leads nowhere */
	bool raw;    /* not given out for an object: PyMem_Malloc(), where that is kept apart */
	bool idle;   /* nothing around it is in use: its memory may become blocks of any size */
};

/** A run of memory that is the allocator's: an arena, a segment. */
struct scry_block_area {
	scry_addr start, end;
	uint64_t idle; /* bytes of it in which nothing is in use, so that any size may get them */
	uint64_t lost; /* bytes of it that are no block: headers, rests; 0 also where unknown */
};

/**
 * The block that an address lies in; false where there is none: memory of somebody else, or between
 * the allocator's blocks. Cheap: what is known of the last pools is kept.
 */
bool scry_block_find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
/**
 * The same without a search for what the allocator has: as long as that is not known, what looks
 * like a pool of it is taken for one, which by chance nothing does. For what may only contradict.
 */
bool scry_block_guess(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
/**
 * Is the memory at an address the allocator's, be it a block, what stands between blocks or what
 * was never given out? False also where that is not known.
 */
bool scry_block_owns(struct scry_runtime *r, scry_addr addr);
/**
 * Does the dump lack what would show whether the allocator has a block at an address? Then that
 * none is found says nothing.
 */
bool scry_block_lost(struct scry_runtime *r, scry_addr addr);

/**
 * The place of a free block on its pool's or page's list, from 1 (given out next); 0: it was never
 * given out, or is on no list that is known.
 */
unsigned scry_block_order(struct scry_runtime *r, const struct scry_block *block);
/** The least that may have been asked for to get this block. */
uint64_t scry_block_least(const struct scry_block *b);
/**
 * May the allocator have given out the block for `size` bytes, or (`resized`) for more of which
 * `size` are left?
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
 * are passed over, and noted at the end.
 */
int scry_blocks_next(struct scry_blocks *b, struct scry_block *ret);
void scry_blocks_done(struct scry_blocks *b);

/**
 * All memory of the allocator, in order of address, in the arena; SCRY_ENOTFOUND where it has none,
 * or that is not known.
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
	/* sizes of blocks differ by 16 bytes, or by a part of them: 1/waste; 0 no part */
	unsigned waste;
	/* what is on a list of free blocks was given out before, but for the last one of it */
	bool lists_freed;
	/* realloc() leaves a block of which more than keep/4 are wanted still, or as many */
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
	uint64_t size;                     /* that the caller asked for */
	const char *domain;                /* "raw", "mem", "object": who gave it out */
	bool before_intact, behind_intact; /* the bytes that nobody should write */
};
/** The debug hooks' marks around what starts at `start`; false where there are none. */
bool scry_debug_block_at(struct scry_runtime *r, scry_addr start, struct scry_debug_block *ret);

#endif
