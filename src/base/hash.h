/** A map from 64-bit keys (target addresses) to pointers. Key 0 is allowed. */
#ifndef SCRY_HASH_H
#define SCRY_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One slot of the table. */
struct scry_hash_slot {
	uint64_t key;
	void *value; /* NULL: the slot is free */
};

/** Numbers to pointers, which the caller owns. Zeroed it is empty; 0 is a key like any other. */
struct scry_hash {
	struct scry_hash_slot *slots;
	size_t count, size; /* size is 0 or a power of two */
};

/** The value stored under `key`, or NULL. */
void *scry_hash_find(const struct scry_hash *h, uint64_t key);
/** Store `value` (not NULL) under `key`, replacing what was there. False when out of memory. */
bool scry_hash_put(struct scry_hash *h, uint64_t key, void *value);
/**
 * Add `key`: 1 where it is new, 0 where it was there already, < 0 when out of memory. For cycle
 * checks.
 */
int scry_hash_add(struct scry_hash *h, uint64_t key);
/** Free the table (not the values); it can be used again. */
void scry_hash_done(struct scry_hash *h);

/** FNV-1a of bytes, 64 bits: from SCRY_FNV1A_START, or going on from what came before. */
#define SCRY_FNV1A_START 0xcbf29ce484222325u
static inline uint64_t scry_fnv1a(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

#endif
