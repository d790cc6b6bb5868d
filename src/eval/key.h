/** Keys and items: what is between the [ and ] of an expression, and what it finds. */
#ifndef SCRY_KEY_H
#define SCRY_KEY_H

#include "object/item.h"

#define SCRY_KEY_TUPLE_MAX 8

/** A key, by value. Texts and items are in the session's arena. */
struct scry_key {
	enum {
		SCRY_KEY_NONE,
		SCRY_KEY_BOOL,
		SCRY_KEY_INT,
		SCRY_KEY_TEXT,
		SCRY_KEY_BYTES,
		SCRY_KEY_TUPLE,
		SCRY_KEY_FLOAT,
		/* an int of more than 64 bits: its digits are the text */
		SCRY_KEY_BIG,
		SCRY_KEY_OBJECT
	} kind;
	int64_t number;
	double real;
	const char *text;
	size_t len; /* bytes of a text, which may contain NUL */
	scry_addr addr;
	unsigned count;
	struct scry_key *items; /* `count` of them, of a tuple */
};
/**
 * Parse a key at *at and move *at past it: a string, number, None, True, False, a tuple of them
 * (with or without parentheses), or else what `nested` evaluates. Negative (scry_fail) where it is
 * malformed.
 */
int scry_key_parse(struct scry_runtime *r, const char **at,
		   int (*nested)(void *arg, const char **at, scry_addr *ret), void *arg,
		   struct scry_key *ret);
/**
 * Would the dict's key `obj` compare equal? Numbers and bools by value, text by text, tuples by
 * items, anything else by identity.
 */
bool scry_key_matches(struct scry_runtime *r, const struct scry_key *key, scry_addr obj);
/** The key as an index; false where it is not an integer. */
bool scry_key_index(struct scry_runtime *r, const struct scry_key *key, int64_t *ret);

#endif
