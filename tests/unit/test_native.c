/* C stacks: expressions of call frame information, and which loop runs which Python frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "native/cfi.h"
#include "native/decode.h"
#include "native/merge.h"
#include "target/image.h"

#define STACK 0x7ffe1000

/* --- expressions --- */

struct vector {
	Dwarf_Op ops[9];
	unsigned count;
	bool ok;
	uint64_t value;
};

#define INT  (4 | SCRY_CTYPE_SIGNED)
#define LONG (8 | SCRY_CTYPE_SIGNED)

static const struct vector vectors[] = {
	/* a signal frame's register: what stands 40 above the stack pointer (rsp is 7) */
	{ { { DW_OP_breg7, 40 }, { DW_OP_deref } }, 2, true, 0x1122334455667788 },
	/* a PLT's frame: rsp + 8 + ((rip & 15) >= 11) * 8 (rip is 16) */
	{ { { DW_OP_breg7, 8 },
	    { DW_OP_breg16, 0 },
	    { DW_OP_lit15 },
	    { DW_OP_and },
	    { DW_OP_lit11 },
	    { DW_OP_ge },
	    { DW_OP_lit3 },
	    { DW_OP_shl },
	    { DW_OP_plus } },
	  9,
	  true,
	  STACK + 8 },
	{ { { DW_OP_breg7, 8 }, { DW_OP_lit8 }, { DW_OP_plus } }, 3, true, STACK + 16 },
	/* places are read, values are not */
	{ { { DW_OP_call_frame_cfa }, { DW_OP_plus_uconst, 8 } }, 2, true, 0x1122334455667788 },
	{ { { DW_OP_call_frame_cfa }, { DW_OP_plus_uconst, 8 }, { DW_OP_stack_value } },
	  3,
	  true,
	  STACK + 40 },
	{ { { DW_OP_bregx, 7, 1 }, { DW_OP_dup }, { DW_OP_minus } }, 3, true, 0 },
	{ { { DW_OP_lit1 }, { DW_OP_lit2 }, { DW_OP_swap }, { DW_OP_shl } }, 4, true, 4 },
	/* one jump over the next operation; one back for ever */
	{ { { DW_OP_lit5, .offset = 0 },
	    { DW_OP_skip, 1, .offset = 1 },
	    { DW_OP_neg, .offset = 4 },
	    { DW_OP_nop, .offset = 5 } },
	  4,
	  true,
	  5 },
	{ { { DW_OP_lit5, .offset = 0 }, { DW_OP_skip, (uint64_t)-4, .offset = 1 } }, 2, false, 0 },
	/* typed numbers: 4 bytes with a sign and without, cut and extended */
	{ { { DW_OP_const_type, 0xfffffff9, INT }, { DW_OP_convert, LONG } },
	  2,
	  true,
	  (uint64_t)-7 },
	{ { { DW_OP_const_type, 0xfffffff9, 4 }, { DW_OP_convert, LONG } }, 2, true, 0xfffffff9 },
	{ { { DW_OP_const_type, 5, 4 }, { DW_OP_const_type, 7, 4 }, { DW_OP_minus } },
	  3,
	  true,
	  0xfffffffe },
	{ { { DW_OP_const_type, 5, INT }, { DW_OP_const_type, 7, INT }, { DW_OP_minus } },
	  3,
	  true,
	  (uint64_t)-2 },
	{ { { DW_OP_const_type, 0xf0, 1 | SCRY_CTYPE_SIGNED }, { DW_OP_lit4 }, { DW_OP_shr } },
	  3,
	  true,
	  15 },
	{ { { DW_OP_const_type, 7, INT }, { DW_OP_const_type, 5, INT }, { DW_OP_gt } },
	  3,
	  true,
	  1 },
	{ { { DW_OP_lit7 }, { DW_OP_neg }, { DW_OP_lit2 }, { DW_OP_div } }, 4, true, (uint64_t)-3 },
	/* of two types, without a divisor, too wide */
	{ { { DW_OP_const_type, 1, INT }, { DW_OP_lit1 }, { DW_OP_plus } }, 3, false, 0 },
	{ { { DW_OP_lit7 }, { DW_OP_lit0 }, { DW_OP_div } }, 3, false, 0 },
	{ { { DW_OP_const_type, 1, 9 } }, 1, false, 0 },
	/* nothing there, not enough there, not known (rax is 0), not readable */
	{ { { DW_OP_nop } }, 1, false, 0 },
	{ { { DW_OP_lit1 }, { DW_OP_plus } }, 2, false, 0 },
	{ { { DW_OP_drop } }, 1, false, 0 },
	{ { { DW_OP_breg0, 0 } }, 1, false, 0 },
	{ { { DW_OP_bregx, 1000 } }, 1, false, 0 },
	{ { { DW_OP_lit1 }, { DW_OP_deref } }, 2, false, 0 },
	{ { { DW_OP_push_object_address } }, 1, false, 0 },
};

static void expressions(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(62, true, false);
	struct scry_regs regs = { .arch = &scry_arch_x86_64 };

	assert_non_null(scry_image_add(s, STACK, 64));
	assert_true(scry_image_put(s, STACK + 40, 8, 0x1122334455667788));
	regs.value[regs.arch->sp] = STACK;
	regs.value[regs.arch->pc] = 0x400010;
	regs.valid = (uint64_t)1 << regs.arch->sp | (uint64_t)1 << regs.arch->pc;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const struct vector *v = &vectors[i];
		struct scry_rule rule = { .kind = SCRY_RULE_EXPRESSION,
					  .typed = true,
					  .ops = v->ops,
					  .count = v->count };
		uint64_t got = 0;
		bool ok = scry_cfi_expression(s, &rule, &regs, STACK + 32, &got);

		if (ok != v->ok || (ok && got != v->value))
			fail_msg("expression %zu: %d, 0x%llx", i, ok, (unsigned long long)got);
	}
	scry_session_free(s);
}

static void unknown_registers(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(62, true, false);
	struct scry_regs none = { 0 };

	assert_int_equal(scry_unwind(s, &none, NULL, NULL), SCRY_ENOTFOUND);
	scry_session_free(s);
}

/* --- places of Python frames --- */

/* Frames of 0x100 bytes each from STACK on; 'L' is the loop. */
static void make_stack(struct scry_c_stack *stack, struct scry_c_frame *frames, const char *text)
{
	*stack = (struct scry_c_stack) { .frames = frames, .count = strlen(text) };
	for (size_t i = 0; i < stack->count; i++) {
		frames[i] = (struct scry_c_frame) { .pc = 0x1000 + i,
						    .sp = STACK + i * 0x100,
						    .loop = text[i] == 'L' };
		stack->loops += frames[i].loop;
	}
}

static void check_places(const struct scry_merge *m, const char *wanted)
{
	for (size_t i = 0; i < m->run_count; i++)
		assert_int_equal(m->runs[i].place, wanted[i] - '0');
}

static void places(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(62, true, false);
	struct scry_layout *layout = calloc(1, sizeof(*layout));
	struct scry_runtime r = { .session = s,
				  .layout = layout,
				  .strategy = scry_strategy_for(0x03090000),
				  .version = 0x03090000 };
	struct scry_c_frame frames[10];
	struct scry_c_stack stack;
	struct scry_run runs[3];
	struct scry_merge m = {
		.session = s, .runtime = &r, .stack = &stack, .runs = runs, .run_count = 3
	};

	/* up to 3.10: in order; what is beyond the end of a stack that was cut stands behind it */
	for (size_t i = 0; i < 3; i++)
		runs[i] =
			(struct scry_run) { .frame = 0x100 + i, .count = 1, .place = SCRY_NOWHERE };
	make_stack(&stack, frames, "cLcLLc");
	scry_merge_place(&m);
	check_places(&m, "134");
	assert_null(m.problem);
	for (size_t i = 0; i < 3; i++)
		runs[i].place = SCRY_NOWHERE;
	make_stack(&stack, frames, "cLcLcc");
	stack.error = "cut";
	scry_merge_place(&m);
	check_places(&m, "135");
	assert_true(runs[1].known && !runs[2].known);
	assert_string_equal(m.problem, "cut");
	/*
	 * since 3.12: by the shims' addresses, without a name; one that is nowhere follows the
	 * newer
	 */
	layout->slot[SCRY_F_IFRAME_CODE] = (struct scry_slot) { .size = 8 };
	const scry_addr anchors[] = { STACK + 0x210, 1, STACK + 0x5f8 };
	for (size_t i = 0; i < 3; i++)
		runs[i] = (struct scry_run) { .count = 1,
					      .anchor = anchors[i],
					      .place = SCRY_NOWHERE };
	make_stack(&stack, frames, "cccccccc");
	m.unplaced = 0;
	scry_merge_place(&m);
	check_places(&m, "225");
	assert_int_equal(m.unplaced, 1);
	assert_non_null(m.problem);
	free(layout);
	scry_session_free(s);
}

/* Instructions that call, of each machine that knows them: Intel SDM, CALL; Arm ARM, C6.2. */
static void calls(void **state)
{
	(void)state;
	static const struct {
		const struct scry_arch *arch;
		uint8_t before[8];
		bool calls;
		int64_t target;
	} rows[] = {
		{ &scry_arch_x86_64, { 0x90, 0x90, 0x90, 0xe8, 0x10, 0, 0, 0 }, true, 16 },
		{ &scry_arch_x86_64,
		  { 0x90, 0x90, 0x90, 0xe8, 0xf0, 0xff, 0xff, 0xff },
		  true,
		  -16 },
		{ &scry_arch_x86_64, { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0 }, true, 0 },
		{ &scry_arch_x86_64, { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0 }, false, 0 },
		/* bl .+8, of which the return address is 4 behind; bl .-4; blr x8; b; ret */
		{ &scry_arch_aarch64, { 0, 0, 0, 0, 0x02, 0, 0, 0x94 }, true, 4 },
		{ &scry_arch_aarch64, { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x97 }, true, -8 },
		{ &scry_arch_aarch64, { 0, 0, 0, 0, 0x00, 0x01, 0x3f, 0xd6 }, true, 0 },
		{ &scry_arch_aarch64, { 0, 0, 0, 0, 0x02, 0, 0, 0x14 }, false, 0 },
		{ &scry_arch_aarch64, { 0, 0, 0, 0, 0xc0, 0x03, 0x5f, 0xd6 }, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t target = -1;

		assert_true(rows[i].arch->code.ends_in_call(rows[i].before, &target) ==
			    rows[i].calls);
		if (rows[i].calls)
			assert_int_equal(target, rows[i].target);
	}
}

/* On arm64 half of a process's addresses have bit 47: they are as good as the others. */
static void canonical(void **state)
{
	(void)state;
	assert_true(scry_is_canonical(&scry_arch_x86_64, 0x00007fffffffffff));
	assert_false(scry_is_canonical(&scry_arch_x86_64, 0x0000800000000000));
	assert_false(scry_is_canonical(&scry_arch_x86_64, 0xdddddddddddddddd));
	assert_true(scry_is_canonical(&scry_arch_x86_64, 0xffff800000000000));
	assert_true(scry_is_canonical(&scry_arch_aarch64, 0x0000ffff9f001000));
	assert_true(scry_is_canonical(NULL, 0x0000ffff9f001000));
}

/* --- instructions --- */

struct code {
	unsigned machine;
	bool is64;
	uint8_t bytes[16];
	size_t len;
	const char *text;
	enum scry_insn_kind kind;
	/* the operand of memory: its base by name, offset, size, and whether it is written */
	const char *base;
	int64_t offset;
	unsigned size;
	bool written;
};

static const struct code codes[] = {
	{ 62,
	  true,
	  { 0x48, 0x8b, 0x50, 0x08 },
	  4,
	  "mov 0x8(%rax),%rdx",
	  SCRY_INSN_MOVE,
	  "rax",
	  8,
	  8,
	  false },
	{ 62,
	  true,
	  { 0xc6, 0x00, 0x78 },
	  3,
	  "movb $0x78,(%rax)",
	  SCRY_INSN_OTHER,
	  "rax",
	  0,
	  1,
	  true },
	{ 62,
	  true,
	  { 0x83, 0x7f, 0xf0, 0x01 },
	  4,
	  "cmpl $0x1,-0x10(%rdi)",
	  SCRY_INSN_OTHER,
	  "rdi",
	  -16,
	  4,
	  false },
	{ 62,
	  true,
	  { 0xff, 0x60, 0x30 },
	  3,
	  "jmp *0x30(%rax)",
	  SCRY_INSN_JUMP,
	  "rax",
	  48,
	  8,
	  false },
	{ 62, true, { 0xff, 0xd0 }, 2, "call *%rax", SCRY_INSN_CALL, "rsp", -8, 8, true },
	{ 62, true, { 0x55 }, 1, "push %rbp", SCRY_INSN_OTHER, "rsp", -8, 8, true },
	{ 62, true, { 0xcc }, 1, "int3", SCRY_INSN_TRAP, NULL, 0, 0, false },
	/* AVX-512: the offset counts in vectors of 32 bytes */
	{ 62,
	  true,
	  { 0x62, 0xf3, 0x7d, 0x20, 0x3f, 0x47, 0x01, 0x00 },
	  8,
	  "vpcmpeqb 0x20(%rdi)",
	  SCRY_INSN_OTHER,
	  "rdi",
	  32,
	  32,
	  false },
	{ 3,
	  false,
	  { 0x8b, 0x42, 0x04 },
	  3,
	  "mov 0x4(%edx),%eax",
	  SCRY_INSN_MOVE,
	  "edx",
	  4,
	  4,
	  false },
	/* little-endian words of A64 */
	{ 183,
	  true,
	  { 0x20, 0x04, 0x40, 0xf9 },
	  4,
	  "ldr x0, [x1, #8]",
	  SCRY_INSN_MOVE,
	  "x1",
	  8,
	  8,
	  false },
	{ 183,
	  true,
	  { 0x43, 0x00, 0x00, 0x39 },
	  4,
	  "strb w3, [x2]",
	  SCRY_INSN_OTHER,
	  "x2",
	  0,
	  1,
	  true },
	{ 183, true, { 0x00, 0x00, 0x3f, 0xd6 }, 4, "blr x0", SCRY_INSN_CALL, NULL, 0, 0, false },
};

static const struct scry_operand *memory_of(const struct scry_insn *insn)
{
	for (unsigned i = 0; i < insn->count; i++)
		if (insn->operands[i].kind == SCRY_OPERAND_MEMORY)
			return &insn->operands[i];
	return NULL;
}

/* What each machine's instructions read, write and are called. */
static void instructions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		const struct code *c = &codes[i];
		struct scry_session *s = scry_image_session(c->machine, c->is64, false);
		struct scry_decoder d;
		struct scry_insn insn;
		SCRY_AUTO_BUF(text);

		assert_true(scry_image_add_bytes(s, 0x400000, c->bytes, sizeof(c->bytes)));
		assert_true(scry_decoder_open(&d, s));
		assert_true(scry_decode(&d, 0x400000, &insn));
		assert_int_equal(insn.size, c->len);
		scry_decode_text(&d, &insn, &text);
		assert_string_equal(text.text, c->text);
		if (insn.kind != c->kind)
			fail_msg("%s: kind %d", c->text, insn.kind);
		const struct scry_operand *o = memory_of(&insn);
		assert_int_equal(o != NULL, c->base != NULL);
		if (o) {
			assert_string_equal(s->target->arch->regs[o->base].name, c->base);
			assert_int_equal(o->offset, c->offset);
			assert_int_equal(o->size, c->size);
			if (o->written != c->written)
				fail_msg("%s: written %d", c->text, o->written);
		}
		scry_decoder_close(&d);
		scry_session_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),       cmocka_unit_test(canonical),
		cmocka_unit_test(expressions), cmocka_unit_test(unknown_registers),
		cmocka_unit_test(places),      cmocka_unit_test(instructions),
	};

	return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
