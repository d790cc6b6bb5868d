/* A thread's head line and its element of JSON; the selected thread and frame. */
#include <inttypes.h>

#include "command/command.h"

/* Text between two states, and the style of the next. */
static void put_state(struct scry_call *call, bool *first, enum scry_style style, const char *text)
{
	if (!*first)
		scry_buf_puts(call->out, ", ");
	*first = false;
	scry_put_styled(call, style, text);
}

static void put_crash(struct scry_call *call, const struct scry_thread *t, bool *first)
{
	const struct scry_target *target = call->s->target;
	int signal = t->os && t->os->signal ? t->os->signal : target->signal;

	put_state(call, first, SCRY_STYLE_ERROR, "crashed");
	if (target->exception)
		scry_buf_printf(call->out, ": %s", scry_exception_name(target->exception));
	else if (signal)
		scry_buf_printf(call->out, ": %s", scry_signal_name(signal));
	if (target->has_fault)
		scry_buf_printf(call->out, " at 0x%" PRIx64, target->fault_addr);
}

void scry_thread_state_text(struct scry_call *call, const struct scry_thread *t)
{
	bool first = true;

	if (t->crashed)
		put_crash(call, t, &first);
	if (t->gil == SCRY_GIL_HELD)
		put_state(call, &first, SCRY_STYLE_MARK, "holds the GIL");
	if (t->gil == SCRY_GIL_WAITING)
		put_state(call, &first, SCRY_STYLE_MARK, "waits for the GIL");
	if (t->in_gc)
		put_state(call, &first, SCRY_STYLE_MARK, "collects garbage");
	if (t->interp && t->interp->id) {
		put_state(call, &first, SCRY_STYLE_DIM, "interpreter ");
		scry_buf_printf(call->out, "%" PRId64, t->interp->id);
	}
	if (!t->os && t->state)
		put_state(call, &first, SCRY_STYLE_DIM, "no such thread in the system");
}

void scry_thread_text(struct scry_call *call, const struct scry_thread *t)
{
	struct scry_buf *out = call->out;
	size_t before;

	scry_buf_printf(out, "Thread %" PRIu64, t->tid);
	if (t->name) {
		scry_buf_puts(out, " \"");
		scry_put_styled(call, SCRY_STYLE_NAME, t->name);
		scry_buf_puts(out, "\"");
	}
	before = out->len;
	scry_buf_puts(out, " [");
	scry_thread_state_text(call, t);
	if (out->len == before + 2)
		scry_buf_cut(out, before);
	else
		scry_buf_puts(out, "]");
}

static void json_gil(struct scry_json *j, const struct scry_thread *t)
{
	static const char *const names[] = {
		[SCRY_GIL_NONE] = NULL,
		[SCRY_GIL_HELD] = "held",
		[SCRY_GIL_WAITING] = "waiting",
	};

	scry_json_key(j, "gil");
	scry_json_text(j, names[t->gil]);
}

void scry_thread_json(struct scry_call *call, const struct scry_thread *t)
{
	struct scry_json *j = call->json;

	scry_json_open(j, '{');
	scry_json_key(j, "tid");
	scry_json_positive(j, (int64_t)t->tid);
	scry_json_key(j, "name");
	scry_json_text(j, t->name);
	scry_json_key(j, "crashed");
	scry_json_bool(j, t->crashed);
	scry_json_key(j, "selected");
	scry_json_bool(j, t == scry_thread_selected(call->s));
	json_gil(j, t);
	scry_json_key(j, "gc");
	scry_json_bool(j, t->in_gc);
	scry_json_key(j, "interpreter");
	if (t->interp)
		scry_json_int(j, t->interp->id);
	else
		scry_json_null(j);
	scry_json_key(j, "error");
	scry_json_text(j, t->error);
	if (t->error)
		call->partial = true;
}

int scry_selected_thread(struct scry_session *s, struct scry_thread **ret)
{
	struct scry_thread *t = scry_thread_selected(s);

	if (!t)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "the target has no threads");
	if (t->error && !t->runtime)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "%s", t->error);
	if (!t->runtime)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "thread %" PRIu64 " has no Python state (see %sthreads)", t->tid,
				 s->options.prefix);
	*ret = t;
	return SCRY_OK;
}

int scry_frame_number(struct scry_thread *t, unsigned number, struct scry_frame *ret,
		      unsigned *ret_count)
{
	struct scry_walk w;
	unsigned count = 0;
	int rc;

	scry_walk_thread(&w, t);
	while ((rc = scry_walk_next(&w, ret)) == SCRY_ITEM)
		if (count++ == number)
			return SCRY_OK;
	*ret_count = count;
	if (rc < 0)
		return rc;
	if (!count)
		return scry_fail(t->session, SCRY_ENOTFOUND, 0,
				 "thread %" PRIu64 " runs no Python code", t->tid);
	return scry_fail(t->session, SCRY_ENOTFOUND, 0, "no frame %u: the oldest is %u", number,
			 count - 1);
}

int scry_selected_frame(struct scry_session *s, struct scry_thread **ret_thread,
			struct scry_frame *ret)
{
	unsigned count;
	int rc = scry_selected_thread(s, ret_thread);

	return rc < 0 ? rc : scry_frame_number(*ret_thread, s->selected_frame, ret, &count);
}
