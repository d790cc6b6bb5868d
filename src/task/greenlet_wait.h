/**
 * What suspended greenlets of gevent and eventlet wait for. The greenlet itself does not say (and
 * gevent is compiled, so it has no frames to look into), but what will wake it refers to its
 * switch(), directly or through a Waiter.
 */
#ifndef SCRY_GREENLET_WAIT_H
#define SCRY_GREENLET_WAIT_H

#include "task/greenlet.h"

/** Objects of the heap that may wake greenlets, noted in the walk that finds the greenlets. */
struct scry_holders {
	struct scry_runtime *runtime;
	struct scry_kinds *kinds;
	struct scry_hash types; /* the row of each type met, also of those of no interest */
	struct scry_holder *list;
	size_t count, room;
};

/** One of them. */
struct scry_holder {
	scry_addr object;
	const struct scry_holder_row *row;
	/* the type that the row is about: the object's own, or a base of it */
	scry_addr base;
};

/** Remember the object if it is of a kind that wakes greenlets. */
void scry_holder_note(struct scry_holders *h, scry_addr object);
/** Fill in what will wake each greenlet, and which greenlets are hubs. */
void scry_greenlet_find_waits(struct scry_holders *h, struct scry_greenlets *all,
			      struct scry_task *first);
void scry_holders_done(struct scry_holders *h);

/**
 * The descriptor of a watcher or listener that waits for a file, and "read", "write" or "read
 * write". False where it waits for none.
 */
bool scry_holder_file(struct scry_runtime *r, scry_addr object, int64_t *ret_fd,
		      const char **ret_events);
/** The name that gevent gave the greenlet ("Greenlet-3"); NULL where it has not named it yet. */
const char *scry_gevent_name(struct scry_runtime *r, scry_addr greenlet);

#endif
