/**
 * One instruction in terms that fit every machine: what it reads and writes, and where it goes.
 * Each architecture makes it from capstone's details (x86_insn.c, aarch64_insn.c).
 */
#ifndef SCRY_INSN_H
#define SCRY_INSN_H

#include "arch/arch.h"

#define SCRY_OPERANDS_MAX 8

enum scry_operand_kind { SCRY_OPERAND_REGISTER, SCRY_OPERAND_NUMBER, SCRY_OPERAND_MEMORY };

/** One operand. */
struct scry_operand {
	enum scry_operand_kind kind;
	bool read, written;
	bool implicit; /* what a push, a call, a return accesses on the stack */
	uint8_t size;  /* bytes; 0 unknown */
	/*
	 * REGISTER: index into arch->regs of the whole register; -1: not one of them (xmm0, flags)
	 */
	int reg;
	int64_t number; /* NUMBER */
	/* MEMORY: base + index * scale + offset; -1 none. A `base` of pc means the next one's */
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
	SCRY_INSN_JUMP, /* `conditional`: perhaps */
	SCRY_INSN_RETURN,
	SCRY_INSN_TRAP,   /* it is there to fail: int3, ud2, brk */
	SCRY_INSN_DIVIDE, /* by the last operand that is read */
};

/**
 * What one instruction does, as far as it takes to explain a crash. A copy that borrows nothing;
 * `name` is static.
 */
struct scry_insn {
	uint64_t addr;
	unsigned size;
	const char *name; /* of one that capstone does not know; else NULL */
	enum scry_insn_kind kind;
	bool conditional;
	bool is_signed;  /* DIVIDE: of signed numbers */
	bool aligned;    /* its memory must be aligned to its size */
	uint64_t target; /* that of a call or jump that names it, else 0 */
	uint64_t writes; /* a bit for each register it writes, also implicitly; not the callee's */
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
 * An instruction with an EVEX prefix, whose `len` bytes are at least 12: where its memory is. False
 * for any other.
 */
bool scry_x86_evex(const struct scry_arch *arch, const uint8_t *bytes, size_t len,
		   struct scry_insn *ret);
/** The same two for AArch64. */
void scry_aarch64_effect(const cs_insn *insn, struct scry_stack_effect *ret);
void scry_aarch64_decode(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret);

#endif
