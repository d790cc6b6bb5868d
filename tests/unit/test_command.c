/* The command layer without a target: words, options, escaping, help, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "command/command.h"

static struct scry_call start(struct scry_session *s, const struct scry_command_row *row,
			      const char *line)
{
	struct scry_call call = { .s = s, .row = row, .line = line };

	assert_int_equal(scry_split(&call), SCRY_OK);
	return call;
}

static void words(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_call call = start(s, &scry_command_bt, "  a 'b c'\td\\ e \"f\\\"g\" '' h'i'j ");
	static const char *const expected[] = { "a", "b c", "d e", "f\"g", "", "hij" };

	assert_int_equal(call.argc, 6);
	for (int i = 0; i < 6; i++)
		assert_string_equal(call.argv[i], expected[i]);
	assert_string_equal(call.at[4], "'' h'i'j ");
	call = (struct scry_call) { .s = s, .row = &scry_command_bt, .line = "it's" };
	assert_int_equal(scry_split(&call), SCRY_EINVAL);
	assert_non_null(strstr(scry_session_error(s), "a quote is not closed"));
	scry_session_free(s);
}

static void options(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_call call =
		start(s, &scry_command_bt, "-av --limit 7 --max-items=3 -t one --frame=2");

	assert_int_equal(scry_parse_options(&call), SCRY_OK);
	assert_true(call.verbose);
	assert_non_null(scry_call_flag(&call, "all"));
	assert_null(scry_call_flag(&call, "whole"));
	assert_int_equal(s->options.limit[SCRY_LIMIT_FRAMES], 7);
	assert_int_equal(s->options.limit[SCRY_LIMIT_ITEMS], 3);
	assert_string_equal(call.thread, "one");
	assert_string_equal(call.frame, "2");
	assert_int_equal(call.argc, 0);
	call = start(s, &scry_command_bt, "--json -- --all");
	assert_int_equal(scry_parse_options(&call), SCRY_OK);
	assert_true(s->options.json);
	assert_int_equal(call.argc, 1);
	assert_string_equal(call.argv[0], "--all");
	scry_session_free(s);
}

static void bad_options(void **state)
{
	(void)state;
	static const char *const lines[] = { "--nonsense", "-z",        "--limit",    "--limit=x",
					     "--limit -1", "--all=yes", "--limit 1x", "--color=red",
					     "a b",        "-t" };
	struct scry_session *s = scry_session_new();

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct scry_call call = start(s, &scry_command_bt, lines[i]);

		assert_int_equal(scry_parse_options(&call), SCRY_EINVAL);
	}
	scry_session_free(s);
}

/* An expression keeps its quotes and blanks; after "--" it is no place for options. */
static void raw(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_call call =
		start(s, &scry_command_print, " --max-depth 2 -- cfg[\"a b\"] [ 'it' ] --json  ");

	assert_int_equal(scry_parse_options(&call), SCRY_OK);
	assert_int_equal(call.argc, 1);
	assert_string_equal(call.argv[0], "cfg[\"a b\"] [ 'it' ] --json");
	assert_false(s->options.json);
	call = start(s, &scry_command_print, "cfg[\"a --json b\"] --x --max-items=9 --json ");
	assert_int_equal(scry_parse_options(&call), SCRY_OK);
	assert_string_equal(call.argv[0], "cfg[\"a --json b\"] --x");
	assert_int_equal(s->options.limit[SCRY_LIMIT_ITEMS], 9);
	assert_true(s->options.json);
	call = start(s, &scry_command_print, "d['");
	assert_int_equal(scry_parse_options(&call), SCRY_OK);
	assert_string_equal(call.argv[0], "d['");
	scry_session_free(s);
}

static void escapes(void **state)
{
	(void)state;
	struct scry_buf b = SCRY_BUF_INIT;

	scry_put_safe(
		&b,
		"a\tb\x1b[0m\x7f \xc3\xa9 \xe6\x97\xa5 \xed\xb3\xa9 \xff \xc2\x9b \xe2\x80\xae.\n");
	assert_string_equal(
		b.text,
		"a\tb\\x1b[0m\\x7f \xc3\xa9 \xe6\x97\xa5 \\udce9 \\xff \\x9b \\u202e.\\x0a");
	scry_buf_cut(&b, 0);
	scry_put_safe_bytes(&b, "x\0y", 3);
	assert_string_equal(b.text, "x\\x00y");
	scry_buf_cut(&b, 0);
	scry_put_count(&b, 0);
	scry_buf_puts(&b, " ");
	scry_put_count(&b, 999);
	scry_buf_puts(&b, " ");
	scry_put_count(&b, 199990);
	scry_buf_puts(&b, " ");
	scry_put_count(&b, 1234567);
	assert_string_equal(b.text, "0 999 199,990 1,234,567");
	scry_buf_done(&b);
}

static void run_without_target(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_buf *out = scry_buf_new(), *err = scry_buf_new();

	assert_int_equal(scry_command_run(s, "py-bt", "--all", out, err), 2);
	assert_string_equal(scry_buf_text(err), "no target is open\n");
	assert_int_equal(scry_command_run(s, "nonsense", "", out, err), 2);
	assert_non_null(strstr(scry_buf_text(err), "no command 'nonsense'; there are: bt "));
	assert_int_equal(scry_command_run(s, "bt", NULL, out, NULL), 2);
	assert_int_equal(out->len, 0);
	assert_true(scry_session_open_dump(s, "/nonexistent") < 0);
	assert_int_equal(scry_command_run(s, "bt", "--json", out, err), 2);
	assert_non_null(strstr(scry_buf_text(out), "\"target\":null"));
	assert_non_null(strstr(scry_buf_text(out), "/nonexistent"));
	assert_false(s->options.json); /* an option of a command does not stay */
	scry_buf_free(out);
	scry_buf_free(err);
	scry_session_free(s);
}

static void every_command_helps(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	const struct scry_command *c;

	scry_session_set(s, "prefix", "py-");
	for (unsigned i = 0; (c = scry_command_at(i)); i++) {
		struct scry_buf *out = scry_buf_new();

		assert_int_equal(scry_command_run(s, c->name, "--help", out, NULL), 0);
		assert_non_null(strstr(scry_buf_text(out), "usage: py-"));
		assert_non_null(strstr(scry_buf_text(out), c->summary));
		scry_buf_free(out);
		out = scry_buf_new();
		assert_int_equal(scry_command_complete(s, c->name, "--js", out), SCRY_OK);
		assert_string_equal(scry_buf_text(out), "--json\n");
		scry_buf_free(out);
	}
	scry_session_free(s);
}

/* What a debugger may ask of any of its variables. */
static void pointers(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();
	struct scry_buf *out = scry_buf_new();
	static const char *const others[] = { "int",       "PyDictKeysObject", "Object",
					      "PyObjectX", "xPyObject",        "Py",
					      "" };
	unsigned count = 0;

	while (scry_pointer_type(count))
		count++;
	assert_true(count > 10);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(scry_pointer_text(s, others[i], 0x1000, 0, out), SCRY_ENOTFOUND);
		assert_non_null(strstr(scry_session_error(s), "is not a type of Python's"));
	}
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(scry_pointer_text(s, scry_pointer_type(i), 0x1000, 0, out),
				 SCRY_ENOTFOUND);
	assert_int_equal(scry_pointer_text(s, "struct PyFooObject", 0x1000, 0, out),
			 SCRY_ENOTFOUND);
	assert_non_null(strstr(scry_session_error(s), "no Python interpreter"));
	assert_int_equal(scry_pointer_text(s, NULL, 0x1000, 0, out), SCRY_ENOTFOUND);
	assert_string_equal(scry_buf_text(out), "");
	scry_buf_free(out);
	scry_session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(options),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(raw),
		cmocka_unit_test(escapes),
		cmocka_unit_test(run_without_target),
		cmocka_unit_test(every_command_helps),
		cmocka_unit_test(pointers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
