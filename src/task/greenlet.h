/** Greenlets: stacks that switch by themselves within a thread. 0.4 to 3.5, and what stands on them (gevent, eventlet). */
#ifndef SCRY_GREENLET_H
#define SCRY_GREENLET_H

#include "task/await.h"
#include "task/task.h"

/** What such a task carries in `detail`. */
struct scry_greenlet {
	scry_addr stack_start;       /* lowest address of its C stack, 0 it does not stand on one */
	scry_addr stack_stop;        /* where that stack began, 0 it was never started */
	scry_addr stack_copy;        /* where its lowest part was saved to, as long as others use the place */
	uint64_t stack_saved;        /* how many bytes of it */
	scry_addr top_frame;         /* frame object it stands in while it is suspended, else 0 */
	scry_addr parent, main;      /* 0 none */
	scry_addr run;               /* what it calls first, until it has, 0 none */
	scry_addr thread_dict;       /* up to 1.x, of a main greenlet: its thread state's */
	bool is_main;
	const char *type;            /* its class, as repr() writes it */
};

/** Where greenlet's structs have their members, by the module's version. False where that is not known: noted. */
bool scry_greenlet_lay_out(struct scry_runtime *r);

extern const struct scry_task_ops scry_task_greenlet;

#endif
