/**
 * What speaks against a type, or an object that is referred to, although each of its words leads
 * somewhere: one changed word contradicts another. What cannot be known speaks against nothing.
 */
#ifndef SCRY_CONTRADICT_H
#define SCRY_CONTRADICT_H

#include "memory/block.h"
#include "object/model.h"

/**
 * Why a type cannot be believed: its flags contradict where it is, its dict is not one, its MRO is
 * not its own, it has two names. NULL: nothing speaks against it. Worked out once.
 */
const char *scry_type_doubt(struct scry_runtime *r, struct scry_type *t);
/**
 * May an object of type `t` be in this block? SCRY_ECORRUPT (scry_fail) where the allocator would
 * have given it another one.
 */
int scry_check_block(struct scry_runtime *r, scry_addr addr, const struct scry_type *t,
		     const struct scry_block *b);
/**
 * May the `size` bytes of a list's items be at `start`? SCRY_ECORRUPT where the allocator gives out
 * other blocks for that size, or begins them elsewhere.
 */
int scry_check_items(struct scry_runtime *r, scry_addr list, scry_addr start, uint64_t size);
/** The same of memory whose size is not known: SCRY_ECORRUPT where no block begins at `start`. */
int scry_check_given(struct scry_runtime *r, scry_addr start);
/** Why a generator's name must be another function's; NULL: nothing says so. */
const char *scry_generator_doubt(struct scry_runtime *r, scry_addr gen, const char *qualname);
/**
 * Why it cannot be in its state or of its type: its code makes a coroutine, say. NULL: nothing says
 * so.
 */
const char *scry_generator_state_doubt(struct scry_runtime *r, scry_addr gen);

#endif
