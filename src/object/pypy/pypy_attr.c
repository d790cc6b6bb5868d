/*
 * Attributes of PyPy's objects without running code: of instances by their map
 * (pypy/objspace/std/mapdict.py), of modules by their dictionary, of classes along the MRO.
 */
#include "object/pypy/pypy_printers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ATTRIBUTES_MAX 100000
#define DICT_KIND      0  /* of an attribute that is in the instance's dictionary, not in a slot */
#define VTABLE_AT      32 /* a class's vtable follows the four words of its type_info */

/*
 * Where an instance keeps its values: `inline_count` fields, the last of which may be an array of
 * the rest; or an array.
 */
struct storage {
	scry_addr first, array_at;
	uint64_t inline_count, needed;
};

static uint64_t count_inline(const struct scry_pypy_type *t)
{
	uint64_t n = 0;

	for (const char *p = t->members; (p = strstr(p, "inst__value")); p++)
		n++;
	return n;
}

static bool is_plain(struct scry_pypy *y, scry_addr *attr)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(y, attr);

	return scry_pypy_is(y, t, SCRY_PYPY_CLASS_ATTRIBUTE);
}

static bool is_named(struct scry_pypy *y, scry_addr attr, const char *name)
{
	const char *text;
	size_t len;

	return scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_KIND) == DICT_KIND &&
	       scry_pypy_string(y, scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_NAME),
				strlen(name) + 1, &text, &len) == SCRY_OK &&
	       !strcmp(text, name);
}

/* Where value `index` stands. */
static scry_addr place_of(struct scry_pypy *y, const struct storage *st, uint64_t index)
{
	scry_addr array, items;
	uint64_t count;
	bool has_array = st->inline_count ? st->needed > st->inline_count : true;

	if (st->inline_count && index < st->inline_count - has_array)
		return st->first + 8 * index;
	index -= st->inline_count ? st->inline_count - 1 : 0;
	if (scry_read_ptr(y->runtime->session, st->array_at, &array) < 0 ||
	    scry_pypy_array(y, array, &count, &items) < 0 || index >= count)
		return 0;
	return items + 8 * index;
}

/* Numbers that are kept without objects: an array of words stands in the value's place. */
static int read_unboxed(struct scry_pypy *y, scry_addr attr, scry_addr array,
			struct scry_pypy_item *ret)
{
	scry_addr type = scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_TYPE), items;
	const struct scry_pypy_type *integer =
		scry_pypy_type_named(y, "pypy.objspace.std.intobject.W_IntObject");
	uint64_t count, index = scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_LIST_INDEX);

	if (!integer || scry_pypy_array(y, array, &count, &items) < 0 || index >= count)
		return SCRY_ECORRUPT;
	ret->kind =
		type == y->group + integer->tid + VTABLE_AT ? SCRY_PYPY_INTEGER : SCRY_PYPY_FLOAT;
	return scry_read_uint(y->runtime->session, items + 8 * index, 8, &ret->bits);
}

static int instance_get(struct scry_pypy *y, const struct scry_pypy_type *t, scry_addr obj,
			const char *name, struct scry_pypy_item *ret)
{
	uintptr_t at = (uintptr_t)scry_hash_find(&y->maps, t->tid);
	struct storage st = { .inline_count = at ? count_inline(t) : 0 };
	scry_addr attr, found = 0, place;

	if (!at || scry_read_ptr(y->runtime->session, obj + at - 1, &attr) < 0)
		return SCRY_ENOTFOUND;
	st.first = obj + at - 1 - 8 * st.inline_count;
	st.array_at = st.inline_count ? obj + at - 1 - 8 : obj + at - 1 + 8;
	for (unsigned n = 0; n < ATTRIBUTES_MAX && is_plain(y, &attr); n++) {
		uint64_t index = scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_INDEX);

		st.needed = index + 1 > st.needed ? index + 1 : st.needed;
		if (!found && is_named(y, attr, name))
			found = attr;
		attr = scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_BACK);
	}
	if (!found)
		return SCRY_ENOTFOUND;
	place = place_of(y, &st, scry_pypy_get(y, found, SCRY_PYPY_ATTRIBUTE_INDEX));
	*ret = (struct scry_pypy_item) { SCRY_PYPY_OBJECT, 0 };
	if (!place || scry_read_uint(y->runtime->session, place, 8, &ret->bits) < 0)
		return SCRY_ECORRUPT;
	t = scry_pypy_type_of(y, &found);
	return strstr(t->name, "Unboxed") ? read_unboxed(y, found, ret->bits, ret) : SCRY_OK;
}

/* Names of modules and classes may be kept in cells. */
static struct scry_pypy_item open_cell(struct scry_pypy *y, scry_addr value)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &value);

	if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_MUTABLE_CELL))
		return (struct scry_pypy_item) {
			SCRY_PYPY_OBJECT, scry_pypy_get(y, value, SCRY_PYPY_MUTABLE_CELL_VALUE)
		};
	if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_MUTABLE_INT))
		return (struct scry_pypy_item) {
			SCRY_PYPY_INTEGER, scry_pypy_get(y, value, SCRY_PYPY_MUTABLE_CELL_INT)
		};
	return (struct scry_pypy_item) { SCRY_PYPY_OBJECT, value };
}

int scry_pypy_attr(struct scry_runtime *r, scry_addr obj, const char *name,
		   struct scry_pypy_item *ret)
{
	struct scry_pypy *y = r->pypy;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &obj);
	scry_addr cls, value;

	if (!t)
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "no object of PyPy's");
	int rc = instance_get(y, t, obj, name, ret);
	if (rc != SCRY_ENOTFOUND)
		return rc;
	if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_MODULE) &&
	    scry_pypy_dict_get(r, scry_pypy_get(y, obj, SCRY_PYPY_MODULE_DICT), name, &value) ==
		    SCRY_OK) {
		*ret = open_cell(y, value);
		return SCRY_OK;
	}
	cls = scry_pypy_is(y, t, SCRY_PYPY_CLASS_TYPE) ? obj : scry_pypy_class_of(y, t, obj);
	if (!cls || !scry_pypy_class_find(r, cls, name, &value))
		return scry_fail(r->session, SCRY_ENOTFOUND, obj, "no attribute '%s'", name);
	*ret = open_cell(y, value);
	return SCRY_OK;
}

/* The same where only an object will do. */
static int attr_object(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		       enum scry_attr_place *ret_place)
{
	struct scry_pypy_item item;
	int rc = scry_pypy_attr(r, obj, name, &item);

	if (rc < 0 || item.kind != SCRY_PYPY_OBJECT)
		return rc < 0 ? rc : SCRY_EUNSUPPORTED;
	*ret = item.bits;
	*ret_place = SCRY_ATTR_VALUE;
	return SCRY_OK;
}

static int bound_attr(struct scry_runtime *r, scry_addr obj, const char *name,
		      struct scry_found *ret)
{
	struct scry_pypy_item item;
	int rc = scry_pypy_attr(r, obj, name, &item);
	char text[64];

	if (rc < 0)
		return rc;
	*ret = (struct scry_found) { 0 };
	if (item.kind == SCRY_PYPY_OBJECT) {
		ret->addr = item.bits;
		return item.bits ? SCRY_OK
				 : scry_fail(r->session, SCRY_ENOTFOUND, obj, "'%s' is not set",
					     name);
	}
	ret->type = item.kind == SCRY_PYPY_FLOAT ? "float" : "int";
	if (item.kind == SCRY_PYPY_FLOAT)
		scry_format_double(scry_float_of_bits(item.bits, 8), true, text);
	else
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)item.bits);
	ret->text = scry_arena_text(&r->session->arena, text, strlen(text));
	return SCRY_OK;
}

const struct scry_model scry_model_pypy = {
	.type_name = scry_pypy_type_name,
	.attr = attr_object,
	.bound_attr = bound_attr,
	.dict_next = scry_pypy_dict_next,
	.dict_get = scry_pypy_dict_get,
	.int_value = scry_pypy_int_value,
	.known = scry_pypy_known,
	.print = scry_pypy_print,
	.no_items = "items of PyPy's containers are not looked up",
};
