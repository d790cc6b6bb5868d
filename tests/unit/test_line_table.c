/*
 * Line tables beside libdw's reading of them: this program's own, built once with each form of the
 * header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "symbol/line_table.h"

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One address: the same line of the same file, or none by both. */
static void compare(const struct scry_line_table *t, Dwarf_Die *unit, Dwarf_Addr addr)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, addr);
	int wanted, found = 0, rc;
	uint64_t file = 0;

	rc = scry_line_table_find(t, addr, &found, &file);
	assert_int_equal(rc, line != NULL);
	if (!line)
		return;
	assert_int_equal(dwarf_lineno(line, &wanted), 0);
	assert_int_equal(found, wanted);
	SCRY_AUTO_BUF(path);
	assert_true(scry_line_table_file(t, file, &path));
	assert_string_equal(last_part(path.text), last_part(dwarf_linesrc(line, NULL, NULL)));
}

static size_t compare_unit(Dwarf *dwarf, Dwarf_Die *unit)
{
	struct scry_line_table t;
	Dwarf_Lines *lines;
	Dwarf_Addr addr;
	size_t count;

	if (dwarf_getsrclines(unit, &lines, &count) != 0)
		return 0;
	assert_true(scry_line_table_open(dwarf, unit, &t));
	assert_int_equal(t.version, DWARF_VERSION);
	for (size_t i = 0; i < count; i += 1 + count / 200) {
		assert_int_equal(dwarf_lineaddr(dwarf_onesrcline(lines, i), &addr), 0);
		compare(&t, unit, addr);
		compare(&t, unit, addr + 1);
		compare(&t, unit, addr - 1);
	}
	assert_int_equal(dwarf_lineaddr(dwarf_onesrcline(lines, count - 1), &addr), 0);
	compare(&t, unit, addr);
	compare(&t, unit, 1);
	return count;
}

static bool is_own(Dwarf_Die *unit)
{
	return !strcmp(last_part(dwarf_diename(unit)), "test_line_table.c");
}

static void lines_are_those_of_libdw(void **state)
{
	(void)state;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Dwarf *dwarf = dwarf_begin(fd, DWARF_C_READ);
	Dwarf_Off at = 0, next;
	Dwarf_Die unit;
	size_t header, lines = 0;

	assert_non_null(dwarf);
	for (; dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL) == 0; at = next)
		if (dwarf_offdie(dwarf, at + header, &unit) && is_own(&unit))
			lines += compare_unit(dwarf, &unit);
	assert_true(lines > 50);
	dwarf_end(dwarf);
	close(fd);
}

/* Cut or changed bytes end in a refusal or in another line, never outside of the table. */
static void damage_is_survived(void **state)
{
	(void)state;
	/* a program of version 4: set_address, copy, special opcodes, end */
	static const uint8_t good[] = { 0, 9, 2, 0, 0x10, 0,    0, 0, 0, 0, 0, /* 0x1000 */
					3, 9, 1, 2, 4,    0x4b, 2, 4, 0, 1, 1 };
	static const uint8_t lengths[] = { 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1 };
	uint8_t bytes[sizeof(good)];
	struct scry_line_table t = { .version = 4,
				     .offset_size = 4,
				     .min_length = 1,
				     .line_range = 14,
				     .opcode_base = 13,
				     .line_base = -5,
				     .lengths = lengths };
	uint64_t file;
	int line;

	t.program = (struct scry_line_bytes) { good, good + sizeof(good), false };
	assert_int_equal(scry_line_table_find(&t, 0x1001, &line, &file), 1);
	assert_int_equal(line, 10);
	assert_int_equal(scry_line_table_find(&t, 0x1004, &line, &file), 1);
	assert_int_equal(scry_line_table_find(&t, 0x2000, &line, &file), 0);
	assert_int_equal(scry_line_table_find(&t, 0xfff, &line, &file), 0);
	for (size_t at = 0; at < sizeof(good); at++)
		for (unsigned value = 0; value < 256; value += 5) {
			memcpy(bytes, good, sizeof(good));
			bytes[at] = (uint8_t)value;
			for (size_t size = 1; size <= sizeof(good); size++) {
				uint8_t *exact = memcpy(test_malloc(size), bytes, size);

				t.program = (struct scry_line_bytes) { exact, exact + size, false };
				scry_line_table_find(&t, 0x1001, &line, &file);
				t.directories = t.program;
				for (t.version = 4; t.version <= 5; t.version++) {
					SCRY_AUTO_BUF(path);
					scry_line_table_file(&t, 1, &path);
				}
				test_free(exact);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_those_of_libdw),
		cmocka_unit_test(damage_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
