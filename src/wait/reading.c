/* Reading what one waits for: the standard library's frames from the newest on. */
#include "wait/reading.h"

#include <string.h>

#include "object/model.h"

#define CHAIN_MAX 32 /* frames of the standard library that are followed */

/* --- the chain of the library's frames --- */

/* An argument that limits the wait: None, -1 or none at all does not. */
static bool has_time(const struct scry_frame *f)
{
	scry_addr value = scry_frame_variable(f, "timeout");
	int64_t number;

	return value && !scry_is_none(f->runtime, value) &&
	       (scry_int_value(f->runtime, value, &number) < 0 || number >= 0);
}

/*
 * When a function that looks again and again gives up: Lib/threading.py, queue.py, subprocess.py,
 * multiprocessing/connection.py. 2.7 and some of 3.6's have the time of day there.
 */
static void note_deadline(struct scry_reading *r, const struct scry_frame *f)
{
	static const char *const names[] = { "endtime", "deadline" };
	enum { TIME_OF_DAY = 1000000000 };
	double value;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		scry_addr time = scry_frame_variable(f, names[i]);

		if (time && scry_time_value(f->runtime, time, &value) && value < TIME_OF_DAY)
			r->deadline = (int64_t)value + 1;
	}
}

/* In wait() the condition's lock is not held, though the caller is in its with block. */
static void note_released(struct scry_waiter *who, scry_addr condition)
{
	scry_addr lock;

	who->released = condition;
	if (scry_attr(who->runtime, condition, "_lock", &lock) == SCRY_OK ||
	    scry_attr(who->runtime, condition, "_Condition__lock", &lock) == SCRY_OK)
		who->released_lock = lock;
}

/* wait() has been woken up, and waits for its lock again. */
static bool takes_lock_again(struct scry_reading *r, scry_addr condition)
{
	static const char *const names[] = { "_lock", "_Condition__lock" };
	scry_addr lock;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (scry_attr(r->who->runtime, condition, names[i], &lock) == SCRY_OK &&
		    scry_lock_is_slept_on(r->who, lock)) {
			r->object = lock;
			r->what->kind = scry_lock_kind(r->who->runtime, lock);
			return true;
		}
	return false;
}

/* False: what called this frame does not matter. */
static bool take(struct scry_reading *r, const struct scry_stand *s, const struct scry_frame *f)
{
	scry_addr object = s->object ? scry_stand_object(f, s->object) : 0;
	const char *kind = s->kind;

	r->timed |= has_time(f);
	note_deadline(r, f);
	if (!kind && !(s->flags & (SCRY_STAND_LOCK | SCRY_STAND_SELF)) && r->stand && !object)
		return true; /* it only passes on */
	if (s->flags & SCRY_STAND_OUTER && r->stand && r->stand->kind)
		return true;
	if (kind && !r->object && !strcmp(kind, "Condition") && object) {
		if (takes_lock_again(r, object)) {
			r->stand = s;
			return false;
		}
		note_released(r->who, object);
	}
	if (s->flags & SCRY_STAND_LOCK)
		kind = object ? scry_lock_kind(f->runtime, object) : NULL;
	if (s->flags & SCRY_STAND_SELF && object) {
		scry_addr type;

		kind = scry_type_of(f->runtime, object, &type) == SCRY_OK
			       ? scry_type_short(f->runtime, type)
			       : NULL;
		if (kind && *kind == '_') /* 2.7: _Semaphore */
			kind++;
	}
	if (s->flags & SCRY_STAND_FILE && object) {
		if (scry_int_value(f->runtime, object, &r->what->fd) < 0 || r->what->fd < 0)
			r->what->fd = -1;
		object = 0;
	}
	r->rows++;
	r->stand = s;
	r->object = object;
	r->what->kind = kind;
	return !(s->flags & SCRY_STAND_STOP);
}

void scry_reading_follow(struct scry_reading *r)
{
	struct scry_walk walk = { 0 };
	struct scry_frame f;

	for (unsigned n = 0;
	     n < CHAIN_MAX && scry_waiter_frame_next(r->who, &walk, &f) == SCRY_ITEM; n++) {
		const struct scry_stand *s = f.damaged ? NULL : scry_stand_of(r->w, &f);

		if (!s || (s->flags & SCRY_STAND_VIA && !r->stand) || !take(r, s, &f))
			return;
	}
}

/* --- the frame that is shown, and the name there --- */

void scry_reading_frame(struct scry_reading *r)
{
	struct scry_waiter *who = r->who;
	struct scry_walk walk = { 0 };
	struct scry_frame f;

	while (scry_waiter_frame_next(who, &walk, &f) == SCRY_ITEM) {
		if (!f.code || f.damaged)
			continue;
		if (!r->has_top)
			r->top = f;
		if (!who->has_frame || !scry_standard_module(r->w, &f))
			who->frame = f;
		r->has_top = who->has_frame = true;
		if (!scry_standard_module(r->w, &f))
			return;
	}
	if (r->has_top)
		who->frame = r->top;
}

/* --- the object --- */

void scry_reading_object(struct scry_reading *r)
{
	struct scry_awaited *what = r->what;

	if (!r->object)
		return;
	what->runtime = r->runtime ? r->runtime : r->who->runtime;
	what->addr = r->object;
	what->is_object = true;
	if (r->who->has_frame && !scry_standard_module(r->w, &r->who->frame))
		what->name = scry_name_in_frame(r->w, &r->who->frame, r->object);
}
