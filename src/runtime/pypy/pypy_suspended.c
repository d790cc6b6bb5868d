/* PyPy's generators, wherever they are on the heap (pypy/interpreter/generator.py). */
#include "runtime/pypy/pypy_suspended.h"

#include <stdlib.h>

#include "runtime/pypy/pypy_trace.h"

#define NAME_MAX_BYTES 1000

struct generators {
	struct scry_pypy_reach reach;
	struct scry_pypy *p;
	struct scry_pypy_generator **list; /* malloc'd: to be sorted */
	size_t count, room;
};

static const char *name_of(struct scry_pypy *p, const struct scry_pypy_generator *g)
{
	scry_addr name = scry_pypy_get(p, g->addr, SCRY_PYPY_GENERATOR_QUALNAME);
	struct scry_code *code;
	const char *text;

	if (name && scry_pypy_text_at(p->runtime, name, NAME_MAX_BYTES, &text) == SCRY_OK)
		return text;
	code = scry_code_at(p->runtime, scry_pypy_get(p, g->addr, SCRY_PYPY_GENERATOR_CODE));
	return code && !code->damaged ? code->name : NULL;
}

/* What asend(), athrow() and __await__() return stands between two generators. */
static scry_addr behind(struct scry_pypy *p, scry_addr object)
{
	static const struct {
		enum scry_pypy_class class;
		enum scry_pypy_field leads;
	} between[] = { { SCRY_PYPY_CLASS_ASYNC_STEP, SCRY_PYPY_ASYNC_STEP_OF },
			{ SCRY_PYPY_CLASS_COROUTINE_WRAPPER, SCRY_PYPY_WRAPPER_OF } };
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);

	for (size_t i = 0; i < sizeof(between) / sizeof(*between); i++)
		if (scry_pypy_is(p, t, between[i].class)) {
			object = scry_pypy_get(p, object, between[i].leads);
			return scry_pypy_type_of(p, &object) ? object : 0;
		}
	return object;
}

/* One that is over has no frame, or its frame has ended. */
static bool read_generator(struct scry_pypy *p, struct scry_pypy_generator *g)
{
	const struct scry_pypy_type *t;
	struct scry_frame f;

	g->frame = scry_pypy_get(p, g->addr, SCRY_PYPY_GENERATOR_FRAME);
	t = scry_pypy_type_of(p, &g->frame);
	if (!scry_pypy_is(p, t, SCRY_PYPY_CLASS_FRAME) ||
	    scry_pypy_get(p, g->frame, SCRY_PYPY_FRAME_FINISHED)) {
		g->frame = 0;
		return false;
	}
	/* what the JIT holds of it is brought up to date by that */
	if (scry_frame_at(p->runtime, g->frame, &f) == SCRY_OK)
		g->frame = f.addr;
	g->hidden = f.kind == SCRY_FRAME_SHIM;
	g->running = scry_pypy_get(p, g->addr, SCRY_PYPY_GENERATOR_RUNNING) & 1;
	g->started = (int64_t)scry_pypy_get(p, g->frame, SCRY_PYPY_FRAME_LAST_INSTR) != -1;
	g->awaits = scry_pypy_get(p, g->frame, SCRY_PYPY_FRAME_YIELDS_FROM);
	t = scry_pypy_type_of(p, &g->awaits);
	if (!t)
		g->awaits = 0;
	g->leads_to = g->awaits ? behind(p, g->awaits) : 0;
	g->name = name_of(p, g);
	return true;
}

static enum scry_pypy_generator_kind kind_of(struct scry_pypy *p, const struct scry_pypy_type *t)
{
	if (scry_pypy_is(p, t, SCRY_PYPY_CLASS_COROUTINE))
		return SCRY_PYPY_GENERATOR_COROUTINE;
	return scry_pypy_is(p, t, SCRY_PYPY_CLASS_ASYNC_GENERATOR) ? SCRY_PYPY_GENERATOR_ASYNC
								   : SCRY_PYPY_GENERATOR_PLAIN;
}

bool scry_pypy_generator_at(struct scry_runtime *r, scry_addr addr, struct scry_pypy_generator *ret)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &addr);

	if (!scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_GENERATOR))
		return false;
	*ret = (struct scry_pypy_generator) { .addr = addr, .kind = kind_of(r->pypy, t) };
	read_generator(r->pypy, ret);
	return true;
}

static void found(struct scry_pypy_reach *out, scry_addr at, const struct scry_pypy_type *t)
{
	struct generators *s = (struct generators *)out;
	struct scry_pypy_generator **list, *g, read = { .addr = at };

	if (!scry_pypy_is(s->p, t, SCRY_PYPY_CLASS_GENERATOR) || !read_generator(s->p, &read))
		return;
	read.kind = kind_of(s->p, t);
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;

		if (!(list = reallocarray(s->list, room, sizeof(*list))))
			return;
		s->list = list;
		s->room = room;
	}
	g = scry_arena_alloc(&s->p->runtime->session->arena, sizeof(*g));
	if (!g)
		return;
	*g = read;
	s->list[s->count++] = g;
}

static int by_address(const void *left, const void *right)
{
	const struct scry_pypy_generator *a = *(void *const *)left, *b = *(void *const *)right;

	return (a->addr > b->addr) - (a->addr < b->addr);
}

struct scry_pypy_generator *scry_pypy_generators(struct scry_runtime *r, int *ret_rc)
{
	struct generators s = { .reach = { .found = found }, .p = r->pypy };
	struct scry_pypy_generator *first;

	*ret_rc = scry_pypy_reach(r->pypy, &s.reach);
	if (s.count)
		qsort(s.list, s.count, sizeof(*s.list), by_address);
	for (size_t i = 0; i + 1 < s.count; i++)
		s.list[i]->next = s.list[i + 1];
	first = s.count ? s.list[0] : NULL;
	free(s.list);
	return first;
}
