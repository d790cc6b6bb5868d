#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pyscry/pyscry.h"

const char scry_buf_empty[1] = "";

#define SPILL 0x40000 /* bytes that are worth a call of the sink */

/*
 * Room for `more` bytes and the NUL. Growing fails once and for all: what is appended afterwards
 * would be in the wrong place. Callers look at `failed` at the end, and nowhere else.
 */
static bool reserve(struct scry_buf *b, size_t more)
{
	if (b->failed)
		return false;
	if (b->cap - b->len > more)
		return true;
	if (more > SIZE_MAX / 2 - b->len) {
		b->failed = true;
		return false;
	}
	size_t cap = b->cap ? b->cap : 256;
	while (cap - b->len <= more)
		cap *= 2;
	/* an empty buffer points to a static "", which was never allocated */
	char *text = realloc(b->cap ? b->text : NULL, cap);
	if (!text) {
		b->failed = true;
		return false;
	}
	b->text = text;
	b->cap = cap;
	return true;
}

struct scry_buf *scry_buf_new(void)
{
	struct scry_buf *b = malloc(sizeof(*b));

	if (b)
		*b = (struct scry_buf)SCRY_BUF_INIT;
	return b;
}

void scry_buf_free(struct scry_buf *b)
{
	if (!b)
		return;
	scry_buf_done(b);
	free(b);
}

const char *scry_buf_text(struct scry_buf *b)
{
	return b->text;
}

size_t scry_buf_len(const struct scry_buf *b)
{
	return b->len;
}

void scry_buf_clear(struct scry_buf *b)
{
	scry_buf_cut(b, 0);
	b->failed = false;
}

void scry_buf_done(struct scry_buf *b)
{
	if (b->cap)
		free(b->text);
	*b = (struct scry_buf)SCRY_BUF_INIT;
}

/* NULL also for an empty one: there is nothing to free. */
char *scry_buf_take(struct scry_buf *b)
{
	char *text = b->cap && !b->failed ? b->text : NULL;

	if (!text)
		scry_buf_done(b);
	*b = (struct scry_buf)SCRY_BUF_INIT;
	return text;
}

void scry_buf_cut(struct scry_buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->text[len] = '\0';
}

/* Only between two lines, when the caller says so: what was printed cannot be cut any more. */
void scry_buf_spill(struct scry_buf *b)
{
	if (!b->sink || b->len < SPILL)
		return;
	b->sink(b->sink_arg, b->text, b->len);
	scry_buf_cut(b, 0);
}

void scry_buf_put(struct scry_buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->text + b->len, data, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void scry_buf_puts(struct scry_buf *b, const char *text)
{
	scry_buf_put(b, text, strlen(text));
}

void scry_buf_putc(struct scry_buf *b, char c)
{
	scry_buf_put(b, &c, 1);
}

/*
 * No check for surrogates: a text of the target's may have a lone one, which becomes three bytes
 * (WTF-8).
 */
void scry_buf_put_char(struct scry_buf *b, unsigned code)
{
	char utf8[4];
	size_t n = 0;

	if (code < 0x80) {
		utf8[n++] = (char)code;
	} else if (code < 0x800) {
		utf8[n++] = (char)(0xc0 | code >> 6);
		utf8[n++] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		utf8[n++] = (char)(0xe0 | code >> 12);
		utf8[n++] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (code & 0x3f));
	} else {
		utf8[n++] = (char)(0xf0 | (code >> 18 & 7));
		utf8[n++] = (char)(0x80 | (code >> 12 & 0x3f));
		utf8[n++] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (code & 0x3f));
	}
	scry_buf_put(b, utf8, n);
}

void scry_buf_vprintf(struct scry_buf *b, const char *fmt, va_list ap)
{
	/* a va_list is used up by the first vsnprintf(), which only measures */
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !reserve(b, (size_t)n))
		return;
	vsnprintf(b->text + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void scry_buf_printf(struct scry_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	scry_buf_vprintf(b, fmt, ap);
	va_end(ap);
}
