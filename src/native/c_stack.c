/* C stacks that are kept. */
#include "native/c_stack.h"

#include <string.h>

bool scry_is_function(const struct scry_symbol *symbol, const char *name)
{
	size_t len = strlen(name);

	return symbol->name && !strncmp(symbol->name, name, len) &&
	       (!symbol->name[len] || symbol->name[len] == '.');
}

static bool make_room(struct scry_c_stack *stack, struct scry_arena *arena)
{
	struct scry_c_frame *frames = NULL;

	if (stack->count < stack->room || stack->count < SCRY_C_STACK_MAX)
		frames = scry_arena_grow(arena, stack->frames, stack->count, &stack->room,
					 sizeof(*frames), 32);
	if (!frames)
		return false;
	stack->frames = frames;
	return true;
}

static bool is_last(const struct scry_c_stack *stack, const char *name)
{
	struct scry_symbol symbol = { .name = stack->count
						      ? stack->frames[stack->count - 1].function
						      : NULL };

	return scry_is_function(&symbol, name);
}

/*
 * slp_eval_frame_value() (PyEval_EvalFrame_value() before 2.7.13 and 3.4.3) runs one Python frame
 * each, called by PyEval_EvalFrameEx_slp() or by a dispatcher (Python/ceval.c,
 * Stackless/core/stacklesseval.c). Its caller alone is there while it calls a trace function,
 * or where the compiler made one of both; but not where it moved the frame to a stack of its own.
 */
static bool is_stackless_loop(const struct scry_c_stack *stack, const struct scry_symbol *symbol)
{
	size_t n = stack->count;

	if (scry_is_function(symbol, "slp_eval_frame_value") ||
	    scry_is_function(symbol, "PyEval_EvalFrame_value"))
		return true;
	return scry_is_function(symbol, "PyEval_EvalFrameEx_slp") && n &&
	       !stack->frames[n - 1].loop && !is_last(stack, "slp_eval_frame_newstack");
}

static bool is_loop(const struct scry_runtime *r, const struct scry_c_stack *stack,
		    const struct scry_symbol *symbol)
{
	if (!r || !r->layout)
		return false;
	if (r->layout->flavour.stackless)
		return is_stackless_loop(stack, symbol);
	/* 3.6 put a function of its own below PyEval_EvalFrameEx(): PEP 523 */
	return scry_is_function(symbol, scry_trait(r, SCRY_TRAIT_EVAL_FRAME_DEFAULT)
						? "_PyEval_EvalFrameDefault"
						: "PyEval_EvalFrameEx");
}

bool scry_c_stack_put(struct scry_c_stack *stack, struct scry_session *s,
		      const struct scry_c_frame *frame)
{
	if (!make_room(stack, &s->arena))
		return false;
	stack->frames[stack->count++] = *frame;
	stack->loops += frame->loop;
	return true;
}

/* The file that a frame's code is from, and where it begins; the vDSO is none, and has a name. */
static const char *file_of(struct scry_session *s, const struct scry_native_frame *f,
			   scry_addr *ret_start)
{
	const struct scry_map *map =
		!f->module && s->target->vdso ? scry_map_at(s->target, f->pc) : NULL;

	*ret_start = f->module ? f->module->start : 0;
	if (!map || map->start != s->target->vdso)
		return f->module ? f->module->name : NULL;
	*ret_start = map->start;
	return "[vdso]";
}

bool scry_c_stack_add(struct scry_c_stack *stack, struct scry_session *s,
		      const struct scry_runtime *r, const struct scry_native_frame *f)
{
	scry_addr start;
	const char *file = file_of(s, f, &start);
	const struct scry_c_frame frame = { .pc = f->pc,
					    .sp = f->regs.value[f->regs.arch->sp],
					    .function = f->symbol.name,
					    .module = file,
					    .offset = f->pc - start,
					    .is_call = f->is_call,
					    .is_signal = f->is_signal,
					    .is_guess = f->is_guess,
					    .after_guess = f->after_guess,
					    .loop = is_loop(r, stack, &f->symbol) };
	return scry_c_stack_put(stack, s, &frame);
}

/*
 * UserGreenlet::g_initialstub(), up to 1.x g_initialstub(): there the stack of a greenlet begins.
 * What stands above it was another's when that started this one, and may be old.
 */
static bool begins_greenlet(const struct scry_native_frame *f)
{
	return f->symbol.name && strstr(f->symbol.name, "g_initialstub") && f->module &&
	       strstr(f->module->name, "greenlet");
}

struct of_thread {
	struct scry_c_stack *stack;
	struct scry_thread *thread;
	bool full, ended;
};

static bool each(void *arg, const struct scry_native_frame *f)
{
	struct of_thread *to = arg;

	to->full = !scry_c_stack_add(to->stack, to->thread->session, to->thread->runtime, f);
	to->ended = !to->full && begins_greenlet(f);
	return !to->full && !to->ended;
}

struct scry_c_stack *scry_thread_c_stack(struct scry_thread *t)
{
	struct scry_session *s = t->session;
	struct scry_c_stack *stack = scry_arena_alloc(&s->arena, sizeof(*stack));
	struct of_thread to = { .stack = stack, .thread = t };

	if (!stack)
		return NULL;
	if (scry_thread_is_gone(t))
		return stack; /* where nobody runs nothing is missing */
	bool ended = scry_unwind(s, scry_os_thread_regs(s->target, t->os), each, &to) >= 0 ||
		     to.ended || (t->os->cloned && stack->count == 1);
	if (!ended)
		stack->error = scry_arena_printf(&s->arena, "%s", s->error.text);
	else if (to.full)
		stack->error = "it is too deep to be kept";
	return stack;
}
