/**
 * A JSON reader that goes over a text once and builds nothing: the caller asks for the keys that it
 * knows and skips the rest. The text need not be trusted: after the first thing that is not JSON,
 * `failed` is set and all loops come to their end. Texts become WTF-8, lone surrogates included, as
 * the writer (base/json.h) got them.
 */
#ifndef SCRY_JSON_READ_H
#define SCRY_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define SCRY_JSON_DEPTH 1024 /* how many containers may be nested */

/** What a value is; BAD where the text is not JSON. */
enum scry_json_kind {
	SCRY_JSON_BAD,
	SCRY_JSON_OBJECT,
	SCRY_JSON_ARRAY,
	SCRY_JSON_STRING,
	SCRY_JSON_NUMBER,
	SCRY_JSON_TRUE,
	SCRY_JSON_FALSE,
	SCRY_JSON_NULL
};

/**
 * The state of the reader. After a failure nothing more is read: texts are empty, containers end.
 */
struct scry_json_reader {
	const char *at, *end;
	unsigned depth;
	bool first;          /* the next item is the first of its container */
	const char *failed;  /* what is wrong (static); NULL: nothing */
	struct scry_buf key; /* that of the current value */
};

/** Begin with a text of `len` bytes, which must outlive the reader. */
void scry_json_reader_init(struct scry_json_reader *r, const char *text, size_t len);
/** Free what it keeps; a zeroed one is fine. */
void scry_json_reader_done(struct scry_json_reader *r);
/** What the next value is; it is not taken. */
enum scry_json_kind scry_json_next_kind(struct scry_json_reader *r);
/** Enter the object or array that is next; false (and the value is skipped) where it is not one. */
bool scry_json_enter(struct scry_json_reader *r, enum scry_json_kind kind);
/**
 * Move to the next member of the object that was entered (its name goes to r->key), or to the next
 * element of the array; false at the end, which is taken. The value must be taken or skipped before
 * the next call.
 */
bool scry_json_member(struct scry_json_reader *r);
bool scry_json_element(struct scry_json_reader *r);
/** Is r->key this name? */
bool scry_json_key_is(const struct scry_json_reader *r, const char *name);
/** The next value, a string, replaces what `out` has; false, and skipped, for other values. */
bool scry_json_take_text(struct scry_json_reader *r, struct scry_buf *out);
/** The next value, an integer of at most 64 bits; false, and skipped, for other values. */
bool scry_json_take_int(struct scry_json_reader *r, int64_t *ret);
/** Take the next value: true for `true`, false for anything else. */
bool scry_json_take_bool(struct scry_json_reader *r);
/** Skip the next value, containers whole. */
void scry_json_skip(struct scry_json_reader *r);
/** Is nothing but white space left? */
bool scry_json_at_end(struct scry_json_reader *r);

#endif
