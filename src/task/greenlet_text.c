/* What is shown of a greenlet beside what all tasks have. */
#include <inttypes.h>

#include "object/model.h"
#include "task/greenlet_wait.h"

void scry_greenlet_text(struct scry_task *t, struct scry_buf *out)
{
	const struct scry_greenlet *g = t->detail;

	scry_buf_puts(out, g->is_main ? ", main" : "");
	scry_buf_puts(out, g->is_hub ? ", hub" : "");
	scry_buf_puts(out, g->switching ? ", in the middle of a switch" : "");
	scry_buf_puts(out, g->orphaned ? ", its thread has ended" : "");
}

static void value_line(struct scry_task *t, struct scry_buf *out, const char *what, scry_addr value)
{
	if (!value || scry_is_none(t->runtime, value))
		return;
	scry_buf_printf(out, "    %s ", what);
	scry_task_value_text(t->runtime, value, out);
	scry_buf_putc(out, '\n');
}

static void wait_lines(struct scry_task *t, const struct scry_greenlet *g, struct scry_buf *out)
{
	size_t kept = g->wait_count < SCRY_WAITS_MAX ? g->wait_count : SCRY_WAITS_MAX;

	for (size_t i = 0; i < kept; i++) {
		const char *events;
		int64_t fd;

		scry_buf_puts(out, g->wait_rank == SCRY_WAIT_TURN ? "    will run by "
								  : "    waits for ");
		if (scry_holder_file(t->runtime, g->waits[i], &fd, &events))
			scry_buf_printf(out, "file %" PRId64 "%s%s, ", fd, events ? " to " : "",
					events ? events : "");
		scry_task_value_text(t->runtime, g->waits[i], out);
		scry_buf_putc(out, '\n');
	}
	if (kept < g->wait_count)
		scry_buf_printf(out, "    and for %zu more\n", g->wait_count - kept);
}

void scry_greenlet_lines(struct scry_task *t, struct scry_buf *out, bool verbose)
{
	const struct scry_greenlet *g = t->detail;

	if (t->name || verbose)
		scry_buf_printf(out, "    is a %s\n", g->type);
	if (g->parent)
		scry_buf_printf(out, "    child of 0x%" PRIx64 "\n", g->parent);
	value_line(t, out, "runs", g->run);
	value_line(t, out, "loop", g->loop);
	wait_lines(t, g, out);
	value_line(t, out, "at the latest until", g->timeout);
	value_line(t, out, "handles", g->exception);
	if (!verbose)
		return;
	value_line(t, out, "context", g->context);
	if (g->stack_start && !g->is_current && !g->is_main)
		scry_buf_printf(out,
				"    C stack 0x%" PRIx64 "-0x%" PRIx64 ", %" PRIu64
				" bytes saved at 0x%" PRIx64 "\n",
				g->stack_start, g->stack_stop, g->stack_saved, g->stack_copy);
	scry_c_stack_lines(scry_greenlet_c_stack(t), out);
}

static void waits_json(struct scry_task *t, const struct scry_greenlet *g, struct scry_json *j)
{
	scry_json_key(j, "waits");
	scry_json_open(j, '[');
	for (size_t i = 0; i < g->wait_count && i < SCRY_WAITS_MAX; i++) {
		const char *events = NULL;
		int64_t fd;

		scry_json_open(j, '{');
		scry_json_key(j, "object");
		scry_task_value_json(t->runtime, g->waits[i], j);
		scry_json_key(j, "fd");
		if (scry_holder_file(t->runtime, g->waits[i], &fd, &events))
			scry_json_int(j, fd);
		else
			scry_json_null(j);
		scry_json_key(j, "events");
		scry_json_text(j, events);
		scry_json_close(j, '}');
	}
	scry_json_close(j, ']');
	scry_json_key(j, "timeout");
	scry_task_value_json(t->runtime, g->timeout, j);
	scry_json_key(j, "scheduled");
	scry_json_bool(j, g->wait_rank == SCRY_WAIT_TURN);
}

void scry_greenlet_json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_greenlet *g = t->detail;

	scry_json_key(j, "type");
	scry_json_text(j, g->type);
	scry_json_key(j, "is_main");
	scry_json_bool(j, g->is_main);
	scry_json_key(j, "is_hub");
	scry_json_bool(j, g->is_hub);
	scry_json_key(j, "loop");
	scry_task_value_json(t->runtime, g->loop, j);
	waits_json(t, g, j);
	scry_json_key(j, "is_current");
	scry_json_bool(j, g->is_current);
	scry_json_key(j, "switching");
	scry_json_bool(j, g->switching);
	scry_json_key(j, "orphaned");
	scry_json_bool(j, g->orphaned);
	scry_json_key(j, "run");
	scry_task_value_json(t->runtime, g->run, j);
	scry_json_key(j, "exception");
	scry_task_value_json(t->runtime, g->exception, j);
	scry_json_key(j, "context");
	scry_task_id_json(j, g->context);
	scry_json_key(j, "stack_saved");
	scry_json_int(j, (int64_t)g->stack_saved);
	scry_c_stack_json(scry_greenlet_c_stack(t), j);
}
