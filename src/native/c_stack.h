/** A C stack, unwound once and kept: of a thread, or of a task out of its saved words. */
#ifndef SCRY_C_STACK_H
#define SCRY_C_STACK_H

#include "native/native.h"

/** A frame of a C stack that is kept: texts are in the session's arena. */
struct scry_c_frame {
	scry_addr pc, sp;
	const char *function; /* NULL unknown */
	const char *module;   /* file name, NULL: in none */
	scry_addr offset;     /* of pc from the module's start */
	bool is_call;         /* pc is a return address */
	/* called by the kernel, for a signal: the next frame was interrupted */
	bool is_signal;
	bool is_guess; /* found by a search of the stack */
	/* its words were saved elsewhere: at its `sp` is another frame now, or none */
	bool is_saved;
	bool loop; /* the interpreter's loop: it runs Python frames */
};

/** The C stack of a thread or of something switched out; kept until refresh. */
struct scry_c_stack {
	struct scry_c_frame *frames; /* innermost first */
	size_t count, room;
	size_t loops; /* how many of them run Python frames */
	/* frames that stand between those of the stack itself, and how many come before them */
	size_t put_in, put_behind;
	/*
	 * gives the saved ones once more with their registers, while their words can be read as if
	 * they stood on the stack, and maybe others among them; NULL: there are none
	 */
	void (*saved_again)(void *saved_of, scry_unwind_fn *each, void *arg);
	void *saved_of;
	const char *error; /* why there are none, or why they end early; NULL: complete */
};

/**
 * What of the thread's C stack was saved elsewhere, so that others could use its place, is put in
 * between what stands there (src/registry.c; task/tasklet_stack.c).
 */
extern void (*const scry_c_stack_put_in_saved)(struct scry_thread *t, struct scry_c_stack *stack);

#define SCRY_C_STACK_MAX 4000000 /* frames of one stack */

/**
 * Append a frame; false when that is not possible any more. Which functions are the interpreter's
 * loop depends on the runtime (NULL: none is).
 */
bool scry_c_stack_add(struct scry_c_stack *stack, struct scry_session *s,
		      const struct scry_runtime *r, const struct scry_native_frame *f);
/** Append a copy of a frame; false when that is not possible any more. */
bool scry_c_stack_put(struct scry_c_stack *stack, struct scry_session *s,
		      const struct scry_c_frame *frame);
/**
 * The stack of a thread that stands still. Without frames and with an error where its registers are
 * not known.
 */
struct scry_c_stack *scry_thread_c_stack(struct scry_thread *t);
/**
 * Is the symbol the function `name`, or a part of it that the compiler split off (name.part.0,
 * name.cold)?
 */
bool scry_is_function(const struct scry_symbol *symbol, const char *name);

#endif
