/* ctypes: simple values; structures, arrays and pointers have object's repr. */
#include "object/known.h"
#include "object/printer.h"

#include <math.h>
#include <stdlib.h>

/*
 * cfield.c: the code in _type_ says what is at b_ptr; -1: a C long, -2: a pointer, -3: a
 * wchar_t
 */
static const struct code {
	char code;
	int size;
	enum {
		CODE_SIGNED,
		CODE_UNSIGNED,
		CODE_FLOAT,
		CODE_CHAR,
		CODE_WCHAR,
		CODE_STRING,
		CODE_WSTRING,
		CODE_POINTER,
		CODE_BOOL,
		CODE_OBJECT
	} kind;
} codes[] = {
	{ 'b', 1, CODE_SIGNED },   { 'B', 1, CODE_UNSIGNED },  { 'h', 2, CODE_SIGNED },
	{ 'H', 2, CODE_UNSIGNED }, { 'i', 4, CODE_SIGNED },    { 'I', 4, CODE_UNSIGNED },
	{ 'l', -1, CODE_SIGNED },  { 'L', -1, CODE_UNSIGNED }, { 'q', 8, CODE_SIGNED },
	{ 'Q', 8, CODE_UNSIGNED }, { 'f', 4, CODE_FLOAT },     { 'd', 8, CODE_FLOAT },
	{ 'c', 1, CODE_CHAR },     { 'u', -3, CODE_WCHAR },    { 'z', -2, CODE_STRING },
	{ 'Z', -2, CODE_WSTRING }, { 'P', -2, CODE_POINTER },  { '?', 1, CODE_BOOL },
	{ 'O', -2, CODE_OBJECT },
};

/* long and wchar_t are the target's, not ours: Windows has 4 and 2 bytes. */
static unsigned code_size(const struct scry_abi *abi, const struct code *c)
{
	return c->size == -1   ? abi->long_size
	       : c->size == -2 ? abi->ptr_size
	       : c->size == -3 ? abi->wchar_size
			       : (unsigned)c->size;
}

static bool is_old(const struct scry_runtime *r)
{
	return scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT);
}

static void print_double(struct scry_printer *p, uint64_t bits, unsigned size)
{
	char text[64];
	double value;
	float narrow;
	uint32_t low = (uint32_t)bits;

	if (size == 4) {
		memcpy(&narrow, &low, 4);
		value = narrow;
	} else {
		memcpy(&value, &bits, 8);
	}
	scry_format_double(value, true, text);
	scry_buf_puts(p->out, text);
}

/* As long as it takes to a 0: C has no other length. Bounded, since nobody promises one. */
static int print_string(struct scry_printer *p, scry_addr at, unsigned size)
{
	uint64_t n = 0, unit = 1;

	if (!at) {
		scry_buf_puts(p->out, "None");
		return SCRY_OK;
	}
	while (n < 100000) {
		int rc = scry_read_uint(p->runtime->session, at + n * size, size, &unit);

		if (rc < 0)
			return rc;
		if (!unit)
			break;
		n++;
	}
	return scry_print_units(p, at, n, size,
				size == 1            ? (is_old(p->runtime) ? "" : "b")
				: is_old(p->runtime) ? "u"
						     : "");
}

/* 2.7: Python ints become longs where unsigned C types are wide */
static const char *long_mark(struct scry_printer *p, char code)
{
	return is_old(p->runtime) && strchr("ILqQ", code) ? "L" : "";
}

/* c_int.__ctype_be__ on a little-endian machine: the class that is its own __ctype_be__ */
static bool is_swapped(struct scry_runtime *r, scry_addr type)
{
	bool big = r->session->target->abi.big_endian;
	scry_addr value;

	return scry_type_lookup(r, type, big ? "__ctype_le__" : "__ctype_be__", &value, NULL) ==
		       SCRY_OK &&
	       value == type;
}

/*
 * BigEndianStructure and the like keep a value in the order that their name says, on every machine.
 */
static int read_value(struct scry_runtime *r, scry_addr at, unsigned size, bool swapped,
		      uint64_t *ret)
{
	uint8_t bytes[8];
	int rc = size > sizeof(bytes) ? SCRY_EINVAL : scry_read(r->session, at, bytes, size);

	if (rc == SCRY_OK)
		*ret = scry_load(bytes, size, r->session->target->abi.big_endian != swapped);
	return rc;
}

static int print_code(struct scry_printer *p, scry_addr at, const struct code *c, bool swapped)
{
	unsigned size = code_size(&p->runtime->session->target->abi, c),
		 shift = 64 - 8 * (size < 8 ? size : 8);
	uint64_t value = 0;
	int rc = read_value(p->runtime, at, size, swapped, &value);

	if (rc < 0)
		return rc;
	switch (c->kind) {
	case CODE_SIGNED:
		scry_printf(p, "%" PRId64 "%s", (int64_t)(value << shift) >> shift,
			    long_mark(p, c->code));
		return SCRY_OK;
	case CODE_UNSIGNED:
		scry_printf(p, "%" PRIu64 "%s", value, long_mark(p, c->code));
		return SCRY_OK;
	case CODE_FLOAT:
		print_double(p, value, size);
		return SCRY_OK;
	case CODE_CHAR:
	case CODE_WCHAR:
		return scry_print_units(p, at, 1, size,
					size == 1            ? (is_old(p->runtime) ? "" : "b")
					: is_old(p->runtime) ? "u"
							     : "");
	case CODE_STRING:
		return print_string(p, value, 1);
	case CODE_WSTRING:
		return print_string(p, value, p->runtime->session->target->abi.wchar_size);
	case CODE_BOOL:
		scry_buf_puts(p->out, value ? "True" : "False");
		return SCRY_OK;
	case CODE_POINTER:
		if (value)
			scry_printf(p, "%" PRIu64 "%s", value, long_mark(p, c->code));
		else
			scry_buf_puts(p->out, "None");
		return SCRY_OK;
	case CODE_OBJECT:
		scry_print(p, value);
		return SCRY_OK;
	}
	return SCRY_EUNSUPPORTED;
}

/* "c_int(5)"; what derives from c_int has object's form: _ctypes.c, Simple_repr() */
static int print_simple(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t, *base;
	scry_addr at;
	scry_addr code_obj;
	const char *code;
	int rc = scry_type_at(p->runtime, type, &t);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, t->base, &base);
	if (rc < 0)
		return rc;
	if (scry_known_type(base) != SCRY_IS_C_SIMPLE_DATA) {
		scry_printf(p, "<%s object at 0x%" PRIx64 ">", t->name, addr);
		return SCRY_OK;
	}
	rc = scry_type_lookup(p->runtime, type, "_type_", &code_obj, NULL);
	rc = rc < 0 ? rc : scry_text_at(p->runtime, code_obj, 4, &code);
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_CTYPES_PTR, &at);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == *code) {
			scry_printf(p, "%s(", t->name);
			rc = print_code(p, at, &codes[i], is_swapped(p->runtime, type));
			scry_buf_putc(p->out, ')');
			return rc;
		}
	return scry_print_unknown(p, addr, type);
}

/* ctypes/__init__.py: the pointers to strings print as addresses */
static int print_string_pointer(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr at, value;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_CTYPES_PTR, &at);

	rc = rc < 0 ? rc : scry_word(p->runtime, at, &value);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", scry_type_short(p->runtime, type));
	if (value)
		scry_printf(p, "%" PRIu64 ")", value);
	else
		scry_buf_puts(p->out, "None)");
	return SCRY_OK;
}

/* "<CDLL 'libc.so.6', handle 7f01 at 0x7f02>": Lib/ctypes/__init__.py */
static int print_library(struct scry_printer *p, scry_addr addr, const char *at)
{
	scry_addr name, handle, type;
	uint8_t bytes[8]; /* an address: it may not fit a signed integer */
	int rc = scry_attr(p->runtime, addr, "_name", &name);

	rc = rc < 0 ? rc : scry_attr(p->runtime, addr, "_handle", &handle);
	rc = rc < 0 ? rc : scry_int_bytes(p->runtime, handle, bytes, sizeof(bytes));
	rc = rc < 0 ? rc : scry_type_of(p->runtime, addr, &type);
	if (rc < 0)
		return rc;
	scry_printf(p, "<%s '", scry_type_short(p->runtime, type));
	scry_print_plain(p, name);
	scry_printf(p, "', handle %" PRIx64 " at %s%" PRIx64 ">",
		    scry_load(bytes, sizeof(bytes), true), at, addr);
	return SCRY_OK;
}

static int print_dll(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_library(p, addr, "0x");
}

static int print_dll2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_library(p, addr, "");
}

const struct scry_printer_row scry_printers_ctypes[] = {
	{ "ctypes.CDLL", 0, print_dll, .since = SCRY_VERSION_OF(3, 0) },
	{ "ctypes.CDLL", 0, print_dll2, .until = SCRY_VERSION_OF(3, 0) },
	{ "_ctypes.PyCFuncPtr", .form = "<%C object at %A>" },
	{ "_ctypes.CFuncPtr", .form = "<%C object at %A>" },
	{ "_ctypes._SimpleCData", 0, print_simple },
	{ "ctypes.py_object", 0, print_simple },
	{ "ctypes.c_char_p", 0, print_string_pointer },
	{ "ctypes.c_wchar_p", 0, print_string_pointer },
	{ NULL },
};
