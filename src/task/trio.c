/*
 * trio's tasks: attributes of Task, Nursery and Runner in trio/_core/_run.py, as 0.12 to 0.34 have
 * them.
 */
#include <inttypes.h>

#include "object/model.h"
#include "task/loop.h"

#define NURSERIES_MAX 1000

static const struct scry_task_ops trio;

struct trio_task {
	struct scry_chain chain;
	const struct scry_hash *roots;
	struct scry_loop *runner;
	scry_addr coro, nursery;
	bool ready;     /* rescheduled, it has not run since */
	bool cancelled; /* a cancel scope around it is */
};

/* The nursery that the task is in the end of, waiting for its children. */
static scry_addr joined_nursery(struct scry_runtime *r, scry_addr task)
{
	scry_addr list = scry_loop_attr(r, task, "_child_nurseries"), items, nursery;
	uint64_t count;

	if (!list || scry_sequence(r, list, &count, &items) < 0)
		return 0;
	for (uint64_t i = count; i-- && count - i < NURSERIES_MAX;) /* the innermost is the last */
		if (scry_read_ptr(r->session, items + i * r->session->target->abi.ptr_size,
				  &nursery) == SCRY_OK &&
		    scry_loop_attr_int(r, nursery, "_parent_waiting_in_aexit"))
			return nursery;
	return 0;
}

/*
 * What parks it: what it said itself, else the nursery whose end it is in, else what its
 * coroutine ends in.
 */
static scry_addr waits_for(struct scry_runtime *r, scry_addr task, const struct scry_chain *chain)
{
	scry_addr data = scry_loop_attr(r, task, "custom_sleep_data");

	data = data ? data : joined_nursery(r, task);
	return data ? data : chain->end;
}

static struct scry_loop *runner_at(struct scry_task_search *s, scry_addr addr);

/* False where there is no task. */
static bool add(struct scry_task_search *s, scry_addr addr)
{
	struct scry_runtime *r = s->runtime;
	struct scry_task *t;

	if (scry_kind_of(&s->kinds, addr) != SCRY_KIND_TRIO_TASK)
		return false;
	t = scry_loop_task(s, &trio, addr, sizeof(struct trio_task));
	if (!t)
		return true;
	struct trio_task *d = t->detail;
	t->loop = scry_loop_attr(r, addr, "_runner");
	d->runner = runner_at(s, t->loop);
	d->coro = scry_loop_attr(r, addr, "coro");
	d->nursery = scry_loop_attr(r, addr, "_parent_nursery");
	t->parent = scry_loop_attr(r, d->nursery, "_parent_task");
	/* _next_send_fn since 0.16 */
	d->ready =
		scry_loop_attr(r, addr, "_next_send_fn") || scry_loop_attr(r, addr, "_next_send");
	t->ready = d->ready;
	d->cancelled = scry_loop_attr_int(r, scry_loop_attr(r, addr, "_cancel_status"),
					  "effectively_cancelled");
	if (d->coro)
		scry_chain_read(&s->kinds, d->coro, &d->chain);
	scry_loop_name(t, scry_loop_attr(r, addr, "name"));
	t->error = d->chain.error;
	t->state = d->chain.running                           ? SCRY_TASK_RUNNING
		   : d->coro && d->chain.state == SCRY_CLOSED ? SCRY_TASK_DONE
							      : SCRY_TASK_PENDING;
	t->frame = scry_chain_newest(&d->chain);
	if (!d->chain.running && !d->ready)
		t->waits_for = waits_for(r, addr, &d->chain);
	return true;
}

static struct scry_loop *runner_at(struct scry_task_search *s, scry_addr addr)
{
	struct scry_loop *loop;
	scry_addr tasks, task;
	uint64_t it = 0, strangers = 0;
	int rc = SCRY_OK;
	bool new;

	if (!addr || scry_kind_of(&s->kinds, addr) != SCRY_KIND_TRIO_RUNNER)
		return NULL;
	loop = scry_loop_at(s, &scry_task_trio_library, addr, &new);
	if (!new)
		return loop;
	tasks = scry_loop_attr(s->runtime, addr, "tasks");
	while (tasks && (rc = scry_set_next(s->runtime, tasks, &it, &task)) == SCRY_ITEM)
		strangers += !add(s, task);
	scry_loop_note_set(s->runtime, tasks, rc, strangers, "not tasks that can be read");
	loop->closed = !it;
	/*
	 * 0.16+: a guest's runner is on no stack between two of its turns, and which thread it
	 * visits is the host's secret
	 */
	loop->running = it && scry_loop_attr_int(s->runtime, addr, "is_guest");
	return loop;
}

static enum scry_heap_share find(struct scry_task_search *s, struct scry_interp *interp)
{
	enum scry_heap_share share = SCRY_HEAP_MUCH;

	if (!scry_loop_module(interp, "trio._core._run"))
		return SCRY_HEAP_NONE;
	for (struct scry_thread *t = scry_thread_first(s->runtime->session); t; t = t->next) {
		if (t->interp != interp || !t->state)
			continue;
		/* run() and unrolled_run(), before 0.17 run_impl() */
		struct scry_loop *loop =
			runner_at(s, scry_loop_local(t, "trio._core._run", "runner"));
		if (!loop)
			continue;
		loop->running = true;
		loop->thread_ident = t->ident;
		share = SCRY_HEAP_LITTLE;
	}
	return share;
}

/* A task that ended is nobody's any more; one that still has a runner is in its set. */
static void heap_object(struct scry_task_search *s, enum scry_kind kind, scry_addr object)
{
	if (kind == SCRY_KIND_TRIO_RUNNER)
		runner_at(s, object);
}

static void finish(struct scry_task_search *s, struct scry_task *t)
{
	struct trio_task *d = t->detail;

	d->roots = &s->loops->roots;
	scry_loop_runs(s, &d->chain);
	scry_loop_has(d->runner, t);
	if (d->runner && d->chain.running)
		d->runner->current = t->addr;
}

const struct scry_task_library scry_task_trio_library = {
	.ops = &trio,
	.find = find,
	.object = heap_object,
	.first = SCRY_KIND_TRIO_TASK,
	.last = SCRY_KIND_TRIO_RUNNER,
	.finish = finish,
};

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct trio_task *d = t->detail;

	return scry_loop_frame_next(t, &d->chain, d->roots, walk, ret);
}

static void get_not_started(const void *subject, struct scry_said *ret)
{
	const struct trio_task *d = ((const struct scry_task *)subject)->detail;

	scry_said_bool(ret, d->coro && d->chain.state == SCRY_CREATED);
}

static const char *const words[] = {
	"{?not_started}, not started",
	"|{?ready}{!runs}, ready",
	"{?cancelled}, in a cancelled scope",
	NULL,
};

static const char *const lines[] = {
	"    waits for {object}\n",
	"    child of {above} in nursery {nursery=0x0}\n",
	NULL,
};

#define SUBJECT struct trio_task
static const struct scry_say fields[] = {
	SAY_GET("loop", scry_loop_get_loop),
	SAY_AT("coroutine", &scry_facts_value, coro),
	SAY_ID("nursery", nursery),
	SAY_BOOL("ready", ready),
	SAY_BOOL("cancelled", cancelled),
	SAY_GET("object", scry_loop_get_waits_for, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("above", scry_loop_get_parent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("not_started", get_not_started, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("runs", chain.running, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("words", words, NULL),
	SAY_VIEW("lines", lines, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_trio = { "trio task", fields,
					    SCRY_THROUGH(struct scry_task, detail),
					    SCRY_IN(struct scry_task, runtime) };

static const struct scry_task_ops trio = {
	.kind = "trio",
	.command = "tasks",
	.package = "trio",
	.frame_next = frame_next,
	.facts = &scry_facts_trio,
};
