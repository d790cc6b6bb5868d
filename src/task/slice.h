/**
 * A saved C stack: the words between a switched-out tasklet's stack pointer and the base of its
 * thread's stack, as slp_switch() left them. Its first words hold the registers to unwind from.
 */
#ifndef SCRY_SLICE_H
#define SCRY_SLICE_H

#include "target/target.h"

/** The words, and how to recognise the switch among them. */
struct scry_slice {
	const uint64_t *words;
	size_t count;
	scry_addr sp; /* the address of words[0] on the stack */
	/**
	 * Does a return address lie in the function? > 0 it does, 0 it does not, < 0 not known.
	 */
	int (*returns_to)(void *arg, scry_addr pc, const char *function);
	void *arg;
};

/**
 * The registers of the function that called the switch. SCRY_ENOTFOUND where the words have none of
 * the known forms.
 */
int scry_slice_regs(const struct scry_slice *slice, const struct scry_arch *arch,
		    struct scry_regs *ret);

#endif
