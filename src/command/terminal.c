/* Text that goes to a terminal: colours, escaping, counts. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "command/command.h"

const char *scry_style(const struct scry_call *call, enum scry_style style)
{
	static const char *const codes[] = {
		[SCRY_STYLE_OFF] = "\033[0m",   [SCRY_STYLE_FUNCTION] = "\033[1;33m",
		[SCRY_STYLE_FILE] = "\033[32m", [SCRY_STYLE_LINE] = "\033[34m",
		[SCRY_STYLE_NAME] = "\033[36m", [SCRY_STYLE_ERROR] = "\033[31m",
		[SCRY_STYLE_DIM] = "\033[2m",   [SCRY_STYLE_MARK] = "\033[1;35m",
	};

	return call->color ? codes[style] : "";
}

static bool unsafe(unsigned code)
{
	return code != '\t' && scry_utf8_is_unseen(code);
}

/* As Python's repr has it. */
static void put_escaped(struct scry_buf *out, unsigned code)
{
	scry_buf_printf(out,
			code < 0x100     ? "\\x%02x"
			: code < 0x10000 ? "\\u%04x"
					 : "\\U%08x",
			code);
}

void scry_put_safe_bytes(struct scry_buf *out, const char *text, size_t len)
{
	size_t plain = 0;

	for (size_t i = 0; i < len;) {
		size_t at = i;
		unsigned code = scry_utf8_next(text, len, &i);
		bool malformed = code == SCRY_UTF8_BAD && i - at == 1;

		if (!malformed && !unsafe(code))
			continue;
		scry_buf_put(out, text + plain, at - plain);
		put_escaped(out, malformed ? (unsigned char)text[at] : code);
		plain = i;
	}
	scry_buf_put(out, text + plain, len - plain);
}

void scry_put_safe(struct scry_buf *out, const char *text)
{
	scry_put_safe_bytes(out, text, strlen(text));
}

void scry_put_styled(struct scry_call *call, enum scry_style style, const char *text)
{
	scry_buf_puts(call->out, scry_style(call, style));
	scry_put_safe(call->out, text);
	scry_buf_puts(call->out, scry_style(call, SCRY_STYLE_OFF));
}

void scry_put_count(struct scry_buf *out, uint64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			scry_buf_putc(out, ',');
		scry_buf_putc(out, digits[i]);
	}
}

unsigned scry_char_width(unsigned code)
{
	/*
	 * Unicode's East Asian wide blocks and emoji, coarsely; combining marks and joiners take no
	 * column
	 */
	static const struct {
		unsigned first, last, width;
	} ranges[] = {
		{ 0x0300, 0x036f, 0 },   { 0x1100, 0x115f, 2 },   { 0x200b, 0x200f, 0 },
		{ 0x20d0, 0x20ff, 0 },   { 0x2e80, 0x303e, 2 },   { 0x3041, 0xa4cf, 2 },
		{ 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },
		{ 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 }, { 0x1f900, 0x1f9ff, 2 },
		{ 0x20000, 0x3fffd, 2 },
	};

	if (unsafe(code)) /* it is shown as its escape */
		return code < 0x100 ? 4 : code < 0x10000 ? 6 : 10;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return ranges[i].width;
	return 1;
}
