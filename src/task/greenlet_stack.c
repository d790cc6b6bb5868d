/*
 * The C stack of a greenlet: what was saved of it laid over its thread's stack, and unwound to
 * where it began.
 */
#include <stdlib.h>
#include <string.h>

#include "native/merge.h"
#include "object/object.h"
#include "target/overlay.h"
#include "task/greenlet.h"

#define SAVED_MAX ((uint64_t)64 << 20) /* bytes of a slice */
#define FRAME_MAX 4096                 /* bytes of the function that started a greenlet */

/* The extension, by its static type; where that is on the heap, by its name. */
static struct scry_module *find_module(struct scry_runtime *r, scry_addr type)
{
	struct scry_module *m;

	for (unsigned depth = 0; type && depth < 64; depth++) {
		const char *name;

		if (scry_type_full_name(r, type, &name) == SCRY_OK &&
		    !strcmp(name, "greenlet.greenlet") && (m = scry_module_at(r->session, type)))
			return m;
		type = scry_field_get(r, type, SCRY_F_TYPE_BASE);
	}
	for (m = scry_module_first(r->session); m; m = m->next)
		if (!strncmp(m->name, "_greenlet.", 10) || !strncmp(m->name, "greenlet.", 9))
			return m;
	return NULL;
}

/* 1.x: g_initialstub(), later UserGreenlet::g_initialstub(), mangled or not */
static bool is_outermost(const struct scry_symbol *symbol)
{
	return symbol->name && strstr(symbol->name, "g_initialstub");
}

static bool in_extension(struct scry_greenlets *all, const struct scry_c_frame *f)
{
	return scry_module_at(all->runtime->session, f->pc) == all->module;
}

/*
 * The frame that holds the mark where the stack began (g_switch()) belongs to who started the
 * greenlet. Where functions have no names, it is the last frame below the mark; unless the compiler
 * made one of it and the greenlet's.
 */
static void drop_starter(struct scry_greenlets *all, struct scry_c_stack *stack, scry_addr end)
{
	const struct scry_c_frame *last =
		stack->count > 1 ? &stack->frames[stack->count - 1] : NULL;

	if (last && end - last->sp < FRAME_MAX && in_extension(all, last) &&
	    in_extension(all, last - 1))
		stack->count--;
}

/* Between its last own frame and the end of its stack there is one frame, or none. */
static bool came_to_end(struct scry_greenlets *all, const struct scry_c_stack *stack, scry_addr end)
{
	const struct scry_c_frame *last = stack->count ? &stack->frames[stack->count - 1] : NULL;

	return last && end > last->sp && end - last->sp < FRAME_MAX && in_extension(all, last);
}

static const char *walk(const struct scry_greenlet *g, struct scry_c_walk *w,
			const struct scry_regs *regs)
{
	w->end = g->is_main ? 0 : g->stack_stop;
	w->is_last = g->is_main ? NULL : is_outermost;
	const char *error = scry_c_walk(w, regs);

	if (g->is_main || w->at_last)
		return error;
	if (w->at_end || came_to_end(g->all, w->stack, g->stack_stop)) {
		drop_starter(g->all, w->stack, g->stack_stop);
		return NULL;
	}
	return error ? error : "unwinding ended before the place where the greenlet began";
}

/* --- suspended --- */

static bool begins_as_switch(struct scry_greenlets *all, const struct scry_c_stack *stack)
{
	return stack->count > 1 && in_extension(all, &stack->frames[1]);
}

static const char *unwind_words(const struct scry_greenlet *g, struct scry_c_walk *w)
{
	struct scry_session *s = w->runtime->session;
	uint64_t words[SCRY_SWITCH_WORDS] = { 0 };
	struct scry_overlay over;
	struct scry_regs regs;

	scry_overlay_set(s->target, &over, w->start, w->words, w->count * sizeof(*w->words));
	scry_read_some(s, w->start, words, sizeof(words));
	scry_overlay_remove(s->target, &over);
	for (size_t i = 0; i < g->all->code_count; i++) {
		*w->stack = (struct scry_c_stack) { 0 };
		if (!scry_switch_code_regs(&g->all->code[i], s->target->arch, w->start, words,
					   &regs))
			continue;
		const char *error = walk(g, w, &regs);
		if (begins_as_switch(g->all, w->stack))
			return error;
	}
	*w->stack = (struct scry_c_stack) { 0 };
	return "the saved C stack does not begin as a switch leaves it";
}

static const char *unwind_saved(struct scry_task *t, const struct scry_greenlet *g,
				struct scry_c_stack *stack)
{
	uint64_t count = g->stack_saved / sizeof(uint64_t);

	if (g->stack_start % 8 || g->stack_start >= g->stack_stop || g->stack_saved > SAVED_MAX ||
	    g->stack_saved > g->stack_stop - g->stack_start || (g->stack_saved && !g->stack_copy))
		return "its saved C stack is damaged";
	if (g->orphaned && (g->is_main || g->stack_saved < g->stack_stop - g->stack_start))
		return "its thread has ended, and a part of its C stack with it";
	uint64_t *words = malloc((count + 1) * sizeof(*words));
	if (!words)
		return "out of memory";
	struct scry_c_walk w = { .runtime = t->runtime,
				 .stack = stack,
				 .start = g->stack_start,
				 .words = words,
				 .count = count };
	const char *error;
	if (scry_read(t->runtime->session, g->stack_copy, words, count * sizeof(*words)) < 0)
		error = scry_because(t->runtime);
	else
		error = unwind_words(g, &w);
	free(words);
	return error;
}

/* --- the running one --- */

static const char *unwind_thread(struct scry_task *t, const struct scry_greenlet *g,
				 struct scry_c_stack *stack)
{
	struct scry_session *s = t->runtime->session;
	const struct scry_thread *thread = t->thread;
	const struct scry_regs *regs =
		thread && thread->os ? scry_os_thread_regs(s->target, thread->os) : NULL;
	struct scry_c_walk w = { .runtime = t->runtime, .stack = stack };

	return regs ? walk(g, &w, regs) : "the registers of its thread are not known";
}

static const char *find_code(struct scry_task *t, const struct scry_greenlet *g)
{
	struct scry_greenlets *all = g->all;
	scry_addr type = 0;

	if (!all->code_known) {
		all->code_known = true;
		scry_type_of(t->runtime, t->addr, &type);
		all->module = find_module(t->runtime, type);
		if (all->module)
			all->code_count =
				scry_switch_code_find(all->module, all->code, SCRY_SWITCH_CODES);
	}
	if (!all->module)
		return "the module greenlet was not found: its C stack cannot be unwound";
	if (all->code_count)
		return NULL;
	if (!all->module->file)
		return scry_arena_printf(
			&t->runtime->session->arena, "nothing to unwind its C stack with: %s%s%s",
			all->module->name, all->module->problem ? ": " : " was not found",
			all->module->problem ? all->module->problem : "");
	return "the code that switches greenlets was not found: its C stack cannot be unwound";
}

static const char *unwind(struct scry_task *t, const struct scry_greenlet *g,
			  struct scry_c_stack *stack)
{
	const struct scry_target *target = t->runtime->session->target;

	if (g->switching)
		return "it is in the middle of a switch: its C stack is not whole";
	if (!g->is_current &&
	    (target->abi.ptr_size != 8 || target->abi.windows || target->abi.big_endian ||
	     !target->arch || !target->arch->knows_switch))
		return "saved C stacks of this machine cannot be unwound";
	const char *error = find_code(t, g);
	if (g->is_current)
		return unwind_thread(t, g, stack);
	return error ? error : unwind_saved(t, g, stack);
}

/* --- loops without a name --- */

static int next_python(void *task, struct scry_walk *walk, struct scry_frame *ret)
{
	return scry_task_frame_next(task, walk, ret);
}

static bool is_nameless(const struct scry_runtime *r, const struct scry_c_stack *stack)
{
	for (size_t i = 0; r->module && i < stack->count; i++)
		if (!stack->frames[i].function && stack->frames[i].module &&
		    !strcmp(stack->frames[i].module, r->module->name))
			return true;
	return false;
}

/*
 * Where the compiler split the interpreter's loop and strip took the names, Python's frames show
 * which frames it has.
 */
static void mark_loops(struct scry_task *t, struct scry_c_stack *stack)
{
	struct scry_merge m = { 0 };

	if (stack->error || !is_nameless(t->runtime, stack) ||
	    scry_merge_init(&m, t->runtime, stack, next_python, t) < 0 || m.unplaced)
		return;
	for (size_t i = 0; i < m.run_count; i++) {
		struct scry_c_frame *f = &stack->frames[m.runs[i].place];

		stack->loops += !f->loop;
		f->loop = true;
	}
}

const struct scry_c_stack *scry_greenlet_c_stack(struct scry_task *t)
{
	struct scry_greenlet *g = t->detail;

	if (g->c_stack)
		return g->c_stack;
	g->c_stack = scry_arena_alloc(&t->runtime->session->arena, sizeof(*g->c_stack));
	if (!g->c_stack || t->error || !g->stack_start)
		return g->c_stack;
	g->c_stack->error = unwind(t, g, g->c_stack);
	mark_loops(t, g->c_stack);
	return g->c_stack;
}
