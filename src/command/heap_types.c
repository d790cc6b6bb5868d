/* heap: its table of types, and how it is sorted. */
#include <stdlib.h>
#include <string.h>

#include "command/heap_answer.h"

size_t scry_heap_lines(const struct scry_heap_answer *a, size_t count, size_t without_limit)
{
	size_t limit = a->limit ? (size_t)a->limit : without_limit;

	return limit && limit < count ? limit : count;
}

/* Without --diff there was nothing before. */
static int64_t grown(uint64_t now, uint64_t before)
{
	return (int64_t)(now - before);
}

static int by_bytes(const void *a, const void *b)
{
	const struct scry_heap_group *x = a, *y = b;

	return grown(x->bytes, x->before_bytes) != grown(y->bytes, y->before_bytes)
		       ? (grown(x->bytes, x->before_bytes) < grown(y->bytes, y->before_bytes) ? 1
											      : -1)
		       : strcmp(x->name, y->name);
}

static int by_count(const void *a, const void *b)
{
	const struct scry_heap_group *x = a, *y = b;

	return grown(x->count, x->before_count) != grown(y->count, y->before_count)
		       ? (grown(x->count, x->before_count) < grown(y->count, y->before_count) ? 1
											      : -1)
		       : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct scry_heap_group *)a)->name,
		      ((const struct scry_heap_group *)b)->name);
}

static int by_retained(const void *a, const void *b)
{
	const struct scry_heap_group *x = a, *y = b;

	return grown(x->retained, x->before_retained) != grown(y->retained, y->before_retained)
		       ? (grown(x->retained, x->before_retained) <
					  grown(y->retained, y->before_retained)
				  ? 1
				  : -1)
		       : by_bytes(a, b);
}

static const struct scry_heap_order orders[] = {
	{ "size", by_bytes, false },        { "count", by_count, false },
	{ "type", by_name, false },         { "module", by_bytes, true },
	{ "retained", by_retained, false },
};

const struct scry_heap_order *scry_heap_order_of(struct scry_call *call)
{
	const char *by = scry_call_flag(call, "by");

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (!by || !strcmp(by, orders[i].name))
			return &orders[i];
	scry_fail(call->s, SCRY_EINVAL, 0, "--by wants type, size, count, retained or module");
	return NULL;
}

/* Equal names beside one another become one line. */
static void join(struct scry_heap_answer *a)
{
	size_t n = 0;

	qsort(a->groups, a->group_count, sizeof(*a->groups), by_name);
	for (size_t i = 0; i < a->group_count; i++)
		if (n && !strcmp(a->groups[n - 1].name, a->groups[i].name)) {
			a->groups[n - 1].count += a->groups[i].count;
			a->groups[n - 1].bytes += a->groups[i].bytes;
			a->groups[n - 1].retained += a->groups[i].retained;
		} else {
			a->groups[n++] = a->groups[i];
		}
	a->group_count = n;
}

int scry_heap_groups(struct scry_heap_answer *a, const struct scry_heap_order *order)
{
	struct scry_heap *h = a->h;

	a->groups = scry_arena_alloc(&a->call->s->arena, (h->type_count + 1) * sizeof(*a->groups));
	if (!a->groups)
		return scry_fail(a->call->s, SCRY_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < h->type_count; i++) {
		struct scry_heap_type *t = h->types[i];

		if (!t->count || (a->type != SCRY_HEAP_NONE && a->type != i))
			continue;
		a->groups[a->group_count++] = (struct scry_heap_group) {
			.name = order->modules ? h->kind->type_module(h, t)
					       : scry_heap_type_name(h, t),
			.count = t->count,
			.bytes = t->bytes,
			.retained = a->want_retained ? a->retained.by_type[i] : 0,
			.has_retained = a->want_retained,
		};
	}
	/* classes of one name are told apart by their instances, not here */
	join(a);
	if (scry_call_flag(a->call, "diff")) {
		int rc = scry_heap_diff(a, scry_call_flag(a->call, "diff"));

		if (rc < 0)
			return rc;
	}
	qsort(a->groups, a->group_count, sizeof(*a->groups), order->compare);
	a->shown = scry_heap_lines(a, a->group_count, a->call->json ? 0 : SCRY_HEAP_SHOWN);
	return SCRY_OK;
}
