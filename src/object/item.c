/* Items of sequences by index. */
#include "object/item.h"
#include "object/known.h"

/*
 * As deque_item() of Modules/_collectionsmodule.c, but always from the left end. The caller has
 * checked `index` against the length, so the blocks are there.
 */
static int deque_item(struct scry_runtime *r, scry_addr deque, int64_t index, scry_addr *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t at = 0, per_block = r->layout->slot[SCRY_F_DEQUE_BLOCK_DATA].size / ptr;
	scry_addr block;
	int rc = scry_field_read(r, deque, SCRY_F_DEQUE_LEFT, &block);

	rc = rc < 0 ? rc : scry_field_read(r, deque, SCRY_F_DEQUE_LEFTINDEX, &at);
	for (at += (uint64_t)index; rc == SCRY_OK && per_block && at >= per_block; at -= per_block)
		rc = scry_field_read(r, block, SCRY_F_DEQUE_BLOCK_RIGHT, &block);
	if (rc == SCRY_OK)
		rc = scry_word(r, scry_field_addr(r, block, SCRY_F_DEQUE_BLOCK_DATA) + at * ptr,
			       ret);
	return rc;
}

/* A byte is a number in 3.x; in 2.7 it is a str of length 1, as each character is in both. */
static int text_item(struct scry_runtime *r, scry_addr str, int64_t index, struct scry_item *ret)
{
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_printer p;
	struct scry_text_view v;
	uint64_t byte;
	int rc = scry_text_open(r, str, &v);

	if (rc < 0)
		return rc;
	if (v.bytes && !scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT)) {
		rc = scry_read_uint(r->session, v.data + (uint64_t)index, 1, &byte);
		ret->number = (int64_t)byte;
		return rc;
	}
	scry_printer_init(&p, r, &out);
	rc = scry_print_text_range(&p, str, (uint64_t)index, (uint64_t)index + 1, 0);
	if (rc == SCRY_OK && !(ret->text = scry_arena_text(&r->session->arena, out.text, out.len)))
		rc = scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	ret->type = scry_type_name_of(r, str);
	scry_buf_done(&out);
	return rc;
}

static int bytearray_item(struct scry_runtime *r, scry_addr obj, int64_t index, int64_t *ret)
{
	scry_addr start;
	uint64_t byte;
	int rc = scry_field_read(r, obj, SCRY_F_BYTEARRAY_START, &start);

	if (rc == SCRY_ENOFIELD) /* 2.7 and 3.3 */
		rc = scry_field_read(r, obj, SCRY_F_BYTEARRAY_BYTES, &start);
	rc = rc < 0 ? rc : scry_read_uint(r->session, start + (uint64_t)index, 1, &byte);
	if (rc == SCRY_OK)
		*ret = (int64_t)byte;
	return rc;
}

/* Modulo 2^64: a range's ends may be far apart, its items fit where its parts do. */
static int range_item(struct scry_runtime *r, scry_addr range, int64_t index, int64_t *ret)
{
	int64_t start, step;
	int rc = scry_range_parts(r, range, &start, &step);

	if (rc == SCRY_OK)
		*ret = (int64_t)((uint64_t)start + (uint64_t)index * (uint64_t)step);
	return rc;
}

/*
 * array.array keeps C values, of which Python makes objects when they are asked for: a text and the
 * type that it would have.
 */
static int array_item(struct scry_runtime *r, scry_addr array, int64_t index, struct scry_item *ret)
{
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_printer p;

	scry_printer_init(&p, r, &out);
	int rc = scry_print_array_item(&p, array, (uint64_t)index);
	if (rc == SCRY_OK && !(ret->text = scry_arena_text(&r->session->arena, out.text, out.len)))
		rc = scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	ret->type = strchr("FD", scry_array_code(r, array))    ? "complex"
		    : strchr("efd", scry_array_code(r, array)) ? "float"
							       : "int";
	scry_buf_done(&out);
	return rc;
}

int scry_item_at(struct scry_runtime *r, scry_addr seq, int64_t index, struct scry_item *ret)
{
	struct scry_item item = { .type = "int" };
	struct scry_type *t;
	uint64_t n;
	scry_addr items;
	int rc = scry_type_for(r, seq, &t);

	if (rc < 0)
		return rc;
	if (t->flags & (TYPE_LIST | TYPE_TUPLE)) {
		rc = scry_sequence(r, seq, &n, &items);
		rc = rc < 0 ? rc
			    : scry_word(r,
					items + (uint64_t)index * r->session->target->abi.ptr_size,
					&item.addr);
	} else if (t->flags & (TYPE_UNICODE | TYPE_BYTES)) {
		rc = text_item(r, seq, index, &item);
	} else if (scry_type_is(r, t->addr, SCRY_IS_BYTEARRAY)) {
		rc = bytearray_item(r, seq, index, &item.number);
	} else if (scry_known_type(t) == SCRY_IS_RANGE || scry_known_type(t) == SCRY_IS_XRANGE) {
		rc = range_item(r, seq, index, &item.number);
	} else if (scry_type_is(r, t->addr, SCRY_IS_ARRAY)) {
		rc = array_item(r, seq, index, &item);
	} else if (scry_type_is(r, t->addr, SCRY_IS_DEQUE)) {
		rc = deque_item(r, seq, index, &item.addr);
	} else {
		rc = scry_fail(r->session, SCRY_EUNSUPPORTED, seq, "items of %s need code to run",
			       t->name);
	}
	if (rc == SCRY_OK)
		*ret = item;
	return rc;
}
