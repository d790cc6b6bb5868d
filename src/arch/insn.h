/**
 * One instruction in terms of every machine: what it reads and writes, and where it goes. Each
 * architecture makes it out of capstone's (x86_insn.c, aarch64_insn.c).
 */
#ifndef SCRY_INSN_H
#define SCRY_INSN_H

#include "arch/arch.h"

#define SCRY_OPERANDS_MAX 8

enum scry_operand_kind { SCRY_OPERAND_REGISTER, SCRY_OPERAND_NUMBER, SCRY_OPERAND_MEMORY };

struct scry_operand {
	enum scry_operand_kind kind;
	bool read, written;
	bool implicit; /* what a push, a call, a return touches on the stack */
	uint8_t size;  /* bytes; 0 unknown */
	/* REGISTER: index into arch->regs of the whole register; -1: none of those (xmm0, flags) */
	int reg;
	int64_t number; /* NUMBER */
	/* MEMORY: base + index * scale + offset; -1 none. `base` may be the pc: of the next one */
	int base, index;
	unsigned scale;
	int64_t offset;
	bool of_thread; /* relative to the thread pointer */
};

enum scry_insn_kind {
	SCRY_INSN_OTHER,
	SCRY_INSN_MOVE,    /* the first operand takes the second one's value, all of it */
	SCRY_INSN_ADDRESS, /* the first operand takes the second one's address */
	SCRY_INSN_CLEAR,   /* the first operand becomes 0 */
	SCRY_INSN_CALL,
	SCRY_INSN_JUMP, /* `conditional`: or not */
	SCRY_INSN_RETURN,
	SCRY_INSN_TRAP,   /* it is there to fail: int3, ud2, brk */
	SCRY_INSN_DIVIDE, /* by the last operand that is read */
};

/**
 * What one instruction does, as far as explaining a crash takes. A copy: nothing in it is borrowed
 * but `name`, which is static.
 */
struct scry_insn {
	uint64_t addr;
	unsigned size;
	const char *name; /* of one that capstone does not know; else NULL */
	enum scry_insn_kind kind;
	bool conditional;
	bool aligned;    /* it wants its memory aligned by its size */
	uint64_t target; /* of a call or a jump that names it, else 0 */
	uint64_t writes; /* bits of the registers that it writes, implied ones too; not a call's */
	unsigned count;
	struct scry_operand operands[SCRY_OPERANDS_MAX];
};

/** Is the next instruction not reached from this one? */
static inline bool scry_insn_ends(const struct scry_insn *i)
{
	return (i->kind == SCRY_INSN_JUMP && !i->conditional) || i->kind == SCRY_INSN_RETURN ||
	       i->kind == SCRY_INSN_TRAP;
}

/**
 * What an x86 instruction does, by capstone's details: fills in *ret, whose address and size are
 * set.
 */
void scry_x86_decode(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret);
/**
 * An instruction after EVEX, of at least 12 bytes: where its memory is. False for any other.
 */
bool scry_x86_evex(const struct scry_arch *arch, const uint8_t *bytes, size_t len,
		   struct scry_insn *ret);
void scry_aarch64_effect(const cs_insn *insn, struct scry_stack_effect *ret);
void scry_aarch64_decode(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret);

#endif
