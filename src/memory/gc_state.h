/** An interpreter's collector: how it is set, and what it has counted. */
#ifndef SCRY_GC_STATE_H
#define SCRY_GC_STATE_H

#include "memory/gc.h"

#define SCRY_GC_GENERATIONS 3

/** One interpreter's collector. Addresses are the target's. */
struct scry_gc_summary {
	struct scry_interp *interp;
	/* -1: not known */
	int enabled;
	int64_t debug;
	unsigned generations;
	struct scry_gc_counted {
		int64_t count, threshold; /* as gc.get_count(), gc.get_threshold() */
		uint64_t objects;
		bool has_counts;
	} generation[SCRY_GC_GENERATIONS];
	uint64_t permanent;           /* objects that gc.freeze() took out */
	scry_addr garbage, callbacks; /* lists, 0 none or not known */
	bool shared;                  /* the first interpreter's collector is this one's, too */
};

/**
 * Walk all that is tracked. Negative where the collector's lists cannot be found; *ret has what
 * else is known all the same.
 */
int scry_gc_summarise(struct scry_interp *interp, struct scry_gc_summary *ret);
/**
 * The generation that is being collected; SCRY_GC_GENERATION_NONE where none is, or the counts do
 * not show which. `has_callbacks`: gc.callbacks is not empty, or not known, so one may be running
 * before the collection begins.
 */
int scry_gc_collected(const struct scry_gc_summary *s, bool has_callbacks);

#endif
