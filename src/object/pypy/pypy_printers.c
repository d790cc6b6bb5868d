/*
 * Printers of PyPy's objects: a row for each class of the interpreter, and what a strategy keeps in
 * objects' places.
 */
#include "object/pypy/pypy_printers.h"
#include "object/known.h"

#include <gmp.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "object/printer.h"
#include "object/pypy/pypy_cpyext.h"

#define DIGITS_MAX 100000
#define TEXT_MAX   ((size_t)1 << 24)
#define MRO_MAX    1000
#define DIGIT_BITS 63 /* SHIFT, rpython/rlib/rbigint.py, on machines with 128-bit integers */

/* --- scalars --- */

void scry_pypy_put_double(struct scry_printer *p, uint64_t bits)
{
	char text[64];
	double value;

	memcpy(&value, &bits, sizeof(value));
	scry_format_double(value, true, text);
	scry_buf_puts(p->out, text);
}

static int print_none(struct scry_printer *p, scry_addr addr)
{
	(void)addr;
	scry_buf_puts(p->out, "None");
	return SCRY_OK;
}

static int print_int(struct scry_printer *p, scry_addr addr)
{
	uint64_t value;
	int rc = scry_pypy_read(p->runtime->pypy, addr, SCRY_PYPY_INT_VALUE, &value);

	if (rc == SCRY_OK)
		scry_printf(p, "%" PRId64, (int64_t)value);
	return rc;
}

/*
 * W_BoolObject is a W_IntObject's sibling in older versions: its value follows the header in both.
 */
static int print_bool(struct scry_printer *p, scry_addr addr)
{
	uint64_t value;
	int rc = scry_read_uint(p->runtime->session,
				addr + p->runtime->pypy->field[SCRY_PYPY_INT_VALUE].offset, 8,
				&value);

	if (rc == SCRY_OK)
		scry_buf_puts(p->out, value ? "True" : "False");
	return rc;
}

static int print_float(struct scry_printer *p, scry_addr addr)
{
	uint64_t bits;
	int rc = scry_pypy_read(p->runtime->pypy, addr, SCRY_PYPY_FLOAT_VALUE, &bits);

	if (rc == SCRY_OK)
		scry_pypy_put_double(p, bits);
	return rc;
}

static int print_complex(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	double real, imag;
	int rc = scry_double_at(p->runtime, addr + y->field[SCRY_PYPY_COMPLEX_REAL].offset, &real);

	rc = rc < 0 ? rc
		    : scry_double_at(p->runtime, addr + y->field[SCRY_PYPY_COMPLEX_IMAG].offset,
				     &imag);
	if (rc == SCRY_OK)
		scry_put_complex(p->out, real, imag, NULL);
	return rc;
}

/* rbigint: an array of digits, the sign in `sign` or in `size` itself. */
static int print_long(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	struct scry_session *s = p->runtime->session;
	scry_addr num = scry_pypy_get(y, addr, SCRY_PYPY_LONG_NUM), items;
	int64_t size = (int64_t)scry_pypy_get(y, num, SCRY_PYPY_BIGINT_SIZE);
	int64_t sign = y->field[SCRY_PYPY_BIGINT_SIGN].size
			       ? (int64_t)scry_pypy_get(y, num, SCRY_PYPY_BIGINT_SIGN)
			       : size;
	uint64_t count, room = 0, limb;
	mpz_t z;

	count = (uint64_t)(size < 0 ? -size : size);
	if (scry_pypy_array(y, scry_pypy_get(y, num, SCRY_PYPY_BIGINT_DIGITS), &room, &items) < 0 ||
	    count > room)
		return scry_fail(s, SCRY_ECORRUPT, addr,
				 "a long of %" PRIu64 " digits at 0x%" PRIx64, count, addr);
	if (count > DIGITS_MAX) {
		scry_printf(p, "<an int of %" PRIu64 " bits>", count * DIGIT_BITS);
		return SCRY_OK;
	}
	mpz_init(z);
	for (uint64_t i = count; i-- > 0;) {
		if (scry_read_uint(s, items + 8 * i, 8, &limb) < 0) {
			mpz_clear(z);
			return SCRY_EFAULT;
		}
		mpz_mul_2exp(z, z, DIGIT_BITS);
		mpz_add_ui(z, z, limb);
	}
	if (sign < 0)
		mpz_neg(z, z);
	scry_put_mpz(p->out, z);
	mpz_clear(z);
	if (scry_pypy_is_python2(p->runtime))
		scry_buf_putc(p->out, 'L');
	return SCRY_OK;
}

/* --- text --- */

int scry_pypy_print_utf8(struct scry_printer *p, scry_addr string)
{
	const char *text;
	size_t len;
	int rc = scry_pypy_string(p->runtime->pypy, string, TEXT_MAX, &text, &len);

	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, scry_pypy_is_python2(p->runtime) ? "u" : "");
	scry_print_quoted_text(p, text, len, scry_pypy_is_python2(p->runtime));
	return SCRY_OK;
}

int scry_pypy_print_bytes_of(struct scry_printer *p, scry_addr string)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p->runtime->pypy, &string);
	uint64_t len;

	if (!t || t->tid != p->runtime->pypy->string ||
	    scry_read_uint(p->runtime->session, string + 16, 8, &len) < 0)
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, string,
				 "no string at 0x%" PRIx64, string);
	return scry_print_units(p, string + 24, len, 1,
				scry_pypy_is_python2(p->runtime) ? "" : "b");
}

static int print_unicode(struct scry_printer *p, scry_addr addr)
{
	return scry_pypy_print_utf8(p,
				    scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_UNICODE_UTF8));
}

static int print_bytes(struct scry_printer *p, scry_addr addr)
{
	return scry_pypy_print_bytes_of(
		p, scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_BYTES_VALUE));
}

/* --- what has a name --- */

static int print_class(struct scry_printer *p, scry_addr addr)
{
	const char *name = scry_pypy_class_name(p->runtime, addr, true);

	/* built-in ones */
	bool old = scry_pypy_is_python2(p->runtime) && name && !strchr(name, '.');

	scry_printf(p, "<%s '%s'>", old ? "type" : "class", name ? name : "?");
	return SCRY_OK;
}

static int print_function(struct scry_printer *p, scry_addr addr)
{
	const char *name =
		scry_pypy_string_field(p->runtime->pypy, addr, SCRY_PYPY_FUNCTION_QUALNAME);

	if (!name)
		name = scry_pypy_string_field(p->runtime->pypy, addr, SCRY_PYPY_FUNCTION_NAME);
	scry_printf(p, "<function %s at 0x%" PRIx64 ">", name ? name : "?", addr);
	return SCRY_OK;
}

static int print_module(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	scry_addr file;

	scry_buf_puts(p->out, "<module ");
	scry_print(p, scry_pypy_get(y, addr, SCRY_PYPY_MODULE_NAME));
	if (scry_pypy_dict_get(p->runtime, scry_pypy_get(y, addr, SCRY_PYPY_MODULE_DICT),
			       "__file__", &file) == SCRY_OK) {
		scry_buf_puts(p->out, " from ");
		scry_print(p, file);
	} else {
		scry_buf_puts(p->out, " (built-in)");
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

static int print_object(struct scry_printer *p, scry_addr addr)
{
	scry_printf(p, "<object object at 0x%" PRIx64 ">", addr);
	return SCRY_OK;
}

/* Code.descr_code__repr__(), pypy/interpreter/pycode.py: 2.7 writes no address. */
static int print_code(struct scry_printer *p, scry_addr addr)
{
	const struct scry_code *c = scry_code_at(p->runtime, addr);

	if (c && scry_pypy_is_python2(p->runtime))
		scry_printf(p, "<code object %s, file '%s', line %d>", c->name, c->file,
			    c->first_line);
	else if (c)
		scry_printf(p, "<code object %s at 0x%016" PRIx64 ", file \"%s\", line %d>",
			    c->name, addr, c->file, c->first_line);
	return SCRY_OK;
}

/* What a module or class keeps in a name's place, so that it can change without ado. */
static int print_mutable_cell(struct scry_printer *p, scry_addr addr)
{
	scry_print(p, scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_MUTABLE_CELL_VALUE));
	return SCRY_OK;
}

static int print_mutable_int(struct scry_printer *p, scry_addr addr)
{
	scry_printf(p, "%" PRId64,
		    (int64_t)scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_MUTABLE_CELL_INT));
	return SCRY_OK;
}

/* In the order in which they are asked: none is a base of an earlier one. */
static const struct {
	enum scry_pypy_class of;
	/* type(x).__name__, and in 2.7 where that differs; NULL: several types are of this class */
	const char *name, *old_name;
	int (*print)(struct scry_printer *p, scry_addr addr);
	const char *repr; /* the type that defines the repr; NULL: `name` */
} rows[] = {
	{ SCRY_PYPY_CLASS_NONE, "NoneType", NULL, print_none },
	{ SCRY_PYPY_CLASS_BOOL, "bool", NULL, print_bool },
	{ SCRY_PYPY_CLASS_INT, "int", NULL, print_int },
	{ SCRY_PYPY_CLASS_LONG, "int", "long", print_long },
	{ SCRY_PYPY_CLASS_FLOAT, "float", NULL, print_float },
	{ SCRY_PYPY_CLASS_COMPLEX, "complex", NULL, print_complex },
	{ SCRY_PYPY_CLASS_UNICODE, "str", "unicode", print_unicode },
	{ SCRY_PYPY_CLASS_BYTES, "bytes", "str", print_bytes },
	{ SCRY_PYPY_CLASS_TUPLE, "tuple", NULL, scry_pypy_print_tuple },
	{ SCRY_PYPY_CLASS_TUPLE_II, "tuple", NULL, scry_pypy_print_pair_of_ints },
	{ SCRY_PYPY_CLASS_TUPLE_FF, "tuple", NULL, scry_pypy_print_pair_of_floats },
	{ SCRY_PYPY_CLASS_TUPLE_OO, "tuple", NULL, scry_pypy_print_pair_of_objects },
	{ SCRY_PYPY_CLASS_LIST, "list", NULL, scry_pypy_print_list },
	{ SCRY_PYPY_CLASS_DICT, "dict", NULL, scry_pypy_print_dict },
	{ SCRY_PYPY_CLASS_MODULE_DICT, "dict", NULL, scry_pypy_print_module_dict },
	{ SCRY_PYPY_CLASS_FROZENSET, "frozenset", NULL, scry_pypy_print_frozenset },
	{ SCRY_PYPY_CLASS_SET, "set", NULL, scry_pypy_print_set },
	{ SCRY_PYPY_CLASS_TYPE, "type", NULL, print_class },
	{ SCRY_PYPY_CLASS_BUILTIN_FUNCTION, "builtin_function", NULL, scry_pypy_print_builtin },
	{ SCRY_PYPY_CLASS_FUNCTION, "function", NULL, print_function },
	{ SCRY_PYPY_CLASS_METHOD, "method", "instancemethod", scry_pypy_print_method },
	{ SCRY_PYPY_CLASS_MODULE, "module", NULL, print_module },
	{ SCRY_PYPY_CLASS_CODE, "code", NULL, print_code },
	{ SCRY_PYPY_CLASS_OBJECT, "object", NULL, print_object },
	{ SCRY_PYPY_CLASS_GENERATOR, NULL, NULL, scry_pypy_print_generator },
	{ SCRY_PYPY_CLASS_NOT_IMPLEMENTED, "NotImplementedType", NULL,
	  scry_pypy_print_not_implemented },
	{ SCRY_PYPY_CLASS_ELLIPSIS, "ellipsis", NULL, scry_pypy_print_ellipsis },
	{ SCRY_PYPY_CLASS_RANGE, "range", NULL, scry_pypy_print_range },
	{ SCRY_PYPY_CLASS_SLICE, "slice", NULL, scry_pypy_print_slice },
	{ SCRY_PYPY_CLASS_BYTEARRAY, "bytearray", NULL, scry_pypy_print_bytearray },
	{ SCRY_PYPY_CLASS_DEQUE, "deque", NULL, scry_pypy_print_deque },
	{ SCRY_PYPY_CLASS_ARRAY, "array", NULL, scry_pypy_print_array },
	{ SCRY_PYPY_CLASS_DICT_VIEW, NULL, NULL, scry_pypy_print_dict_view },
	{ SCRY_PYPY_CLASS_PROXY, "mappingproxy", "dictproxy", scry_pypy_print_proxy },
	{ SCRY_PYPY_CLASS_CDATA, NULL, NULL, scry_pypy_print_cdata },
	{ SCRY_PYPY_CLASS_EXCEPTION, NULL, NULL, scry_pypy_print_exception, "BaseException" },
	{ SCRY_PYPY_CLASS_MUTABLE_CELL, "object", NULL, print_mutable_cell },
	{ SCRY_PYPY_CLASS_MUTABLE_INT, "int", NULL, print_mutable_int },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static size_t row_of(struct scry_pypy *y, const struct scry_pypy_type *t)
{
	size_t i = 0;

	while (i < ROWS && !scry_pypy_is(y, t, rows[i].of))
		i++;
	return i;
}

int scry_pypy_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret)
{
	struct scry_pypy_ext ext;

	scry_pypy_resolve(r, &obj, &ext);
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &obj);
	*ret = (int64_t)(scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_INT)
				 ? scry_pypy_get(r->pypy, obj, SCRY_PYPY_INT_VALUE)
				 : obj);
	return SCRY_OK;
}

const char *scry_pypy_type_name(struct scry_runtime *r, scry_addr addr)
{
	struct scry_pypy *y = r->pypy;
	struct scry_pypy_ext ext;

	if (scry_pypy_resolve(r, &addr, &ext) && !ext.link)
		return ext.type_name;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &addr);
	scry_addr cls = t ? scry_pypy_class_of(y, t, addr) : 0;
	size_t i = t ? row_of(y, t) : ROWS;

	if (cls)
		return scry_pypy_class_name(r, cls, false);
	if (i < ROWS && rows[i].name)
		return rows[i].old_name && scry_pypy_is_python2(r) ? rows[i].old_name
								   : rows[i].name;
	cls = t ? scry_pypy_type_object(r, t, addr) : 0;
	if (cls)
		return scry_pypy_class_name(r, cls, false);
	const char *dot = t ? strrchr(t->name, '.') : NULL;
	return dot ? dot + 1 : NULL;
}

int scry_pypy_known(struct scry_runtime *r, scry_addr addr)
{
	struct scry_pypy_ext ext;

	scry_pypy_resolve(r, &addr, &ext);
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &addr);
	const char *name =
		t && !scry_pypy_class_of(r->pypy, t, addr) ? scry_pypy_type_name(r, addr) : NULL;

	return name ? scry_known_named(r, name) : SCRY_IS_OTHER;
}

/*
 * An instance of a class written in Python: as its built-in base prints it, or object; a __repr__
 * is not run.
 */
static int print_instance(struct scry_printer *p, scry_addr addr, scry_addr cls, size_t row)
{
	scry_addr value, of = scry_pypy_find_in_mro(p->runtime, cls, "__repr__", &value);
	bool built_in = of && !scry_pypy_get(p->runtime->pypy, of, SCRY_PYPY_TYPE_IS_HEAP);
	const char *name = built_in ? scry_pypy_class_name(p->runtime, of, false) : NULL,
		   *own = scry_pypy_class_name(p->runtime, cls, true);

	if (name && row < ROWS && rows[row].of != SCRY_PYPY_CLASS_OBJECT) {
		const char *of_row = rows[row].repr ? rows[row].repr : rows[row].name;

		if ((of_row && !strcmp(name, of_row)) ||
		    (rows[row].old_name && !strcmp(name, rows[row].old_name)))
			return rows[row].print(p, addr);
	}
	scry_printf(p, "<%s%s at 0x%" PRIx64 ">", own ? own : "?",
		    name && !strcmp(name, "object") ? " object" : "", addr);
	return SCRY_OK;
}

int scry_pypy_print(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	struct scry_pypy_ext ext;
	scry_addr at = addr;

	if (scry_pypy_resolve(p->runtime, &at, &ext) && !ext.link)
		return scry_pypy_print_ext(p, &ext);
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &at);
	if (!t)
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, addr, "no object");
	if (t->tid == y->string)
		return scry_pypy_print_utf8(p, at);
	if (!t->class_max)
		return scry_pypy_print_inner(p, at);
	size_t i = row_of(y, t);
	scry_addr cls = scry_pypy_class_of(y, t, at);
	if (cls)
		return print_instance(p, at, cls, i);
	if (i < ROWS)
		return rows[i].print(p, at);
	if ((cls = scry_pypy_type_object(p->runtime, t, at)))
		return print_instance(p, at, cls, ROWS);
	const char *name = scry_pypy_type_name(p->runtime, at);
	scry_printf(p, "<%s at 0x%" PRIx64 ">", name ? name : "?", at);
	return SCRY_OK;
}
