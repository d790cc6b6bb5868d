/* Greenlets: who is whose parent, who runs, and the frames of those that are suspended. */
#include "task/greenlet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory/gc.h"
#include "object/model.h"
#include "task/greenlet_wait.h"
#include "task/loop.h"

#define FRAMES_MAX     10000000
#define EXCEPTIONS_MAX 1000

struct search {
	struct scry_greenlets *all;
	struct scry_runtime *runtime;
	struct scry_kinds kinds;
	struct scry_holders holders;
	scry_addr *list; /* greenlets on the heap */
	size_t count, room;
	struct scry_task **tail;
};

static scry_addr all_ones(const struct scry_runtime *r)
{
	return r->session->target->abi.ptr_size == 4 ? 0xffffffffu : ~(scry_addr)0;
}

/* --- one greenlet --- */

static bool is_exception(struct scry_runtime *r, scry_addr value)
{
	struct scry_type *type;

	return value && scry_type_for(r, value, &type) == SCRY_OK && type->flags & TYPE_EXCEPTION;
}

/*
 * The exception being handled while the greenlet is suspended. exc_info is the thread's chain,
 * through the generators that it is in; its last item is the thread state's, whose value was
 * saved apart.
 */
static scry_addr exception_of(struct scry_runtime *r, scry_addr base, enum scry_field info,
			      enum scry_field state)
{
	scry_addr item = scry_field_get(r, base, info), saved = scry_field_addr(r, base, state);

	for (unsigned depth = 0; depth < EXCEPTIONS_MAX; depth++) {
		scry_addr previous = item ? scry_field_get(r, item, SCRY_F_EXC_INFO_PREVIOUS) : 0;
		scry_addr value = scry_field_get(r, previous ? item : saved, SCRY_F_EXC_INFO_VALUE);

		if (is_exception(r, value))
			return value;
		if (!previous)
			break;
		item = previous;
	}
	return 0;
}

/*
 * Up to 1.x all is in the object. run_info is the callable at first, then the dict of the
 * thread's state.
 */
static void read_plain(struct scry_runtime *r, scry_addr addr, struct scry_greenlet *g)
{
	scry_addr info = scry_field_get(r, addr, SCRY_F_GREENLET_RUN_INFO);

	g->stack_start = scry_field_get(r, addr, SCRY_F_GREENLET_STACK_START);
	g->stack_stop = scry_field_get(r, addr, SCRY_F_GREENLET_STACK_STOP);
	g->stack_copy = scry_field_get(r, addr, SCRY_F_GREENLET_STACK_COPY);
	g->stack_saved = scry_field_get(r, addr, SCRY_F_GREENLET_STACK_SAVED);
	g->top_frame = scry_field_get(r, addr, SCRY_F_GREENLET_TOP_FRAME);
	g->parent = scry_field_get(r, addr, SCRY_F_GREENLET_PARENT);
	g->is_main = g->stack_stop == all_ones(r);
	g->run = g->stack_stop ? 0 : info;
	g->thread_dict = g->stack_stop ? info : 0;
	if (!g->top_frame)
		return;
	g->context = scry_field_get(r, addr, SCRY_F_GREENLET_CONTEXT);
	g->exception =
		scry_layout_has(r->layout, SCRY_F_GREENLET_EXC_INFO)
			? exception_of(r, addr, SCRY_F_GREENLET_EXC_INFO, SCRY_F_GREENLET_EXC_STATE)
			: scry_field_get(r, addr, SCRY_F_GREENLET_EXC_VALUE);
	g->exception = is_exception(r, g->exception) ? g->exception : 0;
}

/* From 2.0 on the object points to a C++ one, which points back. */
static const char *read_impl(struct scry_runtime *r, scry_addr addr, struct scry_greenlet *g)
{
	scry_addr impl = scry_field_get(r, addr, SCRY_F_GREENLET_PIMPL);

	if (!impl)
		return "it has lost its state";
	/* MainGreenlet's own members begin with _self up to 3.1.0, as UserGreenlet's do */
	if (scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_SELF) != addr)
		return "its state belongs to another object, or its version is not known";
	scry_read_ptr(r->session, impl, &g->vtable);
	g->stack_stop = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_STACK_STOP);
	g->is_main = g->stack_stop == all_ones(r);
	g->stack_start = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_STACK_START);
	g->stack_copy = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_STACK_COPY);
	g->stack_saved = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_STACK_SAVED);
	g->top_frame = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_TOP_FRAME);
	if (!g->top_frame)
		return NULL;
	g->prev_frame = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_PREV_FRAME);
	g->context = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_CONTEXT);
	g->exception = scry_layout_has(r->layout, SCRY_F_GREENLET_IMPL_EXC_INFO)
			       ? exception_of(r, impl, SCRY_F_GREENLET_IMPL_EXC_INFO,
					      SCRY_F_GREENLET_IMPL_EXC_STATE)
			       : scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_EXC_VALUE);
	g->exception = is_exception(r, g->exception) ? g->exception : 0;
	return NULL;
}

/*
 * The members that MainGreenlet and UserGreenlet do not share. The main greenlet of a thread that
 * has ended is no longer marked as one: then only its class shows it, as the others' classes do.
 */
static void read_rest(struct scry_runtime *r, scry_addr addr, struct scry_greenlet *g)
{
	scry_addr impl = scry_field_get(r, addr, SCRY_F_GREENLET_PIMPL);

	g->is_main = g->is_main || (g->vtable && g->vtable == g->all->main_vtable);
	if (g->is_main) {
		g->thread_state = scry_field_get(r, impl, SCRY_F_GREENLET_MAIN_THREAD_STATE);
		if (scry_field_get(r, g->thread_state, SCRY_F_GREENLET_THREAD_MAIN) == addr)
			g->current =
				scry_field_get(r, g->thread_state, SCRY_F_GREENLET_THREAD_CURRENT);
		return;
	}
	g->main = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_MAIN);
	g->run = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_RUN);
	g->parent = scry_field_get(r, impl, SCRY_F_GREENLET_IMPL_PARENT);
}

/* As far as it is known alone: scry_greenlet_find_threads() knows better. */
static enum scry_task_state state_of(const struct scry_greenlet *g)
{
	if (!g->stack_stop)
		return SCRY_TASK_NOT_STARTED;
	if (!g->stack_start)
		return SCRY_TASK_DEAD;
	return g->top_frame || g->stack_saved ? SCRY_TASK_SUSPENDED : SCRY_TASK_ACTIVE;
}

/* The innermost frame: from 3.11 on the frame object is a handle. */
static scry_addr innermost(struct scry_runtime *r, scry_addr frame)
{
	if (!frame || !scry_layout_has(r->layout, SCRY_F_FRAME_INNER))
		return frame;
	return scry_field_get(r, frame, SCRY_F_FRAME_INNER);
}

/* A class of its own says more than "greenlet"; gevent's have names, too. */
static const char *name_of(struct scry_runtime *r, scry_addr addr, const char *type)
{
	scry_addr name;
	const char *text, *dot = strrchr(type, '.');

	if (!strncmp(type, "greenlet.", 9))
		return NULL;
	if (scry_attr(r, addr, "name", &name) == SCRY_OK &&
	    scry_text_at(r, name, 1000, &text) == SCRY_OK && *text)
		return text;
	text = scry_gevent_name(r, addr);
	return text ? text : dot ? dot + 1 : type;
}

static struct scry_task *add(struct search *s, scry_addr addr)
{
	struct scry_runtime *r = s->runtime;
	struct scry_task *t = scry_hash_find(&s->all->tasks, addr);
	scry_addr type;

	if (t || scry_kind_of(&s->kinds, addr) != SCRY_KIND_GREENLET)
		return t;
	struct scry_greenlet *g = scry_arena_alloc(&r->session->arena, sizeof(*g));
	t = g ? scry_task_add(r, &scry_task_greenlet, addr, &s->tail) : NULL;
	if (!t || !scry_hash_put(&s->all->tasks, addr, t))
		return NULL;
	t->detail = g;
	g->all = s->all;
	g->type = "?";
	if (scry_type_of(r, addr, &type) == SCRY_OK)
		scry_type_full_name(r, type, &g->type);
	if (scry_layout_has(r->layout, SCRY_F_GREENLET_PIMPL))
		t->error = read_impl(r, addr, g);
	else
		read_plain(r, addr, g);
	if (g->is_main && g->vtable)
		s->all->main_vtable = g->vtable;
	t->name = name_of(r, addr, g->type);
	t->state = t->error ? SCRY_TASK_UNKNOWN : state_of(g);
	t->frame = innermost(r, g->top_frame);
	return t;
}

/*
 * What can be told when all of the heap's are known; adds what they point to and the collector does
 * not know.
 */
static void complete(struct search *s, struct scry_task *t)
{
	struct scry_greenlet *g = t->detail;
	scry_addr run;

	if (!t->error && g->vtable)
		read_rest(s->runtime, t->addr, g);
	/* gevent keeps it */
	if (!g->run && t->name && scry_attr(s->runtime, t->addr, "_run", &run) == SCRY_OK)
		g->run = run;
	add(s, g->parent);
	add(s, g->main);
	t->parent = g->parent;
}

/* --- collecting --- */

static void note_greenlet(struct search *s, scry_addr object)
{
	if (s->count == s->room) {
		size_t room = s->room * 2 + 64;
		scry_addr *more = realloc(s->list, room * sizeof(*more));

		if (!more)
			return;
		s->list = more;
		s->room = room;
	}
	s->list[s->count++] = object;
}

static void from_heap(struct search *s, struct scry_interp *interp)
{
	struct scry_gc gc;
	scry_addr object;

	if (scry_gc_open(&gc, interp) < 0) {
		scry_note(s->runtime->session, "greenlets may be missing: %s",
			  s->runtime->session->error.text);
		return;
	}
	while (scry_gc_next(&gc, &object) == SCRY_ITEM) {
		if (scry_kind_of(&s->kinds, object) == SCRY_KIND_GREENLET)
			note_greenlet(s, object);
		scry_holder_note(&s->holders, object);
	}
	scry_gc_done(&gc);
}

static bool is_imported(struct scry_runtime *r)
{
	bool imported = false;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		bool has = scry_loop_module(i, "greenlet") != 0;

		imported = imported || has;
		if (!has && !scry_loop_module(i, "sys") && !scry_loop_module(i, "__main__"))
			scry_note(r->session,
				  "sys.modules of interpreter %" PRId64 " is missing or damaged: "
				  "greenlets were not looked for",
				  i->id);
	}
	return imported;
}

static void decode(struct search *s, struct scry_task **first)
{
	for (size_t i = 0; i < s->count; i++)
		add(s, s->list[i]);
	for (struct scry_task *t = *first; t; t = t->next)
		complete(s, t);
	scry_greenlet_find_threads(s->all, *first);
	scry_greenlet_find_waits(&s->holders, s->all, *first);
	scry_hash_done(&s->all->tasks);
}

static struct scry_task **collect(struct scry_runtime *r, struct scry_task **tail)
{
	struct search s = { .runtime = r, .kinds = SCRY_KINDS_INIT(r), .tail = tail };

	if (scry_model_of(r)->suspended)
		return scry_pypy_greenlets_collect(r, tail);
	s.all = is_imported(r) ? scry_arena_alloc(&r->session->arena, sizeof(*s.all)) : NULL;
	if (!s.all)
		return tail;
	s.all->runtime = r;
	s.holders.runtime = r;
	s.holders.kinds = &s.kinds;
	for (struct scry_interp *i = r->interps; i; i = i->next)
		from_heap(&s, i);
	if (scry_greenlet_lay_out(r, &s.kinds, s.list, s.count))
		decode(&s, tail);
	free(s.list);
	scry_holders_done(&s.holders);
	scry_kinds_done(&s.kinds);
	return s.tail;
}

/* --- frames --- */

/*
 * An address on the part of the C stack that was saved: from 3.12 on there are entry frames in it.
 */
static scry_addr through_slice(const struct scry_greenlet *g, scry_addr addr)
{
	if (g->stack_copy && addr >= g->stack_start && addr - g->stack_start < g->stack_saved)
		return addr - g->stack_start + g->stack_copy;
	return addr;
}

static int suspended_frame_next(struct scry_task *t, struct scry_walk *w, struct scry_frame *ret)
{
	const struct scry_greenlet *g = t->detail;

	if (!w->runtime)
		scry_walk_from(w, t->runtime, t->frame);
	while (w->next && !w->ended) {
		scry_addr at = w->next;

		if (w->steps++ >= FRAMES_MAX)
			return scry_fail(t->runtime->session, SCRY_ELIMIT, at,
					 "more than %d frames", FRAMES_MAX);
		scry_frame_at(t->runtime, through_slice(g, at), ret);
		w->next = ret->back ? ret->back : w->steps == 1 ? g->prev_frame : 0;
		w->ended = ret->kind == SCRY_FRAME_DAMAGED && !ret->code;
		ret->addr = at;
		/* Brent, as in runtime/frame.c */
		if (at == w->anchor || (w->next && w->next == at)) {
			w->ended = true;
			ret->kind = SCRY_FRAME_DAMAGED;
			ret->damaged = "the chain of frames leads back into itself";
		} else if (w->steps >= w->power) {
			w->anchor = at;
			w->power *= 2;
		}
		if (ret->kind == SCRY_FRAME_SHIM ||
		    (ret->incomplete && ret->kind != SCRY_FRAME_DAMAGED))
			continue;
		ret->depth = w->depth++;
		return SCRY_ITEM;
	}
	return SCRY_OK;
}

static int frame_next(struct scry_task *t, struct scry_walk *w, struct scry_frame *ret)
{
	const struct scry_greenlet *g = t->detail;

	if (t->frame && g->stack_start)
		return suspended_frame_next(t, w, ret);
	if (t->state != SCRY_TASK_ACTIVE || !t->thread)
		return SCRY_OK;
	if (!w->runtime)
		scry_walk_thread(w, (struct scry_thread *)(uintptr_t)t->thread);
	return scry_walk_next(w, ret);
}

const struct scry_task_ops scry_task_greenlet = {
	.kind = "greenlet",
	.command = "greenlets",
	.collect = collect,
	.frame_next = frame_next,
	.c_stack = scry_greenlet_c_stack,
	.facts = &scry_facts_greenlet,
};
