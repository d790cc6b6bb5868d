/*
 * malloc's chunks in sums. A chunk is Python's where an object begins in it, or what an object has
 * elsewhere (object/part.h).
 */
#include "heap/chunks.h"

#include <stdlib.h>

#include "object/part.h"

#define PAGE 4096u

struct sum {
	struct scry_heap *h;
	const struct scry_block_area *areas;
	size_t area_count;
	struct scry_chunks *chunks;
	scry_addr *pythons; /* where objects and their parts begin, in order of address */
	size_t python_count, python_room;
	bool full; /* out of memory */
};

/* --- what is Python's --- */

/* Nothing that is in the allocator's memory is in a chunk of its own. */
static void add_python(struct sum *s, scry_addr at)
{
	size_t i = scry_area_after(s->areas, s->area_count, at);

	if (i < s->area_count && s->areas[i].start <= at)
		return;
	if (s->python_count == s->python_room) {
		size_t room = s->python_room ? s->python_room * 2 : 4096;
		scry_addr *list = realloc(s->pythons, room * sizeof(*list));

		s->full |= !list;
		if (!list)
			return;
		s->pythons = list;
		s->python_room = room;
	}
	s->pythons[s->python_count++] = at;
}

static int by_address(const void *a, const void *b)
{
	scry_addr x = *(const scry_addr *)a, y = *(const scry_addr *)b;

	return x > y ? 1 : x < y ? -1 : 0;
}

static void add_parts(struct sum *s, scry_addr owner, struct scry_type *t)
{
	struct scry_parts parts = { .runtime = s->h->runtime, .owner = owner, .type = t };
	struct scry_part part;

	while (scry_part_next(&parts, &part) == SCRY_ITEM)
		add_python(s, part.start);
}

/* Most texts have no parts: the index knows which may. */
static void find_pythons(struct sum *s)
{
	struct scry_heap *h = s->h;
	struct scry_runtime *r = h->runtime;

	for (uint32_t i = 0; i < h->count && !r->session->stopped && !s->full; i++) {
		struct scry_type *t = scry_heap_type_of(h, i)->type;

		add_python(s, h->objects[i].addr);
		if (h->kind->parts && !(t->flags & TYPE_UNICODE) && scry_type_has_parts(r, t))
			add_parts(s, h->objects[i].addr, t);
	}
	for (size_t i = 0; i < h->text_count; i++) {
		uint32_t object = scry_heap_find(h, h->texts[i]);

		if (object != SCRY_HEAP_NONE)
			add_parts(s, h->texts[i], scry_heap_type_of(h, object)->type);
	}
	if (s->python_count)
		qsort(s->pythons, s->python_count, sizeof(*s->pythons), by_address);
}

/* An object is in the chunk's first bytes, or after its header, or in a struct of C's. */
static bool is_python(const struct sum *s, const struct scry_malloc_chunk *c)
{
	size_t low = 0;

	for (size_t high = s->python_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (s->pythons[middle] < c->start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->python_count && s->pythons[low] - c->start < c->size;
}

/* --- all chunks --- */

/* How much of it is in Python's own allocator, which had it from malloc(). */
static uint64_t in_areas(const struct sum *s, scry_addr start, scry_addr end)
{
	uint64_t bytes = 0;

	for (size_t i = scry_area_after(s->areas, s->area_count, start);
	     i < s->area_count && s->areas[i].start < end; i++) {
		scry_addr from = s->areas[i].start > start ? s->areas[i].start : start,
			  to = s->areas[i].end < end ? s->areas[i].end : end;

		bytes += to - from;
	}
	return bytes;
}

static void take(struct sum *s, const struct scry_malloc_chunk *c)
{
	unsigned ptr = s->h->reader.ptr;
	scry_addr start = c->start - 2 * ptr, end = c->start - ptr + c->size;

	if (c->state == SCRY_MALLOC_MMAPPED) {
		start &= ~(scry_addr)(PAGE - 1);
		end = (c->start + c->size + PAGE - 1) & ~(scry_addr)(PAGE - 1);
	} else if (c->state == SCRY_MALLOC_TOP) {
		end += ptr;
	}
	uint64_t bytes = end - start - in_areas(s, start, end);

	s->full |= !scry_areas_add(&s->h->runtime->session->arena, &s->chunks->runs, start, end);
	s->chunks->by_state[c->state] += bytes;
	if (scry_malloc_is_free(c)) {
		s->chunks->free += bytes;
		return;
	}
	s->chunks->used += bytes;
	if (c->state == SCRY_MALLOC_MMAPPED)
		s->chunks->mapped += bytes;
	if (is_python(s, c))
		s->chunks->python += bytes;
}

int scry_chunks_count(struct scry_heap *h, const struct scry_block_area *areas, size_t area_count,
		      struct scry_chunks *ret)
{
	struct sum s = { .h = h, .areas = areas, .area_count = area_count, .chunks = ret };
	struct scry_malloc_walk walk;
	struct scry_malloc_chunk c;

	*ret = (struct scry_chunks) { 0 };
	if (scry_malloc_open(&walk, h->runtime) < 0)
		return SCRY_OK;
	find_pythons(&s);
	while (!h->runtime->session->stopped && !s.full && scry_malloc_next(&walk, &c) == SCRY_ITEM)
		if (c.certain)
			take(&s, &c);
	free(s.pythons);
	return s.full ? scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory") : SCRY_OK;
}
