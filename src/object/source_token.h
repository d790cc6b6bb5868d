/**
 * Tokens of Python source text: as much of the language's lexer as it takes to tell names from
 * strings and to see where a statement ends. It reads any text, Python or not, to its end.
 */
#ifndef SCRY_SOURCE_TOKEN_H
#define SCRY_SOURCE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum scry_token_kind {
	SCRY_TOKEN_END,     /* of the text */
	SCRY_TOKEN_NEWLINE, /* of a statement: outside brackets, not after a backslash */
	SCRY_TOKEN_NAME,    /* keywords too */
	SCRY_TOKEN_NUMBER,
	SCRY_TOKEN_STRING, /* whole, with prefix and quotes; of f-strings what is nested too */
	SCRY_TOKEN_OTHER   /* one character */
};

struct scry_token {
	enum scry_token_kind kind;
	const char *text; /* in the lexer's text */
	size_t len;
	int line, last_line; /* where it begins and ends */
	int depth;           /* brackets open before it */
};

struct scry_lexer {
	const char *at, *end;
	int line;
	int depth;
	bool fresh; /* no token of this statement was given yet */
};

/** Start at the beginning of a line that is number `line`. */
void scry_lexer_start(struct scry_lexer *x, const char *text, size_t len, int line);
/** The next token; blank lines and comments give none. */
struct scry_token scry_lexer_next(struct scry_lexer *x);
/** May it be part of a name? Bytes of characters beyond ASCII count. */
bool scry_is_word_char(char c);
/** Is the token exactly this? */
bool scry_token_is(const struct scry_token *t, const char *text);

#endif
