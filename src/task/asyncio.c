/* asyncio's tasks as tasks: collected, ordered, and what the renderer shows of each. */
#include "task/asyncio.h"

#include <inttypes.h>
#include <string.h>

#include "object/model.h"

static const struct scry_task_ops asyncio;

#define CHILDREN_MAX          8    /* of a gather, in a line of text */
#define CALLBACKS_MAX         1000 /* of one task, in the answer */
#define CALLBACKS_COUNTED_MAX 10000000

/* --- collecting --- */

struct scry_loop *scry_asyncio_loop(struct scry_task_search *s, scry_addr addr)
{
	struct scry_runtime *r = s->runtime;
	struct scry_loop *loop;
	scry_addr closed;
	int64_t number;
	bool new;

	loop = scry_loop_at(s, &scry_task_asyncio_library, addr, &new);
	if (!new)
		return loop;
	/* BaseEventLoop of asyncio/base_events.py, 3.4 to 3.15; uvloop's are out of sight */
	loop->thread_ident = (uint64_t)scry_loop_attr_int(r, addr, "_thread_id");
	loop->running = loop->thread_ident != 0;
	closed = scry_loop_attr(r, addr, "_closed");
	loop->closed = closed && scry_int_value(r, closed, &number) == SCRY_OK ? number != 0 : -1;
	return loop;
}

static bool is_over(const struct scry_asyncio_task *d)
{
	return d->future.state == SCRY_FUTURE_CANCELLED || d->future.state == SCRY_FUTURE_FINISHED;
}

/* A task of another make may keep its state elsewhere: its coroutine's decides. */
static enum scry_task_state state_of(const struct scry_asyncio_task *d)
{
	switch (d->future.state) {
	case SCRY_FUTURE_CANCELLED:
		return SCRY_TASK_CANCELLED;
	case SCRY_FUTURE_FINISHED:
		return SCRY_TASK_DONE;
	default:
		if (d->future.state == SCRY_FUTURE_UNKNOWN && !d->chain.count)
			return SCRY_TASK_UNKNOWN;
		return d->chain.running        ? SCRY_TASK_RUNNING
		       : d->future.must_cancel ? SCRY_TASK_MUST_CANCEL
					       : SCRY_TASK_PENDING;
	}
}

/* Why a task's loop cannot be one; NULL: it may be. No type of the interpreter's own is a loop. */
static const char *loop_doubt(struct scry_runtime *r, scry_addr loop)
{
	struct scry_type *t;

	if (!loop || scry_model_of(r)->suspended)
		return NULL;
	if (scry_type_for(r, loop, &t) < 0)
		return scry_arena_printf(&r->session->arena, "its loop: %s",
					 r->session->error.text);
	return scry_type_is_own(r, t->addr)
		       ? scry_arena_printf(&r->session->arena, "its loop is a %s", t->name)
		       : NULL;
}

struct scry_task *scry_asyncio_add(struct scry_task_search *s, scry_addr addr)
{
	struct scry_asyncio_task *d;
	struct scry_task *t = scry_hash_find(&s->seen, addr);
	scry_addr type;

	if (t || !scry_kind_is_task(scry_kind_of(&s->kinds, addr)))
		return t;
	t = scry_loop_task(s, &asyncio, addr, sizeof(*d));
	if (!t)
		return NULL;
	d = t->detail;
	scry_future_read(&s->kinds, addr, &d->future);
	t->loop = d->future.loop;
	t->error = loop_doubt(s->runtime, t->loop);
	d->loop = t->error ? NULL : scry_asyncio_loop(s, t->loop);
	if (!is_over(d) && d->future.coro)
		scry_chain_read(&s->kinds, d->future.coro, &d->chain);
	scry_loop_name(t, d->future.name);
	t->state = state_of(d);
	t->error = t->error ? t->error : d->chain.error;
	if (d->future.flags > 1 && !t->error)
		t->error = "a flag of it is neither 0 nor 1";
	if (d->future.state_number > 2 && !t->error)
		t->error = scry_arena_printf(&t->runtime->session->arena,
					     "its state is %" PRIu64 ", none of the three",
					     d->future.state_number);
	else if (d->future.contradicts && !t->error)
		t->error = d->future.state == SCRY_FUTURE_FINISHED
				   ? "it is finished, and has no result"
				   : "it is not finished, and has a result";
	else if (d->future.kind == SCRY_KIND_C_TASK && is_over(d) && d->future.waiter && !t->error)
		t->error = "it is over, and waits";
	else if (d->future.name && !t->name && !t->error)
		t->error = "its name is no text";
	t->frame = scry_chain_newest(&d->chain);
	if (!d->chain.running)
		t->waits_for = d->future.waiter ? d->future.waiter : d->chain.end;
	if (t->waits_for && !t->error && !scry_model_of(t->runtime)->suspended &&
	    scry_type_of(t->runtime, t->waits_for, &type) < 0) {
		t->error = scry_arena_printf(&t->runtime->session->arena, "what it waits for: %s",
					     t->runtime->session->error.text);
		t->waits_for = 0;
	}
	return t;
}

static void finish(struct scry_task_search *s, struct scry_task *t)
{
	struct scry_asyncio_task *d = t->detail;

	d->roots = &s->loops->roots;
	scry_loop_runs(s, &d->chain);
	if (!scry_model_of(s->runtime)->suspended)
		scry_asyncio_find_awaiters(s, t);
	scry_loop_has(d->loop, t);
	if (!d->loop)
		return;
	if (!d->loop->current && d->chain.running) /* 3.6 keeps it where only C finds it */
		d->loop->current = t->addr;
	d->current = d->loop->current == t->addr;
}

static void heap_object(struct scry_task_search *s, enum scry_kind kind, scry_addr object)
{
	if (kind == SCRY_KIND_LOOP)
		scry_asyncio_loop(s, object);
	else if (scry_kind_is_task(kind))
		scry_asyncio_add(s, object);
}

const struct scry_task_library scry_task_asyncio_library = {
	.ops = &asyncio,
	.find = scry_asyncio_find,
	.object = heap_object,
	.first = SCRY_KIND_C_TASK,
	.last = SCRY_KIND_LOOP,
	.finish = finish,
};

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct scry_asyncio_task *d = t->detail;

	return scry_loop_frame_next(t, &d->chain, d->roots, walk, ret);
}

/* --- text --- */

/* A task that is not over: the others have no such words. */
static bool is_pending(const void *subject)
{
	return !is_over(((const struct scry_task *)subject)->detail);
}

static void get_not_started(const void *subject, struct scry_said *ret)
{
	const struct scry_asyncio_task *d = ((const struct scry_task *)subject)->detail;

	scry_said_bool(ret,
		       is_pending(subject) && d->future.coro && d->chain.state == SCRY_CREATED);
}

static void get_ready(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;
	const struct scry_asyncio_task *d = t->detail;

	scry_said_bool(ret, is_pending(t) && !d->chain.running && !t->waits_for);
}

static void get_loop_state(const void *subject, struct scry_said *ret)
{
	const struct scry_asyncio_task *d = ((const struct scry_task *)subject)->detail;
	bool stands = is_pending(subject) && d->loop && !d->loop->running;

	scry_said_text(ret, !stands ? NULL : d->loop->closed > 0 ? "is closed" : "does not run");
}

static void get_cancels(const void *subject, struct scry_said *ret)
{
	const struct scry_asyncio_task *d = ((const struct scry_task *)subject)->detail;

	scry_said_int(ret, is_pending(subject) && d->future.cancels > 0 ? d->future.cancels : 0);
}

static void describe_task(struct scry_runtime *r, const struct scry_future *f, struct scry_buf *out)
{
	struct scry_task t = { .runtime = r };

	scry_loop_name(&t, f->name);
	if (t.name)
		scry_buf_printf(out, "task \"%s\" 0x%" PRIx64, t.name, f->addr);
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
		if (scry_read_ptr(r->session, items + i * r->session->target->abi.ptr_size,
				  &child) < 0)
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

	if (scry_model_of(r)->suspended)
		return scry_loop_attr(r, object, "_children");
	if (scry_type_of(r, object, &type) < 0 || scry_type_full_name(r, type, &name) < 0 ||
	    !strcmp(name, "_asyncio.Future") || !strcmp(name, "asyncio.futures.Future"))
		return 0;
	return scry_loop_attr(r, object, "_children");
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

static bool print_tasks(const struct scry_task *t, const scry_addr *list, size_t count,
			struct scry_buf *out)
{
	for (size_t i = 0; i < count && i < CHILDREN_MAX; i++) {
		scry_buf_puts(out, i ? ", " : "");
		describe(t->runtime, list[i], out);
	}
	if (count > CHILDREN_MAX)
		scry_buf_printf(out, ", ... %zu more", count - CHILDREN_MAX);
	return count;
}

/* What it waits for says it already where that is the one task, or a gather of them. */
static bool is_said(const struct scry_task *t)
{
	return t->awaits_count == 1 ? t->awaits[0] == t->waits_for
				    : t->waits_for && children_of(t->runtime, t->waits_for);
}

/*
 * The lock, queue, stream ... whose method the task is parked in: `self` of the newest frame of
 * asyncio's own modules that has one, futures left aside.
 */
static scry_addr parked_in(struct scry_task *t)
{
	struct scry_kinds k = SCRY_KINDS_INIT(t->runtime);
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	struct scry_local local;
	scry_addr found = 0;

	while (!found && scry_task_frame_next(t, &walk, &f) == SCRY_ITEM &&
	       scry_task_is_library(t, &f))
		for (unsigned it = 0;
		     !found && scry_frame_local_next(&f, &it, &local) == SCRY_ITEM;)
			if (!strcmp(local.name, "self") &&
			    !scry_kind_is_future(scry_kind_of(&k, local.value)))
				found = local.value;
	scry_kinds_done(&k);
	return found;
}

static bool print_waits_for(const void *subject, struct scry_buf *out)
{
	const struct scry_task *t = subject;

	if (t->waits_for)
		describe(t->runtime, t->waits_for, out);
	return t->waits_for;
}

static bool print_awaits(const void *subject, struct scry_buf *out)
{
	const struct scry_task *t = subject;

	return !is_said(t) && print_tasks(t, t->awaits, t->awaits_count, out);
}

static bool print_awaited_by(const void *subject, struct scry_buf *out)
{
	const struct scry_task *t = subject;

	return print_tasks(t, t->awaited_by, t->awaited_by_count, out);
}

static void get_parked_in(const void *subject, struct scry_said *ret)
{
	struct scry_task *t = (struct scry_task *)(uintptr_t)subject;

	scry_said_value(ret, t, t->waits_for ? parked_in(t) : 0);
}

static void get_failure(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;
	const struct scry_asyncio_task *d = t->detail;

	scry_said_value(ret, t, d->future.state == SCRY_FUTURE_FINISHED ? d->future.exception : 0);
}

static void get_result(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;
	const struct scry_asyncio_task *d = t->detail;

	scry_said_value(ret, t, d->future.state == SCRY_FUTURE_FINISHED ? d->future.result : 0);
}

/* The same, None too. */
static void get_any_result(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;
	const struct scry_asyncio_task *d = t->detail;

	get_result(subject, ret);
	if (d->future.state == SCRY_FUTURE_FINISHED && !d->future.result)
		scry_said_value(ret, t, scry_none(t->runtime));
}

static void get_never_retrieved(const void *subject, struct scry_said *ret)
{
	const struct scry_asyncio_task *d = ((const struct scry_task *)subject)->detail;

	scry_said_bool(ret, d->future.exception && d->future.log_traceback);
}

/* How many there are, those included that are not shown. */
static uint64_t say_callbacks(const struct scry_task *t, const struct scry_facts *facts,
			      struct scry_renderer *to)
{
	const struct scry_asyncio_task *d = t->detail;
	struct scry_at at = { .in = t->runtime };
	uint64_t it = 0, n = 0;

	while (scry_future_callback_next(t->runtime, &d->future, &it, &at.addr) == SCRY_ITEM) {
		if (n++ < CALLBACKS_MAX)
			scry_say(to, facts, &at);
		if (n > CALLBACKS_COUNTED_MAX)
			break;
	}
	return n;
}

static void each_callback(const void *subject, struct scry_renderer *to)
{
	const struct scry_task *t = subject;
	uint64_t n = say_callbacks(t, &scry_facts_value, to);

	if (n > CALLBACKS_MAX)
		scry_remark(t->runtime->session,
			    "task 0x%" PRIx64 ": %" PRIu64 " more callbacks are not shown", t->addr,
			    n - CALLBACKS_MAX);
}

static void each_callback_line(const void *subject, struct scry_renderer *to)
{
	struct scry_facts facts = scry_facts_value;

	facts.text = (const char *const[]) { "    calls back {short}\n", NULL };
	say_callbacks(subject, &facts, to);
}

static const char *const words[] = {
	"{?current}, current",
	"{?not_started}, not started",
	"|{?ready}, ready",
	", its loop {loop_state}",
	"{?cancels}, cancel requested {cancels} time{cancels+}",
	"{?failure}{?never_retrieved}, exception never retrieved",
	"|{?failure}, failed",
	NULL,
};

static const char *const lines[] = {
	"    runs {coroutine}\n",      "    waits for {waiting_for}\n",
	"    in {parked_in}\n",        "    awaits {awaiting}\n",
	"    awaited by {awaiters}\n", "    failed with {failure}\n",
	"|    returned {result}\n",    "|{?-v}    returned {any_result}\n",
	"{?-v}{calls_back}",           NULL,
};

#define SUBJECT struct scry_asyncio_task
static const struct scry_say fields[] = {
	SAY_GET("loop", scry_loop_get_loop),
	SAY_AT("coroutine", &scry_facts_value, future.coro),
	SAY_GET("parked_in", get_parked_in, .facts = &scry_facts_value),
	SAY_BOOL("current", current),
	SAY_BOOL("must_cancel", future.must_cancel),
	SAY_INT("cancelling", future.cancels),
	SAY_AT("exception", &scry_facts_value, future.exception),
	SAY_GET("never_retrieved", get_never_retrieved),
	SAY_LIST("callbacks", &scry_facts_value, each_callback),
	SAY_GET("not_started", get_not_started, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("ready", get_ready, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("loop_state", get_loop_state, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("cancels", get_cancels, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("waiting_for", print_waits_for, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("awaiting", print_awaits, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("awaiters", print_awaited_by, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("failure", get_failure, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("result", get_result, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("any_result", get_any_result, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("calls_back", NULL, each_callback_line, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("words", words, NULL),
	SAY_VIEW("lines", lines, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_asyncio = { "asyncio task", fields,
					       SCRY_THROUGH(struct scry_task, detail),
					       SCRY_IN(struct scry_task, runtime) };

static const struct scry_task_ops asyncio = {
	.kind = "asyncio",
	.command = "tasks",
	.package = "asyncio",
	.frame_next = frame_next,
	.facts = &scry_facts_asyncio,
};
