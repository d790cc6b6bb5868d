/**
 * Where an extension's slp_switch() keeps the registers of a stack that it switches away from, read
 * from its machine code: compilers place them as they like, but the inline assembly that stores
 * them is always the same.
 */
#ifndef SCRY_SWITCH_CODE_H
#define SCRY_SWITCH_CODE_H

#include "symbol/module.h"

struct scry_switch_code {
	scry_addr pc;     /* in slp_switch(), its frame complete: unwinding starts here */
	int32_t rbp, rbx; /* where it stores them, counted from `base` */
	bool by_rbp;      /* base is rbp, else rsp */
	bool has_rbx;     /* versions before 0.4.1 do not store it */
};

#define SCRY_SWITCH_WORDS 64 /* of a saved stack that may be looked at */

/**
 * The places in a module's code that look like it, at most `max` in `ret`; how many. Only x86-64 is
 * known.
 */
size_t scry_switch_code_find(struct scry_module *m, struct scry_switch_code *ret, size_t max);
/**
 * Registers at c->pc of a stack that was saved from `start` on, whose first words are given. False:
 * not this code.
 */
bool scry_switch_code_regs(const struct scry_switch_code *c, const struct scry_arch *arch,
			   scry_addr start, const uint64_t words[SCRY_SWITCH_WORDS],
			   struct scry_regs *ret);

#endif
