/* A pass over all words of memory. */
#include "heap/scan.h"

#include "base/progress.h"
#include "heap/roots.h"
#include "memory/stack.h"

#define RED_ZONE 128 /* bytes below a stack's pointer that are in use: System V ABI, x86-64 */

struct scan {
	struct scry_heap *h;
	scry_addr low, high;
	scry_scan_word *word;
	void *arg;
	uint64_t searched; /* bytes, for who watches */
};

static void scan_run(struct scan *c, scry_addr at, scry_addr end)
{
	struct scry_heap *h = c->h;
	unsigned ptr = h->reader.ptr;
	uint64_t range = c->high - c->low;
	size_t n = 0;

	while (at < end && scry_going(h->runtime->session, SCRY_PASS_SEARCH, c->searched, 0)) {
		const uint8_t *p = scry_reader_view(&h->reader, at, &n);

		if (!p || n < ptr) {
			at = (at + 4096) & ~(scry_addr)4095;
			continue;
		}
		n = n < end - at ? n : (size_t)(end - at);
		if (n < ptr)
			break;
		for (size_t i = 0; i + ptr <= n; i += ptr) {
			uint64_t word = 0;

			if (h->reader.big || ptr != 8)
				word = scry_load(p + i, ptr, h->reader.big);
			else
				memcpy(&word, p + i, 8);
			if (word - c->low >= range)
				continue;
			c->word(c->arg, at + i, word);
			if (h->reader.stable)
				continue;
			/* that may have read elsewhere */
			n = i + ptr;
			break;
		}
		at += n / ptr * ptr;
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

static unsigned kind_of(struct scry_heap *h, const struct scry_map *m)
{
	if (scry_in_file_data(h->runtime, m->start))
		return SCRY_SCAN_FILES;
	if (!(m->flags & SCRY_MAP_WRITE)) /* relocated data, which the loader has locked since */
		return m->flags & SCRY_MAP_FILE && m->flags & SCRY_MAP_READ &&
				       !(m->flags & SCRY_MAP_EXEC)
			       ? SCRY_SCAN_FILES
			       : 0;
	return scry_stack_has(h->runtime, m->start) ? SCRY_SCAN_STACKS : SCRY_SCAN_HEAPS;
}

void scry_scan_words(struct scry_heap *h, unsigned where, scry_addr low, scry_addr high,
		     scry_scan_word *word, void *arg)
{
	struct scan c = { .h = h, .low = low, .high = high, .word = word, .arg = arg };
	struct scry_session *s = h->runtime->session;
	unsigned ptr = h->reader.ptr;

	for (size_t i = 0; i < s->target->map_count && !s->stopped; i++) {
		const struct scry_map *m = &s->target->maps[i];
		unsigned kind = kind_of(h, m);
		scry_addr at = m->start, stop, sp;

		if (!(kind & where))
			continue;
		sp = kind == SCRY_SCAN_STACKS ? only_pointer(s->target, m) : 0;
		if (sp > at + RED_ZONE)
			at = (sp - RED_ZONE) & ~(scry_addr)(ptr - 1);
		while (!s->stopped && scry_data_next(s, &at, m->end, &stop)) {
			scan_run(&c, at, stop < m->end ? stop : m->end);
			at = stop;
		}
	}
}

uint64_t scry_scan_lacks(struct scry_heap *h)
{
	struct scry_target *t = h->runtime->session->target;
	uint64_t bytes = 0;

	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *m = &t->maps[i];
		enum scry_hole hole = scry_target_hole(t, m->start);

		if (m->flags & SCRY_MAP_WRITE && !(m->flags & SCRY_MAP_FILE) &&
		    (hole == SCRY_HOLE_CUT || hole == SCRY_HOLE_LEFT_OUT))
			bytes += m->end - m->start;
	}
	return bytes;
}
