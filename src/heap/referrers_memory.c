/* References from memory that is not an object's: C stacks, registers, what malloc() gave out. */
#include "heap/referrers.h"

#include "heap/chunks.h"
#include "heap/data_stack.h"
#include "heap/scan.h"
#include "memory/block.h"
#include "memory/malloc.h"
#include "object/known.h"
#include "object/whatis.h"

struct scan {
	struct scry_refs *refs;
	struct scry_hash *known; /* words that were told of */
	scry_addr start, end;    /* of the target */
	/* where the modules' states begin: the module's place in the index plus one */
	struct scry_hash states;
	bool has_states;
	struct scry_data_stacks stacks; /* frames that are over have left words there */
};

static struct scry_found_ref *new_ref(struct scan *c, struct scry_found_ref *one,
				      enum scry_from kind, scry_addr from, scry_addr word)
{
	*one = (struct scry_found_ref) {
		.kind = kind, .object = SCRY_HEAP_NONE, .from = from, .offset = word - c->start
	};
	return one;
}

/* --- threads --- */

static const struct scry_thread *thread_of(struct scry_session *s, const struct scry_os_thread *os)
{
	for (const struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (t->os == os)
			return t;
	return NULL;
}

/*
 * Only the innermost frame's: what unwinding restores for outer ones is in memory, and is found
 * there.
 */
static void scan_registers(struct scan *c, const struct scry_os_thread *os)
{
	struct scry_session *s = c->refs->h->runtime->session;
	const struct scry_regs *regs = scry_os_thread_regs(s->target, os);
	struct scry_found_ref one;

	for (unsigned i = 0; regs->arch && i < regs->arch->count; i++)
		if (regs->valid >> i & 1 && regs->value[i] - c->start < c->end - c->start) {
			new_ref(c, &one, SCRY_FROM_REGISTER, 0, regs->value[i]);
			one.thread = thread_of(s, os);
			one.os = os;
			one.slot = regs->arch->regs[i].name;
			scry_refs_add(c->refs, &one);
		}
}

/* From the stack pointer up: what is below it belongs to calls that are over. */
static void scan_stack(struct scan *c, const struct scry_os_thread *os)
{
	struct scry_heap *h = c->refs->h;
	struct scry_session *s = h->runtime->session;
	struct scry_found_ref one;
	scry_addr at, end;
	uint64_t word;

	if (!scry_os_thread_stack(s->target, os, &at, &end))
		return;
	for (at -= at % h->reader.ptr; at < end; at += h->reader.ptr)
		if (scry_reader_word(&h->reader, at, &word) &&
		    word - c->start < c->end - c->start && scry_hash_add(c->known, at) > 0) {
			new_ref(c, &one, SCRY_FROM_STACK, at, word)->os = os;
			one.thread = thread_of(s, os);
			scry_refs_add(c->refs, &one);
		}
}

/* --- data of files --- */

const char *scry_static_name(struct scry_heap *h, scry_addr at)
{
	struct scry_session *s = h->runtime->session;
	struct scry_module *m = scry_module_at(s, at);
	const char *file = m ? m->name : NULL;
	struct scry_symbol symbol;

	if (scry_symbol_at(s, at, &symbol) == SCRY_OK)
		return scry_arena_printf(&s->arena, "%s+0x%" PRIx64 "%s%s", symbol.name,
					 at - symbol.addr, file ? " of " : "", file ? file : "");
	return m ? scry_arena_printf(&s->arena, "0x%" PRIx64 " of %s", at - m->start, file) : NULL;
}

static void take_static(void *arg, scry_addr at, scry_addr word)
{
	struct scan *c = arg;
	struct scry_heap *h = c->refs->h;
	struct scry_found_ref one;

	/* words of objects that are there were told of */
	if (scry_hash_find(c->known, at) || scry_heap_inside(h, at) != SCRY_HEAP_NONE)
		return;
	new_ref(c, &one, SCRY_FROM_STATIC, at, word)->slot = scry_static_name(h, at);
	scry_refs_add(c->refs, &one);
}

/* --- memory of nobody --- */

/* Which module's state begins there. */
static uint32_t module_of(struct scan *c, scry_addr start)
{
	struct scry_heap *h = c->refs->h;

	for (uint32_t i = 0; !c->has_states && i < h->count; i++)
		if (scry_known_type(scry_heap_type_of(h, i)->type) == SCRY_IS_MODULE) {
			scry_addr state =
				scry_reader_field(&h->reader, h->runtime->layout,
						  h->objects[i].addr, SCRY_F_MODULE_STATE);

			if (state)
				scry_hash_put(&c->states, state, (void *)((uintptr_t)i + 1));
		}
	c->has_states = true;
	return (uint32_t)(uintptr_t)scry_hash_find(&c->states, start) - 1;
}

/* A word in an object's own memory that is not a reference to an object: a pointer to its bytes. */
static void take_inner(struct scan *c, uint32_t from, scry_addr at, scry_addr word)
{
	struct scry_heap *h = c->refs->h;
	scry_addr addr = h->objects[from].addr;
	struct scry_found_ref one;

	if (from == c->refs->target || word == c->start)
		return;
	new_ref(c, &one, SCRY_FROM_OBJECT, addr, word)->object = from;
	one.kind = scry_from_kind(h, from, &one.frame);
	one.slot = scry_field_name_at(h->runtime, addr, at - addr);
	if (!one.slot)
		one.slot = scry_arena_printf(&h->runtime->session->arena, "+0x%" PRIx64, at - addr);
	scry_refs_add(c->refs, &one);
}

/*
 * What is left are blocks of C code: PyMem_Malloc() and malloc() of extensions, whose insides
 * nobody knows.
 */
static void take_word(void *arg, scry_addr at, scry_addr word)
{
	struct scan *c = arg;
	struct scry_heap *h = c->refs->h;
	struct scry_session *s = h->runtime->session;
	struct scry_malloc_chunk chunk;
	struct scry_found_ref one;
	struct scry_block block;
	uint32_t module, from = scry_heap_inside(h, at);

	size_t stack = scry_area_after(c->stacks.list, c->stacks.count, at);

	/* tables of objects, whose words were told of, or are left from before */
	if (scry_hash_find(c->known, at) ||
	    (stack < c->stacks.count && c->stacks.list[stack].start <= at))
		return;
	if (from != SCRY_HEAP_NONE) {
		take_inner(c, from, at, word);
		return;
	}
	new_ref(c, &one, SCRY_FROM_CHUNK, at, word);
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
	one.slot = scry_arena_printf(&s->arena, "+0x%" PRIx64, at - one.from);
	module = module_of(c, one.from);
	if (module != SCRY_HEAP_NONE) {
		one.slot = scry_arena_printf(&s->arena, "module state+0x%" PRIx64, at - one.from);
		one.kind = SCRY_FROM_OBJECT;
		one.object = module;
		one.from = h->objects[module].addr;
	}
	scry_refs_add(c->refs, &one);
}

void scry_refs_in_memory(struct scry_refs *refs, scry_addr end, struct scry_hash *known)
{
	struct scry_target *t = refs->h->runtime->session->target;
	struct scan c = { .refs = refs,
			  .known = known,
			  .start = refs->h->objects[refs->target].addr,
			  .end = end };

	for (size_t i = 0; i < t->thread_count; i++) {
		scan_registers(&c, &t->threads[i]);
		scan_stack(&c, &t->threads[i]);
	}
	refs->full |=
		scry_data_stacks_find(refs->h, &c.stacks) < 0 ||
		scry_scan_words(refs->h, SCRY_SCAN_FILES, c.start, c.end, take_static, &c) < 0;
	/* without counts nobody frees an object at once: such words are of objects that are dead */
	if (refs->h->kind->counts)
		refs->full |= scry_scan_words(refs->h, SCRY_SCAN_HEAPS, c.start, c.end, take_word,
					      &c) < 0;
	scry_hash_done(&c.states);
}
