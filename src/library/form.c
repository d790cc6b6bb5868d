/*
 * Forms: the reprs of library classes whose __repr__ is Python code, as text with attributes in it.
 *
 *   {name} {a.b}    the attribute's repr
 *   {name:s}        its str()
 *   {name:n}        its len()
 *   {name:*}        its items' reprs, without brackets
 *   {name:yes|no}   one of two texts, by its truth; either may be empty
 *   [name:...]      what is in the group only where the attribute is there and not None
 *   %C %Q           the class's name; with its module and qualified name
 *   %A %D           the object's address, as hex() and as decimal
 *   \[ \]           the brackets themselves
 */
#include "object/known.h"
#include "object/printer.h"

#include <stdlib.h>

#include "base/utf8.h"

void scry_printer_cut(struct scry_printer *p, size_t start, size_t most)
{
	const char *text = p->out->text;
	size_t i = start, n = 0;

	while (i < p->out->len && n++ < most)
		scry_utf8_next(text, p->out->len, &i);
	scry_buf_cut(p->out, i);
}

int scry_attr_path(struct scry_runtime *r, scry_addr obj, const char *path, size_t len,
		   scry_addr *ret)
{
	const char *end = path + len;
	char name[100];

	while (path < end) {
		const char *dot = memchr(path, '.', (size_t)(end - path));
		size_t n = (size_t)((dot ? dot : end) - path);

		if (n >= sizeof(name))
			return SCRY_EINVAL;
		memcpy(name, path, n);
		name[n] = '\0';
		int rc = scry_attr(r, obj, name, &obj);
		if (rc < 0)
			return rc;
		path += n + 1;
	}
	*ret = obj;
	return SCRY_OK;
}

static int64_t range_length(struct scry_runtime *r, scry_addr obj, bool is_long)
{
	scry_addr length;
	int64_t n;
	int rc = is_long ? scry_field_read_int(r, obj, SCRY_F_RANGE_LEN, &n)
			 : scry_field_read(r, obj, SCRY_F_RANGE_LENGTH, &length);

	if (rc == SCRY_OK && !is_long)
		rc = scry_int_value(r, length, &n);
	return rc < 0 ? rc : n;
}

int64_t scry_length(struct scry_runtime *r, scry_addr obj)
{
	struct scry_type *t;
	uint64_t n;
	int rc = scry_type_for(r, obj, &t);

	if (rc < 0)
		return rc;
	if (t->flags & TYPE_DICT)
		rc = scry_field_read(r, obj, SCRY_F_DICT_USED, &n);
	else if (scry_type_is(r, t->addr, SCRY_IS_SET) ||
		 scry_type_is(r, t->addr, SCRY_IS_FROZENSET))
		rc = scry_field_read(r, obj, SCRY_F_SET_USED, &n);
	else if (t->flags & TYPE_UNICODE)
		rc = scry_field_read(r, obj,
				     scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH)
					     ? SCRY_F_ASCII_LENGTH
					     : SCRY_F_UNICODE_LENGTH,
				     &n);
	else if (t->flags & (TYPE_LIST | TYPE_TUPLE | TYPE_BYTES))
		rc = scry_field_read(r, obj, SCRY_F_VAR_SIZE, &n);
	else if (scry_type_is(r, t->addr, SCRY_IS_BYTEARRAY) ||
		 scry_type_is(r, t->addr, SCRY_IS_ARRAY))
		rc = scry_field_read(r, obj, SCRY_F_VAR_SIZE, &n);
	else if (scry_known_type(t) == SCRY_IS_RANGE || scry_known_type(t) == SCRY_IS_XRANGE)
		return range_length(r, obj, *t->name == 'x');
	else if (scry_type_is(r, t->addr, SCRY_IS_DEQUE))
		rc = scry_field_read(r, obj,
				     scry_layout_has(r->layout, SCRY_F_DEQUE_LEN) ? SCRY_F_DEQUE_LEN
										  : SCRY_F_VAR_SIZE,
				     &n);
	else
		return SCRY_EUNSUPPORTED;
	return rc < 0 ? rc : (int64_t)n;
}

/* What has none of these is true: Objects/object.c, PyObject_IsTrue(). */
static bool decides_its_truth(struct scry_runtime *r, scry_addr obj)
{
	static const char *const names[] = { "__bool__", "__nonzero__", "__len__" };
	scry_addr type, value;

	if (scry_type_of(r, obj, &type) < 0)
		return true;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (scry_type_lookup(r, type, names[i], &value, NULL) != SCRY_ENOTFOUND)
			return true;
	return false;
}

bool scry_truth(struct scry_runtime *r, scry_addr obj, bool otherwise)
{
	mpz_t z;

	if (scry_is_none(r, obj))
		return false;
	mpz_init(z);
	int sign = scry_int_mpz(r, obj, z) == SCRY_OK ? abs(mpz_sgn(z)) : -1;
	mpz_clear(z);
	if (sign >= 0)
		return sign;
	int64_t length = scry_length(r, obj);
	return length < 0 ? otherwise || !decides_its_truth(r, obj) : length != 0;
}

static void print_number_of(struct scry_printer *p, scry_addr value)
{
	int64_t n = scry_length(p->runtime, value);

	if (n < 0)
		scry_buf_putc(p->out, '?');
	else
		scry_printf(p, "%" PRId64, n);
}

static void print_all_items(struct scry_printer *p, scry_addr value)
{
	uint64_t n;
	scry_addr items;

	if (scry_sequence(p->runtime, value, &n, &items) < 0)
		scry_printer_damage(p, value);
	else
		scry_print_items(p, items, n);
}

/*
 * One {path:option}, the braces taken off. SCRY_EUNSUPPORTED: a subclass has a property there, code
 * would say; or there is no such attribute.
 */
static int print_hole(struct scry_printer *p, scry_addr obj, const char *hole, size_t len)
{
	const char *colon = memchr(hole, ':', len), *option = colon ? colon + 1 : "";
	size_t path = colon ? (size_t)(colon - hole) : len, rest = colon ? len - path - 1 : 0;
	const char *bar = rest ? memchr(option, '|', rest) : NULL;
	scry_addr value;

	int rc = scry_attr_path(p->runtime, obj, hole, path, &value);
	if (rc == SCRY_ENOTFOUND) /* an __init__ that has not come so far: repr() would raise */
		return SCRY_EUNSUPPORTED;
	if (rc < 0)
		scry_printer_damage(p, obj);
	else if (scry_is_exactly(p->runtime, value, SCRY_IS_PROPERTY))
		return SCRY_EUNSUPPORTED;
	else if (bar && scry_truth(p->runtime, value, true))
		scry_buf_put(p->out, option, (size_t)(bar - option));
	else if (bar)
		scry_buf_put(p->out, bar + 1, rest - (size_t)(bar + 1 - option));
	else if (*option == 's' && rest)
		scry_print_plain(p, value);
	else if (*option == 'n' && rest)
		print_number_of(p, value);
	else if (*option == '*' && rest)
		print_all_items(p, value);
	else
		scry_print(p, value);
	return SCRY_OK;
}

static void print_percent(struct scry_printer *p, scry_addr addr, scry_addr type, char what)
{
	if (what == 'C')
		scry_buf_puts(p->out, scry_type_short(p->runtime, type));
	else if (what == 'Q')
		scry_printf(p, "%s.%s", scry_type_module(p->runtime, type),
			    scry_type_qualname(p->runtime, type));
	else
		scry_printf(p, what == 'D' ? "%" PRIu64 : "0x%" PRIx64, addr);
}

/* A group whose attribute is None, or missing, is skipped; groups do not nest. */
static const char *enter_group(struct scry_printer *p, scry_addr addr, const char *c)
{
	const char *colon = strchr(c, ':');
	scry_addr value;

	if (!colon)
		return c + 1;
	if (scry_attr_path(p->runtime, addr, c + 1, (size_t)(colon - c - 1), &value) == SCRY_OK &&
	    !scry_is_none(p->runtime, value))
		return colon + 1;
	const char *end = strchr(colon, ']');
	return end ? end + 1 : colon + 1;
}

int scry_print_form(struct scry_printer *p, scry_addr addr, scry_addr type, const char *form)
{
	size_t start = p->out->len;
	int rc = SCRY_OK;

	if (!scry_printer_enter(p, 0, "..."))
		return SCRY_OK;
	for (const char *c = form; *c && rc == SCRY_OK;) {
		const char *end = *c == '{' ? strchr(c, '}') : NULL;

		if (end) {
			rc = print_hole(p, addr, c + 1, (size_t)(end - c - 1));
			c = end + 1;
		} else if (*c == '%' && c[1]) {
			print_percent(p, addr, type, c[1]);
			c += 2;
		} else if (*c == '[') {
			c = enter_group(p, addr, c);
		} else if (*c == ']') {
			c++;
		} else {
			if (*c == '\\' && c[1])
				c++;
			scry_buf_putc(p->out, *c++);
		}
	}
	scry_printer_leave(p);
	if (rc == SCRY_OK)
		return SCRY_OK;
	scry_buf_cut(p->out, start);
	return scry_print_unknown(p, addr, type);
}
