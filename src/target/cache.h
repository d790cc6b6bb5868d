/**
 * Pages of a target whose memory is fetched by calls: a live process, or a debugger. Whole runs are
 * fetched at once, since a call costs more than the bytes; the memory used is bounded.
 */
#ifndef SCRY_CACHE_H
#define SCRY_CACHE_H

#include "target/target.h"

struct scry_cache_block;

/** The pages that were fetched. */
struct scry_cache {
	/** Copy up to `len` bytes at `addr`; returns how many were readable from `addr` on. */
	size_t (*fetch)(void *arg, scry_addr addr, void *buf, size_t len);
	void *arg;
	/* ranges may begin and end within a page: where a page fails, fetch just the bytes asked */
	bool exact;
	struct scry_cache_block *blocks; /* sets of ways */
	uint8_t *turn;                   /* which way of each set is replaced next */
	struct scry_cache_piece {
		scry_addr addr;
		size_t len;
		uint8_t bytes[4096];
	} * pieces; /* those fetched by exact addresses */
	unsigned next_piece;
	size_t before; /* readable bytes right before the last view */
};

/** Set `fetch`, `arg` and `exact` first. False when out of memory. */
bool scry_cache_init(struct scry_cache *c);
/** The bytes at `addr`, or NULL; valid until the next call. */
const uint8_t *scry_cache_view(struct scry_cache *c, scry_addr addr, size_t *ret_len);
/** Forget all pages. */
void scry_cache_clear(struct scry_cache *c);
void scry_cache_done(struct scry_cache *c);

#endif
