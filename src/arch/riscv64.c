/*
 * RISC-V, 64 bits. prstatus: struct user_regs_struct, arch/riscv/include/uapi/asm/ptrace.h (Linux
 * 6.1); minidump: MDRawContextRISCV64 of breakpad's minidump_cpu_riscv.h, in the same order; DWARF
 * numbers and who saves what: RISC-V ELF psABI, "Register Convention" (x8 is s0 or fp; the program
 * counter has no number, ra is the return column). gp and tp never change within a thread. There is
 * no 32-bit form of futex. Debian 12's capstone (4) does not know the machine.
 */
#include "arch/reg_row.h"

static const struct scry_reg_row rows[] = {
	/* name  dwarf prstatus minidump size sysv windows */
	{ "pc", -1, 0, 8, 8, PC, PC },    { "ra", 1, 8, 16, 8, V, V },
	{ "sp", 2, 16, 24, 8, SP, SP },   { "gp", 3, 24, 32, 8, P, P },
	{ "tp", 4, 32, 40, 8, P, P },     { "t0", 5, 40, 48, 8, V, V },
	{ "t1", 6, 48, 56, 8, V, V },     { "t2", 7, 56, 64, 8, V, V },
	{ "fp", 8, 64, 72, 8, P, P },     { "s1", 9, 72, 80, 8, P, P },
	{ "a0", 10, 80, 88, 8, V, V },    { "a1", 11, 88, 96, 8, V, V },
	{ "a2", 12, 96, 104, 8, V, V },   { "a3", 13, 104, 112, 8, V, V },
	{ "a4", 14, 112, 120, 8, V, V },  { "a5", 15, 120, 128, 8, V, V },
	{ "a6", 16, 128, 136, 8, V, V },  { "a7", 17, 136, 144, 8, V, V },
	{ "s2", 18, 144, 152, 8, P, P },  { "s3", 19, 152, 160, 8, P, P },
	{ "s4", 20, 160, 168, 8, P, P },  { "s5", 21, 168, 176, 8, P, P },
	{ "s6", 22, 176, 184, 8, P, P },  { "s7", 23, 184, 192, 8, P, P },
	{ "s8", 24, 192, 200, 8, P, P },  { "s9", 25, 200, 208, 8, P, P },
	{ "s10", 26, 208, 216, 8, P, P }, { "s11", 27, 216, 224, 8, P, P },
	{ "t3", 28, 224, 232, 8, V, V },  { "t4", 29, 232, 240, 8, V, V },
	{ "t5", 30, 240, 248, 8, V, V },  { "t6", 31, 248, 256, 8, V, V },
};

const struct scry_arch scry_arch_riscv64 = {
	.name = "riscv64",
	.elf_machine = 243,
	.minidump_machine = 0x8006,
	.ptr_size = 8,
	.align8 = 8,
	.long_double = 16,
	.gregset_size = 256,
	.pc = 0,
	.sp = 2,
	.fp = 8,
	.link = 1,
	/* the record stands below what fp points to, which is the caller's sp */
	.record = { .fp = -16, .pc = -8, .sp = 0 },
	.syscall_number = 136 /* a7 */,
	.syscall_args = { 10, 11, 12, 13, 14, 15 } /* a0 to a5 */,
	.syscall_result = 10,
	.syscall_insn = 0x73 /* ecall */,
	.syscalls = SCRY_SYSCALLS_GENERIC,
	.futex = 98,
	.futex64 = 98,
	.clone = 220,
	.clone3 = 435,
	.tls = 32 /* tp */,
	.tls_name = "tp",
	.syscall_name = "a7",
	.count = sizeof(rows) / sizeof(*rows),
	.regs = rows,
};
