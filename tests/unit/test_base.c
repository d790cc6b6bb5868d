/* The base layer: growing text, JSON, UTF-8, hash, byte order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"

static void json_escapes(void **state)
{
	(void)state;
	struct scry_buf b = SCRY_BUF_INIT;
	struct scry_json j = { &b, false };

	scry_json_open(&j, '{');
	scry_json_key(&j, "a\"b");
	/* a tab, a lone surrogate in WTF-8, a bad byte, an emoji */
	scry_json_text(&j, "\t\xed\xb3\xa9\xff\xf0\x9f\x98\x80");
	scry_json_key(&j, "n");
	scry_json_open(&j, '[');
	scry_json_positive(&j, 0);
	scry_json_int(&j, -5);
	scry_json_addr(&j, 0xdeadbeefcafe);
	scry_json_bool(&j, true);
	scry_json_close(&j, ']');
	scry_json_close(&j, '}');
	assert_string_equal(b.text, "{\"a\\\"b\":\"\\t\\udce9\xef\xbf\xbd\xf0\x9f\x98\x80\","
				    "\"n\":[null,-5,\"0xdeadbeefcafe\",true]}");
	scry_buf_done(&b);
}

static void utf8_rejects(void **state)
{
	(void)state;
	static const char *const bad[] = { "\xc0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80",
					   "\xe2\x82", "\x80" };

	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		size_t i = 0;

		assert_int_equal(scry_utf8_next(bad[k], strlen(bad[k]), &i), SCRY_UTF8_BAD);
		assert_int_equal(i, 1);
	}
}

static void hash_keeps(void **state)
{
	(void)state;
	struct scry_hash h = { 0 };

	for (uint64_t k = 0; k < 10000; k++)
		assert_int_equal(scry_hash_add(&h, k * 4096), 1);
	for (uint64_t k = 0; k < 10000; k++)
		assert_int_equal(scry_hash_add(&h, k * 4096), 0);
	assert_null(scry_hash_find(&h, 5));
	assert_int_equal(h.count, 10000);
	scry_hash_done(&h);
}

static void arena_grows(void **state)
{
	struct scry_arena arena = { 0 };
	size_t room = 0;
	unsigned *list = NULL, *old;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		old = list;
		list = scry_arena_grow(&arena, list, i, &room, sizeof(*list), 3);
		assert_non_null(list);
		assert_int_equal(list == old, i != 0 && i != 3 && i != 6 && i != 12 && i != 24 &&
						      i != 48 && i != 96);
		list[i] = i;
	}
	assert_int_equal(room, 192);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(list[i], i);
	room = SIZE_MAX / 4;
	assert_null(scry_arena_grow(&arena, list, room, &room, sizeof(*list), 3));
	assert_true(room == SIZE_MAX / 4);
	scry_arena_done(&arena);
}

static void loads(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 0xfe, 0xff, 0xff, 0xff, 1, 2, 3, 0x84 };

	assert_int_equal(scry_load(bytes, 4, false), 0xfffffffe);
	assert_int_equal(scry_load_signed(bytes, 4, false), -2);
	assert_true(scry_load(bytes, 8, false) == 0x84030201fffffffeu);
	assert_true(scry_load(bytes, 8, true) == 0xfeffffff01020384u);
	assert_int_equal(scry_load(bytes, 2, true), 0xfeff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_escapes), cmocka_unit_test(utf8_rejects),
		cmocka_unit_test(hash_keeps),   cmocka_unit_test(arena_grows),
		cmocka_unit_test(loads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
