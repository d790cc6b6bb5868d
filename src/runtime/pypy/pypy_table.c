/*
 * PyPy's containers below the objects: arrays, lists and ordered dictionaries of RPython. The list
 * of types says what their items are: rpython/rtyper/lltypesystem/rordereddict.py, rlist.py.
 */
#include "runtime/pypy/pypy.h"

#include <inttypes.h>
#include <string.h>

#define ENTRY_MAX 64
#define ITEMS_MAX ((uint64_t)1 << 40)

/*
 * "* GcStruct rpy_string { ...", "Signed", "Float" ...; everything else is a pointer to an object.
 */
static enum scry_pypy_kind kind_of(const char *text, bool bytes)
{
	static const struct {
		const char *begin;
		enum scry_pypy_kind kind;
	} kinds[] = { { "* GcStruct rpy_string", SCRY_PYPY_STR },
		      { "Signed", SCRY_PYPY_INTEGER },
		      { "Float", SCRY_PYPY_FLOAT } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(text, kinds[i].begin, strlen(kinds[i].begin)))
			return kinds[i].kind == SCRY_PYPY_STR && bytes ? SCRY_PYPY_BYTES
								       : kinds[i].kind;
	return SCRY_PYPY_OBJECT;
}

int scry_pypy_items_open(struct scry_pypy *p, scry_addr storage, bool bytes,
			 enum scry_pypy_kind *ret_kind, scry_addr *ret_items, uint64_t *ret_count)
{
	static const char array[] = "GcArray of ";
	struct scry_session *s = p->runtime->session;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &storage);
	uint64_t count = 0, room;
	bool is_list = t && !strcmp(t->name, "list"); /* { length, items } */
	scry_addr items = storage;

	if (is_list && (scry_read_uint(s, storage + 8, 8, &count) < 0 ||
			scry_read_ptr(s, storage + 16, &items) < 0))
		return SCRY_EFAULT;
	t = is_list ? scry_pypy_type_of(p, &items) : t;
	if (!t || strncmp(t->name, array, sizeof(array) - 1))
		return scry_fail(s, SCRY_ECORRUPT, storage, "no items at 0x%" PRIx64, storage);
	int rc = scry_pypy_array(p, items, &room, ret_items);
	if (rc < 0)
		return rc;
	if (room > ITEMS_MAX || (is_list && count > room))
		return scry_fail(s, SCRY_ECORRUPT, storage,
				 "a list of %" PRIu64 " items with room for %" PRIu64, count, room);
	*ret_count = is_list ? count : room;
	*ret_kind = kind_of(t->name + sizeof(array) - 1, bytes);
	/* an array of any pointers: 8.0 has one for all */
	if (bytes && *ret_kind == SCRY_PYPY_OBJECT)
		*ret_kind = SCRY_PYPY_BYTES;
	return SCRY_OK;
}

/* varitemsize follows the four words that every type_info has. */
static uint64_t item_size(struct scry_pypy *p, const struct scry_pypy_type *t)
{
	uint64_t size = 0;

	scry_read_uint(p->runtime->session, p->group + t->tid + 32, 8, &size);
	return size;
}

/*
 * "GcArray of odictentry { key: Signed, f_valid: Bool, value: Void }": eight bytes each, Void none.
 */
static bool read_entry(struct scry_pypy_table *t, const char *text, bool bytes)
{
	const char *key = strstr(text, "odictentry { key: "),
		   *valid = strstr(text, ", f_valid: Bool"), *value = strstr(text, ", value: ");

	if (!key || !value)
		return false;
	t->key = kind_of(key + strlen("odictentry { key: "), bytes);
	t->value = kind_of(value + strlen(", value: "), false);
	bool before = valid && valid < value;
	t->valid_at = before ? 8 : 0;
	if (strncmp(value, ", value: Void", 13)) {
		t->value_at = before ? 16 : 8;
		if (valid && !before)
			t->valid_at = t->value_at + 8;
	} else if (valid && !before) {
		t->valid_at = 8;
	}
	return true;
}

int scry_pypy_table_open(struct scry_pypy *p, scry_addr table, bool bytes,
			 struct scry_pypy_table *ret)
{
	struct scry_session *s = p->runtime->session;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &table);
	struct scry_pypy_table v = { .pypy = p };
	uint64_t room;

	if (!t || strcmp(t->name, "dicttable"))
		return scry_fail(s, SCRY_ECORRUPT, table, "no dictionary at 0x%" PRIx64, table);
	v.live = scry_pypy_get(p, table, SCRY_PYPY_TABLE_LIVE);
	v.used = scry_pypy_get(p, table, SCRY_PYPY_TABLE_USED);
	scry_addr entries = scry_pypy_get(p, table, SCRY_PYPY_TABLE_ENTRIES);
	t = scry_pypy_type_of(p, &entries);
	if (!t || !read_entry(&v, t->name, bytes) ||
	    scry_pypy_array(p, entries, &room, &v.entries) < 0 || v.used > room ||
	    v.live > v.used || room > ITEMS_MAX)
		return scry_fail(s, SCRY_ECORRUPT, table,
				 "the dictionary at 0x%" PRIx64 " is damaged", table);
	v.entry_size = (unsigned)item_size(p, t);
	if (!v.entry_size || v.entry_size > ENTRY_MAX || v.entry_size < v.value_at + 8)
		return scry_fail(s, SCRY_ECORRUPT, table, "dictionary entries of %u bytes",
				 v.entry_size);
	/*
	 * a deleted entry has NULL or a dummy object for its value or key; a dummy string looks
	 * like any other
	 */
	v.deleted_unknown = v.live < v.used && !v.valid_at && v.key != SCRY_PYPY_OBJECT &&
			    (!v.value_at || v.value != SCRY_PYPY_OBJECT);
	*ret = v;
	return SCRY_OK;
}

/*
 * NULL, or the empty object that stands for nothing: get_ll_dummyval_obj(),
 * rpython/rtyper/rclass.py.
 */
static bool is_dummy(struct scry_pypy *p, enum scry_pypy_kind kind, scry_addr object)
{
	const struct scry_pypy_type *t;

	if (kind != SCRY_PYPY_OBJECT)
		return false;
	t = scry_pypy_type_of(p, &object);
	return !object || (t && !strcmp(t->name, "object"));
}

int scry_pypy_table_next(struct scry_pypy_table *t, uint64_t *it, struct scry_pypy_item *ret_key,
			 struct scry_pypy_item *ret_value)
{
	struct scry_session *s = t->pypy->runtime->session;

	for (; *it < t->used; ++*it) {
		scry_addr at = t->entries + *it * t->entry_size;
		uint64_t key, value = 0, valid = 1;

		if (scry_read_uint(s, at, 8, &key) < 0 ||
		    (t->value_at && scry_read_uint(s, at + t->value_at, 8, &value) < 0) ||
		    (t->valid_at && scry_read_uint(s, at + t->valid_at, 1, &valid) < 0))
			return SCRY_EFAULT;
		if (!valid || is_dummy(t->pypy, t->key, key) ||
		    (t->value_at && is_dummy(t->pypy, t->value, value)))
			continue;
		++*it;
		*ret_key = (struct scry_pypy_item) { t->key, key };
		*ret_value = (struct scry_pypy_item) { t->value, value };
		return SCRY_ITEM;
	}
	return SCRY_OK;
}

/* --- sys.modules --- */

struct modules_search {
	struct scry_pypy_scan scan;
	scry_addr found;
};

/* A module of the interpreter's with "modules" in its dictionary. */
static bool is_sys(struct scry_pypy_scan *scan, scry_addr at)
{
	struct modules_search *m = (struct modules_search *)scan;
	struct scry_pypy *p = scan->pypy;
	scry_addr dict = scry_pypy_get(p, at, SCRY_PYPY_MODULE_DICT);
	struct scry_pypy_item key, value;
	struct scry_pypy_table t;
	const char *text;
	uint64_t it = 0;

	if (!scry_pypy_type_of(p, &dict) ||
	    scry_pypy_table_open(p, scry_pypy_get(p, dict, SCRY_PYPY_DICT_STORAGE), false, &t) < 0)
		return true;
	while (scry_pypy_table_next(&t, &it, &key, &value) == SCRY_ITEM)
		if (scry_pypy_text_at(p->runtime, key.bits, 10, &text) == SCRY_OK &&
		    !strcmp(text, "modules"))
			m->found = value.bits;
	return !m->found;
}

scry_addr scry_pypy_modules(struct scry_pypy *p)
{
	struct modules_search m = { .scan = { .pypy = p, .found = is_sys } };
	const struct scry_pypy_type *t =
		scry_pypy_type_named(p, "pypy.module.sys.moduledef.Module");

	if (t) {
		m.scan.low = t->tid;
		scry_pypy_scan(&m.scan);
	}
	return m.found;
}
