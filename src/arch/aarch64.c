/*
 * AArch64. prstatus: struct user_pt_regs, arch/arm64/include/uapi/asm/ptrace.h (Linux 6.1);
 * minidump: CONTEXT, winnt.h (ARM64; crashpad and today's breakpad write the same); DWARF numbers:
 * AADWARF64. x30 is the link register: a call overwrites it. x18 is the Windows thread's TEB. The
 * thread pointer is in a note of its own: NT_ARM_TLS.
 */
#include "arch/insn.h"
#include "arch/reg_row.h"

static const struct scry_reg_row rows[] = {
	/* name  dwarf prstatus minidump size sysv windows */
	{ "x0", 0, 0, 8, 8, V, V },        { "x1", 1, 8, 16, 8, V, V },
	{ "x2", 2, 16, 24, 8, V, V },      { "x3", 3, 24, 32, 8, V, V },
	{ "x4", 4, 32, 40, 8, V, V },      { "x5", 5, 40, 48, 8, V, V },
	{ "x6", 6, 48, 56, 8, V, V },      { "x7", 7, 56, 64, 8, V, V },
	{ "x8", 8, 64, 72, 8, V, V },      { "x9", 9, 72, 80, 8, V, V },
	{ "x10", 10, 80, 88, 8, V, V },    { "x11", 11, 88, 96, 8, V, V },
	{ "x12", 12, 96, 104, 8, V, V },   { "x13", 13, 104, 112, 8, V, V },
	{ "x14", 14, 112, 120, 8, V, V },  { "x15", 15, 120, 128, 8, V, V },
	{ "x16", 16, 128, 136, 8, V, V },  { "x17", 17, 136, 144, 8, V, V },
	{ "x18", 18, 144, 152, 8, V, P },  { "x19", 19, 152, 160, 8, P, P },
	{ "x20", 20, 160, 168, 8, P, P },  { "x21", 21, 168, 176, 8, P, P },
	{ "x22", 22, 176, 184, 8, P, P },  { "x23", 23, 184, 192, 8, P, P },
	{ "x24", 24, 192, 200, 8, P, P },  { "x25", 25, 200, 208, 8, P, P },
	{ "x26", 26, 208, 216, 8, P, P },  { "x27", 27, 216, 224, 8, P, P },
	{ "x28", 28, 224, 232, 8, P, P },  { "x29", 29, 232, 240, 8, P, P },
	{ "x30", 30, 240, 248, 8, V, V },  { "sp", 31, 248, 256, 8, SP, SP },
	{ "pc", 32, 256, 264, 8, PC, PC },
};

/* adrp xN, page; ldr x0, [xN, x], perhaps with an add between. */
static uint64_t load(const cs_insn *insn, uint64_t *base)
{
	const cs_arm64 *a = &insn->detail->arm64;

	if (insn->id == ARM64_INS_ADRP && a->op_count == 2)
		*base = (uint64_t)a->operands[1].imm;
	else if (insn->id == ARM64_INS_ADD && a->op_count == 3 &&
		 a->operands[2].type == ARM64_OP_IMM && *base)
		*base += (uint64_t)a->operands[2].imm;
	else if (insn->id == ARM64_INS_LDR && a->op_count == 2 &&
		 a->operands[1].type == ARM64_OP_MEM && *base)
		return *base + (uint64_t)(int64_t)a->operands[1].mem.disp;
	return 0;
}

/* BL, BLR and its forms with pointer authentication: Arm ARM, C6.2. */
static bool ends_in_call(const uint8_t before[8], int64_t *ret_target)
{
	uint32_t word = (uint32_t)before[4] | (uint32_t)before[5] << 8 | (uint32_t)before[6] << 16 |
			(uint32_t)before[7] << 24;

	*ret_target = 0;
	if (word >> 26 == 0x25) {
		*ret_target = ((int64_t)((uint64_t)(word & 0x3ffffff) << 38) >> 36) - 4;
		return true;
	}
	return (word & 0xfffffc1f) == 0xd63f0000 || (word & 0xfefff800) == 0xd63f0800;
}

const struct scry_arch scry_arch_aarch64 = {
	.name = "aarch64",
	.elf_machine = 183,
	.minidump_machine = 12,
	.ptr_size = 8,
	.align8 = 8,
	.long_double = 16,
	.mutex_size = 48,
	.gregset_size = 272,
	.pc = 32,
	.sp = 31,
	.fp = 29,
	.link = 30,
	.record = { .fp = 0, .pc = 8, .sp = 16 },
	.code_bits = 48 /* pointer authentication puts a signature above the address */,
	.code = { CS_ARCH_ARM64,
		  CS_MODE_ARM,
		  load,
		  scry_aarch64_effect,
		  ends_in_call,
		  scry_aarch64_decode,
		  NULL,
		  false,
		  { 0, 1, 2, 3, 4, 5, 6, 7, -1 },
		  { 0, 1, 2, 3, 4, 5, 6, 7, -1 },
		  0 },
	.syscall_number = 64 /* x8 */,
	.syscall_args = { 0, 1, 2, 3, 4, 5 },
	.syscall_result = 0 /* x0 */,
	.syscall_insn = 0xd4000001 /* svc #0 */,
	.syscalls = SCRY_SYSCALLS_GENERIC,
	.futex = 98,
	.futex64 = 98,
	.clone = 220,
	.clone3 = 435,
	.tls = -1,
	.tls_name = "tpidr",
	.syscall_name = "x8",
	.count = sizeof(rows) / sizeof(*rows),
	.regs = rows,
};
