/** Keys and items: what stands between [ and ] of an expression, and what it finds. */
#ifndef SCRY_KEY_H
#define SCRY_KEY_H

#include "object/item.h"

#define SCRY_KEY_TUPLE_MAX 8

/** What stands in brackets, by value. Texts and items are in the session's arena. */
struct scry_key {
	enum {
		SCRY_KEY_NONE,
		SCRY_KEY_BOOL,
		SCRY_KEY_INT,
		SCRY_KEY_TEXT,
		SCRY_KEY_BYTES,
		SCRY_KEY_TUPLE,
		/* an int of more than 64 bits: its digits are the text */
		SCRY_KEY_FLOAT,
		SCRY_KEY_BIG,
		SCRY_KEY_OBJECT
	} kind;
	int64_t number;
	double real;
	const char *text;
	size_t len; /* of a text's bytes: it may have NUL in it */
	scry_addr addr;
	unsigned count;
	struct scry_key *items; /* of a tuple, in the arena */
};
/**
 * Parse a key at *at and move *at after it: a string, integer, None, True, False, a tuple of them
 * (with or without parentheses), else what `nested` evaluates.
 */
int scry_key_parse(struct scry_runtime *r, const char **at,
		   int (*nested)(void *arg, const char **at, scry_addr *ret), void *arg,
		   struct scry_key *ret);
/**
 * Would the dict's key compare equal? Ints and bools by value, text by text, tuples by items, else
 * by identity.
 */
bool scry_key_matches(struct scry_runtime *r, const struct scry_key *key, scry_addr obj);
/** As an index. */
bool scry_key_index(struct scry_runtime *r, const struct scry_key *key, int64_t *ret);

#endif
