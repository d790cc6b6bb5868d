/** The exceptions that a thread is raising and handling, as the interpreter keeps them. */
#ifndef SCRY_HANDLED_H
#define SCRY_HANDLED_H

#include "object/object.h"

/**
 * An exception where the interpreter keeps it. Up to 3.11 there may be a class and no instance yet.
 */
struct scry_kept {
	/* the instance, or what its class will be called with; 0 or None: nothing */
	scry_addr value;
	scry_addr type;      /* the class, where it is kept besides the value, else 0 */
	scry_addr traceback; /* likewise */
};

/** One exception that is being handled. */
struct scry_handled {
	struct scry_handled *next; /* the one that it displaced, of an outer handler */
	struct scry_kept kept;
	struct scry_frame frame; /* the one whose handler runs; without code: none was found */
	/* nothing in Python handles it: C code does, or it was left behind */
	bool unowned;
};

/** True where nothing is kept. */
bool scry_kept_is_none(struct scry_runtime *r, const struct scry_kept *kept);
/** What the thread is raising: the error indicator. All members are 0 where it raises nothing. */
struct scry_kept scry_thread_raised(struct scry_thread *t);
/**
 * The exceptions that the thread's handlers are dealing with, innermost first: of nested handlers,
 * in one frame or several, and in generators that run. In the arena; NULL for none. *ret_count: how
 * many.
 */
struct scry_handled *scry_thread_handled(struct scry_thread *t, size_t *ret_count);
/** Does the layout say where they are kept? Else finding none means nothing. */
bool scry_handled_is_known(const struct scry_runtime *r);
/**
 * The same for a suspended generator or coroutine with this frame: what it will be handling when it
 * goes on.
 */
struct scry_handled *scry_generator_handled(struct scry_runtime *r, scry_addr gen, scry_addr frame);

#endif
