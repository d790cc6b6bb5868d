/* glibc's malloc: the chunk at an address, and all of them. */
#include "memory/malloc.h"

#include <string.h>

#include "memory/malloc_state.h"
#include "memory/memory.h"

#define MARK_BYTES 16384 /* from one chunk that is remembered to the next */

/* malloc/malloc.c: bits of the size word */
#define PREV_INUSE     1
#define NON_MAIN_ARENA 4

const char *scry_malloc_state_name(enum scry_malloc_state state)
{
	static const char *const names[] = {
		[SCRY_MALLOC_USED] = NULL,
		[SCRY_MALLOC_MMAPPED] = NULL,
		[SCRY_MALLOC_TCACHE] = "tcache",
		[SCRY_MALLOC_FASTBIN] = "fastbin",
		[SCRY_MALLOC_UNSORTED] = "unsorted bin",
		[SCRY_MALLOC_SMALL] = "small bin",
		[SCRY_MALLOC_LARGE] = "large bin",
		[SCRY_MALLOC_UNLISTED] = "on no list",
		[SCRY_MALLOC_TOP] = "top",
	};
	return names[state];
}

/* --- whose malloc --- */

/* What is loaded stands for libc's own, wherever that is; musl's loader is its libc. */
static const struct {
	const char *prefix, *name;
} libraries[] = {
	{ "libjemalloc", "jemalloc" },   { "libtcmalloc", "tcmalloc" },
	{ "libmimalloc", "mimalloc" },   { "libhoard", "Hoard" },
	{ "libsnmalloc", "snmalloc" },   { "ld-musl-", "musl malloc" },
	{ "libc.musl-", "musl malloc" }, { "libc.so.6", "malloc" },
	{ "libc-2.", "malloc" },
};

const char *scry_malloc_name(struct scry_runtime *r)
{
	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++)
		for (struct scry_module *m = scry_module_first(r->session); m; m = m->next)
			if (!strncmp(m->name, libraries[i].prefix, strlen(libraries[i].prefix)))
				return libraries[i].name;
	return NULL;
}

struct scry_malloc *scry_malloc_of(struct scry_runtime *r)
{
	struct scry_memory *memory = scry_memory_of(r);

	if (!memory)
		return NULL;
	if (!memory->malloc_known) {
		struct scry_malloc *m = scry_arena_alloc(&r->session->arena, sizeof(*m));

		memory->malloc_known = true;
		if (m) {
			m->runtime = r;
			memory->malloc = scry_malloc_find_arenas(m) ? m : NULL;
		}
	}
	return memory->malloc;
}

/* --- regions --- */

struct scry_malloc_region *scry_malloc_region_at(struct scry_malloc *m, scry_addr addr)
{
	size_t low = 0;

	for (size_t high = m->region_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (m->regions[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < m->regions[low - 1].end ? &m->regions[low - 1] : NULL;
}

static unsigned ptr_size(const struct scry_malloc *m)
{
	return m->runtime->session->target->abi.ptr_size;
}

static bool mark(struct scry_malloc *m, struct scry_malloc_region *region, scry_addr chunk)
{
	scry_addr *marks =
		scry_arena_grow(&m->runtime->session->arena, region->marks, region->mark_count,
				&region->mark_room, sizeof(*marks), 64);

	if (!marks)
		return false;
	region->marks = marks;
	region->marks[region->mark_count++] = chunk;
	return true;
}

/* The chunk after; 0 where the size of this one makes no sense. */
static scry_addr next_chunk(struct scry_malloc *m, const struct scry_malloc_region *region,
			    scry_addr chunk)
{
	unsigned flags;
	uint64_t size = scry_malloc_size(m, chunk, &flags);

	if (size < 2 * ptr_size(m) || flags & SCRY_MALLOC_OWN_MAP || size > region->end - chunk)
		return 0;
	return chunk + size;
}

/* Follow the chunks once, and remember some. */
static void follow(struct scry_malloc *m, struct scry_malloc_region *region)
{
	scry_addr chunk = region->start, last = 0, before = 0;

	if (region->reached)
		return;
	while (chunk && chunk < region->end) {
		if (!last || chunk - last >= MARK_BYTES) {
			if (!mark(m, region, chunk))
				break;
			last = chunk;
		}
		before = region->reached;
		region->reached = chunk;
		chunk = next_chunk(m, region, chunk);
	}
	region->sound = chunk == region->end;
	if (region->sound)
		region->reached = region->end;
	else
		scry_malloc_note(m, &(struct scry_malloc_damage) {
					    .start = region->reached + 2 * ptr_size(m),
					    .before = before ? before + 2 * ptr_size(m) : 0,
					    .what = "its size makes no sense" });
}

static scry_addr mark_before(const struct scry_malloc_region *region, scry_addr addr)
{
	size_t low = 0;

	for (size_t high = region->mark_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (region->marks[middle] <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? region->marks[low - 1] : region->start;
}

/* What is free: listed, or said to be so by the chunk after. */
static void read_state(struct scry_malloc *m, const struct scry_malloc_region *region,
		       scry_addr chunk, uint64_t size, struct scry_malloc_chunk *ret)
{
	unsigned ptr = ptr_size(m), flags = PREV_INUSE;
	const struct scry_malloc_free *f;

	f = scry_malloc_listed(m, chunk + 2 * ptr);
	if (chunk + size < region->end)
		scry_malloc_size(m, chunk + size, &flags);
	*ret = (struct scry_malloc_chunk) { .start = chunk + 2 * ptr,
					    .size = size - ptr,
					    .arena = region->arena,
					    .certain = region->sound };
	if (f) {
		ret->state = f->state;
		ret->order = f->order;
	} else if (chunk == region->top) {
		ret->state = SCRY_MALLOC_TOP;
		ret->size = size - 2 * ptr;
	} else if (!(flags & PREV_INUSE)) {
		ret->state = SCRY_MALLOC_UNLISTED;
	}
}

static bool find_in(struct scry_malloc *m, struct scry_malloc_region *region, scry_addr addr,
		    struct scry_malloc_chunk *ret)
{
	unsigned ptr = ptr_size(m);

	follow(m, region);
	if (addr > region->reached)
		return false;
	for (scry_addr at = mark_before(region, addr), next; at && at <= addr; at = next) {
		next = next_chunk(m, region, at);
		/* what its user has goes on over the first word of the next chunk */
		if (!next)
			return false;
		if (addr >= next + ptr || (addr >= next && next == region->end))
			continue;
		read_state(m, region, at, next - at, ret);
		if (addr >= next && scry_malloc_is_free(ret))
			continue;
		return true;
	}
	return false;
}

/* --- damage --- */

void scry_malloc_note(struct scry_malloc *m, const struct scry_malloc_damage *damage)
{
	struct scry_malloc_damage *list =
		scry_arena_grow(&m->runtime->session->arena, m->damages, m->damage_count,
				&m->damage_room, sizeof(*list), 8);

	m->damaged++;
	if (!list)
		return;
	m->damages = list;
	m->damages[m->damage_count++] = *damage;
}

/* struct malloc_state begins with its mutex: malloc/malloc.c */
bool scry_malloc_is_locked(struct scry_malloc *m, scry_addr arena)
{
	uint64_t word;

	return scry_read_uint(m->runtime->session, arena, 4, &word) < 0 || word;
}

size_t scry_malloc_damages(struct scry_runtime *r, const struct scry_malloc_damage **ret)
{
	struct scry_malloc *m = scry_malloc_of(r);
	size_t n = 0;

	if (!m)
		return 0;
	scry_malloc_read_lists(m);
	for (size_t i = 0; i < m->region_count; i++)
		follow(m, &m->regions[i]);
	for (size_t i = 0; i < m->damage_count; i++) {
		const struct scry_malloc_region *region =
			scry_malloc_region_at(m, m->damages[i].start);

		if (!region || !scry_malloc_is_locked(m, region->arena))
			m->damages[n++] = m->damages[i];
	}
	m->damage_count = n;
	*ret = m->damages;
	return n;
}

/* --- for others --- */

bool scry_malloc_find(struct scry_runtime *r, scry_addr addr, struct scry_malloc_chunk *ret)
{
	struct scry_malloc *m = scry_malloc_of(r);
	struct scry_malloc_region *region = m ? scry_malloc_region_at(m, addr) : NULL;
	struct scry_malloc_chunk c = { 0 };

	if (!m || !(region ? find_in(m, region, addr, &c) : scry_malloc_find_mmapped(m, addr, &c)))
		return false;
	*ret = c;
	return true;
}

bool scry_malloc_is_listed(struct scry_runtime *r, scry_addr start)
{
	struct scry_malloc *m = scry_malloc_of(r);

	return m && scry_malloc_listed(m, start);
}

bool scry_malloc_owns(struct scry_runtime *r, scry_addr addr)
{
	struct scry_malloc *m = scry_malloc_of(r);

	return m && scry_malloc_region_at(m, addr);
}

/* --- all of them --- */

int scry_malloc_open(struct scry_malloc_walk *w, struct scry_runtime *r)
{
	*w = (struct scry_malloc_walk) { .runtime = r };
	if (!scry_malloc_of(r))
		return scry_fail(r->session, SCRY_ENOTFOUND, 0,
				 "the arenas of glibc's malloc were not found");
	return SCRY_OK;
}

static bool next_in_region(struct scry_malloc *m, struct scry_malloc_walk *w,
			   struct scry_malloc_chunk *ret)
{
	struct scry_malloc_region *region = &m->regions[w->region - 1];
	scry_addr next = w->next < region->end && w->next <= region->reached
				 ? next_chunk(m, region, w->next)
				 : 0;

	if (!next)
		return false;
	read_state(m, region, w->next, next - w->next, ret);
	w->next = next;
	return true;
}

static bool next_elsewhere(struct scry_malloc *m, struct scry_malloc_walk *w,
			   struct scry_malloc_chunk *ret)
{
	const struct scry_target *t = w->runtime->session->target;

	for (; w->map < t->map_count; w->map++, w->next = 0) {
		const struct scry_malloc_own *own = scry_malloc_mmapped(m, &t->maps[w->map]);

		if (own && w->next < own->count) {
			*ret = own->chunks[w->next++];
			return true;
		}
	}
	return false;
}

int scry_malloc_next(struct scry_malloc_walk *w, struct scry_malloc_chunk *ret)
{
	struct scry_malloc *m = scry_malloc_of(w->runtime);

	while (w->region <= m->region_count) {
		if (w->region && next_in_region(m, w, ret))
			return SCRY_ITEM;
		w->next = 0;
		if (++w->region > m->region_count)
			break;
		follow(m, &m->regions[w->region - 1]);
		w->next = m->regions[w->region - 1].start;
	}
	if (next_elsewhere(m, w, ret))
		return SCRY_ITEM;
	if (m->damaged)
		scry_note(w->runtime->session,
			  "malloc's memory %s in %u places: some chunks may be missing",
			  scry_target_damage(w->runtime->session->target), m->damaged);
	m->damaged = 0;
	return SCRY_OK;
}
