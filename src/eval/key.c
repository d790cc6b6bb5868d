/* Keys of expressions, and items by index. */
#include "eval/key.h"
#include "object/known.h"

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "object/printer.h"

struct parser {
	struct scry_runtime *r;
	const char *at;
	int (*nested)(void *arg, const char **at, scry_addr *ret);
	void *arg;
	unsigned depth;
};

static void skip_space(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static unsigned hex_digits(const char **at, unsigned n)
{
	unsigned value = 0;

	for (; n && **at; n--, ++*at) {
		char c = **at;
		int letter = (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
		int digit = c >= '0' && c <= '9' ? c - '0' : letter;

		if (digit < 0)
			break;
		value = value << 4 | (unsigned)digit;
	}
	return value;
}

/*
 * One escape; *at comes after the backslash. Those of Python's string literals but for octal
 * numbers and \N{...}: an unknown letter stands for itself.
 */
static unsigned escape(const char **at)
{
	static const char from[] = "ntr0abfv", to[] = "\n\t\r\0\a\b\f\v";
	char c = *(*at)++;
	const char *simple = c ? strchr(from, c) : NULL;

	if (simple)
		return (unsigned char)to[simple - from];
	if (c == 'x' || c == 'u' || c == 'U')
		return hex_digits(at, c == 'x' ? 2 : c == 'u' ? 4 : 8);
	return (unsigned char)c;
}

static int parse_text(struct parser *p, struct scry_key *ret)
{
	struct scry_buf out = SCRY_BUF_INIT;
	bool bytes = *p->at == 'b';
	char quote = *(p->at += bytes || *p->at == 'u');

	for (p->at++; *p->at && *p->at != quote;) {
		if (*p->at == '\\' && p->at[1]) {
			p->at++;
			scry_buf_put_char(&out, escape(&p->at));
		} else {
			scry_buf_putc(&out, *p->at++);
		}
	}
	if (*p->at != quote) {
		scry_buf_done(&out);
		return scry_fail(p->r->session, SCRY_EINVAL, 0, "a string lacks its closing quote");
	}
	p->at++;
	*ret = (struct scry_key) { .kind = bytes ? SCRY_KEY_BYTES : SCRY_KEY_TEXT,
				   .text = scry_arena_text(&p->r->session->arena, out.text,
							   out.len),
				   .len = out.len };
	scry_buf_done(&out);
	return ret->text ? SCRY_OK : scry_fail(p->r->session, SCRY_ENOMEM, 0, "out of memory");
}

/* A keyword ends where no letter or digit follows: "Nonesuch" is a name. */
static bool take_word(struct parser *p, const char *word)
{
	size_t n = strlen(word);
	char next = strncmp(p->at, word, n) ? 'a' : p->at[n];

	if (next == '_' || (next >= '0' && next <= '9') || (next | 32) >= 'a')
		if (next != ']' && next != '\0')
			return false;
	p->at += n;
	return true;
}

static int parse_one(struct parser *p, struct scry_key *ret);

/* Items up to `end`; what starts with '(' and has no comma is just in parentheses. */
static int parse_tuple(struct parser *p, const struct scry_key *first, char end,
		       struct scry_key *ret)
{
	struct scry_key *items =
		scry_arena_alloc(&p->r->session->arena, SCRY_KEY_TUPLE_MAX * sizeof(*items));
	unsigned n = 0;
	int rc = SCRY_OK;

	if (!items)
		return scry_fail(p->r->session, SCRY_ENOMEM, 0, "out of memory");
	if (first)
		items[n++] = *first;
	while (rc == SCRY_OK && *p->at == ',') {
		p->at++;
		skip_space(p);
		if (*p->at == end)
			break;
		if (n == SCRY_KEY_TUPLE_MAX)
			return scry_fail(p->r->session, SCRY_ELIMIT, 0,
					 "a key of more than %d items", SCRY_KEY_TUPLE_MAX);
		rc = parse_one(p, &items[n++]);
		skip_space(p);
	}
	*ret = (struct scry_key) { .kind = SCRY_KEY_TUPLE, .count = n, .items = items };
	return rc;
}

static int parse_parens(struct parser *p, struct scry_key *ret)
{
	struct scry_key first;
	int rc = SCRY_OK;

	p->at++;
	skip_space(p);
	if (*p->at == ')') {
		p->at++;
		*ret = (struct scry_key) { .kind = SCRY_KEY_TUPLE };
		return SCRY_OK;
	}
	rc = parse_one(p, &first);
	skip_space(p);
	if (rc == SCRY_OK && *p->at == ',')
		rc = parse_tuple(p, &first, ')', ret);
	else if (rc == SCRY_OK)
		*ret = first;
	if (rc == SCRY_OK && *p->at++ != ')')
		rc = scry_fail(p->r->session, SCRY_EINVAL, 0, "a tuple lacks its ')'");
	return rc;
}

/* Of 0x1f, 0o17 and 0b11; 10 where there is no such prefix. */
static int number_base(const char *digits)
{
	static const char letters[] = "xob";
	static const int bases[] = { 16, 8, 2 };
	const char *letter = *digits == '0' && digits[1] ? strchr(letters, digits[1] | 32) : NULL;

	return letter ? bases[letter - letters] : 10;
}

/* An int as Python 3 writes it: an underscore may stand between two digits. */
static bool parse_int(const char *start, size_t len, mpz_t ret)
{
	SCRY_AUTO_BUF(digits);
	size_t sign = *start == '-' || *start == '+';
	int base = number_base(start + sign);

	for (size_t i = sign + (base == 10 ? 0 : 2); i < len; i++)
		if (start[i] != '_')
			scry_buf_putc(&digits, start[i]);
		else if (i + 1 == len || start[i + 1] == '_' || i == sign)
			return false;
	if (digits.failed || !digits.len ||
	    (base == 10 && digits.len > 1 && *digits.text == '0' &&
	     strspn(digits.text, "0") != digits.len) ||
	    mpz_set_str(ret, digits.text, base) < 0)
		return false;
	if (*start == '-')
		mpz_neg(ret, ret);
	return true;
}

/* More than 64 bits are compared by their digits. */
static int give_int(struct parser *p, const mpz_t z, struct scry_key *ret)
{
	char *text;

	if (mpz_fits_slong_p(z)) {
		*ret = (struct scry_key) { .kind = SCRY_KEY_INT, .number = mpz_get_si(z) };
		return SCRY_OK;
	}
	text = scry_arena_alloc(&p->r->session->arena, mpz_sizeinbase(z, 10) + 2);
	if (!text)
		return scry_fail(p->r->session, SCRY_ENOMEM, 0, "out of memory");
	*ret = (struct scry_key) { .kind = SCRY_KEY_BIG, .text = mpz_get_str(text, 10, z) };
	return SCRY_OK;
}

static int parse_number(struct parser *p, struct scry_key *ret)
{
	static const char decimal[] = "0123456789_";
	const char *start = p->at + (*p->at == '-' || *p->at == '+');
	size_t len = strspn(start, decimal);
	char *end;
	mpz_t z;

	if (number_base(start) == 10 && len && strchr(".eE", start[len]) && start[len]) {
		*ret = (struct scry_key) { .kind = SCRY_KEY_FLOAT, .real = strtod(p->at, &end) };
		p->at = end;
		return SCRY_OK;
	}
	if (number_base(start) != 10)
		len = strspn(start, "0123456789_xXoObBaAcCdDeEfF");
	mpz_init(z);
	int rc =
		parse_int(p->at, (size_t)(start - p->at) + len, z)
			? give_int(p, z, ret)
			: scry_fail(p->r->session, SCRY_EINVAL, 0,
				    "no number at '%.100s': decimal without zeros before it, 0x1f, "
				    "0o17 or 0b11",
				    p->at);
	mpz_clear(z);
	p->at = start + len;
	return rc;
}

static int parse_one(struct parser *p, struct scry_key *ret)
{
	if (p->depth++ > 20)
		return scry_fail(p->r->session, SCRY_ELIMIT, 0, "a key nested too deep");
	skip_space(p);
	bool prefixed = *p->at == 'b' || *p->at == 'u';
	if (p->at[prefixed] == '\'' || p->at[prefixed] == '"')
		return parse_text(p, ret);
	if (*p->at == '(')
		return parse_parens(p, ret);
	if ((*p->at >= '0' && *p->at <= '9') || *p->at == '-' || *p->at == '+') {
		return parse_number(p, ret);
	}
	*ret = (struct scry_key) { .kind = SCRY_KEY_NONE };
	if (take_word(p, "None"))
		return SCRY_OK;
	ret->kind = SCRY_KEY_BOOL;
	if ((ret->number = take_word(p, "True")) || take_word(p, "False"))
		return SCRY_OK;
	ret->kind = SCRY_KEY_OBJECT;
	return p->nested(p->arg, &p->at, &ret->addr);
}

int scry_key_parse(struct scry_runtime *r, const char **at,
		   int (*nested)(void *arg, const char **at, scry_addr *ret), void *arg,
		   struct scry_key *ret)
{
	struct parser p = { .r = r, .at = *at, .nested = nested, .arg = arg };
	struct scry_key key;
	int rc = parse_one(&p, &key);

	skip_space(&p);
	if (rc == SCRY_OK && *p.at == ',')
		rc = parse_tuple(&p, &key, ']', ret);
	else if (rc == SCRY_OK)
		*ret = key;
	*at = p.at;
	return rc;
}

bool scry_key_index(struct scry_runtime *r, const struct scry_key *key, int64_t *ret)
{
	if (key->kind == SCRY_KEY_OBJECT)
		return scry_int_value(r, key->addr, ret) == SCRY_OK;
	*ret = key->number;
	return key->kind == SCRY_KEY_INT || key->kind == SCRY_KEY_BOOL;
}

/* Tuples are equal item by item; a subclass of tuple with the same items is an equal key, too. */
static bool tuple_matches(struct scry_runtime *r, const struct scry_key *key, scry_addr obj)
{
	uint64_t n;
	scry_addr items, item;

	if (scry_sequence(r, obj, &n, &items) < 0 || n != key->count)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) < 0 ||
		    !scry_key_matches(r, &key->items[i], item))
			return false;
	return true;
}

/* Only float itself: a subclass may compare as it likes. */
static bool read_float(struct scry_runtime *r, scry_addr obj, double *ret)
{
	return scry_is_exactly(r, obj, SCRY_IS_FLOAT) &&
	       scry_double_at(r, scry_field_addr(r, obj, SCRY_F_FLOAT_VALUE), ret) == SCRY_OK;
}

/* An int of whatever size; PyPy's up to 64 bits. */
static bool read_int(struct scry_runtime *r, scry_addr obj, mpz_t ret)
{
	return scry_int_mpz(r, obj, ret) == SCRY_OK;
}

/* Is the object a number of this value? Ints and floats are compared exactly, as Python does. */
static bool is_int(struct scry_runtime *r, scry_addr obj, const mpz_t value)
{
	double real;
	mpz_t z;

	if (read_float(r, obj, &real))
		return isfinite(real) && mpz_cmp_d(value, real) == 0;
	mpz_init(z);
	bool same = read_int(r, obj, z) && mpz_cmp(z, value) == 0;
	mpz_clear(z);
	return same;
}

static bool is_real(struct scry_runtime *r, scry_addr obj, double value)
{
	double real;
	mpz_t z;

	if (read_float(r, obj, &real))
		return real == value;
	mpz_init(z);
	bool same = isfinite(value) && read_int(r, obj, z) && mpz_cmp_d(z, value) == 0;
	mpz_clear(z);
	return same;
}

/* Two objects are the same key where they are one, or numbers or texts of one value. */
static bool objects_match(struct scry_runtime *r, scry_addr a, scry_addr b)
{
	const char *text;
	double real;
	mpz_t z;

	if (a == b)
		return true;
	if (read_float(r, a, &real))
		return is_real(r, b, real);
	mpz_init(z);
	bool number = read_int(r, a, z), same = number && is_int(r, b, z);
	mpz_clear(z);
	return number ? same
		      : scry_text_at(r, a, 10000, &text) == SCRY_OK && scry_text_is(r, b, text);
}

/* The int that an expression names, by its digits where 64 bits are too few. */
static bool is_literal(struct scry_runtime *r, scry_addr obj, const struct scry_key *key)
{
	bool same;
	mpz_t z;

	mpz_init(z);
	if (key->kind != SCRY_KEY_BIG)
		scry_mpz_set(z, key->number);
	same = (key->kind != SCRY_KEY_BIG || (key->text && mpz_set_str(z, key->text, 0) == 0)) &&
	       is_int(r, obj, z);
	mpz_clear(z);
	return same;
}

/*
 * By value, since hash() and == of the program are not run: a key of a class with an __eq__ of its
 * own is found only by identity.
 */
bool scry_key_matches(struct scry_runtime *r, const struct scry_key *key, scry_addr obj)
{
	struct scry_text_view v;
	bool old = scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT); /* 2.7: 'a' == u'a' */

	switch (key->kind) {
	case SCRY_KEY_NONE:
		return scry_is_none(r, obj);
	case SCRY_KEY_BOOL:
	case SCRY_KEY_INT:
	case SCRY_KEY_BIG:
		return is_literal(r, obj, key);
	case SCRY_KEY_FLOAT:
		return is_real(r, obj, key->real);
	case SCRY_KEY_TEXT:
	case SCRY_KEY_BYTES:
		return scry_text_open(r, obj, &v) == SCRY_OK &&
		       (old || v.bytes == (key->kind == SCRY_KEY_BYTES)) &&
		       scry_text_is(r, obj, key->text);
	case SCRY_KEY_TUPLE:
		return tuple_matches(r, key, obj);
	case SCRY_KEY_OBJECT:
		return objects_match(r, key->addr, obj);
	}
	return false;
}
