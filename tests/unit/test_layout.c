/* Layouts: rows against facts, against DWARF and against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout/from_dwarf.h"

#define V(major, minor) (SCRY_SINCE(major, minor, 0))

static const struct scry_abi linux64 = { .ptr_size = 8, .long_size = 8, .align8 = 8, .wchar_size = 4,
					 .long_double = 16, .mutex_size = 40 };
static const struct scry_abi win64 = { .ptr_size = 8, .long_size = 4, .align8 = 8, .wchar_size = 2, .long_double = 8,
				       .windows = true };
static const struct scry_abi i386 = { .ptr_size = 4, .long_size = 4, .align8 = 4, .wchar_size = 4, .long_double = 12 };
static const struct scry_abi aarch64 = { .ptr_size = 8, .long_size = 8, .align8 = 8, .wchar_size = 4,
					 .long_double = 16, .mutex_size = 48 };
static const struct scry_abi *const abis[] = { &linux64, &win64, &i386, &aarch64 };
static const uint32_t versions[] = { V(2, 7), V(3, 3), V(3, 4), V(3, 5), V(3, 6), V(3, 7), V(3, 8), V(3, 9), V(3, 10),
				     V(3, 11), V(3, 12), V(3, 13), V(3, 14), V(3, 15) };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void rows_of(uint32_t version, const struct scry_abi *abi, struct scry_layout *l)
{
	struct scry_flavour f = { .version = version };

	assert_int_equal(scry_layout_from_rows(&f, abi, l), SCRY_OK);
}

static unsigned offset(const struct scry_layout *l, enum scry_field f)
{
	if (l->slot[f].size == 0)
		fail_msg("no %s", scry_field_name(f));
	return l->slot[f].offset;
}

/* _PyInterpreterFrame of 3.11 (Include/internal/pycore_frame.h): 32 48 56 69 72 on Linux x86-64. */
static void frame_3_11(void **state)
{
	(void)state;
	static struct scry_layout l;

	rows_of(V(3, 11), &linux64, &l);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_CODE), 32);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_PREVIOUS), 48);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_PREV_INSTR), 56);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_OWNER), 69);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_SLOTS), 72);
	rows_of(V(3, 11), &i386, &l);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_CODE), 16);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_OWNER), 37);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_SLOTS), 40);
}

/* Every row of every version is well-formed in every flavour on every ABI, and its fields lie inside the struct. */
static void rows_well_formed(void **state)
{
	(void)state;
	static struct scry_layout l;

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (unsigned bits = 0; bits < 8 * COUNT(abis); bits++) {
			struct scry_flavour f = { .version = versions[v], .debug = bits & 1, .trace_refs = bits & 2,
						  .free_threaded = bits & 4 };

			assert_int_equal(scry_layout_from_rows(&f, abis[bits / 8], &l), SCRY_OK);
			for (int i = 0; i < SCRY_F_COUNT; i++) {
				uint32_t size = l.size[scry_field_struct(i)];

				/* a flexible array begins where the struct ends */
				if (l.slot[i].size && size && l.slot[i].offset > size)
					fail_msg("%s outside its struct", scry_field_name(i));
			}
		}
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(scry_field_name(SCRY_F_THREAD_NEXT), "thread.next");
	assert_string_equal(scry_field_name(SCRY_F_IFRAME_PREV_INSTR), "iframe.prev_instr");
	assert_int_equal(scry_field_struct(SCRY_F_TYPE_MRO), SCRY_S_TYPE);
	assert_int_equal(scry_struct_first_field(SCRY_S_VAR), SCRY_F_VAR_SIZE);
	assert_int_equal(scry_struct_by_id("HEAP_TYPE", 9), SCRY_S_HEAP_TYPE);
	assert_int_equal(scry_field_path_rank(SCRY_F_INTERP_MODULES, "modules", 7), 1);
	assert_int_equal(scry_field_path_rank(SCRY_F_INTERP_MODULES, "module", 6), -1);
}

/* --- every row beside the DWARF of every interpreter found --- */

struct comparison {
	struct scry_layout row, dwarf, part;
	const char *name;
	unsigned fields, wrong;
};

/* Add what one file's DWARF knows to what the files before it knew. */
static bool add_file(struct comparison *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Dwarf *dwarf = fd >= 0 ? dwarf_begin(fd, DWARF_C_READ) : NULL;
	bool found = dwarf && scry_layout_scan_dwarf(dwarf, true, &c->part) == SCRY_OK;

	for (int f = 0; found && f < SCRY_F_COUNT; f++)
		if (!c->dwarf.size[scry_field_struct(f)])
			scry_layout_put(&c->dwarf, f, c->part.slot[f], SCRY_FROM_DWARF);
	for (int s = 0; found && s < SCRY_S_COUNT; s++)
		if (!c->dwarf.size[s])
			c->dwarf.size[s] = c->part.size[s];
	if (dwarf)
		dwarf_end(dwarf);
	if (fd >= 0)
		close(fd);
	return found;
}

static unsigned add_files(struct comparison *c, const char *pattern)
{
	unsigned n = 0;
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++)
		n += add_file(c, g.gl_pathv[i]);
	globfree(&g);
	return n;
}

static void compare_field(struct comparison *c, enum scry_field f)
{
	struct scry_slot r = c->row.slot[f], d = c->dwarf.slot[f];
	enum scry_struct s = scry_field_struct(f);

	if (!c->dwarf.size[s] || s == SCRY_S_STACKLESS || s == SCRY_S_STACKLESS_THREAD)
		return;
	c->fields++;
	if (r.size == d.size && (!r.size || (r.offset == d.offset && r.bits == d.bits && r.shift == d.shift)))
		return;
	c->wrong++;
	print_message("# %s: %s: row %u+%u (%u:%u), DWARF %u+%u (%u:%u)\n", c->name, scry_field_name(f), r.offset,
		      r.size, r.shift, r.bits, d.offset, d.size, d.shift, d.bits);
}

static void compare(struct comparison *c)
{
	for (int f = 0; f < SCRY_F_COUNT; f++)
		compare_field(c, f);
	for (int s = 0; s < SCRY_S_COUNT; s++) {
		if (!c->row.size[s] || !c->dwarf.size[s] || c->row.size[s] == c->dwarf.size[s])
			continue;
		c->wrong++;
		print_message("# %s: sizeof %s: row %u, DWARF %u\n", c->name, scry_struct_name(s), c->row.size[s],
			      c->dwarf.size[s]);
	}
}

/* "3.13td": version and build from the part of a file name behind "python"; the micro version from the directory. */
static bool parse_name(const char *text, const char *dir, struct scry_flavour *ret)
{
	unsigned major, minor, dir_major, dir_minor, micro;
	int n;

	if (sscanf(text, "%1u.%2u%n", &major, &minor, &n) != 2)
		return false;
	*ret = (struct scry_flavour){ .version = SCRY_SINCE(major, minor, 0) };
	for (text += n; isalpha((unsigned char)*text) || *text == '_'; text++) {
		ret->debug |= *text == 'd';
		ret->free_threaded |= *text == 't';
	}
	dir = strrchr(dir, '/') ? strrchr(dir, '/') + 1 : dir;
	if (sscanf(dir, "%u.%u.%u", &dir_major, &dir_minor, &micro) == 3 && dir_minor == minor)
		ret->version = SCRY_SINCE(major, minor, micro) | 0xf0;
	return true;
}

static bool is_32bit(const char *path)
{
	unsigned char ident[5] = { 0 };
	FILE *f = fopen(path, "rb");

	if (f && fread(ident, 1, 5, f) != 5)
		ident[4] = 0;
	if (f)
		fclose(f);
	return ident[4] == 1;
}

/* One interpreter, with the extension modules beside it. Returns fields compared, 0 where it has no DWARF. */
static unsigned compare_interpreter(const char *dir, const char *file, unsigned *wrong)
{
	static struct comparison c;
	const char *name = strstr(strrchr(file, '/'), "python");
	struct scry_flavour f;
	char pattern[600];

	if (!name || !parse_name(name + 6, dir, &f))
		return 0;
	memset(&c, 0, sizeof(c));
	c.name = file;
	if (!add_file(&c, file))
		return 0;
	snprintf(pattern, sizeof(pattern), "%s/lib/python%u.%u%s*/lib-dynload/*.so", dir, f.version >> 24,
		 f.version >> 16 & 255, f.free_threaded ? "t" : "");
	add_files(&c, pattern);
	assert_int_equal(scry_layout_from_rows(&f, is_32bit(file) ? &i386 : &linux64, &c.row), SCRY_OK);
	compare(&c);
	print_message("# %s: %u fields compared, %u wrong\n", file, c.fields, c.wrong);
	*wrong += c.wrong;
	return c.fields;
}

static unsigned compare_dir(const char *dir, unsigned *wrong)
{
	static const char *const places[] = { "lib/libpython*.so*", "bin/python?.?", "bin/python?.??", "bin/python?.*d",
					      "bin/python?.*t", "python" };
	unsigned fields = 0;

	for (size_t i = 0; i < COUNT(places) && !fields; i++) {
		char pattern[600];
		glob_t g;

		snprintf(pattern, sizeof(pattern), "%s/%s", dir, places[i]);
		if (glob(pattern, 0, NULL, &g) != 0)
			continue;
		for (size_t k = 0; k < g.gl_pathc && !fields; k++)
			fields += compare_interpreter(dir, g.gl_pathv[k], wrong);
		globfree(&g);
	}
	return fields;
}

/* The directories (prefixes) of interpreters: pyenv's, and those in PYSCRY_INTERPRETERS, split by ':'. */
static void rows_beside_dwarf(void **state)
{
	(void)state;
	const char *more = getenv("PYSCRY_INTERPRETERS"), *home = getenv("HOME"), *root = getenv("PYENV_ROOT");
	unsigned count = 0, wrong = 0;
	char pattern[600];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s%s/versions/*", root ? root : home ? home : "", root ? "" : "/.pyenv");
	if (glob(pattern, 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			count += compare_dir(g.gl_pathv[i], &wrong) != 0;
		globfree(&g);
	}
	while (more && *more) {
		snprintf(pattern, sizeof(pattern), "%.*s", (int)strcspn(more, ":"), more);
		count += compare_dir(pattern, &wrong) != 0;
		more += strcspn(more, ":");
		more += *more == ':';
	}
	assert_int_equal(wrong, 0);
	if (!count) {
		print_message("# no interpreter with DWARF found: set PYSCRY_INTERPRETERS\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(frame_3_11), cmocka_unit_test(rows_well_formed),
		cmocka_unit_test(rows_beside_dwarf),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
