/** What fills the memory: the largest objects, texts of which there are several copies. */
#ifndef SCRY_SURVEY_H
#define SCRY_SURVEY_H

#include "heap/index.h"

/**
 * The largest objects of a type (SCRY_HEAP_NONE: of all types), the largest first: the places of at
 * most `max` go to `ret`; returns how many.
 */
size_t scry_heap_largest(struct scry_heap *h, uint32_t type, size_t max, uint32_t *ret);

/** Equal texts, each an object of its own. */
struct scry_heap_text {
	uint32_t first; /* one of the objects */
	uint64_t count, bytes;
};
/**
 * Texts (str, unicode, bytes) of which there are several copies, those first whose copies take the
 * most bytes; free() *ret.
 */
int scry_heap_texts(struct scry_heap *h, struct scry_heap_text **ret, size_t *ret_count);

#endif
