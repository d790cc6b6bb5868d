/*
 * mimalloc as CPython 3.13+ embeds it. Facts: Include/internal/mimalloc/mimalloc/types.h and
 * internal.h, Objects/mimalloc/segment.c and page.c, the same in 3.13 to 3.15.
 */
#include "memory/mi_page.h"

#include <stdlib.h>

#define HUGE_BLOCK ((uint64_t)2 << 30) /* MI_HUGE_BLOCK_SIZE: too large for xblock_size */

/* MI_SEGMENT_SLICE_SHIFT, MI_SEGMENT_SHIFT */
unsigned scry_mi_slice_shift(const struct scry_runtime *r)
{
	return scry_ptr_size(r) == 8 ? 16 : 15;
}

static scry_addr segment_size(const struct scry_runtime *r)
{
	return (scry_addr)1 << (scry_ptr_size(r) == 8 ? 25 : 22);
}

scry_addr scry_mi_segment(const struct scry_runtime *r, scry_addr addr)
{
	return addr & ~(segment_size(r) - 1);
}

scry_addr scry_mi_segment_end(const struct scry_runtime *r, scry_addr addr)
{
	return scry_mi_segment(r, addr) + segment_size(r);
}

/* Which slice of its segment a descriptor stands for; -1: it is not one. */
static int64_t slice_index(struct scry_runtime *r, scry_addr page)
{
	const struct scry_slot *slices = &r->layout->slot[SCRY_F_MI_SEGMENT_SLICES];
	scry_addr segment = scry_mi_segment(r, page);
	uint64_t offset = page - segment - slices->offset, size = r->layout->size[SCRY_S_MI_PAGE],
		 entries;

	if (!size || offset % size || offset >= slices->size ||
	    scry_field_read(r, segment, SCRY_F_MI_SEGMENT_SLICE_ENTRIES, &entries) < 0)
		return -1;
	return offset / size < entries ? (int64_t)(offset / size) : -1;
}

/*
 * _mi_segment_page_start_from_slice(): pages of small blocks start a few blocks late, for the
 * caches' sake.
 */
static unsigned late_blocks(const struct scry_runtime *r, uint64_t block_size)
{
	return block_size < scry_ptr_size(r) ? 0 : block_size <= 64 ? 3 : block_size <= 512 ? 1 : 0;
}

bool scry_mi_page_read(struct scry_runtime *r, scry_addr addr, const struct scry_record *rec,
		       struct scry_mi_page *ret)
{
	int64_t slice = slice_index(r, addr);
	uint64_t size = scry_record_uint(rec, SCRY_F_MI_PAGE_SLICE_COUNT) << scry_mi_slice_shift(r);
	uint64_t block = scry_record_uint(rec, SCRY_F_MI_PAGE_BLOCK_SIZE);
	uint64_t reserved = scry_record_uint(rec, SCRY_F_MI_PAGE_RESERVED);

	*ret = (struct scry_mi_page) { .addr = addr,
				       .block_size = block >= HUGE_BLOCK ? size : block,
				       .capacity = (uint32_t)scry_record_uint(
					       rec, SCRY_F_MI_PAGE_CAPACITY),
				       .tag = (uint8_t)scry_record_uint(rec, SCRY_F_MI_PAGE_TAG) };
	if (slice < 0 || !size || block < scry_ptr_size(r) ||
	    ret->capacity > SCRY_MI_CAPACITY_MAX ||
	    scry_record_uint(rec, SCRY_F_MI_PAGE_SLICE_OFFSET))
		return false;
	scry_addr first = scry_mi_segment(r, addr) + ((uint64_t)slice << scry_mi_slice_shift(r));

	/* mimalloc 2.2 keeps where the blocks begin */
	ret->start = scry_layout_has(r->layout, SCRY_F_MI_PAGE_START)
			     ? scry_record_uint(rec, SCRY_F_MI_PAGE_START)
			     : first + late_blocks(r, block) * block;
	/* mi_page_init(): as many blocks as the page has room for */
	return ret->start >= first && ret->start - first < size && ret->capacity <= reserved &&
	       reserved == (size - (ret->start - first)) / ret->block_size;
}

/* _mi_segment_page_of(): the descriptor of a slice after the first says how far back that is. */
bool scry_mi_page_find(struct scry_runtime *r, scry_addr addr, struct scry_mi_page *ret)
{
	scry_addr segment = scry_mi_segment(r, addr),
		  slices = scry_field_addr(r, segment, SCRY_F_MI_SEGMENT_SLICES);
	struct scry_record rec;
	uint64_t back;

	if (!slices || !segment)
		return false;
	scry_addr slice = slices + ((addr - segment) >> scry_mi_slice_shift(r)) *
					   r->layout->size[SCRY_S_MI_PAGE];
	return scry_field_read(r, slice, SCRY_F_MI_PAGE_SLICE_OFFSET, &back) == SCRY_OK &&
	       back <= slice - slices &&
	       scry_record_read(r, SCRY_S_MI_PAGE, slice - back, &rec) == SCRY_OK &&
	       scry_mi_page_read(r, slice - back, &rec, ret) && addr >= ret->start &&
	       addr - ret->start <
		       ret->block_size * scry_record_uint(&rec, SCRY_F_MI_PAGE_RESERVED);
}

/* --- lists of free blocks --- */

/* mi_ptr_decode(); the owner stands for NULL. */
static scry_addr decode(const struct scry_runtime *r, scry_addr word,
			const struct scry_mi_keys *keys)
{
	unsigned bits = scry_ptr_size(r) * 8, turn = keys->key[0] % bits;
	uint64_t mask = bits == 64 ? UINT64_MAX : UINT32_MAX;

	word = (word - keys->key[0]) & mask;
	word = (turn ? word >> turn | word << (bits - turn) : word) & mask;
	word ^= keys->key[1];
	return word == keys->owner ? 0 : word;
}

void scry_mi_keys_read(struct scry_runtime *r, scry_addr owner, enum scry_field f,
		       struct scry_mi_keys *ret)
{
	scry_addr at = scry_field_addr(r, owner, f);

	*ret = (struct scry_mi_keys) { .owner = owner };
	for (unsigned i = 0; at && i < 2; i++)
		if (scry_read_ptr(r->session, at + i * scry_ptr_size(r), &ret->key[i]) < 0)
			ret->key[i] = 0;
}

/* Heaps always have keys; links are encoded where pages have them too: MI_ENCODE_FREELIST. */
bool scry_mi_next(struct scry_runtime *r, scry_addr block, const struct scry_mi_keys *keys,
		  scry_addr *ret)
{
	if (scry_read_ptr(r->session, block, ret) < 0)
		return false;
	if (scry_layout_has(r->layout, SCRY_F_MI_PAGE_KEYS))
		*ret = decode(r, *ret, keys);
	return true;
}

/*
 * Mark the free blocks of one list, and return how many they are; -1 where it leaves the page or
 * has no end.
 */
static int64_t mark_free(struct scry_runtime *r, const struct scry_mi_page *page,
			 const struct scry_mi_keys *keys, scry_addr block,
			 struct scry_mi_bits *bits)
{
	int64_t n = 0;

	for (; block; n++) {
		uint64_t offset = block - page->start, index = offset / page->block_size;

		if (n == page->capacity || block < page->start || index >= page->capacity ||
		    offset % page->block_size)
			return -1;
		bits->word[index / 64] |= (uint64_t)1 << index % 64;
		if (!scry_mi_next(r, block, keys, &block))
			return -1;
	}
	return n;
}

bool scry_mi_page_free(struct scry_runtime *r, const struct scry_mi_page *page,
		       struct scry_mi_bits *ret)
{
	struct scry_mi_keys keys;
	struct scry_record rec;

	for (size_t i = 0; i <= page->capacity / 64 && i < sizeof(ret->word) / sizeof(*ret->word);
	     i++)
		ret->word[i] = 0;
	if (scry_record_read(r, SCRY_S_MI_PAGE, page->addr, &rec) < 0)
		return false;
	scry_mi_keys_read(r, page->addr, SCRY_F_MI_PAGE_KEYS, &keys);
	/*
	 * the lowest bits of the third say how other threads hand blocks back, mi_delayed_t; its
	 * blocks count as used
	 */
	int64_t own = mark_free(r, page, &keys, scry_record_uint(&rec, SCRY_F_MI_PAGE_FREE), ret);
	int64_t local =
		mark_free(r, page, &keys, scry_record_uint(&rec, SCRY_F_MI_PAGE_LOCAL_FREE), ret);
	int64_t others =
		mark_free(r, page, &keys,
			  scry_record_uint(&rec, SCRY_F_MI_PAGE_THREAD_FREE) & ~(scry_addr)3, ret);
	int64_t used = (int64_t)scry_record_uint(&rec, SCRY_F_MI_PAGE_USED);
	/* one more or less: the program was stopped just there */
	return own >= 0 && local >= 0 && others >= 0 &&
	       llabs(own + local + used - page->capacity) <= 1;
}
