/**
 * What can be suspended: generators, coroutines and the small objects between them, and what each
 * waits for. They are the links of a chain of awaits, from the outermost coroutine to the future or
 * the frame that parks it.
 */
#ifndef SCRY_AWAIT_H
#define SCRY_AWAIT_H

#include "runtime/runtime.h"

/** What an object is to the files that list tasks. */
enum scry_kind {
	SCRY_KIND_OTHER,
	SCRY_KIND_GENERATOR,
	SCRY_KIND_COROUTINE,
	SCRY_KIND_ASYNC_GENERATOR,
	SCRY_KIND_CYTHON_GENERATOR,
	SCRY_KIND_CYTHON_COROUTINE,
	SCRY_KIND_CYTHON_ASYNC_GENERATOR,
	/* these pass on to another object */
	SCRY_KIND_CORO_WRAPPER,
	SCRY_KIND_ASEND,
	SCRY_KIND_ATHROW,
	SCRY_KIND_ANEXT,
	SCRY_KIND_DEBUG_WRAPPER,
	SCRY_KIND_BETWEEN,
	SCRY_KIND_FUTURE_ITER,
	/* these cover subclasses too */
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
	size_t unsound; /* objects asked for whose type is damaged */
};

#define SCRY_KINDS_INIT(r)     \
	{                      \
		.runtime = (r) \
	}
/** Free what was learnt since SCRY_KINDS_INIT(). */
void scry_kinds_done(struct scry_kinds *k);
/** SCRY_KIND_OTHER for anything else, and for damaged objects. */
enum scry_kind scry_kind_of(struct scry_kinds *k, scry_addr object);
/** What instances of a class of this full name are, in any version. */
enum scry_kind scry_kind_named(const char *full);
/** The same of PyPy's objects (pypy_await.c). */
enum scry_kind scry_pypy_kind_of(struct scry_kinds *k, scry_addr object);
/** From now on, every object of exactly this one's class is of the kind. */
void scry_kind_teach(struct scry_kinds *k, scry_addr object, enum scry_kind kind);
static inline bool scry_kind_suspends(enum scry_kind kind)
{
	return kind >= SCRY_KIND_GENERATOR && kind <= SCRY_KIND_CYTHON_ASYNC_GENERATOR;
}
/** Made by Cython: the object itself is suspended, it has no frame. */
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

/** Where execution of a generator or coroutine is: inspect.getgeneratorstate(), as it were. */
enum scry_suspension {
	SCRY_CREATED,
	SCRY_SUSPENDED,
	SCRY_RUNNING,
	SCRY_CLOSED,
	SCRY_NOT_KNOWN, /* made by a version of Cython that keeps it elsewhere */
};

/** One link: what an object is doing. */
struct scry_await {
	enum scry_kind kind;
	enum scry_suspension state; /* where scry_kind_suspends(kind) */
	scry_addr frame;            /* 0: it has none, or has returned */
	scry_addr next;             /* what it yields from or awaits, 0 nothing */
};
/** scry_await_read() of PyPy's objects, whose kind is known. */
int scry_pypy_await_read(struct scry_runtime *r, scry_addr object, struct scry_await *ret);
/**
 * The first word after the object's head, for types that no public header has; *ret is an address
 * that nothing has checked. Negative where it cannot be read.
 */
int scry_first_member(struct scry_runtime *r, scry_addr object, scry_addr *ret);
/** SCRY_OK also for objects without a frame; negative where a generator is damaged. */
int scry_await_read(struct scry_kinds *k, scry_addr object, struct scry_await *ret);

/** Links of one chain that are followed. */
#define SCRY_CHAIN_MAX 100000
/** What is said of a chain that has more of them, and of one that comes back to itself. */
extern const char scry_chain_endless[], scry_chain_cycle[];

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
 * Follow what `object` (a coroutine, a generator) awaits, down to the first object that awaits
 * nothing. Never fails: ret->error says why the chain is cut.
 */
void scry_chain_read(struct scry_kinds *k, scry_addr object, struct scry_chain *ret);
/** The frame of a link, like scry_frame_at(); negative where it cannot be decoded. */
int scry_chain_frame(struct scry_runtime *r, const struct scry_chain_link *link,
		     struct scry_frame *ret);
/** The frame of the innermost link that has one, 0 none. */
scry_addr scry_chain_newest(const struct scry_chain *c);
/** The chain's frames, innermost first, as scry_task_ops.frame_next gives them. */
int scry_chain_frame_next(struct scry_runtime *r, const struct scry_chain *c,
			  struct scry_walk *walk, struct scry_frame *ret);

#endif
