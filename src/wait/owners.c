/* Who has what is waited for: the object's own word, or the frames that hold it. */
#include <inttypes.h>
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "object/opcodes.h"
#include "wait/futures.h"

/* Tasks that are in a set of the object. */
static void find_tasks_in(struct scry_waits *w, struct scry_waiter *who, const char *attribute)
{
	struct scry_runtime *r = who->what.runtime;
	scry_addr set, task;
	uint64_t it = 0;

	if (scry_attr(r, who->what.addr, attribute, &set) < 0)
		return;
	while (scry_set_next(r, set, &it, &task) == SCRY_ITEM) {
		struct scry_waiter *t = scry_waiter_of_task(w, task);

		if (t)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

/* trio: the lock names the task that has it (trio/_sync.py, _LockImpl). */
static bool find_task_owner(struct scry_waits *w, struct scry_waiter *who)
{
	scry_addr owner;
	struct scry_waiter *t;

	if (scry_attr(who->what.runtime, who->what.addr, "_owner", &owner) < 0 ||
	    !(t = scry_waiter_of_task(w, owner)))
		return false;
	scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	return true;
}

/* trio/_sync.py, CapacityLimiter; trio/_core/_run.py, Nursery */
static void find_borrowers(struct scry_waits *w, struct scry_waiter *who)
{
	find_tasks_in(w, who, "_borrowers");
}

static void find_children(struct scry_waits *w, struct scry_waiter *who)
{
	find_tasks_in(w, who, "_children");
}

/* curio: its running tasks; one that is joined */
static void find_group(struct scry_waits *w, struct scry_waiter *who)
{
	find_tasks_in(w, who, "_running");
}

static void find_task(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_waiter *task = scry_waiter_of_task(w, who->what.addr);

	if (task)
		scry_waiter_held(w, who, task, SCRY_HOW_OWNER, NULL);
}

/* --- the one import lock of 2.7 --- */

static bool is_importing(const struct scry_frame *f)
{
	struct scry_instructions w;
	struct scry_instruction i;

	if (scry_instructions_open(&w, f->code) < 0)
		return false;
	while (scry_instruction_next(&w, &i) == SCRY_ITEM && (int64_t)i.offset <= f->lasti)
		if ((int64_t)i.offset == f->lasti)
			return !strcmp(i.name, "IMPORT_NAME");
	return false;
}

/* Who runs a module's code for a frame that imports it has the lock (Python/import.c). */
static bool imports(struct scry_waiter *t)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	bool module = false;

	while (scry_waiter_frame_next(t, &walk, &f) == SCRY_ITEM) {
		if (!f.code || f.damaged)
			return false;
		if (module && is_importing(&f))
			return true;
		module = !strcmp(f.code->name, "<module>");
	}
	return false;
}

static void find_importer(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_waiter *found = NULL;

	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].thread && w->list[i].runtime == who->runtime &&
		    imports(&w->list[i])) {
			if (found)
				return;
			found = &w->list[i];
		}
	if (found)
		scry_waiter_held(w, who, found, SCRY_HOW_FRAME, NULL);
}

/* A lock has one owner: what the object says, else one that is in its with block, and so on. */
static void find_lock_owner(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_runtime *r = who->what.runtime;

	if (!who->what.is_object) {
		find_importer(w, who);
		return;
	}
	uint64_t ident = scry_lock_owner(r, who->what.addr);
	struct scry_waiter *owner = ident ? scry_waiter_of_ident(w, r, ident) : NULL;
	const struct scry_hold *h = scry_hash_find(&w->holds, who->what.addr), *best = NULL;
	unsigned equals = 0;

	if (find_task_owner(w, who))
		return;

	for (; h; h = h->next) {
		/*
		 * what a frame has given back since is no longer its own, whatever block it stands
		 * in
		 */
		if (who->what.addr == h->who->released || who->what.addr == h->who->released_lock)
			continue;
		if (owner && h->who != owner)
			continue;
		if (best && h->how == best->how)
			equals++;
		if (!best || h->how < best->how) {
			best = h;
			equals = 0;
		}
	}
	if (owner)
		scry_waiter_held(w, who, owner, SCRY_HOW_OWNER, best ? &best->frame : NULL);
	else if (best && !ident && !equals)
		scry_waiter_held(w, who, best->who, best->how, &best->frame);
}

static bool may_touch_objects(const struct scry_waiter *who, const struct scry_waiter *of, bool all)
{
	return of != who && of->thread && of->runtime == who->runtime &&
	       (all || of->thread->interp == who->thread->interp) &&
	       of->thread->attached == SCRY_ATTACHED_YES;
}

/* The only one of all interpreters that may still touch objects; NULL: none, several. */
static struct scry_waiter *only_one(struct scry_waits *w, const struct scry_waiter *who)
{
	struct scry_waiter *found = NULL;

	for (size_t i = 0; i < w->count; i++) {
		if (!may_touch_objects(who, &w->list[i], true))
			continue;
		if (found)
			return NULL;
		found = &w->list[i];
	}
	return found;
}

/*
 * A free-threaded build's world. Who stops it waits for all that may still touch objects; who is
 * stopped waits for the one that wants it so, which in the end is the only one that may. A stop of
 * all interpreters comes from any of them, and one that is alone in its own need not be the one.
 */
static void find_stopper(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_waiter *stopper = NULL;
	bool all = false, stops = scry_stops_world(who, &all);

	for (size_t i = 0; i < w->count; i++) {
		struct scry_waiter *t = &w->list[i];
		bool its_all;

		if (stops && may_touch_objects(who, t, all))
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
		else if (!stops && may_touch_objects(who, t, true) &&
			 scry_stops_world(t, &its_all) &&
			 (its_all || t->thread->interp == who->thread->interp))
			stopper = t;
	}
	if (stops)
		return;
	if (!stopper)
		stopper = only_one(w, who);
	if (stopper)
		scry_waiter_held(w, who, stopper, SCRY_HOW_OWNER, NULL);
}

static void find_inside(struct scry_waits *w, struct scry_waiter *who)
{
	for (size_t i = 0; i < w->count; i++)
		if (&w->list[i] != who && w->list[i].thread &&
		    scry_thread_is_inside(w->list[i].thread, who->what.addr))
			scry_waiter_held(w, who, &w->list[i], SCRY_HOW_OWNER, NULL);
}

/* Permits: everybody who is in a with block of it. Its value says whether these are all. */
static void find_permits(struct scry_waits *w, struct scry_waiter *who)
{
	for (const struct scry_hold *h = scry_hash_find(&w->holds, who->what.addr); h; h = h->next)
		scry_waiter_held(w, who, h->who, h->how, &h->frame);
	int64_t most;

	/* only a bounded one says how many there are */
	who->others =
		scry_attr_int(who->what.runtime, who->what.addr, "_initial_value", &most) < 0 &&
		scry_attr_int(who->what.runtime, who->what.addr, "_bound_value", &most) < 0;
	if (!who->others)
		who->others = most > (int64_t)who->held_count;
}

/* threading.Thread's ident; 2.7 mangles its name. */
static void find_joined(struct scry_waits *w, struct scry_waiter *who)
{
	static const char *const names[] = { "_ident", "_Thread__ident" };
	int64_t ident;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct scry_waiter *t;

		if (scry_attr_int(who->what.runtime, who->what.addr, names[i], &ident) < 0)
			continue;
		t = scry_waiter_of_ident(w, who->what.runtime, (uint64_t)ident);
		if (t)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

/* _shutdown() waits for every thread that is not a daemon. */
static void find_not_daemons(struct scry_waits *w, struct scry_waiter *who)
{
	static const char *const daemon[] = { "_daemonic", "_Thread__daemonic" };
	struct scry_runtime *r = who->runtime;
	scry_addr active, key, thread, value;
	uint64_t it = 0;
	int64_t ident;
	scry_addr module = scry_loop_module(who->thread->interp, "threading");

	if (!module || scry_attr(r, module, "_active", &active) < 0)
		return;
	while (scry_dict_next(r, active, &it, &key, &thread) == SCRY_ITEM) {
		bool is_daemon = false;

		for (size_t i = 0; i < 2; i++)
			if (scry_attr(r, thread, daemon[i], &value) == SCRY_OK)
				is_daemon = scry_truth(r, value, false);
		struct scry_waiter *t = !is_daemon && scry_int_value(r, key, &ident) == SCRY_OK
						? scry_waiter_of_ident(w, r, (uint64_t)ident)
						: NULL;
		if (t && t != who)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

/* A pool waits for its threads one by one: the executor's are in a set. */
static void find_threads_of(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_runtime *r = who->what.runtime;
	scry_addr threads, thread;
	uint64_t it = 0;
	int64_t ident;

	if (scry_attr(r, who->what.addr, "_threads", &threads) < 0)
		return;
	while (scry_set_next(r, threads, &it, &thread) == SCRY_ITEM) {
		struct scry_waiter *t = scry_attr_int(r, thread, "_ident", &ident) == SCRY_OK
						? scry_waiter_of_ident(w, r, (uint64_t)ident)
						: NULL;

		if (t)
			scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
	}
}

/* Does a thread run what trio was asked to run in one: worker_fn() of trio/_threads.py. */
static bool runs_for_trio(struct scry_waits *w, struct scry_waiter *t, scry_addr function)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;

	while (scry_waiter_frame_next(t, &walk, &f) == SCRY_ITEM) {
		const char *module = f.code && !f.damaged && !strcmp(f.code->name, "worker_fn")
					     ? scry_standard_module(w, &f)
					     : NULL;

		if (module && !strcmp(module, "trio._threads") &&
		    scry_frame_variable(&f, "sync_fn") == function)
			return true;
	}
	return false;
}

/* trio keeps no table of what runs where: the thread whose frame has the function is the one. */
static void find_trio_worker(struct scry_waits *w, struct scry_waiter *who)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].thread && runs_for_trio(w, &w->list[i], who->what.addr))
			scry_waiter_held(w, who, &w->list[i], SCRY_HOW_FRAME, NULL);
}

/* A future does not know who will set it either: the executor's queue and frames do. */
static void find_future(struct scry_waits *w, struct scry_waiter *who)
{
	scry_future_owners(w, who, who->what.addr);
}

static const struct {
	const char *kind;
	void (*find)(struct scry_waits *w, struct scry_waiter *who);
} rows[] = {
	{ "Lock", find_lock_owner },
	{ "StrictFIFOLock", find_lock_owner },
	{ "CapacityLimiter", find_borrowers },
	{ "Nursery", find_children },
	{ "TaskGroup", find_group },
	{ "Task.join", find_task },
	{ "RLock", find_lock_owner },
	{ "stdio lock", find_lock_owner },
	{ "import lock", find_lock_owner },
	{ "SemLock", find_lock_owner },
	{ "critical section", find_inside },
	{ "stop-the-world", find_stopper },
	{ "Semaphore", find_permits },
	{ "BoundedSemaphore", find_permits },
	{ "Thread.join", find_joined },
	{ "threading._shutdown", find_not_daemons },
	{ "Executor.shutdown", find_threads_of },
	{ "Future.result", find_future },
	{ "AsyncResult.get", scry_pool_result },
	{ "IMapIterator.next", scry_pool_result },
	{ "to_thread.run_sync", find_trio_worker },
};

void scry_waits_owners(struct scry_waits *w, struct scry_waiter *who)
{
	/* a lock of C has no object to ask; _shutdown() and the import lock need none */
	bool bare = !who->what.is_object;

	if (who->state != SCRY_WAIT_WAITING || !who->what.kind || who->held_count)
		return;
	bare &= strcmp(who->what.kind, "import lock") && strcmp(who->what.kind, "stop-the-world");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].kind, who->what.kind)) {
			if (!bare || rows[i].find == find_not_daemons)
				rows[i].find(w, who);
			return;
		}
}
