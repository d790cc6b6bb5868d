/**
 * Objects that nothing leads to: cycles that the next collection would find, and those that nobody
 * let go. As the collector does it: a count that the references between objects do not explain is
 * somebody's outside (a frame, a C variable); what such objects do not lead to is lost.
 */
#ifndef SCRY_LOST_H
#define SCRY_LOST_H

#include "heap/graph.h"

/** Objects that hold one another, and what hangs on them. */
struct scry_lost_group {
	uint32_t first; /* one of them */
	uint64_t objects, bytes;
	bool finalizer; /* one has a __del__, which up to 3.3 keeps all of them: PEP 442 */
};

/** The answer for a whole heap. Arrays are by object, as in the index. */
struct scry_lost {
	struct scry_heap *h;
	uint32_t *found; /* by object: references that certainly are some, and count */
	uint8_t *state;  /* by object: enum below */
	uint32_t *group; /* by object: of which group it is; SCRY_HEAP_NONE */
	struct scry_lost_group *groups; /* the largest first */
	size_t group_count;
};
enum { SCRY_LOST_UNKNOWN, SCRY_LOST_OUTSIDE, SCRY_LOST_REACHED };

/** Negative when out of memory, or stopped. scry_lost_done() all the same. */
int scry_lost_find(struct scry_heap *h, struct scry_lost *ret);
void scry_lost_done(struct scry_lost *lost);
/** Do all that certainly refer to an object count? What is being freed lets go one by one. */
bool scry_lost_is_going(struct scry_heap *h, uint32_t object);
/** An object's count; INT64_MAX where it never dies, or not all is counted there. */
int64_t scry_lost_count(struct scry_heap *h, uint32_t object);

#endif
