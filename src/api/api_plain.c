/* Values that C has too: None, numbers, text and bytes. */
#include "api/api.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "object/known.h"
#include "object/printer.h"
#include "object/text_hash.h"

/* a text of a gigabyte is a damaged length, or nothing that a caller wants in one piece */
#define MOST_BYTES (1u << 30)

/* --- text --- */

/* UTF-16 of narrow builds of 2.7: two units may be one character. */
static unsigned join(const uint8_t *bytes, uint64_t count, uint64_t *i, bool big_endian)
{
	unsigned high = (unsigned)scry_load(bytes + 2 * *i, 2, big_endian), low;

	if (high >> 10 != 0xd800 >> 10 || *i + 1 >= count)
		return high;
	low = (unsigned)scry_load(bytes + 2 * (*i + 1), 2, big_endian);
	if (low >> 10 != 0xdc00 >> 10)
		return high;
	++*i;
	return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

static bool is_ascii(const uint8_t *bytes, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (bytes[i] > 127)
			return false;
	return true;
}

/* False where something is not a character. */
static bool put_piece(struct scry_runtime *r, const struct scry_text_view *v, const uint8_t *bytes,
		      uint64_t count, struct scry_buf *out)
{
	bool big_endian = r->session->target->abi.big_endian, narrow = r->layout->flavour.narrow;

	if (v->bytes || v->ascii) {
		scry_buf_put(out, bytes, count);
		return v->bytes || is_ascii(bytes, count);
	}
	for (uint64_t i = 0; i < count; i++) {
		unsigned code = v->kind == 2 && narrow ? join(bytes, count, &i, big_endian)
						       : (unsigned)scry_load(bytes + i * v->kind,
									     v->kind, big_endian);

		if (code > 0x10ffff)
			return false;
		scry_buf_put_char(out, code);
	}
	return true;
}

/*
 * Three checks before a byte is copied: the length against the block, the end, and the hash that
 * the text keeps.
 */
static int put_text(struct scry_runtime *r, scry_addr addr, struct scry_buf *out, bool *ret_bytes)
{
	struct scry_session *s = r->session;
	struct scry_text_view v;
	int rc = scry_text_open(r, addr, &v);

	rc = rc < 0 ? rc : scry_text_check(r, addr, &v);
	if (rc < 0)
		return rc;
	if (!scry_text_hash_fits(r, addr, &v))
		return SCRY_ECORRUPT;
	uint64_t size = v.length * v.kind;
	if (size > MOST_BYTES)
		return scry_fail(s, SCRY_ELIMIT, addr, "a text of %" PRIu64 " bytes", size);
	*ret_bytes = v.bytes;
	if (!out)
		return SCRY_OK;
	uint8_t *bytes = malloc(size + 1);
	if (!bytes)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	rc = size ? scry_read(s, v.data, bytes, size) : SCRY_OK;
	if (rc >= 0 && !put_piece(r, &v, bytes, v.length, out))
		rc = scry_fail(s, SCRY_ECORRUPT, addr,
			       "text at 0x%" PRIx64 " has something that is not a character", addr);
	free(bytes);
	return rc;
}

static int plain_text(struct scry_runtime *r, scry_addr addr, struct scry_plain *ret,
		      struct scry_buf *text)
{
	const char *copy;
	bool bytes = false;
	int rc;

	if (!r->pypy) {
		rc = put_text(r, addr, text, &bytes);
	} else {
		rc = scry_text_at(r, addr, MOST_BYTES, &copy);
		if (rc == SCRY_OK && text)
			scry_buf_puts(text, copy);
	}
	ret->kind = bytes ? SCRY_PLAIN_BYTES : SCRY_PLAIN_TEXT;
	return rc;
}

/* --- numbers --- */

#define MOST_BITS (1u << 26)

/*
 * In hexadecimal, since that takes linear time for any size; who needs decimals has a library for
 * them.
 */
static int put_big(struct scry_session *s, const mpz_t number, struct scry_buf *text)
{
	char *digits;

	if (mpz_sizeinbase(number, 2) > MOST_BITS)
		return scry_fail(s, SCRY_ELIMIT, 0, "an int of more than %u bits", MOST_BITS);
	digits = text ? mpz_get_str(NULL, 16, number) : NULL;
	if (digits)
		scry_buf_printf(text, *digits == '-' ? "-0x%s" : "0x%s", digits + (*digits == '-'));
	free(digits);
	return SCRY_OK;
}

/* 64 bits first: nearly all ints fit, and then no number of gmp's is made. */
static int plain_int(struct scry_runtime *r, scry_addr addr, struct scry_plain *ret,
		     struct scry_buf *text)
{
	mpz_t number;
	int rc = scry_int_value(r, addr, &ret->number);

	ret->kind = SCRY_PLAIN_INT;
	if (rc != SCRY_EUNSUPPORTED)
		return rc;
	mpz_init(number);
	rc = scry_int_mpz(r, addr, number);
	rc = rc < 0 ? rc : put_big(r->session, number, text);
	mpz_clear(number);
	ret->big = true;
	return rc;
}

static int plain_float(struct scry_runtime *r, scry_addr addr, struct scry_plain *ret)
{
	SCRY_AUTO_BUF(repr);

	ret->kind = SCRY_PLAIN_FLOAT;
	if (!r->pypy)
		return scry_double_at(r, scry_field_addr(r, addr, SCRY_F_FLOAT_VALUE), &ret->real);
	scry_repr(r, addr, &repr);
	ret->real = strtod(repr.text, NULL);
	return SCRY_OK;
}

/* --- which one is it? --- */

static enum scry_plain_kind kind_of_type(struct scry_runtime *r, scry_addr addr)
{
	struct scry_type *t;

	switch (scry_known_of(r, addr)) {
	case SCRY_IS_NONE:
		return SCRY_PLAIN_NONE;
	case SCRY_IS_BOOL:
		return SCRY_PLAIN_BOOL;
	case SCRY_IS_INT:
	case SCRY_IS_LONG:
		return SCRY_PLAIN_INT;
	case SCRY_IS_FLOAT:
		return SCRY_PLAIN_FLOAT;
	case SCRY_IS_STR:
	case SCRY_IS_UNICODE:
	case SCRY_IS_BYTES:
		return SCRY_PLAIN_TEXT;
	default:
		break;
	}
	if (r->pypy || scry_type_for(r, addr, &t) < 0)
		return 0;
	return t->flags & (TYPE_UNICODE | TYPE_BYTES)    ? SCRY_PLAIN_TEXT
	       : t->flags & (TYPE_LONG | TYPE_INT)       ? SCRY_PLAIN_INT
	       : scry_type_is(r, t->addr, SCRY_IS_FLOAT) ? SCRY_PLAIN_FLOAT
							 : 0;
}

static int plain_object(struct scry_runtime *r, scry_addr addr, struct scry_plain *ret,
			struct scry_buf *text)
{
	int rc;

	switch (kind_of_type(r, addr)) {
	case SCRY_PLAIN_NONE:
		ret->kind = SCRY_PLAIN_NONE;
		return SCRY_OK;
	case SCRY_PLAIN_BOOL:
		rc = scry_int_value(r, addr, &ret->number);
		ret->kind = SCRY_PLAIN_BOOL;
		return rc;
	case SCRY_PLAIN_INT:
		return plain_int(r, addr, ret, text);
	case SCRY_PLAIN_FLOAT:
		return plain_float(r, addr, ret);
	case SCRY_PLAIN_TEXT:
	case SCRY_PLAIN_BYTES:
		return plain_text(r, addr, ret, text);
	}
	return SCRY_EUNSUPPORTED;
}

/* In brackets may stand other expressions; in a repr they do not. */
static int no_expression(void *arg, const char **at, scry_addr *ret)
{
	(void)arg;
	(void)at;
	*ret = 0;
	return SCRY_EUNSUPPORTED;
}

/* The characters of a literal; of bytes each is one. */
static void put_literal(const struct scry_key *key, bool bytes, struct scry_buf *out)
{
	for (size_t i = 0; bytes && i < key->len;)
		scry_buf_putc(out, (char)scry_utf8_next(key->text, key->len, &i));
	if (!bytes)
		scry_buf_put(out, key->text, key->len);
}

static int put_digits(struct scry_session *s, const char *digits, struct scry_buf *out)
{
	mpz_t number;
	int rc = SCRY_EUNSUPPORTED;

	mpz_init(number);
	if (mpz_set_str(number, digits, 0) == 0)
		rc = put_big(s, number, out);
	mpz_clear(number);
	return rc;
}

/* A value without an object has its repr, which is a key of print's where it is plain. */
static int plain_repr(struct scry_eval *e, struct scry_plain *ret, struct scry_buf *text)
{
	static const enum scry_plain_kind kinds[] = {
		[SCRY_KEY_NONE] = SCRY_PLAIN_NONE,   [SCRY_KEY_BOOL] = SCRY_PLAIN_BOOL,
		[SCRY_KEY_INT] = SCRY_PLAIN_INT,     [SCRY_KEY_TEXT] = SCRY_PLAIN_TEXT,
		[SCRY_KEY_BYTES] = SCRY_PLAIN_BYTES, [SCRY_KEY_FLOAT] = SCRY_PLAIN_FLOAT,
		[SCRY_KEY_BIG] = SCRY_PLAIN_INT,
	};
	const char *type = e->value.type, *at = e->value.kind == SCRY_VALUE_TEXT
							? e->value.text
							: scry_eval_text(e, &type);
	struct scry_key key;

	if (!at || scry_key_parse(e->r, &at, no_expression, NULL, &key) < 0 || *at ||
	    (size_t)key.kind >= sizeof(kinds) / sizeof(*kinds) || !kinds[key.kind])
		return SCRY_EUNSUPPORTED;
	ret->kind = kinds[key.kind];
	ret->number = key.number;
	ret->real = key.real;
	ret->big = key.kind == SCRY_KEY_BIG;
	if (ret->big)
		return put_digits(e->s, key.text, text);
	/* the str of 2.7 is bytes */
	if (ret->kind == SCRY_PLAIN_TEXT && type && !strcmp(type, "str") &&
	    scry_layout_has(e->r->layout, SCRY_F_CLASSOBJ_DICT))
		ret->kind = SCRY_PLAIN_BYTES;
	if (text && key.text)
		put_literal(&key, ret->kind == SCRY_PLAIN_BYTES, text);
	return SCRY_OK;
}

int scry_object_plain(const struct scry_object *o, struct scry_plain *ret, struct scry_buf *text)
{
	SCRY_AUTO_BUF(name);
	struct scry_plain found = { 0 };
	struct scry_eval e;
	int rc = scry_api_open(o, "", &name, &e);

	if (rc < 0)
		return rc;
	rc = o->value ? plain_repr(&e, &found, text) : plain_object(e.r, o->addr, &found, text);
	if (rc == SCRY_EUNSUPPORTED && !found.kind)
		rc = scry_eval_fail(&e, rc, "it has no plain value");
	else if (text && text->failed)
		rc = scry_fail(e.s, SCRY_ENOMEM, 0, "out of memory");
	rc = scry_api_end(e.s, rc);
	if (rc >= 0)
		*ret = found;
	return rc;
}
