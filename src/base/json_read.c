#include "base/json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void scry_json_reader_init(struct scry_json_reader *r, const char *text, size_t len)
{
	*r = (struct scry_json_reader) { .at = text, .end = text + len, .key = SCRY_BUF_INIT };
}

void scry_json_reader_done(struct scry_json_reader *r)
{
	scry_buf_done(&r->key);
}

static bool fail(struct scry_json_reader *r, const char *why)
{
	if (!r->failed)
		r->failed = why;
	r->at = r->end;
	return false;
}

static void skip_space(struct scry_json_reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
}

/* The character that is next, 0 at the end. */
static char peek(struct scry_json_reader *r)
{
	skip_space(r);
	return r->at < r->end ? *r->at : 0;
}

bool scry_json_at_end(struct scry_json_reader *r)
{
	return !peek(r) && r->at == r->end;
}

enum scry_json_kind scry_json_next_kind(struct scry_json_reader *r)
{
	switch (peek(r)) {
	case '{':
		return SCRY_JSON_OBJECT;
	case '[':
		return SCRY_JSON_ARRAY;
	case '"':
		return SCRY_JSON_STRING;
	case 't':
		return SCRY_JSON_TRUE;
	case 'f':
		return SCRY_JSON_FALSE;
	case 'n':
		return SCRY_JSON_NULL;
	case '-':
	case '0' ... '9':
		return SCRY_JSON_NUMBER;
	default:
		return SCRY_JSON_BAD;
	}
}

/* --- strings --- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'                     ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
							: -1;
}

/* The four digits after "\u"; negative where they are not digits. */
static int four_digits(const char *at, const char *end)
{
	int code = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

static bool unicode(struct scry_json_reader *r, struct scry_buf *out)
{
	int code = four_digits(r->at, r->end), low;

	if (code < 0)
		return fail(r, "no digits after \\u");
	r->at += 4;
	if ((code & 0xfc00) == 0xd800 && r->end - r->at >= 6 && r->at[0] == '\\' &&
	    r->at[1] == 'u' && (low = four_digits(r->at + 2, r->end)) >= 0 &&
	    (low & 0xfc00) == 0xdc00) {
		code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
		r->at += 6;
	}
	if (out)
		scry_buf_put_char(out, (unsigned)code);
	return true;
}

static bool escape(struct scry_json_reader *r, struct scry_buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (r->at == r->end)
		return fail(r, "a string has no end");
	char c = *r->at++;
	if (c == 'u')
		return unicode(r, out);
	const char *at = c ? strchr(from, c) : NULL;
	if (!at)
		return fail(r, "no such escape in a string");
	if (out)
		scry_buf_putc(out, to[at - from]);
	return true;
}

/* `out` NULL: only past it. */
static bool string(struct scry_json_reader *r, struct scry_buf *out)
{
	if (peek(r) != '"')
		return fail(r, "a string was expected");
	for (r->at++; r->at < r->end;) {
		const char *plain = r->at;

		while (r->at < r->end && *r->at != '"' && *r->at != '\\' &&
		       (unsigned char)*r->at >= ' ')
			r->at++;
		if (out)
			scry_buf_put(out, plain, (size_t)(r->at - plain));
		if (r->at == r->end)
			break;
		char c = *r->at++;
		if (c == '"')
			return true;
		if (c != '\\')
			return fail(r, "a control character in a string");
		if (!escape(r, out))
			return false;
	}
	return fail(r, "a string has no end");
}

/* --- containers --- */

bool scry_json_enter(struct scry_json_reader *r, enum scry_json_kind kind)
{
	if (scry_json_next_kind(r) != kind) {
		scry_json_skip(r);
		return false;
	}
	if (++r->depth > SCRY_JSON_DEPTH)
		return fail(r, "containers are too deep in each other");
	r->at++;
	r->first = true;
	return true;
}

/* Is there one more in the container? Its comma, or the end, is taken. */
static bool more(struct scry_json_reader *r, char end)
{
	char c = peek(r);

	if (r->failed)
		return false;
	if (c == end) {
		r->at++;
		r->depth--;
		r->first = false;
		return false;
	}
	if (!r->first) {
		if (c != ',')
			return fail(r, r->at == r->end ? "it ends early" : "a comma was expected");
		r->at++;
	}
	r->first = false;
	return true;
}

bool scry_json_element(struct scry_json_reader *r)
{
	return more(r, ']');
}

bool scry_json_member(struct scry_json_reader *r)
{
	if (!more(r, '}'))
		return false;
	scry_buf_cut(&r->key, 0);
	if (!string(r, &r->key))
		return false;
	if (peek(r) != ':')
		return fail(r, "a colon was expected");
	r->at++;
	return true;
}

bool scry_json_key_is(const struct scry_json_reader *r, const char *name)
{
	return !strcmp(r->key.text, name);
}

/* --- values --- */

bool scry_json_take_text(struct scry_json_reader *r, struct scry_buf *out)
{
	scry_buf_cut(out, 0);
	if (scry_json_next_kind(r) != SCRY_JSON_STRING) {
		scry_json_skip(r);
		return false;
	}
	return string(r, out);
}

bool scry_json_take_int(struct scry_json_reader *r, int64_t *ret)
{
	char text[32], *end;
	size_t len = 0;

	if (scry_json_next_kind(r) != SCRY_JSON_NUMBER) {
		scry_json_skip(r);
		return false;
	}
	while (len < sizeof(text) - 1 && r->at + len < r->end &&
	       strchr("-0123456789", r->at[len]) && r->at[len]) {
		text[len] = r->at[len];
		len++;
	}
	text[len] = 0;
	errno = 0;
	int64_t n = strtoll(text, &end, 10);
	bool whole = !errno && !*end && end != text &&
		     (r->at + len == r->end || !r->at[len] || !strchr(".eE", r->at[len]));
	scry_json_skip(r);
	if (whole && !r->failed)
		*ret = n;
	return whole && !r->failed;
}

static void skip_word(struct scry_json_reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len))
		fail(r, "no such value");
	else
		r->at += len;
}

bool scry_json_take_bool(struct scry_json_reader *r)
{
	bool truth = scry_json_next_kind(r) == SCRY_JSON_TRUE;

	scry_json_skip(r);
	return truth && !r->failed;
}

/* One value without what is in it, or the beginning of a container, which is entered. */
static void skip_one(struct scry_json_reader *r)
{
	enum scry_json_kind kind = scry_json_next_kind(r);

	switch (kind) {
	case SCRY_JSON_OBJECT:
	case SCRY_JSON_ARRAY:
		scry_json_enter(r, kind);
		break;
	case SCRY_JSON_STRING:
		string(r, NULL);
		break;
	case SCRY_JSON_NUMBER:
		while (r->at < r->end && *r->at && strchr("+-.0123456789eE", *r->at))
			r->at++;
		break;
	case SCRY_JSON_TRUE:
		skip_word(r, "true");
		break;
	case SCRY_JSON_FALSE:
		skip_word(r, "false");
		break;
	case SCRY_JSON_NULL:
		skip_word(r, "null");
		break;
	default:
		fail(r, r->at == r->end ? "it ends early" : "no such value");
	}
}

void scry_json_skip(struct scry_json_reader *r)
{
	char ends[SCRY_JSON_DEPTH + 1]; /* of the containers that were entered here */
	unsigned open = 0, before = r->depth;

	do {
		enum scry_json_kind kind = scry_json_next_kind(r);

		skip_one(r);
		if (r->depth > before + open && !r->failed)
			ends[open++] = kind == SCRY_JSON_OBJECT ? '}' : ']';
		while (open && !r->failed) {
			if (ends[open - 1] == '}' ? scry_json_member(r) : scry_json_element(r))
				break;
			open--;
		}
	} while (open && !r->failed);
}
