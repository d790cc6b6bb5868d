/*
 * Does the source here fit the code that ran? A definition must begin where the code says, with its
 * name; of the line that runs, each name that its instructions load must be in the statement,
 * and each name, number and string of the line must be the code's. What cannot be told speaks for
 * the file: compiled code lacks annotations of variables, constants that were folded, comments.
 */
#include "object/source_fit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/opcodes.h"
#include "object/printer.h"
#include "object/source_consts.h"
#include "object/source_token.h"
#include "symbol/source.h"

#define DEFINITIONS_MAX 12    /* inner functions and classes of a module that are looked for */
#define STATEMENTS_MAX  64    /* decorators before a definition */
#define LINES_MAX       20000 /* that are read to see where a statement begins */
#define NEAR            300   /* bytes of byte code on both sides of the instruction */

/* --- definitions --- */

enum verdict { UNKNOWN, FITS, FOREIGN };

static const char *const openers[] = { "def", "class", "async", "type", "cdef", "cpdef" };

static bool is_one_of(const struct scry_token *t, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (scry_token_is(t, words[i]))
			return true;
	return false;
}

static bool opens_definition(const struct scry_token *t)
{
	return t->kind == SCRY_TOKEN_NAME &&
	       is_one_of(t, openers, sizeof(openers) / sizeof(*openers));
}

/* The rest of a statement; does a name lie in it? */
static bool statement_has(struct scry_lexer *x, const char *name)
{
	bool found = false;

	for (;;) {
		struct scry_token t = scry_lexer_next(x);

		if (t.kind == SCRY_TOKEN_END || t.kind == SCRY_TOKEN_NEWLINE)
			return found;
		found = found || (t.kind == SCRY_TOKEN_NAME && scry_token_is(&t, name));
	}
}

static bool starts_definition(const char *text, size_t len, int line, const char *name)
{
	struct scry_lexer x;

	scry_lexer_start(&x, text, len, line);
	for (unsigned i = 0; i < STATEMENTS_MAX; i++) {
		struct scry_token t = scry_lexer_next(&x);

		if (opens_definition(&t))
			return statement_has(&x, name);
		if (!scry_token_is(&t, "@"))
			return false;
		statement_has(&x, "");
	}
	return true;
}

/* Also in a string: f-strings have lambdas. */
static bool line_has(const char *text, size_t len, const char *word)
{
	const char *end = memchr(text, '\n', len);

	return memmem(text, end ? (size_t)(end - text) : len, word, strlen(word));
}

/* From 3.14 on: only the annotations of what is defined there are in it (PEP 649). */
static bool is_annotations(const struct scry_code *c)
{
	return !strcmp(c->name, "__annotate__");
}

/* Names that no definition has: comprehensions, annotations made on demand, type parameters. */
static bool has_definition(const struct scry_code *c)
{
	return c->first_line > 0 && (c->name[0] != '<' || !strcmp(c->name, "<lambda>")) &&
	       !is_annotations(c) && c->name[0];
}

static enum verdict judge_definition(const struct scry_code *c)
{
	const char *text;
	size_t len;

	if (!has_definition(c))
		return UNKNOWN;
	if (scry_source_bytes(c->runtime->session, c->file, 1, &text, &len) < 0)
		return UNKNOWN; /* there is none here */
	if (scry_source_bytes(c->runtime->session, c->file, c->first_line, &text, &len) < 0)
		return FOREIGN;
	bool found = c->name[0] == '<' ? line_has(text, len, "lambda")
				       : starts_definition(text, len, c->first_line, c->name);
	return found ? FITS : FOREIGN;
}

/* --- a file as a whole --- */

/* Of a module or class body: the definitions that are in it. */
static enum verdict judge_inner(struct scry_code *c)
{
	struct scry_runtime *r = c->runtime;
	struct scry_type *t, *of_code;
	scry_addr items, item;
	uint64_t count;
	unsigned seen = 0;
	enum verdict verdict = UNKNOWN;

	if (!scry_code_tuple(c, SCRY_F_CODE_CONSTS, &count, &items) ||
	    scry_type_for(r, c->addr, &of_code) < 0)
		return UNKNOWN;
	for (uint64_t i = 0; i < count && seen < DEFINITIONS_MAX && verdict != FOREIGN; i++) {
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) < 0 ||
		    scry_type_for(r, item, &t) < 0 || t->addr != of_code->addr)
			continue;
		struct scry_code *inner = scry_code_at(r, item);
		if (!inner || inner->damaged || strcmp(inner->file, c->file))
			continue;
		enum verdict one = judge_definition(inner);
		seen += one != UNKNOWN;
		verdict = one == UNKNOWN ? verdict : one;
	}
	return verdict;
}

static void say_foreign(const struct scry_code *c)
{
	if (scry_source_misfits(c->runtime->session, c->file))
		scry_warn(c->runtime->session,
			  "%s does not fit the code that runs: it was changed, or is another file; "
			  "lines that do not fit are left out",
			  c->file);
}

bool scry_source_fits(struct scry_code *c)
{
	const char *text;
	size_t len;

	if (c->source_verdict == UNKNOWN) {
		enum verdict v = judge_definition(c);

		if (v == UNKNOWN && !strcmp(c->name, "<module>"))
			v = judge_inner(c);
		c->source_verdict = v == FOREIGN ? FOREIGN : FITS;
		if (v == FOREIGN &&
		    scry_source_bytes(c->runtime->session, c->file, 1, &text, &len) == SCRY_OK)
			say_foreign(c);
	}
	return c->source_verdict == FITS;
}

/* --- one line --- */

/* What a line may have that compiled code does not. */
static const char *const keywords[] = {
	"False", "None",     "True",  "and",    "as",   "assert", "async",     "await",    "break",
	"class", "continue", "def",   "del",    "elif", "else",   "except",    "finally",  "for",
	"from",  "global",   "if",    "import", "in",   "is",     "lambda",    "nonlocal", "not",
	"or",    "pass",     "raise", "return", "try",  "while",  "with",      "yield",    "print",
	"exec",  "match",    "case",  "type",   "_",    "lazy",   "__debug__", "cdef",     "cpdef",
};

/* The statement that a line is part of. */
struct statement {
	struct scry_hash words;    /* names, and words of strings */
	int first, last;           /* its lines */
	struct scry_token *tokens; /* those that begin on the line */
	size_t count, room;
	bool known;     /* false: where it begins could not be told, or there is too much of it */
	bool in_string; /* the line begins inside a string */
	bool none;      /* the line lies between two statements: empty, or a comment */
	bool decorated;
};

static void statement_clear(struct statement *st)
{
	scry_hash_done(&st->words);
	st->count = 0;
	st->first = 0;
	st->decorated = false;
}

static void statement_done(struct statement *st)
{
	scry_hash_done(&st->words);
	free(st->tokens);
}

static bool keep_token(struct statement *st, const struct scry_token *t)
{
	if (st->count == st->room) {
		size_t room = st->room ? 2 * st->room : 64;
		struct scry_token *tokens = reallocarray(st->tokens, room, sizeof(*tokens));

		if (!tokens)
			return false;
		st->tokens = tokens;
		st->room = room;
	}
	st->tokens[st->count++] = *t;
	return true;
}

/*
 * Read statements from a line that certainly begins one until the one that has `line` is whole. A
 * decorator belongs to what it decorates.
 */
static void find_statement(struct scry_code *c, int from, int line, struct statement *ret)
{
	struct scry_lexer x;
	const char *text;
	size_t len;
	bool has_line = false, first = true;

	if (line - from > LINES_MAX ||
	    scry_source_bytes(c->runtime->session, c->file, from, &text, &len) < 0)
		return;
	scry_lexer_start(&x, text, len, from);
	for (;;) {
		struct scry_token t = scry_lexer_next(&x);

		if (t.kind == SCRY_TOKEN_END || t.kind == SCRY_TOKEN_NEWLINE) {
			ret->known = has_line;
			if (t.kind == SCRY_TOKEN_END || (has_line && !ret->decorated))
				return;
			if (!ret->decorated)
				statement_clear(ret);
			ret->decorated = false;
			first = true;
			continue;
		}
		if (t.line > line && !has_line) {
			ret->none = first;
			return;
		}
		ret->decorated = first ? scry_token_is(&t, "@") : ret->decorated;
		first = false;
		ret->first = ret->first ? ret->first : t.line;
		ret->last = t.last_line;
		has_line = has_line || (t.line <= line && t.last_line >= line);
		ret->in_string = ret->in_string || (t.line < line && t.last_line >= line);
		if (t.line == line && !keep_token(ret, &t))
			return;
		if (t.kind == SCRY_TOKEN_NAME || t.kind == SCRY_TOKEN_STRING)
			scry_words_add(&ret->words, t.text, t.len);
	}
}

/* An annotation of a variable leaves nothing in a function: from its colon to "=" or the end. */
static size_t skip_annotation(const struct statement *st, size_t i)
{
	for (; i < st->count; i++)
		if (scry_token_is(&st->tokens[i], "=") && !st->tokens[i].depth)
			break;
	return i;
}

static bool is_keyword(const struct scry_token *t)
{
	return is_one_of(t, keywords, sizeof(keywords) / sizeof(*keywords));
}

/* Private names are compiled with their class's: "_C__x". Others than ASCII's may be normalised. */
static bool knows_name(const struct scry_consts *k, const struct scry_token *t)
{
	if (t->len > 2 && !memcmp(t->text, "__", 2))
		return true;
	for (size_t i = 0; i < t->len; i++)
		if ((unsigned char)t->text[i] >= 0x80)
			return true;
	return is_keyword(t) || scry_words_have(&k->words, t->text, t->len);
}

/* A plain number: no fraction, exponent, base or suffix. */
static bool is_plain_number(const struct scry_token *t)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->text[i] < '0' || t->text[i] > '9')
			return false;
	return t->len < 19 && (t->len == 1 || t->text[0] != '0');
}

static bool knows_number(const struct scry_consts *k, const struct scry_token *t)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "#%.*s", (int)t->len, t->text);

	return scry_words_have(&k->words, text, (size_t)len);
}

/* A string that its constant has as it is written: no prefix, no escapes, on one line. */
static bool is_plain_string(const struct scry_token *t)
{
	if (t->len < 3 || (t->text[0] != '"' && t->text[0] != '\'') || t->line != t->last_line ||
	    t->text[1] == t->text[0])
		return false;
	for (size_t i = 0; i < t->len; i++)
		if (strchr("\\%{", t->text[i]) || (unsigned char)t->text[i] >= 0x80)
			return false;
	return t->text[t->len - 1] == t->text[0];
}

static bool knows_string(const struct scry_consts *k, const struct scry_token *t)
{
	for (size_t i = 0; i < k->count; i++)
		if (memmem(k->texts[i], strlen(k->texts[i]), t->text + 1, t->len - 2))
			return true;
	return false;
}

/*
 * One number or one string on a line is a constant of the code, unless the compiler could do
 * without
 * it: with others it may have been folded, after "if" and the like decided, in brackets be part of
 * an index or a slice.
 */
static bool literals_fit(const struct scry_consts *k, const struct statement *st)
{
	const struct scry_token *number = NULL, *string = NULL;
	unsigned numbers = 0, strings = 0;

	for (size_t i = 0; i < st->count; i++) {
		const struct scry_token *t = &st->tokens[i];

		if (t->kind == SCRY_TOKEN_NUMBER) {
			number = t;
			numbers++;
		} else if (t->kind == SCRY_TOKEN_STRING) {
			string = t;
			strings++;
		} else if (scry_token_is(t, "[") || scry_token_is(t, "if") ||
			   scry_token_is(t, "while") || scry_token_is(t, "assert") ||
			   scry_token_is(t, "elif") || scry_token_is(t, "and") ||
			   scry_token_is(t, "or") || scry_token_is(t, "not")) {
			return true;
		}
	}
	if (st->first != st->last)
		return true;
	if (numbers == 1 && !strings && is_plain_number(number) && !knows_number(k, number))
		return false;
	return strings != 1 || numbers || st->count < 2 || !is_plain_string(string) ||
	       knows_string(k, string);
}

static bool names_fit(const struct scry_consts *k, const struct statement *st)
{
	if (st->count &&
	    (scry_token_is(&st->tokens[0], "global") || scry_token_is(&st->tokens[0], "nonlocal")))
		return true; /* compiled to nothing */
	bool may_annotate = st->count && !st->tokens[0].depth && !is_keyword(&st->tokens[0]);

	for (size_t i = 0; i < st->count; i++) {
		const struct scry_token *t = &st->tokens[i];

		if (may_annotate && !t->depth && scry_token_is(t, ":"))
			i = skip_annotation(st, i);
		else if (t->kind == SCRY_TOKEN_NAME && !knows_name(k, t))
			return false;
	}
	return true;
}

/* --- the instructions of a line --- */

/* Is each word of a name that is loaded part of the statement? */
static bool statement_loads(const struct statement *st, const char *name)
{
	bool assertion =
		!strcmp(name, "AssertionError") && scry_words_have(&st->words, "assert", 6);

	for (const char *p = name; *p; p++)
		if (!scry_is_word_char(*p) && *p != '.')
			return true; /* of no program: a rewritten one's, a compiler's own */
	if (assertion || !strncmp(name, "__", 2))
		return true;
	while (*name) {
		size_t len = strcspn(name, ".");
		const char *own =
			name[0] == '_' && len > 3 ? memmem(name + 1, len - 1, "__", 2) : NULL;

		if (len && !scry_words_have(&st->words, name, len) &&
		    !(own && scry_words_have(&st->words, own, len - (size_t)(own - name))))
			return false;
		name += len + (name[len] == '.');
	}
	return true;
}

/* Is it the index of a name, and does it read what the statement must name? */
static bool is_load(const struct scry_instruction *i)
{
	return i->kind == 'n' && (!strncmp(i->name, "LOAD_", 5) || !strncmp(i->name, "IMPORT_", 7));
}

static bool loads_fit(struct scry_consts *k, const struct statement *st, int line, int64_t lasti)
{
	struct scry_instructions w;
	struct scry_instruction i;
	struct scry_code *c = k->code;
	const char *name;

	if (scry_instructions_open(&w, c) < 0) {
		k->whole = false;
		return true;
	}
	while (scry_instruction_next(&w, &i) == SCRY_ITEM) {
		struct scry_location at = { 0 };

		if (!strcmp(i.name, "LOAD_SMALL_INT"))
			scry_consts_add_number(k, i.arg);
		if (!is_load(&i) || i.offset + NEAR < lasti || i.offset > lasti + NEAR)
			continue;
		scry_code_location(c, i.offset, &at);
		if (at.line == line && (name = scry_instruction_name(c, &i)) &&
		    !statement_loads(st, name))
			return false;
	}
	return true;
}

/* pytest and the like write their own names into a module's code, which its text has not. */
static bool is_rewritten(const struct scry_consts *k)
{
	return scry_words_have(&k->words, "py_assert1", 10) ||
	       scry_words_have(&k->words, "pytest_ar", 9);
}

static bool line_fits(struct scry_code *c, int line, int64_t lasti)
{
	struct statement st = { .known = false };
	struct scry_consts k = { .code = c, .whole = true };
	/* a definition is where a statement begins; comprehensions and lambdas are inside one */
	bool inside = (c->name[0] == '<' && strcmp(c->name, "<module>") != 0) || is_annotations(c);
	bool fits = true;

	find_statement(c, has_definition(c) && !inside ? c->first_line : 1, line, &st);
	if (st.known && !st.in_string) {
		/* its own definition has names of what defines it: decorators, annotations */
		inside = inside || (has_definition(c) && st.first <= c->first_line);
		k.from = st.first;
		k.to = st.last;
		scry_consts_add(&k, c, 0);
		fits = is_rewritten(&k) || !k.whole ||
		       (loads_fit(&k, &st, line, lasti) &&
			(inside || !k.whole || (names_fit(&k, &st) && literals_fit(&k, &st))));
	}
	scry_consts_done(&k);
	statement_done(&st);
	return fits && !st.none;
}

int scry_source_of_code(struct scry_code *c, int line, int64_t lasti, struct scry_source_text *ret)
{
	struct scry_session *s = c->runtime->session;
	struct scry_source_text found = { NULL };

	if (line <= 0 || !scry_source_fits(c) ||
	    scry_source_line(s, c->file, line, &found.text, &found.len) < 0)
		return SCRY_ENOTFOUND;
	if (lasti >= 0 && !line_fits(c, line, lasti)) {
		say_foreign(c);
		return SCRY_ENOTFOUND;
	}
	found.doubt = scry_source_doubt(s, c->file);
	*ret = found;
	return SCRY_OK;
}
