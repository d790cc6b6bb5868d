/**
 * Greenlets: stacks that are switched within a thread. greenlet 0.4 to 3.5, and what is built on it
 * (gevent, eventlet).
 */
#ifndef SCRY_GREENLET_H
#define SCRY_GREENLET_H

#include "task/await.h"
#include "task/cstack.h"
#include "task/switch_code.h"
#include "task/task.h"

#define SCRY_SWITCH_CODES 4
#define SCRY_WAITS_MAX    8 /* objects that one greenlet waits for: more are only counted */

/** How strongly something suggests that it will wake a greenlet: only the strongest are kept. */
enum scry_wait_rank {
	SCRY_WAIT_NOTHING,
	SCRY_WAIT_WAITER, /* a Waiter that nothing else leads to */
	SCRY_WAIT_TURN,   /* it will run in the hub's next round */
	SCRY_WAIT_EVENT,  /* a watcher or timer of the hub */
	SCRY_WAIT_OBJECT, /* an event, semaphore, queue, another greenlet */
};

/** What all greenlets of a runtime share. */
struct scry_greenlets {
	struct scry_runtime *runtime;
	struct scry_hash tasks; /* by their addresses */
	/* from 2.0 on: what marks a greenlet as a main one; 0: not met yet */
	scry_addr main_vtable;
	struct scry_module *module; /* the extension's; NULL: its code is in no module */
	bool code_known;            /* its slp_switch() was looked for */
	struct scry_switch_code code[SCRY_SWITCH_CODES];
	size_t code_count;
};

/** What a greenlet's task carries in `detail`. */
struct scry_greenlet {
	struct scry_greenlets *all;
	scry_addr stack_start; /* lowest address of its C stack; 0: it has none now */
	scry_addr stack_stop;  /* where that stack began; 0: it was never started */
	/* the copy of its lowest part, while others use the place */
	scry_addr stack_copy;
	uint64_t stack_saved; /* bytes of the copy, counted from stack_start */
	scry_addr top_frame;  /* its newest frame object while it is suspended, else 0 */
	/* 3.0.0 to 3.0.2 with 3.12: the frame that its newest one was unlinked from, else 0 */
	scry_addr prev_frame;
	scry_addr vtable;       /* from 2.0 on: the class of its state, else 0 */
	scry_addr parent, main; /* 0 none */
	scry_addr run;          /* what it calls first, until it has, 0 none */
	scry_addr thread_dict;  /* up to 1.x, of a main greenlet: its thread state's dict */
	/* from 2.0 on, of a main greenlet: the extension's thread state; 0: its thread has ended */
	scry_addr thread_state;
	/* of a main greenlet: the greenlet of its thread that runs; 0 unknown */
	scry_addr current;
	scry_addr exception;             /* the one it is handling, 0 none */
	scry_addr context;               /* of contextvars, while it is suspended, 0 none */
	scry_addr waits[SCRY_WAITS_MAX]; /* what will wake it: gevent's and eventlet's */
	size_t wait_count;               /* may be more than are kept */
	enum scry_wait_rank wait_rank;
	scry_addr timeout; /* the timer that will raise an exception in it, 0 none */
	scry_addr loop;    /* of a hub: gevent's loop, eventlet's hub; 0 unknown */
	bool is_hub;
	bool is_main, is_current;
	bool switching;               /* it runs, and its state is saved already */
	bool orphaned;                /* its thread has ended, but it had not */
	const char *type;             /* its class, as repr() writes it */
	struct scry_c_stack *c_stack; /* NULL: scry_greenlet_c_stack() was not called yet */
};

/**
 * Where greenlet's structs have their members: by the module's version where the greenlets at hand
 * agree with it, else by what they look like. False, and a note, where neither tells them.
 */
bool scry_greenlet_lay_out(struct scry_runtime *r, struct scry_kinds *kinds, const scry_addr *list,
			   size_t count);
/** Find the thread of each greenlet of the list, and mark those that run. */
void scry_greenlet_find_threads(struct scry_greenlets *all, struct scry_task *first);
/**
 * Unwound once, as far as where the greenlet began; a running one starts from its thread's
 * registers. No frames and no error where it has no C stack. NULL when out of memory.
 */
const struct scry_c_stack *scry_greenlet_c_stack(struct scry_task *t);

extern const struct scry_task_ops scry_task_greenlet;

/** scry_task_ops.collect of greenlets for PyPy: pypy_greenlet.c. */
struct scry_task **scry_pypy_greenlets_collect(struct scry_runtime *r, struct scry_task **tail);

#endif
