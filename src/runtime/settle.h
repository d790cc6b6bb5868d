/** Stacks of a process that runs while it is read, because the user asked for that. */
#ifndef SCRY_SETTLE_H
#define SCRY_SETTLE_H

#include "runtime/runtime.h"

/**
 * Read the thread's stack until two readings agree, or give up and set `torn`; what is read next
 * comes from the same reading. Nothing where the target is still.
 */
void scry_thread_settle(struct scry_thread *t);

#endif
