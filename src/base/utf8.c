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

bool scry_utf8_is_unseen(unsigned code)
{
	/*
	 * Unicode 16's categories Cc, Cf, Cs, Zl and Zp, the fillers of Hangul and Khmer, the
	 * Mongolian selectors, the grapheme joiner, and all of the planes' ends and of the tags'
	 * block
	 */
	static const struct {
		unsigned first, last;
	} ranges[] = {
		{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },
		{ 0x034f, 0x034f },   { 0x0600, 0x0605 },   { 0x061c, 0x061c },
		{ 0x06dd, 0x06dd },   { 0x070f, 0x070f },   { 0x0890, 0x0891 },
		{ 0x08e2, 0x08e2 },   { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xd800, 0xdfff },
		{ 0xfdd0, 0xfdef },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
		{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};

	if ((code & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges) && code >= ranges[i].first; i++)
		if (code <= ranges[i].last)
			return true;
	return false;
}
