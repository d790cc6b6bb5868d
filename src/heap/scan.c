/* A pass over all words of memory. */
#include "heap/scan.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "heap/roots.h"
#include "memory/stack.h"

#define PIECE    ((size_t)1 << 20)  /* bytes of a run that are searched at once */
#define LARGE    ((size_t)32 << 20) /* from so many bytes on two threads search */
#define TOGETHER ((size_t)256 << 20)
#define NOTHING  ((size_t)1 << 20) /* pages: after so many missing ones no file has more */
#define RED_ZONE 128 /* bytes below a stack's pointer that are in use: System V ABI, x86-64 */

/* Memory that is here in one piece. */
struct run {
	scry_addr at;
	const uint8_t *bytes;
	size_t len;
};

struct hit {
	scry_addr at, word;
};

struct scan {
	struct scry_heap *h;
	scry_addr low, high;
	scry_scan_word *word;
	void *arg;
	uint64_t searched; /* bytes, for who watches */
	/* where views stay valid: what is to be searched, by two at once */
	struct run *runs;
	size_t run_count, run_room, bytes;
	bool full; /* out of memory */
};

static inline uint64_t load(const struct scry_reader *rd, const uint8_t *p)
{
	uint64_t word;

	if (rd->big || rd->ptr != 8)
		return scry_load(p, rd->ptr, rd->big);
	memcpy(&word, p, 8);
	return word;
}

/* --- while views do not stay valid: the hits may read elsewhere --- */

static void scan_moving(struct scan *c, scry_addr at, const uint8_t *p, size_t n)
{
	struct scry_reader *rd = &c->h->reader;
	uint64_t range = c->high - c->low;

	for (size_t i = 0; p && i + rd->ptr <= n; i += rd->ptr) {
		uint64_t word = load(rd, p + i);
		size_t left;

		if (word - c->low >= range)
			continue;
		c->word(c->arg, at + i, word);
		p = scry_reader_view(rd, at, &left);
		n = left < n ? left : n;
	}
}

/* --- while they do --- */

/* A part of the runs: what one of the two searches. */
struct share {
	const struct scan *c;
	size_t from, to; /* runs */
	struct hit *hits;
	size_t count, room;
	bool full; /* out of memory */
};

static bool add_hit(struct share *s, scry_addr at, scry_addr word)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 256;
		struct hit *hits = realloc(s->hits, room * sizeof(*hits));

		s->full |= !hits;
		if (!hits)
			return false;
		s->hits = hits;
		s->room = room;
	}
	s->hits[s->count++] = (struct hit) { at, word };
	return true;
}

static void *search_share(void *arg)
{
	struct share *s = arg;
	const struct scry_reader *rd = &s->c->h->reader;
	uint64_t low = s->c->low, range = s->c->high - low;

	for (size_t r = s->from; r < s->to && !rd->session->stopped; r++) {
		const struct run *run = &s->c->runs[r];

		for (size_t i = 0; i + rd->ptr <= run->len; i += rd->ptr) {
			uint64_t word = load(rd, run->bytes + i);

			if (word - low < range && !add_hit(s, run->at + i, word))
				return NULL;
		}
	}
	return NULL;
}

/* Signals are for the thread that was there before. */
static bool begin(pthread_t *ret, struct share *s)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool begun = !pthread_create(ret, NULL, search_share, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return begun;
}

/* Two threads wait for memory better than one. What they find is told by this one, in order. */
static void search_runs(struct scan *c)
{
	struct share shares[2] = { { .c = c, .to = c->run_count }, { .c = c } };
	pthread_t other;
	bool both = false;
	size_t half = 0, i = 0;

	if (c->bytes >= LARGE) {
		while (half < c->bytes / 2)
			half += c->runs[i++].len;
		shares[0].to = shares[1].from = i;
		shares[1].to = c->run_count;
		both = begin(&other, &shares[1]);
	}
	search_share(&shares[0]);
	if (both)
		pthread_join(other, NULL);
	else
		search_share(&shares[1]);
	for (unsigned k = 0; k < 2; k++) {
		for (i = 0; i < shares[k].count; i++)
			c->word(c->arg, shares[k].hits[i].at, shares[k].hits[i].word);
		free(shares[k].hits);
		c->full |= shares[k].full;
	}
	c->run_count = c->bytes = 0;
}

static bool add_run(struct scan *c, scry_addr at, const uint8_t *p, size_t n)
{
	if (c->run_count == c->run_room) {
		size_t room = c->run_room ? c->run_room * 2 : 256;
		struct run *runs = realloc(c->runs, room * sizeof(*runs));

		c->full |= !runs;
		if (!runs)
			return false;
		c->runs = runs;
		c->run_room = room;
	}
	c->runs[c->run_count++] = (struct run) { at, p, n };
	c->bytes += n;
	return true;
}

/* On by some bytes; false at the end of the address space. */
static bool skip(scry_addr *at, scry_addr bytes)
{
	*at += bytes;
	return *at >= bytes;
}

/*
 * After a page that is missing. A dump says where its own memory is: elsewhere only files have any,
 * and a mapping may claim any size.
 */
static bool next_page(struct scry_session *s, scry_addr *at, size_t *missing)
{
	return (!s->target->ops->data || ++*missing < NOTHING) && skip(at, 4096 - *at % 4096);
}

/* Pieces are small enough for a command to be stopped in time, and for two shares. */
static void scan_run(struct scan *c, scry_addr at, scry_addr end)
{
	struct scry_heap *h = c->h;
	unsigned ptr = h->reader.ptr;
	size_t n = 0, missing = 0;

	if (!skip(&at, -at & (ptr - 1)))
		return;
	while (at < end && scry_going(h->runtime->session, SCRY_PASS_SEARCH, c->searched, 0)) {
		const uint8_t *p = scry_reader_view(&h->reader, at, &n);

		if (!p || n < ptr) {
			if (p ? !skip(&at, ptr) : !next_page(h->runtime->session, &at, &missing))
				break;
			continue;
		}
		missing = 0;
		n = n < end - at ? n : (size_t)(end - at);
		n = (n < PIECE ? n : PIECE) / ptr * ptr;
		if (!n)
			break;
		if (!h->reader.stable)
			scan_moving(c, at, p, n);
		else if (!add_run(c, at, p, n))
			break;
		else if (c->bytes >= TOGETHER)
			search_runs(c);
		at += n;
		c->searched += n;
	}
}

/* The pointer of the only thread that has its stack there; 0: there are several. */
static scry_addr only_pointer(struct scry_target *t, const struct scry_map *m)
{
	scry_addr found = 0;

	for (size_t i = 0; i < t->thread_count; i++) {
		const struct scry_regs *regs = scry_os_thread_regs(t, &t->threads[i]);

		if (!regs->arch || !(regs->valid >> regs->arch->sp & 1))
			continue;
		scry_addr sp = regs->value[regs->arch->sp];

		if (sp < m->start || sp >= m->end)
			continue;
		if (found)
			return 0;
		found = sp;
	}
	return found;
}

/* What a mapping is, apart from a file's data that it begins with. */
static unsigned kind_of(struct scry_heap *h, const struct scry_map *m)
{
	if (!(m->flags & SCRY_MAP_WRITE)) {
		if (!(m->flags & SCRY_MAP_READ))
			return 0;
		/* what was written before it was locked: tables, and words in machine code */
		if (!(m->flags & SCRY_MAP_FILE) && !scry_module_at(h->runtime->session, m->start))
			return SCRY_SCAN_HEAPS;
		/* relocated data, which the loader has locked since */
		return m->flags & SCRY_MAP_EXEC ? 0 : SCRY_SCAN_FILES;
	}
	return scry_stack_has(h->runtime, m->start) ? SCRY_SCAN_STACKS : SCRY_SCAN_HEAPS;
}

static void scan_range(struct scan *c, scry_addr at, scry_addr end)
{
	struct scry_session *s = c->h->runtime->session;
	scry_addr stop;

	while (!s->stopped && !c->full && scry_data_next(s, &at, end, &stop)) {
		scan_run(c, at, stop < end ? stop : end);
		at = stop;
	}
}

int scry_scan_words(struct scry_heap *h, unsigned where, scry_addr low, scry_addr high,
		    scry_scan_word *word, void *arg)
{
	struct scan c = { .h = h, .low = low, .high = high, .word = word, .arg = arg };
	struct scry_session *s = h->runtime->session;
	unsigned ptr = h->reader.ptr;

	for (size_t i = 0; i < s->target->map_count && !s->stopped && !c.full; i++) {
		const struct scry_map *m = &s->target->maps[i];
		scry_addr data = scry_file_data_end(h->runtime, m), at = data ? data : m->start, sp;
		unsigned kind = at < m->end ? kind_of(h, m) : 0;

		if (data && where & SCRY_SCAN_FILES)
			scan_range(&c, m->start, data);
		if (!(kind & where))
			continue;
		sp = kind == SCRY_SCAN_STACKS ? only_pointer(s->target, m) : 0;
		if (sp > at + RED_ZONE)
			at = (sp - RED_ZONE) & ~(scry_addr)(ptr - 1);
		scan_range(&c, at, m->end);
	}
	if (!s->stopped && !c.full)
		search_runs(&c);
	free(c.runs);
	return c.full ? scry_fail(s, SCRY_ENOMEM, 0, "out of memory") : SCRY_OK;
}

/* Of a dump that has no list of its holes: what of the mapping can be read. */
static uint64_t count_readable(struct scry_session *s, const struct scry_map *m)
{
	scry_addr at = m->start, stop;
	uint64_t bytes = 0;

	for (; !s->stopped && scry_data_next(s, &at, m->end, &stop); at = stop) {
		size_t n = 0, missing = 0;

		while (at < stop && !s->stopped) {
			if (!scry_view(s, at, &n) || !n) {
				if (!next_page(s, &at, &missing))
					break;
				continue;
			}
			missing = 0;
			n = n < stop - at ? n : (size_t)(stop - at);
			bytes += n;
			at += n;
		}
	}
	return bytes;
}

/* A core has lost the end of a segment, or all of it. */
static uint64_t count_holes(struct scry_target *t, const struct scry_map *m)
{
	uint64_t bytes = 0;
	scry_addr end;

	for (scry_addr at = m->start; at < m->end; at = end) {
		enum scry_hole hole = scry_target_hole_to(t, at, &end);

		end = end < m->end ? end : m->end;
		if (hole == SCRY_HOLE_CUT || hole == SCRY_HOLE_LEFT_OUT)
			bytes += end - at;
	}
	return bytes;
}

uint64_t scry_scan_lacks(struct scry_heap *h, uint64_t *ret_all)
{
	struct scry_session *s = h->runtime->session;
	struct scry_target *t = s->target;
	uint64_t lacks = 0;

	*ret_all = 0;
	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *m = &t->maps[i];

		if (!(m->flags & SCRY_MAP_WRITE) || m->flags & SCRY_MAP_FILE)
			continue;
		*ret_all += m->end - m->start;
		if (t->ops->hole)
			lacks += count_holes(t, m);
		else if (t->file)
			lacks += m->end - m->start - count_readable(s, m);
	}
	return lacks;
}
