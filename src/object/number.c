/* None, bool, int of any size, float, complex. */
#include "object/known.h"
#include "object/judge.h"
#include "memory/block.h"
#include "object/printer.h"

#include <gmp.h>
#include <stdio.h>
#include <stdlib.h>

/* Beyond, an int is shown by its leading digits: converting takes more than linear time. */
#define DIGITS_SHOWN  20000
#define DIGITS_HEAD   60
#define INT_BYTES_MAX (1u << 30)

struct int_view {
	scry_addr object, digits;
	uint64_t count; /* of digits */
	unsigned size;  /* bytes per digit, which hold `bits` bits */
	unsigned bits;
	bool negative;
};

static int open_long(struct scry_runtime *r, scry_addr addr, struct int_view *v)
{
	int64_t size;
	uint64_t tag;
	int rc = scry_field_read(r, addr, SCRY_F_LONG_TAG, &tag);

	if (rc == SCRY_OK) {
		/*
		 * 3.12+: Include/cpython/longintrepr.h: sign in the lowest two bits, 3 bits of
		 * flags below the count
		 */
		v->count = tag >> 3;
		v->negative = (tag & 3) == 2;
		if ((tag & 3) == 3 || ((tag & 3) == 1) != (v->count == 0))
			return scry_fail(r->session, SCRY_ECORRUPT, addr,
					 "int at 0x%" PRIx64 " has tag 0x%" PRIx64, addr, tag);
	} else if (rc == SCRY_ENOFIELD &&
		   (rc = scry_field_read_int(r, addr, SCRY_F_VAR_SIZE, &size)) == SCRY_OK) {
		v->negative = size < 0;
		v->count = size < 0 ? 0 - (uint64_t)size : (uint64_t)size;
	}
	if (rc < 0)
		return rc;
	v->object = addr;
	v->digits = scry_field_addr(r, addr, SCRY_F_LONG_DIGITS);
	/* PYLONG_BITS_IN_DIGIT, Include/longintrepr.h: 15 bits in a short, or 30 in a 32-bit int */
	v->size = r->layout->slot[SCRY_F_LONG_DIGITS].size == 2 ? 2 : 4;
	v->bits = v->size == 2 ? 15 : 30;
	if (v->count > INT_BYTES_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "int at 0x%" PRIx64 " says it has %" PRIu64 " digits", addr,
				 v->count);
	return scry_fits(r, addr, v->digits - addr + v->count * v->size, "digits") ? SCRY_OK
										   : SCRY_ECORRUPT;
}

/*
 * A digit has 30 (15) bits of its word, and the highest one is not 0: Include/longintrepr.h, 2.7 to
 * 3.11, Include/cpython/longintrepr.h later.
 */
static int check_digit(struct scry_runtime *r, const struct int_view *v, uint64_t i, uint64_t digit)
{
	if (digit >> v->bits == 0 && (digit || i + 1 < v->count))
		return SCRY_OK;
	return scry_fail(r->session, SCRY_ECORRUPT, v->object,
			 "digit %" PRIu64 " of the int at 0x%" PRIx64 " is 0x%" PRIx64, i,
			 v->object, digit);
}

/*
 * A result with zeros before it keeps the room that it was given, and the zeros: long_normalize(),
 * Objects/longobject.c. Who reads a text may have asked for one digit too many, which nobody wrote.
 */
static int check_room(struct scry_runtime *r, const struct int_view *v)
{
	struct scry_block b;
	uint64_t head = v->digits - v->object, digit = 0;

	if (!scry_block_guess(r, v->object, &b) || b.start != v->object ||
	    scry_block_least(&b) <= head)
		return SCRY_OK;
	uint64_t least = (scry_block_least(&b) - head + v->size - 1) / v->size;
	for (uint64_t i = v->count + 1; i < least; i++)
		if (scry_read_uint(r->session, v->digits + i * v->size, v->size, &digit) ==
			    SCRY_OK &&
		    digit)
			return scry_fail(r->session, SCRY_ECORRUPT, v->object,
					 "int at 0x%" PRIx64 " says it has %" PRIu64
					 " digits, and has room for %" PRIu64,
					 v->object, v->count, least);
	return SCRY_OK;
}

static int read_digit(struct scry_runtime *r, const struct int_view *v, uint64_t i, uint64_t *ret)
{
	int rc = scry_read_uint(r->session, v->digits + i * v->size, v->size, ret);

	return rc < 0 ? rc : check_digit(r, v, i, *ret);
}

/* Is it one of 2.7's ints, which are C longs? */
static bool is_old_int(struct scry_runtime *r, const struct scry_type *t)
{
	return t->flags & TYPE_INT ||
	       (!(t->flags & TYPE_LONG) && scry_type_is(r, t->addr, SCRY_IS_INT));
}

bool scry_int_is_sound(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	uint64_t digit;
	struct int_view v;

	(void)t;
	if (open_long(r, addr, &v) < 0)
		return false;
	for (uint64_t i = 0; i < v.count; i++)
		if (read_digit(r, &v, i, &digit) < 0)
			return false;
	return true;
}

int scry_cpython_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret)
{
	struct scry_type *t;
	struct int_view v;
	uint64_t value = 0, digit;
	int rc = scry_type_for(r, obj, &t);

	if (rc < 0)
		return rc;
	if (is_old_int(r, t))
		return scry_field_read_int(r, obj, SCRY_F_OLD_INT_VALUE, ret);
	if (!(t->flags & TYPE_LONG))
		return scry_fail(r->session, SCRY_EUNSUPPORTED, obj, "%s is not an int", t->name);
	rc = open_long(r, obj, &v);
	for (uint64_t i = v.count; rc == SCRY_OK && i-- > 0;) {
		/* the sign has a bit of its own, so the most negative int64 is refused as well */
		if (value >> (63 - v.bits))
			return scry_fail(r->session, SCRY_EUNSUPPORTED, obj,
					 "int at 0x%" PRIx64 " does not fit 64 bits", obj);
		rc = read_digit(r, &v, i, &digit);
		value = value << v.bits | digit;
	}
	if (rc == SCRY_OK)
		*ret = v.negative ? -(int64_t)value : (int64_t)value;
	return rc;
}

/*
 * The `count` most significant digits as a number. The least significant digit comes first (order
 * -1); the unused bits of each are "nails".
 */
static int import_digits(struct scry_runtime *r, const struct int_view *v, uint64_t count,
			 mpz_t ret)
{
	size_t bytes = (size_t)count * v->size;
	void *raw = malloc(bytes ? bytes : 1);

	if (!raw)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	int rc = scry_read(r->session, v->digits + (v->count - count) * v->size, raw, bytes);
	for (uint64_t i = 0; rc == SCRY_OK && i < count; i++)
		rc = check_digit(r, v, v->count - count + i,
				 scry_load((uint8_t *)raw + i * v->size, v->size,
					   r->session->target->abi.big_endian));
	if (rc == SCRY_OK)
		mpz_import(ret, (size_t)count, -1, v->size,
			   r->session->target->abi.big_endian ? 1 : -1, v->size * 8 - v->bits, raw);
	free(raw);
	return rc;
}

void scry_mpz_set(mpz_t ret, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	mpz_import(ret, 1, 1, sizeof(size), 0, 0, &size);
	if (value < 0)
		mpz_neg(ret, ret);
}

int scry_cpython_int_mpz(struct scry_runtime *r, scry_addr obj, mpz_t ret)
{
	struct scry_type *t;
	struct int_view v;
	int64_t value;
	int rc = scry_type_for(r, obj, &t);

	if (rc < 0)
		return rc;
	if (is_old_int(r, t)) {
		rc = scry_field_read_int(r, obj, SCRY_F_OLD_INT_VALUE, &value);
		if (rc == SCRY_OK)
			scry_mpz_set(ret, value);
		return rc;
	}
	if (!(t->flags & TYPE_LONG))
		return scry_fail(r->session, SCRY_EUNSUPPORTED, obj, "%s is not an int", t->name);
	rc = open_long(r, obj, &v);
	rc = rc < 0 ? rc : import_digits(r, &v, v.count, ret);
	if (rc == SCRY_OK && v.negative)
		mpz_neg(ret, ret);
	return rc;
}

int scry_int_bytes(struct scry_runtime *r, scry_addr obj, uint8_t *ret, size_t size)
{
	size_t used;
	mpz_t z;

	mpz_init(z);
	int rc = scry_int_mpz(r, obj, z);
	used = rc == SCRY_OK ? (mpz_sizeinbase(z, 2) + 7) / 8 : 0;
	if (rc == SCRY_OK && (mpz_sgn(z) < 0 || used > size))
		rc = scry_fail(r->session, SCRY_ECORRUPT, obj, "int at 0x%" PRIx64 " is %s", obj,
			       mpz_sgn(z) < 0 ? "negative" : "too large for what it stands for");
	if (rc == SCRY_OK) {
		memset(ret, 0, size);
		mpz_export(ret + size - used, NULL, 1, 1, 1, 0, z);
	}
	mpz_clear(z);
	return rc;
}

void scry_put_mpz(struct scry_buf *out, const mpz_t z)
{
	char *text = malloc(mpz_sizeinbase(z, 10) + 2);

	if (!text) {
		out->failed = true;
		return;
	}
	mpz_get_str(text, 10, z);
	scry_buf_puts(out, text);
	free(text);
}

/*
 * The leading digits of a huge int: its top 40 digits at a precision that makes the first 60
 * decimals exact.
 */
static int print_head(struct scry_printer *p, const struct int_view *v)
{
	uint64_t top = v->count < 40 ? v->count : 40;
	char text[DIGITS_HEAD + 2];
	mp_exp_t exponent;
	mpf_t f;
	mpz_t z;
	uint8_t byte;
	int rc = scry_read(p->runtime->session, v->digits, &byte, 1);

	mpz_init(z);
	if (rc == SCRY_OK)
		rc = import_digits(p->runtime, v, top, z);
	if (rc == SCRY_OK) {
		mpf_init2(f, 2048);
		mpf_set_z(f, z);
		mpf_mul_2exp(f, f, (v->count - top) * v->bits);
		mpf_get_str(text, &exponent, 10, DIGITS_HEAD, f);
		scry_printf(p, "%s%s… %ld more digits", v->negative ? "-" : "", text,
			    (long)exponent - (long)strlen(text));
		p->truncated = true;
		mpf_clear(f);
	}
	mpz_clear(z);
	return rc;
}

int scry_print_digits(struct scry_printer *p, scry_addr addr)
{
	struct int_view v;
	mpz_t z;
	int rc = open_long(p->runtime, addr, &v);

	rc = rc < 0 ? rc : check_room(p->runtime, &v);
	if (rc < 0)
		return rc;
	if (v.count * v.bits > DIGITS_SHOWN * 10 / 3)
		return print_head(p, &v);
	mpz_init(z);
	rc = import_digits(p->runtime, &v, v.count, z);
	if (rc == SCRY_OK) {
		if (v.negative)
			mpz_neg(z, z);
		scry_put_mpz(p->out, z);
	}
	mpz_clear(z);
	return rc;
}

static int print_int(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return scry_print_digits(p, addr);
}

static int print_long2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	int rc = scry_print_digits(p, addr);
	if (rc == SCRY_OK)
		scry_buf_putc(p->out, 'L');
	return rc;
}

static int print_int2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t value;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_OLD_INT_VALUE, &value);

	(void)type;
	if (rc == SCRY_OK)
		scry_printf(p, "%" PRId64, value);
	return rc;
}

/*
 * True and False are ints: since 3.0 with digits, in 2.7 with a C long (PyBoolObject is
 * PyIntObject).
 */
static int print_bool(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t value;
	int rc = scry_layout_has(p->runtime->layout, SCRY_F_OLD_INT_VALUE)
			 ? scry_field_read_int(p->runtime, addr, SCRY_F_OLD_INT_VALUE, &value)
			 : scry_int_value(p->runtime, addr, &value);

	(void)type;
	if (rc == SCRY_OK)
		scry_buf_puts(p->out, value ? "True" : "False");
	return rc;
}

static int print_none(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)addr;
	(void)type;
	scry_buf_puts(p->out, "None");
	return SCRY_OK;
}

static int print_ellipsis(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)addr;
	(void)type;
	scry_buf_puts(p->out, "Ellipsis");
	return SCRY_OK;
}

static int print_not_implemented(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)addr;
	(void)type;
	scry_buf_puts(p->out, "NotImplemented");
	return SCRY_OK;
}

int scry_double_at(struct scry_runtime *r, scry_addr addr, double *ret)
{
	uint64_t bits;
	int rc = scry_read_uint(r->session, addr, 8, &bits);

	if (rc == SCRY_OK)
		memcpy(ret, &bits, sizeof(*ret));
	return rc;
}

static int print_float(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	char text[64];
	double value;
	int rc = scry_double_at(p->runtime, scry_field_addr(p->runtime, addr, SCRY_F_FLOAT_VALUE),
				&value);

	(void)type;
	if (rc < 0)
		return rc;
	scry_format_double(value, true, text);
	scry_buf_puts(p->out, text);
	return SCRY_OK;
}

/* complex_repr(), Objects/complexobject.c, which leaves a real part of +0.0 out. */
static int print_complex(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	double real, imag;
	int rc = scry_double_at(p->runtime, scry_field_addr(p->runtime, addr, SCRY_F_COMPLEX_REAL),
				&real);

	(void)type;
	rc = rc < 0 ? rc
		    : scry_double_at(p->runtime,
				     scry_field_addr(p->runtime, addr, SCRY_F_COMPLEX_IMAG), &imag);
	if (rc < 0)
		return rc;
	scry_put_complex(p->out, real, imag, NULL);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_number[] = {
	{ "NoneType", 0, print_none },
	{ "bool", 0, print_bool },
	{ "int", TYPE_LONG, print_int, .since = SCRY_VERSION_OF(3, 0) },
	{ "int", TYPE_INT, print_int2, .until = SCRY_VERSION_OF(3, 0) },
	{ "long", TYPE_LONG, print_long2, .until = SCRY_VERSION_OF(3, 0) },
	{ "float", 0, print_float },
	{ "complex", 0, print_complex },
	{ "ellipsis", 0, print_ellipsis },
	{ "NotImplementedType", 0, print_not_implemented },
	{ NULL },
};
