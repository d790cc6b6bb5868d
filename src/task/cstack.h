/**
 * The C stack of a task that is not running. Its lowest part was saved elsewhere, so the saved
 * words are laid over the target while it is unwound. Tasklets (tasklet_stack.c) and greenlets
 * (greenlet_stack.c) say where they are.
 */
#ifndef SCRY_CSTACK_H
#define SCRY_CSTACK_H

#include "base/facts.h"
#include "native/c_stack.h"

/** One walk through saved words, and where it ends. */
struct scry_c_walk {
	struct scry_runtime *runtime;
	struct scry_c_stack *stack; /* frames are added here */
	scry_addr start;            /* the address that words[0] was saved from */
	const uint64_t *words;      /* `count` of them; 0: all is on the target's stack */
	size_t count;
	bool from_call; /* the first frame's pc is a return address */
	/* frames at this address and above are not the task's; 0: no such limit */
	scry_addr end;
	/** Is it the task's outermost function? NULL: no function is known to be. */
	bool (*is_last)(const struct scry_symbol *symbol);
	/* called for each frame added, while the words are laid over the target; or NULL */
	scry_unwind_fn *also;
	void *also_arg;
	bool at_last, at_end; /* out: is_last() said so; the walk came to `end` */
};

/** Unwind from `regs`. NULL, or why it broke off before the walk's end (session's arena). */
const char *scry_c_walk(struct scry_c_walk *w, const struct scry_regs *regs);
/** A copy of the session's last error text, in its arena. */
const char *scry_because(struct scry_runtime *r);

/** The facts of a const struct scry_c_stack *, which may be NULL. */
extern const struct scry_facts scry_facts_c_stack;
/** For any task whose kind has C stacks: the stack as keys of a JSON object, and as text. */
void scry_task_say_c_stack(const void *subject, struct scry_said *ret);
void scry_task_say_c_stack_lines(const void *subject, struct scry_said *ret);

#endif
