/**
 * The heap of free-threaded builds, which keep no list of their objects: every thread has mimalloc heaps of its own for
 * what the collector knows, and threads that ended leave theirs to the interpreter.
 */
#ifndef SCRY_MIMALLOC_H
#define SCRY_MIMALLOC_H

#include "runtime/runtime.h"

#define SCRY_MIMALLOC_CAPACITY_MAX 8192 /* blocks of a page: MI_SMALL_PAGE_SIZE / sizeof(void *) */

/** A page: a run of blocks of one size. */
struct scry_mimalloc_page {
	scry_addr addr;      /* mi_page_t */
	scry_addr start;     /* the first block */
	uint64_t block_size;
	uint32_t capacity;   /* blocks that were ever handed out */
	uint8_t shift;       /* bytes from a block to its object */
};

/** A walk over the objects of one interpreter. */
struct scry_mimalloc {
	struct scry_runtime *runtime;
	struct scry_mimalloc_page *pages; /* all of them, found when the walk is opened */
	size_t count, room;
	struct scry_hash known; /* addresses of pages and segments */
	struct scry_hash freed; /* blocks that other threads have freed, and their owner has not noticed */
	uint8_t shift;          /* bytes from a block to an object without words before it */
	unsigned damaged;       /* pages or lists that make no sense */
	size_t page;            /* the one walked, counted from 1; 0: none yet */
	uint32_t block;         /* the next one of it */
	uint64_t free[SCRY_MIMALLOC_CAPACITY_MAX / 64]; /* a bit for each block of it */
};

/** Find the pages of an interpreter. SCRY_ENOTFOUND where there are none; scry_mimalloc_done() all the same. */
int scry_mimalloc_open(struct scry_mimalloc *m, struct scry_interp *interp);
/** The next object that the collector tracks: SCRY_ITEM, SCRY_OK at the end. Damage is noted, and the rest follows. */
int scry_mimalloc_next(struct scry_mimalloc *m, scry_addr *ret_object);
void scry_mimalloc_done(struct scry_mimalloc *m);

#endif
