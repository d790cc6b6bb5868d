/** The C half of a stack: unwinding, and what each register holds. */
#ifndef SCRY_NATIVE_H
#define SCRY_NATIVE_H

#include "runtime/runtime.h"

/** A C frame. In outer frames only the registers that unwinding restored are `valid`. */
struct scry_native_frame {
	scry_addr pc;
	bool is_call; /* pc is a return address: the call comes before it */
	/* the frame that a signal handler returns to: the next one was interrupted */
	bool is_signal;
	bool is_guess;    /* found by a search of the stack */
	bool after_guess; /* it, or a newer frame: where it is rests on that */
	struct scry_regs regs;
	struct scry_module *module; /* NULL: in no module */
	struct scry_symbol symbol;  /* its name is NULL where no symbol is known */
};

/** Called for each frame, innermost first; return false to stop. */
typedef bool scry_unwind_fn(void *arg, const struct scry_native_frame *f);

/** A way to unwind; rows of a table in unwind.c. */
struct scry_unwinder {
	const char *name;
	/** Can it unwind this target? The first row that fits is taken. */
	bool (*fits)(struct scry_session *s);
	/** As scry_unwind(). */
	int (*walk)(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each,
		    void *arg);
};

extern const struct scry_unwinder scry_unwinder_cfi, scry_unwinder_pe;

/**
 * Unwind from a set of registers, at most SCRY_UNWIND_MAX frames. `each` always gets the innermost
 * frame. Negative, with the reason (scry_fail), where the walk broke off before the stack's end,
 * also because of a cycle.
 */
#define SCRY_UNWIND_MAX 4000000
int scry_unwind(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each,
		void *arg);
/**
 * Add module and symbol (the function that covers the pc, if any) to a frame whose pc and is_call
 * are set.
 */
void scry_native_name(struct scry_session *s, struct scry_native_frame *f);

/**
 * Open the debug information that nearly every C stack needs, before a live target is stopped:
 * decompressing it takes longer than all the rest.
 */
void scry_native_prepare(struct scry_session *s);
/** Release what unwinding and naming keep in the session. */
void scry_native_close(struct scry_session *s);

#endif
