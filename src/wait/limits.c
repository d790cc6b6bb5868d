/*
 * Tasks that a timeout around them ends, wherever they wait: a lock that such a task has is given
 * back one day, so no chain closes through it.
 */
#include <string.h>

#include "object/item.h"
#include "object/known.h"
#include "object/model.h"
#include "wait/here.h"
#include "wait/wait.h"

#define TIMERS_MAX 65536
#define NESTED_MAX 1000 /* cancel scopes within one another */

static bool is_time(struct scry_runtime *r, scry_addr object, const char *attribute, double *ret)
{
	scry_addr value;

	return scry_attr(r, object, attribute, &value) == SCRY_OK && scry_time_value(r, value, ret);
}

/* `deadline` is of the monotonic clock, or 0 where it is not known by that. */
static void limit(struct scry_waiter *who, double deadline)
{
	struct scry_awaited *what = &who->what;

	who->limited = true;
	if (who->state != SCRY_WAIT_WAITING)
		return;
	what->timed = true;
	if (deadline > 0 && (what->deadline < 0 || what->deadline > (int64_t)deadline))
		what->deadline = (int64_t)deadline;
}

/* --- objects that the task's frames are in an async with block of --- */

/* asyncio.timeout(), since 3.12 wait_for(), too; the package async_timeout */
static const struct {
	const char *type, *attribute;
} scopes[] = {
	{ "asyncio.timeouts.Timeout", "_when" },
	{ "async_timeout.Timeout", "_deadline" },
};

static void limit_by_frames(struct scry_waiter *who)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	scry_addr object, type;
	bool async;
	double when;

	while (scry_waiter_frame_next(who, &walk, &f) == SCRY_ITEM) {
		if (!f.code || f.damaged || f.lasti < 0)
			continue;
		for (unsigned it = 0; scry_frame_with_next(&f, &it, &object, &async) == SCRY_ITEM;)
			for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
				if (scry_type_of(f.runtime, object, &type) == SCRY_OK &&
				    scry_type_derives(f.runtime, type, scopes[i].type) &&
				    is_time(f.runtime, object, scopes[i].attribute, &when))
					limit(who, when);
	}
}

/* --- the loop's timers --- */

/*
 * What is called then: task.cancel() itself, or a method of an object that cancels its task:
 * anyio's CancelScope, and those above where no frame shows them.
 */
static struct scry_waiter *cancelled_by(struct scry_waits *w, struct scry_runtime *r,
					scry_addr callback)
{
	static const char *const attributes[] = { "_task", "_host_task" };
	const char *name;
	scry_addr self = scry_bound_to(r, callback, &name), task;
	struct scry_waiter *who = self ? scry_waiter_of_task(w, self) : NULL;

	if (who)
		return name && !strcmp(name, "cancel") ? who : NULL;
	for (size_t i = 0; self && i < sizeof(attributes) / sizeof(*attributes); i++)
		if (scry_attr(r, self, attributes[i], &task) == SCRY_OK &&
		    (who = scry_waiter_of_task(w, task)))
			return who;
	return NULL;
}

static void limit_by_timers(struct scry_waits *w, const struct scry_loop *loop)
{
	struct scry_runtime *r = loop->runtime;
	scry_addr timers, callback, cancelled;
	struct scry_item item;
	double when;

	if (scry_attr(r, loop->addr, "_scheduled", &timers) < 0)
		return;
	int64_t count = scry_length(r, timers);
	for (int64_t i = 0; i < count && i < TIMERS_MAX; i++) {
		if (scry_item_at(r, timers, i, &item) < 0 || !item.addr ||
		    scry_attr(r, item.addr, "_callback", &callback) < 0 ||
		    (scry_attr(r, item.addr, "_cancelled", &cancelled) == SCRY_OK &&
		     scry_truth(r, cancelled, false)))
			continue;
		struct scry_waiter *who = cancelled_by(w, r, callback);
		if (who && is_time(r, item.addr, "_when", &when))
			limit(who, when);
	}
}

/* --- trio and curio: the task itself --- */

/* trio/_core/_run.py: CancelStatus.effective_deadline(); its clock is not the monotonic one */
static void limit_by_scopes(struct scry_waiter *who)
{
	struct scry_runtime *r = who->runtime;
	scry_addr status, scope, shield;
	double when;

	if (scry_attr(r, who->task->addr, "_cancel_status", &status) < 0)
		return;
	for (unsigned n = 0; n < NESTED_MAX && !scry_is_none(r, status); n++) {
		if (scry_attr(r, status, "_scope", &scope) < 0)
			return;
		if (is_time(r, scope, "_deadline", &when)) {
			limit(who, 0);
			return;
		}
		if ((scry_attr(r, scope, "_shield", &shield) == SCRY_OK &&
		     scry_truth(r, shield, false)) ||
		    scry_attr(r, status, "_parent", &status) < 0)
			return;
	}
}

/* curio/kernel.py, trap_set_timeout() */
static void limit_by_kernel(struct scry_waiter *who)
{
	double when;

	if (is_time(who->runtime, who->task->addr, "timeout", &when))
		limit(who, when);
	if (who->what.kind && !strcmp(who->what.kind, "curio.sleep") &&
	    is_time(who->runtime, who->task->addr, "sleep", &when)) {
		who->what.timed = true;
		who->what.deadline = (int64_t)when;
	}
}

static const struct {
	const char *kind;
	void (*limit)(struct scry_waiter *who);
} rows[] = {
	{ "asyncio", limit_by_frames },
	{ "trio", limit_by_scopes },
	{ "curio", limit_by_kernel },
};

/* --- what a task awaits is cancelled with it --- */

/* Those that go on when the task that waits for them is told to stop: owners of locks, too. */
static bool leaves_alone(const struct scry_waiter *who)
{
	static const char *const kinds[] = { "asyncio.wait",   "Queue.get",
					     "Thread",         "loop",
					     "Lock",           "RLock",
					     "StrictFIFOLock", "CapacityLimiter",
					     "Semaphore",      "BoundedSemaphore",
					     "SemLock",        "Task.join" };

	for (size_t i = 0; who->what.kind && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i], who->what.kind))
			return true;
	return false;
}

static bool pass_on(const struct scry_waiter *who)
{
	bool changed = false;
	bool cancels = who->limited || (who->what.timed && who->what.kind &&
					!strcmp(who->what.kind, "asyncio.wait_for"));

	for (size_t i = 0; cancels && !leaves_alone(who) && i < who->held_count; i++) {
		struct scry_waiter *other = (struct scry_waiter *)who->held_by[i].who;
		bool awaited = other->task && who->held_by[i].how == SCRY_HOW_OWNER;

		changed |= awaited && !other->limited;
		other->limited |= awaited;
	}
	return changed;
}

void scry_waits_limits(struct scry_waits *w)
{
	bool changed = true;

	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; w->list[i].task && k < sizeof(rows) / sizeof(*rows); k++)
			if (!strcmp(w->list[i].task->ops->kind, rows[k].kind))
				rows[k].limit(&w->list[i]);
	for (const struct scry_loop *loop = w->loops.first; loop; loop = loop->next)
		limit_by_timers(w, loop);
	while (changed) {
		changed = false;
		for (size_t i = 0; i < w->count; i++)
			if (w->list[i].task)
				changed |= pass_on(&w->list[i]);
	}
}
