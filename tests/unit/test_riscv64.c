/*
 * An architecture that no machine of ours has: a core of three functions, written here word by
 * word,
 * is unwound by a table of call frame information and by a record at the frame pointer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "base/session.h"
#include "command/syscall_show.h"
#include "native/native.h"
#include "../support/corewriter.h"

#define BASE     0x10000
#define EH_FRAME 0x200
#define EH_HDR   0x300
#define SAVES    0x400 /* a function that keeps ra and s0 where its table says */
#define RECORDS  0x440 /* one without a table, with a frame pointer */
#define FIRST    0x480 /* one that nothing has called */
#define ASKS     0x4c0 /* asks the kernel for something */
#define SIZE     0x1000
#define STACK    0x7f0000

/* --- an ELF file's image --- */

static void put32(uint8_t *image, size_t at, uint32_t value)
{
	memcpy(image + at, &value, 4);
}

/* A CIE (RISC-V ELF psABI: the return column is 1), and an FDE for each function with a table. */
static size_t put_frames(uint8_t *image)
{
	static const uint8_t cie[] = { 1, 'z', 'R', 0, 1, 0x78, 1, 1, 0x1b, 0x0c, 2, 0, 0 };
	/* the frame ends 32 above sp, ra stands at -8, s0 at -16 */
	static const uint8_t saves[] = { 0, 0x0e, 32, 0x81, 1, 0x88, 2, 0 };
	/* ra is undefined: there is no caller */
	static const uint8_t first[] = { 0, 0x07, 1, 0, 0, 0, 0, 0 };
	const struct {
		uint32_t pc;
		const uint8_t *rules;
	} functions[] = { { SAVES, saves }, { FIRST, first } };
	size_t at = EH_FRAME;

	put32(image, at, 4 + sizeof(cie) + 3);
	memcpy(image + at + 8, cie, sizeof(cie));
	at += 8 + sizeof(cie) + 3;
	for (size_t i = 0; i < 2; i++) {
		put32(image, at, 4 + 8 + sizeof(saves));
		put32(image, at + 4, (uint32_t)(at + 4 - EH_FRAME));
		put32(image, at + 8, functions[i].pc - (uint32_t)(at + 8));
		put32(image, at + 12, 0x40);
		memcpy(image + at + 16, functions[i].rules, sizeof(saves));
		put32(image, EH_HDR + 12 + 8 * i, functions[i].pc - EH_HDR);
		put32(image, EH_HDR + 16 + 8 * i, (uint32_t)at - EH_HDR);
		at += 16 + sizeof(saves);
	}
	/* version, encodings: the table's entries count from the header */
	memcpy(image + EH_HDR, (uint8_t[]) { 1, 0x1b, 0x03, 0x3b }, 4);
	put32(image, EH_HDR + 4, (uint32_t)(EH_FRAME - (EH_HDR + 4)));
	put32(image, EH_HDR + 8, 2);
	return at;
}

static void make_image(uint8_t image[SIZE])
{
	Elf64_Ehdr head = { .e_type = ET_DYN,
			    .e_machine = EM_RISCV,
			    .e_version = EV_CURRENT,
			    .e_phoff = 64,
			    .e_ehsize = 64,
			    .e_phentsize = 56,
			    .e_phnum = 2 };
	Elf64_Phdr segments[] = {
		{ .p_type = PT_LOAD,
		  .p_flags = PF_R | PF_X,
		  .p_filesz = SIZE,
		  .p_memsz = SIZE,
		  .p_align = SIZE },
		{ .p_type = PT_GNU_EH_FRAME,
		  .p_flags = PF_R,
		  .p_offset = EH_HDR,
		  .p_vaddr = EH_HDR,
		  .p_filesz = 28,
		  .p_memsz = 28,
		  .p_align = 4 },
	};

	memset(image, 0, SIZE);
	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = ELFCLASS64;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(image, &head, sizeof(head));
	memcpy(image + 64, segments, sizeof(segments));
	assert_true(put_frames(image) < EH_HDR);
}

/* --- the core --- */

static void write_core(char *path, scry_addr pc)
{
	static const struct core_file file = { BASE, BASE + SIZE, 0, "/nowhere/prog" };
	static uint8_t image[SIZE];
	uint64_t stack[128] = { 0 }, regs[32];
	struct core_writer w = { .is64 = true, .machine = EM_RISCV };
	struct scry_buf out = SCRY_BUF_INIT;

	/* struct user_regs_struct: pc, ra, sp, gp, tp, t0-t2, s0, s1 ... */
	for (size_t i = 0; i < 32; i++)
		regs[i] = 0xa000 + i;
	regs[0] = pc;
	regs[2] = STACK + 0x100;
	/* write(1, STACK, 16) */
	regs[10] = 1;
	regs[11] = STACK;
	regs[12] = 16;
	regs[17] = 64;
	stack[0x118 / 8] = BASE + RECORDS + 0x20;
	stack[0x110 / 8] = STACK + 0x200;
	stack[0x1f8 / 8] = BASE + FIRST + 0x10;
	stack[0x1f0 / 8] = STACK + 0x300;
	make_image(image);
	put32(image, ASKS, 0x73); /* ecall */
	core_thread_regs(&w, 77, 11, regs, 32);
	core_psinfo(&w, 77, "prog");
	core_files(&w, &file, 1);
	core_memory(&w, BASE, image, SIZE, PF_R | PF_X);
	core_memory(&w, STACK, stack, sizeof(stack), PF_R | PF_W);
	core_finish(&w, &out);
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, out.text, out.len), out.len);
	close(fd);
	scry_buf_done(&out);
}

/* --- the tests --- */

struct seen {
	const char *names[3];
	uint64_t frames[8][4]; /* pc, sp, fp, ra; ~0 unknown */
	unsigned count;
};

static bool take(void *arg, const struct scry_native_frame *f)
{
	static const char *const names[] = { "pc", "sp", "fp", "ra" };
	struct seen *seen = arg;

	for (unsigned i = 0; i < 4; i++)
		if (!scry_regs_find(&f->regs, names[i], &seen->frames[seen->count][i]))
			seen->frames[seen->count][i] = ~(uint64_t)0;
	return ++seen->count < 8;
}

static void unwinds(void **state)
{
	static const uint64_t wanted[3][4] = {
		{ BASE + SAVES + 0x20, STACK + 0x100, 0xa008, 0xa001 },
		{ BASE + RECORDS + 0x20, STACK + 0x120, STACK + 0x200, BASE + RECORDS + 0x20 },
		{ BASE + FIRST + 0x10, STACK + 0x200, STACK + 0x300, ~(uint64_t)0 },
	};
	struct scry_session *s = scry_session_new();
	char path[] = "/tmp/scry-riscv64-XXXXXX";
	struct seen seen = { 0 };

	(void)state;
	write_core(path, BASE + SAVES + 0x20);
	assert_int_equal(scry_session_open_dump(s, path), SCRY_OK);
	assert_string_equal(s->target->arch->name, "riscv64");
	assert_int_equal(s->target->thread_count, 1);
	assert_int_equal(s->target->threads[0].tls, 0xa004);
	const struct scry_regs *start = scry_os_thread_regs(s->target, &s->target->threads[0]);

	assert_non_null(start);
	assert_int_equal(scry_unwind(s, start, take, &seen), SCRY_OK);
	assert_int_equal(seen.count, 3);
	assert_memory_equal(seen.frames, wanted, sizeof(wanted));
	scry_session_free(s);
	unlink(path);
}

/* The number's register alone says nothing: the instruction is before the pc, or at it. */
static void asks_the_kernel(void **state)
{
	static const struct {
		scry_addr pc;
		bool asks;
	} rows[] = { { BASE + ASKS + 4, true },
		     { BASE + ASKS, true },
		     { BASE + ASKS + 8, false },
		     { BASE + SAVES + 0x20, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scry_session *s = scry_session_new();
		char path[] = "/tmp/scry-riscv64-XXXXXX";
		struct scry_syscall call;

		write_core(path, rows[i].pc);
		assert_int_equal(scry_session_open_dump(s, path), SCRY_OK);
		assert_int_equal(scry_syscall_read(s, &s->target->threads[0], &call), rows[i].asks);
		if (rows[i].asks)
			assert_string_equal(call.name, "write");
		scry_session_free(s);
		unlink(path);
	}
}

/* Each register has one place in each format, in the order that the kernel has. */
static void rows(void **state)
{
	const struct scry_arch *arch = &scry_arch_riscv64;

	(void)state;
	assert_int_equal(arch->count * 8, arch->gregset_size);
	for (unsigned i = 0; i < arch->count; i++) {
		assert_int_equal(arch->regs[i].prstatus, 8 * i);
		assert_int_equal(arch->regs[i].minidump, 8 * i + 8);
		/* x1 to x31; x0 is 0, and the program counter takes its place */
		assert_int_equal(arch->regs[i].dwarf, i ? (int)i : -1);
	}
	assert_string_equal(arch->regs[arch->fp].name, "fp");
	assert_string_equal(arch->regs[arch->sp].name, "sp");
	assert_string_equal(arch->regs[arch->link].name, "ra");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(unwinds),
		cmocka_unit_test(asks_the_kernel),
	};

	return cmocka_run_group_tests_name("riscv64", tests, NULL, NULL);
}
