/**
 * Where an extension's slp_switch() keeps the registers of a stack that it switches away from, read
 * from its machine code: compilers place them as they like, but the inline assembly that stores
 * them is always the same.
 */
#ifndef SCRY_SWITCH_CODE_H
#define SCRY_SWITCH_CODE_H

#include "symbol/module.h"

/** One slp_switch(), and where it stores what. */
struct scry_switch_code {
	scry_addr pc;     /* in slp_switch(), its frame complete: unwinding starts here */
	int32_t rbp, rbx; /* where it stores them, in bytes from rbp or rsp */
	bool by_rbp;      /* from rbp, else from rsp */
	bool has_rbx;     /* versions before 0.4.1 do not store it */
};

#define SCRY_SWITCH_WORDS 64 /* the first words of a saved stack: what it stores is there */

/**
 * The places in a module's code that look like slp_switch(), at most `max`; returns how many. Only
 * x86-64's is known: 0 for other machines.
 */
size_t scry_switch_code_find(struct scry_module *m, struct scry_switch_code *ret, size_t max);
/**
 * Registers at c->pc of a stack that was saved from address `start` on, whose first words are
 * given. False: it was not this code that switched.
 */
bool scry_switch_code_regs(const struct scry_switch_code *c, const struct scry_arch *arch,
			   scry_addr start, const uint64_t words[SCRY_SWITCH_WORDS],
			   struct scry_regs *ret);

#endif
