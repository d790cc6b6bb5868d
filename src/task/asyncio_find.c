/* Where asyncio keeps its tasks: sets in its modules, lists of each thread from 3.14 on, and the heap behind all. */
#include <inttypes.h>

#include "heap/gc.h"
#include "object/internal.h"
#include "task/asyncio.h"

#define OBJECTS_MAX 5000000 /* some seconds */
#define NODES_MAX ((uint64_t)100000000)

static scry_addr attr(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value;

	return !object || scry_attr(r, object, name, &value) < 0 || scry_is_none(r, value) ? 0 : value;
}

static scry_addr module(struct scry_interp *interp, const char *name)
{
	scry_addr found;

	if (!interp->modules || scry_dict_get(interp->runtime, interp->modules, name, &found) < 0)
		return 0;
	return found;
}

/* A set of tasks, or a WeakSet, whose `data` is a set of weak references. True where there is such a set. */
static bool from_set(struct scry_asyncio *a, scry_addr set)
{
	struct scry_runtime *r = a->runtime;
	scry_addr data = attr(r, set, "data"), item;
	uint64_t it = 0, strangers = 0;
	int rc = SCRY_ENOTFOUND;

	if (!set)
		return false;
	while ((rc = scry_set_next(r, data ? data : set, &it, &item)) == SCRY_ITEM) {
		if (data && scry_field_read(r, item, SCRY_F_WEAKREF_OBJECT, &item) < 0)
			continue;
		strangers += !scry_asyncio_add(a, item) && !scry_is_none(r, item);
	}
	if (strangers)
		scry_note(r->session, "%" PRIu64 " of the set of tasks at 0x%" PRIx64 " are no tasks of asyncio's",
			  strangers, set);
	if (rc < 0)
		scry_note(r->session, "the set of tasks at 0x%" PRIx64 " is damaged: %s", set,
			  r->session->error.text);
	return true;
}

/* {loop: its current task} */
static void from_current(struct scry_asyncio *a, scry_addr dict)
{
	scry_addr key, value;
	uint64_t it = 0;

	while (dict && scry_dict_next(a->runtime, dict, &it, &key, &value) == SCRY_ITEM) {
		struct scry_task *t = scry_asyncio_add(a, value);
		struct scry_loop *loop = scry_asyncio_loop(a, key);

		if (loop && t)
			loop->current = value;
	}
}

/* The sets are attributes of a module, or up to 3.6 of the class Task. */
static bool from_namespace(struct scry_asyncio *a, scry_addr object)
{
	static const char *const sets[] = { "_all_tasks", "_scheduled_tasks", "_eager_tasks" };
	bool found = false;

	for (size_t i = 0; object && i < sizeof(sets) / sizeof(*sets); i++)
		found |= from_set(a, attr(a->runtime, object, sets[i]));
	from_current(a, attr(a->runtime, object, "_current_tasks"));
	return found;
}

/* 3.14+: struct llist_node, Include/internal/pycore_llist.h: next, prev; the head is a node too. */
static void from_list(struct scry_asyncio *a, scry_addr head)
{
	struct scry_runtime *r = a->runtime;
	struct scry_session *s = r->session;
	unsigned ptr = s->target->abi.ptr_size;
	uint32_t offset = r->layout->slot[SCRY_F_TASK_NODE].offset;
	struct scry_hash seen = { 0 };
	scry_addr node = head, back;
	const char *why = NULL;

	for (uint64_t n = 0; n < NODES_MAX && !why; n++) {
		scry_addr before = node;

		if (scry_read_ptr(s, node, &node) < 0 || !node)
			why = node || n ? "it is not readable" : NULL;
		else if (node == head)
			break;
		else if (scry_hash_add(&seen, node) <= 0)
			why = "it leads back into itself";
		else if (scry_read_ptr(s, node + ptr, &back) < 0 || back != before)
			why = "its links do not match";
		else if (!scry_asyncio_add(a, node - offset))
			why = "there is something else than a task in it";
		if (!why && !node)
			break; /* a list that no task ever was in */
	}
	if (why)
		scry_note(s, "the list of tasks at 0x%" PRIx64 " is cut: %s", head, why);
	scry_hash_done(&seen);
}

static void from_threads(struct scry_asyncio *a)
{
	struct scry_runtime *r = a->runtime;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		if (t->runtime != r || !t->state)
			continue;
		scry_addr head = scry_field_addr(r, t->state, SCRY_F_THREAD_IMPL_ASYNCIO_TASKS);
		scry_addr running = scry_field_get(r, t->state, SCRY_F_THREAD_IMPL_RUNNING_LOOP);
		scry_addr task = scry_field_get(r, t->state, SCRY_F_THREAD_IMPL_RUNNING_TASK);

		if (head && scry_layout_has(r->layout, SCRY_F_TASK_NODE))
			from_list(a, head);
		struct scry_loop *loop = running ? scry_asyncio_loop(a, running) : NULL;
		if (!loop)
			continue;
		loop->running = true;
		loop->thread_ident = t->ident;
		if (task && scry_asyncio_add(a, task))
			loop->current = task;
	}
}

/*
 * What no list has: finished tasks of 3.14+, and those of 3.6, whose set only C knows. Of a large heap only a part is
 * looked at unless all was asked for, or nothing else has tasks.
 */
static void from_heap(struct scry_asyncio *a, struct scry_interp *interp, bool whole)
{
	struct scry_session *s = a->runtime->session;
	uint64_t left = whole ? UINT64_MAX : OBJECTS_MAX;
	struct scry_gc gc;
	scry_addr object;

	if (scry_gc_open(&gc, interp) < 0) {
		if (whole)
			scry_note(s, "tasks that are in no list are not shown: %s", s->error.text);
		else
			scry_remark(s, "finished tasks are not shown: %s", s->error.text);
		return;
	}
	while (left-- && scry_gc_next(&gc, &object) == SCRY_ITEM)
		if (scry_kind_is_task(scry_kind_of(&a->kinds, object)))
			scry_asyncio_add(a, object);
	scry_gc_done(&gc);
	if (left == UINT64_MAX)
		scry_warn(s, "finished tasks were looked for among %d objects only: --all looks at all", OBJECTS_MAX);
}

static void from_interp(struct scry_asyncio *a, struct scry_interp *interp)
{
	struct scry_runtime *r = a->runtime;
	scry_addr tasks = module(interp, "asyncio.tasks"), c = module(interp, "_asyncio");
	bool listed = scry_layout_has(r->layout, SCRY_F_TASK_NODE), found = listed;

	if (!tasks && !c)
		return;
	a->any = true;
	found |= from_namespace(a, c);
	if (r->version < 0x03070000) {
		/* where the C module is used, the class of that name written in Python has only the tasks of its own */
		found |= from_namespace(a, attr(r, tasks, "Task"));
		from_namespace(a, attr(r, tasks, "_PyTask"));
	} else {
		found |= from_namespace(a, tasks);
	}
	scry_addr state = scry_field_get(r, c, SCRY_F_MODULE_STATE);
	from_set(a, scry_field_get(r, state, SCRY_F_ASYNCIO_STATE_TASKS));
	from_set(a, scry_field_get(r, state, SCRY_F_ASYNCIO_STATE_EAGER_TASKS));
	/* tasks of threads that have ended */
	if (scry_layout_has(r->layout, SCRY_F_INTERP_ASYNCIO_TASKS) && listed)
		from_list(a, scry_field_addr(r, interp->addr, SCRY_F_INTERP_ASYNCIO_TASKS));
	if (a->whole_heap || listed || !found)
		from_heap(a, interp, a->whole_heap || !found);
}

void scry_asyncio_find(struct scry_asyncio *a)
{
	for (struct scry_interp *i = a->runtime->interps; i; i = i->next)
		from_interp(a, i);
	if (a->any)
		from_threads(a);
}
