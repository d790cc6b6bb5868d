/** The answer of heap, before it is written: for heap.c and heap_types.c. */
#ifndef SCRY_HEAP_ANSWER_H
#define SCRY_HEAP_ANSWER_H

#include "command/heap_show.h"
#include "heap/census.h"
#include "heap/graph.h"
#include "heap/survey.h"

#define SCRY_HEAP_SHOWN 20 /* lines of a list in text, where no limit was given */

/** A line of the table: a type, or a module with all of its types. */
struct scry_heap_group {
	const char *name;
	uint64_t count, bytes, retained;
	bool has_retained;
	uint64_t before_count, before_bytes, before_retained; /* --diff */
	bool diffed;
};

/** What is asked, and what was found. */
struct scry_heap_answer {
	struct scry_call *call;
	struct scry_heap *h;
	struct scry_heap_group *groups;
	size_t group_count, shown;
	uint64_t limit; /* --limit, 0: not given */
	uint32_t type;  /* the type whose instances are shown, or SCRY_HEAP_NONE */
	bool want_texts;
	struct scry_heap_text *texts;
	size_t text_count;
	struct scry_census census;
	bool want_retained;
	uint32_t under; /* only what this one dominates; SCRY_HEAP_NONE: all */
	struct scry_retained retained;
	/* --diff: the file, or NULL; and its answer, against which `groups` keep what changed */
	const char *diff;
	struct scry_heap_group *before;
	size_t before_count, before_room;
	int64_t before_objects, before_bytes;
	bool has_before;
};

/** Of a struct scry_heap_part. */
extern const struct scry_facts scry_facts_heap_part;

/** What --by names. */
struct scry_heap_order {
	const char *name;
	int (*compare)(const void *a, const void *b);
	bool modules;
};
/** NULL after scry_fail(). */
const struct scry_heap_order *scry_heap_order_of(struct scry_call *call);
/** Fill the groups in, sorted. */
int scry_heap_groups(struct scry_heap_answer *a, const struct scry_heap_order *order);
/**
 * Keep those groups that changed since `path` (an answer of heap --json, or a dump), with their
 * values at that time.
 */
int scry_heap_diff(struct scry_heap_answer *a, const char *path);
/** How many of `count` lines are shown: --limit, or else `without_limit` (0: all). */
size_t scry_heap_lines(const struct scry_heap_answer *a, size_t count, size_t without_limit);

#endif
