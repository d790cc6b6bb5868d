/* bt and bt-full: Python stacks. */
#include "command/command.h"
#include "command/summary.h"
#include "object/thread_names.h"

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

/* A thread with its stack. */
struct shown_thread {
	struct scry_call *call;
	struct scry_thread *thread;
	bool locals, follows;      /* another one comes before it */
	uint64_t *count, *omitted; /* frames that there are, and that --limit left out */
};

static void get_thread(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_thread, ((const struct shown_thread *)subject)->thread);
	ret->kind = SCRY_SAID_FIELDS;
}

static void each_frame(const void *subject, struct scry_renderer *to)
{
	const struct shown_thread *shown = subject;
	struct scry_stack stack;
	struct scry_merge merge;

	(void)to;
	if (stack_of(shown->call, shown->thread, &merge, &stack) < 0)
		return;
	stack.locals = shown->locals;
	stack.whole = scry_call_flag(shown->call, "whole");
	*shown->count = scry_say_frames(shown->call, &stack, shown->omitted);
}

static void get_omitted(const void *subject, struct scry_said *ret)
{
	const struct shown_thread *shown = subject;

	ret->kind = SCRY_SAID_NULL;
	if (*shown->omitted)
		scry_said_int(ret, (int64_t)*shown->omitted);
}

/* Why there is nothing below a thread's head line. */
static void get_empty(const void *subject, struct scry_said *ret)
{
	const struct shown_thread *shown = subject;
	bool any = *shown->count || shown->thread->error;

	scry_said_text(ret, any                      ? NULL
			    : shown->thread->runtime ? "no Python frames"
						     : "no Python state");
}

static void get_reason(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_thread *)subject)->thread->error);
}

#define SUBJECT struct shown_thread
static const struct scry_say thread_fields[] = {
	SAY_GET("", get_thread, .facts = &scry_facts_thread),
	SAY_LIST("frames", &scry_facts_frame, each_frame),
	SAY_GET("omitted", get_omitted, .flags = SCRY_SAY_OPTIONAL),
	SAY_BOOL("follows", follows, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("reason", get_reason, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("empty", get_empty, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("head", scry_thread_phrases, NULL),
	SAY_END,
};
#undef SUBJECT

static const char *const thread_text[] = {
	"{?follows}\n",       "{head} (most recent call first):\n",
	"{frames}",           "    {reason:error}\n",
	"|    {empty:dim}\n", NULL,
};

const struct scry_facts scry_facts_thread_stack = { "thread", thread_fields, thread_text };

static void show_state(struct scry_call *call, struct scry_thread *t, bool locals, bool first)
{
	uint64_t count = 0, omitted = 0;

	call->partial |= (call->json ? scry_thread_trouble(t) : t->error) != NULL;
	scry_say(&call->render.to, &scry_facts_thread_stack,
		 &(struct shown_thread) { call, t, locals, !first, &count, &omitted });
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
		return scry_thread_named(call->s, call->argv[0], ret);
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
	scry_threads_open(call);
	rc = all ? show_all(call, locals) : show_chosen(call, locals);
	scry_threads_close(call);
	if (rc >= 0)
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
	{ "native", 'n', NULL, "C frames too, each Python frame after the C frame that runs it" },
	{ "summary", 's', NULL, "first what happened: program, signal, the C function, tasks" },
	{ "whole", 'w', NULL, "do not fold runs of equal frames" },
	{ NULL },
};

const struct scry_command_row scry_command_bt = {
	.public = { "bt", "[--all|THREAD] [--native] [-v] [--limit N]",
		    "Show the Python stack of a thread, or of all threads.",
		    "The newest frame comes first, as in gdb. Each has a number (for the commands "
		    "that take one), its\n"
		    "function's qualified name where that is known, the file and line, and the "
		    "source line where the\n"
		    "file can be read. THREAD is the operating system's id, an index into the list "
		    "of threads, or a\n"
		    "name. Long runs of equal frames (deep recursion) are folded; --whole prints "
		    "them. -v adds addresses\n"
		    "and marks calls that came from C code. Below a frame that is calling a C "
		    "function stand that\n"
		    "function, the object whose method it is, and its arguments, where these are "
		    "certain.\n"
		    "\n"
		    "With --native the thread's C frames stand between the Python frames, marked "
		    "with C: the function\n"
		    "(inlined ones too), source file and line where there is debug information, "
		    "else module and offset.\n"
		    "Python frames keep their numbers, and follow the frame of the interpreter's "
		    "loop that runs them:\n"
		    "one each up to 3.10; from 3.11 on all that called each other without C code "
		    "in between.",
		    0 },
	.run = run_bt,
	.flags = bt_flags,
	.max_args = 1,
};

const struct scry_command_row scry_command_bt_full = {
	.public = { "bt-full", "[--all|THREAD] [--native] [-v] [--limit N]",
		    "Show a Python stack with the local variables of each frame.",
		    "As bt, and below each frame its arguments and variables in source order. "
		    "Variables that have no\n"
		    "value yet are left out. For modules and class bodies, all names are shown.",
		    0 },
	.run = run_bt_full,
	.flags = bt_flags,
	.max_args = 1,
};
