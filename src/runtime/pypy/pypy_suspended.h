/** What stands suspended on PyPy's heap: generators, coroutines. */
#ifndef SCRY_PYPY_SUSPENDED_H
#define SCRY_PYPY_SUSPENDED_H

#include "runtime/runtime.h"

/** A generator that is not over. Lives in the session's arena. */
struct scry_pypy_generator {
	struct scry_pypy_generator *next; /* by address */
	scry_addr addr, frame;
	enum scry_pypy_generator_kind {
		SCRY_PYPY_GENERATOR_PLAIN,
		SCRY_PYPY_GENERATOR_COROUTINE,
		SCRY_PYPY_GENERATOR_ASYNC
	} kind;
	bool started, running;
	/* code of the interpreter's own that is written in Python: no frame to a user */
	bool hidden;
	scry_addr awaits; /* what it yields from or awaits; 0 nothing */
	/* the generator that it leads to, where it is an asend() or the like; else the same */
	scry_addr leads_to;
	const char *name; /* its qualified name, 2.7: its code's; NULL unknown */
};

/**
 * One of them; false where the object is something else. One that is over has no frame (0), and
 * nothing else is known of it.
 */
bool scry_pypy_generator_at(struct scry_runtime *r, scry_addr addr,
			    struct scry_pypy_generator *ret);

/** All that a collection would keep, or NULL; *ret_rc negative where the search was stopped. */
struct scry_pypy_generator *scry_pypy_generators(struct scry_runtime *r, int *ret_rc);

/** A continulet: what greenlets are instances of. Lives in the session's arena. */
struct scry_pypy_continulet {
	struct scry_pypy_continulet *next;
	scry_addr addr;
	enum scry_pypy_continulet_state {
		SCRY_PYPY_CONTINULET_NEW, /* it never ran; so a thread's main greenlet looks, too */
		SCRY_PYPY_CONTINULET_SUSPENDED,
		SCRY_PYPY_CONTINULET_RUNS, /* its frames are those of whoever it switched from */
		SCRY_PYPY_CONTINULET_OVER
	} state;
	scry_addr *frames; /* newest first, `count` of them */
	size_t count;
	const char *error; /* why frames are missing, or NULL */
};

/** All that a collection would keep; *ret_rc as above. */
struct scry_pypy_continulet *scry_pypy_continulets(struct scry_runtime *r, int *ret_rc);

#endif
