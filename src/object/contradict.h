/**
 * What speaks against a type, or an object that is referred to, although each of its words leads
 * somewhere: one changed word contradicts another one. What cannot be known speaks against nothing.
 */
#ifndef SCRY_CONTRADICT_H
#define SCRY_CONTRADICT_H

#include "memory/block.h"
#include "object/model.h"

/**
 * Why what a type says of itself is not to be believed, NULL nothing: flags that contradict where
 * it stands, a dict that is not one, an MRO that is not its own, two names. Worked out once.
 */
const char *scry_type_doubt(struct scry_runtime *r, struct scry_type *t);
/**
 * May an object of type `t` have been given this block? SCRY_ECORRUPT (and why) where the allocator
 * would have given another one for it.
 */
int scry_check_block(struct scry_runtime *r, scry_addr addr, const struct scry_type *t,
		     const struct scry_block *b);
/**
 * May the `size` bytes of a list's items stand at `start`? SCRY_ECORRUPT where the allocator gives
 * out other blocks for that, or begins them elsewhere.
 */
int scry_check_items(struct scry_runtime *r, scry_addr list, scry_addr start, uint64_t size);
/** Why the name of a generator is another function's, NULL nothing. */
const char *scry_generator_doubt(struct scry_runtime *r, scry_addr gen, const char *qualname);

#endif
