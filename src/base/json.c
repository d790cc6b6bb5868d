#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

/* The comma comes before a value, since only then it is known that there is one more. */
static void separate(struct scry_json *j)
{
	if (j->comma)
		scry_buf_putc(j->out, ',');
	j->comma = true;
}

void scry_json_open(struct scry_json *j, char bracket)
{
	separate(j);
	scry_buf_putc(j->out, bracket);
	j->comma = false;
}

void scry_json_close(struct scry_json *j, char bracket)
{
	scry_buf_putc(j->out, bracket);
	j->comma = true;
}

void scry_json_key(struct scry_json *j, const char *key)
{
	scry_json_text(j, key);
	scry_buf_putc(j->out, ':');
	j->comma = false;
}

/*
 * RFC 8259, 7: quotes, backslash and controls must be escaped. What no terminal should get
 * (directions of writing, invisible characters) is, too: JSON is looked at by people as well.
 */
static void put_escaped(struct scry_json *j, unsigned code)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *p = named; *p; p += 2) {
		if ((unsigned char)*p != code)
			continue;
		scry_buf_putc(j->out, '\\');
		scry_buf_putc(j->out, p[1]);
		return;
	}
	if (!scry_utf8_is_unseen(code))
		scry_buf_put_char(j->out, code);
	else if (code < 0x10000)
		scry_buf_printf(j->out, "\\u%04x", code);
	else
		scry_buf_printf(j->out, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10),
				0xdc00 | (code & 0x3ff));
}

void scry_json_bytes(struct scry_json *j, const char *text, size_t len)
{
	separate(j);
	scry_buf_putc(j->out, '"');
	for (size_t i = 0; i < len;) {
		/* nearly all is plain ASCII: copied as it is, in runs */
		size_t plain = i;

		while (plain < len && text[plain] >= ' ' && text[plain] < 0x7f &&
		       text[plain] != '"' && text[plain] != '\\')
			plain++;
		scry_buf_put(j->out, text + i, plain - i);
		i = plain;
		if (i < len)
			put_escaped(j, scry_utf8_next(text, len, &i));
	}
	scry_buf_putc(j->out, '"');
}

void scry_json_text(struct scry_json *j, const char *text)
{
	if (text)
		scry_json_bytes(j, text, strlen(text));
	else
		scry_json_null(j);
}

void scry_json_int(struct scry_json *j, int64_t value)
{
	separate(j);
	scry_buf_printf(j->out, "%" PRId64, value);
}

void scry_json_bool(struct scry_json *j, bool value)
{
	separate(j);
	scry_buf_puts(j->out, value ? "true" : "false");
}

void scry_json_null(struct scry_json *j)
{
	separate(j);
	scry_buf_puts(j->out, "null");
}

/*
 * By hand: a deep stack has an address for each frame, and printf's machinery would be half of the
 * time.
 */
void scry_json_addr(struct scry_json *j, uint64_t addr)
{
	char text[20], *at = text + sizeof(text);

	separate(j);
	*--at = '"';
	do
		*--at = "0123456789abcdef"[addr & 15];
	while (addr >>= 4);
	scry_buf_put(j->out, "\"0x", 3);
	scry_buf_put(j->out, at, (size_t)(text + sizeof(text) - at));
}

void scry_json_positive(struct scry_json *j, int64_t value)
{
	if (value > 0)
		scry_json_int(j, value);
	else
		scry_json_null(j);
}

void scry_json_put_text(struct scry_json *j, const char *key, const char *text)
{
	scry_json_key(j, key);
	scry_json_text(j, text);
}

void scry_json_put_int(struct scry_json *j, const char *key, int64_t value)
{
	scry_json_key(j, key);
	scry_json_int(j, value);
}

void scry_json_put_bool(struct scry_json *j, const char *key, bool value)
{
	scry_json_key(j, key);
	scry_json_bool(j, value);
}

void scry_json_put_addr(struct scry_json *j, const char *key, uint64_t addr)
{
	scry_json_key(j, key);
	scry_json_addr(j, addr);
}

void scry_json_put_positive(struct scry_json *j, const char *key, int64_t value)
{
	scry_json_key(j, key);
	scry_json_positive(j, value);
}

void scry_json_put_bytes(struct scry_json *j, const char *key, const char *text, size_t len)
{
	scry_json_key(j, key);
	scry_json_bytes(j, text, len);
}

void scry_json_put_null(struct scry_json *j, const char *key)
{
	scry_json_key(j, key);
	scry_json_null(j);
}
