/*
 * Chunks of glibc's malloc that have a mapping of their own. No list of malloc's has them: they are
 * looked for page by page, once for each mapping, since thousands of addresses are asked about.
 */
#include "memory/malloc_state.h"
#include "memory/pymalloc.h"
#include "memory/stack.h"

#define PAGE    4096u
#define IN_VAIN ((uint64_t)1 << 16) /* pages of one mapping in which no chunk begins */

/* A mapping that malloc() may have made; adjacent ones are one to the system. */
static bool may_be_mmapped(const struct scry_map *map)
{
	return !(map->flags & (SCRY_MAP_FILE | SCRY_MAP_EXEC)) && !map->path &&
	       (map->flags & SCRY_MAP_WRITE || !(map->flags & SCRY_MAP_READ));
}

/*
 * A chunk whose words are at the start of a page: sysmalloc_mmap(). Since 2.43 the size does not
 * count them. On i386 what aligns the user's bytes comes first, and the chunk says how much.
 */
static bool read_mmapped(struct scry_runtime *r, scry_addr page, const struct scry_map *map,
			 struct scry_malloc_chunk *ret, scry_addr *ret_end)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr chunk = page + (SCRY_MALLOC_ALIGN - 2 * ptr) % SCRY_MALLOC_ALIGN;
	uint64_t before, word;

	if (scry_word(r, chunk, &before) < 0 || scry_word(r, chunk + ptr, &word) < 0 ||
	    before != chunk - page || (word & SCRY_MALLOC_FLAGS) != SCRY_MALLOC_OWN_MAP)
		return false;
	scry_addr end = chunk + (word & ~(uint64_t)SCRY_MALLOC_FLAGS);
	/* malloc_usable_size() leaves out what it does of other chunks, too: memsize(), 2.43 */
	unsigned own = end % PAGE ? 3 * ptr : 2 * ptr;
	if (end % PAGE)
		end += 2 * ptr;
	if (end % PAGE || end <= page || end > map->end)
		return false;
	*ret = (struct scry_malloc_chunk) { .start = chunk + 2 * ptr,
					    .size = end - chunk - own,
					    .state = SCRY_MALLOC_MMAPPED };
	*ret_end = end;
	return true;
}

/* Where others than such chunks have the page: how far they go; 0 where nobody is known. */
static scry_addr skip(struct scry_malloc *m, scry_addr page)
{
	struct scry_pymalloc *p = scry_pymalloc_of(m->runtime, true);
	const struct scry_pymalloc_arena *a =
		p && p->shape ? scry_pymalloc_arena_at(p, page) : NULL;
	/* before a region's first chunk are the words of its heap and its arena */
	const struct scry_malloc_region *region = scry_malloc_region_at(m, page + PAGE - 1);

	if (a && a->address + p->shape->arena > page)
		return a->address + p->shape->arena;
	return region ? (region->end + PAGE - 1) / PAGE * PAGE : 0;
}

static bool keep(struct scry_malloc *m, struct scry_malloc_own *own,
		 const struct scry_malloc_chunk *c)
{
	struct scry_malloc_chunk *list = scry_arena_grow(&m->runtime->session->arena, own->chunks,
							 own->count, &own->room, sizeof(*list), 4);

	if (!list)
		return false;
	own->chunks = list;
	own->chunks[own->count++] = *c;
	return true;
}

/*
 * All in one mapping. A chunk is certain where all before it was explained, or where the mapping
 * ends with it.
 */
static void look(struct scry_malloc *m, const struct scry_map *map, struct scry_malloc_own *own)
{
	struct scry_malloc_chunk c;
	bool explained = true;
	uint64_t in_vain = 0;
	scry_addr end;

	for (scry_addr page = map->start; page < map->end && in_vain < IN_VAIN; page = end) {
		if (scry_stack_has(m->runtime, page)) {
			end = page + PAGE;
			continue;
		}
		if (read_mmapped(m->runtime, page, map, &c, &end)) {
			c.certain = explained || end == map->end;
			if (!keep(m, own, &c))
				return;
			continue;
		}
		scry_addr over = skip(m, page);

		explained = explained && over;
		in_vain += !over;
		end = over ? over : page + PAGE;
	}
}

const struct scry_malloc_own *scry_malloc_mmapped(struct scry_malloc *m, const struct scry_map *map)
{
	const struct scry_target *t = m->runtime->session->target;
	struct scry_malloc_own *own;

	if (!m->own)
		m->own = scry_arena_alloc(&m->runtime->session->arena,
					  t->map_count * sizeof(*m->own));
	if (!m->own)
		return NULL;
	own = &m->own[map - t->maps];
	if (!own->known) {
		own->known = true;
		if (may_be_mmapped(map))
			look(m, map, own);
	}
	return own;
}

bool scry_malloc_find_mmapped(struct scry_malloc *m, scry_addr addr, struct scry_malloc_chunk *ret)
{
	const struct scry_map *map = scry_map_at(m->runtime->session->target, addr);
	const struct scry_malloc_own *own = map ? scry_malloc_mmapped(m, map) : NULL;
	size_t low = 0;

	if (!own || scry_stack_has(m->runtime, addr))
		return false;
	for (size_t high = own->count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (own->chunks[middle].start - SCRY_MALLOC_ALIGN <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	*ret = own->chunks[low - 1];
	/* it ends with a page: malloc's own words at its end are not its user's */
	return addr < (ret->start + ret->size + PAGE - 1) / PAGE * PAGE;
}
