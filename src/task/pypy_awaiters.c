/*
 * Who awaits a task of PyPy's: what its waiter says, be it the task itself or a gather of several
 * (asyncio/tasks.py). Through other futures between (shield) it is not known.
 */
#include "object/model.h"
#include "task/asyncio.h"

#define CHILDREN_MAX 1000000

static void add(struct scry_task_search *s, scry_addr of, struct scry_task *by, bool fill)
{
	struct scry_task *t = scry_hash_find(&s->seen, of);

	if (t && fill && t->awaited_by)
		((scry_addr *)(uintptr_t)t->awaited_by)[t->awaited_by_count] = by->addr;
	if (t && (!fill || t->awaited_by))
		t->awaited_by_count++;
}

static void each_awaited(struct scry_task_search *s, struct scry_task *by, bool fill)
{
	struct scry_runtime *r = s->runtime;
	const struct scry_asyncio_task *d = by->detail;
	scry_addr waiter = d->future.waiter, children, items, child;
	uint64_t count;

	if (!waiter)
		return;
	add(s, waiter, by, fill);
	children = scry_loop_attr(r, waiter, "_children");
	if (!children || scry_sequence(r, children, &count, &items) < 0 || count > CHILDREN_MAX)
		return;
	for (uint64_t i = 0; i < count; i++)
		if (scry_read_ptr(r->session, items + 8 * i, &child) == SCRY_OK)
			add(s, child, by, fill);
}

/* Will somebody be told that it has ended? */
static bool calls_back(const struct scry_task *t)
{
	const struct scry_asyncio_task *d = t->detail;
	uint64_t it = 0;
	scry_addr callback;

	return d->future.state == SCRY_FUTURE_PENDING &&
	       scry_future_callback_next(t->runtime, &d->future, &it, &callback) == SCRY_ITEM;
}

/* Their tasks are found by what only CPython's structs tell. */
static void note_others(struct scry_task_search *s)
{
	static const char *const others[] = { "trio", "curio" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (scry_loop_module(s->runtime->interps, others[i]))
			scry_note(s->runtime->session, "tasks of %s are not shown on PyPy",
				  others[i]);
}

void scry_pypy_find_awaiters(struct scry_task_search *s)
{
	note_others(s);
	for (struct scry_task *t = s->tasks; t; t = t->next)
		each_awaited(s, t, false);
	for (struct scry_task *t = s->tasks; t; t = t->next) {
		t->awaited_by = t->awaited_by_count
					? scry_arena_alloc(&s->runtime->session->arena,
							   t->awaited_by_count * sizeof(scry_addr))
					: NULL;
		t->awaited_by_count = 0;
	}
	size_t unknown = 0;
	for (struct scry_task *t = s->tasks; t; t = t->next)
		each_awaited(s, t, true);
	for (struct scry_task *t = s->tasks; t; t = t->next)
		unknown += !t->awaited_by_count && calls_back(t);
	if (unknown)
		scry_warn(s->runtime->session,
			  "of %zu tasks it is not known who awaits them, if anyone does: on PyPy "
			  "only await and gather() are looked through",
			  unknown);
}
