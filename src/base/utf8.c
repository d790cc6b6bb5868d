#include "base/utf8.h"

unsigned scry_utf8_next(const char *text, size_t len, size_t *i)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text + *i;
	unsigned n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
	unsigned code = n < 2 ? *p : *p & (0xffu >> (n + 1));

	if (n == 0 || n > len - *i)
		goto bad;
	for (unsigned k = 1; k < n; k++) {
		if ((p[k] & 0xc0) != 0x80)
			goto bad;
		code = code << 6 | (p[k] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff)
		goto bad;
	*i += n;
	return code;
bad:
	++*i;
	return SCRY_UTF8_BAD;
}
