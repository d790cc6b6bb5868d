/*
 * PyPy's continulets, on which greenlets are built
 * (pypy/module/_continuation/interp_continuation.py). The frames of one that is suspended are a
 * ring through its bottom frame; of one that runs the bottom frame is in its thread's chain, and
 * the ring has the frames of whoever it switched from.
 */
#include <stdlib.h>

#include "runtime/pypy/pypy_suspended.h"
#include "runtime/pypy/pypy_trace.h"

#define FRAMES_MAX 1000000 /* of one thread; of all rings together */

struct continulets {
	struct scry_pypy_reach reach;
	struct scry_pypy *p;
	struct scry_hash on_threads; /* frames of threads, by address */
	struct scry_pypy_continulet *first, **tail;
	size_t steps; /* along all rings */
};

static void take_threads(struct continulets *s)
{
	struct scry_runtime *r = s->p->runtime;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		scry_addr at = t->runtime == r ? t->top : 0;

		for (unsigned n = 0; at && n < FRAMES_MAX; n++) {
			struct scry_frame f = { .runtime = r, .addr = at };

			if (r->strategy->frame_read(r, at, &f) < 0 ||
			    scry_hash_add(&s->on_threads, f.addr) <= 0)
				break;
			at = f.back;
		}
	}
}

/*
 * From the newest to the one before the bottom, which is the interpreter's own. A damaged ring may
 * come back to another frame than its bottom, be it of frames that are not kept: Brent's search.
 */
static void read_ring(struct continulets *s, scry_addr bottom, struct scry_pypy_continulet *c)
{
	struct scry_runtime *r = s->p->runtime;
	struct scry_frame f = { .runtime = r, .addr = bottom };
	scry_addr at, known = 0;
	size_t room = 0, step = 0, next = 1;

	if (r->strategy->frame_read(r, bottom, &f) < 0) {
		c->error = "its frames cannot be read";
		return;
	}
	bottom = f.addr;
	for (at = f.back; at && at != bottom; at = f.back) {
		f = (struct scry_frame) { .runtime = r, .addr = at };
		if (s->steps++ >= FRAMES_MAX) {
			c->error =
				"its older frames are left out: all stacks together are too long";
			return;
		}
		if (r->strategy->frame_read(r, at, &f) < 0 || f.addr == known) {
			c->error = "its chain of frames is broken";
			return;
		}
		if (f.addr == bottom)
			return;
		if (++step == next) {
			known = f.addr;
			next *= 2;
		}
		if (f.kind == SCRY_FRAME_SHIM)
			continue;
		scry_addr *list = scry_arena_grow(&r->session->arena, c->frames, c->count, &room,
						  sizeof(*list), 8);
		if (!list)
			return;
		c->frames = list;
		c->frames[c->count++] = f.addr;
	}
}

/* Has it a stack that is put aside? { s_handle, ... }; 0: it is over. */
static bool has_stack(struct scry_pypy *p, scry_addr object)
{
	scry_addr stacklet = scry_pypy_get(p, object, SCRY_PYPY_CONTINULET_STACKLET), handle = 0;

	return stacklet && scry_pypy_type_of(p, &stacklet) &&
	       scry_read_ptr(p->runtime->session, stacklet + 8, &handle) == SCRY_OK && handle;
}

static void found(struct scry_pypy_reach *out, scry_addr at, const struct scry_pypy_type *t)
{
	struct continulets *s = (struct continulets *)out;
	struct scry_pypy_continulet *c;
	scry_addr bottom;

	if (!scry_pypy_is(s->p, t, SCRY_PYPY_CLASS_CONTINULET))
		return;
	c = scry_arena_alloc(&s->p->runtime->session->arena, sizeof(*c));
	if (!c)
		return;
	*c = (struct scry_pypy_continulet) { .addr = at };
	*s->tail = c;
	s->tail = &c->next;
	bottom = scry_pypy_get(s->p, at, SCRY_PYPY_CONTINULET_FRAME);
	if (!scry_pypy_get(s->p, at, SCRY_PYPY_CONTINULET_THREAD) ||
	    !scry_pypy_type_of(s->p, &bottom))
		return; /* SCRY_PYPY_CONTINULET_NEW */
	if (!has_stack(s->p, at)) {
		c->state = SCRY_PYPY_CONTINULET_OVER;
		return;
	}
	c->state = scry_hash_find(&s->on_threads, bottom) ? SCRY_PYPY_CONTINULET_RUNS
							  : SCRY_PYPY_CONTINULET_SUSPENDED;
	read_ring(s, bottom, c);
}

struct scry_pypy_continulet *scry_pypy_continulets(struct scry_runtime *r, int *ret_rc)
{
	struct continulets s = { .reach = { .found = found }, .p = r->pypy };

	s.tail = &s.first;
	take_threads(&s);
	*ret_rc = scry_pypy_reach(r->pypy, &s.reach);
	scry_hash_done(&s.on_threads);
	return s.first;
}
