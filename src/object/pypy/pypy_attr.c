/*
 * Attributes of PyPy's objects without running code: of instances by their map
 * (pypy/objspace/std/mapdict.py), of modules by their dictionary, of classes along the MRO.
 */
#include "object/exception.h"
#include "object/pypy/pypy_cpyext.h"

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
	unsigned count; /* of attributes */
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

/* Attributes of the instance's dictionary, newest first; false at the end. */
static bool next_attr(struct scry_pypy *y, scry_addr *attr)
{
	*attr = scry_pypy_get(y, *attr, SCRY_PYPY_ATTRIBUTE_BACK);
	return is_plain(y, attr);
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

/* Numbers that are kept without objects: an array of words is in the value's place. */
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

/* The newest attribute of an instance, and where its values are; false where it has no map. */
static bool open_instance(struct scry_pypy *y, const struct scry_pypy_type *t, scry_addr obj,
			  struct storage *ret, scry_addr *ret_newest)
{
	uintptr_t at = (uintptr_t)scry_hash_find(&y->maps, t->tid);
	struct storage st = { .inline_count = at ? count_inline(t) : 0 };
	scry_addr newest, attr;

	if (!at || scry_read_ptr(y->runtime->session, obj + at - 1, &newest) < 0)
		return false;
	st.first = obj + at - 1 - 8 * st.inline_count;
	st.array_at = st.inline_count ? obj + at - 1 - 8 : obj + at - 1 + 8;
	bool more = is_plain(y, &newest);
	*ret_newest = more ? newest : 0;
	attr = newest;
	for (; more && st.count < ATTRIBUTES_MAX; more = next_attr(y, &attr)) {
		uint64_t index = scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_INDEX);

		st.needed = index + 1 > st.needed ? index + 1 : st.needed;
		st.count++;
	}
	*ret = st;
	return true;
}

static int read_attribute(struct scry_pypy *y, const struct storage *st, scry_addr attr,
			  struct scry_pypy_item *ret)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &attr);
	scry_addr place = place_of(y, st, scry_pypy_get(y, attr, SCRY_PYPY_ATTRIBUTE_INDEX));

	*ret = (struct scry_pypy_item) { SCRY_PYPY_OBJECT, 0 };
	if (!place || scry_read_uint(y->runtime->session, place, 8, &ret->bits) < 0)
		return SCRY_ECORRUPT;
	return strstr(t->name, "Unboxed") ? read_unboxed(y, attr, ret->bits, ret) : SCRY_OK;
}

static int instance_get(struct scry_pypy *y, const struct scry_pypy_type *t, scry_addr obj,
			const char *name, struct scry_pypy_item *ret)
{
	struct storage st;
	scry_addr attr;

	if (!open_instance(y, t, obj, &st, &attr))
		return SCRY_ENOTFOUND;
	for (unsigned n = 0; attr && n < st.count; n++) {
		if (is_named(y, attr, name))
			return read_attribute(y, &st, attr, ret);
		if (!next_attr(y, &attr))
			break;
	}
	return SCRY_ENOTFOUND;
}

struct scry_pypy_item scry_pypy_open_cell(struct scry_pypy *y, scry_addr value)
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
	struct scry_pypy_ext ext;
	scry_addr cls, value;

	if (scry_pypy_resolve(r, &obj, &ext) && !ext.link)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, obj,
				 "attributes of an object that C alone has are not known");
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &obj);
	if (!t)
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "no object of PyPy's");
	int rc = instance_get(y, t, obj, name, ret);
	if (rc != SCRY_ENOTFOUND)
		return rc;
	if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_MODULE) &&
	    scry_pypy_dict_get(r, scry_pypy_get(y, obj, SCRY_PYPY_MODULE_DICT), name, &value) ==
		    SCRY_OK) {
		*ret = scry_pypy_open_cell(y, value);
		return SCRY_OK;
	}
	cls = scry_pypy_is(y, t, SCRY_PYPY_CLASS_TYPE) ? obj : scry_pypy_class_of(y, t, obj);
	if (!cls || !scry_pypy_class_find(r, cls, name, &value))
		return scry_fail(r->session, SCRY_ENOTFOUND, obj, "no attribute '%s'", name);
	*ret = scry_pypy_open_cell(y, value);
	return SCRY_OK;
}

static int attr_object(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		       enum scry_attr_place *ret_place)
{
	struct scry_pypy_item item;
	int rc = scry_pypy_attr(r, obj, name, &item);

	if (rc < 0)
		return rc;
	*ret = scry_pypy_boxed(r->pypy, item);
	*ret_place = SCRY_ATTR_VALUE;
	return *ret ? SCRY_OK : scry_fail(r->session, SCRY_ENOTFOUND, obj, "'%s' is not set", name);
}

void scry_pypy_found(struct scry_runtime *r, struct scry_pypy_item item, struct scry_found *ret)
{
	char text[64];

	*ret = (struct scry_found) { .addr = scry_pypy_boxed(r->pypy, item) };
	if (ret->addr || item.kind == SCRY_PYPY_OBJECT)
		return;
	ret->type = item.kind == SCRY_PYPY_FLOAT ? "float" : "int";
	if (item.kind == SCRY_PYPY_FLOAT)
		scry_format_double(scry_float_of_bits(item.bits, 8), true, text);
	else
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)item.bits);
	ret->text = scry_arena_text(&r->session->arena, text, strlen(text));
}

static int bound_attr(struct scry_runtime *r, scry_addr obj, const char *name,
		      struct scry_found *ret)
{
	struct scry_pypy_item item;
	int rc = scry_pypy_attr(r, obj, name, &item);

	if (rc < 0)
		return rc;
	scry_pypy_found(r, item, ret);
	return ret->addr || ret->text
		       ? SCRY_OK
		       : scry_fail(r->session, SCRY_ENOTFOUND, obj, "'%s' is not set", name);
}

/* The map has them the other way round. */
int scry_pypy_attribute_next(struct scry_runtime *r, scry_addr obj, uint64_t *it,
			     scry_addr *ret_name, struct scry_found *ret)
{
	struct scry_pypy *y = r->pypy;
	struct scry_pypy_item item;
	struct scry_pypy_ext ext;
	struct storage st;
	scry_addr attr;

	scry_pypy_resolve(r, &obj, &ext);
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &obj);
	if (!t || !open_instance(y, t, obj, &st, &attr))
		return SCRY_OK;
	for (; *it < st.count; ++*it) {
		scry_addr at = attr;

		for (uint64_t n = st.count - 1 - *it; n && next_attr(y, &at); n--)
			;
		*ret_name = scry_pypy_get(y, at, SCRY_PYPY_ATTRIBUTE_NAME);
		if (!*ret_name || scry_pypy_get(y, at, SCRY_PYPY_ATTRIBUTE_KIND) != DICT_KIND ||
		    read_attribute(y, &st, at, &item) < 0)
			continue;
		++*it;
		scry_pypy_found(r, item, ret);
		return SCRY_ITEM;
	}
	return SCRY_OK;
}

static int found_next(struct scry_runtime *r, scry_addr obj, uint64_t *it, const char **ret_name,
		      struct scry_found *ret)
{
	scry_addr name;
	int rc = scry_pypy_attribute_next(r, obj, it, &name, ret);

	if (rc == SCRY_ITEM && scry_pypy_text_at(r, name, 1000, ret_name) < 0)
		*ret_name = "?";
	return rc;
}

static const char no_object[] = "neither an object of PyPy's nor one of a C extension's";

static bool is_object(struct scry_runtime *r, scry_addr addr)
{
	struct scry_pypy_ext ext;
	scry_addr at = addr;

	if (scry_pypy_ext_at(r, addr, &ext) == SCRY_OK ||
	    (scry_pypy_is(r->pypy, scry_pypy_type_of(r->pypy, &at), SCRY_PYPY_CLASS_ROOT) &&
	     scry_pypy_stands(r->pypy, addr)))
		return true;
	scry_fail(r->session, SCRY_ECORRUPT, addr, "%s", no_object);
	return false;
}

static void describe(struct scry_runtime *r, scry_addr addr, struct scry_described *ret)
{
	static const char *const places[] = {
		[SCRY_PYPY_PREBUILT] = "prebuilt: never moves",
		[SCRY_PYPY_YOUNG] = "young: the next collection moves it",
		[SCRY_PYPY_OLD] = "old: moves no more",
		[SCRY_PYPY_VIRTUAL] = "never allocated: the JIT holds its parts",
	};
	struct scry_pypy_ext ext = { 0 };
	scry_addr at = addr;

	*ret = (struct scry_described) { .asked = addr, .addr = addr };
	ret->is_c = scry_pypy_resolve(r, &at, &ext);
	if (!ret->is_c && !is_object(r, addr)) {
		ret->problem = no_object;
		return;
	}
	ret->type_name = scry_pypy_type_name(r, addr);
	ret->refcount = (int64_t)ext.refcount;
	ret->c_type = ext.type;
	ret->addr = ret->is_c ? ext.link : at;
	if (ret->addr) {
		const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &ret->addr);

		ret->moved = !ret->is_c && ret->addr != addr;
		ret->type = scry_pypy_type_object(r, t, ret->addr);
		ret->form = t->name;
		ret->place = places[scry_pypy_place_of(r->pypy, ret->addr)];
		ret->size = scry_pypy_size_of(r->pypy, t, ret->addr);
	}
	if (!ret->type_name)
		ret->type_name = "?";
}

const struct scry_model scry_model_pypy = {
	.type_name = scry_pypy_type_name,
	.attr = attr_object,
	.bound_attr = bound_attr,
	.dict_next = scry_pypy_dict_next,
	.dict_get = scry_pypy_dict_get,
	.int_value = scry_pypy_int_value,
	.known = scry_pypy_known,
	.is_object = is_object,
	.describe = describe,
	.found_next = found_next,
	.print = scry_pypy_print,
	.item = scry_pypy_item,
	.exceptions = &scry_pypy_exceptions,
	.code = &scry_pypy_codes,
	.suspended = &scry_pypy_suspended,
};
