/* Containers against what they say of themselves, as printing them finds it out. */
#include "object/item.h"
#include "object/known.h"
#include "object/text_hash.h"

static int fail_count(struct scry_runtime *r, scry_addr obj, uint64_t says, uint64_t has)
{
	return scry_fail(r->session, SCRY_ECORRUPT, obj,
			 "the container at 0x%" PRIx64 " says that it has %" PRId64
			 " items, and has %" PRIu64,
			 obj, scry_signed_size(r, says), has);
}

static int fail_hash(struct scry_runtime *r, scry_addr obj, uint64_t number)
{
	return scry_fail(r->session, SCRY_ECORRUPT, obj,
			 "item %" PRIu64 " of the container at 0x%" PRIx64
			 " is not where its hash leads",
			 number, obj);
}

static int check_dict(struct scry_runtime *r, scry_addr dict)
{
	struct scry_dict_view v;
	scry_addr key, value;
	uint64_t it = 0, n = 0;
	int rc = scry_dict_open(r, dict, &v);

	for (; rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, &value)) == SCRY_ITEM; n++)
		if (!scry_dict_view_fits(&v, it, key))
			return fail_hash(r, dict, n);
	return rc < 0 ? rc : n == v.used ? SCRY_OK : fail_count(r, dict, v.used, n);
}

static int check_set(struct scry_runtime *r, scry_addr set)
{
	uint64_t it = 0, n = 0, used;
	scry_addr key;
	int rc = scry_field_read(r, set, SCRY_F_SET_USED, &used);

	for (; rc >= 0 && (rc = scry_set_next(r, set, &it, &key)) == SCRY_ITEM; n++)
		if (!scry_set_fits(r, set, it, key))
			return fail_hash(r, set, n);
	return rc < 0 ? rc : n == used ? SCRY_OK : fail_count(r, set, used, n);
}

static int check_text(struct scry_runtime *r, scry_addr str)
{
	struct scry_text_view v;
	int rc = scry_text_open(r, str, &v);

	rc = rc < 0 ? rc : scry_text_check(r, str, &v);
	return rc < 0 ? rc : scry_text_hash_fits(r, str, &v) ? SCRY_OK : SCRY_ECORRUPT;
}

int scry_items_check(struct scry_runtime *r, scry_addr obj, const struct scry_type *t)
{
	struct scry_text_view v = { 0 };
	scry_addr items;
	uint64_t n;

	if (t->flags & TYPE_DICT || scry_known_type(t) == SCRY_IS_FROZENDICT)
		return check_dict(r, obj);
	if (t->flags & (TYPE_LIST | TYPE_TUPLE))
		return scry_items_open(r, obj, t, &n, &items);
	if (t->flags & (TYPE_UNICODE | TYPE_BYTES))
		return check_text(r, obj);
	if (scry_type_is(r, t->addr, SCRY_IS_SET) || scry_type_is(r, t->addr, SCRY_IS_FROZENSET))
		return check_set(r, obj);
	if (scry_type_is(r, t->addr, SCRY_IS_BYTEARRAY))
		return scry_bytearray_open(r, obj, &v);
	return SCRY_OK;
}
