/* What one object says of itself: its type, its size beside its block, its table, its links. */
#include <inttypes.h>

#include "heap/verify.h"
#include "memory/block.h"
#include "memory/gc.h"
#include "memory/malloc.h"
#include "object/contradict.h"
#include "object/judge.h"
#include "object/known.h"
#include "object/object.h"
#include "object/part.h"

#define ENTRIES_MAX (1ull << 32)

struct looked {
	struct scry_verify *v;
	struct scry_runtime *r;
	struct scry_heap_type *t;
	scry_addr addr;
};

static void say(struct looked *l, enum scry_finding_kind kind, const char *why)
{
	scry_verify_add(l->v, kind, l->addr, scry_heap_type_name(l->v->h, l->t), why);
}

/* --- sizes --- */

/* What its own length promises, where that is known: of the interpreter's own types. */
static bool is_too_long(struct looked *l, const struct scry_block *b)
{
	const struct scry_type *t = l->t->type;
	struct scry_text_view text;
	uint64_t extent;

	if (!(t->flags & (TYPE_TUPLE | TYPE_UNICODE | TYPE_BYTES)) || t->flags & TYPE_HEAP ||
	    (t->flags & TYPE_UNICODE && (scry_text_open(l->r, l->addr, &text) < 0 || !text.own)))
		return false;
	extent = scry_object_extent(l->r, l->addr, t);
	return extent && l->addr + extent > b->start + b->size;
}

static void check_size(struct looked *l)
{
	const struct scry_type *t = l->t->type;
	struct scry_block b;
	uint64_t room, items;

	if (scry_block_find(l->r, l->addr, &b)) {
		if (is_too_long(l, &b))
			say(l, SCRY_FINDING_SIZE,
			    scry_arena_printf(&l->r->session->arena,
					      "its length needs more than its block of %" PRIu64
					      " bytes has",
					      b.size));
		else if (scry_check_block(l->r, l->addr, t, &b) == SCRY_ECORRUPT)
			say(l, SCRY_FINDING_SIZE, scry_verify_reason(l->v));
	}
	/* without a GIL the items' length comes before them */
	if (!(t->flags & TYPE_LIST) || scry_layout_has(l->r->layout, SCRY_F_OBJECT_REF_SHARED))
		return;
	room = scry_field_get(l->r, l->addr, SCRY_F_LIST_ALLOCATED);
	items = scry_field_get(l->r, l->addr, SCRY_F_LIST_ITEMS);
	if (room && items && room < ENTRIES_MAX &&
	    scry_check_items(l->r, l->addr, items, room * scry_ptr_size(l->r)) == SCRY_ECORRUPT)
		say(l, SCRY_FINDING_SIZE, scry_verify_reason(l->v));
}

/* --- tables --- */

/*
 * The table, by its own numbers: each key where its hash leads, and as many entries as `ma_used`
 * says.
 */
static void check_dict(struct looked *l)
{
	struct scry_dict_view d;
	scry_addr key, value;
	uint64_t it = 0, count = 0;
	int rc = scry_dict_open(l->r, l->addr, &d);

	while (rc >= 0 && (rc = scry_dict_view_next(&d, &it, &key, &value)) == SCRY_ITEM) {
		count++;
		if (!scry_dict_view_fits(&d, it, key)) {
			say(l, SCRY_FINDING_TABLE,
			    scry_arena_printf(&l->r->session->arena,
					      "its key 0x%" PRIx64
					      " does not stand where its hash leads",
					      key));
			return;
		}
	}
	if (rc == SCRY_ECORRUPT)
		say(l, SCRY_FINDING_TABLE, scry_verify_reason(l->v));
	else if (rc == SCRY_OK && count != d.used)
		say(l, SCRY_FINDING_TABLE,
		    scry_arena_printf(&l->r->session->arena,
				      "it says %" PRIu64 " items, its table has %" PRIu64, d.used,
				      count));
}

static void check_set(struct looked *l)
{
	uint64_t it = 0, count = 0, used = scry_field_get(l->r, l->addr, SCRY_F_SET_USED);
	scry_addr key;
	int rc;

	while ((rc = scry_set_next(l->r, l->addr, &it, &key)) == SCRY_ITEM)
		count++;
	if (rc == SCRY_ECORRUPT)
		say(l, SCRY_FINDING_TABLE, scry_verify_reason(l->v));
	else if (rc == SCRY_OK && count != used)
		say(l, SCRY_FINDING_TABLE,
		    scry_arena_printf(&l->r->session->arena,
				      "it says %" PRIu64 " members, its table has %" PRIu64, used,
				      count));
}

static void check_table(struct looked *l)
{
	enum scry_known known = scry_known_type(l->t->type);

	if (known == SCRY_IS_DICT)
		check_dict(l);
	else if (known == SCRY_IS_SET || known == SCRY_IS_FROZENSET)
		check_set(l);
}

/* --- buffers --- */

/*
 * Is there only free memory where somebody's buffer should be? Only where the allocator says so for
 * certain; memory of somebody's own (mmap(), a file) is none of its business.
 */
static bool is_freed(struct looked *l, scry_addr addr)
{
	struct scry_malloc_chunk chunk;
	struct scry_block block;

	if (scry_block_find(l->r, addr, &block))
		return block.free;
	return scry_malloc_find(l->r, addr, &chunk) && chunk.certain && scry_malloc_is_free(&chunk);
}

/* Objects/memoryobject.c, _Py_MEMORYVIEW_RELEASED is 1: it keeps its pointers */
static bool is_released(struct looked *l)
{
	return scry_known_type(l->t->type) == SCRY_IS_MEMORYVIEW &&
	       (scry_field_get(l->r, l->addr, SCRY_F_MEMORYVIEW_FLAGS) & 1 ||
		!scry_field_get(l->r, l->addr, SCRY_F_MEMORYVIEW_OBJ));
}

static void check_buffer(struct looked *l)
{
	struct scry_export e;
	struct scry_finding *f;

	if (!scry_export_of(l->r, l->addr, l->t->type, &e) || !e.size || is_released(l) ||
	    !is_freed(l, e.start))
		return;
	f = scry_verify_add(l->v, SCRY_FINDING_DANGLING, e.start, NULL,
			    scry_arena_printf(&l->r->session->arena,
					      "a buffer of %" PRIu64 " bytes that is in use was "
					      "freed",
					      e.size));
	if (f)
		f->found++;
}

/* --- links --- */

/* A link of the node at `node`; false where the dump lacks it: that says nothing. */
static bool read_link(struct looked *l, scry_addr node, enum scry_field f, scry_addr *ret)
{
	const struct scry_slot *slot = &l->r->layout->slot[f];

	*ret = 0;
	if (!scry_reader_uint(&l->v->h->reader, node + slot->offset, slot->size, ret))
		return scry_target_lacks(l->r->session->target, node);
	*ret &= ~(uint64_t)3;
	return true;
}

/*
 * From 3.8 on a tracked object has both links, an untracked one none; the two lowest bits of each
 * are the collector's flags (Include/internal/pycore_gc.h).
 */
static void check_links(struct looked *l)
{
	const struct scry_layout *layout = l->r->layout;
	scry_addr node, next, prev, back, forth;
	bool sure;
	uint32_t head = scry_gc_head_size(l->r, &sure);

	/* up to 3.7 what is not tracked has words there that mean nothing */
	if (!head || scry_layout_has(layout, SCRY_F_GC_HEAD_REFS) ||
	    !scry_is_collected(l->r, l->addr, l->t->type))
		return;
	node = l->addr - head;
	if (!read_link(l, node, SCRY_F_GC_HEAD_NEXT, &next) || !next ||
	    !read_link(l, node, SCRY_F_GC_HEAD_PREV, &prev) ||
	    !read_link(l, next, SCRY_F_GC_HEAD_PREV, &back) ||
	    !read_link(l, prev, SCRY_F_GC_HEAD_NEXT, &forth))
		return;
	if (back == node && forth == node)
		return;
	say(l, SCRY_FINDING_LINKS,
	    scry_arena_printf(&l->r->session->arena,
			      "the collector's list leads on to 0x%" PRIx64 ", which %s", next,
			      back == node ? "is right, but not back" : "does not lead back"));
}

/* --- all of it --- */

/* While it collects, lists are taken apart and put together: links are no evidence then. */
bool scry_verify_moves(struct scry_runtime *r)
{
	for (struct scry_interp *i = r->interps; i; i = i->next)
		if (i->gc_running)
			return true;
	return false;
}

void scry_cpython_check(struct scry_verify *v, uint32_t object)
{
	struct scry_heap *h = v->h;
	struct looked l = { v, h->runtime, scry_heap_type_of(h, object), h->objects[object].addr };

	check_size(&l);
	check_table(&l);
	check_buffer(&l);
	if (!v->collecting)
		check_links(&l);
}

void scry_verify_types(struct scry_verify *v)
{
	struct scry_heap *h = v->h;

	for (size_t i = 0; i < h->type_count; i++) {
		struct scry_heap_type *t = h->types[i];
		/* the list also has what a word once led to as a type */
		const char *doubt = t->count ? scry_type_doubt(h->runtime, t->type) : NULL;

		if (doubt)
			scry_verify_add(v, SCRY_FINDING_TYPE, t->type->addr,
					scry_heap_type_name(h, t), doubt);
	}
	v->collecting = scry_verify_moves(h->runtime);
}
