/**
 * An architecture is data: the row of each register says where every format keeps it. A new one is
 * a file with one `struct scry_arch`, which meson.build lists, a declaration after that struct, and
 * a line in registry.c. What is not known of it (a decoder, how stacks are switched) is left zero,
 * and what needs it is not tried.
 */
#ifndef SCRY_ARCH_H
#define SCRY_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loadable.h"

#define SCRY_MAX_REGS 40

/** What a call may do to a register. */
enum scry_saved { SCRY_VOLATILE, SCRY_PRESERVED, SCRY_STACK_POINTER, SCRY_INSTRUCTION_POINTER };

/** A register. */
struct scry_reg_row {
	const char *name;    /* gdb's name: "rax", "x0" */
	int dwarf;           /* DWARF register number, or -1 */
	int prstatus;        /* byte offset in elf_gregset_t (pr_reg of NT_PRSTATUS), or -1 */
	int minidump;        /* byte offset in the minidump CONTEXT, or -1 */
	uint8_t size;        /* bytes in both places */
	uint8_t sysv, win64; /* enum scry_saved in either convention */
};

/**
 * Where a function that keeps a frame pointer has its caller's registers, in bytes from that
 * pointer; all 0: there is no such convention.
 */
struct scry_frame_record {
	int8_t fp, pc; /* where the caller's frame pointer and the return address are */
	int8_t sp;     /* the value of the caller's stack pointer */
};

/** What an instruction does to the stack, for code that no table describes. */
struct scry_stack_effect {
	int64_t pushed;      /* bytes that the stack pointer goes down */
	bool lost;           /* it changes by an amount that only running it would show */
	bool makes_record;   /* the frame pointer becomes the stack pointer + record_at */
	bool back_to_record; /* the other way round; then `pushed` counts */
	/* the frame pointer, or the link register, is stored on the stack, or loaded from there */
	bool saves_fp, restores_fp, saves_link, restores_link;
	int64_t record_at;
	/* where those are, from the stack pointer on: as it is when they are there */
	int64_t fp_at, link_at;
	bool returns;  /* to the word that the stack pointer is at, or by the link register */
	bool halts;    /* nothing comes after it */
	bool ends;     /* the next instruction is not reached from this one */
	uint64_t jump; /* the address that it may jump to; 0: none, or not known */
};

struct scry_arch;
struct scry_insn;

/** How machine code is read. */
struct scry_machine_code {
	cs_arch arch;
	cs_mode mode;
	/*
	 * For functions that only return a global variable: the address that the instruction loads
	 * from; 0: it does not load. *base is kept from one instruction to the next, 0 at first.
	 * NULL: capstone cannot read the machine
	 */
	uint64_t (*load)(const cs_insn *insn, uint64_t *base);
	/* NULL: the stack is not followed through code */
	void (*effect)(const cs_insn *insn, struct scry_stack_effect *ret);
	/*
	 * Do the 8 bytes before a return address end in a call? *ret_target: its target minus the
	 * return address, 0 where it names none. NULL: not known
	 */
	bool (*ends_in_call)(const uint8_t before[8], int64_t *ret_target);
	/*
	 * What it reads, writes, where it goes (insn.h): fills in *ret, which is zeroed except for
	 * address and size. NULL: not known
	 */
	void (*decode)(const struct scry_arch *arch, const cs_insn *insn, struct scry_insn *ret);
	/* an instruction that capstone does not know, by its bytes; NULL: it knows all */
	bool (*decode_other)(const struct scry_arch *arch, const uint8_t *bytes, size_t len,
			     struct scry_insn *ret);
	bool att; /* gdb writes it in AT&T syntax */
	/* registers of arguments, as indices into regs, ending with -1: System V, then Win64 */
	int8_t args[9], win64_args[9];
	int8_t result; /* index of the register for a function's return value */
};

/**
 * A machine as data. Numbers of registers are indices into `regs`; offsets are bytes in
 * elf_gregset_t (NT_PRSTATUS) of Linux.
 */
struct scry_arch {
	const char *name;          /* "x86_64" */
	uint16_t elf_machine;      /* EM_* */
	uint16_t minidump_machine; /* PROCESSOR_ARCHITECTURE_* */
	uint8_t ptr_size;
	/* alignment of a 64-bit integer in a struct: 4 on i386 Linux, else 8 */
	uint8_t align8;
	uint8_t long_double; /* size of long double on Linux */
	/* sizeof(pthread_mutex_t) on Linux; 0: 40 where pointers have 8 bytes, else 24 */
	uint8_t mutex_size;
	uint16_t gregset_size; /* sizeof(elf_gregset_t) */
	int pc, sp, fp;        /* indices into regs */
	/* index of the register that a call puts the return address into, -1: on the stack */
	int link;
	struct scry_frame_record record;
	/* the word at sp is always the caller's sp, and 0 in the first frame of a stack */
	bool back_chain;
	/* bits of an address of code, above which there may be a signature; 0: all count */
	uint8_t code_bits;
	/*
	 * bits of an address; those above must repeat the highest of them, or else the kernel gives
	 * no fault address (SI_KERNEL). 0: any word may be an address
	 */
	uint8_t canonical_bits;
	struct scry_machine_code code;
	/* it is known how C stacks are switched: task/switch_code.c, task/slice.c */
	bool knows_switch;
	/* .pdata of PE files is in the format that symbol/pe_unwind.c reads */
	bool pe_unwind;
	/* byte offset in the gregset of the system call's number (orig_rax), or -1 */
	int syscall_number;
	/* indices of the registers that hold the arguments of a system call */
	int syscall_args[6];
	int syscall_result; /* index of the register that holds the result */
	/* the system call instruction, where it has 4 bytes; 0: another size, or not known */
	uint32_t syscall_insn;
	/* its column of system call numbers: wait/syscalls.def, sleep.c */
	enum scry_syscalls {
		SCRY_SYSCALLS_UNKNOWN,
		SCRY_SYSCALLS_X86_64,
		SCRY_SYSCALLS_I386,
		SCRY_SYSCALLS_GENERIC
	} syscalls;
	/* numbers of the futex system calls on Linux (32- and 64-bit time) */
	uint32_t futex, futex64;
	uint32_t clone, clone3; /* numbers of those that make threads */
	/* byte offset in the gregset of the thread pointer (fs_base), or -1 */
	int tls;
	/* what debuggers call the thread pointer and the system call's number; NULL: not known */
	const char *tls_name, *syscall_name;
	unsigned count;
	const struct scry_reg_row *regs;
};

extern const struct scry_arch scry_arch_x86_64, scry_arch_i386, scry_arch_aarch64, scry_arch_ppc64,
	scry_arch_riscv64;

/** May the word be an address at all? True also where nothing is known of the machine (NULL). */
static inline bool scry_is_canonical(const struct scry_arch *arch, uint64_t at)
{
	int64_t above =
		arch && arch->canonical_bits ? (int64_t)at >> (arch->canonical_bits - 1) : 0;

	return above == 0 || above == -1;
}

/** Register values of one frame; `valid` has bit i set where value[i] is known. */
struct scry_regs {
	const struct scry_arch *arch; /* NULL: none known */
	uint64_t valid;
	uint64_t value[SCRY_MAX_REGS];
};

#endif
