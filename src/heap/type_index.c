/* The types of the index: each is checked once, then its address alone tells. */
#include <stdlib.h>

#include "heap/index.h"
#include "object/judge.h"

#define NO_TYPES_MAX 65536 /* addresses of what is not a metatype that are remembered */

/* Has the type of a type the flag of one? Most words that are not types fail here, cheaply. */
static bool is_metatype(struct scry_heap *h, scry_addr meta)
{
	const struct scry_layout *l = h->runtime->layout;

	if (meta == h->runtime->type_type)
		return true;
	if (meta < SCRY_NULL_PAGE || meta % h->reader.ptr || scry_hash_find(&h->no_types, meta))
		return false;
	if (scry_hash_find(&h->type_index, meta))
		return true;
	if (scry_reader_field(&h->reader, l, meta, SCRY_F_TYPE_FLAGS) & TYPE_TYPE &&
	    scry_reader_field(&h->reader, l, meta, SCRY_F_TYPE_FLAGS) & TYPE_READY)
		return true;
	if (h->no_types.count < NO_TYPES_MAX)
		scry_hash_put(&h->no_types, meta, h);
	return false;
}

uint32_t scry_heap_add_type(struct scry_heap *h, const struct scry_heap_type *like)
{
	if (h->type_count == h->type_room) {
		size_t room = h->type_room ? h->type_room * 2 : 256;
		struct scry_heap_type **types = realloc(h->types, room * sizeof(*types));

		if (!types)
			return SCRY_HEAP_NONE;
		h->types = types;
		h->type_room = room;
	}
	struct scry_heap_type *new = scry_arena_alloc(&h->runtime->session->arena, sizeof(*new));

	if (!new)
		return SCRY_HEAP_NONE;
	h->types[h->type_count] = new;
	*new = *like;
	return (uint32_t)h->type_count++;
}

static uint32_t add_type(struct scry_heap *h, struct scry_type *t)
{
	return scry_heap_add_type(
		h, &(struct scry_heap_type) {
			   .type = t,
			   /* static types are not the collector's: they are asked one by one */
			   .head = t->flags & TYPE_TYPE ? 0 : scry_object_head(h->runtime, 0, t),
			   .size = scry_object_sizer(h->runtime, t),
			   .hidden = -1,
		   });
}

uint32_t scry_heap_new_type(struct scry_heap *h, scry_addr addr)
{
	struct scry_type *t;

	if (!is_metatype(h, scry_reader_field(&h->reader, h->runtime->layout, addr,
					      SCRY_F_OBJECT_TYPE)) ||
	    scry_type_at(h->runtime, addr, &t) < 0 || !scry_type_is_sound(h->runtime, t))
		return SCRY_HEAP_NONE;
	uint32_t added = add_type(h, t);

	if (added != SCRY_HEAP_NONE)
		scry_hash_put(&h->type_index, addr, (void *)((uintptr_t)added + 1));
	return added;
}

uint32_t scry_heap_type_at(struct scry_heap *h, scry_addr addr)
{
	if (addr < SCRY_NULL_PAGE || addr % h->reader.ptr)
		return SCRY_HEAP_NONE;
	uint32_t known = scry_heap_known_type(h, addr);

	return known == SCRY_HEAP_NONE ? scry_heap_new_type(h, addr) : known;
}

const char *scry_heap_type_name(struct scry_heap *h, struct scry_heap_type *t)
{
	if (!t->name)
		t->name = h->kind->type_name(h, t);
	return t->name ? t->name : "?";
}
