/** glibc's malloc: the chunk that begins before an address. */
#ifndef SCRY_CHUNK_H
#define SCRY_CHUNK_H

#include "runtime/runtime.h"

/** How large a chunk is: what its user may use, and what may be rounding. */
struct scry_chunk {
	uint64_t size;  /* bytes that its user has */
	uint64_t slack; /* how many of them may exceed what was asked for */
};
/**
 * The chunk in use for which malloc() returned `start`; false where its own words and the next
 * chunk's do not agree, as they seldom do by chance.
 */
bool scry_chunk_at(struct scry_runtime *r, scry_addr start, struct scry_chunk *ret);
/** Does the target have glibc, so that what malloc() gave out is in such chunks? */
bool scry_has_chunks(struct scry_runtime *r);
/**
 * Is it certainly glibc's malloc() that gives out memory, not one that was preloaded? It looks at
 * the interpreter's state, which up to 3.11 is in such a chunk, and at the table of the builtins,
 * which is too large for pymalloc; false where that proves nothing.
 */
bool scry_chunks_sure(struct scry_runtime *r);

#endif
