/* threads: one line for each thread. */
#include "command/command.h"

/* A thread, and where its newest frame goes when somebody asks. */
struct line {
	struct scry_thread *thread;
	struct scry_frame *top;
};

static void get_thread(const void *subject, struct scry_said *ret)
{
	const struct line *line = subject;

	scry_said_facts(ret, &scry_facts_thread, line->thread);
	ret->kind = SCRY_SAID_FIELDS;
}

static void get_top(const void *subject, struct scry_said *ret)
{
	const struct line *line = subject;
	unsigned count;
	bool known = scry_frame_number(line->thread, 0, line->top, &count) >= 0 && line->top->code;

	scry_said_facts(ret, &scry_facts_place, known ? line->top : NULL);
}

/* What is wrong with the newest frame, so that it says nothing about the thread. */
static void get_damage(const void *subject, struct scry_said *ret)
{
	const struct line *line = subject;
	unsigned count;
	bool any =
		line->thread->runtime && scry_frame_number(line->thread, 0, line->top, &count) >= 0;

	scry_said_text(ret, any ? scry_frame_damage_of(line->top) : NULL);
}

/* Text shows the newest frame: is there something wrong with it? */
static bool is_doubtful(struct scry_thread *t)
{
	struct scry_frame f;
	unsigned count;

	return t->runtime && scry_frame_number(t, 0, &f, &count) >= 0 &&
	       (scry_frame_damage_of(&f) || scry_frame_line_lost(&f));
}

static const struct scry_say fields[] = {
	SAY_GET("", get_thread, .facts = &scry_facts_thread),
	SAY_GET("top", get_top, .facts = &scry_facts_place, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("damage", get_damage, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("head", scry_thread_phrases, NULL),
	SAY_END,
};

static const char *const text[] = {
	"{?selected}* ",
	"|  ",
	"{index%-4} {head}: ",
	"{error:error}",
	"|{!python}{:dim}no Python state{}",
	"|{damage:error}",
	"|{top}",
	"|{:dim}no Python frames{}",
	"\n",
	NULL,
};

static const struct scry_facts line_facts = { "thread", fields, text };

static int run_threads(struct scry_call *call)
{
	struct scry_thread *first = scry_thread_first(call->s);
	struct scry_frame top;

	if (!first)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "the target has no threads");
	scry_threads_open(call);
	for (struct scry_thread *t = first; t; t = t->next) {
		scry_say(&call->render.to, &line_facts,
			 &(struct line) { .thread = t, .top = &top });
		call->partial |= scry_thread_trouble(t) != NULL || (!call->json && is_doubtful(t));
	}
	scry_threads_close(call);
	scry_phases_text(call);
	return SCRY_OK;
}

const struct scry_command_row scry_command_threads = {
	.public = { "threads", "",
		    "List all threads: id, name, state, and what Python code they run.",
		    "A '*' marks the thread that other commands act on. The state says which "
		    "thread crashed and on\n"
		    "which signal, which holds the GIL and which wait for it, and where garbage is "
		    "being collected.\n"
		    "Threads without Python state are listed too.",
		    0 },
	.run = run_threads,
};
