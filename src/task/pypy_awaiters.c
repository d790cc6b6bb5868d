/*
 * Who awaits a task of PyPy's: what its waiter says, be it the task itself or a gather of several
 * (asyncio/tasks.py). Through other futures between (shield) it is not known.
 */
#include <stdlib.h>

#include "object/model.h"
#include "task/asyncio.h"

#define CHILDREN_MAX 1000000 /* of one gather */
#define EDGES_MAX    4000000 /* objects that tasks wait for, of all tasks together */

/* Who awaits whom: read once, since a target that runs may say something else the next time. */
struct edges {
	struct scry_task_search *s;
	struct edge {
		struct scry_task *of;
		scry_addr by;
	} * list; /* malloc'd */
	size_t count, room, looked;
	bool cut;
};

static bool add(struct edges *e, scry_addr of, const struct scry_task *by)
{
	struct scry_task *t = scry_hash_find(&e->s->seen, of);

	if (e->looked++ >= EDGES_MAX || e->s->runtime->session->stopped) {
		e->cut = true;
		return false;
	}
	if (!t)
		return true;
	if (e->count == e->room) {
		size_t room = e->room ? 2 * e->room : 64;
		struct edge *list = reallocarray(e->list, room, sizeof(*list));

		e->cut |= !list;
		if (!list)
			return false;
		e->list = list;
		e->room = room;
	}
	e->list[e->count++] = (struct edge) { t, by->addr };
	return true;
}

static void each_awaited(struct edges *e, const struct scry_task *by)
{
	struct scry_runtime *r = e->s->runtime;
	const struct scry_asyncio_task *d = by->detail;
	scry_addr waiter = d->future.waiter, children, items, child;
	uint64_t count;

	if (!waiter || !add(e, waiter, by))
		return;
	children = scry_loop_attr(r, waiter, "_children");
	if (!children || scry_sequence(r, children, &count, &items) < 0 || count > CHILDREN_MAX)
		return;
	for (uint64_t i = 0; i < count; i++)
		if (scry_read_ptr(r->session, items + 8 * i, &child) == SCRY_OK &&
		    !add(e, child, by))
			return;
}

static void fill(const struct edges *e)
{
	struct scry_arena *arena = &e->s->runtime->session->arena;

	for (size_t i = 0; i < e->count; i++)
		e->list[i].of->awaited_by_count++;
	for (struct scry_task *t = e->s->tasks; t; t = t->next) {
		t->awaited_by =
			t->awaited_by_count
				? scry_arena_alloc(arena, t->awaited_by_count * sizeof(scry_addr))
				: NULL;
		t->awaited_by_count = 0;
	}
	for (size_t i = 0; i < e->count; i++) {
		struct scry_task *t = e->list[i].of;

		if (t->awaited_by)
			((scry_addr *)(uintptr_t)t->awaited_by)[t->awaited_by_count++] =
				e->list[i].by;
	}
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
	struct edges e = { .s = s };
	size_t unknown = 0;

	note_others(s);
	for (struct scry_task *t = s->tasks; t && !e.cut; t = t->next)
		each_awaited(&e, t);
	fill(&e);
	free(e.list);
	if (e.cut)
		scry_note(
			s->runtime->session,
			"not all are named who await a task: %zu objects that tasks wait for were "
			"looked at",
			e.looked);
	for (struct scry_task *t = s->tasks; t; t = t->next)
		unknown += !t->awaited_by_count && calls_back(t);
	if (unknown)
		scry_warn(s->runtime->session,
			  "of %zu tasks it is not known who awaits them, if anyone does: on PyPy "
			  "only await and gather() are looked through",
			  unknown);
}
