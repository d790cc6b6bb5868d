/* str, unicode, bytes and bytearray: exactly as repr() quotes them. */
#include "object/known.h"
#include "object/printer.h"

#include "base/utf8.h"
#include "object/item.h"
#include "object/judge.h"
#include "object/text_hash.h"

/* --- characters, read in pieces --- */

struct reader {
	struct scry_runtime *runtime;
	const struct scry_text_view *view;
	/* loaded characters are in `bytes`, the first of them is number `start` */
	uint64_t at, loaded, start;
	uint8_t bytes[1024];
};

static int read_char(struct reader *in, unsigned *ret)
{
	const struct scry_text_view *v = in->view;

	if (in->at >= v->length)
		return SCRY_OK;
	if (in->at >= in->start + in->loaded) {
		uint64_t n = v->length - in->at, most = sizeof(in->bytes) / v->kind;

		in->start = in->at;
		in->loaded = n < most ? n : most;
		int rc = scry_read(in->runtime->session, v->data + in->at * v->kind, in->bytes,
				   in->loaded * v->kind);
		if (rc < 0)
			return rc;
	}
	*ret = (unsigned)scry_load(in->bytes + (in->at - in->start) * v->kind, v->kind,
				   in->runtime->session->target->abi.big_endian);
	if (*ret > (v->ascii ? 0x7fu : 0x10ffffu))
		return scry_fail(in->runtime->session, SCRY_ECORRUPT, v->data,
				 "character %" PRIu64 " is 0x%x, which its kind of text has not",
				 in->at, *ret);
	in->at++;
	return SCRY_ITEM;
}

/* The next character, a 2.7 narrow build's surrogate pair as one. */
static int read_point(struct reader *in, unsigned *ret)
{
	unsigned low;
	int rc = read_char(in, ret);

	if (rc != SCRY_ITEM || in->view->kind != 2 || !in->runtime->layout->flavour.narrow ||
	    *ret >> 10 != 0x36)
		return rc;
	rc = read_char(in, &low);
	if (rc == SCRY_ITEM && low >> 10 == 0x37)
		*ret = 0x10000 + ((*ret & 0x3ff) << 10) + (low & 0x3ff);
	else if (rc == SCRY_ITEM)
		in->at--;
	return rc < 0 ? rc : SCRY_ITEM;
}

/*
 * Where the length stands, if it is at one place in all kinds of text: most keys are ruled out by
 * it.
 */
static uint32_t length_place(const struct scry_layout *l)
{
	enum scry_field other = scry_layout_has(l, SCRY_F_ASCII_LENGTH) ? SCRY_F_ASCII_LENGTH
									: SCRY_F_UNICODE_LENGTH;

	return scry_layout_has(l, SCRY_F_VAR_SIZE) && scry_layout_has(l, other) &&
			       l->slot[other].offset == l->slot[SCRY_F_VAR_SIZE].offset
		       ? l->slot[other].offset
		       : 0;
}

struct scry_wanted scry_wanted(struct scry_runtime *r, const char *text)
{
	struct scry_wanted w = { .text = text, .ascii = true };

	for (; text[w.len]; w.len++)
		w.ascii = w.ascii && (unsigned char)text[w.len] < 0x80;
	w.length_at = w.ascii ? length_place(r->layout) : 0;
	return w;
}

/* Text beyond ASCII, or that is too long for one look. */
static bool same_points(struct scry_runtime *r, const struct scry_text_view *v,
			const struct scry_wanted *w)
{
	struct reader in;
	size_t i = 0;
	unsigned code;

	in.runtime = r;
	in.view = v;
	in.at = in.loaded = in.start = 0;
	while (i < w->len && read_point(&in, &code) == SCRY_ITEM)
		if (code != scry_utf8_next(w->text, w->len, &i))
			return false;
	return i == w->len && in.at == v->length;
}

bool scry_text_matches(struct scry_runtime *r, scry_addr str, const struct scry_wanted *w)
{
	struct scry_text_view v;
	char bytes[64];
	uint64_t length;

	if (w->length_at && (scry_word(r, str + w->length_at, &length) < 0 || length != w->len))
		return false;
	if (scry_text_open(r, str, &v) < 0 || v.length > w->len)
		return false;
	if (!w->ascii || v.kind != 1 || w->len > sizeof(bytes))
		return same_points(r, &v, w);
	return v.length == w->len && scry_read(r->session, v.data, bytes, w->len) == SCRY_OK &&
	       !memcmp(bytes, w->text, w->len);
}

bool scry_text_is(struct scry_runtime *r, scry_addr str, const char *text)
{
	struct scry_wanted w = scry_wanted(r, text);

	return scry_text_matches(r, str, &w);
}

/* --- quoting --- */

enum style {
	STYLE_BYTEARRAY, /* as bytes, but ' is escaped also where the quote is " */
	STYLE_BYTES,     /* everything above 0x7e escaped */
	STYLE_UNICODE2,  /* the same, with \u and \U */
	STYLE_TEXT       /* printable characters as they are */
};

struct quoting {
	enum style style;
	char quote;
	uint32_t version; /* of Python: what is printable */
};

static void put_escaped(struct scry_buf *out, unsigned code, const struct quoting *q)
{
	if (code < 0x80)
		scry_buf_printf(out, "\\x%02x", code);
	else if (q->style == STYLE_TEXT && scry_char_printable(code, q->version))
		scry_buf_put_char(out, code);
	else if (code < 0x100)
		scry_buf_printf(out, "\\x%02x", code);
	else if (code < 0x10000)
		scry_buf_printf(out, "\\u%04x", code);
	else
		scry_buf_printf(out, "\\U%08x", code);
}

static void put_quoted_char(struct scry_buf *out, unsigned code, const struct quoting *q)
{
	if (code == (unsigned char)q->quote || code == '\\' ||
	    (code == '\'' && q->style == STYLE_BYTEARRAY))
		scry_buf_putc(out, '\\'), scry_buf_putc(out, (char)code);
	else if (code == '\t' || code == '\n' || code == '\r')
		scry_buf_puts(out, code == '\t' ? "\\t" : code == '\n' ? "\\n" : "\\r");
	else if (code >= 0x20 && code < 0x7f)
		scry_buf_putc(out, (char)code);
	else
		put_escaped(out, code, q);
}

/* repr() takes '"' only where that saves escapes: the text has ' and no ". */
static int choose_quote(struct scry_runtime *r, const struct scry_text_view *v, uint64_t limit,
			char *ret)
{
	struct reader in = { .runtime = r, .view = v };
	bool single = false, twice = false;
	unsigned code;
	int rc = SCRY_OK;

	while (in.at < limit && (rc = read_char(&in, &code)) == SCRY_ITEM) {
		single |= code == '\'';
		twice |= code == '"';
	}
	*ret = single && !twice ? '"' : '\'';
	return rc < 0 ? rc : SCRY_OK;
}

static int print_quoted(struct scry_printer *p, const struct scry_text_view *v, enum style style)
{
	uint64_t limit = p->max_string && p->max_string < v->length ? p->max_string : v->length;
	struct reader in = { .runtime = p->runtime, .view = v };
	struct quoting q = { .style = style, .version = p->runtime->version };
	size_t start = p->out->len;
	unsigned code;
	int rc = choose_quote(p->runtime, v, limit, &q.quote);

	if (rc < 0)
		return rc;
	scry_buf_putc(p->out, q.quote);
	while (in.at < limit && (rc = read_point(&in, &code)) == SCRY_ITEM) {
		if (p->max_text && p->out->len - p->start > p->max_text)
			break;
		put_quoted_char(p->out, code, &q);
	}
	if (rc < 0) {
		scry_buf_cut(p->out, start);
		return rc;
	}
	scry_buf_putc(p->out, q.quote);
	if (in.at < v->length) {
		p->truncated = true;
		scry_printf(p, "… %" PRIu64 " more", v->length - in.at);
	}
	return SCRY_OK;
}

void scry_print_quoted_text(struct scry_printer *p, const char *text, size_t len, bool escape)
{
	bool twice = memchr(text, '\'', len) && !memchr(text, '"', len);
	struct quoting q = { escape ? STYLE_UNICODE2 : STYLE_TEXT, twice ? '"' : '\'',
			     p->runtime->version };
	uint64_t shown = 0;
	size_t i = 0;

	scry_buf_putc(p->out, q.quote);
	while (i < len && (!p->max_string || shown++ < p->max_string) &&
	       (!p->max_text || p->out->len - p->start <= p->max_text))
		put_quoted_char(p->out, scry_utf8_next(text, len, &i), &q);
	scry_buf_putc(p->out, q.quote);
	for (shown = 0; i < len; shown++)
		scry_utf8_next(text, len, &i);
	if (shown) {
		p->truncated = true;
		scry_printf(p, "… %" PRIu64 " more", shown);
	}
}

void scry_print_quoted(struct scry_printer *p, const char *text)
{
	scry_print_quoted_text(p, text, strlen(text), false);
}

void scry_print_str(struct scry_printer *p, scry_addr str)
{
	struct scry_text_view v;
	unsigned code;
	int rc = scry_text_open(p->runtime, str, &v);

	rc = rc < 0 ? rc : scry_text_check(p->runtime, str, &v);
	struct reader in = { .runtime = p->runtime, .view = &v };
	uint64_t limit = rc < 0                                      ? 0
			 : p->max_string && p->max_string < v.length ? p->max_string
								     : v.length;

	while (rc >= 0 && in.at < limit && (rc = read_point(&in, &code)) == SCRY_ITEM)
		scry_buf_put_char(p->out, code);
	if (rc >= 0 && !scry_text_hash_fits(p->runtime, str, &v))
		rc = SCRY_ECORRUPT;
	if (rc < 0)
		scry_printer_damage(p, str);
	else if (limit < v.length) {
		p->truncated = true;
		scry_buf_puts(p->out, "…");
	}
}

static enum style text_style(const struct scry_runtime *r, const struct scry_text_view *v)
{
	if (v->bytes)
		return STYLE_BYTES;
	return scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH) ? STYLE_TEXT : STYLE_UNICODE2;
}

/* b'' in 3.x, u'' in 2.7 */
static const char *text_prefix(const struct scry_runtime *r, const struct scry_text_view *v)
{
	bool old = !scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH);

	return old && !v->bytes ? "u" : !old && v->bytes ? "b" : "";
}

/* The bytes of a bytearray. */
int scry_bytearray_open(struct scry_runtime *r, scry_addr addr, struct scry_text_view *v)
{
	uint8_t byte;

	*v = (struct scry_text_view) { .kind = 1, .bytes = true };
	int rc = scry_field_read(r, addr, SCRY_F_VAR_SIZE, &v->length);
	if (rc == SCRY_OK) {
		rc = scry_field_read(r, addr, SCRY_F_BYTEARRAY_START, &v->data);
		if (rc == SCRY_ENOFIELD) /* 2.7 and 3.3 */
			rc = scry_field_read(r, addr, SCRY_F_BYTEARRAY_BYTES, &v->data);
	}
	uint64_t room = v->length;
	if (rc == SCRY_OK && scry_layout_has(r->layout, SCRY_F_BYTEARRAY_ALLOC))
		rc = scry_field_read(r, addr, SCRY_F_BYTEARRAY_ALLOC, &room);
	if (rc == SCRY_OK && (v->length > 1ull << 40 || v->length > room))
		rc = scry_fail(r->session, SCRY_ECORRUPT, addr,
			       "bytearray says it has %" PRId64 " bytes, and room for %" PRId64,
			       scry_signed_size(r, v->length), scry_signed_size(r, room));
	if (rc == SCRY_OK && v->length)
		rc = scry_fits(r, v->data, v->length, "bytes")
			     ? scry_read(r->session, v->data + v->length - 1, &byte, 1)
			     : SCRY_ECORRUPT;
	return rc;
}

/* Text, or what exports bytes: a match may be in any of these. */
static int open_buffer(struct scry_runtime *r, scry_addr obj, struct scry_text_view *v)
{
	struct scry_type *t;
	int rc = scry_type_for(r, obj, &t);

	if (rc < 0)
		return rc;
	if (scry_type_is(r, t->addr, SCRY_IS_BYTEARRAY))
		return scry_bytearray_open(r, obj, v);
	if (scry_known_type(t) != SCRY_IS_MEMORYVIEW)
		return scry_text_open(r, obj, v);
	v->kind = 1;
	v->bytes = true;
	rc = scry_field_read(r, obj, SCRY_F_MEMORYVIEW_BUF, &v->data);
	return rc < 0 ? rc : scry_field_read(r, obj, SCRY_F_MEMORYVIEW_LEN, &v->length);
}

int scry_print_text_range(struct scry_printer *p, scry_addr str, uint64_t start, uint64_t end,
			  size_t most)
{
	struct scry_text_view v;
	size_t at = p->out->len;
	int rc = open_buffer(p->runtime, str, &v);

	if (rc < 0)
		return rc;
	start = start < v.length ? start : v.length;
	end = end < v.length ? end : v.length;
	v.data += start * v.kind;
	v.length = end > start ? end - start : 0;
	scry_buf_puts(p->out, text_prefix(p->runtime, &v));
	rc = print_quoted(p, &v, text_style(p->runtime, &v));
	if (most)
		scry_printer_cut(p, at, most);
	return rc;
}

/* The character at an index; 2.7's narrow builds count halves of surrogate pairs. */
static int char_at(struct scry_runtime *r, const struct scry_text_view *v, int64_t index,
		   unsigned *ret)
{
	uint64_t unit;
	int rc = index < 0 || (uint64_t)index >= v->length
			 ? SCRY_EINVAL
			 : scry_read_uint(r->session, v->data + (uint64_t)index * v->kind, v->kind,
					  &unit);

	if (rc == SCRY_OK)
		*ret = (unsigned)unit;
	return rc;
}

int scry_print_text_stepped(struct scry_printer *p, scry_addr str, int64_t start, int64_t step,
			    int64_t count)
{
	struct quoting q = { .quote = '\'', .version = p->runtime->version };
	bool single = false, twice = false;
	struct scry_text_view v;
	unsigned code;

	if (step == 1)
		return scry_print_text_range(p, str, (uint64_t)start, (uint64_t)(start + count), 0);
	int rc = open_buffer(p->runtime, str, &v);
	uint64_t most =
		p->max_string && (uint64_t)count > p->max_string ? p->max_string : (uint64_t)count;
	for (uint64_t i = 0; rc == SCRY_OK && i < most; i++)
		if ((rc = char_at(p->runtime, &v, start + (int64_t)i * step, &code)) == SCRY_OK) {
			single |= code == '\'';
			twice |= code == '"';
		}
	if (rc < 0)
		return rc;
	q.style = text_style(p->runtime, &v);
	q.quote = single && !twice ? '"' : '\'';
	scry_printf(p, "%s%c", text_prefix(p->runtime, &v), q.quote);
	for (uint64_t i = 0; i < most; i++)
		if (char_at(p->runtime, &v, start + (int64_t)i * step, &code) == SCRY_OK)
			put_quoted_char(p->out, code, &q);
	scry_buf_putc(p->out, q.quote);
	if (most < (uint64_t)count) {
		p->truncated = true;
		scry_printf(p, "… %" PRIu64 " more", (uint64_t)count - most);
	}
	return SCRY_OK;
}

int scry_print_units(struct scry_printer *p, scry_addr data, uint64_t n, unsigned size,
		     const char *prefix)
{
	struct scry_text_view v = { .data = data, .length = n, .kind = size };
	uint8_t byte;

	if (n > 1ull << 40 ||
	    (n && scry_read(p->runtime->session, data + n * size - 1, &byte, 1) < 0))
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, data,
				 "text of %" PRId64 " characters", scry_signed_size(p->runtime, n));
	scry_buf_puts(p->out, prefix);
	return print_quoted(p, &v,
			    size == 1        ? STYLE_BYTES
			    : *prefix == 'u' ? STYLE_UNICODE2
					     : STYLE_TEXT);
}

static int print_text(struct scry_printer *p, scry_addr addr, const char *prefix, enum style style)
{
	struct scry_text_view v;
	int rc = scry_text_open(p->runtime, addr, &v);

	rc = rc < 0 ? rc : scry_text_check(p->runtime, addr, &v);
	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, prefix);
	rc = print_quoted(p, &v, style);
	if (rc == SCRY_OK && !scry_text_hash_fits(p->runtime, addr, &v))
		scry_printer_doubt(p, "its hash is another text's");
	return rc;
}

static int print_str(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_text(p, addr, "", STYLE_TEXT);
}

static int print_str2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_text(p, addr, "", STYLE_BYTES);
}

static int print_unicode2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_text(p, addr, "u", STYLE_UNICODE2);
}

static int print_bytes(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_text(p, addr, "b", STYLE_BYTES);
}

static int print_bytearray_as(struct scry_printer *p, scry_addr addr, const char *name,
			      enum style style)
{
	struct scry_text_view v;
	int rc = scry_bytearray_open(p->runtime, addr, &v);

	if (rc < 0)
		return rc;
	scry_printf(p, "%s(b", name);
	rc = print_quoted(p, &v, style);
	scry_buf_putc(p->out, ')');
	return rc;
}

/* 3.7+ writes a subclass's name */
static int print_bytearray(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_bytearray_as(p, addr, scry_type_short(p->runtime, type), STYLE_BYTEARRAY);
}

/* 3.15+: escaped as bytes are */
static int print_bytearray_3_15(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_bytearray_as(p, addr, scry_type_short(p->runtime, type), STYLE_BYTES);
}

static int print_bytearray_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_bytearray_as(p, addr, "bytearray", STYLE_BYTEARRAY);
}

const struct scry_printer_row scry_printers_text[] = {
	{ "str", TYPE_UNICODE, print_str, .since = SCRY_VERSION_OF(3, 0) },
	{ "str", TYPE_BYTES, print_str2, .until = SCRY_VERSION_OF(3, 0) },
	{ "unicode", TYPE_UNICODE, print_unicode2, .until = SCRY_VERSION_OF(3, 0) },
	{ "bytes", TYPE_BYTES, print_bytes, .since = SCRY_VERSION_OF(3, 0) },
	{ "bytearray", 0, print_bytearray_3_15, .since = SCRY_VERSION_OF(3, 15) },
	{ "bytearray", 0, print_bytearray, .since = SCRY_VERSION_OF(3, 7),
	  .until = SCRY_VERSION_OF(3, 15) },
	{ "bytearray", 0, print_bytearray_old, .until = SCRY_VERSION_OF(3, 7) },
	{ NULL },
};
