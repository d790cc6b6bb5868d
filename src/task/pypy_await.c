/* Kinds of PyPy's objects, and what its generators wait for. */
#include "object/model.h"
#include "runtime/pypy/pypy_suspended.h"
#include "task/await.h"

static const enum scry_kind of_generators[] = {
	[SCRY_PYPY_GENERATOR_PLAIN] = SCRY_KIND_GENERATOR,
	[SCRY_PYPY_GENERATOR_COROUTINE] = SCRY_KIND_COROUTINE,
	[SCRY_PYPY_GENERATOR_ASYNC] = SCRY_KIND_ASYNC_GENERATOR,
};

enum scry_kind scry_pypy_kind_of(struct scry_kinds *k, scry_addr object)
{
	const struct scry_suspended_model *model = scry_model_of(k->runtime)->suspended;
	struct scry_pypy_generator g;
	enum scry_kind kind = SCRY_KIND_OTHER;
	scry_addr cls, of = 0;
	const char *full;
	uint64_t it = 0;
	void *found;

	if (!object || object % 8)
		return SCRY_KIND_OTHER;
	if (scry_pypy_generator_at(k->runtime, object, &g))
		return of_generators[g.kind];
	while (!kind && model->class_next(k->runtime, object, &it, &cls, &full) == SCRY_ITEM) {
		if (!of && (found = scry_hash_find(&k->types, cls)))
			return (enum scry_kind)((uintptr_t)found - 1);
		of = of ? of : cls;
		kind = scry_kind_named(full);
	}
	if (of)
		scry_hash_put(&k->types, of, (void *)((uintptr_t)kind + 1));
	return kind;
}

int scry_pypy_await_read(struct scry_runtime *r, scry_addr object, struct scry_await *ret)
{
	struct scry_pypy_generator g;

	if (!scry_kind_suspends(ret->kind) || !scry_pypy_generator_at(r, object, &g))
		return SCRY_OK;
	ret->frame = g.hidden ? 0 : g.frame;
	ret->next = g.leads_to;
	ret->state = !g.frame     ? SCRY_CLOSED
		     : g.running  ? SCRY_RUNNING
		     : !g.started ? SCRY_CREATED
				  : SCRY_SUSPENDED;
	return SCRY_OK;
}
