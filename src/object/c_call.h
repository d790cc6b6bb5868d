/**
 * Which C function a Python frame is in a call of: by its instruction and what that works with on
 * the value stack, without the C stack.
 */
#ifndef SCRY_C_CALL_H
#define SCRY_C_CALL_H

#include "object/object.h"

#define SCRY_C_CALL_ARGUMENTS 16 /* more are not told */

struct scry_c_call {
	struct scry_runtime *runtime;
	const char *function; /* "time.sleep", "list.sort", "len" */
	scry_addr self;       /* what a method is of, 0 none */
	struct scry_c_argument {
		const char *name; /* of a keyword, NULL: by its place */
		scry_addr value;
	} arguments[SCRY_C_CALL_ARGUMENTS];
	unsigned count;
	bool more; /* there are more arguments */
	scry_addr callable;
	/* where its arguments stand on the value stack, and names of the last ones; 0 elsewhere */
	scry_addr stack, names;
	scry_addr given; /* the object that its self comes from: self, or a function's module */
};

/** The frame before, which is newer: what is needed of it here. */
struct scry_newer {
	bool any;        /* false: there is none, the frame is its thread's newest */
	bool entry;      /* C code called it */
	bool doubtful;   /* damaged, or not known */
	scry_addr slots; /* its first variables, 0 unknown */
};

/** Of a frame that was walked: what the next older one asks for. */
void scry_newer_set(struct scry_newer *n, const struct scry_frame *f);
/**
 * Is the frame in a call of a C function? Only where that is certain: it runs, its instruction is a
 * call, the callable is still on the value stack, and no Python frame was entered from it but by C
 * code. Fills in *ret.
 */
bool scry_c_call_of(const struct scry_frame *f, const struct scry_newer *newer,
		    struct scry_c_call *ret);

#endif
