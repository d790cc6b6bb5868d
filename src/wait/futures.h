/** Futures: who works on them. */
#ifndef SCRY_WAIT_FUTURES_H
#define SCRY_WAIT_FUTURES_H

#include "wait/wait.h"

/** A variable that a nested function closes over, 0 none. */
scry_addr scry_closure_variable(struct scry_runtime *r, scry_addr function, const char *name);
/** Note who completes a future of concurrent.futures: its worker, its task, its pool's workers. */
void scry_future_owners(struct scry_waits *w, struct scry_waiter *who, scry_addr future);
/** The future of concurrent.futures that an asyncio one stands for (run_in_executor()), 0 none. */
scry_addr scry_future_source(struct scry_waits *w, struct scry_runtime *r, scry_addr future);
/** How many items a SimpleQueue of C has; -1 not known. */
int64_t scry_simple_queue_length(struct scry_runtime *r, scry_addr queue);

/* --- pool_jobs.c --- */
/** Note what a worker of a pool of processes works on: a frame of the library's module. */
void scry_pool_job_note(struct scry_waits *w, struct scry_waiter *who, const struct scry_frame *f,
			const char *module);
/** Who waits for multiprocessing's AsyncResult: its job, and the processes that may have it. */
void scry_pool_result(struct scry_waits *w, struct scry_waiter *who);
/** The same of a future of a ProcessPoolExecutor. */
void scry_pool_future(struct scry_waits *w, struct scry_waiter *who, scry_addr future);

#endif
