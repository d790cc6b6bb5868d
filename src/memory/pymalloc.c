/* pymalloc's pools: the one at an address, and all of them. */
#include "memory/pymalloc.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "memory/memory.h"

#define POOLS_KEPT 256
#define PAGE       4096u
#define PAGES_MAX  ((uint64_t)1 << 22) /* looked at for pools where no arenas are known */

/* ALIGNMENT, POOL_BITS, ARENA_BITS */
const struct scry_pymalloc_shape scry_pymalloc_shapes[] = {
	{ 1u << 20, 16384, 16 }, /* 3.10+, 64-bit */
	{ 1u << 18, 4096, 16 },  /* 3.7.4 to 3.9, 64-bit */
	{ 1u << 18, 4096, 8 },   /* before; 32-bit always */
	{ 1u << 20, 4096, 16 },  /* 3.10+ without the radix tree */
	{ 0, 0, 0 },
};

/* --- pools --- */

static bool all_numbers_fit(const struct scry_record *rec, const struct scry_pool *p,
			    uint32_t class)
{
	uint64_t next = scry_record_uint(rec, SCRY_F_POOL_NEXT_OFFSET),
		 count = scry_record_uint(rec, SCRY_F_POOL_COUNT) & UINT32_MAX,
		 free = scry_record_uint(rec, SCRY_F_POOL_FREE);

	return class < 64 && p->block <= 512 &&
	       scry_record_uint(rec, SCRY_F_POOL_MAX_OFFSET) == p->size - p->block &&
	       p->arena < 1u << 24 && next >= p->head && next <= p->size &&
	       (next - p->head) % p->block == 0 && count <= p->blocks &&
	       (!free || free - p->at < p->size);
}

static void mark_free(struct scry_pool *p, uint32_t index)
{
	p->free[index / 64] |= (uint64_t)1 << index % 64;
}

static bool is_free(const struct scry_pool *p, uint32_t index)
{
	return p->free[index / 64] >> index % 64 & 1;
}

/* A word of the pool: in place, where all of it is in one piece. */
static bool link_at(struct scry_runtime *r, const struct scry_pool *p, const uint8_t *view,
		    scry_addr at, scry_addr *ret)
{
	if (!view)
		return scry_word(r, at, ret) == SCRY_OK;
	*ret = scry_load(view + (at - p->at), r->session->target->abi.ptr_size,
			 r->session->target->abi.big_endian);
	return true;
}

/* The blocks that were given back are a list through their first words. */
static uint32_t mark_list(struct scry_runtime *r, struct scry_pool *p, scry_addr block)
{
	size_t len = 0;
	const uint8_t *view = scry_view(r->session, p->at, &len);
	scry_addr before = 0;
	uint32_t n = 0;

	for (view = len >= p->size ? view : NULL; block; n++) {
		uint64_t offset = block - p->at - p->head;
		scry_addr at = block;

		if (block < p->at + p->head || offset / p->block >= p->blocks ||
		    offset % p->block || is_free(p, (uint32_t)(offset / p->block))) {
			p->damaged = true;
			p->broken = before;
			break;
		}
		mark_free(p, (uint32_t)(offset / p->block));
		if (!link_at(r, p, view, block, &block)) {
			p->damaged = true; /* the dump lacks it */
			break;
		}
		before = at;
	}
	return n;
}

/* What its header says; `next`: how far it is cut into blocks. */
static bool read_shape(struct scry_runtime *r, const struct scry_pymalloc_shape *shape,
		       scry_addr at, struct scry_record *rec, struct scry_pool *ret)
{
	if (scry_record_read(r, SCRY_S_POOL, at, rec) < 0 ||
	    !scry_record_has(rec, SCRY_F_POOL_MAX_OFFSET))
		return false;
	uint32_t class = (uint32_t)scry_record_uint(rec, SCRY_F_POOL_SIZE_INDEX);

	*ret = (struct scry_pool) { .at = at,
				    .size = shape->pool,
				    .head = (r->layout->size[SCRY_S_POOL] + 15) / 16 * 16,
				    .block = (class % 64 + 1) * shape->align,
				    .arena = (uint32_t)scry_record_uint(rec,
									SCRY_F_POOL_ARENA_INDEX),
				    .used = (uint32_t)scry_record_uint(rec, SCRY_F_POOL_COUNT) };
	ret->blocks = (ret->size - ret->head) / ret->block;
	return all_numbers_fit(rec, ret, class);
}

bool scry_pool_read(struct scry_runtime *r, const struct scry_pymalloc_shape *shape, scry_addr at,
		    struct scry_pool *ret)
{
	struct scry_record rec;
	struct scry_pool p;

	if (!read_shape(r, shape, at, &rec, &p))
		return false;
	uint32_t cut =
		((uint32_t)scry_record_uint(&rec, SCRY_F_POOL_NEXT_OFFSET) - p.head) / p.block;
	/* the last block may end where the pool does: maxnextoffset is one more than is cut */
	cut = cut > p.blocks ? p.blocks : cut;
	for (uint32_t i = p.used ? cut : 0; i < p.blocks; i++)
		mark_free(&p, i);
	if (p.used) {
		uint32_t listed = mark_list(r, &p, scry_record_uint(&rec, SCRY_F_POOL_FREE));

		/* one more or less: the program was stopped just there */
		p.damaged = p.damaged || listed + p.used > cut + 1 || listed + p.used + 1 < cut;
	}
	*ret = p;
	return true;
}

/* The pool at an address as one of the known shape, or of any. */
static bool read_any(struct scry_pymalloc *p, scry_addr at, struct scry_pool *ret)
{
	if (p->shape)
		return scry_pool_read(p->runtime, p->shape, at & ~(scry_addr)(p->shape->pool - 1),
				      ret);
	for (const struct scry_pymalloc_shape *s = scry_pymalloc_shapes; s->arena; s++)
		if (scry_pool_read(p->runtime, s, at & ~(scry_addr)(s->pool - 1), ret))
			return true;
	return false;
}

static struct scry_pymalloc *new_pymalloc(struct scry_runtime *r)
{
	struct scry_pymalloc *p = scry_arena_alloc(&r->session->arena, sizeof(*p));

	if (!p ||
	    !(p->cache = scry_arena_alloc(&r->session->arena, POOLS_KEPT * sizeof(*p->cache))))
		return NULL;
	p->runtime = r;
	return p;
}

struct scry_pymalloc *scry_pymalloc_of(struct scry_runtime *r, bool search)
{
	struct scry_memory *memory = scry_memory_of(r);

	if (memory && !memory->pymalloc)
		memory->pymalloc = new_pymalloc(r);
	struct scry_pymalloc *p = memory ? memory->pymalloc : NULL;
	if (p && search && !p->searched) {
		p->searched = true;
		scry_pymalloc_find_arenas(p);
		/* pools that were only guessed are read again, as ones of an arena */
		for (size_t i = 0; i < POOLS_KEPT; i++)
			p->cache[i].at = 0;
	}
	return p;
}

const struct scry_pymalloc_arena *scry_pymalloc_arena_at(const struct scry_pymalloc *p,
							 scry_addr addr)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->arenas[middle].address <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || addr - p->arenas[low - 1].address >= p->shape->arena)
		return NULL;
	return &p->arenas[low - 1];
}

/* Kept, since the next address asked for is often in the same. NULL: there is none. */
static const struct scry_pool *pool_at(struct scry_pymalloc *p, scry_addr addr)
{
	uint32_t size = p->shape ? p->shape->pool : PAGE;
	scry_addr at = addr & ~(scry_addr)(size - 1);
	const struct scry_pymalloc_arena *a = p->shape ? scry_pymalloc_arena_at(p, addr) : NULL;
	struct scry_pool *kept = &p->cache[at / size % POOLS_KEPT];

	if (p->shape && (!a || at < a->start || at >= a->end))
		return NULL;
	if (!kept->at || addr - kept->at >= kept->size) {
		struct scry_pool pool;

		if (!read_any(p, addr, &pool) || (a && pool.arena != a->index))
			return NULL;
		*kept = pool;
	}
	return kept;
}

static bool block_of(const struct scry_pool *pool, uint64_t index, struct scry_block *ret)
{
	if (index >= pool->blocks)
		return false;
	*ret = (struct scry_block) { .start = pool->at + pool->head + index * pool->block,
				     .size = pool->block,
				     .free = is_free(pool, (uint32_t)index),
				     .idle = !pool->used };
	ret->broken = pool->broken && ret->start == pool->broken;
	return true;
}

static bool find_in(struct scry_pymalloc *p, scry_addr addr, struct scry_block *ret)
{
	const struct scry_pool *pool = p ? pool_at(p, addr) : NULL;

	return pool && addr - pool->at >= pool->head &&
	       block_of(pool, (addr - pool->at - pool->head) / pool->block, ret);
}

static bool find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	return find_in(scry_pymalloc_of(r, true), addr, ret);
}

static bool guess(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	return find_in(scry_pymalloc_of(r, false), addr, ret);
}

static bool owns(struct scry_runtime *r, scry_addr addr)
{
	struct scry_pymalloc *p = scry_pymalloc_of(r, true);

	if (!p)
		return false;
	return p->shape ? scry_pymalloc_arena_at(p, addr) != NULL : pool_at(p, addr) != NULL;
}

/* Where a pool would start is mapped, as the dump says, but not in it. */
static bool lost(struct scry_runtime *r, scry_addr addr)
{
	/* POOL_SIZE, Include/internal/pycore_obmalloc.h: before 3.10 a page */
	static const struct {
		uint32_t since, pool;
	} rows[] = { { 0, PAGE }, { SCRY_VERSION_OF(3, 10), 16384 } };
	const struct scry_pymalloc *p = scry_pymalloc_of(r, true);
	uint32_t size = p && p->shape ? p->shape->pool : SCRY_SINCE(rows, r->version)->pool;
	scry_addr at = addr & ~(scry_addr)(size - 1);
	uint8_t byte;

	if (!p || (p->shape && !scry_pymalloc_arena_at(p, addr)))
		return false;
	return scry_map_at(r->session->target, at) && !scry_read_some(r->session, at, &byte, 1);
}

/* Down the pool's list: the block that it gives out next comes first. */
static unsigned order(struct scry_runtime *r, const struct scry_block *block)
{
	const struct scry_pool *pool = pool_at(scry_pymalloc_of(r, true), block->start);
	scry_addr at = pool ? scry_field_get(r, pool->at, SCRY_F_POOL_FREE) : 0;

	for (unsigned n = 1; at && n <= SCRY_POOL_BLOCKS_MAX; n++) {
		if (at == block->start)
			return n;
		if (at - pool->at >= pool->size || scry_word(r, at, &at) < 0)
			break;
	}
	return 0;
}

/* --- all blocks --- */

struct walk {
	struct scry_pymalloc *pymalloc;
	size_t at;           /* the arena or mapping walked */
	scry_addr next, end; /* where its next pool may begin, and where it ends */
	struct scry_pool pool;
	uint32_t block; /* the next one of it */
	uint64_t pages; /* looked at in vain */
	unsigned damaged;
};

static int open_walk(struct scry_runtime *r, void **ret_state)
{
	struct scry_pymalloc *p = scry_pymalloc_of(r, true);
	struct walk *w = p ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	w->pymalloc = p;
	*ret_state = w;
	return SCRY_OK;
}

/* Pools are in memory that is nobody's file. */
static bool has_pools(const struct scry_map *map)
{
	return !(map->flags & (SCRY_MAP_FILE | SCRY_MAP_EXEC)) &&
	       (map->flags & SCRY_MAP_WRITE || !(map->flags & SCRY_MAP_READ));
}

/* On to the next arena, or the next mapping where no arenas are known. */
static bool next_region(struct walk *w)
{
	const struct scry_pymalloc *p = w->pymalloc;
	const struct scry_target *t = p->runtime->session->target;

	if (p->shape) {
		if (w->at == p->count)
			return false;
		w->next = p->arenas[w->at].start;
		w->end = p->arenas[w->at++].end;
		return true;
	}
	while (w->at < t->map_count && !has_pools(&t->maps[w->at]))
		w->at++;
	if (w->at == t->map_count)
		return false;
	w->next = (t->maps[w->at].start + PAGE - 1) & ~(scry_addr)(PAGE - 1);
	w->end = t->maps[w->at++].end;
	return true;
}

/* In an arena every pool is one; elsewhere only a few pages are. */
static bool read_next(struct walk *w)
{
	struct scry_pymalloc *p = w->pymalloc;
	uint32_t step = p->shape ? p->shape->pool : PAGE;
	bool found = read_any(p, w->next, &w->pool) && w->pool.at == w->next &&
		     (!p->shape || w->pool.arena == p->arenas[w->at - 1].index);

	w->next += found ? w->pool.size : step;
	w->pages += !found;
	w->damaged += found ? w->pool.damaged : p->shape != NULL;
	return found;
}

static bool next_pool(struct walk *w)
{
	w->block = 0;
	for (;;) {
		while (w->next < w->end && w->pages < PAGES_MAX)
			if (read_next(w))
				return true;
		if (w->pages >= PAGES_MAX || !next_region(w))
			return false;
	}
}

static int next(struct scry_runtime *r, void *state, struct scry_block *ret)
{
	struct walk *w = state;

	while (!w->pool.at || !block_of(&w->pool, w->block++, ret))
		if (!next_pool(w)) {
			if (w->damaged)
				scry_note(r->session,
					  "pymalloc %s in %u places: some blocks may be missing",
					  scry_target_damage(r->session->target), w->damaged);
			w->damaged = 0;
			w->pool.at = 0;
			return SCRY_OK;
		}
	return SCRY_ITEM;
}

/* --- all arenas --- */

/* Pools of which nothing is in use, and what was never cut into pools. */
static void measure(struct scry_pymalloc *p, const struct scry_pymalloc_arena *a,
		    struct scry_block_area *ret)
{
	uint64_t whole = (p->shape->arena - (a->start - a->address)) / p->shape->pool, used = 0;

	*ret = (struct scry_block_area) { a->address, a->address + p->shape->arena, 0, 0 };
	for (scry_addr at = a->start; at < a->end; at += p->shape->pool) {
		struct scry_pool pool;

		struct scry_record rec;

		/* the list of free ones is not looked at again */
		if (read_shape(p->runtime, p->shape, at, &rec, &pool) && pool.used) {
			used++;
			ret->lost += pool.size - (uint64_t)pool.blocks * pool.block;
		}
	}
	ret->idle = (whole - used) * p->shape->pool;
	ret->lost += p->shape->arena - whole * p->shape->pool;
}

static int areas(struct scry_runtime *r, struct scry_block_area **ret, size_t *ret_count)
{
	struct scry_pymalloc *p = scry_pymalloc_of(r, true);
	struct scry_block_area *list =
		p && p->shape ? scry_arena_alloc(&r->session->arena, p->count * sizeof(*list))
			      : NULL;

	if (!list)
		return p && p->shape && p->count
			       ? scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory")
			       : SCRY_ENOTFOUND;
	for (size_t i = 0; i < p->count; i++)
		measure(p, &p->arenas[i], &list[i]);
	*ret = list;
	*ret_count = p->count;
	return SCRY_OK;
}

static bool serves(const struct scry_runtime *r)
{
	return !r->layout->flavour.free_threaded;
}

const struct scry_allocator scry_allocator_pymalloc = {
	.name = "pymalloc",
	.serves = serves,
	.find = find,
	.keep = 3,
	.lists_freed = true,
	.guess = guess,
	.owns = owns,
	.lost = lost,
	.order = order,
	.open = open_walk,
	.next = next,
	.done = free,
	.areas = areas,
};
