/* Decimal and Fraction. */
#include "object/printer.h"

#include <stdlib.h>

#define DIGITS_MAX   20000
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
	return scry_buf_take(&buf);
}

/*
 * dec_repr() by way of mpd_to_sci(). Flags say what is special; its digits then are those of a
 * NaN's payload.
 */
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
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "Decimal with exponent %" PRId64,
				 exp);
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
	if (scry_attr_int(r, addr, "_exp", &exp) == SCRY_OK && exp <= EXPONENT_MAX &&
	    exp >= -EXPONENT_MAX) {
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

/* --- contexts: Modules/_decimal/_decimal.c; the bits are those of libmpdec --- */

static const struct {
	uint32_t bit;
	const char *name;
} conditions[] = {
	{ 0x1, "Clamped" },
	{ 0x2, "InvalidOperation" },
	{ 0x4, "DivisionByZero" },
	{ 0x8, "InvalidOperation" },
	{ 0x10, "InvalidOperation" },
	{ 0x20, "InvalidOperation" },
	{ 0x40, "Inexact" },
	{ 0x80, "InvalidOperation" },
	{ 0x100, "InvalidOperation" },
	{ 0x200, "InvalidOperation" },
	{ 0x400, "FloatOperation" },
	{ 0x800, "Overflow" },
	{ 0x1000, "Rounded" },
	{ 0x2000, "Subnormal" },
	{ 0x4000, "Underflow" },
};

#define INVALID 0x3ba /* all that are InvalidOperation, which is written once */

static void put_signals(struct scry_buf *out, uint64_t bits)
{
	const char *between = "";
	bool invalid = false;

	scry_buf_putc(out, '[');
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		bool again = conditions[i].bit & INVALID && invalid;

		if (!(bits & conditions[i].bit) || again)
			continue;
		invalid |= conditions[i].bit & INVALID;
		scry_buf_printf(out, "%s%s", between, conditions[i].name);
		between = ", ";
	}
	scry_buf_putc(out, ']');
}

/*
 * context_repr(), Modules/_decimal/_decimal.c. Roundings in the order of mpdecimal.h, MPD_ROUND_UP
 * first.
 */
static int print_context_c(struct scry_printer *p, scry_addr addr)
{
	static const char *const roundings[] = { "ROUND_UP",        "ROUND_DOWN",
						 "ROUND_CEILING",   "ROUND_FLOOR",
						 "ROUND_HALF_UP",   "ROUND_HALF_DOWN",
						 "ROUND_HALF_EVEN", "ROUND_05UP",
						 "ROUND_TRUNC" };
	static const enum scry_field f[] = {
		SCRY_F_DECIMAL_CONTEXT_PREC,  SCRY_F_DECIMAL_CONTEXT_EMIN,
		SCRY_F_DECIMAL_CONTEXT_EMAX,  SCRY_F_DECIMAL_CONTEXT_CAPITALS,
		SCRY_F_DECIMAL_CONTEXT_CLAMP, SCRY_F_DECIMAL_CONTEXT_ROUND
	};
	uint64_t status, traps;
	int64_t v[6];
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DECIMAL_CONTEXT_STATUS, &status);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_DECIMAL_CONTEXT_TRAPS, &traps);
	for (int i = 0; i < 6 && rc == SCRY_OK; i++)
		rc = scry_field_read_int(p->runtime, addr, f[i], &v[i]);
	if (rc < 0)
		return rc;
	if (v[5] < 0 || (size_t)v[5] >= sizeof(roundings) / sizeof(roundings[0]))
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, addr,
				 "Context with rounding %" PRId64, v[5]);
	scry_printf(p,
		    "Context(prec=%" PRId64 ", rounding=%s, Emin=%" PRId64 ", Emax=%" PRId64
		    ", capitals=%" PRId64 ", clamp=%" PRId64 ", flags=",
		    v[0], roundings[v[5]], v[1], v[2], v[3], v[4]);
	put_signals(p->out, status);
	scry_buf_puts(p->out, ", traps=");
	put_signals(p->out, traps);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* The classes of a dict that are set, in its order. */
static void print_set_classes(struct scry_printer *p, scry_addr addr, const char *name)
{
	struct scry_dict_view v;
	scry_addr dict, key, value;
	uint64_t it = 0;
	const char *between = "";

	scry_printf(p, ", %s=[", name);
	if (scry_attr(p->runtime, addr, name, &dict) == SCRY_OK &&
	    scry_dict_open(p->runtime, dict, &v) == SCRY_OK)
		while (scry_dict_view_next(&v, &it, &key, &value) == SCRY_ITEM)
			if (scry_truth(p->runtime, value, false)) {
				scry_printf(p, "%s%s", between, scry_type_short(p->runtime, key));
				between = ", ";
			}
	scry_buf_putc(p->out, ']');
}

/* decimal.py of 2.7, and _pydecimal.py */
static int print_context_python(struct scry_printer *p, scry_addr addr)
{
	static const char *const names[] = {
		"prec", "rounding", "Emin", "Emax", "capitals", "clamp"
	};
	scry_addr v[6];
	unsigned n = scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT) ? 5 : 6;

	for (unsigned i = 0; i < n; i++) {
		int rc = scry_attr(p->runtime, addr, names[i], &v[i]);

		if (rc < 0)
			return rc;
	}
	scry_buf_puts(p->out, "Context(");
	for (unsigned i = 0; i < n; i++) {
		scry_printf(p, "%s%s=", i ? ", " : "", names[i]);
		scry_print_plain(p, v[i]);
	}
	print_set_classes(p, addr, "flags");
	print_set_classes(p, addr, "traps");
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

static int print_context(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr value;
	bool python =
		scry_type_lookup(p->runtime, type, "_set_integer_check", &value, NULL) == SCRY_OK ||
		scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT);

	return python ? print_context_python(p, addr) : print_context_c(p, addr);
}

/* context.flags, context.traps: the signals in the order of signal_map */
static int print_signal_dict(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const struct {
		const char *name;
		uint32_t bits;
	} signals[] = {
		{ "InvalidOperation", INVALID },
		{ "FloatOperation", 0x400 },
		{ "DivisionByZero", 0x4 },
		{ "Overflow", 0x800 },
		{ "Underflow", 0x4000 },
		{ "Subnormal", 0x2000 },
		{ "Inexact", 0x40 },
		{ "Rounded", 0x1000 },
		{ "Clamped", 0x1 },
	};
	scry_addr flags;
	uint64_t bits;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_SIGNAL_DICT_FLAGS, &flags);

	(void)type;
	/* `flags` points into the context: a uint32_t, either of its status or of its traps */
	rc = rc < 0 ? rc : scry_read_uint(p->runtime->session, flags, 4, &bits);
	for (size_t i = 0; rc == SCRY_OK && i < sizeof(signals) / sizeof(signals[0]); i++)
		scry_printf(p, "%s<class 'decimal.%s'>:%s", i ? ", " : "{", signals[i].name,
			    bits & signals[i].bits ? "True" : "False");
	if (rc == SCRY_OK)
		scry_buf_putc(p->out, '}');
	return rc;
}

const struct scry_printer_row scry_printers_decimal[] = {
	/* in 2.7 written in Python: by str() */
	{ "decimal.Decimal", 0, print_decimal, .until = SCRY_VERSION_OF(3, 0), .uses = "__str__" },
	{ "decimal.Decimal", 0, print_decimal },
	{ "decimal.Context", 0, print_context },
	{ "decimal.SignalDictMixin", 0, print_signal_dict },
	{ "fractions.Fraction", .form = "%C({_numerator}, {_denominator})",
	  .since = SCRY_VERSION_OF(3, 5) },
	{ "fractions.Fraction", .form = "Fraction({_numerator:s}, {_denominator:s})",
	  .until = SCRY_VERSION_OF(3, 5) },
	{ NULL },
};
