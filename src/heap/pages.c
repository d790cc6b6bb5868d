/* The list of objects, in order: finding one by its address, through the page that it begins in. */
#include <stdlib.h>
#include <string.h>

#include "heap/reach.h"

#define PAGE_SHIFT 12

/* Objects begin in a page: the first one's place in the list, and how many there are. */
struct scry_heap_page {
	uint64_t page; /* its number plus one; 0: the slot is free */
	uint32_t first, count;
};

static int by_address(const void *a, const void *b)
{
	const struct scry_heap_object *x = a, *y = b;

	return x->addr > y->addr ? 1 : x->addr < y->addr ? -1 : 0;
}

/* How many are in order, from the first on. */
static size_t count_sorted(const struct scry_heap *h)
{
	size_t n = h->count ? 1 : 0;

	while (n < h->count && h->objects[n - 1].addr < h->objects[n].addr)
		n++;
	return n;
}

/*
 * What comes after the first `sorted` ones, sorted, goes to its places among them, from the end
 * on. False without the memory for a copy of it.
 */
static bool merge(struct scry_heap *h, size_t sorted)
{
	size_t left = h->count - sorted, at = h->count;
	struct scry_heap_object *rest = malloc((left + 1) * sizeof(*rest));

	if (!rest)
		return false;
	memcpy(rest, h->objects + sorted, left * sizeof(*rest));
	qsort(rest, left, sizeof(*rest), by_address);
	while (left)
		h->objects[--at] = sorted && h->objects[sorted - 1].addr > rest[left - 1].addr
					   ? h->objects[--sorted]
					   : rest[--left];
	free(rest);
	return true;
}

/* Blocks mostly come in order; what does not is sorted. Twice the same is once. */
void scry_heap_sort(struct scry_heap *h)
{
	size_t n = count_sorted(h);

	if (n == h->count)
		return;
	if (!merge(h, n))
		qsort(h->objects, h->count, sizeof(*h->objects), by_address);
	n = 0;
	for (size_t i = 0; i < h->count; i++)
		if (!n || h->objects[n - 1].addr != h->objects[i].addr)
			h->objects[n++] = h->objects[i];
	h->count = n;
}

static struct scry_heap_page *page_slot(const struct scry_heap *h, scry_addr addr)
{
	uint64_t page = (addr >> PAGE_SHIFT) + 1;
	size_t i = (size_t)(page * 0x9e3779b97f4a7c15ull >> 20) & (h->page_size - 1);

	while (h->pages[i].page && h->pages[i].page != page)
		i = (i + 1) & (h->page_size - 1);
	return &h->pages[i];
}

bool scry_heap_has_page(const struct scry_heap *h, scry_addr addr)
{
	return h->pages ? page_slot(h, addr)->page != 0
			: scry_map_at(h->runtime->session->target, addr) != NULL;
}

int scry_heap_index_pages(struct scry_heap *h)
{
	size_t pages = 1, size = 1024;

	for (size_t i = 1; i < h->count; i++)
		pages += h->objects[i - 1].addr >> PAGE_SHIFT != h->objects[i].addr >> PAGE_SHIFT;
	while (size < pages * 2)
		size *= 2;
	free(h->pages);
	h->pages = calloc(size, sizeof(*h->pages));
	if (!h->pages)
		return scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	h->page_size = size;
	for (size_t i = 0; i < h->count; i++) {
		struct scry_heap_page *page = page_slot(h, h->objects[i].addr);

		if (!page->page)
			*page = (struct scry_heap_page) {
				.page = (h->objects[i].addr >> PAGE_SHIFT) + 1, .first = (uint32_t)i
			};
		page->count++;
	}
	return SCRY_OK;
}

uint32_t scry_heap_find(const struct scry_heap *h, scry_addr addr)
{
	const struct scry_heap_page *page = page_slot(h, addr);
	uint32_t first = page->first, n = page->page ? page->count : 0;

	while (n) {
		uint32_t half = n / 2;
		scry_addr at = h->objects[first + half].addr;

		if (at == addr)
			return first + half;
		if (at < addr) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return SCRY_HEAP_NONE;
}

uint32_t scry_heap_before(const struct scry_heap *h, scry_addr addr)
{
	size_t first = 0, n = h->count;

	while (n) {
		size_t half = n / 2;

		if (h->objects[first + half].addr <= addr) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return first ? (uint32_t)first - 1 : SCRY_HEAP_NONE;
}

uint32_t scry_heap_inside(struct scry_heap *h, scry_addr addr)
{
	uint32_t i = scry_heap_before(h, addr);

	return i != SCRY_HEAP_NONE && addr - h->objects[i].addr < scry_heap_extent(h, i)
		       ? i
		       : SCRY_HEAP_NONE;
}
