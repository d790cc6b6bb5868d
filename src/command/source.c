/* Lines of the target's source files, as UTF-8. */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "command/command.h"

#define MAX_FILE (64u << 20)
#define MAX_LINE (1u << 20)

struct scry_source_file {
	struct scry_source_file *next;
	const char *path, *problem; /* problem: why there is no text */
	char encoding[48];          /* as the file declares it; "" is UTF-8 */
	char *text;
	size_t len;
	uint32_t *line; /* where each line begins */
	uint32_t count;
	const char **decoded; /* by line, NULL: not yet */
};

static const char *read_file(struct scry_session *s, struct scry_source_file *f)
{
	int fd = scry_target_open_file(s, f->path);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return "the file is not here";
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE) {
		close(fd);
		return "it is no regular file of a sensible size";
	}
	f->text = scry_arena_alloc(&s->arena, (size_t)st.st_size + 1);
	while (f->text && f->len < (size_t)st.st_size &&
	       (n = read(fd, f->text + f->len, (size_t)st.st_size - f->len)) > 0)
		f->len += (size_t)n;
	close(fd);
	return f->text ? NULL : "out of memory";
}

/* The end of the line that begins at `i`, without its \n, \r\n or \r; *ret_next: where the next one begins. */
static size_t line_end(const struct scry_source_file *f, size_t i, size_t *ret_next)
{
	while (i < f->len && f->text[i] != '\n' && f->text[i] != '\r')
		i++;
	*ret_next = i + (i < f->len) + (i + 1 < f->len && f->text[i] == '\r' && f->text[i + 1] == '\n');
	return i;
}

static const char *index_lines(struct scry_session *s, struct scry_source_file *f)
{
	size_t count = 0, next;

	for (size_t i = 0; i < f->len; i = next, count++)
		line_end(f, i, &next);
	f->line = scry_arena_alloc(&s->arena, (count + 1) * sizeof(*f->line));
	f->decoded = scry_arena_alloc(&s->arena, (count + 1) * sizeof(*f->decoded));
	if (!f->line || !f->decoded)
		return "out of memory";
	for (size_t i = 0; i < f->len; i = next) {
		f->line[f->count++] = (uint32_t)i;
		line_end(f, i, &next);
	}
	return NULL;
}

/* PEP 263: a comment in one of the first two lines; a byte order mark means UTF-8. */
static void find_encoding(struct scry_source_file *f)
{
	regex_t re;
	regmatch_t match[2];
	size_t next;

	if (f->len >= 3 && !memcmp(f->text, "\xef\xbb\xbf", 3)) {
		f->line[0] = f->count ? 3 : 0;
		return;
	}
	if (regcomp(&re, "^[ \t\f]*#.*coding[:=][ \t]*([-_.a-zA-Z0-9]+)", REG_EXTENDED))
		return;
	for (uint32_t i = 0; i < f->count && i < 2 && !*f->encoding; i++) {
		char line[256];
		size_t len = line_end(f, f->line[i], &next) - f->line[i];

		len = len < sizeof(line) ? len : sizeof(line) - 1;
		memcpy(line, f->text + f->line[i], len);
		line[len] = 0;
		if (!regexec(&re, line, 2, match, 0) &&
		    (size_t)(match[1].rm_eo - match[1].rm_so) < sizeof(f->encoding))
			memcpy(f->encoding, line + match[1].rm_so, (size_t)(match[1].rm_eo - match[1].rm_so));
	}
	regfree(&re);
	if (!strncasecmp(f->encoding, "utf-8", 5) || !strncasecmp(f->encoding, "utf8", 4))
		*f->encoding = 0;
}

static struct scry_source_file *find_file(struct scry_session *s, const char *path)
{
	struct scry_source_file *f;

	for (f = s->source_files; f; f = f->next)
		if (f->path == path || !strcmp(f->path, path))
			return f;
	f = scry_arena_alloc(&s->arena, sizeof(*f));
	if (!f)
		return NULL;
	f->path = scry_arena_text(&s->arena, path, strlen(path));
	if (!f->path)
		return NULL;
	f->problem = *path == '<' ? "it was compiled from a string" : read_file(s, f);
	if (!f->problem)
		f->problem = index_lines(s, f);
	if (!f->problem)
		find_encoding(f);
	f->next = s->source_files;
	return s->source_files = f;
}

static bool is_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t at = i;

		if (scry_utf8_next(text, len, &i) == SCRY_UTF8_BAD && i - at == 1)
			return false;
	}
	return true;
}

static const char *latin1(struct scry_session *s, const char *text, size_t len)
{
	struct scry_buf b = SCRY_BUF_INIT;
	const char *copy;

	for (size_t i = 0; i < len; i++)
		scry_buf_put_char(&b, (unsigned char)text[i]);
	copy = b.text ? scry_arena_text(&s->arena, b.text, b.len) : "";
	scry_buf_done(&b);
	return copy;
}

/* NULL where iconv knows no such encoding or the bytes are not of it. */
static const char *converted(struct scry_session *s, const char *encoding, char *text, size_t len)
{
	size_t room = len * 4 + 8, left = room;
	iconv_t cd = iconv_open("UTF-8", encoding);
	char *out, *to;

	if (cd == (iconv_t)-1)
		return NULL;
	out = to = scry_arena_alloc(&s->arena, room + 1);
	if (out && iconv(cd, &text, &len, &to, &left) == (size_t)-1)
		out = NULL;
	iconv_close(cd);
	return out;
}

static const char *decode(struct scry_session *s, const struct scry_source_file *f, char *text, size_t len)
{
	const char *line = NULL;

	if (len > MAX_LINE)
		len = MAX_LINE;
	if (*f->encoding)
		line = converted(s, f->encoding, text, len);
	if (!line && is_utf8(text, len))
		line = scry_arena_text(&s->arena, text, len);
	return line ? line : latin1(s, text, len);
}

const char *scry_source_line(struct scry_session *s, const char *path, int line, const char **ret_problem)
{
	struct scry_source_file *f = line > 0 ? find_file(s, path) : NULL;
	const char *problem = f ? f->problem : "its line is not known";

	if (f && !problem && (uint32_t)line > f->count)
		problem = "the file has fewer lines: it is another version";
	if (problem) {
		if (ret_problem)
			*ret_problem = problem;
		return NULL;
	}
	const char **slot = &f->decoded[line - 1];
	if (!*slot) {
		size_t next, begin = f->line[line - 1], end = line_end(f, begin, &next);

		*slot = decode(s, f, f->text + begin, end - begin);
	}
	return *slot;
}
