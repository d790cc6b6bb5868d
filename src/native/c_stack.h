/** A C stack, unwound once and kept: a thread's, or that of a task, from its saved words. */
#ifndef SCRY_C_STACK_H
#define SCRY_C_STACK_H

#include "native/native.h"

/** A frame of a C stack that is kept: texts are in the session's arena. */
struct scry_c_frame {
	scry_addr pc, sp;
	const char *function; /* NULL unknown */
	const char *module;   /* file name; NULL: in no module */
	scry_addr offset;     /* of pc from the module's start */
	bool is_call;         /* pc is a return address */
	/* the kernel called it, for a signal: the next frame was interrupted */
	bool is_signal;
	bool is_guess;    /* found by a search of the stack */
	bool after_guess; /* it, or a newer frame */
	/* its words were saved elsewhere: at its `sp` there is another frame now, or none */
	bool is_saved;
	bool loop; /* the interpreter's loop: it runs Python frames */
};

/** The C stack of a thread or of something switched out; kept until refresh. */
struct scry_c_stack {
	struct scry_c_frame *frames; /* innermost first */
	size_t count, room;
	size_t loops; /* how many of them run Python frames */
	/* how many frames were put in from elsewhere, and how many of the stack's own come first */
	size_t put_in, put_after;
	/*
	 * yields the saved frames again with their registers, while their words can be read as if
	 * they were on the stack; there may be others among them. NULL: no frame was saved
	 */
	void (*saved_again)(void *saved_of, scry_unwind_fn *each, void *arg);
	void *saved_of;
	const char *error; /* why there are no frames, or why they end early; NULL: complete */
};

/**
 * Put in the frames of the thread's C stack that were saved elsewhere, so that others could use
 * their place (set in src/registry.c to task/tasklet_stack.c's).
 */
extern void (*const scry_c_stack_put_in_saved)(struct scry_thread *t, struct scry_c_stack *stack);

#define SCRY_C_STACK_MAX 4000000 /* frames of one stack */

/**
 * Append a frame; false when out of memory, or at SCRY_C_STACK_MAX. Which functions are the
 * interpreter's loop depends on the runtime (NULL: none is).
 */
bool scry_c_stack_add(struct scry_c_stack *stack, struct scry_session *s,
		      const struct scry_runtime *r, const struct scry_native_frame *f);
/** Append a copy of a frame; false as above. */
bool scry_c_stack_put(struct scry_c_stack *stack, struct scry_session *s,
		      const struct scry_c_frame *frame);
/**
 * The stack of a thread of a stopped target, in the session's arena. It has no frames, and an
 * error, where its registers are not known. NULL when out of memory.
 */
struct scry_c_stack *scry_thread_c_stack(struct scry_thread *t);
/**
 * Is the symbol the function `name`, or a part of it that the compiler split off (name.part.0,
 * name.cold)?
 */
bool scry_is_function(const struct scry_symbol *symbol, const char *name);

#endif
