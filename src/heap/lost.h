/**
 * Objects that nothing leads to: cycles that the next collection would find, and objects that were
 * never let go. Found as the collector does it: a count that the references between objects do not
 * explain comes from outside (a frame, a C variable); what such objects do not lead to is lost.
 */
#ifndef SCRY_LOST_H
#define SCRY_LOST_H

#include "heap/graph.h"

/** Objects that hold each other, and what only they lead to. */
struct scry_lost_group {
	uint32_t first; /* one of them */
	uint64_t objects, bytes;
	bool finalizer; /* one has a __del__, which up to 3.3 keeps all of them: PEP 442 */
};

/** The answer for a whole heap. Arrays are by object, as in the index. */
struct scry_lost {
	struct scry_heap *h;
	uint32_t *found;                /* how many certain, counted references were found */
	uint8_t *state;                 /* enum below */
	uint32_t *group;                /* its group, or SCRY_HEAP_NONE */
	struct scry_lost_group *groups; /* the largest first */
	size_t group_count;
};
/** Not reached (so far); held from outside; reached from such a one. */
enum { SCRY_LOST_UNKNOWN, SCRY_LOST_OUTSIDE, SCRY_LOST_REACHED };

/** Negative when out of memory, or stopped. scry_lost_done() is needed all the same. */
int scry_lost_find(struct scry_heap *h, struct scry_lost *ret);
void scry_lost_done(struct scry_lost *lost);
/** Do all that certainly refer to an object count? What is being freed lets go one by one. */
bool scry_lost_is_going(struct scry_heap *h, uint32_t object);
/** An object's count; INT64_MAX where it is immortal, or where it does not count all references. */
int64_t scry_lost_count(struct scry_heap *h, uint32_t object);

#endif
