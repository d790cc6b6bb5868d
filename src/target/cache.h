/**
 * Pages of a target that must be asked for them: a live process, or a debugger. Whole runs are
 * fetched at once, since a call costs more than the bytes; memory held is bounded.
 */
#ifndef SCRY_CACHE_H
#define SCRY_CACHE_H

#include "target/target.h"

struct scry_cache_block;

struct scry_cache {
	/** Copy up to `len` bytes at `addr`; how many were readable from `addr` on. */
	size_t (*fetch)(void *arg, scry_addr addr, void *buf, size_t len);
	void *arg;
	/* ranges may begin and end within a page: ask for the very bytes where a page fails */
	bool exact;
	struct scry_cache_block *blocks; /* sets of ways */
	uint8_t *turn;                   /* the way of each set that is replaced next */
	struct scry_cache_piece {
		scry_addr addr;
		size_t len;
		uint8_t bytes[4096];
	} * pieces; /* found by exact addresses */
	unsigned next_piece;
	size_t before; /* bytes in front of the last view that belong to it too */
};

/** Set `fetch`, `arg` and `exact` first. False when out of memory. */
bool scry_cache_init(struct scry_cache *c);
/** The bytes at `addr`, or NULL; valid until the next call. */
const uint8_t *scry_cache_view(struct scry_cache *c, scry_addr addr, size_t *ret_len);
/** Forget all pages. */
void scry_cache_clear(struct scry_cache *c);
void scry_cache_done(struct scry_cache *c);

#endif
