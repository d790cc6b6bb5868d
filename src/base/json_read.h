/**
 * A JSON reader that goes over a text once and builds nothing: whoever reads asks for the keys that
 * it knows and skips the rest. The text need not be trusted: after the first thing that is no JSON
 * `failed` is set and everything else comes to its end. Texts become WTF-8, lone surrogates
 * included, as the writer (base/json.h) had them.
 */
#ifndef SCRY_JSON_READ_H
#define SCRY_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define SCRY_JSON_DEPTH 1024 /* containers in each other */

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
 * Reads JSON that is not trusted, from left to right. After a failure all that is read is nothing.
 */
struct scry_json_reader {
	const char *at, *end;
	unsigned depth;
	bool first;          /* of the open container */
	const char *failed;  /* what is wrong, static; NULL nothing */
	struct scry_buf key; /* of the value at hand */
};

/** Begin with a text of `len` bytes, which must outlive the reader. */
void scry_json_reader_init(struct scry_json_reader *r, const char *text, size_t len);
/** Free what it keeps; takes a zeroed one. */
void scry_json_reader_done(struct scry_json_reader *r);
/** What the next value is; nothing is taken. */
enum scry_json_kind scry_json_next_kind(struct scry_json_reader *r);
/** Enter the object or array that is next; false (and the value is skipped) where it is not one. */
bool scry_json_enter(struct scry_json_reader *r, enum scry_json_kind kind);
/**
 * The next member of the object that was entered, its name in r->key, or element of the array:
 * false at the end, which is taken. The value must be taken or skipped before the next call.
 */
bool scry_json_member(struct scry_json_reader *r);
bool scry_json_element(struct scry_json_reader *r);
bool scry_json_key_is(const struct scry_json_reader *r, const char *name);
/** The string that is next, in place of what `out` has; false, and skipped, for others. */
bool scry_json_take_text(struct scry_json_reader *r, struct scry_buf *out);
/** A whole number; false, and skipped, for others and for those that 64 bits do not hold. */
bool scry_json_take_int(struct scry_json_reader *r, int64_t *ret);
/** True for `true`; any value is taken. */
bool scry_json_take_bool(struct scry_json_reader *r);
void scry_json_skip(struct scry_json_reader *r);
/** Is nothing but white space left? */
bool scry_json_at_end(struct scry_json_reader *r);

#endif
