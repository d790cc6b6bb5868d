/* What nothing leads to. */
#include "heap/lost.h"

#include <stdlib.h>
#include <string.h>

#include "memory/block.h"
#include "object/judge.h"
#include "object/known.h"
#include "object/object.h"
#include "object/whatis.h"

void scry_lost_done(struct scry_lost *lost)
{
	free(lost->found);
	free(lost->state);
	free(lost->group);
	free(lost->groups);
	*lost = (struct scry_lost) { 0 };
}

/*
 * Without a GIL the count has two parts; the lowest two bits of the shared one are its state
 * (_Py_REF_SHARED_SHIFT, Include/refcount.h, 3.13 Include/object.h).
 */
bool scry_lost_is_going(struct scry_heap *h, uint32_t object)
{
	const struct scry_layout *l = h->runtime->layout;
	scry_addr addr = h->objects[object].addr;

	return !scry_reader_field(&h->reader, l, addr, SCRY_F_OBJECT_REFCNT) &&
	       !(scry_reader_field(&h->reader, l, addr, SCRY_F_OBJECT_REF_SHARED) & ~(uint64_t)3);
}

/*
 * A count that says "never" (immortal; deferred, in a free-threaded build) explains any
 * number of references.
 */
int64_t scry_lost_count(struct scry_heap *h, uint32_t object)
{
	struct scry_runtime *r = h->runtime;
	scry_addr addr = h->objects[object].addr;
	uint64_t word = scry_reader_field(&h->reader, r->layout, addr, SCRY_F_OBJECT_REFCNT);
	struct scry_whatis w;

	if (scry_is_immortal(r, word))
		return INT64_MAX;
	if (!scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED))
		return (int64_t)word;
	return scry_whatis(r, addr, &w) < 0 || !w.type_name || w.immortal || w.deferred
		       ? INT64_MAX
		       : w.refcount + w.shared;
}

/* --- counting --- */

struct pass {
	struct scry_lost *lost;
	uint32_t object;
	/* while what is reached is followed */
	uint32_t *queue;
	uint32_t done, end;
};

/*
 * As subtract_refs() of CPython's collector, over all objects and not over one generation
 * (Python/gc.c, before 3.13 Modules/gcmodule.c): what is left of a count is held from outside.
 */
static void count_one(void *arg, const struct scry_reference *ref)
{
	struct pass *p = arg;
	uint32_t to =
		ref->certain && ref->counted ? scry_heap_find(p->lost->h, ref->to) : SCRY_HEAP_NONE;

	if (to != SCRY_HEAP_NONE && p->lost->found[to] < UINT32_MAX)
		p->lost->found[to]++;
}

/*
 * As move_unreachable(): what a held object refers to is held, whether the reference counts or not.
 * Here an uncertain one suffices, since calling what lives lost would be the worse mistake.
 */
static void follow_one(void *arg, const struct scry_reference *ref)
{
	struct pass *p = arg;
	uint32_t to = scry_heap_find(p->lost->h, ref->to);

	if (to == SCRY_HEAP_NONE || p->lost->state[to] != SCRY_LOST_UNKNOWN)
		return;
	p->lost->state[to] = SCRY_LOST_REACHED;
	p->queue[p->end++] = to;
}

/* Held from outside: more counts than references explain; what is going is nobody's any more. */
static bool is_outside(struct scry_lost *lost, uint32_t object)
{
	struct scry_heap *h = lost->h;
	scry_addr addr = h->objects[object].addr;

	return scry_lost_count(h, object) > (int64_t)lost->found[object] ||
	       scry_lost_is_going(h, object) ||
	       (!scry_block_owns(h->runtime, addr) && scry_is_static(h->runtime, addr));
}

static bool stopped(const struct scry_lost *lost)
{
	return lost->h->runtime->session->stopped;
}

static void mark(struct pass *p)
{
	struct scry_lost *lost = p->lost;

	for (p->object = 0; p->object < lost->h->count && !stopped(lost); p->object++)
		if (!scry_lost_is_going(lost->h, p->object))
			scry_heap_visit(lost->h, p->object, count_one, p);
	for (uint32_t i = 0; i < lost->h->count && !stopped(lost); i++)
		if (is_outside(lost, i)) {
			lost->state[i] = SCRY_LOST_OUTSIDE;
			p->queue[p->end++] = i;
		}
	while (p->done < p->end && !stopped(lost)) {
		p->object = p->queue[p->done++];
		scry_heap_visit(lost->h, p->object, follow_one, p);
	}
}

/* --- groups --- */

/* Union and find, with paths halved. */
static uint32_t leader(uint32_t *group, uint32_t object)
{
	while (group[object] != object) {
		group[object] = group[group[object]];
		object = group[object];
	}
	return object;
}

static void join_one(void *arg, const struct scry_reference *ref)
{
	struct pass *p = arg;
	struct scry_lost *lost = p->lost;
	uint32_t to = scry_heap_find(lost->h, ref->to);

	if (to == SCRY_HEAP_NONE || lost->state[to] != SCRY_LOST_UNKNOWN)
		return;
	uint32_t a = leader(lost->group, p->object), b = leader(lost->group, to);

	lost->group[a > b ? a : b] = a > b ? b : a;
}

/* 2.7's instances of classes, and classes with __del__. */
static bool has_finalizer(struct scry_heap *h, uint32_t object)
{
	struct scry_type *t = scry_heap_type_of(h, object)->type;
	scry_addr type = t->addr, found;

	if (scry_known_type(t) == SCRY_IS_OLD_INSTANCE)
		return scry_attr(h->runtime, h->objects[object].addr, "__del__", &found) == SCRY_OK;
	return t->flags & TYPE_HEAP && scry_attr(h->runtime, type, "__del__", &found) == SCRY_OK;
}

static int by_size(const void *a, const void *b)
{
	const struct scry_lost_group *x = a, *y = b;

	if (x->objects != y->objects)
		return x->objects < y->objects ? 1 : -1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/*
 * Objects that refer to one another, in whichever direction, would be collected together: one
 * group.
 */
static bool make_groups(struct pass *p)
{
	struct scry_lost *lost = p->lost;
	struct scry_heap *h = lost->h;
	/*
	 * before PEP 442 (3.4) a cycle with a __del__ in it was never collected, but put into
	 * gc.garbage
	 */
	bool finalizers = scry_trait(h->runtime, SCRY_TRAIT_FINALIZERS_KEEP);
	uint32_t *index = p->queue; /* by leader; not needed any more for what it was */
	size_t n = 0;

	for (uint32_t i = 0; i < h->count; i++)
		lost->group[i] = i;
	for (p->object = 0; p->object < h->count && !stopped(lost); p->object++)
		if (lost->state[p->object] == SCRY_LOST_UNKNOWN)
			scry_heap_visit(h, p->object, join_one, p);
	for (uint32_t i = 0; i < h->count; i++)
		n += lost->state[i] == SCRY_LOST_UNKNOWN && lost->group[i] == i;
	lost->groups = calloc(n + 1, sizeof(*lost->groups));
	if (!lost->groups)
		return false;
	/* the leader of a group is its first object */
	for (uint32_t i = 0; i < h->count; i++) {
		uint32_t first = leader(lost->group, i);
		struct scry_lost_group *g;

		if (lost->state[i] != SCRY_LOST_UNKNOWN)
			continue;
		if (first == i) {
			index[i] = (uint32_t)lost->group_count;
			lost->groups[lost->group_count++].first = i;
		}
		g = &lost->groups[index[first]];
		g->objects++;
		g->bytes += scry_heap_bytes(h, i);
		g->finalizer = g->finalizer || (finalizers && has_finalizer(h, i));
	}
	for (uint32_t i = 0; i < h->count; i++)
		lost->group[i] = lost->state[i] == SCRY_LOST_UNKNOWN ? leader(lost->group, i)
								     : SCRY_HEAP_NONE;
	qsort(lost->groups, lost->group_count, sizeof(*lost->groups), by_size);
	return true;
}

int scry_lost_find(struct scry_heap *h, struct scry_lost *ret)
{
	size_t room = h->count + 1;
	struct pass p = { .lost = ret };

	*ret = (struct scry_lost) { .h = h,
				    .found = calloc(room, sizeof(*ret->found)),
				    .state = calloc(room, 1),
				    .group = malloc(room * sizeof(*ret->group)) };
	p.queue = malloc(room * sizeof(*p.queue));
	bool done = ret->found && ret->state && ret->group && p.queue;

	if (done) {
		mark(&p);
		done = make_groups(&p);
	}
	free(p.queue);
	if (stopped(ret))
		return scry_fail(h->runtime->session, SCRY_EFAULT, 0, "interrupted");
	return done ? SCRY_OK : scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
}
