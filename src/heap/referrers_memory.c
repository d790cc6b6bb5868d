/* References from memory that is not an object's: C stacks, registers, what malloc() gave out. */
#include "heap/referrers.h"
#include "base/progress.h"
#include "heap/roots.h"
#include "memory/block.h"
#include "memory/malloc.h"
#include "memory/stack.h"

struct scan {
	struct scry_refs *refs;
	const struct scry_hash *known; /* words that were told of */
	scry_addr start;
	uint64_t searched; /* bytes so far */
};

/* --- threads --- */

static const struct scry_thread *thread_of(struct scry_session *s, const struct scry_os_thread *os)
{
	for (const struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (t->os == os)
			return t;
	return NULL;
}

/*
 * Only the innermost frame's: what unwinding restores for outer ones stands in memory, and is found
 * there.
 */
static void scan_registers(struct scan *c, const struct scry_os_thread *os)
{
	struct scry_session *s = c->refs->h->runtime->session;
	const struct scry_regs *regs = scry_os_thread_regs(s->target, os);

	for (unsigned i = 0; regs->arch && i < regs->arch->count; i++)
		if (regs->valid >> i & 1 && regs->value[i] == c->start)
			scry_refs_add(c->refs, &(struct scry_found_ref) {
						       .kind = SCRY_FROM_REGISTER,
						       .object = SCRY_HEAP_NONE,
						       .thread = thread_of(s, os),
						       .os = os,
						       .slot = regs->arch->regs[i].name });
}

/* From the stack pointer up: what is below it belongs to calls that are over. */
static void scan_stack(struct scan *c, const struct scry_os_thread *os)
{
	struct scry_heap *h = c->refs->h;
	struct scry_session *s = h->runtime->session;
	scry_addr at, end;
	uint64_t word;

	if (!scry_os_thread_stack(s->target, os, &at, &end))
		return;
	for (at -= at % h->reader.ptr; at < end; at += h->reader.ptr)
		if (scry_reader_word(&h->reader, at, &word) && word == c->start)
			scry_refs_add(c->refs,
				      &(struct scry_found_ref) { .kind = SCRY_FROM_STACK,
								 .object = SCRY_HEAP_NONE,
								 .from = at,
								 .thread = thread_of(s, os),
								 .os = os });
}

/* --- memory of nobody --- */

/* Frames that are over have left words in the chunks of a thread's data stack. */
static bool in_data_stack(struct scry_heap *h, scry_addr at)
{
	struct scry_runtime *r = h->runtime;
	unsigned ptr = h->reader.ptr;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		scry_addr chunk =
			t->runtime == r ? scry_field_get(r, t->state, SCRY_F_THREAD_DATASTACK_CHUNK)
					: 0;
		uint64_t size;

		for (unsigned n = 0; chunk && n < 10000; n++) {
			if (!scry_reader_word(&h->reader, chunk + ptr, &size))
				break;
			if (at - chunk < size)
				return true;
			if (!scry_reader_word(&h->reader, chunk, &chunk))
				break;
		}
	}
	return false;
}

/*
 * What is left are blocks of C code: PyMem_Malloc() and malloc() of extensions, whose insides
 * nobody knows.
 */
static void take_word(struct scan *c, scry_addr at)
{
	struct scry_heap *h = c->refs->h;
	struct scry_found_ref one = { .kind = SCRY_FROM_CHUNK,
				      .object = SCRY_HEAP_NONE,
				      .from = at };
	struct scry_malloc_chunk chunk;
	struct scry_block block;

	/* tables of objects, whose words were told of, or are left from before */
	if (scry_hash_find(c->known, at) || scry_heap_inside(h, at) != SCRY_HEAP_NONE ||
	    in_data_stack(h, at))
		return;
	if (scry_block_find(h->runtime, at, &block)) {
		if (block.free)
			return;
		one.from = block.start;
	} else if (scry_block_owns(h->runtime, at)) {
		return;
	} else if (scry_malloc_find(h->runtime, at, &chunk)) {
		if (scry_malloc_is_free(&chunk))
			return;
		one.from = chunk.start;
	}
	one.slot = scry_arena_printf(&h->runtime->session->arena, "+0x%" PRIx64, at - one.from);
	scry_refs_add(c->refs, &one);
}

static void scan_run(struct scan *c, scry_addr at, scry_addr end)
{
	struct scry_heap *h = c->refs->h;
	unsigned ptr = h->reader.ptr;
	size_t n = 0;

	while (at < end && scry_going(h->runtime->session, SCRY_PASS_SEARCH, c->searched, 0)) {
		const uint8_t *p = scry_reader_view(&h->reader, at, &n);

		if (!p || n < ptr) {
			/* a page that is missing: on with the next */
			at = (at + 4096) & ~(scry_addr)4095;
			continue;
		}
		n = n < end - at ? n : (size_t)(end - at);
		for (size_t i = 0; i + ptr <= n; i += ptr) {
			uint64_t word = 0;

			if (h->reader.big || ptr != 8)
				word = scry_load(p + i, ptr, h->reader.big);
			else
				memcpy(&word, p + i, 8);
			if (word == c->start) {
				take_word(c, at + i);
				/* that has read elsewhere */
				p = scry_reader_view(&h->reader, at, &n);
				if (!p)
					return;
				n = n < end - at ? n : (size_t)(end - at);
			}
		}
		at += n / ptr * ptr;
		c->searched += n;
		if (n < ptr)
			break;
	}
}

/* Data of files were searched for the roots, stacks above: the rest is the heap of C. */
static void scan_maps(struct scan *c)
{
	struct scry_runtime *r = c->refs->h->runtime;
	struct scry_target *t = r->session->target;

	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *m = &t->maps[i];
		scry_addr at = m->start, stop;

		if (!(m->flags & SCRY_MAP_WRITE) || scry_in_file_data(r, m->start) ||
		    scry_stack_has(r, m->end - c->refs->h->reader.ptr))
			continue;
		while (scry_data_next(r->session, &at, m->end, &stop)) {
			scan_run(c, at, stop < m->end ? stop : m->end);
			at = stop;
		}
	}
}

void scry_refs_in_memory(struct scry_refs *refs, const struct scry_hash *known)
{
	struct scry_target *t = refs->h->runtime->session->target;
	struct scan c = { refs, known, refs->h->objects[refs->target].addr };

	for (size_t i = 0; i < t->thread_count; i++) {
		scan_registers(&c, &t->threads[i]);
		scan_stack(&c, &t->threads[i]);
	}
	scan_maps(&c);
}
