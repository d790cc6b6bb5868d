/* PyPy's containers: what a strategy keeps in the places of objects. */
#include "object/pypy/pypy_printers.h"

#include <inttypes.h>
#include <string.h>

/* longlong2float.py: a float's bits, or an int in what would be a NaN of one kind. */
static void put_int_or_float(struct scry_printer *p, uint64_t bits)
{
	const uint32_t tag = 0xfffffffe;

	if (bits >> 32 == tag)
		scry_printf(p, "%" PRId32, (int32_t)bits);
	else
		scry_pypy_put_double(p, bits);
}

static void print_item(struct scry_printer *p, struct scry_pypy_item item)
{
	size_t start = p->out->len;
	int rc = SCRY_OK;

	switch (item.kind) {
	case SCRY_PYPY_OBJECT:
		scry_print(p, item.bits);
		break;
	case SCRY_PYPY_INTEGER:
		scry_printf(p, "%" PRId64, (int64_t)item.bits);
		break;
	case SCRY_PYPY_FLOAT:
		scry_pypy_put_double(p, item.bits);
		break;
	case SCRY_PYPY_INT_OR_FLOAT:
		put_int_or_float(p, item.bits);
		break;
	case SCRY_PYPY_STR:
		rc = scry_pypy_print_utf8(p, item.bits);
		break;
	case SCRY_PYPY_BYTES:
		rc = scry_pypy_print_bytes_of(p, item.bits);
		break;
	}
	if (rc < 0) {
		scry_buf_cut(p->out, start);
		scry_printer_damage(p, item.bits);
	}
}

static int print_items(struct scry_printer *p, scry_addr items, enum scry_pypy_kind kind,
		       uint64_t count)
{
	uint64_t word;

	for (uint64_t i = 0; scry_printer_more(p, i, count); i++) {
		if (scry_read_uint(p->runtime->session, items + 8 * i, 8, &word) < 0)
			return SCRY_EFAULT;
		print_item(p, (struct scry_pypy_item) { kind, word });
	}
	return SCRY_OK;
}

int scry_pypy_print_tuple(struct scry_printer *p, scry_addr addr)
{
	enum scry_pypy_kind kind;
	scry_addr items;
	uint64_t count;
	int rc = scry_pypy_items_open(p->runtime->pypy,
				      scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_TUPLE_ITEMS),
				      false, &kind, &items, &count);

	if (rc < 0 || !scry_printer_enter(p, addr, "(...)"))
		return rc < 0 ? rc : SCRY_OK;
	scry_buf_putc(p->out, '(');
	rc = print_items(p, items, kind, count);
	scry_buf_puts(p->out, count == 1 ? ",)" : ")");
	scry_printer_leave(p);
	return rc;
}

/* specialisedtupleobject.py: two values after the header. */
static int print_pair(struct scry_printer *p, scry_addr addr, enum scry_pypy_kind kind)
{
	if (!scry_printer_enter(p, addr, "(...)"))
		return SCRY_OK;
	scry_buf_putc(p->out, '(');
	int rc = print_items(p, addr + 8, kind, 2);
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return rc;
}

int scry_pypy_print_pair_of_ints(struct scry_printer *p, scry_addr addr)
{
	return print_pair(p, addr, SCRY_PYPY_INTEGER);
}

int scry_pypy_print_pair_of_floats(struct scry_printer *p, scry_addr addr)
{
	return print_pair(p, addr, SCRY_PYPY_FLOAT);
}

int scry_pypy_print_pair_of_objects(struct scry_printer *p, scry_addr addr)
{
	return print_pair(p, addr, SCRY_PYPY_OBJECT);
}

/* The last part of a strategy's class: "IntegerListStrategy". */
static const char *strategy_of(struct scry_pypy *y, scry_addr addr, enum scry_pypy_field f)
{
	scry_addr strategy = scry_pypy_get(y, addr, f);
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &strategy);
	const char *dot = t ? strrchr(t->name, '.') : NULL;

	return dot ? dot + 1 : "";
}

static bool is_any(const char *name, const char *one, const char *two)
{
	return !strcmp(name, one) || !strcmp(name, two);
}

/*
 * Storage of SimpleRangeListStrategy: (length,); of RangeListStrategy: (start, step, length),
 * tuples of RPython.
 */
static int print_range(struct scry_printer *p, scry_addr storage, bool simple)
{
	struct scry_session *s = p->runtime->session;
	uint64_t word[3] = { 0, 1, 0 };

	if (!scry_pypy_type_of(p->runtime->pypy, &storage))
		return scry_fail(s, SCRY_ECORRUPT, storage, "no range at 0x%" PRIx64, storage);
	for (unsigned i = 0; i < (simple ? 1 : 3); i++)
		if (scry_read_uint(s, storage + 8 * (i + 1), 8, &word[simple ? 2 : i]) < 0)
			return SCRY_EFAULT;
	for (uint64_t i = 0; scry_printer_more(p, i, word[2]); i++)
		scry_printf(p, "%" PRId64, (int64_t)(word[0] + i * word[1]));
	return SCRY_OK;
}

static int print_list_items(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	const char *strategy = strategy_of(y, addr, SCRY_PYPY_LIST_STRATEGY);
	scry_addr storage = scry_pypy_get(y, addr, SCRY_PYPY_LIST_STORAGE), items;
	enum scry_pypy_kind kind;
	uint64_t count;

	if (is_any(strategy, "EmptyListStrategy", "SizeListStrategy"))
		return SCRY_OK;
	if (is_any(strategy, "RangeListStrategy", "SimpleRangeListStrategy"))
		return print_range(p, storage, *strategy == 'S');
	int rc = scry_pypy_items_open(y, storage, strstr(strategy, "Bytes"), &kind, &items, &count);
	if (rc < 0)
		return rc;
	return print_items(
		p, items,
		strcmp(strategy, "IntOrFloatListStrategy") ? kind : SCRY_PYPY_INT_OR_FLOAT, count);
}

int scry_pypy_print_list(struct scry_printer *p, scry_addr addr)
{
	if (!scry_printer_enter(p, addr, "[...]"))
		return SCRY_OK;
	scry_buf_putc(p->out, '[');
	int rc = print_list_items(p, addr);
	scry_buf_putc(p->out, ']');
	scry_printer_leave(p);
	return rc;
}

/* kwargsdict.py: a tuple of the list of keys and the list of values. */
static int print_kwargs(struct scry_printer *p, scry_addr storage)
{
	struct scry_session *s = p->runtime->session;
	struct scry_pypy *y = p->runtime->pypy;
	scry_addr list[2], items[2];
	enum scry_pypy_kind kind[2];
	uint64_t count[2], word[2];

	if (!scry_pypy_type_of(y, &storage))
		return scry_fail(s, SCRY_ECORRUPT, storage, "no pair of lists at 0x%" PRIx64,
				 storage);
	for (unsigned i = 0; i < 2; i++)
		if (scry_read_ptr(s, storage + 8 * (i + 1), &list[i]) < 0 ||
		    scry_pypy_items_open(y, list[i], i == 0 && scry_pypy_is_python2(p->runtime),
					 &kind[i], &items[i], &count[i]) < 0)
			return SCRY_ECORRUPT;
	for (uint64_t n = 0; scry_printer_more(p, n, count[0] < count[1] ? count[0] : count[1]);
	     n++)
		for (unsigned i = 0; i < 2; i++) {
			if (scry_read_uint(s, items[i] + 8 * n, 8, &word[i]) < 0)
				return SCRY_EFAULT;
			print_item(p, (struct scry_pypy_item) { kind[i], word[i] });
			scry_buf_puts(p->out, i ? "" : ": ");
		}
	return SCRY_OK;
}

/*
 * Are the strings that a strategy keeps bytes objects? Names of modules and of keywords are 2.7's
 * str.
 */
static bool keeps_bytes(const struct scry_runtime *r, const char *strategy)
{
	return scry_pypy_is_python2(r) ? !strstr(strategy, "Unicode")
				       : strstr(strategy, "Bytes") != NULL;
}

static int print_entries(struct scry_printer *p, scry_addr storage, const char *strategy)
{
	struct scry_pypy_item key, value;
	struct scry_pypy_table t;
	uint64_t it = 0;
	int rc = scry_pypy_table_open(p->runtime->pypy, storage, keeps_bytes(p->runtime, strategy),
				      &t);

	if (rc < 0)
		return rc;
	if (t.deleted_unknown) {
		p->truncated = true;
		scry_printf(p, "… %" PRIu64, t.live);
		return SCRY_OK;
	}
	for (uint64_t i = 0; scry_printer_more(p, i, t.live); i++) {
		rc = scry_pypy_table_next(&t, &it, &key, &value);
		if (rc != SCRY_ITEM)
			return rc < 0 ? rc
				      : scry_fail(p->runtime->session, SCRY_ECORRUPT, storage,
						  "entries are missing");
		print_item(p, key);
		if (t.value_at) {
			scry_buf_puts(p->out, ": ");
			print_item(p, value);
		}
	}
	return SCRY_OK;
}

/* Names of attributes are 2.7's str, bytes. */
void scry_pypy_print_name(struct scry_printer *p, scry_addr name)
{
	print_item(p, (struct scry_pypy_item) { scry_pypy_is_python2(p->runtime) ? SCRY_PYPY_BYTES
										 : SCRY_PYPY_STR,
						name });
}

/* mapdict.py: the attributes of an instance, in its map. */
static int print_attributes(struct scry_printer *p, scry_addr dict)
{
	scry_addr key, value;
	uint64_t it = 0, n = 0;
	int rc;

	while ((rc = scry_pypy_dict_next(p->runtime, dict, &it, &key, &value)) == SCRY_ITEM &&
	       scry_printer_more(p, n++, UINT64_MAX)) {
		scry_pypy_print_name(p, key);
		scry_buf_puts(p->out, ": ");
		scry_print(p, value);
	}
	return rc < 0 ? rc : SCRY_OK;
}

static int print_dict_items(struct scry_printer *p, scry_addr addr, const char *strategy)
{
	if (!strcmp(strategy, "MapDictStrategy"))
		return print_attributes(p, addr);
	scry_addr storage = scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_DICT_STORAGE);

	if (is_any(strategy, "EmptyDictStrategy", "EmptyKwargsDictStrategy"))
		return SCRY_OK;
	return strcmp(strategy, "KwargsDictStrategy") ? print_entries(p, storage, strategy)
						      : print_kwargs(p, storage);
}

static int print_dict_by(struct scry_printer *p, scry_addr addr, enum scry_pypy_field f)
{
	const char *strategy = strategy_of(p->runtime->pypy, addr, f);

	if (!strcmp(strategy, "ClassDictStrategy")) { /* what a class has, seen as a dict */
		scry_printf(p, "<dict at 0x%" PRIx64 ">", addr);
		return SCRY_OK;
	}
	if (!scry_printer_enter(p, addr, "{...}"))
		return SCRY_OK;
	scry_buf_putc(p->out, '{');
	int rc = print_dict_items(p, addr, strategy);
	scry_buf_putc(p->out, '}');
	scry_printer_leave(p);
	return rc;
}

int scry_pypy_print_dict(struct scry_printer *p, scry_addr addr)
{
	return print_dict_by(p, addr, SCRY_PYPY_DICT_STRATEGY);
}

int scry_pypy_print_module_dict(struct scry_printer *p, scry_addr addr)
{
	return print_dict_by(p, addr, SCRY_PYPY_MODULE_DICT_STRATEGY);
}

static int print_set_as(struct scry_printer *p, scry_addr addr, const char *name)
{
	struct scry_pypy *y = p->runtime->pypy;
	const char *strategy = strategy_of(y, addr, SCRY_PYPY_SET_STRATEGY);
	bool braces = !strcmp(name, "set") && !scry_pypy_is_python2(p->runtime);

	if (!strcmp(strategy, "EmptySetStrategy")) {
		scry_printf(p, scry_pypy_is_python2(p->runtime) ? "%s([])" : "%s()", name);
		return SCRY_OK;
	}
	if (!scry_printer_enter(p, addr, "set(...)"))
		return SCRY_OK;
	scry_printf(p, "%s%s", braces ? "" : name,
		    braces                             ? "{"
		    : scry_pypy_is_python2(p->runtime) ? "(["
						       : "({");
	int rc = print_entries(p, scry_pypy_get(y, addr, SCRY_PYPY_SET_STORAGE), strategy);
	scry_buf_puts(p->out, braces ? "}" : scry_pypy_is_python2(p->runtime) ? "])" : "})");
	scry_printer_leave(p);
	return rc;
}

int scry_pypy_print_set(struct scry_printer *p, scry_addr addr)
{
	return print_set_as(p, addr, "set");
}

int scry_pypy_print_frozenset(struct scry_printer *p, scry_addr addr)
{
	return print_set_as(p, addr, "frozenset");
}

/* kwargsdict.py: the n-th of a list of keys and a list of values. */
static int kwargs_next(struct scry_pypy *y, scry_addr storage, bool bytes, uint64_t *it,
		       struct scry_pypy_item *key, struct scry_pypy_item *value)
{
	struct scry_session *s = y->runtime->session;
	scry_addr list[2], items[2];
	enum scry_pypy_kind kind[2];
	uint64_t count[2], word[2];

	if (!scry_pypy_type_of(y, &storage))
		return SCRY_ECORRUPT;
	for (unsigned i = 0; i < 2; i++)
		if (scry_read_ptr(s, storage + 8 * (i + 1), &list[i]) < 0 ||
		    scry_pypy_items_open(y, list[i], i == 0 && bytes, &kind[i], &items[i],
					 &count[i]) < 0)
			return SCRY_ECORRUPT;
	if (*it >= count[0] || *it >= count[1])
		return SCRY_OK;
	for (unsigned i = 0; i < 2; i++)
		if (scry_read_uint(s, items[i] + 8 * *it, 8, &word[i]) < 0)
			return SCRY_EFAULT;
	++*it;
	*key = (struct scry_pypy_item) { kind[0], word[0] };
	*value = (struct scry_pypy_item) { kind[1], word[1] };
	return SCRY_ITEM;
}

static int entry_next(struct scry_runtime *r, scry_addr dict, const char *strategy, uint64_t *it,
		      struct scry_pypy_item *key, struct scry_pypy_item *value)
{
	scry_addr storage = scry_pypy_get(r->pypy, dict, SCRY_PYPY_DICT_STORAGE);
	struct scry_pypy_table t;

	if (is_any(strategy, "EmptyDictStrategy", "EmptyKwargsDictStrategy"))
		return SCRY_OK;
	if (!strcmp(strategy, "KwargsDictStrategy"))
		return kwargs_next(r->pypy, storage, scry_pypy_is_python2(r), it, key, value);
	int rc = scry_pypy_table_open(r->pypy, storage, keeps_bytes(r, strategy), &t);
	if (rc == SCRY_OK && t.deleted_unknown)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, dict,
				 "nothing tells which entries of the dict at 0x%" PRIx64
				 " are deleted",
				 dict);
	return rc < 0 || !t.value_at ? rc : scry_pypy_table_next(&t, it, key, value);
}

int scry_pypy_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
			scry_addr *ret_value)
{
	struct scry_pypy *y = r->pypy;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &dict);
	bool of_module = scry_pypy_is(y, t, SCRY_PYPY_CLASS_MODULE_DICT);
	struct scry_pypy_item key, value;
	struct scry_found found;

	if (!of_module && !scry_pypy_is(y, t, SCRY_PYPY_CLASS_DICT))
		return scry_fail(r->session, SCRY_ECORRUPT, dict, "no dict at 0x%" PRIx64, dict);
	const char *strategy = strategy_of(
		y, dict, of_module ? SCRY_PYPY_MODULE_DICT_STRATEGY : SCRY_PYPY_DICT_STRATEGY);
	if (!strcmp(strategy, "MapDictStrategy")) {
		int rc = scry_pypy_attribute_next(r, scry_pypy_get(y, dict, SCRY_PYPY_DICT_STORAGE),
						  it, ret_key, &found);

		*ret_value = found.addr;
		return rc;
	}
	int rc = entry_next(r, dict, strategy, it, &key, &value);
	if (rc != SCRY_ITEM)
		return rc;
	/* names stay as they are: scry_text_at() and scry_print() take them */
	*ret_key = key.kind == SCRY_PYPY_STR || key.kind == SCRY_PYPY_BYTES
			   ? key.bits
			   : scry_pypy_boxed(y, key);
	*ret_value = scry_pypy_boxed(
		y, value.kind == SCRY_PYPY_OBJECT ? scry_pypy_open_cell(y, value.bits) : value);
	return SCRY_ITEM;
}

/* A value by its key, of a dict object or of an RPython dictionary. */
int scry_pypy_table_get(struct scry_runtime *r, struct scry_pypy_table *t, const char *key,
			scry_addr *ret)
{
	struct scry_pypy_item k, value;
	const char *text;
	uint64_t it = 0;
	int rc;

	while ((rc = scry_pypy_table_next(t, &it, &k, &value)) == SCRY_ITEM)
		if (value.kind == SCRY_PYPY_OBJECT &&
		    (k.kind == SCRY_PYPY_STR || k.kind == SCRY_PYPY_OBJECT) &&
		    scry_pypy_text_at(r, k.bits, strlen(key) + 1, &text) == SCRY_OK &&
		    !strcmp(text, key)) {
			*ret = value.bits;
			return SCRY_OK;
		}
	return rc < 0 ? rc : SCRY_ENOTFOUND;
}

int scry_pypy_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret)
{
	struct scry_pypy_table t;
	int rc = SCRY_ECORRUPT;

	if (scry_pypy_type_of(r->pypy, &dict))
		rc = scry_pypy_table_open(
			r->pypy, scry_pypy_get(r->pypy, dict, SCRY_PYPY_DICT_STORAGE), false, &t);
	return rc < 0 ? rc : scry_pypy_table_get(r, &t, key, ret);
}
