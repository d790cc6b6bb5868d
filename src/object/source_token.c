/* Tokens of Python source text: the language reference, "Lexical analysis". */
#include "object/source_token.h"

#include <string.h>

#define NESTED_MAX 8 /* strings in the braces of f-strings in braces ... */

void scry_lexer_start(struct scry_lexer *x, const char *text, size_t len, int line)
{
	*x = (struct scry_lexer) { .at = text, .end = text + len, .line = line, .fresh = true };
}

bool scry_token_is(const struct scry_token *t, const char *text)
{
	return strlen(text) == t->len && !memcmp(t->text, text, t->len);
}

bool scry_is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* \n, \r\n and \r end a line, as in symbol/source.c. */
static bool take_line_end(struct scry_lexer *x)
{
	if (x->at >= x->end || (*x->at != '\n' && *x->at != '\r'))
		return false;
	x->at += *x->at == '\r' && x->at + 1 < x->end && x->at[1] == '\n' ? 2 : 1;
	x->line++;
	return true;
}

static void skip_comment(struct scry_lexer *x)
{
	while (x->at < x->end && *x->at != '\n' && *x->at != '\r')
		x->at++;
}

static bool has_letter(const char *from, const char *to, const char *letters)
{
	for (; from < to; from++)
		if (strchr(letters, *from))
			return true;
	return false;
}

static bool has_other(const char *from, const char *to, const char *letters)
{
	for (; from < to; from++)
		if (!strchr(letters, *from))
			return true;
	return false;
}

static void skip_string(struct scry_lexer *x, bool formatted, unsigned nested);

/* What stands between the braces of an f-string; strings in it may use the same quotes (3.12+). */
static void skip_braces(struct scry_lexer *x, unsigned nested)
{
	int open = 0;

	while (x->at < x->end) {
		char c = *x->at;

		if ((c == '"' || c == '\'') && nested < NESTED_MAX) {
			skip_string(x, false, nested + 1);
			continue;
		}
		if (take_line_end(x))
			continue;
		x->at++;
		open += c == '{' ? 1 : c == '}' ? -1 : 0;
		if (!open)
			return;
	}
}

/*
 * From the opening quote to past the closing one; a string of one line that is not closed ends with
 * it.
 */
static void skip_string(struct scry_lexer *x, bool formatted, unsigned nested)
{
	char quote = *x->at;
	bool triple = x->end - x->at >= 3 && x->at[1] == quote && x->at[2] == quote;

	x->at += triple ? 3 : 1;
	while (x->at < x->end) {
		char c = *x->at;

		if (c == quote &&
		    (!triple || (x->end - x->at >= 3 && x->at[1] == quote && x->at[2] == quote))) {
			x->at += triple ? 3 : 1;
			return;
		}
		if ((c == '\n' || c == '\r') && !triple)
			return;
		if (c == '\\' && x->at + 1 < x->end) {
			x->at++;
			if (!take_line_end(x))
				x->at++;
		} else if (formatted && c == '{' && x->at + 1 < x->end && x->at[1] != '{') {
			skip_braces(x, nested);
		} else if (!take_line_end(x)) {
			x->at += formatted && c == '{' ? 2 : 1;
		}
	}
	if (x->at > x->end)
		x->at = x->end;
}

/* A name, or the prefix of a string. */
static enum scry_token_kind take_name(struct scry_lexer *x)
{
	const char *start = x->at;

	while (x->at < x->end && scry_is_word_char(*x->at))
		x->at++;
	if (x->at < x->end && x->at - start <= 2 && (*x->at == '"' || *x->at == '\'') &&
	    !has_other(start, x->at, "bfrtuBFRTU")) {
		skip_string(x, has_letter(start, x->at, "fFtT"), 0);
		return SCRY_TOKEN_STRING;
	}
	return SCRY_TOKEN_NAME;
}

static void take_number(struct scry_lexer *x)
{
	while (x->at < x->end && (scry_is_word_char(*x->at) || *x->at == '.'))
		x->at++;
}

/* White space, comments, joined lines; true where a statement ended. */
static bool skip_space(struct scry_lexer *x)
{
	while (x->at < x->end) {
		if (*x->at == '#') {
			skip_comment(x);
		} else if (*x->at == '\\' && x->at + 1 < x->end &&
			   (x->at[1] == '\n' || x->at[1] == '\r')) {
			x->at++;
			take_line_end(x);
		} else if (*x->at == '\n' || *x->at == '\r') {
			if (!x->depth && !x->fresh)
				return true;
			take_line_end(x);
		} else if (*x->at == ' ' || *x->at == '\t' || *x->at == '\f') {
			x->at++;
		} else {
			return false;
		}
	}
	return false;
}

struct scry_token scry_lexer_next(struct scry_lexer *x)
{
	bool ended = skip_space(x);
	struct scry_token t = { SCRY_TOKEN_END, x->at, 0, x->line, x->line, x->depth };

	if (ended) {
		take_line_end(x);
		x->fresh = true;
		t.kind = SCRY_TOKEN_NEWLINE;
		return t;
	}
	if (x->at >= x->end)
		return t;
	char c = *x->at;
	x->fresh = false;
	if (is_digit(c) || (c == '.' && x->at + 1 < x->end && is_digit(x->at[1]))) {
		t.kind = SCRY_TOKEN_NUMBER;
		take_number(x);
	} else if (scry_is_word_char(c)) {
		t.kind = take_name(x);
	} else if (c == '"' || c == '\'') {
		t.kind = SCRY_TOKEN_STRING;
		skip_string(x, false, 0);
	} else {
		t.kind = SCRY_TOKEN_OTHER;
		if (c && strchr("([{", c))
			x->depth++;
		else if (c && x->depth && strchr(")]}", c))
			x->depth--;
		x->at++;
	}
	t.len = (size_t)(x->at - t.text);
	t.last_line = x->line;
	return t;
}
