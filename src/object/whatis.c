/* What stands at an address: an object's head, its collector's state, or why it is none. */
#include "object/whatis.h"
#include "object/known.h"

#include "memory/gc.h"
#include "object/printer.h"

#define TYPE_GC              (1u << 14)
#define TYPE_MANAGED_WEAKREF (1u << 3)

/* free-threaded: ob_gc_bits, Include/internal/pycore_gc.h, 3.13 to 3.15 */
#define GC_BITS_DEFERRED 64

/* --- reference counts --- */

static void no_immortals(struct scry_runtime *r, struct scry_whatis *w, uint64_t count)
{
	(void)r;
	(void)w;
	(void)count;
}

/*
 * Free-threaded: the lowest two bits of the shared count are flags, 3 is _Py_REF_MERGED
 * (Include/refcount.h). An object whose references are counted only in part has a large number more
 * from 3.14 on, _Py_REF_DEFERRED (Include/internal/pycore_object.h); in 3.13 only the bit of
 * _PyGC_BITS_DEFERRED.
 */
static void read_shared_count(struct scry_runtime *r, struct scry_whatis *w)
{
	unsigned bits = r->session->target->abi.ptr_size * 8;
	int64_t shared = 0, bias = (INT64_MAX >> (64 - bits)) / 8;

	scry_field_read_int(r, w->addr, SCRY_F_OBJECT_REF_SHARED, &shared);
	w->merged = (shared & 3) == 3;
	w->shared = shared >> 2;
	w->owner = w->merged ? 0 : scry_field_get(r, w->addr, SCRY_F_OBJECT_TID);
	w->deferred = scry_field_get(r, w->addr, SCRY_F_OBJECT_GC_BITS) & GC_BITS_DEFERRED;
	if (w->deferred && w->shared > bias / 2)
		w->shared -= bias;
}

/*
 * 3.12+: Include/object.h, _Py_IsImmortal(): the low 32 bits, as a signed number, are negative; on
 * 32-bit, the top two bits tell. Free-threaded: the owner's count is all ones.
 */
static void find_immortals(struct scry_runtime *r, struct scry_whatis *w, uint64_t count)
{
	if (w->biased)
		w->immortal = count == UINT32_MAX;
	else if (r->session->target->abi.ptr_size == 8)
		w->immortal = (count >> 31 & 1) != 0;
	else
		w->immortal = count >= UINT32_MAX >> 2;
}

static const struct {
	uint32_t since;
	void (*find)(struct scry_runtime *r, struct scry_whatis *w, uint64_t count);
} immortals[] = { { SCRY_VERSION_OF(3, 12), find_immortals }, { 0, no_immortals } };

static void read_counts(struct scry_runtime *r, struct scry_whatis *w)
{
	uint64_t count = scry_field_get(r, w->addr, SCRY_F_OBJECT_REFCNT);
	size_t i = 0;

	w->biased = scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED);
	w->refcount = (int64_t)count;
	if (w->biased)
		read_shared_count(r, w);
	while (r->version < immortals[i].since)
		i++;
	immortals[i].find(r, w, count);
	w->deferred &= !w->immortal; /* static ones have the bit, too */
}

/* --- the cyclic collector --- */

static void read_gc(struct scry_runtime *r, struct scry_whatis *w, const struct scry_type *t)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_gc_state state;
	uint64_t flags;

	w->block = w->addr;
	/* a static type is none of the collector's objects: Objects/typeobject.c, type_is_gc() */
	bool is_static = t->flags & TYPE_TYPE &&
			 scry_field_read(r, w->addr, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK &&
			 !(flags & TYPE_HEAP);
	if (!(t->flags & TYPE_GC) || is_static)
		return;
	scry_gc_state_read(r, w->addr, &state);
	w->gc = state.tracked ? SCRY_GC_TRACKED : SCRY_GC_UNTRACKED;
	w->gc_finalized = state.finalized;
	w->gc_collecting = state.collecting;
	w->gc_frozen = state.frozen;
	w->block = state.head;
	w->head_unknown = state.head_unknown;
	if (t->flags & (TYPE_MANAGED_DICT | TYPE_MANAGED_WEAKREF) &&
	    r->version >= SCRY_VERSION_OF(3, 11))
		w->block -= 2 * ptr;
}

/* --- what stands near --- */

#define NEAR_BYTES   512
#define INSIDE_BYTES (1 << 20) /* how far before an address the object may start that it lies in */

/* An object of a type whose name is one: chance makes others. */
static bool is_object(struct scry_runtime *r, scry_addr at, struct scry_type **ret)
{
	return scry_type_for(r, at, ret) == SCRY_OK &&
	       ((*ret)->flags & TYPE_HEAP || *(*ret)->name) && !(*ret)->nameless;
}

/*
 * In a block of the allocator the object starts behind the collector's header and other words that
 * belong to it.
 */
static scry_addr in_block(struct scry_runtime *r, scry_addr addr, const struct scry_block *b)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_type *t;

	for (scry_addr at = b->start; at <= addr && at < b->start + 8 * ptr; at += ptr)
		if (is_object(r, at, &t) && addr - at < scry_object_extent(r, at, t))
			return at;
	return 0;
}

static void find_near(struct scry_runtime *r, struct scry_whatis *w)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_type *t;

	w->near = w->has_memory ? in_block(r, w->addr, &w->memory) : 0;
	w->inside = w->near != 0;
	for (scry_addr at = w->addr / ptr * ptr;
	     !w->near && w->addr - at < INSIDE_BYTES && at > ptr; at -= ptr) {
		if (at == w->addr || !is_object(r, at, &t))
			continue;
		/* no object reaches from one block into the next */
		w->inside = w->addr - at < scry_object_extent(r, at, t) &&
			    (!w->has_memory || at >= w->memory.start);
		if (w->inside || w->addr - at < NEAR_BYTES)
			w->near = at;
		else if (w->has_memory)
			break; /* what is larger than a block is none of pymalloc's */
	}
}

/*
 * The collector's header and other words stand before an object: what looks like it may be those.
 */
static void find_behind(struct scry_runtime *r, struct scry_whatis *w)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_type *t;

	for (scry_addr at = w->addr + ptr; at <= w->addr + 4 * ptr; at += ptr) {
		struct scry_whatis behind = { .addr = at, .block = at };

		if (!is_object(r, at, &t))
			continue;
		read_gc(r, &behind, t);
		if (behind.block <= w->addr) {
			w->near = at;
			w->inside = false;
		}
		return;
	}
}

/*
 * A type pointer with one bit changed: memory that fails does that. Of several types none is
 * believed.
 */
static void guess_type(struct scry_runtime *r, struct scry_whatis *w)
{
	unsigned bits = 8 * r->session->target->abi.ptr_size;
	uint64_t word = scry_field_get(r, w->addr, SCRY_F_OBJECT_TYPE);
	struct scry_type *t, *found = NULL;

	for (unsigned bit = 3; word && bit < bits && bit < 48; bit++) {
		if (scry_type_at(r, word ^ 1ull << bit, &t) < 0)
			continue;
		if (found)
			return;
		found = t;
	}
	if (found && scry_type_full_name(r, found->addr, &w->guess) == SCRY_OK)
		w->guessed_type = found->addr;
}

/* Which field of the struct, or which item behind it, stands at an offset of an object. */
static const char *field_at(struct scry_runtime *r, scry_addr object, uint64_t offset)
{
	struct scry_type *t;

	if (scry_type_for(r, object, &t) < 0)
		return NULL;
	enum scry_struct what = scry_whatis_struct(r, t->addr);
	const char *found = NULL;
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		enum scry_struct of = scry_field_struct((enum scry_field)f);
		const struct scry_slot *slot = &r->layout->slot[f];
		const char *dot = strchr(scry_field_name((enum scry_field)f), '.');

		if ((of == what || of == SCRY_S_OBJECT || (of == SCRY_S_VAR && t->itemsize)) &&
		    slot->size && !slot->bits && offset >= slot->offset &&
		    offset < (uint64_t)slot->offset + slot->size)
			found = dot ? dot + 1 : found;
	}
	if (t->itemsize && offset >= t->basicsize - t->basicsize % t->itemsize &&
	    t->flags & TYPE_TUPLE)
		return scry_arena_printf(&r->session->arena, "items[%" PRIu64 "]",
					 (offset - r->layout->slot[SCRY_F_TUPLE_ITEMS].offset) /
						 t->itemsize);
	return found;
}

static const char *find_pattern(struct scry_runtime *r, scry_addr addr)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t word;

	for (unsigned i = 0; i < 4; i++) {
		const char *name = scry_word(r, addr + i * ptr, &word) == SCRY_OK
					   ? scry_pattern_name(word, ptr)
					   : NULL;

		if (name)
			return name;
	}
	return NULL;
}

/*
 * 3.14+: objects that are kept for reuse are a list through their first words, the reference
 * counts: Include/internal/pycore_freelist.h, _PyFreeList_PushItem(). The last one's is 0.
 */
static bool is_kept_free(struct scry_runtime *r, const struct scry_whatis *w)
{
	uint64_t next;

	return r->version >= SCRY_VERSION_OF(3, 14) && !w->biased &&
	       scry_word(r, w->addr, &next) == SCRY_OK && next != w->addr && next &&
	       scry_field_get(r, next, SCRY_F_OBJECT_TYPE) == w->type;
}

/*
 * SCRY_OK where an object stands there. One whose type has no name, inside another object, is
 * chance.
 */
static int own_type(struct scry_runtime *r, struct scry_whatis *w, struct scry_type **ret)
{
	int rc = scry_type_for(r, w->addr, ret);

	if (rc < 0 || !(*ret)->nameless)
		return rc;
	find_near(r, w);
	if (w->inside)
		return scry_fail(r->session, SCRY_ECORRUPT, w->addr,
				 "its type at 0x%" PRIx64 " has no name", (*ret)->addr);
	w->near = 0;
	return SCRY_OK;
}

int scry_whatis(struct scry_runtime *r, scry_addr addr, struct scry_whatis *ret)
{
	struct scry_session *s = r->session;
	struct scry_whatis w = { .addr = addr, .block = addr };
	struct scry_type *t;
	uint8_t byte;
	int rc = scry_read(s, addr, &byte, 1);

	if (rc < 0)
		return rc;
	w.pattern = find_pattern(r, addr);
	w.has_memory = scry_block_find(r, addr, &w.memory);
	rc = own_type(r, &w, &t);
	if (rc < 0) {
		w.problem = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
		find_near(r, &w);
		if (!w.inside)
			find_behind(r, &w);
		if (!w.inside && addr % s->target->abi.ptr_size == 0)
			guess_type(r, &w);
		w.near_field = w.inside ? field_at(r, w.near, addr - w.near) : NULL;
		/* the debug hooks' words are the first of a block */
		w.has_debug = w.has_memory &&
			      scry_debug_block_at(r, w.memory.start + 2 * s->target->abi.ptr_size,
						  &w.debug);
	} else {
		w.type = t->addr;
		rc = scry_type_full_name(r, t->addr, &w.type_name);
		read_counts(r, &w);
		read_gc(r, &w, t);
		if (is_kept_free(r, &w)) {
			w.refcount = 0;
			w.immortal = false;
		}
		if (!w.refcount && !w.biased && !w.pattern)
			w.pattern = "no reference is left: it is being freed, or its memory is "
				    "kept for the next one";
		w.size = scry_object_sizeof(r, addr, t);
		w.has_debug = scry_debug_block_at(r, w.block, &w.debug);
	}
	*ret = w;
	return SCRY_OK;
}

/* --- the dump --- */

static const struct {
	enum scry_known type;
	enum scry_struct what;
} structs[] = {
	{ SCRY_IS_LIST, SCRY_S_LIST },           { SCRY_IS_TUPLE, SCRY_S_TUPLE },
	{ SCRY_IS_DICT, SCRY_S_DICT },           { SCRY_IS_SET, SCRY_S_SET },
	{ SCRY_IS_FROZENSET, SCRY_S_SET },       { SCRY_IS_FLOAT, SCRY_S_FLOAT },
	{ SCRY_IS_COMPLEX, SCRY_S_COMPLEX },     { SCRY_IS_TYPE, SCRY_S_TYPE },
	{ SCRY_IS_FUNCTION, SCRY_S_FUNCTION },   { SCRY_IS_METHOD, SCRY_S_METHOD },
	{ SCRY_IS_CODE, SCRY_S_CODE },           { SCRY_IS_FRAME, SCRY_S_FRAME },
	{ SCRY_IS_GENERATOR, SCRY_S_GEN },       { SCRY_IS_COROUTINE, SCRY_S_GEN },
	{ SCRY_IS_TRACEBACK, SCRY_S_TRACEBACK }, { SCRY_IS_BASE_EXCEPTION, SCRY_S_EXCEPTION },
	{ SCRY_IS_MODULE, SCRY_S_MODULE },       { SCRY_IS_CELL, SCRY_S_CELL },
	{ SCRY_IS_RANGE, SCRY_S_RANGE },         { SCRY_IS_SLICE, SCRY_S_SLICE },
	{ SCRY_IS_BYTEARRAY, SCRY_S_BYTEARRAY }, { SCRY_IS_MEMORYVIEW, SCRY_S_MEMORYVIEW },
	{ SCRY_IS_BUILTIN, SCRY_S_CFUNCTION },   { SCRY_IS_DEQUE, SCRY_S_DEQUE },
	{ SCRY_IS_C_FUTURE, SCRY_S_FUTURE },     { SCRY_IS_C_TASK, SCRY_S_TASK },
};

enum scry_struct scry_whatis_struct(struct scry_runtime *r, scry_addr type)
{
	struct scry_type *t;

	if (scry_type_at(r, type, &t) < 0)
		return SCRY_S_OBJECT;
	if (t->flags & TYPE_LONG)
		return SCRY_S_LONG;
	if (t->flags & TYPE_UNICODE)
		return scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH) ? SCRY_S_ASCII
								       : SCRY_S_UNICODE;
	if (t->flags & TYPE_BYTES)
		return SCRY_S_BYTES;
	for (size_t i = 0; i < sizeof(structs) / sizeof(structs[0]); i++)
		if (scry_type_is(r, type, structs[i].type))
			return structs[i].what;
	return SCRY_S_OBJECT;
}

/* The names of the fields that start in a word, of the struct and of the object's head. */
static void put_field_names(struct scry_runtime *r, enum scry_struct what, uint32_t from,
			    uint32_t to, struct scry_buf *out)
{
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		enum scry_struct of = scry_field_struct((enum scry_field)f);
		const struct scry_slot *slot = &r->layout->slot[f];
		bool head = of == SCRY_S_OBJECT || (of == SCRY_S_VAR && what != SCRY_S_OBJECT);

		if ((of != what && !head) || !slot->size || slot->offset < from ||
		    slot->offset >= to)
			continue;
		const char *name = scry_field_name((enum scry_field)f), *dot = strchr(name, '.');
		scry_buf_printf(out, "%s%s", out->len ? ", " : "", dot ? dot + 1 : name);
	}
}

static void put_meaning(struct scry_runtime *r, uint64_t word, struct scry_buf *out)
{
	const char *pattern = scry_pattern_name(word, r->session->target->abi.ptr_size);
	struct scry_symbol symbol;
	struct scry_type *t;

	if (pattern)
		scry_buf_puts(out, pattern);
	else if (word && scry_type_for(r, word, &t) == SCRY_OK)
		scry_buf_printf(out, "-> %s object", t->name);
	else if (word > 4096 && scry_symbol_at(r->session, word, &symbol) == SCRY_OK)
		scry_buf_printf(out, "-> %s+0x%" PRIx64, symbol.name, word - symbol.addr);
}

static const char *keep(struct scry_runtime *r, const struct scry_buf *text)
{
	return text->len ? scry_arena_text(&r->session->arena, text->text, text->len) : NULL;
}

int scry_whatis_word(struct scry_runtime *r, scry_addr base, enum scry_struct what, unsigned index,
		     struct scry_dump_word *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	const char *why = r->session->error.text;
	SCRY_AUTO_BUF(fields);
	SCRY_AUTO_BUF(meaning);

	*ret = (struct scry_dump_word) { .addr = base + index * ptr, .size = ptr };
	int rc = scry_word(r, ret->addr, &ret->word);
	if (rc < 0) {
		ret->error = scry_arena_text(&r->session->arena, why, strlen(why));
		return rc;
	}
	put_field_names(r, what, index * ptr, (index + 1) * ptr, &fields);
	put_meaning(r, ret->word, &meaning);
	ret->fields = keep(r, &fields);
	ret->meaning = keep(r, &meaning);
	return SCRY_OK;
}

void scry_whatis_word_text(const struct scry_dump_word *word, struct scry_buf *out)
{
	scry_buf_printf(out, "0x%" PRIx64 "  ", word->addr);
	if (word->error)
		scry_buf_printf(out, "<%s>", word->error);
	else
		scry_buf_printf(out, "%0*" PRIx64, (int)(2 * word->size), word->word);
	scry_buf_printf(out, "%s%s", word->fields ? "  " : "", word->fields ? word->fields : "");
	scry_buf_printf(out, "%s%s", word->meaning ? "  " : "", word->meaning ? word->meaning : "");
}
