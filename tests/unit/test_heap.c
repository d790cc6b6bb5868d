/*
 * mimalloc's heaps built in memory, for two sizes of pointers, release and debug builds, whole and
 * damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "memory/gc.h"
#include "target/image.h"

#define SEGMENT   0x40000000u
#define ABANDONED 0x44000000u
#define STATE     0x50000000u
#define INTERP    0x60000000u
#define TYPE      0x1234560u
#define CAPACITY  20
#define BLOCK     160
#define LATE      BLOCK /* pages of such blocks start one block late */

struct world {
	struct scry_session *s;
	struct scry_runtime r;
	struct scry_interp interp;
	struct scry_thread thread;
	struct scry_layout layout;
	bool debug;
	unsigned ptr, shift; /* of a pointer, of a slice */
	scry_addr heap[2], page[3];
	scry_addr wanted[100];
	size_t count;
};

static const struct {
	unsigned elf;
	bool is64, big, debug;
} builds[] = {
	{ EM_X86_64, true, false, false }, { EM_X86_64, true, false, true },
	{ EM_386, false, false, false },   { EM_386, false, false, true },
	{ EM_S390, true, true, true },
};
static const uint64_t keys[2] = { 0x5bd1e995, 0x0badcafe };

static void put(struct world *w, scry_addr base, enum scry_field f, uint64_t value)
{
	const struct scry_slot *slot = &w->layout.slot[f];
	unsigned size = slot->size > 8 ? w->ptr : slot->size;

	assert_true(scry_image_put(w->s, base + slot->offset, size,
				   slot->bits ? value << slot->shift : value));
}

static void put_keys(struct world *w, scry_addr base, enum scry_field f)
{
	for (unsigned i = 0; i < 2 && w->layout.slot[f].size; i++)
		assert_true(scry_image_put_ptr(w->s, base + w->layout.slot[f].offset + i * w->ptr,
					       keys[i]));
}

/* As debug builds write a link: rotl(p ^ keys[1], keys[0]) + keys[0], the owner for NULL. */
static uint64_t encoded(const struct world *w, scry_addr to, scry_addr owner)
{
	unsigned bits = w->ptr * 8, turn = keys[0] % bits;
	uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX, x = (to ? to : owner) ^ keys[1];

	if (!w->debug)
		return to;
	x = turn ? (x << turn | x >> (bits - turn)) & mask : x;
	return (x + keys[0]) & mask;
}

static scry_addr block_at(const struct world *w, scry_addr segment, unsigned slice, unsigned index)
{
	return segment + ((scry_addr)slice << w->shift) + LATE + index * BLOCK;
}

/* A page whose blocks all hold objects; those of heap 3 have two words more before them. */
static scry_addr new_page(struct world *w, scry_addr segment, unsigned slice, unsigned tag,
			  bool wanted)
{
	scry_addr page = segment + w->layout.slot[SCRY_F_MI_SEGMENT_SLICES].offset +
			 slice * w->layout.size[SCRY_S_MI_PAGE];

	put(w, page, SCRY_F_MI_PAGE_SLICE_COUNT, 1);
	put(w, page, SCRY_F_MI_PAGE_TAG, tag);
	put(w, page, SCRY_F_MI_PAGE_CAPACITY, CAPACITY);
	put(w, page, SCRY_F_MI_PAGE_RESERVED, ((1u << w->shift) - LATE) / BLOCK);
	put(w, page, SCRY_F_MI_PAGE_USED, CAPACITY);
	put(w, page, SCRY_F_MI_PAGE_BLOCK_SIZE, BLOCK);
	put_keys(w, page, SCRY_F_MI_PAGE_KEYS);
	for (unsigned i = 0; i < CAPACITY; i++) {
		scry_addr object = block_at(w, segment, slice, i) + (w->debug ? 2 * w->ptr : 0) +
				   (tag == 3 ? 2 * w->ptr : 0);

		put(w, object, SCRY_F_OBJECT_GC_BITS, 1);
		put(w, object, SCRY_F_OBJECT_TYPE, TYPE);
		if (wanted)
			w->wanted[w->count++] = object;
	}
	return page;
}

static void unwanted(struct world *w, unsigned index)
{
	w->wanted[index] = 0;
}

/* Blocks of the first page that are free, each on a list of its own kind: by index. */
static void free_blocks(struct world *w)
{
	scry_addr page = w->page[0], heap = w->heap[0];

	put(w, page, SCRY_F_MI_PAGE_FREE, block_at(w, SEGMENT, 1, 1));
	assert_true(scry_image_put_ptr(w->s, block_at(w, SEGMENT, 1, 1),
				       encoded(w, block_at(w, SEGMENT, 1, 19), page)));
	assert_true(scry_image_put_ptr(w->s, block_at(w, SEGMENT, 1, 19), encoded(w, 0, page)));
	put(w, page, SCRY_F_MI_PAGE_LOCAL_FREE, block_at(w, SEGMENT, 1, 5));
	assert_true(scry_image_put_ptr(w->s, block_at(w, SEGMENT, 1, 5), encoded(w, 0, page)));
	put(w, page, SCRY_F_MI_PAGE_THREAD_FREE, block_at(w, SEGMENT, 1, 7) | 2);
	assert_true(scry_image_put_ptr(w->s, block_at(w, SEGMENT, 1, 7), encoded(w, 0, page)));
	put(w, heap, SCRY_F_MI_HEAP_DELAYED_FREE, block_at(w, SEGMENT, 1, 9));
	assert_true(scry_image_put_ptr(w->s, block_at(w, SEGMENT, 1, 9), encoded(w, 0, heap)));
	put(w, page, SCRY_F_MI_PAGE_USED, CAPACITY - 3);
	put(w, w->wanted[11], SCRY_F_OBJECT_GC_BITS, 2); /* not tracked */
	for (unsigned i = 1; i < 12; i += 2)
		if (i != 3)
			unwanted(w, i);
	unwanted(w, 19);
}

static void new_heap(struct world *w, unsigned heap, scry_addr page)
{
	scry_addr at = STATE + w->layout.slot[SCRY_F_THREAD_IMPL_MI_HEAPS].offset +
		       heap * w->layout.size[SCRY_S_MI_HEAP];
	scry_addr queue = at + w->layout.slot[SCRY_F_MI_HEAP_PAGES].offset + 17 * 3 * w->ptr;

	w->heap[heap - 2] = at;
	put(w, at, SCRY_F_MI_HEAP_TAG, heap);
	put(w, at, SCRY_F_MI_HEAP_PAGE_COUNT, 1);
	put_keys(w, at, SCRY_F_MI_HEAP_KEYS);
	assert_true(scry_image_put_ptr(w->s, queue, page));
	assert_true(scry_image_put_ptr(w->s, queue + w->ptr, page));
}

static void open_world(struct world *w, size_t build)
{
	struct scry_flavour flavour = { .version = 0x030e07f0,
					.free_threaded = true,
					.debug = builds[build].debug };

	memset(w, 0, sizeof(*w));
	w->s = scry_image_session(builds[build].elf, builds[build].is64, builds[build].big);
	assert_non_null(w->s);
	w->debug = builds[build].debug;
	w->ptr = w->s->target->abi.ptr_size;
	w->shift = w->ptr == 8 ? 16 : 15;
	assert_int_equal(scry_layout_from_rows(&flavour, &w->s->target->abi, &w->layout), SCRY_OK);
	w->r = (struct scry_runtime) { .session = w->s,
				       .version = flavour.version,
				       .strategy = scry_strategy_for(flavour.version),
				       .layout = &w->layout,
				       .interps = &w->interp };
	w->interp = (struct scry_interp) { .runtime = &w->r, .addr = INTERP };
	w->thread = (struct scry_thread) {
		.session = w->s, .runtime = &w->r, .interp = &w->interp, .state = STATE
	};
	w->s->threads = &w->thread;
	w->s->threads_done = true;
	scry_image_add(w->s, SEGMENT, 0x40000);
	scry_image_add(w->s, ABANDONED, 0x40000);
	scry_image_add(w->s, STATE, 0x10000);
	scry_image_add(w->s, INTERP, 0x10000);
	put(w, SEGMENT, SCRY_F_MI_SEGMENT_SLICE_ENTRIES, 4);
	w->page[0] = new_page(w, SEGMENT, 1, 2, true);
	w->page[1] = new_page(w, SEGMENT, 2, 3, true);
	new_page(w, SEGMENT, 3, 1, false); /* of the heap of what the collector does not know */
	new_heap(w, 2, w->page[0]);
	new_heap(w, 3, w->page[1]);
	put(w, ABANDONED, SCRY_F_MI_SEGMENT_INFO_SLICES, 1);
	put(w, ABANDONED, SCRY_F_MI_SEGMENT_SLICE_ENTRIES, 4);
	put(w, ABANDONED, SCRY_F_MI_SEGMENT_USED, 3);
	w->page[2] = new_page(w, ABANDONED, 1, 2, true);
	new_page(w, ABANDONED, 2, 0, false);
	new_page(w, ABANDONED, 3, 1, false);
	put(w, INTERP, SCRY_F_INTERP_MI_ABANDONED, ABANDONED | 5); /* a tag that counts */
	w->interp.modules = w->wanted[0];
	free_blocks(w);
}

static void close_world(struct world *w)
{
	w->s->threads = NULL;
	scry_session_free(w->s);
}

/* How many of the wanted objects come; nothing else may. */
static size_t walk(struct world *w)
{
	struct scry_gc gc;
	scry_addr object;
	size_t found = 0;

	if (scry_gc_open(&gc, &w->interp) < 0)
		return 0;
	while (scry_gc_next(&gc, &object) == SCRY_ITEM) {
		size_t i = 0;

		while (i < w->count && w->wanted[i] != object)
			i++;
		assert_true(i < w->count);
		w->wanted[i] = 0;
		found++;
	}
	scry_gc_done(&gc);
	return found;
}

static void whole_heaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++) {
		struct world w;

		open_world(&w, i);
		assert_int_equal(walk(&w), 3 * CAPACITY - 6);
		assert_null(w.s->notes);
		close_world(&w);
	}
}

/*
 * Each word of the structs in turn is overwritten: the walk ends, finds no more than there is, and
 * less only with a note.
 */
static void damaged_heaps(void **state)
{
	static const uint64_t garbage[] = { 0, 8, 0x4141414141414140, SEGMENT, ABANDONED };
	size_t harm = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++)
		for (size_t k = 0; k < sizeof(garbage) / sizeof(*garbage); k++)
			for (unsigned at = 0; at < 3 * 96; at += 4) {
				struct world w;
				struct scry_gc gc;
				scry_addr object;
				size_t found = 0;

				open_world(&w, i);
				scry_image_put_ptr(w.s, w.page[at % 3] + at / 3 / w.ptr * w.ptr,
						   garbage[k]);
				if (scry_gc_open(&gc, &w.interp) == SCRY_OK) {
					while (scry_gc_next(&gc, &object) == SCRY_ITEM)
						found++;
					scry_gc_done(&gc);
				}
				assert_true(found <= 3 * CAPACITY);
				/* nobody counts the pages of what a thread left behind */
				assert_true(found >= 3 * CAPACITY - 6 || w.s->notes || at % 3 == 2);
				harm += found != 3 * CAPACITY - 6 && w.s->notes;
				close_world(&w);
			}
	assert_true(harm > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(whole_heaps),
					    cmocka_unit_test(damaged_heaps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
