/* Lines about what is not as usual: phases of life, collections, builds without a GIL. */
#include <inttypes.h>

#include "command/command.h"

/* Is the GIL of a free-threaded build on? Include/internal/pycore_gil.h, 3.13+ */
static bool gil_is_on(const struct scry_runtime *r)
{
	return r->interps && r->interps->gil &&
	       scry_field_get((struct scry_runtime *)r, r->interps->gil, SCRY_F_GIL_ENABLED);
}

static bool is_free_threaded(const struct scry_runtime *r)
{
	return r->layout && r->layout->flavour.free_threaded;
}

const char *scry_free_threaded_text(const struct scry_runtime *r)
{
	if (!is_free_threaded(r))
		return "";
	return gil_is_on(r) ? " free-threaded (but its GIL is on)" : " free-threaded";
}

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
