/**
 * How deep a frame's value stack is at each instruction. For a frame that runs, only the
 * interpreter's registers have that, so it is worked out from the code, as the compiler did.
 */
#ifndef SCRY_STACK_DEPTH_H
#define SCRY_STACK_DEPTH_H

#include "object/opcodes.h"

struct scry_depths;

/**
 * How many values are on the stack before the instruction at `offset` of the code (bytes, like a
 * frame's lasti); negative where it is not known, or depends on how the place was reached. Worked
 * out once for each code object.
 */
int scry_stack_depth(struct scry_code *c, int64_t offset);
/** The instruction at `offset`, or after its prefixes there; false where there is none. */
bool scry_instruction_at(struct scry_code *c, int64_t offset, struct scry_instruction *ret);
/** 3.11 and 3.12: the index of the constant that names a call's keywords; false: it has none. */
bool scry_keywords_of(struct scry_code *c, int64_t offset, uint32_t *ret_constant);

#endif
