/*
 * info: what was opened, which interpreters were found in it and how, and where their structs'
 * fields lie.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "command/command.h"

static void put_field(struct scry_call *call, const char *name, const char *text)
{
	scry_buf_printf(call->out, "%-9s ", name);
	scry_put_safe(call->out, text);
	scry_buf_putc(call->out, '\n');
}

static void put_time(struct scry_call *call, const char *name, int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (seconds > 0 && gmtime_r(&when, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		put_field(call, name, text);
}

static void put_target(struct scry_call *call)
{
	const struct scry_target *t = call->s->target;
	struct scry_buf *out = call->out;

	scry_buf_printf(out, "target    %s", t->ops->name);
	if (t->path) {
		scry_buf_putc(out, ' ');
		scry_put_safe(out, t->path);
	}
	if (t->pid)
		scry_buf_printf(out, ", process %" PRId64, t->pid);
	scry_buf_printf(out, ", %s, %u-bit%s, %zu thread%s\n",
			t->arch ? t->arch->name : "unknown machine", t->abi.ptr_size * 8u,
			t->abi.big_endian ? ", big-endian" : "", t->thread_count,
			t->thread_count == 1 ? "" : "s");
	if (t->signal || t->exception) {
		scry_buf_puts(out, "signal    ");
		if (t->exception)
			scry_buf_puts(out, t->exception_name ? t->exception_name
							     : scry_exception_name(t->exception));
		else
			scry_buf_puts(out, scry_signal_name(t->signal));
		if (t->has_fault)
			scry_buf_printf(out, " at 0x%" PRIx64, t->fault_addr);
		scry_buf_putc(out, '\n');
	}
	if (t->exe)
		put_field(call, "program", t->exe);
	if (t->command)
		put_field(call, "command", t->command);
	put_time(call, "started", t->started);
	put_time(call, "dumped", t->taken);
}

static void put_interp(struct scry_call *call, const struct scry_interp *i)
{
	struct scry_buf *out = call->out;

	scry_buf_printf(out, "          interpreter %" PRId64 " at 0x%" PRIx64, i->id, i->addr);
	if (i->phase != SCRY_PHASE_RUNNING)
		scry_buf_printf(out, ", %s", scry_phase_names[i->phase]);
	if (i->gc_running)
		scry_buf_puts(out, ", collecting garbage");
	if (i->collector)
		scry_buf_printf(out, " in thread %" PRIu64, i->collector->tid);
	else if (i->gc_running)
		scry_buf_puts(out, ", its thread is not known");
	scry_buf_putc(out, '\n');
}

static void put_runtime(struct scry_call *call, struct scry_runtime *r)
{
	struct scry_buf *out = call->out;

	scry_buf_printf(out, "runtime   %s %s%s, found by %s", r->name, r->version_text,
			scry_free_threaded_text(r), r->finder);
	if (r->module) {
		scry_buf_puts(out, " in ");
		scry_put_safe(out, r->module->path);
	}
	scry_buf_putc(out, '\n');
	if (r->layout)
		put_field(call, "layout", r->layout->name);
	for (const struct scry_interp *i = r->interps; i; i = i->next)
		put_interp(call, i);
}

static void put_dormant(struct scry_call *call, const struct scry_dormant *d)
{
	scry_buf_printf(call->out, "runtime   %s %s, %s, in ", d->name, d->version_text,
			scry_phase_names[d->phase]);
	scry_put_safe(call->out, d->module->path ? d->module->path : "?");
	scry_buf_putc(call->out, '\n');
}

/*
 * Modules that matter here: the program, and those of Python with an interpreter in them or a
 * problem. Which others were opened depends on the commands before.
 */
static void put_module(struct scry_call *call, const struct scry_module *m)
{
	struct scry_buf *out = call->out;

	scry_buf_printf(out, "module    0x%" PRIx64 "-0x%" PRIx64 " ", m->start, m->end);
	scry_put_safe(out, m->path ? m->path : "?");
	if (m->build_id)
		scry_buf_printf(out, ", build id %s", m->build_id);
	if (m->file && (!m->path || strcmp(m->file, m->path))) {
		scry_buf_puts(out, ", read from ");
		scry_put_safe(out, m->file);
	}
	if (m->problem) {
		scry_buf_puts(out, ": ");
		scry_put_safe(out, m->problem);
	}
	scry_buf_putc(out, '\n');
}

static bool holds_runtime(struct scry_session *s, const struct scry_module *m)
{
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		if (r->module == m)
			return true;
	return false;
}

static void put_layout(struct scry_call *call, const struct scry_layout *l)
{
	enum scry_struct of = SCRY_S_COUNT;

	for (unsigned f = 0; f < SCRY_F_COUNT; f++) {
		const struct scry_slot *slot = &l->slot[f];
		enum scry_struct owner = scry_field_struct((enum scry_field)f);

		if (!slot->size)
			continue;
		if (owner != of)
			scry_buf_printf(call->out, "\n%s: size %" PRIu32 ", from %s\n",
					scry_struct_name(owner), l->size[owner],
					scry_source_name((enum scry_source)l->source[owner]));
		of = owner;
		scry_buf_printf(call->out, "  %-34s %5" PRIu32 " +%-4u",
				scry_field_name((enum scry_field)f), slot->offset, slot->size);
		if (slot->bits)
			scry_buf_printf(call->out, " bits %u..%u", slot->shift,
					slot->shift + slot->bits - 1u);
		scry_buf_printf(call->out, " %s\n",
				scry_source_name((enum scry_source)l->field_source[f]));
	}
}

static void info_text(struct scry_call *call)
{
	struct scry_session *s = call->s;

	put_target(call);
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		put_runtime(call, r);
	for (struct scry_dormant *d = scry_dormant_first(s); d; d = d->next)
		put_dormant(call, d);
	for (struct scry_module *m = scry_module_first(s); m; m = m->next)
		if (call->verbose || m->is_main || holds_runtime(s, m) ||
		    (m->problem && scry_module_is_python(m)))
			put_module(call, m);
	for (const struct scry_note *n = s->notes; n; n = n->next)
		if (n->remark)
			put_field(call, "remark", n->text);
	for (struct scry_runtime *r = scry_runtime_first(s); scry_call_flag(call, "layout") && r;
	     r = r->next)
		if (r->layout)
			put_layout(call, r->layout);
}

static void json_text_key(struct scry_json *j, const char *key, const char *text)
{
	scry_json_put_text(j, key, text);
}

static void json_module(struct scry_json *j, const struct scry_module *m)
{
	scry_json_open(j, '{');
	json_text_key(j, "path", m->path);
	json_text_key(j, "file", m->file);
	json_text_key(j, "build_id", m->build_id);
	scry_json_put_addr(j, "start", m->start);
	scry_json_put_addr(j, "end", m->end);
	json_text_key(j, "problem", m->problem);
	scry_json_close(j, '}');
}

static void json_slot(struct scry_json *j, const struct scry_layout *l, enum scry_field f)
{
	scry_json_key(j, scry_field_name(f));
	scry_json_open(j, '{');
	scry_json_put_int(j, "offset", l->slot[f].offset);
	scry_json_put_int(j, "size", l->slot[f].size);
	json_text_key(j, "source", scry_source_name((enum scry_source)l->field_source[f]));
	scry_json_close(j, '}');
}

static void info_json(struct scry_call *call)
{
	struct scry_json *j = call->json;

	scry_json_key(j, "modules");
	scry_json_open(j, '[');
	for (struct scry_module *m = scry_module_first(call->s); m; m = m->next)
		json_module(j, m);
	scry_json_close(j, ']');
	if (!scry_call_flag(call, "layout"))
		return;
	scry_json_key(j, "layouts");
	scry_json_open(j, '[');
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		scry_json_open(j, '{');
		for (unsigned f = 0; r->layout && f < SCRY_F_COUNT; f++)
			if (r->layout->slot[f].size)
				json_slot(j, r->layout, (enum scry_field)f);
		scry_json_close(j, '}');
	}
	scry_json_close(j, ']');
}

/*
 * A target without an interpreter still has something to tell; why there is none goes to the
 * reasons.
 */
static int run_info(struct scry_call *call)
{
	if (call->json)
		info_json(call);
	else
		info_text(call);
	if (!scry_runtime_first(call->s) && !scry_dormant_first(call->s))
		call->partial = true;
	return SCRY_OK;
}

static const struct scry_flag info_flags[] = {
	{ "layout", 'l', NULL, "every known field: its offset, its size and the source that told" },
	{ NULL },
};

const struct scry_command_row scry_command_info = {
	.public = { "info", "[--layout]",
		    "Show what was opened and which interpreters were found in it, and how.",
		    "Names the target, the program, each interpreter with its version, the way it "
		    "was found, and the\n"
		    "source of its layout; and the files that are missing or do not match, with "
		    "their build ids.",
		    0 },
	.run = run_info,
	.flags = info_flags,
};
