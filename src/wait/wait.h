/**
 * What everything waits for: a row for each thread, task, greenlet and tasklet, who holds what it
 * waits for, and where the chain closes. A fact here is read from the target, or it says how it was
 * inferred (enum scry_how); what is not known is left out.
 */
#ifndef SCRY_WAIT_H
#define SCRY_WAIT_H

#include "task/loop.h"
#include "task/task.h"

/** What a row does, as far as that is known. */
enum scry_wait_state {
	SCRY_WAIT_UNKNOWN,
	SCRY_WAIT_RUNNING,
	SCRY_WAIT_WAITING,
	SCRY_WAIT_GIL,
	SCRY_WAIT_IDLE, /* it waits for work, as it should: a pool's worker, an event loop */
};
/** "unknown", "running" ... */
extern const char *const scry_wait_state_names[];

/** How it is known that somebody holds something. */
enum scry_how {
	SCRY_HOW_OWNER,    /* the object itself says so */
	SCRY_HOW_WITH,     /* its frame is inside a with block of the object */
	SCRY_HOW_FRAME,    /* its frame works on the object, or gives it back in a finally */
	SCRY_HOW_INFERRED, /* its code has acquired it and not released it: a guess */
};
/** "owner", "with" ... */
extern const char *const scry_how_names[];

struct scry_waiter;

/** Somebody that has what is waited for. */
struct scry_holder_of {
	const struct scry_waiter *who;
	enum scry_how how;
	unsigned deadlock; /* that it is in, where who waits for it is not; 0 none */
	bool has_frame;
	struct scry_frame frame; /* the one that shows it, with has_frame */
};

/** What is waited for. Texts are in the session's arena. */
struct scry_awaited {
	struct scry_runtime *runtime; /* of the object; NULL: there is no object */
	const char *kind;             /* "Lock", "Queue.get", "read" ...; NULL: nothing is known */
	scry_addr addr;               /* the object, or the lock of C; 0 unknown */
	bool is_object;
	const char *name;   /* as the frame calls it: "self.lock", or NULL */
	const char *detail; /* "full, 1 of 1", or NULL */
	int64_t fd, pid;    /* the file or process that is waited for; -1: none */
	/* seconds of the system's monotonic clock, -1 not known; `timed`: it has a deadline */
	int64_t deadline;
	bool timed;
	const char *left; /* how long still, in words, where `detail` does not say it; or NULL */
	const char *other_end; /* who is there: "nobody is in get()"; NULL: it is not known */
};

/** A thread, or a task: one row of the answer. */
struct scry_waiter {
	struct scry_thread *thread; /* NULL: a task */
	struct scry_task *task;     /* NULL: a thread */
	struct scry_runtime *runtime;
	enum scry_wait_state state;
	struct scry_awaited what;
	struct scry_holder_of *held_by;
	size_t held_count, held_room;
	const char
		*call; /* the function of C that its newest frame calls, while it runs; or NULL */
	/*
	 * a task that does not come back to its loop: since when, by the monotonic clock, its turn
	 * lasts; -1 not known. And in words
	 */
	int64_t since;
	const char *since_text;
	/* how long nobody else has had the GIL that it holds, in milliseconds; -1 not known */
	int64_t gil_kept;
	const char *job; /* of a pool of processes, that a worker's thread works on; or NULL */
	/* there are more holders than those that are known: others may let it go on */
	bool others;
	bool has_frame;
	struct scry_frame frame; /* the newest that is not of the library that waits */
	unsigned deadlock;       /* its number, from 1; 0: it is in none */
	unsigned perhaps;        /* the same, of those that a guess closes */
	size_t waiters; /* how many wait for this row, directly or through others; no guesses */
	/* --- for src/wait alone --- */
	scry_addr mutex;  /* what it sleeps on: a lock of C, or where PyMutex parks; 0 none */
	scry_addr parked; /* ... the address that PyMutex' parking lot was given; 0 none */
	/*
	 * the condition that it waits on, and the condition's lock: it is inside their with block,
	 * but wait() has released them
	 */
	scry_addr released, released_lock;
	bool left;          /* a state that a fork has left: its thread is not in this process */
	bool limited;       /* a timeout ends a task that awaits it, and cancels it, too */
	size_t index, link; /* Tarjan's */
	bool stuck, on_stack;
};

/** The standard library, and each other package that stands.def has rows of. */
#define SCRY_WAIT_PACKAGES 5

/** The whole answer. Rows live until scry_waits_done(), their texts until refresh. */
struct scry_waits {
	struct scry_session *session;
	struct scry_waiter *list; /* in the arena */
	size_t count, room;
	struct scry_hash by_thread, by_task; /* rows by the struct scry_thread; by the task's id */
	struct scry_hash holds;              /* objects to struct scry_hold */
	struct scry_hash codes;              /* code objects to struct scry_standard */
	struct scry_hash users;              /* queues to struct scry_queue_users */
	bool unread; /* a stack could not be read to its end: who is in it is not known */
	/* directories of packages (stands.c): "" not known, NULL not asked */
	const char *directories[SCRY_WAIT_PACKAGES];
	struct scry_loops loops;
	unsigned deadlocks, perhaps; /* how many; those that a guess closes */
};

/**
 * Work out the whole answer. SCRY_ENOTFOUND where there are no threads, SCRY_ENOMEM (scry_fail).
 * scry_waits_done() releases it, after a failure too.
 */
int scry_waits_find(struct scry_session *s, struct scry_waits *ret);
void scry_waits_done(struct scry_waits *w);

/**
 * Who holds which GIL now, in the arena. A while later scry_waits_since() fills in gil_kept of
 * those who have had it ever since.
 */
struct scry_gil_reading *scry_gils_read(struct scry_session *s);
void scry_waits_since(struct scry_waits *w, const struct scry_gil_reading *before);

/* --- within the room --- */

/**
 * The row of a thread; of a Python thread by its ident in a runtime; of a task by its address.
 * NULL: there is no such row.
 */
struct scry_waiter *scry_waiter_of_thread(struct scry_waits *w, const struct scry_thread *t);
struct scry_waiter *scry_waiter_of_ident(struct scry_waits *w, struct scry_runtime *r,
					 uint64_t ident);
struct scry_waiter *scry_waiter_of_task(struct scry_waits *w, scry_addr task);
/** Note that `who` holds what `waits` waits for; of two reasons the better stays. `f` or NULL. */
void scry_waiter_held(struct scry_waits *w, struct scry_waiter *waits, struct scry_waiter *who,
		      enum scry_how how, const struct scry_frame *f);
/**
 * The next frame of a thread or task, newest first: SCRY_ITEM, SCRY_OK at the end, negative where
 * the stack is damaged. `walk` is zeroed before the first call.
 */
int scry_waiter_frame_next(struct scry_waiter *who, struct scry_walk *walk, struct scry_frame *ret);

/* thread_wait.c, task_wait.c: fill in state and `what` of one row */
void scry_thread_waits(struct scry_waits *w, struct scry_waiter *who);
void scry_task_waits(struct scry_waits *w, struct scry_waiter *who);
/* owners.c: who holds what is waited for, once all rows are filled in */
void scry_waits_owners(struct scry_waits *w, struct scry_waiter *who);
/* limits.c: which tasks a timeout around them ends */
void scry_waits_limits(struct scry_waits *w);
/* cycles.c: number the deadlocks, by Tarjan's algorithm; count the waiters of each row */
void scry_waits_cycles(struct scry_waits *w);

/* --- stands.c: the standard library's own functions --- */

enum scry_stand_flags {
	SCRY_STAND_VIA = 1,  /* only where the function that it has called is a row, too */
	SCRY_STAND_STOP = 2, /* what called it does not matter: this one waits for something else */
	SCRY_STAND_IDLE = 4, /* it waits for work */
	SCRY_STAND_LOCK = 8, /* the object is a lock: its own type says which */
	SCRY_STAND_SELF = 16,  /* the kind is the name of the object's class */
	SCRY_STAND_FILE = 32,  /* the object is the number of an open file */
	SCRY_STAND_OUTER = 64, /* what the function that it has called waits for counts */
};

/** A place where the standard library waits: a row of stands.def. */
struct scry_stand {
	const char *module, *function;
	const char *self;   /* the first argument's class, or several with '|' between; NULL any */
	const char *kind;   /* NULL: the system call that it sleeps in names it */
	const char *object; /* its path: "self._lock|self._Condition__lock"; NULL none */
	unsigned flags;
};

/** The row of a frame, or NULL. */
const struct scry_stand *scry_stand_of(struct scry_waits *w, const struct scry_frame *f);
/** Is the object of one of the classes, or of one that derives from them? '|' between them. */
bool scry_is_of_class(struct scry_runtime *r, scry_addr object, const char *classes);
/** The module of the standard library whose code the frame runs, or NULL. */
const char *scry_standard_module(struct scry_waits *w, const struct scry_frame *f);
/** What more there is to say of an object waited for as `kind`: "full, 1 of 1"; NULL nothing. */
const char *scry_stand_detail(struct scry_runtime *r, const char *kind, scry_addr object);
/** A point in time, as a float of Python's has it: false for anything else, and for infinity. */
bool scry_time_value(struct scry_runtime *r, scry_addr object, double *ret);
/** The object that a row's path leads to from the frame's variables, 0 none. */
scry_addr scry_stand_object(const struct scry_frame *f, const char *path);
/** A local variable, or a global of the frame's module; 0 where it is unbound or unreadable. */
scry_addr scry_frame_variable(const struct scry_frame *f, const char *name);
scry_addr scry_frame_global(const struct scry_frame *f, const char *name);

/* --- values.c: what is on a frame's value stack --- */

/** What a method is bound to, and its name (NULL unknown); 0: it is not a method. */
scry_addr scry_bound_to(struct scry_runtime *r, scry_addr method, const char **ret_name);

/**
 * Every word of the frame's value stack, those past its top too: the arguments of a call in
 * progress are still there. A bound method is followed by the object that it is bound to. *it is 0
 * at first; SCRY_ITEM, SCRY_OK at the end.
 */
int scry_frame_value_next(const struct scry_frame *f, unsigned *it, scry_addr *ret);
/**
 * Objects whose with blocks the frame is inside of: *it is 0 at first; SCRY_ITEM, SCRY_OK at the
 * end. *ret_async: by "async with".
 */
int scry_frame_with_next(const struct scry_frame *f, unsigned *it, scry_addr *ret, bool *ret_async);
/** How many values of the stack belong to the blocks around the instruction. */
unsigned scry_frame_kept(const struct scry_frame *f);

/* --- calls.c: what code loads by name --- */

#define SCRY_LOAD_PARTS 6
/** `a.b.c`, as code loads it. */
struct scry_load {
	uint32_t at, end; /* the first instruction of it, and the first after it */
	const char *parts[SCRY_LOAD_PARTS];
	unsigned count;
	bool global; /* the first part is not a local variable */
};
/** All that a code object loads by name, and where control goes between. */
struct scry_loads {
	struct scry_code *code;
	struct scry_load *list; /* each prefix is one, too */
	size_t count, room;
	struct scry_call_made {
		uint32_t end;
		bool arguments; /* it is given some */
	} * calls;
	size_t call_count, call_room;
	struct scry_jump {
		uint32_t at, target;
	} * jumps; /* forward ones only */
	size_t jump_count, jump_room;
};
/** Of a code object, decoded once; NULL where its version is not known. */
const struct scry_loads *scry_loads_of(struct scry_waits *w, struct scry_code *c);
/** The object that the first `count` parts lead to in a frame, 0 none. */
scry_addr scry_load_value(const struct scry_frame *f, const struct scry_load *l, unsigned count);
/** The object whose attribute a method is that is bound to `object`: M of M.acquire; 0 none. */
scry_addr scry_owner_in_frame(struct scry_waits *w, const struct scry_frame *f, scry_addr object);
/** The frame's name for the object: "self.lock"; NULL: it has none. */
const char *scry_name_in_frame(struct scry_waits *w, const struct scry_frame *f, scry_addr object);

/* --- holds.c: who holds which object, by the frames --- */

/** A frame that holds an object, in the list of that object. */
struct scry_hold {
	struct scry_hold *next;
	struct scry_waiter *who;
	enum scry_how how;
	struct scry_frame frame;
};
/** Go through all frames once, for who holds what: fills in w->holds. */
void scry_holds_collect(struct scry_waits *w);

/* --- other_end.c --- */
/** Note a frame that is inside of a queue's get() or put(). */
void scry_queue_user_note(struct scry_waits *w, struct scry_waiter *who,
			  const struct scry_frame *f);
/** Who is at the other end of what each waits for. */
void scry_waits_other_ends(struct scry_waits *w);

/* --- locks.c --- */
/** Which kind of lock an object is ("Lock", "RLock", ...); NULL: it is not a lock. */
const char *scry_lock_kind(struct scry_runtime *r, scry_addr object);
/** How many may still take one of multiprocessing's semaphores, by the memory that they share. */
bool scry_shared_value(struct scry_runtime *r, scry_addr object, int64_t *ret);
/** Is the object a lock that holds, or points to, the very word that the thread sleeps on? */
bool scry_lock_is_slept_on(struct scry_waiter *who, scry_addr object);
/** The object that a thread sleeps on, by the address alone: PyMutex (3.13+). 0 none. */
scry_addr scry_lock_by_address(struct scry_waiter *who, const char **ret_kind);
/** Free-threaded builds: has the thread locked the object, for a critical section? */
bool scry_thread_is_inside(const struct scry_thread *t, scry_addr object);
/** The ident of the thread that holds the object, by its own memory; 0 none or not known. */
uint64_t scry_lock_owner(struct scry_runtime *r, scry_addr object);

/* --- c_lock.c --- */
/**
 * Does the thread wait until the others of a free-threaded build have stopped? *ret_all: those of
 * all interpreters.
 */
bool scry_stops_world(struct scry_waiter *who, bool *ret_all);
/** Of a futex that is in no object: which lock of C it is, and its owner. Unwinds the C stack. */
void scry_c_lock_read(struct scry_waits *w, struct scry_waiter *who, struct scry_awaited *what);
/* --- sleep.c: system calls --- */
/** Does the thread sleep: 1 yes, 0 no, -1 not known (minidumps, some machines). */
int scry_thread_sleeps(struct scry_waiter *who);
/** Fill in `what` from the system call that the thread sleeps in; false: it is in none. */
bool scry_sleep_read(struct scry_waits *w, struct scry_waiter *who, struct scry_awaited *what);

#endif
