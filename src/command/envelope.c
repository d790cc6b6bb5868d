/* What stands around every command's JSON: the target, the runtimes, the errors. */
#include "command/command.h"

static void each_runtime(const void *subject, struct scry_renderer *to)
{
	struct scry_session *s = ((const struct scry_call *)subject)->s;

	for (struct scry_runtime *r = s->target ? scry_runtime_first(s) : NULL; r; r = r->next)
		scry_say(to, &scry_facts_runtime, r);
	for (struct scry_dormant *d = scry_dormant_first(s); d; d = d->next)
		scry_say(to, &scry_facts_dormant, d);
}

static void get_version(const void *subject, struct scry_said *ret)
{
	(void)subject;
	scry_said_text(ret, scry_version());
}

static void get_target(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_target, ((const struct scry_call *)subject)->s->target);
}

static const struct scry_say head_fields[] = {
	SAY_GET("pyscry", get_version),
	SAY_GET("target", get_target, .facts = &scry_facts_target),
	SAY_LIST("runtimes", &scry_facts_runtime, each_runtime),
	SAY_END,
};
const struct scry_facts scry_facts_head = { "head", head_fields, NULL };

void scry_envelope_open(struct scry_call *call)
{
	scry_json_open(call->json, '{');
	scry_say_fields(&call->render.to, &scry_facts_head, call);
}

void scry_threads_open(struct scry_call *call)
{
	call->has_threads = true;
	call->render.to.ops->list_open(&call->render.to, "threads");
}

void scry_threads_close(struct scry_call *call)
{
	call->render.to.ops->list_close(&call->render.to);
}

void scry_envelope_close(struct scry_call *call, int rc)
{
	struct scry_json *j = call->json;

	if (!call->has_threads) {
		scry_threads_open(call);
		scry_threads_close(call);
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
