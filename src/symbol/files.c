/* Files of the target's that are not modules: its Python sources. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/archive.h"
#include "symbol/list.h"
#include "symbol/locate.h"

/*
 * Python decodes names that are not UTF-8 with lone surrogates (PEP 383, U+DC80..U+DCFF), which our
 * text keeps in their three-byte form: back to the bytes of the file system.
 */
static bool to_bytes(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (const uint8_t *p = (const uint8_t *)text; *p; n++) {
		if (n + 1 >= size)
			return false;
		if (p[0] == 0xed && (p[1] == 0xb2 || p[1] == 0xb3) && (p[2] & 0xc0) == 0x80) {
			ret[n] = (char)(0x80 | (p[1] & 1) << 6 | (p[2] & 0x3f));
			p += 3;
		} else {
			ret[n] = (char)*p++;
		}
	}
	ret[n] = 0;
	return n > 0;
}

static int open_joined(const char *dir, int len, const char *path)
{
	char whole[PATH_MAX];

	if (snprintf(whole, sizeof(whole), "%.*s/%s", len, dir, path) >= (int)sizeof(whole))
		return -1;
	return scry_open_regular(whole);
}

/* Does the path begin with this? Windows takes both separators and ignores case. */
static bool begins(const char *path, const char *with, size_t len, bool windows)
{
	if (!windows)
		return !strncmp(path, with, len);
	for (size_t i = 0; i < len; i++)
		if (tolower((unsigned char)path[i]) !=
		    (with[i] == '\\' ? '/' : tolower((unsigned char)with[i])))
			return false;
	return true;
}

static int open_mapped(struct scry_session *s, const char *path)
{
	for (struct scry_source_map *map = s->options.source_maps; map; map = map->next) {
		size_t len = strlen(map->from);
		char whole[PATH_MAX];

		if (!begins(path, map->from, len, s->target->abi.windows) ||
		    snprintf(whole, sizeof(whole), "%s%s", map->to, path + len) >=
			    (int)sizeof(whole))
			continue;
		int fd = scry_open_regular(whole);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

#define ENVIRONMENT_MAX 65536 /* bytes of it that are searched */

/*
 * Where a dump's process was started, by PWD of its environment: fs/exec.c and fs/binfmt_elf.c of
 * Linux copy the name of the program to the top of the stack, and the environment's strings below.
 */
static bool started_in(struct scry_session *s, char *ret, size_t size)
{
	const struct scry_target *t = s->target;
	const struct scry_map *map = t->execfn ? scry_map_at(s->target, t->execfn) : NULL;
	char *text = map ? malloc(ENVIRONMENT_MAX + 1) : NULL;
	bool found = false;

	if (!text)
		return false;
	size_t len =
		t->execfn - map->start < ENVIRONMENT_MAX ? t->execfn - map->start : ENVIRONMENT_MAX;
	len = scry_read_some(s, t->execfn - len, text, len);
	text[len] = 0;
	/*
	 * the first string is cut, or is not one; the last one of this name counts: arguments come
	 * first
	 */
	for (size_t at = strlen(text) + 1; at < len; at += strlen(text + at) + 1)
		if (!strncmp(text + at, "PWD=/", 5))
			found = snprintf(ret, size, "%s", text + at + 4) < (int)size;
	free(text);
	return found;
}

/* A process here: its root, or its current directory. */
static int open_of_process(const struct scry_target *t, const char *path)
{
	char dir[64];

	if (!scry_target_is_here(t))
		return -1;
	snprintf(dir, sizeof(dir), "/proc/%" PRId64 "/%s", t->pid, path[0] == '/' ? "root" : "cwd");
	return path[0] == '/' ? scry_open_in_root(dir, path)
			      : open_joined(dir, (int)strlen(dir), path);
}

/*
 * A dump of a program that is not here is another system's, and so are its files: one here that has
 * the same name is not the target's. It is said loudly where there is one.
 */
static bool root_is_another(struct scry_session *s, const char *path)
{
	const struct scry_target *t = s->target;

	if (!t->path || !t->exe || t->exe[0] != '/' || s->options.exe || !access(t->exe, F_OK))
		return false;
	/* who named a root has said where the files are: what it lacks need not be reported */
	if (!s->options.sysroot && path[0] == '/' && !access(path, F_OK))
		scry_warn(s,
			  "sources are left out: %s is not here, so that files of the same names "
			  "may be another system's; --sysroot or --source-map tell where they are",
			  t->exe);
	else
		scry_remark(s,
			    "%s is not here, so files of the target are not taken from this "
			    "system; --sysroot or --source-map tell where they are",
			    t->exe);
	return true;
}

/* As the target names it. The reader's own directory means nothing to the target. */
static int open_here(struct scry_session *s, const char *path)
{
	if (s->options.untrusted || path[0] != '/' || root_is_another(s, path))
		return -1;
	return scry_open_regular(path);
}

/* Wherever it may be, as seen from here. */
static int open_anywhere(struct scry_session *s, const char *path)
{
	char dir[PATH_MAX], whole[2 * PATH_MAX];
	int fd = open_mapped(s, path);

	if (s->target->abi.windows && path[0] && path[1] == ':')
		path += 2; /* the sysroot stands for every drive */
	if (fd < 0 && path[0] != '/' && !scry_target_is_here(s->target) &&
	    started_in(s, dir, sizeof(dir))) {
		snprintf(whole, sizeof(whole), "%s/%s", dir, path);
		path = whole;
		fd = open_mapped(s, path);
	}
	if (fd < 0 && s->options.sysroot && path[0] == '/')
		fd = scry_open_in_root(s->options.sysroot, path);
	if (fd < 0 && !s->options.untrusted)
		fd = open_of_process(s->target, path);
	if (fd >= 0 || s->target->abi.windows) { /* C:\x is not a file here */
		errno = ENOENT;
		return fd;
	}
	fd = open_here(s, path);
	if (fd < 0 && errno != ENOTDIR)
		errno = ENOENT;
	return fd;
}

/* "/path/app.pyz/package/module.py": some leading part of the path is a zip file. */
static int open_in_archive(struct scry_session *s, char *path)
{
	for (size_t at = strlen(path); at-- > 1;) {
		if (path[at] != '/')
			continue;
		path[at] = 0;
		int archive = open_anywhere(s, path);
		path[at] = '/';
		if (archive < 0)
			continue;
		int fd = scry_archive_member(archive, path + at + 1);
		close(archive);
		return fd;
	}
	return -1;
}

int scry_target_open_file(struct scry_session *s, const char *path)
{
	char bytes[PATH_MAX];

	if (!s->target || !to_bytes(path, bytes, sizeof(bytes)) || bytes[0] == '<') /* "<string>" */
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no such file: %s", path);
	for (char *p = bytes; s->target->abi.windows && *p; p++)
		*p = *p == '\\' ? '/' : *p;
	int fd = open_anywhere(s, bytes);
	if (fd >= 0)
		return fd;
	int error = errno;
	fd = error == ENOTDIR ? open_in_archive(s, bytes) : -1;
	if (fd < 0)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "cannot open %s: %s", path, strerror(error));
	return fd;
}
