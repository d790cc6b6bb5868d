/** What makes one doubt that a word means what it seems to. */
#ifndef SCRY_DOUBT_H
#define SCRY_DOUBT_H

#include "runtime/runtime.h"

/** Why a reading is in doubt. */
struct scry_doubt {
	const char *why; /* static, or in the session's arena; NULL: there is no doubt */
	bool freed;      /* it is that of memory that was given back */
};
/** Why the object at `addr`, although its type makes sense, may not be a living object. */
struct scry_doubt scry_object_doubt(struct scry_runtime *r, scry_addr addr);
/**
 * What the bytes mean that `word` of `size` bytes consists of, where they are those with which
 * debug builds fill memory.
 */
struct scry_doubt scry_pattern_doubt(uint64_t word, unsigned size);

#endif
