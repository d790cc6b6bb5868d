/*
 * Roots of PyPy's: what its threads have, the list of prebuilt objects that its collector keeps,
 * and, where that is not found, the data of its module, in which they all are.
 */
#include "heap/pypy_kind.h"
#include "heap/roots.h"
#include "runtime/pypy/pypy_trace.h"

static void add_frames(struct scry_graph *g, struct scry_thread *t)
{
	struct scry_frame f;
	struct scry_walk w;

	scry_walk_thread(&w, t);
	while (scry_walk_next(&w, &f) == SCRY_ITEM)
		if (f.kind != SCRY_FRAME_DAMAGED || f.code)
			scry_roots_add(g, f.addr,
				       &(struct scry_root) { .kind = SCRY_ROOT_FRAME,
							     .from = f.addr,
							     .thread = t,
							     .certain = true });
	scry_roots_add(g, scry_pypy_context(g->h->runtime->pypy, t->state),
		       &(struct scry_root) { .kind = SCRY_ROOT_THREAD,
					     .from = t->state,
					     .thread = t,
					     .certain = true,
					     .slot = "ExecutionContext" });
}

/* Of the thread that runs; those of others are objects themselves. */
static void add_shadow_stack(struct scry_graph *g)
{
	struct scry_heap *h = g->h;
	scry_addr base, to;
	uint64_t words = scry_pypy_shadow_stack(h->runtime->pypy, &base);
	struct scry_root root = { .kind = SCRY_ROOT_THREAD, .slot = "shadow stack" };

	for (uint64_t i = 0; i < words && scry_reader_word(&h->reader, base + 8 * i, &to); i++) {
		root.at = root.from = base + 8 * i;
		scry_roots_add(g, to, &root);
	}
}

/* Words of objects that are there are those objects' own references. */
static bool add_static(void *arg, scry_addr at, uint64_t word)
{
	struct scry_graph *g = arg;

	if (scry_pypy_leads_out(g->h->runtime->pypy, word) &&
	    scry_heap_find(g->h, word) != SCRY_HEAP_NONE &&
	    scry_pypy_may_be_prebuilt(g->h->runtime->pypy, at) &&
	    scry_heap_inside(g->h, at) == SCRY_HEAP_NONE)
		scry_roots_add(g, word, &(struct scry_root) { .kind = SCRY_ROOT_STATIC, .at = at });
	return !g->full;
}

struct statics {
	struct scry_pypy_tracer tracer;
	struct scry_graph *g;
};

/*
 * A prebuilt object that the collector begins at has no other root: it is its own. What an
 * extension in C keeps it keeps by the object that stands for it there.
 */
static void add_certain(struct scry_pypy_tracer *tracer, const struct scry_pypy_edge *e)
{
	if (e->kind == SCRY_PYPY_EDGE_ITEM) {
		scry_roots_add(((struct statics *)tracer)->g, e->to,
			       &(struct scry_root) { .kind = SCRY_ROOT_INTERPRETER,
						     .at = e->at,
						     .from = e->at - 8,
						     .certain = true,
						     .slot = "C extensions' references" });
		return;
	}
	scry_roots_add(((struct statics *)tracer)->g, e->to,
		       &(struct scry_root) {
			       .kind = SCRY_ROOT_STATIC,
			       .at = e->at,
			       .from = e->kind == SCRY_PYPY_EDGE_FIELD ? e->to : 0,
			       .certain = true,
		       });
}

int scry_pypy_roots(struct scry_graph *g)
{
	struct scry_runtime *r = g->h->runtime;

	scry_roots_add_named(g);
	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next)
		if (t->runtime == r)
			add_frames(g, t);
	add_shadow_stack(g);
	struct statics statics = { { .p = r->pypy, .edge = add_certain }, g };

	if (!scry_pypy_trace_static(&statics.tracer))
		scry_pypy_visit(r->pypy, add_static, g);
	return g->full ? scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory") : SCRY_OK;
}
