/*
 * Line tables: the tables of one function, compiled by five CPythons, beside what each says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/linetable.h"

/*
 * def f(a,                     # 2
 *       b):
 *     x = [i                   # 4
 *          for i in a]
 *     if x:                    # 6
 *         return (a +          # 7
 *                 b)
 *     try:
 *         y = 1                # 10
 *     finally:
 *         z = 2                # 12
 *     return y                 # 13
 */
#define TABLE(text)                                          \
	{                                                    \
		(const uint8_t *)(text), sizeof(text) - 1, 2 \
	}

typedef int line_fn(const struct scry_line_table *t, int64_t lasti, struct scry_location *ret);

struct start {
	int offset, line;
};

/* Each line holds from its offset to the byte before the next. */
static void check_lines(line_fn *fn, const struct scry_line_table *t, const struct start *starts,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct scry_location at = { 0 }, last = { 0 };

		fn(t, starts[i].offset, &at);
		assert_int_equal(at.line, starts[i].line);
		if (i + 1 < count) {
			fn(t, starts[i + 1].offset - 1, &last);
			assert_int_equal(last.line, starts[i].line);
		}
	}
}
#define CHECK(fn, t, starts) check_lines(fn, &(t), starts, sizeof(starts) / sizeof(*(starts)))

static void lnotab_2_7(void **state)
{
	(void)state;
	const struct scry_line_table t =
		TABLE("\x00\x02\x03\x01\x16\x01\x06\x01\x03\x01\x05\x01\x03\x01\x0a\x02\x07\x01");
	static const struct start starts[] = { { 0, 4 },   { 3, 5 },   { 25, 6 },
					       { 31, 7 },  { 34, 8 },  { 39, 9 },
					       { 42, 10 }, { 52, 12 }, { 59, 13 } };

	CHECK(scry_line_from_lnotab, t, starts);
}

static void lnotab_3_6(void **state)
{
	(void)state;
	const struct scry_line_table t =
		TABLE("\x00\x02\x06\x01\x08\x01\x04\x01\x02\x01\x06\x01\x02\x01\x08\x02\x06\x01");
	static const struct start starts[] = { { 0, 4 },   { 6, 5 },   { 14, 6 },
					       { 18, 7 },  { 20, 8 },  { 26, 9 },
					       { 28, 10 }, { 36, 12 }, { 42, 13 } };
	const struct scry_line_table back = TABLE("\x04\xff\x06\x80\x02\x7f");
	static const struct start back_starts[] = { { 0, 2 }, { 4, 1 } };

	CHECK(scry_line_from_signed_lnotab, t, starts);
	CHECK(scry_line_from_signed_lnotab, back, back_starts);
}

static void ranges_3_10(void **state)
{
	(void)state;
	const struct scry_line_table t =
		TABLE("\x06\x02\x02\x01\x06\xff\x04\x02\x02\x01\x02\x01\x04\xff\x02\x02"
		      "\x06\x01\x04\x02\x04\x01\x06\xff");
	static const struct start starts[] = { { 0, 4 },   { 6, 5 },   { 8, 4 },   { 14, 6 },
					       { 18, 7 },  { 20, 8 },  { 22, 7 },  { 26, 9 },
					       { 28, 10 }, { 34, 12 }, { 38, 13 }, { 42, 12 } };
	const struct scry_line_table none = TABLE("\x02\x01\x02\x80\x02\x01");
	static const struct start none_starts[] = { { 0, 3 }, { 2, 0 }, { 4, 4 }, { 6, 0 } };
	struct scry_location before = { 0 };

	CHECK(scry_line_from_ranges, t, starts);
	CHECK(scry_line_from_ranges, none, none_starts);
	scry_line_from_ranges(&t, -1, &before);
	assert_int_equal(before.line, 2);
}

static const struct scry_line_table table_3_12 =
	TABLE("\x80\x00\xf0\x06\x00\x13\x14\xf6\x03\x01\x09\x15\xd8\x0d\x0e\xf2\x03\x00\x0a\x0b\xf0"
	      "\x00\x01\x09\x15\x80\x41"
	      "\xf0\x00\x01\x09\x15\xe1\x07\x08\xd8\x10\x11\xd8\x10\x11\xf1\x03\x01\x11\x12\xf0\x00"
	      "\x01\x09\x13\xf0\x04\x03"
	      "\x05\x0e\xd8\x0c\x0d\x88\x01\xe0\x0c\x0d\x88\x01\xd8\x0b\x0c\x80\x48\xf9\xf2\x13\x01"
	      "\x09\x15\xf8\xf0\x10\x00"
	      "\x0d\x0e\x89\x01\xfa");

static void locations_3_12(void **state)
{
	(void)state;
	/* offset, line, end line, columns from 0, as co_positions() gives them */
	static const struct {
		int offset, line, end_line, column, end_column;
	} facts[] = { { 0, 2, 2, 0, 0 },     { 12, 4, 5, 8, 20 },    { 24, 4, 4, 9, 10 },
		      { 36, 7, 7, 16, 17 },  { 48, 10, 10, 12, 13 }, { 60, 0, 0, -1, -1 },
		      { 72, 12, 12, 12, 13 } };

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		struct scry_location at = { 0 };

		scry_line_from_locations(&table_3_12, facts[i].offset, &at);
		assert_int_equal(at.line, facts[i].line);
		assert_int_equal(at.end_line, facts[i].end_line);
		assert_int_equal(at.column, facts[i].column + 1);
		assert_int_equal(at.end_column, facts[i].end_column + 1);
	}
}

/* Any bytes: nothing is read outside the table (the sanitizers watch), and a walk ends. */
static void hostile_tables(void **state)
{
	(void)state;
	static line_fn *const all[] = { scry_line_from_lnotab, scry_line_from_signed_lnotab,
					scry_line_from_ranges, scry_line_from_locations };
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		uint8_t data[32];
		uint32_t size = seed % sizeof(data);

		for (uint32_t i = 0; i < size; i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = (uint8_t)(seed >> 24) | (i % 3 ? 0 : 0x80);
		}
		const struct scry_line_table t = { data, size, 1 };
		struct scry_location at = { 0 };

		all[round % 4](&t, round % 100 - 1, &at);
		assert_true(at.line >= 0 && at.end_line >= 0 && at.column >= 0 &&
			    at.end_column >= 0);
		seed = seed * 1664525 + 1013904223;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lnotab_2_7),     cmocka_unit_test(lnotab_3_6),
		cmocka_unit_test(ranges_3_10),    cmocka_unit_test(locations_3_12),
		cmocka_unit_test(hostile_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
