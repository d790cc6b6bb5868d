/* How far each Python is in its life, who collects its garbage, and whether it has a GIL. */
#include <inttypes.h>

#include "command/command.h"

/* Is the GIL of a free-threaded build on? Include/internal/pycore_gil.h, 3.13+ */
static bool gil_is_on(const struct scry_runtime *r)
{
	return r->interps && r->interps->gil &&
	       scry_field_get((struct scry_runtime *)r, r->interps->gil, SCRY_F_GIL_ENABLED);
}

static bool is_free_threaded(const void *runtime)
{
	const struct scry_runtime *r = runtime;

	return r->layout && r->layout->flavour.free_threaded;
}

const char *scry_free_threaded_text(const struct scry_runtime *r)
{
	if (!is_free_threaded(r))
		return "";
	return gil_is_on(r) ? " free-threaded (but its GIL is on)" : " free-threaded";
}

/* --- text --- */

/* "interpreter 0", and of several Pythons which one's. */
static void put_name(struct scry_call *call, const struct scry_interp *i)
{
	if (scry_runtime_first(call->s)->next)
		scry_buf_printf(call->out, "%s %s: ", i->runtime->name, i->runtime->version_text);
	scry_buf_printf(call->out, "interpreter %" PRId64 " is ", i->id);
}

static uint64_t finalizer_of(struct scry_session *s, const struct scry_interp *i)
{
	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (t->interp == i && t->state == i->finalizing)
			return t->tid;
	return 0;
}

static void put_interp(struct scry_call *call, const struct scry_interp *i)
{
	uint64_t tid = i->finalizing ? finalizer_of(call->s, i) : 0;

	if (i->phase != SCRY_PHASE_RUNNING) {
		put_name(call, i);
		scry_buf_puts(call->out, scry_phase_names[i->phase]);
		if (tid)
			scry_buf_printf(call->out, ": no thread but %" PRIu64 " runs Python again",
					tid);
		scry_buf_putc(call->out, '\n');
	}
	if (i->gc_running && !i->collector) {
		put_name(call, i);
		scry_buf_puts(call->out, "collecting garbage, its thread is not known\n");
	}
}

void scry_phases_text(struct scry_call *call)
{
	if (call->json)
		return;
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		for (struct scry_interp *i = r->interps; i; i = i->next)
			put_interp(call, i);
		if (is_free_threaded(r))
			scry_buf_printf(call->out, "%s %s is%s\n", r->name, r->version_text,
					scry_free_threaded_text(r));
	}
	for (struct scry_dormant *d = scry_dormant_first(call->s); d; d = d->next) {
		scry_buf_printf(call->out, "%s %s (", d->name, d->version_text);
		scry_put_safe(call->out, d->module->path ? d->module->path : "?");
		scry_buf_printf(call->out, ") is %s\n",
				d->phase == SCRY_PHASE_FINALIZED ? "gone: it has been finalized"
								 : scry_phase_names[d->phase]);
	}
}

/* --- JSON --- */

static void get_collector(const void *subject, struct scry_said *ret)
{
	const struct scry_interp *i = subject;

	ret->kind = SCRY_SAID_NULL;
	if (i->collector && i->collector->tid)
		scry_said_int(ret, (int64_t)i->collector->tid);
}

#define SUBJECT struct scry_interp
static const struct scry_say interp_fields[] = {
	SAY_INT("id", id),
	SAY_ADDR("address", addr),
	SAY_NAME("state", phase, scry_phase_names),
	SAY_BOOL("collecting", gc_running),
	SAY_GET("collector", get_collector),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts interp_facts = { "interpreter", interp_fields, NULL };

static void each_interp(const void *subject, struct scry_renderer *to)
{
	for (const struct scry_interp *i = ((const struct scry_runtime *)subject)->interps; i;
	     i = i->next)
		scry_say(to, &interp_facts, i);
}

/* A runtime is as far as its first interpreter, which stands last. */
static void get_state(const void *subject, struct scry_said *ret)
{
	enum scry_phase phase = SCRY_PHASE_RUNNING;

	for (const struct scry_interp *i = ((const struct scry_runtime *)subject)->interps; i;
	     i = i->next)
		phase = i->phase;
	scry_said_text(ret, scry_phase_names[phase]);
}

static void get_module(const void *subject, struct scry_said *ret)
{
	const struct scry_runtime *r = subject;

	scry_said_text(ret, r->module ? r->module->path : NULL);
}

static void get_free_threaded(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, is_free_threaded(subject));
}

static const struct scry_say life_fields[] = {
	SAY_GET("state", get_state),
	SAY_GET("module", get_module),
	SAY_GET("free_threaded", get_free_threaded),
	SAY_LIST("interpreters", &interp_facts, each_interp),
	SAY_END,
};
const struct scry_facts scry_facts_life = { "life", life_fields, NULL };

static void get_dormant_module(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_dormant *)subject)->module->path);
}

static void get_null(const void *subject, struct scry_said *ret)
{
	(void)subject;
	ret->kind = SCRY_SAID_NULL;
}

static void get_false(const void *subject, struct scry_said *ret)
{
	(void)subject;
	scry_said_bool(ret, false);
}

static void each_none(const void *subject, struct scry_renderer *to)
{
	(void)subject;
	(void)to;
}

#define SUBJECT struct scry_dormant
static const struct scry_say dormant_fields[] = {
	SAY_TEXT("name", name),
	SAY_TEXT("version", version_text),
	SAY_GET("finder", get_null),
	SAY_GET("layout", get_null),
	SAY_NAME("state", phase, scry_phase_names),
	SAY_GET("module", get_dormant_module),
	SAY_GET("free_threaded", get_false),
	SAY_LIST("interpreters", &interp_facts, each_none),
	SAY_END,
};
#undef SUBJECT
const struct scry_facts scry_facts_dormant = { "runtime", dormant_fields, NULL };
