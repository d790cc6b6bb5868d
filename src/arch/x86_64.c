/*
 * x86-64. prstatus: struct user_regs_struct, arch/x86/include/asm/user_64.h (Linux 6.1); minidump:
 * CONTEXT, winnt.h (AMD64); DWARF numbers: System V psABI, figure 3.36. RSI and RDI belong to the
 * caller only in the Windows convention.
 */
#include "arch/x86_code.h"
#include "arch/reg_row.h"

static const struct scry_reg_row rows[] = {
	/* name  dwarf prstatus minidump size sysv win64 */
	{ "rax", 0, 80, 120, 8, V, V },     { "rbx", 3, 40, 144, 8, P, P },
	{ "rcx", 2, 88, 128, 8, V, V },     { "rdx", 1, 96, 136, 8, V, V },
	{ "rsi", 4, 104, 168, 8, V, P },    { "rdi", 5, 112, 176, 8, V, P },
	{ "rbp", 6, 32, 160, 8, P, P },     { "rsp", 7, 152, 152, 8, SP, SP },
	{ "r8", 8, 72, 184, 8, V, V },      { "r9", 9, 64, 192, 8, V, V },
	{ "r10", 10, 56, 200, 8, V, V },    { "r11", 11, 48, 208, 8, V, V },
	{ "r12", 12, 24, 216, 8, P, P },    { "r13", 13, 16, 224, 8, P, P },
	{ "r14", 14, 8, 232, 8, P, P },     { "r15", 15, 0, 240, 8, P, P },
	{ "rip", 16, 128, 248, 8, PC, PC },
};

/* mov rax, [rip+x] / mov eax, [x] */
/* NOLINTNEXTLINE(readability-non-const-parameter): other machines write it */
static uint64_t load(const cs_insn *insn, uint64_t *base)
{
	const cs_x86 *x = &insn->detail->x86;

	(void)base;
	if (insn->id != X86_INS_MOV || x->op_count != 2 || x->operands[0].type != X86_OP_REG ||
	    x->operands[1].type != X86_OP_MEM)
		return 0;
	const x86_op_mem *mem = &x->operands[1].mem;
	if (mem->base == X86_REG_RIP)
		return insn->address + insn->size + (uint64_t)mem->disp;
	if (mem->base == X86_REG_INVALID && mem->index == X86_REG_INVALID)
		return (uint64_t)mem->disp & 0xffffffff;
	return 0;
}

const struct scry_arch scry_arch_x86_64 = {
	.name = "x86_64",
	.elf_machine = 62,
	.minidump_machine = 9,
	.ptr_size = 8,
	.align8 = 8,
	.long_double = 16,
	.gregset_size = 216,
	.pc = 16,
	.sp = 7,
	.fp = 6,
	.link = -1,
	.record = { .fp = 0, .pc = 8, .sp = 16 },
	.knows_switch = true,
	.pe_unwind = true,
	.code = { CS_ARCH_X86,
		  CS_MODE_64,
		  load,
		  scry_x86_effect,
		  scry_x86_ends_in_call,
		  scry_x86_decode,
		  scry_x86_evex,
		  true,
		  { 5, 4, 3, 2, 8, 9, -1 },
		  { 2, 3, 8, 9, -1 },
		  0 },
	.canonical_bits = 48,
	.syscall_number = 120 /* orig_rax */,
	.syscall_args = { 5, 4, 3, 10, 8, 9 } /* rdi, rsi, rdx, r10, r8, r9 */,
	.syscall_result = 0 /* rax */,
	.syscalls = SCRY_SYSCALLS_X86_64,
	.futex = 202,
	.futex64 = 202,
	.clone = 56,
	.clone3 = 435,
	.tls = 168 /* fs_base */,
	.tls_name = "fs_base",
	.syscall_name = "orig_rax",
	.count = sizeof(rows) / sizeof(*rows),
	.regs = rows,
};
