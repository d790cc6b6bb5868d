/**
 * The names, numbers and strings of a code object and of the functions inside it, which its source
 * must have too. Read from the target, so all of it is bounded.
 */
#ifndef SCRY_SOURCE_CONSTS_H
#define SCRY_SOURCE_CONSTS_H

#include "base/hash.h"
#include "runtime/code.h"

/** What was collected; zero it at first. */
struct scry_consts {
	struct scry_code *code;
	struct scry_hash words; /* names, words of strings, numbers: see scry_words_have() */
	const char **texts;     /* the strings */
	size_t count, room;
	bool whole;   /* nothing was left out */
	int from, to; /* only inner functions that begin on these lines count */
};

/**
 * Add what `c` has; `depth` 0 for the outermost. `whole` becomes false where something is missing.
 */
void scry_consts_add(struct scry_consts *k, struct scry_code *c, unsigned depth);
/** Add a number that is part of an instruction. */
void scry_consts_add_number(struct scry_consts *k, int64_t n);
/** Frees what the struct holds; the struct itself is the caller's. */
void scry_consts_done(struct scry_consts *k);

/** Add the words of a text, split where an identifier ends; is a word among them? */
void scry_words_add(struct scry_hash *words, const char *text, size_t len);
bool scry_words_have(const struct scry_hash *words, const char *text, size_t len);
/** The items of a tuple that a code object has in field `f`; false: it is not a tuple. */
bool scry_code_tuple(struct scry_code *c, enum scry_field f, uint64_t *ret_count,
		     scry_addr *ret_items);

#endif
