/* What nothing refers to. */
#include "heap/leaks.h"

#include <stdlib.h>
#include <string.h>

#include "heap/lost.h"
#include "heap/scan.h"
#include "memory/block.h"
#include "memory/malloc.h"
#include "object/judge.h"

#define LACKS_MOST 32 /* of a dump that lacks more than one part in so many nothing is said */

struct chunk {
	scry_addr start, end; /* as its user has it */
	bool met;
};

struct search {
	struct scry_heap *h;
	uint8_t *met; /* by object: something leads there */
	struct chunk *chunks;
	size_t chunk_count, chunk_room;
	/* the last block or chunk that a word was in, and whether that is freed */
	scry_addr place, place_end;
	bool place_free;
	bool full; /* out of memory */
};

/* --- who leads there --- */

/* Whoever had freed memory wrote there: what it leads to may be gone. */
static bool is_freed(struct search *s, scry_addr at)
{
	struct scry_runtime *r = s->h->runtime;
	struct scry_malloc_chunk chunk;
	struct scry_block block;

	if (at - s->place < s->place_end - s->place)
		return s->place_free;
	if (scry_block_find(r, at, &block)) {
		s->place = block.start;
		s->place_end = block.start + block.size;
		s->place_free = block.free;
	} else if (!scry_block_owns(r, at) && scry_malloc_owns(r, at) &&
		   scry_malloc_find(r, at, &chunk)) {
		s->place = chunk.start;
		s->place_end = chunk.start + chunk.size;
		s->place_free = scry_malloc_is_free(&chunk);
	} else {
		s->place = at;
		s->place_end = at + s->h->reader.ptr;
		s->place_free = false;
	}
	return s->place_free;
}

/* A weak reference, and whatever else leads somewhere without holding it. */
static bool holds_nothing(struct search *s, scry_addr at)
{
	uint32_t from = scry_heap_before(s->h, at);
	const struct scry_heap_type *t;

	if (from == SCRY_HEAP_NONE)
		return false;
	t = scry_heap_type_of(s->h, from);
	for (unsigned i = 0; i < sizeof(t->weak) / sizeof(*t->weak); i++)
		if (t->weak[i] && at - s->h->objects[from].addr == t->weak[i])
			return true;
	return false;
}

/* In the object's own memory, from its header on. */
static bool is_its_own(struct search *s, uint32_t object, scry_addr at)
{
	const struct scry_heap_object *o = &s->h->objects[object];
	uint64_t head = scry_heap_type_of(s->h, object)->head;

	return at - (o->addr - head) <
	       head + scry_object_extent(s->h->runtime, o->addr,
					 scry_heap_type_of(s->h, object)->type);
}

static void meet_object(struct search *s, scry_addr at, scry_addr word)
{
	uint32_t object = scry_heap_find(s->h, word);
	bool head = object != SCRY_HEAP_NONE;

	if (!head)
		object = scry_heap_before(s->h, word);
	/* most were met long ago: how far one goes is dear to tell */
	if (object == SCRY_HEAP_NONE || s->met[object] ||
	    (!head && scry_heap_inside(s->h, word) == SCRY_HEAP_NONE) ||
	    (at && (is_its_own(s, object, at) || is_freed(s, at) || holds_nothing(s, at))))
		return;
	s->met[object] = 1;
}

/* A chunk's end is one past what it has: who walks through it may have come there. */
static void meet_chunk(struct search *s, scry_addr at, scry_addr word)
{
	size_t low = 0;

	for (size_t high = s->chunk_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (s->chunks[middle].end < word)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->chunk_count && s->chunks[low].start <= word; low++) {
		struct chunk *c = &s->chunks[low];

		if (!c->met && (!at || (at - c->start >= c->end - c->start && !is_freed(s, at))))
			c->met = true;
	}
}

static void meet(void *arg, scry_addr at, scry_addr word)
{
	struct search *s = arg;

	meet_object(s, at, word);
	if (s->chunk_count && word >= s->chunks[0].start &&
	    word <= s->chunks[s->chunk_count - 1].end)
		meet_chunk(s, at, word);
}

static void meet_registers(struct search *s)
{
	struct scry_target *t = s->h->runtime->session->target;

	for (size_t i = 0; i < t->thread_count; i++) {
		const struct scry_regs *regs = scry_os_thread_regs(t, &t->threads[i]);

		for (unsigned n = 0; regs->arch && n < regs->arch->count; n++)
			if (regs->valid >> n & 1)
				meet(s, 0, regs->value[n]);
	}
}

/* --- what may be leaked --- */

static void find_chunks(struct search *s, struct scry_leaks *leaks)
{
	struct scry_runtime *r = s->h->runtime;
	struct scry_malloc_walk walk;
	struct scry_malloc_chunk c;

	if (scry_malloc_open(&walk, r) < 0)
		return;
	leaks->has_chunks = true;
	while (!r->session->stopped && scry_malloc_next(&walk, &c) == SCRY_ITEM) {
		if (!c.certain || scry_malloc_is_free(&c))
			continue;
		if (s->chunk_count == s->chunk_room) {
			size_t room = s->chunk_room ? s->chunk_room * 2 : 4096;
			struct chunk *list = realloc(s->chunks, room * sizeof(*list));

			s->full |= !list;
			if (!list)
				return;
			s->chunks = list;
			s->chunk_room = room;
		}
		s->chunks[s->chunk_count++] = (struct chunk) { c.start, c.start + c.size, false };
	}
}

static int by_start(const void *a, const void *b)
{
	const struct chunk *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

/* Someone must hold it, as its count says, and no file's data has it. */
static bool may_leak(struct scry_heap *h, uint32_t object)
{
	scry_addr addr = h->objects[object].addr;
	int64_t count = scry_lost_count(h, object);

	return count > 0 && count < INT64_MAX &&
	       (scry_block_owns(h->runtime, addr) || !scry_is_static(h->runtime, addr));
}

/* --- what is --- */

static struct scry_leak *leak_of(struct search *s, struct scry_leaks *leaks, uint32_t type,
				 uint64_t size)
{
	for (size_t i = 0; i < leaks->count; i++)
		if (leaks->list[i].type == type && leaks->list[i].size == size)
			return &leaks->list[i];
	struct scry_leak *list = scry_arena_grow(&s->h->runtime->session->arena, leaks->list,
						 leaks->count, &leaks->room, sizeof(*list), 16);

	s->full |= !list;
	if (!list)
		return NULL;
	leaks->list = list;
	list[leaks->count] = (struct scry_leak) { .type = type, .size = size };
	return &list[leaks->count++];
}

static void add(struct search *s, struct scry_leaks *leaks, uint32_t type, uint64_t size,
		scry_addr addr, uint64_t bytes, uint64_t retained)
{
	struct scry_leak *leak = leak_of(s, leaks, type, size);

	if (!leak)
		return;
	leak->count++;
	leak->bytes += bytes;
	leak->retained += retained;
	if (leak->first_count < SCRY_LEAKS_KEPT)
		leak->first[leak->first_count++] = addr;
}

static int add_objects(struct search *s, struct scry_leaks *leaks)
{
	struct scry_heap *h = s->h;
	struct scry_retained retained = { 0 };
	struct scry_graph *g;
	int rc = SCRY_OK;

	for (uint32_t i = 0; i < h->count && rc == SCRY_OK; i++) {
		if (s->met[i] || !may_leak(h, i))
			continue;
		if (!retained.bytes) { /* dear, and only wanted where something is lost */
			rc = scry_graph_of(h, &g);
			rc = rc < 0 ? rc : scry_graph_retained(g, &retained);
		}
		if (rc == SCRY_OK)
			add(s, leaks, h->objects[i].type, 0, h->objects[i].addr,
			    scry_heap_bytes(h, i), retained.bytes[i]);
	}
	scry_retained_done(&retained);
	return rc;
}

/* A chunk in which an object stands, which others lead to by its own address, is theirs. */
static bool has_object(struct search *s, const struct chunk *c)
{
	uint32_t i = scry_heap_before(s->h, c->end - 1);

	return i != SCRY_HEAP_NONE && s->h->objects[i].addr >= c->start;
}

static void add_chunks(struct search *s, struct scry_leaks *leaks)
{
	for (size_t i = 0; i < s->chunk_count; i++) {
		const struct chunk *c = &s->chunks[i];
		uint64_t size = c->end - c->start;

		if (!c->met && !has_object(s, c))
			add(s, leaks, SCRY_HEAP_NONE, size, c->start, size, size);
	}
}

static int by_retained(const void *a, const void *b)
{
	const struct scry_leak *x = a, *y = b;

	if (x->retained != y->retained)
		return x->retained < y->retained ? 1 : -1;
	return x->first[0] > y->first[0] ? 1 : x->first[0] < y->first[0] ? -1 : 0;
}

/* Nothing else is of interest: letters and numbers are no addresses there. */
static int scan(struct search *s)
{
	struct scry_heap *h = s->h;
	scry_addr low = UINT64_MAX, high = 0;

	if (h->count) {
		const struct scry_heap_object *last = &h->objects[h->count - 1];

		low = h->objects[0].addr;
		high = last->addr +
		       scry_object_extent(h->runtime, last->addr,
					  scry_heap_type_of(h, (uint32_t)h->count - 1)->type);
	}
	if (s->chunk_count && s->chunks[0].start < low)
		low = s->chunks[0].start;
	if (s->chunk_count && s->chunks[s->chunk_count - 1].end >= high)
		high = s->chunks[s->chunk_count - 1].end + 1;
	return low < high ? scry_scan_words(h, SCRY_SCAN_ALL, low, high, meet, s) : SCRY_OK;
}

int scry_leaks_find(struct scry_heap *h, struct scry_leaks *ret)
{
	struct scry_session *session = h->runtime->session;
	struct search s = { .h = h, .met = calloc(h->count + 1, 1) };
	int rc = SCRY_OK;
	uint64_t all;

	*ret = (struct scry_leaks) { .lacks = scry_scan_lacks(h, &all) };
	ret->unknown = ret->lacks > all / LACKS_MOST;
	if (ret->unknown) {
		free(s.met);
		return SCRY_OK;
	}
	s.full = !s.met;
	find_chunks(&s, ret);
	if (s.chunk_count)
		qsort(s.chunks, s.chunk_count, sizeof(*s.chunks), by_start);
	if (!s.full) {
		meet_registers(&s);
		rc = scan(&s);
		rc = rc < 0 ? rc : add_objects(&s, ret);
		if (rc == SCRY_OK)
			add_chunks(&s, ret);
	}
	if (ret->count)
		qsort(ret->list, ret->count, sizeof(*ret->list), by_retained);
	free(s.met);
	free(s.chunks);
	/* a word may have gone from where nobody had looked to where somebody had */
	ret->moved = scry_target_runs(session->target);
	if (session->stopped)
		return scry_fail(session, SCRY_EFAULT, 0, "interrupted");
	return s.full ? scry_fail(session, SCRY_ENOMEM, 0, "out of memory") : rc;
}
