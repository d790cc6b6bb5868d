/** What reading a thread's and a task's wait share. */
#ifndef SCRY_READING_H
#define SCRY_READING_H

#include "wait/wait.h"

struct scry_reading {
	struct scry_waits *w;
	struct scry_waiter *who;
	struct scry_awaited *what;
	struct scry_frame top; /* the newest frame */
	bool has_top;
	const struct scry_stand *stand; /* the row that holds, and the object of its frame */
	scry_addr object;
	struct scry_runtime *runtime; /* of the object; NULL: that of the row */
	unsigned rows;                /* that the chain of frames had */
	bool timed;                   /* a frame of the chain was given a time */
	int64_t deadline; /* ... which ends then, by the monotonic clock; -1 not known */
	bool retries;     /* a C function sleeps between its tries */
};

/** The newest frame, and the one that is shown: the newest that is not the standard library's. */
void scry_reading_frame(struct scry_reading *r);
/** The rows from the newest frame on: fills stand, object and what->kind in. */
void scry_reading_follow(struct scry_reading *r);
/** The object becomes what is waited for, with its name. */
void scry_reading_object(struct scry_reading *r);

#endif
