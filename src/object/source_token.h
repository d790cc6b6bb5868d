/**
 * Tokens of Python source text: as much of the language's lexer as it takes to tell names from
 * strings and to see where a statement ends. It gets to the end of any text, Python or not.
 */
#ifndef SCRY_SOURCE_TOKEN_H
#define SCRY_SOURCE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/** What a token is. */
enum scry_token_kind {
	SCRY_TOKEN_END,     /* of the text */
	SCRY_TOKEN_NEWLINE, /* of a statement: outside brackets, not after a backslash */
	SCRY_TOKEN_NAME,    /* keywords too */
	SCRY_TOKEN_NUMBER,
	SCRY_TOKEN_STRING, /* whole, with prefix and quotes; an f-string with all that is nested */
	SCRY_TOKEN_OTHER   /* one character */
};

/** One token. */
struct scry_token {
	enum scry_token_kind kind;
	const char *text; /* points into the lexer's text */
	size_t len;
	int line, last_line; /* where it begins and ends */
	int depth;           /* brackets open before it */
};

/** A walk over a text, which must stay. */
struct scry_lexer {
	const char *at, *end;
	int line;
	int depth;
	bool fresh; /* no token of this statement was given yet */
};

/** Start at the beginning of a line that is number `line`. */
void scry_lexer_start(struct scry_lexer *x, const char *text, size_t len, int line);
/** The next token; blank lines and comments are skipped. */
struct scry_token scry_lexer_next(struct scry_lexer *x);
/** May it be part of a name? Any byte above 127 may. */
bool scry_is_word_char(char c);
/** Is the token exactly this? */
bool scry_token_is(const struct scry_token *t, const char *text);

#endif
