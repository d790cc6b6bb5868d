#include "base/hash.h"

#include <stdlib.h>

#include "pyscry/pyscry.h"

static size_t place(const struct scry_hash *h, uint64_t key)
{
	/* Fibonacci hashing: addresses differ in their middle bits */
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (h->size - 1);

	while (h->slots[i].value && h->slots[i].key != key)
		i = (i + 1) & (h->size - 1);
	return i;
}

static bool grow(struct scry_hash *h)
{
	struct scry_hash bigger = { .size = h->size ? h->size * 2 : 64, .count = h->count };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < h->size; i++)
		if (h->slots[i].value)
			bigger.slots[place(&bigger, h->slots[i].key)] = h->slots[i];
	free(h->slots);
	*h = bigger;
	return true;
}

void *scry_hash_find(const struct scry_hash *h, uint64_t key)
{
	return h->size ? h->slots[place(h, key)].value : NULL;
}

bool scry_hash_put(struct scry_hash *h, uint64_t key, void *value)
{
	if (h->count * 4 >= h->size * 3 && !grow(h))
		return false;
	struct scry_hash_slot *slot = &h->slots[place(h, key)];
	h->count += slot->value == NULL;
	*slot = (struct scry_hash_slot) { key, value };
	return true;
}

int scry_hash_add(struct scry_hash *h, uint64_t key)
{
	static char present;

	if (scry_hash_find(h, key))
		return 0;
	return scry_hash_put(h, key, &present) ? 1 : SCRY_ENOMEM;
}

void scry_hash_done(struct scry_hash *h)
{
	free(h->slots);
	*h = (struct scry_hash) { 0 };
}
