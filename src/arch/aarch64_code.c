/* What A64 instructions do to the stack (Arm ARM, C6.2). This reads one instruction. */
#include <stdlib.h>
#include <string.h>

#include "arch/insn.h"

static bool is_reg(const cs_arm64 *a, unsigned i, unsigned reg)
{
	return i < a->op_count && a->operands[i].type == ARM64_OP_REG && a->operands[i].reg == reg;
}

/* A number, shifted by 12 where it says so. */
static bool number(const cs_arm64 *a, unsigned i, int64_t *ret)
{
	const cs_arm64_op *op = &a->operands[i];

	if (i >= a->op_count || op->type != ARM64_OP_IMM)
		return false;
	*ret = op->shift.type == ARM64_SFT_LSL ? op->imm << (op->shift.value & 15) : op->imm;
	return true;
}

/* Behind the bracket: [sp], #48. Versions of capstone differ in where the number is then. */
static bool comes_after(const cs_insn *insn, int64_t *ret)
{
	const char *found = strstr(insn->op_str, "], #");

	*ret = found ? strtoll(found + strlen("], #"), NULL, 0) : 0;
	return found;
}

/* ldr, ldp, str, stp on the stack. */
static void move(const cs_insn *insn, bool store, struct scry_stack_effect *ret)
{
	const cs_arm64 *a = &insn->detail->arm64;
	unsigned regs = 0;
	int64_t after;

	while (regs < a->op_count && a->operands[regs].type == ARM64_OP_REG)
		regs++;
	if (regs == a->op_count || a->operands[regs].type != ARM64_OP_MEM ||
	    a->operands[regs].mem.base != ARM64_REG_SP)
		return;
	bool post = comes_after(insn, &after);
	int64_t at = post ? 0 : a->operands[regs].mem.disp;
	if (post || a->writeback) {
		ret->pushed = post ? -after : -at;
		/*
		 * offsets of what is stored count from the new place, of what is loaded from the
		 * old
		 */
		at = post ? (store ? -after : 0) : (store ? 0 : at);
	}
	ret->lost = a->operands[regs].mem.index != ARM64_REG_INVALID;
	for (unsigned i = 0; i < regs; i++, at += 8) {
		if (is_reg(a, i, ARM64_REG_FP)) {
			*(store ? &ret->saves_fp : &ret->restores_fp) = true;
			ret->fp_at = at;
		} else if (is_reg(a, i, ARM64_REG_LR)) {
			*(store ? &ret->saves_link : &ret->restores_link) = true;
			ret->link_at = at;
		}
	}
}

/* mov, add, sub, and whatever else writes the stack pointer or the frame pointer. */
static void write_pointer(const cs_insn *insn, struct scry_stack_effect *ret)
{
	const cs_arm64 *a = &insn->detail->arm64;
	bool add = insn->id == ARM64_INS_ADD, sub = insn->id == ARM64_INS_SUB;
	bool to_sp = is_reg(a, 0, ARM64_REG_SP), of_sp = is_reg(a, 1, ARM64_REG_SP);
	int64_t n = 0;
	bool known = add || sub ? number(a, 2, &n) : insn->id == ARM64_INS_MOV;

	n = sub ? -n : n;
	if (to_sp) {
		ret->back_to_record = is_reg(a, 1, ARM64_REG_FP);
		ret->pushed = -n;
		ret->lost = !known || !(of_sp || ret->back_to_record);
	} else if (is_reg(a, 0, ARM64_REG_FP) && of_sp && known) {
		ret->makes_record = true;
		ret->record_at = n;
	}
}

static bool is_jump(const cs_insn *insn)
{
	switch (insn->id) {
	case ARM64_INS_B:
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		return true;
	default:
		return false;
	}
}

void scry_aarch64_effect(const cs_insn *insn, struct scry_stack_effect *ret)
{
	const cs_arm64 *a = &insn->detail->arm64;
	bool store = !strncmp(insn->mnemonic, "st", 2);

	*ret = (struct scry_stack_effect) { 0 };
	if (is_jump(insn)) {
		ret->ends = insn->id == ARM64_INS_B && !strcmp(insn->mnemonic, "b");
		ret->jump = (uint64_t)a->operands[a->op_count - 1].imm;
	} else if (!strncmp(insn->mnemonic, "ret", 3)) {
		ret->ends = ret->returns = true;
	} else if (insn->id == ARM64_INS_BR || insn->id == ARM64_INS_BRK ||
		   insn->id == ARM64_INS_HLT) {
		ret->ends = true;
		ret->halts = insn->id != ARM64_INS_BR;
	} else if (store || !strncmp(insn->mnemonic, "ld", 2)) {
		move(insn, store, ret);
	} else {
		write_pointer(insn, ret);
	}
}
