/**
 * A text that grows. `text` is never NULL and always NUL-terminated: an empty buffer's is "", which
 * must not be written to or freed. After a failed allocation the buffer stays as it was, `failed`
 * is set and further appends do nothing: check once, at the end.
 */
#ifndef SCRY_BUF_H
#define SCRY_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * A text that grows. SCRY_BUF_INIT is an empty one; `text` is never NULL and ends with a NUL that
 * `len` does not count. `failed` stays set once memory has run out: nothing is appended then.
 */
struct scry_buf {
	char *text;
	size_t len, cap;
	bool failed;
	/** Takes a long text piece by piece; NULL: all of it stays here. */
	void (*sink)(void *arg, const char *text, size_t len);
	void *sink_arg;
};

/** The text of every empty buffer. */
extern const char scry_buf_empty[1];

#define SCRY_BUF_INIT                                           \
	{                                                       \
		(char *)scry_buf_empty, 0, 0, false, NULL, NULL \
	}

/** Calls done(&variable) when the variable goes out of scope, in whichever way. */
#define SCRY_AUTO(done) __attribute__((cleanup(done)))
/** An empty buffer for the rest of the block, which frees itself. */
#define SCRY_AUTO_BUF(name) SCRY_AUTO(scry_buf_done) struct scry_buf name = SCRY_BUF_INIT

/** Free what the buffer holds and make it empty; the struct itself is the caller's. */
void scry_buf_done(struct scry_buf *b);
/**
 * Hand over the text, which the caller frees; the buffer is empty then. NULL where it was empty, or
 * memory ran out.
 */
char *scry_buf_take(struct scry_buf *b);
/** Cut to `len` bytes; does nothing when the text is shorter. */
void scry_buf_cut(struct scry_buf *b, size_t len);
/**
 * Hand the text to the sink once there is much of it. To be called where nobody will cut it or look
 * back at it any more.
 */
void scry_buf_spill(struct scry_buf *b);
/** Append bytes, a text, a character. */
void scry_buf_put(struct scry_buf *b, const void *data, size_t len);
void scry_buf_puts(struct scry_buf *b, const char *text);
void scry_buf_putc(struct scry_buf *b, char c);
/** Append a code point as UTF-8; a surrogate becomes its three-byte (WTF-8) form. */
void scry_buf_put_char(struct scry_buf *b, unsigned code);
void scry_buf_printf(struct scry_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void scry_buf_vprintf(struct scry_buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#endif
