/* Who awaits a task: what 3.14+ keeps with it, and before that what its done callbacks lead to. */
#include <inttypes.h>
#include <string.h>

#include "object/item.h"
#include "object/known.h"
#include "object/object.h"
#include "task/asyncio.h"

#define DEPTH_MAX    32
#define AWAITERS_MAX 1000000

struct search {
	struct scry_task_search *asyncio;
	struct scry_hash seen;
	struct scry_hash added;
	scry_addr *list;
	size_t count, room;
};

static void from_callback(struct search *s, scry_addr callback, unsigned depth);

/* --- asyncio's own callbacks: only they make an await, whatever others mention --- */

enum means {
	VARIABLES, /* what the nested function closes over */
	ARGUMENTS, /* what a partial passes in front */
	SELF,      /* what the method is bound to */
};

static const struct callback_row {
	const char *module, *name;
	enum means means;
} rows[] = {
	/* Task.__step() waits for its future, 3.4 to 3.15 */
	{ "asyncio.tasks", "_wakeup", SELF },
	{ "asyncio.tasks", "__wakeup", SELF },
	/* wait()'s waiter, as_completed()'s queue `done` (to 3.12) */
	{ "asyncio.tasks", "_on_completion", VARIABLES },
	/* gather()'s outer, and shield()'s up to 3.6 */
	{ "asyncio.tasks", "_done_callback", VARIABLES },
	{ "asyncio.tasks", "_inner_done_callback", VARIABLES }, /* shield(), 3.7+ */
	{ "asyncio.tasks", "_release_waiter", ARGUMENTS },      /* wait_for() up to 3.11 */
	{ "asyncio.tasks", "_handle_completion", SELF },        /* as_completed(), 3.13+ */
	{ "asyncio.taskgroups", "_on_task_done", SELF },        /* 3.11+ */
	{ "asyncio.staggered", "task_done", VARIABLES },        /* staggered_race(), 3.13+ */
};

static const struct callback_row *row_of(struct scry_runtime *r, scry_addr function)
{
	const char *module;
	const struct scry_code *code = scry_function_code(r, function, &module);

	for (size_t i = 0; code && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].module, module) && !strcmp(rows[i].name, code->name))
			return &rows[i];
	return NULL;
}

static void add(struct search *s, scry_addr task)
{
	if (s->count >= AWAITERS_MAX || scry_hash_add(&s->added, task) <= 0)
		return;
	scry_addr *list = scry_arena_grow(&s->asyncio->runtime->session->arena, s->list, s->count,
					  &s->room, sizeof(*list), 2);
	if (!list)
		return;
	s->list = list;
	s->list[s->count++] = task;
}

/* A task awaits by itself; a future on behalf of who awaits it. */
static void from_future(struct search *s, scry_addr addr, unsigned depth)
{
	struct scry_task_search *a = s->asyncio;
	enum scry_kind kind = scry_kind_of(&a->kinds, addr);
	struct scry_future f;
	scry_addr callback;
	uint64_t it = 0;

	if (scry_kind_is_task(kind)) {
		add(s, addr);
		return;
	}
	if (depth > DEPTH_MAX || !scry_kind_is_future(kind) || scry_hash_add(&s->seen, addr) <= 0 ||
	    scry_future_read(&a->kinds, addr, &f) < 0)
		return;
	for (unsigned n = 0; n < AWAITERS_MAX; n++) {
		if (scry_future_callback_next(a->runtime, &f, &it, &callback) != SCRY_ITEM)
			break;
		from_callback(s, callback, depth + 1);
	}
}

/* The getters of a queue: futures that who waits for an item awaits. */
static void from_queue(struct search *s, scry_addr queue, unsigned depth)
{
	struct scry_runtime *r = s->asyncio->runtime;
	struct scry_item item;
	scry_addr getters;
	uint64_t count;

	if (scry_attr(r, queue, "_getters", &getters) < 0 ||
	    scry_field_read(r, getters, SCRY_F_VAR_SIZE, &count) < 0)
		return;
	for (uint64_t i = 0; i < count && i < 1000; i++) {
		if (scry_item_at(r, getters, (int64_t)i, &item) < 0 || !item.addr)
			break;
		from_future(s, item.addr, depth + 1);
	}
}

/*
 * What the nested functions of asyncio/tasks.py close over: gather's and shield's outer, wait's
 * waiter, as_completed's done, and in asyncio/staggered.py what all of a race completes.
 */
static void from_variable(struct search *s, const char *name, scry_addr value, unsigned depth)
{
	if (!strcmp(name, "outer") || !strcmp(name, "waiter") || !strcmp(name, "on_completed_fut"))
		from_future(s, value, depth + 1);
	else if (!strcmp(name, "done"))
		from_queue(s, value, depth);
}

static void from_function(struct search *s, scry_addr function, unsigned depth)
{
	struct scry_runtime *r = s->asyncio->runtime;
	uint64_t code, closure, count, cell, value;
	scry_addr items;
	unsigned ptr = r->session->target->abi.ptr_size;

	if (scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &code) < 0 ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_CLOSURE, &closure) < 0 || !closure ||
	    scry_sequence(r, closure, &count, &items) < 0)
		return;
	struct scry_code *c = scry_code_at(r, code);
	if (!c || c->damaged || scry_code_locals(c) < 0)
		return;
	for (unsigned slot = 0, i = 0; slot < c->slots && i < count; slot++) {
		if (c->locals[slot].kind != SCRY_LOCAL_FREE)
			continue;
		if (scry_read_ptr(r->session, items + i++ * ptr, &cell) == SCRY_OK &&
		    scry_field_read(r, cell, SCRY_F_CELL_REF, &value) == SCRY_OK && value)
			from_variable(s, c->locals[slot].name, value, depth);
	}
}

/*
 * partial(_release_waiter, waiter) of wait_for up to 3.11, partial(_done_callback, i) of gather up
 * to 3.6.
 */
static void from_partial(struct search *s, scry_addr partial, unsigned depth)
{
	struct scry_runtime *r = s->asyncio->runtime;
	uint64_t fn, args, count;
	scry_addr items, value;

	const struct callback_row *row;

	if (scry_field_read(r, partial, SCRY_F_PARTIAL_FN, &fn) < 0 || !(row = row_of(r, fn)))
		return;
	if (row->means == VARIABLES)
		from_function(s, fn, depth + 1);
	if (row->means != ARGUMENTS ||
	    scry_field_read(r, partial, SCRY_F_PARTIAL_ARGS, &args) < 0 ||
	    scry_sequence(r, args, &count, &items) < 0)
		return;
	for (uint64_t i = 0; i < count && i < 16; i++)
		if (scry_read_ptr(r->session, items + i * r->session->target->abi.ptr_size,
				  &value) == SCRY_OK)
			from_future(s, value, depth + 1);
}

/*
 * Task.__wakeup, TaskGroup._on_task_done (3.11+), _AsCompletedIterator._handle_completion (3.13+).
 */
static void from_method(struct search *s, scry_addr self, unsigned depth)
{
	struct scry_runtime *r = s->asyncio->runtime;
	scry_addr value;

	if (scry_kind_is_future(scry_kind_of(&s->asyncio->kinds, self)))
		from_future(s, self, depth + 1);
	else if (scry_attr(r, self, "_parent_task", &value) == SCRY_OK)
		from_future(s, value, depth + 1);
	else if (scry_attr(r, self, "_done", &value) == SCRY_OK)
		from_queue(s, value, depth);
}

static void from_callback(struct search *s, scry_addr callback, unsigned depth)
{
	struct scry_runtime *r = s->asyncio->runtime;
	const struct callback_row *row;
	const char *name;
	uint64_t self = 0;

	if (depth > DEPTH_MAX)
		return;
	switch (scry_kind_of(&s->asyncio->kinds, callback)) {
	case SCRY_KIND_WAKEUP:
		if (scry_field_read(r, callback, SCRY_F_TASK_WAKEUP_TASK, &self) == SCRY_OK)
			from_future(s, self, depth + 1);
		break;
	case SCRY_KIND_METHOD:
		row = row_of(r, scry_field_get(r, callback, SCRY_F_METHOD_FUNC));
		if (row && row->means == SELF &&
		    scry_field_read(r, callback, SCRY_F_METHOD_SELF, &self) == SCRY_OK)
			from_method(s, self, depth);
		break;
	case SCRY_KIND_BUILTIN:
		/* TaskWakeupDef, Modules/_asynciomodule.c, 3.10+: no module shows it */
		if (scry_builtin_name(r, callback, &name) == SCRY_OK &&
		    !strcmp(name, "task_wakeup") &&
		    scry_field_read(r, callback, SCRY_F_CFUNCTION_SELF, &self) == SCRY_OK)
			from_future(s, self, depth + 1);
		break;
	case SCRY_KIND_FUNCTION:
		row = row_of(r, callback);
		if (row && row->means == VARIABLES)
			from_function(s, callback, depth);
		break;
	case SCRY_KIND_PARTIAL:
		from_partial(s, callback, depth);
		break;
	default:
		break;
	}
}

/* What the interpreter keeps is one future, or a set of them: anything else is damage. */
static int from_kept(struct search *s, scry_addr awaited_by)
{
	struct scry_task_search *a = s->asyncio;
	scry_addr item, type;
	uint64_t it = 0;
	int rc = scry_type_of(a->runtime, awaited_by, &type);

	if (rc < 0)
		return rc;
	if (scry_kind_is_future(scry_kind_of(&a->kinds, awaited_by))) {
		add(s, awaited_by);
		return SCRY_OK;
	}
	if (!scry_type_is(a->runtime, type, SCRY_IS_SET))
		return scry_fail(a->runtime->session, SCRY_ECORRUPT, awaited_by,
				 "0x%" PRIx64 " is neither a task nor a set", awaited_by);
	for (unsigned n = 0; n < AWAITERS_MAX; n++) {
		rc = scry_set_next(a->runtime, awaited_by, &it, &item);
		if (rc != SCRY_ITEM)
			break;
		if (scry_kind_is_future(scry_kind_of(&a->kinds, item)))
			add(s, item);
	}
	return rc;
}

/* From 3.14 on exactly what the interpreter keeps; before, the callbacks of what is not done. */
void scry_asyncio_find_awaiters(struct scry_task_search *a, struct scry_task *t)
{
	const struct scry_asyncio_task *d = t->detail;
	struct search s = { .asyncio = a };
	scry_addr callback;
	uint64_t it = 0;

	if (d->future.awaited_by && from_kept(&s, d->future.awaited_by) < 0 && !t->error)
		t->error = scry_arena_printf(&a->runtime->session->arena,
					     "who awaits it is not known: %s",
					     a->runtime->session->error.text);
	bool kept = scry_trait(a->runtime, SCRY_TRAIT_KEEPS_AWAITERS);
	for (unsigned n = 0; !kept && n < AWAITERS_MAX; n++) {
		if (scry_future_callback_next(a->runtime, &d->future, &it, &callback) != SCRY_ITEM)
			break;
		from_callback(&s, callback, 0);
	}
	t->awaited_by = s.list;
	t->awaited_by_count = s.count;
	scry_hash_done(&s.seen);
	scry_hash_done(&s.added);
}
