/* Overlays over a target's memory, and the registers that the first words of a saved C stack hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "target/image.h"
#include "target/overlay.h"
#include "task/slice.h"

#define SP 0x7ffe1000
#define SWITCH 0x5000   /* returns into slp_switch() */
#define TRANSFER 0x6000 /* into slp_transfer() */
#define SOMEWHERE 0x7000

/* --- overlays --- */

static void overlays_stand_over_memory(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(62, true, false);
	struct scry_overlay first, second;
	char got[32] = "";
	size_t len;

	assert_true(scry_image_add_bytes(s, 0x1000, "abcdefghijklmnop", 16));
	assert_int_equal(scry_read(s, 0x1000, got, 16), SCRY_OK); /* what was seen is not shown again */
	scry_overlay_set(s->target, &first, 0x1004, "WXYZ", 4);
	assert_int_equal(scry_read(s, 0x1000, got, 16), SCRY_OK);
	assert_string_equal(got, "abcdWXYZijklmnop");
	assert_non_null(scry_view(s, 0x1001, &len));
	assert_int_equal(len, 3);
	scry_overlay_set(s->target, &second, 0x1006, "123456789012", 12); /* beyond what the target has */
	memset(got, 0, sizeof(got));
	assert_int_equal(scry_read_some(s, 0x1000, got, 32), 18);
	assert_string_equal(got, "abcdWX123456789012");
	scry_overlay_remove(s->target, &second);
	memset(got, 0, sizeof(got));
	assert_int_equal(scry_read_some(s, 0x1000, got, 32), 16);
	assert_string_equal(got, "abcdWXYZijklmnop");
	scry_overlay_remove(s->target, &first);
	assert_int_equal(scry_read(s, 0x1000, got, 16), SCRY_OK);
	assert_string_equal(got, "abcdefghijklmnop");
	scry_session_free(s);
}

/* --- slices --- */

static int by_name(void *arg, scry_addr pc, const char *function)
{
	(void)arg;
	if (pc != SWITCH && pc != TRANSFER && pc != SOMEWHERE)
		return 0;
	return !strcmp(function, pc == SWITCH ? "slp_switch" : pc == TRANSFER ? "slp_transfer" : "");
}

static int nameless(void *arg, scry_addr pc, const char *function)
{
	(void)arg, (void)function;
	return pc == SWITCH || pc == TRANSFER || pc == SOMEWHERE ? -1 : 0;
}

static uint64_t reg(const struct scry_regs *regs, const char *name)
{
	uint64_t value = 0;

	assert_true(scry_regs_find(regs, name, &value));
	return value;
}

static void check(const struct scry_regs *regs, uint64_t pc, uint64_t sp)
{
	static const char *const names[] = { "rbx", "rbp", "r12", "r13", "r14", "r15" };

	for (size_t i = 0; i < 6; i++)
		assert_int_equal(reg(regs, names[i]), 0xb0 + i);
	assert_int_equal(reg(regs, "rip"), pc);
	assert_int_equal(reg(regs, "rsp"), sp);
	assert_int_equal(__builtin_popcountll(regs->valid), 8);
}

/* slp_switch(): own rbp in word k points at word m, below it rbx, r12-r15; above it the return address. */
static struct scry_slice inline_slice(uint64_t *words, size_t count, size_t k, size_t m)
{
	const uint64_t saved[] = { 0xb0, 0xb2, 0xb3, 0xb4, 0xb5, 0xb1, TRANSFER };

	memset(words, 0, count * sizeof(*words));
	memcpy(words + m - 5, saved, sizeof(saved));
	words[k] = SP + 8 * m;
	return (struct scry_slice){ .words = words, .count = count, .sp = SP, .returns_to = by_name };
}

static void inline_switch(void **state)
{
	(void)state;
	struct scry_regs regs;
	uint64_t words[40];

	for (size_t m = 7; m <= 24; m++) {
		struct scry_slice slice = inline_slice(words, 40, 1, m);

		assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_OK);
		check(&regs, TRANSFER, SP + 8 * (m + 2));
		slice.returns_to = nameless;
		assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_OK);
		check(&regs, TRANSFER, SP + 8 * (m + 2));
		slice.count = m + 1; /* the return address is cut off */
		assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_ENOTFOUND);
	}
	/* a word that looks like a frame pointer but has no return address above it is passed over */
	struct scry_slice slice = inline_slice(words, 40, 1, 12);
	words[0] = SP + 8 * 20;
	words[21] = SOMEWHERE;
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_OK);
	check(&regs, TRANSFER, SP + 8 * 14);
}

static void stackman_switch(void **state)
{
	(void)state;
	struct scry_regs regs;
	uint64_t words[24] = { 0, 0x1f80037f, 0, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, SWITCH };
	struct scry_slice slice = { .words = words, .count = 24, .sp = SP, .returns_to = by_name };

	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_OK);
	check(&regs, SWITCH, SP + 0x50);
	slice.returns_to = nameless;
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_OK);
	check(&regs, SWITCH, SP + 0x50);
	/* its rbp may look like the other form's: the name decides */
	slice.returns_to = by_name;
	words[4] = SP + 8 * 16;
	words[17] = TRANSFER;
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_OK);
	assert_int_equal(reg(&regs, "rip"), SWITCH);
	slice.count = 9;
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_ENOTFOUND);
}

static void nonsense(void **state)
{
	(void)state;
	struct scry_regs regs;
	uint64_t words[30];
	struct scry_slice slice = inline_slice(words, 30, 1, 8);

	assert_int_equal(scry_slice_regs(&slice, &scry_arch_aarch64, &regs), SCRY_EUNSUPPORTED);
	assert_int_equal(scry_slice_regs(&slice, NULL, &regs), SCRY_EUNSUPPORTED);
	words[9] = 0x1234; /* returns to no code */
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_ENOTFOUND);
	slice.count = 0;
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_ENOTFOUND);
	for (size_t i = 0; i < 30; i++) /* all point at each other */
		words[i] = SP + 8 * ((i * 7) % 30);
	slice.count = 30;
	slice.returns_to = nameless;
	assert_int_equal(scry_slice_regs(&slice, &scry_arch_x86_64, &regs), SCRY_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlays_stand_over_memory), cmocka_unit_test(inline_switch),
		cmocka_unit_test(stackman_switch), cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
