/** A live process: what live.c and the thread that stops it (hold.c) share. */
#ifndef SCRY_LIVE_H
#define SCRY_LIVE_H

#include "target/cache.h"

struct scry_hold;

struct scry_live {
	struct scry_cache cache;
	int pid;                /* the process */
	int reader;             /* a thread of it that has memory: the leader may have ended */
	int mem;                /* /proc/PID/mem */
	bool vm_readv;          /* process_vm_readv() works */
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

struct scry_hold {
	struct scry_held *threads;
	size_t count, room;
	int error; /* errno of the refused PTRACE_SEIZE, 0 fine */
	/* the rest is the tracer's own */
	void *tracer;
};

/**
 * Stop every thread of `pid`; NULL when out of memory or threads. Ends with scry_hold_end(), or our
 * own end.
 */
struct scry_hold *scry_hold_begin(int pid);
void scry_hold_end(struct scry_hold *h);

#endif
