/** The state of PyPy's incremental collector (rpython/memory/gc/incminimark.py). */
#ifndef SCRY_PYPY_GC_H
#define SCRY_PYPY_GC_H

#include "runtime/runtime.h"

/** Sizes are bytes, addresses the target's. */
struct scry_pypy_gc {
	/* of a major collection, a step of which follows some minor ones */
	enum scry_pypy_gc_phase {
		SCRY_PYPY_GC_SCANNING, /* none is in progress */
		SCRY_PYPY_GC_MARKING,
		SCRY_PYPY_GC_SWEEPING,
		SCRY_PYPY_GC_FINALIZING,
		SCRY_PYPY_GC_PHASES
	} phase;
	bool minor;             /* one runs, for an allocation found the nursery full */
	bool enabled;           /* gc.isenabled(): do major collections begin by themselves? */
	uint64_t majors;        /* major collections that have ended */
	uint64_t milliseconds;  /* spent in all collections */
	scry_addr nursery;      /* where young objects are made, and where the next one will be */
	scry_addr nursery_free; /* 0 where `minor` */
	uint64_t nursery_size;
	uint64_t pinned;      /* young objects that may not be moved */
	uint64_t arena_bytes; /* of small old objects, and of the arenas that they are in */
	uint64_t arena_allocated;
	uint64_t arenas;
	uint64_t raw_bytes; /* of large objects, each allocated separately; and the most so far */
	uint64_t raw_peak;
	uint64_t threshold; /* a major collection begins at so many bytes of old objects */
	uint64_t made_old;  /* bytes that have become old in this major collection */
};

/**
 * SCRY_ENOTFOUND (no failure is recorded) for another interpreter, SCRY_EUNSUPPORTED where the
 * collector's object does not look as it should.
 */
int scry_pypy_gc_read(struct scry_runtime *r, struct scry_pypy_gc *ret);

#endif
