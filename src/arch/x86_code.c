/* What x86 instructions do to the stack. Data is elsewhere: this reads one instruction. */
#include "arch/x86_code.h"

#include <string.h>

static bool is_sp(x86_reg reg)
{
	return reg == X86_REG_RSP || reg == X86_REG_ESP;
}

static bool is_fp(x86_reg reg)
{
	return reg == X86_REG_RBP || reg == X86_REG_EBP;
}

static bool is_register(const cs_x86 *x, unsigned i, bool (*which)(x86_reg reg))
{
	return i < x->op_count && x->operands[i].type == X86_OP_REG && which(x->operands[i].reg);
}

/* mov, lea, add, sub, and with the stack pointer as what is written. */
static void write_sp(const cs_insn *insn, struct scry_stack_effect *ret)
{
	const cs_x86 *x = &insn->detail->x86;
	const cs_x86_op *from = &x->operands[1];
	bool number = x->op_count == 2 && from->type == X86_OP_IMM;
	bool memory =
		x->op_count == 2 && from->type == X86_OP_MEM && from->mem.index == X86_REG_INVALID;

	if (insn->id == X86_INS_SUB && number) {
		ret->pushed = from->imm;
	} else if (insn->id == X86_INS_ADD && number) {
		ret->pushed = -from->imm;
	} else if (insn->id == X86_INS_LEA && memory && is_sp(from->mem.base)) {
		ret->pushed = -from->mem.disp;
	} else if (insn->id == X86_INS_LEA && memory && is_fp(from->mem.base)) {
		ret->back_to_record = true;
		ret->pushed = -from->mem.disp;
	} else if (insn->id == X86_INS_MOV && is_register(x, 1, is_fp)) {
		ret->back_to_record = true;
	} else if (insn->id != X86_INS_CMP && insn->id != X86_INS_TEST) {
		ret->lost = true;
	}
}

static void jump(const cs_insn *insn, struct scry_stack_effect *ret)
{
	const cs_x86 *x = &insn->detail->x86;

	ret->ends = insn->id == X86_INS_JMP;
	if (x->op_count == 1 && x->operands[0].type == X86_OP_IMM)
		ret->jump = (uint64_t)x->operands[0].imm;
}

void scry_x86_effect(const cs_insn *insn, struct scry_stack_effect *ret)
{
	const cs_x86 *x = &insn->detail->x86;
	int64_t word = x->op_count && x->operands[0].size ? x->operands[0].size : 8;

	*ret = (struct scry_stack_effect) { 0 };
	if (insn->mnemonic[0] == 'j') {
		jump(insn, ret);
	} else if (insn->id == X86_INS_PUSH) {
		ret->pushed = word;
		ret->saves_fp = is_register(x, 0, is_fp);
	} else if (insn->id == X86_INS_POP) {
		ret->pushed = -word;
		ret->lost = is_register(x, 0, is_sp);
		ret->restores_fp = is_register(x, 0, is_fp);
	} else if (insn->id == X86_INS_LEAVE) {
		ret->back_to_record = ret->restores_fp = true;
		ret->pushed = -(int64_t)(x->addr_size ? x->addr_size : 8);
	} else if (insn->id == X86_INS_RET || insn->id == X86_INS_HLT || insn->id == X86_INS_UD2) {
		ret->ends = true;
		ret->returns = insn->id == X86_INS_RET;
		ret->halts = insn->id == X86_INS_HLT;
	} else if (!strncmp(insn->mnemonic, "push", 4) || !strncmp(insn->mnemonic, "pop", 3) ||
		   insn->id == X86_INS_ENTER) {
		ret->lost = strcmp(insn->mnemonic, "popcnt") != 0;
	} else if (insn->id == X86_INS_MOV && is_register(x, 0, is_fp) &&
		   is_register(x, 1, is_sp)) {
		ret->makes_record = true;
	} else if (is_register(x, 0, is_sp)) {
		write_sp(insn, ret);
	}
}

/* e8 rel32, or ff /2 with one of its addressing forms (CALL). */
bool scry_x86_ends_in_call(const uint8_t before[8], int64_t *ret_target)
{
	int32_t to;

	*ret_target = 0;
	if (before[3] == 0xe8) {
		memcpy(&to, before + 4, 4);
		*ret_target = to;
		return true;
	}
	for (unsigned len = 2; len <= 7; len++) {
		const uint8_t *p = before + 8 - len;

		if (p[0] == 0xff && (p[1] & 0x38) == 0x10)
			return true;
	}
	return false;
}
