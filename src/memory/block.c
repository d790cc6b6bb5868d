/*
 * Blocks of whichever allocator a runtime has, and what the debug hooks have put around them.
 */
#include "memory/block.h"

#include "memory/areas.h"
#include "memory/memory.h"

static const struct scry_allocator *const allocators[] = { &scry_allocator_mimalloc,
							   &scry_allocator_pymalloc };

static const struct scry_allocator *allocator_of(const struct scry_runtime *r)
{
	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++)
		if (!r->pypy && allocators[i]->serves(r))
			return allocators[i];
	return NULL;
}

struct scry_memory *scry_memory_of(struct scry_runtime *r)
{
	if (!r->memory_state)
		r->memory_state = scry_arena_alloc(&r->session->arena, sizeof(struct scry_memory));
	return r->memory_state;
}

bool scry_block_find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	const struct scry_allocator *a = allocator_of(r);

	if (!a || !a->find(r, addr, ret))
		return false;
	ret->allocator = a->name;
	ret->of = a;
	return true;
}

bool scry_block_guess(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	const struct scry_allocator *a = allocator_of(r);

	if (!a || !a->guess(r, addr, ret))
		return false;
	ret->allocator = a->name;
	ret->of = a;
	return true;
}

bool scry_block_owns(struct scry_runtime *r, scry_addr addr)
{
	const struct scry_allocator *a = allocator_of(r);

	return a && a->owns(r, addr);
}

bool scry_block_lost(struct scry_runtime *r, scry_addr addr)
{
	const struct scry_allocator *a = allocator_of(r);

	return a && a->lost && a->lost(r, addr);
}

unsigned scry_block_order(struct scry_runtime *r, const struct scry_block *block)
{
	const struct scry_allocator *a = allocator_of(r);

	return a && block->free ? a->order(r, block) : 0;
}

uint64_t scry_block_least(const struct scry_block *b)
{
	uint64_t step = b->of->step ? b->of->step(b->size) : 16;

	return b->size > step ? b->size - step + 1 : 0;
}

bool scry_block_suits(const struct scry_block *b, uint64_t size, bool resized)
{
	uint64_t quarters = b->of->keep * b->size;

	return size <= b->size &&
	       (size >= scry_block_least(b) ||
		(resized && (4 * size > quarters || (b->of->keeps_equal && 4 * size == quarters))));
}

int scry_blocks_open(struct scry_blocks *b, struct scry_runtime *r)
{
	*b = (struct scry_blocks) { .runtime = r, .allocator = allocator_of(r) };
	if (!b->allocator)
		return scry_fail(r->session, SCRY_ENOTFOUND, 0, "%s has no allocator of its own",
				 r->name);
	return b->allocator->open(r, &b->state);
}

int scry_blocks_next(struct scry_blocks *b, struct scry_block *ret)
{
	int rc = b->allocator->next(b->runtime, b->state, ret);

	if (rc == SCRY_ITEM) {
		ret->allocator = b->allocator->name;
		ret->of = b->allocator;
	}
	return rc;
}

int scry_block_areas(struct scry_runtime *r, struct scry_block_area **ret, size_t *ret_count)
{
	const struct scry_allocator *a = allocator_of(r);
	struct scry_block_area *list = NULL;
	size_t count = 0, n = 0;
	int rc = a ? a->areas(r, &list, &count) : SCRY_ENOTFOUND;

	if (rc == SCRY_ENOMEM)
		return rc;
	if (rc < 0 || !count)
		return scry_fail(r->session, SCRY_ENOTFOUND, 0,
				 "the memory of %s's allocator was not found", r->name);
	scry_areas_sort(list, count);
	for (size_t i = 0; i < count; i++) {
		if (n && list[i].start < list[n - 1].end) {
			if (list[i].end > list[n - 1].end)
				list[n - 1].end = list[i].end;
			continue;
		}
		list[n++] = list[i];
	}
	*ret = list;
	*ret_count = n;
	return SCRY_OK;
}

void scry_blocks_done(struct scry_blocks *b)
{
	if (b->state)
		b->allocator->done(b->state);
	b->state = NULL;
}

/*
 * --- the debug hooks: size, a letter for who asked, and bytes that nobody should write, before and
 * after ---
 */

static unsigned count_bytes(struct scry_runtime *r, scry_addr at, unsigned n, uint8_t byte)
{
	uint8_t bytes[8];
	unsigned same = 0;

	if (scry_read(r->session, at, bytes, n) < 0)
		return 0;
	for (unsigned i = 0; i < n; i++)
		same += bytes[i] == byte;
	return same;
}

/* The size is there with the highest byte first, on every machine: _PyMem_DebugRawAlloc(). */
static bool debug_size(struct scry_runtime *r, scry_addr at, unsigned ptr, uint64_t *ret)
{
	uint8_t bytes[8];

	if (scry_read(r->session, at, bytes, ptr) < 0)
		return false;
	*ret = 0;
	for (unsigned i = 0; i < ptr; i++)
		*ret = *ret << 8 | bytes[i];
	return *ret < 1ull << 40;
}

bool scry_debug_block_at(struct scry_runtime *r, scry_addr start, struct scry_debug_block *ret)
{
	static const uint8_t forbidden[] = { 0xfd, 0xfb }; /* since 3.8, and before */
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_debug_block b = { .start = start };
	uint64_t letter;

	if (scry_read_uint(r->session, start - ptr, 1, &letter) < 0 ||
	    (letter != 'r' && letter != 'm' && letter != 'o') ||
	    !debug_size(r, start - 2 * ptr, ptr, &b.size))
		return false;
	b.domain = letter == 'r' ? "raw" : letter == 'm' ? "mem" : "object";
	for (size_t i = 0; i < sizeof(forbidden); i++) {
		unsigned before = count_bytes(r, start - ptr + 1, ptr - 1, forbidden[i]),
			 behind = count_bytes(r, start + b.size, ptr, forbidden[i]);

		if (before < ptr / 2 && behind < ptr / 2 + 1)
			continue;
		b.before_intact = before == ptr - 1;
		b.behind_intact = behind == ptr;
		*ret = b;
		/* one side alone may be chance: then the other must be nearly whole */
		return before + behind >= ptr + 1;
	}
	return false;
}
