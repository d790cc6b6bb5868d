/*
 * Frames that JIT-compiled code holds in its own form. Where it calls something that may look at
 * them, it leaves in its JITFRAME which guard would be next, and the guard's resume data say how
 * each frame is made out of the JITFRAME's slots: what PyPy does to force them
 * (force_from_resumedata(), rpython/jit/metainterp/resume.py, resumecode.py) is done here on
 * copies, which are then laid over the target's memory at addresses that it does not use.
 */
#include "runtime/pypy/pypy_resume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERING_MAX 65536
#define FORWARDS_MAX  100
#define FRAME_MAX     4096 /* bytes of a frame's fields */

/* --- the numbering --- */

/* numb_next_item(), resumecode.py */
static int64_t next_item(struct scry_pypy_resume *r)
{
	uint64_t value = r->at < r->size ? r->code[r->at++] : 0;

	if (value & 0x80) {
		value = (value & 0x7f) | (uint64_t)(r->at < r->size ? r->code[r->at++] : 0) << 7;
		if (value & 0x4000)
			value = (value & 0x3fff) |
				(uint64_t)(r->at < r->size ? r->code[r->at++] : 0) << 14;
	}
	return (value & 1 ? -1 - (int64_t)value : (int64_t)value) >> 1;
}

static uint64_t next_value(struct scry_pypy_resume *r)
{
	return scry_pypy_decode(r, next_item(r));
}

/* --- frames whose fields the JIT keeps --- */

/*
 * The order is in a dictionary of the JIT's, { FieldDescr: index }: found by one of the descrs in
 * it.
 */
struct order_search {
	struct scry_pypy_scan scan;
	uint32_t order[SCRY_PYPY_STATIC_MAX];
	int count;
};

/* Where a field of PyFrame lies, by its FieldDescr; 0: it is not one. */
static uint32_t frame_field(struct scry_pypy *p, scry_addr descr)
{
	static const char prefix[] = "pypy.interpreter.pyframe.PyFrame.";
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr);
	scry_addr name =
		t && !strcmp(t->name, SCRY_PYPY_FIELD_DESCR) ? scry_pypy_pointer_at(p, t, 0) : 0;
	struct scry_session *s = p->runtime->session;
	uint64_t offset, string;
	const char *text;
	size_t len;

	if (!name || scry_read_ptr(s, descr + name, &string) < 0 ||
	    scry_read_uint(s, descr + name + 8, 8, &offset) < 0 ||
	    scry_pypy_string(p, string, sizeof(prefix) - 1, &text, &len) < 0 ||
	    strcmp(text, prefix) || offset > FRAME_MAX)
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
	for (; count < SCRY_PYPY_STATIC_MAX && scry_read_uint(s, at, 8, &descr) == SCRY_OK;
	     at += 16, count++) {
		offset = frame_field(scan->pypy, descr);
		if (!offset || scry_read_uint(s, at + 8, 8, &index) < 0 ||
		    index >= SCRY_PYPY_STATIC_MAX || o->order[index])
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
	struct order_search o = {
		.scan = { .pypy = p, .low = (uint32_t)p->code_descr, .found = try_order }
	};

	if (!o.scan.low)
		return;
	scry_pypy_scan(&o.scan);
	if (o.count >= 3)
		memcpy(p->jit->order, o.order, sizeof(o.order));
	p->jit->order_count = o.count >= 3 ? o.count : 0;
}

/* A copy of the target's bytes that replaces them from now on. */
static uint8_t *patch(struct scry_pypy *p, scry_addr addr, size_t size)
{
	struct scry_session *s = p->runtime->session;
	struct patch *new = scry_arena_alloc(&s->arena, sizeof(*new) + size);

	if (!new)
		return NULL;
	uint8_t *bytes = (uint8_t *)(new + 1);
	if (scry_read(s, addr, bytes, size) < 0)
		return NULL;
	scry_overlay_set(s->target, &new->over, addr, bytes, size);
	new->next = p->jit->patches;
	p->jit->patches = new;
	return bytes;
}

/*
 * write_from_resume_data_partial(), rpython/jit/metainterp/virtualizable.py: static fields, then
 * the array's items.
 */
static int update_frame(struct scry_pypy_resume *r, scry_addr frame)
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
		scry_pypy_store(bytes + p->jit->order[i], next_value(r), 8);
	if (!scry_pypy_array_of(p, scry_pypy_get(p, frame, SCRY_PYPY_FRAME_LOCALS), &count, &items))
		return SCRY_ECORRUPT;
	bytes = count ? patch(p, items, count * 8) : NULL;
	for (uint64_t i = 0; bytes && i < count; i++)
		scry_pypy_store(bytes + 8 * i, next_value(r), 8);
	return SCRY_OK;
}

static int consume(struct scry_pypy_resume *r)
{
	struct scry_pypy *p = r->pypy;

	next_item(r); /* how many items there are */
	r->box_count = (uint64_t)next_item(r);
	int64_t length = next_item(r);
	if (length > 0) {
		scry_addr frame = next_value(r);
		const struct scry_pypy_type *t = scry_pypy_type_of(p, &frame);

		if (!scry_pypy_is(p, t, SCRY_PYPY_CLASS_FRAME) || update_frame(r, frame) < 0)
			return scry_fail(r->s, SCRY_ECORRUPT, frame,
					 "the JIT's resume data name no frame");
	}
	length = next_item(r);
	for (int64_t i = 0; i < length && r->at < r->size; i++) { /* pairs */
		scry_addr frame = next_value(r), vref = next_value(r);

		if (frame && vref &&
		    scry_pypy_is(p, scry_pypy_type_of(p, &frame), SCRY_PYPY_CLASS_FRAME))
			scry_hash_put(&p->jit->frames, vref, (void *)(uintptr_t)frame);
	}
	return SCRY_OK;
}

static int read_resume(struct scry_pypy_resume *r, scry_addr jitframe)
{
	struct scry_pypy *p = r->pypy;
	scry_addr descr = scry_pypy_get(p, jitframe, SCRY_PYPY_JITFRAME_FORCE_DESCR), code;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &descr);
	uint64_t count = t ? scry_pypy_pointer_count(p, t) : 0;

	if (!scry_pypy_is(p, t, SCRY_PYPY_CLASS_RESUME))
		return scry_fail(r->s, SCRY_ECORRUPT, jitframe, "the JIT has left no resume data");
	/*
	 * locations are the first pointer of all; constants, numbering, pending fields, virtuals
	 * this class's four
	 */
	t = scry_pypy_type_named(p, "rpython.jit.metainterp.compile.ResumeGuardDescr");
	count = t ? scry_pypy_pointer_count(p, t) : 0;
	if (count < 5 ||
	    !scry_pypy_array_of(p, scry_pypy_pointer_of(p, descr, 0), &r->loc_count, &r->locs) ||
	    !scry_pypy_array_of(p, scry_pypy_pointer_of(p, descr, count - 4), &r->const_count,
				&r->consts) ||
	    !scry_pypy_array_of(p, scry_pypy_pointer_of(p, descr, count - 1), &r->virtual_count,
				&r->virtuals))
		return scry_fail(r->s, SCRY_ECORRUPT, descr,
				 "the JIT's resume data at 0x%" PRIx64 " are damaged", descr);
	code = scry_pypy_pointer_of(p, descr, count - 3);
	/* Numbering { header, length, bytes } */
	if (scry_read_uint(r->s, code + 8, 8, &r->size) < 0 || r->size > NUMBERING_MAX)
		return scry_fail(r->s, SCRY_ECORRUPT, code,
				 "the JIT's numbering at 0x%" PRIx64 " is damaged", code);
	r->slots = jitframe + p->field[SCRY_PYPY_JITFRAME_FRAME].offset + 8;
	r->code = scry_arena_alloc(&r->s->arena, r->size + 1);
	r->made = scry_arena_alloc(&r->s->arena, (r->virtual_count + 1) * sizeof(*r->made));
	if (!r->code || !r->made)
		return scry_fail(r->s, SCRY_ENOMEM, 0, "out of memory");
	return scry_read(r->s, code + 16, r->code, r->size);
}

bool scry_pypy_room(struct scry_pypy *p)
{
	struct scry_session *s = p->runtime->session;

	if (p->jit)
		return p->jit->bytes;
	p->jit = scry_arena_alloc(&s->arena, sizeof(*p->jit));
	if (!p->jit || !(p->jit->bytes = calloc(1, SCRY_PYPY_ROOM)))
		return false;
	scry_overlay_set(s->target, &p->jit->made, SCRY_PYPY_PLACE, p->jit->bytes, SCRY_PYPY_ROOM);
	return true;
}

static bool start(struct scry_pypy *p)
{
	if (!scry_pypy_room(p))
		return false;
	if (!p->jit->ordered)
		find_order(p);
	p->jit->ordered = true;
	return true;
}

int scry_pypy_jit_update(struct scry_pypy *p, scry_addr token)
{
	struct scry_session *s = p->runtime->session;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &token);
	scry_addr next;

	if (!t || t->tid != p->jitframe || !p->field[SCRY_PYPY_JITFRAME_FORCE_DESCR].size)
		return scry_fail(s, SCRY_ECORRUPT, token, "no frame of the JIT at 0x%" PRIx64,
				 token);
	for (int i = 0;
	     i < FORWARDS_MAX && (next = scry_pypy_get(p, token, SCRY_PYPY_JITFRAME_FORWARD)); i++)
		token = next; /* it had to grow */
	if (!start(p))
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	if (scry_hash_add(&p->jit->done, token) <= 0)
		return SCRY_OK;
	struct scry_pypy_resume r = { .pypy = p, .s = s };
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
		scry_fail(p->runtime->session, SCRY_ENOTFOUND, vref,
			  "the JIT's resume data do not have this frame");
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
	scry_hash_done(&p->jit->boxes);
	scry_hash_done(&p->jit->done);
}
