/*
 * Source lines. Files are cut into lines as bytes, and only the lines that are shown are decoded.
 */
#include "symbol/source.h"

#include <ctype.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "symbol/list.h"
#include "target/procfs.h"

#define MAX_FILE   (64u << 20)
#define MAX_CACHED (256u << 20) /* bytes of all files together; beyond, the cache starts anew */
#define STRIDE     32           /* every so many lines one offset is remembered */
#define MAX_CODING 64

struct scry_source_file {
	struct scry_source_file *next;
	char *file;
	char *text;      /* NULL: not found */
	int64_t written; /* st_mtime */
	bool misfits;    /* some of it is not what ran */
	size_t len;
	bool has_cr;     /* some line may end with \r */
	uint32_t *index; /* offsets of lines 0, STRIDE, 2*STRIDE ... */
	size_t marks, lines;
	char coding[MAX_CODING]; /* "": UTF-8 */
};

static void source_free(struct scry_source_file *source)
{
	free(source->file);
	free(source->text);
	free(source->index);
	free(source);
}

void scry_sources_close(struct scry_session *s)
{
	while (s->sources) {
		struct scry_source_file *next = s->sources->next;

		source_free(s->sources);
		s->sources = next;
	}
}

/* To the end, whatever stat() says: a file may grow or shrink meanwhile. */
static void read_text(struct scry_source_file *source, int fd)
{
	size_t room = 0;

	while (source->len < MAX_FILE) {
		if (source->len == room) {
			char *text = realloc(source->text, room ? room * 2 : 65536);

			if (!text)
				break;
			source->text = text;
			room = room ? room * 2 : 65536;
		}
		size_t want = room - source->len;
		if (want > MAX_FILE - source->len)
			want = MAX_FILE - source->len;
		ssize_t n = read(fd, source->text + source->len, want);
		if (n <= 0)
			break;
		source->len += (size_t)n;
	}
}

/*
 * The end of the line that begins at `at`; *ret_next is the next line's begin. \n, \r\n and \r all
 * end a line.
 */
static size_t line_end(const struct scry_source_file *source, size_t at, size_t *ret_next)
{
	const char *text = source->text;
	size_t len = source->len;
	const char *end = source->has_cr ? NULL : memchr(text + at, '\n', len - at);

	if (!source->has_cr)
		at = end ? (size_t)(end - text) : len;
	while (at < len && text[at] != '\n' && text[at] != '\r')
		at++;
	*ret_next = at + (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1);
	return at;
}

static bool make_index(struct scry_source_file *source)
{
	size_t room = 0, at = 0;

	for (; at < source->len; source->lines++) {
		if (source->lines % STRIDE == 0) {
			if (source->marks == room) {
				room = room ? room * 2 : 64;
				uint32_t *index = reallocarray(source->index, room, sizeof(*index));
				if (!index)
					return false;
				source->index = index;
			}
			source->index[source->marks++] = (uint32_t)at;
		}
		line_end(source, at, &at);
	}
	return true;
}

/*
 * PEP 263: a comment with "coding[:=]\s*([-\w.]+)" on line 1, or on line 2 where line 1 is blank or
 * a comment.
 */
static bool find_coding(const char *line, size_t len, char *ret)
{
	size_t i = 0, n = 0;

	while (i < len && strchr(" \t\f", line[i]))
		i++;
	if (i == len || line[i] != '#')
		return false;
	const char *word = memmem(line + i, len - i, "coding", 6);
	while (word) {
		size_t rest = len - (size_t)(word - line);

		if (rest > 6 && (word[6] == ':' || word[6] == '='))
			break;
		word = memmem(word + 6, rest - 6, "coding", 6);
	}
	if (!word)
		return false;
	for (i = (size_t)(word - line) + 7; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
		;
	for (; i < len && n + 1 < MAX_CODING &&
	       (isalnum((unsigned char)line[i]) || strchr("-_.", line[i]));
	     i++)
		ret[n++] = (char)tolower((unsigned char)line[i]);
	ret[n] = 0;
	return n > 0;
}

static bool is_blank(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\f", line[i]))
		i++;
	return i == len || line[i] == '#';
}

/* Python's names that iconv does not know; "_" and "-" are the same to Python. */
static const char *const iconv_names[][2] = {
	{ "latin-1", "ISO-8859-1" },
	{ "latin1", "ISO-8859-1" },
	{ "l1", "ISO-8859-1" },
	{ "iso-8859-1", "ISO-8859-1" },
	{ "iso8859-1", "ISO-8859-1" },
	{ "8859", "ISO-8859-1" },
	{ "latin-9", "ISO-8859-15" },
	{ "mac-roman", "MACINTOSH" },
	{ "macroman", "MACINTOSH" },
	{ "mac-cyrillic", "MAC-CYRILLIC" },
	{ "shift-jis", "SHIFT_JIS" },
	{ "sjis", "SHIFT_JIS" },
	{ "utf-8", "" },
	{ "utf8", "" },
	{ "u8", "" },
	{ "utf-8-sig", "" },
	{ "utf-8-unix", "" },
	{ "utf", "" },
	{ "ascii", "" },
	{ "us-ascii", "" },
};

static void set_coding(struct scry_source_file *source, const char *name)
{
	char plain[MAX_CODING];
	size_t n = 0;

	for (; name[n] && n + 1 < sizeof(plain); n++)
		plain[n] = name[n] == '_' ? '-' : name[n];
	plain[n] = 0;
	for (size_t i = 0; i < sizeof(iconv_names) / sizeof(*iconv_names); i++) {
		if (strcmp(plain, iconv_names[i][0]))
			continue;
		strcpy(source->coding, iconv_names[i][1]);
		return;
	}
	strcpy(source->coding, plain);
}

static void read_coding(struct scry_source_file *source)
{
	char name[MAX_CODING];
	size_t second = 0, third = 0;

	if (source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3)) {
		source->len -= 3;
		memmove(source->text, source->text + 3, source->len);
		return;
	}
	size_t end = source->len ? line_end(source, 0, &second) : 0;
	bool found = find_coding(source->text, end, name);
	if (!found && second < source->len && is_blank(source->text, end))
		found = find_coding(source->text + second,
				    line_end(source, second, &third) - second, name);
	if (found)
		set_coding(source, name);
}

static struct scry_source_file *load(struct scry_session *s, const char *file)
{
	struct scry_source_file *source = calloc(1, sizeof(*source));

	if (!source || !(source->file = strdup(file))) {
		free(source);
		return NULL;
	}
	int fd = scry_target_open_file(s, file);
	if (fd >= 0) {
		struct stat st;

		source->written = fstat(fd, &st) ? 0 : st.st_mtime;
		read_text(source, fd);
		close(fd);
	}
	if (source->text) {
		source->has_cr = memchr(source->text, '\r', source->len);
		read_coding(source);
		if (!make_index(source))
			source->lines = 0;
	}
	return source;
}

static struct scry_source_file *find(struct scry_session *s, const char *file)
{
	size_t cached = 0;

	for (struct scry_source_file **at = &s->sources; *at; at = &(*at)->next) {
		struct scry_source_file *source = *at;

		cached += source->len;
		if (strcmp(source->file, file))
			continue;
		*at = source->next; /* to the front: stacks stay in few files */
		source->next = s->sources;
		return s->sources = source;
	}
	if (cached > MAX_CACHED)
		scry_sources_close(s);
	struct scry_source_file *source = load(s, file);
	if (!source)
		return NULL;
	source->next = s->sources;
	return s->sources = source;
}

/* ISO-8859-1 without iconv's tables, which a small container may lack. */
static void put_latin1(struct scry_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		scry_buf_put_char(out, (unsigned char)text[i]);
}

static void put_utf8(struct scry_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;)
		scry_buf_put_char(out, scry_utf8_next(text, len, &i));
}

/* What cannot be decoded becomes U+FFFD. */
static void put_iconv(struct scry_buf *out, const char *coding, char *text, size_t len)
{
	iconv_t cd = iconv_open("UTF-8", coding);

	if (cd == (iconv_t)-1) {
		put_utf8(out, text, len);
		return;
	}
	while (len) {
		char chunk[1024], *to = chunk;
		size_t room = sizeof(chunk), before = len;
		size_t rc = iconv(cd, &text, &len, &to, &room);

		scry_buf_put(out, chunk, sizeof(chunk) - room);
		if (rc != (size_t)-1 || (len < before && room < sizeof(chunk)))
			continue;
		scry_buf_put_char(out, SCRY_UTF8_BAD);
		text++;
		len--;
	}
	iconv_close(cd);
}

/* Whole characters within the limit. */
static size_t cut(const char *text, size_t len)
{
	if (len <= SCRY_SOURCE_LINE_MAX)
		return len;
	len = SCRY_SOURCE_LINE_MAX;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static int give(struct scry_session *s, struct scry_buf *b, const char **ret_text, size_t *ret_len)
{
	size_t len = cut(b->text, b->len);
	const char *text = b->failed ? NULL : scry_arena_text(&s->arena, b->text, len);

	scry_buf_done(b);
	if (!text)
		return SCRY_ENOMEM;
	*ret_text = text;
	*ret_len = len;
	return SCRY_OK;
}

/* Where a line begins; false where there is none. */
static bool find_line(const struct scry_source_file *source, int line, size_t *ret)
{
	if (!source || line < 1 || (size_t)line > source->lines)
		return false;
	size_t index = (size_t)line - 1;
	*ret = source->index[index / STRIDE];
	for (size_t i = 0; i < index % STRIDE; i++)
		line_end(source, *ret, ret);
	return true;
}

int scry_source_bytes(struct scry_session *s, const char *file, int line, const char **ret_text,
		      size_t *ret_len)
{
	struct scry_source_file *source = find(s, file);
	size_t at;

	if (!find_line(source, line, &at))
		return SCRY_ENOTFOUND;
	*ret_text = source->text + at;
	*ret_len = source->len - at;
	return SCRY_OK;
}

/* A file system's dates may be whole seconds, and a process begins before it reads its files. */
#define DATE_SLACK 1

bool scry_source_misfits(struct scry_session *s, const char *file)
{
	struct scry_source_file *source = find(s, file);
	bool first = source && !source->misfits;

	if (source)
		source->misfits = true;
	return first;
}

const char *scry_source_doubt(struct scry_session *s, const char *file)
{
	struct scry_source_file *source = find(s, file);
	struct scry_target *t = s->target;

	if (!source || !source->written)
		return NULL;
	if (source->misfits)
		return "not the one that ran";
	if (!t->began)
		t->began = t->started               ? t->started
			   : scry_target_is_here(t) ? scry_procfs_started((int)t->pid)
						    : 0;
	if (t->began && source->written > t->began + DATE_SLACK)
		return "newer than the process";
	int64_t taken = t->taken ? t->taken : t->file_written;
	return taken && source->written > taken + DATE_SLACK ? "newer than the dump" : NULL;
}

int scry_source_line(struct scry_session *s, const char *file, int line, const char **ret_text,
		     size_t *ret_len)
{
	struct scry_source_file *source = line > 0 ? find(s, file) : NULL;
	struct scry_buf b = SCRY_BUF_INIT;
	size_t next = 0, at;

	if (!find_line(source, line, &at))
		return SCRY_ENOTFOUND;
	size_t len = line_end(source, at, &next) - at;
	if (len > 2 * SCRY_SOURCE_LINE_MAX)
		len = 2 * SCRY_SOURCE_LINE_MAX;
	if (!source->coding[0])
		put_utf8(&b, source->text + at, len);
	else if (!strcmp(source->coding, "ISO-8859-1"))
		put_latin1(&b, source->text + at, len);
	else
		put_iconv(&b, source->coding, source->text + at, len);
	return give(s, &b, ret_text, ret_len);
}
