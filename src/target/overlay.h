/**
 * An overlay: bytes of ours that cover a range of the target's memory while they are set, so that
 * all readers (unwinders too) see what was there at another time. For C stacks that were saved
 * elsewhere and share their addresses.
 */
#ifndef SCRY_OVERLAY_H
#define SCRY_OVERLAY_H

#include "target/target.h"

struct scry_overlay {
	struct scry_overlay *below; /* what was set before: nearer ones win */
	scry_addr start;
	size_t size;
	const uint8_t *bytes; /* the caller's, until the overlay is removed */
};

/**
 * Lay `size` bytes over the target at `start`; `o` is the caller's, and must not move until it is
 * removed.
 */
void scry_overlay_set(struct scry_target *t, struct scry_overlay *o, scry_addr start,
		      const void *bytes, size_t size);
/** Remove it; it must be the one that was set last. */
void scry_overlay_remove(struct scry_target *t, struct scry_overlay *o);
/**
 * For the reader of memory: the overlay's bytes at `addr`, or NULL and in *len the bytes up to the
 * next overlay.
 */
const uint8_t *scry_overlay_view(const struct scry_target *t, scry_addr addr, size_t *len);

#endif
