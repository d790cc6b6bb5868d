/**
 * Which C function a Python frame is calling: by its instruction and the operands on its value
 * stack, without the C stack.
 */
#ifndef SCRY_C_CALL_H
#define SCRY_C_CALL_H

#include "object/object.h"

#define SCRY_C_CALL_ARGUMENTS 16 /* more are not kept */

/** The call. Texts are in the session's arena. */
struct scry_c_call {
	struct scry_runtime *runtime;
	const char *function; /* "time.sleep", "list.sort", "len" */
	scry_addr self;       /* the object of a method, 0 none */
	struct scry_c_argument {
		const char *name; /* its keyword; NULL: it is positional */
		scry_addr value;
	} arguments[SCRY_C_CALL_ARGUMENTS];
	unsigned count;
	bool more; /* there are more arguments */
	scry_addr callable;
	/* where the arguments are on the value stack, and the names of the last; 0: not there */
	scry_addr stack, names;
	scry_addr given; /* what C gets as its first argument: self, or a function's module */
};

/** What must be known of the next newer frame. */
struct scry_newer {
	bool any;        /* false: there is none, the frame is its thread's newest */
	bool entry;      /* it was called by C code */
	bool doubtful;   /* it is damaged, or not known */
	scry_addr slots; /* its first variables, 0 unknown */
};

/**
 * Fill it in from a frame, for the question about the next older one. C frames between the two say
 * nothing.
 */
void scry_newer_set(struct scry_newer *n, const struct scry_frame *f);
/**
 * Is the frame calling a C function? True, and *ret filled in, only where that is certain: it runs,
 * its instruction is a call, the callable is still on the value stack, and no Python frame was
 * entered from it except by C code.
 */
bool scry_c_call_of(const struct scry_frame *f, const struct scry_newer *newer,
		    struct scry_c_call *ret);

#endif
