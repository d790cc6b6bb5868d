/* What an A64 instruction reads, writes, and where it goes: Arm ARM, C6.2. */
#include <string.h>

#include "arch/insn.h"

/* In the rows x0 to x30 come first, then sp. */
static int register_of(const struct scry_arch *arch, unsigned reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return (int)(reg - ARM64_REG_X0);
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return (int)(reg - ARM64_REG_W0);
	if (reg == ARM64_REG_FP)
		return arch->fp;
	if (reg == ARM64_REG_LR)
		return arch->link;
	return reg == ARM64_REG_SP || reg == ARM64_REG_WSP ? arch->sp : -1;
}

/*
 * The last letter of the mnemonic says how much of the register is moved (ldrb, strh, ldrsw), else
 * the register's own width.
 */
static uint8_t size_of(const cs_insn *insn, unsigned reg)
{
	const char *m = insn->mnemonic;
	size_t len = strlen(m);

	if (len && m[len - 1] == 'b')
		return 1;
	if (len && m[len - 1] == 'h')
		return 2;
	if (len && m[len - 1] == 'w' && !strncmp(m, "ldrs", 4))
		return 4;
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return 4;
	if (reg >= ARM64_REG_Q0 && reg <= ARM64_REG_Q31)
		return 16;
	return reg >= ARM64_REG_S0 && reg <= ARM64_REG_S31 ? 4 : 8;
}

static bool begins(const cs_insn *insn, const char *with)
{
	return !strncmp(insn->mnemonic, with, strlen(with));
}

static bool is_store(const cs_insn *insn)
{
	return begins(insn, "st");
}

/*
 * By the form of the language, not by capstone's access flags: the first operand is written, but
 * for stores, comparisons and branches.
 */
static struct scry_operand operand(const struct scry_arch *arch, const cs_insn *insn,
				   const cs_arm64_op *op, unsigned place)
{
	bool no_result = begins(insn, "cmp") || begins(insn, "cmn") || begins(insn, "tst") ||
			 begins(insn, "cb") || begins(insn, "tb") || begins(insn, "b") ||
			 is_store(insn);
	bool pair = begins(insn, "ldp") || begins(insn, "ldxp");
	struct scry_operand o = { .reg = -1, .base = -1, .index = -1, .read = true };

	if (op->type == ARM64_OP_REG) {
		o.kind = SCRY_OPERAND_REGISTER;
		o.reg = register_of(arch, op->reg);
		o.written = !no_result && place < (pair ? 2 : 1);
		o.read = !o.written;
	} else if (op->type == ARM64_OP_MEM) {
		o.kind = SCRY_OPERAND_MEMORY;
		o.base = register_of(arch, op->mem.base);
		o.index = register_of(arch, op->mem.index);
		/* [x0, x1, lsl #3] */
		o.scale = op->shift.type == ARM64_SFT_LSL ? 1u << (op->shift.value & 7) : 1;
		o.offset = op->mem.disp;
		o.written = is_store(insn);
		o.read = !o.written;
		o.size = size_of(insn, insn->detail->arm64.operands[0].reg);
		o.size =
			(uint8_t)(begins(insn, "ldp") || begins(insn, "stp") ? 2 * o.size : o.size);
	} else {
		o.kind = SCRY_OPERAND_NUMBER;
		o.number = op->type == ARM64_OP_IMM || op->type == ARM64_OP_CIMM ? op->imm : 0;
	}
	return o;
}

static enum scry_insn_kind kind_of(const cs_insn *insn)
{
	const cs_arm64 *a = &insn->detail->arm64;

	switch (insn->id) {
	case ARM64_INS_BL:
	case ARM64_INS_BLR:
		return SCRY_INSN_CALL;
	case ARM64_INS_RET:
		return SCRY_INSN_RETURN;
	case ARM64_INS_B:
	case ARM64_INS_BR:
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		return SCRY_INSN_JUMP;
	case ARM64_INS_BRK:
		return SCRY_INSN_TRAP;
	case ARM64_INS_MOV:
	case ARM64_INS_LDR:
	case ARM64_INS_LDUR:
	case ARM64_INS_STR:
	case ARM64_INS_STUR:
	case ARM64_INS_ADRP:
	case ARM64_INS_ADR:
		return a->op_count == 2 ? SCRY_INSN_MOVE : SCRY_INSN_OTHER;
	default:
		return SCRY_INSN_OTHER;
	}
}

/* The first operand is stored, the second is where: as a move has them the other way round. */
static void turn_store(struct scry_insn *ret)
{
	struct scry_operand first = ret->operands[0];

	ret->operands[0] = ret->operands[1];
	ret->operands[1] = first;
}

void scry_aarch64_decode(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret)
{
	const cs_arm64 *a = &insn->detail->arm64;

	ret->kind = kind_of(insn);
	ret->conditional =
		ret->kind == SCRY_INSN_JUMP && insn->id != ARM64_INS_BR &&
		!(insn->id == ARM64_INS_B && (a->cc == ARM64_CC_INVALID || a->cc == ARM64_CC_AL));
	for (unsigned i = 0; i < a->op_count && i < SCRY_OPERANDS_MAX; i++) {
		struct scry_operand *o = &ret->operands[ret->count++];

		*o = operand(arch, insn, &a->operands[i], i);
		if (o->kind == SCRY_OPERAND_REGISTER && o->written && o->reg >= 0)
			ret->writes |= (uint64_t)1 << o->reg;
		/* pre- and post-index forms change their base: ldr x0, [sp], #16 */
		if (o->kind == SCRY_OPERAND_MEMORY && a->writeback && o->base >= 0)
			ret->writes |= (uint64_t)1 << o->base;
		if (o->kind == SCRY_OPERAND_NUMBER &&
		    (ret->kind == SCRY_INSN_CALL || ret->kind == SCRY_INSN_JUMP))
			ret->target = (uint64_t)o->number;
	}
	if (ret->kind == SCRY_INSN_MOVE && is_store(insn))
		turn_store(ret);
	if (a->writeback && ret->kind == SCRY_INSN_MOVE)
		ret->kind = SCRY_INSN_OTHER; /* its base is another one afterwards */
}
