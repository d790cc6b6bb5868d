/* Every built-in row beside the DWARF of every interpreter found, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout/from_dwarf.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct scry_abi linux64 = { .ptr_size = 8,
					 .long_size = 8,
					 .align8 = 8,
					 .wchar_size = 4,
					 .long_double = 16,
					 .mutex_size = 40 };
static const struct scry_abi i386 = {
	.ptr_size = 4, .long_size = 4, .align8 = 4, .wchar_size = 4, .long_double = 12
};

struct comparison {
	struct scry_layout row, dwarf, part;
	const char *name;
	unsigned fields, wrong;
	bool quiet;
};

/* Add what one file's DWARF knows to what the files before it knew. */
static bool add_file(struct comparison *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Dwarf *dwarf = fd >= 0 ? dwarf_begin(fd, DWARF_C_READ) : NULL;
	bool found = dwarf && scry_layout_scan_dwarf(dwarf, NULL, true, &c->part) == SCRY_OK;

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

/*
 * Debian's builds of 3.13 align PyGC_Head to 4 bytes (the machine code says so too): memory/gc.c
 * looks there.
 */
static bool known_oddity(const struct comparison *c, enum scry_field f)
{
	return f == SCRY_F_INTERP_GC_GENERATIONS && strstr(c->name, "python3.13") &&
	       !strstr(c->name, "pyenv") && c->dwarf.slot[f].offset + 4 == c->row.slot[f].offset;
}

static void compare_field(struct comparison *c, enum scry_field f)
{
	struct scry_slot r = c->row.slot[f], d = c->dwarf.slot[f];
	enum scry_struct s = scry_field_struct(f);

	if (!c->dwarf.size[s] || known_oddity(c, f))
		return;
	c->fields++;
	if (r.size == d.size &&
	    (!r.size || (r.offset == d.offset && r.bits == d.bits && r.shift == d.shift)))
		return;
	c->wrong++;
	if (!c->quiet)
		print_message("# %s: %s: row %u+%u (%u:%u), DWARF %u+%u (%u:%u)\n", c->name,
			      scry_field_name(f), r.offset, r.size, r.shift, r.bits, d.offset,
			      d.size, d.shift, d.bits);
}

static void compare_fields(struct comparison *c)
{
	c->fields = c->wrong = 0;
	for (int f = 0; f < SCRY_F_COUNT; f++)
		compare_field(c, f);
	for (int s = 0; s < SCRY_S_COUNT; s++) {
		if (!c->row.size[s] || !c->dwarf.size[s] || c->row.size[s] == c->dwarf.size[s] ||
		    (s == SCRY_S_GC_HEAD && strstr(c->name, "pyenv") &&
		     strstr(c->name, "python3.6")))
			/* pyenv's 3.6 has 3.7.4's 16-byte alignment of PyGC_Head patched in */
			continue;
		c->wrong++;
		if (!c->quiet)
			print_message("# %s: sizeof %s: row %u, DWARF %u\n", c->name,
				      scry_struct_name(s), c->row.size[s], c->dwarf.size[s]);
	}
}

/* The micro version of the headers beside an interpreter, or -1. */
static int micro_of_headers(const char *dir, unsigned major, unsigned minor)
{
	char pattern[600], line[200];
	int micro = -1;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/include/python%u.%u*/patchlevel.h", dir, major,
		 minor);
	if (glob(pattern, 0, NULL, &g) != 0)
		return -1;
	FILE *f = fopen(g.gl_pathv[0], "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "#define PY_MICRO_VERSION %d", &micro);
	if (f)
		fclose(f);
	globfree(&g);
	return micro;
}

/*
 * "3.13td": version and build from the part of a file name behind "python"; the micro version from
 * the headers.
 */
static bool parse_name(const char *text, const char *dir, struct scry_flavour *ret)
{
	unsigned major, minor;
	int n;

	if (sscanf(text, "%1u.%2u%n", &major, &minor, &n) != 2)
		return false;
	*ret = (struct scry_flavour) { .version = SCRY_VERSION_OF(major, minor, 0) };
	for (text += n; isalpha((unsigned char)*text) || *text == '_'; text++) {
		ret->debug |= *text == 'd';
		ret->free_threaded |= *text == 't';
	}
	int micro = micro_of_headers(dir, major, minor);

	if (micro >= 0)
		ret->version |= (uint32_t)micro << 8 | 0xf0;
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

/* Where the micro version is unknown, the one that fits best must fit. */
static void compare(struct comparison *c, struct scry_flavour *f, const struct scry_abi *abi)
{
	uint32_t minor = f->version & 0xffff0000, best = f->version, least = UINT32_MAX;

	for (uint32_t micro = 0; f->version == minor && micro < 32; micro++) {
		f->version = minor | micro << 8 | 0xf0;
		c->quiet = true;
		assert_int_equal(scry_layout_from_rows(f, abi, &c->row), SCRY_OK);
		compare_fields(c);
		if (c->wrong < least) {
			least = c->wrong;
			best = f->version;
		}
		f->version = minor;
	}
	f->version = best;
	c->quiet = false;
	assert_int_equal(scry_layout_from_rows(f, abi, &c->row), SCRY_OK);
	compare_fields(c);
}

/* A trace-refs build under a plain name: its object head has two links more. */
static bool has_links(const struct comparison *c)
{
	return c->dwarf.size[SCRY_S_OBJECT] && c->dwarf.slot[SCRY_F_OBJECT_REFCNT].offset != 0 &&
	       !c->dwarf.slot[SCRY_F_OBJECT_TID].size;
}

/*
 * One interpreter, with the extension modules beside it. Returns fields compared, 0 where it has no
 * DWARF.
 */
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
	snprintf(pattern, sizeof(pattern), "%s/lib/python%u.%u%s*/lib-dynload/*.so", dir,
		 f.version >> 24, f.version >> 16 & 255, f.free_threaded ? "t" : "");
	add_files(&c, pattern);
	f.trace_refs = has_links(&c);
	f.debug |= f.trace_refs && f.version < SCRY_VERSION_OF(3, 8);
	f.free_threaded = c.dwarf.slot[SCRY_F_OBJECT_TID].size != 0;
	f.stackless = c.dwarf.size[SCRY_S_TASKLET] != 0;
	compare(&c, &f, is_32bit(file) ? &i386 : &linux64);
	print_message("# %s: %u fields compared, %u wrong\n", file, c.fields, c.wrong);
	*wrong += c.wrong;
	return c.fields;
}

/* The interpreters of one prefix, each version and build once. */
static unsigned compare_dir(const char *dir, unsigned *wrong)
{
	static const char *const places[] = { "lib/libpython*.so*", "bin/python?.?*", "python" };
	char seen[16][24] = { "" };
	unsigned fields = 0, count = 0;

	for (size_t i = 0; i < COUNT(places); i++) {
		char pattern[600];
		glob_t g;

		snprintf(pattern, sizeof(pattern), "%s/%s", dir, places[i]);
		if (glob(pattern, 0, NULL, &g) != 0)
			continue;
		for (size_t k = 0; k < g.gl_pathc && count < COUNT(seen); k++) {
			const char *name = strstr(strrchr(g.gl_pathv[k], '/'), "python");
			unsigned n, known = 0;
			size_t len = name ? strcspn(name, "-m") : 0;

			if (!name || len >= sizeof(seen[0]) || (name[len] == '-' && i))
				continue;
			len = strstr(name, ".so") ? (size_t)(strstr(name, ".so") - name) : len;
			while (known < count &&
			       (strncmp(seen[known], name, len) != 0 || seen[known][len]))
				known++;
			if (known < count ||
			    (n = compare_interpreter(dir, g.gl_pathv[k], wrong)) == 0)
				continue;
			memcpy(seen[count++], name, len);
			fields += n;
		}
		globfree(&g);
	}
	return fields;
}

/* Directories under `place`, which an environment variable may name, else one at home. */
static unsigned compare_places(const char *place, const char *otherwise, const char *below,
			       unsigned *wrong)
{
	const char *home = getenv("HOME");
	unsigned count = 0;
	char pattern[600];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s%s%s",
		 place  ? place
		 : home ? home
			: "",
		 place ? "" : otherwise, below);
	if (glob(pattern, 0, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++)
		count += compare_dir(g.gl_pathv[i], wrong) != 0;
	globfree(&g);
	return count;
}

/*
 * The directories (prefixes) of interpreters: pyenv's, what tests/support/debian.py has fetched of
 * Debian's, and those in PYSCRY_INTERPRETERS, split by ':'.
 */
static void rows_beside_dwarf(void **state)
{
	(void)state;
	const char *more = getenv("PYSCRY_INTERPRETERS");
	unsigned count = 0, wrong = 0;
	char pattern[600];

	count += compare_places(getenv("PYENV_ROOT"), "/.pyenv", "/versions/*", &wrong);
	count += compare_places(getenv("XDG_CACHE_HOME"), "/.cache", "/pyscry/dwarf/*", &wrong);
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows_beside_dwarf) };

	return cmocka_run_group_tests_name("layout beside DWARF", tests, NULL, NULL);
}
