/* What fills the memory. */
#include "heap/survey.h"

#include <stdlib.h>

/* --- the largest --- */

/* A heap with the smallest of the chosen at its root. */
static void sift(struct scry_heap *h, uint32_t *list, size_t n, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (scry_heap_bytes(h, list[child]) < scry_heap_bytes(h, list[least]))
				least = child;
		if (least == i)
			return;
		uint32_t other = list[i];

		list[i] = list[least];
		list[least] = other;
		i = least;
	}
}

/*
 * The `max` largest of millions: a heap of the best so far, whose worst is replaced. Sizes that the
 * list has no room for (UINT32_MAX) are asked for only where they decide.
 */
size_t scry_heap_largest(struct scry_heap *h, uint32_t type, size_t max, uint32_t *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; max && i < h->count; i++) {
		if (type != SCRY_HEAP_NONE && h->objects[i].type != type)
			continue;
		if (n < max) {
			ret[n++] = i;
			if (n == max)
				for (size_t at = n; at-- > 0;)
					sift(h, ret, n, at);
		} else if (h->objects[i].bytes >= h->objects[ret[0]].bytes &&
			   scry_heap_bytes(h, i) > scry_heap_bytes(h, ret[0])) {
			ret[0] = i;
			sift(h, ret, n, 0);
		}
	}
	for (size_t at = n; at-- > 0;)
		sift(h, ret, n, at);
	for (size_t left = n; left > 1; left--) {
		uint32_t least = ret[0];

		ret[0] = ret[left - 1];
		ret[left - 1] = least;
		sift(h, ret, left - 1, 0);
	}
	return n;
}

/* --- equal texts --- */

struct table {
	struct slot {
		uint64_t hash; /* 0: the slot is free */
		struct scry_heap_text text;
	} * slots;
	size_t size, count;
};

/* FNV-1a, eight bytes at a time. */
static bool hash_text(struct scry_heap *h, const struct scry_text_view *v, uint64_t *ret)
{
	uint64_t hash = 0xcbf29ce484222325u ^ v->kind ^ (uint64_t)v->bytes << 8, left;
	scry_addr at = v->data;

	for (left = v->length * v->kind; left;) {
		size_t n = 0;
		const uint8_t *p = scry_reader_view(&h->reader, at, &n);

		if (!p || !n)
			return false;
		n = n < left ? n : (size_t)left;
		for (size_t i = 0; i < n; i += 8) {
			uint64_t word = 0;

			memcpy(&word, p + i, n - i < 8 ? n - i : 8);
			hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
			hash ^= hash >> 29;
		}
		at += n;
		left -= n;
	}
	*ret = hash ^ v->length ? hash ^ v->length : 1;
	return true;
}

static bool grow(struct table *t)
{
	struct table new = { .size = t->size ? t->size * 2 : 1024 };

	new.slots = calloc(new.size, sizeof(*new.slots));
	if (!new.slots)
		return false;
	for (size_t i = 0; i < t->size; i++) {
		size_t at = t->slots[i].hash & (new.size - 1);

		if (!t->slots[i].hash)
			continue;
		while (new.slots[at].hash)
			at = (at + 1) & (new.size - 1);
		new.slots[at] = t->slots[i];
	}
	new.count = t->count;
	free(t->slots);
	*t = new;
	return true;
}

/*
 * Equal hashes are taken for equal texts, without a second look at either: of a million texts two
 * that differ share 64 bits in one heap of some thirty million.
 */
static bool put(struct table *t, uint64_t hash, uint32_t object, uint64_t bytes)
{
	if (t->count * 4 >= t->size * 3 && !grow(t))
		return false;
	size_t at = hash & (t->size - 1);

	while (t->slots[at].hash && t->slots[at].hash != hash)
		at = (at + 1) & (t->size - 1);
	struct slot *slot = &t->slots[at];

	if (!slot->hash) {
		t->count++;
		*slot = (struct slot) { .hash = hash, .text = { .first = object } };
	}
	slot->text.count++;
	slot->text.bytes += bytes;
	return true;
}

/* What all copies but one take. */
static uint64_t waste(const struct scry_heap_text *t)
{
	return t->bytes - t->bytes / t->count;
}

static int by_waste(const void *a, const void *b)
{
	uint64_t x = waste(a), y = waste(b);

	if (x != y)
		return x < y ? 1 : -1;
	return ((const struct scry_heap_text *)a)->first > ((const struct scry_heap_text *)b)->first
		       ? 1
		       : -1;
}

int scry_heap_texts(struct scry_heap *h, struct scry_heap_text **ret, size_t *ret_count)
{
	struct table t = { 0 };
	size_t n = 0;
	bool whole = true;

	for (uint32_t i = 0; i < h->count && whole && !h->runtime->session->stopped; i++) {
		const struct scry_type *type = scry_heap_type_of(h, i)->type;
		struct scry_text_view v;
		uint64_t hash;

		if (type->flags & (TYPE_UNICODE | TYPE_BYTES) &&
		    scry_text_open(h->runtime, h->objects[i].addr, &v) == SCRY_OK &&
		    hash_text(h, &v, &hash))
			whole = put(&t, hash, i, scry_heap_bytes(h, i));
	}
	struct scry_heap_text *found = malloc((t.count + 1) * sizeof(*found));

	if (!found || !whole) {
		free(found);
		free(t.slots);
		return scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	}
	for (size_t i = 0; i < t.size; i++)
		if (t.slots[i].hash && t.slots[i].text.count > 1)
			found[n++] = t.slots[i].text;
	free(t.slots);
	if (n)
		qsort(found, n, sizeof(*found), by_waste);
	*ret = found;
	*ret_count = n;
	return SCRY_OK;
}
