/**
 * The names, numbers and strings that a code object has, and those of functions inside it: what its
 * source must have too. Read from the target, so all of it is bounded.
 */
#ifndef SCRY_SOURCE_CONSTS_H
#define SCRY_SOURCE_CONSTS_H

#include "base/hash.h"
#include "runtime/code.h"

struct scry_consts {
	struct scry_code *code;
	struct scry_hash words; /* names, words of strings, numbers: scry_words_have() knows them */
	const char **texts;     /* of strings */
	size_t count, room;
	bool whole;   /* nothing was left out */
	int from, to; /* lines whose inner functions count */
};

/**
 * Take in what `c` has; `depth` 0 for the outermost. `whole` becomes false where something lacks.
 */
void scry_consts_add(struct scry_consts *k, struct scry_code *c, unsigned depth);
/** A number that an instruction has in itself. */
void scry_consts_add_number(struct scry_consts *k, int64_t n);
/** Frees what the struct holds; the struct itself is the caller's. */
void scry_consts_done(struct scry_consts *k);

/** The words of a text, split where an identifier ends. */
void scry_words_add(struct scry_hash *words, const char *text, size_t len);
bool scry_words_have(const struct scry_hash *words, const char *text, size_t len);
/** A member of a code object that is a tuple: how many items, and where; false: it is not one. */
bool scry_code_tuple(struct scry_code *c, enum scry_field f, uint64_t *ret_count,
		     scry_addr *ret_items);

#endif
