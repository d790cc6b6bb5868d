/* What is said of things: values, phrases, and that a renderer is no more than its ops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

struct wheel {
	const char *name;
	uint64_t addr;
	int8_t turns;
};

struct cart {
	const char *name;
	char mark[8];
	bool broken;
	int64_t load;
	uint32_t weight;
	int16_t age;
	enum { HORSE, OX } drawn_by;
	uint64_t id, none;
	struct wheel wheels[2], *spare;
	const uint64_t *parts_at;
	size_t part_count;
};

#define SUBJECT struct wheel
static const struct scry_say wheel_fields[] = {
	SAY_TEXT("name", name),
	SAY_ADDR("at", addr),
	SAY_INT("turns", turns),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts wheel_facts = { "wheel", wheel_fields,
					       (const char *const[]) { " {name} {turns}", NULL } };

static void each_wheel(const void *subject, struct scry_renderer *to)
{
	const struct cart *c = subject;

	for (size_t i = 0; i < 2; i++)
		scry_say(to, &wheel_facts, &c->wheels[i]);
}

static bool print_song(const void *subject, struct scry_buf *out)
{
	scry_buf_printf(out, "hoy %s", ((const struct cart *)subject)->name);
	return true;
}

static bool print_nothing(const void *subject, struct scry_buf *out)
{
	(void)subject;
	(void)out;
	return false;
}

static bool has_spare(const void *subject)
{
	return ((const struct cart *)subject)->spare;
}

static const char *const by_horse[] = { "trots", NULL }, *const by_ox[] = { "plods", NULL };
static const char *const *const gaits[] = { [HORSE] = by_horse, [OX] = by_ox };
static const char *const *const only_horses[] = { [HORSE] = by_horse };
static const char *const beasts[] = { [HORSE] = "horse", [OX] = "ox" };
static const char *const state[] = { "{?broken}broken", "{age} years", NULL };

#define SUBJECT struct cart
static const struct scry_say more_fields[] = {
	SAY_INT("age", age),
	SAY_NAME("drawn_by", drawn_by, beasts),
	SAY_END,
};
static const struct scry_facts more_facts = { "more", more_fields, NULL };

static const struct scry_say cart_fields[] = {
	SAY_TEXT("name", name),
	SAY_CHARS("mark", mark),
	SAY_BOOL("broken", broken),
	SAY_INT("load", load),
	SAY_COUNT("weight", weight),
	SAY_FIELDS(&more_facts),
	SAY_ADDR("id", id),
	SAY_ID("none", none),
	SAY_LIST("wheels", &wheel_facts, each_wheel),
	SAY_MAP("by_name", &wheel_facts, each_wheel),
	SAY_POINTER("spare", &wheel_facts, spare),
	SAY_ADDRS("parts", &scry_facts_addr, parts_at, part_count),
	SAY_PRINT("song", print_song),
	SAY_PRINT("silence", print_nothing, .flags = SCRY_SAY_OPTIONAL),
	SAY_PRINT("hum", print_song, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("state", state, ", "),
	SAY_VIEWS("gait", drawn_by, gaits, NULL),
	SAY_VIEWS("trot", drawn_by, only_horses, NULL),
	SAY_LIST_IF("spares", &wheel_facts, each_wheel, has_spare),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts cart_facts = { "cart", cart_fields, NULL };

static const uint64_t parts[] = { 0x10, 0 };
static const struct cart full = {
	.name = "c\033",
	.mark = "xy",
	.load = -3,
	.weight = 1234567,
	.age = -1,
	.drawn_by = OX,
	.id = 0xabc,
	.wheels = { { "left", 1, -128 }, { NULL, 2, 7 } },
	.parts_at = parts,
	.part_count = 2,
};

/* Text or JSON of facts, as a command would write them. */
static void say(struct scry_buf *out, const struct scry_renderer_ops *ops,
		const char *const *phrases, const struct cart *c, bool verbose)
{
	struct scry_json json = { out, false };
	struct scry_call call = { .out = out, .json = &json, .verbose = verbose };

	scry_buf_cut(out, 0);
	scry_render_init(&call, ops);
	scry_say_as(&call.render.to, &cart_facts, phrases, c);
}

static void as_json(void **unused)
{
	(void)unused;
	SCRY_AUTO_BUF(out);

	say(&out, &scry_render_json, NULL, &full, false);
	assert_string_equal(
		out.text, "{\"name\":\"c\\u001b\",\"mark\":\"xy\",\"broken\":false,\"load\":-3,"
			  "\"weight\":1234567,"
			  "\"age\":-1,\"drawn_by\":\"ox\",\"id\":\"0xabc\",\"none\":null,"
			  "\"wheels\":[{\"name\":\"left\",\"at\":\"0x1\",\"turns\":-128},"
			  "{\"name\":null,\"at\":\"0x2\",\"turns\":7}],"
			  "\"by_name\":{\"left\":\"0x1\",\"?\":\"0x2\"},"
			  "\"spare\":null,\"parts\":[\"0x10\",\"0x0\"],\"song\":\"hoy c\\u001b\"}");
}

static void phrases(void **unused)
{
	(void)unused;
	static const struct {
		const char *phrases[4], *text;
	} rows[] = {
		{ { "{name}!" }, "c\\x1b!" },
		{ { "a{none}", "b" }, "b" },
		{ { "a{none=-}" }, "a-" },
		{ { "{?broken}x", "|y", "|z" }, "y" },
		{ { "{!broken}x", "|y", "z" }, "xz" },
		{ { "{?none}x", "|{?load}y", "|z" }, "y" },
		{ { "{weight,} {weight} {load%6}{mark%-4}." }, "1,234,567 1234567     -3xy  ." },
		{ { "year{age+}" }, "years" },
		{ { "{?-v}x", "|y" }, "y" },
		{ { "[{state}]" }, "[-1 years]" },
		{ { "{gait}" }, "plods" },
		{ { "{trot}", "|stands" }, "stands" },
		{ { "{spares}", "|none" }, "none" },
		{ { "<{wheels}>" }, "< left -128>" },
		{ { "{spare}", "{drawn_by}" }, "ox" },
		{ { "{:error}{id}{}" }, "0xabc" },
		{ { "{nobody}", "{hum}" }, "hoy c\\x1b" },
	};
	SCRY_AUTO_BUF(out);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		say(&out, &scry_render_text, rows[i].phrases, &full, false);
		assert_string_equal(out.text, rows[i].text);
	}
	say(&out, &scry_render_text, rows[8].phrases, &full, true);
	assert_string_equal(out.text, "x");
}

/* --- a third renderer: the paths of all keys, one a line --- */

struct paths {
	struct scry_renderer to;
	struct scry_buf *out;
	char at[200];
};

static void put_paths(struct scry_renderer *to, const struct scry_facts *facts,
		      const char *const *view, const void *subject)
{
	struct paths *p = (struct paths *)to;
	size_t len = strlen(p->at);

	(void)view;
	for (const struct scry_say *field = facts->fields; field->key; field++) {
		SCRY_AUTO_SAID(said);

		scry_said_get(facts, field, subject, &said);
		if (said.kind == SCRY_SAID_FIELDS) {
			put_paths(to, said.facts, NULL, said.subject);
			continue;
		}
		snprintf(p->at + len, sizeof(p->at) - len, "/%s", field->key);
		if (said.kind == SCRY_SAID_LIST || said.kind == SCRY_SAID_MAP)
			said.each(said.subject, to);
		else if (said.kind == SCRY_SAID_FACTS)
			put_paths(to, said.facts, NULL, said.subject);
		else if (said.kind != SCRY_SAID_ABSENT && said.kind != SCRY_SAID_VIEW)
			scry_buf_printf(p->out, "%s\n", p->at);
		p->at[len] = 0;
	}
}

static void open_path(struct scry_renderer *to, const char *key)
{
	(void)to;
	(void)key;
}

static void close_path(struct scry_renderer *to)
{
	(void)to;
}

static void third(void **unused)
{
	(void)unused;
	static const struct scry_renderer_ops ops = { "paths", put_paths, put_paths, open_path,
						      close_path };
	SCRY_AUTO_BUF(out);
	struct paths p = { .to.ops = &ops, .out = &out };

	scry_say(&p.to, &cart_facts, &full);
	assert_string_equal(out.text,
			    "/name\n/mark\n/broken\n/load\n/weight\n/age\n/drawn_by\n/id\n"
			    "/none\n/wheels/name\n/wheels/at\n/wheels/turns\n/wheels/name\n"
			    "/wheels/at\n/wheels/turns\n/by_name/name\n/by_name/at\n"
			    "/by_name/turns\n/by_name/name\n/by_name/at\n/by_name/turns\n"
			    "/spare\n/parts/address\n/parts/address\n/song\n/hum\n");
}

/* --- Ctrl-C: the rest of a long list costs nothing --- */

static volatile sig_atomic_t stopped;
static unsigned rendered;

static void count_field(const void *subject, struct scry_said *ret)
{
	(void)subject;
	rendered++;
	ret->kind = SCRY_SAID_NULL;
}

static const struct scry_say counted_fields[] = {
	SAY_GET("one", count_field),
	SAY_END,
};
static const struct scry_facts counted_facts = { "counted", counted_fields, NULL };

static void each_until_stop(const void *subject, struct scry_renderer *to)
{
	for (unsigned i = 0; i < 9; i++) {
		stopped = i >= 2;
		scry_say(to, &counted_facts, subject);
	}
}

static const struct scry_say list_fields[] = {
	SAY_LIST("list", &counted_facts, each_until_stop),
	SAY_END,
};
static const struct scry_facts list_facts = { "list", list_fields, NULL };

static void stopping(void **unused)
{
	(void)unused;
	SCRY_AUTO_BUF(out);
	struct scry_session s = { .stopped = 0 };
	struct scry_json json = { &out, false };
	struct scry_call call = { .s = &s, .out = &out, .json = &json };

	scry_render_init(&call, &scry_render_json);
	assert_ptr_equal(call.render.to.stopped, &s.stopped);
	call.render.to.stopped = &stopped;
	scry_say(&call.render.to, &list_facts, &call);
	assert_int_equal(rendered, 2);
}

/* --- buffers: never NULL, freed by themselves --- */

static void buffers(void **unused)
{
	(void)unused;
	struct scry_buf b = SCRY_BUF_INIT, *heap = scry_buf_new();

	assert_string_equal(b.text, "");
	assert_string_equal(scry_buf_text(heap), "");
	scry_buf_free(heap);
	assert_null(scry_buf_take(&b));
	scry_buf_puts(&b, "abc");
	char *text = scry_buf_take(&b);
	assert_string_equal(text, "abc");
	assert_string_equal(b.text, "");
	free(text);
	scry_buf_cut(&b, 0);
	scry_buf_done(&b);
	assert_string_equal(b.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_json),  cmocka_unit_test(phrases), cmocka_unit_test(third),
		cmocka_unit_test(stopping), cmocka_unit_test(buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
