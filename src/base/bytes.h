/** Integers from raw bytes, in the target's byte order. */
#ifndef SCRY_BYTES_H
#define SCRY_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** An unsigned integer of 1 to 8 bytes. */
static inline uint64_t scry_load(const void *at, unsigned size, bool big_endian)
{
	const uint8_t *p = at;
	uint64_t v = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (!big_endian && size == 8) { /* what nearly every read is */
		memcpy(&v, p, 8);
		return v;
	}
#endif
	for (unsigned i = 0; i < size && i < 8; i++)
		v = v << 8 | p[big_endian ? i : size - 1 - i];
	return v;
}

/** The same, sign-extended. */
static inline int64_t scry_load_signed(const void *at, unsigned size, bool big_endian)
{
	uint64_t v = scry_load(at, size, big_endian);
	unsigned shift = 64 - 8 * (size < 8 ? size : 8);

	return size ? (int64_t)(v << shift) >> shift : 0;
}

#endif
