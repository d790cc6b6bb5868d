/* Greenlets: who is whose parent, who runs, and the frames of those that are suspended. */
#include "task/greenlet.h"

#include <inttypes.h>
#include <string.h>

#include "heap/gc.h"
#include "object/internal.h"

#define FRAMES_MAX 10000000
#define PARENTS_MAX 10000

struct search {
	struct scry_runtime *runtime;
	struct scry_kinds kinds;
	struct scry_hash seen; /* greenlets by address: their tasks */
	struct scry_task **tail;
};

static scry_addr pointer(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t value = 0;

	return scry_layout_has(r->layout, f) && scry_field_read(r, base, f, &value) == SCRY_OK ? value : 0;
}

static scry_addr all_ones(const struct scry_runtime *r)
{
	return r->session->target->abi.ptr_size == 4 ? 0xffffffffu : ~(scry_addr)0;
}

/* --- one greenlet --- */

/* Up to 1.x all stands in the object. run_info is the callable at first, then the dict of the thread's state. */
static void read_plain(struct scry_runtime *r, scry_addr addr, struct scry_greenlet *g)
{
	scry_addr info = pointer(r, addr, SCRY_F_GREENLET_RUN_INFO);

	g->stack_start = pointer(r, addr, SCRY_F_GREENLET_STACK_START);
	g->stack_stop = pointer(r, addr, SCRY_F_GREENLET_STACK_STOP);
	g->stack_copy = pointer(r, addr, SCRY_F_GREENLET_STACK_COPY);
	g->stack_saved = pointer(r, addr, SCRY_F_GREENLET_STACK_SAVED);
	g->top_frame = pointer(r, addr, SCRY_F_GREENLET_TOP_FRAME);
	g->parent = pointer(r, addr, SCRY_F_GREENLET_PARENT);
	g->is_main = g->stack_stop == all_ones(r);
	g->run = g->stack_stop ? 0 : info;
	g->thread_dict = g->stack_stop ? info : 0;
}

/* From 2.0 on the object points to a C++ one, which points back. */
static const char *read_impl(struct scry_runtime *r, scry_addr addr, struct scry_greenlet *g)
{
	scry_addr impl = pointer(r, addr, SCRY_F_GREENLET_PIMPL);

	if (!impl)
		return "it has lost its state";
	g->stack_stop = pointer(r, impl, SCRY_F_GREENLET_IMPL_STACK_STOP);
	g->is_main = g->stack_stop == all_ones(r);
	/* MainGreenlet's own members begin with _self up to 3.1.0, as UserGreenlet's do */
	if (pointer(r, impl, SCRY_F_GREENLET_IMPL_SELF) != addr)
		return "its state belongs to another object, or its version is not known";
	g->stack_start = pointer(r, impl, SCRY_F_GREENLET_IMPL_STACK_START);
	g->stack_copy = pointer(r, impl, SCRY_F_GREENLET_IMPL_STACK_COPY);
	g->stack_saved = pointer(r, impl, SCRY_F_GREENLET_IMPL_STACK_SAVED);
	g->top_frame = pointer(r, impl, SCRY_F_GREENLET_IMPL_TOP_FRAME);
	if (!g->is_main) {
		g->main = pointer(r, impl, SCRY_F_GREENLET_IMPL_MAIN);
		g->run = pointer(r, impl, SCRY_F_GREENLET_IMPL_RUN);
		g->parent = pointer(r, impl, SCRY_F_GREENLET_IMPL_PARENT);
	}
	return NULL;
}

static const char *state_of(const struct scry_greenlet *g)
{
	if (!g->stack_stop)
		return "not started";
	if (!g->stack_start)
		return "dead";
	return g->top_frame ? "suspended" : "active";
}

/* The innermost frame: from 3.11 on the frame object is a handle. */
static scry_addr innermost(struct scry_runtime *r, scry_addr frame)
{
	if (!frame || !scry_layout_has(r->layout, SCRY_F_FRAME_INNER))
		return frame;
	return pointer(r, frame, SCRY_F_FRAME_INNER);
}

/* A class of its own says more than "greenlet"; gevent's have names, too. */
static const char *name_of(struct scry_runtime *r, scry_addr addr, const char *type)
{
	scry_addr name;
	const char *text, *dot = strrchr(type, '.');

	if (!strncmp(type, "greenlet.", 9))
		return NULL;
	if (scry_attr(r, addr, "name", &name) == SCRY_OK && scry_text_at(r, name, 1000, &text) == SCRY_OK && *text)
		return text;
	return dot ? dot + 1 : type;
}

static struct scry_task *add(struct search *s, scry_addr addr)
{
	struct scry_runtime *r = s->runtime;
	struct scry_task *t = scry_hash_find(&s->seen, addr);
	scry_addr type, run;

	if (t || scry_kind_of(&s->kinds, addr) != SCRY_KIND_GREENLET)
		return t;
	struct scry_greenlet *g = scry_arena_alloc(&r->session->arena, sizeof(*g));
	t = g ? scry_task_add(r, &scry_task_greenlet, addr, &s->tail) : NULL;
	if (!t || !scry_hash_put(&s->seen, addr, t))
		return NULL;
	t->detail = g;
	g->type = "?";
	if (scry_type_of(r, addr, &type) == SCRY_OK)
		scry_type_full_name(r, type, &g->type);
	if (scry_layout_has(r->layout, SCRY_F_GREENLET_PIMPL))
		t->error = read_impl(r, addr, g);
	else
		read_plain(r, addr, g);
	t->name = name_of(r, addr, g->type);
	if (!g->run && t->name && scry_attr(r, addr, "_run", &run) == SCRY_OK) /* gevent keeps it */
		g->run = run;
	t->state = t->error ? "unknown" : state_of(g);
	t->parent = g->parent;
	t->frame = innermost(r, g->top_frame);
	return t;
}

/* --- threads --- */

/* The main greenlet that a greenlet's parents lead to: itself where they lead to none. */
static struct scry_task *main_of(struct search *s, struct scry_task *t)
{
	for (unsigned n = 0; n < PARENTS_MAX; n++) {
		const struct scry_greenlet *g = t->detail;
		struct scry_task *up = scry_hash_find(&s->seen, g->main ? g->main : g->parent);

		if (g->is_main || !up || up == t)
			break;
		t = up;
	}
	return t;
}

static uint64_t stack_pointer(struct scry_session *s, const struct scry_thread *thread)
{
	static const char *const names[] = { "rsp", "sp", "esp" };
	const struct scry_regs *regs = thread->os ? scry_os_thread_regs(s->target, thread->os) : NULL;
	uint64_t sp = 0;

	for (size_t i = 0; regs && i < sizeof(names) / sizeof(*names) && !sp; i++)
		if (!scry_regs_find(regs, names[i], &sp))
			sp = 0;
	return sp;
}

/* Where a greenlet's stack began lies on the stack of its thread: the one whose stack pointer is nearest. */
static const struct scry_thread *thread_by_stack(struct search *s, scry_addr stack)
{
	const struct scry_thread *best = NULL;
	uint64_t distance = UINT64_MAX;

	for (struct scry_thread *t = scry_thread_first(s->runtime->session); t; t = t->next) {
		uint64_t sp = t->runtime == s->runtime ? stack_pointer(s->runtime->session, t) : 0;
		uint64_t d = sp > stack ? sp - stack : stack - sp;

		if (sp && d < distance) {
			distance = d;
			best = t;
		}
	}
	return best;
}

static const struct scry_thread *thread_by_dict(struct search *s, scry_addr dict)
{
	for (struct scry_thread *t = scry_thread_first(s->runtime->session); t; t = t->next)
		if (t->runtime == s->runtime && t->state && pointer(s->runtime, t->state, SCRY_F_THREAD_DICT) == dict)
			return t;
	return NULL;
}

static const struct scry_thread *only_thread(struct search *s)
{
	const struct scry_thread *only = NULL;

	for (struct scry_thread *t = scry_thread_first(s->runtime->session); t; t = t->next)
		if (t->runtime == s->runtime && t->state) {
			if (only)
				return NULL;
			only = t;
		}
	return only;
}

/* First the main greenlets, by what they or their children tell; then all others by their main one. */
static void find_threads(struct search *s, struct scry_task *first)
{
	const struct scry_thread *only = only_thread(s);

	for (struct scry_task *t = first; t; t = t->next) {
		const struct scry_greenlet *g = t->detail;
		struct scry_task *main = main_of(s, t);

		if (main->thread)
			continue;
		if (g->is_main && g->thread_dict)
			main->thread = thread_by_dict(s, g->thread_dict);
		else if (only)
			main->thread = only;
		else if (g->stack_stop && !g->is_main && !scry_layout_has(s->runtime->layout, SCRY_F_GREENLET_STACK_START))
			main->thread = thread_by_stack(s, g->stack_stop);
	}
	for (struct scry_task *t = first; t; t = t->next) {
		t->thread = main_of(s, t)->thread;
		t->thread_ident = t->thread ? t->thread->ident : 0;
	}
}

/* --- collecting --- */

static void from_heap(struct search *s, struct scry_interp *interp)
{
	struct scry_gc gc;
	scry_addr object;

	if (scry_gc_open(&gc, interp) < 0)
		return;
	while (scry_gc_next(&gc, &object) == SCRY_ITEM)
		if (scry_kind_of(&s->kinds, object) == SCRY_KIND_GREENLET)
			add(s, object);
	scry_gc_done(&gc);
}

static struct scry_task **collect(struct scry_runtime *r, struct scry_task **tail)
{
	struct search s = { .runtime = r, .kinds = SCRY_KINDS_INIT(r), .tail = tail };
	scry_addr module;
	bool imported = false;

	for (struct scry_interp *i = r->interps; i; i = i->next)
		imported = imported || (i->modules && scry_dict_get(r, i->modules, "greenlet", &module) == SCRY_OK);
	if (!imported || !scry_greenlet_lay_out(r))
		return tail;
	for (struct scry_interp *i = r->interps; i; i = i->next)
		from_heap(&s, i);
	/* parents that the collector does not know, and theirs */
	for (struct scry_task *t = *tail; t; t = t->next) {
		const struct scry_greenlet *g = t->detail;

		add(&s, g->parent);
		add(&s, g->main);
	}
	find_threads(&s, *tail);
	scry_hash_done(&s.seen);
	scry_kinds_done(&s.kinds);
	return s.tail;
}

/* --- frames --- */

/* An address on the part of the C stack that was saved: from 3.12 on there are entry frames in it. */
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
			return scry_fail(t->runtime->session, SCRY_ELIMIT, at, "more than %d frames", FRAMES_MAX);
		scry_frame_at(t->runtime, through_slice(g, at), ret);
		w->next = ret->back;
		w->ended = ret->kind == SCRY_FRAME_DAMAGED && !ret->code;
		ret->addr = at;
		if (at == w->anchor || (w->next && w->next == at)) { /* Brent, as in runtime/frame.c */
			w->ended = true;
			ret->kind = SCRY_FRAME_DAMAGED;
			ret->damaged = "the chain of frames leads back into itself";
		} else if (w->steps >= w->power) {
			w->anchor = at;
			w->power *= 2;
		}
		if (ret->kind == SCRY_FRAME_SHIM || (ret->incomplete && ret->kind != SCRY_FRAME_DAMAGED))
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
	if (strcmp(t->state, "active") || !t->thread)
		return SCRY_OK;
	if (!w->runtime)
		scry_walk_thread(w, (struct scry_thread *)(uintptr_t)t->thread);
	return scry_walk_next(w, ret);
}

/* --- text and JSON --- */

static void text(struct scry_task *t, struct scry_buf *out)
{
	const struct scry_greenlet *g = t->detail;

	if (g->is_main)
		scry_buf_puts(out, ", main");
}

static void lines(struct scry_task *t, struct scry_buf *out, bool verbose)
{
	const struct scry_greenlet *g = t->detail;

	if (t->name || verbose)
		scry_buf_printf(out, "    is a %s\n", g->type);
	if (g->parent)
		scry_buf_printf(out, "    child of 0x%" PRIx64 "\n", g->parent);
	if (g->run) {
		scry_buf_puts(out, "    runs ");
		scry_task_value_text(t->runtime, g->run, out);
		scry_buf_putc(out, '\n');
	}
	if (verbose && g->stack_start && !g->is_main)
		scry_buf_printf(out, "    C stack 0x%" PRIx64 "-0x%" PRIx64 ", %" PRIu64 " bytes saved at 0x%" PRIx64 "\n",
				g->stack_start, g->stack_stop, g->stack_saved, g->stack_copy);
}

static void json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_greenlet *g = t->detail;

	scry_json_key(j, "type");
	scry_json_text(j, g->type);
	scry_json_key(j, "is_main");
	scry_json_bool(j, g->is_main);
	scry_json_key(j, "run");
	scry_task_value_json(t->runtime, g->run, j);
	scry_json_key(j, "stack_saved");
	scry_json_int(j, (int64_t)g->stack_saved);
}

const struct scry_task_ops scry_task_greenlet = {
	.kind = "greenlet", .command = "greenlets", .collect = collect, .frame_next = frame_next,
	.text = text, .lines = lines, .json = json,
};
