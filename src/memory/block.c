/*
 * Which block of Python's allocator an address lies in, and what the debug allocator has put around
 * it.
 */
#include "memory/block.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "memory/mi_page.h"

/*
 * --- pymalloc: Objects/obmalloc.c, since 3.12 Include/internal/pycore_obmalloc.h; the same from
 * 2.7 to 3.15 ---
 */

/* struct pool_header: a count, three pointers, four unsigned ints. */
struct pool {
	scry_addr at, free; /* free: the first of the list of freed blocks */
	uint64_t size;      /* of the pool */
	uint64_t head;      /* bytes before the first block */
	uint32_t count, arena, class, next, max;
};

/*
 * Pools are 4 KiB, from 3.10 on 16; blocks are multiples of 8 bytes, of 16 from 3.7 on where
 * pointers have 8.
 */
static const struct {
	uint64_t size;
	uint32_t align;
} shapes[] = { { 16384, 16 }, { 4096, 16 }, { 4096, 8 }, { 16384, 8 } };

static bool read_pool(struct scry_runtime *r, scry_addr at, struct pool *p)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t word[5];

	for (unsigned i = 0; i < 5; i++) {
		scry_addr from = i < 1 ? at : at + 4 * ptr + (i - 1) * 4;

		if (scry_read_uint(r->session, from, 4, &word[i]) < 0)
			return false;
	}
	p->at = at;
	p->count = (uint32_t)word[0];
	p->arena = (uint32_t)word[1];
	p->class = (uint32_t)word[2];
	p->next = (uint32_t)word[3];
	p->max = (uint32_t)word[4];
	p->head = (4 * ptr + 16 + 15) / 16 * 16;
	return scry_word(r, at + ptr, &p->free) == SCRY_OK;
}

/* The numbers of a pool follow from one another: what chance puts there does not fit. */
static bool is_pool(const struct pool *p, uint32_t block)
{
	return p->class < 64 && p->max == p->size - block && p->arena < 1u << 24 &&
	       p->next >= p->head && p->next <= p->size && (p->next - p->head) % block == 0 &&
	       p->count <= (p->size - p->head) / block && (!p->free || p->free - p->at < p->size);
}

static bool on_free_list(struct scry_runtime *r, const struct pool *p, uint32_t block,
			 scry_addr start)
{
	scry_addr at = p->free;

	for (uint64_t n = 0; at && n <= p->size / block; n++) {
		if (at == start)
			return true;
		if (at - p->at >= p->size || scry_word(r, at, &at) < 0)
			return false;
	}
	return false;
}

static bool find_in_pool(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct pool p = { .size = shapes[i].size };

		if (!read_pool(r, addr & ~(p.size - 1), &p))
			continue;
		uint32_t block = (p.class + 1) * shapes[i].align;
		if (p.class >= 64 || block > 512 || !is_pool(&p, block) || addr - p.at < p.head)
			continue;
		*ret = (struct scry_block) { .size = block };
		ret->start = p.at + p.head + (addr - p.at - p.head) / block * block;
		if (ret->start + block > p.at + p.size)
			return false;
		ret->free = !p.count || ret->start - p.at >= p.next ||
			    on_free_list(r, &p, block, ret->start);
		return true;
	}
	return false;
}

/* --- mimalloc: free-threaded builds --- */

static bool find_in_page(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	struct scry_mi_bits bits;
	struct scry_mi_page page;

	if (!scry_mi_page_find(r, addr, &page))
		return false;
	uint64_t index = (addr - page.start) / page.block_size;
	*ret = (struct scry_block) { .start = page.start + index * page.block_size,
				     .size = page.block_size };
	scry_mi_page_free(r, &page, &bits);
	ret->free = index >= page.capacity || scry_mi_bit(&bits, index);
	return true;
}

static const struct {
	const char *name;
	bool (*find)(struct scry_runtime *r, scry_addr addr, struct scry_block *ret);
} allocators[] = { { "mimalloc", find_in_page }, { "pymalloc", find_in_pool } };

bool scry_block_find(struct scry_runtime *r, scry_addr addr, struct scry_block *ret)
{
	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++)
		if (allocators[i].find(r, addr, ret)) {
			ret->allocator = allocators[i].name;
			return true;
		}
	return false;
}

/*
 * --- the debug hooks: size, a letter for who asked, and bytes that nobody should write, before and
 * behind ---
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

/* The size stands there with the highest byte first, on every machine: _PyMem_DebugRawAlloc(). */
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
