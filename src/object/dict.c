/* Dicts and sets of every generation, as arrays of entries that are walked within bounds. */
#include "object/contradict.h"
#include "object/known.h"
#include "object/text_hash.h"
#include "object/printer.h"

/* One table is at most this many bytes: hostile sizes end here, real ones by what memory holds. */
#define TABLE_MAX (1ull << 40)
#define EMBEDDED  2 /* which byte of a dict's values says that they are in an object: 3.13+ */

static int corrupt(struct scry_runtime *r, scry_addr addr, const char *what, uint64_t n)
{
	int64_t size = scry_signed_size(r, n);

	if (size < 0)
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "its size is %" PRId64, size);
	return scry_fail(r->session, SCRY_ECORRUPT, addr, "%s at 0x%" PRIx64 " says %" PRId64, what,
			 addr, size);
}

/* The last byte of the table is there: the count cannot be more than what memory holds. */
static int check_table(struct scry_runtime *r, scry_addr start, uint64_t count, uint64_t stride,
		       const char *what)
{
	uint8_t byte;

	if (count && (stride == 0 || count > TABLE_MAX / stride))
		return corrupt(r, start, what, count);
	return count ? scry_read(r->session, start + count * stride - 1, &byte, 1) : SCRY_OK;
}

/* 2.7: Include/dictobject.h, ma_table of ma_mask + 1 entries */
static int open_table(struct scry_runtime *r, scry_addr dict, struct scry_dict_view *v)
{
	const struct scry_layout *l = r->layout;
	uint64_t mask;
	int rc = scry_field_read(r, dict, SCRY_F_DICT_MASK, &mask);

	if (rc == SCRY_OK)
		rc = scry_field_read(r, dict, SCRY_F_DICT_TABLE, &v->entries);
	if (rc == SCRY_OK)
		rc = scry_field_read(r, dict, SCRY_F_DICT_USED, &v->used);
	if (rc < 0)
		return rc;
	v->count = mask + 1;
	v->stride = l->size[SCRY_S_ENTRY];
	v->key = l->slot[SCRY_F_ENTRY_KEY].offset;
	v->value = l->slot[SCRY_F_ENTRY_VALUE].offset;
	v->hash = (int)l->slot[SCRY_F_ENTRY_HASH].offset;
	if (mask & (mask + 1) || v->used > v->count)
		return corrupt(r, dict, "dict", mask);
	return check_table(r, v->entries, v->count, v->stride, "dict");
}

/*
 * 3.11+ says both sizes as logarithms; 3.6-3.10 has the number of slots and as many index bytes as
 * that needs.
 */
static int keys_shape(struct scry_runtime *r, scry_addr keys, uint64_t *ret_slots,
		      uint64_t *ret_index_bytes)
{
	uint64_t log2_size, log2_bytes;
	int rc = scry_field_read(r, keys, SCRY_F_KEYS_LOG2_SIZE, &log2_size);

	if (rc == SCRY_OK) {
		rc = scry_field_read(r, keys, SCRY_F_KEYS_LOG2_INDEX_BYTES, &log2_bytes);
		if (rc < 0)
			return rc;
		if (log2_size > 40 || log2_bytes > 44)
			return corrupt(r, keys, "dict keys", log2_size);
		*ret_slots = 1ull << log2_size;
		*ret_index_bytes = 1ull << log2_bytes;
		return SCRY_OK;
	}
	rc = rc == SCRY_ENOFIELD ? scry_field_read(r, keys, SCRY_F_KEYS_SIZE, ret_slots) : rc;
	if (rc < 0)
		return rc;
	uint64_t n = *ret_slots;
	if (n > TABLE_MAX || n & (n - 1))
		return corrupt(r, keys, "dict keys", n);
	/* Objects/dictobject.c, 3.6: DK_IXSIZE */
	*ret_index_bytes = n * (n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8);
	return SCRY_OK;
}

static void keys_entries(struct scry_runtime *r, scry_addr keys, uint64_t index_bytes,
			 struct scry_dict_view *v)
{
	const struct scry_layout *l = r->layout;
	uint64_t kind = 0;
	bool compact =
		scry_layout_has(l, SCRY_F_KEYS_INDICES) || scry_layout_has(l, SCRY_F_KEYS_NENTRIES);
	bool text_keys = scry_field_read(r, keys, SCRY_F_KEYS_KIND, &kind) == SCRY_OK && kind != 0;

	/*
	 * dk_indices[] ends the struct and the entries follow; 3.3-3.5 has dk_entries[1] and no
	 * indices
	 */
	if (compact)
		v->entries = (scry_layout_has(l, SCRY_F_KEYS_INDICES)
				      ? scry_field_addr(r, keys, SCRY_F_KEYS_INDICES)
				      : keys + l->size[SCRY_S_KEYS]) +
			     index_bytes;
	else
		v->entries = scry_field_addr(r, keys, SCRY_F_KEYS_ENTRIES);
	v->stride = l->size[text_keys ? SCRY_S_UNICODE_ENTRY : SCRY_S_ENTRY];
	v->key = l->slot[text_keys ? SCRY_F_UNICODE_ENTRY_KEY : SCRY_F_ENTRY_KEY].offset;
	v->value = l->slot[text_keys ? SCRY_F_UNICODE_ENTRY_VALUE : SCRY_F_ENTRY_VALUE].offset;
	v->hash = text_keys ? -1 : (int)l->slot[SCRY_F_ENTRY_HASH].offset;
	if (text_keys && index_bytes)
		v->indices = v->entries - index_bytes;
}

int scry_keys_open(struct scry_runtime *r, scry_addr keys, struct scry_dict_view *v)
{
	uint64_t slots = 0, index_bytes = 0;
	int rc = keys_shape(r, keys, &slots, &index_bytes);

	if (rc < 0)
		return rc;
	v->runtime = r;
	keys_entries(r, keys, index_bytes, v);
	v->slots = slots;
	v->index_size = slots ? (unsigned)(index_bytes / slots) : 0;
	rc = scry_field_read(r, keys, SCRY_F_KEYS_NENTRIES, &v->count);
	if (rc == SCRY_ENOFIELD)
		v->count = slots; /* 3.3-3.5: a hash table */
	else if (rc < 0)
		return rc;
	if (v->count > slots)
		return corrupt(r, keys, "dict keys", v->count);
	return check_table(r, v->entries, v->count, v->stride, "dict keys");
}

/*
 * Split tables. 3.11 and 3.12 keep the order in bytes that run down from in front of the values
 * (-1: prefix size, -2: how many), 3.13+ in bytes after them (Include/internal/pycore_dict.h,
 * get_insertion_order_array()).
 */
/* Each byte of the order is another one of the keys. */
static int check_order(struct scry_runtime *r, scry_addr values, const struct scry_dict_view *v,
		       uint64_t keys)
{
	uint8_t byte;
	uint64_t seen[4] = { 0 };

	if (v->count > keys)
		return scry_fail(r->session, SCRY_ECORRUPT, values,
				 "%" PRIu64 " values of %" PRIu64 " keys", v->count, keys);
	for (uint64_t i = 0; v->order && i < v->count; i++) {
		int rc = scry_read(r->session, v->order + (uint64_t)((int64_t)i * v->order_step),
				   &byte, 1);

		if (rc < 0)
			return rc;
		if (byte >= keys || seen[byte / 64] >> byte % 64 & 1)
			return scry_fail(r->session, SCRY_ECORRUPT, values,
					 "the order of the values at 0x%" PRIx64 " is damaged",
					 values);
		seen[byte / 64] |= 1ull << byte % 64;
	}
	return SCRY_OK;
}

/*
 * They begin what was given out, but 3.11 and 3.12 have the order in front, whose last byte is its
 * length: Objects/dictobject.c, new_values(). From 3.13 on they may be a part of their object.
 */
static int check_values(struct scry_runtime *r, scry_addr values)
{
	uint8_t byte = 0;

	if (scry_layout_has(r->layout, SCRY_F_VALUES_CAPACITY)) {
		if (scry_read(r->session, values + EMBEDDED, &byte, 1) < 0 || byte)
			return SCRY_OK;
	} else if (scry_layout_has(r->layout, SCRY_F_KEYS_KIND)) {
		if (scry_read(r->session, values - 1, &byte, 1) < 0)
			return SCRY_OK;
		values -= byte;
	}
	return scry_check_given(r, values);
}

int scry_values_open(struct scry_runtime *r, scry_addr values, struct scry_dict_view *v)
{
	uint64_t keys = v->count;
	const struct scry_layout *l = r->layout;
	uint64_t capacity, size;
	uint8_t n;

	v->values = values + l->slot[SCRY_F_VALUES_VALUES].offset;
	if (scry_layout_has(l, SCRY_F_VALUES_CAPACITY)) {
		int rc = scry_field_read(r, values, SCRY_F_VALUES_CAPACITY, &capacity);

		rc = rc < 0 ? rc : scry_field_read(r, values, SCRY_F_VALUES_SIZE, &size);
		if (rc < 0)
			return rc;
		if (size > capacity)
			return corrupt(r, values, "values", size);
		v->order = v->values + capacity * r->session->target->abi.ptr_size;
		v->order_step = 1;
		v->count = size;
	} else if (scry_layout_has(l, SCRY_F_KEYS_KIND)) {
		int rc = scry_read(r->session, values - 2, &n, 1);

		if (rc < 0)
			return rc;
		v->order = values - 3;
		v->order_step = -1;
		v->count = n;
	}
	int rc = check_values(r, values);

	return rc < 0 ? rc : check_order(r, values, v, keys);
}

int scry_dict_open(struct scry_runtime *r, scry_addr dict, struct scry_dict_view *ret)
{
	struct scry_dict_view v = { .runtime = r };
	scry_addr keys, values = 0;

	if (!scry_layout_has(r->layout, SCRY_F_DICT_KEYS)) {
		int rc = open_table(r, dict, &v);

		if (rc == SCRY_OK)
			*ret = v;
		return rc;
	}
	int rc = scry_field_read(r, dict, SCRY_F_DICT_KEYS, &keys);
	if (rc == SCRY_OK)
		rc = scry_field_read(r, dict, SCRY_F_DICT_USED, &v.used);
	if (rc == SCRY_OK)
		rc = scry_keys_open(r, keys, &v);
	if (rc == SCRY_OK)
		rc = scry_field_read(r, dict, SCRY_F_DICT_VALUES, &values);
	if (rc == SCRY_OK && v.used > v.count)
		rc = corrupt(r, dict, "dict", v.used);
	if (rc == SCRY_OK && values)
		rc = scry_values_open(r, values, &v);
	if (rc == SCRY_OK)
		*ret = v;
	return rc;
}

/* The index of the `i`th entry in insertion order. */
static int entry_index(const struct scry_dict_view *v, uint64_t i, uint64_t *ret)
{
	uint8_t byte;

	*ret = i;
	if (!v->order)
		return SCRY_OK;
	int rc = scry_read(v->runtime->session, v->order + (uint64_t)((int64_t)i * v->order_step),
			   &byte, 1);
	*ret = byte;
	return rc;
}

int scry_dict_view_next(const struct scry_dict_view *v, uint64_t *it, scry_addr *ret_key,
			scry_addr *ret_value)
{
	struct scry_runtime *r = v->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t index;
	scry_addr key, value;

	while (*it < v->count) {
		int rc = entry_index(v, (*it)++, &index);
		scry_addr entry = v->entries + index * v->stride;

		rc = rc < 0 ? rc : scry_word(r, entry + v->key, &key);
		rc = rc < 0 ? rc
			    : scry_word(r, v->values ? v->values + index * ptr : entry + v->value,
					&value);
		if (rc < 0)
			return rc;
		if (!key || !value)
			continue; /* free, or deleted */
		*ret_key = key;
		*ret_value = value;
		return SCRY_ITEM;
	}
	return SCRY_OK;
}

/* how often five more bits of a hash count; from then on the slots take their turns */
#define PERTURBS 13

/* Objects/dictobject.c, lookdict_index(), v3.11 to v3.15 */
int scry_dict_view_probe(const struct scry_dict_view *v, uint64_t hash,
			 bool (*is_it)(void *arg, uint64_t index), void *arg)
{
	uint64_t mask = v->slots - 1, at = hash & mask, perturb = hash, index;
	uint64_t none;

	if (!v->indices || !v->slots || !v->index_size || v->index_size > 8)
		return SCRY_EUNSUPPORTED;
	none = UINT64_MAX >> (64 - 8 * v->index_size);
	for (uint64_t i = 0; i < v->slots + PERTURBS; i++) {
		int rc = scry_read_uint(v->runtime->session, v->indices + at * v->index_size,
					v->index_size, &index);

		if (rc < 0)
			return rc;
		if (index == none)
			return SCRY_OK;
		if (is_it(arg, index))
			return SCRY_ITEM;
		perturb >>= 5;
		at = (at * 5 + perturb + 1) & mask;
	}
	return SCRY_OK;
}

static bool is_index(void *arg, uint64_t index)
{
	return *(const uint64_t *)arg == index;
}

bool scry_dict_view_fits(const struct scry_dict_view *v, uint64_t it, scry_addr key)
{
	unsigned size = v->runtime->layout->slot[SCRY_F_ENTRY_HASH].size;
	uint64_t hash, noted, index;

	if (!it || entry_index(v, it - 1, &index) < 0 || !scry_key_hash(v->runtime, key, &hash))
		return true;
	if (v->hash >= 0 && size)
		return scry_read_uint(v->runtime->session,
				      v->entries + index * v->stride + (unsigned)v->hash, size,
				      &noted) < 0 ||
		       noted == hash;
	/* where the table cannot be asked, nothing speaks against it */
	return scry_dict_view_probe(v, hash, is_index, &index) != SCRY_OK;
}

int scry_cpython_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
			   scry_addr *ret_value)
{
	struct scry_dict_view v;

	int rc = scry_dict_open(r, dict, &v);
	return rc < 0 ? rc : scry_dict_view_next(&v, it, ret_key, ret_value);
}

/*
 * --- sets: a hash table of key and hash in all versions; a dummy's key is an object of its own
 * with hash -1 ---
 */

int scry_set_next(struct scry_runtime *r, scry_addr set, uint64_t *it, scry_addr *ret)
{
	const struct scry_layout *l = r->layout;
	uint64_t mask, hash, stride = l->size[SCRY_S_SET_ENTRY];
	scry_addr table, key;

	if (scry_model_of(r)->suspended)
		return scry_model_of(r)->suspended->set_next(r, set, it, ret);
	int rc = scry_field_read(r, set, SCRY_F_SET_MASK, &mask);

	rc = rc < 0 ? rc : scry_field_read(r, set, SCRY_F_SET_TABLE, &table);
	if (rc < 0)
		return rc;
	if (mask & (mask + 1))
		return corrupt(r, set, "set", mask);
	if (*it == 0 && (rc = check_table(r, table, mask + 1, stride, "set")) < 0)
		return rc;
	/*
	 * 2.7 and 3.3: a str; 3.4 to 3.6: an object with a type of its own; later the hash -1 says
	 * it
	 */
	while (*it <= mask) {
		scry_addr entry = table + (*it)++ * stride;

		rc = scry_field_read(r, entry, SCRY_F_SET_ENTRY_KEY, &key);
		rc = rc < 0 ? rc : scry_field_read(r, entry, SCRY_F_SET_ENTRY_HASH, &hash);
		if (rc < 0)
			return rc;
		bool dummy = hash == scry_load("\xff\xff\xff\xff\xff\xff\xff\xff",
					       l->slot[SCRY_F_SET_ENTRY_HASH].size, false);
		if (!key || (dummy && scry_layout_has(l, SCRY_F_DICT_KEYS)) ||
		    scry_text_is(r, key, "<dummy key>") ||
		    scry_is_exactly(r, key, SCRY_IS_SET_DUMMY))
			continue;
		*ret = key;
		return SCRY_ITEM;
	}
	return SCRY_OK;
}

bool scry_set_fits(struct scry_runtime *r, scry_addr set, uint64_t it, scry_addr key)
{
	scry_addr table;
	uint64_t hash, noted;

	return !it || scry_field_read(r, set, SCRY_F_SET_TABLE, &table) < 0 ||
	       !scry_key_hash(r, key, &hash) ||
	       scry_field_read(r, table + (it - 1) * r->layout->size[SCRY_S_SET_ENTRY],
			       SCRY_F_SET_ENTRY_HASH, &noted) < 0 ||
	       noted == hash;
}

/* --- lists and tuples --- */

int scry_sequence(struct scry_runtime *r, scry_addr seq, uint64_t *ret_count, scry_addr *ret_items)
{
	scry_addr items, type;
	uint64_t n, flags;
	uint8_t byte;
	unsigned ptr = r->session->target->abi.ptr_size;

	if (scry_model_of(r)->suspended)
		return scry_model_of(r)->suspended->sequence(r, seq, ret_count, ret_items);
	int rc = scry_field_read(r, seq, SCRY_F_OBJECT_TYPE, &type);

	rc = rc < 0 ? rc : scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags);
	rc = rc < 0 ? rc : scry_field_read(r, seq, SCRY_F_VAR_SIZE, &n);
	if (rc < 0)
		return rc;
	if (!(flags & (TYPE_LIST | TYPE_TUPLE)))
		return scry_fail(r->session, SCRY_ECORRUPT, seq, "no list or tuple at 0x%" PRIx64,
				 seq);
	if (flags & TYPE_LIST)
		rc = scry_field_read(r, seq, SCRY_F_LIST_ITEMS, &items);
	else
		items = scry_field_addr(r, seq, SCRY_F_TUPLE_ITEMS);
	if (rc < 0)
		return rc;
	/* while a list is sorted it is empty and says -1: Objects/listobject.c, list_sort_impl() */
	uint64_t room = flags & TYPE_LIST && scry_layout_has(r->layout, SCRY_F_LIST_ALLOCATED)
				? scry_field_get(r, seq, SCRY_F_LIST_ALLOCATED)
				: n;
	if (n > TABLE_MAX || n > room ||
	    (n && scry_read(r->session, items + n * ptr - 1, &byte, 1) < 0))
		return corrupt(r, seq, flags & TYPE_LIST ? "list" : "tuple", n);
	*ret_count = n;
	*ret_items = items;
	return SCRY_OK;
}

/* --- sizes --- */

/* _PyDict_KeysSize(); two thirds of the slots have room for an entry, up to 3.5 all. */
uint64_t scry_keys_sizeof(struct scry_runtime *r, scry_addr keys)
{
	const struct scry_layout *l = r->layout;
	struct scry_dict_view v = { 0 };
	uint64_t slots, index_bytes;

	if (keys_shape(r, keys, &slots, &index_bytes) < 0)
		return 0;
	keys_entries(r, keys, index_bytes, &v);
	if (scry_layout_has(l, SCRY_F_KEYS_NENTRIES))
		return v.entries - keys + slots * 2 / 3 * v.stride;
	return v.entries - keys + slots * v.stride;
}

static uint64_t table_sizeof(struct scry_runtime *r, scry_addr dict, const struct scry_type *t)
{
	scry_addr table = scry_field_get(r, dict, SCRY_F_DICT_TABLE);
	uint64_t mask = scry_field_get(r, dict, SCRY_F_DICT_MASK);

	if (mask >= TABLE_MAX)
		return 0;
	return table - dict < t->basicsize
		       ? t->basicsize
		       : t->basicsize + (mask + 1) * r->layout->size[SCRY_S_ENTRY];
}

/* Objects/dictobject.c, _PyDict_SizeOf(): keys that others share are counted with their type. */
uint64_t scry_dict_sizeof(struct scry_runtime *r, scry_addr dict, const struct scry_type *t)
{
	scry_addr keys = scry_field_get(r, dict, SCRY_F_DICT_KEYS);
	uint64_t size = t->basicsize, slots, index_bytes;
	bool counted = scry_layout_has(r->layout, SCRY_F_KEYS_NENTRIES);

	if (scry_layout_has(r->layout, SCRY_F_DICT_TABLE))
		return table_sizeof(r, dict, t);
	if (keys_shape(r, keys, &slots, &index_bytes) < 0)
		return 0;
	if (scry_field_get(r, dict, SCRY_F_DICT_VALUES)) {
		uint64_t room = counted && scry_layout_has(r->layout, SCRY_F_KEYS_USABLE) &&
						scry_trait(r, SCRY_TRAIT_VALUES_FOR_ALL_KEYS)
					? scry_field_get(r, keys, SCRY_F_KEYS_NENTRIES) +
						  scry_field_get(r, keys, SCRY_F_KEYS_USABLE)
				: counted ? slots * 2 / 3
					  : slots;

		size += room * r->session->target->abi.ptr_size;
	}
	if (scry_field_get(r, keys, SCRY_F_KEYS_REFCNT) == 1)
		size += scry_keys_sizeof(r, keys);
	return size;
}
