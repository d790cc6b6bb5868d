/* bt and bt-full: Python stacks. */
#include <string.h>

#include "command/command.h"
#include "command/summary.h"

/* Why there is nothing below a thread's head line. */
static void put_empty(struct scry_call *call, const struct scry_thread *t)
{
	const char *why = t->error ? t->error : t->runtime ? "no Python frames" : "no Python state";

	scry_buf_puts(call->out, "    ");
	scry_put_styled(call, t->error ? SCRY_STYLE_ERROR : SCRY_STYLE_DIM, why);
	scry_buf_putc(call->out, '\n');
}

/* The thread's stack: Python frames, or with --native C frames too, which every thread has. */
static int stack_of(struct scry_call *call, struct scry_thread *t, struct scry_merge *merge,
		    struct scry_stack *ret)
{
	if (scry_call_flag(call, "native")) {
		int rc = scry_merge_thread(merge, t);

		if (rc < 0)
			return rc;
		*ret = scry_stack_merged(merge);
	} else if (t->runtime) {
		*ret = scry_stack_of_thread(t);
	} else {
		return SCRY_ENOTFOUND;
	}
	return SCRY_OK;
}

static void thread_stack_text(struct scry_call *call, struct scry_thread *t, bool locals)
{
	struct scry_stack stack;
	struct scry_merge merge;
	uint64_t count = 0;

	scry_thread_text(call, t);
	scry_buf_puts(call->out, " (most recent call first):\n");
	if (t->error)
		call->partial = true;
	if (stack_of(call, t, &merge, &stack) == SCRY_OK) {
		stack.locals = locals;
		stack.whole = scry_call_flag(call, "whole");
		count = scry_stack_text(call, &stack);
	}
	if (!count || t->error)
		put_empty(call, t);
}

static void thread_stack_json(struct scry_call *call, struct scry_thread *t)
{
	struct scry_stack stack;
	struct scry_merge merge;

	scry_thread_json(call, t);
	if (stack_of(call, t, &merge, &stack) == SCRY_OK) {
		scry_stack_json(call, &stack);
	} else {
		scry_json_key(call->json, "frames");
		scry_json_open(call->json, '[');
		scry_json_close(call->json, ']');
	}
	scry_json_close(call->json, '}');
}

static void show_state(struct scry_call *call, struct scry_thread *t, bool locals, bool first)
{
	if (call->json) {
		thread_stack_json(call, t);
		return;
	}
	if (!first)
		scry_buf_putc(call->out, '\n');
	thread_stack_text(call, t, locals);
}

/* One thread of the system may have a state in each of several interpreters. */
static void show_thread(struct scry_call *call, struct scry_thread *chosen, bool locals)
{
	show_state(call, chosen, locals, true);
	for (struct scry_thread *t = scry_thread_first(call->s); t && chosen->tid; t = t->next)
		if (t->tid == chosen->tid && t != chosen && t->runtime)
			show_state(call, t, locals, false);
}

static int show_all(struct scry_call *call, bool locals)
{
	struct scry_thread *first = scry_thread_first(call->s);
	bool any = false;

	for (struct scry_thread *t = first; t; t = t->next) {
		show_state(call, t, locals, t == first);
		any = any || t->runtime || scry_call_flag(call, "native");
	}
	if (any || scry_dormant_first(call->s))
		return SCRY_OK;
	return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no thread has Python state");
}

/*
 * A thread that runs no Python code is an answer too ("thread apply all py-bt"), but not where
 * nothing does.
 */
static int choose(struct scry_call *call, struct scry_thread **ret)
{
	struct scry_thread *t;

	if (call->argc)
		return scry_thread_find(call->s, call->argv[0], ret);
	t = scry_thread_selected(call->s);
	if (!t || (!scry_runtime_first(call->s) && !scry_dormant_first(call->s) &&
		   !scry_call_flag(call, "native")))
		return scry_selected_thread(call->s, ret);
	*ret = t;
	return SCRY_OK;
}

static int show_chosen(struct scry_call *call, bool locals)
{
	struct scry_thread *t;
	int rc = choose(call, &t);

	if (rc >= 0)
		show_thread(call, t, locals);
	return rc;
}

static int backtrace(struct scry_call *call, bool locals)
{
	bool all = scry_call_flag(call, "all");
	int rc;

	if (all && call->argc)
		return scry_fail(call->s, SCRY_EINVAL, 0, "give --all or a thread, not both");
	if (scry_call_flag(call, "summary") && !call->json)
		scry_summary_text(call);
	if (call->json)
		scry_threads_open(call);
	rc = all ? show_all(call, locals) : show_chosen(call, locals);
	if (call->json)
		scry_json_close(call->json, ']');
	else if (rc >= 0)
		scry_phases_text(call);
	return rc;
}

static int run_bt(struct scry_call *call)
{
	return backtrace(call, call->s->options.locals);
}

static int run_bt_full(struct scry_call *call)
{
	call->s->options.locals = true;
	return backtrace(call, true);
}

static const struct scry_flag bt_flags[] = {
	{ "all", 'a', NULL, "every thread, also those that run no Python code" },
	{ "native", 'n', NULL, "C frames too, each Python frame behind the C frame that runs it" },
	{ "summary", 's', NULL, "first what happened: program, signal, the C function, tasks" },
	{ "whole", 'w', NULL, "do not fold runs of equal frames" },
	{ NULL },
};

const struct scry_command_row scry_command_bt = {
	.public = { "bt", "[--all|THREAD] [--native] [-v] [--limit N]",
		    "Show the Python stack of a thread, or of all threads.",
		    "The newest frame comes first, as in gdb; each has a number for the commands "
		    "that take one, its\n"
		    "function's qualified name where it is known, file, line, and the source line "
		    "where the file can\n"
		    "be read. THREAD is an id of the operating system, an index of the list of "
		    "threads, or a name.\n"
		    "Long runs of equal frames (deep recursion) are folded; --whole prints them. "
		    "With -v, addresses\n"
		    "are shown and calls that came from C code are marked.\n\n"
		    "With --native the C frames of the thread stand between the Python frames, "
		    "marked with C: function\n"
		    "(inlined ones too), source file and line where there is debug information, "
		    "else module and offset.\n"
		    "Python frames keep their numbers, and follow the frame of the interpreter's "
		    "loop that runs them:\n"
		    "one up to 3.10, since 3.11 all that called each other without C code between "
		    "them.",
		    0 },
	.run = run_bt,
	.flags = bt_flags,
	.max_args = 1,
};

const struct scry_command_row scry_command_bt_full = {
	.public = { "bt-full", "[--all|THREAD] [--native] [-v] [--limit N]",
		    "Show a Python stack with the local variables of each frame.",
		    "As bt, and below each frame its arguments and variables in source order. "
		    "Variables that have\n"
		    "no value yet are left out. Of modules and class bodies all names are shown.",
		    0 },
	.run = run_bt_full,
	.flags = bt_flags,
	.max_args = 1,
};
