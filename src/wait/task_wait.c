/* What tasks, greenlets and tasklets wait for: from what src/task decoded, and their frames. */
#include <inttypes.h>
#include <string.h>

#include "object/model.h"
#include "object/thread_names.h"
#include "task/asyncio.h"
#include "task/greenlet.h"
#include "task/stackless.h"
#include "wait/futures.h"
#include "wait/here.h"
#include "wait/reading.h"

/* It waits for its turn: the thread of its loop has to come round. */
static void wait_for_turn(struct scry_waits *w, struct scry_waiter *who, const char *kind)
{
	struct scry_waiter *t =
		who->task->thread ? scry_waiter_of_thread(w, who->task->thread) : NULL;

	who->state = SCRY_WAIT_WAITING;
	who->what.kind = kind;
	who->what.addr = who->task->loop;
	who->what.is_object = who->what.addr != 0;
	who->what.runtime = who->runtime;
	if (t)
		scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
}

/*
 * The loop's turn that the task is part of began then: Lib/asyncio/base_events.py, _run_once(). Its
 * time has one resolution of the clock added.
 */
static void note_turn(struct scry_waits *w, struct scry_waiter *who, struct scry_waiter *t)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	double value;

	while (scry_waiter_frame_next(t, &walk, &f) == SCRY_ITEM) {
		const char *module = f.code && !f.damaged && !strcmp(f.code->name, "_run_once")
					     ? scry_standard_module(w, &f)
					     : NULL;
		scry_addr time = module && !strcmp(module, "asyncio.base_events")
					 ? scry_frame_variable(&f, "end_time")
					 : 0;

		if (!time)
			continue;
		if (scry_time_value(f.runtime, time, &value)) {
			who->since = (int64_t)value;
			who->since_text = scry_clock_since(w->session, who->since);
		}
		return;
	}
}

/* It runs, so far as its thread does. */
static void wait_with_thread(struct scry_waits *w, struct scry_waiter *who)
{
	const struct scry_greenlet *g =
		who->task->ops == &scry_task_greenlet ? who->task->detail : NULL;
	struct scry_waiter *t =
		who->task->thread ? scry_waiter_of_thread(w, who->task->thread) : NULL;

	who->state = SCRY_WAIT_RUNNING;
	if (t)
		note_turn(w, who, t);
	/* else the thread itself waits (time.sleep() in a coroutine), and the task with it */
	if (!t || t->state == SCRY_WAIT_RUNNING || t->state == SCRY_WAIT_UNKNOWN)
		return;
	if (g && g->is_hub) {
		who->state = SCRY_WAIT_IDLE;
		who->what.kind = "hub";
		return;
	}
	who->state = SCRY_WAIT_WAITING;
	who->what.kind = "Thread";
	who->what.name = scry_thread_name(t->thread);
	who->what.detail = t->what.kind;
	scry_waiter_held(w, who, t, SCRY_HOW_OWNER, NULL);
}

static void set_object(struct scry_waiter *who, scry_addr object, const char *kind)
{
	who->state = SCRY_WAIT_WAITING;
	who->what.kind = kind;
	who->what.addr = object;
	who->what.is_object = object != 0;
	who->what.runtime = who->runtime;
}

/* Its class says what it is; its name is what the frame calls it. */
static void set_object_of_class(struct scry_waits *w, struct scry_waiter *who, scry_addr object)
{
	scry_addr type;

	set_object(who, object,
		   scry_type_of(who->runtime, object, &type) == SCRY_OK
			   ? scry_type_short(who->runtime, type)
			   : NULL);
	if (who->has_frame)
		who->what.name = scry_name_in_frame(w, &who->frame, object);
}

/* --- asyncio --- */

/* The handle of a timer has when it ends, by the monotonic clock: Lib/asyncio/events.py */
static void set_deadline(struct scry_reading *r)
{
	scry_addr handle = scry_frame_variable(&r->top, "h"), when;
	double value;

	if (handle && scry_attr(r->who->runtime, handle, "_when", &when) == SCRY_OK &&
	    scry_time_value(r->who->runtime, when, &value)) {
		r->what->deadline = (int64_t)value;
		r->what->timed = true;
	}
}

/*
 * Its callbacks are scheduled, but have not been called: the task runs in the loop's next turn
 * (Lib/asyncio/futures.py, __schedule_callbacks()).
 */
static bool is_done(struct scry_runtime *r, scry_addr future)
{
	struct scry_kinds kinds = SCRY_KINDS_INIT(r);
	struct scry_future f;
	bool done = scry_future_read(&kinds, future, &f) == SCRY_OK &&
		    (f.state == SCRY_FUTURE_FINISHED || f.state == SCRY_FUTURE_CANCELLED);

	scry_kinds_done(&kinds);
	return done;
}

/* gather() and wait() await several at once: the task waits for each. */
static void note_awaited(struct scry_waits *w, struct scry_waiter *who)
{
	const struct scry_task *t = who->task;

	for (size_t i = 0; i < t->awaits_count; i++) {
		struct scry_waiter *other = scry_waiter_of_task(w, t->awaits[i]);

		if (other)
			scry_waiter_held(w, who, other, SCRY_HOW_OWNER, NULL);
	}
}

/*
 * A future says who awaits it, not what it is for. That is in the frame that awaits: whose method
 * of the library it is, and of which object.
 */
static void read_asyncio(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_reading r = { .w = w, .who = who, .what = &who->what, .deadline = -1 };
	struct scry_task *t = who->task;
	scry_addr source;

	scry_reading_frame(&r);
	if (!t->waits_for || t->state == SCRY_TASK_MUST_CANCEL ||
	    is_done(who->runtime, t->waits_for)) {
		wait_for_turn(w, who, "loop");
		return;
	}
	scry_reading_follow(&r);
	struct scry_waiter *other = scry_waiter_of_task(w, t->waits_for);
	if (other && !r.object) {
		set_object(who, t->waits_for, r.what->kind ? r.what->kind : "Task");
		who->what.name = other->task->name;
		scry_waiter_held(w, who, other, SCRY_HOW_OWNER, NULL);
	} else if (r.what->kind) {
		const char *kind = r.what->kind;

		scry_reading_object(&r);
		who->state = SCRY_WAIT_WAITING;
		if (!r.object)
			set_object(who, t->waits_for, kind);
		else
			who->what.detail = scry_stand_detail(who->runtime, kind, r.object);
		if (r.object && scry_attr_int(who->runtime, r.object, "pid", &who->what.pid) < 0)
			who->what.pid = -1;
		if (who->what.pid >= 0 && !who->what.detail)
			who->what.detail = scry_process_text(w->session, who->what.pid);
		if (r.has_top)
			set_deadline(&r);
	} else {
		set_object(who, t->waits_for, "Future");
		if (who->has_frame)
			who->what.name = scry_name_in_frame(w, &who->frame, t->waits_for);
		source = scry_future_source(w, who->runtime, t->waits_for);
		if (source)
			scry_future_owners(w, who, source);
	}
	who->what.timed |= r.timed;
	note_awaited(w, who);
}

/* --- the others --- */

/* What a place of the library says: false where there is none. */
static bool read_place(struct scry_waiter *who, struct scry_reading *r)
{
	scry_reading_follow(r);
	const char *kind = r->what->kind;
	if (!kind)
		return false;
	scry_reading_object(r);
	who->state = r->stand->flags & SCRY_STAND_IDLE ? SCRY_WAIT_IDLE : SCRY_WAIT_WAITING;
	who->what.timed |= r->timed;
	if (r->object)
		who->what.detail = scry_stand_detail(who->runtime, kind, r->object);
	else if (who->what.fd >= 0)
		who->what.detail = scry_fd_text(r->w->session, who->what.fd);
	return true;
}

/*
 * trio and curio: where its frames are in the library, the object that is parked on, if any is
 * known; else a task that it joins.
 */
static void read_other_loop(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_reading r = { .w = w, .who = who, .what = &who->what, .deadline = -1 };
	struct scry_task *t = who->task;
	struct scry_waiter *other = t->waits_for ? scry_waiter_of_task(w, t->waits_for) : NULL;

	scry_reading_frame(&r);
	if (t->ready) {
		wait_for_turn(w, who, "loop");
		return;
	}
	if (!read_place(who, &r)) {
		who->state = SCRY_WAIT_WAITING;
		if (!t->waits_for)
			return;
		set_object_of_class(w, who, t->waits_for);
	}
	if (other)
		scry_waiter_held(w, who, other, SCRY_HOW_OWNER, NULL);
	note_awaited(w, who);
}

/*
 * Greenlets say nothing of this themselves: what refers to one's switch() has been searched for
 * already (task/greenlet_wait.c), the most telling first.
 */
static void read_greenlet(struct scry_waits *w, struct scry_waiter *who)
{
	const struct scry_greenlet *g = who->task->detail;
	struct scry_reading r = { .w = w, .who = who, .what = &who->what, .deadline = -1 };
	struct scry_waiter *other;

	scry_reading_frame(&r);
	if (g->is_hub) {
		who->state = SCRY_WAIT_IDLE;
		who->what.kind = "hub";
		return;
	}
	if (g->wait_rank == SCRY_WAIT_TURN) {
		wait_for_turn(w, who, "hub");
		return;
	}
	if (!g->wait_count)
		return;
	/* a lock that is made of another one is what the program knows */
	scry_reading_follow(&r);
	if (r.object && r.what->kind) {
		who->state = SCRY_WAIT_WAITING;
		scry_reading_object(&r);
	} else {
		set_object_of_class(w, who, g->waits[0]);
	}
	who->what.timed = g->timeout != 0;
	other = scry_waiter_of_task(w, g->waits[0]);
	if (other)
		scry_waiter_held(w, who, other, SCRY_HOW_OWNER, NULL);
}

/* The channel is in the tasklet's own ring of links: no frame needs to be read for it. */
static void read_tasklet(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_reading r = { .w = w, .who = who, .what = &who->what, .deadline = -1 };
	struct scry_task *t = who->task;

	scry_reading_frame(&r);
	if (t->state == SCRY_TASK_BLOCKED_SENDING || t->state == SCRY_TASK_BLOCKED_RECEIVING) {
		set_object(who, t->waits_for,
			   t->state == SCRY_TASK_BLOCKED_SENDING ? "channel.send"
								 : "channel.receive");
		if (who->has_frame)
			who->what.name = scry_name_in_frame(w, &who->frame, t->waits_for);
	} else if (t->state == SCRY_TASK_SCHEDULED) {
		wait_for_turn(w, who, "scheduler");
	} else if (t->state == SCRY_TASK_PAUSED) {
		who->state = SCRY_WAIT_IDLE;
		who->what.kind = "schedule";
	}
}

static const struct {
	const char *kind;
	void (*read)(struct scry_waits *w, struct scry_waiter *who);
} rows[] = {
	{ "asyncio", read_asyncio },
	{ "greenlet", read_greenlet },
	{ "tasklet", read_tasklet },
};

void scry_task_waits(struct scry_waits *w, struct scry_waiter *who)
{
	struct scry_task *t = who->task;

	if (t->state == SCRY_TASK_RUNNING || t->state == SCRY_TASK_ACTIVE) {
		struct scry_reading r = { .w = w, .who = who, .what = &who->what, .deadline = -1 };

		scry_reading_frame(&r);
		wait_with_thread(w, who);
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].kind, t->ops->kind)) {
			rows[i].read(w, who);
			return;
		}
	read_other_loop(w, who);
}
