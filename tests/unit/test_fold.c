/* Stacks folded: the tree, its counts, its bytes; and the JSON reader that answers come through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_read.h"
#include "fold/fold.h"

/* "abc": functions, the newest first, a digit its line. */
static struct scry_fold_node *add(struct scry_fold *f, const char *names, uint64_t pid)
{
	struct scry_fold_stack st = { .fold = f };
	struct scry_fold_member m = { .pid = pid, .tid = pid * 10, .name = "t", .target = "x" };

	for (; *names; names++) {
		char name[2] = { *names, 0 };

		scry_fold_stack_put(&st, &(struct scry_fold_frame) {
						 .function = name, .file = "/d/f.py", .line = 7 });
	}
	struct scry_fold_node *n = scry_fold_stack_add(&st, &m);
	scry_fold_stack_done(&st);
	return n;
}

static void put_branches(const struct scry_fold *f, const struct scry_fold_branch *b,
			 struct scry_buf *out)
{
	struct scry_fold_branch *list;
	size_t count = scry_fold_branches(f, b, &list);

	for (size_t i = 0; i < count; i++) {
		const struct scry_fold_node **nodes;
		const struct scry_fold_member **members;
		size_t n = scry_fold_branch_nodes(&list[i], &nodes);

		scry_buf_printf(out, "(%d", (int)list[i].count);
		for (size_t k = 0; k < n; k++)
			scry_buf_puts(out, nodes[k]->frame->function);
		free(nodes);
		assert_int_equal(scry_fold_members(f, &list[i], &members), list[i].count);
		free(members);
		put_branches(f, &list[i], out);
		scry_buf_putc(out, ')');
	}
	free(list);
}

static void check(struct scry_fold *f, enum scry_fold_group group, const char *wanted)
{
	SCRY_AUTO_BUF(text);

	f->group = group;
	scry_fold_count(f);
	put_branches(f, NULL, &text);
	assert_string_equal(text.text, wanted);
}

static void fill(struct scry_fold *f)
{
	static const struct {
		const char *names;
		uint64_t pid;
	} stacks[] = { { "xba", 1 }, { "xba", 1 }, { "yba", 1 },
		       { "ba", 2 },  { "xba", 3 }, { "c", 3 } };

	for (size_t i = 0; i < sizeof(stacks) / sizeof(*stacks); i++) {
		if (i && stacks[i].pid != stacks[i - 1].pid)
			scry_fold_next_process(f);
		assert_non_null(add(f, stacks[i].names, stacks[i].pid));
	}
}

static void tree(void **unused)
{
	struct scry_fold f = { .group = SCRY_FOLD_BY_THREAD };
	struct scry_fold_branch *list;

	(void)unused;
	fill(&f);
	check(&f, SCRY_FOLD_BY_THREAD, "(1c)(5ab(1)(1y)(3x))");
	check(&f, SCRY_FOLD_BY_PROCESS, "(1c)(3ab(1)(1y)(2x))");
	assert_int_equal(scry_fold_total(&f), 3);
	assert_int_equal(scry_fold_leaves(&f, &list), 4);
	free(list);
	assert_null(add(&f, "", 4));
	assert_int_equal(f.empty, 1);
	scry_fold_done(&f);
}

static void wire(void **unused)
{
	struct scry_fold f = { .group = SCRY_FOLD_BY_THREAD };
	SCRY_AUTO_BUF(bytes);

	(void)unused;
	fill(&f);
	scry_fold_value_put(&f, f.root.children, "n", "<A at 0x7f0012345678>");
	scry_fold_value_put(&f, f.root.children, "n", "<A at 0x7f00123456f8>");
	assert_null(f.root.children->variables->values->next);
	scry_fold_value_put(&f, f.root.children, "n", "2");
	assert_true(scry_fold_differs(f.root.children->variables));
	scry_fold_write(&f, &bytes);
	scry_fold_done(&f);
	assert_true(scry_fold_read(&f, bytes.text, bytes.len));
	/* all of a target are one process */
	check(&f, SCRY_FOLD_BY_THREAD, "(1c)(5ab(1)(1y)(3x))");
	check(&f, SCRY_FOLD_BY_PROCESS, "(1ab(1)(1x)(1y))(1c)");
	assert_true(scry_fold_read(&f, bytes.text, bytes.len));
	check(&f, SCRY_FOLD_BY_THREAD, "(2c)(10ab(2)(2y)(6x))");
	scry_fold_done(&f);
	/* cut anywhere it is not whole; changed anywhere it is read to some end */
	for (size_t i = 0; i < bytes.len; i++) {
		char *copy = malloc(bytes.len);

		memcpy(copy, bytes.text, bytes.len);
		assert_false(scry_fold_read(&f, copy, i));
		scry_fold_done(&f);
		for (unsigned bit = 0; bit < 8; bit++) {
			copy[i] ^= (char)(1 << bit);
			scry_fold_read(&f, copy, bytes.len);
			scry_fold_count(&f);
			scry_fold_done(&f);
			copy[i] ^= (char)(1 << bit);
		}
		free(copy);
	}
}

static void deep(void **unused)
{
	struct scry_fold f = { .group = SCRY_FOLD_BY_THREAD };
	char *names = malloc(200001);

	(void)unused;
	memset(names, 'r', 200000);
	names[0] = 'n';
	names[199999] = 'o';
	names[200000] = 0;
	struct scry_fold_node *n = add(&f, names, 1);
	assert_int_equal(n->depth, SCRY_FOLD_DEPTH);
	assert_string_equal(n->frame->function, "n");
	unsigned omitted = 0;
	for (; n->parent->frame; n = n->parent)
		omitted += n->frame->kind == SCRY_FOLD_OMITTED &&
			   !strcmp(n->frame->function, "195905 more frames");
	assert_int_equal(omitted, 1);
	assert_string_equal(n->frame->function, "o");
	free(names);
	scry_fold_done(&f);
}

static uint64_t signature(const char *names)
{
	struct scry_fold f = { .group = SCRY_FOLD_BY_THREAD };
	struct scry_fold_stack st = { .fold = &f };

	for (; *names; names++) {
		char name[2] = { *names, 0 };

		scry_fold_stack_put(&st, &(struct scry_fold_frame) { .function = name });
	}
	scry_fold_stack_collapse(&st);
	struct scry_fold_node *n = scry_fold_stack_add(&st, &(struct scry_fold_member) { 0 });
	uint64_t found = scry_fold_signature(n);
	scry_fold_stack_done(&st);
	scry_fold_done(&f);
	return found;
}

static void signatures(void **unused)
{
	(void)unused;
	assert_true(signature("xrrrra") == signature("xra"));
	assert_true(signature("xpqpqpqa") == signature("xpqa"));
	assert_false(signature("xra") == signature("yra"));
	assert_false(signature("xpqa") == signature("xqpa"));
}

/* Past the bound stacks are counted as left out. */
static void full(void **unused)
{
	struct scry_fold f = { .group = SCRY_FOLD_BY_THREAD };
	uint64_t taken = 0;

	(void)unused;
	assert_non_null(add(&f, "ab", 1));
	f.bytes = SCRY_FOLD_BYTES - 500;
	for (unsigned i = 0; i < 20; i++)
		taken += add(&f, "ab", 1) != NULL;
	assert_true(taken > 0 && taken < 20);
	assert_int_equal(f.left, 20 - taken);
	scry_fold_done(&f);
}

/* Every value of a text, written again. */
static void copy(struct scry_json_reader *r, struct scry_json *j)
{
	SCRY_AUTO_BUF(text);
	int64_t n = 0;

	switch (scry_json_next_kind(r)) {
	case SCRY_JSON_OBJECT:
		scry_json_enter(r, SCRY_JSON_OBJECT);
		scry_json_open(j, '{');
		while (scry_json_member(r)) {
			scry_json_key(j, r->key.text);
			copy(r, j);
		}
		scry_json_close(j, '}');
		break;
	case SCRY_JSON_ARRAY:
		scry_json_enter(r, SCRY_JSON_ARRAY);
		scry_json_open(j, '[');
		while (scry_json_element(r))
			copy(r, j);
		scry_json_close(j, ']');
		break;
	case SCRY_JSON_STRING:
		scry_json_take_text(r, &text);
		scry_json_bytes(j, text.text, text.len);
		break;
	case SCRY_JSON_NUMBER:
		if (scry_json_take_int(r, &n))
			scry_json_int(j, n);
		else
			scry_json_text(j, "no int");
		break;
	case SCRY_JSON_NULL:
		scry_json_skip(r);
		scry_json_null(j);
		break;
	default:
		scry_json_bool(j, scry_json_take_bool(r));
	}
}

static void json(void **unused)
{
	static const char good[] =
		"{\"a\":[1,-2,[],{},\"x\\u001b\\\\\\\"\\ud800y\\u061c\",true,false,null],\"b\":"
		"{\"c\":9223372036854775807,\"d\":\"no int\"},\"\":[[[\"\"]]]}";
	static const char *const bad[] = {
		"",         "{",          "[1",    "[1 2]",   "[1,]",
		"{\"a\"}",  "{\"a\":1,}", "{a:1}", "\"\\x\"", "\"\\u12\"",
		"\"a\nb\"", "nul",        "]",     "[}",      "{]",
	};
	struct scry_json_reader r;
	SCRY_AUTO_BUF(out);
	struct scry_json j = { &out, false };

	(void)unused;
	scry_json_reader_init(&r, good, strlen(good));
	copy(&r, &j);
	assert_true(!r.failed && scry_json_at_end(&r));
	assert_string_equal(out.text, good);
	scry_json_reader_done(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		scry_json_reader_init(&r, bad[i], strlen(bad[i]));
		scry_json_skip(&r);
		assert_non_null(r.failed);
		scry_json_reader_done(&r);
	}
	/* cut anywhere */
	for (size_t i = 0; i < strlen(good); i++) {
		char *part = malloc(i + 1);

		memcpy(part, good, i);
		scry_json_reader_init(&r, part, i);
		scry_json_skip(&r);
		assert_non_null(r.failed);
		scry_json_reader_done(&r);
		free(part);
	}
	char *deep_text = malloc(100000);
	memset(deep_text, '[', 100000);
	scry_json_reader_init(&r, deep_text, 100000);
	scry_json_skip(&r);
	assert_non_null(r.failed);
	scry_json_reader_done(&r);
	free(deep_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree),       cmocka_unit_test(wire), cmocka_unit_test(deep),
		cmocka_unit_test(signatures), cmocka_unit_test(full), cmocka_unit_test(json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
