/*
 * curio's tasks: attributes of Task (curio/task.py) and Kernel (curio/kernel.py), as 0.9 to 1.6
 * have them.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "object/model.h"
#include "task/loop.h"

#define TASKS_MAX 1000000

static const struct scry_task_ops curio;

struct curio_task {
	struct scry_chain chain;
	const struct scry_hash *roots;
	struct scry_loop *kernel;
	scry_addr coro, joining, exception;
	int64_t id, parent_id;
	const char *state; /* curio's own word: "READY", "TIME_SLEEP", ... or NULL */
};

/* A kernel's table of tasks by their numbers, which rise as they are made. */
struct table {
	size_t count, room;
	struct entry {
		int64_t id;
		scry_addr task;
	} * entries;
};

/*
 * A trap is a generator that yields its request, a tuple of the trap's name and arguments
 * (curio/traps.py, _kernel_trap()): of these the first argument is what the task waits for.
 */
static scry_addr trapped_for(struct scry_runtime *r, const struct scry_chain *c)
{
	static const char *const traps[] = { "trap_io", "trap_io_waiting", "trap_future_wait",
					     "trap_sched_wait" };
	unsigned ptr = r->session->target->abi.ptr_size, it = 0;
	struct scry_frame f;
	struct scry_local local;
	scry_addr items, word;
	uint64_t count;

	if (!c->count || scry_chain_frame(r, &c->frames[c->count - 1], &f) < 0 || !f.code)
		return 0;
	while (scry_frame_local_next(&f, &it, &local) == SCRY_ITEM) {
		if (strcmp(local.name, "request") ||
		    scry_sequence(r, local.value, &count, &items) < 0 || count < 2 ||
		    scry_read_ptr(r->session, items, &word) < 0)
			continue;
		for (size_t i = 0; i < sizeof(traps) / sizeof(*traps); i++)
			if (scry_text_is(r, word, traps[i]))
				return scry_read_ptr(r->session, items + ptr, &word) < 0 ? 0 : word;
	}
	return 0;
}

static enum scry_task_state state_of(struct scry_runtime *r, scry_addr task,
				     const struct curio_task *d)
{
	if (d->chain.running)
		return SCRY_TASK_RUNNING;
	if (scry_loop_attr_int(r, task, "terminated"))
		return scry_loop_attr_int(r, task, "cancelled") ? SCRY_TASK_CANCELLED
								: SCRY_TASK_DONE;
	return scry_loop_attr(r, task, "cancel_pending") ? SCRY_TASK_MUST_CANCEL
							 : SCRY_TASK_PENDING;
}

static struct scry_loop *kernel_at(struct scry_task_search *s, scry_addr addr);

static struct scry_task *add(struct scry_task_search *s, scry_addr addr, struct scry_loop *kernel)
{
	struct scry_runtime *r = s->runtime;
	struct scry_task *t = scry_hash_find(&s->seen, addr);

	if (t || scry_kind_of(&s->kinds, addr) != SCRY_KIND_CURIO_TASK)
		return t;
	t = scry_loop_task(s, &curio, addr, sizeof(struct curio_task));
	if (!t)
		return NULL;
	struct curio_task *d = t->detail;
	d->kernel = kernel;
	t->loop = kernel ? kernel->addr : 0;
	d->coro = scry_loop_attr(r, addr, "coro");
	d->joining = scry_loop_attr(r, addr, "joining");
	d->exception = scry_loop_attr(r, addr, "_final_exc");
	d->id = scry_loop_attr_int(r, addr, "id");
	d->parent_id = scry_loop_attr_int(r, addr, "parentid");
	d->state = scry_attr_text(r, addr, "state");
	if (d->state && d->state[strspn(d->state, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")])
		d->state = NULL;
	if (d->coro)
		scry_chain_read(&s->kinds, d->coro, &d->chain);
	scry_loop_name(t, scry_loop_attr(r, addr, "name"));
	t->error = d->chain.error;
	t->state = state_of(r, addr, d);
	t->frame = scry_chain_newest(&d->chain);
	if (!d->chain.running)
		t->waits_for = trapped_for(r, &d->chain);
	return t;
}

static bool remember(struct scry_session *s, struct table *t, int64_t id, scry_addr task)
{
	struct entry *entries = NULL;

	if (t->count < t->room || t->room <= TASKS_MAX / 2)
		entries = scry_arena_grow(&s->arena, t->entries, t->count, &t->room,
					  sizeof(*entries), 16);
	if (!entries)
		return false;
	t->entries = entries;
	t->entries[t->count++] = (struct entry) { id, task };
	return true;
}

static struct scry_loop *kernel_at(struct scry_task_search *s, scry_addr addr)
{
	struct scry_runtime *r = s->runtime;
	struct scry_loop *loop;
	struct table *table;
	scry_addr tasks, key, task;
	uint64_t it = 0;
	int64_t id;
	bool new;

	if (!addr || scry_kind_of(&s->kinds, addr) != SCRY_KIND_CURIO_KERNEL)
		return NULL;
	loop = scry_loop_at(s, &scry_task_curio_library, addr, &new);
	table = new ? scry_arena_alloc(&r->session->arena, sizeof(*table)) : NULL;
	if (!table)
		return loop;
	*table = (struct table) { 0 };
	loop->detail = table;
	tasks = scry_loop_attr(r, addr, "_tasks");
	while (tasks && scry_dict_next(r, tasks, &it, &key, &task) == SCRY_ITEM)
		if (add(s, task, loop) && scry_int_value(r, key, &id) == SCRY_OK &&
		    !remember(r->session, table, id, task))
			break;
	loop->closed = !scry_loop_attr(r, addr, "_shutdown_funcs"); /* None once it was shut down */
	return loop;
}

static enum scry_heap_share find(struct scry_task_search *s, struct scry_interp *interp)
{
	if (!scry_loop_module(interp, "curio.kernel"))
		return SCRY_HEAP_NONE;
	for (struct scry_thread *t = scry_thread_first(s->runtime->session); t; t = t->next) {
		if (t->interp != interp || !t->state)
			continue;
		struct scry_loop *loop = kernel_at(s, scry_loop_local(t, "curio.kernel", "self"));
		if (!loop)
			continue;
		loop->running = true;
		loop->thread_ident = t->ident;
	}
	return SCRY_HEAP_MUCH; /* tasks that ended and were not joined are in no table */
}

static void heap_object(struct scry_task_search *s, enum scry_kind kind, scry_addr object)
{
	if (kind == SCRY_KIND_CURIO_KERNEL)
		kernel_at(s, object);
	else
		add(s, object, NULL);
}

static int compare_ids(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = ((const struct entry *)y)->id;

	return a < b ? -1 : a > b;
}

/* The parent by its number, as long as it is in the kernel's table. */
static scry_addr parent_of(const struct curio_task *d)
{
	const struct table *t = d->kernel ? d->kernel->detail : NULL;
	const struct entry *e = t && t->count ? bsearch(&d->parent_id, t->entries, t->count,
							sizeof(*e), compare_ids)
					      : NULL;

	return e ? e->task : 0;
}

/* SchedBarrier._tasks, curio/sched.py: who joins it. */
static void find_joining(struct scry_task_search *s, struct scry_task *t)
{
	struct scry_runtime *r = s->runtime;
	struct curio_task *d = t->detail;
	scry_addr set = scry_loop_attr(r, d->joining, "_tasks"), task;
	size_t count = 0, room = 0;
	uint64_t it = 0;

	while (set && scry_set_next(r, set, &it, &task) == SCRY_ITEM && room < TASKS_MAX)
		room++;
	scry_addr *list = room ? scry_arena_alloc(&r->session->arena, room * sizeof(*list)) : NULL;
	for (it = 0; list && count < room && scry_set_next(r, set, &it, &task) == SCRY_ITEM;)
		list[count++] = task;
	t->awaited_by = list;
	t->awaited_by_count = count;
}

static void finish(struct scry_task_search *s, struct scry_task *t)
{
	struct curio_task *d = t->detail;

	d->roots = &s->loops->roots;
	scry_loop_runs(s, &d->chain);
	t->parent = parent_of(d);
	find_joining(s, t);
	scry_loop_has(d->kernel, t);
	if (d->kernel && d->chain.running)
		d->kernel->current = t->addr;
}

const struct scry_task_library scry_task_curio_library = {
	.ops = &curio,
	.find = find,
	.object = heap_object,
	.first = SCRY_KIND_CURIO_TASK,
	.last = SCRY_KIND_CURIO_KERNEL,
	.finish = finish,
};

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct curio_task *d = t->detail;

	return scry_loop_frame_next(t, &d->chain, d->roots, walk, ret);
}

static const struct scry_facts joiner = { "joiner", scry_facts_addr_fields,
					  (const char *const[]) { "    joined by {address}\n",
								  NULL } };

static void each_joiner(const void *subject, struct scry_renderer *to)
{
	const struct scry_task *t = subject;

	for (size_t i = 0; i < t->awaited_by_count; i++)
		scry_say(to, &joiner, &t->awaited_by[i]);
}

static const char *const words[] = { ", {scheduling}", NULL };
static const char *const lines[] = {
	"    waits for {object}\n",
	"    child of {above}\n",
	"{joiners}",
	"    failed with {exception}\n",
	NULL,
};

#define SUBJECT struct curio_task
static const struct scry_say fields[] = {
	SAY_GET("loop", scry_loop_get_loop),
	SAY_AT("coroutine", &scry_facts_value, coro),
	SAY_INT("number", id),
	SAY_TEXT("scheduling", state),
	SAY_AT("exception", &scry_facts_value, exception),
	SAY_GET("object", scry_loop_get_waits_for, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("above", scry_loop_get_parent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("joiners", NULL, each_joiner, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("words", words, NULL),
	SAY_VIEW("lines", lines, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_curio = { "curio task", fields,
					     SCRY_THROUGH(struct scry_task, detail),
					     SCRY_IN(struct scry_task, runtime) };

static const struct scry_task_ops curio = {
	.kind = "curio",
	.command = "tasks",
	.package = "curio",
	.frame_next = frame_next,
	.facts = &scry_facts_curio,
};
