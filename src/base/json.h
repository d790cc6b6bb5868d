/**
 * A JSON writer that streams into a buffer. A library that builds a tree would hold 200,000 frames
 * twice, and none of Debian's keeps a lone surrogate, which Python strings may have: here WTF-8
 * text becomes `\udXXX`, as Python's json writes it. Bytes that are not WTF-8 become U+FFFD.
 * Characters that cannot be seen (scry_utf8_is_unseen()) are escaped, so that none is lost and none
 * affects a terminal that shows the JSON.
 */
#ifndef SCRY_JSON_H
#define SCRY_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/**
 * Writes JSON to a buffer; it keeps no stack of what is open, so brackets are the caller's to
 * match.
 */
struct scry_json {
	struct scry_buf *out;
	bool comma; /* the next item in the open container needs one */
};

/** Begin and end an object or array: '{' '}' '[' ']'. */
void scry_json_open(struct scry_json *j, char bracket);
void scry_json_close(struct scry_json *j, char bracket);
/** The key of the value that follows. */
void scry_json_key(struct scry_json *j, const char *key);
/** A string; NULL gives null. */
void scry_json_text(struct scry_json *j, const char *text);
void scry_json_bytes(struct scry_json *j, const char *text, size_t len);
void scry_json_int(struct scry_json *j, int64_t value);
void scry_json_bool(struct scry_json *j, bool value);
void scry_json_null(struct scry_json *j);
/** An address: the string "0x...". */
void scry_json_addr(struct scry_json *j, uint64_t addr);
/** A number where it is > 0, else null: for lines and columns, whose 0 means unknown. */
void scry_json_positive(struct scry_json *j, int64_t value);

/** A key and its value in one. */
void scry_json_put_text(struct scry_json *j, const char *key, const char *text);
void scry_json_put_bytes(struct scry_json *j, const char *key, const char *text, size_t len);
void scry_json_put_int(struct scry_json *j, const char *key, int64_t value);
void scry_json_put_bool(struct scry_json *j, const char *key, bool value);
void scry_json_put_null(struct scry_json *j, const char *key);
void scry_json_put_addr(struct scry_json *j, const char *key, uint64_t addr);
void scry_json_put_positive(struct scry_json *j, const char *key, int64_t value);

#endif
