/* Words of a target, fast. */
#include "heap/reader.h"

void scry_reader_init(struct scry_reader *rd, struct scry_session *s)
{
	*rd = (struct scry_reader) { .session = s,
				     .ptr = s->target->abi.ptr_size,
				     .stable = s->target->file && !s->target->overlay,
				     .big = s->target->abi.big_endian };
}

bool scry_reader_fill(struct scry_reader *rd, scry_addr addr, struct scry_reader_span *span)
{
	const struct scry_map *map = scry_map_at(rd->session->target, addr);
	size_t len = 0;
	const uint8_t *p;

	/* what comes before it in the mapping will be asked for, too */
	if (map && map->start < addr) {
		p = scry_view(rd->session, map->start, &len);
		if (p && addr - map->start < len) {
			*span = (struct scry_reader_span) { map->start, len, p };
			return true;
		}
	}
	p = scry_view(rd->session, addr, &len);
	if (!p)
		return false;
	*span = (struct scry_reader_span) { addr, len, p };
	return true;
}

const uint8_t *scry_reader_view(struct scry_reader *rd, scry_addr addr, size_t *ret_len)
{
	struct scry_reader_span *span = scry_reader_span(rd, addr);

	if (!rd->stable)
		return scry_view(rd->session, addr, ret_len);
	if (addr - span->start >= span->len && !scry_reader_fill(rd, addr, span))
		return NULL;
	*ret_len = (size_t)(span->len - (addr - span->start));
	return span->bytes + (addr - span->start);
}
