/*
 * pymalloc's arenas and pools built in memory: found by the interpreter's field, by a search of its
 * data, or not at all; whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <string.h>

#include "memory/block.h"
#include "memory/pymalloc.h"
#include "target/image.h"

#define DATA   0x10000000u /* of the interpreter: its state, variables */
#define ARRAY  0x20000000u /* struct arena_object[] */
#define ARENA0 0x40000000u
#define ARENA1 0x50001000u /* not aligned to its pools */
#define CLASS  4           /* of the pools' blocks */
#define CUT    20          /* blocks that were given out */

enum way { BY_FIELD, BY_SEARCH, BY_POOLS };

struct world {
	struct scry_session *s;
	struct scry_runtime r;
	struct scry_interp interp;
	struct scry_layout layout;
	unsigned ptr;
	uint32_t pool, block, head;
	uint64_t arena;
};

static const struct {
	unsigned elf;
	bool is64, big;
	uint32_t version, pool, align;
	uint64_t arena;
	enum way way;
} builds[] = {
	{ EM_X86_64, true, false, 0x030d00f0, 16384, 16, 1 << 20, BY_FIELD },
	{ EM_X86_64, true, false, 0x030c00f0, 16384, 16, 1 << 20, BY_FIELD },
	{ EM_X86_64, true, false, 0x030b00f0, 16384, 16, 1 << 20, BY_SEARCH },
	{ EM_X86_64, true, false, 0x030900f0, 4096, 16, 1 << 18, BY_SEARCH },
	{ EM_X86_64, true, false, 0x020712f0, 4096, 8, 1 << 18, BY_POOLS },
	{ EM_386, false, false, 0x030d00f0, 4096, 8, 1 << 18, BY_FIELD },
	{ EM_S390, true, true, 0x030b00f0, 16384, 16, 1 << 20, BY_SEARCH },
};

static void put(struct world *w, scry_addr base, enum scry_field f, uint64_t value)
{
	const struct scry_slot *slot = &w->layout.slot[f];

	assert_true(slot->size && slot->size <= 8);
	assert_true(scry_image_put(w->s, base + slot->offset, slot->size, value));
}

static scry_addr block_at(const struct world *w, scry_addr pool, unsigned index)
{
	return pool + w->head + index * w->block;
}

/* A pool whose blocks 3 and 7 were given back. */
static void new_pool(struct world *w, scry_addr pool, unsigned arena)
{
	put(w, pool, SCRY_F_POOL_COUNT, CUT - 2);
	put(w, pool, SCRY_F_POOL_FREE, block_at(w, pool, 7));
	put(w, pool, SCRY_F_POOL_ARENA_INDEX, arena);
	put(w, pool, SCRY_F_POOL_SIZE_INDEX, CLASS);
	put(w, pool, SCRY_F_POOL_NEXT_OFFSET, w->head + CUT * w->block);
	put(w, pool, SCRY_F_POOL_MAX_OFFSET, w->pool - w->block);
	assert_true(scry_image_put_ptr(w->s, block_at(w, pool, 7), block_at(w, pool, 3)));
	assert_true(scry_image_put_ptr(w->s, block_at(w, pool, 3), 0));
}

static scry_addr first_pool(const struct world *w, scry_addr arena)
{
	return (arena + w->pool - 1) / w->pool * w->pool;
}

/* Two of its pools are in use. */
static void new_arena(struct world *w, scry_addr arena, unsigned index)
{
	scry_addr first = first_pool(w, arena),
		  entry = ARRAY + index * w->layout.size[SCRY_S_ARENA];
	uint64_t total = w->arena / w->pool - (first != arena);

	scry_image_add(w->s, arena, w->arena);
	put(w, entry, SCRY_F_ARENA_ADDRESS, arena);
	put(w, entry, SCRY_F_ARENA_POOL_ADDRESS, first + 2 * w->pool);
	put(w, entry, SCRY_F_ARENA_FREE_POOLS, total - 2);
	put(w, entry, SCRY_F_ARENA_TOTAL_POOLS, total);
	new_pool(w, first, index);
	new_pool(w, first + w->pool, index);
}

static void point(struct world *w, enum way way)
{
	const struct scry_slot *slot = &w->layout.slot[SCRY_F_INTERP_OBMALLOC];
	scry_addr state = DATA + slot->offset;

	if (way == BY_SEARCH)
		assert_true(scry_image_put_ptr(w->s, DATA + 0x5678, ARRAY));
	if (way != BY_FIELD)
		return;
	if (slot->size <= 8) {
		state = DATA + 0x40000;
		put(w, DATA, SCRY_F_INTERP_OBMALLOC, state);
	}
	put(w, state, SCRY_F_OBMALLOC_ARENAS, ARRAY);
	put(w, state, SCRY_F_OBMALLOC_MAX_ARENAS, 16);
}

static void open_world(struct world *w, size_t build)
{
	struct scry_flavour flavour = { .version = builds[build].version };

	memset(w, 0, sizeof(*w));
	w->s = scry_image_session(builds[build].elf, builds[build].is64, builds[build].big);
	assert_non_null(w->s);
	w->ptr = w->s->target->abi.ptr_size;
	assert_int_equal(scry_layout_from_rows(&flavour, &w->s->target->abi, &w->layout), SCRY_OK);
	w->pool = builds[build].pool;
	w->arena = builds[build].arena;
	w->block = (CLASS + 1) * builds[build].align;
	w->head = (w->layout.size[SCRY_S_POOL] + 15) / 16 * 16;
	w->r = (struct scry_runtime) { .session = w->s,
				       .version = flavour.version,
				       .layout = &w->layout,
				       .roots = { .runtime = DATA },
				       .interps = &w->interp };
	w->interp = (struct scry_interp) { .runtime = &w->r, .addr = DATA };
	scry_image_add(w->s, DATA, 0x80000);
	scry_image_add(w->s, ARRAY, 0x1000);
	new_arena(w, ARENA0, 1); /* entry 0 is not in use */
	new_arena(w, ARENA1, 2);
	point(w, builds[build].way);
}

static uint64_t blocks_of_pool(const struct world *w)
{
	return (w->pool - w->head) / w->block;
}

/* All blocks, of which `used` are in use; they do not overlap. */
static void walk(struct world *w, uint64_t *ret_all, uint64_t *ret_used)
{
	struct scry_block b;
	struct scry_blocks walk;
	scry_addr last = 0;

	*ret_all = *ret_used = 0;
	assert_int_equal(scry_blocks_open(&walk, &w->r), SCRY_OK);
	while (scry_blocks_next(&walk, &b) == SCRY_ITEM) {
		assert_true(b.start >= last);
		last = b.start + b.size;
		++*ret_all;
		*ret_used += !b.free;
	}
	scry_blocks_done(&walk);
}

static void whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++) {
		struct scry_block b;
		uint64_t all, used;
		struct world w;

		open_world(&w, i);
		scry_addr pool = first_pool(&w, ARENA1);
		walk(&w, &all, &used);
		assert_int_equal(all, 4 * blocks_of_pool(&w));
		assert_int_equal(used, 4 * (CUT - 2));
		assert_null(w.s->notes);
		for (unsigned k = 0; k < blocks_of_pool(&w); k++) {
			scry_addr at = block_at(&w, pool, k);

			assert_true(scry_block_find(&w.r, at + w.block - 1, &b));
			assert_int_equal(b.start, at);
			assert_int_equal(b.size, w.block);
			assert_int_equal(b.free, k >= CUT || k == 3 || k == 7);
		}
		assert_false(scry_block_find(&w.r, pool + w.head - 1, &b));
		assert_false(scry_block_find(&w.r, pool + 3 * w.pool, &b));
		assert_true(scry_block_owns(&w.r, pool));
		assert_int_equal(scry_block_owns(&w.r, pool + 3 * w.pool),
				 builds[i].way != BY_POOLS);
		assert_false(scry_block_owns(&w.r, DATA));
		scry_session_free(w.s);
	}
}

/* What only looks like a pool has no blocks once the arenas are known. */
static void chance(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++) {
		struct scry_block b;
		struct world w;

		open_world(&w, i);
		scry_image_add(w.s, 0x60000000u, w.pool);
		new_pool(&w, 0x60000000u, 1);
		assert_int_equal(scry_block_find(&w.r, 0x60000000u + w.head, &b),
				 builds[i].way == BY_POOLS);
		scry_session_free(w.s);
	}
}

/* Words of a header, an entry, a list are overwritten: the walk ends within bounds. */
static void damaged(void **state)
{
	static const uint64_t garbage[] = { 0, 8, UINT64_MAX, ARENA0, ARRAY };
	size_t harm = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++)
		for (size_t k = 0; k < sizeof(garbage) / sizeof(*garbage); k++)
			for (unsigned at = 0; at < 3 * 12; at++) {
				uint64_t all, used;
				struct world w;

				open_world(&w, i);
				const scry_addr places[] = {
					first_pool(&w, ARENA0),
					block_at(&w, first_pool(&w, ARENA0), 7),
					ARRAY + w.layout.size[SCRY_S_ARENA],
				};
				scry_image_put_ptr(w.s, places[at % 3] + at / 3 * w.ptr,
						   garbage[k]);
				walk(&w, &all, &used);
				assert_true(all <= 4 * blocks_of_pool(&w));
				assert_true(used <= 4 * CUT);
				harm += used != 4 * (CUT - 2);
				scry_session_free(w.s);
			}
	assert_true(harm > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(whole), cmocka_unit_test(chance),
					    cmocka_unit_test(damaged) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
