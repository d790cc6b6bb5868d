/* asyncio's tasks as tasks: collected, ordered, and what the renderer shows of each. */
#include "task/asyncio.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "object/internal.h"

#define CHILDREN_MAX 8 /* of a gather, in a line of text */

/* --- collecting --- */

static scry_addr attr(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value;

	return !object || scry_attr(r, object, name, &value) < 0 || scry_is_none(r, value) ? 0 : value;
}

static int64_t attr_int(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value = attr(r, object, name);
	int64_t number = 0;

	return value && scry_int_value(r, value, &number) == SCRY_OK ? number : 0;
}

struct scry_loop *scry_asyncio_loop(struct scry_asyncio *a, scry_addr addr)
{
	struct scry_runtime *r = a->runtime;
	struct scry_loop **at = &a->loops->first;
	scry_addr type;

	while (*at && (*at)->addr != addr)
		at = &(*at)->next;
	if (*at || scry_type_of(r, addr, &type) < 0)
		return *at;
	struct scry_loop *loop = scry_arena_alloc(&r->session->arena, sizeof(*loop));
	if (!loop)
		return NULL;
	/* BaseEventLoop of asyncio/base_events.py, 3.4 to 3.15; _owner in 3.4.0 */
	*loop = (struct scry_loop){ .runtime = r, .addr = addr };
	loop->thread_ident = (uint64_t)attr_int(r, addr, "_thread_id");
	loop->running = loop->thread_ident != 0;
	loop->closed = attr_int(r, addr, "_closed") != 0;
	return *at = loop;
}

/* Task.get_name(): from 3.13 on a name that nobody gave is only its number until somebody asks. */
static const char *name_of(struct scry_runtime *r, scry_addr name)
{
	const char *text;
	int64_t number;

	if (!name)
		return NULL;
	if (scry_text_at(r, name, 1000, &text) == SCRY_OK)
		return text;
	if (scry_int_value(r, name, &number) == SCRY_OK)
		return scry_arena_printf(&r->session->arena, "Task-%" PRId64, number);
	return NULL;
}

static const char *state_of(const struct scry_asyncio_task *d)
{
	switch (d->future.state) {
	case SCRY_FUTURE_CANCELLED:
		return "cancelled";
	case SCRY_FUTURE_FINISHED:
		return "done";
	case SCRY_FUTURE_PENDING:
		return d->chain.running ? "running" : d->future.must_cancel ? "must-cancel" : "pending";
	default:
		return "unknown";
	}
}

struct scry_task *scry_asyncio_add(struct scry_asyncio *a, scry_addr addr)
{
	struct scry_runtime *r = a->runtime;
	struct scry_asyncio_task *d;
	struct scry_task *t = scry_hash_find(&a->seen, addr);

	if (t || !scry_kind_is_task(scry_kind_of(&a->kinds, addr)))
		return t;
	d = scry_arena_alloc(&r->session->arena, sizeof(*d));
	t = d ? scry_task_add(r, &scry_task_asyncio, addr, &a->tail) : NULL;
	if (!t || !scry_hash_put(&a->seen, addr, t))
		return NULL;
	t->detail = d;
	scry_future_read(&a->kinds, addr, &d->future);
	d->loops = a->loops;
	d->loop = d->future.loop ? scry_asyncio_loop(a, d->future.loop) : NULL;
	if (d->future.state == SCRY_FUTURE_PENDING && d->future.coro)
		scry_chain_read(&a->kinds, d->future.coro, &d->chain);
	t->name = name_of(r, d->future.name);
	t->state = state_of(d);
	t->error = d->chain.error;
	t->frame = d->chain.count ? d->chain.frames[d->chain.count - 1] : 0;
	if (!d->chain.running)
		t->waits_for = d->future.waiter ? d->future.waiter : d->chain.end;
	return t;
}

/* What is known only when all tasks and loops are. */
static void finish(struct scry_asyncio *a, struct scry_task *t)
{
	struct scry_asyncio_task *d = t->detail;

	scry_asyncio_find_awaiters(a, t);
	if (!d->loop)
		return;
	d->loop->tasks++;
	if (!d->loop->current && d->chain.running) /* 3.6 keeps it where only C finds it */
		d->loop->current = t->addr;
	d->current = d->loop->current == t->addr;
	t->thread = d->loop->thread;
	t->thread_ident = d->loop->thread_ident;
}

static void find_loop_thread(struct scry_loop *loop)
{
	struct scry_task t = { .runtime = loop->runtime, .thread_ident = loop->thread_ident };

	scry_task_find_thread(&t);
	loop->thread = t.thread;
}

/* "Task-9" comes before "Task-10": by length where the beginnings differ only in digits. */
static int compare_names(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	size_t m = strspn(a, "0123456789"), n = strspn(b, "0123456789");
	if ((m || n) && m != n)
		return m < n ? -1 : 1;
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare(const void *x, const void *y)
{
	const struct scry_task *a = *(struct scry_task *const *)x, *b = *(struct scry_task *const *)y;
	const struct scry_asyncio_task *da = a->detail, *db = b->detail;
	int order = 0;

	if (da->loop != db->loop)
		return (da->loop ? da->loop->addr : 0) < (db->loop ? db->loop->addr : 0) ? -1 : 1;
	if (a->name && b->name)
		order = compare_names(a->name, b->name);
	return order ? order : a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void sort(struct scry_asyncio *a)
{
	size_t n = a->seen.count, i = 0;
	struct scry_task **all = n ? malloc(n * sizeof(*all)) : NULL;

	if (!all)
		return;
	for (struct scry_task *t = a->tasks; t && i < n; t = t->next)
		all[i++] = t;
	qsort(all, i, sizeof(*all), compare);
	a->tail = &a->tasks;
	for (size_t k = 0; k < i; k++) {
		*a->tail = all[k];
		a->tail = &all[k]->next;
	}
	*a->tail = NULL;
	free(all);
}

static struct scry_task **collect(struct scry_runtime *r, struct scry_task **tail, bool whole_heap)
{
	struct scry_asyncio a = { .runtime = r, .kinds = SCRY_KINDS_INIT(r), .whole_heap = whole_heap };

	a.tail = &a.tasks;
	a.loops = scry_arena_alloc(&r->session->arena, sizeof(*a.loops));
	if (!a.loops)
		return tail;
	scry_asyncio_find(&a);
	for (struct scry_loop *loop = a.loops->first; loop; loop = loop->next)
		find_loop_thread(loop);
	for (struct scry_task *t = a.tasks; t; t = t->next)
		finish(&a, t);
	sort(&a);
	if (a.tasks) {
		*tail = a.tasks;
		tail = a.tail;
	}
	scry_hash_done(&a.seen);
	scry_kinds_done(&a.kinds);
	return tail;
}

static struct scry_task **collect_listed(struct scry_runtime *r, struct scry_task **tail)
{
	return collect(r, tail, false);
}

static struct scry_task **collect_heap(struct scry_runtime *r, struct scry_task **tail)
{
	return collect(r, tail, true);
}

/* --- frames --- */

/* A running task's frames are its thread's, down to its coroutine; a suspended one's are the chain's, innermost first. */
static int running_frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct scry_asyncio_task *d = t->detail;
	int rc;

	if (!walk->runtime)
		scry_walk_thread(walk, (struct scry_thread *)(uintptr_t)t->thread);
	rc = scry_walk_next(walk, ret);
	if (rc == SCRY_ITEM && ret->addr == d->chain.frames[0])
		walk->ended = true;
	return rc;
}

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct scry_asyncio_task *d = t->detail;

	if (d->chain.running && t->thread && d->chain.count)
		return running_frame_next(t, walk, ret);
	return scry_chain_frame_next(t->runtime, &d->chain, walk, ret);
}

/* --- text --- */

static void task_text(struct scry_task *t, struct scry_buf *out)
{
	const struct scry_asyncio_task *d = t->detail;
	bool pending = d->future.state == SCRY_FUTURE_PENDING;

	if (d->current)
		scry_buf_puts(out, ", current");
	if (pending && d->future.coro && d->chain.state == SCRY_CREATED)
		scry_buf_puts(out, ", not started");
	else if (pending && !d->chain.running && !t->waits_for)
		scry_buf_puts(out, ", ready");
	if (d->future.cancels > 0 && pending)
		scry_buf_printf(out, ", cancel requested %" PRId64 " times", d->future.cancels);
	if (d->future.exception && d->future.state == SCRY_FUTURE_FINISHED)
		scry_buf_puts(out, d->future.log_traceback ? ", exception never retrieved" : ", failed");
}

static void describe_task(struct scry_runtime *r, const struct scry_future *f, struct scry_buf *out)
{
	const char *name = name_of(r, f->name);

	if (name)
		scry_buf_printf(out, "task \"%s\" 0x%" PRIx64, name, f->addr);
	else
		scry_buf_printf(out, "task 0x%" PRIx64, f->addr);
}

static void describe_children(struct scry_kinds *k, scry_addr children, struct scry_buf *out)
{
	struct scry_runtime *r = k->runtime;
	struct scry_future f;
	uint64_t count;
	scry_addr items, child;

	if (scry_sequence(r, children, &count, &items) < 0)
		return;
	scry_buf_printf(out, " of %" PRIu64 ":", count);
	for (uint64_t i = 0; i < count; i++) {
		if (i == CHILDREN_MAX) {
			scry_buf_printf(out, ", ... %" PRIu64 " more", count - i);
			break;
		}
		scry_buf_puts(out, i ? ", " : " ");
		if (scry_read_ptr(r->session, items + i * r->session->target->abi.ptr_size, &child) < 0)
			break;
		if (scry_future_read(k, child, &f) < 0 || !scry_kind_is_task(f.kind))
			scry_buf_printf(out, "0x%" PRIx64, child);
		else
			describe_task(r, &f, out);
	}
}

/* A _GatheringFuture's (asyncio/tasks.py); a plain future is not searched for any. */
static scry_addr children_of(struct scry_runtime *r, scry_addr object)
{
	const char *name;
	scry_addr type;

	if (scry_type_of(r, object, &type) < 0 || scry_type_full_name(r, type, &name) < 0 ||
	    !strcmp(name, "_asyncio.Future") || !strcmp(name, "asyncio.futures.Future"))
		return 0;
	return attr(r, object, "_children");
}

static void describe(struct scry_runtime *r, scry_addr object, struct scry_buf *out)
{
	static const char *const states[] = { "pending", "cancelled", "finished", "damaged" };
	struct scry_kinds k = SCRY_KINDS_INIT(r);
	struct scry_future f;
	scry_addr children;

	if (scry_future_read(&k, object, &f) < 0) {
		scry_task_value_text(r, object, out);
	} else if (scry_kind_is_task(f.kind)) {
		describe_task(r, &f, out);
	} else if ((children = children_of(r, object))) {
		scry_buf_printf(out, "gather 0x%" PRIx64, object);
		describe_children(&k, children, out);
	} else {
		scry_buf_printf(out, "%s future 0x%" PRIx64, states[f.state], object);
	}
	scry_kinds_done(&k);
}

static void value_line(struct scry_runtime *r, const char *what, scry_addr value, struct scry_buf *out)
{
	scry_buf_printf(out, "    %s ", what);
	scry_task_value_text(r, value, out);
	scry_buf_putc(out, '\n');
}

static void awaited_by_line(struct scry_task *t, struct scry_buf *out)
{
	if (!t->awaited_by_count)
		return;
	scry_buf_puts(out, "    awaited by ");
	for (size_t i = 0; i < t->awaited_by_count && i < CHILDREN_MAX; i++) {
		scry_buf_puts(out, i ? ", " : "");
		describe(t->runtime, t->awaited_by[i], out);
	}
	if (t->awaited_by_count > CHILDREN_MAX)
		scry_buf_printf(out, ", ... %zu more", t->awaited_by_count - CHILDREN_MAX);
	scry_buf_putc(out, '\n');
}

static void task_lines(struct scry_task *t, struct scry_buf *out, bool verbose)
{
	const struct scry_asyncio_task *d = t->detail;
	scry_addr callback;
	uint64_t it = 0;

	if (d->future.coro)
		value_line(t->runtime, "runs", d->future.coro, out);
	if (t->waits_for) {
		scry_buf_puts(out, "    waits for ");
		describe(t->runtime, t->waits_for, out);
		scry_buf_putc(out, '\n');
	}
	awaited_by_line(t, out);
	if (d->future.state == SCRY_FUTURE_FINISHED && d->future.exception)
		value_line(t->runtime, "failed with", d->future.exception, out);
	else if (d->future.state == SCRY_FUTURE_FINISHED && (verbose || d->future.result))
		value_line(t->runtime, "returned", d->future.result ? d->future.result : t->runtime->none, out);
	for (unsigned n = 0; verbose && n < 1000; n++) {
		if (scry_future_callback_next(t->runtime, &d->future, &it, &callback) != SCRY_ITEM)
			break;
		value_line(t->runtime, "calls back", callback, out);
	}
}

/* --- JSON --- */

static void callbacks_json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_asyncio_task *d = t->detail;
	scry_addr callback;
	uint64_t it = 0;

	scry_json_key(j, "callbacks");
	scry_json_open(j, '[');
	for (unsigned n = 0; n < 1000; n++) {
		if (scry_future_callback_next(t->runtime, &d->future, &it, &callback) != SCRY_ITEM)
			break;
		scry_task_value_json(t->runtime, callback, j);
	}
	scry_json_close(j, ']');
}

static void task_json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_asyncio_task *d = t->detail;

	scry_json_key(j, "loop");
	scry_task_id_json(j, d->future.loop);
	scry_json_key(j, "coroutine");
	scry_task_value_json(t->runtime, d->future.coro, j);
	scry_json_key(j, "current");
	scry_json_bool(j, d->current);
	scry_json_key(j, "must_cancel");
	scry_json_bool(j, d->future.must_cancel);
	scry_json_key(j, "cancelling");
	scry_json_int(j, d->future.cancels);
	scry_json_key(j, "exception");
	scry_task_value_json(t->runtime, d->future.exception, j);
	scry_json_key(j, "never_retrieved");
	scry_json_bool(j, d->future.exception && d->future.log_traceback);
	callbacks_json(t, j);
}

const struct scry_task_ops scry_task_asyncio = {
	.kind = "asyncio", .command = "tasks", .collect = collect_listed, .frame_next = frame_next,
	.text = task_text, .lines = task_lines, .json = task_json,
};

const struct scry_task_ops scry_task_asyncio_heap = {
	.kind = "asyncio", .command = "tasks", .collect = collect_heap,
};
