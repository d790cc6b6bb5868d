/*
 * Every object that PyPy's collector would reach: from the module's data, where prebuilt objects
 * and all static roots are, along what each refers to (pypy_trace.c).
 */
#include <stdlib.h>

#include "base/progress.h"
#include "runtime/pypy/pypy_trace.h"

#define OBJECTS_MAX 200000000u

struct reach {
	struct scry_pypy_tracer tracer;
	struct scry_hash seen;
	scry_addr *todo;
	size_t count, room;
	bool full;
};

static void push(struct reach *r, scry_addr addr)
{
	if (r->full || !addr || addr % 8 || scry_hash_add(&r->seen, addr) <= 0)
		return;
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 4096;
		scry_addr *todo =
			room > OBJECTS_MAX ? NULL : reallocarray(r->todo, room, sizeof(*r->todo));

		r->full = !todo;
		if (!todo)
			return;
		r->todo = todo;
		r->room = room;
	}
	r->todo[r->count++] = addr;
}

/* A word of which nothing says that it is a pointer. */
static void push_loose(struct reach *r, scry_addr word)
{
	if (word > 0xffff && word % 8 == 0 && !scry_hash_find(&r->seen, word) &&
	    scry_pypy_stands(r->tracer.p, word))
		push(r, word);
}

static void take(struct scry_pypy_tracer *tracer, const struct scry_pypy_edge *e)
{
	struct reach *r = (struct reach *)tracer;

	if (e->kind == SCRY_PYPY_EDGE_LOOSE)
		push_loose(r, e->to);
	else
		push(r, e->to);
}

/* --- roots --- */

/* The module's words that lead out of it. */
static bool lead_out(void *arg, scry_addr at, uint64_t word)
{
	struct reach *r = arg;

	if (scry_pypy_leads_out(r->tracer.p, word) && !scry_hash_find(&r->seen, word) &&
	    scry_pypy_may_be_prebuilt(r->tracer.p, at))
		push_loose(r, word);
	return true;
}

static void push_stack(struct reach *r)
{
	scry_addr base;
	uint64_t words = scry_pypy_shadow_stack(r->tracer.p, &base);

	if (words)
		scry_pypy_trace_loose(&r->tracer, base, words);
}

static void push_contexts(struct reach *r)
{
	struct scry_interp *interp = r->tracer.p->runtime->interps;
	scry_addr state = 0;

	for (unsigned i = 0; i < 65536; i++) {
		if (scry_pypy_next_state(interp, state, &state) < 0 || !state)
			return;
		push(r, scry_pypy_context(r->tracer.p, state));
	}
}

int scry_pypy_reach(struct scry_pypy *p, struct scry_pypy_reach *out)
{
	struct reach r = { .tracer.edge = take };
	struct scry_session *s = p->runtime->session;
	uint64_t done = 0;
	int rc = SCRY_OK;

	scry_pypy_tracer_init(&r.tracer, p);
	push_contexts(&r);
	push_stack(&r);
	if (!scry_pypy_trace_static(&r.tracer))
		scry_pypy_visit(p, lead_out, &r);
	while (r.count && rc == SCRY_OK) {
		if (!scry_going(s, SCRY_PASS_OBJECTS, done++, 0))
			rc = scry_fail(s, SCRY_EFAULT, 0, "interrupted");
		scry_addr at = r.todo[--r.count], object = at;
		const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);

		if (!t || (object != at && scry_hash_add(&r.seen, object) <= 0))
			continue;
		scry_pypy_trace(&r.tracer, object, t);
		out->found(out, object, t);
	}
	if (r.tracer.overlap && rc == SCRY_OK)
		rc = scry_fail(s, SCRY_ECORRUPT, 0,
			       "arrays and stacks of its objects overlap: they are damaged");
	if (r.full)
		rc = scry_fail(s, SCRY_ENOMEM, 0, "too many objects");
	free(r.todo);
	scry_hash_done(&r.seen);
	return rc;
}
