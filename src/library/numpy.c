/* numpy: scalars as repr() prints them, arrays as type, shape, dtype and the head of their data. */
#include "object/printer.h"

#include <math.h>
#include <stdlib.h>

/* NPY_MAXDIMS: 32, and 64 from numpy 2 on */
#define DIMENSIONS_MAX 64
#define ITEM_MAX       65536

/* What numpy's versions print, newest first. */
static const struct numpy_form {
	unsigned since; /* 100 * major + minor */
	bool named;     /* "np.int64(1)" */
	/* scalartypes.c.src: floats of 2, 4 and 8 bytes have an exponent from here on */
	double fixed_below[3];
} numpy_forms[] = {
	{ 203, true, { 1e3, 1e6, 1e16 } },
	{ 200, true, { 1e16, 1e16, 1e16 } },
	{ 0, false, { 1e16, 1e16, 1e16 } },
};

/* One element's type: dtype.kind and its size in bytes. */
struct item {
	char kind;
	unsigned size;
	bool swapped;
	/*
	 * no parentheses: numpy 2's "np.complex64(1+2j)" (_core/src/multiarray/scalartypes.c.src)
	 */
	bool bare;
	const struct numpy_form *form;
};

static const struct scalar {
	const char *type; /* the last part of its name, without a number's underscore */
	char kind;
	unsigned size;
} scalars[] = {
	{ "int8", 'i', 1 },      { "int16", 'i', 2 },       { "int32", 'i', 4 },
	{ "int64", 'i', 8 },     { "longlong", 'i', 8 },    { "uint8", 'u', 1 },
	{ "uint16", 'u', 2 },    { "uint32", 'u', 4 },      { "uint64", 'u', 8 },
	{ "ulonglong", 'u', 8 }, { "intc", 'i', 4 },        { "uintc", 'u', 4 },
	{ "float16", 'f', 2 },   { "float32", 'f', 4 },     { "float64", 'f', 8 },
	{ "complex64", 'c', 8 }, { "complex128", 'c', 16 }, { "bool", 'b', 1 },
	{ "bool_", 'b', 1 },     { "object_", 'O', 8 },     { "object", 'O', 8 },
};

static const struct scalar *find_scalar(const char *name)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++)
		if (!strcmp(scalars[i].type, name))
			return &scalars[i];
	return NULL;
}

/* A class that derives from a scalar's type may be called anything: numpy's own is the type. */
static const struct scry_type *own_scalar(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_type *base;

	for (int i = 0; i < 64 && t->flags & TYPE_HEAP && scry_type_at(r, t->base, &base) == 0; i++)
		t = base;
	return t;
}

static const char *tail(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

/* By the module's own __version__. */
static const struct numpy_form *form_of(struct scry_runtime *r)
{
	unsigned major = 0, minor = 0;
	scry_addr module;
	const struct numpy_form *form = numpy_forms;

	for (const struct scry_interp *i = r->interps; i; i = i->next)
		if (i->modules && scry_dict_get(r, i->modules, "numpy", &module) == SCRY_OK) {
			const char *version = scry_attr_text(r, module, "__version__");

			if (version && sscanf(version, "%3u.%2u", &major, &minor) == 2)
				break;
		}
	while (form->since > 100 * major + minor)
		form++;
	return form;
}

/* --- elements --- */

/*
 * A dtype may have the other byte order than the machine: data of files and networks are mapped as
 * they are.
 */
static int read_bits(struct scry_runtime *r, scry_addr at, unsigned size, bool swapped,
		     uint64_t *ret)
{
	uint8_t bytes[8];

	if (size > 8)
		return SCRY_EINVAL;
	int rc = scry_read(r->session, at, bytes, size);
	if (rc == SCRY_OK)
		*ret = scry_load(bytes, size, r->session->target->abi.big_endian != swapped);
	return rc;
}

static int print_complex(struct scry_printer *p, scry_addr at, const struct item *t)
{
	unsigned half = t->size / 2;
	uint64_t bits[2];

	for (int i = 0; i < 2; i++) {
		int rc = read_bits(p->runtime, at + (unsigned)i * half, half, t->swapped, &bits[i]);

		if (rc < 0)
			return rc;
	}

	struct scry_float_form form = { half, t->form->fixed_below[half / 4] };
	double real = scry_float_of_bits(bits[0], half), imag = scry_float_of_bits(bits[1], half);
	if (t->bare)
		scry_put_bare_complex(p->out, real, imag, &form);
	else
		scry_put_complex(p->out, real, imag, &form);
	return SCRY_OK;
}

static int print_number(struct scry_printer *p, scry_addr at, const struct item *t)
{
	uint64_t bits;
	char text[64];
	int rc = read_bits(p->runtime, at, t->size, t->swapped, &bits);

	if (rc < 0)
		return rc;
	unsigned shift = 64 - 8 * t->size;
	if (t->kind == 'b')
		scry_buf_puts(p->out, bits ? "True" : "False");
	else if (t->kind == 'u')
		scry_printf(p, "%" PRIu64, bits);
	else if (t->kind == 'i')
		scry_printf(p, "%" PRId64, (int64_t)(bits << shift) >> shift);
	else if (t->kind == 'f') {
		struct scry_float_form form = { t->size, t->form->fixed_below[t->size / 4] };

		scry_format_float(scry_float_of_bits(bits, t->size), &form, true, text);
		scry_buf_puts(p->out, text);
	} else
		scry_printf(p, "%" PRIu64, bits);
	return SCRY_OK;
}

/* Text of a fixed size, its trailing NULs taken off. */
static int print_text(struct scry_printer *p, scry_addr at, const struct item *t)
{
	unsigned unit = t->kind == 'U' ? 4 : 1;
	uint64_t n = t->size / unit, value;

	while (n &&
	       scry_read_uint(p->runtime->session, at + (n - 1) * unit, unit, &value) == SCRY_OK &&
	       value == 0)
		n--;
	return scry_print_units(p, at, n, unit, unit == 1 ? "b" : "");
}

static void print_element(struct scry_printer *p, scry_addr at, const struct item *t)
{
	int rc = SCRY_OK;

	if (t->kind == 'O')
		scry_print_at(p, at);
	else if (t->kind == 'S' || t->kind == 'U')
		rc = print_text(p, at, t);
	else if (t->kind == 'c')
		rc = print_complex(p, at, t);
	else
		rc = print_number(p, at, t);
	if (rc < 0)
		scry_printer_damage(p, at);
}

/* --- scalars --- */

/*
 * A scalar's value follows the object's head (arrayscalars.h): no dtype is needed, the type says it
 * all.
 */
static int print_scalar(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	if (rc < 0)
		return rc;
	const struct scalar *s = find_scalar(tail(own_scalar(p->runtime, t)->name));
	scry_addr at = scry_field_addr(p->runtime, addr, SCRY_F_NUMPY_SCALAR_VALUE);
	if (!s || !at)
		return scry_print_unknown(p, addr, type);
	const struct numpy_form *form = form_of(p->runtime);
	bool two = form->named;
	struct item item = { s->kind, s->size, false, two, form };
	/* numpy 2 writes the name of the class as it is imported, which only code knows */
	if (two && t->flags & TYPE_HEAP)
		return scry_print_unknown(p, addr, type);
	if (two)
		scry_printf(p, s->kind == 'b' ? "np." : "np.%s(", tail(t->name));
	print_element(p, at, &item);
	if (two)
		scry_buf_puts(p->out, s->kind == 'b' ? "_" : ")");
	return SCRY_OK;
}

/* numpy.str_ and bytes_ are subclasses of str and bytes */
static int print_text_scalar(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	bool two = form_of(p->runtime)->named;

	if (two)
		scry_printf(p, "np.%s(", scry_type_short(p->runtime, type));
	int rc = scry_print_text_range(p, addr, 0, UINT64_MAX, 0);
	if (two)
		scry_buf_putc(p->out, ')');
	return rc;
}

/* --- arrays --- */

struct array {
	scry_addr data;
	unsigned nd;
	int64_t shape[DIMENSIONS_MAX], stride[DIMENSIONS_MAX];
	uint64_t count;
	struct item item;
	const char *dtype;
};

/*
 * The number of items is the product of the shape: bounded step by step, since damaged ones
 * overflow.
 */
static int read_shape(struct scry_runtime *r, scry_addr addr, struct array *a)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t nd;
	scry_addr dims, strides;
	int rc = scry_field_read(r, addr, SCRY_F_NDARRAY_ND, &nd);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_NDARRAY_DIMENSIONS, &dims);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_NDARRAY_STRIDES, &strides);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_NDARRAY_DATA, &a->data);
	if (rc == SCRY_OK && nd > DIMENSIONS_MAX)
		rc = scry_fail(r->session, SCRY_ECORRUPT, addr, "array of %" PRIu64 " dimensions",
			       nd);
	a->nd = rc < 0 ? 0 : (unsigned)nd;
	a->count = 1;
	for (unsigned i = 0; rc == SCRY_OK && i < a->nd; i++) {
		rc = scry_read_int(r->session, dims + i * ptr, ptr, &a->shape[i]);
		rc = rc < 0 ? rc : scry_read_int(r->session, strides + i * ptr, ptr, &a->stride[i]);
		if (rc == SCRY_OK && (a->shape[i] < 0 || a->shape[i] > (int64_t)1 << 40 ||
				      a->count > (uint64_t)1 << 20 << 20))
			rc = scry_fail(r->session, SCRY_ECORRUPT, addr,
				       "array with %" PRId64 " items", a->shape[i]);
		a->count *= rc < 0 ? 0 : (uint64_t)a->shape[i];
	}
	return rc;
}

/*
 * How long the texts of a dtype are. numpy/core/include/numpy/ndarraytypes.h: 1.x has int elsize
 * and int alignment, which is never 0, where 2.x has 64 bits of flags, whose upper half is 0, and
 * then npy_intp elsize. 0: not known.
 */
static unsigned text_size(struct scry_runtime *r, scry_addr descr)
{
	scry_addr at = scry_field_addr(r, descr, SCRY_F_DTYPE_BEHIND_NUM);
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t first, second, size;

	if (!at || ptr != 8 || r->session->target->abi.big_endian ||
	    scry_read_uint(r->session, at, 4, &first) < 0 ||
	    scry_read_uint(r->session, at + 4, 4, &second) < 0)
		return 0;
	size = first;
	if (second == 0 && scry_read_uint(r->session, at + 8, ptr, &size) < 0)
		return 0;
	return size <= ITEM_MAX ? (unsigned)size : 0;
}

/*
 * What a dtype is called (dtype.name) comes from its scalar type, without the underscore that keeps
 * it apart from Python's own.
 */
static int read_dtype(struct scry_runtime *r, scry_addr descr, struct array *a)
{
	uint64_t kind, order;
	scry_addr typeobj;
	struct scry_type *t;
	int rc = scry_field_read(r, descr, SCRY_F_DTYPE_TYPEOBJ, &typeobj);

	rc = rc < 0 ? rc : scry_field_read(r, descr, SCRY_F_DTYPE_KIND, &kind);
	rc = rc < 0 ? rc : scry_field_read(r, descr, SCRY_F_DTYPE_BYTEORDER, &order);
	rc = rc < 0 ? rc : scry_type_at(r, typeobj, &t);
	if (rc < 0)
		return rc;
	const struct scalar *s = find_scalar(tail(own_scalar(r, t)->name));
	bool big = r->session->target->abi.big_endian;
	a->item = (struct item) { (char)kind, s ? s->size : 0, order == (big ? '<' : '>') };
	size_t n = strlen(tail(t->name));
	a->dtype = scry_arena_text(&r->session->arena, tail(t->name),
				   n - (n && tail(t->name)[n - 1] == '_'));
	if (kind == 'S' || (kind == 'U' && !a->item.swapped))
		a->item.size = text_size(r, descr);
	return a->dtype ? SCRY_OK : SCRY_ENOMEM;
}

/*
 * Strides are bytes, and may be negative or 0: a reversed or a broadcast axis. The last axis runs
 * fastest, as repr() shows them.
 */
static scry_addr element_at(const struct array *a, uint64_t i)
{
	scry_addr at = a->data;

	for (unsigned d = a->nd; d-- > 0 && a->shape[d];) {
		at += (uint64_t)((int64_t)(i % (uint64_t)a->shape[d]) * (__int128)a->stride[d]);
		i /= (uint64_t)a->shape[d];
	}
	return at;
}

static int print_array_as(struct scry_printer *p, scry_addr addr, scry_addr type, bool with_data)
{
	struct array a = { 0 };
	scry_addr descr;
	const char *name;
	int rc = read_shape(p->runtime, addr, &a);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_NDARRAY_DESCR, &descr);
	rc = rc < 0 ? rc : read_dtype(p->runtime, descr, &a);
	rc = rc < 0 ? rc : scry_type_full_name(p->runtime, type, &name);
	if (rc < 0 || !scry_printer_enter(p, addr, "[...]"))
		return rc;
	scry_printf(p, "<%s shape=(", name);
	for (unsigned i = 0; i < a.nd; i++)
		scry_printf(p, "%s%" PRId64 "%s", i ? ", " : "", a.shape[i], a.nd == 1 ? "," : "");
	scry_printf(p, ") dtype=%s", a.dtype);
	if (a.item.size && with_data) {
		a.item.form = form_of(p->runtime);
		scry_buf_puts(p->out, " [");
		for (uint64_t i = 0; scry_printer_more(p, i, a.count); i++)
			print_element(p, element_at(&a, i), &a.item);
		scry_buf_putc(p->out, ']');
	}
	scry_buf_putc(p->out, '>');
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_array(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_array_as(p, addr, type, true);
}

/* Some of its data do not count. */
static int print_masked(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_array_as(p, addr, type, false);
}

static int print_dtype(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct array a = { 0 };
	int rc = read_dtype(p->runtime, addr, &a);

	if (rc < 0)
		return rc;
	if (strchr("SU", a.item.kind) && a.item.size) {
		scry_printf(p, a.item.kind == 'S' ? "dtype('S%u')" : "dtype('<U%u')",
			    a.item.size / (a.item.kind == 'S' ? 1 : 4));
		return SCRY_OK;
	}
	if (strchr("SUVMm", a.item.kind)) /* fields and units: not where every numpy has them */
		return scry_print_unknown(p, addr, type);
	if (a.item.swapped && a.item.size)
		scry_printf(p, "dtype('%c%c%u')",
			    p->runtime->session->target->abi.big_endian ? '<' : '>', a.item.kind,
			    a.item.size);
	else
		scry_printf(p, "dtype('%s')", a.item.kind == 'O' ? "O" : a.dtype);
	return SCRY_OK;
}

#define SCALAR(name)                           \
	{                                      \
		"numpy." name, 0, print_scalar \
	}

const struct scry_printer_row scry_printers_numpy[] = {
	SCALAR("int8"),
	SCALAR("int16"),
	SCALAR("int32"),
	SCALAR("int64"),
	SCALAR("longlong"),
	SCALAR("intc"),
	SCALAR("uint8"),
	SCALAR("uint16"),
	SCALAR("uint32"),
	SCALAR("uint64"),
	SCALAR("ulonglong"),
	SCALAR("uintc"),
	SCALAR("float16"),
	SCALAR("float32"),
	SCALAR("float64"),
	SCALAR("complex64"),
	SCALAR("complex128"),
	SCALAR("bool"),
	SCALAR("bool_"),
	SCALAR("generic"),
	SCALAR("integer"),
	SCALAR("inexact"),
	SCALAR("floating"),
	{ "numpy.str_", 0, print_text_scalar },
	{ "numpy.bytes_", 0, print_text_scalar },
	{ "numpy.ndarray", 0, print_array },
	{ "numpy.core.records.recarray", 0, print_array },
	{ "numpy._core.records.recarray", 0, print_array },
	{ "numpy.ma.core.MaskedArray", 0, print_masked },
	{ "numpy.dtype", 0, print_dtype },
	{ NULL },
};
