/* mimalloc as one of Python's allocators: the block at an address, all of them, its segments. */
#include <stdlib.h>

#include "memory/memory.h"
#include "memory/mimalloc.h"

static bool serves(const struct scry_runtime *r)
{
	return r->layout->flavour.free_threaded;
}

/* The page of an address, with its free blocks: the last one is kept. NULL: there is none. */
static const struct scry_memory *page_at(struct scry_runtime *r, scry_addr addr)
{
	struct scry_memory *memory = scry_memory_of(r);
	struct scry_mi_page page;

	if (!memory || !scry_mi_page_find(r, addr, &page))
		return NULL;
	if (memory->page.addr != page.addr) {
		memory->page = page;
		scry_mi_page_free(r, &page, &memory->page_free);
	}
	return memory;
}

static bool find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	const struct scry_memory *memory = page_at(r, addr);

	if (!memory)
		return false;
	const struct scry_mi_page *page = &memory->page;
	uint64_t index = (addr - page->start) / page->block_size;

	*ret = (struct scry_block) { .start = page->start + index * page->block_size,
				     .raw = page->tag == SCRY_MI_MEM,
				     .size = page->block_size,
				     .free = index >= page->capacity ||
					     scry_mi_bit(&memory->page_free, index) };
	return true;
}

/* Whatever a page has, also after the blocks that were given out. */
static bool owns(struct scry_runtime *r, scry_addr addr)
{
	return page_at(r, addr) != NULL;
}

/* Down the page's list of what is given out next, then that of what was freed since. */
static unsigned order(struct scry_runtime *r, const struct scry_block *block)
{
	static const enum scry_field lists[] = { SCRY_F_MI_PAGE_FREE, SCRY_F_MI_PAGE_LOCAL_FREE };
	const struct scry_memory *memory = page_at(r, block->start);
	struct scry_mi_keys keys;
	unsigned n = 1;

	if (!memory)
		return 0;
	scry_mi_keys_read(r, memory->page.addr, SCRY_F_MI_PAGE_KEYS, &keys);
	for (unsigned i = 0; i < 2; i++) {
		scry_addr at = scry_field_get(r, memory->page.addr, lists[i]);

		for (; at && n <= SCRY_MI_CAPACITY_MAX; n++) {
			if (at == block->start)
				return n;
			if (!scry_mi_next(r, at, &keys, &at))
				break;
		}
	}
	return 0;
}

struct walk {
	struct scry_mimalloc heap;
	struct scry_interp *interp; /* whose heaps are walked */
};

static int open_interp(struct walk *w)
{
	int rc = SCRY_ENOTFOUND;

	for (; w->interp; w->interp = w->interp->next) {
		rc = scry_mimalloc_open(&w->heap, w->interp, SCRY_MI_ALL);
		if (rc == SCRY_OK)
			break;
		scry_mimalloc_done(&w->heap);
	}
	return w->interp ? SCRY_OK : rc;
}

static void done_walk(void *state)
{
	struct walk *w = state;

	scry_mimalloc_done(&w->heap);
	free(w);
}

static int open_walk(struct scry_runtime *r, void **ret_state)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (!w)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	w->interp = r->interps;
	int rc = open_interp(w);
	if (rc < 0)
		done_walk(w);
	else
		*ret_state = w;
	return rc;
}

static int next_of_all(struct scry_runtime *r, void *state, struct scry_block *ret)
{
	struct walk *w = state;

	(void)r;
	while (w->interp) {
		if (scry_mimalloc_next_block(&w->heap, ret) == SCRY_ITEM)
			return SCRY_ITEM;
		scry_mimalloc_done(&w->heap);
		w->interp = w->interp->next;
		if (open_interp(w) < 0)
			break;
	}
	return SCRY_OK;
}

/* Segments that have pages with blocks; a page may be larger than one. */
static int areas(struct scry_runtime *r, struct scry_block_area **ret, size_t *ret_count)
{
	struct scry_mimalloc heap;
	struct scry_block_area *list = NULL, *more;
	size_t count = 0, room = 0;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		bool found = scry_mimalloc_open(&heap, i, SCRY_MI_ALL) == SCRY_OK;

		for (size_t n = 0; found && n < heap.count; n++) {
			const struct scry_mi_page *page = &heap.pages[n];
			scry_addr start = scry_mi_segment(r, page->addr),
				  end = page->start + page->block_size * page->capacity;

			if (count && list[count - 1].start == start && list[count - 1].end >= end)
				continue;
			more = scry_arena_grow(&r->session->arena, list, count, &room,
					       sizeof(*list), 64);
			if (!more) {
				scry_mimalloc_done(&heap);
				return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
			}
			list = more;
			if (end < scry_mi_segment_end(r, start))
				end = scry_mi_segment_end(r, start);
			list[count++] = (struct scry_block_area) { start, end, 0, 0 };
		}
		scry_mimalloc_done(&heap);
	}
	*ret = list;
	*ret_count = count;
	return count ? SCRY_OK : SCRY_ENOTFOUND;
}

/*
 * Objects/mimalloc/page-queue.c, mi_bin(): steps of 16 bytes up to 128, then four sizes between a
 * power of two and the next one. What has a page of its own ends where that does.
 */
static uint64_t step_to(uint64_t size)
{
	uint64_t step = 16;

	if (size > 65536)
		return step + size / 4;
	while (8 * step < size)
		step *= 2;
	return step;
}

const struct scry_allocator scry_allocator_mimalloc = {
	.name = "mimalloc",
	.serves = serves,
	.find = find,
	.step = step_to,
	.keep = 2,
	.keeps_equal = true,
	.guess = find,
	.owns = owns,
	.order = order,
	.open = open_walk,
	.next = next_of_all,
	.done = done_walk,
	.areas = areas,
};
