/*
 * POWER, 64 bits, either byte order. prstatus: struct pt_regs, arch/powerpc/include/uapi/asm/
 * ptrace.h (Linux 6.1); minidump: MDRawContextPPC64 of breakpad's minidump_cpu_ppc64.h; DWARF
 * numbers and who saves what: OpenPOWER ELFv2 ABI 1.4, 2.2.2.1 and 2.4 (the program counter has no
 * number, the link register is the return column). r2 is the table of contents of the module that
 * runs, so a call may change it; r13 is the thread pointer. A function's back chain tells its
 * caller's stack pointer, but the return address is in the caller's own frame: there is no
 * record at a fixed place. Whether a thread is in a system call a core does not tell: the number's
 * register may hold anything else, and an error comes back as a positive number.
 */
#include "arch/reg_row.h"

static const struct scry_reg_row rows[] = {
	/* name  dwarf prstatus minidump size sysv windows */
	{ "r0", 0, 0, 24, 8, V, V },      { "r1", 1, 8, 32, 8, SP, SP },
	{ "r2", 2, 16, 40, 8, V, V },     { "r3", 3, 24, 48, 8, V, V },
	{ "r4", 4, 32, 56, 8, V, V },     { "r5", 5, 40, 64, 8, V, V },
	{ "r6", 6, 48, 72, 8, V, V },     { "r7", 7, 56, 80, 8, V, V },
	{ "r8", 8, 64, 88, 8, V, V },     { "r9", 9, 72, 96, 8, V, V },
	{ "r10", 10, 80, 104, 8, V, V },  { "r11", 11, 88, 112, 8, V, V },
	{ "r12", 12, 96, 120, 8, V, V },  { "r13", 13, 104, 128, 8, P, P },
	{ "r14", 14, 112, 136, 8, P, P }, { "r15", 15, 120, 144, 8, P, P },
	{ "r16", 16, 128, 152, 8, P, P }, { "r17", 17, 136, 160, 8, P, P },
	{ "r18", 18, 144, 168, 8, P, P }, { "r19", 19, 152, 176, 8, P, P },
	{ "r20", 20, 160, 184, 8, P, P }, { "r21", 21, 168, 192, 8, P, P },
	{ "r22", 22, 176, 200, 8, P, P }, { "r23", 23, 184, 208, 8, P, P },
	{ "r24", 24, 192, 216, 8, P, P }, { "r25", 25, 200, 224, 8, P, P },
	{ "r26", 26, 208, 232, 8, P, P }, { "r27", 27, 216, 240, 8, P, P },
	{ "r28", 28, 224, 248, 8, P, P }, { "r29", 29, 232, 256, 8, P, P },
	{ "r30", 30, 240, 264, 8, P, P }, { "r31", 31, 248, 272, 8, P, P },
	{ "pc", -1, 256, 8, 8, PC, PC },  { "lr", 65, 288, 296, 8, V, V },
	{ "ctr", 66, 280, 304, 8, V, V },
};

const struct scry_arch scry_arch_ppc64 = {
	.name = "ppc64",
	.elf_machine = 21,
	.minidump_machine = 0x8002,
	.ptr_size = 8,
	.align8 = 8,
	.long_double = 16,
	.gregset_size = 384,
	.pc = 32,
	.sp = 1,
	.fp = 31,
	.link = 33,
	.back_chain = true,
	.syscall_number = -1,
	.syscall_args = { 3, 4, 5, 6, 7, 8 },
	.syscall_result = 3,
	.futex = 221,
	.futex64 = 221,
	.clone = 120,
	.clone3 = 435,
	.tls = 104 /* r13 */,
	.tls_name = "r13",
	.count = sizeof(rows) / sizeof(*rows),
	.regs = rows,
};
