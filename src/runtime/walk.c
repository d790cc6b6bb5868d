/* Walking a chain of frames: what cannot be true is said in its place, and the walk goes on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/frame.h"
#include "runtime/settle.h"

#define RUN_MAX    4  /* damaged frames in a row, until what follows is not believed any more */
#define BREAKS_MAX 16 /* links that lead nowhere, in one chain */

static const struct scry_chain_ops nothing;

/* What the walk is checked by: only a thread's frames have to fit together. */
static const struct scry_chain_ops *ops_of(const struct scry_walk *w)
{
	const struct scry_chain_ops *ops = w->thread ? w->runtime->strategy->chain : NULL;

	return ops ? ops : &nothing;
}

static void start(struct scry_walk *w, struct scry_thread *t, struct scry_runtime *r,
		  scry_addr frame)
{
	*w = (struct scry_walk) {
		.thread = t, .runtime = r, .next = frame, .power = 1, .fresh = true
	};
}

void scry_walk_thread(struct scry_walk *w, struct scry_thread *t)
{
	scry_addr top = 0;

	scry_thread_settle(t);
	unsigned readings = t->session->target->readings;
	int rc = scry_thread_top(t, &top);

	start(w, t, t->runtime, top);
	w->readings = readings;
	if (t->torn && !t->error)
		t->error = "it changed while it was read, each of 16 times: frames may be of "
			   "different moments";
	if (rc < 0) {
		const char *why = t->session->error.text;

		t->error = scry_arena_text(&t->session->arena, why, strlen(why));
	}
	if (t->runtime && t->state && ops_of(w)->open)
		ops_of(w)->open(w);
}

void scry_walk_from(struct scry_walk *w, struct scry_runtime *r, scry_addr frame)
{
	start(w, NULL, r, frame);
}

/* Brent: a marker that moves to the present at every power of two meets any cycle again. */
static bool is_cycle(struct scry_walk *w, scry_addr at)
{
	if (at == w->anchor)
		return true;
	if (w->steps++ == w->power) {
		w->anchor = at;
		w->power *= 2;
		w->steps = 0;
	}
	return false;
}

static int give(struct scry_walk *w, struct scry_frame *ret)
{
	ret->thread = w->thread;
	ret->depth = w->depth++;
	return SCRY_ITEM;
}

/* The chain cannot go where it goes: said, then on with what must come next. */
static int give_break(struct scry_walk *w, struct scry_frame *ret, const char *why)
{
	const struct scry_chain_ops *ops = ops_of(w);
	scry_addr at = w->next, next = 0;

	if (w->breaks++ < BREAKS_MAX && ops->recover)
		next = ops->recover(w);
	*ret = (struct scry_frame) { .runtime = w->runtime, .addr = at, .lasti = -1 };
	if (next)
		scry_frame_damage(ret, "%s; what follows is from %s", why, ops->from);
	else
		scry_frame_damage(ret, "%s", why);
	ret->broken = true;
	w->next = next;
	w->ended = !next;
	w->fresh = true;
	return give(w, ret);
}

static int give_damage(struct scry_walk *w, struct scry_frame *ret)
{
	if (++w->run <= RUN_MAX)
		return give(w, ret);
	scry_addr at = ret->addr;

	*ret = (struct scry_frame) { .runtime = w->runtime, .addr = at, .lasti = -1 };
	scry_frame_damage(ret, "nor is this a frame: the chain is not followed any further");
	w->ended = true;
	return give(w, ret);
}

static int end(struct scry_walk *w, struct scry_frame *ret)
{
	const struct scry_chain_ops *ops = ops_of(w);
	const char *why = ops->end ? ops->end(w) : NULL;

	if (why)
		return give_break(w, ret, why);
	w->ended = true;
	return SCRY_OK;
}

/* The frame that the link at hand leads to, of whatever kind; or what is wrong with the link. */
static int step(struct scry_walk *w, struct scry_frame *ret)
{
	const struct scry_chain_ops *ops = ops_of(w);
	char text[96];

	if (is_cycle(w, w->next)) {
		snprintf(text, sizeof(text), "the chain of frames leads back to 0x%" PRIx64,
			 w->next);
		return give_break(w, ret, text);
	}
	scry_frame_at(w->runtime, w->next, ret);
	const char *why = ret->unread ? ret->damaged : NULL;
	if (!why && ops->check)
		why = ops->check(w, ret);
	if (why)
		return give_break(w, ret, why);
	w->any = true;
	w->next = ret->back;
	if (ret->kind == SCRY_FRAME_DAMAGED)
		return give_damage(w, ret);
	w->run = 0;
	return SCRY_OK;
}

/*
 * From 3.12 on a shim stands where C called into the interpreter; it belongs to the frame before
 * it.
 */
static void find_shim(const struct scry_walk *w, struct scry_frame *f)
{
	struct scry_frame behind;

	if (f->entry || !w->next || !scry_layout_has(w->runtime->layout, SCRY_F_IFRAME_OWNER) ||
	    scry_layout_has(w->runtime->layout, SCRY_F_IFRAME_IS_ENTRY))
		return;
	uint64_t owner;

	if (scry_field_read(w->runtime, w->next, SCRY_F_IFRAME_OWNER, &owner) < 0 || owner < 3)
		return;
	scry_frame_at(w->runtime, w->next, &behind);
	f->entry = behind.kind == SCRY_FRAME_SHIM;
	f->shim = f->entry ? w->next : 0;
}

/* Another thread's stack was read meanwhile: what is read from now on is of another moment. */
static bool is_late(const struct scry_walk *w)
{
	const struct scry_thread *t = w->thread;

	return t && !t->settling && w->readings != t->session->target->readings;
}

int scry_walk_next(struct scry_walk *w, struct scry_frame *ret)
{
	if (is_late(w) && !w->thread->error)
		w->thread->error = "another one was read meanwhile: frames may be of different "
				   "moments";
	for (;;) {
		if (w->ended || !w->runtime)
			return SCRY_OK;
		int rc = w->next ? step(w, ret) : end(w, ret);

		if (rc != SCRY_OK || w->ended)
			return rc;
		if (ret->kind != SCRY_FRAME_SHIM && !ret->incomplete)
			break;
	}
	find_shim(w, ret);
	return give(w, ret);
}
