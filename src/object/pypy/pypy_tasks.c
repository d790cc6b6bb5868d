/* What asyncio's tasks are read by: classes, lists, and sets of weak references. */
#include "object/model.h"
#include "object/pypy/pypy_printers.h"

#define MRO_MAX   1000
#define COUNT_MAX ((uint64_t)1 << 32)

static int class_next(struct scry_runtime *r, scry_addr obj, uint64_t *it, scry_addr *ret,
		      const char **ret_full)
{
	struct scry_pypy *y = r->pypy;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &obj);
	scry_addr cls = t ? scry_pypy_type_object(r, t, obj) : 0, items, of;
	enum scry_pypy_kind kind;
	uint64_t count;

	if (!cls ||
	    scry_pypy_items_open(y, scry_pypy_get(y, cls, SCRY_PYPY_TYPE_MRO), false, &kind, &items,
				 &count) < 0 ||
	    *it >= count || *it >= MRO_MAX || scry_read_ptr(r->session, items + 8 * *it, &of) < 0 ||
	    !scry_pypy_type_of(y, &of))
		return SCRY_OK;
	++*it;
	*ret = of;
	*ret_full = scry_pypy_class_name(r, of, true);
	return *ret_full ? SCRY_ITEM : SCRY_OK;
}

/* Only where pointers to objects stand side by side. */
static int sequence(struct scry_runtime *r, scry_addr seq, uint64_t *ret_count,
		    scry_addr *ret_items)
{
	struct scry_pypy_sequence q;
	int rc = scry_pypy_sequence(r, seq, &q);

	if (rc == SCRY_OK && q.count &&
	    (q.counted || q.block || q.size != 8 || q.kind != SCRY_PYPY_OBJECT))
		return scry_fail(r->session, SCRY_EUNSUPPORTED, seq, "its items are no objects");
	if (rc < 0)
		return rc;
	*ret_count = q.count;
	*ret_items = q.items;
	return SCRY_OK;
}

/* A weak reference keeps a small object that points to what it is of: { header, pointer }. */
static scry_addr referent(struct scry_runtime *r, scry_addr object)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &object);
	scry_addr inner, to = 0;

	if (!scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_WEAKREF))
		return object;
	inner = scry_pypy_get(r->pypy, object, SCRY_PYPY_WEAKREF_OBJECT);
	if (scry_pypy_type_of(r->pypy, &inner))
		scry_read_ptr(r->session, inner + 8, &to);
	return to;
}

static int set_next(struct scry_runtime *r, scry_addr set, uint64_t *it, scry_addr *ret)
{
	struct scry_pypy_item key, value;
	struct scry_pypy_table t;
	scry_addr storage = scry_pypy_get(r->pypy, set, SCRY_PYPY_SET_STORAGE);
	const struct scry_pypy_type *type = scry_pypy_type_of(r->pypy, &set);
	int rc;

	if (!scry_pypy_is(r->pypy, type, SCRY_PYPY_CLASS_SET) &&
	    !scry_pypy_is(r->pypy, type, SCRY_PYPY_CLASS_FROZENSET))
		return scry_fail(r->session, SCRY_ECORRUPT, set, "no set");
	/* an empty one may have no table */
	if (scry_pypy_table_open(r->pypy, storage, false, &t) < 0)
		return SCRY_OK;
	while ((rc = scry_pypy_table_next(&t, it, &key, &value)) == SCRY_ITEM)
		if (key.kind == SCRY_PYPY_OBJECT && (*ret = referent(r, key.bits)))
			return SCRY_ITEM;
	return rc;
}

const struct scry_suspended_model scry_pypy_suspended = {
	.class_next = class_next,
	.sequence = sequence,
	.set_next = set_next,
};
