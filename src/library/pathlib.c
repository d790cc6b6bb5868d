/* pathlib: "PosixPath('/a/b')", always with slashes. */
#include "object/printer.h"

#include <stdlib.h>
#include <strings.h>

/* of hostile lists: real paths have a dozen */
#define PARTS_MAX 1000
#define PART_MAX  5000

/*
 * --- Windows: Lib/ntpath.py, splitroot() and join(); `sep` is a backslash, slashes were replaced
 * before ---
 */

struct split {
	char *drive, *root, *rest;
};

static void split_done(struct split *s)
{
	free(s->drive);
	free(s->root);
	free(s->rest);
}

/* Lengths of drive and root. */
static void split_lengths(const char *path, size_t *drive, size_t *root)
{
	*drive = *root = 0;
	if (path[0] == '\\' && path[1] == '\\') {
		const char *first =
			strchr(path + (!strncasecmp(path, "\\\\?\\UNC\\", 8) ? 8 : 2), '\\');
		const char *second = first ? strchr(first + 1, '\\') : NULL;

		*drive = second ? (size_t)(second - path) : strlen(path);
		*root = second != NULL;
	} else if (path[0] == '\\') {
		*root = 1;
	} else if (path[0] && path[1] == ':') {
		*drive = 2;
		*root = path[2] == '\\';
	}
}

static bool split_path(const char *path, struct split *ret)
{
	size_t drive, root;

	split_lengths(path, &drive, &root);
	ret->drive = strndup(path, drive);
	ret->root = strndup(path + drive, root);
	ret->rest = strdup(path + drive + root);
	return ret->drive && ret->root && ret->rest;
}

/*
 * What follows an absolute part, or one on another drive, starts anew. As ntpath.join() does, but
 * with the results of splitroot() at hand: "C:a" and "c:b" are on one drive, whatever the case.
 */
static bool append_split(struct split *all, struct split *next)
{
	bool other = *next->drive && strcasecmp(next->drive, all->drive);
	size_t n = strlen(all->rest);
	char *text = NULL;

	if (*next->root || other) {
		if (*next->drive || !*all->drive) {
			free(all->drive);
			all->drive = strdup(next->drive);
		}
		free(all->root);
		all->root = strdup(next->root);
		text = strdup(next->rest);
	} else if ((text = malloc(n + strlen(next->rest) + 2))) {
		memcpy(text, all->rest, n);
		if (n && all->rest[n - 1] != '\\')
			text[n++] = '\\';
		strcpy(text + n, next->rest);
		if (*next->drive) {
			free(all->drive);
			all->drive = strdup(next->drive);
		}
	}
	free(all->rest);
	all->rest = text;
	return all->drive && all->root && all->rest;
}

static unsigned count_of(const char *text, char c)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

/* A share needs a root after it: pathlib's _parse_path(). */
static bool is_share(const char *drive)
{
	unsigned n = count_of(drive, '\\');

	if (drive[0] != '\\' || drive[strlen(drive) - 1] == '\\')
		return false;
	return n == 5 || (n == 3 && !((drive[2] == '?' || drive[2] == '.') && drive[3] == '\\'));
}

/* "a\\.\\b" without empty parts and dots */
static void put_rest(struct scry_buf *out, const char *rest, char sep, bool alone)
{
	size_t start = out->len;

	while (*rest) {
		const char *end = strchr(rest, sep);
		size_t n = end ? (size_t)(end - rest) : strlen(rest);

		if (n && !(n == 1 && *rest == '.')) {
			if (out->len > start)
				scry_buf_putc(out, sep);
			else if (alone && n >= 2 && sep == '\\' && rest[1] == ':')
				scry_buf_puts(out, ".\\"); /* else it would read as a drive */
			scry_buf_put(out, rest, n);
		}
		rest += n + (end != NULL);
	}
}

/*
 * From 3.12 on a path keeps what the constructor got and joins it when it is asked: we do what
 * would be done then.
 */
static bool path_of_windows(char **parts, uint64_t n, struct scry_buf *out)
{
	struct split all = { 0 };
	bool ok = true;

	for (uint64_t i = 0; ok && i < n; i++) {
		struct split next = { 0 };

		for (char *c = parts[i]; *c; c++)
			*c = *c == '/' ? '\\' : *c;
		ok = split_path(parts[i], i ? &next : &all) && (!i || append_split(&all, &next));
		split_done(&next);
	}
	if (ok && n) {
		scry_buf_puts(out, all.drive);
		scry_buf_puts(out,
			      !*all.root && *all.drive && is_share(all.drive) ? "\\" : all.root);
		put_rest(out, all.rest, '\\', !*all.drive && !*all.root);
	}
	split_done(&all);
	return ok;
}

/* --- POSIX: an absolute part drops what was before; exactly two slashes are kept --- */

static bool path_of_posix(char **parts, uint64_t n, struct scry_buf *out)
{
	uint64_t first = 0;
	size_t slashes = 0;

	for (uint64_t i = 0; i < n; i++)
		if (*parts[i] == '/')
			first = i;
	if (n)
		slashes = strspn(parts[first], "/");
	scry_buf_puts(out, slashes == 0 ? "" : slashes == 2 ? "//" : "/");
	size_t start = out->len;
	for (uint64_t i = first; i < n; i++) {
		size_t at = out->len;

		if (at > start)
			scry_buf_putc(out, '/');
		put_rest(out, parts[i], '/', false);
		if (at > start && out->len == at + 1)
			scry_buf_cut(out, at);
	}
	return true;
}

/* 3.12+: _raw_paths, a list of what the constructor got */
static bool path_from_raw(struct scry_runtime *r, scry_addr addr, bool windows,
			  struct scry_buf *out)
{
	scry_addr list, items, part;
	uint64_t n, got = 0;
	const char *text;

	if (scry_attr(r, addr, "_raw_paths", &list) < 0 || scry_sequence(r, list, &n, &items) < 0 ||
	    n > PARTS_MAX)
		return false;
	char **parts = calloc(n + 1, sizeof(*parts));
	while (parts && got < n &&
	       scry_word(r, items + got * r->session->target->abi.ptr_size, &part) == SCRY_OK &&
	       scry_text_at(r, part, PART_MAX, &text) == SCRY_OK && (parts[got] = strdup(text)))
		got++;
	bool ok = parts && got == n && (windows ? path_of_windows : path_of_posix)(parts, n, out);
	while (got)
		free(parts[--got]);
	free(parts);
	return ok;
}

/* up to 3.11: drive, root, and parts of which the first is drive and root again */
static bool path_from_parts(struct scry_runtime *r, scry_addr addr, struct scry_buf *out)
{
	const char *drive = scry_attr_text(r, addr, "_drv"),
		   *root = scry_attr_text(r, addr, "_root"), *text;
	scry_addr list, items, part;
	uint64_t n;

	if (!drive || !root || scry_attr(r, addr, "_parts", &list) < 0 ||
	    scry_sequence(r, list, &n, &items) < 0 || n > PARTS_MAX)
		return false;
	bool anchored = *drive || *root;
	scry_buf_puts(out, drive);
	scry_buf_puts(out, root);
	for (uint64_t i = anchored; i < n; i++) {
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &part) < 0 ||
		    scry_text_at(r, part, PART_MAX, &text) < 0)
			return false;
		if (i > anchored)
			scry_buf_putc(out, '/');
		scry_buf_puts(out, text);
	}
	return true;
}

/*
 * PurePath.__repr__(): the class and as_posix(), which has slashes on Windows too. What str() has
 * computed once is kept in `_str`, and needs no joining.
 */
static int print_path(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_buf text = SCRY_BUF_INIT;
	bool windows = scry_type_derives(p->runtime, type, "pathlib.PureWindowsPath") ||
		       scry_type_derives(p->runtime, type, "pathlib._local.PureWindowsPath");
	const char *known = scry_attr_text(p->runtime, addr, "_str");

	if (scry_has_own_str(p->runtime, type, "pathlib"))
		return scry_print_unknown(p, addr, type);
	if (known)
		scry_buf_puts(&text, known);
	else if (!path_from_raw(p->runtime, addr, windows, &text) &&
		 !path_from_parts(p->runtime, addr, &text)) {
		scry_buf_done(&text);
		return scry_print_unknown(p, addr, type);
	}
	/* no parts at all are the current directory */
	if (!text.len)
		scry_buf_putc(&text, '.');
	for (size_t i = 0; windows && i < text.len; i++)
		if (text.text[i] == '\\')
			text.text[i] = '/';
	scry_printf(p, "%s(", scry_type_short(p->runtime, type));
	scry_print_quoted(p, text.text);
	scry_buf_putc(p->out, ')');
	scry_buf_done(&text);
	return SCRY_OK;
}

/* "<PosixPath.parents>": up to 3.12 they know the class, then the path */
static int print_parents(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr cls, path;
	int rc = scry_attr(p->runtime, addr, "_pathcls", &cls);

	(void)type;
	if (rc < 0) {
		rc = scry_attr(p->runtime, addr, "_path", &path);
		rc = rc < 0 ? rc : scry_type_of(p->runtime, path, &cls);
	}
	if (rc == SCRY_OK)
		scry_printf(p, "<%s.parents>", scry_type_short(p->runtime, cls));
	return rc;
}

const struct scry_printer_row scry_printers_path[] = {
	{ "pathlib.PurePath", 0, print_path, .uses = "as_posix __str__" },
	{ "pathlib._local.PurePath", 0, print_path, .uses = "as_posix __str__" },
	{ "pathlib._PathParents", 0, print_parents },
	{ "pathlib._local._PathParents", 0, print_parents },
	{ NULL },
};
