/** UTF-8 and WTF-8 (UTF-8 that may hold lone surrogates) decoding. */
#ifndef SCRY_UTF8_H
#define SCRY_UTF8_H

#include <stddef.h>

#define SCRY_UTF8_BAD 0xfffdu

/**
 * The code point at text[*i], `*i` moved behind it. Surrogates come back as they are; a malformed,
 * overlong or cut sequence yields SCRY_UTF8_BAD and consumes one byte. `*i` must be < len.
 */
unsigned scry_utf8_next(const char *text, size_t len, size_t *i);

#endif
