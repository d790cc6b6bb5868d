/** A live process: what live.c and the thread that stops it (hold.c) share. */
#ifndef SCRY_LIVE_H
#define SCRY_LIVE_H

#include <stdatomic.h>

#include "target/cache.h"
#include "target/remote_reader.h"

struct scry_hold;

/** t->state of a live process. */
struct scry_live {
	struct scry_cache cache;
	struct scry_cache aside; /* scry_target_set_aside() */
	int pid;                 /* the process */
	int reader;              /* a thread of it that has memory: the leader may have ended */
	struct scry_remote_reader memory;
	struct scry_hold *hold; /* while it is stopped */
};

/** A thread as the hold found it. */
struct scry_held {
	uint64_t tid;
	bool stopped; /* else it did not stop in time */
	bool gone;
	int signal; /* to be delivered when it goes on */
	size_t len; /* of its registers, 0: not read */
	uint8_t regs[512];
	uint64_t tls; /* where it is not among the registers */
};

/** A process that is stopped. */
struct scry_hold {
	struct scry_held *threads;
	size_t count, room;
	int error;           /* errno where PTRACE_SEIZE was refused, else 0 */
	atomic_bool expired; /* the process was let go before the hold ended */
	/* the rest is the tracer's own */
	void *tracer;
};

/**
 * Stop every thread of `pid`; NULL when out of memory or threads. Ends with scry_hold_end(), our
 * own
 * end, or after `bound_ms`, whatever the caller is doing then. While it lasts the calling thread
 * is not suspended by the terminal (SIGTSTP and the like wait): the process would stay stopped.
 */
struct scry_hold *scry_hold_begin(int pid, unsigned bound_ms);
void scry_hold_end(struct scry_hold *h);

#endif
