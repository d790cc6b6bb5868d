/**
 * Words of a target, fast: a pass over all objects reads hundreds of millions of them. Where the
 * dump is mapped as a whole, views stay valid, and the last ones are kept; elsewhere each word is
 * read through the target.
 */
#ifndef SCRY_READER_H
#define SCRY_READER_H

#include <string.h>

#include "base/bytes.h"
#include "runtime/runtime.h"

#define SCRY_READER_SPANS 64 /* a power of two */
#define SCRY_READER_SHIFT 21 /* a span is kept by the 2 MiB that it was asked for in */

/** The views of one pass, each kept by where it was asked for. */
struct scry_reader {
	struct scry_session *session;
	unsigned ptr;
	bool stable, big; /* views stay valid; the target is big-endian */
	struct scry_reader_span {
		scry_addr start;
		uint64_t len;
		const uint8_t *bytes;
	} spans[SCRY_READER_SPANS];
};

/** Start one, for one pass over the target; it has views but no memory, so needs no release. */
void scry_reader_init(struct scry_reader *rd, struct scry_session *s);
/** The span around an address, kept; false where nothing can be read there. */
bool scry_reader_fill(struct scry_reader *rd, scry_addr addr, struct scry_reader_span *span);
/** As scry_view(): bytes in place, valid until the next read where the reader is not `stable`. */
const uint8_t *scry_reader_view(struct scry_reader *rd, scry_addr addr, size_t *ret_len);

/** The place for an address's span; it may have another one's. */
static inline struct scry_reader_span *scry_reader_span(struct scry_reader *rd, scry_addr addr)
{
	return &rd->spans[addr >> SCRY_READER_SHIFT & (SCRY_READER_SPANS - 1)];
}

/** `size` bytes as a number; false where they cannot be read. */
static inline bool scry_reader_uint(struct scry_reader *rd, scry_addr addr, unsigned size,
				    uint64_t *ret)
{
	struct scry_reader_span *span = scry_reader_span(rd, addr);

	if (!rd->stable)
		return scry_read_uint(rd->session, addr, size, ret) == SCRY_OK;
	if ((addr - span->start >= span->len || span->len - (addr - span->start) < size) &&
	    (!scry_reader_fill(rd, addr, span) || span->len - (addr - span->start) < size))
		return scry_read_uint(rd->session, addr, size, ret) == SCRY_OK;
	const uint8_t *p = span->bytes + (addr - span->start);
	if (size == 8 && !rd->big) {
		memcpy(ret, p, 8);
		return true;
	}
	*ret = scry_load(p, size, rd->big);
	return true;
}

/** A word of the target's size; false (no failure is recorded) where it cannot be read. */
static inline bool scry_reader_word(struct scry_reader *rd, scry_addr addr, uint64_t *ret)
{
	return scry_reader_uint(rd, addr, rd->ptr, ret);
}

/** A field of a struct at `base`; 0 where the layout has none, or it cannot be read. */
static inline uint64_t scry_reader_field(struct scry_reader *rd, const struct scry_layout *l,
					 scry_addr base, enum scry_field f)
{
	const struct scry_slot *slot = &l->slot[f];
	uint64_t v;

	if (!slot->size || slot->size > 8 || !base ||
	    !scry_reader_uint(rd, base + slot->offset, slot->size, &v))
		return 0;
	if (slot->bits)
		v = v >> slot->shift & ((1ull << slot->bits) - 1);
	return v;
}

#endif
