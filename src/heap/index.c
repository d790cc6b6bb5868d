/*
 * The index: a pass over the allocator's blocks, then what they lead to (reach.c). The rules are
 * those of object/judge.c for blocks; where a count or a header is out of the ordinary, it is asked
 * itself.
 */
#include "heap/index.h"

#include <stdlib.h>

#include "base/progress.h"
#include "heap/reach.h"
#include "heap/referrers.h"
#include "heap/roots.h"
#include "heap/verify.h"
#include "heap/visit.h"
#include "memory/block.h"
#include "memory/gc.h"
#include "object/judge.h"
#include "object/known.h"

#define COUNT_SURE 65536 /* below it a count is not an address */
#define HEADS_MAX  6

/* --- names of types --- */

static const char *full_name(struct scry_heap *h, struct scry_heap_type *t)
{
	const char *name;

	return scry_type_full_name(h->runtime, t->type->addr, &name) < 0 ? "?" : name;
}

static const char *module_of(struct scry_heap *h, struct scry_heap_type *t)
{
	return scry_type_module(h->runtime, t->type->addr);
}

/* --- sizes --- */

/* A str of ASCII alone, as most are: its size without asking what else it may be. */
static uint64_t ascii_bytes(struct scry_heap *h, scry_addr addr, const struct scry_type *t)
{
	const struct scry_layout *l = h->runtime->layout;
	struct scry_reader *rd = &h->reader;

	if (!(t->flags & TYPE_UNICODE) || !scry_layout_has(l, SCRY_F_ASCII_COMPACT) ||
	    !scry_reader_field(rd, l, addr, SCRY_F_ASCII_COMPACT) ||
	    !scry_reader_field(rd, l, addr, SCRY_F_ASCII_ASCII))
		return 0;
	return l->size[SCRY_S_ASCII] + scry_reader_field(rd, l, addr, SCRY_F_ASCII_LENGTH) + 1;
}

/* The others are remembered: of millions only they are asked for parts (census.c). */
static bool add_text(struct scry_heap *h, scry_addr addr, const struct scry_type *t)
{
	if (!(t->flags & TYPE_UNICODE) || ascii_bytes(h, addr, t))
		return true;
	if (h->text_count == h->text_room) {
		size_t room = h->text_room ? h->text_room * 2 : 4096;
		scry_addr *texts = realloc(h->texts, room * sizeof(*texts));

		if (!texts)
			return false;
		h->texts = texts;
		h->text_room = room;
	}
	h->texts[h->text_count++] = addr;
	return true;
}

static uint64_t measure(struct scry_heap *h, scry_addr addr, struct scry_heap_type *t)
{
	uint64_t size = 0, ascii;

	if (t->size && !t->type->itemsize && t->size == h->plain_size)
		size = t->type->basicsize;
	else if (t->size && (ascii = ascii_bytes(h, addr, t->type)) != 0)
		size = ascii;
	else if (t->size)
		size = t->size(h->runtime, addr, t->type);
	if (!size || size > 1ull << 44)
		size = scry_object_extent(h->runtime, addr, t->type);
	return size +
	       (t->type->flags & TYPE_TYPE ? scry_object_head(h->runtime, addr, t->type) : t->head);
}

static uint64_t extent(struct scry_heap *h, scry_addr addr, struct scry_heap_type *t)
{
	return scry_object_extent(h->runtime, addr, t->type);
}

uint64_t scry_heap_extent(struct scry_heap *h, uint32_t object)
{
	return h->kind->extent(h, h->objects[object].addr, scry_heap_type_of(h, object));
}

uint64_t scry_heap_bytes(struct scry_heap *h, uint32_t object)
{
	const struct scry_heap_object *o = &h->objects[object];

	return o->bytes < UINT32_MAX ? o->bytes
				     : h->kind->measure(h, o->addr, scry_heap_type_of(h, object));
}

bool scry_heap_add(struct scry_heap *h, scry_addr addr, uint32_t type)
{
	struct scry_heap_type *t = h->types[type];

	if (h->count == h->room) {
		size_t room = h->room ? h->room * 2 : 65536;
		struct scry_heap_object *objects =
			room < SCRY_HEAP_NONE ? realloc(h->objects, room * sizeof(*objects)) : NULL;

		if (!objects)
			return false;
		h->objects = objects;
		h->room = room;
	}
	uint64_t bytes = h->kind->measure(h, addr, t);

	h->objects[h->count++] = (struct scry_heap_object) {
		.addr = addr,
		.bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
		.type = type,
	};
	return add_text(h, addr, t->type);
}

/* --- blocks --- */

struct pass {
	struct scry_heap *h;
	uint32_t heads[HEADS_MAX]; /* what may be before an object in its block */
	unsigned head_count;
	uint32_t type_at; /* where an object has its type */
	bool plain_count; /* one count, whose whole word shows that it is not an address */
	bool kept;        /* what was looked at is a freed object that is kept */
};

static void add_head(struct pass *p, uint32_t head)
{
	for (unsigned i = 0; i < p->head_count; i++)
		if (p->heads[i] == head)
			return;
	p->heads[p->head_count++] = head;
}

/* Nothing, the collector's header, and two managed words before or without it. */
static void begin_pass(struct pass *p, struct scry_heap *h)
{
	const struct scry_layout *l = h->runtime->layout;
	bool sure;
	uint32_t gc = scry_gc_head_size(h->runtime, &sure);

	*p = (struct pass) { .h = h, .type_at = l->slot[SCRY_F_OBJECT_TYPE].offset };
	p->plain_count = !scry_layout_has(l, SCRY_F_OBJECT_REF_SHARED) && h->reader.ptr == 8;
	add_head(p, 0);
	add_head(p, gc);
	add_head(p, gc + 2 * h->reader.ptr);
	add_head(p, 2 * h->reader.ptr);
}

/* The debug hooks' two words: a letter, and bytes that nobody writes (3.8+: 0xfd, before 0xfb). */
static bool has_hooks(struct pass *p, scry_addr start)
{
	struct scry_debug_block debug;
	uint64_t letter, byte;

	return scry_reader_uint(&p->h->reader, start + p->h->reader.ptr, 1, &letter) &&
	       (letter == 'o' || letter == 'm' || letter == 'r') &&
	       scry_reader_uint(&p->h->reader, start + p->h->reader.ptr + 1, 1, &byte) &&
	       (byte == 0xfd || byte == 0xfb) &&
	       scry_debug_block_at(p->h->runtime, start + 2 * p->h->reader.ptr, &debug);
}

/* A count that nobody doubts: small, and not 0. */
static bool is_sure(struct pass *p, scry_addr addr, const struct scry_heap_type *t)
{
	uint64_t word, next, prev;

	if (!p->plain_count || t->type->flags & TYPE_TYPE ||
	    !scry_reader_word(&p->h->reader,
			      addr + p->h->runtime->layout->slot[SCRY_F_OBJECT_REFCNT].offset,
			      &word) ||
	    !word || word >= COUNT_SURE)
		return false;
	if (!(t->type->flags & (1u << 14)))
		return true;
	/* the words before it are links, or nothing */
	uint64_t gc = p->heads[1];

	return gc && scry_reader_word(&p->h->reader, addr - gc, &next) &&
	       scry_reader_word(&p->h->reader, addr - gc + p->h->reader.ptr, &prev) &&
	       (next & ~(uint64_t)3 ? scry_heap_has_page(p->h, next) : !next && prev <= 3);
}

/*
 * Since 3.14 a list of freed objects leads through their counts: the word is the next one of its
 * type (Include/internal/pycore_freelist.h).
 */
static bool is_kept(struct pass *p, scry_addr addr, uint64_t type)
{
	uint64_t next, other;

	return scry_reader_word(&p->h->reader,
				addr + p->h->runtime->layout->slot[SCRY_F_OBJECT_REFCNT].offset,
				&next) &&
	       next >= COUNT_SURE && next % p->h->reader.ptr == 0 &&
	       scry_reader_word(&p->h->reader, next + p->type_at, &other) && other == type;
}

/* The object that begins so far after the block's start, of a type that was met before, or not. */
static bool take(struct pass *p, const struct scry_block *b, scry_addr start, uint32_t head,
		 bool met)
{
	struct scry_heap *h = p->h;
	scry_addr addr = start + head;
	struct scry_verdict v;
	uint64_t word;

	if (addr + p->type_at + h->reader.ptr > b->start + b->size ||
	    !scry_reader_word(&h->reader, addr + p->type_at, &word) || word < SCRY_NULL_PAGE ||
	    word % h->reader.ptr)
		return false;
	uint32_t type = scry_heap_known_type(h, word);

	if (!met)
		type = type == SCRY_HEAP_NONE ? scry_heap_new_type(h, word) : SCRY_HEAP_NONE;
	if (type == SCRY_HEAP_NONE)
		return false;
	struct scry_heap_type *t = h->types[type];

	if (!(t->type->flags & TYPE_TYPE) && t->head != head)
		return false;
	if (addr + scry_object_least(h->runtime, t->type) > b->start + b->size)
		return false;
	if (!is_sure(p, addr, t)) {
		int rc = scry_judge(h->runtime, addr, &v);

		/* frames are told apart: zombie.h */
		p->kept |= scry_known_type(t->type) != SCRY_IS_FRAME &&
			   (rc == SCRY_OK ? v.dead : is_kept(p, addr, word));
		if (rc < 0 || v.dead)
			return false;
	}
	return scry_heap_add(h, addr, type);
}

/*
 * Nearly all are of types that were met before. To find out that a word of another kind is not a
 * type takes many reads, most of them of memory that the processor does not have at hand.
 */
static bool take_from(struct pass *p, const struct scry_block *b, scry_addr start)
{
	for (unsigned i = 0; i < p->head_count; i++)
		if (take(p, b, start, p->heads[i], true))
			return true;
	for (unsigned i = 0; i < p->head_count; i++)
		if (take(p, b, start, p->heads[i], false))
			return true;
	return false;
}

static void take_block(struct pass *p, const struct scry_block *b)
{
	p->kept = false;
	/* after the hooks' words an int may have digits that look like a type's address */
	if (has_hooks(p, b->start) && take_from(p, b, b->start + 2 * p->h->reader.ptr))
		return;
	if (take_from(p, b, b->start))
		return;
	if (p->kept)
		p->h->kept_bytes += b->size;
}

/* Blocks of one size come in a row. */
static void count_block(struct scry_heap *h, const struct scry_block *b)
{
	size_t i = h->class_last;

	h->allocator = b->allocator;
	if (b->idle)
		return;
	if (i >= h->class_count || h->classes[i].size != b->size)
		for (i = 0; i < h->class_count && h->classes[i].size != b->size; i++)
			;
	if (i == h->class_count) {
		if (i == SCRY_HEAP_CLASSES)
			return;
		h->classes[h->class_count++].size = b->size;
	}
	h->class_last = i;
	if (b->free)
		h->classes[i].free++;
	else
		h->classes[i].used++;
}

static int by_size(const void *a, const void *b)
{
	const struct scry_heap_class *x = a, *y = b;

	return x->size > y->size ? 1 : x->size < y->size ? -1 : 0;
}

static int take_blocks(struct scry_heap *h)
{
	struct scry_blocks blocks;
	struct scry_block b;
	struct pass p;

	begin_pass(&p, h);
	if (scry_blocks_open(&blocks, h->runtime) < 0)
		return SCRY_OK; /* PYTHONMALLOC=malloc: what the collector knows leads to all */
	while (scry_going(h->runtime->session, SCRY_PASS_OBJECTS, h->count, 0) &&
	       scry_blocks_next(&blocks, &b) == SCRY_ITEM) {
		count_block(h, &b);
		if (!b.free && !b.raw)
			take_block(&p, &b);
	}
	scry_blocks_done(&blocks);
	if (h->class_count)
		qsort(h->classes, h->class_count, sizeof(*h->classes), by_size);
	return SCRY_OK;
}

/* --- a life --- */

static void done(void *state)
{
	struct scry_heap *h = state;

	if (h->graph)
		h->graph_done(h->graph);
	scry_hash_done(&h->type_index);
	scry_hash_done(&h->no_types);
	free(h->objects);
	free(h->types);
	free(h->pages);
	free(h->texts);
	free(h);
}

static void count(struct scry_heap *h)
{
	for (size_t i = 0; i < h->count; i++) {
		struct scry_heap_type *t = scry_heap_type_of(h, (uint32_t)i);
		uint64_t bytes = scry_heap_bytes(h, (uint32_t)i);

		t->count++;
		t->bytes += bytes;
		h->bytes += bytes;
	}
}

static int fill(struct scry_heap *h)
{
	struct scry_type *object;
	int rc;

	/* object.__sizeof__, whose answer needs no reading where there are no items */
	if (h->runtime->type_type &&
	    scry_type_at(h->runtime, h->runtime->type_type, &object) >= 0 && object->base &&
	    scry_type_at(h->runtime, object->base, &object) >= 0)
		h->plain_size = scry_object_sizer(h->runtime, object);
	rc = take_blocks(h);
	scry_heap_sort(h);
	rc = rc < 0 ? rc : scry_heap_index_pages(h);
	return rc < 0 ? rc : scry_heap_reach(h);
}

const struct scry_heap_kind scry_heap_cpython = {
	.fill = fill,
	.measure = measure,
	.extent = extent,
	.type_name = full_name,
	.type_module = module_of,
	.visit = scry_cpython_visit,
	.slot_text = scry_cpython_slot_text,
	.roots = scry_cpython_roots,
	.frame_of = scry_cpython_frame_of,
	.field_at = scry_cpython_field_at,
	.namespace_of = scry_cpython_namespace_of,
	.refs = scry_cpython_refs,
	.judge = scry_cpython_judge,
	.check = scry_cpython_check,
	.counts = true,
	.parts = true,
};

static const struct scry_heap_kind *const kinds[SCRY_MODEL_COUNT] = {
	[SCRY_MODEL_CPYTHON] = &scry_heap_cpython,
	[SCRY_MODEL_PYPY] = &scry_heap_pypy,
};

static int make(struct scry_heap *h)
{
	int rc = h->kind->fill(h);

	if (rc == SCRY_OK && h->runtime->session->stopped)
		rc = scry_fail(h->runtime->session, SCRY_EFAULT, 0, "interrupted");
	scry_heap_sort(h);
	rc = rc < 0 ? rc : scry_heap_index_pages(h);
	if (rc == SCRY_OK)
		count(h);
	return rc;
}

int scry_heap_of(struct scry_runtime *r, struct scry_heap **ret)
{
	struct scry_heap *h = r->heap_state;
	int rc = SCRY_OK;

	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
		h->runtime = r;
		h->kind = kinds[r->strategy->model];
		scry_reader_init(&h->reader, r->session);
		rc = make(h);
	}
	if (rc < 0) {
		done(h);
		return rc;
	}
	r->heap_state = h;
	r->heap_done = done;
	*ret = h;
	return SCRY_OK;
}
