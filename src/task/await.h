/**
 * What stands suspended: generators, coroutines and the small objects between them, and what each
 * waits for. The links of a chain of awaits, from the outermost coroutine to the future or the
 * frame that parks it.
 */
#ifndef SCRY_AWAIT_H
#define SCRY_AWAIT_H

#include "runtime/runtime.h"

/** What the kinds of tasks know an object as. */
enum scry_kind {
	SCRY_KIND_OTHER,
	SCRY_KIND_GENERATOR,
	SCRY_KIND_COROUTINE,
	SCRY_KIND_ASYNC_GENERATOR,
	SCRY_KIND_CYTHON_GENERATOR,
	SCRY_KIND_CYTHON_COROUTINE,
	SCRY_KIND_CYTHON_ASYNC_GENERATOR,
	/* pass on to another object */
	SCRY_KIND_CORO_WRAPPER,
	SCRY_KIND_ASEND,
	SCRY_KIND_ATHROW,
	SCRY_KIND_ANEXT,
	SCRY_KIND_DEBUG_WRAPPER,
	SCRY_KIND_BETWEEN,
	SCRY_KIND_FUTURE_ITER,
	/* also of subclasses */
	SCRY_KIND_C_FUTURE,
	SCRY_KIND_PY_FUTURE,
	SCRY_KIND_C_TASK,
	SCRY_KIND_PY_TASK,
	SCRY_KIND_LOOP,
	SCRY_KIND_TRIO_TASK,
	SCRY_KIND_TRIO_RUNNER,
	SCRY_KIND_CURIO_TASK,
	SCRY_KIND_CURIO_KERNEL,
	SCRY_KIND_METHOD,
	SCRY_KIND_BUILTIN,
	SCRY_KIND_FUNCTION,
	SCRY_KIND_PARTIAL,
	SCRY_KIND_WAKEUP,
	SCRY_KIND_GREENLET,
};

/** Which kind an object is, remembered by type. */
struct scry_kinds {
	struct scry_runtime *runtime;
	struct scry_hash types;
	size_t unsound; /* objects that have no type, as far as they were asked for */
};

#define SCRY_KINDS_INIT(r)     \
	{                      \
		.runtime = (r) \
	}
/** Free what SCRY_KINDS_INIT() has learnt since. */
void scry_kinds_done(struct scry_kinds *k);
/** OTHER for anything else, damaged objects too. */
enum scry_kind scry_kind_of(struct scry_kinds *k, scry_addr object);
/** From now on all objects of this one's class, and of that only, are of a kind. */
void scry_kind_teach(struct scry_kinds *k, scry_addr object, enum scry_kind kind);
static inline bool scry_kind_suspends(enum scry_kind kind)
{
	return kind >= SCRY_KIND_GENERATOR && kind <= SCRY_KIND_CYTHON_ASYNC_GENERATOR;
}
/** Made by Cython: what stands suspended is the object itself, without a frame. */
static inline bool scry_kind_is_cythons(enum scry_kind kind)
{
	return kind >= SCRY_KIND_CYTHON_GENERATOR && kind <= SCRY_KIND_CYTHON_ASYNC_GENERATOR;
}
static inline bool scry_kind_is_task(enum scry_kind kind)
{
	return kind == SCRY_KIND_C_TASK || kind == SCRY_KIND_PY_TASK;
}
static inline bool scry_kind_is_future(enum scry_kind kind)
{
	return kind >= SCRY_KIND_C_FUTURE && kind <= SCRY_KIND_PY_TASK;
}

enum scry_suspension {
	SCRY_CREATED,
	SCRY_SUSPENDED,
	SCRY_RUNNING,
	SCRY_CLOSED,
	SCRY_NOT_KNOWN, /* of a build of Cython that keeps it elsewhere */
};

/** One link: what an object is doing. */
struct scry_await {
	enum scry_kind kind;
	enum scry_suspension state; /* of what has a frame */
	scry_addr frame;            /* 0: it has none, or it is over */
	scry_addr next;             /* what it yields from or awaits, 0 nothing */
};
/** The first member of an object of a type that no header shows. */
int scry_first_member(struct scry_runtime *r, scry_addr object, scry_addr *ret);
/** SCRY_OK also for objects without a frame; negative where a generator is damaged. */
int scry_await_read(struct scry_kinds *k, scry_addr object, struct scry_await *ret);

/** A chain of awaits from `object` on; lives in the session's arena. */
struct scry_chain {
	struct scry_chain_link {
		scry_addr addr; /* of the frame, or of a generator of Cython's */
		bool cython;
	} * frames; /* outermost first */
	size_t count;
	/* what the innermost waits for: a future, some other object; 0 nothing */
	scry_addr end;
	enum scry_suspension state; /* of the outermost */
	bool running;               /* one of them runs: the rest of the stack is its thread's */
	const char *error;          /* why the chain is cut, or NULL */
};
/**
 * Follow what `object` (a coroutine, a generator) awaits, down to what is none; never fails, but
 * says in *ret why it was cut.
 */
void scry_chain_read(struct scry_kinds *k, scry_addr object, struct scry_chain *ret);
/** What a link stands for, like scry_frame_at(). */
int scry_chain_frame(struct scry_runtime *r, const struct scry_chain_link *link,
		     struct scry_frame *ret);
/** The frame of the innermost that has one, 0 none. */
scry_addr scry_chain_newest(const struct scry_chain *c);
/** The chain's frames, innermost first, as scry_task_ops.frame_next gives them. */
int scry_chain_frame_next(struct scry_runtime *r, const struct scry_chain *c,
			  struct scry_walk *walk, struct scry_frame *ret);

#endif
