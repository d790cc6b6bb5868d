/* PyPy's sequences by index, whatever keeps their items: each as an object. */
#include "object/pypy/pypy_cpyext.h"

#include <inttypes.h>
#include <string.h>

#define BLOCK_ITEMS 62 /* BLOCKLEN, pypy/module/_collections/interp_deque.py */
#define COUNT_MAX   ((uint64_t)1 << 40)

static int fail(struct scry_runtime *r, scry_addr addr)
{
	return scry_fail(r->session, SCRY_EUNSUPPORTED, addr,
			 "%s at 0x%" PRIx64 " has no items that can be read without running code",
			 scry_type_name_of(r, addr), addr);
}

/* specialisedtupleobject.py: two values after the header. */
static int open_pair(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *q)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &addr);

	q->items = addr + 8;
	q->count = 2;
	q->kind = scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_TUPLE_II)   ? SCRY_PYPY_INTEGER
		  : scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_TUPLE_FF) ? SCRY_PYPY_FLOAT
								       : SCRY_PYPY_OBJECT;
	return SCRY_OK;
}

static int open_tuple(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *q)
{
	return scry_pypy_items_open(r->pypy, scry_pypy_get(r->pypy, addr, SCRY_PYPY_TUPLE_ITEMS),
				    false, &q->kind, &q->items, &q->count);
}

/* SimpleRangeListStrategy keeps (length,), RangeListStrategy (start, step, length). */
static int open_range(struct scry_runtime *r, scry_addr storage, bool simple,
		      struct scry_pypy_sequence *q)
{
	uint64_t word[3] = { 0, 1, 0 };

	if (!scry_pypy_type_of(r->pypy, &storage))
		return SCRY_ECORRUPT;
	for (unsigned i = 0; i < (simple ? 1 : 3); i++)
		if (scry_read_uint(r->session, storage + 8 * (i + 1), 8, &word[simple ? 2 : i]) < 0)
			return SCRY_EFAULT;
	q->counted = true;
	q->start = word[0];
	q->step = word[1];
	q->count = word[2];
	return SCRY_OK;
}

static int open_list(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *q)
{
	scry_addr strategy = scry_pypy_get(r->pypy, addr, SCRY_PYPY_LIST_STRATEGY),
		  storage = scry_pypy_get(r->pypy, addr, SCRY_PYPY_LIST_STORAGE);
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &strategy);
	const char *dot = t ? strrchr(t->name, '.') : NULL, *name = dot ? dot + 1 : "";

	if (!strcmp(name, "EmptyListStrategy") || !strcmp(name, "SizeListStrategy"))
		return SCRY_OK;
	if (!strcmp(name, "RangeListStrategy") || !strcmp(name, "SimpleRangeListStrategy"))
		return open_range(r, storage, *name == 'S', q);
	int rc = scry_pypy_items_open(r->pypy, storage, strstr(name, "Bytes"), &q->kind, &q->items,
				      &q->count);
	if (!strcmp(name, "IntOrFloatListStrategy"))
		q->kind = SCRY_PYPY_INT_OR_FLOAT;
	return rc;
}

static int open_deque(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *q)
{
	q->block = scry_pypy_get(r->pypy, addr, SCRY_PYPY_DEQUE_LEFT);
	q->first = scry_pypy_get(r->pypy, addr, SCRY_PYPY_DEQUE_LEFT_INDEX);
	q->count = scry_pypy_get(r->pypy, addr, SCRY_PYPY_DEQUE_LENGTH);
	return q->first < BLOCK_ITEMS ? SCRY_OK : SCRY_ECORRUPT;
}

char scry_pypy_array_code(struct scry_pypy *y, scry_addr addr)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &addr);
	/* W_ArrayTypei: interp_array.py; of a subclass it is not the last */
	const char *type = t ? strstr(t->name, "W_ArrayType") : NULL;

	return type && type[11] ? type[11] : '?';
}

static int open_array(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *q)
{
	static const struct {
		char code;
		uint8_t size;
		bool sign, real;
	} codes[] = { { 'b', 1, true, false },  { 'B', 1, false, false }, { 'h', 2, true, false },
		      { 'H', 2, false, false }, { 'i', 4, true, false },  { 'I', 4, false, false },
		      { 'l', 8, true, false },  { 'q', 8, true, false },  { 'f', 4, false, true },
		      { 'd', 8, false, true } };
	char code = scry_pypy_array_code(r->pypy, addr);

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i].code == code) {
			q->items = scry_pypy_get(r->pypy, addr, SCRY_PYPY_ARRAY_BUFFER);
			q->count = scry_pypy_get(r->pypy, addr, SCRY_PYPY_ARRAY_LENGTH);
			q->size = codes[i].size;
			q->sign = codes[i].sign;
			q->kind = codes[i].real ? SCRY_PYPY_FLOAT : SCRY_PYPY_INTEGER;
			return SCRY_OK;
		}
	return SCRY_EUNSUPPORTED;
}

static const struct {
	enum scry_pypy_class of;
	const char *name; /* who has its __getitem__ */
	int (*open)(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *q);
} rows[] = {
	{ SCRY_PYPY_CLASS_TUPLE, "tuple", open_tuple },
	{ SCRY_PYPY_CLASS_TUPLE_II, "tuple", open_pair },
	{ SCRY_PYPY_CLASS_TUPLE_FF, "tuple", open_pair },
	{ SCRY_PYPY_CLASS_TUPLE_OO, "tuple", open_pair },
	{ SCRY_PYPY_CLASS_LIST, "list", open_list },
	{ SCRY_PYPY_CLASS_DEQUE, "deque", open_deque },
	{ SCRY_PYPY_CLASS_ARRAY, "array", open_array },
};

bool scry_pypy_has_own(struct scry_runtime *r, scry_addr addr, const char *method, const char *base)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &addr);
	scry_addr cls = t ? scry_pypy_class_of(r->pypy, t, addr) : 0, value;
	scry_addr of = cls ? scry_pypy_find_in_mro(r, cls, method, &value) : 0;
	const char *name = of ? scry_pypy_class_name(r, of, false) : NULL;

	return cls && (!name || strcmp(name, base));
}

int scry_pypy_sequence(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *ret)
{
	struct scry_pypy_sequence q = { .runtime = r, .size = 8 };
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &addr);
	int rc = SCRY_EUNSUPPORTED;
	size_t i = 0;

	if (!t)
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "no object at 0x%" PRIx64, addr);
	/* an array or list of RPython's, as the interpreter has them inside */
	if (!t->class_max) {
		rc = scry_pypy_items_open(r->pypy, addr, false, &q.kind, &q.items, &q.count);
	} else {
		while (i < sizeof(rows) / sizeof(*rows) && !scry_pypy_is(r->pypy, t, rows[i].of))
			i++;
		if (i < sizeof(rows) / sizeof(*rows))
			rc = rows[i].open(r, addr, &q);
	}
	if (rc < 0)
		return rc == SCRY_EUNSUPPORTED ? fail(r, addr) : rc;
	if (q.count > COUNT_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "a sequence of %" PRIu64 " items at 0x%" PRIx64, q.count, addr);
	*ret = q;
	return SCRY_OK;
}

/* Blocks are linked to the right; walks that go on do not begin anew. */
static int deque_item(struct scry_pypy_sequence *q, uint64_t index, scry_addr *ret)
{
	struct scry_pypy *y = q->runtime->pypy;
	uint64_t at = q->first + index, room;
	scry_addr items;

	if (at / BLOCK_ITEMS < q->block_at || !q->at_block) {
		q->at_block = q->block;
		q->block_at = 0;
	}
	for (; q->block_at < at / BLOCK_ITEMS; q->block_at++)
		q->at_block = scry_pypy_get(y, q->at_block, SCRY_PYPY_BLOCK_RIGHT);
	if (scry_pypy_array(y, scry_pypy_get(y, q->at_block, SCRY_PYPY_BLOCK_DATA), &room, &items) <
		    0 ||
	    at % BLOCK_ITEMS >= room)
		return SCRY_ECORRUPT;
	return scry_read_ptr(q->runtime->session, items + 8 * (at % BLOCK_ITEMS), ret);
}

int scry_pypy_item_at(struct scry_pypy_sequence *q, uint64_t index, scry_addr *ret)
{
	struct scry_pypy_item item = { q->kind, q->start + index * q->step };

	if (q->block)
		return deque_item(q, index, ret);
	if (!q->counted && scry_read_uint(q->runtime->session, q->items + q->size * index, q->size,
					  &item.bits) < 0)
		return SCRY_EFAULT;
	if (q->counted)
		item.kind = SCRY_PYPY_INTEGER;
	else if (q->sign && q->size < 8 && item.bits >> (8 * q->size - 1))
		item.bits |= ~(uint64_t)0 << 8 * q->size;
	else if (item.kind == SCRY_PYPY_FLOAT && q->size == 4) {
		double value = scry_float_of_bits(item.bits, 4);

		memcpy(&item.bits, &value, 8);
	}
	*ret = scry_pypy_boxed(q->runtime->pypy, item);
	return *ret || item.kind == SCRY_PYPY_OBJECT
		       ? SCRY_OK
		       : scry_fail(q->runtime->session, SCRY_ELIMIT, 0,
				   "no room for more objects of numbers");
}

/* --- obj[key] --- */

static bool is_text(struct scry_runtime *r, scry_addr obj, bool bytes, const char *wanted)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &obj);
	bool name = t && t->tid == r->pypy->string;
	const char *text;

	if (!name && !scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_UNICODE) &&
	    !((bytes || scry_pypy_is_python2(r)) &&
	      scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BYTES)))
		return false;
	if (bytes && !scry_pypy_is_python2(r) && !scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BYTES))
		return false;
	return scry_pypy_text_at(r, obj, strlen(wanted) + 1, &text) == SCRY_OK &&
	       !strcmp(text, wanted);
}

/* Ints and bools are equal by value, text by text; other objects by what they are. */
static bool equals(struct scry_runtime *r, scry_addr obj, const struct scry_subscript *key)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &obj);
	int64_t number;

	switch (key->kind) {
	case SCRY_SUBSCRIPT_NONE:
		return scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_NONE);
	case SCRY_SUBSCRIPT_BOOL:
	case SCRY_SUBSCRIPT_INT:
		return (scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_INT) ||
			scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BOOL)) &&
		       scry_pypy_int_value(r, obj, &number) == SCRY_OK && number == key->number;
	case SCRY_SUBSCRIPT_TEXT:
	case SCRY_SUBSCRIPT_BYTES:
		return is_text(r, obj, key->kind == SCRY_SUBSCRIPT_BYTES, key->text);
	case SCRY_SUBSCRIPT_OBJECT:
		return obj == key->addr;
	}
	return false;
}

/* A key that is an object of the target: its value, where that decides what it equals. */
static void literal_of(struct scry_runtime *r, struct scry_subscript *key)
{
	scry_addr obj = key->addr;
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &obj);
	const char *text;

	if (key->kind != SCRY_SUBSCRIPT_OBJECT)
		return;
	key->addr = obj;
	if ((scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_INT) ||
	     scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BOOL)) &&
	    scry_pypy_int_value(r, obj, &key->number) == SCRY_OK)
		key->kind = SCRY_SUBSCRIPT_INT;
	else if ((scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_UNICODE) ||
		  scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BYTES)) &&
		 scry_pypy_text_at(r, obj, 1 << 20, &text) == SCRY_OK) {
		key->kind = scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BYTES) ? SCRY_SUBSCRIPT_BYTES
									    : SCRY_SUBSCRIPT_TEXT;
		key->text = text;
	}
}

static int dict_item(struct scry_runtime *r, scry_addr dict, const struct scry_subscript *key,
		     scry_addr *ret)
{
	scry_addr k, value;
	uint64_t it = 0;
	int rc;

	while ((rc = scry_pypy_dict_next(r, dict, &it, &k, &value)) == SCRY_ITEM)
		if (equals(r, k, key)) {
			*ret = value;
			return SCRY_OK;
		}
	return rc < 0 ? rc : scry_fail(r->session, SCRY_ENOTFOUND, dict, "no such key");
}

static int sequence_item(struct scry_runtime *r, scry_addr obj, const struct scry_subscript *key,
			 const char *name, scry_addr *ret)
{
	struct scry_pypy_sequence q;
	int rc = scry_pypy_sequence(r, obj, &q);
	int64_t index = key->number;

	if (rc < 0)
		return rc;
	if (key->kind != SCRY_SUBSCRIPT_INT && key->kind != SCRY_SUBSCRIPT_BOOL)
		return scry_fail(r->session, SCRY_EINVAL, obj, "%s takes integers as index", name);
	index += index < 0 ? (int64_t)q.count : 0;
	if (index < 0 || (uint64_t)index >= q.count)
		return scry_fail(r->session, SCRY_ENOTFOUND, obj,
				 "index %" PRId64 " is out of range: there are %" PRIu64 " items",
				 key->number, q.count);
	rc = scry_pypy_item_at(&q, (uint64_t)index, ret);
	return rc < 0 || *ret ? rc
			      : scry_fail(r->session, SCRY_ECORRUPT, obj, "nothing is kept there");
}

int scry_pypy_item(struct scry_runtime *r, scry_addr obj, const struct scry_subscript *key,
		   scry_addr *ret)
{
	struct scry_subscript sub = *key;
	struct scry_pypy_ext ext;

	scry_pypy_resolve(r, &obj, &ext);
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &obj);
	bool mapping = scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_DICT) ||
		       scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_MODULE_DICT);
	const char *base = mapping ? "dict" : NULL;

	for (size_t i = 0; !base && i < sizeof(rows) / sizeof(*rows); i++)
		if (scry_pypy_is(r->pypy, t, rows[i].of))
			base = rows[i].name;
	if (!base)
		return fail(r, obj);
	if (scry_pypy_has_own(r, obj, "__getitem__", base))
		return scry_fail(r->session, SCRY_EUNSUPPORTED, obj,
				 "%s has a __getitem__ of its own, which is not run",
				 scry_type_name_of(r, obj));
	literal_of(r, &sub);
	return mapping ? dict_item(r, obj, &sub, ret) : sequence_item(r, obj, &sub, base, ret);
}
