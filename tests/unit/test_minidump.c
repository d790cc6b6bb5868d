/*
 * Minidumps and PE images on the synthetic ones of tests/support; argv[1] is the directory they
 * were written to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "symbol/pe.h"
#include "target/target.h"

/* where tests/support/minidump_seeds.py puts it, not where it wants to be */
#define DLL      0x7ff000000u
#define DLL_ADDR ((scry_addr)DLL)

static const char *seeds;

static struct scry_session *open_seed(const char *name)
{
	char path[512];
	struct scry_session *s = scry_session_new();

	assert_non_null(s);
	snprintf(path, sizeof(path), "%s/%s", seeds, name);
	int rc = scry_session_open_dump(s, path);
	if (rc < 0)
		fail_msg("%s: %s", name, scry_session_error(s));
	return s;
}

static bool noted(struct scry_session *s, const char *words)
{
	for (struct scry_note *n = s->notes; n; n = n->next)
		if (strstr(n->text, words))
			return true;
	return false;
}

static uint64_t reg(const struct scry_os_thread *t, const char *name)
{
	uint64_t value = 0;

	assert_true(scry_regs_find(&t->regs, name, &value));
	return value;
}

static struct scry_module *dll(struct scry_session *s)
{
	struct scry_module *m = scry_module_at(s, DLL_ADDR + 0x1000);

	assert_non_null(m);
	assert_string_equal(m->name, "python311.dll");
	return m;
}

static void check_windows(struct scry_session *s)
{
	struct scry_target *t = s->target;
	uint64_t v;

	assert_true(t->abi.windows && t->abi.ptr_size == 8 && t->abi.long_size == 4 &&
		    t->abi.wchar_size == 2 && t->abi.long_double == 8);
	assert_int_equal(t->pid, 4711);
	assert_true(t->started == 0x5fffffff && t->taken == 0x60000000);
	assert_int_equal(t->exception, 0xc0000005);
	assert_true(t->has_fault && t->fault_addr == 0xdead0);
	assert_string_equal(t->command, "py x.py \xc3\x9f");
	assert_int_equal(t->thread_count, 2);
	/* the crashed one first, with the registers of the exception */
	assert_true(t->threads[0].tid == 104 && t->threads[0].crashed && !t->threads[1].crashed);
	assert_true(reg(&t->threads[0], "rip") == DLL_ADDR + 0x1020 &&
		    reg(&t->threads[0], "r12") == 7);
	assert_true(reg(&t->threads[1], "rbx") == 1 && t->threads[1].tls == 0x5000);
	assert_string_equal(t->threads[1].name, "H\xc3\xa4ndler \xf0\x9f\x98\x80");
	assert_ptr_equal(scry_os_thread_find(t, 100), &t->threads[1]);
	assert_int_equal(t->module_count, 2); /* the one inside another is dropped */
	assert_string_equal(t->modules[0].path, "Z:\\tmp/x\\\xc3\xbc"
						"ber.exe");
	assert_string_equal(t->modules[1].build_id, "030201000504070608090a0b0c0d0e0f1");
	/* the stack begins in the middle of a page */
	assert_int_equal(scry_read_uint(s, 0x7f018, 4, &v), SCRY_OK);
	assert_int_equal(v, 0x53535353);
	assert_int_equal(scry_read_uint(s, 0x7f016, 4, &v), SCRY_EFAULT);
	/* across the end of the heap's range into one that overlaps it */
	char text[22];
	assert_int_equal(scry_read(s, 0x2000000 + 131072 - 16, text, sizeof(text)), SCRY_OK);
	assert_memory_equal(text + 16, "beyond", 6);
	assert_true((uint8_t)text[15] == 0xff);
}

static void windows_dump(void **state)
{
	(void)state;
	static const char *const names[] = { "windows.dmp", "padded.dmp", "stack64.dmp",
					     "noinfo.dmp", "noimage.dmp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct scry_session *s = open_seed(names[i]);

		check_windows(s);
		assert_null(s->notes);
		assert_null(s->target->advice);
		scry_session_free(s);
	}
}

static unsigned flags_at(struct scry_session *s, scry_addr addr)
{
	const struct scry_map *map = scry_map_at(s->target, addr);

	return map ? map->flags : 99;
}

static void mappings(void **state)
{
	(void)state;
	enum { R = SCRY_MAP_READ, W = SCRY_MAP_WRITE, X = SCRY_MAP_EXEC };
	struct scry_session *s = open_seed("windows.dmp"); /* MemoryInfoList */

	assert_int_equal(flags_at(s, 0x1000), 99);   /* MEM_FREE */
	assert_int_equal(flags_at(s, 0x1fff000), 0); /* a guard page */
	assert_int_equal(flags_at(s, 0x2000000), R | W);
	assert_int_equal(flags_at(s, DLL_ADDR + 0x1000), R | X);
	assert_int_equal(flags_at(s, DLL_ADDR + 0x3000), R | W); /* copy on write */
	assert_int_equal(flags_at(s, 0x7f018), R | W);           /* listed nowhere, but dumped */
	scry_session_free(s);
	s = open_seed("noinfo.dmp"); /* section headers in the dump */
	assert_int_equal(flags_at(s, DLL_ADDR + 0x1000), R | X);
	assert_int_equal(flags_at(s, DLL_ADDR + 0x2000), R);
	assert_int_equal(flags_at(s, DLL_ADDR + 0x4000), R | W);
	assert_string_equal(scry_map_at(s->target, DLL_ADDR + 0x4000)->path,
			    "C:\\Python\\311/python311.dll");
	for (size_t i = 1; i < s->target->map_count; i++)
		assert_true(s->target->maps[i - 1].end <= s->target->maps[i].start);
	scry_session_free(s);
}

static void damage(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("cut-memory.dmp");
	uint64_t v;

	assert_true(noted(s, "truncated: 6 of its memory ranges"));
	assert_int_equal(scry_read_uint(s, 0x2000ff8, 8, &v), SCRY_OK);
	assert_int_equal(scry_read_uint(s, 0x2001000, 8, &v), SCRY_EFAULT);
	scry_session_free(s);
	s = open_seed("cut-streams.dmp");
	assert_true(noted(s, "1 of 2 records are there"));
	assert_true(noted(s, "streams"));
	assert_int_equal(s->target->thread_count, 1);
	scry_session_free(s);
	s = open_seed("nosystem.dmp");
	assert_true(noted(s, "taken for x86_64 Windows"));
	assert_int_equal(reg(&s->target->threads[0], "rip"), 9);
	scry_session_free(s);
	s = scry_session_new();
	char path[512];
	snprintf(path, sizeof(path), "%s/empty.dmp", seeds);
	assert_int_equal(scry_session_open_dump(s, path), SCRY_ECORRUPT);
	assert_non_null(strstr(scry_session_error(s), "no stream directory"));
	scry_session_free(s);
}

static void advice(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("normal.dmp");

	assert_non_null(s->target->advice);
	assert_true(noted(s, "MiniDumpWithFullMemory"));
	scry_session_free(s);
	s = open_seed("linux-normal.dmp");
	assert_true(noted(s, "gcore"));
	scry_session_free(s);
}

static void other_machines(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("i386.dmp");

	assert_true(s->target->abi.ptr_size == 4 && s->target->abi.long_size == 4 &&
		    s->target->abi.align8 == 8);
	assert_true(reg(&s->target->threads[0], "eip") == 0x1234 &&
		    reg(&s->target->threads[0], "eax") == 0xffffffff);
	scry_session_free(s);
	s = open_seed("arm64.dmp");
	assert_true(reg(&s->target->threads[0], "pc") == 0x1234 &&
		    reg(&s->target->threads[0], "x28") == 6);
	scry_session_free(s);
	s = open_seed("arm64-old.dmp");
	assert_true(reg(&s->target->threads[0], "sp") == 0x9000 &&
		    reg(&s->target->threads[0], "x0") == 5);
	scry_session_free(s);
}

static void linux_dump(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("linux.dmp");
	struct scry_target *t = s->target;

	assert_true(!t->abi.windows && t->abi.long_size == 8 && t->abi.wchar_size == 4 &&
		    t->abi.long_double == 16);
	assert_true(t->pid == 500 && t->signal == 11 && t->exception == 0);
	assert_true(t->has_fault && t->fault_addr == 0x10);
	assert_true(t->threads[0].tid == 500 && t->threads[0].signal == 11);
	assert_string_equal(t->command, "/opt/svc/bin/python3.11 -u svc.py");
	assert_string_equal(t->exe, "/opt/svc/bin/python3.11");
	assert_true(t->entry == 0x401000 && t->vdso == 0x7fff0000 && t->phdr == 0x400040);
	const struct scry_map *map = scry_map_at(t, 0x402800);
	assert_true(map->deleted && map->offset == 0x2000);
	assert_int_equal(map->flags, SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_FILE);
	assert_string_equal(map->path, "/opt/svc/bin/python3.11");
	/* the last line has no newline */
	assert_int_equal(flags_at(s, 0x80fff), SCRY_MAP_READ | SCRY_MAP_WRITE);
	assert_string_equal(scry_module_first(s)->build_id,
			    "000102030405060708090a0b0c0d0e0f10111213");
	scry_session_free(s);
	s = open_seed("linux-nomaps.dmp");
	assert_string_equal(scry_map_at(s->target, 0x401000)->path, "/opt/svc/bin/python3.11");
	scry_session_free(s);
}

/* --- PE --- */

static void exports(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("windows.dmp");
	struct scry_module *m = dll(s);
	struct scry_symbol y;
	struct scry_section sec;
	struct scry_pe_version version;
	uint64_t v;

	assert_int_equal(scry_module_symbol(m, "_PyRuntime", &y), SCRY_OK);
	assert_true(y.addr == DLL_ADDR + 0x4000 && !y.is_function);
	assert_int_equal(scry_read_uint(s, y.addr, 8, &v), SCRY_OK);
	assert_memory_equal(&v, "xdebugpy", 8);
	assert_int_equal(scry_module_symbol(m, "PyInterpreterState_Head", &y), SCRY_OK);
	assert_true(y.is_function);
	assert_int_equal(scry_module_symbol(m, "Forwarded", &y), SCRY_ENOTFOUND);
	assert_int_equal(scry_module_section(m, ".PyRuntime", &sec), SCRY_OK);
	assert_true(sec.addr == DLL_ADDR + 0x4000);
	assert_int_equal(scry_pe_version(m, &version), SCRY_OK);
	assert_int_equal(scry_pe_python_version(&version), 0x030b05f0);
	m->record = NULL; /* out of the resource, not out of the dump's list */
	assert_int_equal(scry_pe_version(m, &version), SCRY_OK);
	assert_int_equal(version.part[2], 5150);
	scry_session_free(s);
}

static void symbol_at(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("windows.dmp");
	struct scry_symbol y;

	dll(s);
	assert_int_equal(scry_symbol_at(s, DLL_ADDR + 0x1010, &y), SCRY_OK);
	assert_string_equal(y.name, "_PyEval_EvalFrameDefault");
	assert_int_equal(y.size, 0x100);
	/* the coldest part of it */
	assert_int_equal(scry_symbol_at(s, DLL_ADDR + 0x1250, &y), SCRY_OK);
	assert_string_equal(y.name, "_PyEval_EvalFrameDefault");
	/* the first name by the alphabet */
	assert_int_equal(scry_symbol_at(s, DLL_ADDR + 0x4010, &y), SCRY_OK);
	assert_string_equal(y.name, "_PyRuntime");
	/* a static function */
	assert_int_equal(scry_symbol_at(s, DLL_ADDR + 0x1520, &y), SCRY_ENOTFOUND);
	scry_session_free(s);
}

static void functions(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("windows.dmp");
	struct scry_module *m = dll(s);
	scry_addr begin, end, root;

	scry_module_open(m);
	assert_int_equal(scry_pe_function(m, DLL_ADDR + 0x125f, &begin, &end, &root), SCRY_OK);
	assert_true(begin == DLL_ADDR + 0x1240 && end == DLL_ADDR + 0x1260 &&
		    root == DLL_ADDR + 0x1000);
	assert_int_equal(scry_pe_function(m, DLL_ADDR + 0x1400, &begin, &end, &root),
			 SCRY_ENOTFOUND);
	scry_session_free(s);
}

/*
 * A stack of known words in the heap: word i at `sp` + 8 i is 0x100 + i, but for what must be an
 * address.
 */
static void unwind_one(struct scry_session *s, unsigned at, scry_addr sp, uint64_t rbp,
		       uint64_t *ret_pc, struct scry_regs *regs)
{
	struct scry_os_thread *t = &s->target->threads[0];

	*regs = t->regs;
	for (unsigned i = 0; i < regs->arch->count; i++) {
		if (!strcmp(regs->arch->regs[i].name, "rip"))
			regs->value[i] = DLL_ADDR + 0x1000 + at;
		if (!strcmp(regs->arch->regs[i].name, "rsp"))
			regs->value[i] = sp;
		if (!strcmp(regs->arch->regs[i].name, "rbp"))
			regs->value[i] = rbp;
	}
	int rc = scry_pe_unwind(dll(s), regs);
	if (rc < 0)
		fail_msg("at 0x%x: %s", at, scry_session_error(s));
	assert_true(scry_regs_find(regs, "rip", ret_pc));
}

/* The heap's bytes are 0 1 2 ... 255 0 1 ...: the word at an address says where it was read. */
static uint64_t word(scry_addr addr)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | ((addr + i) & 0xff);
	return v;
}

static void expect(const struct scry_regs *regs, const char *name, uint64_t value)
{
	uint64_t v = 0;

	assert_true(scry_regs_find(regs, name, &v));
	assert_true(v == value);
}

static void unwinding(void **state)
{
	(void)state;
	const scry_addr sp = 0x2000400;
	struct scry_session *s = open_seed("windows.dmp");
	struct scry_regs regs;
	uint64_t pc, v;

	scry_module_open(dll(s));
	/* in the body: 0x28 of locals, r12, rbx, the return address */
	unwind_one(s, 0x20, sp, 0, &pc, &regs);
	assert_true(pc == word(sp + 0x38));
	expect(&regs, "r12", word(sp + 0x28));
	expect(&regs, "rbx", word(sp + 0x30));
	expect(&regs, "rsp", sp + 0x40);
	assert_false(scry_regs_find(&regs, "rax", &v)); /* the callee may have changed it */
	/* in the prologue, behind the first push only */
	unwind_one(s, 1, sp, 0, &pc, &regs);
	assert_true(pc == word(sp + 8));
	/* in the epilogue, before pop rbx; ret */
	unwind_one(s, 0x86, sp, 0, &pc, &regs);
	assert_true(pc == word(sp + 8));
	expect(&regs, "rbx", word(sp));
	expect(&regs, "r12", 7);
	/* a cold part: its own saved rsi, then all of the hot part's prologue */
	unwind_one(s, 0x248, sp, 0, &pc, &regs);
	assert_true(pc == word(sp + 0x38));
	expect(&regs, "rsi", word(sp + 0x18));
	/* with a frame pointer: rsp does not count */
	unwind_one(s, 0x320, sp - 0x300, sp + 0x80, &pc, &regs);
	assert_true(pc == word(sp + 0x208));
	expect(&regs, "rbp", word(sp + 0x200));
	/* no entry in .pdata: a leaf */
	unwind_one(s, 0x480, sp, 0, &pc, &regs);
	assert_true(pc == word(sp));
	expect(&regs, "rsp", sp + 8);
	scry_session_free(s);
}

/*
 * The DLL on disk, found by the search path, stands in for what the dump lacks: relocated,
 * read-only bytes only.
 */
static void file_on_disk(void **state)
{
	(void)state;
	struct scry_session *s = open_seed("noimage.dmp");
	const char *why = NULL;
	char path[512];
	scry_addr begin, end, root;
	uint64_t v;

	struct scry_module *m = dll(s);
	snprintf(path, sizeof(path), "%s/other.dll", seeds);
	m->build_id = NULL; /* then the time stamp decides */
	assert_false(scry_pe_file_matches(m, path, &why));
	assert_non_null(strstr(why, "time stamp"));
	m->build_id = "00";
	snprintf(path, sizeof(path), "%s/fake.dll", seeds);
	assert_false(scry_pe_file_matches(m, path, &why));
	assert_non_null(strstr(why, "CodeView"));
	m->build_id = m->record->build_id;
	assert_true(scry_pe_file_matches(m, path, &why));
	assert_int_equal(scry_pe_open(m, path), SCRY_OK);
	m->opened = true;
	assert_int_equal(scry_pe_function(m, DLL_ADDR + 0x1010, &begin, &end, &root), SCRY_OK);
	/* a pointer, relocated */
	assert_int_equal(scry_read_uint(s, DLL_ADDR + 0x2700, 8, &v), SCRY_OK);
	assert_true(v == DLL_ADDR + 0x3010);
	/* import address table */
	assert_int_equal(scry_read_uint(s, DLL_ADDR + 0x2600, 8, &v), SCRY_EFAULT);
	/* runs into it */
	assert_int_equal(scry_read_uint(s, DLL_ADDR + 0x25fc, 8, &v), SCRY_EFAULT);
	assert_int_equal(scry_read_uint(s, DLL_ADDR + 0x3000, 8, &v), SCRY_EFAULT); /* writable */
	scry_session_free(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_dump), cmocka_unit_test(mappings),
		cmocka_unit_test(damage),       cmocka_unit_test(advice),
		cmocka_unit_test(linux_dump),   cmocka_unit_test(other_machines),
		cmocka_unit_test(exports),      cmocka_unit_test(symbol_at),
		cmocka_unit_test(functions),    cmocka_unit_test(unwinding),
		cmocka_unit_test(file_on_disk),
	};

	if (argc < 2)
		return 2;
	seeds = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
