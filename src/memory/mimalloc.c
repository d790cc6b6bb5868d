/*
 * Walking the heaps of mimalloc: gc_visit_heaps(), Python/gc_free_threading.c. A thread's heap has
 * queues of pages by size of blocks; segments that a thread left behind are in lists of the
 * interpreter. Facts as in memory/mi_page.c.
 */
#include "memory/mimalloc.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory/memory.h"

#define PAGES_MAX       ((size_t)1 << 26)
#define BINS            75 /* MI_BIN_FULL + 1 */
#define GC_BITS_TRACKED 1  /* _PyGC_BITS_TRACKED, Include/internal/pycore_gc.h */

static unsigned ptr_size(const struct scry_mimalloc *m)
{
	return m->runtime->session->target->abi.ptr_size;
}

static bool add_page(struct scry_mimalloc *m, const struct scry_mi_page *page)
{
	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 256;
		struct scry_mi_page *more =
			room <= PAGES_MAX ? realloc(m->pages, room * sizeof(*more)) : NULL;

		if (!more)
			return false;
		m->pages = more;
		m->room = room;
	}
	m->pages[m->count++] = *page;
	return true;
}

/*
 * Blocks that went to their heap's own list instead of the page's: _mi_heap_delayed_free_partial().
 */
static void read_delayed(struct scry_mimalloc *m, scry_addr heap)
{
	scry_addr block = scry_field_get(m->runtime, heap, SCRY_F_MI_HEAP_DELAYED_FREE);
	struct scry_mi_keys keys;

	scry_mi_keys_read(m->runtime, heap, SCRY_F_MI_HEAP_KEYS, &keys);
	while (block)
		if (scry_hash_add(&m->freed, block) <= 0 ||
		    !scry_mi_next(m->runtime, block, &keys, &block)) {
			m->damaged++;
			return;
		}
}

/* --- finding pages --- */

/* Remember a page; false where it was known before. */
static bool read_and_add(struct scry_mimalloc *m, scry_addr page, unsigned heap,
			 struct scry_record *rec)
{
	struct scry_mi_page p;

	if (scry_record_read(m->runtime, SCRY_S_MI_PAGE, page, rec) < 0 ||
	    !scry_mi_page_read(m->runtime, page, rec, &p) || p.tag != heap)
		return false;
	return scry_hash_add(&m->known, page) > 0 && add_page(m, &p);
}

/* One queue of a heap, from one of its ends to the other; false where it is damaged. */
static bool read_queue(struct scry_mimalloc *m, scry_addr page, scry_addr end, enum scry_field link,
		       unsigned heap)
{
	struct scry_record rec;
	scry_addr last = 0;

	for (; page; page = scry_record_uint(&rec, link)) {
		if (!read_and_add(m, page, heap, &rec))
			return false;
		last = page;
	}
	return last == end;
}

static bool read_queues(struct scry_mimalloc *m, scry_addr queues, unsigned heap)
{
	scry_addr first, last;
	bool whole = true;

	for (unsigned i = 0; i < BINS; i++, queues += 3 * ptr_size(m)) { /* mi_page_queue_t */
		if (scry_read_ptr(m->runtime->session, queues, &first) < 0 ||
		    scry_read_ptr(m->runtime->session, queues + ptr_size(m), &last) < 0)
			return false;
		if (read_queue(m, first, last, SCRY_F_MI_PAGE_NEXT, heap))
			continue;
		/* what a damaged queue has after the damage is reached from its end */
		whole = false;
		read_queue(m, last, first, SCRY_F_MI_PAGE_PREV, heap);
	}
	return whole;
}

/* A thread that has not begun has an empty heap. */
static void read_heap(struct scry_mimalloc *m, scry_addr addr, unsigned heap)
{
	struct scry_runtime *r = m->runtime;
	uint64_t count = scry_field_get(r, addr, SCRY_F_MI_HEAP_PAGE_COUNT);
	uint64_t before = m->count;

	if (!count)
		return;
	if (scry_field_get(r, addr, SCRY_F_MI_HEAP_TAG) != heap) {
		m->damaged++;
		return;
	}
	read_delayed(m, addr);
	/* one more or less: the program was stopped just there */
	if (!read_queues(m, scry_field_addr(r, addr, SCRY_F_MI_HEAP_PAGES), heap) ||
	    m->count - before + 1 < count || m->count - before > count + 1)
		m->damaged++;
}

/*
 * How many slices the page or free span at one of them has, 0 where that cannot be: the last one
 * points back to the first, and a page larger than a segment has one more for that.
 * mi_segment_span_allocate(), mi_segment_span_free(), Objects/mimalloc/segment.c.
 */
static uint64_t span(struct scry_mimalloc *m, scry_addr slice, uint64_t left,
		     const struct scry_record *rec)
{
	uint64_t count = scry_record_uint(rec, SCRY_F_MI_PAGE_SLICE_COUNT),
		 size = m->runtime->layout->size[SCRY_S_MI_PAGE];
	uint64_t last = count > left ? left : count - 1, back = 0;

	if (!count || scry_record_uint(rec, SCRY_F_MI_PAGE_SLICE_OFFSET) ||
	    scry_field_read(m->runtime, slice + last * size, SCRY_F_MI_PAGE_SLICE_OFFSET, &back) <
		    0)
		return 0;
	return back == last * size ? count : 0;
}

/* A page of a segment without a heap; false where it makes no sense. */
static bool read_abandoned_page(struct scry_mimalloc *m, scry_addr addr, struct scry_record *rec)
{
	unsigned tag = (unsigned)scry_record_uint(rec, SCRY_F_MI_PAGE_TAG);
	struct scry_mi_page p;

	if (!scry_record_uint(rec, SCRY_F_MI_PAGE_BLOCK_SIZE)) /* free */
		return !scry_record_uint(rec, SCRY_F_MI_PAGE_CAPACITY);
	return m->kinds >> tag & 1 ? read_and_add(m, addr, tag, rec)
				   : scry_mi_page_read(m->runtime, addr, rec, &p);
}

/*
 * The pages of a segment whose thread has ended: mi_segment_visit_pages(),
 * Objects/mimalloc/segment.c.
 */
static void read_segment(struct scry_mimalloc *m, scry_addr segment)
{
	struct scry_runtime *r = m->runtime;
	const struct scry_layout *l = r->layout;
	scry_addr slices = scry_field_addr(r, segment, SCRY_F_MI_SEGMENT_SLICES);
	uint64_t size = l->size[SCRY_S_MI_PAGE],
		 max = l->slot[SCRY_F_MI_SEGMENT_SLICES].size / size;
	uint64_t end = scry_field_get(r, segment, SCRY_F_MI_SEGMENT_SLICE_ENTRIES), count, used = 0;
	/* what the segment's own head takes: mi_segment_calculate_slices() */
	uint64_t first = ((l->size[SCRY_S_MI_SEGMENT] - 1) >> scry_mi_slice_shift(r)) + 1;
	bool whole =
		end <= max && scry_field_get(r, segment, SCRY_F_MI_SEGMENT_INFO_SLICES) == first;
	struct scry_record rec;

	for (uint64_t i = first; i < end && i < max; i += count ? count : 1) {
		count = 0;
		if (scry_record_read(r, SCRY_S_MI_PAGE, slices + i * size, &rec) == SCRY_OK)
			count = span(m, slices + i * size, end - i, &rec);
		whole = count && read_abandoned_page(m, slices + i * size, &rec) && whole;
		used += count && scry_record_uint(&rec, SCRY_F_MI_PAGE_BLOCK_SIZE);
	}
	m->damaged += !whole || used != scry_field_get(r, segment, SCRY_F_MI_SEGMENT_USED);
}

/*
 * Segments that threads left behind when they ended. The head of one of the two lists counts in its
 * lowest bits.
 */
static void read_abandoned(struct scry_mimalloc *m, scry_addr interp, enum scry_field list)
{
	struct scry_runtime *r = m->runtime;
	scry_addr segment = scry_mi_segment(r, scry_field_get(r, interp, list));

	while (segment) {
		if (scry_hash_add(&m->known, segment) <= 0) {
			m->damaged++;
			return;
		}
		read_segment(m, segment);
		if (scry_field_read(r, segment, SCRY_F_MI_SEGMENT_ABANDONED_NEXT, &segment) < 0 ||
		    segment != scry_mi_segment(r, segment)) {
			m->damaged++;
			return;
		}
	}
}

/*
 * The debug allocator puts two words before each block, in debug builds and with
 * PYTHONMALLOC=debug: where a dictionary is in its block shows it. Returns false where it is
 * in none.
 */
static bool find_shift(struct scry_mimalloc *m, scry_addr dict)
{
	struct scry_mi_page p;

	if (!dict || !scry_mi_page_find(m->runtime, dict, &p) || p.tag != SCRY_MI_GC)
		return false;
	uint64_t offset = (dict - p.start) % p.block_size;
	if (offset != 0 && offset != 2 * ptr_size(m))
		return false;
	m->shift = (uint8_t)offset;
	return true;
}

int scry_mimalloc_open(struct scry_mimalloc *m, struct scry_interp *interp, unsigned kinds)
{
	struct scry_runtime *r = interp->runtime;
	uint32_t heap_size = r->layout->size[SCRY_S_MI_HEAP];

	*m = (struct scry_mimalloc) { .runtime = r, .kinds = kinds };
	if (!scry_layout_has(r->layout, SCRY_F_THREAD_IMPL_MI_HEAPS) ||
	    !r->layout->size[SCRY_S_MI_PAGE] || !heap_size)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, 0,
				 "the layout of this Python's heap is not known");
	if (!find_shift(m, interp->modules) && !find_shift(m, interp->sysdict) &&
	    !find_shift(m, interp->builtins))
		m->shift = (uint8_t)(r->layout->flavour.debug ? 2 * ptr_size(m) : 0);
	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		scry_addr heaps = t->interp == interp ? scry_field_addr(r, t->state,
									SCRY_F_THREAD_IMPL_MI_HEAPS)
						      : 0;

		for (unsigned heap = 0; heaps && kinds >> heap; heap++)
			if (kinds >> heap & 1)
				read_heap(m, heaps + (uint64_t)heap * heap_size, heap);
	}
	if (scry_layout_has(r->layout, SCRY_F_MI_SEGMENT_ABANDONED_NEXT)) {
		read_abandoned(m, interp->addr, SCRY_F_INTERP_MI_ABANDONED);
		read_abandoned(m, interp->addr, SCRY_F_INTERP_MI_VISITED);
	} else {
		scry_note(r->session,
			  "objects of threads that have ended are not shown: where this "
			  "Python's heap keeps them is not known");
	}
	if (!m->count)
		return scry_fail(r->session, SCRY_ENOTFOUND, interp->addr,
				 "the heap of the interpreter at 0x%" PRIx64 " was not found",
				 interp->addr);
	return SCRY_OK;
}

/* --- objects --- */

/* A PyMutex, right before ob_gc_bits, has two bits: Include/cpython/lock.h, 3.13 to 3.15. */
#define MUTEX_MAX 3

static bool is_object(struct scry_mimalloc *m, scry_addr block, scry_addr object)
{
	struct scry_session *s = m->runtime->session;
	scry_addr bits_at = scry_field_addr(m->runtime, object, SCRY_F_OBJECT_GC_BITS);
	uint64_t bits, type, mutex;

	if (scry_hash_find(&m->freed, block) || !bits_at ||
	    scry_read_uint(s, bits_at, 1, &bits) < 0)
		return false;
	/* whether the collector knows what has such a head cannot be told */
	if (!(bits & GC_BITS_TRACKED))
		m->damaged +=
			scry_read_uint(s, bits_at - 1, 1, &mutex) == SCRY_OK && mutex > MUTEX_MAX;
	return bits & GC_BITS_TRACKED &&
	       scry_field_read(m->runtime, object, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK && type;
}

static bool next_page(struct scry_mimalloc *m)
{
	if (m->page == m->count)
		return false;
	m->block = 0;
	m->damaged += !scry_mi_page_free(m->runtime, &m->pages[m->page++], &m->free);
	return true;
}

/* The next block that was ever given out, with its page; false at the end. */
static bool next_block(struct scry_mimalloc *m, const struct scry_mi_page **ret_page,
		       struct scry_block *ret)
{
	if (!m->page && !next_page(m))
		return false;
	while (m->block >= m->pages[m->page - 1].capacity)
		if (!next_page(m)) {
			m->page = m->count;
			return false;
		}
	const struct scry_mi_page *p = *ret_page = &m->pages[m->page - 1];
	uint32_t i = m->block++;
	*ret = (struct scry_block) { .start = p->start + i * p->block_size,
				     .raw = p->tag == SCRY_MI_MEM,
				     .size = p->block_size,
				     .free = scry_mi_bit(&m->free, i) };
	return true;
}

static int end(struct scry_mimalloc *m)
{
	if (m->damaged)
		scry_note(m->runtime->session,
			  "the heap %s in %u places: some objects may be missing",
			  scry_target_damage(m->runtime->session->target), m->damaged);
	m->damaged = 0;
	return SCRY_OK;
}

int scry_mimalloc_next(struct scry_mimalloc *m, scry_addr *ret_object)
{
	const struct scry_mi_page *p;
	struct scry_block b;

	while (next_block(m, &p, &b)) {
		unsigned shift = m->shift + (p->tag == SCRY_MI_GC_PRE ? 2 * ptr_size(m) : 0);

		if (b.free || !is_object(m, b.start, b.start + shift))
			continue;
		*ret_object = b.start + shift;
		return SCRY_ITEM;
	}
	return end(m);
}

int scry_mimalloc_next_block(struct scry_mimalloc *m, struct scry_block *ret)
{
	const struct scry_mi_page *p;

	if (!next_block(m, &p, ret))
		return end(m);
	ret->free = ret->free || scry_hash_find(&m->freed, ret->start);
	return SCRY_ITEM;
}

void scry_mimalloc_done(struct scry_mimalloc *m)
{
	free(m->pages);
	scry_hash_done(&m->known);
	scry_hash_done(&m->freed);
	m->pages = NULL;
	m->count = m->room = m->page = 0;
}
