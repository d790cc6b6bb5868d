/**
 * How far a long pass has come. The pass says so in its loop, which costs a few stores; a program
 * with a terminal shows it from another thread (cli/progress_line.h).
 */
#ifndef SCRY_PROGRESS_H
#define SCRY_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/session.h"

/** What a pass goes through. Its words are in progress.c. */
enum scry_pass {
	SCRY_PASS_NONE,
	SCRY_PASS_UNPACK,  /* bytes of the dump */
	SCRY_PASS_FIND,    /* bytes of memory: where an interpreter's state may be */
	SCRY_PASS_OBJECTS, /* objects, as they are found */
	SCRY_PASS_FOLLOW,  /* objects: what they refer to */
	SCRY_PASS_SEARCH,  /* bytes of memory: what refers to something */
	SCRY_PASS_TARGETS  /* targets of one call */
};

/**
 * `done` of `total` (0: it is not known how many) are done. False: the command was stopped. For the
 * condition of a loop.
 */
static inline bool scry_going(struct scry_session *s, enum scry_pass pass, uint64_t done,
			      uint64_t total)
{
	atomic_store_explicit(&s->progress.pass, pass, memory_order_relaxed);
	atomic_store_explicit(&s->progress.done, done, memory_order_relaxed);
	atomic_store_explicit(&s->progress.total, total, memory_order_relaxed);
	return !s->stopped;
}

/**
 * What to show of it, "unpacking: 2.1 of 4.0 GB", in `text`; false where no pass is running. The
 * numbers may be from two moments, since they are read while they change.
 */
bool scry_progress_text(const struct scry_session *s, char *text, size_t size);

#endif
