/* Unwinding saved words that are laid over the target, and showing what came out. */
#include "task/cstack.h"

#include <inttypes.h>
#include <string.h>

#include "native/native.h"
#include "symbol/demangle.h"
#include "target/overlay.h"
#include "task/task.h"

struct unwinding {
	struct scry_c_walk *walk;
	bool first; /* the innermost frame comes */
	bool full;  /* no frame more: too many, or no memory */
};

const char *scry_because(struct scry_runtime *r)
{
	return scry_arena_printf(&r->session->arena, "%s", r->session->error.text);
}

/*
 * The innermost saved frame is one that called the switch: its pc is a return address, which
 * unwinding would otherwise take for an instruction that was interrupted.
 */
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
	if (w->also && !u->full)
		w->also(w->also_arg, &f);
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

/*
 * The saved words take the place of what the stack holds now, for as long as the walk lasts: no
 * other reader sees them.
 */
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

/* --- what is said of it --- */

/* A frame, with its number. */
struct numbered {
	const struct scry_c_frame *frame;
	size_t number;
};

/* As people write it: C++ names are mangled. */
static bool print_function(const void *subject, struct scry_buf *out)
{
	const char *name = ((const struct numbered *)subject)->frame->function;

	if (name && !scry_demangle(name, out))
		scry_buf_puts(out, name);
	return name;
}

static bool print_pc(const void *subject, struct scry_buf *out)
{
	scry_buf_printf(out, "0x%016" PRIx64, ((const struct numbered *)subject)->frame->pc);
	return true;
}

static void get_number(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct numbered *)subject)->number);
}

#define SUBJECT struct scry_c_frame
static const struct scry_say frame_fields[] = {
	SAY_ADDR("pc", pc),
	SAY_PRINT("function", print_function),
	SAY_TEXT("module", module),
	SAY_BOOL("runs_python", loop),
	SAY_PRINT("wide", print_pc, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("number", get_number, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const frame_text[] = {
	"      {number%-3} {wide} {function=?} ({module=?})\n",
	NULL,
};

static const struct scry_facts frame_facts = { "C frame", frame_fields, frame_text,
					       SCRY_THROUGH(struct numbered, frame) };

static void each_frame(const void *subject, struct scry_renderer *to)
{
	const struct scry_c_stack *stack = *(const struct scry_c_stack *const *)subject;

	for (size_t i = 0; stack && i < stack->count; i++)
		scry_say(to, &frame_facts, &(struct numbered) { &stack->frames[i], i });
}

#define SUBJECT struct scry_c_stack
static const struct scry_say stack_fields[] = {
	SAY_LIST("native_frames", &frame_facts, each_frame),
	SAY_TEXT("native_error", error),
	SAY_INT("count", count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("loops", loops, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const stack_text[] = {
	"{?count}    C stack, {count} frames, of which {loops} run Python:\n",
	"|{?native_error}    C stack, {count} frames, of which {loops} run Python:\n",
	"{native_frames}",
	"      {native_error}\n",
	NULL,
};

const struct scry_facts scry_facts_c_stack = { "C stack", stack_fields, stack_text, .through = 1 };

void scry_task_say_c_stack(const void *subject, struct scry_said *ret)
{
	struct scry_task *t = (struct scry_task *)(uintptr_t)subject;

	ret->at.in = (void *)(uintptr_t)t->ops->c_stack(t);
	scry_said_facts(ret, &scry_facts_c_stack, &ret->at.in);
	ret->kind = SCRY_SAID_FIELDS;
}

void scry_task_say_c_stack_lines(const void *subject, struct scry_said *ret)
{
	scry_task_say_c_stack(subject, ret);
	ret->kind = SCRY_SAID_FACTS;
}
