/* Is there an object at an address? See judge.h. */
#include "object/judge.h"
#include "object/known.h"

#include "base/bytes.h"
#include "memory/chunk.h"
#include "memory/gc.h"
#include "memory/malloc.h"
#include "memory/stack.h"
#include "object/contradict.h"
#include "object/printer.h"

#define TYPE_READY           (1u << 12) /* Py_TPFLAGS_READY, 2.7 to 3.15 */
#define TYPE_MANAGED_WEAKREF (1u << 3)
#define CHAIN_MAX            16   /* of a type's types */
#define SMALL_MAX            512  /* SMALL_REQUEST_THRESHOLD: what is larger is malloc()'s */
#define SHARED_BLOCK         1000 /* BLOCK_SIZE of 2.7 */
#define ITEMS_MAX            64   /* that are looked at */

static int no(struct scry_runtime *r, scry_addr addr, const char *why)
{
	return scry_fail(r->session, SCRY_ECORRUPT, addr, "%s", why);
}

/* --- types --- */

/* Types of types lead to `type`, whose type is itself. */
static bool ends_at_type(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_type *next;

	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		if (t->metatype == t->addr)
			return !r->type_type || t->addr == r->type_type;
		if (scry_type_at(r, t->metatype, &next) < 0)
			return false;
		t = next;
	}
	return false;
}

static bool is_sound(struct scry_runtime *r, const struct scry_type *t)
{
	return t->flags & TYPE_READY && t->basicsize >= r->layout->size[SCRY_S_OBJECT] &&
	       (t->flags & TYPE_HEAP || *t->name) && !t->nameless && ends_at_type(r, t);
}

bool scry_type_is_sound(struct scry_runtime *r, struct scry_type *t)
{
	if (t->judged == SCRY_TYPE_NOT_JUDGED)
		t->judged = is_sound(r, t) ? SCRY_TYPE_SOUND : SCRY_TYPE_UNSOUND;
	return t->judged == SCRY_TYPE_SOUND;
}

/*
 * 3.14+: objects that are kept for reuse are a list through their first words, the reference
 * counts: Include/internal/pycore_freelist.h, _PyFreeList_PushItem(). The last one's is 0.
 */
static bool is_kept(struct scry_runtime *r, scry_addr addr)
{
	scry_addr next, type = scry_field_get(r, addr, SCRY_F_OBJECT_TYPE);

	return scry_trait(r, SCRY_TRAIT_FREE_LISTS_BY_COUNT) &&
	       !scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED) &&
	       scry_word(r, addr, &next) == SCRY_OK && next && next != addr &&
	       next % scry_ptr_size(r) == 0 && type &&
	       scry_field_get(r, next, SCRY_F_OBJECT_TYPE) == type;
}

/* Where its memory is kept for the next one, that word is not a count. */
static int check_type(struct scry_runtime *r, scry_addr addr, struct scry_type **ret)
{
	scry_addr type;
	int rc = scry_field_read(r, addr, SCRY_F_OBJECT_TYPE, &type);

	if (rc == SCRY_OK && (type < SCRY_NULL_PAGE || type % scry_ptr_size(r)))
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "its type pointer is 0x%" PRIx64,
				 type);
	rc = rc < 0 ? rc : scry_type_for(r, addr, ret);
	if (rc < 0 && is_kept(r, addr))
		rc = scry_type_at(r, type, ret);
	if (rc < 0 || scry_type_is_sound(r, *ret))
		return rc;
	return scry_fail(r->session, SCRY_ECORRUPT, addr, "its type at 0x%" PRIx64 " is not sound",
			 (*ret)->addr);
}

/* --- what comes before an object --- */

/* A static type is not one of the collector's objects: Objects/typeobject.c, type_is_gc(). */
bool scry_is_collected(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t flags;

	if (!(t->flags & TYPE_GC))
		return false;
	return !(t->flags & TYPE_TYPE) ||
	       (scry_field_read(r, addr, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK &&
		flags & TYPE_HEAP);
}

/* 3.11+: _PyType_PreHeaderSize(), Include/internal/pycore_object.h */
static uint64_t managed_words(const struct scry_runtime *r, const struct scry_type *t)
{
	static const struct {
		uint32_t since, flags;
	} rows[] = {
		{ 0, 0 },
		{ SCRY_VERSION_OF(3, 11), TYPE_MANAGED_DICT },
		{ SCRY_VERSION_OF(3, 12), TYPE_MANAGED_DICT | TYPE_MANAGED_WEAKREF },
	};

	return t->flags & SCRY_SINCE(rows, r->version)->flags ? 2 * scry_ptr_size(r) : 0;
}

uint64_t scry_object_head(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	bool sure;
	uint64_t head = scry_is_collected(r, addr, t) ? scry_gc_head_size(r, &sure) : 0;

	return head + managed_words(r, t);
}

/* --- kinds, by what they say of themselves --- */

/* After the text there is a 0, as long as a character. */
static bool check_text(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_text_view v;
	uint64_t end = 1;

	(void)t;
	return scry_text_open(r, addr, &v) == SCRY_OK &&
	       scry_read_uint(r->session, v.data + v.length * v.kind, v.kind, &end) == SCRY_OK &&
	       !end;
}

static bool check_sequence(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t n;
	scry_addr items;

	(void)t;
	return scry_sequence(r, addr, &n, &items) == SCRY_OK;
}

static bool check_dict(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_dict_view v;

	(void)t;
	return scry_dict_open(r, addr, &v) == SCRY_OK;
}

static bool check_type_object(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_type *type;

	(void)t;
	return scry_type_at(r, addr, &type) == SCRY_OK && is_sound(r, type);
}

static const struct {
	uint32_t flag;
	bool (*check)(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
	bool alone; /* chance hardly passes it: in memory that nothing is known of it is enough */
} kinds[] = {
	{ TYPE_UNICODE | TYPE_BYTES, check_text, true },
	{ TYPE_LONG, scry_int_is_sound, true },
	{ TYPE_LIST | TYPE_TUPLE, check_sequence, false },
	{ TYPE_DICT, check_dict, false },
	{ TYPE_TYPE, check_type_object, true },
};

/* False where the kind contradicts itself; *ret_alone: what it says is evidence enough. */
static bool check_kind(struct scry_runtime *r, scry_addr addr, const struct scry_type *t,
		       bool *ret_alone)
{
	*ret_alone = false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (t->flags & kinds[i].flag) {
			*ret_alone = kinds[i].alone;
			return kinds[i].check(r, addr, t);
		}
	return true;
}

/* --- by the memory --- */

/* The words of a header are links, counts and flags: no text, no half of an address. */
static bool is_header(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_gc_state state;
	scry_addr next;

	if (!scry_is_collected(r, addr, t))
		return true;
	scry_gc_state_read(r, addr, &state);
	if (state.head == addr || state.head_unknown || !state.tracked)
		return true;
	next = scry_field_get(r, state.head, SCRY_F_GC_HEAD_NEXT) & ~(uint64_t)3;
	return next % scry_ptr_size(r) == 0 && scry_is_mapped(r, next);
}

/* Where the object's memory must start: at the block's, or after the debug hooks' two words. */
static bool starts_block(struct scry_runtime *r, scry_addr head, const struct scry_block *b,
			 uint64_t *ret_end)
{
	struct scry_debug_block debug;
	scry_addr behind = b->start + 2 * scry_ptr_size(r);

	*ret_end = b->start + b->size;
	if (head == b->start)
		return true;
	if (head != behind || !scry_debug_block_at(r, behind, &debug))
		return false;
	if (debug.size < b->size)
		*ret_end = behind + debug.size;
	return true;
}

static int judge_block(struct scry_runtime *r, scry_addr addr, struct scry_verdict *v)
{
	uint64_t end, extent = scry_object_extent(r, addr, v->type);

	if (v->block.free)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "its block of %" PRIu64 " bytes is free: what stood there is gone",
				 v->block.size);
	if (v->block.raw)
		return no(r, addr, "its block was not given out for an object");
	if (!starts_block(r, v->head, &v->block, &end))
		return no(r, addr, "it is not where its block starts");
	uint64_t least = scry_object_least(r, v->type);
	if (addr + least > end)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "%s has %" PRIu64 " bytes, its block only %" PRIu64, v->type->name,
				 least, v->block.size);
	if (!is_header(r, addr, v->type))
		return no(r, addr, "the collector's header before it makes no sense");
	/* inline values and what a damaged length promises end with the block */
	if (v->type->flags & TYPE_INLINE || extent < least || addr + extent > end)
		extent = end - addr;
	v->extent = extent;
	return SCRY_OK;
}

bool scry_is_static(struct scry_runtime *r, scry_addr addr)
{
	struct scry_target *t = r->session->target;
	const struct scry_map *map = scry_map_at(t, addr);

	if (map && map->flags & SCRY_MAP_FILE)
		return true;
	if (map && map > t->maps && map[-1].end == map->start && map[-1].flags & SCRY_MAP_FILE)
		return true;
	return scry_module_at(r->session, addr) != NULL;
}

/*
 * Ints and floats of 2.7 share blocks of 1000 bytes, side by side behind a pointer:
 * Objects/intobject.c, Objects/floatobject.c, struct _intblock.
 */
static bool shares_block(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_chunk chunk;

	if (!scry_layout_has(r->layout, SCRY_F_OLD_INT_VALUE) || t->flags & TYPE_GC || t->itemsize)
		return false;
	for (scry_addr start = addr - scry_ptr_size(r); addr - start < SHARED_BLOCK;
	     start -= t->basicsize)
		if (scry_chunk_at(r, start, &chunk) && chunk.size <= SHARED_BLOCK + chunk.slack &&
		    chunk.size > SHARED_BLOCK - 24)
			return true;
	return false;
}

/* The collector's links around it agree. */
static bool is_linked(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	return scry_is_collected(r, addr, t) && scry_gc_is_linked(r, addr);
}

/* A length that promises more than there is says nothing. */
static uint64_t bounded_extent(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	const struct scry_map *map = scry_map_at(r->session->target, addr);
	uint64_t extent = scry_object_extent(r, addr, t), least = scry_object_least(r, t);

	return extent < least || (map && extent > map->end - addr) ? least : extent;
}

/*
 * A chunk of malloc() that was asked for the object: it begins with what comes before it, or with
 * the debug hooks' two words, and ends with it but for what those and malloc() itself add. What is
 * too large for the allocator's blocks passes the hooks of two domains: Objects/obmalloc.c,
 * _PyObject_Malloc() calls PyMem_RawMalloc().
 */
static bool fills_chunk(struct scry_runtime *r, scry_addr addr, const struct scry_verdict *v)
{
	unsigned ptr = scry_ptr_size(r);
	uint64_t wanted = addr - v->head + v->extent;
	struct scry_debug_block debug;
	struct scry_chunk chunk;

	for (unsigned before = 0; before <= 4 * ptr; before += 2 * ptr)
		if ((!before || scry_debug_block_at(r, v->head, &debug)) &&
		    scry_chunk_at(r, v->head - before, &chunk) && chunk.size >= wanted + before &&
		    chunk.size - wanted - before < chunk.slack + 4 * ptr)
			return true;
	return false;
}

/* A list or tuple all of whose items are objects, as far as the dump has them. */
static bool has_items(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t count, found = 0, i = 0;
	scry_addr items, item;
	struct scry_type *of_item;

	if (!(t->flags & (TYPE_LIST | TYPE_TUPLE)) || scry_sequence(r, addr, &count, &items) < 0)
		return false;
	for (; i < count && i < ITEMS_MAX; i++) {
		if (scry_word(r, items + i * scry_ptr_size(r), &item) < 0)
			return false;
		int rc = check_type(r, item, &of_item);

		if (rc < 0 && rc != SCRY_EFAULT)
			return false;
		found += rc == SCRY_OK;
	}
	return found > 0;
}

/*
 * Where the dump lacks the words of the allocator, and malloc()'s do not help either, the object
 * says it: what was freed has a link in place of its count.
 */
static bool is_alone(struct scry_runtime *r, scry_addr addr, const struct scry_verdict *v,
		     bool alone)
{
	if (scry_block_lost(r, addr))
		return alone || has_items(r, addr, v->type);
	return alone && !scry_has_chunks(r) && v->extent > SMALL_MAX;
}

/* Has it a word of its own that is a number, and leads nowhere? */
static bool has_number(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	unsigned ptr = scry_ptr_size(r);
	uint64_t word, end = scry_object_least(r, t);

	for (uint64_t at = r->layout->size[SCRY_S_OBJECT]; at + ptr <= end; at += ptr)
		if (scry_word(r, addr + at, &word) == SCRY_OK && word && !scry_is_mapped(r, word))
			return true;
	return false;
}

/*
 * Two pointers, the second to a type, look like an object's head; ten million references look like
 * an address where a program is loaded at 4 MB. What follows them tells one from the other.
 */
static bool is_no_pair(struct scry_runtime *r, scry_addr addr, const struct scry_verdict *v)
{
	bool alone;

	if (addr == scry_none(r) || is_linked(r, addr, v->type))
		return true;
	if (!check_kind(r, addr, v->type, &alone))
		return false;
	/* an int of no digits is a pointer that is NULL, or half of one */
	return v->has_block || v->type->flags & TYPE_LONG ? has_number(r, addr, v->type) : alone;
}

static int judge_elsewhere(struct scry_runtime *r, scry_addr addr, struct scry_verdict *v)
{
	bool alone;

	if (v->dead)
		return no(r, addr, "its reference count is 0");
	if (!check_kind(r, addr, v->type, &alone))
		return no(r, addr, "what it says of itself makes no sense");
	v->extent = bounded_extent(r, addr, v->type);
	/* where malloc() is not glibc's, only what the object says can decide */
	v->in_file = scry_is_static(r, addr);
	return v->in_file || is_linked(r, addr, v->type) || fills_chunk(r, addr, v) ||
			       is_alone(r, addr, v, alone) || shares_block(r, addr, v->type)
		       ? SCRY_OK
		       : no(r, addr, "nothing says that an object starts here");
}

int scry_judge_as(struct scry_runtime *r, scry_addr addr, struct scry_type *t,
		  struct scry_verdict *ret)
{
	struct scry_verdict v = { .type = t };
	bool address = false;
	int rc = is_kept(r, addr) ? SCRY_OK : scry_count_check(r, addr, &v.dead, &address);

	if (rc < 0)
		return rc;
	v.dead = v.dead || is_kept(r, addr);
	v.head = addr - scry_object_head(r, addr, t);
	v.has_block = scry_block_find(r, addr, &v.block);
	if (address && !is_no_pair(r, addr, &v))
		return no(r, addr, "its reference count is an address");
	if (v.has_block)
		rc = judge_block(r, addr, &v);
	else if (scry_block_owns(r, addr) && !scry_block_lost(r, addr))
		rc = no(r, addr, "it is in no block of the allocator");
	else if (scry_stack_has(r, addr))
		rc = no(r, addr, "it is on the C stack of a thread");
	else
		rc = judge_elsewhere(r, addr, &v);
	if (rc == SCRY_OK)
		*ret = v;
	return rc;
}

int scry_judge(struct scry_runtime *r, scry_addr addr, struct scry_verdict *ret)
{
	struct scry_type *t;

	if (addr < SCRY_NULL_PAGE || addr % scry_ptr_size(r))
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "0x%" PRIx64 " is not an object: not aligned", addr);
	int rc = check_type(r, addr, &t);

	return rc < 0 ? rc : scry_judge_as(r, addr, t, ret);
}

/* Instances of classes, and of what derives from tuple (struct sequences), are all allocated. */
static bool is_made_only(const struct scry_type *t)
{
	return !(t->flags & TYPE_TYPE) &&
	       (t->flags & TYPE_HEAP ||
		(t->flags & TYPE_TUPLE && scry_known_type(t) != SCRY_IS_TUPLE));
}

/*
 * Might malloc() have it on a list? Its links are in the first two words then, where the collector
 * has its own: those of what is alive lead back. Without such words its type would be overwritten.
 */
static bool may_be_listed(struct scry_runtime *r, scry_addr addr, scry_addr head)
{
	uint64_t next, back;

	return head != addr && scry_word(r, head, &next) == SCRY_OK && next &&
	       (scry_word(r, (next & ~(uint64_t)3) + scry_ptr_size(r), &back) < 0 ||
		(back & ~(uint64_t)3) != head);
}

/* Who refers to it refers to what is gone: by the object's own words, or by malloc's lists. */
static const char *how_freed(struct scry_runtime *r, scry_addr addr, scry_addr head, bool has_block)
{
	bool dead, address;

	if (is_kept(r, addr))
		return "it was freed: its memory is kept for the next object of its type";
	if (scry_count_check(r, addr, &dead, &address) == SCRY_OK && dead)
		return "it was freed, or is being freed: its reference count is 0";
	if (!has_block && may_be_listed(r, addr, head) && scry_malloc_is_listed(r, head))
		return "it was freed: malloc has its memory back";
	return NULL;
}

int scry_judge_reference(struct scry_runtime *r, scry_addr addr, struct scry_type *t)
{
	scry_addr head = addr - scry_object_head(r, addr, t), hooks = 2 * scry_ptr_size(r);
	struct scry_block b;
	bool has_block = scry_block_guess(r, addr, &b);

	if (has_block && b.free)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "its block of %" PRIu64 " bytes is free: what stood there is gone",
				 b.size);
	const char *freed = how_freed(r, addr, head, has_block);

	if (freed)
		return no(r, addr, freed);
	if (!has_block)
		return is_made_only(t) && scry_module_at(r->session, addr)
			       ? no(r, addr, "no object of its type stands in a file's data")
			       : SCRY_OK;
	/* the debug hooks' marks may be what is damaged */
	if (head != b.start && head != b.start + hooks)
		return no(r, addr, "it is not where its block starts");
	return scry_check_block(r, addr, t, &b);
}
