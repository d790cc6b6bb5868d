/**
 * A task: whatever has a Python stack and no OS thread of its own right now. Tasklet, greenlet,
 * asyncio task, suspended coroutine or generator: one noun, one renderer (src/command/tasks.c). A
 * kind is one file with its ops and one line in a row of SCRY_COMMANDS (src/command/command.h).
 */
#ifndef SCRY_TASK_H
#define SCRY_TASK_H

#include "base/facts.h"
#include "runtime/runtime.h"

struct scry_c_stack; /* task/cstack.h */

/** What a task does, in the words of all kinds; what each is called: task.c. */
enum scry_task_state {
	SCRY_TASK_UNKNOWN,
	SCRY_TASK_CREATED,
	SCRY_TASK_NOT_STARTED,
	SCRY_TASK_SUSPENDED,
	SCRY_TASK_ACTIVE,
	SCRY_TASK_RUNNING,
	SCRY_TASK_SCHEDULED,
	SCRY_TASK_PAUSED,
	SCRY_TASK_BLOCKED_SENDING,
	SCRY_TASK_BLOCKED_RECEIVING,
	SCRY_TASK_ORPHANED,
	SCRY_TASK_PENDING,
	SCRY_TASK_MUST_CANCEL,
	SCRY_TASK_CANCELLED,
	SCRY_TASK_DONE,
	SCRY_TASK_CLOSED,
	SCRY_TASK_DEAD,
};
/** "running", "must-cancel" ...; never NULL. */
const char *scry_task_state_name(enum scry_task_state state);

/** A task of any kind; lives in the session's arena until refresh. */
struct scry_task {
	struct scry_task *next;
	const struct scry_task_ops *ops;
	struct scry_runtime *runtime;
	scry_addr addr;   /* its id() */
	const char *name; /* or NULL */
	/* bytes of a name that contains NUL; 0: the name ends at its first NUL */
	size_t name_size;
	enum scry_task_state state;
	/* of the thread it belongs to, as threading.get_ident() has it; 0 none */
	uint64_t thread_ident;
	const struct scry_thread *thread; /* that thread, or NULL */
	scry_addr waits_for;              /* object, 0 none */
	scry_addr parent;                 /* greenlets, trio, curio: the parent's id, 0 none */
	scry_addr loop;                   /* the event loop's id, 0 none */
	const scry_addr *awaited_by;      /* asyncio: ids of the tasks that await it */
	size_t awaited_by_count;
	const scry_addr *awaits; /* ids of the tasks that it awaits: awaited_by, reversed */
	size_t awaits_count;
	scry_addr frame;   /* newest frame, 0 none */
	bool ready;        /* trio: rescheduled, but it has not run since */
	const char *error; /* damage met on the way, or NULL */
	void *detail;      /* the kind's own, in the arena */
	void *handed;      /* its stack, as the public API handed it out; NULL: not yet */
};

/** What a kind of tasks can do. Static. */
struct scry_task_ops {
	const char *kind;    /* "tasklet": the JSON's "kind" */
	const char *command; /* "tasklets" */
	const char *package; /* whose frames a parked task may be in ("asyncio"), or NULL */
	/**
	 * Append every task of the runtime at `tail` and return the new tail. What cannot be listed
	 * is noted in the session.
	 */
	struct scry_task **(*collect)(struct scry_runtime *r, struct scry_task **tail);
	/**
	 * The next of its frames, newest first; NULL for the chain that starts at t->frame. `walk`
	 * is zeroed before the first call, and then the kind's to use. SCRY_ITEM, SCRY_OK at the
	 * end, negative where the stack is damaged.
	 */
	int (*frame_next)(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret);
	/**
	 * Its C stack where it is not running, unwound once. The pointer is NULL for a kind without
	 * C stacks; it returns NULL when out of memory.
	 */
	const struct scry_c_stack *(*c_stack)(struct scry_task *t);
	/**
	 * What else there is to say of a struct scry_task of this kind: more keys, and for text the
	 * views "words" (of the head line, each ", ...") and "lines" (below it). NULL: nothing.
	 */
	const struct scry_facts *facts;
};

/**
 * All tasks of one kind, from all runtimes of the target, in the kind's order. NULL where there are
 * none.
 */
struct scry_task *scry_tasks_collect(struct scry_session *s, const struct scry_task_ops *ops);
/** A zeroed task at the list's end; NULL when out of memory. Moves *tail. */
struct scry_task *scry_task_add(struct scry_runtime *r, const struct scry_task_ops *ops,
				scry_addr addr, struct scry_task ***tail);
/** Fill in t->thread from t->thread_ident. */
void scry_task_find_thread(struct scry_task *t);
/** The next frame, by ops->frame_next() or along the chain; results as there. */
int scry_task_frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret);

/** Does the frame run code of ops->package, by its module's name? */
bool scry_task_is_library(const struct scry_task *t, const struct scry_frame *f);
/**
 * Where its own code is: the newest frame that is not of the library, or the newest of all where
 * every one is. *ret_library: the function of the library that this frame awaits, or NULL.
 * SCRY_ITEM, or SCRY_OK where it has no frame.
 */
int scry_task_place(struct scry_task *t, struct scry_frame *ret, const char **ret_library);
/** Append the repr of an object, cut short. */
void scry_task_value_text(struct scry_runtime *r, scry_addr object, struct scry_buf *out);
/**
 * The facts of an object (a struct scry_at in a runtime): id, type and repr; as text only its repr,
 * cut short.
 */
extern const struct scry_facts scry_facts_value;
/** How a value reads where None means nothing. */
extern const char *const scry_value_unless_none[];
/** The facts of each kind of task; the list ends with NULL. */
extern const struct scry_facts scry_facts_asyncio, scry_facts_trio, scry_facts_curio,
	scry_facts_generator, scry_facts_greenlet, scry_facts_pypy_greenlet, scry_facts_tasklet;
extern const struct scry_facts *const scry_task_kinds[];
/** For SAY_GET: an object as a value; null where it is 0. */
void scry_said_value(struct scry_said *ret, const struct scry_task *t, scry_addr object);

#endif
