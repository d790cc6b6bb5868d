/**
 * A task: whatever has a Python stack and no OS thread of its own right now. Tasklet, greenlet, asyncio task, suspended
 * coroutine or generator: one noun, one renderer. A kind is one file and one line in registry.c.
 */
#ifndef SCRY_TASK_H
#define SCRY_TASK_H

#include "base/json.h"
#include "runtime/runtime.h"

struct scry_task {
	struct scry_task *next;
	const struct scry_task_ops *ops;
	struct scry_runtime *runtime;
	scry_addr addr;               /* its id() */
	const char *kind;             /* "tasklet", "greenlet", "asyncio", "generator", "coroutine" */
	const char *name;             /* or NULL */
	const char *state;            /* "running", "waiting", "done" ... static or arena */
	struct scry_thread *thread;   /* NULL: bound to none */
	uint64_t thread_ident;        /* threading ident it belongs to, 0 none */
	scry_addr waits_for;          /* object, 0 none */
	scry_addr parent;             /* greenlet's parent */
	const scry_addr *awaited_by;  /* who awaits it */
	size_t awaited_by_count;
	scry_addr frame;              /* newest frame, 0 none */
	const char *error;            /* damage met on the way, or NULL */
	void *detail;                 /* the kind's own */
};

struct scry_task_ops {
	const char *kind, *command; /* "tasklet", "tasklets" */
	/** Append every task of the runtime to the list at `tail`; return the new tail, NULL when out of memory. */
	struct scry_task **(*collect)(struct scry_runtime *r, struct scry_task **tail);
	/** Next frame, newest first; walks through await chains where the kind has them. */
	int (*frame_next)(struct scry_task *t, struct scry_walk *w, struct scry_frame *ret);
	/** Extra text behind the head line, and extra JSON keys; both may be NULL. */
	void (*text)(struct scry_task *t, struct scry_buf *out, bool verbose);
	void (*json)(struct scry_task *t, struct scry_json *j);
};

#endif
