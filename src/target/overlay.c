/* Overlays: consulted by the reader before the target itself. */
#include "target/overlay.h"

void scry_overlay_set(struct scry_target *t, struct scry_overlay *o, scry_addr start,
		      const void *bytes, size_t size)
{
	*o = (struct scry_overlay) {
		.below = t->overlay, .start = start, .size = size, .bytes = bytes
	};
	t->overlay = o;
}

void scry_overlay_remove(struct scry_target *t, struct scry_overlay *o)
{
	if (t->overlay == o)
		t->overlay = o->below;
}

const uint8_t *scry_overlay_view(const struct scry_target *t, scry_addr addr, size_t *len)
{
	size_t gap = SIZE_MAX; /* what may be read before an overlay above it begins */

	for (const struct scry_overlay *o = t->overlay; o; o = o->below) {
		if (addr - o->start < o->size) {
			*len = o->size - (size_t)(addr - o->start);
			*len = *len < gap ? *len : gap;
			return o->bytes + (addr - o->start);
		}
		if (o->size && o->start - addr < gap)
			gap = (size_t)(o->start - addr);
	}
	*len = gap;
	return NULL;
}
