/* One frame: its place, its source line with carets, what is wrong with it. */
#include <string.h>

#include "base/utf8.h"
#include "command/c_call_show.h"
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

/* Why there is no line, where that is not a property of the instruction; NULL otherwise. */
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

/* --- a frame, but its number, address and variables --- */

struct shown_frame {
	struct scry_call *call;
	const struct scry_frame *f;
	struct scry_location at;
	struct scry_source_text source; /* its line; text NULL: it is not here */
};

static const struct scry_code *code_of(const void *subject)
{
	return ((const struct shown_frame *)subject)->f->code;
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	const struct shown_frame *shown = subject;

	scry_said_text(ret, scry_frame_damage_of(shown->f) ? "damaged" : "python");
}

static void get_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, code_of(subject) ? code_of(subject)->name : NULL);
}

static void get_qualname(const void *subject, struct scry_said *ret)
{
	const struct shown_frame *shown = subject;

	scry_said_text(ret, shown->f->code ? scry_frame_qualname(shown->f) : NULL);
}

/* For text: the qualified name where it is known. */
static void get_best_name(const void *subject, struct scry_said *ret)
{
	get_qualname(subject, ret);
	if (ret->kind == SCRY_SAID_NULL)
		get_name(subject, ret);
}

static void get_code_file(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, code_of(subject) ? code_of(subject)->file : NULL);
}

static void get_source(const void *subject, struct scry_said *ret)
{
	const struct shown_frame *shown = subject;

	scry_said_bytes(ret, shown->source.text, shown->source.len);
}

static void get_error(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_frame_damage_of(((const struct shown_frame *)subject)->f));
}

static void get_lost(const void *subject, struct scry_said *ret)
{
	const struct scry_frame *f = ((const struct shown_frame *)subject)->f;

	scry_said_text(ret, scry_frame_damage_of(f) ? NULL : line_lost(f));
}

static void get_code_damaged(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, code_of(subject) && code_of(subject)->damaged);
}

static void get_flavour(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, frame_flavour(((const struct shown_frame *)subject)->f));
}

static void get_addr(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, ((const struct shown_frame *)subject)->f->addr);
}

static void get_code_addr(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, code_of(subject)->addr);
}

static void get_lasti(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, ((const struct shown_frame *)subject)->f->lasti);
}

static void get_compiled(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_frame *)subject)->f->compiled);
}

static void get_compiled_place(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_frame *)subject)->f->compiled_place);
}

/* For text: the line without its indentation. */
static size_t indent_of(const struct shown_frame *shown)
{
	return strspn(shown->source.text, " \t\f");
}

static void get_shown_source(const void *subject, struct scry_said *ret)
{
	const struct shown_frame *shown = subject;

	ret->kind = SCRY_SAID_NULL;
	if (shown->source.text)
		scry_said_bytes(ret, shown->source.text + indent_of(shown),
				shown->source.len - indent_of(shown));
}

/* What is damaged, where there is no code. */
static void get_what(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_frame *)subject)->f->broken ? "chain" : "frame");
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

/*
 * The columns [first, last) of the line that carets go under: not where they would be the whole
 * line, which is traceback's rule.
 */
static bool find_columns(const struct shown_frame *shown, size_t *ret_first, size_t *ret_last)
{
	const struct scry_location *at = &shown->at;
	const char *line = shown->source.text;
	size_t len = shown->source.len, end = len;

	if (!line || shown->source.doubt || at->column <= 0)
		return false;
	size_t indent = indent_of(shown), first = (size_t)at->column - 1;
	size_t last =
		at->end_line == at->line && at->end_column > 0 ? (size_t)at->end_column - 1 : len;

	while (end > indent && strchr(" \t\f", line[end - 1]))
		end--;
	*ret_first = first;
	*ret_last = last;
	return first >= indent && last <= len && first < last && (first != indent || last < end);
}

static bool print_blanks(const void *subject, struct scry_buf *out)
{
	const struct shown_frame *shown = subject;
	size_t first, last;

	if (!find_columns(shown, &first, &last))
		return false;
	put_blanks(out, shown->source.text + indent_of(shown), first - indent_of(shown));
	return true;
}

static bool print_carets(const void *subject, struct scry_buf *out)
{
	const struct shown_frame *shown = subject;
	const char *line = shown->source.text;
	size_t first, last;

	if (!find_columns(shown, &first, &last))
		return false;
	for (size_t i = first; i < last;)
		for (unsigned width = scry_char_width(scry_utf8_next(line, last, &i)); width;
		     width--)
			scry_buf_putc(out, '^');
	return true;
}

#define SUBJECT struct shown_frame
static const struct scry_say body_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_GET("function", get_name),
	SAY_GET("qualname", get_qualname),
	SAY_GET("file", get_code_file),
	SAY_COUNT("line", at.line),
	SAY_COUNT("end_line", at.end_line),
	SAY_COUNT("column", at.column),
	SAY_COUNT("end_column", at.end_column),
	SAY_GET("source", get_source),
	SAY_TEXT("source_doubt", source.doubt, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("error", get_error, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("no_line", get_lost, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("compiled", get_compiled, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("compiled_place", get_compiled_place, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("best_name", get_best_name, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("flavour", get_flavour, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("at", get_addr, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("code", get_code_addr, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("lasti", get_lasti, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("code_damaged", get_code_damaged, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("shown_source", get_shown_source, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("what", get_what, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("blanks", print_blanks, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("carets", print_carets, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const body_text[] = {
	"{best_name:function=} ({file:file=}",
	":{line:line}",
	")",
	"{?-v}{:dim} [{flavour} {at}, code {code}, instruction {lasti}]{}",
	"{?code_damaged} {:error}<damaged code: {error}>{}",
	"| {:error}<damaged frame: {error}>{}",
	"| {:error}<no line: {no_line}>{}",
	"{:dim} [compiled by {compiled}: {compiled_place}]{}",
	"|{:dim} [compiled by {compiled}]{}",
	"\n",
	"    {shown_source}",
	"{?shown_source}{?source_doubt}  {:mark}[changed since? the file is {source_doubt}]{}",
	"{?shown_source}\n",
	"    {blanks}{carets:error}\n",
	NULL,
};

static const struct scry_facts body_facts = { "frame", body_fields, body_text };

/* In the place of a frame that has no code. */
static const char *const damaged_text[] = {
	"{:error}<damaged {what} at {at}: {error=}>{}\n",
	NULL,
};

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

static void say_body(struct scry_call *call, const struct scry_frame *f)
{
	struct shown_frame shown = { .call = call, .f = f };

	if (f->code)
		scry_frame_location(f, &shown.at);
	if (f->code && scry_source_of_code(f->code, shown.at.line, f->lasti, &shown.source) < 0)
		shown.source = (struct scry_source_text) { NULL };
	scry_say_fields_as(&call->render.to, &body_facts, f->code ? NULL : damaged_text, &shown);
}

static void say_kept_body(struct scry_call *call, const struct scry_frame *f)
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
	say_body(call, f);
	if (r || call->out->failed || !(r = scry_arena_alloc(&call->s->arena, sizeof(*r))))
		return;
	*r = (struct rendered) { f->code->addr, f->lasti, qualname, NULL, call->out->len - before };
	r->text = scry_arena_text(&call->s->arena, call->out->text + before, r->len);
	if (r->text)
		scry_hash_put(&call->rendered, key, r);
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

/* --- all of it --- */

static void get_address(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, ((const struct scry_frame *)subject)->addr);
}

static void get_body(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_FIELDS;
	ret->facts = &body_facts;
	ret->subject = subject;
}

static void get_native(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_FIELDS;
	ret->facts = &scry_facts_native;
	ret->subject = subject;
}

/*
 * What a frame has, for who asks for the description. What is written goes another way, below: of
 * 200,000 frames each by this table costs several times as much as copying what was kept.
 */
static const struct scry_say frame_fields[] = {
	SAY_GET("", get_body, .facts = &body_facts),
	SAY_GET("", get_native, .facts = &scry_facts_native),
	SAY_GET("address", get_address),
	SAY_FIELDS(&scry_facts_calls),
	SAY_FIELDS(&scry_facts_locals),
	SAY_END,
};
const struct scry_facts scry_facts_frame = { "frame", frame_fields, NULL };

/* Where it is in a call of C code. */
static void say_calls(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_c_call c;

	if (call->newer && scry_c_call_of(f, call->newer, &c))
		scry_say_c_call(call, &c);
}

void scry_say_frame(struct scry_call *call, const struct scry_frame *f)
{
	bool damaged = scry_frame_damage_of(f);

	if (f->kind == SCRY_FRAME_NATIVE) {
		scry_say_native(call, f);
		return;
	}
	if (call->json)
		scry_json_open(call->json, '{');
	else
		put_number(call->out, f->depth);
	if (damaged || f->compiled || (call->verbose && !call->json))
		say_body(call, f);
	else
		say_kept_body(call, f);
	if (call->json) {
		call->json->comma = true;
		scry_json_put_addr(call->json, "address", f->addr);
		say_calls(call, f);
		if (f->code && call->s->options.locals)
			scry_say_locals(call, f, "");
		scry_json_close(call->json, '}');
	} else {
		say_calls(call, f);
	}
	if (damaged || line_lost(f))
		call->partial = true;
}
