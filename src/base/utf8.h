/** UTF-8 and WTF-8 (UTF-8 that may hold lone surrogates) decoding. */
#ifndef SCRY_UTF8_H
#define SCRY_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define SCRY_UTF8_BAD 0xfffdu

/**
 * The code point at text[*i], `*i` moved after it. Surrogates come back as they are; a malformed,
 * overlong or cut sequence yields SCRY_UTF8_BAD and consumes one byte. `*i` must be < len.
 */
unsigned scry_utf8_next(const char *text, size_t len, size_t *i);

/**
 * Characters that are not to reach a terminal or a reader as they are: they drive it, or make a
 * line read otherwise than it is, or cannot be seen. Controls (tab too), lone surrogates, formats
 * (bidirectional, zero-width, tags), line and paragraph separators, fillers, and noncharacters.
 */
bool scry_utf8_is_unseen(unsigned code);

#endif
