/*
 * Overlays over a target's memory, and the registers that the first words of a saved C stack hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "target/image.h"
#include "target/overlay.h"
#include "task/slice.h"
#include "task/switch_code.h"

#define SP        0x7ffe1000
#define SWITCH    0x5000 /* returns into slp_switch() */
#define TRANSFER  0x6000 /* into slp_transfer() */
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
	/* what was seen is not shown again */
	assert_int_equal(scry_read(s, 0x1000, got, 16), SCRY_OK);
	scry_overlay_set(s->target, &first, 0x1004, "WXYZ", 4);
	assert_int_equal(scry_read(s, 0x1000, got, 16), SCRY_OK);
	assert_string_equal(got, "abcdWXYZijklmnop");
	assert_non_null(scry_view(s, 0x1001, &len));
	assert_int_equal(len, 3);
	/* beyond what the target has */
	scry_overlay_set(s->target, &second, 0x1006, "123456789012", 12);
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
	return !strcmp(function, pc == SWITCH     ? "slp_switch"
				 : pc == TRANSFER ? "slp_transfer"
						  : "");
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

/*
 * slp_switch(): own rbp in word k points at word m, below it rbx, r12-r15; above it the return
 * address.
 */
static struct scry_slice inline_slice(uint64_t *words, size_t count, size_t k, size_t m)
{
	const uint64_t saved[] = { 0xb0, 0xb2, 0xb3, 0xb4, 0xb5, 0xb1, TRANSFER };

	memset(words, 0, count * sizeof(*words));
	memcpy(words + m - 5, saved, sizeof(saved));
	words[k] = SP + 8 * m;
	return (struct scry_slice) {
		.words = words, .count = count, .sp = SP, .returns_to = by_name
	};
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
	/*
	 * a word that looks like a frame pointer but has no return address above it is passed over
	 */
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

/* --- slp_switch() of greenlet, found by its code --- */

#define CODE 0x400000

static int whole_image(struct scry_module *m, const char *name, struct scry_section *ret)
{
	(void)m;
	*ret = (struct scry_section) { CODE, 4096 };
	return strcmp(name, ".text") ? SCRY_ENOTFOUND : SCRY_OK;
}

/* Code at CODE + 100 of an otherwise empty module; how many switches are in it. */
static size_t find_in(const uint8_t *code, size_t size, struct scry_switch_code *ret, size_t max)
{
	static const struct scry_module_ops ops = { .section = whole_image };
	struct scry_session *s = scry_image_session(62, true, false);
	uint8_t *at = scry_image_add(s, CODE, 4096);
	struct scry_module m = {
		.session = s, .ops = &ops, .opened = true, .start = CODE, .end = CODE + 4096
	};

	memcpy(at + 100, code, size);
	size_t count = scry_switch_code_find(&m, ret, max);
	scry_session_free(s);
	return count;
}

static void switch_without_frame_pointer(void **state)
{
	(void)state;
	/*
	 * gcc -O2: fstcw 0xa(%rsp); stmxcsr 0xc(%rsp); mov %rbp,0x10(%rsp); mov %rbx,0x18(%rsp);
	 * mov %rsp,%rbx
	 */
	static const uint8_t code[] = { 0x9b, 0xd9, 0x7c, 0x24, 0x0a, 0x0f, 0xae, 0x5c,
					0x24, 0x0c, 0x48, 0x89, 0x6c, 0x24, 0x10, 0x48,
					0x89, 0x5c, 0x24, 0x18, 0x48, 0x89, 0xe3 };
	uint64_t words[SCRY_SWITCH_WORDS] = { 1, 2, 0xb1, 0xb0 };
	struct scry_switch_code found[2];
	struct scry_regs regs;

	assert_int_equal(find_in(code, sizeof(code), found, 2), 1);
	assert_true(scry_switch_code_regs(&found[0], &scry_arch_x86_64, SP, words, &regs));
	assert_int_equal(reg(&regs, "rip"), CODE + 105);
	assert_int_equal(reg(&regs, "rsp"), SP);
	assert_int_equal(reg(&regs, "rbp"), 0xb1);
	assert_int_equal(reg(&regs, "rbx"), 0xb0);
	assert_int_equal(find_in(code, 10, found, 2), 0); /* rbp is stored nowhere */
	assert_int_equal(find_in(code, sizeof(code), found, 0), 0);
}

static void switch_with_frame_pointer(void **state)
{
	(void)state;
	/* gcc -O0: stmxcsr -0x4c(%rbp); mov %rbp,-0x40(%rbp); mov %rbx,-0x200(%rbp) */
	static const uint8_t code[] = { 0x0f, 0xae, 0x5d, 0xb4, 0x48, 0x89, 0x6d, 0xc0,
					0x48, 0x89, 0x9d, 0x00, 0xfe, 0xff, 0xff };
	uint64_t words[SCRY_SWITCH_WORDS] = { 0 };
	struct scry_switch_code found[2];
	struct scry_regs regs;

	assert_int_equal(find_in(code, sizeof(code), found, 2), 1);
	/* no word points to its place */
	assert_false(scry_switch_code_regs(&found[0], &scry_arch_x86_64, SP, words, &regs));
	words[3] = SP + 8 * 3 + 0x40;
	assert_true(scry_switch_code_regs(&found[0], &scry_arch_x86_64, SP, words, &regs));
	assert_int_equal(reg(&regs, "rbp"), SP + 8 * 3 + 0x40);
	/* rbx lies before the words: it is not known */
	assert_int_equal(__builtin_popcountll(regs.valid), 3);
}

static void other_code(void **state)
{
	(void)state;
	static const uint8_t ldmxcsr[] = { 0x0f, 0xae, 0x54, 0x24, 0x0c,
					   0x48, 0x89, 0x6c, 0x24, 0x10 };
	static const uint8_t indexed[] = { 0x0f, 0xae, 0x5c, 0x05, 0x0c,
					   0x48, 0x89, 0x6c, 0x24, 0x10 };
	static const uint8_t global[] = {
		0x0f, 0xae, 0x1d, 1, 0, 0, 0, 0x48, 0x89, 0x6c, 0x24, 0x10
	};
	static const uint8_t another_base[] = {
		0x0f, 0xae, 0x5c, 0x24, 0x0c, 0x48, 0x89, 0x6d, 0xc0
	};
	static const uint8_t misplaced[] = { 0x0f, 0xae, 0x5c, 0x24, 0x0c,
					     0x48, 0x89, 0x6c, 0x24, 0x11 };
	struct scry_switch_code found[2];

	assert_int_equal(find_in(ldmxcsr, sizeof(ldmxcsr), found, 2), 0);
	assert_int_equal(find_in(indexed, sizeof(indexed), found, 2), 0);
	assert_int_equal(find_in(global, sizeof(global), found, 2), 0);
	assert_int_equal(find_in(another_base, sizeof(another_base), found, 2), 0);
	assert_int_equal(find_in(misplaced, sizeof(misplaced), found, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlays_stand_over_memory),
		cmocka_unit_test(inline_switch),
		cmocka_unit_test(stackman_switch),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(switch_without_frame_pointer),
		cmocka_unit_test(switch_with_frame_pointer),
		cmocka_unit_test(other_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
