/* Memory that is free, and the object that it was. */
#include "object/freed.h"

#include <inttypes.h>
#include <string.h>

#include "object/judge.h"
#include "object/model.h"

#define HEAD_WORDS 8 /* before an object in its block */

bool scry_memory_at(struct scry_runtime *r, scry_addr addr, struct scry_memory_at *ret)
{
	*ret = (struct scry_memory_at) { 0 };
	ret->has_block = scry_block_find(r, addr, &ret->block);
	if (!ret->has_block && !scry_block_owns(r, addr))
		ret->has_chunk = scry_malloc_find(r, addr, &ret->chunk);
	return ret->has_block || ret->has_chunk;
}

bool scry_memory_is_free(const struct scry_memory_at *m)
{
	return (m->has_block && m->block.free) || (m->has_chunk && scry_malloc_is_free(&m->chunk));
}

bool scry_freed_object(struct scry_runtime *r, scry_addr start, scry_addr end, scry_addr *ret,
		       struct scry_type **ret_type)
{
	unsigned ptr = r->session->target->abi.ptr_size;

	for (unsigned i = 0; i < HEAD_WORDS; i++) {
		scry_addr object = start + i * ptr, type;

		if (scry_field_read(r, object, SCRY_F_OBJECT_TYPE, &type) < 0 ||
		    type < SCRY_NULL_PAGE || type % ptr || scry_type_at(r, type, ret_type) < 0 ||
		    !scry_type_is_sound(r, *ret_type) ||
		    object - scry_object_head(r, object, *ret_type) != start ||
		    object + scry_object_least(r, *ret_type) > end)
			continue;
		*ret = object;
		return true;
	}
	return false;
}

const char *scry_freed_text(struct scry_runtime *r, scry_addr addr)
{
	struct scry_memory_at m;
	struct scry_type *t;
	scry_addr object;
	const char *name;
	SCRY_AUTO_BUF(text);

	if (r->pypy || !scry_memory_at(r, addr, &m) || !scry_memory_is_free(&m))
		return NULL;
	if (m.has_block) {
		scry_buf_printf(&text, "in a free block of %" PRIu64 " bytes at 0x%" PRIx64 " (%s)",
				m.block.size, m.block.start, m.block.allocator);
	} else {
		if (!m.chunk.certain && !m.chunk.order)
			return NULL;
		scry_buf_printf(
			&text, "in a free chunk of %" PRIu64 " bytes at 0x%" PRIx64 " (malloc, %s)",
			m.chunk.size, m.chunk.start, scry_malloc_state_name(m.chunk.state));
	}
	scry_addr start = m.has_block ? m.block.start : m.chunk.start;
	uint64_t size = m.has_block ? m.block.size : m.chunk.size;
	if (scry_freed_object(r, start, start + size, &object, &t) &&
	    scry_type_full_name(r, t->addr, &name) == SCRY_OK)
		scry_buf_printf(&text, ", which may have been %s %s",
				strchr("aeiouAEIOU", *name) ? "an" : "a", name);
	return scry_arena_text(&r->session->arena, text.text, text.len);
}
