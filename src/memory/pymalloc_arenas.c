/*
 * Finding pymalloc's arenas: an array of struct arena_object. Up to 3.11 the variable `arenas` of
 * obmalloc.c points to it, since 3.12 the field of a struct of the interpreter's; both are static,
 * so where symbols are stripped the interpreter's data are searched for a pointer to such an array.
 * Whatever leads there, what is there is checked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "memory/pymalloc.h"

#define ARENAS_MAX   ((uint64_t)1 << 22)
#define FIRST_USED   64                   /* one of so many is in use, or it is no such array */
#define SEARCHED_MAX ((uint64_t)16 << 20) /* bytes of a mapping */

/* --- is it one? --- */

/* An entry in use; false where it is not one. A shape fits both its arena and its first pool. */
static bool read_entry(const struct scry_record *rec, uint64_t index,
		       const struct scry_pymalloc_shape *shape, struct scry_pymalloc_arena *ret)
{
	scry_addr address = scry_record_uint(rec, SCRY_F_ARENA_ADDRESS),
		  end = scry_record_uint(rec, SCRY_F_ARENA_POOL_ADDRESS),
		  start = (address + shape->pool - 1) & ~(scry_addr)(shape->pool - 1);
	uint64_t total = scry_record_uint(rec, SCRY_F_ARENA_TOTAL_POOLS);

	if (!address || end < start || end - address > shape->arena || end % shape->pool ||
	    total != shape->arena / shape->pool - (start != address) ||
	    scry_record_uint(rec, SCRY_F_ARENA_FREE_POOLS) > total)
		return false;
	*ret = (struct scry_pymalloc_arena) { address, start, end, (uint32_t)index };
	return true;
}

static bool read_record(struct scry_pymalloc *p, scry_addr array, uint64_t index,
			struct scry_record *ret)
{
	struct scry_runtime *r = p->runtime;

	return scry_record_read(r, SCRY_S_ARENA, array + index * r->layout->size[SCRY_S_ARENA],
				ret) == SCRY_OK &&
	       scry_record_has(ret, SCRY_F_ARENA_TOTAL_POOLS);
}

/* The shape of the first arena in use, whose first pool must be its own; NULL: not an array. */
static const struct scry_pymalloc_shape *shape_of(struct scry_pymalloc *p, scry_addr array,
						  uint64_t max)
{
	struct scry_pymalloc_arena a;
	struct scry_record rec;
	struct scry_pool pool;

	for (uint64_t i = 0; i < max && i < FIRST_USED; i++) {
		if (!read_record(p, array, i, &rec))
			return NULL;
		if (!scry_record_uint(&rec, SCRY_F_ARENA_ADDRESS))
			continue;
		for (const struct scry_pymalloc_shape *s = scry_pymalloc_shapes; s->arena; s++)
			if (read_entry(&rec, i, s, &a) && a.start < a.end &&
			    scry_pool_read(p->runtime, s, a.start, &pool) && pool.arena == i)
				return s;
		return NULL;
	}
	return NULL;
}

static bool add(struct scry_pymalloc *p, const struct scry_pymalloc_arena *a)
{
	struct scry_pymalloc_arena *arenas = scry_arena_grow(
		&p->runtime->session->arena, p->arenas, p->count, &p->room, sizeof(*arenas), 64);

	if (!arenas)
		return false;
	p->arenas = arenas;
	p->arenas[p->count++] = *a;
	return true;
}

/*
 * Take the arenas of an array with `max` entries (or fewer: where that is not known, up to what is
 * none). False where it is no such array.
 */
static bool take_array(struct scry_pymalloc *p, scry_addr array, uint64_t max)
{
	const struct scry_pymalloc_shape *shape = array ? shape_of(p, array, max) : NULL;
	struct scry_pymalloc_arena a;
	struct scry_record rec;

	if (!shape || (p->shape && shape != p->shape))
		return false;
	p->shape = shape;
	for (uint64_t i = 0; i < max && i < ARENAS_MAX && read_record(p, array, i, &rec); i++) {
		if (!scry_record_uint(&rec, SCRY_F_ARENA_ADDRESS))
			continue;
		bool whole = read_entry(&rec, i, shape, &a);

		if (whole ? !add(p, &a) : max == ARENAS_MAX)
			break;
	}
	return true;
}

/* The state of 3.12 and later; two interpreters may share it. */
static bool take_state(struct scry_pymalloc *p, scry_addr state)
{
	struct scry_runtime *r = p->runtime;

	return state && take_array(p, scry_field_get(r, state, SCRY_F_OBMALLOC_ARENAS),
				   scry_field_get(r, state, SCRY_F_OBMALLOC_MAX_ARENAS));
}

/* --- who leads there --- */

/* In 3.12 the state is a part of the interpreter's, since 3.13 that has a pointer to it. */
static scry_addr state_of(struct scry_runtime *r, const struct scry_interp *i)
{
	const struct scry_slot *slot = &r->layout->slot[SCRY_F_INTERP_OBMALLOC];

	return slot->size > r->session->target->abi.ptr_size
		       ? i->addr + slot->offset
		       : scry_field_get(r, i->addr, SCRY_F_INTERP_OBMALLOC);
}

/* Interpreters may share one, mostly the first one's. */
static bool from_interpreters(struct scry_pymalloc *p)
{
	struct scry_runtime *r = p->runtime;
	scry_addr first = r->interps ? state_of(r, r->interps) : 0;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		scry_addr state = state_of(r, i);

		if (i == r->interps || state != first)
			take_state(p, state);
	}
	return p->count;
}

static bool from_symbols(struct scry_pymalloc *p)
{
	struct scry_runtime *r = p->runtime;
	struct scry_symbol symbol;
	scry_addr array;

	if (!r->module)
		return false;
	if (scry_module_symbol(r->module, "obmalloc_state_main", &symbol) == SCRY_OK &&
	    take_state(p, symbol.addr))
		return true;
	return scry_module_symbol(r->module, "arenas", &symbol) == SCRY_OK &&
	       scry_word(r, symbol.addr, &array) == SCRY_OK && take_array(p, array, ARENAS_MAX);
}

/* The interpreter's data: its file's, writable, and what follows them without a file (.bss). */
static bool is_data(const struct scry_runtime *r, const struct scry_map *map, bool follows)
{
	const struct scry_module *m = r->module;

	if (map->flags & SCRY_MAP_EXEC ||
	    (map->flags & SCRY_MAP_READ && !(map->flags & SCRY_MAP_WRITE)))
		return false;
	if (follows && !(map->flags & SCRY_MAP_FILE))
		return true;
	if (m && map->start < m->end && map->end > m->start)
		return true;
	return (r->roots.runtime >= map->start && r->roots.runtime < map->end) ||
	       (r->roots.interp_head >= map->start && r->roots.interp_head < map->end);
}

/* A word that may point to the array: to memory that is no file's. */
static bool may_point(struct scry_runtime *r, scry_addr word)
{
	if (!word || word % r->session->target->abi.ptr_size)
		return false;
	const struct scry_map *map = scry_map_at(r->session->target, word);
	return map && !(map->flags & (SCRY_MAP_FILE | SCRY_MAP_EXEC));
}

/* Search a mapping for a variable that points to the array. */
static bool search_map(struct scry_pymalloc *p, const struct scry_map *map)
{
	struct scry_runtime *r = p->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr end = map->end - map->start > SEARCHED_MAX ? map->start + SEARCHED_MAX : map->end;
	uint8_t words[4096];

	for (scry_addr at = map->start; at < end; at += sizeof(words)) {
		size_t n = scry_read_some(r->session, at, words, sizeof(words));

		for (size_t i = 0; i + ptr <= n; i += ptr) {
			scry_addr word =
				scry_load(words + i, ptr, r->session->target->abi.big_endian);

			if (word && may_point(r, word) && take_array(p, word, ARENAS_MAX))
				return true;
		}
	}
	return false;
}

static void search(struct scry_pymalloc *p)
{
	const struct scry_target *t = p->runtime->session->target;
	bool follows = false, found = false;

	for (size_t i = 0; i < t->map_count && !found; i++) {
		const struct scry_map *map = &t->maps[i];

		follows =
			is_data(p->runtime, map, follows && i && t->maps[i - 1].end == map->start);
		if (follows)
			found = search_map(p, map);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct scry_pymalloc_arena *x = a, *y = b;

	return x->address > y->address ? 1 : x->address < y->address ? -1 : 0;
}

void scry_pymalloc_find_arenas(struct scry_pymalloc *p)
{
	if (!p->runtime->layout->size[SCRY_S_ARENA])
		return;
	if (!from_interpreters(p) && !from_symbols(p))
		search(p);
	if (p->count)
		qsort(p->arenas, p->count, sizeof(*p->arenas), by_address);
	else
		p->shape = NULL;
}
