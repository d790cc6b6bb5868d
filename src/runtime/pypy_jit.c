/*
 * Frames that JIT-compiled code holds in its own form. Where it calls something that may look at them, it leaves in its
 * JITFRAME which guard would be next, and the guard's resume data say how each frame is made out of the JITFRAME's slots:
 * what PyPy does to force them (force_from_resumedata(), rpython/jit/metainterp/resume.py, resumecode.py) is done here
 * on copies, which are then laid over the target's memory at addresses that it does not use.
 */
#include "runtime/pypy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "target/overlay.h"

#define PLACE ((scry_addr)0x5c59 << 48) /* no process has memory there: not a canonical address of a program */
#define ROOM (4u << 20)
#define NUMBERING_MAX 65536
#define ITEMS_MAX 65536
#define FORWARDS_MAX 100
#define STATIC_MAX 16
#define FRAME_MAX 4096 /* bytes of a frame's fields */
#define DEPTH_MAX 64
#define TEXT_MAX (1u << 20)

/* resume.py: what the two lowest bits of a number say, and two constants that are none */
enum { TAG_CONST, TAG_INT, TAG_BOX, TAG_VIRTUAL };
enum { CONST_NULL = -1, CONST_UNINITIALIZED = -2 };

struct scry_pypy_jit {
	uint8_t *bytes;              /* what stands at PLACE */
	size_t used;
	struct scry_overlay made;    /* `bytes` */
	struct patch {
		struct patch *next;
		struct scry_overlay over; /* a heap frame, or its array, as the JIT has it */
	} *patches;
	struct scry_hash frames;     /* by JitVirtualRef: the address of the frame that was made */
	struct scry_hash done;       /* JITFRAMEs */
	uint32_t order[STATIC_MAX];  /* fields of a frame that the JIT keeps, in its order: where they lie */
	int order_count;
};

/* One JITFRAME's resume data. */
struct resume {
	struct scry_pypy *pypy;
	struct scry_session *s;
	scry_addr slots;             /* of the JITFRAME */
	uint8_t *code;               /* the numbering */
	uint64_t size, at;
	scry_addr locs, consts, virtuals;
	uint64_t loc_count, const_count, virtual_count, box_count;
	scry_addr *made;             /* by number of the virtual, 0 not yet */
	unsigned depth;
};

/* --- layouts of the JIT's own classes, which it cannot see: pointers by the collector's table --- */

/* Place of the n-th pointer of a type; 0: it has no such. */
static scry_addr pointer_at(struct scry_pypy *p, const struct scry_pypy_type *t, uint64_t n)
{
	struct scry_session *s = p->runtime->session;
	scry_addr pointers;
	uint64_t count, place;

	if (scry_read_ptr(s, p->group + t->tid + 24, &pointers) < 0 || scry_read_uint(s, pointers, 8, &count) < 0 ||
	    n >= count || scry_read_uint(s, pointers + 8 * (n + 1), 8, &place) < 0 || place > 4096)
		return 0;
	return place;
}

static uint64_t pointer_count(struct scry_pypy *p, const struct scry_pypy_type *t)
{
	scry_addr pointers;
	uint64_t count = 0;

	if (scry_read_ptr(p->runtime->session, p->group + t->tid + 24, &pointers) == SCRY_OK)
		scry_read_uint(p->runtime->session, pointers, 8, &count);
	return count;
}

/* The n-th pointer of an object. */
static scry_addr pointer_of(struct scry_pypy *p, scry_addr object, uint64_t n)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);
	scry_addr place = t ? pointer_at(p, t, n) : 0, value = 0;

	if (place)
		scry_read_ptr(p->runtime->session, object + place, &value);
	return value;
}

/* An array, or a list { length, items }; NULL has no items. */
static bool array_of(struct scry_pypy *p, scry_addr array, uint64_t *ret_count, scry_addr *ret_items)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &array);
	uint64_t room;

	*ret_count = 0;
	*ret_items = 0;
	if (!array)
		return true;
	if (!t || strcmp(t->name, "list"))
		return t && scry_pypy_array(p, array, ret_count, ret_items) == SCRY_OK && *ret_count <= ITEMS_MAX;
	return scry_read_uint(p->runtime->session, array + 8, 8, ret_count) == SCRY_OK &&
	       scry_pypy_array(p, pointer_of(p, array, 0), &room, ret_items) == SCRY_OK && *ret_count <= room &&
	       *ret_count <= ITEMS_MAX;
}

/* --- objects that are made --- */

static uint8_t *make(struct scry_pypy_jit *jit, uint64_t size, scry_addr *ret)
{
	size = (size + 7) & ~(uint64_t)7;
	if (size > ROOM - jit->used)
		return NULL;
	uint8_t *bytes = jit->bytes + jit->used;
	*ret = PLACE + jit->used;
	jit->used += size;
	return bytes;
}

static void store(uint8_t *to, uint64_t value, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static scry_addr make_virtual(struct resume *r, uint64_t number);

static uint64_t const_value(struct resume *r, int64_t number)
{
	uint64_t word = 0;
	scry_addr object;

	/* ConstInt, ConstFloat, ConstPtr: the value follows the header */
	if (number < 0 || (uint64_t)number >= r->const_count || /* CONST_NULL is 0, too */
	    scry_read_ptr(r->s, r->consts + 8 * (scry_addr)number, &object) < 0 || !scry_pypy_type_of(r->pypy, &object))
		return 0;
	scry_read_uint(r->s, object + 8, 8, &word);
	return word;
}

static uint64_t box_value(struct resume *r, int64_t number)
{
	uint64_t word = 0, loc;

	number += number < 0 ? (int64_t)r->box_count : 0;
	if (number >= 0 && (uint64_t)number < r->loc_count &&
	    scry_read_uint(r->s, r->locs + 2 * (scry_addr)number, 2, &loc) == SCRY_OK)
		scry_read_uint(r->s, r->slots + 8 * loc, 8, &word);
	return word;
}

static uint64_t decode(struct resume *r, int64_t tagged)
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
		return make_virtual(r, (uint64_t)(number + (number < 0 ? (int64_t)r->virtual_count : 0)));
	}
}

/* fieldnums: 16-bit numbers. */
static int64_t field_number(struct resume *r, scry_addr items, uint64_t i)
{
	uint64_t word = 0;

	scry_read_uint(r->s, items + 2 * i, 2, &word);
	return (int16_t)word;
}

/* VirtualInfo, VStructInfo: { fieldnums, fielddescrs, descr }, a SizeDescr with size and tid behind its two lists. */
static scry_addr make_struct(struct resume *r, scry_addr info, uint64_t index)
{
	struct scry_pypy *p = r->pypy;
	scry_addr numbers, descrs, descr = pointer_of(p, info, 2), made, field, name;
	uint64_t count, descr_count, size = 0, tid = 0, offset, width;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr), *f = scry_pypy_type_named(p, SCRY_PYPY_FIELD_DESCR);
	scry_addr first = t ? pointer_at(p, t, 0) : 0;

	if (!first || !f || !array_of(p, pointer_of(p, info, 0), &count, &numbers) ||
	    !array_of(p, pointer_of(p, info, 1), &descr_count, &descrs) || count != descr_count ||
	    scry_read_uint(r->s, descr + first + 16, 8, &size) < 0 || scry_read_uint(r->s, descr + first + 24, 8, &tid) < 0 ||
	    size < 8 || size > 65536 || !scry_hash_find(&p->by_tid, (uint32_t)tid))
		return 0;
	uint8_t *bytes = make(p->jit, size, &made);
	if (!bytes)
		return 0;
	r->made[index] = made;
	store(bytes, tid, 8);
	name = pointer_at(p, f, 0);
	for (uint64_t i = 0; i < count; i++) {
		int64_t number = field_number(r, numbers, i);

		if (number == CONST_UNINITIALIZED * 4 || scry_read_ptr(r->s, descrs + 8 * i, &field) < 0 ||
		    scry_read_uint(r->s, field + name + 8, 8, &offset) < 0 || scry_read_uint(r->s, field + name - 16, 8, &width) < 0 ||
		    width > 8 || offset > size - width)
			continue;
		store(bytes + offset, decode(r, number), width);
	}
	return made;
}

/* VArrayInfo: { fieldnums, arraydescr }. An ArrayDescr's last pointer stands between base and item size and its tid. */
static scry_addr make_array(struct resume *r, scry_addr info, uint64_t index)
{
	struct scry_pypy *p = r->pypy;
	scry_addr numbers, descr = pointer_of(p, info, 1), made;
	uint64_t count, base = 0, width = 0, tid = 0;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr);
	scry_addr last = t ? pointer_at(p, t, pointer_count(p, t) - 1) : 0;

	if (last < 24 || !array_of(p, pointer_of(p, info, 0), &count, &numbers) ||
	    scry_read_uint(r->s, descr + last - 16, 8, &base) < 0 || scry_read_uint(r->s, descr + last - 8, 8, &width) < 0 ||
	    scry_read_uint(r->s, descr + last + 8, 8, &tid) < 0 || base < 16 || base > 64 || !width || width > 8 ||
	    !scry_hash_find(&p->by_tid, (uint32_t)tid))
		return 0;
	uint8_t *bytes = make(p->jit, base + count * width, &made);
	if (!bytes)
		return 0;
	r->made[index] = made;
	store(bytes, tid, 8);
	store(bytes + 8, count, 8);
	for (uint64_t i = 0; i < count; i++) {
		int64_t number = field_number(r, numbers, i);

		if (number != CONST_UNINITIALIZED * 4)
			store(bytes + base + i * width, decode(r, number), width);
	}
	return made;
}

/* An rpy_string { header, hash, length, characters }. */
static uint8_t *start_string(struct resume *r, uint64_t index, uint64_t length, scry_addr *ret)
{
	uint8_t *bytes = length < TEXT_MAX ? make(r->pypy->jit, 24 + length, ret) : NULL;

	if (bytes) {
		store(bytes, r->pypy->string, 8);
		store(bytes + 16, length, 8);
		r->made[index] = *ret;
	}
	return bytes ? bytes + 24 : NULL;
}

/* The text of one number, a string that exists or is made now. */
static bool text_of(struct resume *r, int64_t number, const char **ret, size_t *ret_len)
{
	return scry_pypy_string(r->pypy, decode(r, number), TEXT_MAX, ret, ret_len) == SCRY_OK;
}

/* VStrPlainInfo: a number for each character; VStrConcatInfo: two strings; VStrSliceInfo: a string, start and length. */
static scry_addr make_string(struct resume *r, scry_addr info, uint64_t index, enum scry_pypy_class kind)
{
	const char *left = "", *right = "";
	size_t left_len = 0, right_len = 0;
	scry_addr numbers, made;
	uint64_t count;
	uint8_t *to;

	if (!array_of(r->pypy, pointer_of(r->pypy, info, 0), &count, &numbers))
		return 0;
	if (kind == SCRY_PYPY_CLASS_VIRTUAL_TEXT) {
		if (!(to = start_string(r, index, count, &made)))
			return 0;
		for (uint64_t i = 0; i < count; i++)
			to[i] = (uint8_t)decode(r, field_number(r, numbers, i));
		return made;
	}
	if (!text_of(r, field_number(r, numbers, 0), &left, &left_len))
		return 0;
	if (kind == SCRY_PYPY_CLASS_VIRTUAL_SLICE) {
		uint64_t start = decode(r, field_number(r, numbers, 1)), length = decode(r, field_number(r, numbers, 2));

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

/* An object that was never allocated; 0 for kinds that are not made (raw memory, arrays of structs): damage, when shown. */
static scry_addr make_virtual(struct resume *r, uint64_t index)
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
	if (scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL) || scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL_STRUCT))
		made = make_struct(r, info, index);
	else if (scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL_ARRAY) || scry_pypy_is(p, t, SCRY_PYPY_CLASS_VIRTUAL_ARRAY_RAW))
		made = make_array(r, info, index);
	for (int c = SCRY_PYPY_CLASS_VIRTUAL_TEXT; !made && c <= SCRY_PYPY_CLASS_VIRTUAL_SLICE; c++)
		if (scry_pypy_is(p, t, c))
			made = make_string(r, info, index, c);
	r->depth--;
	return made;
}

/* --- the numbering --- */

/* numb_next_item(), resumecode.py */
static int64_t next_item(struct resume *r)
{
	uint64_t value = r->at < r->size ? r->code[r->at++] : 0;

	if (value & 0x80) {
		value = (value & 0x7f) | (uint64_t)(r->at < r->size ? r->code[r->at++] : 0) << 7;
		if (value & 0x4000)
			value = (value & 0x3fff) | (uint64_t)(r->at < r->size ? r->code[r->at++] : 0) << 14;
	}
	return (value & 1 ? -1 - (int64_t)value : (int64_t)value) >> 1;
}

static uint64_t next_value(struct resume *r)
{
	return decode(r, next_item(r));
}

/* --- frames whose fields the JIT keeps --- */

/* The order is in a dictionary of the JIT's, { FieldDescr: index }: found by one of the descrs in it. */
struct order_search {
	struct scry_pypy_scan scan;
	uint32_t order[STATIC_MAX];
	int count;
};

/* Where a field of PyFrame lies, by its FieldDescr; 0: it is none. */
static uint32_t frame_field(struct scry_pypy *p, scry_addr descr)
{
	static const char prefix[] = "pypy.interpreter.pyframe.PyFrame.";
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr);
	scry_addr name = t && !strcmp(t->name, SCRY_PYPY_FIELD_DESCR) ? pointer_at(p, t, 0) : 0;
	struct scry_session *s = p->runtime->session;
	uint64_t offset, string;
	const char *text;
	size_t len;

	if (!name || scry_read_ptr(s, descr + name, &string) < 0 || scry_read_uint(s, descr + name + 8, 8, &offset) < 0 ||
	    scry_pypy_string(p, string, sizeof(prefix) - 1, &text, &len) < 0 || strcmp(text, prefix) || offset > FRAME_MAX)
		return 0;
	return (uint32_t)offset;
}

static bool try_order(struct scry_pypy_scan *scan, scry_addr at)
{
	struct order_search *o = (struct order_search *)scan;
	struct scry_session *s = scan->pypy->runtime->session;
	uint64_t descr, index;
	uint32_t offset;
	int count = 0;

	while (scry_read_uint(s, at - 16, 8, &descr) == SCRY_OK && frame_field(scan->pypy, descr))
		at -= 16;
	memset(o->order, 0, sizeof(o->order));
	for (; count < STATIC_MAX && scry_read_uint(s, at, 8, &descr) == SCRY_OK; at += 16, count++) {
		offset = frame_field(scan->pypy, descr);
		if (!offset || scry_read_uint(s, at + 8, 8, &index) < 0 || index >= STATIC_MAX || o->order[index])
			break;
		o->order[index] = offset;
	}
	o->count = 0;
	while (o->count < count && o->order[o->count])
		o->count++;
	return count < 3 || o->count != count; /* each index once, from 0 */
}

static void find_order(struct scry_pypy *p)
{
	struct order_search o = { .scan = { .pypy = p, .low = (uint32_t)p->code_descr, .found = try_order } };

	if (!o.scan.low)
		return;
	scry_pypy_scan(&o.scan);
	if (o.count >= 3)
		memcpy(p->jit->order, o.order, sizeof(o.order));
	p->jit->order_count = o.count >= 3 ? o.count : 0;
}

/* A copy of the target's bytes that stands in their place from now on. */
static uint8_t *patch(struct scry_pypy *p, scry_addr addr, size_t size)
{
	struct scry_session *s = p->runtime->session;
	struct patch *new = scry_arena_alloc(&s->arena, sizeof(*new) + size);
	uint8_t *bytes = (uint8_t *)(new + 1);

	if (!new || scry_read(s, addr, bytes, size) < 0)
		return NULL;
	scry_overlay_set(s->target, &new->over, addr, bytes, size);
	new->next = p->jit->patches;
	p->jit->patches = new;
	return bytes;
}

/* write_from_resume_data_partial(), rpython/jit/metainterp/virtualizable.py: static fields, then the array's items. */
static int update_frame(struct resume *r, scry_addr frame)
{
	struct scry_pypy *p = r->pypy;
	uint64_t count, size = 0;
	scry_addr items;

	for (int i = 0; i < p->jit->order_count; i++)
		size = p->jit->order[i] + 8 > size ? p->jit->order[i] + 8 : size;
	uint8_t *bytes = patch(p, frame, size);
	if (!bytes)
		return SCRY_ECORRUPT;
	for (int i = 0; i < p->jit->order_count; i++)
		store(bytes + p->jit->order[i], next_value(r), 8);
	if (!array_of(p, scry_pypy_get(p, frame, SCRY_PYPY_FRAME_LOCALS), &count, &items))
		return SCRY_ECORRUPT;
	bytes = count ? patch(p, items, count * 8) : NULL;
	for (uint64_t i = 0; bytes && i < count; i++)
		store(bytes + 8 * i, next_value(r), 8);
	return SCRY_OK;
}

static int consume(struct resume *r)
{
	struct scry_pypy *p = r->pypy;

	next_item(r); /* how many items there are */
	r->box_count = (uint64_t)next_item(r);
	int64_t length = next_item(r);
	if (length > 0) {
		scry_addr frame = next_value(r);
		const struct scry_pypy_type *t = scry_pypy_type_of(p, &frame);

		if (!scry_pypy_is(p, t, SCRY_PYPY_CLASS_FRAME) || update_frame(r, frame) < 0)
			return scry_fail(r->s, SCRY_ECORRUPT, frame, "the JIT's resume data name no frame");
	}
	length = next_item(r);
	for (int64_t i = 0; i < length && r->at < r->size; i++) { /* pairs */
		scry_addr frame = next_value(r), vref = next_value(r);

		if (frame && vref && scry_pypy_is(p, scry_pypy_type_of(p, &frame), SCRY_PYPY_CLASS_FRAME))
			scry_hash_put(&p->jit->frames, vref, (void *)(uintptr_t)frame);
	}
	return SCRY_OK;
}

static int read_resume(struct resume *r, scry_addr jitframe)
{
	struct scry_pypy *p = r->pypy;
	scry_addr descr = scry_pypy_get(p, jitframe, SCRY_PYPY_JITFRAME_FORCE_DESCR), code;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr);
	uint64_t count = t ? pointer_count(p, t) : 0;

	if (!scry_pypy_is(p, t, SCRY_PYPY_CLASS_RESUME))
		return scry_fail(r->s, SCRY_ECORRUPT, jitframe, "the JIT has left no resume data");
	/* locations are the first pointer of all; constants, numbering, pending fields, virtuals this class's four */
	t = scry_pypy_type_named(p, "rpython.jit.metainterp.compile.ResumeGuardDescr");
	count = t ? pointer_count(p, t) : 0;
	if (count < 5 || !array_of(p, pointer_of(p, descr, 0), &r->loc_count, &r->locs) ||
	    !array_of(p, pointer_of(p, descr, count - 4), &r->const_count, &r->consts) ||
	    !array_of(p, pointer_of(p, descr, count - 1), &r->virtual_count, &r->virtuals))
		return scry_fail(r->s, SCRY_ECORRUPT, descr, "the JIT's resume data at 0x%" PRIx64 " are damaged", descr);
	code = pointer_of(p, descr, count - 3);
	/* Numbering { header, length, bytes } */
	if (scry_read_uint(r->s, code + 8, 8, &r->size) < 0 || r->size > NUMBERING_MAX)
		return scry_fail(r->s, SCRY_ECORRUPT, code, "the JIT's numbering at 0x%" PRIx64 " is damaged", code);
	r->slots = jitframe + p->field[SCRY_PYPY_JITFRAME_FRAME].offset + 8;
	r->code = scry_arena_alloc(&r->s->arena, r->size + 1);
	r->made = scry_arena_alloc(&r->s->arena, (r->virtual_count + 1) * sizeof(*r->made));
	if (!r->code || !r->made)
		return scry_fail(r->s, SCRY_ENOMEM, 0, "out of memory");
	return scry_read(r->s, code + 16, r->code, r->size);
}

static bool start(struct scry_pypy *p)
{
	struct scry_session *s = p->runtime->session;

	if (p->jit)
		return p->jit->bytes;
	p->jit = scry_arena_alloc(&s->arena, sizeof(*p->jit));
	if (!p->jit || !(p->jit->bytes = calloc(1, ROOM)))
		return false;
	scry_overlay_set(s->target, &p->jit->made, PLACE, p->jit->bytes, ROOM);
	find_order(p);
	return true;
}

int scry_pypy_jit_update(struct scry_pypy *p, scry_addr token)
{
	struct scry_session *s = p->runtime->session;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &token);
	scry_addr next;

	if (!t || t->tid != p->jitframe || !p->field[SCRY_PYPY_JITFRAME_FORCE_DESCR].size)
		return scry_fail(s, SCRY_ECORRUPT, token, "no frame of the JIT at 0x%" PRIx64, token);
	for (int i = 0; i < FORWARDS_MAX && (next = scry_pypy_get(p, token, SCRY_PYPY_JITFRAME_FORWARD)); i++)
		token = next; /* it had to grow */
	if (!start(p))
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	if (scry_hash_add(&p->jit->done, token) <= 0)
		return SCRY_OK;
	struct resume r = { .pypy = p, .s = s };
	int rc = read_resume(&r, token);
	return rc < 0 ? rc : consume(&r);
}

scry_addr scry_pypy_jit_frame(struct scry_pypy *p, scry_addr vref)
{
	scry_addr token = scry_pypy_get(p, vref, SCRY_PYPY_VREF_TOKEN);

	if (scry_pypy_jit_update(p, token) < 0)
		return 0;
	scry_addr frame = (uintptr_t)scry_hash_find(&p->jit->frames, vref);
	if (!frame)
		scry_fail(p->runtime->session, SCRY_ENOTFOUND, vref, "the JIT's resume data do not have this frame");
	return frame;
}

void scry_pypy_jit_done(struct scry_pypy *p)
{
	struct scry_target *t = p->runtime->session->target;

	if (!p->jit)
		return;
	for (struct patch *patch = p->jit->patches; patch; patch = patch->next)
		scry_overlay_remove(t, &patch->over);
	if (p->jit->bytes)
		scry_overlay_remove(t, &p->jit->made);
	free(p->jit->bytes);
	scry_hash_done(&p->jit->frames);
	scry_hash_done(&p->jit->done);
}
