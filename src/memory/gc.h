/** What the cyclic garbage collector knows: every container object of an interpreter. */
#ifndef SCRY_GC_H
#define SCRY_GC_H

#include "runtime/runtime.h"

#define SCRY_GC_LISTS           8
#define SCRY_GC_PERMANENT       3 /* the generation of what gc.freeze() moved out of the others */
#define SCRY_GC_GENERATION_NONE (-1)

struct scry_mimalloc;

/** One of the collector's lists: a circle through the headers before its objects. */
struct scry_gc_list {
	scry_addr head;
	int generation; /* 0 the youngest; as gc.get_objects() counts */
};

/**
 * A walk over the collector's objects of one interpreter: its lists, or the heaps of a
 * free-threaded build.
 */
struct scry_gc {
	struct scry_runtime *runtime;
	struct scry_mimalloc *heap; /* NULL: there are lists */
	uint32_t head_size;         /* bytes from a header to its object */
	struct scry_gc_list lists[SCRY_GC_LISTS];
	unsigned count, at; /* how many lists, and which one is being walked */
	/* that of the last object; SCRY_GC_GENERATION_NONE where there are no generations */
	int generation;
	/* lists that there should be, but whose first object is damaged or not there */
	unsigned missing;
	scry_addr node; /* the current header; 0: a list begins */
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
 * The next object, with its generation in gc->generation: SCRY_ITEM, SCRY_OK at the end. A damaged
 * list ends where the damage is, which is noted, and the next list follows.
 */
int scry_gc_next(struct scry_gc *gc, scry_addr *ret_object);
void scry_gc_done(struct scry_gc *gc);

/** What the collector has noted about one object. */
struct scry_gc_state {
	/* the address of its header; in builds without headers, of the object itself */
	scry_addr head;
	bool head_unknown; /* the header's size is not known: `head` is the object */
	bool tracked, finalized, collecting, frozen;
};
/** The state of an object of a type that the collector knows (Py_TPFLAGS_HAVE_GC). */
void scry_gc_state_read(struct scry_runtime *r, scry_addr object, struct scry_gc_state *ret);
/**
 * Is the object in a list, as its two neighbours confirm, or certainly in none (up to 3.7 its
 * header says so)? This does not happen by chance.
 */
bool scry_gc_is_linked(struct scry_runtime *r, scry_addr object);
/**
 * The generation of a tracked object, found by following the list from the object itself.
 * SCRY_GC_GENERATION_NONE where it is in none of the lists that were found.
 */
int scry_gc_generation(struct scry_runtime *r, scry_addr object);
/**
 * Bytes of the header before each of the collector's objects; 0: the build has none. *ret_sure is
 * false where only the layout's row says so, for a version whose builds differ.
 */
uint32_t scry_gc_head_size(struct scry_runtime *r, bool *ret_sure);

#endif
