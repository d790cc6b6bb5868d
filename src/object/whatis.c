/* What is at an address: an object's head, its collector's state, or why it is not an object. */
#include "object/whatis.h"
#include "object/known.h"

#include <inttypes.h>

#include "memory/gc.h"
#include "object/judge.h"
#include "object/printer.h"

/* free-threaded: ob_gc_bits, Include/internal/pycore_gc.h, 3.13 to 3.15 */
#define GC_BITS_DEFERRED 64

/* --- reference counts --- */

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
	/* ob_tid has the collector's counts and links then: Python/gc_free_threading.c */
	for (struct scry_interp *i = r->interps; i; i = i->next)
		w->owner_hidden = !w->merged && (w->owner_hidden || i->gc_running);
	w->owner = w->merged || w->owner_hidden ? 0 : scry_field_get(r, w->addr, SCRY_F_OBJECT_TID);
	w->deferred = scry_field_get(r, w->addr, SCRY_F_OBJECT_GC_BITS) & GC_BITS_DEFERRED;
	if (w->deferred && w->shared > bias / 2)
		w->shared -= bias;
}

static void read_counts(struct scry_runtime *r, struct scry_whatis *w)
{
	uint64_t count = scry_field_get(r, w->addr, SCRY_F_OBJECT_REFCNT);

	w->biased = scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED);
	w->refcount = (int64_t)count;
	if (w->biased)
		read_shared_count(r, w);
	w->immortal = scry_is_immortal(r, count);
	w->deferred &= !w->immortal; /* static ones have the bit, too */
}

/* --- the cyclic collector --- */

static void read_gc(struct scry_runtime *r, struct scry_whatis *w, const struct scry_type *t)
{
	struct scry_gc_state state;

	w->block = w->addr - scry_object_head(r, w->addr, t);
	if (!scry_is_collected(r, w->addr, t))
		return;
	scry_gc_state_read(r, w->addr, &state);
	w->gc = state.tracked ? SCRY_GC_TRACKED : SCRY_GC_UNTRACKED;
	w->gc_finalized = state.finalized;
	w->gc_collecting = state.collecting;
	w->gc_frozen = state.frozen;
	w->head_unknown = state.head_unknown;
}

/* --- what stands near --- */

static void find_near(struct scry_runtime *r, struct scry_whatis *w)
{
	struct scry_verdict v;
	scry_addr before;

	w->inside = scry_judge_inside(r, w->addr, &w->near, &before, &v) == SCRY_OK;
	if (w->inside || scry_judge_behind(r, w->addr, &w->near) == SCRY_OK)
		return;
	w->near = before;
}

/*
 * A block is no larger than what was asked for needs, where all objects of the type have one size.
 */
static bool fills_block(scry_addr addr, const struct scry_verdict *v)
{
	return !v->has_block || v->block.size > 512 || v->type->itemsize ||
	       v->type->flags & (TYPE_UNICODE | TYPE_INLINE) ||
	       v->block.start + v->block.size - addr - v->extent < 32;
}

/*
 * A type pointer with one bit changed: memory that fails does that. Of several types none is
 * believed, nor one of which no object could be there, nor one in a file's data, where most
 * words that lead to a type are other tables'.
 */
static void guess_type(struct scry_runtime *r, struct scry_whatis *w)
{
	unsigned bits = 8 * r->session->target->abi.ptr_size;
	uint64_t word = scry_field_get(r, w->addr, SCRY_F_OBJECT_TYPE);
	struct scry_type *t, *found = NULL;
	struct scry_verdict v;

	for (unsigned bit = 3; word && bit < bits && bit < 48; bit++) {
		if (scry_type_at(r, word ^ 1ull << bit, &t) < 0 || !scry_type_is_sound(r, t) ||
		    scry_judge_as(r, w->addr, t, &v) < 0 || v.in_file || !fills_block(w->addr, &v))
			continue;
		if (found)
			return;
		found = t;
	}
	if (found && scry_type_full_name(r, found->addr, &w->guess) == SCRY_OK)
		w->guessed_type = found->addr;
}

/* The slot of a class (__slots__) or C member at an offset, by the tables of its type and bases. */
const char *scry_whatis_member(struct scry_runtime *r, const struct scry_type *t, uint64_t offset)
{
	uint32_t size = r->layout->size[SCRY_S_MEMBER_DEF];
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_type *base = NULL;
	const char *name;

	for (unsigned depth = 0; depth < 64 && size; depth++, t = base) {
		scry_addr at = scry_field_get(r, t->addr, SCRY_F_TYPE_MEMBERS), text;

		for (unsigned i = 0; at && i < 1000; i++, at += size) {
			uint64_t stands = scry_field_get(r, at, SCRY_F_MEMBER_DEF_OFFSET);

			text = scry_field_get(r, at, SCRY_F_MEMBER_DEF_NAME);
			if (!text)
				break;
			if (stands && stands / ptr == offset / ptr &&
			    scry_read_cstr(r->session, text, 200, &name) == SCRY_OK)
				return name;
		}
		if (!t->base || scry_type_at(r, t->base, &base) < 0)
			break;
	}
	return NULL;
}

const char *scry_struct_field_at(struct scry_runtime *r, enum scry_struct what, uint64_t offset)
{
	const char *found = NULL;
	uint32_t size = UINT32_MAX;

	for (int f = 0; f < SCRY_F_COUNT; f++) {
		const struct scry_slot *slot = &r->layout->slot[f];
		const char *dot = strchr(scry_field_name((enum scry_field)f), '.');

		/* of a struct and its member the member */
		if (scry_field_struct((enum scry_field)f) != what || !dot || !slot->size ||
		    slot->bits || offset - slot->offset >= slot->size || slot->size >= size)
			continue;
		found = dot + 1;
		size = slot->size;
	}
	return found;
}

/* What comes after an object's struct, or as large as the object is. */
static const struct {
	uint32_t flag;
	enum scry_known type;
	enum scry_field at;
	const char *name;
	bool counted; /* items of pointers */
} tails[] = {
	{ TYPE_TUPLE, .at = SCRY_F_TUPLE_ITEMS, .name = "items", .counted = true },
	{ TYPE_BYTES, .at = SCRY_F_BYTES_DATA, .name = "ob_sval" },
	{ TYPE_LONG, .at = SCRY_F_LONG_DIGITS, .name = "ob_digit" },
	{ .type = SCRY_IS_CODE, .at = SCRY_F_CODE_ADAPTIVE, .name = "co_code_adaptive" },
};

static const char *tail_at(struct scry_runtime *r, const struct scry_type *t, scry_addr object,
			   uint64_t offset)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_text_view v;

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		const struct scry_slot *slot = &r->layout->slot[tails[i].at];

		if (!slot->size || offset < slot->offset ||
		    !(tails[i].flag ? t->flags & tails[i].flag
				    : scry_type_is(r, t->addr, tails[i].type)))
			continue;
		return tails[i].counted
			       ? scry_arena_printf(&r->session->arena, "%s[%" PRIu64 "]",
						   tails[i].name, (offset - slot->offset) / ptr)
			       : tails[i].name;
	}
	if (t->flags & TYPE_UNICODE && scry_text_open(r, object, &v) == SCRY_OK && v.own &&
	    object + offset >= v.data)
		return "data";
	return NULL;
}

/* An attribute whose value is in the object or before it, without a dict: 3.11+ */
static const char *attribute_at(struct scry_runtime *r, scry_addr object, uint64_t offset)
{
	struct scry_dict_view v = { 0 };
	scry_addr dict, key;
	const char *name;

	if (scry_instance_dict(r, object, &dict, &v) < 0 || dict || !v.values ||
	    object + offset < v.values)
		return NULL;
	uint64_t index = (object + offset - v.values) / r->session->target->abi.ptr_size;
	if (index > 255 || /* more are never inline: SHARED_KEYS_MAX_SIZE, 3.11+ */
	    scry_word(r, v.entries + index * v.stride + v.key, &key) < 0 || !key ||
	    scry_text_at(r, key, 200, &name) < 0)
		return NULL;
	return name;
}

/* Structs that whatis knows of types that have no own row for their words. */
static enum scry_struct struct_of(struct scry_runtime *r, const struct scry_type *t)
{
	return scry_whatis_struct(r, t->addr);
}

const char *scry_field_name_of(struct scry_runtime *r, const struct scry_type *t, scry_addr object,
			       uint64_t offset)
{
	const char *found = tail_at(r, t, object, offset);

	if (!found)
		found = scry_struct_field_at(r, struct_of(r, t), offset);
	if (!found && t->itemsize)
		found = scry_struct_field_at(r, SCRY_S_VAR, offset);
	if (!found)
		found = scry_struct_field_at(r, SCRY_S_OBJECT, offset);
	if (!found)
		found = scry_whatis_member(r, t, offset);
	/* ctypes: what has room in the object itself comes after the struct's pointers */
	if (!found && scry_type_derives(r, t->addr, "_ctypes._CData"))
		found = offset < r->layout->size[SCRY_S_CTYPES]
				? scry_struct_field_at(r, SCRY_S_CTYPES, offset)
				: NULL;
	return found;
}

const char *scry_field_name_at(struct scry_runtime *r, scry_addr object, uint64_t offset)
{
	struct scry_type *t;
	const char *found;
	scry_addr own;

	if (scry_type_for(r, object, &t) < 0)
		return NULL;
	found = attribute_at(r, object, offset);
	if (!found && scry_type_derives(r, t->addr, "_ctypes._CData")) {
		own = scry_field_get(r, object, SCRY_F_CTYPES_PTR);
		if (own > object && own <= object + offset && own - object < 512)
			found = "b_value";
	}
	return found ? found : scry_field_name_of(r, t, object, offset);
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

/* What is there is an object: its facts. */
static int read_object(struct scry_runtime *r, const struct scry_verdict *v, struct scry_whatis *w)
{
	w->type = v->type->addr;
	int rc = scry_type_full_name(r, w->type, &w->type_name);

	read_counts(r, w);
	read_gc(r, w, v->type);
	if (v->dead) {
		w->refcount = 0;
		w->immortal = false;
		if (!w->biased && !w->pattern)
			w->pattern = "no reference is left: it is being freed, or its memory is "
				     "kept for the next one";
	}
	w->size = scry_object_sizeof(r, w->addr, v->type);
	/* what keeps something else where others keep a length has none to give its size */
	if (v->has_block && v->type->itemsize &&
	    v->extent < scry_object_extent(r, w->addr, v->type))
		w->size = 0;
	w->has_debug = scry_debug_block_at(r, w->block, &w->debug);
	return rc;
}

static void read_others(struct scry_runtime *r, struct scry_whatis *w)
{
	struct scry_session *s = r->session;
	unsigned ptr = s->target->abi.ptr_size;

	w->problem = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
	find_near(r, w);
	if (!w->inside && w->addr % ptr == 0)
		guess_type(r, w);
	w->near_field = w->inside ? scry_field_name_at(r, w->near, w->addr - w->near) : NULL;
	/* the debug hooks' words are the first of a block */
	w->has_debug =
		w->has_memory && scry_debug_block_at(r, w->memory.start + 2 * ptr, &w->debug);
}

int scry_whatis(struct scry_runtime *r, scry_addr addr, struct scry_whatis *ret)
{
	struct scry_whatis w = { .addr = addr, .block = addr };
	struct scry_verdict v;
	uint8_t byte;
	int rc = scry_read(r->session, addr, &byte, 1);

	if (rc < 0)
		return rc;
	w.pattern = find_pattern(r, addr);
	w.has_memory = scry_block_find(r, addr, &w.memory);
	if (scry_judge(r, addr, &v) < 0)
		read_others(r, &w);
	else
		rc = read_object(r, &v, &w);
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
		if (structs[i].what == SCRY_S_GEN ? scry_known_type(t) == structs[i].type
						  : scry_type_is(r, type, structs[i].type))
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
	struct scry_verdict v;

	if (pattern)
		scry_buf_puts(out, pattern);
	else if (word && scry_judge(r, word, &v) == SCRY_OK)
		scry_buf_printf(out, "-> %s object", v.type->name);
	else if (word > 4096 && scry_symbol_at(r->session, word, &symbol) == SCRY_OK &&
		 scry_symbol_covers(&symbol, word))
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
