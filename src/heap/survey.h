/** What fills the memory: the largest objects, texts that are there several times. */
#ifndef SCRY_SURVEY_H
#define SCRY_SURVEY_H

#include "heap/index.h"

/**
 * The objects of a type (SCRY_HEAP_NONE: of all) that take the most bytes, the largest first: at
 * most `max`, whose places go to `ret`. How many.
 */
size_t scry_heap_largest(struct scry_heap *h, uint32_t type, size_t max, uint32_t *ret);

/** Equal texts, each an object of its own. */
struct scry_heap_text {
	uint32_t first; /* one of the objects */
	uint64_t count, bytes;
};
/**
 * Texts (str, unicode, bytes) that are there more than once, those first whose copies take the most
 * bytes; free() *ret.
 */
int scry_heap_texts(struct scry_heap *h, struct scry_heap_text **ret, size_t *ret_count);

#endif
