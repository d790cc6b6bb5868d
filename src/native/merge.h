/**
 * C and Python frames as one stack, newest first: each run of Python frames comes after the C
 * frame of the interpreter's loop that executes it. Up to 3.10 a loop runs one Python frame, since
 * 3.11 as many as called each other without C code between them. Where the two sides do not fit,
 * nothing is left out, and `problem` says so.
 */
#ifndef SCRY_MERGE_H
#define SCRY_MERGE_H

#include "native/c_stack.h"

/**
 * Yields Python frames, newest first, like scry_walk_next(); a zeroed `walk` starts from the
 * newest.
 */
typedef int scry_python_fn(void *arg, struct scry_walk *walk, struct scry_frame *ret);

/** Python frames that one call of the loop executes. */
struct scry_run {
	scry_addr frame;  /* the newest of them */
	scry_addr anchor; /* an address in the loop's C frame that they lead to, 0 unknown */
	uint64_t count;
	size_t place; /* index of the C frame that they follow; SCRY_NOWHERE: not known yet */
	bool known;   /* that frame is known to run them: they were not just put there */
};
#define SCRY_NOWHERE SIZE_MAX

struct scry_merge {
	struct scry_session *session;
	struct scry_runtime *runtime;     /* NULL: no Python */
	struct scry_thread *thread;       /* NULL: of a task */
	const struct scry_c_stack *stack; /* may be without frames */
	scry_python_fn *next;
	void *arg;
	struct scry_run *runs;
	size_t run_count, run_room;
	uint64_t unplaced; /* Python frames whose C frame is not known */
	/* why the two do not fit, or why the C stack ends early; NULL: they fit */
	const char *problem;
	/* how far scry_merge_next() has come */
	size_t at_frame, at_function, at_run;
	uint64_t taken; /* frames of the current run */
	struct scry_walk walk;
	bool walk_ended;
};

/** The stack of a thread; its C stack is unwound. Negative (scry_fail) when out of memory. */
int scry_merge_thread(struct scry_merge *m, struct scry_thread *t);
/** The same, without C frames that were saved elsewhere: only those of scry_unwind(). */
int scry_merge_unsaved(struct scry_merge *m, struct scry_thread *t);
/** Merge a C stack that was unwound with the Python frames that `next` yields. */
int scry_merge_init(struct scry_merge *m, struct scry_runtime *r, const struct scry_c_stack *stack,
		    scry_python_fn *next, void *arg);
/**
 * The next frame of either kind: SCRY_ITEM, SCRY_OK at the end. One of kind SCRY_FRAME_NATIVE has
 * `native`, and for an inlined function, or where there is DWARF, `function_of`; its depth is not
 * set.
 */
int scry_merge_next(struct scry_merge *m, struct scry_frame *ret);

/** Find the places of the runs (merge_place.c). */
void scry_merge_place(struct scry_merge *m);

#endif
