/* threads: one line for each thread. */
#include <inttypes.h>

#include "command/command.h"

static void put_top(struct scry_call *call, struct scry_thread *t)
{
	struct scry_location at = { 0 };
	struct scry_frame f;
	unsigned count;

	if (!t->runtime || t->error) {
		scry_put_styled(call, t->error ? SCRY_STYLE_ERROR : SCRY_STYLE_DIM,
				t->error ? t->error : "no Python state");
		return;
	}
	if (scry_frame_number(t, 0, &f, &count) < 0 || !f.code) {
		scry_put_styled(call, SCRY_STYLE_DIM, "no Python frames");
		return;
	}
	const char *name = scry_frame_qualname(&f);
	scry_frame_location(&f, &at);
	scry_put_styled(call, SCRY_STYLE_FUNCTION, name ? name : f.code->name);
	scry_buf_puts(call->out, " (");
	scry_put_styled(call, SCRY_STYLE_FILE, f.code->file);
	if (at.line > 0)
		scry_buf_printf(call->out, ":%d", at.line);
	scry_buf_putc(call->out, ')');
}

static void put_row(struct scry_call *call, struct scry_thread *t)
{
	struct scry_buf *out = call->out;

	scry_buf_printf(out, "%c %-4u ", t == scry_thread_selected(call->s) ? '*' : ' ', t->index);
	scry_thread_text(call, t);
	scry_buf_puts(out, ": ");
	put_top(call, t);
	scry_buf_putc(out, '\n');
	if (t->error)
		call->partial = true;
}

static int run_threads(struct scry_call *call)
{
	struct scry_thread *first = scry_thread_first(call->s);

	if (!first)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "the target has no threads");
	if (call->json)
		scry_threads_open(call);
	for (struct scry_thread *t = first; t; t = t->next) {
		if (call->json) {
			scry_thread_json(call, t);
			scry_json_close(call->json, '}');
		} else {
			put_row(call, t);
		}
	}
	if (call->json)
		scry_json_close(call->json, ']');
	return SCRY_OK;
}

const struct scry_command_row scry_command_threads = {
	.public = { "threads", "",
		    "List all threads: id, name, state, and what Python code they run.",
		    "A '*' marks the thread that other commands act on. The state tells which "
		    "thread crashed and by\n"
		    "which signal, which holds the GIL and which wait for it, and where garbage is "
		    "being collected.\n"
		    "Threads without Python state are listed too.",
		    0 },
	.run = run_threads,
};
