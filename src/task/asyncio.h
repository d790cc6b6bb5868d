/** asyncio: loops, tasks and futures, those of the C module and those written in Python alike. 3.4 to 3.15. */
#ifndef SCRY_ASYNCIO_H
#define SCRY_ASYNCIO_H

#include "task/await.h"
#include "task/task.h"

enum scry_future_state { SCRY_FUTURE_PENDING, SCRY_FUTURE_CANCELLED, SCRY_FUTURE_FINISHED, SCRY_FUTURE_UNKNOWN };

/** A future or task, decoded. Objects that are None are 0. */
struct scry_future {
	scry_addr addr;
	enum scry_kind kind;
	enum scry_future_state state;
	scry_addr loop, exception, result;
	bool log_traceback;             /* its exception was not retrieved */
	scry_addr callback0, callbacks; /* a callable; a list of callables or of (callable, context), 0 none */
	scry_addr awaited_by;           /* 3.14+: a future, or a set of them */
	/* of a task */
	scry_addr coro, waiter, name;
	bool must_cancel;
	int64_t cancels;                /* 3.11+: how often cancel() was called */
};
/** SCRY_ECORRUPT where the object is neither. */
int scry_future_read(struct scry_kinds *k, scry_addr addr, struct scry_future *ret);
/**
 * Next done callback: *it is 0 at first. SCRY_ITEM, or SCRY_OK at the end.
 */
int scry_future_callback_next(struct scry_runtime *r, const struct scry_future *f, uint64_t *it, scry_addr *ret);

struct scry_loop {
	struct scry_loop *next;
	struct scry_runtime *runtime;
	scry_addr addr;
	uint64_t thread_ident;       /* of the thread that runs it, 0 it does not run or does not tell */
	const struct scry_thread *thread;
	bool running, closed;
	scry_addr current;           /* the current task, 0 none */
	uint64_t tasks;
};

struct scry_loops {
	struct scry_loop *first;
};

/** What a task carries in `detail`. */
struct scry_asyncio_task {
	struct scry_future future;
	struct scry_chain chain;
	struct scry_loop *loop;
	struct scry_loops *loops; /* of its runtime */
	bool current;
};

/** A collection under way, of one runtime. */
struct scry_asyncio {
	struct scry_runtime *runtime;
	struct scry_kinds kinds;
	struct scry_hash seen;          /* tasks by address: struct scry_task */
	struct scry_task *tasks, **tail;
	struct scry_loops *loops;
	bool whole_heap;                /* look at every object for tasks that no list has */
	bool any;                       /* the module asyncio is there */
};

/** Add the task at `addr` if it is one and new; the task, or NULL. */
struct scry_task *scry_asyncio_add(struct scry_asyncio *a, scry_addr addr);
struct scry_loop *scry_asyncio_loop(struct scry_asyncio *a, scry_addr addr);
/** Tasks from the modules' sets, the threads' lists (3.14+) and the heap; current tasks. */
void scry_asyncio_find(struct scry_asyncio *a);
/** Who awaits a task: fills t->awaited_by in. */
void scry_asyncio_find_awaiters(struct scry_asyncio *a, struct scry_task *t);

/** Tasks that asyncio lists; the second looks at the whole heap, too. */
extern const struct scry_task_ops scry_task_asyncio, scry_task_asyncio_heap;

#endif
