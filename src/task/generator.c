/* Generators anywhere on the heap: the collector's lists hold every one of them. */
#include "task/generator.h"

#include <inttypes.h>
#include <string.h>

#include "heap/gc.h"
#include "object/internal.h"

static const struct scry_task_ops generator, coroutine, async_generator;

/* Chains of a recursion share their frames: past so many in all, each keeps its own frame only. */
#define FRAMES_MAX 1000000

struct search {
	size_t frames; /* in all chains */
	struct scry_kinds kinds;
	struct scry_hash awaited; /* what a generator waits for: that generator's task */
	struct scry_task **tail;
};

static const struct scry_task_ops *ops_for(enum scry_kind kind)
{
	return kind == SCRY_KIND_COROUTINE ? &coroutine :
	       kind == SCRY_KIND_ASYNC_GENERATOR ? &async_generator : &generator;
}

static const char *name_of(struct scry_runtime *r, scry_addr addr, scry_addr frame)
{
	static const enum scry_field fields[] = { SCRY_F_GEN_QUALNAME, SCRY_F_GEN_NAME };
	struct scry_frame f;
	uint64_t name;
	const char *text;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (scry_layout_has(r->layout, fields[i]) && scry_field_read(r, addr, fields[i], &name) == SCRY_OK &&
		    scry_text_at(r, name, 1000, &text) == SCRY_OK)
			return text;
	return frame && scry_frame_at(r, frame, &f) == SCRY_OK && f.code ? f.code->name : NULL;
}

static void read_chain(struct search *s, struct scry_task *t, const struct scry_await *a, struct scry_generator *d)
{
	if (s->frames < FRAMES_MAX) {
		scry_chain_read(&s->kinds, t->addr, &d->chain);
		s->frames += d->chain.count;
		return;
	}
	if (s->frames < SIZE_MAX) {
		s->frames = SIZE_MAX;
		scry_note(t->runtime->session, "the chains of more than %d frames: the rest shows single frames",
			  FRAMES_MAX);
	}
	d->own = a->frame;
	d->chain = (struct scry_chain){ .frames = &d->own, .count = 1 };
}

static void add(struct search *s, scry_addr addr, enum scry_kind kind)
{
	static const char *const states[] = { "created", "suspended", "running", "closed" };
	struct scry_runtime *r = s->kinds.runtime;
	struct scry_await a;
	int rc = scry_await_read(&s->kinds, addr, &a);

	if (rc == SCRY_OK && !a.frame)
		return; /* over */
	struct scry_generator *d = scry_arena_alloc(&r->session->arena, sizeof(*d));
	struct scry_task *t = d ? scry_task_add(r, ops_for(kind), addr, &s->tail) : NULL;
	if (!t)
		return;
	t->detail = d;
	read_chain(s, t, &a, d);
	d->state = a.state;
	t->state = states[a.state];
	t->error = d->chain.error;
	t->frame = a.frame;
	t->name = name_of(r, addr, a.frame);
	t->waits_for = a.next;
	if (a.next)
		scry_hash_put(&s->awaited, a.next, t);
}

/* Objects between two generators (asend objects, wrappers) stand for the one they lead to. */
static void link_awaiters(struct search *s)
{
	struct scry_hash through = { 0 };
	struct scry_await a;

	for (size_t i = 0; i < s->awaited.size; i++) {
		const struct scry_hash_slot *slot = &s->awaited.slots[i];

		if (!slot->value || scry_kind_suspends(scry_kind_of(&s->kinds, slot->key)))
			continue;
		if (scry_await_read(&s->kinds, slot->key, &a) == SCRY_OK && a.next)
			scry_hash_put(&through, a.next, slot->value);
	}
	for (size_t i = 0; i < through.size; i++)
		if (through.slots[i].value)
			scry_hash_put(&s->awaited, through.slots[i].key, through.slots[i].value);
	scry_hash_done(&through);
}

static void find_awaiters(struct search *s, struct scry_task *first)
{
	link_awaiters(s);
	for (struct scry_task *t = first; t; t = t->next) {
		const struct scry_task *by = scry_hash_find(&s->awaited, t->addr);

		if (by) {
			t->awaited_by = &by->addr;
			t->awaited_by_count = 1;
		}
	}
}

static struct scry_task **collect(struct scry_runtime *r, struct scry_task **tail)
{
	struct search s = { .kinds = SCRY_KINDS_INIT(r), .tail = tail };
	struct scry_gc gc;
	scry_addr object;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		if (scry_gc_open(&gc, i) < 0) {
			scry_note(r->session, "generators are not shown: %s", r->session->error.text);
			continue;
		}
		while (scry_gc_next(&gc, &object) == SCRY_ITEM) {
			enum scry_kind kind = scry_kind_of(&s.kinds, object);

			if (scry_kind_suspends(kind))
				add(&s, object, kind);
		}
		scry_gc_done(&gc);
	}
	find_awaiters(&s, *tail);
	scry_hash_done(&s.awaited);
	scry_kinds_done(&s.kinds);
	return s.tail;
}

static int frame_next(struct scry_task *t, struct scry_walk *walk, struct scry_frame *ret)
{
	const struct scry_generator *d = t->detail;

	return scry_chain_frame_next(t->runtime, &d->chain, walk, ret);
}

static void lines(struct scry_task *t, struct scry_buf *out, bool verbose)
{
	(void)verbose;
	if (t->waits_for) {
		scry_buf_puts(out, "    waits for ");
		scry_task_value_text(t->runtime, t->waits_for, out);
		scry_buf_putc(out, '\n');
	}
	if (t->awaited_by_count)
		scry_buf_printf(out, "    awaited by 0x%" PRIx64 "\n", t->awaited_by[0]);
}

#define GENERATOR_OPS(text) { .kind = text, .command = "generators", .collect = collect, .frame_next = frame_next, .lines = lines }
const struct scry_task_ops scry_task_generator = GENERATOR_OPS("generator");
static const struct scry_task_ops generator = GENERATOR_OPS("generator");
static const struct scry_task_ops coroutine = GENERATOR_OPS("coroutine");
static const struct scry_task_ops async_generator = GENERATOR_OPS("async_generator");
