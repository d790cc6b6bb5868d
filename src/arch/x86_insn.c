/* What an x86 instruction reads, writes, and where it goes: Intel SDM, volume 2. */
#include <string.h>

#include "arch/insn.h"

/* The parts of each register, by the last letters of its name in either mode. */
static const struct {
	const char *name;
	x86_reg parts[5];
} families[] = {
	{ "ax", { X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH } },
	{ "bx", { X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH } },
	{ "cx", { X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH } },
	{ "dx", { X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH } },
	{ "si", { X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL } },
	{ "di", { X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL } },
	{ "bp", { X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL } },
	{ "sp", { X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL } },
	{ "ip", { X86_REG_RIP, X86_REG_EIP, X86_REG_IP } },
	{ "8", { X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B } },
	{ "9", { X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B } },
	{ "10", { X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B } },
	{ "11", { X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B } },
	{ "12", { X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B } },
	{ "13", { X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B } },
	{ "14", { X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B } },
	{ "15", { X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B } },
};

static const char *family_of(unsigned reg)
{
	for (size_t i = 0; reg && i < sizeof(families) / sizeof(*families); i++)
		for (size_t k = 0; k < 5; k++)
			if (families[i].parts[k] == (x86_reg)reg)
				return families[i].name;
	return NULL;
}

/* Of rows named "rax" or "eax" all but the first letter is the family. */
static int register_of(const struct scry_arch *arch, unsigned reg)
{
	const char *family = family_of(reg);

	/* "rax" and "eax", "r8" */
	for (unsigned i = 0; family && i < arch->count; i++)
		if (!strcmp(arch->regs[i].name + 1, family))
			return (int)i;
	return -1;
}

static bool is_one_of(unsigned id, const uint16_t *ids)
{
	for (; *ids; ids++)
		if (*ids == id)
			return true;
	return false;
}

/* capstone 4 has some of these as written */
static const uint16_t reads_only[] = { X86_INS_CMP,
				       X86_INS_TEST,
				       X86_INS_PUSH,
				       X86_INS_CALL,
				       X86_INS_JMP,
				       X86_INS_BT,
				       X86_INS_DIV,
				       X86_INS_IDIV,
				       X86_INS_COMISD,
				       X86_INS_UCOMISD,
				       X86_INS_COMISS,
				       X86_INS_UCOMISS,
				       0 };
static const uint16_t aligned[] = { X86_INS_MOVAPS,  X86_INS_MOVAPD,  X86_INS_MOVDQA,
				    X86_INS_VMOVAPS, X86_INS_VMOVAPD, X86_INS_VMOVDQA,
				    X86_INS_MOVNTPS, X86_INS_MOVNTDQ, 0 };

/*
 * capstone's access flags are wrong or missing for some of the most common instructions: these are
 * known here by name.
 */
static struct scry_operand operand(const struct scry_arch *arch, const cs_insn *insn,
				   const cs_x86_op *op, unsigned place)
{
	struct scry_operand o = { .size = op->size, .reg = -1, .base = -1, .index = -1 };
	bool moves =
		insn->id == X86_INS_MOV || insn->id == X86_INS_MOVABS || insn->id == X86_INS_LEA;

	o.read = op->access & CS_AC_READ;
	o.written = op->access & CS_AC_WRITE;
	if (is_one_of(insn->id, reads_only)) {
		o.read = true;
		o.written = false;
	} else if (moves) {
		o.read = place == 1;
		o.written = place == 0;
	}
	if (op->type == X86_OP_REG) {
		o.kind = SCRY_OPERAND_REGISTER;
		o.reg = register_of(arch, op->reg);
	} else if (op->type == X86_OP_IMM) {
		o.kind = SCRY_OPERAND_NUMBER;
		o.number = op->imm;
	} else {
		o.kind = SCRY_OPERAND_MEMORY;
		o.base = register_of(arch, op->mem.base);
		o.index = register_of(arch, op->mem.index);
		o.scale = (unsigned)op->mem.scale;
		o.offset = op->mem.disp;
		/* FS has the thread's own memory on x86-64 Linux, GS on i386 and Windows */
		o.of_thread = op->mem.segment == X86_REG_FS || op->mem.segment == X86_REG_GS;
	}
	return o;
}

static bool in_group(const cs_insn *insn, unsigned group)
{
	for (unsigned i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == group)
			return true;
	return false;
}

/* xor eax, eax and sub eax, eax: 0, whatever it was before. */
static bool same_register(const cs_x86 *x)
{
	return x->op_count == 2 && x->operands[0].type == X86_OP_REG &&
	       x->operands[1].type == X86_OP_REG && x->operands[0].reg == x->operands[1].reg;
}

static enum scry_insn_kind kind_of(const struct scry_arch *arch, const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;
	/* what writes half of a 64-bit register clears the other half: the value is whole */
	bool whole = x->op_count == 2 && x->operands[1].size >= 4 && x->operands[0].size >= 4;

	if (in_group(insn, CS_GRP_CALL))
		return SCRY_INSN_CALL;
	if (in_group(insn, CS_GRP_RET))
		return SCRY_INSN_RETURN;
	if (in_group(insn, CS_GRP_JUMP))
		return SCRY_INSN_JUMP;
	switch (insn->id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVSXD:
	case X86_INS_MOVZX:
		return whole || x->operands[1].type == X86_OP_MEM || arch->ptr_size == 4
			       ? SCRY_INSN_MOVE
			       : SCRY_INSN_OTHER;
	case X86_INS_LEA:
		return SCRY_INSN_ADDRESS;
	case X86_INS_XOR:
	case X86_INS_SUB:
		return same_register(x) ? SCRY_INSN_CLEAR : SCRY_INSN_OTHER;
	case X86_INS_INT3:
	case X86_INS_UD2:
	case X86_INS_HLT:
		return SCRY_INSN_TRAP;
	case X86_INS_DIV:
	case X86_INS_IDIV:
		return SCRY_INSN_DIVIDE;
	default:
		return SCRY_INSN_OTHER;
	}
}

/* Operands that are not written: where push, pop, call and ret touch the stack. */
static void add_stack(const struct scry_arch *arch, struct scry_insn *ret, int64_t offset,
		      bool written)
{
	if (ret->count < SCRY_OPERANDS_MAX)
		ret->operands[ret->count++] = (struct scry_operand) { .kind = SCRY_OPERAND_MEMORY,
								      .implicit = true,
								      .read = !written,
								      .written = written,
								      .size = arch->ptr_size,
								      .reg = -1,
								      .base = arch->sp,
								      .index = -1,
								      .offset = offset };
}

/* Registers that an instruction writes without naming them: rdx by mul, rsp by push. */
static void implied(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret)
{
	for (unsigned i = 0; i < insn->detail->regs_write_count; i++) {
		int reg = register_of(arch, insn->detail->regs_write[i]);

		if (reg >= 0)
			ret->writes |= (uint64_t)1 << reg;
	}
	if (insn->id == X86_INS_PUSH || ret->kind == SCRY_INSN_CALL)
		add_stack(arch, ret, -(int64_t)arch->ptr_size, true);
	else if (insn->id == X86_INS_POP || ret->kind == SCRY_INSN_RETURN)
		add_stack(arch, ret, 0, false);
}

void scry_x86_decode(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret)
{
	const cs_x86 *x = &insn->detail->x86;

	ret->kind = kind_of(arch, insn);
	ret->conditional = ret->kind == SCRY_INSN_JUMP && insn->id != X86_INS_JMP;
	ret->is_signed = insn->id == X86_INS_IDIV;
	ret->aligned = is_one_of(insn->id, aligned);
	for (unsigned i = 0; i < x->op_count && i < SCRY_OPERANDS_MAX - 1; i++) {
		struct scry_operand *o = &ret->operands[ret->count++];

		*o = operand(arch, insn, &x->operands[i], i);
		if (o->kind == SCRY_OPERAND_REGISTER && o->written && o->reg >= 0)
			ret->writes |= (uint64_t)1 << o->reg;
		if (o->kind == SCRY_OPERAND_NUMBER &&
		    (ret->kind == SCRY_INSN_CALL || ret->kind == SCRY_INSN_JUMP))
			ret->target = (uint64_t)o->number;
	}
	implied(arch, insn, ret);
}
