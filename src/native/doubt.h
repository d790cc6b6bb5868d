/** What makes one doubt that a word means what it seems to. */
#ifndef SCRY_DOUBT_H
#define SCRY_DOUBT_H

#include "runtime/runtime.h"

/**
 * Why the object at `addr`, although its type makes sense, may not be a living object: a static
 * text, or NULL.
 */
const char *scry_object_doubt(struct scry_runtime *r, scry_addr addr);
/**
 * What the bytes mean that `word` of `size` bytes consists of, where they are those with which
 * debug builds fill memory (static); else NULL.
 */
const char *scry_pattern_doubt(uint64_t word, unsigned size);

#endif
