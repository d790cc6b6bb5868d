/**
 * The heaps of free-threaded builds: every thread has several of mimalloc's, one for each kind of
 * memory, and a thread that ends leaves its own to the interpreter. Such builds keep no list of the
 * collector's objects: those of two of the heaps are its objects.
 */
#ifndef SCRY_MIMALLOC_H
#define SCRY_MIMALLOC_H

#include "memory/block.h"
#include "memory/mi_page.h"

/** Kinds of heaps, as bits: 1 << SCRY_MI_... */
#define SCRY_MI_COLLECTED (1u << SCRY_MI_GC | 1u << SCRY_MI_GC_PRE)
#define SCRY_MI_ALL       (1u << SCRY_MI_MEM | 1u << SCRY_MI_OBJECT | SCRY_MI_COLLECTED)

/** A walk over the pages of one interpreter, and over their blocks or objects. */
struct scry_mimalloc {
	struct scry_runtime *runtime;
	unsigned kinds;
	struct scry_mi_page *pages; /* all of them, found when the walk is opened */
	size_t count, room;
	struct scry_hash known; /* addresses of pages and segments */
	/* blocks that other threads have freed, which the owner has not taken back yet */
	struct scry_hash freed;
	uint8_t shift;            /* bytes from a block to an object without words before it */
	unsigned damaged;         /* pages or lists that make no sense */
	size_t page;              /* the current one, from 1; 0: none yet */
	uint32_t block;           /* the next block of it */
	struct scry_mi_bits free; /* which of its blocks are free */
};

/**
 * Find the pages of an interpreter's heaps of some kinds (bits, as above). SCRY_ENOTFOUND where
 * there are none; scry_mimalloc_done() is needed all the same.
 */
int scry_mimalloc_open(struct scry_mimalloc *m, struct scry_interp *interp, unsigned kinds);
/**
 * The next object that the collector tracks: SCRY_ITEM, SCRY_OK at the end. Damage is noted, and
 * what is sound still comes.
 */
int scry_mimalloc_next(struct scry_mimalloc *m, scry_addr *ret_object);
/** The next block that was ever given out; results as above. */
int scry_mimalloc_next_block(struct scry_mimalloc *m, struct scry_block *ret);
void scry_mimalloc_done(struct scry_mimalloc *m);

#endif
