/*
 * Attributes without running code: data descriptors, the instance's dict or inline values, then the
 * type's.
 */
#include "object/known.h"
#include "object/mro.h"
#include "object/overrides.h"
#include "object/printer.h"

#include "object/member.h"

#define NAME_MAX_LENGTH 1000

/* --- where an instance keeps its attributes --- */

static scry_addr read_optional(struct scry_runtime *r, scry_addr addr)
{
	scry_addr value;

	return scry_word(r, addr, &value) == SCRY_OK ? value : 0;
}

/* The inline values of an object are split by its type's shared keys. */
static int open_inline(struct scry_runtime *r, const struct scry_type *t, scry_addr values,
		       struct scry_dict_view *v)
{
	struct scry_dict_view keys = { 0 }, order = { 0 };
	scry_addr at;
	int rc = scry_field_read(r, t->addr, SCRY_F_HEAP_TYPE_CACHED_KEYS, &at);

	rc = rc < 0 ? rc : scry_keys_open(r, at, &keys);
	order.count = keys.count;
	rc = rc < 0 ? rc : scry_values_open(r, values, &order);
	if (rc < 0)
		return rc;
	keys.values = order.values;
	keys.order = order.order;
	keys.order_step = order.order_step;
	keys.used = keys.count = order.count;
	*v = keys;
	return SCRY_OK;
}

/*
 * What is in front of an instance of a class (Include/internal/pycore_object.h). 3.11: values
 * at -4, dict at -3 words; 3.12: one word at -3, tagged by its lowest bit where it leads to values;
 * 3.13+: the dict's pointer (at -3; at
 * -1 in free-threaded builds) and the values after the object, valid or not.
 */
static int managed_3_11(struct scry_runtime *r, const struct scry_type *t, scry_addr obj,
			scry_addr *ret_dict, struct scry_dict_view *ret_inline)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr values = read_optional(r, obj - 4 * ptr);

	*ret_dict = read_optional(r, obj - 3 * ptr);
	return !*ret_dict && values ? open_inline(r, t, values, ret_inline) : SCRY_OK;
}

static int managed_3_12(struct scry_runtime *r, const struct scry_type *t, scry_addr obj,
			scry_addr *ret_dict, struct scry_dict_view *ret_inline)
{
	scry_addr word = read_optional(r, obj - 3 * r->session->target->abi.ptr_size);

	if (word & 1)
		return open_inline(r, t, word + 1, ret_inline);
	*ret_dict = word;
	return SCRY_OK;
}

static int managed_3_13(struct scry_runtime *r, const struct scry_type *t, scry_addr obj,
			scry_addr *ret_dict, struct scry_dict_view *ret_inline)
{
	unsigned words = r->layout->flavour.free_threaded ? 1 : 3;
	uint64_t valid = 0;

	*ret_dict = read_optional(r, obj - words * r->session->target->abi.ptr_size);
	if (*ret_dict || !(t->flags & TYPE_INLINE))
		return SCRY_OK;
	scry_addr values = obj + t->basicsize;
	int rc = scry_field_read(r, values, SCRY_F_VALUES_VALID, &valid);

	return rc < 0 || !valid ? rc : open_inline(r, t, values, ret_inline);
}

static const struct managed {
	uint32_t since;
	int (*find)(struct scry_runtime *r, const struct scry_type *t, scry_addr obj,
		    scry_addr *ret_dict, struct scry_dict_view *ret_inline);
} managed[] = {
	{ SCRY_VERSION_OF(3, 11), managed_3_11 },
	{ SCRY_VERSION_OF(3, 12), managed_3_12 },
	{ SCRY_VERSION_OF(3, 13), managed_3_13 },
};

/*
 * Negative offsets count from the end of an object of variable size: Objects/object.c,
 * _PyObject_GetDictPtr().
 */
static int dict_offset(struct scry_runtime *r, const struct scry_type *t, scry_addr obj,
		       int64_t *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	int64_t size = 0;

	*ret = t->dictoffset;
	if (t->dictoffset >= 0)
		return SCRY_OK;
	int rc = scry_field_read_int(r, obj, SCRY_F_VAR_SIZE, &size);
	if (rc < 0)
		return rc;
	uint64_t n = size < 0 ? 0 - (uint64_t)size : (uint64_t)size;
	if (n > 1ull << 40)
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "object of size %" PRId64, size);
	uint64_t whole = (t->basicsize + n * t->itemsize + ptr - 1) / ptr * ptr;
	*ret = (int64_t)whole + t->dictoffset;
	return *ret > 0 ? SCRY_OK
			: scry_fail(r->session, SCRY_ECORRUPT, obj, "dict offset %" PRId64, *ret);
}

int scry_instance_dict(struct scry_runtime *r, scry_addr obj, scry_addr *ret_dict,
		       struct scry_dict_view *ret_inline)
{
	struct scry_type *t;
	int64_t offset;
	int rc = scry_type_for(r, obj, &t);

	*ret_dict = 0;
	*ret_inline = (struct scry_dict_view) { 0 };
	if (rc < 0)
		return rc;
	if (scry_layout_has(r->layout, SCRY_F_OLD_INSTANCE_DICT) &&
	    scry_known_type(t) == SCRY_IS_OLD_INSTANCE)
		return scry_field_read(r, obj, SCRY_F_OLD_INSTANCE_DICT, ret_dict);
	const struct managed *way =
		t->flags & TYPE_MANAGED_DICT ? SCRY_SINCE(managed, r->version) : NULL;
	if (way)
		return way->find(r, t, obj, ret_dict, ret_inline);
	if (t->dictoffset == 0)
		return SCRY_OK;
	rc = dict_offset(r, t, obj, &offset);
	return rc < 0 ? rc : scry_word(r, obj + (uint64_t)offset, ret_dict);
}

/* --- looking up --- */

static int instance_get(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret)
{
	struct scry_dict_view v;
	scry_addr dict;
	int rc = scry_instance_dict(r, obj, &dict, &v);

	if (rc < 0)
		return rc;
	if (v.runtime)
		return scry_dict_view_get(&v, name, ret) == SCRY_OK ? SCRY_OK : SCRY_ENOTFOUND;
	return dict ? scry_dict_get(r, dict, name, ret) : SCRY_ENOTFOUND;
}

static bool is_class(struct scry_runtime *r, scry_addr obj)
{
	struct scry_type *t;

	return scry_type_for(r, obj, &t) == SCRY_OK &&
	       (t->flags & TYPE_TYPE || scry_known_type(t) == SCRY_IS_OLD_CLASS);
}

/* 2.7: the class of an old-style instance, else the type */
static int class_of(struct scry_runtime *r, scry_addr obj, scry_addr *ret)
{
	struct scry_type *t;
	int rc = scry_type_for(r, obj, &t);

	if (rc < 0)
		return rc;
	if (scry_layout_has(r->layout, SCRY_F_OLD_INSTANCE_CLASS) &&
	    scry_known_type(t) == SCRY_IS_OLD_INSTANCE)
		return scry_field_read(r, obj, SCRY_F_OLD_INSTANCE_CLASS, ret);
	*ret = t->addr;
	return SCRY_OK;
}

/* Does C code give it? What the getters of type itself give is in the class's dict. */
static bool is_getter(struct scry_runtime *r, scry_addr type, scry_addr value, bool of_class)
{
	scry_addr owner;

	return scry_is_exactly(r, value, SCRY_IS_GETSET_DESCRIPTOR) &&
	       !(of_class && scry_field_read(r, value, SCRY_F_DESCR_TYPE, &owner) == SCRY_OK &&
		 scry_type_has_base(r, type, owner));
}

int scry_cpython_attr(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		      enum scry_attr_place *ret_place)
{
	struct scry_member member;
	scry_addr type, value = 0;
	int rc = class_of(r, obj, &type);
	if (rc < 0)
		return rc;
	bool found = scry_type_find(r, type, name, &value, NULL) == SCRY_OK;
	*ret_place = SCRY_ATTR_VALUE;
	if (found && scry_member_of(r, obj, value, &member) == SCRY_OK)
		return scry_member_object(r, &member, name, ret);
	if (scry_getset_field(r, obj, name, ret) == SCRY_OK)
		return SCRY_OK;
	*ret_place = SCRY_ATTR_TYPE;
	/* the instance's dict cannot shadow it */
	bool class = is_class(r, obj);
	if (found && (scry_is_data_descriptor(r, value) || is_getter(r, type, value, class)))
		return *ret = value, SCRY_OK;
	*ret_place = SCRY_ATTR_CLASS;
	if (class && scry_type_find(r, obj, name, ret, NULL) == SCRY_OK)
		return SCRY_OK;
	*ret_place = SCRY_ATTR_VALUE;
	rc = instance_get(r, obj, name, ret);
	if (rc != SCRY_ENOTFOUND)
		return rc;
	if (!found)
		return scry_fail(r->session, SCRY_ENOTFOUND, obj, "%s object has no attribute '%s'",
				 scry_type_name_of(r, obj), name);
	*ret_place = SCRY_ATTR_TYPE;
	*ret = value;
	return SCRY_OK;
}

int scry_attr(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret)
{
	enum scry_attr_place place;
	int rc = scry_attr_from(r, obj, name, ret, &place);

	if (rc == SCRY_OK && place == SCRY_ATTR_TYPE && scry_is_own_descriptor(r, *ret))
		return scry_fail(r->session, SCRY_EUNSUPPORTED, obj,
				 "'%s' is given by %s.__get__(), which is not run", name,
				 scry_type_name_of(r, *ret));
	return rc;
}

/* The address of None, from the builtins; 0 while these are not known. */
scry_addr scry_none(struct scry_runtime *r)
{
	scry_addr builtins = r->interps ? r->interps->builtins : 0, dict;
	struct scry_dict_view v;

	if (r->none || !builtins)
		return r->none;
	if (scry_dict_get(r, builtins, "None", &r->none) < 0 &&
	    (scry_instance_dict(r, builtins, &dict, &v) < 0 || !dict ||
	     scry_dict_get(r, dict, "None", &r->none) < 0))
		r->none = 0;
	return r->none;
}

const char *scry_attr_text(struct scry_runtime *r, scry_addr obj, const char *name)
{
	scry_addr value;
	const char *text;
	struct scry_type *t;

	if (scry_attr(r, obj, name, &value) < 0)
		return NULL;
	if (scry_text_at(r, value, NAME_MAX_LENGTH, &text) == SCRY_OK)
		return text;
	/* what is not a text is not a name; a text that cannot be read is not absent */
	if (r->pypy ? !strcmp(scry_type_name_of(r, value), "str")
		    : scry_type_for(r, value, &t) < 0 || t->flags & TYPE_UNICODE ||
			      (t->flags & TYPE_BYTES && scry_trait(r, SCRY_TRAIT_PYTHON_2)))
		r->session->value_damaged = true;
	return NULL;
}

int scry_attr_int(struct scry_runtime *r, scry_addr obj, const char *name, int64_t *ret)
{
	scry_addr value;
	int rc = scry_attr(r, obj, name, &value);

	return rc < 0 ? rc : scry_int_value(r, value, ret);
}

/* --- iterating: the dict first, then the slots of every class in the MRO --- */

#define SLOT_PHASE  (1ull << 62)
#define CLASS_SHIFT 40

static int slot_next(struct scry_runtime *r, scry_addr obj, uint64_t *it, const char **ret_name,
		     scry_addr *ret_value)
{
	scry_addr type, cls, key, value;
	int rc = class_of(r, obj, &type);

	for (uint64_t c = *it >> CLASS_SHIFT & 0xffff; rc >= 0; c++) {
		uint64_t at = c, place = *it & ((1ull << CLASS_SHIFT) - 1);
		struct scry_type *t;
		struct scry_dict_view v;
		struct scry_member m;

		if (scry_mro_next(r, type, &at, &cls) != SCRY_ITEM)
			break;
		if (scry_type_at(r, cls, &t) == SCRY_OK && t->flags & TYPE_HEAP &&
		    scry_dict_open(r, scry_type_dict(r, t), &v) == SCRY_OK)
			while (scry_dict_view_next(&v, &place, &key, &value) == SCRY_ITEM)
				if (scry_member_of(r, obj, value, &m) == SCRY_OK && m.is_object &&
				    scry_member_object(r, &m, "", ret_value) == SCRY_OK &&
				    scry_text_at(r, key, NAME_MAX_LENGTH, ret_name) == SCRY_OK) {
					*it = SLOT_PHASE | c << CLASS_SHIFT | place;
					return SCRY_ITEM;
				}
		*it = SLOT_PHASE | (c + 1) << CLASS_SHIFT;
	}
	return rc < 0 ? rc : SCRY_OK;
}

int scry_attr_next(struct scry_runtime *r, scry_addr obj, uint64_t *it, const char **ret_name,
		   scry_addr *ret_value)
{
	struct scry_dict_view v;
	scry_addr dict, key;
	int rc = SCRY_OK;

	if (*it & SLOT_PHASE)
		return slot_next(r, obj, it, ret_name, ret_value);
	rc = scry_instance_dict(r, obj, &dict, &v);
	if (rc == SCRY_OK && !v.runtime && dict)
		rc = scry_dict_open(r, dict, &v);
	while (rc >= 0 && v.runtime &&
	       (rc = scry_dict_view_next(&v, it, &key, ret_value)) == SCRY_ITEM)
		if (scry_text_at(r, key, NAME_MAX_LENGTH, ret_name) == SCRY_OK)
			return SCRY_ITEM;
	if (rc < 0)
		return rc;
	*it = SLOT_PHASE;
	return slot_next(r, obj, it, ret_name, ret_value);
}
