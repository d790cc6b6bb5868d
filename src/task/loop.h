/**
 * What the command `tasks` lists: event loops and their tasks, of every library that has them. A
 * library is a row (struct scry_task_library): its struct scry_task_ops, and where it keeps what it
 * runs.
 */
#ifndef SCRY_LOOP_H
#define SCRY_LOOP_H

#include "task/await.h"
#include "task/task.h"

/** An event loop: asyncio's loop, trio's runner, curio's kernel. In the session's arena. */
struct scry_loop {
	struct scry_loop *next;
	const struct scry_task_library *library;
	struct scry_runtime *runtime;
	const struct scry_interp *interp;
	scry_addr addr;
	/* of the thread that runs it; 0: it does not run, or does not say which */
	uint64_t thread_ident;
	const struct scry_thread *thread;
	bool running;
	int closed;        /* -1: not known */
	scry_addr current; /* the current task, 0 none */
	uint64_t tasks;
	void *detail; /* the library's own, in the arena */
};

/** All loops of a target. scry_loops_done() frees the tables, the loops live until refresh. */
struct scry_loops {
	struct scry_loop *first, **tail;
	struct scry_hash by_address;
	/* outermost frames of all tasks that run: one may be started eagerly within another */
	struct scry_hash roots;
};

/** A search of one runtime. */
struct scry_task_search {
	struct scry_runtime *runtime;
	struct scry_interp *interp; /* the one that is searched now */
	struct scry_kinds kinds;
	struct scry_hash seen; /* tasks by address: struct scry_task */
	struct scry_task *tasks, **tail;
	struct scry_loops *loops;
	bool whole_heap; /* look at every object, for tasks that are in no list */
};

/** How much of the heap must be searched for a library, besides its own lists. */
enum scry_heap_share { SCRY_HEAP_NONE, SCRY_HEAP_LITTLE, SCRY_HEAP_MUCH, SCRY_HEAP_ALL };

/** A library that runs tasks. */
struct scry_task_library {
	const struct scry_task_ops *ops;
	/**
	 * Add the tasks and loops of the library's own lists; how much of the heap is to be
	 * searched besides. SCRY_HEAP_NONE where the interpreter has not imported it.
	 */
	enum scry_heap_share (*find)(struct scry_task_search *s, struct scry_interp *interp);
	/** Called for each object of the heap whose kind is from `first` to `last`. */
	void (*object)(struct scry_task_search *s, enum scry_kind kind, scry_addr object);
	enum scry_kind first, last;
	/** Fill in what needs all tasks and loops to be known. */
	void (*finish)(struct scry_task_search *s, struct scry_task *t);
};
/** The rows; the last one's ops is NULL. */
extern const struct scry_task_library scry_task_asyncio_library, scry_task_trio_library,
	scry_task_curio_library;

/** Every loop and task of a target; the list of tasks is ordered by library, loop and name. */
struct scry_task *scry_loops_collect(struct scry_session *s, bool whole_heap,
				     struct scry_loops *ret);
void scry_loops_done(struct scry_loops *loops);

/* --- for libraries --- */
/**
 * The loop at `addr`, added where it is new; NULL where there is no object. `ret_new` may be NULL.
 */
struct scry_loop *scry_loop_at(struct scry_task_search *s, const struct scry_task_library *library,
			       scry_addr addr, bool *ret_new);
/**
 * A new task for the list, with `detail` of `size` zeroed bytes; NULL where it is there already, or
 * out of memory.
 */
struct scry_task *scry_loop_task(struct scry_task_search *s, const struct scry_task_ops *ops,
				 scry_addr addr, size_t size);
/**
 * The task belongs to the loop: it gets the loop's thread, and the loop counts it. NULL: its loop
 * is not known, and nothing happens.
 */
void scry_loop_has(struct scry_loop *loop, struct scry_task *t);
/**
 * The local variable `name` of the thread's newest frame that runs code of the module and has such
 * a variable; 0 none.
 */
scry_addr scry_loop_local(struct scry_thread *t, const char *module, const char *name);
/**
 * The frames of a task whose chain begins at its coroutine. A task that runs has frames of its
 * thread: from its coroutine to the newest, or to the task that was started eagerly within it.
 */
int scry_loop_frame_next(struct scry_task *t, const struct scry_chain *c,
			 const struct scry_hash *roots, struct scry_walk *walk,
			 struct scry_frame *ret);
/** For finish(): let scry_loop_frame_next() know of a task that runs. */
void scry_loop_runs(struct scry_task_search *s, const struct scry_chain *c);
/** For SAY_GET on a struct scry_task: its loop's id; what it waits for, as a value; its parent. */
void scry_loop_get_loop(const void *subject, struct scry_said *ret);
void scry_loop_get_waits_for(const void *subject, struct scry_said *ret);
void scry_loop_get_parent(const void *subject, struct scry_said *ret);
/** Set t->name from the object `name`: text, or asyncio's number until somebody asks (3.12+). */
void scry_loop_name(struct scry_task *t, scry_addr name);

/**
 * Note what is wrong with a set of tasks that was walked: the last step failed (`rc` is negative),
 * or `strangers` of its items are not tasks: `words` go after "are".
 */
void scry_loop_note_set(struct scry_runtime *r, scry_addr set, int rc, uint64_t strangers,
			const char *words);

/** An attribute; 0 where it is missing or None, or where `object` is 0. */
scry_addr scry_loop_attr(struct scry_runtime *r, scry_addr object, const char *name);
/** The same, as an integer or a bool; 0 where there is none. */
int64_t scry_loop_attr_int(struct scry_runtime *r, scry_addr object, const char *name);
/** A module of sys.modules, 0 none. */
scry_addr scry_loop_module(struct scry_interp *interp, const char *name);

#endif
