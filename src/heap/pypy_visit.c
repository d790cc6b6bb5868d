/* What an object of PyPy's refers to, and how RPython calls the place. */
#include <string.h>

#include "heap/pypy_kind.h"
#include "runtime/pypy/pypy_trace.h"

struct visiting {
	struct scry_pypy_tracer tracer;
	scry_addr object;
	scry_visit *visit;
	void *arg;
};

static void found(struct scry_pypy_tracer *tracer, const struct scry_pypy_edge *e)
{
	static const enum scry_slot_kind kinds[] = {
		[SCRY_PYPY_EDGE_FIELD] = SCRY_SLOT_WORD,
		[SCRY_PYPY_EDGE_ITEM] = SCRY_SLOT_ITEM,
		[SCRY_PYPY_EDGE_LOOSE] = SCRY_SLOT_LOOSE,
	};
	struct visiting *v = (struct visiting *)tracer;
	struct scry_reference ref = { .from = v->object,
				      .at = e->at,
				      .to = e->to,
				      .kind = kinds[e->kind],
				      .index = e->index,
				      .key = e->inner,
				      .certain = e->kind != SCRY_PYPY_EDGE_LOOSE };

	/* while a collection runs: where it has put the object */
	if (ref.to % 8 == 0)
		scry_pypy_type_of(tracer->p, &ref.to);
	v->visit(v->arg, &ref);
}

void scry_pypy_visit_object(struct scry_heap *h, scry_addr addr, uint32_t type, scry_visit *visit,
			    void *arg)
{
	struct scry_pypy *p = h->runtime->pypy;
	struct visiting v = { { .p = p, .edge = found, .words = UINT64_MAX }, addr, visit, arg };
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &addr);

	(void)type;
	if (t)
		scry_pypy_trace(&v.tracer, addr, t);
}

static const char *field_of(struct scry_heap *h, const struct scry_reference *ref)
{
	scry_addr at = ref->from;
	const struct scry_pypy_type *t = scry_pypy_type_of(h->runtime->pypy, &at);

	return t ? scry_pypy_field_at(h->runtime->pypy, t, ref->index) : NULL;
}

void scry_pypy_slot_text(struct scry_heap *h, const struct scry_reference *ref,
			 struct scry_buf *out)
{
	const char *name = ref->kind == SCRY_SLOT_WORD ? field_of(h, ref) : NULL;

	if (ref->kind == SCRY_SLOT_LOOSE)
		scry_buf_printf(out, "word %" PRIu64, ref->index);
	else if (ref->kind == SCRY_SLOT_ITEM)
		scry_buf_printf(out, "[%" PRIu64 "]", ref->index);
	else if (name)
		scry_buf_printf(out, ".%s", name);
	else
		scry_buf_printf(out, "+0x%" PRIx64, ref->index);
}
