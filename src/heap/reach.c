/*
 * What the blocks do not have: objects that malloc() gave out (more than 512 bytes, or all of
 * them), and static ones. The collector knows many; the rest is what others refer to, judged one by
 * one.
 */
#include "heap/reach.h"

#include "base/progress.h"
#include "heap/visit.h"
#include "memory/block.h"
#include "memory/gc.h"
#include "object/judge.h"

struct reach {
	struct scry_heap *h;
	struct scry_hash seen; /* addresses that were looked at */
	bool full;             /* out of memory */
};

/* An address that no page of blocks has; false where it was looked at before. */
static bool is_new(struct reach *reach, scry_addr addr)
{
	struct scry_heap *h = reach->h;

	if (addr < SCRY_NULL_PAGE || addr % h->reader.ptr || scry_heap_has_page(h, addr))
		return false;
	int new = scry_hash_add(&reach->seen, addr);

	reach->full |= new < 0;
	return new > 0;
}

static void take(struct reach *reach, scry_addr addr, bool certain)
{
	struct scry_heap *h = reach->h;
	struct scry_verdict v;
	uint64_t word;

	if (!scry_reader_word(&h->reader,
			      addr + h->runtime->layout->slot[SCRY_F_OBJECT_TYPE].offset, &word))
		return;
	uint32_t type = scry_heap_type_at(h, word);

	if (type == SCRY_HEAP_NONE)
		return;
	int rc = scry_judge(h->runtime, addr, &v);

	/* what an extension allocates in ways of its own is an object, too */
	if (rc < 0 && certain)
		rc = scry_judge_reference(h->runtime, addr, h->types[type]->type);
	else if (rc == SCRY_OK && v.dead)
		rc = SCRY_ENOTFOUND;
	if (rc == SCRY_OK)
		reach->full |= !scry_heap_add(h, addr, type);
}

static void visit(void *arg, const struct scry_reference *ref)
{
	struct reach *reach = arg;

	if (is_new(reach, ref->to))
		take(reach, ref->to,
		     ref->certain && ref->kind != SCRY_SLOT_STACK &&
			     (ref->kind != SCRY_SLOT_WORD || ref->object));
}

static void take_collected(struct reach *reach)
{
	struct scry_runtime *r = reach->h->runtime;
	scry_addr object;
	struct scry_gc gc;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		if (scry_gc_open(&gc, i) < 0)
			continue;
		while (!r->session->stopped && !reach->full &&
		       scry_gc_next(&gc, &object) == SCRY_ITEM)
			if (is_new(reach, object))
				take(reach, object, true);
		scry_gc_done(&gc);
	}
}

/* Frames that run are nobody's objects up to 3.10 (untracked), and no objects at all later. */
static void take_frames(struct reach *reach)
{
	struct scry_heap *h = reach->h;
	bool objects = scry_trait(h->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS);

	for (struct scry_thread *t = scry_thread_first(h->runtime->session); t; t = t->next) {
		struct scry_frame f;
		struct scry_walk w;

		if (t->runtime != h->runtime)
			continue;
		scry_walk_thread(&w, t);
		while (scry_walk_next(&w, &f) == SCRY_ITEM) {
			if (f.kind == SCRY_FRAME_DAMAGED && !f.code)
				continue;
			if (!objects)
				scry_heap_visit_frame(h, f.addr, visit, reach);
			else if (is_new(reach, f.addr))
				take(reach, f.addr, true);
		}
	}
}

static void take_roots(struct reach *reach)
{
	struct scry_heap *h = reach->h;

	for (struct scry_interp *i = h->runtime->interps; i; i = i->next) {
		scry_addr dicts[] = { i->modules, i->sysdict, i->builtins };

		for (size_t d = 0; d < sizeof(dicts) / sizeof(*dicts); d++)
			if (is_new(reach, dicts[d]))
				take(reach, dicts[d], true);
	}
	for (size_t i = 0; i < h->type_count; i++)
		if (is_new(reach, h->types[i]->type->addr))
			take(reach, h->types[i]->type->addr, true);
}

int scry_heap_reach(struct scry_heap *h)
{
	struct reach reach = { .h = h };

	take_collected(&reach);
	take_frames(&reach);
	take_roots(&reach);
	/* the list grows while it is gone through: what is new leads on */
	for (size_t i = 0; i < h->count && !reach.full &&
			   scry_going(h->runtime->session, SCRY_PASS_FOLLOW, i, h->count);
	     i++)
		scry_heap_visit(h, (uint32_t)i, visit, &reach);
	scry_hash_done(&reach.seen);
	return reach.full ? scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory")
			  : SCRY_OK;
}
