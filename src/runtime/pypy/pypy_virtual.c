/*
 * Values out of the JIT's resume data: constants, words of the JITFRAME, and objects that were
 * never allocated, made here as PyPy would have made them when it forces a frame
 * (rpython/jit/metainterp/resume.py).
 */
#include "runtime/pypy/pypy_resume.h"

#include <inttypes.h>
#include <string.h>

#define ITEMS_MAX 65536
#define DEPTH_MAX 64
#define TEXT_MAX  (1u << 20)

/* resume.py: what the two lowest bits of a number say, and two constants that are not */
enum { TAG_CONST, TAG_INT, TAG_BOX, TAG_VIRTUAL };
enum { CONST_NULL = -1, CONST_UNINITIALIZED = -2 };

/*
 * --- layouts of the JIT's own classes, which it cannot see: pointers by the collector's table ---
 */

/* Place of the n-th pointer of a type; 0: it has no such. */
scry_addr scry_pypy_pointer_at(struct scry_pypy *p, const struct scry_pypy_type *t, uint64_t n)
{
	struct scry_session *s = p->runtime->session;
	scry_addr pointers;
	uint64_t count, place;

	if (scry_read_ptr(s, p->group + t->tid + 24, &pointers) < 0 ||
	    scry_read_uint(s, pointers, 8, &count) < 0 || n >= count ||
	    scry_read_uint(s, pointers + 8 * (n + 1), 8, &place) < 0 || place > 4096)
		return 0;
	return place;
}

uint64_t scry_pypy_pointer_count(struct scry_pypy *p, const struct scry_pypy_type *t)
{
	scry_addr pointers;
	uint64_t count = 0;

	if (scry_read_ptr(p->runtime->session, p->group + t->tid + 24, &pointers) == SCRY_OK)
		scry_read_uint(p->runtime->session, pointers, 8, &count);
	return count;
}

/* The n-th pointer of an object. */
scry_addr scry_pypy_pointer_of(struct scry_pypy *p, scry_addr object, uint64_t n)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);
	scry_addr place = t ? scry_pypy_pointer_at(p, t, n) : 0, value = 0;

	if (place)
		scry_read_ptr(p->runtime->session, object + place, &value);
	return value;
}

/* An array, or a list { length, items }; NULL has no items. */
bool scry_pypy_array_of(struct scry_pypy *p, scry_addr array, uint64_t *ret_count,
			scry_addr *ret_items)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &array);
	uint64_t room;

	*ret_count = 0;
	*ret_items = 0;
	if (!array)
		return true;
	if (!t || strcmp(t->name, "list"))
		return t && scry_pypy_array(p, array, ret_count, ret_items) == SCRY_OK &&
		       *ret_count <= ITEMS_MAX;
	return scry_read_uint(p->runtime->session, array + 8, 8, ret_count) == SCRY_OK &&
	       scry_pypy_array(p, scry_pypy_pointer_of(p, array, 0), &room, ret_items) == SCRY_OK &&
	       *ret_count <= room && *ret_count <= ITEMS_MAX;
}

/* --- objects that are made --- */

static uint8_t *make(struct scry_pypy_jit *jit, uint64_t size, scry_addr *ret)
{
	size = (size + 7) & ~(uint64_t)7;
	if (size > SCRY_PYPY_ROOM - jit->used)
		return NULL;
	uint8_t *bytes = jit->bytes + jit->used;
	*ret = SCRY_PYPY_PLACE + jit->used;
	jit->used += size;
	return bytes;
}

void scry_pypy_store(uint8_t *to, uint64_t value, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static scry_addr make_virtual(struct scry_pypy_resume *r, uint64_t number);

static uint64_t const_value(struct scry_pypy_resume *r, int64_t number)
{
	uint64_t word = 0;
	scry_addr object;

	/* ConstInt, ConstFloat, ConstPtr: the value follows the header */
	if (number < 0 || (uint64_t)number >= r->const_count || /* CONST_NULL is 0, too */
	    scry_read_ptr(r->s, r->consts + 8 * (scry_addr)number, &object) < 0 ||
	    !scry_pypy_type_of(r->pypy, &object))
		return 0;
	scry_read_uint(r->s, object + 8, 8, &word);
	return word;
}

static uint64_t box_value(struct scry_pypy_resume *r, int64_t number)
{
	uint64_t word = 0, loc;

	number += number < 0 ? (int64_t)r->box_count : 0;
	if (number >= 0 && (uint64_t)number < r->loc_count &&
	    scry_read_uint(r->s, r->locs + 2 * (scry_addr)number, 2, &loc) == SCRY_OK)
		scry_read_uint(r->s, r->slots + 8 * loc, 8, &word);
	return word;
}

uint64_t scry_pypy_decode(struct scry_pypy_resume *r, int64_t tagged)
{
	int64_t number = tagged >> 2;

	switch (tagged & 3) {
	case TAG_CONST:
		return const_value(r, number);
	case TAG_INT:
		return (uint64_t)number;
	case TAG_BOX:
		return box_value(r, number);
	default:
		return make_virtual(
			r, (uint64_t)(number + (number < 0 ? (int64_t)r->virtual_count : 0)));
	}
}

/* fieldnums: 16-bit numbers. */
static int64_t field_number(struct scry_pypy_resume *r, scry_addr items, uint64_t i)
{
	uint64_t word = 0;

	scry_read_uint(r->s, items + 2 * i, 2, &word);
	return (int16_t)word;
}

/*
 * VirtualInfo, VStructInfo: { fieldnums, fielddescrs, descr }, a SizeDescr with size and tid after
 * its two lists.
 */
static scry_addr make_struct(struct scry_pypy_resume *r, scry_addr info, uint64_t index)
{
	struct scry_pypy *p = r->pypy;
	scry_addr numbers, descrs, descr = scry_pypy_pointer_of(p, info, 2), made, field, name;
	uint64_t count, descr_count, size = 0, tid = 0, offset, width;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr),
				    *f = scry_pypy_type_named(p, SCRY_PYPY_FIELD_DESCR);
	scry_addr first = t ? scry_pypy_pointer_at(p, t, 0) : 0;

	if (!first || !f ||
	    !scry_pypy_array_of(p, scry_pypy_pointer_of(p, info, 0), &count, &numbers) ||
	    !scry_pypy_array_of(p, scry_pypy_pointer_of(p, info, 1), &descr_count, &descrs) ||
	    count != descr_count || scry_read_uint(r->s, descr + first + 16, 8, &size) < 0 ||
	    scry_read_uint(r->s, descr + first + 24, 8, &tid) < 0 || size < 8 || size > 65536 ||
	    !scry_hash_find(&p->by_tid, (uint32_t)tid))
		return 0;
	uint8_t *bytes = make(p->jit, size, &made);
	if (!bytes)
		return 0;
	r->made[index] = made;
	scry_pypy_store(bytes, tid, 8);
	name = scry_pypy_pointer_at(p, f, 0);
	for (uint64_t i = 0; i < count; i++) {
		int64_t number = field_number(r, numbers, i);

		if (number == CONST_UNINITIALIZED * 4 ||
		    scry_read_ptr(r->s, descrs + 8 * i, &field) < 0 ||
		    scry_read_uint(r->s, field + name + 8, 8, &offset) < 0 ||
		    scry_read_uint(r->s, field + name - 16, 8, &width) < 0 || width > 8 ||
		    offset > size - width)
			continue;
		scry_pypy_store(bytes + offset, scry_pypy_decode(r, number), width);
	}
	return made;
}

/*
 * VArrayInfo: { fieldnums, arraydescr }. An ArrayDescr's last pointer stands between base and item
 * size and its tid.
 */
static scry_addr make_array(struct scry_pypy_resume *r, scry_addr info, uint64_t index)
{
	struct scry_pypy *p = r->pypy;
	scry_addr numbers, descr = scry_pypy_pointer_of(p, info, 1), made;
	uint64_t count, base = 0, width = 0, tid = 0;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr);
	scry_addr last = t ? scry_pypy_pointer_at(p, t, scry_pypy_pointer_count(p, t) - 1) : 0;

	if (last < 24 ||
	    !scry_pypy_array_of(p, scry_pypy_pointer_of(p, info, 0), &count, &numbers) ||
	    scry_read_uint(r->s, descr + last - 16, 8, &base) < 0 ||
	    scry_read_uint(r->s, descr + last - 8, 8, &width) < 0 ||
	    scry_read_uint(r->s, descr + last + 8, 8, &tid) < 0 || base < 16 || base > 64 ||
	    !width || width > 8 || !scry_hash_find(&p->by_tid, (uint32_t)tid))
		return 0;
	uint8_t *bytes = make(p->jit, base + count * width, &made);
	if (!bytes)
		return 0;
	r->made[index] = made;
	scry_pypy_store(bytes, tid, 8);
	scry_pypy_store(bytes + 8, count, 8);
	for (uint64_t i = 0; i < count; i++) {
		int64_t number = field_number(r, numbers, i);

		if (number != CONST_UNINITIALIZED * 4)
			scry_pypy_store(bytes + base + i * width, scry_pypy_decode(r, number),
					width);
	}
	return made;
}

/* An rpy_string { header, hash, length, characters }. */
static uint8_t *start_string(struct scry_pypy_resume *r, uint64_t index, uint64_t length,
			     scry_addr *ret)
{
	uint8_t *bytes = length < TEXT_MAX ? make(r->pypy->jit, 24 + length, ret) : NULL;

	if (bytes) {
		scry_pypy_store(bytes, r->pypy->string, 8);
		scry_pypy_store(bytes + 16, length, 8);
		r->made[index] = *ret;
	}
	return bytes ? bytes + 24 : NULL;
}

/* The text of one number, a string that exists or is made now. */
static bool text_of(struct scry_pypy_resume *r, int64_t number, const char **ret, size_t *ret_len)
{
	return scry_pypy_string(r->pypy, scry_pypy_decode(r, number), TEXT_MAX, ret, ret_len) ==
	       SCRY_OK;
}

/*
 * VStrPlainInfo: a number for each character; VStrConcatInfo: two strings; VStrSliceInfo: a string,
 * start and length.
 */
static scry_addr make_string(struct scry_pypy_resume *r, scry_addr info, uint64_t index,
			     enum scry_pypy_class kind)
{
	const char *left = "", *right = "";
	size_t left_len = 0, right_len = 0;
	scry_addr numbers, made;
	uint64_t count;
	uint8_t *to;

	if (!scry_pypy_array_of(r->pypy, scry_pypy_pointer_of(r->pypy, info, 0), &count, &numbers))
		return 0;
	if (kind == SCRY_PYPY_CLASS_VIRTUAL_TEXT) {
		if (!(to = start_string(r, index, count, &made)))
			return 0;
		for (uint64_t i = 0; i < count; i++)
			to[i] = (uint8_t)scry_pypy_decode(r, field_number(r, numbers, i));
		return made;
	}
	if (!text_of(r, field_number(r, numbers, 0), &left, &left_len))
		return 0;
	if (kind == SCRY_PYPY_CLASS_VIRTUAL_SLICE) {
		uint64_t start = scry_pypy_decode(r, field_number(r, numbers, 1)),
			 length = scry_pypy_decode(r, field_number(r, numbers, 2));

		if (start > left_len || length > left_len - start)
			return 0;
		left += start;
		left_len = length;
	} else if (!text_of(r, field_number(r, numbers, 1), &right, &right_len)) {
		return 0;
	}
	if (!(to = start_string(r, index, left_len + right_len, &made)))
		return 0;
	memcpy(to, left, left_len);
	memcpy(to + left_len, right, right_len);
	return made;
}

/*
 * An object that was never allocated; 0 for kinds that are not made (raw memory, arrays of
 * structs): damage, when shown.
 */
static scry_addr make_virtual(struct scry_pypy_resume *r, uint64_t index)
{
	struct scry_pypy *p = r->pypy;
	scry_addr info, made = 0;

	if (index >= r->virtual_count || r->depth > DEPTH_MAX)
		return 0;
	if (r->made[index])
		return r->made[index];
	if (scry_read_ptr(r->s, r->virtuals + 8 * index, &info) < 0)
		return 0;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &info);
	r->depth++;
	if (scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL) ||
	    scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL_STRUCT))
		made = make_struct(r, info, index);
	else if (scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL_ARRAY) ||
		 scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL_ARRAY_RAW))
		made = make_array(r, info, index);
	for (int c = SCRY_PYPY_CLASS_VIRTUAL_TEXT; !made && c <= SCRY_PYPY_CLASS_VIRTUAL_SLICE; c++)
		if (scry_pypy_is(p, t, c))
			made = make_string(r, info, index, c);
	r->depth--;
	return made;
}

/* --- objects of what a strategy keeps without one --- */

static scry_addr box(struct scry_pypy *p, enum scry_pypy_class c, enum scry_pypy_field f,
		     uint64_t word)
{
	const struct scry_pypy_type *t = p->class[c];
	uint64_t size = t ? scry_pypy_size_of(p, t, 0) : 0;
	struct scry_slot slot = p->field[f];
	scry_addr made;

	if (!slot.size || size < slot.offset + 8u || size > 256)
		return 0;
	uint8_t *bytes = make(p->jit, size, &made);
	if (!bytes)
		return 0;
	scry_pypy_store(bytes, t->tid, 8);
	scry_pypy_store(bytes + slot.offset, word, 8);
	return made;
}

scry_addr scry_pypy_boxed(struct scry_pypy *p, struct scry_pypy_item item)
{
	static const struct {
		enum scry_pypy_class of;
		enum scry_pypy_field value;
	} rows[] = {
		[SCRY_PYPY_INTEGER] = { SCRY_PYPY_CLASS_INT, SCRY_PYPY_INT_VALUE },
		[SCRY_PYPY_FLOAT] = { SCRY_PYPY_CLASS_FLOAT, SCRY_PYPY_FLOAT_VALUE },
		[SCRY_PYPY_STR] = { SCRY_PYPY_CLASS_UNICODE, SCRY_PYPY_UNICODE_UTF8 },
		[SCRY_PYPY_BYTES] = { SCRY_PYPY_CLASS_BYTES, SCRY_PYPY_BYTES_VALUE },
	};
	const uint32_t tag = 0xfffffffe; /* longlong2float.py: an int in place of a NaN */

	if (item.kind == SCRY_PYPY_OBJECT)
		return item.bits;
	if (item.kind == SCRY_PYPY_INT_OR_FLOAT) {
		item.kind = item.bits >> 32 == tag ? SCRY_PYPY_INTEGER : SCRY_PYPY_FLOAT;
		if (item.kind == SCRY_PYPY_INTEGER)
			item.bits = (uint64_t)(int64_t)(int32_t)item.bits;
	}
	uint64_t key = item.bits * 8 + item.kind;
	if (!scry_pypy_room(p))
		return 0;
	scry_addr made = (scry_addr)(uintptr_t)scry_hash_find(&p->jit->boxes, key);
	if (made)
		return made;
	made = box(p, rows[item.kind].of, rows[item.kind].value, item.bits);
	if (made && item.bits >> 61 == 0)
		scry_hash_put(&p->jit->boxes, key, (void *)(uintptr_t)made);
	return made;
}
