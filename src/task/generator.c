/* Generators anywhere on the heap: the collector knows every one of them. */
#include "task/generator.h"

#include <inttypes.h>
#include <string.h>

#include "memory/gc.h"
#include "object/contradict.h"
#include "object/cython.h"
#include "object/model.h"

static const struct scry_task_ops generator, coroutine, async_generator;
const struct scry_task_ops *const scry_generator_kinds[] = { &generator, &coroutine,
							     &async_generator };

/*
 * Chains of a recursion share their frames, so that all of them together are as long as its depth's
 * square: past so many frames in all, and so many more for each generator, the rest have their own
 * frame only.
 */
#define FRAMES_MAX  1000000
#define FRAMES_EACH 8
#define BETWEEN_MAX 16 /* objects between two generators */

struct search {
	struct scry_kinds kinds;
	struct scry_hash tasks; /* by address of the generator */
	struct scry_task **tail;
};

static const struct scry_task_ops *ops_for(enum scry_kind kind)
{
	switch (kind) {
	case SCRY_KIND_COROUTINE:
	case SCRY_KIND_CYTHON_COROUTINE:
		return &coroutine;
	case SCRY_KIND_ASYNC_GENERATOR:
	case SCRY_KIND_CYTHON_ASYNC_GENERATOR:
		return &async_generator;
	default:
		return &generator;
	}
}

static const char *name_of(struct scry_runtime *r, scry_addr addr, scry_addr frame)
{
	static const enum scry_field fields[] = { SCRY_F_GEN_QUALNAME, SCRY_F_GEN_NAME };
	struct scry_frame f;
	uint64_t name;
	const char *text;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (scry_layout_has(r->layout, fields[i]) &&
		    scry_field_read(r, addr, fields[i], &name) == SCRY_OK &&
		    scry_text_at(r, name, 1000, &text) == SCRY_OK)
			return text;
	return frame && scry_frame_at(r, frame, &f) == SCRY_OK && f.code ? f.code->name : NULL;
}

static void add(struct search *s, scry_addr addr, enum scry_kind kind)
{
	static const enum scry_task_state states[] = { SCRY_TASK_CREATED, SCRY_TASK_SUSPENDED,
						       SCRY_TASK_RUNNING, SCRY_TASK_CLOSED,
						       SCRY_TASK_UNKNOWN };
	struct scry_runtime *r = s->kinds.runtime;
	struct scry_await a;
	int rc = scry_await_read(&s->kinds, addr, &a);

	if (rc == SCRY_OK && a.state == SCRY_CLOSED)
		return; /* over */
	const char *why = rc < 0 ? scry_arena_text(&r->session->arena, r->session->error.text,
						   strlen(r->session->error.text))
			  : scry_kind_is_cythons(kind) ? NULL
						       : scry_generator_state_doubt(r, addr);
	struct scry_generator *d = scry_arena_alloc(&r->session->arena, sizeof(*d));
	struct scry_task *t = d ? scry_task_add(r, ops_for(kind), addr, &s->tail) : NULL;
	if (!t)
		return;
	t->detail = d;
	*d = (struct scry_generator) { .state = a.state, .cython = scry_kind_is_cythons(kind) };
	t->state = states[a.state];
	t->frame = a.frame;
	t->name = d->cython ? scry_cython_generator_name(r, addr, true) : name_of(r, addr, a.frame);
	t->waits_for = a.next;
	t->error = why;
}

/*
 * The generator that one waits for, directly or through asend objects and wrappers; NULL where it
 * is something else.
 */
static struct scry_task *awaited(struct search *s, const struct scry_task *t)
{
	struct scry_await a = { .next = t->waits_for };

	for (unsigned hops = 0; a.next && hops < BETWEEN_MAX; hops++) {
		struct scry_task *found = scry_hash_find(&s->tasks, a.next);
		enum scry_kind kind = found ? SCRY_KIND_OTHER : scry_kind_of(&s->kinds, a.next);

		if (found || kind == SCRY_KIND_OTHER || kind >= SCRY_KIND_FUTURE_ITER ||
		    scry_await_read(&s->kinds, a.next, &a) < 0)
			return found;
	}
	return NULL;
}

static void find_awaited(struct search *s, struct scry_task *first)
{
	for (struct scry_task *t = first; t; t = t->next)
		scry_hash_put(&s->tasks, t->addr, t);
	for (struct scry_task *t = first; t; t = t->next)
		((struct scry_generator *)t->detail)->awaits = awaited(s, t);
}

static void find_awaiters(struct scry_runtime *r, struct scry_task *first)
{
	for (struct scry_task *t = first; t; t = t->next) {
		struct scry_task *to = ((struct scry_generator *)t->detail)->awaits;

		if (to)
			((struct scry_generator *)to->detail)->awaiters++;
	}
	for (struct scry_task *t = first; t; t = t->next) {
		const struct scry_generator *d = t->detail;
		struct scry_task *to = d->awaits;
		struct scry_generator *other = to ? to->detail : NULL;

		if (to && !other->awaited_by)
			other->awaited_by = scry_arena_alloc(
				&r->session->arena, other->awaiters * sizeof(*other->awaited_by));
		if (!to || !other->awaited_by)
			continue;
		other->awaited_by[to->awaited_by_count++] = t->addr;
		to->awaited_by = other->awaited_by;
	}
}

struct chains {
	void (*read)(void *arg, const struct scry_task *t, struct scry_chain *ret);
	void *arg;
	size_t count, frames, cut; /* generators, frames of all chains, chains left out */
};

static void read_chain(struct chains *c, struct scry_task *t)
{
	struct scry_generator *d = t->detail;

	if (c->frames >= FRAMES_MAX + c->count * FRAMES_EACH) {
		c->cut++;
		d->own = d->cython ? (struct scry_chain_link) { t->addr, true }
				   : (struct scry_chain_link) { t->frame, false };
		d->chain = (struct scry_chain) { .frames = &d->own, .count = 1 };
		return;
	}
	c->read(c->arg, t, &d->chain);
	c->frames += d->chain.count;
	if (!t->error)
		t->error = d->chain.error;
}

/* First those that nobody awaits: the others are parts of theirs. */
void scry_generators_link(struct scry_runtime *r, struct scry_task *first,
			  void (*read)(void *arg, const struct scry_task *t,
				       struct scry_chain *ret),
			  void *arg)
{
	struct chains c = { .read = read, .arg = arg };

	find_awaiters(r, first);
	for (struct scry_task *t = first; t; t = t->next)
		c.count++;
	for (int awaited = 0; awaited < 2; awaited++)
		for (struct scry_task *t = first; t; t = t->next)
			if (!!t->awaited_by_count == awaited)
				read_chain(&c, t);
	if (c.cut)
		scry_note(r->session,
			  "the chains of %zu generators have %zu frames: of the other %zu only "
			  "their own are shown",
			  c.count - c.cut, c.frames, c.cut);
}

static void read_by_await(void *arg, const struct scry_task *t, struct scry_chain *ret)
{
	scry_chain_read(arg, t->addr, ret);
}

static struct scry_task **collect(struct scry_runtime *r, struct scry_task **tail)
{
	if (r->strategy->model == SCRY_MODEL_PYPY)
		return scry_pypy_generators_collect(r, tail);
	struct search s = { .kinds = SCRY_KINDS_INIT(r), .tail = tail };
	struct scry_gc gc;
	scry_addr object;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		if (scry_gc_open(&gc, i) < 0) {
			scry_note(r->session, "generators are not shown: %s",
				  r->session->error.text);
			continue;
		}
		while (scry_gc_next(&gc, &object) == SCRY_ITEM) {
			enum scry_kind kind = scry_kind_of(&s.kinds, object);

			if (scry_kind_suspends(kind))
				add(&s, object, kind);
		}
		scry_gc_done(&gc);
	}
	if (s.kinds.unsound)
		scry_note(r->session,
			  "objects without a sound type are in the collector's lists: if any is a "
			  "generator, it is not shown");
	find_awaited(&s, *tail);
	scry_generators_link(r, *tail, read_by_await, &s.kinds);
	scry_hash_done(&s.tasks);
	scry_kinds_done(&s.kinds);
	return s.tail;
}

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct scry_generator *d = t->detail;

	return scry_chain_frame_next(t->runtime, &d->chain, walk, ret);
}

static const struct scry_facts awaiter_facts = { "awaiter", scry_facts_addr_fields,
						 (const char *const[]) {
							 "    awaited by {address}\n", NULL } };

/* By whom, where it is not one of the interpreter's own. */
static void get_compiled(const void *subject, struct scry_said *ret)
{
	const struct scry_generator *d = ((const struct scry_task *)subject)->detail;

	if (d->cython)
		scry_said_text(ret, "Cython");
	else
		ret->kind = SCRY_SAID_ABSENT;
}

static void get_module(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;
	const struct scry_generator *d = t->detail;
	struct scry_cython_generator g;
	const char *text = NULL;

	ret->kind = SCRY_SAID_ABSENT;
	if (!d->cython)
		return;
	if (scry_cython_generator_read(t->runtime, t->addr, &g) < 0 ||
	    scry_text_at(t->runtime, g.module, 1000, &text) < 0)
		text = NULL;
	scry_said_text(ret, text);
}

static const char *const words[] = { ", compiled by {compiled}", NULL };
static const char *const lines[] = { "    waits for {object}\n", "{awaiters}", NULL };

#define SUBJECT struct scry_task
static const struct scry_say fields[] = {
	SAY_GET("compiled", get_compiled),
	SAY_GET("module", get_module),
	SAY_AT("object", &scry_facts_value, waits_for, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ADDRS("awaiters", &awaiter_facts, awaited_by, awaited_by_count,
		  .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("words", words, NULL),
	SAY_VIEW("lines", lines, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_generator = { "generator", fields,
						 SCRY_IN(struct scry_task, runtime) };

#define GENERATOR_OPS(text)                                                \
	{                                                                  \
		.kind = text, .command = "generators", .collect = collect, \
		.frame_next = frame_next, .facts = &scry_facts_generator   \
	}
const struct scry_task_ops scry_task_generator = GENERATOR_OPS("generator");
static const struct scry_task_ops generator = GENERATOR_OPS("generator");
static const struct scry_task_ops coroutine = GENERATOR_OPS("coroutine");
static const struct scry_task_ops async_generator = GENERATOR_OPS("async_generator");
