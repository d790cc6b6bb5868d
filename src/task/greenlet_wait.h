/**
 * What suspended greenlets of gevent and eventlet wait for. Nothing says so in the greenlet itself
 * (and gevent is compiled, so there are no frames to look into): what will wake it refers to its
 * switch(), directly or through a Waiter.
 */
#ifndef SCRY_GREENLET_WAIT_H
#define SCRY_GREENLET_WAIT_H

#include "task/greenlet.h"

/** Objects of the heap that may wake greenlets, noted in the walk that finds the greenlets. */
struct scry_holders {
	struct scry_runtime *runtime;
	struct scry_kinds *kinds;
	struct scry_hash types; /* rows by type; those of no interest too */
	struct scry_holder *list;
	size_t count, room;
};

struct scry_holder {
	scry_addr object;
	const struct scry_holder_row *row;
	/* the type that the row is about: a base of the object's, or its own */
	scry_addr base;
};

/** Remember the object if it is of a kind that wakes greenlets. */
void scry_holder_note(struct scry_holders *h, scry_addr object);
/** Tell each greenlet which of them will wake it, and which greenlets are hubs. */
void scry_greenlet_find_waits(struct scry_holders *h, struct scry_greenlets *all,
			      struct scry_task *first);
void scry_holders_done(struct scry_holders *h);

/**
 * Of a watcher or listener that waits for a file: its descriptor, and "read", "write" or "read
 * write".
 */
bool scry_holder_file(struct scry_runtime *r, scry_addr object, int64_t *ret_fd,
		      const char **ret_events);
/** As gevent names its greenlets where it has done so already, else NULL. */
const char *scry_gevent_name(struct scry_runtime *r, scry_addr greenlet);

#endif
