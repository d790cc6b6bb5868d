/*
 * Pools of processes: what a worker works on, by its own frame, and which processes a job may be
 * in, by what its parent knows: which of them has it the parent is not told
 * (Lib/multiprocessing/pool.py, Lib/concurrent/futures/process.py, 2.7 to 3.15).
 */
#include <inttypes.h>
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "wait/futures.h"
#include "wait/here.h"

#define PROCESSES_SHOWN 8
#define ITEMS_MAX       1000000

/* --- a worker --- */

/* worker(): between two jobs the variable is None */
static const char *job_of_pool(struct scry_waits *w, const struct scry_frame *f)
{
	scry_addr job = scry_frame_variable(f, "job"), part = scry_frame_variable(f, "i");
	struct scry_arena *a = &w->session->arena;
	int64_t number, index;

	if (!job || scry_int_value(f->runtime, job, &number) < 0)
		return NULL;
	return part && scry_int_value(f->runtime, part, &index) == SCRY_OK
		       ? scry_arena_printf(a, "job %" PRId64 " of a Pool, part %" PRId64, number,
					   index)
		       : scry_arena_printf(a, "job %" PRId64 " of a Pool", number);
}

/* _process_worker(): between two items the variable is deleted */
static const char *job_of_executor(struct scry_waits *w, const struct scry_frame *f)
{
	scry_addr item = scry_frame_variable(f, "call_item");
	int64_t number;

	return item && scry_attr_int(f->runtime, item, "work_id", &number) == SCRY_OK
		       ? scry_arena_printf(&w->session->arena,
					   "item %" PRId64 " of a ProcessPoolExecutor", number)
		       : NULL;
}

static const struct {
	const char *module, *function;
	const char *(*job)(struct scry_waits *w, const struct scry_frame *f);
} workers[] = {
	{ "multiprocessing.pool", "worker", job_of_pool },
	{ "concurrent.futures.process", "_process_worker", job_of_executor },
};

void scry_pool_job_note(struct scry_waits *w, struct scry_waiter *who, const struct scry_frame *f,
			const char *module)
{
	for (size_t i = 0; !who->job && i < sizeof(workers) / sizeof(*workers); i++)
		if (!strcmp(f->code->name, workers[i].function) &&
		    !strcmp(module, workers[i].module))
			who->job = workers[i].job(w, f);
}

/* --- who waits for one --- */

/* Processes one by one: "process 11, 12", of a live one with what became of each. */
struct processes {
	struct scry_buf text;
	unsigned count;
};

static void add_process(struct scry_runtime *r, struct processes *p, scry_addr process)
{
	scry_addr value;
	int64_t pid;

	if (scry_attr_path(r, process, "_popen.pid", 10, &value) < 0 ||
	    scry_int_value(r, value, &pid) < 0 || p->count++ >= PROCESSES_SHOWN)
		return;
	const char *state = scry_process_text(r->session, pid);
	scry_buf_printf(&p->text, "%s%" PRId64, p->text.len ? ", " : "", pid);
	if (state && strcmp(state, "alive"))
		scry_buf_printf(&p->text, " (%s)", state);
}

static const char *say(struct scry_waits *w, const char *what, struct processes *p)
{
	const char *text = NULL;

	if (p->count > PROCESSES_SHOWN)
		scry_buf_printf(&p->text, " and %u more", p->count - PROCESSES_SHOWN);
	if (!p->count)
		text = what;
	else if (p->text.text)
		text = scry_arena_printf(&w->session->arena, "%s; the pool has %s %.*s", what,
					 p->count == 1 ? "process" : "processes", (int)p->text.len,
					 p->text.text);
	scry_buf_done(&p->text);
	return text;
}

/* The frame of a thread of the pool's, and its variables that say whose it is. */
static bool find_frame(struct scry_waits *w, struct scry_waiter *t, const char *module,
		       const char *function, struct scry_frame *ret)
{
	struct scry_walk walk = { 0 };

	while (t->thread && scry_waiter_frame_next(t, &walk, ret) == SCRY_ITEM) {
		const char *its = ret->code && !ret->damaged && !strcmp(ret->code->name, function)
					  ? scry_standard_module(w, ret)
					  : NULL;

		if (its && !strcmp(its, module))
			return true;
	}
	return false;
}

/* Since 3.8 a result knows its pool; before, the thread that looks after the workers does. */
static scry_addr workers_of(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_runtime *r = who->what.runtime;
	scry_addr pool, list, cache, its;
	struct scry_frame f;

	if (scry_attr_path(r, who->what.addr, "_pool._pool", 11, &list) == SCRY_OK)
		return list;
	if (scry_attr(r, who->what.addr, "_cache", &cache) < 0)
		return 0;
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].runtime == r &&
		    find_frame(w, &w->list[i], "multiprocessing.pool", "_handle_workers", &f) &&
		    (pool = scry_frame_variable(&f, "pool")) &&
		    scry_attr(r, pool, "_cache", &its) == SCRY_OK && its == cache &&
		    scry_attr(r, pool, "_pool", &list) == SCRY_OK)
			return list;
	return 0;
}

void scry_pool_result(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_runtime *r = who->what.runtime;
	unsigned ptr = w->session->target->abi.ptr_size;
	struct processes p = { .text = SCRY_BUF_INIT };
	scry_addr list, items, process;
	int64_t job, left;
	uint64_t count = 0;

	if (scry_attr_int(r, who->what.addr, "_job", &job) < 0)
		return;
	const char *what = scry_arena_printf(&w->session->arena, "job %" PRId64, job);
	if (scry_attr_int(r, who->what.addr, "_number_left", &left) == SCRY_OK)
		what = scry_arena_printf(&w->session->arena,
					 "job %" PRId64 ", %" PRId64 " part%s left", job, left,
					 left == 1 ? "" : "s");
	list = workers_of(w, who);
	if (list && scry_sequence(r, list, &count, &items) < 0)
		count = 0;
	for (uint64_t i = 0; i < count && i < ITEMS_MAX; i++)
		if (scry_read_ptr(w->session, items + i * ptr, &process) == SCRY_OK)
			add_process(r, &p, process);
	who->what.detail = say(w, what, &p);
}

/* The key of a work item whose future it is. */
static bool find_item(struct scry_runtime *r, scry_addr pending, scry_addr future, int64_t *ret)
{
	scry_addr key, item, its;
	uint64_t it = 0;

	for (unsigned n = 0;
	     n < ITEMS_MAX && scry_dict_next(r, pending, &it, &key, &item) == SCRY_ITEM; n++)
		if (scry_attr(r, item, "future", &its) == SCRY_OK && its == future)
			return scry_int_value(r, key, ret) == SCRY_OK;
	return false;
}

/* The thread that serves the processes: since 3.9 an object has what were its variables. */
static bool find_manager(struct scry_waits *w, struct scry_waiter *t, scry_addr *ret_pending,
			 scry_addr *ret_processes)
{
	static const char module[] = "concurrent.futures.process";
	struct scry_frame f;
	scry_addr self;

	if (find_frame(w, t, module, "_queue_management_worker", &f)) {
		*ret_pending = scry_frame_variable(&f, "pending_work_items");
		*ret_processes = scry_frame_variable(&f, "processes");
	} else if (find_frame(w, t, module, "run", &f) &&
		   (self = scry_frame_variable(&f, "self"))) {
		if (scry_attr(f.runtime, self, "pending_work_items", ret_pending) < 0 ||
		    scry_attr(f.runtime, self, "processes", ret_processes) < 0)
			return false;
	} else {
		return false;
	}
	return *ret_pending && *ret_processes;
}

void scry_pool_future(struct scry_waits *w, struct scry_waiter *who, scry_addr future)
{
	struct scry_runtime *r = who->runtime;
	const char *state = scry_attr_text(r, future, "_state");
	struct processes p = { .text = SCRY_BUF_INIT };
	scry_addr pending, processes, key, process;
	uint64_t it = 0;
	int64_t item;

	for (size_t i = 0; state && i < w->count; i++) {
		if (w->list[i].runtime != r ||
		    !find_manager(w, &w->list[i], &pending, &processes) ||
		    !find_item(r, pending, future, &item))
			continue;
		/* "running" is what is in the queue of the processes, too */
		const char *what = scry_arena_printf(
			&w->session->arena, "%s: item %" PRId64 " of a ProcessPoolExecutor",
			strcmp(state, "RUNNING") ? "not begun" : "given out", item);
		while (scry_dict_next(r, processes, &it, &key, &process) == SCRY_ITEM)
			add_process(r, &p, process);
		who->what.detail = say(w, what, &p);
		return;
	}
}
