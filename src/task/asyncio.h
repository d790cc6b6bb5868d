/**
 * asyncio, 3.4 to 3.15: tasks and futures of the C module, those written in Python, and those of
 * other implementations.
 */
#ifndef SCRY_ASYNCIO_H
#define SCRY_ASYNCIO_H

#include "task/loop.h"

/** Future._state: fut_state of Modules/_asynciomodule.c, or the string of futures.py. */
enum scry_future_state {
	SCRY_FUTURE_PENDING,
	SCRY_FUTURE_CANCELLED,
	SCRY_FUTURE_FINISHED,
	SCRY_FUTURE_UNKNOWN
};

/** A future or task, decoded. Objects that are None are 0. */
struct scry_future {
	scry_addr addr;
	enum scry_kind kind;
	enum scry_future_state state;
	uint64_t state_number; /* of the C module's: what it has there */
	bool contradicts; /* finished without a result or exception, or with one and not finished */
	uint64_t flags;   /* its bits that are 0 or 1, each as it was read */
	scry_addr loop, exception, result;
	bool log_traceback; /* its exception was not retrieved */
	/* a callable; a list of callables or of (callable, context), 0 none */
	scry_addr callback0, callbacks;
	scry_addr awaited_by; /* 3.14+: a future, or a set of them */
	/* of a task */
	scry_addr coro, waiter, name;
	bool must_cancel;
	int64_t cancels; /* 3.11+: how often cancel() was called */
};
/** SCRY_ECORRUPT where the object is neither, SCRY_EFAULT where it cannot be read (scry_fail). */
int scry_future_read(struct scry_kinds *k, scry_addr addr, struct scry_future *ret);
/**
 * The next done callback, in the order in which they will be called: *it is 0 at first. SCRY_ITEM,
 * or SCRY_OK at the end and where the list cannot be read.
 */
int scry_future_callback_next(struct scry_runtime *r, const struct scry_future *f, uint64_t *it,
			      scry_addr *ret);

/** What a task of asyncio carries in `detail`. */
struct scry_asyncio_task {
	struct scry_future future;
	struct scry_chain chain;
	const struct scry_hash *roots; /* scry_loops.roots */
	struct scry_loop *loop;
	bool current;
};

/** Add the task at `addr` if it is one and new; NULL where it is not, or out of memory. */
struct scry_task *scry_asyncio_add(struct scry_task_search *s, scry_addr addr);
/** The loop at `addr`, read where it is new; NULL where there is no object. */
struct scry_loop *scry_asyncio_loop(struct scry_task_search *s, scry_addr addr);
/** Tasks and loops from the modules' sets and the threads' lists (3.14+); current tasks. */
enum scry_heap_share scry_asyncio_find(struct scry_task_search *s, struct scry_interp *interp);
/** Of PyPy, of all tasks of the search (pypy_awaiters.c): fills in t->awaited_by. */
void scry_pypy_find_awaiters(struct scry_task_search *s);
/** Who awaits a task: fills in t->awaited_by. */
void scry_asyncio_find_awaiters(struct scry_task_search *s, struct scry_task *t);

#endif
