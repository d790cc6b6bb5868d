/*
 * i386. prstatus: struct user_regs_struct, arch/x86/include/asm/user_32.h (Linux 6.1); minidump:
 * CONTEXT, winnt.h (x86); DWARF numbers: System V i386 psABI, table 2.14. The thread pointer is a
 * descriptor that %gs selects: NT_386_TLS.
 */
#include "arch/x86_code.h"
#include "arch/reg_row.h"

static const struct scry_reg_row rows[] = {
	/* name  dwarf prstatus minidump size sysv windows */
	{ "eax", 0, 24, 176, 4, V, V },   { "ecx", 1, 4, 172, 4, V, V },
	{ "edx", 2, 8, 168, 4, V, V },    { "ebx", 3, 0, 164, 4, P, P },
	{ "esp", 4, 60, 196, 4, SP, SP }, { "ebp", 5, 20, 180, 4, P, P },
	{ "esi", 6, 12, 160, 4, P, P },   { "edi", 7, 16, 156, 4, P, P },
	{ "eip", 8, 48, 184, 4, PC, PC },
};

/*
 * mov eax, [x]; or position independent: call thunk; add eax, n; mov eax, [eax+x]. `base` is what
 * the register holds then.
 */
static uint64_t load(const cs_insn *insn, uint64_t *base)
{
	const cs_x86 *x = &insn->detail->x86;

	if (insn->id == X86_INS_CALL)
		*base = insn->address + insn->size;
	else if (insn->id == X86_INS_ADD && x->op_count == 2 && x->operands[1].type == X86_OP_IMM &&
		 *base)
		*base = (*base + (uint64_t)x->operands[1].imm) & 0xffffffff;
	if (insn->id != X86_INS_MOV || x->op_count != 2 || x->operands[0].type != X86_OP_REG ||
	    x->operands[1].type != X86_OP_MEM || x->operands[1].mem.base == X86_REG_ESP)
		return 0;
	const x86_op_mem *mem = &x->operands[1].mem;
	bool absolute = mem->base == X86_REG_INVALID && mem->index == X86_REG_INVALID;

	return !absolute && !*base ? 0
				   : ((absolute ? 0 : *base) + (uint64_t)mem->disp) & 0xffffffff;
}

const struct scry_arch scry_arch_i386 = {
	.name = "i386",
	.elf_machine = 3,
	.minidump_machine = 0,
	.ptr_size = 4,
	.align8 = 4,
	.long_double = 12,
	.gregset_size = 68,
	.pc = 8,
	.sp = 4,
	.fp = 5,
	.link = -1,
	.record = { .fp = 0, .pc = 4, .sp = 8 },
	.code = { CS_ARCH_X86,
		  CS_MODE_32,
		  load,
		  scry_x86_effect,
		  scry_x86_ends_in_call,
		  scry_x86_decode,
		  NULL,
		  true,
		  { -1 },
		  { -1 },
		  0 },
	.syscall_number = 44 /* orig_eax */,
	.syscall_args = { 3, 1, 2, 6, 7, 5 } /* ebx, ecx, edx, esi, edi, ebp */,
	.syscall_result = 0 /* eax */,
	.syscalls = SCRY_SYSCALLS_I386,
	.futex = 240,
	.futex64 = 422 /* futex_time64 */,
	.clone = 120,
	.clone3 = 435,
	.tls = -1,
	.tls_name = "gs_base",
	.syscall_name = "orig_eax",
	.count = sizeof(rows) / sizeof(*rows),
	.regs = rows,
};
