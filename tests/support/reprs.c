/*
 * Prints objects of a dump: reprs DUMP [EXE [LAYOUT [SYSROOT]]] < lines; gives one line of JSON for
 * each. A line is an address (its repr), "!ADDRESS" (the exception there), "!ADDRESS TRACEBACK"
 * (with that traceback), "?ADDRESS" (what stands there), "@ADDRESS" (the source lines of the code
 * object there: how many, which are left out), ":COMMAND ARGUMENTS" (a command, whose output is one
 * line with --json), "=ADDRESS" (what obj and regs take it for), "*blocks" (of the allocator) or
 * "*tracked" (the collector's objects), or an
 * expression.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "object/exception.h"
#include "eval/expr.h"
#include "memory/block.h"
#include "memory/gc.h"
#include "native/meaning.h"
#include "object/object.h"
#include "object/opcodes.h"
#include "object/source_fit.h"
#include "object/whatis.h"

static int usage(void)
{
	fputs("usage: reprs DUMP [EXE [LAYOUT [SYSROOT]]] < addresses or expressions\n", stderr);
	return 2;
}

static void put_addr(struct scry_json *j, const char *key, scry_addr addr)
{
	scry_json_key(j, key);
	if (addr)
		scry_json_addr(j, addr);
	else
		scry_json_null(j);
}

static void put_entries(struct scry_json *j, struct scry_runtime *r, scry_addr tb)
{
	struct scry_traceback walk = { .runtime = r, .next = tb };
	struct scry_location at;
	struct scry_frame f;

	scry_json_key(j, "entries");
	scry_json_open(j, '[');
	while (scry_traceback_next(&walk, &f, &at) == SCRY_ITEM) {
		scry_json_open(j, '[');
		scry_json_text(j, f.code ? f.code->name : f.damaged);
		scry_json_int(j, at.line);
		scry_json_close(j, ']');
	}
	scry_json_close(j, ']');
}

static void print_exception(struct scry_runtime *r, const char *line)
{
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_json j = { .out = &out };
	struct scry_exception e;
	const char *note;
	char *end;
	uint64_t it = 0;
	scry_addr member, addr = strtoull(line, &end, 16), tb = strtoull(end, NULL, 16);

	scry_json_open(&j, '{');
	if (scry_exception_at(r, addr, &e) < 0) {
		scry_json_put_text(&j, "error", scry_session_error(r->session));
	} else {
		scry_json_put_text(&j, "type", e.type_name);
		scry_json_put_text(&j, "message", e.message);
		put_addr(&j, "cause", e.cause);
		put_addr(&j, "context", e.context);
		put_entries(&j, r, tb ? tb : e.traceback);
		scry_json_put_bool(&j, "suppress", e.suppress_context);
		scry_json_key(&j, "notes");
		scry_json_open(&j, '[');
		while (scry_exception_note_next(&e, &it, &note) == SCRY_ITEM)
			scry_json_text(&j, note);
		scry_json_close(&j, ']');
		scry_json_key(&j, "members");
		scry_json_open(&j, '[');
		for (it = 0; scry_exception_member_next(&e, &it, &member) == SCRY_ITEM;)
			scry_json_addr(&j, member);
		scry_json_close(&j, ']');
	}
	scry_json_close(&j, '}');
	puts(out.text);
	scry_buf_done(&out);
}

static void put_dump(struct scry_runtime *r, const struct scry_whatis *w, struct scry_buf *out)
{
	struct scry_dump_word word;
	int rc = SCRY_OK;

	for (unsigned i = 0; i < 8 && rc >= 0; i++) {
		rc = scry_whatis_word(r, w->addr,
				      w->type ? scry_whatis_struct(r, w->type) : SCRY_S_OBJECT, i,
				      &word);
		scry_whatis_word_text(&word, out);
		scry_buf_putc(out, '\n');
	}
}

static void print_whatis(struct scry_runtime *r, const char *line)
{
	struct scry_buf out = SCRY_BUF_INIT, dump = SCRY_BUF_INIT;
	struct scry_json j = { .out = &out };
	struct scry_whatis w = { 0 };

	scry_json_open(&j, '{');
	if (scry_whatis(r, strtoull(line, NULL, 16), &w) == SCRY_OK) {
		scry_json_put_text(&j, "type", w.type_name);
		scry_json_put_text(&j, "problem", w.problem);
		scry_json_put_text(&j, "pattern", w.pattern);
		scry_json_put_int(&j, "refcount", w.refcount);
		scry_json_put_bool(&j, "immortal", w.immortal);
		scry_json_put_int(&j, "size", (int64_t)w.size);
		scry_json_key(&j, "getsizeof");
		if (w.size && !w.head_unknown)
			scry_json_int(&j, (int64_t)(w.size + w.addr - w.block));
		else
			scry_json_null(&j);
		scry_json_put_bool(&j, "free", w.has_memory && w.memory.free);
		scry_json_put_bool(&j, "tracked", w.gc == SCRY_GC_TRACKED);
		put_addr(&j, "near", w.near);
		put_dump(r, &w, &dump);
		scry_json_put_text(&j, "dump", dump.text);
	}
	scry_json_close(&j, '}');
	puts(out.text);
	scry_buf_done(&out);
	scry_buf_done(&dump);
}

static void print_source(struct scry_runtime *r, const char *line)
{
	struct scry_code *c = scry_code_at(r, strtoull(line, NULL, 16));
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_json j = { .out = &out };
	struct scry_instructions w;
	struct scry_instruction i;
	struct scry_source_text text;
	int lines = 0, last = 0;

	scry_json_open(&j, '{');
	scry_json_key(&j, "left_out");
	scry_json_open(&j, '[');
	for (int rc = c ? scry_instructions_open(&w, c) : -1;
	     rc >= 0 && scry_instruction_next(&w, &i) == SCRY_ITEM;) {
		struct scry_location at = { 0 };

		scry_code_location(c, i.offset, &at);
		if (at.line <= 0 || at.line == last)
			continue;
		last = at.line;
		if (c->instructions_size > 6000 && at.line % 16)
			continue; /* judging a line reads all of the code */
		lines++;
		if (scry_source_of_code(c, at.line, i.offset, &text) < 0)
			scry_json_int(&j, at.line);
	}
	scry_json_close(&j, ']');
	scry_json_put_bool(&j, "fits", c && scry_source_fits(c));
	scry_json_put_int(&j, "lines", lines);
	scry_json_close(&j, '}');
	puts(out.text);
	scry_buf_done(&out);
}

static void run_command(struct scry_session *s, char *line)
{
	struct scry_buf *out = scry_buf_new(), *err = scry_buf_new();
	char *args = line + strcspn(line, " ");

	if (*args)
		*args++ = '\0';
	scry_command_run(s, line, args, out, err);
	fputs(out->len ? out->text : "{}\n", stdout);
	scry_buf_free(out);
	scry_buf_free(err);
}

/*
 * {"obj": what obj says: "is", "dead", "inside", "freed" or null; "of": the object; "guess";
 * "regs": the kind that regs tells, "in": its object}
 */
static void judge(struct scry_session *s, struct scry_runtime *r, struct scry_words *words,
		  const char *line)
{
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_json j = { .out = &out };
	scry_addr addr = strtoull(line, NULL, 16);
	struct scry_whatis w = { 0 };
	struct scry_meaning m;

	if (!words->session)
		scry_words_init(words, s, scry_thread_selected(s));
	bool there = scry_whatis(r, addr, &w) == SCRY_OK;
	scry_words_read(words, addr, &m);
	scry_json_open(&j, '{');
	scry_json_put_text(&j, "obj",
			   !there                          ? NULL
			   : w.type_name && w.pattern      ? "dead"
			   : w.type_name                   ? "is"
			   : w.inside                      ? "inside"
			   : w.has_memory && w.memory.free ? "freed"
							   : NULL);
	put_addr(&j, "of", w.type_name ? addr : w.inside ? w.near : 0);
	put_addr(&j, "near", w.inside ? 0 : w.near);
	scry_json_put_text(&j, "type", w.type_name);
	scry_json_put_text(&j, "problem", w.problem);
	scry_json_put_text(&j, "guess", w.guess);
	scry_json_put_text(&j, "regs", scry_word_kind_name(m.kind));
	put_addr(&j, "in", m.object);
	scry_json_put_text(&j, "uncertain", m.doubt);
	scry_json_close(&j, '}');
	puts(out.text);
	scry_buf_done(&out);
}

/* [[start, size, is it free], ...] */
static void walk_blocks(struct scry_runtime *r)
{
	struct scry_blocks walk;
	struct scry_block b;
	const char *comma = "";

	putchar('[');
	if (scry_blocks_open(&walk, r) == SCRY_OK) {
		for (; scry_blocks_next(&walk, &b) == SCRY_ITEM; comma = ",")
			printf("%s[%" PRIu64 ",%" PRIu64 ",%d]", comma, b.start, b.size, b.free);
		scry_blocks_done(&walk);
	}
	puts("]");
}

/* [[address, generation, its generation once more], ...] */
static void walk_tracked(struct scry_runtime *r)
{
	const char *comma = "";
	struct scry_gc gc;
	scry_addr object;

	putchar('[');
	for (struct scry_interp *i = r->interps; i; i = i->next) {
		if (scry_gc_open(&gc, i) < 0)
			continue;
		for (unsigned n = 0; scry_gc_next(&gc, &object) == SCRY_ITEM; comma = ",", n++)
			printf("%s[%" PRIu64 ",%d,%d]", comma, object, gc.generation,
			       n % 500 ? gc.generation : scry_gc_generation(r, object));
		scry_gc_done(&gc);
	}
	puts("]");
}

static void print_one(struct scry_session *s, struct scry_runtime *r, const char *line)
{
	struct scry_buf text = SCRY_BUF_INIT, out = SCRY_BUF_INIT;
	struct scry_json j = { .out = &out };
	struct scry_whatis w;
	struct scry_value value;
	char *end;
	scry_addr addr = strtoull(line, &end, 16);
	bool is_addr = end != line && *end == '\0';
	const char *type = NULL;
	struct scry_printer p;

	scry_printer_init(&p, r, &text);
	if (is_addr) {
		scry_print(&p, addr);
		scry_type_of(r, addr, &w.type) == SCRY_OK ? scry_type_name(r, w.type, &type) : 0;
	} else if (scry_eval(s, NULL, line, &value) < 0) {
		scry_buf_printf(&text, "error: %s", scry_session_error(s));
	} else {
		scry_print_value(&p, &value);
		type = value.type;
	}
	scry_json_open(&j, '{');
	scry_json_put_text(&j, "repr", text.text);
	scry_json_put_text(&j, "type", type);
	scry_json_close(&j, '}');
	puts(out.text);
	scry_buf_done(&text);
	scry_buf_done(&out);
}

int main(int argc, char **argv)
{
	char line[4096];
	struct scry_words words = { 0 };

	if (argc < 2)
		return usage();
	struct scry_session *s = scry_session_new();
	if (argc > 2 && *argv[2])
		scry_session_set(s, "exe", argv[2]);
	if (argc > 3 && *argv[3])
		scry_session_set(s, "layout", argv[3]);
	if (argc > 4)
		scry_session_set(s, "sysroot", argv[4]);
	for (int i = 0; i < SCRY_LIMIT_COUNT; i++)
		scry_session_set_limit(s, (enum scry_limit)i,
				       getenv("REPRS_DEFAULT_LIMITS") ? 100 : 1000000);
	scry_session_set_limit(s, SCRY_LIMIT_DEPTH, 60);
	struct scry_runtime *r =
		scry_session_open_dump(s, argv[1]) < 0 ? NULL : scry_runtime_first(s);
	if (!r) {
		fprintf(stderr, "%s\n", scry_session_error(s));
		scry_session_free(s);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line == '!')
			print_exception(r, line + 1);
		else if (*line == '?')
			print_whatis(r, line + 1);
		else if (*line == '=')
			judge(s, r, &words, line + 1);
		else if (!strcmp(line, "*blocks"))
			walk_blocks(r);
		else if (!strcmp(line, "*tracked"))
			walk_tracked(r);
		else if (*line == '@')
			print_source(r, line + 1);
		else if (*line == ':')
			run_command(s, line + 1);
		else
			print_one(s, r, line);
	}
	scry_words_done(&words);
	scry_session_free(s);
	return 0;
}
