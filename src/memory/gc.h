/** What the cyclic garbage collector knows: every container object of an interpreter. */
#ifndef SCRY_GC_H
#define SCRY_GC_H

#include "runtime/runtime.h"

#define SCRY_GC_LISTS 8

struct scry_mimalloc;

/**
 * A walk over the collector's objects of one interpreter: its lists, or the heaps of a
 * free-threaded build.
 */
struct scry_gc {
	struct scry_runtime *runtime;
	struct scry_mimalloc *heap;     /* NULL: there are lists */
	uint32_t head_size;             /* bytes from a header to its object */
	scry_addr heads[SCRY_GC_LISTS]; /* addresses of the lists' heads */
	unsigned count, at;             /* how many lists, and which one is walked */
	/* lists that there should be, but whose first object is damaged or not there */
	unsigned missing;
	scry_addr node; /* the header stood on; 0: a list begins */
	uint64_t steps;
	scry_addr anchor; /* Brent's cycle detection */
	uint64_t power, lap;
};

/**
 * Find the lists or heaps of an interpreter; scry_gc_done() where this succeeds. SCRY_ENOTFOUND
 * where they cannot be reached. Before 3.9 all interpreters share one collector: the first has its
 * objects, the others none.
 */
int scry_gc_open(struct scry_gc *gc, struct scry_interp *interp);
/**
 * The next object: SCRY_ITEM, SCRY_OK at the end. A damaged list ends there, noted, and the next
 * one follows.
 */
int scry_gc_next(struct scry_gc *gc, scry_addr *ret_object);
void scry_gc_done(struct scry_gc *gc);

#endif
