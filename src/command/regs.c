/*
 * regs: what each general register holds, in the innermost frame and, where unwinding restored
 * them, in outer ones.
 */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "native/meaning.h"
#include "object/model.h"

#define REPR_MAX 60 /* characters of a value beside its register */

struct job {
	struct scry_call *call;
	struct scry_words words;
	unsigned depth;
	bool all;
};

static const char *saved_name(struct scry_session *s, const struct scry_reg_row *row)
{
	static const char *const names[] = { [SCRY_VOLATILE] = "volatile",
					     [SCRY_PRESERVED] = "preserved",
					     [SCRY_STACK_POINTER] = "stack pointer",
					     [SCRY_INSTRUCTION_POINTER] = "instruction pointer" };

	return names[s->target->abi.windows ? row->win64 : row->sysv];
}

static void short_repr(struct scry_runtime *r, scry_addr object, struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	p.max_text = REPR_MAX;
	p.max_string = REPR_MAX;
	p.max_items = 8;
	p.max_depth = 2;
	scry_print(&p, object);
}

/* What a target says is not to move the cursor. */
static void text_repr(struct scry_runtime *r, scry_addr object, struct scry_buf *out)
{
	struct scry_buf text = SCRY_BUF_INIT;

	short_repr(r, object, &text);
	scry_put_safe_bytes(out, text.text, text.len);
	scry_buf_done(&text);
}

static void text_slots(struct job *job, const struct scry_meaning *m)
{
	struct scry_buf *out = job->call->out;

	for (unsigned i = 0; i < m->slot_count; i++) {
		scry_buf_printf(out, "\n        +%-3u", i * job->call->s->target->abi.ptr_size);
		if (!m->slots[i]) {
			scry_buf_puts(out, "NULL");
			continue;
		}
		scry_buf_printf(out, "0x%" PRIx64 " ", m->slots[i]);
		scry_put_safe(out, scry_type_name_of(m->runtime, m->slots[i]));
		scry_buf_putc(out, ' ');
		text_repr(m->runtime, m->slots[i], out);
	}
}

static void text_function(struct scry_buf *out, const struct scry_meaning *m)
{
	if (!m->function)
		return;
	scry_buf_puts(out, " of ");
	scry_put_safe(out, m->function);
}

static void text_code(struct scry_buf *out, const struct scry_meaning *m)
{
	if (!m->module) {
		scry_buf_puts(out, "code in no module");
		return;
	}
	scry_buf_puts(out, "code ");
	scry_put_safe(out, m->module->name);
	if (m->symbol) {
		scry_buf_putc(out, ' ');
		scry_put_safe(out, m->symbol);
	}
	scry_buf_printf(out, "+0x%" PRIx64, m->offset);
}

static void text_meaning(struct job *job, uint64_t word, const struct scry_meaning *m)
{
	struct scry_buf *out = job->call->out;
	const char *kind = scry_word_kind_name(m->kind), *type = m->type ? m->type : "?";

	switch (m->kind) {
	case SCRY_WORD_NUMBER:
		scry_buf_printf(out, "%" PRId64,
				job->call->s->target->abi.ptr_size == 4 ? (int32_t)word
									: (int64_t)word);
		break;
	case SCRY_WORD_OBJECT:
	case SCRY_WORD_TYPE:
	case SCRY_WORD_CODE_OBJECT:
		scry_put_safe(out, m->kind == SCRY_WORD_TYPE ? "type" : type);
		scry_buf_putc(out, ' ');
		text_repr(m->runtime, m->object, out);
		break;
	case SCRY_WORD_CODE:
		text_code(out, m);
		break;
	case SCRY_WORD_FRAME:
		scry_buf_puts(out, "frame");
		text_function(out, m);
		if (m->runtime && !m->function) {
			scry_buf_putc(out, ' ');
			text_repr(m->runtime, m->object, out);
		}
		break;
	case SCRY_WORD_INTERIOR:
		scry_buf_puts(out, "inside ");
		scry_put_safe(out, type);
		text_function(out, m);
		scry_buf_printf(out, " at 0x%" PRIx64 ", +%" PRIu64, m->object, m->offset);
		text_slots(job, m);
		break;
	case SCRY_WORD_OBJECTS:
		scry_buf_puts(out, "-> objects (a guess where they end)");
		text_slots(job, m);
		break;
	default:
		scry_buf_puts(out, kind);
	}
	if (m->doubt)
		scry_buf_printf(out, "  [uncertain: %s]", m->doubt);
	/* that a register holds 0 says nothing of a fault at 0 */
	if (job->depth == 0 && word && job->call->s->target->has_fault &&
	    word == job->call->s->target->fault_addr)
		scry_buf_puts(out, "  [fault address]");
	scry_buf_putc(out, '\n');
}

static void json_value(struct scry_json *j, struct scry_runtime *r, scry_addr object)
{
	struct scry_buf repr = SCRY_BUF_INIT;

	scry_json_key(j, "type");
	if (scry_is_object(r, object))
		scry_json_text(j, scry_type_name_of(r, object));
	else
		scry_json_null(j);
	short_repr(r, object, &repr);
	scry_json_put_bytes(j, "repr", repr.text, repr.len);
	scry_buf_done(&repr);
}

static void json_meaning(struct scry_json *j, const struct scry_meaning *m)
{
	scry_json_put_text(j, "kind", scry_word_kind_name(m->kind));
	if (m->runtime && m->object && m->kind != SCRY_WORD_INTERIOR)
		json_value(j, m->runtime, m->object);
	if (m->kind == SCRY_WORD_INTERIOR || m->kind == SCRY_WORD_CODE) {
		scry_json_put_int(j, "offset", (int64_t)m->offset);
	}
	if (m->kind == SCRY_WORD_INTERIOR) {
		scry_json_put_addr(j, "object", m->object);
		scry_json_put_text(j, "type", m->type);
	}
	if (m->kind == SCRY_WORD_CODE) {
		scry_json_put_text(j, "module", m->module ? m->module->name : NULL);
		scry_json_put_text(j, "symbol", m->symbol);
	}
	if (m->function) {
		scry_json_put_text(j, "function", m->function);
	}
	if (m->slot_count) {
		scry_json_key(j, "slots");
		scry_json_open(j, '[');
		for (unsigned i = 0; i < m->slot_count; i++) {
			scry_json_open(j, '{');
			scry_json_put_addr(j, "address", m->slots[i]);
			if (m->slots[i])
				json_value(j, m->runtime, m->slots[i]);
			scry_json_close(j, '}');
		}
		scry_json_close(j, ']');
	}
	scry_json_put_text(j, "uncertain", m->doubt);
}

static void one_register(struct job *job, const struct scry_regs *regs, unsigned i)
{
	const struct scry_reg_row *row = &regs->arch->regs[i];
	bool known = regs->valid >> i & 1;
	struct scry_json *j = job->call->json;
	struct scry_meaning m;

	if (known)
		scry_words_read(&job->words, regs->value[i], &m);
	if (!j) {
		scry_buf_printf(job->call->out, "%-6s ", row->name);
		if (known)
			scry_buf_printf(job->call->out, "0x%0*" PRIx64 "  ",
					(int)(2 * regs->arch->ptr_size), regs->value[i]);
		scry_buf_printf(job->call->out, "%-19s ", saved_name(job->call->s, row));
		if (known)
			text_meaning(job, regs->value[i], &m);
		else
			scry_buf_puts(job->call->out, "not saved\n");
		return;
	}
	scry_json_open(j, '{');
	scry_json_put_text(j, "name", row->name);
	scry_json_put_text(j, "saved", saved_name(job->call->s, row));
	scry_json_key(j, "value");
	if (known) {
		scry_json_addr(j, regs->value[i]);
		json_meaning(j, &m);
	} else {
		scry_json_null(j);
	}
	scry_json_close(j, '}');
}

static void text_head(struct job *job, const struct scry_native_frame *f)
{
	struct scry_buf *out = job->call->out;

	scry_buf_printf(out, "%sframe %u: 0x%" PRIx64, job->depth ? "\n" : "", job->depth, f->pc);
	if (f->symbol.name) {
		scry_buf_puts(out, " in ");
		scry_put_safe(out, f->symbol.name);
		scry_buf_printf(out, "+0x%" PRIx64, f->pc - f->symbol.addr);
	}
	if (f->module) {
		scry_buf_puts(out, " (");
		scry_put_safe(out, f->module->name);
		scry_buf_printf(out, "+0x%" PRIx64 ")", f->pc - f->module->start);
	}
	scry_buf_putc(out, '\n');
}

static bool one_frame(void *arg, const struct scry_native_frame *f)
{
	struct job *job = arg;
	struct scry_json *j = job->call->json;

	if (j) {
		scry_json_open(j, '{');
		scry_json_put_addr(j, "pc", f->pc);
		scry_json_put_text(j, "function", f->symbol.name);
		scry_json_put_text(j, "module", f->module ? f->module->name : NULL);
		scry_json_key(j, "registers");
		scry_json_open(j, '[');
	} else {
		text_head(job, f);
	}
	for (unsigned i = 0; i < f->regs.arch->count; i++)
		one_register(job, &f->regs, i);
	if (j) {
		scry_json_close(j, ']');
		scry_json_close(j, '}');
	}
	job->depth++;
	return job->all;
}

static int run_regs(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct job job = { .call = call, .all = scry_call_flag(call, "all-frames") != NULL };
	struct scry_thread *t = scry_thread_selected(s);

	if (call->argc && scry_thread_find(s, call->argv[0], &t) < 0)
		return SCRY_EINVAL;
	if (!t || !t->os || !scry_os_thread_regs(s->target, t->os)->arch)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "the registers of this thread are not known");
	scry_words_init(&job.words, s, t);
	if (call->json) {
		scry_json_put_int(call->json, "tid", (int64_t)t->tid);
		scry_json_key(call->json, "native_frames");
		scry_json_open(call->json, '[');
	}
	int rc = scry_unwind(s, &t->os->regs, one_frame, &job);
	if (call->json)
		scry_json_close(call->json, ']');
	scry_words_done(&job.words);
	if (rc < 0 && job.depth) {
		if (job.all)
			scry_note(s, "%s", s->error.text);
		call->partial = job.all;
		return SCRY_OK;
	}
	return rc;
}

static const struct scry_flag flags[] = {
	{ "all-frames", 'a', NULL, "outer frames too: what unwinding restored" },
	{ 0 },
};

const struct scry_command_row scry_command_regs = {
	.public = { "regs", "[--all-frames] [THREAD]",
		    "Show what each register holds: objects, frames, code, numbers.",
		    "Values are those of the crash where the thread crashed. \"volatile\" "
		    "registers may be changed by any call, "
		    "\"preserved\" ones survive it, by the convention of the target's system. In "
		    "outer frames only what "
		    "unwinding restored is shown. Readings that may be wrong are marked as "
		    "uncertain.",
		    0 },
	.run = run_regs,
	.flags = flags,
	.max_args = 1,
};
