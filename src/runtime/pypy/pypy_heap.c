/*
 * Where PyPy's objects live: prebuilt in the module, young in the nursery, old anywhere else
 * (rpython/memory/gc/incminimark.py, 7.3.3 to 8.0.1).
 */
#include "runtime/pypy/pypy_resume.h"

#include <inttypes.h>
#include <string.h>

/*
 * The words before the list of types in GCData (rpython/memory/gctransform/framework.py), whose
 * fields are in the order of their names: the collector's own object.
 */
#define GCDATA_GC 88

/*
 * Of the collector's object, whose fields are in the order of their names too: nursery,
 * nursery_barriers, nursery_free, nursery_objects_shadows, nursery_size,
 * nursery_surviving_size, nursery_top.
 */
#define GC_WORDS     160
#define NURSERY_FREE 2
#define NURSERY_SIZE 4
#define NURSERY_TOP  6
#define NURSERY_MAX  ((uint64_t)1 << 40)

#define FLAG_TRACK ((uint64_t)1 << 32) /* GCFLAG_TRACK_YOUNG_PTRS */
#define FORWARDED  (-42)               /* then the new address follows */

#define POINTERS_CHECKED 8

/* TRANSLATION_PARAMS of incminimark.py: sizes of a page, an arena, and the largest small object */
#define PAGE_SIZE   8192
#define PAGE_HEAD   32
#define ARENA_PAGES 64
#define SMALL_MAX   280

/*
 * An allocation that finds it full sets nursery_free to NULL until it is empty
 * (collect_and_reserve()). gc.collect() does not. Objects that have moved are no sign: there may be
 * some left from before, in what a string did not need of its room.
 */
static bool is_nursery(const uint64_t *w)
{
	uint64_t size = w[NURSERY_SIZE];

	return w[0] && w[0] % 8 == 0 && size >= 4096 && size <= NURSERY_MAX &&
	       (!w[NURSERY_FREE] || (w[NURSERY_FREE] >= w[0] && w[NURSERY_FREE] <= w[0] + size)) &&
	       w[NURSERY_TOP] >= w[0] && w[NURSERY_TOP] <= w[0] + size;
}

void scry_pypy_load_heap(struct scry_pypy *p)
{
	struct scry_session *s = p->runtime->session;
	uint64_t words[GC_WORDS];
	scry_addr gc = 0;

	p->nursery = p->nursery_free = p->nursery_end = p->nursery_named = 0;
	p->minor = false;
	if (scry_read_ptr(s, p->gcdata - GCDATA_GC, &gc) < 0 || gc < p->start || gc >= p->end)
		return;
	size_t got = scry_pypy_words(p, gc, words, GC_WORDS);
	for (size_t i = 0; i + NURSERY_TOP < got; i++)
		if (is_nursery(words + i)) {
			p->nursery = words[i];
			p->nursery_named = gc + 8 * (scry_addr)i;
			p->nursery_free = words[i + NURSERY_FREE];
			p->nursery_end = words[i] + words[i + NURSERY_SIZE];
			p->minor = !p->nursery_free;
			if (p->minor) /* any part of it may still be in use */
				p->nursery_free = p->nursery_end;
			return;
		}
}

enum scry_pypy_place scry_pypy_place_of(const struct scry_pypy *p, scry_addr addr)
{
	if (addr >= SCRY_PYPY_PLACE && addr < SCRY_PYPY_PLACE + SCRY_PYPY_ROOM)
		return SCRY_PYPY_VIRTUAL;
	if (addr >= p->start && addr < p->end)
		return SCRY_PYPY_PREBUILT;
	return addr >= p->nursery && addr < p->nursery_end ? SCRY_PYPY_YOUNG : SCRY_PYPY_OLD;
}

/* Every pointer in it leads to an object, or nowhere; *ret_any: there was one. */
static bool pointers_fit(struct scry_pypy *p, const struct scry_pypy_type *t, scry_addr addr,
			 bool *ret_any)
{
	uint64_t count = scry_pypy_pointer_count(p, t);

	*ret_any = false;
	for (uint64_t i = 0; i < count && i < POINTERS_CHECKED; i++) {
		scry_addr place = scry_pypy_pointer_at(p, t, i), to;

		if (!place || scry_read_ptr(p->runtime->session, addr + place, &to) < 0)
			return false;
		if (to && !scry_pypy_type_of(p, &to))
			return false;
		*ret_any |= to != 0;
	}
	return true;
}

/*
 * A page of an arena (rpython/memory/gc/minimarkpage.py): { next page, arena, free blocks, first of
 * them }, then blocks of one size. An arena: { base, free pages, pages, first of the free ones }.
 */
bool scry_pypy_page_of(struct scry_pypy *p, scry_addr addr, struct scry_pypy_page *ret)
{
	struct scry_session *s = p->runtime->session;
	scry_addr page = addr & ~(scry_addr)(PAGE_SIZE - 1), arena, base, first_free;
	uint64_t free_pages, pages;

	*ret = (struct scry_pypy_page) { page, page + PAGE_HEAD, PAGE_SIZE };
	return scry_read_ptr(s, page + 8, &arena) == SCRY_OK &&
	       scry_read_ptr(s, page + 24, &first_free) == SCRY_OK && first_free >= page &&
	       first_free <= page + PAGE_SIZE && scry_read_ptr(s, arena, &base) == SCRY_OK &&
	       scry_read_uint(s, arena + 8, 8, &free_pages) == SCRY_OK &&
	       scry_read_uint(s, arena + 16, 8, &pages) == SCRY_OK && free_pages <= pages &&
	       pages <= ARENA_PAGES && page >= base && page - base < (pages + 1) * PAGE_SIZE;
}

static bool in_page(struct scry_pypy *p, scry_addr addr, uint64_t size)
{
	struct scry_pypy_page page;

	return size && size <= SMALL_MAX && scry_pypy_page_of(p, addr, &page) &&
	       addr >= page.first && (addr - page.first) % size == 0;
}

/* So many free blocks name the next one each; after the last of them nothing was ever in use. */
bool scry_pypy_is_free(struct scry_pypy *p, const struct scry_pypy_page *page, scry_addr block)
{
	struct scry_session *s = p->runtime->session;
	uint64_t count;
	scry_addr at;

	if (scry_read_uint(s, page->start + 16, 8, &count) < 0 || count > PAGE_SIZE / 16 ||
	    scry_read_ptr(s, page->start + 24, &at) < 0)
		return false;
	while (count-- && at != block)
		if (at < page->first || at >= page->start + page->size ||
		    scry_read_ptr(s, at, &at) < 0)
			return false;
	return at == block || (count + 1 == 0 && block >= at);
}

/*
 * In the nursery only what is not free, and only there an object is forwarded: what earlier
 * collections have left in memory that was a nursery is no more. Inside of new objects' unused
 * parts it cannot be told.
 */
static bool is_left(struct scry_pypy *p, scry_addr addr)
{
	bool young = addr >= p->nursery && addr < p->nursery_end;
	uint64_t header;

	if (scry_read_uint(p->runtime->session, addr, 8, &header) < 0)
		return true;
	if ((int64_t)header == FORWARDED)
		return addr < p->nursery || addr >= p->nursery_free;
	return young && addr >= p->nursery_free && !(header & SCRY_PYPY_PINNED);
}

bool scry_pypy_stands(struct scry_pypy *p, scry_addr addr)
{
	scry_addr at = addr;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &at);
	uint64_t header, size;
	bool any;

	if (!t || is_left(p, addr) || scry_read_uint(p->runtime->session, at, 8, &header) < 0 ||
	    header & ~(SCRY_PYPY_FLAGS | UINT32_MAX) || !pointers_fit(p, t, at, &any))
		return false;
	/*
	 * Small numbers look like types. An old object with pointers has a flag, but for the time
	 * between a write to it and the next collection; a small one is in a page of its size.
	 */
	if (scry_pypy_place_of(p, at) != SCRY_PYPY_OLD || header & FLAG_TRACK)
		return true;
	size = scry_pypy_size_of(p, t, at);
	return size > SMALL_MAX ? any : in_page(p, at, size);
}
