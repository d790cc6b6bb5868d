/*
 * Rows of Stackless beside offsets that gdb's ptype /o told of real builds (x86-64 Linux, gcc 12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layout/rows.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct scry_abi linux64 = { .ptr_size = 8,
					 .long_size = 8,
					 .align8 = 8,
					 .wchar_size = 4,
					 .long_double = 16,
					 .mutex_size = 40 };

/* Members of st stand relative to it. */
static const enum scry_field columns[] = {
	SCRY_F_THREAD_STACKLESS,
	SCRY_F_STACKLESS_INITIAL_STUB,
	SCRY_F_STACKLESS_SERIAL_LAST_JUMP,
	SCRY_F_STACKLESS_MAIN,
	SCRY_F_STACKLESS_CURRENT,
	SCRY_F_STACKLESS_IS_BLOCKED,
	SCRY_F_STACKLESS_DEL_POST_SWITCH,
	SCRY_F_STACKLESS_RUNCOUNT,
	SCRY_F_STACKLESS_NESTING_LEVEL,
	SCRY_F_TASKLET_FLAGS,
	SCRY_F_TASKLET_CSTATE,
	SCRY_F_FRAME_CODE,
	SCRY_F_FRAME_SLOTS,
	SCRY_F_CSTACK_STACK,
	SCRY_F_CHANNEL_BALANCE,
};

static const struct {
	uint8_t major, minor, micro;
	bool traced; /* a debug build with links in every object (Py_TRACE_REFS, before 3.8) */
	unsigned offsets[COUNT(columns)];
} builds[] = {
	{ 2, 7, 8, false, { 168, 0, 16, 40, 48, 104, 120, 56, 112, 48, 56, 376, 384, 80, 32 } },
	{ 2, 7, 17, false, { 168, 0, 16, 40, 48, 88, 96, 136, 148, 48, 56, 376, 384, 80, 32 } },
	{ 3, 4, 2, false, { 176, 0, 16, 40, 48, 112, 128, 56, 120, 48, 56, 376, 384, 80, 32 } },
	{ 3, 4, 10, false, { 176, 0, 16, 40, 48, 96, 104, 144, 156, 48, 56, 376, 384, 80, 32 } },
	{ 3, 4, 10, true, { 176, 0, 16, 40, 48, 96, 104, 144, 156, 64, 72, 392, 400, 96, 48 } },
	{ 3, 5, 7, false, { 176, 0, 16, 40, 48, 96, 104, 144, 156, 48, 56, 376, 384, 80, 32 } },
	{ 3, 6, 9, false, { 176, 0, 16, 40, 48, 96, 104, 144, 156, 48, 56, 376, 384, 80, 32 } },
	{ 3, 7, 5, false, { 280, 16, 8, 40, 48, 96, 104, 144, 148, 96, 48, 360, 368, 80, 32 } },
	{ 3, 7, 9, false, { 280, 16, 8, 40, 48, 96, 104, 144, 148, 96, 48, 360, 368, 80, 32 } },
	{ 3, 8, 1, false, { 264, 16, 8, 40, 48, 96, 104, 144, 148, 96, 48, 32, 360, 80, 32 } },
};

static void rows(size_t i, struct scry_layout *l)
{
	struct scry_flavour f = { .version = SCRY_VERSION_OF(builds[i].major, builds[i].minor,
							     builds[i].micro),
				  .stackless = true,
				  .debug = builds[i].traced,
				  .trace_refs = builds[i].traced };

	assert_int_equal(scry_layout_from_rows(&f, &linux64, l), SCRY_OK);
}

static void rows_are_as_in_builds(void **state)
{
	static struct scry_layout l;
	(void)state;

	for (size_t i = 0; i < COUNT(builds); i++) {
		rows(i, &l);
		for (size_t k = 0; k < COUNT(columns); k++) {
			const struct scry_slot *slot = &l.slot[columns[k]];

			if (!slot->size || slot->offset != builds[i].offsets[k])
				fail_msg("%u.%u.%u: %s at %u, not %u", builds[i].major,
					 builds[i].minor, builds[i].micro,
					 scry_field_name(columns[k]), slot->offset,
					 builds[i].offsets[k]);
		}
	}
}

/* What came later is not there before. */
static void members_that_came_later(void **state)
{
	static struct scry_layout l;
	(void)state;

	for (size_t i = 0; i < COUNT(builds); i++) {
		uint32_t version = SCRY_VERSION_OF(builds[i].major, builds[i].minor, 0);

		rows(i, &l);
		assert_int_equal(scry_layout_has(&l, SCRY_F_TASKLET_EXC_INFO),
				 version >= SCRY_VERSION_OF(3, 7));
		assert_int_equal(scry_layout_has(&l, SCRY_F_FRAME_EXECUTE),
				 version < SCRY_VERSION_OF(3, 8));
		assert_true(scry_layout_has(&l, SCRY_F_STACKLESS_WATCHDOGS));
		assert_true(scry_layout_has(&l, SCRY_F_STACKLESS_IS_IDLE));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_as_in_builds),
		cmocka_unit_test(members_that_came_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
