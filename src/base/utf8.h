/** Decoding of UTF-8 and WTF-8 (UTF-8 that may have lone surrogates). */
#ifndef SCRY_UTF8_H
#define SCRY_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define SCRY_UTF8_BAD 0xfffdu

/**
 * The code point at text[*i]; moves `*i` past it. Surrogates are returned as they are; a malformed,
 * overlong or cut sequence yields SCRY_UTF8_BAD and consumes one byte. `*i` must be < len.
 */
unsigned scry_utf8_next(const char *text, size_t len, size_t *i);

/**
 * Must the character not reach a terminal or a reader as it is, because it controls the terminal,
 * makes a line look different from what it is, or cannot be seen? Controls (tab too), lone
 * surrogates, formats (bidirectional, zero-width, tags), line and paragraph separators, fillers,
 * and noncharacters.
 */
bool scry_utf8_is_unseen(unsigned code);

#endif
