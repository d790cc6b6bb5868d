/* Running a command: from its line to text or JSON, notes and exit status. */
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "command/command.h"
#include "command/cvars.h"
#include "memory/collecting.h"
#include "object/thread_names.h"

const struct scry_command *scry_command_at(unsigned index)
{
	for (unsigned i = 0; scry_command_rows[i]; i++)
		if (i == index)
			return &scry_command_rows[i]->public;
	return NULL;
}

static const struct scry_command_row *find_row(const char *name)
{
	if (!strncmp(name, "py-", 3))
		name += 3;
	for (const struct scry_command_row *const *row = scry_command_rows; *row; row++)
		if (!strcmp((*row)->public.name, name))
			return *row;
	return NULL;
}

static int fail_unknown(struct scry_session *s, const char *name)
{
	char list[400] = "";

	for (const struct scry_command_row *const *row = scry_command_rows; *row; row++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), " %s",
			 (*row)->public.name);
	return scry_fail(s, SCRY_EINVAL, 0, "no command '%.60s'; there are:%s", name, list);
}

/* --thread and --frame hold for one call: what was selected before comes back in unselect(). */
static int preselect(struct scry_call *call)
{
	uint64_t frame;
	int rc;

	if (call->thread) {
		struct scry_thread *t;

		rc = scry_thread_named(call->s, call->thread, &t);
		if (rc < 0)
			return rc;
		call->s->selected = t;
		call->s->selected_frame = 0;
	}
	if (!call->frame)
		return SCRY_OK;
	if (!scry_parse_number(call->frame, &frame) || frame > UINT32_MAX)
		return scry_fail(call->s, SCRY_EINVAL, 0, "--frame wants a number, not '%s'",
				 call->frame);
	call->s->selected_frame = (unsigned)frame;
	return SCRY_OK;
}

int scry_refuse_others(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_runtime *r = scry_runtime_first(s);

	while (r && r->strategy->model != SCRY_MODEL_CPYTHON && r->next)
		r = r->next;
	if (!r || r->strategy->model == SCRY_MODEL_CPYTHON)
		return SCRY_OK;
	if (r->pypy && call->row->pypy)
		return scry_fail(s, SCRY_EUNSUPPORTED, 0, "%s", call->row->pypy);
	return scry_fail(s, SCRY_EUNSUPPORTED, 0, "%s%s does not know the objects of %s",
			 s->options.prefix ? s->options.prefix : "", call->row->public.name,
			 r->name);
}

/* A command that moves keeps what it selected; others give back what was. */
static int run_row(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_thread *thread = s->selected;
	unsigned frame = s->selected_frame;

	if (call->row->public.flags & SCRY_COMMAND_MACHINE)
		return call->row->run(call);
	if (!s->target && !(call->gathered && call->row->public.flags & SCRY_COMMAND_TARGETS))
		return *s->error.text ? SCRY_ENOTFOUND
				      : scry_fail(s, SCRY_EINVAL, 0, "no target is open");
	int rc = preselect(call);
	if (rc >= 0 && call->row->public.flags & SCRY_COMMAND_CPYTHON)
		rc = scry_refuse_others(call);
	if (rc >= 0)
		rc = call->row->run(call);
	if ((call->thread || call->frame) && !(call->row->public.flags & SCRY_COMMAND_MOVES)) {
		s->selected = thread;
		s->selected_frame = frame;
	}
	return rc < 0 ? rc : SCRY_OK;
}

static int run_json(struct scry_call *call)
{
	struct scry_json json = { call->out, false };
	int rc;

	call->json = &json;
	scry_render_init(call, &scry_render_json);
	scry_envelope_open(call);
	rc = run_row(call);
	scry_command_release(call->s); /* what it says of the hold belongs to the errors */
	scry_envelope_close(call, rc);
	call->json = NULL; /* it ends with this function */
	return rc;
}

/*
 * Stop the target. What takes long (files, symbols, layouts) is done before, while it still runs.
 */
void scry_command_hold(struct scry_session *s, bool native)
{
	bool stops = s->target && s->target->ops->hold && !s->threads_done;
	bool found = !stops || scry_runtime_first(s);

	if (stops && native)
		scry_native_prepare(s);
	if (scry_target_hold(s->target) < 0)
		scry_note(s, "read while it ran: %s", s->error.text);
	if (!found)
		scry_runtimes_search_again(s);
	if (stops)
		scry_runtimes_reload(s);
	scry_collectors_find(s);
}

void scry_command_release(struct scry_session *s)
{
	if (!s->held)
		scry_target_release(s->target);
}

static int start(struct scry_call *call)
{
	struct scry_session *s = call->s;
	int rc = scry_split(call);

	scry_render_init(call, &scry_render_text);
	if (rc >= 0)
		rc = scry_parse_options(call);
	call->color = s->options.color;
	if (rc < 0)
		return rc;
	if (call->help) {
		scry_put_usage(call);
		return SCRY_OK;
	}
	if (s->target) {
		scry_command_hold(s, scry_call_flag(call, "native"));
		*s->error.text = 0;
	}
	rc = s->options.json ? run_json(call) : run_row(call);
	scry_command_release(s);
	return rc;
}

/* Each reason once a session, and once more in the JSON. True where there is any but warnings. */
static bool put_notes(struct scry_session *s, struct scry_buf *err)
{
	bool any = false;

	for (struct scry_note *n = s->notes; n; n = n->next) {
		if (n->remark)
			continue;
		any |= !n->warning;
		if (err && !n->said) {
			scry_put_safe(err, n->text);
			scry_buf_putc(err, '\n');
			n->said = true;
		}
	}
	return any;
}

int scry_command_run(struct scry_session *s, const char *name, const char *args,
		     struct scry_buf *out, struct scry_buf *err)
{
	return scry_command_run_many(s, name, args, NULL, out, err);
}

int scry_command_run_many(struct scry_session *s, const char *name, const char *args,
			  struct scry_fold *gathered, struct scry_buf *out, struct scry_buf *err)
{
	struct scry_call call = { .s = s,
				  .row = find_row(name),
				  .line = args ? args : "",
				  .out = out,
				  .gathered = gathered };
	struct scry_options saved = s->options;
	struct scry_interrupt interrupt;

	s->value_damaged = false;
	s->stopped = 0;
	scry_interrupt_begin(s, &interrupt);
	int rc = call.row ? start(&call) : fail_unknown(s, name);
	scry_interrupt_end(&interrupt);

	s->options = saved;
	scry_hash_done(&call.rendered);
	scry_variables_done(&call);
	if (s->stopped) {
		scry_buf_cut(out, 0);
		scry_notes_pass(s);
		return 3;
	}
	if (call.help)
		return rc < 0 ? 2 : 0;
	bool noted = put_notes(s, err);
	call.partial |= s->value_damaged;
	scry_notes_pass(s);
	if (rc >= 0 && call.partial && !noted && err)
		scry_buf_puts(err,
			      "the answer is partial: what could not be shown is marked in it\n");
	call.partial |= noted || call.unsound;
	if (rc < 0 && err && *s->error.text) {
		scry_put_safe(err, s->error.text);
		scry_buf_putc(err, '\n');
	}
	if (out->failed && rc >= 0) {
		rc = SCRY_ENOMEM;
		if (err)
			scry_buf_puts(err, "out of memory for the text\n");
	}
	return rc < 0 ? 2 : call.partial;
}

/* Names of options that begin with `word`, one a line. */
int scry_command_complete(struct scry_session *s, const char *name, const char *word,
			  struct scry_buf *out)
{
	const struct scry_command_row *row = find_row(name);

	if (!row)
		return fail_unknown(s, name);
	scry_complete_options(row, word, out);
	if (row->complete)
		row->complete(s, word, out);
	return SCRY_OK;
}
