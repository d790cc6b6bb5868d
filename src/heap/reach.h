/**
 * Objects that are not in blocks of the allocator: those that the collector knows, and whatever
 * known objects lead to. For index.c.
 */
#ifndef SCRY_REACH_H
#define SCRY_REACH_H

#include "heap/index.h"

/** Append them to those that are already listed, sorted and in h->pages. */
int scry_heap_reach(struct scry_heap *h);

/** Append an object to the list; false when out of memory. */
bool scry_heap_add(struct scry_heap *h, scry_addr addr, uint32_t type);
/** Sort the list by address, and drop duplicates. */
void scry_heap_sort(struct scry_heap *h);
/** Fill in h->pages from the sorted list. */
int scry_heap_index_pages(struct scry_heap *h);
/** Does any object of h->pages begin in the page? Before there are pages: is it mapped? */
bool scry_heap_has_page(const struct scry_heap *h, scry_addr addr);

#endif
