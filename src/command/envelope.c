/* What stands around every command's JSON: the target, the runtimes, the errors. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"

static void target_json(struct scry_json *j, const struct scry_target *t)
{
	scry_json_open(j, '{');
	scry_json_key(j, "kind");
	scry_json_text(j, t->ops->name);
	scry_json_key(j, "path");
	scry_json_text(j, t->path);
	scry_json_key(j, "pid");
	scry_json_positive(j, t->pid);
	scry_json_key(j, "signal");
	scry_json_positive(j, t->signal);
	scry_json_key(j, "signal_name");
	scry_json_text(j, t->signal ? scry_signal_name(t->signal) : NULL);
	if (t->exception) {
		scry_json_key(j, "exception");
		scry_json_addr(j, t->exception);
	}
	scry_json_key(j, "fault_address");
	if (t->has_fault)
		scry_json_addr(j, t->fault_addr);
	else
		scry_json_null(j);
	scry_json_close(j, '}');
}

static void runtimes_json(struct scry_json *j, struct scry_session *s)
{
	scry_json_open(j, '[');
	for (struct scry_runtime *r = s->target ? scry_runtime_first(s) : NULL; r; r = r->next) {
		scry_json_open(j, '{');
		scry_json_key(j, "name");
		scry_json_text(j, r->name);
		scry_json_key(j, "version");
		scry_json_text(j, r->version_text);
		scry_json_key(j, "finder");
		scry_json_text(j, r->finder);
		scry_json_key(j, "layout");
		scry_json_text(j, r->layout ? r->layout->name : NULL);
		scry_json_close(j, '}');
	}
	scry_json_close(j, ']');
}

void scry_envelope_open(struct scry_call *call)
{
	struct scry_json *j = call->json;
	const struct scry_target *t = call->s->target;

	scry_json_open(j, '{');
	scry_json_key(j, "pyscry");
	scry_json_text(j, scry_version());
	scry_json_key(j, "target");
	if (t)
		target_json(j, t);
	else
		scry_json_null(j);
	scry_json_key(j, "runtimes");
	runtimes_json(j, call->s);
}

void scry_threads_open(struct scry_call *call)
{
	call->has_threads = true;
	scry_json_key(call->json, "threads");
	scry_json_open(call->json, '[');
}

void scry_envelope_close(struct scry_call *call, int rc)
{
	struct scry_json *j = call->json;

	if (!call->has_threads) {
		scry_threads_open(call);
		scry_json_close(j, ']');
	}
	scry_json_key(j, "errors");
	scry_json_open(j, '[');
	for (const struct scry_note *n = call->s->notes; n; n = n->next)
		if (!n->remark)
			scry_json_text(j, n->text);
	if (rc < 0)
		scry_json_text(j, call->s->error.text);
	scry_json_close(j, ']');
	scry_json_close(j, '}');
	scry_buf_putc(call->out, '\n');
}
