/* Unwinding saved words that are laid over the target, and showing what came out. */
#include "task/cstack.h"

#include <inttypes.h>
#include <string.h>

#include "native/native.h"
#include "symbol/demangle.h"
#include "target/overlay.h"

struct unwinding {
	struct scry_c_walk *walk;
	bool first; /* the innermost frame comes */
	bool full;  /* no frame more: too many, or no memory */
};

const char *scry_because(struct scry_runtime *r)
{
	return scry_arena_printf(&r->session->arena, "%s", r->session->error.text);
}

static bool each(void *arg, const struct scry_native_frame *given)
{
	struct unwinding *u = arg;
	struct scry_c_walk *w = u->walk;
	struct scry_native_frame f = *given;

	if (u->first && w->from_call) {
		f.is_call = true;
		scry_native_name(w->runtime->session, &f);
	}
	u->first = false;
	w->at_end = w->end && f.regs.value[f.regs.arch->sp] >= w->end;
	if (w->at_end)
		return false;
	u->full = !scry_c_stack_add(w->stack, w->runtime->session, w->runtime, &f);
	w->at_last = !u->full && w->is_last && w->is_last(&f.symbol);
	return !u->full && !w->at_last;
}

/* Unwinding needs the file that the return address lies in: say so before trying. */
static const char *nothing_to_unwind_with(struct scry_runtime *r, scry_addr pc)
{
	struct scry_module *m = scry_module_at(r->session, pc);

	if (!m)
		return scry_arena_printf(
			&r->session->arena,
			"the saved C stack returns to 0x%" PRIx64 ", which is in no module", pc);
	scry_module_open(m);
	if (m->file)
		return NULL;
	return scry_arena_printf(
		&r->session->arena, "nothing to unwind the saved C stack with: %s%s%s", m->name,
		m->problem ? ": " : " was not found", m->problem ? m->problem : "");
}

const char *scry_c_walk(struct scry_c_walk *w, const struct scry_regs *regs)
{
	struct unwinding u = { .walk = w, .first = true };
	struct scry_session *s = w->runtime->session;
	struct scry_overlay over;
	const char *error = nothing_to_unwind_with(w->runtime, regs->value[regs->arch->pc]);

	if (error)
		return error;
	w->at_last = w->at_end = false;
	scry_overlay_set(s->target, &over, w->start, w->words, w->count * sizeof(*w->words));
	int rc = scry_unwind(s, regs, each, &u);
	scry_overlay_remove(s->target, &over);
	return rc < 0 && !w->at_last && !w->at_end && !u.full ? scry_because(w->runtime) : NULL;
}

/* --- text and JSON --- */

/* As people write it: C++ names are mangled. */
static void put_function(const struct scry_c_frame *f, struct scry_buf *out)
{
	if (!f->function || !scry_demangle(f->function, out))
		scry_buf_puts(out, f->function ? f->function : "?");
}

void scry_c_stack_lines(const struct scry_c_stack *stack, struct scry_buf *out)
{
	if (!stack || (!stack->count && !stack->error))
		return;
	scry_buf_printf(out, "    C stack, %zu frames, of which %zu run Python:\n", stack->count,
			stack->loops);
	for (size_t i = 0; i < stack->count; i++) {
		const struct scry_c_frame *f = &stack->frames[i];

		scry_buf_printf(out, "      %-3zu 0x%016" PRIx64 " ", i, f->pc);
		put_function(f, out);
		scry_buf_printf(out, " (%s)\n", f->module ? f->module : "?");
	}
	if (stack->error)
		scry_buf_printf(out, "      %s\n", stack->error);
}

void scry_c_stack_json(const struct scry_c_stack *stack, struct scry_json *j)
{
	struct scry_buf name = SCRY_BUF_INIT;

	scry_json_key(j, "native_frames");
	scry_json_open(j, '[');
	for (size_t i = 0; stack && i < stack->count; i++) {
		scry_buf_cut(&name, 0);
		put_function(&stack->frames[i], &name);
		scry_json_open(j, '{');
		scry_json_key(j, "pc");
		scry_json_addr(j, stack->frames[i].pc);
		scry_json_key(j, "function");
		scry_json_text(j, stack->frames[i].function ? name.text : NULL);
		scry_json_key(j, "module");
		scry_json_text(j, stack->frames[i].module);
		scry_json_key(j, "runs_python");
		scry_json_bool(j, stack->frames[i].loop);
		scry_json_close(j, '}');
	}
	scry_json_close(j, ']');
	scry_json_key(j, "native_error");
	scry_json_text(j, stack ? stack->error : NULL);
	scry_buf_done(&name);
}
