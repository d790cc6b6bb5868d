/* References that are in tables of their own: dicts, sets, deques, types, instances' values. */
#include "heap/visit_row.h"

#define TABLE_MAX      (1ull << 36)
#define BLOCKS_MAX     (1ull << 26)
#define INTERNED_LEAST 64 /* entries that have themselves as their values */

/* --- dicts --- */

/*
 * The dict of interned strings, which has each as its own value: its references are not counted.
 * Objects/unicodeobject.c, PyUnicode_InternInPlace(); Objects/stringobject.c of 2.7.
 */
static bool is_interned(struct scry_visiting *v, const struct scry_dict_view *d)
{
	scry_addr key, value;
	unsigned same = 0;

	if (d->values || d->count < INTERNED_LEAST)
		return false;
	for (uint64_t i = 0; i < d->count && same < INTERNED_LEAST; i++) {
		scry_addr entry = d->entries + i * d->stride;

		if (!scry_reader_word(v->rd, entry + d->key, &key) ||
		    !scry_reader_word(v->rd, entry + d->value, &value) || (value && key != value))
			return false;
		same += value != 0;
	}
	return same == INTERNED_LEAST;
}

/* Keys that several dicts share are the class's: scry_visit_type(). */
static void visit_entries(struct scry_visiting *v, const struct scry_dict_view *d)
{
	struct scry_reference key = { .from = v->addr,
				      .kind = SCRY_SLOT_KEY,
				      .certain = true,
				      .counted = !is_interned(v, d) },
			      value = key;

	value.kind = SCRY_SLOT_VALUE;
	for (uint64_t i = 0; i < d->count && i < TABLE_MAX; i++) {
		uint64_t index = i;
		scry_addr entry;

		if (d->order &&
		    !scry_reader_uint(v->rd, d->order + (uint64_t)((int64_t)i * d->order_step), 1,
				      &index))
			break;
		entry = d->entries + index * d->stride;
		if (!scry_reader_word(v->rd, entry + d->key, &key.to))
			break;
		key.at = entry + d->key;
		value.at = d->values ? d->values + index * v->rd->ptr : entry + d->value;
		if (!scry_reader_word(v->rd, value.at, &value.to))
			break;
		value.key = key.to;
		if (!d->values)
			scry_visit_say(v, &key);
		scry_visit_say(v, &value);
	}
}

void scry_visit_dict(struct scry_visiting *v)
{
	scry_addr values = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_DICT_VALUES);
	struct scry_dict_view d;

	/* values that are in an instance are the instance's: dict_traverse(), 3.13 */
	if (values && scry_reader_field(v->rd, v->l, values, SCRY_F_VALUES_EMBEDDED))
		return;
	if (scry_dict_open(v->h->runtime, v->addr, &d) == SCRY_OK)
		visit_entries(v, &d);
}

/* Objects/odictobject.c: each node has a reference to its key beside the dict's own. */
void scry_visit_ordered(struct scry_visiting *v)
{
	scry_addr node = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_ODICT_FIRST);
	uint64_t used = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_DICT_USED);

	scry_visit_dict(v);
	for (uint64_t i = 0; node && i < used && i < TABLE_MAX; i++) {
		if (!scry_visit_word(
			    v, node + v->l->slot[SCRY_F_ODICT_NODE_KEY].offset,
			    &(struct scry_reference) { .kind = SCRY_SLOT_KEY, .counted = true }))
			break;
		node = scry_reader_field(v->rd, v->l, node, SCRY_F_ODICT_NODE_NEXT);
	}
}

/* --- sets --- */

/* A deleted entry has the hash -1 and no reference; up to 3.3 it refers to a str, "<dummy key>". */
void scry_visit_set(struct scry_visiting *v)
{
	uint64_t mask = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_SET_MASK),
		 stride = v->l->size[SCRY_S_SET_ENTRY], hash;
	scry_addr table = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_SET_TABLE);
	unsigned bits = 64 - 8 * v->rd->ptr;

	if (mask & (mask + 1) || mask > TABLE_MAX || !stride || !table)
		return;
	for (uint64_t i = 0; i <= mask; i++) {
		scry_addr entry = table + i * stride;

		if (!scry_reader_word(v->rd, entry + v->l->slot[SCRY_F_SET_ENTRY_HASH].offset,
				      &hash))
			break;
		if (hash << bits == UINT64_MAX << bits)
			continue;
		if (!scry_visit_word(v, entry + v->l->slot[SCRY_F_SET_ENTRY_KEY].offset,
				     &(struct scry_reference) { .kind = SCRY_SLOT_KEY,
								.certain = true,
								.counted = true }))
			break;
	}
}

/* --- deques --- */

void scry_visit_deque(struct scry_visiting *v)
{
	const struct scry_slot *data = &v->l->slot[SCRY_F_DEQUE_BLOCK_DATA];
	bool own = scry_layout_has(v->l, SCRY_F_DEQUE_LEN);
	uint64_t n = scry_reader_field(v->rd, v->l, v->addr,
				       own ? SCRY_F_DEQUE_LEN : SCRY_F_VAR_SIZE),
		 at = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_DEQUE_LEFTINDEX),
		 room = data->size / v->rd->ptr;
	scry_addr block = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_DEQUE_LEFT);

	if (!room || at >= room + 1 || n > TABLE_MAX)
		return;
	for (uint64_t i = 0; i < n && block; i++, at++) {
		if (at == room) {
			block = scry_reader_field(v->rd, v->l, block, SCRY_F_DEQUE_BLOCK_RIGHT);
			at = 0;
		}
		if (!block)
			break;
		if (!scry_visit_word(v, block + data->offset + at * v->rd->ptr,
				     &(struct scry_reference) { .kind = SCRY_SLOT_ITEM,
								.index = i,
								.certain = true,
								.counted = true }))
			break;
	}
}

/* --- types --- */

/*
 * Keys that a class's instances share, its own words after the struct of a static type, and the
 * dict that 3.12+ keeps in the interpreter's state for static ones.
 */
void scry_visit_type(struct scry_visiting *v)
{
	struct scry_runtime *r = v->h->runtime;
	uint64_t flags = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_TYPE_FLAGS);
	static const enum scry_field fields[] = { SCRY_F_HEAP_TYPE_NAME, SCRY_F_HEAP_TYPE_SLOTS,
						  SCRY_F_HEAP_TYPE_QUALNAME,
						  SCRY_F_HEAP_TYPE_MODULE };
	struct scry_dict_view d = { 0 };
	struct scry_type *t;
	scry_addr keys, key;

	scry_visit_word(v, v->addr + v->l->slot[SCRY_F_TYPE_BASE].offset,
			&(struct scry_reference) { .kind = SCRY_SLOT_NAME,
						   .certain = true,
						   .counted = flags & TYPE_HEAP,
						   .name = "__base__" });
	if (!(flags & TYPE_HEAP)) {
		struct scry_reference ref = { .from = v->addr,
					      .kind = SCRY_SLOT_NAME,
					      .name = "__dict__" };

		if (scry_type_at(r, v->addr, &t) == SCRY_OK && !t->dict)
			ref.to = scry_type_dict(r, t);
		scry_visit_say(v, &ref);
		return;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (scry_layout_has(v->l, fields[i]))
			scry_visit_word(
				v, v->addr + v->l->slot[fields[i]].offset,
				&(struct scry_reference) { .kind = SCRY_SLOT_WORD,
							   .index = v->l->slot[fields[i]].offset,
							   .certain = true,
							   .counted = true });
	keys = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_HEAP_TYPE_CACHED_KEYS);
	if (!keys || scry_keys_open(r, keys, &d) < 0)
		return;
	for (uint64_t i = 0; i < d.count && i < TABLE_MAX; i++) {
		key = d.entries + i * d.stride + d.key;
		scry_visit_word(
			v, key,
			&(struct scry_reference) { .kind = SCRY_SLOT_KEY, .counted = true });
	}
}

/* --- instances of classes --- */

static void say_dict(struct scry_visiting *v, scry_addr dict, scry_addr at)
{
	scry_visit_say(v, &(struct scry_reference) { .from = v->addr,
						     .at = at,
						     .to = dict,
						     .kind = SCRY_SLOT_NAME,
						     .certain = true,
						     .counted = true,
						     .name = "__dict__" });
}

static void visit_values(struct scry_visiting *v, const struct scry_dict_view *d)
{
	struct scry_reference ref = {
		.from = v->addr, .kind = SCRY_SLOT_ATTR, .certain = true, .counted = true
	};

	for (uint64_t i = 0; i < d->count; i++) {
		uint64_t index = i;

		if (d->order &&
		    !scry_reader_uint(v->rd, d->order + (uint64_t)((int64_t)i * d->order_step), 1,
				      &index))
			break;
		ref.at = d->values + index * v->rd->ptr;
		if (scry_reader_word(v->rd, d->entries + index * d->stride + d->key, &ref.key) &&
		    scry_reader_word(v->rd, ref.at, &ref.to))
			scry_visit_say(v, &ref);
	}
}

/* 3.13+: the values come after the object, and are its own also where a dict shows them. */
static bool visit_inline(struct scry_visiting *v)
{
	const struct scry_type *t = v->type->type;
	scry_addr values = v->addr + t->basicsize,
		  keys = scry_reader_field(v->rd, v->l, t->addr, SCRY_F_HEAP_TYPE_CACHED_KEYS);
	struct scry_dict_view d = { 0 };
	uint64_t count;

	if (!(t->flags & TYPE_INLINE) || !scry_layout_has(v->l, SCRY_F_VALUES_VALID) ||
	    !scry_reader_field(v->rd, v->l, values, SCRY_F_VALUES_VALID) ||
	    scry_keys_open(v->h->runtime, keys, &d) < 0)
		return false;
	count = d.count;
	if (scry_values_open(v->h->runtime, values, &d) < 0)
		return false;
	d.count = d.count < count ? d.count : count;
	visit_values(v, &d);
	return true;
}

void scry_visit_managed(struct scry_visiting *v)
{
	struct scry_dict_view d;
	scry_addr dict;
	bool done = visit_inline(v);

	if (scry_instance_dict(v->h->runtime, v->addr, &dict, &d) < 0)
		return;
	if (d.runtime && !done)
		visit_values(v, &d);
	if (dict)
		say_dict(v, dict, 0);
}

void scry_visit_last_dict(struct scry_visiting *v)
{
	struct scry_dict_view d;
	scry_addr dict;

	if (v->type->type->dictoffset && !v->type->managed &&
	    scry_instance_dict(v->h->runtime, v->addr, &dict, &d) == SCRY_OK && dict)
		say_dict(v, dict, 0);
}
