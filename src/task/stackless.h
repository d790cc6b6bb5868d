/** Stackless Python: schedulers, tasklets, channels. Layouts: src/layout/rows_stackless.def. */
#ifndef SCRY_STACKLESS_H
#define SCRY_STACKLESS_H

#include "task/cstack.h"
#include "task/task.h"

#define SCRY_RING_MAX 10000000 /* tasklets of one ring or queue */

/** The scheduler of one thread: struct _sts inside its PyThreadState. */
struct scry_scheduler {
	struct scry_scheduler *next;
	struct scry_thread *thread;
	scry_addr st;            /* address of the struct */
	scry_addr main, current; /* tasklets; current 0: the thread is blocked */
	scry_addr initial_stub, watchdogs, interrupted, del_post_switch;
	int64_t runcount, nesting_level, switch_trap;
	uint64_t serial_last_jump;
	bool is_blocked, is_idle;
	const scry_addr *ring; /* the runnable ones in order, from current on */
	size_t ring_count;
	const char *error; /* why the ring is cut, or NULL */
};

/** A channel and its queue. */
struct scry_channel {
	struct scry_channel *next;
	scry_addr addr;
	const char *type; /* "channel", or a subclass's name */
	int64_t balance;  /* > 0: so many senders wait; < 0: so many receivers */
	bool closing, schedule_all;
	int preference;         /* -1 receiver, 0 none, 1 sender */
	const scry_addr *queue; /* tasklets, in the order in which they will be served */
	size_t queue_count;
	const char *error; /* why the queue is cut, or NULL */
};

/** What a tasklet has beyond a task. */
struct scry_tasklet {
	int blocked; /* 1 sending, -1 receiving, 0 neither */
	bool alive, scheduled, paused, restorable, is_main, is_current;
	bool atomic, ignore_nesting, autoschedule, block_trap, is_zombie, pending_irq;
	int64_t recursion_depth, nesting_level, thread_id; /* thread_id -1: its thread has ended */
	scry_addr next, prev, channel, tempval, cstate;
	int64_t balance;              /* of the channel it is blocked on */
	bool orphaned;                /* its thread has ended, its frames are still there */
	bool hard;                    /* it was switched out along with its C stack */
	bool stale;                   /* its saved C stack was restored already */
	uint64_t slice_words;         /* size of the saved C stack */
	unsigned slices;              /* saved slices altogether: more than one after spilling */
	scry_addr entry;              /* the callable of a tasklet without a Python frame, 0 none */
	scry_addr exception;          /* the exception it is handling, 0 none */
	const char *type;             /* "tasklet", or a subclass's name */
	struct scry_c_stack *c_stack; /* NULL: scry_tasklet_c_stack() was not called yet */
	struct scry_slp_cframe *cframes; /* valid once has_cframes is set */
	bool has_cframes;
};

/** A C function in a tasklet's chain of frames: PyCFrameObject. */
struct scry_slp_cframe {
	struct scry_slp_cframe *next;
	scry_addr addr;
	const char *function; /* f_execute: the one that will go on, NULL unknown */
	scry_addr callable;   /* of run_cframe(): what it calls; else 0 */
	scry_addr object;     /* of others: a generator, a channel ... that they work on, or 0 */
	size_t after;         /* how many newer Python frames there are */
};

/** All of a runtime's Stackless state, collected once. */
struct scry_stackless {
	struct scry_runtime *runtime;
	struct scry_scheduler *schedulers;
	struct scry_channel *channels;
	struct scry_task *tasklets;
	scry_addr tasklet_type, channel_type, bomb_type; /* 0 until met */
	struct scry_hash slices; /* how many saved slices each tasklet has, by its address */
	/* the channel at the end of each blocked tasklet's queue, by its address */
	struct scry_hash channel_of;
	struct scry_hash cstacks; /* the saved stacks that were counted */
};

/** The state of a Stackless runtime, or NULL (scry_fail) for others. */
struct scry_stackless *scry_stackless_of(struct scry_runtime *r);
/** Is the object a tasklet, a channel (or of a subclass)? The type is remembered. */
bool scry_is_tasklet(struct scry_stackless *sl, scry_addr object);
bool scry_is_channel(struct scry_stackless *sl, scry_addr object);
/** A bomb: an exception on its way to a tasklet. */
bool scry_is_bomb(struct scry_stackless *sl, scry_addr object);

/**
 * Unwound once; NULL only when out of memory. No frames and no error where there is no saved stack.
 */
const struct scry_c_stack *scry_tasklet_c_stack(struct scry_task *t);

/**
 * A tasklet that went so deep that parts of its C stack were saved in slices, to make room: put
 * their frames after those of the running tasklet that are still on the stack.
 */
void scry_tasklet_put_in_saved(struct scry_thread *t, struct scry_c_stack *stack);

/** The C functions among its frames, newest first; NULL where there are none. Read once. */
const struct scry_slp_cframe *scry_tasklet_cframes(struct scry_task *t);

extern const struct scry_task_ops scry_task_tasklet;

/* --- between the files of Stackless --- */
/** Decode one tasklet and append it, unless it is there already. */
void scry_tasklet_add(struct scry_stackless *sl, scry_addr addr, struct scry_hash *seen,
		      struct scry_task ***tail);
/**
 * The tasklets from `first` along their next pointers, up to `end` or a cycle; in the arena. How
 * many goes to *ret_count, why the ring is cut (or NULL) to *ret_error.
 */
const scry_addr *scry_tasklet_ring(struct scry_stackless *sl, scry_addr first, scry_addr end,
				   size_t *ret_count, const char **ret_error);
/** Fill in the tasklet's `entry`; its `exception`, given its scheduler (or NULL). */
void scry_tasklet_find_entry(struct scry_task *t);
void scry_tasklet_find_exception(struct scry_task *t, const struct scry_scheduler *c);
/** The last part of a type's name, or `otherwise`. */
const char *scry_stackless_type(struct scry_stackless *sl, scry_addr object, const char *otherwise);
/** Decode a channel and its queue; NULL where it is damaged or out of memory. */
struct scry_channel *scry_channel_read(struct scry_stackless *sl, scry_addr addr);

#endif
