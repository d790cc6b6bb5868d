/* Floats and complex numbers as text. */
#include "object/printer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the shortest text that reads back as the same value, of those the nearest --- */

/*
 * Below a power of two the doubles lie closer than above: there the nearest text may fail and the
 * next one up fit.
 */
static bool next_up(char *digits, int n, const int *exponent, double value)
{
	char text[48];
	int i = n;

	while (i-- > 0 && digits[i] == '9')
		digits[i] = '0';
	if (i < 0)
		return false;
	digits[i]++;
	snprintf(text, sizeof(text), "%c.%.*se%d", digits[0], n - 1, digits + 1, *exponent);
	return strtod(text, NULL) == value;
}

/* Does the text read back as the same number of that width? A half has 11 bits of precision. */
static bool reads_back(const char *text, double value, unsigned width)
{
	int exponent;

	if (width == 8)
		return strtod(text, NULL) == value;
	if (width == 4)
		return strtof(text, NULL) == (float)value;
	frexp(value, &exponent);
	return fabs(strtod(text, NULL) - value) <
	       ldexp(0.5, (exponent < -13 ? -13 : exponent) - 11);
}

/* value > 0 and finite: digits d.ddd * 10^exponent */
static int shortest(double value, unsigned width, char digits[20], int *exponent)
{
	char text[40];

	for (int n = 1; n <= 17; n++) {
		snprintf(text, sizeof(text), "%.*e", n - 1, value);
		const char *e = strchr(text, 'e');
		int k = 0;

		for (const char *c = text; c < e; c++)
			if (*c >= '0' && *c <= '9')
				digits[k++] = *c;
		digits[k] = '\0';
		*exponent = atoi(e + 1);
		if (reads_back(text, value, width) ||
		    (width == 8 && n > 14 && n < 17 && next_up(digits, n, exponent, value)))
			return n;
	}
	return 17;
}

/*
 * Python/pystrtod.c looks at the digits' exponent, numpy at the number: the float32 that is nearest
 * to 1e-4 lies below it.
 */
static bool has_exponent(double value, int exponent, const struct scry_float_form *form)
{
	return form ? value < 1e-4 || value >= form->fixed_below : exponent < -4 || exponent >= 16;
}

void scry_format_float(double value, const struct scry_float_form *form, bool dot0, char out[64])
{
	const char *sign = signbit(value) ? "-" : "";
	char digits[20];
	int exponent, n;

	if (isnan(value) || isinf(value)) {
		snprintf(out, 64, "%s", isnan(value) ? "nan" : *sign ? "-inf" : "inf");
		return;
	}
	if (value == 0) {
		snprintf(out, 64, "%s0%s", sign, dot0 ? ".0" : "");
		return;
	}
	n = shortest(fabs(value), form ? form->width : 8, digits, &exponent);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	if (has_exponent(fabs(value), exponent, form))
		snprintf(out, 64, "%s%c%s%se%c%02d", sign, digits[0], n > 1 ? "." : "", digits + 1,
			 exponent < 0 ? '-' : '+', abs(exponent));
	else if (exponent < 0)
		snprintf(out, 64, "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
	else if (n > exponent + 1)
		snprintf(out, 64, "%s%.*s.%s", sign, exponent + 1, digits, digits + exponent + 1);
	else
		snprintf(out, 64, "%s%s%.*s%s", sign, digits, exponent + 1 - n, "0000000000000000",
			 dot0 ? ".0" : "");
}

void scry_format_double(double value, bool dot0, char out[64])
{
	scry_format_float(value, NULL, dot0, out);
}

static double half_value(uint64_t bits)
{
	int exponent = bits >> 10 & 31;
	double mantissa = (double)(bits & 0x3ff), value;

	if (exponent == 31)
		value = mantissa ? NAN : INFINITY;
	else
		value = exponent ? ldexp(mantissa + 1024, exponent - 25) : ldexp(mantissa, -24);
	return bits >> 15 & 1 ? -value : value;
}

double scry_float_of_bits(uint64_t bits, unsigned size)
{
	double value;
	float narrow;
	uint32_t low = (uint32_t)bits;

	if (size == 2)
		return half_value(bits);
	memcpy(&narrow, &low, 4);
	memcpy(&value, &bits, 8);
	return size == 4 ? (double)narrow : value;
}

static bool is_imaginary(double real)
{
	return real == 0 && !signbit(real);
}

void scry_put_bare_complex(struct scry_buf *out, double real, double imag,
			   const struct scry_float_form *form)
{
	bool alone = is_imaginary(real);
	char text[64];

	if (!alone) {
		scry_format_float(real, form, false, text);
		scry_buf_puts(out, text);
	}
	scry_format_float(imag, form, false, text);
	scry_buf_printf(out, "%s%sj", !alone && text[0] != '-' ? "+" : "", text);
}

void scry_put_complex(struct scry_buf *out, double real, double imag,
		      const struct scry_float_form *form)
{
	scry_buf_puts(out, is_imaginary(real) ? "" : "(");
	scry_put_bare_complex(out, real, imag, form);
	scry_buf_puts(out, is_imaginary(real) ? "" : ")");
}
