/* Decimal and Fraction. */
#include "object/internal.h"

#include <stdlib.h>

#define DIGITS_MAX 20000
#define EXPONENT_MAX 2000000000000000000 /* twice what the library allows */

/* Modules/_decimal/libmpdec/mpdecimal.h */
enum { MPD_NEG = 1, MPD_INF = 2, MPD_NAN = 4, MPD_SNAN = 8 };

/* to-scientific-string of the specification: digits, and the exponent of the last of them */
static void put_decimal(struct scry_buf *out, const char *digits, int64_t exp)
{
	int64_t n = (int64_t)strlen(digits), adjusted = exp + n - 1;

	if (exp <= 0 && adjusted >= -6) {
		int64_t point = n + exp;

		if (exp == 0)
			scry_buf_puts(out, digits);
		else if (point > 0)
			scry_buf_printf(out, "%.*s.%s", (int)point, digits, digits + point);
		else
			scry_buf_printf(out, "0.%.*s%s", (int)-point, "000000", digits);
		return;
	}
	scry_buf_printf(out, "%c%s%sE%+" PRId64, digits[0], n > 1 ? "." : "", digits + 1, adjusted);
}

/* Words of radix 10**19, or 10**9 where words have 32 bits; the least significant first. */
static char *read_digits(struct scry_runtime *r, scry_addr data, uint64_t words, uint64_t digits)
{
	unsigned size = r->session->target->abi.ptr_size, per_word = size == 8 ? 19 : 9;
	struct scry_buf buf = SCRY_BUF_INIT;
	uint64_t word;

	if (digits > DIGITS_MAX || words > DIGITS_MAX / per_word + 1 || words == 0) {
		scry_fail(r->session, SCRY_ELIMIT, data, "Decimal with %" PRIu64 " digits", digits);
		return NULL;
	}
	for (uint64_t i = words; i-- > 0;) {
		if (scry_read_uint(r->session, data + i * size, size, &word) < 0) {
			scry_buf_done(&buf);
			return NULL;
		}
		if (i + 1 == words)
			scry_buf_printf(&buf, "%" PRIu64, word);
		else
			scry_buf_printf(&buf, "%0*" PRIu64, (int)per_word, word);
	}
	return buf.text;
}

static int print_decimal_c(struct scry_printer *p, scry_addr addr)
{
	struct scry_runtime *r = p->runtime;
	uint64_t flags, digits, len;
	int64_t exp;
	scry_addr data;
	int rc = scry_field_read(r, addr, SCRY_F_DECIMAL_FLAGS, &flags);

	rc = rc < 0 ? rc : scry_field_read_int(r, addr, SCRY_F_DECIMAL_EXP, &exp);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_DECIMAL_DIGITS, &digits);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_DECIMAL_LEN, &len);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_DECIMAL_DATA, &data);
	if (rc < 0)
		return rc;
	if (exp > EXPONENT_MAX || exp < -EXPONENT_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "Decimal with exponent %" PRId64, exp);
	const char *sign = flags & MPD_NEG ? "-" : "";
	if (flags & MPD_INF) {
		scry_printf(p, "Decimal('%sInfinity')", sign);
		return SCRY_OK;
	}
	bool nan = flags & (MPD_NAN | MPD_SNAN);
	char *text = nan && len == 0 ? NULL : read_digits(r, data, len, digits);
	if (!text && !nan)
		return r->session->error.code;
	scry_printf(p, "Decimal('%s", sign);
	if (nan)
		scry_printf(p, "%sNaN%s", flags & MPD_SNAN ? "s" : "", text ? text : "");
	else
		put_decimal(p->out, text, exp);
	scry_buf_puts(p->out, "')");
	free(text);
	return SCRY_OK;
}

/* Lib/_pydecimal.py, decimal.py up to 3.2: slots _sign, _int (text), _exp, _is_special */
static int print_decimal_python(struct scry_printer *p, scry_addr addr)
{
	struct scry_runtime *r = p->runtime;
	int64_t sign, exp;
	const char *digits = scry_attr_text(r, addr, "_int");
	int rc = scry_attr_int(r, addr, "_sign", &sign);

	if (rc < 0 || !digits)
		return rc < 0 ? rc : SCRY_ECORRUPT;
	scry_printf(p, "Decimal('%s", sign ? "-" : "");
	if (scry_attr_int(r, addr, "_exp", &exp) == SCRY_OK && exp <= EXPONENT_MAX && exp >= -EXPONENT_MAX) {
		put_decimal(p->out, *digits ? digits : "0", exp);
	} else {
		const char *kind = scry_attr_text(r, addr, "_exp");

		if (kind && *kind == 'F')
			scry_buf_puts(p->out, "Infinity");
		else
			scry_printf(p, "%sNaN%s", kind && *kind == 'N' ? "s" : "", digits);
	}
	scry_buf_puts(p->out, "')");
	return SCRY_OK;
}

/* A build without _decimal has the Python class, under the same name. */
static int print_decimal(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr value;
	bool python = scry_type_lookup(p->runtime, type, "_int", &value, NULL) == SCRY_OK;

	return python ? print_decimal_python(p, addr) : print_decimal_c(p, addr);
}

const struct scry_printer_row scry_printers_decimal[] = {
	{ "decimal.Decimal", 0, print_decimal },
	{ "fractions.Fraction", .form = "%C({_numerator}, {_denominator})" },
	{ NULL },
};
