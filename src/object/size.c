/* How much memory an object takes: what __sizeof__() would say, by who defines it. */
#include "object/whatis.h"
#include "object/known.h"

#include <stdlib.h>

#include "object/mro.h"
#include "object/printer.h"

#define SEQUENCE_MAX 1000 /* members of a struct sequence */

static uint64_t pointer_size(const struct scry_runtime *r)
{
	return r->session->target->abi.ptr_size;
}

/*
 * Objects/typeobject.c, object___sizeof___impl(): as it says, ob_size may be below 0. Boost.Python
 * keeps something else there.
 */
static uint64_t size_plain(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	int64_t n = 0;

	if (!t->itemsize)
		return t->basicsize;
	if (scry_field_read_int(r, addr, SCRY_F_VAR_SIZE, &n) < 0 || n > 1ll << 40 ||
	    n < -(1ll << 40))
		return 0;
	int64_t size = (int64_t)t->basicsize + n * (int64_t)t->itemsize;
	return size > 0 ? (uint64_t)size : 0;
}

/*
 * Only the built-in type's own struct counts, whatever a class has added: unicode_sizeof(),
 * string_sizeof(). Up to 3.11 a wchar_t form would be counted, too: nothing has made one since 3.3.
 */
static uint64_t size_text(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_text_view v;
	int64_t utf8 = 0;

	(void)t;
	if (scry_text_open(r, addr, &v) < 0)
		return 0;
	if (v.bytes)
		return v.data - addr + v.length + 1;
	bool compact = scry_field_get(r, addr, SCRY_F_ASCII_COMPACT) && v.data > addr &&
		       v.data - addr <= 200;
	uint64_t size = (compact ? v.data - addr : r->layout->size[SCRY_S_UNICODE]) +
			(v.length + 1) * v.kind;
	/* its UTF-8 form is counted where it is kept apart */
	scry_addr kept = scry_field_get(r, addr, SCRY_F_COMPACT_UTF8);
	if (!scry_field_get(r, addr, SCRY_F_ASCII_ASCII) && kept && kept != v.data &&
	    scry_field_read_int(r, addr, SCRY_F_COMPACT_UTF8_LENGTH, &utf8) == SCRY_OK &&
	    utf8 > 0 && utf8 < 1ll << 40)
		size += (uint64_t)utf8 + 1;
	return size;
}

/*
 * From 3.11 on an int has room for a digit at least: Objects/longobject.c, int___sizeof___impl().
 */
static uint64_t size_int(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	(void)t;
	const struct scry_slot *digits = &r->layout->slot[SCRY_F_LONG_DIGITS];
	uint64_t tag, n;
	int64_t size = 0;

	if (scry_layout_has(r->layout, SCRY_F_LONG_TAG))
		n = scry_field_read(r, addr, SCRY_F_LONG_TAG, &tag) < 0 ? 0 : tag >> 3;
	else
		n = scry_field_read_int(r, addr, SCRY_F_VAR_SIZE, &size) < 0 ? 0
		    : size < 0                                               ? 0 - (uint64_t)size
									     : (uint64_t)size;
	if (n == 0 && scry_trait(r, SCRY_TRAIT_ZERO_HAS_DIGIT))
		n = 1;
	if (n > 1ull << 40)
		return 0;
	return digits->offset + n * digits->size;
}

static uint64_t size_list(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t n = scry_field_get(r, addr, SCRY_F_LIST_ALLOCATED);

	return n < 1ull << 40 ? t->basicsize + n * pointer_size(r) : 0;
}

/* 3.15+: what it allocates is a bytes object; Objects/bytearrayobject.c, bytearray_sizeof() */
static uint64_t size_bytearray(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t n = scry_field_get(r, addr, SCRY_F_BYTEARRAY_ALLOC);

	if (n && scry_trait(r, SCRY_TRAIT_BYTEARRAY_HOLDS_BYTES))
		n += r->layout->slot[SCRY_F_BYTES_DATA].offset + 1;
	return n < 1ull << 40 ? t->basicsize + n : 0;
}

/* The small table is part of the set: Objects/setobject.c, set_sizeof(). */
static uint64_t size_set(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	scry_addr table = scry_field_get(r, addr, SCRY_F_SET_TABLE);
	uint64_t mask = scry_field_get(r, addr, SCRY_F_SET_MASK);

	if (mask >= 1ull << 40)
		return 0;
	return table - addr < t->basicsize
		       ? t->basicsize
		       : t->basicsize + (mask + 1) * r->layout->size[SCRY_S_SET_ENTRY];
}

/* Of a class the keys that its instances share are counted: type___sizeof___impl(). */
static uint64_t size_type(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t size = r->layout->size[SCRY_S_HEAP_TYPE];
	scry_addr keys = scry_field_get(r, addr, SCRY_F_HEAP_TYPE_CACHED_KEYS);

	(void)t;
	if (!(scry_field_get(r, addr, SCRY_F_TYPE_FLAGS) & TYPE_HEAP))
		return r->layout->size[SCRY_S_TYPE];
	return size ? size + (keys ? scry_keys_sizeof(r, keys) : 0) : 0;
}

static uint64_t size_array(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t allocated = scry_field_get(r, addr, SCRY_F_ARRAY_ALLOCATED);
	uint64_t item = scry_field_get(r, scry_field_get(r, addr, SCRY_F_ARRAY_DESCR),
				       SCRY_F_ARRAY_DESCR_ITEMSIZE);

	return allocated < 1ull << 40 && item && item <= 16 ? t->basicsize + allocated * item : 0;
}

/* Modules/_collectionsmodule.c, deque_sizeof() */
static uint64_t size_deque(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t length = r->layout->slot[SCRY_F_DEQUE_BLOCK_DATA].size / pointer_size(r);
	bool own = scry_layout_has(r->layout, SCRY_F_DEQUE_LEN);
	uint64_t n = scry_field_get(r, addr, own ? SCRY_F_DEQUE_LEN : SCRY_F_VAR_SIZE);
	uint64_t left = scry_field_get(r, addr, SCRY_F_DEQUE_LEFTINDEX),
		 block = r->layout->size[SCRY_S_DEQUE_BLOCK];

	if (!length || !block || n > 1ull << 40 || left > length)
		return 0;
	return t->basicsize + (left + n + length - 1) / length * block;
}

/* 3.11+: the frame is part of it: Objects/genobject.c, gen_sizeof() */
static uint64_t size_generator(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	const struct scry_slot *inner = &r->layout->slot[SCRY_F_GEN_IFRAME];
	scry_addr frame = addr + inner->offset,
		  code = scry_untag(r, scry_field_get(r, frame, SCRY_F_IFRAME_CODE));
	uint64_t slots = scry_field_get(r, code, SCRY_F_CODE_NLOCALSPLUS);
	uint64_t stack = scry_field_get(r, code, SCRY_F_CODE_STACKSIZE);

	if (!scry_is_generator(t) || !inner->size || !code || slots > 1u << 20 || stack > 1u << 20)
		return 0;
	return inner->offset + r->layout->slot[SCRY_F_IFRAME_SLOTS].offset +
	       (slots + stack) * pointer_size(r);
}

/* By the type whose __sizeof__ it is; who is not here says something that we do not know. */
static const struct {
	enum scry_known type;
	uint64_t (*size)(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
} rows[] = {
	{ SCRY_IS_OBJECT, size_plain },
	{ SCRY_IS_INT, size_int },
	{ SCRY_IS_LONG, size_int },
	{ SCRY_IS_STR, size_text },
	{ SCRY_IS_UNICODE, size_text },
	{ SCRY_IS_BYTES, size_text },
	{ SCRY_IS_TUPLE, size_plain },
	{ SCRY_IS_LIST, size_list },
	{ SCRY_IS_BYTEARRAY, size_bytearray },
	{ SCRY_IS_SET, size_set },
	{ SCRY_IS_FROZENSET, size_set },
	{ SCRY_IS_TYPE, size_type },
	{ SCRY_IS_DICT, scry_dict_sizeof },
	{ SCRY_IS_ARRAY, size_array },
	{ SCRY_IS_DEQUE, size_deque },
	{ SCRY_IS_GENERATOR, size_generator },
	{ SCRY_IS_COROUTINE, size_generator },
	{ SCRY_IS_ASYNC_GENERATOR, size_generator },
};

scry_sizer *scry_object_sizer(struct scry_runtime *r, const struct scry_type *t)
{
	scry_addr value, owner;
	struct scry_type *of;

	if (scry_type_lookup(r, t->addr, "__sizeof__", &value, &owner) < 0 ||
	    !scry_is_exactly(r, value, SCRY_IS_METHOD_DESCRIPTOR) ||
	    scry_field_read(r, value, SCRY_F_DESCR_TYPE, &owner) < 0 ||
	    scry_type_at(r, owner, &of) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].type == scry_known_type(of))
			return rows[i].size;
	return NULL;
}

uint64_t scry_object_sizeof(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	scry_sizer *size = scry_object_sizer(r, t);

	return size ? size(r, addr, t) : 0;
}

/*
 * 3.11+: room for the variables of the frame that it stands for: _PyFrame_New_NoTrack(),
 * Objects/frameobject.c. Before, it is ob_size.
 */
static uint64_t size_frame(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	scry_addr frame = scry_field_get(r, addr, SCRY_F_FRAME_INNER),
		  code = scry_untag(r, scry_field_get(r, frame, SCRY_F_IFRAME_CODE));
	uint64_t slots = scry_field_get(r, code, SCRY_F_CODE_NLOCALSPLUS);
	uint64_t stack = scry_field_get(r, code, SCRY_F_CODE_STACKSIZE);

	if (!scry_layout_has(r->layout, SCRY_F_FRAME_INNER))
		return size_plain(r, addr, t);
	return slots > 1u << 20 || stack > 1u << 20
		       ? 0
		       : t->basicsize + (slots + stack) * pointer_size(r);
}

/*
 * A type: of a static one only the struct of static ones is there, unless its metatype has a larger
 * one than that of classes (numpy's DTypeMeta).
 */
static uint64_t extent_type(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t heap = r->layout->size[SCRY_S_HEAP_TYPE];
	bool is_class = scry_field_get(r, addr, SCRY_F_TYPE_FLAGS) & TYPE_HEAP;

	return is_class || (heap && t->basicsize > heap) ? size_plain(r, addr, t)
							 : scry_object_least(r, t);
}

/*
 * A struct sequence has members that its length does not count: Objects/structseq.c,
 * PyStructSequence_New(). 0: it is not one.
 */
static uint64_t extent_sequence(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	int64_t all, counted, length;
	scry_addr value, owner;

	/* remembered by type: millions of tuples are asked */
	if (scry_type_find(r, t->addr, "n_sequence_fields", &value, &owner) < 0 ||
	    owner != t->addr || scry_field_read_int(r, addr, SCRY_F_VAR_SIZE, &length) < 0 ||
	    scry_int_value(r, value, &counted) < 0 || counted != length ||
	    scry_dict_get(r, scry_type_dict(r, t), "n_fields", &value) < 0 ||
	    scry_int_value(r, value, &all) < 0 || all < length || all > SEQUENCE_MAX)
		return 0;
	return t->basicsize + (uint64_t)all * t->itemsize;
}

/*
 * What has no time zone has no room for one: Modules/_datetimemodule.c, time_alloc(),
 * datetime_alloc(). The instances of classes that derive from these are whole.
 */
static const struct {
	enum scry_known type;
	enum scry_field has_zone;
} zones[] = {
	{ SCRY_IS_TIME, SCRY_F_TIME_HASTZ },
	{ SCRY_IS_DATETIME, SCRY_F_DATETIME_HASTZ },
};

/* The field that says whether there is room for a zone, or SCRY_F_COUNT: there always is. */
static enum scry_field zone_field(const struct scry_type *t)
{
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones) && !(t->flags & TYPE_HEAP); i++)
		if (scry_known_type(t) == zones[i].type)
			return zones[i].has_zone;
	return SCRY_F_COUNT;
}

uint64_t scry_object_least(struct scry_runtime *r, const struct scry_type *t)
{
	uint64_t least = 0;

	if (t->flags & TYPE_UNICODE)
		least = r->layout->size[SCRY_S_ASCII]; /* a compact one */
	else if (t->flags & TYPE_TYPE && t->basicsize <= r->layout->size[SCRY_S_HEAP_TYPE])
		least = r->layout->size[SCRY_S_TYPE];
	else if (zone_field(t) != SCRY_F_COUNT)
		least = t->basicsize - pointer_size(r);
	return least && least < t->basicsize ? least : t->basicsize;
}

/* The size where ob_size and the type alone decide it; else 0. */
static uint64_t extent_special(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	enum scry_field zone = zone_field(t);

	if (t->flags & TYPE_TYPE)
		return extent_type(r, addr, t);
	if (zone != SCRY_F_COUNT)
		return scry_field_get(r, addr, zone) ? t->basicsize : scry_object_least(r, t);
	return t->itemsize == pointer_size(r) ? extent_sequence(r, addr, t) : 0;
}

/* What has a size of its own where others have their length: rows by type, the rest by ob_size. */
static const struct {
	const char *type;
	uint64_t (*size)(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
} inner_frames[] = {
	{ "generator", size_generator },
	{ "coroutine", size_generator },
	{ "async_generator", size_generator },
	{ "frame", size_frame },
};

uint64_t scry_object_extent(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	struct scry_text_view v;

	if (t->flags & TYPE_LONG)
		return size_int(r, addr, t);
	if (t->flags & (TYPE_UNICODE | TYPE_BYTES) && scry_text_open(r, addr, &v) == SCRY_OK &&
	    v.data > addr && v.data - addr <= 200)
		return v.data - addr + (v.length + 1) * v.kind;
	for (size_t i = 0; i < sizeof(inner_frames) / sizeof(*inner_frames) && t->itemsize; i++)
		if (!strcmp(t->name, inner_frames[i].type)) {
			uint64_t size = inner_frames[i].size(r, addr, t);

			return size ? size : t->basicsize;
		}
	uint64_t special = extent_special(r, addr, t);
	if (special)
		return special;
	/* only an int has ever kept a sign there */
	if (t->itemsize && scry_field_get_int(r, addr, SCRY_F_VAR_SIZE) < 0)
		return t->basicsize;
	return size_plain(r, addr, t);
}
