/** The stack and calls of x86 code, 32 and 64 bits: Intel SDM, volume 2. */
#ifndef SCRY_X86_CODE_H
#define SCRY_X86_CODE_H

#include "arch/insn.h"

/** What an x86 instruction does to the stack pointer, in bytes; *ret is zeroed first. */
void scry_x86_effect(const cs_insn *insn, struct scry_stack_effect *ret);
/**
 * Do these 8 bytes end in a call? *ret_target: where to, in bytes from their end; 0 where only
 * running it would show.
 */
bool scry_x86_ends_in_call(const uint8_t before[8], int64_t *ret_target);

#endif
