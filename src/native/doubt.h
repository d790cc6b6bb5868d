/** What makes one doubt that a word means what it seems to. */
#ifndef SCRY_DOUBT_H
#define SCRY_DOUBT_H

#include "runtime/runtime.h"

/**
 * Why the object at `addr`, whose type makes sense, may be no living object: a static text, or
 * NULL.
 */
const char *scry_object_doubt(struct scry_runtime *r, scry_addr addr);
/** Is `word` made of the bytes with which debug builds fill memory? What they mean, or NULL. */
const char *scry_pattern_doubt(uint64_t word, unsigned size);

#endif
