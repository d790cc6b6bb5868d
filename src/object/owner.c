/* Who leads to some memory. See owner.h. */
#include "object/owner.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory/gc.h"
#include "memory/malloc.h"
#include "memory/search.h"
#include "memory/stack.h"
#include "object/printer.h"
#include "object/whatis.h"

/* words that lead there: more of them are a pattern, not references */
#define HITS_MAX       100000
#define REFERENCES_MAX 1000
#define WORDS_MAX      8 /* before an object in its block */
#define SLOT_TEXT      60

struct hit {
	scry_addr at, word;
};

struct hits {
	struct scry_runtime *runtime;
	struct hit *list;
	size_t count, room;
	bool cut;
};

static bool keep_hit(void *arg, scry_addr at, scry_addr word)
{
	struct hits *h = arg;
	struct hit *list = h->count < HITS_MAX
				   ? scry_arena_grow(&h->runtime->session->arena, h->list, h->count,
						     &h->room, sizeof(*list), 64)
				   : NULL;

	if (!list) {
		h->cut = true;
		return false;
	}
	h->list = list;
	h->list[h->count++] = (struct hit) { at, word };
	return true;
}

/* --- in what a word stands --- */

/* The block or chunk around an address; false where there is none, or it is free. */
static bool memory_around(struct scry_runtime *r, scry_addr at, scry_addr *ret_start,
			  scry_addr *ret_end)
{
	struct scry_malloc_chunk c;
	struct scry_block b;

	if (scry_block_find(r, at, &b)) {
		*ret_start = b.start;
		*ret_end = b.start + b.size;
		return !b.free;
	}
	if (scry_block_owns(r, at) || !scry_malloc_find(r, at, &c))
		return false;
	*ret_start = c.start;
	*ret_end = c.start + c.size;
	return !scry_malloc_is_free(&c) && at >= c.start;
}

int scry_object_around(struct scry_runtime *r, scry_addr at, scry_addr *ret_object,
		       struct scry_verdict *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr start, end, near;

	if (scry_stack_has(r, at))
		return SCRY_ENOTFOUND;
	if (!memory_around(r, at, &start, &end))
		return scry_module_at(r->session, at)
			       ? scry_judge_inside(r, at, ret_object, &near, ret)
			       : SCRY_ENOTFOUND;
	for (scry_addr i = start; i <= at && i < start + WORDS_MAX * ptr; i += ptr)
		if (scry_judge(r, i, ret) == SCRY_OK) {
			*ret_object = i;
			return at - i < ret->extent ? SCRY_OK : SCRY_ENOTFOUND;
		}
	return SCRY_ENOTFOUND;
}

/* --- owners and users --- */

/* A part without a size (how long it is only its allocator knows) has the block that it begins. */
static bool has(const struct scry_part *p, scry_addr addr, scry_addr start, scry_addr end)
{
	if (p->size)
		return addr - p->start < p->size;
	return p->start >= start && p->start < end;
}

enum found { FOUND_NOT, FOUND_NEAR, FOUND };

/* A part of the object that has the address, or one in the same block or chunk. */
static enum found find_part(struct scry_runtime *r, scry_addr object, struct scry_type *t,
			    scry_addr addr, scry_addr start, scry_addr end, struct scry_part *ret)
{
	struct scry_parts parts = { .runtime = r, .owner = object, .type = t };
	struct scry_part part, near = { 0 };

	while (scry_part_next(&parts, &part) == SCRY_ITEM) {
		if (has(&part, addr, start, end)) {
			*ret = part;
			return FOUND;
		}
		/* before ob_start, after what a length says */
		if (part.start >= start && part.start < end)
			near = part;
	}
	if (!near.owner)
		return FOUND_NOT;
	*ret = near;
	return FOUND_NEAR;
}

static void add_export(struct scry_runtime *r, struct scry_owners *o, const struct scry_export *e)
{
	struct scry_export *list = scry_arena_grow(&r->session->arena, o->exports, o->export_count,
						   &o->export_room, sizeof(*list), 8);

	if (!list)
		return;
	o->exports = list;
	o->exports[o->export_count++] = *e;
}

struct question {
	scry_addr addr, start, end;
};

/*
 * What the object around a word has to do with the memory. A user (a memoryview over a buffer) is
 * told apart from an owner: it keeps the memory alive, but does not decide when it goes. An object
 * that merely has the start of the block in a field is the last resort, and a guess.
 */
static void ask(struct scry_runtime *r, const struct question *q, const struct hit *hit,
		struct scry_owners *o)
{
	unsigned hooks = 2 * r->session->target->abi.ptr_size;
	struct scry_verdict v;
	struct scry_export e;
	struct scry_part part;
	scry_addr object;

	if (scry_object_around(r, hit->at, &object, &v) < 0 || v.dead ||
	    (object >= q->start && object < q->end))
		return;
	if (scry_export_of(r, object, v.type, &e)) {
		if (e.start == hit->word &&
		    (!o->export_count || o->exports[o->export_count - 1].user != object))
			add_export(r, o, &e);
		return;
	}
	enum found found = find_part(r, object, v.type, q->addr, q->start, q->end, &part);
	if (!o->certain && found != FOUND_NOT) {
		o->part = part;
		o->found = true;
		o->certain = found == FOUND;
	} else if (!o->found && (hit->word == q->start || hit->word == q->start + hooks)) {
		o->part = (struct scry_part) { .owner = object,
					       .type = v.type,
					       .start = hit->word,
					       .field = scry_field_name_at(r, object,
									   hit->at - object) };
		o->found = true;
	}
}

/* Types whose parts no word of theirs leads to: all their objects are asked. */
static void ask_chains(struct scry_runtime *r, const struct question *q, struct scry_owners *o)
{
	struct scry_type *t;
	struct scry_gc gc;
	scry_addr object;

	for (struct scry_interp *i = r->interps; i && !o->certain; i = i->next) {
		if (scry_gc_open(&gc, i) < 0)
			continue;
		while (!o->certain && scry_gc_next(&gc, &object) == SCRY_ITEM)
			if (scry_type_for(r, object, &t) == SCRY_OK && scry_type_has_chain(r, t) &&
			    find_part(r, object, t, q->addr, q->start, q->end, &o->part) == FOUND)
				o->found = o->certain = true;
		scry_gc_done(&gc);
	}
}

/* --- references --- */

static const char *text_of(struct scry_runtime *r, const char *before, scry_addr key,
			   const char *behind)
{
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_printer p;

	scry_buf_puts(&text, before);
	scry_printer_init(&p, r, &text);
	p.max_text = p.max_string = SLOT_TEXT;
	scry_print(&p, key);
	scry_buf_puts(&text, behind);
	const char *kept = scry_arena_text(&r->session->arena, text.text, text.len);
	scry_buf_done(&text);
	return kept;
}

/* Which key of the dict has the value, or is it. */
static const char *key_of(struct scry_runtime *r, scry_addr dict, scry_addr word)
{
	scry_addr key, value;
	uint64_t it = 0;

	while (scry_dict_next(r, dict, &it, &key, &value) == SCRY_ITEM) {
		if (value == word)
			return text_of(r, "[", key, "]");
		if (key == word)
			return "a key";
	}
	return NULL;
}

/* How the container's user would write it; else the name of the field. */
static const char *slot_of(struct scry_runtime *r, const struct scry_part *part,
			   const struct hit *hit)
{
	const char *key = part->type->flags & TYPE_DICT ? key_of(r, part->owner, hit->word) : NULL;

	if (part->type->flags & TYPE_LIST)
		return scry_arena_printf(&r->session->arena, "[%" PRIu64 "]",
					 (hit->at - part->start) /
						 r->session->target->abi.ptr_size);
	return key ? key : part->field;
}

static bool in_goals(const struct question *q, scry_addr at)
{
	return at >= q->start && at < q->end;
}

/* A link of the collector's, before an object: no reference. */
static bool is_link(struct scry_runtime *r, scry_addr at)
{
	scry_addr object;
	bool sure;

	return scry_judge_behind(r, at, &object) == SCRY_OK &&
	       object - at <= scry_gc_head_size(r, &sure);
}

/* In memory that is free, be it a list's link or what was left there. */
static bool is_left_over(struct scry_runtime *r, scry_addr at)
{
	struct scry_malloc_chunk c;
	struct scry_block b;

	if (scry_block_find(r, at, &b))
		return b.free;
	return scry_block_owns(r, at) ||
	       (scry_malloc_find(r, at, &c) && (scry_malloc_is_free(&c) || at < c.start));
}

/* What is known of a word's place without a further search; false where it refers to nothing. */
static bool classify(struct scry_runtime *r, const struct hit *hit, struct scry_pointing *ret)
{
	struct scry_verdict v;
	scry_addr end;

	*ret = (struct scry_pointing) { .at = hit->at, .word = hit->word };
	if (scry_stack_has(r, hit->at)) {
		ret->kind = SCRY_HOLDER_STACK;
	} else if (scry_object_around(r, hit->at, &ret->holder, &v) == SCRY_OK) {
		ret->type = v.type;
		ret->slot = scry_field_name_at(r, ret->holder, hit->at - ret->holder);
	} else if (is_left_over(r, hit->at) || is_link(r, hit->at)) {
		return false;
	} else if (memory_around(r, hit->at, &ret->holder, &end)) {
		ret->kind = SCRY_HOLDER_CHUNK;
	} else {
		ret->holder = 0;
		ret->kind = SCRY_HOLDER_STATIC;
	}
	return true;
}

static void add_reference(struct scry_runtime *r, struct scry_owners *o,
			  const struct scry_pointing *reference)
{
	struct scry_pointing *list =
		o->reference_count >= REFERENCES_MAX
			? NULL
			: scry_arena_grow(&r->session->arena, o->references, o->reference_count,
					  &o->reference_room, sizeof(*list), 16);

	o->cut = o->cut || !list;
	if (!list)
		return;
	o->references = list;
	o->references[o->reference_count++] = *reference;
}

static int by_start(const void *a, const void *b)
{
	const struct scry_goal *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

/* The blocks and chunks that hold words, each once. */
static size_t goals_of(struct scry_runtime *r, const struct scry_owners *o,
		       struct scry_goal **ret_goals)
{
	struct scry_goal *goals =
		scry_arena_alloc(&r->session->arena, (o->reference_count + 1) * sizeof(*goals));
	size_t n = 0, kept = 0;

	for (size_t i = 0; goals && i < o->reference_count; i++)
		if (o->references[i].kind == SCRY_HOLDER_CHUNK &&
		    memory_around(r, o->references[i].at, &goals[n].start, &goals[n].end))
			n++;
	if (n)
		qsort(goals, n, sizeof(*goals), by_start);
	for (size_t i = 0; i < n; i++)
		if (!kept || goals[i].start != goals[kept - 1].start)
			goals[kept++] = goals[i];
	*ret_goals = goals;
	return kept;
}

/*
 * Whose the blocks and chunks are, by the words that lead to them: one more search. What is in
 * a dict's table, a list's items, a set's entries is the container's reference: the block says
 * nothing itself, so one more search asks who leads to it.
 */
static void find_holders(struct scry_runtime *r, struct scry_owners *o)
{
	struct hits hits = { .runtime = r };
	struct scry_goal *goals;
	size_t count = goals_of(r, o, &goals);
	struct scry_verdict v;
	struct scry_part part;
	scry_addr object;

	scry_search(r->session, goals, count, keep_hit, &hits);
	for (size_t i = 0; i < hits.count; i++) {
		if (scry_object_around(r, hits.list[i].at, &object, &v) < 0)
			continue;
		for (size_t n = 0; n < o->reference_count; n++) {
			struct scry_pointing *ref = &o->references[n];
			struct hit at = { ref->at, ref->word };

			if (ref->kind != SCRY_HOLDER_CHUNK || hits.list[i].word < ref->holder ||
			    find_part(r, object, v.type, ref->at, ref->at, ref->at + 1, &part) !=
				    FOUND)
				continue;
			ref->kind = SCRY_HOLDER_OBJECT;
			ref->holder = object;
			ref->type = v.type;
			ref->slot = slot_of(r, &part, &at);
		}
	}
}

/*
 * One pass over all memory finds every word that leads into the block; all else is looked up around
 * these few.
 */
int scry_owners_find(struct scry_runtime *r, scry_addr addr, scry_addr start, scry_addr end,
		     bool references, struct scry_owners *ret)
{
	struct question q = { addr, start, end };
	struct scry_goal goal = { start, end };
	struct hits hits = { .runtime = r };
	struct scry_pointing reference;
	struct scry_owners o = { 0 };
	int rc = scry_search(r->session, &goal, 1, keep_hit, &hits);

	o.cut = hits.cut;
	for (size_t i = 0; i < hits.count && rc == SCRY_OK; i++) {
		ask(r, &q, &hits.list[i], &o);
		if (!references || in_goals(&q, hits.list[i].at))
			continue;
		if (classify(r, &hits.list[i], &reference))
			add_reference(r, &o, &reference);
	}
	if (!o.certain)
		ask_chains(r, &q, &o);
	if (references)
		find_holders(r, &o);
	*ret = o;
	return rc;
}
