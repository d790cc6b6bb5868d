/**
 * A page of mimalloc, the allocator of free-threaded builds: a run of blocks of one size, whose
 * free ones are on three lists. A segment (32 MiB, and aligned to that) starts with the descriptors
 * of its pages. Facts: Include/internal/mimalloc/mimalloc/types.h of CPython 3.13.
 */
#ifndef SCRY_MI_PAGE_H
#define SCRY_MI_PAGE_H

#include "runtime/runtime.h"

#define SCRY_MI_CAPACITY_MAX 8192 /* blocks of a page: MI_SMALL_PAGE_SIZE / sizeof(void *) */

/**
 * _Py_mimalloc_heap_id, Include/internal/pycore_mimalloc.h: the last two have the collector's
 * objects.
 */
enum { SCRY_MI_MEM, SCRY_MI_OBJECT, SCRY_MI_GC, SCRY_MI_GC_PRE };

/** A page, decoded: mi_page_t. */
struct scry_mi_page {
	scry_addr addr;  /* mi_page_t */
	scry_addr start; /* the first block */
	uint64_t block_size;
	uint32_t capacity; /* blocks that were ever handed out */
	uint8_t tag;       /* SCRY_MI_... */
};

/** A bit for each block of a page. */
struct scry_mi_bits {
	uint64_t word[SCRY_MI_CAPACITY_MAX / 64];
};

/** Is block `i` of the page marked? */
static inline bool scry_mi_bit(const struct scry_mi_bits *bits, uint64_t i)
{
	return bits->word[i / 64] >> i % 64 & 1;
}

/**
 * Decode the descriptor at `addr`, of which `rec` is a copy; false where its numbers contradict
 * each other.
 */
bool scry_mi_page_read(struct scry_runtime *r, scry_addr addr, const struct scry_record *rec,
		       struct scry_mi_page *ret);
/** The page that contains an address; false where none does. */
bool scry_mi_page_find(struct scry_runtime *r, scry_addr addr, struct scry_mi_page *ret);
/** Which blocks are free; false where the lists are damaged (what they still say is in `ret`). */
bool scry_mi_page_free(struct scry_runtime *r, const struct scry_mi_page *page,
		       struct scry_mi_bits *ret);
/**
 * The start and the end of the segment that contains an address, if any does; the base-2 logarithm
 * of the size of its slices.
 */
scry_addr scry_mi_segment(const struct scry_runtime *r, scry_addr addr);
scry_addr scry_mi_segment_end(const struct scry_runtime *r, scry_addr addr);
unsigned scry_mi_slice_shift(const struct scry_runtime *r);

/**
 * What encodes the links of a list of free blocks: the keys of the page or heap that owns it; zeros
 * in builds without such keys.
 */
struct scry_mi_keys {
	scry_addr owner;
	uint64_t key[2];
};
/** The keys of a page or heap at `owner`; zeros where the build encodes no links. */
void scry_mi_keys_read(struct scry_runtime *r, scry_addr owner, enum scry_field f,
		       struct scry_mi_keys *ret);
/** The next block of a list of free ones, 0 at its end; false where it cannot be read. */
bool scry_mi_next(struct scry_runtime *r, scry_addr block, const struct scry_mi_keys *keys,
		  scry_addr *ret);

#endif
