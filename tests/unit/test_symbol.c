/*
 * The symbol layer: modules of ourselves, of a made-up image in memory, symbol maps, files, source
 * lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/demangle.h"
#include "symbol/list.h"
#include "symbol/locate.h"
#include "symbol/source.h"
#include "target/image.h"

/* --- a made-up ELF image --- */

#define BASE       0x7f0000100000u
#define NOTE       0x200
#define SYMTAB     0x300
#define STRTAB     0x400
#define HASH       0x500
#define DYNAMIC    0x600
#define IMAGE_SIZE 0x1000

struct shape {
	uint16_t machine;
	bool is64, big_endian, relocated;
};

static void put(struct scry_session *s, scry_addr at, unsigned size, uint64_t value)
{
	assert_true(scry_image_put(s, at, size, value));
}

/* A program header whose fields stand at other places in either class. */
static void put_phdr(struct scry_session *s, scry_addr at, bool is64, uint32_t type, uint32_t flags,
		     uint64_t addr, uint64_t size)
{
	put(s, at, 4, type);
	put(s, at + (is64 ? 4 : 24), 4, flags);
	put(s, at + (is64 ? 8 : 4), is64 ? 8 : 4, addr);  /* p_offset */
	put(s, at + (is64 ? 16 : 8), is64 ? 8 : 4, addr); /* p_vaddr */
	put(s, at + (is64 ? 32 : 16), is64 ? 8 : 4, size);
	put(s, at + (is64 ? 40 : 20), is64 ? 8 : 4, size);
	put(s, at + (is64 ? 48 : 28), is64 ? 8 : 4, 4);
}

static void put_header(struct scry_session *s, scry_addr base, struct shape shape)
{
	const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', shape.is64 ? 2 : 1, shape.big_endian ? 2 : 1,
				  1 };
	unsigned ehdr = shape.is64 ? 64 : 52, phdr = shape.is64 ? 56 : 32;

	for (unsigned i = 0; i < sizeof(ident); i++)
		put(s, base + i, 1, ident[i]);
	put(s, base + 16, 2, ET_DYN);
	put(s, base + 18, 2, shape.machine);
	put(s, base + (shape.is64 ? 32 : 28), shape.is64 ? 8 : 4, ehdr); /* e_phoff */
	put(s, base + (shape.is64 ? 54 : 42), 2, phdr);
	put(s, base + (shape.is64 ? 56 : 44), 2, 3);
	put_phdr(s, base + ehdr, shape.is64, PT_LOAD, PF_R | PF_X, 0, IMAGE_SIZE);
	put_phdr(s, base + ehdr + phdr, shape.is64, PT_NOTE, PF_R, NOTE, 36);
	put_phdr(s, base + ehdr + 2 * phdr, shape.is64, PT_DYNAMIC, PF_R, DYNAMIC, 0x100);
}

static void put_text(struct scry_session *s, scry_addr at, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put(s, at + i, 1, (uint8_t)text[i]);
}

static void put_symbol(struct scry_session *s, scry_addr at, bool is64, uint32_t name, uint8_t info,
		       uint64_t value, uint64_t size)
{
	put(s, at, 4, name);
	put(s, at + (is64 ? 4 : 12), 1, info);
	put(s, at + (is64 ? 6 : 14), 2, info ? 1 : 0);
	put(s, at + (is64 ? 8 : 4), is64 ? 8 : 4, value);
	put(s, at + (is64 ? 16 : 8), is64 ? 8 : 4, size);
}

static void put_dynamic(struct scry_session *s, scry_addr base, struct shape shape)
{
	const uint64_t entries[][2] = { { DT_SYMTAB, SYMTAB },
					{ DT_STRTAB, STRTAB },
					{ DT_STRSZ, 32 },
					{ DT_HASH, HASH },
					{ DT_NULL, 0 } };
	unsigned word = shape.is64 ? 8 : 4;

	for (unsigned i = 0; i < 5; i++) {
		bool pointer =
			shape.relocated && entries[i][0] != DT_STRSZ && entries[i][0] != DT_NULL;

		put(s, base + DYNAMIC + 2 * i * word, word, entries[i][0]);
		put(s, base + DYNAMIC + (2 * i + 1) * word, word,
		    entries[i][1] + (pointer ? base : 0));
	}
}

/*
 * An image with a build id and the symbols: 1 (undefined) puts, 2 alpha (data, 0x800), 3 beta (a
 * function, 0x900).
 */
static void put_image(struct scry_session *s, scry_addr base, struct shape shape)
{
	unsigned each = shape.is64 ? 24 : 16;

	assert_non_null(scry_image_add(s, base, IMAGE_SIZE));
	put_header(s, base, shape);
	put(s, base + NOTE, 4, 4);
	put(s, base + NOTE + 4, 4, 20);
	put(s, base + NOTE + 8, 4, NT_GNU_BUILD_ID);
	put_text(s, base + NOTE + 12, "GNU", 4);
	for (unsigned i = 0; i < 20; i++)
		put(s, base + NOTE + 16 + i, 1, 0xa0 + i);
	put_text(s, base + STRTAB, "\0puts\0alpha\0beta\0", 17);
	put_symbol(s, base + SYMTAB + each, shape.is64, 1, 0, 0, 0);
	put_symbol(s, base + SYMTAB + 2 * each, shape.is64, 6, 1 << 4 | STT_OBJECT, 0x800, 8);
	put_symbol(s, base + SYMTAB + 3 * each, shape.is64, 12, 1 << 4 | STT_FUNC, 0x900, 0x10);
	put(s, base + HASH, 4, 1);
	put(s, base + HASH + 4, 4, 4);
	put_dynamic(s, base, shape);
	struct scry_map *map = (struct scry_map *)scry_map_at(s->target, base);
	map->flags = SCRY_MAP_READ | SCRY_MAP_EXEC | SCRY_MAP_FILE;
	map->path = "/no/such/dir/libmade.so (deleted)";
}

static void symbols_from_memory(void **state)
{
	(void)state;
	const struct shape shapes[] = { { EM_X86_64, true, false, true },
					{ EM_X86_64, true, false, false },
					{ EM_386, false, false, true },
					{ EM_S390, true, true, true },
					{ EM_PPC, false, true, false } };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct shape shape = shapes[i];
		scry_addr base = shape.is64 ? BASE : 0x40000000;
		struct scry_session *s =
			scry_image_session(shape.machine, shape.is64, shape.big_endian);
		struct scry_symbol symbol;

		put_image(s, base, shape);
		struct scry_module *m = scry_module_first(s);
		assert_non_null(m);
		assert_null(m->next);
		assert_string_equal(m->name, "libmade.so");
		assert_string_equal(m->build_id, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3");
		assert_int_equal(scry_module_symbol(m, "alpha", &symbol), SCRY_OK);
		assert_true(symbol.addr == base + 0x800 && symbol.size == 8 && !symbol.is_function);
		assert_int_equal(scry_module_symbol(m, "beta", &symbol), SCRY_OK);
		assert_true(symbol.is_function);
		assert_int_equal(scry_module_symbol(m, "puts", &symbol), SCRY_ENOTFOUND);
		assert_int_equal(scry_symbol_at(s, base + 0x908, &symbol), SCRY_OK);
		assert_string_equal(symbol.name, "beta");
		assert_int_equal(scry_symbol_at(s, base + 0x804, &symbol), SCRY_OK);
		assert_string_equal(symbol.name, "alpha");
		assert_int_equal(scry_symbol_at(s, base + 0x7ff, &symbol), SCRY_ENOTFOUND);
		assert_string_equal(m->problem, "no such file");
		scry_session_free(s);
	}
}

/* Whatever byte is broken, nothing crashes; run under the sanitizers too. */
static void damaged_images(void **state)
{
	(void)state;
	const struct shape shape = { EM_X86_64, true, false, true };

	for (unsigned at = 0; at < 0x680; at++) {
		struct scry_session *s = scry_image_session(shape.machine, true, false);
		struct scry_symbol symbol;

		put_image(s, BASE, shape);
		put(s, BASE + at, 1, at & 1 ? 0xff : 0x80);
		for (struct scry_module *m = scry_module_first(s); m; m = m->next) {
			scry_module_symbol(m, "alpha", &symbol);
			scry_symbol_at(s, BASE + 0x908, &symbol);
		}
		scry_session_free(s);
	}
}

/* The same file mapped as two images gives two modules, mapped as data none. */
static void mapped_twice(void **state)
{
	(void)state;
	const struct shape shape = { EM_X86_64, true, false, true };
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	unsigned count = 0;

	put_image(s, BASE, shape);
	put_image(s, BASE + 0x10000, shape);
	put_image(s, BASE + 0x20000, shape);
	((struct scry_map *)scry_map_at(s->target, BASE + 0x20000))->flags =
		SCRY_MAP_READ | SCRY_MAP_FILE;
	for (struct scry_module *m = scry_module_first(s); m; m = m->next)
		assert_true(m->bias == BASE + 0x10000 * count++);
	assert_int_equal(count, 2);
	scry_session_free(s);
}

/* Without permissions (gdb 10) modules are found all the same, by the offsets of their mappings. */
static void no_permissions(void **state)
{
	(void)state;
	const struct shape shape = { EM_X86_64, true, false, true };
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	struct scry_symbol symbol;

	put_image(s, BASE, shape);
	((struct scry_map *)scry_map_at(s->target, BASE))->flags = SCRY_MAP_READ | SCRY_MAP_WRITE;
	assert_non_null(scry_module_first(s));
	assert_int_equal(scry_module_symbol(s->modules, "alpha", &symbol), SCRY_OK);
	scry_session_free(s);
}

/* --- files of the test's own --- */

static char dir[] = "/tmp/pyscry-test-XXXXXX";

static const char *write_file(const char *name, const void *text, size_t len)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
	return path;
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void symbol_map(void **state)
{
	(void)state;
	static const char text[] = "                 U puts\n0000000000000a00 T "
				   "gamma\n0000000000000b00 0000000000000008 B delta\n"
				   "garbage\n\n00zz T no\n0000000000000c00 D "
				   "eps@@V_1\r\n0000000000000d00\n00000000000000e0 t";
	const struct shape shape = { EM_X86_64, true, false, true };
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	struct scry_symbol symbol;

	write_file("libmade.so.nm", text, sizeof(text) - 1);
	scry_session_set(s, "symbols", dir);
	put_image(s, BASE, shape);
	struct scry_module *m = scry_module_first(s);
	assert_int_equal(scry_module_symbol(m, "gamma", &symbol), SCRY_OK);
	assert_true(symbol.addr == BASE + 0xa00 && symbol.is_function);
	assert_int_equal(scry_module_symbol(m, "delta", &symbol), SCRY_OK);
	assert_true(symbol.addr == BASE + 0xb00 && symbol.size == 8 && !symbol.is_function);
	assert_int_equal(scry_module_symbol(m, "eps", &symbol), SCRY_OK);
	assert_int_equal(scry_module_symbol(m, "no", &symbol), SCRY_ENOTFOUND);
	assert_int_equal(scry_module_symbol(m, "puts", &symbol), SCRY_ENOTFOUND);
	assert_int_equal(scry_symbol_at(s, BASE + 0xa04, &symbol), SCRY_OK);
	assert_string_equal(symbol.name, "gamma");
	scry_session_free(s);
}

/* --- ourselves, live --- */

static struct scry_module *find_main(struct scry_session *s)
{
	for (struct scry_module *m = scry_module_first(s); m; m = m->next)
		if (m->is_main)
			return m;
	fail_msg("no main module");
	return NULL;
}

static void ourselves(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_symbol symbol;
	struct scry_section section;
	Dl_info info;

	assert_int_equal(scry_session_open_pid(s, getpid()), SCRY_OK);
	struct scry_module *m = find_main(s);
	assert_int_equal(scry_module_symbol(m, "main", &symbol), SCRY_OK);
	assert_int_equal(scry_symbol_at(s, symbol.addr + 1, &symbol), SCRY_OK);
	assert_string_equal(symbol.name, "main");
	assert_true(m->verified);
	assert_int_equal(scry_module_section(m, ".text", &section), SCRY_OK);
	assert_true((uintptr_t)remove_dir - section.addr < section.size);
	void *address = dlsym(RTLD_DEFAULT, "getenv");
	assert_true(dladdr(address, &info));
	m = scry_module_at(s, (uintptr_t)address);
	assert_non_null(m);
	assert_true(m->bias == (uintptr_t)info.dli_fbase);
	assert_int_equal(scry_module_symbol(m, "getenv", &symbol), SCRY_OK);
	assert_true(symbol.addr == (uintptr_t)address && symbol.is_function);
	/* many at() make the sorted table: the same answers */
	for (int i = 0; i < 40; i++) {
		assert_int_equal(scry_symbol_at(s, (uintptr_t)address + 1, &symbol), SCRY_OK);
		assert_true(symbol.addr == (uintptr_t)address);
	}
	scry_session_free(s);
}

/* A file mapped as data, ELF or not, is no module. */
static void data_files(void **state)
{
	(void)state;
	int fd = open("/proc/self/exe", O_RDONLY);
	void *data = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, fd, 0);
	struct scry_session *s = scry_session_new();

	assert_true(data != MAP_FAILED);
	assert_int_equal(scry_session_open_pid(s, getpid()), SCRY_OK);
	assert_non_null(scry_module_first(s));
	assert_null(scry_module_at(s, (uintptr_t)data));
	scry_session_free(s);
	munmap(data, 65536);
	close(fd);
}

/* A wrong --exe is said, and what fits is used. */
static void wrong_exe(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_symbol symbol;

	scry_session_set(s, "exe", "/bin/sh");
	assert_int_equal(scry_session_open_pid(s, getpid()), SCRY_OK);
	struct scry_module *m = find_main(s);
	assert_int_equal(scry_module_symbol(m, "main", &symbol), SCRY_OK);
	assert_non_null(s->notes);
	assert_non_null(strstr(s->notes->text, "/bin/sh: build id differs"));
	scry_session_free(s);
}

/* A script given as the executable stands for its interpreter. */
static void script_exe(void **state)
{
	(void)state;
	char self[PATH_MAX], text[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct scry_session *s = scry_session_new();

	assert_true(n > 0);
	self[n] = 0;
	int len = snprintf(text, sizeof(text), "#! %s -u\nprint(1)\n", self);
	scry_session_set(s, "exe", write_file("script", text, (size_t)len));
	assert_int_equal(scry_session_open_pid(s, getpid()), SCRY_OK);
	struct scry_module *m = find_main(s);
	scry_module_open(m);
	assert_string_equal(m->file, self);
	assert_null(s->notes);
	scry_session_free(s);
}

/*
 * An image target with only the first page of the C library: the rest of its code comes from the
 * file, data do not.
 */
static void pages_from_file(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(EM_X86_64, sizeof(long) == 8, false),
			    *self = scry_session_new();
	uint8_t *code = dlsym(RTLD_DEFAULT, "getenv"), bytes[16];

	assert_int_equal(scry_session_open_pid(self, getpid()), SCRY_OK);
	struct scry_module *libc = scry_module_at(self, (uintptr_t)code);
	assert_non_null(libc);
	assert_true(scry_image_add_bytes(s, libc->start, (void *)(uintptr_t)libc->start, 4096));
	for (size_t i = 0; i < self->target->map_count; i++) {
		struct scry_map map = self->target->maps[i];

		if (!map.path || strcmp(map.path, libc->path))
			continue;
		if (map.start == libc->start)
			*(struct scry_map *)scry_map_at(s->target, libc->start) = map;
		else
			assert_true(scry_target_add_map(s->target, &map));
	}
	struct scry_module *m = scry_module_first(s);
	assert_non_null(m);
	assert_string_equal(m->build_id, libc->build_id);
	assert_int_equal(scry_read(s, (uintptr_t)code, bytes, sizeof(bytes)), SCRY_OK);
	assert_memory_equal(bytes, code, sizeof(bytes));
	assert_int_not_equal(scry_read(s, (uintptr_t)dlsym(RTLD_DEFAULT, "environ"), bytes, 8),
			     SCRY_OK);
	scry_session_free(self);
	scry_session_free(s);
}

/* --- source lines --- */

static void check_line(struct scry_session *s, const char *file, int line, const char *want)
{
	const char *text;
	size_t len;
	int rc = scry_source_line(s, file, line, &text, &len);

	if (!want) {
		assert_int_equal(rc, SCRY_ENOTFOUND);
		return;
	}
	assert_int_equal(rc, SCRY_OK);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
}

static void source_lines(void **state)
{
	(void)state;
	static const struct {
		const char *text, *lines[5];
	} cases[] = {
		{ "a\nb\r\nc\rd\n", { "a", "b", "c", "d", NULL } },
		{ "\n\nlast", { "", "", "last", NULL } },
		{ "# -*- coding: latin-1 -*-\nx = '\xe9'\n",
		  { "# -*- coding: latin-1 -*-", "x = '\xc3\xa9'", NULL } },
		{ "\n# vim: set fileencoding=iso_8859_1 :\n\xfc\n",
		  { "", "# vim: set fileencoding=iso_8859_1 :", "\xc3\xbc", NULL } },
		{ "x = 1\n# coding: latin-1\n\xc3\xa9\n",
		  { "x = 1", "# coding: latin-1", "\xc3\xa9", NULL } },
		{ "\xef\xbb\xbf# coding: utf-8\nh\xc3\xa9\n",
		  { "# coding: utf-8", "h\xc3\xa9", NULL } },
		{ "#coding:cp1251\n\xcf\xf0\n", { "#coding:cp1251", "\xd0\x9f\xd1\x80", NULL } },
		{ "# coding=euc_jp\n\xc6\xfc\xcb\xdc\n",
		  { "# coding=euc_jp", "\xe6\x97\xa5\xe6\x9c\xac", NULL } },
		{ "# encoding: nonsense\nabc\n", { "# encoding: nonsense", "abc", NULL } },
		{ "bad \xff\n", { "bad \xef\xbf\xbd", NULL } },
	};
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *path = write_file("source.py", cases[i].text, strlen(cases[i].text));

		for (int k = 0; k < 5; k++) {
			check_line(s, path, k + 1, cases[i].lines[k]);
			if (!cases[i].lines[k])
				break;
		}
		scry_sources_close(s);
	}
	check_line(s, "/no/such/file.py", 1, NULL);
	check_line(s, "<string>", 1, NULL);
	check_line(s, "/dev/zero", 1, NULL);
	check_line(s, dir, 1, NULL);
	scry_session_free(s);
}

static void many_lines(void **state)
{
	(void)state;
	struct scry_buf b = SCRY_BUF_INIT;
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	const char *text;
	size_t len;

	for (int i = 1; i <= 70001; i++)
		scry_buf_printf(&b, "line %d\n", i);
	for (int i = 0; i < 5000; i++)
		scry_buf_puts(&b, "\xe6\x97\xa5");
	const char *path = write_file("long.py", b.text, b.len);
	scry_buf_done(&b);
	check_line(s, path, 70000, "line 70000");
	check_line(s, path, 1, "line 1");
	check_line(s, path, 33, "line 33");
	check_line(s, path, 0, NULL);
	check_line(s, path, -7, NULL);
	assert_int_equal(scry_source_line(s, path, 70002, &text, &len), SCRY_OK);
	assert_int_equal(len, SCRY_SOURCE_LINE_MAX / 3 * 3);
	check_line(s, path, 70003, NULL);
	scry_session_free(s);
}

/* Names that are not UTF-8, source maps, sysroots. */
static void source_names(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	char path[PATH_MAX];

	write_file("n\xe9.py", "one\n", 4);
	snprintf(path, sizeof(path), "%s/n\xed\xb3\xa9.py", dir); /* U+DCE9 */
	check_line(s, path, 1, "one");
	check_line(s, "/made/up/n\xed\xb3\xa9.py", 1, NULL);
	scry_sources_close(s);
	snprintf(path, sizeof(path), "/made/up=%s", dir);
	assert_int_equal(scry_session_set(s, "source-map", path), SCRY_OK);
	check_line(s, "/made/up/n\xed\xb3\xa9.py", 1, "one");
	assert_int_equal(scry_session_set(s, "sysroot", dir), SCRY_OK);
	write_file("abs.py", "two\n", 4);
	snprintf(path, sizeof(path), "%s/link.py", dir);
	assert_int_equal(symlink("/abs.py", path), 0); /* stays inside the root */
	check_line(s, "/link.py", 1, "two");
	scry_session_free(s);
}

/* A module inside a zip file: stored, one member, "pkg/mod.py" with "x = 1\n". */
static void source_in_zip(void **state)
{
	(void)state;
	static const char zip[] =
		"PK\x03\x04\x14\0\0\0\0\0\0\0!\0\x3b\x89\xf6\x8b\x06\0\0\0\x06\0\0\0\x0a\0\0\0pkg/"
		"mod.pyx = 1\n"
		"PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!"
		"\0\x3b\x89\xf6\x8b\x06\0\0\0\x06\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0\0"
		"\x80\x01\0\0\0\0pkg/mod.pyPK\x05\x06\0\0\0\0\1\0\1\0\x38\0\0\0\x2e\0\0\0\0\0";
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/pkg/mod.py", write_file("app.pyz", zip, sizeof(zip) - 1));
	check_line(s, path, 1, "x = 1");
	check_line(s, path, 2, NULL);
	snprintf(path, sizeof(path), "%s/app.pyz/pkg/other.py", dir);
	check_line(s, path, 1, NULL);
	scry_session_free(s);
}

/* A FIFO must not block us. */
static void fifos(void **state)
{
	(void)state;
	char path[PATH_MAX];
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);

	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	check_line(s, path, 1, NULL);
	assert_int_equal(scry_open_regular(path), -1);
	scry_session_free(s);
}

/* What c++filt -p says, but for "<…>". */
static void readable_names(void **state)
{
	static const char *const names[][2] = {
		{ "_Z3fooi", "foo" },
		{ "_ZL3barPKc", "bar" },
		{ "_ZN8greenlet12UserGreenlet13g_initialstubEPv",
		  "greenlet::UserGreenlet::g_initialstub" },
		{ "_ZNK3FooclEv", "Foo::operator()" },
		{ "_ZN3FooC2Ev", "Foo::Foo" },
		{ "_ZN3FooD0Ev", "Foo::~Foo" },
		{ "_ZN12_GLOBAL__N_13fooEi", "(anonymous namespace)::foo" },
		{ "_ZZ4mainENKUlvE_clEv", "main::{lambda}::operator()" },
		{ "_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<…>::push_back" },
		{ "_ZNSt3mapIiLi5EE1fEv", "std::map<…>::f" },
		{ "_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place" },
	};
	static const char *const others[] = {
		"", "_Z", "_ZN", "main", "_ZN1a", "_ZN9999999999999foo", "_ZNKSt9basic_iosIcEcvbEv"
	};
	char deep[4096] = "_ZN1aI";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct scry_buf out = SCRY_BUF_INIT;

		assert_true(scry_demangle(names[i][0], &out));
		assert_string_equal(out.text, names[i][1]);
		scry_buf_done(&out);
	}
	for (size_t i = 6; i + 1 < sizeof(deep); i++)
		deep[i] = "IL"[i / 6 % 2];
	for (size_t i = 0; i <= sizeof(others) / sizeof(*others); i++) {
		struct scry_buf out = SCRY_BUF_INIT;

		assert_false(scry_demangle(i ? others[i - 1] : deep, &out));
		assert_int_equal(out.len, 0);
		scry_buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_from_memory), cmocka_unit_test(damaged_images),
		cmocka_unit_test(mapped_twice),        cmocka_unit_test(no_permissions),
		cmocka_unit_test(symbol_map),          cmocka_unit_test(ourselves),
		cmocka_unit_test(data_files),          cmocka_unit_test(wrong_exe),
		cmocka_unit_test(script_exe),          cmocka_unit_test(readable_names),
		cmocka_unit_test(pages_from_file),     cmocka_unit_test(source_lines),
		cmocka_unit_test(many_lines),          cmocka_unit_test(source_names),
		cmocka_unit_test(source_in_zip),       cmocka_unit_test(fifos),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
