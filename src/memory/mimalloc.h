/**
 * The heap of free-threaded builds, which keep no list of their objects: every thread has mimalloc
 * heaps of its own for what the collector knows, and threads that ended leave theirs to the
 * interpreter.
 */
#ifndef SCRY_MIMALLOC_H
#define SCRY_MIMALLOC_H

#include "memory/mi_page.h"

/** A walk over the objects of one interpreter. */
struct scry_mimalloc {
	struct scry_runtime *runtime;
	struct scry_mi_page *pages; /* all of them, found when the walk is opened */
	size_t count, room;
	struct scry_hash known; /* addresses of pages and segments */
	/* blocks that other threads have freed, and their owner has not noticed */
	struct scry_hash freed;
	uint8_t shift;            /* bytes from a block to an object without words before it */
	unsigned damaged;         /* pages or lists that make no sense */
	size_t page;              /* the one walked, counted from 1; 0: none yet */
	uint32_t block;           /* the next one of it */
	struct scry_mi_bits free; /* of its blocks */
};

/**
 * Find the pages of an interpreter. SCRY_ENOTFOUND where there are none; scry_mimalloc_done() all
 * the same.
 */
int scry_mimalloc_open(struct scry_mimalloc *m, struct scry_interp *interp);
/**
 * The next object that the collector tracks: SCRY_ITEM, SCRY_OK at the end. Damage is noted, and
 * the rest follows.
 */
int scry_mimalloc_next(struct scry_mimalloc *m, scry_addr *ret_object);
void scry_mimalloc_done(struct scry_mimalloc *m);

#endif
