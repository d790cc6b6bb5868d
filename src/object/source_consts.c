/* The names, numbers and strings of code objects, to be found in the source's own. */
#include "object/source_consts.h"

#include <stdlib.h>
#include <string.h>
#include <inttypes.h>
#include <stdio.h>

#include "object/known.h"
#include "object/printer.h"
#include "object/source_token.h"

#define CONSTS_MAX      4000 /* constants of one code object */
#define NESTED_MAX      4    /* tuples in tuples, code in code */
#define TEXT_LENGTH_MAX 2000 /* of a constant */

static uint64_t scry_word_key(const char *text, size_t len)
{
	return scry_fnv1a(SCRY_FNV1A_START, text, len);
}

void scry_words_add(struct scry_hash *words, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t start = i;

		while (i < len && scry_is_word_char(text[i]))
			i++;
		if (i > start)
			scry_hash_add(words, scry_word_key(text + start, i - start));
		else
			i++;
	}
}

void scry_consts_add_number(struct scry_consts *k, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "#%" PRIu64, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);

	scry_hash_add(&k->words, scry_word_key(text, (size_t)len));
}

static void add_text(struct scry_consts *k, const char *text)
{
	scry_words_add(&k->words, text, strlen(text));
	if (k->count == k->room) {
		size_t room = k->room ? 2 * k->room : 32;
		const char **texts = reallocarray(k->texts, room, sizeof(*texts));

		if (!texts) {
			k->whole = false;
			return;
		}
		k->texts = texts;
		k->room = room;
	}
	k->texts[k->count++] = text;
}

static void add_object(struct scry_consts *k, scry_addr object, unsigned depth)
{
	struct scry_runtime *r = k->code->runtime;
	struct scry_type *t, *of_code;
	scry_addr items, item;
	const char *text;
	uint64_t count;
	int64_t number;

	if (scry_type_for(r, object, &t) < 0) {
		k->whole = false;
	} else if (t->flags & (TYPE_UNICODE | TYPE_BYTES)) {
		if (scry_text_at(r, object, TEXT_LENGTH_MAX, &text) == SCRY_OK)
			add_text(k, text);
	} else if (t->flags & (TYPE_LONG | TYPE_INT)) {
		if (scry_int_value(r, object, &number) == SCRY_OK)
			scry_consts_add_number(k, number);
	} else if (t->flags & TYPE_TUPLE) {
		if (depth >= NESTED_MAX || scry_sequence(r, object, &count, &items) < 0 ||
		    count > CONSTS_MAX) {
			k->whole = false;
			return;
		}
		for (uint64_t i = 0; i < count; i++)
			if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) ==
			    SCRY_OK)
				add_object(k, item, depth + 1);
	} else if (scry_type_for(r, k->code->addr, &of_code) == SCRY_OK &&
		   t->addr == of_code->addr) {
		struct scry_code *inner = scry_code_at(r, object);

		if (inner && !inner->damaged && inner->first_line >= k->from &&
		    inner->first_line <= k->to)
			scry_consts_add(k, inner, depth + 1);
	} else if (scry_is_exactly(r, object, SCRY_IS_FROZENSET)) {
		uint64_t it = 0;

		while (scry_set_next(r, object, &it, &item) == SCRY_ITEM)
			add_object(k, item, depth + 1);
	}
}

bool scry_code_tuple(struct scry_code *c, enum scry_field f, uint64_t *ret_count,
		     scry_addr *ret_items)
{
	scry_addr tuple;

	return scry_field_read(c->runtime, c->addr, f, &tuple) == SCRY_OK &&
	       scry_sequence(c->runtime, tuple, ret_count, ret_items) == SCRY_OK &&
	       *ret_count <= CONSTS_MAX;
}

static void add_tuple(struct scry_consts *k, struct scry_code *c, enum scry_field f, unsigned depth)
{
	struct scry_runtime *r = c->runtime;
	scry_addr items, item;
	uint64_t count;

	if (!scry_code_tuple(c, f, &count, &items)) {
		k->whole = false;
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) == SCRY_OK)
			add_object(k, item, depth);
		else
			k->whole = false;
}

void scry_consts_add(struct scry_consts *k, struct scry_code *c, unsigned depth)
{
	if (depth > NESTED_MAX)
		return;
	add_tuple(k, c, SCRY_F_CODE_NAMES, depth);
	add_tuple(k, c, SCRY_F_CODE_CONSTS, depth);
	if (scry_code_locals(c) < 0)
		k->whole = false;
	else
		for (unsigned i = 0; i < c->slots; i++)
			scry_words_add(&k->words, c->locals[i].name, strlen(c->locals[i].name));
	scry_words_add(&k->words, c->name, strlen(c->name));
}

void scry_consts_done(struct scry_consts *k)
{
	scry_hash_done(&k->words);
	free(k->texts);
}

bool scry_words_have(const struct scry_hash *words, const char *text, size_t len)
{
	/* scry_hash_add() stores what no caller sees: being there is what counts */
	return scry_hash_find(words, scry_word_key(text, len)) != NULL;
}
