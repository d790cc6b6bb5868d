/*
 * Who holds which object, as the frames show it: with blocks that they are in, and what their
 * code has acquired and not released yet.
 */
#include <string.h>

#include "object/model.h"
#include "object/opcodes.h"
#include "wait/futures.h"

#define FRAMES_MAX 10000 /* of one stack that are looked at */

static void note(struct scry_waits *w, struct scry_waiter *who, scry_addr object, enum scry_how how,
		 const struct scry_frame *f)
{
	struct scry_hold *first = scry_hash_find(&w->holds, object), *h;

	for (h = first; h; h = h->next)
		if (h->who == who) {
			if (how < h->how) {
				h->how = how;
				h->frame = *f;
			}
			return;
		}
	h = scry_arena_alloc(&w->session->arena, sizeof(*h));
	if (!h)
		return;
	*h = (struct scry_hold) { first, who, how, *f };
	scry_hash_put(&w->holds, object, h);
}

/* Of a condition its lock, too, and of multiprocessing's locks the one of C. */
static void note_all(struct scry_waits *w, struct scry_waiter *who, scry_addr object,
		     enum scry_how how, const struct scry_frame *f)
{
	static const char *const inner[] = { "_lock", "_Condition__lock", "_semlock", "_block",
					     "_RLock__block" };
	scry_addr value;

	note(w, who, object, how, f);
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
		if (scry_attr(f->runtime, object, inner[i], &value) == SCRY_OK &&
		    !scry_is_none(f->runtime, value))
			note(w, who, value, how, f);
}

/*
 * What is on a thread's stack is the thread's, also where a task of its runs there: but a
 * task's is what it holds by async with.
 */
static bool is_its_own(const struct scry_waiter *who, bool async)
{
	const struct scry_task *t = who->task;

	if (!t)
		return !async;
	return async || (t->state != SCRY_TASK_RUNNING && t->state != SCRY_TASK_ACTIVE);
}

/* --- acquire() and release() --- */

static bool has_load(const struct scry_loads *l, const char *method)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i].count > 1 && !strcmp(l->list[i].parts[l->list[i].count - 1], method))
			return true;
	return false;
}

/* The object whose `method` the code loads there, 0 another. */
static scry_addr loads_method(const struct scry_frame *f, const struct scry_load *l,
			      const char *method)
{
	return l->count > 1 && !strcmp(l->parts[l->count - 1], method)
		       ? scry_load_value(f, l, l->count - 1)
		       : 0;
}

/* What a coroutine has called it may await still: until it loads something else. */
static bool is_awaited(const struct scry_frame *f, const struct scry_loads *l, uint32_t call)
{
	if (f->kind != SCRY_FRAME_GENERATOR)
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i].at >= call && (int64_t)l->list[i].at < f->lasti)
			return false;
	return true;
}

/*
 * The call of what was loaded there, if it was made before the frame's instruction: NULL. That is a
 * call, or (3.11) in the caches after it.
 */
static const struct scry_call_made *call_of(const struct scry_frame *f, const struct scry_loads *l,
					    const struct scry_load *load)
{
	for (size_t i = 0; i < l->call_count; i++)
		if (l->calls[i].end > load->end)
			return (int64_t)l->calls[i].end <= f->lasti &&
					       !is_awaited(f, l, l->calls[i].end)
				       ? &l->calls[i]
				       : NULL;
	return NULL;
}

/* May the code have come to the frame's instruction around the call: by a jump over it? */
static bool is_passed_by(const struct scry_frame *f, const struct scry_loads *l,
			 const struct scry_load *load)
{
	for (size_t i = 0; i < l->jump_count; i++)
		if (l->jumps[i].at < load->at && l->jumps[i].target > load->end &&
		    (int64_t)l->jumps[i].target <= f->lasti)
			return true;
	return false;
}

/* Where an exception goes that is raised at the frame's instruction: 0 nowhere. */
static uint32_t handler_of(const struct scry_frame *f)
{
	struct scry_runtime *r = f->runtime;
	const struct scry_slot *blocks = &r->layout->slot[SCRY_F_FRAME_BLOCKSTACK];
	struct scry_exception_table t;
	struct scry_exception_entry e;
	uint64_t handler;

	if (!scry_trait(r, SCRY_TRAIT_FRAMES_ARE_OBJECTS)) {
		scry_exception_table_open(&t, f->code);
		while (scry_exception_table_next(&t, &e) == SCRY_ITEM)
			if (f->lasti >= e.start && f->lasti < e.end)
				return e.target;
		return 0;
	}
	int64_t count = scry_field_get_int(r, f->addr, SCRY_F_FRAME_IBLOCK);
	if (!blocks->size || count <= 0 || count > blocks->size / 12 ||
	    scry_read_uint(r->session, f->addr + blocks->offset + (uint64_t)(count - 1) * 12 + 4, 4,
			   &handler) < 0)
		return 0;
	return (uint32_t)handler * (scry_trait(r, SCRY_TRAIT_COUNTS_WORDS) ? 2 : 1);
}

/* Does the handler that covers the instruction release it? A finally does, soon. */
static bool is_released_by_handler(const struct scry_frame *f, const struct scry_loads *l,
				   scry_addr object)
{
	enum { NEAR = 256 }; /* bytes of a handler that are looked at */
	uint32_t handler = handler_of(f);

	for (size_t i = 0; handler && i < l->count; i++)
		if (l->list[i].at >= handler && l->list[i].at < handler + NEAR &&
		    loads_method(f, &l->list[i], "release") == object)
			return true;
	return false;
}

/* What the code has called last, before the frame's instruction. */
enum last { NOTHING, ACQUIRED, TRIED, RELEASED };

/*
 * In the order of the code, which is that of its run but for jumps: so it is a guess alone. An
 * acquire() with arguments may have come back without the lock.
 */
static enum last last_call(const struct scry_frame *f, const struct scry_loads *l, scry_addr object)
{
	enum last last = NOTHING;

	for (size_t i = 0; i < l->count && (int64_t)l->list[i].at < f->lasti; i++) {
		const struct scry_call_made *call = call_of(f, l, &l->list[i]);

		if (!call)
			continue;
		if (loads_method(f, &l->list[i], "release") == object)
			last = RELEASED;
		else if (loads_method(f, &l->list[i], "acquire") == object &&
			 !is_passed_by(f, l, &l->list[i]))
			last = call->arguments ? TRIED : ACQUIRED;
	}
	return last;
}

static void note_calls(struct scry_waits *w, struct scry_waiter *who, const struct scry_frame *f)
{
	const struct scry_loads *l = scry_loads_of(w, f->code);

	if (!l || !has_load(l, "acquire"))
		return;
	for (size_t i = 0; i < l->count && (int64_t)l->list[i].at < f->lasti; i++) {
		scry_addr object = loads_method(f, &l->list[i], "acquire");
		enum last last = object ? last_call(f, l, object) : NOTHING;

		if (last == ACQUIRED || last == TRIED)
			note_all(w, who, object,
				 last == ACQUIRED && is_released_by_handler(f, l, object)
					 ? SCRY_HOW_FRAME
					 : SCRY_HOW_INFERRED,
				 f);
	}
}

/* Code may give a lock back for a while, within its with block. */
static enum scry_how how_with(struct scry_waits *w, const struct scry_frame *f, scry_addr object)
{
	const struct scry_loads *l = scry_loads_of(w, f->code);

	return l && has_load(l, "release") && last_call(f, l, object) == RELEASED
		       ? SCRY_HOW_INFERRED
		       : SCRY_HOW_WITH;
}

/* --- all frames --- */

/* A worker of a ThreadPoolExecutor works on a future: Lib/concurrent/futures/thread.py */
static void note_future(struct scry_waits *w, struct scry_waiter *who, const struct scry_frame *f,
			const char *module)
{
	scry_addr future;

	if (!strcmp(f->code->name, "run") && !strcmp(module, "concurrent.futures.thread") &&
	    (future = scry_stand_object(f, "self.future")))
		note(w, who, future, SCRY_HOW_FRAME, f);
}

static void note_frame(struct scry_waits *w, struct scry_waiter *who, const struct scry_frame *f)
{
	const char *module = scry_standard_module(w, f);
	scry_addr object;
	bool async;

	scry_queue_user_note(w, who, f);
	for (unsigned it = 0; scry_frame_with_next(f, &it, &object, &async) == SCRY_ITEM;)
		if (is_its_own(who, async))
			note_all(w, who, object, how_with(w, f, object), f);
	if (module) {
		note_future(w, who, f, module);
		scry_pool_job_note(w, who, f, module);
	} else if (is_its_own(who, false)) {
		note_calls(w, who, f);
	}
}

void scry_holds_collect(struct scry_waits *w)
{
	for (struct scry_runtime *r = scry_runtime_first(w->session); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			w->unread |= i->cut != NULL;
	for (size_t i = 0; i < w->count; i++) {
		struct scry_walk walk = { 0 };
		struct scry_frame f;
		unsigned n = 0;
		int rc = SCRY_OK;

		if (w->list[i].left)
			continue;
		while (n++ < FRAMES_MAX &&
		       (rc = scry_waiter_frame_next(&w->list[i], &walk, &f)) == SCRY_ITEM) {
			if (f.code && !f.damaged && f.lasti >= 0)
				note_frame(w, &w->list[i], &f);
			w->unread |= !f.code || f.damaged;
		}
		w->unread |= rc != SCRY_OK || (w->list[i].thread && w->list[i].thread->error);
	}
}
