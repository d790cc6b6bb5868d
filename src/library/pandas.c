/*
 * pandas: a frame, a series or an index as its shape. What they hold is kept in Cython classes,
 * whose structs no header shows: there the one member of the wanted kind is searched for.
 */
#include "object/known.h"
#include "object/printer.h"

#define STRUCT_MAX 512

static bool is_index(struct scry_runtime *r, scry_addr obj)
{
	struct scry_type *t;

	return scry_type_for(r, obj, &t) == SCRY_OK &&
	       scry_type_derives(r, t->addr, "pandas.core.indexes.base.Index");
}

static bool is_list_of_axes(struct scry_runtime *r, scry_addr obj)
{
	uint64_t n;
	scry_addr items, item;
	struct scry_type *t;

	if (scry_type_for(r, obj, &t) < 0 || scry_known_type(t) != SCRY_IS_LIST ||
	    scry_sequence(r, obj, &n, &items) < 0 || n < 1 || n > 2)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) < 0 ||
		    !is_index(r, item))
			return false;
	return true;
}

static bool is_array(struct scry_runtime *r, scry_addr obj)
{
	struct scry_type *t;

	return scry_type_for(r, obj, &t) == SCRY_OK && scry_type_is(r, t->addr, SCRY_IS_NDARRAY);
}

/* The first word of an object's struct that points to what is wanted. */
static scry_addr find_member(struct scry_runtime *r, scry_addr obj,
			     bool (*wanted)(struct scry_runtime *r, scry_addr obj))
{
	unsigned size = r->session->target->abi.ptr_size;
	struct scry_type *t;
	scry_addr value;

	if (scry_type_for(r, obj, &t) < 0)
		return 0;
	for (uint64_t at = r->layout->size[SCRY_S_OBJECT];
	     at + size <= t->basicsize && at < STRUCT_MAX; at += size)
		if (scry_word(r, obj + at, &value) == SCRY_OK && value && value % size == 0 &&
		    wanted(r, value))
			return value;
	return 0;
}

static int array_length(struct scry_runtime *r, scry_addr array, int64_t *ret)
{
	uint64_t nd;
	scry_addr dimensions;
	int rc = scry_field_read(r, array, SCRY_F_NDARRAY_ND, &nd);

	rc = rc < 0 ? rc : scry_field_read(r, array, SCRY_F_NDARRAY_DIMENSIONS, &dimensions);
	if (rc < 0 || (nd & 0xffffffff) < 1)
		return rc < 0 ? rc : SCRY_ECORRUPT;
	return scry_read_int(r->session, dimensions, r->session->target->abi.ptr_size, ret);
}

/*
 * A range, an array, an array in a Cython object (dates, categories), or the codes of a
 * MultiIndex's first level.
 */
static int index_length(struct scry_runtime *r, scry_addr index, int64_t *ret)
{
	uint64_t n;
	scry_addr value, items;

	if (scry_attr(r, index, "_range", &value) == SCRY_OK && (*ret = scry_length(r, value)) >= 0)
		return SCRY_OK;
	if (scry_attr(r, index, "_codes", &value) == SCRY_OK &&
	    scry_sequence(r, value, &n, &items) == SCRY_OK && n &&
	    scry_word(r, items, &value) == SCRY_OK && is_array(r, value))
		return array_length(r, value, ret);
	if (scry_attr(r, index, "_data", &value) < 0)
		return SCRY_ENOTFOUND;
	if (!is_array(r, value))
		value = find_member(r, value, is_array);
	return value ? array_length(r, value, ret) : SCRY_ENOTFOUND;
}

static int print_shape(struct scry_printer *p, scry_addr type, const int64_t *length, uint64_t n)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s shape=(%" PRId64 ",", name, length[n - 1]);
	if (n == 2)
		scry_printf(p, " %" PRId64, length[0]);
	scry_buf_puts(p->out, ")>");
	return SCRY_OK;
}

/* The axes are the columns, if any, and the index. */
static int print_frame(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr manager, axes, items, item;
	int64_t length[2] = { 0 };
	uint64_t n = 0;

	if (scry_attr(r, addr, "_mgr", &manager) < 0 && scry_attr(r, addr, "_data", &manager) < 0)
		return scry_print_unknown(p, addr, type);
	/* a class in Python, or in Cython */
	if (scry_attr(r, manager, "axes", &axes) < 0 || !is_list_of_axes(r, axes))
		axes = find_member(r, manager, is_list_of_axes);
	if (!axes || scry_sequence(r, axes, &n, &items) < 0)
		return scry_print_unknown(p, addr, type);
	for (uint64_t i = 0; i < n; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) < 0 ||
		    index_length(r, item, &length[i]) < 0)
			return scry_print_unknown(p, addr, type);
	return print_shape(p, type, length, n);
}

static int print_index(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t length;

	if (index_length(p->runtime, addr, &length) < 0)
		return scry_print_unknown(p, addr, type);
	return print_shape(p, type, &length, 1);
}

const struct scry_printer_row scry_printers_pandas[] = {
	{ "pandas.core.frame.DataFrame", 0, print_frame },
	{ "pandas.core.series.Series", 0, print_frame },
	{ "pandas.core.generic.NDFrame", 0, print_frame },
	{ "pandas.core.indexes.base.Index", 0, print_index },
	{ NULL },
};
