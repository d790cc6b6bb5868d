/** C stacks: memory in which no object lives, though it is full of what looks like one. */
#ifndef SCRY_STACK_H
#define SCRY_STACK_H

#include "runtime/runtime.h"

/**
 * Is the address in the C stack of a thread? The mapping that a thread's stack pointer is in is its
 * stack, up to where its own data begin (thread pointer); threads whose registers are still to be
 * fetched are not asked.
 */
bool scry_stack_has(struct scry_runtime *r, scry_addr addr);

#endif
