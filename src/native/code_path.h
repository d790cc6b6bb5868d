/** The one way that leads to an instruction, and what registers had on it. */
#ifndef SCRY_CODE_PATH_H
#define SCRY_CODE_PATH_H

#include "native/fatal.h"

#define SCRY_PATH_MAX_STEPS 600

/** Instructions of a function, from one back as long as a single way leads there. */
struct scry_code_path {
	struct scry_crash *c;
	struct scry_decoder *d;
	const struct scry_native_frame *f;
	struct scry_listing code;
	/* indices of instructions, from the one at hand back; it has not run (or is the call) */
	uint32_t steps[SCRY_PATH_MAX_STEPS];
	unsigned count;
	bool from_start; /* the path begins with the function */
	/* indices into `code`: */
	size_t still;     /* from here on nothing moves sp but what leaves the function */
	size_t framed;    /* fp is made from sp here; the count: it has something else in it */
	bool frame_moves; /* fp is written to again */
	struct scry_entry entry;
	/* memory that was read counts with what it holds now, whoever may have written to it */
	bool trusting;
	/*
	 * memory counts, too, that a function which was called may have written to: then the value
	 * is doubtful
	 */
	bool guessing, doubtful;
	unsigned work; /* so far: a long way with many stores is given up */
	int bad;       /* origin.c: the register whose value is followed, which is moved as it is */
};

/** Read the way to `at`; false where the function is not known. End with scry_path_done(). */
bool scry_path_open(struct scry_code_path *p, struct scry_crash *c, struct scry_decoder *d,
		    const struct scry_native_frame *f, scry_addr at);
void scry_path_done(struct scry_code_path *p);
/** Step `i` of it; 0 is the instruction at `at`. */
const struct scry_insn *scry_path_step(const struct scry_code_path *p, unsigned i);
/** The step that last changed a register before step `i`, or p->count. */
unsigned scry_path_changed(const struct scry_code_path *p, unsigned i, int reg);
/** The value of a register before step `i`, the address of an operand of it; false: not known. */
bool scry_path_value(struct scry_code_path *p, unsigned i, int reg, unsigned depth, uint64_t *ret);
bool scry_path_address(struct scry_code_path *p, unsigned i, const struct scry_operand *o,
		       unsigned depth, scry_addr *ret);
/** The function that step `i`, a call, leads to; NULL not known. */
const char *scry_path_callee(struct scry_code_path *p, unsigned i);

#endif
