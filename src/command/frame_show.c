/* One frame: its line of text, its source line with carets, its element of JSON. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "command/command.h"
#include "object/source_fit.h"

#define CO_GENERATOR       0x20
#define CO_COROUTINE       0x80
#define CO_ASYNC_GENERATOR 0x200

static const char *frame_flavour(const struct scry_frame *f)
{
	uint32_t flags = f->code ? f->code->flags : 0;

	return flags & CO_COROUTINE         ? "coroutine"
	       : flags & CO_ASYNC_GENERATOR ? "async generator"
	       : flags & CO_GENERATOR       ? "generator"
					    : "frame";
}

/* What is wrong with the frame, or with the chain that it stands for; NULL nothing. */
const char *scry_frame_damage_of(const struct scry_frame *f)
{
	if (f->code && f->code->damaged)
		return f->code->damaged;
	if (f->kind == SCRY_FRAME_DAMAGED || !f->code)
		return f->damaged ? f->damaged : "it has no code";
	return NULL;
}

/* Why there is no line, where that is no property of the instruction; NULL otherwise. */
static const char *line_lost(const struct scry_frame *f)
{
	return f->code && f->code->lines_bad ? scry_frame_line_lost(f) : NULL;
}

/* --- where it stands: one line --- */

static void get_function(const void *subject, struct scry_said *ret)
{
	const struct scry_frame *f = subject;
	const char *name = scry_frame_qualname(f);

	scry_said_text(ret, name ? name : f->code->name);
}

static void get_file(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_frame *)subject)->code->file);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	struct scry_location at = { 0 };

	scry_frame_location(subject, &at);
	ret->kind = SCRY_SAID_NULL;
	if (at.line > 0)
		scry_said_int(ret, at.line);
}

static void get_no_line(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, line_lost(subject));
}

static const struct scry_say place_fields[] = {
	SAY_GET("function", get_function),
	SAY_GET("file", get_file),
	SAY_GET("line", get_line),
	SAY_GET("no_line", get_no_line),
	SAY_END,
};

static const char *const place_text[] = {
	"{function:function} ({file:file}", ":{line}", ")", " <no line: {no_line:error}>", NULL,
};

const struct scry_facts scry_facts_place = { "place", place_fields, place_text };

/* --- a frame --- */

/* " <WHAT: why>" */
static void put_reason(struct scry_call *call, const char *what, const char *why)
{
	scry_buf_printf(call->out, " %s<%s: ", scry_style(call, SCRY_STYLE_ERROR), what);
	scry_put_safe(call->out, why);
	scry_buf_printf(call->out, ">%s", scry_style(call, SCRY_STYLE_OFF));
}

static void put_head(struct scry_call *call, const struct scry_frame *f,
		     const struct scry_location *at)
{
	struct scry_buf *out = call->out;
	const char *name = scry_frame_qualname(f);

	scry_put_styled(call, SCRY_STYLE_FUNCTION, name ? name : f->code->name);
	scry_buf_puts(out, " (");
	scry_put_styled(call, SCRY_STYLE_FILE, f->code->file);
	if (at->line > 0) {
		char line[16];

		snprintf(line, sizeof(line), "%d", at->line);
		scry_buf_putc(out, ':');
		scry_put_styled(call, SCRY_STYLE_LINE, line);
	}
	scry_buf_putc(out, ')');
	if (call->verbose)
		scry_buf_printf(out, "%s [%s 0x%llx, code 0x%llx, instruction %lld]%s",
				scry_style(call, SCRY_STYLE_DIM), frame_flavour(f),
				(unsigned long long)f->addr, (unsigned long long)f->code->addr,
				(long long)f->lasti, scry_style(call, SCRY_STYLE_OFF));
	if (scry_frame_damage_of(f))
		put_reason(call, f->code->damaged ? "damaged code" : "damaged frame",
			   scry_frame_damage_of(f));
	else if (line_lost(f))
		put_reason(call, "no line", line_lost(f));
	scry_buf_putc(out, '\n');
}

/* Blanks for `n` bytes of text, as wide as they show; its tabs stay tabs. */
static void put_blanks(struct scry_buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		unsigned code = scry_utf8_next(text, n, &i), width = scry_char_width(code);

		if (code == '\t')
			scry_buf_putc(out, '\t');
		else
			scry_buf_printf(out, "%*s", (int)width, "");
	}
}

/* Carets under columns [first, last), where they are not the whole line: traceback's rule. */
static void put_carets(struct scry_call *call, const char *line, size_t len,
		       const struct scry_location *at)
{
	size_t indent = strspn(line, " \t\f"), end = len;
	size_t first = at->column > 0 ? (size_t)at->column - 1 : 0;
	size_t last =
		at->end_line == at->line && at->end_column > 0 ? (size_t)at->end_column - 1 : len;

	while (end > indent && strchr(" \t\f", line[end - 1]))
		end--;
	if (at->column <= 0 || first < indent || last > len || first >= last ||
	    (first == indent && last >= end))
		return;
	scry_buf_puts(call->out, "    ");
	put_blanks(call->out, line + indent, first - indent);
	scry_buf_puts(call->out, scry_style(call, SCRY_STYLE_ERROR));
	for (size_t i = first; i < last;)
		for (unsigned width = scry_char_width(scry_utf8_next(line, last, &i)); width;
		     width--)
			scry_buf_putc(call->out, '^');
	scry_buf_puts(call->out, scry_style(call, SCRY_STYLE_OFF));
	scry_buf_putc(call->out, '\n');
}

static void put_source(struct scry_call *call, const struct scry_frame *f,
		       const struct scry_location *at)
{
	struct scry_source_text line;

	if (scry_source_of_code(f->code, at->line, f->lasti, &line) < 0)
		return;
	scry_buf_puts(call->out, "    ");
	size_t indent = strspn(line.text, " \t\f");
	scry_put_safe_bytes(call->out, line.text + indent, line.len - indent);
	if (line.doubt)
		scry_buf_printf(call->out, "  %s[changed since? the file is %s]%s",
				scry_style(call, SCRY_STYLE_MARK), line.doubt,
				scry_style(call, SCRY_STYLE_OFF));
	scry_buf_putc(call->out, '\n');
	if (!line.doubt)
		put_carets(call, line.text, line.len, at);
}

/*
 * What is written of a frame but its number and address, kept by code and instruction: stacks
 * repeat themselves, deep ones and those of pools of threads most of all.
 */
struct rendered {
	scry_addr code;
	int64_t lasti;
	const char *qualname, *text;
	size_t len;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void put_rendered(struct scry_call *call, const struct scry_frame *f,
			 void (*render)(struct scry_call *call, const struct scry_frame *f))
{
	uint64_t key = f->code->addr + (uint64_t)f->lasti * 0x9e3779b97f4a7c15u;
	const char *qualname = scry_frame_qualname(f);
	struct rendered *r = scry_hash_find(&call->rendered, key);
	size_t before = call->out->len;

	if (r && r->code == f->code->addr && r->lasti == f->lasti &&
	    same_text(r->qualname, qualname)) {
		scry_buf_put(call->out, r->text, r->len);
		return;
	}
	render(call, f);
	if (r || call->out->failed || !(r = scry_arena_alloc(&call->s->arena, sizeof(*r))))
		return;
	*r = (struct rendered) { f->code->addr, f->lasti, qualname, NULL, call->out->len - before };
	r->text = scry_arena_text(&call->s->arena, call->out->text + before, r->len);
	if (r->text)
		scry_hash_put(&call->rendered, key, r);
}

static void put_body(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_location at = { 0 };

	scry_frame_location(f, &at);
	put_head(call, f, &at);
	put_source(call, f, &at);
}

/* "#%-2u " */
static void put_number(struct scry_buf *out, unsigned n)
{
	char text[16], *at = text + sizeof(text);

	*--at = ' ';
	if (n < 10)
		*--at = ' ';
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	*--at = '#';
	scry_buf_put(out, at, (size_t)(text + sizeof(text) - at));
}

static void put_damaged(struct scry_call *call, const struct scry_frame *f)
{
	scry_buf_printf(call->out, "%s<damaged %s at 0x%llx: ", scry_style(call, SCRY_STYLE_ERROR),
			f->broken ? "chain" : "frame", (unsigned long long)f->addr);
	scry_put_safe(call->out, scry_frame_damage_of(f));
	scry_buf_printf(call->out, ">%s\n", scry_style(call, SCRY_STYLE_OFF));
}

void scry_frame_text(struct scry_call *call, const struct scry_frame *f)
{
	if (f->kind == SCRY_FRAME_NATIVE) {
		scry_native_text(call, f);
		return;
	}
	put_number(call->out, f->depth);
	if (!f->code)
		put_damaged(call, f);
	else if (call->verbose || scry_frame_damage_of(f))
		put_body(call, f);
	else
		put_rendered(call, f, put_body);
	if (scry_frame_damage_of(f) || line_lost(f))
		call->partial = true;
}

static void json_pair(struct scry_json *j, const char *key, const char *text)
{
	scry_json_put_text(j, key, text);
}

static void json_number(struct scry_json *j, const char *key, int value)
{
	scry_json_put_positive(j, key, value);
}

static void json_source(struct scry_call *call, const struct scry_frame *f, int line)
{
	struct scry_source_text text = { NULL };

	scry_json_key(call->json, "source");
	if (f->code && scry_source_of_code(f->code, line, f->lasti, &text) == SCRY_OK)
		scry_json_bytes(call->json, text.text, text.len);
	else
		scry_json_null(call->json);
	if (text.doubt)
		json_pair(call->json, "source_doubt", text.doubt);
}

static void json_body(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_json *j = call->json;
	struct scry_location at = { 0 };
	const struct scry_code *code = f->code;

	if (code)
		scry_frame_location(f, &at);
	json_pair(j, "kind", scry_frame_damage_of(f) ? "damaged" : "python");
	json_pair(j, "function", code ? code->name : NULL);
	json_pair(j, "qualname", code ? scry_frame_qualname(f) : NULL);
	json_pair(j, "file", code ? code->file : NULL);
	json_number(j, "line", at.line);
	json_number(j, "end_line", at.end_line);
	json_number(j, "column", at.column);
	json_number(j, "end_column", at.end_column);
	json_source(call, f, at.line);
	if (scry_frame_damage_of(f))
		json_pair(j, "error", scry_frame_damage_of(f));
	else if (line_lost(f))
		json_pair(j, "no_line", line_lost(f));
}

void scry_frame_json(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_json *j = call->json;

	if (f->kind == SCRY_FRAME_NATIVE) {
		scry_native_json(call, f);
		return;
	}
	scry_json_open(j, '{');
	if (!scry_frame_damage_of(f))
		put_rendered(call, f, json_body);
	else
		json_body(call, f);
	j->comma = true;
	scry_json_put_addr(j, "address", f->addr);
	if (f->code && call->s->options.locals)
		scry_locals_json(call, f);
	scry_json_close(j, '}');
	if (scry_frame_damage_of(f) || line_lost(f))
		call->partial = true;
}
