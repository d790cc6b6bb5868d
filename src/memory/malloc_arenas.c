/*
 * Finding malloc's arenas: struct malloc_state, malloc/malloc.c, and struct heap_info,
 * malloc/arena.c of glibc. The main one is a static variable; where libc is stripped its data are
 * searched for what only an arena has: 127 bins in a row, each an empty list, which is a pair of
 * pointers to itself, or a list that comes back to it. Where an arena begins is then what its ring
 * of arenas says.
 */
#include <stdlib.h>
#include <string.h>

#include "memory/malloc_state.h"
#include "memory/memory.h"

#define PAGE        4096u
#define ARENAS_MAX  4096
#define HEAPS_MAX   4096
#define STARTS_MAX  4096  /* pages of a mapping where the first chunk may stand */
#define LED_LEAST   16384 /* bytes of chunks in a row that nobody doubts */
#define BINMAP      16    /* bytes: BINMAPSIZE words of 4 */
#define BEHIND_BINS 5     /* words after the binmap: next, next_free, attached_threads, two sums */
#define HEAD_MAX    160   /* bytes before the bins */

static unsigned ptr_size(const struct scry_malloc *m)
{
	return m->runtime->session->target->abi.ptr_size;
}

uint64_t scry_malloc_word(struct scry_malloc *m, scry_addr addr)
{
	uint64_t word;

	return scry_word(m->runtime, addr, &word) == SCRY_OK ? word : 0;
}

uint64_t scry_malloc_size(struct scry_malloc *m, scry_addr chunk, unsigned *ret_flags)
{
	uint64_t word = scry_malloc_word(m, chunk + ptr_size(m));

	*ret_flags = word & SCRY_MALLOC_FLAGS;
	word &= ~(uint64_t)SCRY_MALLOC_FLAGS;
	return word % (2 * ptr_size(m)) || word >> 47 ? 0 : word;
}

/* --- is it an arena? --- */

/* bin_at(): a bin is a chunk of which only the links are there. */
static scry_addr bin_of(const struct scry_malloc *m, scry_addr bins, unsigned i)
{
	return bins + (2ull * i - 4) * ptr_size(m);
}

static bool is_ring(struct scry_malloc *m, scry_addr bin)
{
	unsigned ptr = ptr_size(m);
	scry_addr next = scry_malloc_word(m, bin + 2 * ptr),
		  last = scry_malloc_word(m, bin + 3 * ptr);

	if (!next || !last || next % ptr || last % ptr)
		return false;
	return (next == bin && last == bin) || (scry_malloc_word(m, next + 3 * ptr) == bin &&
						scry_malloc_word(m, last + 2 * ptr) == bin);
}

static bool has_bins(struct scry_malloc *m, scry_addr bins)
{
	/* the program may have been stopped while it changed one */
	unsigned damaged = 0;

	for (unsigned i = 0; i < SCRY_MALLOC_BINS && damaged <= 1; i++)
		damaged += !is_ring(m, bin_of(m, bins, i + 1));
	return damaged <= 1;
}

static scry_addr next_arena(struct scry_malloc *m, scry_addr arena)
{
	return scry_malloc_word(m,
				arena + m->head + 2ull * SCRY_MALLOC_BINS * ptr_size(m) + BINMAP);
}

/*
 * What comes before the bins: a mutex and flags (since 2.27 a third int), the fastbins, top and
 * last_remainder. Later versions have no fastbins.
 */
static void measure_head(struct scry_malloc *m, uint32_t head)
{
	unsigned ptr = ptr_size(m), count = ptr == 8 ? 10 : 11; /* NFASTBINS */

	m->head = head;
	m->fast_count = head >= 8 + (count + 2) * ptr ? count : 0;
	m->fast_at = m->fast_count ? head - (count + 2) * ptr : 0;
}

/* The ring of arenas comes back to the main one, right before these bins: that locates its head. */
static bool measure(struct scry_malloc *m, scry_addr bins)
{
	scry_addr at = scry_malloc_word(m, bins + 2ull * SCRY_MALLOC_BINS * ptr_size(m) + BINMAP);

	for (unsigned i = 0; i < ARENAS_MAX && at; i++) {
		uint64_t head = bins - at;

		if (at < bins && head <= HEAD_MAX && head >= 2 * ptr_size(m) + 8) {
			measure_head(m, (uint32_t)head);
			return true;
		}
		/* another arena: it has the same head, which is not known yet */
		scry_addr next = 0;
		for (uint32_t h = 2 * ptr_size(m) + 8; h <= HEAD_MAX && !next; h += ptr_size(m))
			if (is_ring(m, bin_of(m, at + h, 1)) &&
			    is_ring(m, bin_of(m, at + h, SCRY_MALLOC_BINS)) && has_bins(m, at + h))
				next = scry_malloc_word(
					m, at + h + 2ull * SCRY_MALLOC_BINS * ptr_size(m) + BINMAP);
		at = next;
	}
	return false;
}

/* The last bin is never used, and what follows it is not a bin. */
static bool may_end_bins(struct scry_malloc *m, scry_addr pair)
{
	unsigned ptr = ptr_size(m);
	scry_addr bin = pair - 2 * ptr;

	return scry_malloc_word(m, pair) == bin && scry_malloc_word(m, pair + ptr) == bin &&
	       scry_malloc_word(m, pair + 2 * ptr) != pair;
}

static scry_addr search(struct scry_malloc *m, scry_addr start, scry_addr end)
{
	unsigned ptr = ptr_size(m);
	uint64_t size = 2ull * SCRY_MALLOC_BINS * ptr;

	for (scry_addr at = start + size; at + BINMAP + 4 * ptr < end; at += ptr)
		if (may_end_bins(m, at) && has_bins(m, at + 2 * ptr - size) &&
		    measure(m, at + 2 * ptr - size))
			return at + 2 * ptr - size - m->head;
	return 0;
}

static bool is_glibc(const char *name)
{
	/* libc-2.31.so after the other name before 2.34 */
	return !strcmp(name, "libc.so.6") || !strncmp(name, "libc-2.", 7);
}

static scry_addr find_main(struct scry_malloc *m, struct scry_module *libc)
{
	const struct scry_target *t = m->runtime->session->target;
	struct scry_symbol symbol;
	scry_addr found = 0;

	if (scry_module_symbol(libc, "main_arena", &symbol) == SCRY_OK)
		found = search(m, symbol.addr, symbol.addr + symbol.size + 64);
	for (size_t i = 0; i < t->map_count && !found; i++) {
		const struct scry_map *map = &t->maps[i];

		if (map->start >= libc->start && map->start < libc->end &&
		    (map->flags & SCRY_MAP_WRITE || !(map->flags & SCRY_MAP_READ)) &&
		    map->end - map->start < 1 << 20)
			found = search(m, map->start, map->end);
	}
	return found;
}

/* --- arenas and what they span --- */

static bool add_arena(struct scry_malloc *m, scry_addr addr)
{
	struct scry_malloc_arena *arenas =
		scry_arena_grow(&m->runtime->session->arena, m->arenas, m->arena_count,
				&m->arena_room, sizeof(*arenas), 8);

	if (!arenas)
		return false;
	m->arenas = arenas;
	m->arenas[m->arena_count++] = (struct scry_malloc_arena) {
		addr, addr + m->head, scry_malloc_word(m, addr + m->head - 2 * ptr_size(m))
	};
	return true;
}

static void add_region(struct scry_malloc *m, const struct scry_malloc_region *region)
{
	struct scry_malloc_region *regions =
		scry_arena_grow(&m->runtime->session->arena, m->regions, m->region_count,
				&m->region_room, sizeof(*regions), 8);

	if (!regions)
		return;
	m->regions = regions;
	m->regions[m->region_count++] = *region;
}

static scry_addr align_chunk(const struct scry_malloc *m, scry_addr at)
{
	unsigned words = 2 * ptr_size(m);

	return (at + words + SCRY_MALLOC_ALIGN - 1) / SCRY_MALLOC_ALIGN * SCRY_MALLOC_ALIGN - words;
}

/* How far the chunks from `start` on lead: to `end`, where they are sound. */
static scry_addr leads_to(struct scry_malloc *m, scry_addr start, scry_addr end)
{
	unsigned flags;

	while (start < end) {
		uint64_t size = scry_malloc_size(m, start, &flags);

		if (size < 2 * ptr_size(m) || flags & 2 || size > end - start)
			break;
		start += size;
	}
	return start;
}

/* Flags that are all zero are not known. */
static bool may_be_heap(const struct scry_map *map)
{
	return !(map->flags & SCRY_MAP_FILE) &&
	       (map->flags & SCRY_MAP_WRITE || !(map->flags & (SCRY_MAP_READ | SCRY_MAP_EXEC)));
}

/*
 * The main arena's: from where the program's break began to its top. Where that is only the chunks
 * can tell, which lead from there to the top.
 */
static void add_main(struct scry_malloc *m, const struct scry_malloc_arena *a)
{
	struct scry_target *t = m->runtime->session->target;
	const struct scry_map *map = scry_map_at(t, a->top);
	unsigned flags;
	uint64_t size = scry_malloc_size(m, a->top, &flags);

	if (!map || !size || a->top == a->bins - 2 * ptr_size(m)) /* initial_top(): nothing yet */
		return;
	while (map > t->maps && map[-1].end == map->start && may_be_heap(&map[-1]))
		map--;
	/* the program's own variables, which a core without the names of files does not part */
	const struct scry_module *module = scry_module_at(m->runtime->session, map->start);
	scry_addr first = module && module->end <= a->top ? module->end : map->start;
	for (unsigned i = 0; i < STARTS_MAX; i++) {
		scry_addr start = align_chunk(m, first + (scry_addr)i * PAGE);

		if (start > a->top)
			break;
		scry_addr reached = leads_to(m, start, a->top);

		/* where somebody wrote over a chunk's size they lead that far */
		if (reached < a->top && reached - start < LED_LEAST)
			continue;
		add_region(m, &(struct scry_malloc_region) { .arena = a->addr,
							     .start = start,
							     .end = a->top + size,
							     .top = a->top });
		return;
	}
	m->damaged++;
}

/* HEAP_MAX_SIZE, malloc/arena.c: twice DEFAULT_MMAP_THRESHOLD_MAX, and aligned to that. */
static scry_addr heap_of(const struct scry_malloc *m, scry_addr addr)
{
	return addr & ~(scry_addr)((ptr_size(m) == 8 ? 64u << 20 : 1u << 20) - 1);
}

/* Where the chunks of a heap that another one followed end: a fencepost without a size. */
static scry_addr fence_of(struct scry_malloc *m, scry_addr heap, scry_addr start)
{
	scry_addr end = heap + scry_malloc_word(m, heap + 2 * ptr_size(m));
	unsigned flags;

	while (start < end) {
		uint64_t size = scry_malloc_size(m, start, &flags);

		if (!size)
			break;
		start += size;
	}
	return start;
}

/*
 * Another arena's: heaps, each of which leads to the one before; the first has the arena itself
 * after its head, as large as that is in this version.
 */
static void add_heaps(struct scry_malloc *m, const struct scry_malloc_arena *a)
{
	unsigned ptr = ptr_size(m), flags;
	scry_addr first = heap_of(m, a->addr), heap = heap_of(m, a->top);
	uint64_t info = a->addr - first,
		 size = m->head + 2ull * SCRY_MALLOC_BINS * ptr + BINMAP + BEHIND_BINS * ptr;

	if (info < 4 * ptr || info > 16 * ptr) {
		m->damaged++;
		return;
	}
	for (unsigned i = 0; heap && i < HEAPS_MAX; i++) {
		bool has_top = heap == heap_of(m, a->top);
		struct scry_malloc_region region = { .arena = a->addr };

		if (scry_malloc_word(m, heap) != a->addr) {
			m->damaged++;
			return;
		}
		region.start = align_chunk(m, heap == first ? a->addr + size : heap + info);
		region.top = has_top ? a->top : 0;
		region.end = has_top ? a->top + scry_malloc_size(m, a->top, &flags)
				     : fence_of(m, heap, region.start);
		if (region.end > region.start)
			add_region(m, &region);
		heap = heap == first ? 0 : scry_malloc_word(m, heap + ptr);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct scry_malloc_region *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

bool scry_malloc_find_arenas(struct scry_malloc *m)
{
	scry_addr main = 0, at;

	for (struct scry_module *libc = scry_module_first(m->runtime->session); libc && !main;
	     libc = libc->next)
		if (is_glibc(libc->name))
			main = find_main(m, libc);
	if (!main || !add_arena(m, main))
		return false;
	for (at = next_arena(m, main); at && at != main && m->arena_count < ARENAS_MAX;
	     at = next_arena(m, at))
		if (!has_bins(m, at + m->head) || !add_arena(m, at)) {
			m->damaged++;
			break;
		}
	add_main(m, &m->arenas[0]);
	for (size_t i = 1; i < m->arena_count; i++)
		add_heaps(m, &m->arenas[i]);
	if (m->region_count)
		qsort(m->regions, m->region_count, sizeof(*m->regions), by_start);
	return true;
}
