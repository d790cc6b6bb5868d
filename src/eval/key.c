/* Keys of expressions, and items by index. */
#include "eval/key.h"

#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"

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

/* One escape; *at stands behind the backslash. */
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
							   out.len) };
	scry_buf_done(&out);
	return ret->text ? SCRY_OK : scry_fail(p->r->session, SCRY_ENOMEM, 0, "out of memory");
}

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

static int parse_number(struct parser *p, struct scry_key *ret)
{
	const char *start = p->at;
	char *end;

	errno = 0;
	*ret = (struct scry_key) { .kind = SCRY_KEY_INT, .number = strtoll(start, &end, 0) };
	if (end == start)
		return scry_fail(p->r->session, SCRY_EINVAL, 0, "no number at '%s'", start);
	if (*end == '.' || *end == 'e' || *end == 'E') {
		ret->kind = SCRY_KEY_FLOAT;
		ret->real = strtod(start, &end);
	} else if (errno == ERANGE) {
		ret->kind = SCRY_KEY_BIG;
		ret->text = scry_arena_text(&p->r->session->arena, start + (*start == '+'),
					    (size_t)(end - start) - (*start == '+'));
	}
	p->at = end;
	return SCRY_OK;
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

/* Two objects are the same key where they are one, or ints or texts of one value. */
static bool objects_match(struct scry_runtime *r, scry_addr a, scry_addr b)
{
	int64_t x, y;
	const char *text;

	if (a == b)
		return true;
	if (scry_int_value(r, a, &x) == SCRY_OK)
		return scry_int_value(r, b, &y) == SCRY_OK && x == y;
	return scry_text_at(r, a, 10000, &text) == SCRY_OK && scry_text_is(r, b, text);
}

static bool is_float(struct scry_runtime *r, scry_addr obj, double value)
{
	double there;

	return !strcmp(scry_type_name_of(r, obj), "float") &&
	       scry_double_at(r, scry_field_addr(r, obj, SCRY_F_FLOAT_VALUE), &there) == SCRY_OK &&
	       there == value;
}

static bool is_big_int(struct scry_runtime *r, scry_addr obj, const char *digits)
{
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_printer p;
	struct scry_type *t;
	bool same = false;

	if (!digits || scry_type_for(r, obj, &t) < 0 || !(t->flags & TYPE_LONG))
		return false;
	scry_printer_init(&p, r, &text);
	scry_print_plain(&p, obj);
	same = !strcmp(text.text, digits);
	scry_buf_done(&text);
	return same;
}

bool scry_key_matches(struct scry_runtime *r, const struct scry_key *key, scry_addr obj)
{
	struct scry_text_view v;
	int64_t number;
	bool old = scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT); /* 2.7: 'a' == u'a' */

	switch (key->kind) {
	case SCRY_KEY_NONE:
		return scry_is_none(r, obj);
	case SCRY_KEY_BOOL:
	case SCRY_KEY_INT:
		return (scry_int_value(r, obj, &number) == SCRY_OK && number == key->number) ||
		       is_float(r, obj, (double)key->number);
	case SCRY_KEY_FLOAT:
		return is_float(r, obj, key->real) ||
		       (scry_int_value(r, obj, &number) == SCRY_OK && (double)number == key->real);
	case SCRY_KEY_BIG:
		return is_big_int(r, obj, key->text);
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
