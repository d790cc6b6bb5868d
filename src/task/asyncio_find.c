/*
 * Where asyncio keeps its tasks: sets in its modules, lists of each thread from 3.14 on, and at
 * last the heap.
 */
#include <inttypes.h>

#include "object/model.h"
#include "task/asyncio.h"

#define NODES_MAX ((uint64_t)100000000)

/*
 * asyncio._register_task() takes whatever has a coroutine. Only those whose attributes Python sees
 * are taken, and all of that class from then on.
 */
static struct scry_task *add_registered(struct scry_task_search *a, scry_addr item)
{
	struct scry_task *t = scry_asyncio_add(a, item);

	if (t || !scry_loop_attr(a->runtime, item, "_coro"))
		return t;
	scry_kind_teach(&a->kinds, item, SCRY_KIND_PY_TASK);
	return scry_asyncio_add(a, item);
}

/*
 * A set of tasks, or a WeakSet, whose `data` is a set of weak references. True where there is such
 * a set.
 */
static bool from_set(struct scry_task_search *a, scry_addr set)
{
	struct scry_runtime *r = a->runtime;
	scry_addr data = scry_loop_attr(r, set, "data"), item;
	uint64_t it = 0, strangers = 0;
	int rc = SCRY_ENOTFOUND;

	if (!set)
		return false;
	while ((rc = scry_set_next(r, data ? data : set, &it, &item)) == SCRY_ITEM) {
		if (data && !scry_model_of(r)->suspended &&
		    scry_field_read(r, item, SCRY_F_WEAKREF_OBJECT, &item) < 0)
			continue;
		strangers += !scry_is_none(r, item) && !add_registered(a, item);
	}
	scry_loop_note_set(r, set, rc, strangers, "no tasks whose coroutine Python sees");
	return true;
}

/* {loop: its current task} */
static void from_current(struct scry_task_search *a, scry_addr dict)
{
	scry_addr key, value;
	uint64_t it = 0;

	while (dict && scry_dict_next(a->runtime, dict, &it, &key, &value) == SCRY_ITEM) {
		struct scry_task *t = add_registered(a, value);
		struct scry_loop *loop = scry_asyncio_loop(a, key);

		if (loop && t)
			loop->current = value;
	}
}

/* The sets are attributes of a module, or up to 3.6 of the class Task. */
static bool from_namespace(struct scry_task_search *a, scry_addr object)
{
	static const char *const sets[] = { "_all_tasks", "_scheduled_tasks", "_eager_tasks" };
	bool found = false;

	for (size_t i = 0; object && i < sizeof(sets) / sizeof(*sets); i++)
		found |= from_set(a, scry_loop_attr(a->runtime, object, sets[i]));
	from_current(a, scry_loop_attr(a->runtime, object, "_current_tasks"));
	return found;
}

/* 3.14+: struct llist_node, Include/internal/pycore_llist.h: next, prev; the head is a node too. */
static void from_list(struct scry_task_search *a, scry_addr head)
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

/*
 * Up to 3.12 the C module keeps the running loop in the dict of the thread's state; up to 3.11 in
 * an object that only it knows, after that one's head: PyRunningLoopHolder,
 * Modules/_asynciomodule.c.
 */
static scry_addr loop_of_dict(struct scry_task_search *a, scry_addr state)
{
	struct scry_runtime *r = a->runtime;
	scry_addr dict = scry_field_get(r, state, SCRY_F_THREAD_DICT), found;

	if (!dict || scry_dict_get(r, dict, "__asyncio_running_event_loop__", &found) < 0)
		return 0;
	if (scry_kind_of(&a->kinds, found) != SCRY_KIND_LOOP &&
	    scry_first_member(r, found, &found) < 0)
		return 0;
	return scry_kind_of(&a->kinds, found) == SCRY_KIND_LOOP ? found : 0;
}

static void from_threads(struct scry_task_search *a, struct scry_interp *interp)
{
	struct scry_runtime *r = a->runtime;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		if (t->interp != interp || !t->state)
			continue;
		scry_addr head = scry_field_addr(r, t->state, SCRY_F_THREAD_IMPL_ASYNCIO_TASKS);
		scry_addr running = scry_field_get(r, t->state, SCRY_F_THREAD_IMPL_RUNNING_LOOP);
		scry_addr task = scry_field_get(r, t->state, SCRY_F_THREAD_IMPL_RUNNING_TASK);

		if (head && scry_layout_has(r->layout, SCRY_F_TASK_NODE))
			from_list(a, head);
		if (!running)
			running = loop_of_dict(a, t->state);
		struct scry_loop *loop = scry_asyncio_loop(a, running);
		if (!loop)
			continue;
		loop->running = true;
		loop->thread_ident = t->ident;
		if (task && scry_asyncio_add(a, task))
			loop->current = task;
	}
}

/*
 * The state of an _asyncio module and the set of the class Task, in which C keeps all tasks of 3.6.
 */
static bool from_modules(struct scry_task_search *a, scry_addr tasks, scry_addr c)
{
	struct scry_runtime *r = a->runtime;
	bool found = from_namespace(a, c);

	if (scry_trait(r, SCRY_TRAIT_TASKS_IN_CLASS)) {
		/*
		 * where the C module is used, the class of that name written in Python has only the
		 * tasks of its own
		 */
		found |= from_namespace(a, scry_loop_attr(r, tasks, "Task"));
		from_namespace(a, scry_loop_attr(r, tasks, "_PyTask"));
	} else {
		found |= from_namespace(a, tasks);
	}
	scry_addr state = scry_field_get(r, c, SCRY_F_MODULE_STATE);
	from_set(a, scry_field_get(r, state, SCRY_F_ASYNCIO_STATE_TASKS));
	from_set(a, scry_field_get(r, state, SCRY_F_ASYNCIO_STATE_EAGER_TASKS));
	return found;
}

enum scry_heap_share scry_asyncio_find(struct scry_task_search *a, struct scry_interp *interp)
{
	struct scry_runtime *r = a->runtime;
	scry_addr tasks = scry_loop_module(interp, "asyncio.tasks"),
		  c = scry_loop_module(interp, "_asyncio");
	bool listed = scry_layout_has(r->layout, SCRY_F_TASK_NODE);

	if (!tasks && !c) {
		if (!scry_loop_module(interp, "sys") && !scry_loop_module(interp, "__main__")) {
			r->session->unsearched = true;
			scry_note(r->session,
				  "sys.modules of interpreter %" PRId64
				  " is missing or damaged: tasks were not "
				  "looked for",
				  interp->id);
		}
		return SCRY_HEAP_NONE;
	}
	if (r->layout->guessed && (!listed || !scry_layout_has(r->layout, SCRY_F_SET_ENTRY_KEY))) {
		r->session->unsearched = true;
		scry_note(r->session, "not all places where asyncio keeps its tasks are known for "
				      "this version");
	}
	bool found = from_modules(a, tasks, c) || listed;
	/* tasks of threads that have ended */
	if (scry_layout_has(r->layout, SCRY_F_INTERP_ASYNCIO_TASKS) && listed)
		from_list(a, scry_field_addr(r, interp->addr, SCRY_F_INTERP_ASYNCIO_TASKS));
	from_threads(a, interp);
	return !found ? SCRY_HEAP_ALL : listed ? SCRY_HEAP_MUCH : SCRY_HEAP_LITTLE;
}
