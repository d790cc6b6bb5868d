/* Layouts: rows against facts, against DWARF and against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/rows.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(frame_3_11), cmocka_unit_test(rows_well_formed),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
