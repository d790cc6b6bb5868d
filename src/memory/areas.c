#include "memory/areas.h"

#include <stdlib.h>

bool scry_areas_add(struct scry_arena *arena, struct scry_areas *areas, scry_addr start,
		    scry_addr end)
{
	struct scry_block_area *last = areas->count ? &areas->list[areas->count - 1] : NULL;

	if (last && last->end == start) {
		last->end = end;
		return true;
	}
	struct scry_block_area *list =
		scry_arena_grow(arena, areas->list, areas->count, &areas->room, sizeof(*list), 64);
	if (!list)
		return false;
	areas->list = list;
	list[areas->count++] = (struct scry_block_area) { start, end, 0, 0 };
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct scry_block_area *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

void scry_areas_sort(struct scry_block_area *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), by_start);
}

size_t scry_area_after(const struct scry_block_area *list, size_t count, scry_addr addr)
{
	size_t low = 0;

	for (size_t high = count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (list[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
