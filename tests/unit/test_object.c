/*
 * Values built in memory, for every version and several machines: what they print as, whole and
 * damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/rows.h"
#include "eval/expr.h"
#include "object/known.h"
#include "object/printer.h"
#include "target/image.h"

#define V(major, minor)           ((uint32_t)(major) << 24 | (uint32_t)(minor) << 16)
#define HEAP                      0x10000000u
#define HEAP_SIZE                 0x100000u
#define CHECK_PRINT(w, obj, text) check_print(w, obj, text, __LINE__)

/* A made-up process: a heap that is filled from its start, and types by name. */
struct world {
	struct scry_session *s;
	struct scry_runtime r;
	scry_addr next;
	scry_addr type, object;
};

static const struct machine {
	const char *name;
	unsigned elf;
	bool is64, big;
} machines[] = {
	{ "x86-64", EM_X86_64, true, false },   { "i386", EM_386, false, false },
	{ "aarch64", EM_AARCH64, true, false }, { "s390x", EM_S390, true, true },
	{ "ppc", EM_PPC, false, true },
};
static const uint32_t versions[] = { V(2, 7),  V(3, 3),  V(3, 6),  V(3, 8), V(3, 11),
				     V(3, 12), V(3, 13), V(3, 14), V(3, 15) };

static scry_addr take(struct world *w, size_t size)
{
	scry_addr at = (w->next + 15) & ~(scry_addr)15;

	w->next = at + size;
	assert_true(w->next < HEAP + HEAP_SIZE);
	return at;
}

static void put(struct world *w, scry_addr base, enum scry_field f, uint64_t value)
{
	const struct scry_slot *slot = &w->r.layout->slot[f];
	uint64_t word = 0;

	if (!slot->size)
		return;
	unsigned size = slot->size > 8 ? w->s->target->abi.ptr_size : slot->size;
	if (slot->bits) {
		scry_read_uint(w->s, base + slot->offset, size, &word);
		value = word | value << slot->shift;
	}
	assert_true(scry_image_put(w->s, base + slot->offset, size, value));
}

static void put_word(struct world *w, scry_addr addr, uint64_t value)
{
	assert_true(scry_image_put_ptr(w->s, addr, value));
}

static scry_addr c_string(struct world *w, const char *text)
{
	scry_addr at = take(w, strlen(text) + 1);

	for (size_t i = 0; i <= strlen(text); i++)
		scry_image_put(w->s, at + i, 1, (unsigned char)text[i]);
	return at;
}

static scry_addr new_object(struct world *w, scry_addr type, size_t size)
{
	scry_addr at = take(w, size + 64);

	put(w, at, SCRY_F_OBJECT_REFCNT, 1);
	put(w, at, SCRY_F_OBJECT_TYPE, type);
	return at;
}

static scry_addr new_type(struct world *w, const char *name, uint32_t flags, scry_addr base)
{
	scry_addr at = new_object(w, w->type, w->r.layout->size[SCRY_S_TYPE] + 64);

	put(w, at, SCRY_F_TYPE_NAME, c_string(w, name));
	put(w, at, SCRY_F_TYPE_FLAGS, flags);
	put(w, at, SCRY_F_TYPE_BASE, base);
	put(w, at, SCRY_F_TYPE_BASICSIZE, 16);
	put(w, at, SCRY_F_TYPE_REPR, at); /* its own */
	return at;
}

static bool open_world(struct world *w, uint32_t version, const struct machine *m,
		       bool free_threaded)
{
	struct scry_flavour flavour = { .version = version, .free_threaded = free_threaded };

	memset(w, 0, sizeof(*w));
	w->s = scry_image_session(m->elf, m->is64, m->big);
	assert_non_null(w->s);
	w->next = HEAP;
	scry_image_add(w->s, HEAP, HEAP_SIZE);
	for (int i = 0; i < SCRY_LIMIT_COUNT; i++)
		scry_session_set_limit(w->s, (enum scry_limit)i, i == SCRY_LIMIT_DEPTH ? 6 : 100);
	scry_session_set_limit(w->s, SCRY_LIMIT_TEXT, 5000);
	w->r.session = w->s;
	w->r.version = version;
	w->r.strategy = scry_strategy_for(version);
	w->r.layout = calloc(1, sizeof(*w->r.layout));
	if (scry_layout_from_rows(&flavour, &w->s->target->abi, w->r.layout) < 0)
		return false;
	w->type = take(w, 2000);
	put(w, w->type, SCRY_F_OBJECT_REFCNT, 1);
	put(w, w->type, SCRY_F_OBJECT_TYPE, w->type);
	put(w, w->type, SCRY_F_TYPE_NAME, c_string(w, "type"));
	put(w, w->type, SCRY_F_TYPE_FLAGS, TYPE_TYPE);
	w->object = new_type(w, "object", 0, 0);
	put(w, w->type, SCRY_F_TYPE_BASE, w->object);
	put(w, w->type, SCRY_F_TYPE_REPR, w->type);
	return true;
}

static void close_world(struct world *w)
{
	scry_hash_done(&w->r.names);
	scry_hash_done(&w->r.codes);
	free(w->r.layout);
	scry_session_free(w->s);
}

static void check_print(struct world *w, scry_addr obj, const char *wanted, int line)
{
	struct scry_buf out = SCRY_BUF_INIT;

	scry_repr(&w->r, obj, &out);
	if (strcmp(out.text, wanted))
		print_error("%s:%d: version %x, %u-byte pointers: %s, not %s\n", __FILE__, line,
			    w->r.version, w->s->target->abi.ptr_size, out.text, wanted);
	assert_string_equal(out.text, wanted);
	scry_buf_done(&out);
}

/* --- makers --- */

static scry_addr new_str(struct world *w, const char *ascii)
{
	size_t n = strlen(ascii);

	if (!scry_layout_has(w->r.layout, SCRY_F_ASCII_LENGTH)) {
		scry_addr str = new_object(w, new_type(w, "str", TYPE_BYTES, w->object), n + 60);

		put(w, str, SCRY_F_VAR_SIZE, n);
		for (size_t i = 0; i < n; i++)
			scry_image_put(w->s, scry_field_addr(&w->r, str, SCRY_F_BYTES_DATA) + i, 1,
				       (unsigned char)ascii[i]);
		return str;
	}
	scry_addr str = new_object(w, new_type(w, "str", TYPE_UNICODE, w->object), n + 100);
	put(w, str, SCRY_F_ASCII_LENGTH, n);
	put(w, str, SCRY_F_ASCII_KIND, 1);
	put(w, str, SCRY_F_ASCII_COMPACT, 1);
	put(w, str, SCRY_F_ASCII_ASCII, 1);
	for (size_t i = 0; i < n; i++)
		scry_image_put(w->s, str + w->r.layout->size[SCRY_S_ASCII] + i, 1,
			       (unsigned char)ascii[i]);
	return str;
}

static scry_addr new_int(struct world *w, uint64_t value, bool negative)
{
	const struct scry_slot *digits = &w->r.layout->slot[SCRY_F_LONG_DIGITS];
	unsigned bits = digits->size == 2 ? 15 : 30, n = 0;
	scry_addr at = new_object(
		w, new_type(w, w->r.version < V(3, 0) ? "long" : "int", TYPE_LONG, w->object), 64);

	for (; value; value >>= bits)
		scry_image_put(w->s, at + digits->offset + n++ * digits->size, digits->size,
			       value & ((1u << bits) - 1));
	if (scry_layout_has(w->r.layout, SCRY_F_LONG_TAG))
		put(w, at, SCRY_F_LONG_TAG, (uint64_t)n << 3 | (n == 0 ? 1 : negative ? 2 : 0));
	else
		put(w, at, SCRY_F_VAR_SIZE, negative ? (uint64_t) - (int64_t)n : n);
	return at;
}

static scry_addr new_list(struct world *w, unsigned n, const scry_addr *items)
{
	unsigned ptr = w->s->target->abi.ptr_size;
	scry_addr at = new_object(w, new_type(w, "list", TYPE_LIST, w->object), 64),
		  array = take(w, n * ptr + 8);

	put(w, at, SCRY_F_VAR_SIZE, n);
	put(w, at, SCRY_F_LIST_ALLOCATED, n);
	put(w, at, SCRY_F_LIST_ITEMS, array);
	for (unsigned i = 0; i < n; i++)
		put_word(w, array + i * ptr, items[i]);
	return at;
}

/* --- tests --- */

static void for_all(void (*test)(struct world *w))
{
	unsigned opened = 0;

	for (size_t m = 0; m < sizeof(machines) / sizeof(*machines); m++)
		for (size_t v = 0; v < sizeof(versions) / sizeof(*versions); v++)
			for (int ft = 0; ft <= (versions[v] >= V(3, 13)); ft++) {
				struct world w;

				if (open_world(&w, versions[v], &machines[m], ft)) {
					test(&w);
					opened++;
				}
				close_world(&w);
			}
	assert_int_equal(opened, 5 * (9 + 3));
}

static void texts_in(struct world *w)
{
	CHECK_PRINT(w, new_str(w, ""), "''");
	CHECK_PRINT(w, new_str(w, "it's"), "\"it's\"");
	CHECK_PRINT(w, new_str(w, "a\"b'c\\\n\x01"), "'a\"b\\'c\\\\\\n\\x01'");
	scry_addr str = new_str(w, "name");
	assert_true(scry_text_is(&w->r, str, "name"));
	assert_false(scry_text_is(&w->r, str, "nam"));
	assert_false(scry_text_is(&w->r, str, "names"));
}

static void ints_in(struct world *w)
{
	bool old = w->r.version < V(3, 0);
	int64_t value;

	CHECK_PRINT(w, new_int(w, 0, false), old ? "0L" : "0");
	CHECK_PRINT(w, new_int(w, 1, true), old ? "-1L" : "-1");
	CHECK_PRINT(w, new_int(w, 0x123456789abcdef0, false),
		    old ? "1311768467463790320L" : "1311768467463790320");
	assert_int_equal(scry_int_value(&w->r, new_int(w, 1234567890123, true), &value), SCRY_OK);
	assert_true(value == -1234567890123);
	assert_int_equal(scry_int_value(&w->r, new_int(w, UINT64_MAX, false), &value),
			 SCRY_EUNSUPPORTED);
}

static void lists_in(struct world *w)
{
	bool old = w->r.version < V(3, 0);
	scry_addr one = new_int(w, 1, false), items[3] = { one, 0, one };

	CHECK_PRINT(w, new_list(w, 0, NULL), "[]");
	CHECK_PRINT(w, new_list(w, 3, items), old ? "[1L, <NULL>, 1L]" : "[1, <NULL>, 1]");
	scry_addr list = new_list(w, 1, items);
	uint64_t array = 0;
	scry_field_read(&w->r, list, SCRY_F_LIST_ITEMS, &array);
	put_word(w, array, list);
	CHECK_PRINT(w, list, "[[...]]");
	scry_addr deep = new_list(w, 0, NULL);
	for (int i = 0; i < 10; i++)
		deep = new_list(w, 1, &deep);
	CHECK_PRINT(w, deep, "[[[[[[…]]]]]]");
}

/* Whatever stands in a size or a pointer, the text says so and ends. */
static void damage_in(struct world *w)
{
	char text[200];
	scry_addr list = new_list(w, 0, NULL), str = new_str(w, "x"), bad = 0x6666660;

	put(w, list, SCRY_F_VAR_SIZE, 1u << 30);
	snprintf(text, sizeof(text),
		 "<unreadable at 0x%" PRIx64 ": list at 0x%" PRIx64 " says 1073741824>", list,
		 list);
	CHECK_PRINT(w, list, text);
	put(w, str, SCRY_F_OBJECT_TYPE, bad);
	snprintf(text, sizeof(text), "<unreadable at 0x%" PRIx64 ": no memory at 0x", str);
	struct scry_buf out = SCRY_BUF_INIT;
	scry_repr(&w->r, str, &out);
	assert_memory_equal(out.text, text, strlen(text));
	scry_buf_cut(&out, 0);
	uint64_t freed = w->s->target->abi.ptr_size == 8 ? 0xdddddddddddddddd : 0xdddddddd;
	put(w, str, SCRY_F_OBJECT_TYPE, freed);
	scry_repr(&w->r, str, &out);
	assert_non_null(strstr(out.text, "its type pointer is freed (debug allocator, 0xdd)"));
	scry_buf_cut(&out, 0);
	scry_repr(&w->r, 3, &out);
	assert_string_equal(out.text, "<unreadable at 0x3: 0x3 is not an object: not aligned>");
	scry_buf_done(&out);
}

static void unknown_in(struct world *w)
{
	char text[100];
	scry_addr obj = new_object(w, new_type(w, "some.Thing", 0, w->object), 32);

	snprintf(text, sizeof(text), "<some.Thing at 0x%" PRIx64 ">", obj);
	CHECK_PRINT(w, obj, text);
	scry_addr type = new_type(w, "some.Plain", 0, w->object);
	put(w, type, SCRY_F_TYPE_REPR, w->object); /* inherits object's */
	obj = new_object(w, type, 32);
	snprintf(text, sizeof(text), "<some.Plain object at 0x%" PRIx64 ">", obj);
	CHECK_PRINT(w, obj, text);
	assert_true(scry_type_is(&w->r, type, SCRY_IS_OBJECT));
	assert_false(scry_type_is(&w->r, type, SCRY_IS_LIST));
}

/* An address in brackets of brackets, and texts that are no expressions. */
static void expressions_in(struct world *w)
{
	static const char *const bad[] = { "",    "1",   "@",    "@zz", "a..b", "a[",     "a[1",
					   "a['", "[1]", "@0x1", "a b", "mod:", "a[(((((" };
	struct scry_value value;
	char text[100];
	scry_addr one = new_int(w, 7, false), list = new_list(w, 1, &one);

	w->s->runtimes = &w->r;
	w->s->runtimes_done = true;
	snprintf(text, sizeof(text), "@0x%" PRIx64 "[-1]", list);
	assert_int_equal(scry_eval(w->s, NULL, text, &value), SCRY_OK);
	assert_true(value.addr == one);
	snprintf(text, sizeof(text), "@0x%" PRIx64 "[@0x%" PRIx64 "[0]]", list, list);
	assert_int_equal(scry_eval(w->s, NULL, text, &value), SCRY_ENOTFOUND);
	snprintf(text, sizeof(text), "@0x%" PRIx64 "[::-1]", list);
	assert_int_equal(scry_eval(w->s, NULL, text, &value), SCRY_OK);
	assert_string_equal(value.text, w->r.version < V(3, 0) ? "[7L]" : "[7]");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(scry_eval(w->s, NULL, bad[i], &value) < 0);
	w->s->runtimes = NULL;
	w->s->runtimes_done = false;
}

static void texts(void **state)
{
	(void)state;
	for_all(texts_in);
}

static void ints(void **state)
{
	(void)state;
	for_all(ints_in);
}

static void lists(void **state)
{
	(void)state;
	for_all(lists_in);
}

static void damage(void **state)
{
	(void)state;
	for_all(damage_in);
}

static void unknown(void **state)
{
	(void)state;
	for_all(unknown_in);
}

static void expressions(void **state)
{
	(void)state;
	for_all(expressions_in);
}

/* What repr() of CPython 3.13 gives. */
static void doubles(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1.0, "1.0" },
		{ 0.1, "0.1" },
		{ 1e16, "1e+16" },
		{ 1e15, "1000000000000000.0" },
		{ 1e-4, "0.0001" },
		{ 1e-5, "1e-05" },
		{ 5e-324, "5e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 0x1p-44, "5.684341886080802e-14" },
		{ 0x1p-1022, "2.2250738585072014e-308" },
		{ 123456789012345680.0, "1.2345678901234568e+17" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ -1.5, "-1.5" },
		{ 9007199254740993.0, "9007199254740992.0" },
		{ INFINITY, "inf" },
		{ -INFINITY, "-inf" },
		{ NAN, "nan" },
		{ 1e22, "1e+22" },
		{ 1e23, "1e+23" },
		{ 100.0, "100.0" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		scry_format_double(rows[i].value, true, text);
		assert_string_equal(text, rows[i].text);
	}
	scry_format_double(2.0, false, text);
	assert_string_equal(text, "2");
}

static void printable(void **state)
{
	static const unsigned shown[] = { ' ', '~', 0xe9, 0x2603, 0x6f22, 0x1f600, 0x300 };
	static const unsigned hidden[] = { 0x1f,   0x7f,   0x80,   0xa0,   0xad,   0x200b,
					   0x2028, 0x3000, 0xd800, 0xe000, 0xfeff, 0x10ffff };

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		assert_true(scry_char_printable(shown[i], SCRY_VERSION_OF(3, 3)));
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		assert_false(scry_char_printable(hidden[i], SCRY_VERSION_OF(3, 15)));
	/* an emoji of Unicode 14, a currency sign of Unicode 10 */
	assert_false(scry_char_printable(0x1fae0, SCRY_VERSION_OF(3, 10)));
	assert_true(scry_char_printable(0x1fae0, SCRY_VERSION_OF(3, 11)));
	assert_false(scry_char_printable(0x20bf, SCRY_VERSION_OF(3, 6)));
	assert_true(scry_char_printable(0x20bf, SCRY_VERSION_OF(3, 7)));
}

static void patterns(void **state)
{
	(void)state;
	assert_non_null(scry_pattern_name(0xdddddddddddddddd, 8));
	assert_non_null(scry_pattern_name(0xcdcdcdcd, 4));
	assert_null(scry_pattern_name(0xdddddddd, 8));
	assert_null(scry_pattern_name(0, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),    cmocka_unit_test(ints),
		cmocka_unit_test(lists),    cmocka_unit_test(damage),
		cmocka_unit_test(unknown),  cmocka_unit_test(expressions),
		cmocka_unit_test(doubles),  cmocka_unit_test(printable),
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
