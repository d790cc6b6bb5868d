/** C stacks: memory that has no objects, though it is full of what looks like them. */
#ifndef SCRY_STACK_H
#define SCRY_STACK_H

#include "runtime/runtime.h"

/**
 * Is the address in a thread's C stack? That is the mapping that its stack pointer is in, up to its
 * own data (at the thread pointer). Threads whose registers were not fetched yet do not count.
 */
bool scry_stack_has(struct scry_runtime *r, scry_addr addr);

#endif
