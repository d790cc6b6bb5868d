/* list, tuple and their relatives. */
#include "object/known.h"
#include "object/contradict.h"
#include "object/item.h"
#include "object/judge.h"
#include "object/printer.h"

void scry_print_items(struct scry_printer *p, scry_addr items, uint64_t n)
{
	unsigned ptr = p->runtime->session->target->abi.ptr_size;

	for (uint64_t i = 0; scry_printer_more(p, i, n); i++)
		scry_print_at(p, items + i * ptr);
}

/* Items that are to be shown: all of them are in the block that the first one is in. */
static int open_items(struct scry_runtime *r, scry_addr addr, uint64_t *ret_count,
		      scry_addr *ret_items)
{
	int rc = scry_sequence(r, addr, ret_count, ret_items);

	/* there is one empty tuple: since 3.11 it is part of the interpreter's own data */
	if (rc == SCRY_OK && !*ret_count && scry_trait(r, SCRY_TRAIT_EMPTY_TUPLE_IS_STATIC) &&
	    scry_is_exactly(r, addr, SCRY_IS_TUPLE) && !scry_is_static(r, addr))
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "tuple at 0x%" PRIx64 " says 0, and is not the empty one", addr);
	if (rc == SCRY_OK &&
	    !scry_fits(r, *ret_items, *ret_count * r->session->target->abi.ptr_size, "items"))
		return SCRY_ECORRUPT;
	return rc;
}

/* A list's items are a block of their own; a free-threaded build has their number before them. */
static int open_list(struct scry_runtime *r, scry_addr addr, uint64_t *ret_count,
		     scry_addr *ret_items)
{
	int rc = open_items(r, addr, ret_count, ret_items);
	unsigned before = scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED)
				  ? r->session->target->abi.ptr_size
				  : 0;

	if (rc < 0 || !*ret_count)
		return rc;
	return scry_check_items(r, addr, *ret_items - before,
				scry_field_get(r, addr, SCRY_F_LIST_ALLOCATED) *
						r->session->target->abi.ptr_size +
					before);
}

int scry_items_open(struct scry_runtime *r, scry_addr seq, const struct scry_type *t,
		    uint64_t *ret_count, scry_addr *ret_items)
{
	return t->flags & TYPE_LIST ? open_list(r, seq, ret_count, ret_items)
				    : open_items(r, seq, ret_count, ret_items);
}

/* list_repr(), Objects/listobject.c. A list that contains itself is written "[...]" there. */
static int print_list(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t n;
	scry_addr items;
	int rc = open_list(p->runtime, addr, &n, &items);

	(void)type;
	if (rc < 0 || !scry_printer_enter(p, addr, "[...]"))
		return rc;
	scry_buf_putc(p->out, '[');
	scry_print_items(p, items, n);
	scry_buf_putc(p->out, ']');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* tuple_repr() of Objects/tupleobject.c: a comma after a single item. */
static int print_tuple(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t n;
	scry_addr items;
	int rc = open_items(p->runtime, addr, &n, &items);

	(void)type;
	if (rc < 0 || !scry_printer_enter(p, addr, "(...)"))
		return rc;
	scry_buf_putc(p->out, '(');
	scry_print_items(p, items, n);
	scry_buf_puts(p->out, n == 1 ? ",)" : ")");
	scry_printer_leave(p);
	return SCRY_OK;
}

/* "Name(a=1, b=2)": of a namedtuple, by its class's _fields */
static int print_namedtuple_as(struct scry_printer *p, scry_addr addr, scry_addr type,
			       const char *title)
{
	struct scry_runtime *r = p->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t n, names;
	scry_addr items, fields, name_items, name;
	struct scry_type *t;
	int rc = scry_sequence(r, addr, &n, &items);

	/* of the class whose repr it is: one that derives from it may call other things so */
	rc = rc < 0 ? rc : scry_type_at(r, type, &t);
	rc = rc < 0 ? rc
		    : scry_type_lookup(r, t->repr_owner ? t->repr_owner : type, "_fields", &fields,
				       NULL);
	rc = rc < 0 ? rc : scry_sequence(r, fields, &names, &name_items);
	if (rc < 0 || !scry_printer_enter(p, 0, "(...)"))
		return rc;
	scry_printf(p, "%s(", title);
	for (uint64_t i = 0; i < n && scry_printer_more(p, i, names); i++) {
		if (scry_word(r, name_items + i * ptr, &name) < 0)
			break;
		scry_print_str(p, name);
		scry_buf_putc(p->out, '=');
		scry_print_at(p, items + i * ptr);
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_namedtuple(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_namedtuple_as(p, addr, type, scry_type_short(p->runtime, type));
}

/* 2.7: the name is part of the generated code, a subclass does not change it */
static int print_namedtuple2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr repr, owner;
	int rc = scry_type_lookup(p->runtime, type, "__repr__", &repr, &owner);

	return rc < 0 ? rc : print_namedtuple_as(p, addr, type, scry_type_short(p->runtime, owner));
}

/* Objects/structseq.c: names are in the type's members, as many as the tuple is long */
static int print_structseq(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	uint32_t step = r->layout->size[SCRY_S_MEMBER_DEF];
	uint64_t n;
	scry_addr items, members, at;
	const char *name;
	struct scry_type *t;
	/* 2.7: laid out as a tuple, but none */
	int rc = scry_field_read(r, addr, SCRY_F_VAR_SIZE, &n);

	rc = rc < 0 ? rc : scry_field_read(r, type, SCRY_F_TYPE_MEMBERS, &members);
	rc = rc < 0 ? rc : scry_type_at(r, type, &t);
	items = scry_field_addr(r, addr, SCRY_F_TUPLE_ITEMS);
	if (rc == SCRY_OK && n > 1000)
		rc = scry_fail(r->session, SCRY_ECORRUPT, addr, "%s says it has %" PRId64 " items",
			       t->name, scry_signed_size(r, n));
	if (rc < 0 || !scry_printer_enter(p, addr, "(...)"))
		return rc;
	scry_printf(p, "%s(", t->name);
	for (uint64_t i = 0; scry_printer_more(p, i, n); i++) {
		if (scry_field_read(r, members + i * step, SCRY_F_MEMBER_DEF_NAME, &at) < 0 ||
		    scry_read_cstr(r->session, at, 200, &name) < 0) {
			scry_printer_damage(p, members);
			break;
		}
		scry_printf(p, "%s=", name);
		scry_print_at(p, items + i * ptr);
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/*
 * Sets say how many items they have, and keep them in a table of which most entries are empty: the
 * two numbers are independent, so that either being changed shows.
 */
static void print_set_items(struct scry_printer *p, scry_addr addr, uint64_t used)
{
	uint64_t it = 0, i = 0;
	scry_addr key;
	int rc;

	while ((rc = scry_set_next(p->runtime, addr, &it, &key)) == SCRY_ITEM) {
		if (!scry_printer_more(p, i, used > i ? used : i + 1))
			return;
		scry_print(p, key);
		if (!scry_set_fits(p->runtime, addr, it, key))
			scry_printer_doubt(p, "it is not where its hash leads");
		i++;
	}
	if (rc < 0)
		scry_printer_damage(p, addr);
	else
		scry_printer_count(p, used, i);
}

/* "set()", "{1, 2}", "frozenset({1, 2})", "Sub({1, 2})"; 2.7: "set([1, 2])" */
static int print_set_in(struct scry_printer *p, scry_addr addr, scry_addr type, const char *open,
			const char *close, bool bare)
{
	uint64_t used;
	struct scry_type *t;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_SET_USED, &used);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	if (rc < 0)
		return rc;
	const char *name = t->name;
	char *again = scry_arena_printf(&p->runtime->session->arena, "%s(...)", name);
	if (!scry_printer_enter(p, addr, again ? again : "..."))
		return SCRY_OK;
	/*
	 * set_repr(), Objects/setobject.c: only a set proper is written in braces alone, since "{}"
	 * would be a dict
	 */
	bool named = !bare || scry_known_type(t) != SCRY_IS_SET || used == 0;
	scry_printf(p, "%s%s", named ? name : "", named ? "(" : "");
	if (used || !bare) {
		scry_buf_puts(p->out, open);
		print_set_items(p, addr, used);
		scry_buf_puts(p->out, close);
	} else {
		print_set_items(p, addr, used); /* there should be none */
	}
	scry_buf_puts(p->out, named ? ")" : "");
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_set(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_set_in(p, addr, type, "{", "}", true);
}

static int print_set2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_set_in(p, addr, type, "[", "]", false);
}

/* Objects in fields of the struct, written as the arguments of a call. */
static int print_fields(struct scry_printer *p, scry_addr addr, const char *name,
			const enum scry_field *f, unsigned n)
{
	scry_printf(p, "%s(", name);
	for (unsigned i = 0; i < n; i++) {
		scry_addr value;

		if (i)
			scry_buf_puts(p->out, ", ");
		if (scry_field_read(p->runtime, addr, f[i], &value) < 0)
			scry_printer_damage(p, addr);
		else
			scry_print(p, value);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* range_repr(), Objects/rangeobject.c: the step is left out where it is 1. */
static int print_range(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const enum scry_field f[] = { SCRY_F_RANGE_START, SCRY_F_RANGE_STOP,
					     SCRY_F_RANGE_STEP };
	scry_addr step;
	int64_t value;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_RANGE_STEP, &step);

	(void)type;
	if (rc < 0)
		return rc;
	bool one = scry_int_value(p->runtime, step, &value) == SCRY_OK && value == 1;
	return print_fields(p, addr, "range", f, one ? 2 : 3);
}

/* 3.x keeps three ints of any size, 2.7's xrange three C longs. */
int scry_range_parts(struct scry_runtime *r, scry_addr range, int64_t *ret_start, int64_t *ret_step)
{
	scry_addr start, step;
	int rc;

	if (scry_is_exactly(r, range, SCRY_IS_XRANGE)) {
		rc = scry_field_read_int(r, range, SCRY_F_RANGE_START, ret_start);
		return rc < 0 ? rc : scry_field_read_int(r, range, SCRY_F_RANGE_STEP, ret_step);
	}
	rc = scry_field_read(r, range, SCRY_F_RANGE_START, &start);
	rc = rc < 0 ? rc : scry_field_read(r, range, SCRY_F_RANGE_STEP, &step);
	rc = rc < 0 ? rc : scry_int_value(r, start, ret_start);
	return rc < 0 ? rc : scry_int_value(r, step, ret_step);
}

/* 2.7: three C longs; "xrange(stop)" is written for what starts at 0 with step 1 */
static int print_xrange(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t start, step, len;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_RANGE_START, &start);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read_int(p->runtime, addr, SCRY_F_RANGE_STEP, &step);
	rc = rc < 0 ? rc : scry_field_read_int(p->runtime, addr, SCRY_F_RANGE_LEN, &len);
	if (rc < 0)
		return rc;
	int64_t stop = (int64_t)((uint64_t)start + (uint64_t)len * (uint64_t)step);
	if (start == 0 && step == 1)
		scry_printf(p, "xrange(%" PRId64 ")", stop);
	else if (step == 1)
		scry_printf(p, "xrange(%" PRId64 ", %" PRId64 ")", start, stop);
	else
		scry_printf(p, "xrange(%" PRId64 ", %" PRId64 ", %" PRId64 ")", start, stop, step);
	return SCRY_OK;
}

/* slice_repr(), Objects/sliceobject.c: all three, None included. */
static int print_slice(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const enum scry_field f[] = { SCRY_F_SLICE_START, SCRY_F_SLICE_STOP,
					     SCRY_F_SLICE_STEP };

	(void)type;
	return print_fields(p, addr, "slice", f, 3);
}

/* --- deque: a chain of blocks, walked by the number of items --- */

/*
 * Modules/_collectionsmodule.c: blocks of BLOCKLEN items (62 up to 3.4, 64 since; DWARF or the row
 * has it) that are linked both ways. `leftindex` is the place of the first item in the first block.
 */
static int print_deque_items(struct scry_printer *p, scry_addr addr, uint64_t n)
{
	struct scry_runtime *r = p->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t index, per_block = r->layout->slot[SCRY_F_DEQUE_BLOCK_DATA].size / ptr;
	scry_addr block;
	int rc = scry_field_read(r, addr, SCRY_F_DEQUE_LEFT, &block);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_DEQUE_LEFTINDEX, &index);
	if (rc == SCRY_OK && (per_block == 0 || index >= per_block))
		rc = scry_fail(r->session, SCRY_ECORRUPT, addr, "deque starts at index %" PRIu64,
			       index);
	for (uint64_t i = 0; rc == SCRY_OK && scry_printer_more(p, i, n); i++) {
		scry_print_at(p, scry_field_addr(r, block, SCRY_F_DEQUE_BLOCK_DATA) + index * ptr);
		if (++index < per_block)
			continue;
		index = 0;
		rc = scry_field_read(r, block, SCRY_F_DEQUE_BLOCK_RIGHT, &block);
	}
	return rc;
}

/* 2.7 holds the number of items in `len`, 3.x in ob_size */
static int print_deque_as(struct scry_printer *p, scry_addr addr, const char *name)
{
	uint64_t n;
	int64_t most = -1;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DEQUE_LEN, &n);

	if (rc == SCRY_ENOFIELD)
		rc = scry_field_read(p->runtime, addr, SCRY_F_VAR_SIZE, &n);
	if (rc < 0 || !scry_printer_enter(p, addr, "[...]"))
		return rc;
	scry_field_read_int(p->runtime, addr, SCRY_F_DEQUE_MAXLEN, &most);
	scry_printf(p, "%s([", name);
	if (print_deque_items(p, addr, n) < 0)
		scry_printer_damage(p, addr);
	scry_buf_putc(p->out, ']');
	if (most >= 0)
		scry_printf(p, ", maxlen=%" PRId64, most);
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* up to 3.6 a subclass's name is not written */
static int print_deque_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_deque_as(p, addr, "deque");
}

static int print_deque(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_deque_as(p, addr, scry_type_short(p->runtime, type));
}

const struct scry_printer_row scry_printers_sequence[] = {
	{ "list", TYPE_LIST, print_list },
	{ "tuple", TYPE_TUPLE, print_tuple },
	{ "<namedtuple>", 0, print_namedtuple, .since = SCRY_VERSION_OF(3, 0) },
	{ "<namedtuple>", 0, print_namedtuple2, .until = SCRY_VERSION_OF(3, 0) },
	{ "<structseq>", 0, print_structseq },
	{ "set", 0, print_set, .since = SCRY_VERSION_OF(3, 0), .uses = "__iter__" },
	{ "frozenset", 0, print_set, .since = SCRY_VERSION_OF(3, 0), .uses = "__iter__" },
	{ "set", 0, print_set2, .until = SCRY_VERSION_OF(3, 0), .uses = "__iter__" },
	{ "frozenset", 0, print_set2, .until = SCRY_VERSION_OF(3, 0), .uses = "__iter__" },
	{ "range", 0, print_range },
	{ "xrange", 0, print_xrange },
	{ "slice", 0, print_slice },
	{ "collections.deque", 0, print_deque, .since = SCRY_VERSION_OF(3, 7), .uses = "__iter__" },
	{ "collections.deque", 0, print_deque_old, .until = SCRY_VERSION_OF(3, 7),
	  .uses = "__iter__" },
	{ NULL },
};
