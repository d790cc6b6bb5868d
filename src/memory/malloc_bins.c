/*
 * malloc's lists of free chunks: each thread's cache (struct tcache_perthread_struct), fastbins and
 * bins of each arena. malloc/malloc.c of glibc.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "memory/malloc_state.h"
#include "memory/memory.h"

#define LIST_MAX     ((uint64_t)1 << 24)
#define TLS_BEFORE   32768 /* around the thread pointer, where libc's variables are */
#define TLS_BEHIND   4096
#define FIRST_CHUNKS 4
#define KEYS_LEAST   4  /* that agree */
#define SMALL_CACHE  64 /* bins of a cache for one size each */
#define SMALL_BINS   64 /* NSMALLBINS */

static unsigned ptr_size(const struct scry_malloc *m)
{
	return m->runtime->session->target->abi.ptr_size;
}

/* --- links --- */

/* PROTECT_PTR(), 2.32+: a link is mixed with where it stands. */
static scry_addr unmangle(scry_addr at, uint64_t word)
{
	return word ^ at >> 12;
}

static bool is_chunk(struct scry_malloc *m, scry_addr mem)
{
	unsigned flags;

	return mem % SCRY_MALLOC_ALIGN == 0 && scry_malloc_region_at(m, mem) &&
	       scry_malloc_size(m, mem - 2 * ptr_size(m), &flags) >= 2 * ptr_size(m);
}

/*
 * The link at `at`, to what is `back` bytes before what malloc() returned. The first list with a
 * link shows whether links are mangled: no word makes sense both ways.
 */
static bool read_link(struct scry_malloc *m, scry_addr at, unsigned back, scry_addr *ret)
{
	uint64_t word;

	if (scry_word(m->runtime, at, &word) < 0)
		return false;
	scry_addr other = unmangle(at, word);
	if (m->links == SCRY_LINKS_UNKNOWN) {
		bool plain = !word || is_chunk(m, word + back),
		     mangled = !other || is_chunk(m, other + back);

		if (plain != mangled)
			m->links = plain ? SCRY_LINKS_PLAIN : SCRY_LINKS_MANGLED;
	}
	*ret = m->links == SCRY_LINKS_MANGLED ? other : word;
	return m->links != SCRY_LINKS_UNKNOWN;
}

static bool put(struct scry_malloc *m, scry_addr mem, enum scry_malloc_state state, unsigned order)
{
	struct scry_malloc_free *free;

	if (scry_hash_add(&m->met, mem) <= 0)
		return false; /* a cycle, or two lists have it */
	free = scry_arena_grow(&m->runtime->session->arena, m->free, m->free_count, &m->free_room,
			       sizeof(*free), 256);
	if (!free)
		return false;
	m->free = free;
	m->free[m->free_count++] = (struct scry_malloc_free) { mem, state, order };
	return true;
}

/* --- caches of threads --- */

/*
 * By the size of the struct, which each version has another one of: bytes of a count, how many
 * bins, and whether it counts what is there or what is left (num_slots).
 */
static const struct cache_row {
	unsigned width, bins;
	bool counts_left;
} cache_rows[] = {
	{ 1, 64, false }, /* 2.26 to 2.29 */
	{ 2, 64, false }, /* 2.30 to 2.41 */
	{ 2, 76, true },  /* 2.42 */
};

static const struct cache_row *row_of(struct scry_malloc *m, scry_addr mem)
{
	unsigned ptr = ptr_size(m), flags;
	uint64_t size = scry_malloc_size(m, mem - 2 * ptr, &flags);

	if (!is_chunk(m, mem) || flags & 2)
		return NULL;
	for (size_t i = 0; i < sizeof(cache_rows) / sizeof(*cache_rows); i++) {
		const struct cache_row *row = &cache_rows[i];
		uint64_t bytes = row->bins * (row->width + ptr) + ptr;

		if (size == (bytes + SCRY_MALLOC_ALIGN - 1) / SCRY_MALLOC_ALIGN * SCRY_MALLOC_ALIGN)
			return row;
	}
	return NULL;
}

/* csize2tidx(): each of the first bins has chunks of one size, the others of larger ones. */
static bool fits_bin(struct scry_malloc *m, scry_addr mem, unsigned bin)
{
	unsigned ptr = ptr_size(m), flags;
	uint64_t least = ptr == 8 ? 32 : 16, size = scry_malloc_size(m, mem - 2 * ptr, &flags);

	if (bin >= SMALL_CACHE)
		return size >= least + SMALL_CACHE * SCRY_MALLOC_ALIGN;
	return size == least + bin * SCRY_MALLOC_ALIGN;
}

/* Walks a bin, `add`ing its chunks; how many, or -1 where it makes no sense. */
static int64_t read_cache_bin(struct scry_malloc *m, scry_addr mem, unsigned bin, bool add)
{
	int64_t n = 0;

	for (; mem; n++) {
		if (n > UINT16_MAX || !is_chunk(m, mem) || !fits_bin(m, mem, bin) ||
		    (add && !put(m, mem, SCRY_MALLOC_TCACHE, (unsigned)n + 1)) ||
		    !read_link(m, mem, 0, &mem))
			return -1;
	}
	return n;
}

/*
 * A cache: only where all its counts and lists agree is it one; a thread that was stopped at work
 * on it may have one list that does not.
 */
static bool is_cache(struct scry_malloc *m, scry_addr mem, const struct cache_row *row)
{
	unsigned ptr = ptr_size(m), odd = 0;
	uint64_t count;

	for (unsigned i = 0; i < row->bins && odd <= 1; i++) {
		scry_addr first = scry_malloc_word(m, mem + row->bins * row->width + i * ptr);
		int64_t n = read_cache_bin(m, first, i, false);

		if (scry_read_uint(m->runtime->session, mem + i * row->width, row->width, &count) <
		    0)
			return false;
		odd += n < 0 || (!row->counts_left && n != (int64_t)count);
	}
	return odd <= 1;
}

/*
 * Since 2.29 the second word of what a cache has is a key, the same in all of them:
 * tcache_put(), malloc/malloc.c: the cache's address, since 2.34 a random number. Nobody writes
 * there before it is given out again.
 */
static void check_keys(struct scry_malloc *m, scry_addr cache, size_t from)
{
	unsigned ptr = ptr_size(m);
	size_t same = 0;
	uint64_t key = 0;

	for (size_t i = from; i < m->free_count; i++) {
		uint64_t word = scry_malloc_word(m, m->free[i].start + ptr);

		/* the key that most have: by a vote */
		if (word == key) {
			same++;
		} else if (same) {
			same--;
		} else {
			key = word;
			same = 1;
		}
	}
	same = 0;
	for (size_t i = from; i < m->free_count; i++)
		same += scry_malloc_word(m, m->free[i].start + ptr) == key;
	if (!key || same < KEYS_LEAST || same * 4 < (m->free_count - from) * 3 ||
	    (key != cache && (key >> 32 == 0 || scry_map_at(m->runtime->session->target, key))))
		return;
	for (size_t i = from; i < m->free_count; i++)
		if (scry_malloc_word(m, m->free[i].start + ptr) != key)
			scry_malloc_note(m, &(struct scry_malloc_damage) {
						    .start = m->free[i].start,
						    .freed = true,
						    .what = "the cache's key there is gone" });
}

static void read_cache(struct scry_malloc *m, scry_addr mem, struct scry_hash *caches)
{
	const struct cache_row *row = row_of(m, mem);

	size_t from = m->free_count;

	if (!row || !is_cache(m, mem, row) || scry_hash_add(caches, mem) <= 0)
		return;
	for (unsigned i = 0; i < row->bins; i++) {
		size_t before = m->free_count;

		if (read_cache_bin(
			    m, scry_malloc_word(m, mem + row->bins * row->width + i * ptr_size(m)),
			    i, true) >= 0)
			continue;
		if (m->free_count > before)
			scry_malloc_note(m, &(struct scry_malloc_damage) {
						    .start = m->free[m->free_count - 1].start,
						    .freed = true,
						    .what = "its link leads to no chunk" });
		else
			m->damaged++;
	}
	check_keys(m, mem, from);
}

/*
 * A thread's variable `tcache` is in libc's part of its static variables: right before the
 * thread pointer, after those of the program, which may have many, or (not on x86) after it.
 */
static void read_thread_caches(struct scry_malloc *m, struct scry_hash *caches)
{
	const struct scry_target *t = m->runtime->session->target;
	unsigned ptr = ptr_size(m);
	uint8_t words[4096];

	for (size_t i = 0; i < t->thread_count; i++) {
		scry_addr tls = t->threads[i].tls / ptr * ptr;

		for (scry_addr piece = tls - TLS_BEFORE;
		     tls > TLS_BEFORE && piece < tls + TLS_BEHIND; piece += sizeof(words)) {
			size_t n = scry_read_some(m->runtime->session, piece, words, sizeof(words));

			for (size_t at = 0; at + ptr <= n; at += ptr) {
				scry_addr word = scry_load(words + at, ptr, t->abi.big_endian);

				if (word && word % SCRY_MALLOC_ALIGN == 0)
					read_cache(m, word, caches);
			}
		}
	}
}

/* One of the first chunks of an arena is mostly the cache of the thread that made it. */
static void read_caches(struct scry_malloc *m)
{
	struct scry_hash caches = { 0 };
	unsigned flags;

	read_thread_caches(m, &caches);
	for (size_t i = 0; i < m->region_count; i++) {
		scry_addr chunk = m->regions[i].start;

		for (unsigned n = 0; n < FIRST_CHUNKS; n++) {
			read_cache(m, chunk + 2 * ptr_size(m), &caches);
			chunk += scry_malloc_size(m, chunk, &flags);
		}
	}
	scry_hash_done(&caches);
}

/* --- arenas --- */

static void read_fastbins(struct scry_malloc *m, const struct scry_malloc_arena *a)
{
	unsigned back = 2 * ptr_size(m);

	for (unsigned i = 0; i < m->fast_count; i++) {
		scry_addr chunk = scry_malloc_word(m, a->addr + m->fast_at + i * ptr_size(m));

		for (uint64_t n = 0; chunk; n++)
			if (n > LIST_MAX || !is_chunk(m, chunk + back) ||
			    !put(m, chunk + back, SCRY_MALLOC_FASTBIN, (unsigned)n + 1) ||
			    !read_link(m, chunk + back, back, &chunk)) {
				m->damaged++;
				break;
			}
	}
}

static enum scry_malloc_state state_of(unsigned bin)
{
	return bin == 1           ? SCRY_MALLOC_UNSORTED
	       : bin < SMALL_BINS ? SCRY_MALLOC_SMALL
				  : SCRY_MALLOC_LARGE;
}

static void note_bin(struct scry_malloc *m, scry_addr start, const char *what)
{
	if (start)
		scry_malloc_note(m, &(struct scry_malloc_damage) {
					    .start = start, .freed = true, .what = what });
	else
		m->damaged++;
}

static void read_bins(struct scry_malloc *m, const struct scry_malloc_arena *a)
{
	unsigned back = 2 * ptr_size(m);

	for (unsigned i = 1; i <= SCRY_MALLOC_BINS; i++) {
		scry_addr bin = a->bins + (2ull * i - 2) * ptr_size(m) - back,
			  chunk = scry_malloc_word(m, bin + back);

		scry_addr before = bin;

		/* taken from the other end: the chunk that was freed first */
		for (uint64_t n = 0; chunk != bin; n++) {
			if (n > LIST_MAX || !is_chunk(m, chunk + back) ||
			    !put(m, chunk + back, state_of(i), (unsigned)n + 1)) {
				note_bin(m, before == bin ? 0 : before + back,
					 "its link leads to no chunk");
				break;
			}
			if (scry_malloc_word(m, chunk + back + ptr_size(m)) != before)
				note_bin(m, chunk + back, "its link back leads elsewhere");
			before = chunk;
			chunk = scry_malloc_word(m, chunk + back);
		}
	}
}

static int by_address(const void *a, const void *b)
{
	const struct scry_malloc_free *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

void scry_malloc_read_lists(struct scry_malloc *m)
{
	if (m->lists_read)
		return;
	m->lists_read = true;
	read_caches(m);
	for (size_t i = 0; i < m->arena_count; i++) {
		read_fastbins(m, &m->arenas[i]);
		read_bins(m, &m->arenas[i]);
	}
	scry_hash_done(&m->met);
	if (m->free_count)
		qsort(m->free, m->free_count, sizeof(*m->free), by_address);
}

const struct scry_malloc_free *scry_malloc_listed(struct scry_malloc *m, scry_addr start)
{
	struct scry_malloc_free key = { .start = start };

	scry_malloc_read_lists(m);
	return m->free_count ? bsearch(&key, m->free, m->free_count, sizeof(*m->free), by_address)
			     : NULL;
}
