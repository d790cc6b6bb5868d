/* PyPy's greenlets and continulets as tasks. A greenlet is a continulet with a parent. */
#include <string.h>

#include "object/model.h"
#include "runtime/pypy/pypy_suspended.h"
#include "task/greenlet.h"
#include "task/loop.h"

static const struct scry_task_ops greenlet;

struct pypy_greenlet {
	struct scry_chain chain;
	bool is_main;
	const char *type;
};

static bool is_true(struct scry_runtime *r, scry_addr object, const char *name)
{
	return scry_loop_attr_int(r, object, name) != 0;
}

/* newest first; a chain has the outermost first */
static void take_frames(struct scry_task *t, const struct scry_pypy_continulet *c)
{
	struct pypy_greenlet *d = t->detail;
	struct scry_chain_link *links =
		c->count ? scry_arena_alloc(&t->runtime->session->arena, c->count * sizeof(*links))
			 : NULL;

	for (size_t i = 0; links && i < c->count; i++)
		links[i] = (struct scry_chain_link) { .addr = c->frames[c->count - 1 - i] };
	d->chain = (struct scry_chain) { .frames = links, .count = links ? c->count : 0 };
	t->frame = links ? c->frames[0] : 0;
	t->error = c->error;
}

static void add(struct scry_runtime *r, const struct scry_pypy_continulet *c,
		struct scry_task ***tail)
{
	static const enum scry_task_state states[] = {
		[SCRY_PYPY_CONTINULET_NEW] = SCRY_TASK_NOT_STARTED,
		[SCRY_PYPY_CONTINULET_SUSPENDED] = SCRY_TASK_SUSPENDED,
		[SCRY_PYPY_CONTINULET_RUNS] = SCRY_TASK_RUNNING,
		[SCRY_PYPY_CONTINULET_OVER] = SCRY_TASK_DEAD,
	};
	struct pypy_greenlet *d = scry_arena_alloc(&r->session->arena, sizeof(*d));
	struct scry_task *t = d ? scry_task_add(r, &greenlet, c->addr, tail) : NULL;

	if (!t)
		return;
	*d = (struct pypy_greenlet) { .type = scry_model_of(r)->type_name(r, c->addr),
				      .is_main = is_true(r, c->addr, "_greenlet__main") };
	t->detail = d;
	t->state = states[c->state];
	/* main continulets never start: they are what a thread was before */
	if (d->is_main)
		t->state = SCRY_TASK_ACTIVE;
	t->parent = scry_loop_attr(r, c->addr, "parent");
	if (c->state == SCRY_PYPY_CONTINULET_SUSPENDED && !d->is_main)
		take_frames(t, c);
}

struct scry_task **scry_pypy_greenlets_collect(struct scry_runtime *r, struct scry_task **tail)
{
	struct scry_task **first = tail, *main = NULL;
	const struct scry_pypy_continulet *running = NULL;
	size_t mains = 0, runs = 0;
	int rc;

	for (struct scry_pypy_continulet *c = scry_pypy_continulets(r, &rc); c; c = c->next) {
		add(r, c, &tail);
		if (c->state == SCRY_PYPY_CONTINULET_RUNS) {
			running = c;
			runs++;
		}
	}
	if (rc < 0)
		scry_note(r->session, "not all greenlets are shown: %s", r->session->error.text);
	for (struct scry_task *t = *first; t; t = t->next)
		if (((struct pypy_greenlet *)t->detail)->is_main) {
			main = t;
			mains++;
		}
	/* where one runs, what the main one was doing is in its ring */
	if (mains == 1 && runs <= 1) {
		main->state = runs ? SCRY_TASK_SUSPENDED : SCRY_TASK_RUNNING;
		if (runs)
			take_frames(main, running);
	}
	return tail;
}

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct pypy_greenlet *d = t->detail;

	return scry_chain_frame_next(t->runtime, &d->chain, walk, ret);
}

static const char *const words[] = { ", {type}", "{?is_main}, main", NULL };

#define SUBJECT struct pypy_greenlet
static const struct scry_say fields[] = {
	SAY_TEXT("type", type),
	SAY_BOOL("is_main", is_main),
	SAY_VIEW("words", words, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_pypy_greenlet = { "PyPy greenlet", fields,
						     SCRY_THROUGH(struct scry_task, detail),
						     SCRY_IN(struct scry_task, runtime) };

static const struct scry_task_ops greenlet = {
	.kind = "greenlet",
	.command = "greenlets",
	.frame_next = frame_next,
	.facts = &scry_facts_pypy_greenlet,
};
