/* Files of the target's that are no modules: its Python sources. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
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

/* Does the path begin with this? Windows takes both separators and does not tell cases apart. */
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

/* A relative name counts from where the process was; a core mostly lies there. */
static int open_here(const struct scry_target *t, const char *path)
{
	int fd = -1;

	if (path[0] != '/' && t->path && strrchr(t->path, '/'))
		fd = open_joined(t->path, (int)(strrchr(t->path, '/') - t->path), path);
	return fd >= 0 ? fd : scry_open_regular(path);
}

/* Wherever it may be, as seen from here. */
static int open_anywhere(struct scry_session *s, const char *path)
{
	int fd = open_mapped(s, path);

	if (s->target->abi.windows && path[0] && path[1] == ':')
		path += 2; /* the sysroot stands for every drive */
	if (fd < 0 && s->options.sysroot && path[0] == '/')
		fd = scry_open_in_root(s->options.sysroot, path);
	if (fd < 0)
		fd = open_of_process(s->target, path);
	if (fd >= 0 || s->target->abi.windows) { /* C:\x is no file here */
		errno = ENOENT;
		return fd;
	}
	return open_here(s->target, path);
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
