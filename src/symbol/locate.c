/*
 * Where files are looked for. Every candidate is checked against the target, so a wild guess costs
 * only an open().
 */
#include "symbol/locate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/list.h"
#include "symbol/match.h"

#define MAX_SCRIPTS 4    /* scripts whose interpreter is a script */
#define MAX_SCANNED 4096 /* files of a search directory that are opened for their build ids */

struct search {
	struct scry_session *s;
	struct scry_module *m;
	struct scry_located *ret;
	const char *problem;      /* of the first file that was there and did not fit */
	struct scry_located user; /* the user's executable, which does not fit */
	const char *user_problem;
};

/* Does the open file fit? Then it is taken. */
static bool try_fd(struct search *q, int fd, const char *path)
{
	struct scry_elf e;
	const char *why = "not an ELF file";

	if (fd < 0)
		return false;
	if (scry_elf_open(q->s, fd, &e) == SCRY_OK) {
		if (scry_match(q->m, &e, &why)) {
			path = scry_arena_text(&q->s->arena, path, strlen(path));
			*q->ret = (struct scry_located) { e, path, true };
			return true;
		}
		scry_elf_close(&e);
	} else {
		close(fd);
	}
	if (!q->problem)
		q->problem = strcmp(path, q->m->path)
				     ? scry_arena_printf(&q->s->arena, "%s: %s", path, why)
				     : scry_arena_text(&q->s->arena, why, strlen(why));
	return false;
}

static bool try_path(struct search *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool try_path(struct search *q, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return n > 0 && n < (int)sizeof(path) && try_fd(q, scry_open_regular(path), path);
}

static bool try_in_root(struct search *q, const char *root, const char *path)
{
	char whole[PATH_MAX];
	size_t len = strlen(root);

	while (len && root[len - 1] == '/')
		len--;
	int n = snprintf(whole, sizeof(whole), "%.*s%s", (int)len, root, path);
	return n > 0 && n < (int)sizeof(whole) && try_fd(q, scry_open_in_root(root, path), whole);
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * "#!INTERPRETER [ARG]" at the head of a script; env(1) is followed by the name it looks up in
 * PATH.
 */
static bool script_interpreter(int fd, char *ret, size_t size)
{
	char line[256], *save = NULL;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = 0;
	line[strcspn(line, "\r\n")] = 0;
	char *word = strtok_r(line + 2, " \t", &save);
	if (!word)
		return false;
	snprintf(ret, size, "%s", word);
	if (strcmp(last_component(word), "env"))
		return true;
	while ((word = strtok_r(NULL, " \t", &save)) && (*word == '-' || strchr(word, '=')))
		;
	const char *path = getenv("PATH");
	while (word && path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(ret, size, "%.*s/%s", (int)len, path, word);
		if (!access(ret, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* Open the user's executable, through scripts to an ELF file. */
static int open_exe(struct scry_session *s, char *path, size_t size, bool *ret_script)
{
	int fd = -1;

	snprintf(path, size, "%s", s->options.exe);
	*ret_script = false;
	for (unsigned i = 0; i <= MAX_SCRIPTS; i++) {
		fd = scry_open_regular(path);
		if (fd < 0 || !script_interpreter(fd, path, size))
			return fd;
		*ret_script = true;
		close(fd);
	}
	return -1;
}

static bool is_exe_named(const struct search *q)
{
	const char *exe = q->s->options.exe;

	return exe && (q->m->is_main || !strcmp(last_component(exe), q->m->name));
}

/* What the user gave is kept even where it does not fit, unless something better turns up. */
static bool try_user_exe(struct search *q)
{
	char path[PATH_MAX];
	bool script;
	struct scry_elf e;

	if (!is_exe_named(q))
		return false;
	int fd = open_exe(q->s, path, sizeof(path), &script);
	if (fd < 0) {
		if (q->m->is_main)
			scry_note(q->s, "cannot open %s: %s", path, strerror(errno));
		return false;
	}
	int again = q->m->is_main && !script ? dup(fd) : -1;
	if (try_fd(q, fd, path)) {
		if (again >= 0)
			close(again);
		return true;
	}
	if (again >= 0 && scry_elf_open(q->s, again, &e) == SCRY_OK) {
		q->user = (struct scry_located) { e,
						  scry_arena_text(&q->s->arena, path, strlen(path)),
						  false };
		q->user_problem = q->problem;
		return false;
	}
	if (again >= 0)
		close(again);
	return false;
}

static bool try_build_id_dir(struct search *q, const char *dir, int len, const char *suffix)
{
	const char *id = q->m->build_id;

	if (!id)
		return false;
	return try_path(q, "%.*s/.build-id/%.2s/%s%s", len, dir, id, id + 2, suffix) ||
	       try_path(q, "%.*s/%.2s/%s%s", len, dir, id, id + 2, suffix) ||
	       try_path(q, "%.*s/%s%s", len, dir, id, suffix);
}

/* A file whose name was changed: look at the build ids of all in the directory. */
static bool scan_dir(struct search *q, const char *dir, int len)
{
	char path[PATH_MAX];
	const char *problem = q->problem;
	bool found = false;
	unsigned count = 0;

	snprintf(path, sizeof(path), "%.*s", len, dir);
	DIR *d = q->m->build_id ? opendir(path) : NULL;
	for (struct dirent *entry; d && !found && (entry = readdir(d)) && count < MAX_SCANNED;
	     count++)
		if (entry->d_type != DT_DIR)
			found = try_path(q, "%.*s/%s", len, dir, entry->d_name);
	if (d)
		closedir(d);
	q->problem = problem; /* a stranger is not a problem */
	return found;
}

/* Each directory of the search path, in turn. */
static bool try_search(struct search *q, bool (*try)(struct search *q, const char *dir, int len))
{
	const char *dir = q->s->options.search;

	while (dir && *dir) {
		int len = (int)strcspn(dir, ":");

		if (len && try(q, dir, len))
			return true;
		dir += len + (dir[len] == ':');
	}
	return false;
}

static bool try_search_dir(struct search *q, const char *dir, int len)
{
	return try_build_id_dir(q, dir, len, "") || try_path(q, "%.*s/%s", len, dir, q->m->name) ||
	       (q->m->path[0] == '/' && try_path(q, "%.*s%s", len, dir, q->m->path));
}

/* The same file as seen from here has the nicer name. */
static bool is_same_file(int64_t pid, const char *path)
{
	char other[PATH_MAX];
	struct stat a, b;

	snprintf(other, sizeof(other), "/proc/%" PRId64 "/root%s", pid, path);
	return !stat(path, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool try_process(struct search *q)
{
	struct scry_target *t = q->s->target;
	const struct scry_map *map = scry_map_at(t, q->m->start);
	char root[64];

	if (!scry_target_is_here(t))
		return false;
	snprintf(root, sizeof(root), "/proc/%" PRId64 "/root", t->pid);
	if (is_same_file(t->pid, q->m->path) ? try_path(q, "%s", q->m->path)
					     : try_in_root(q, root, q->m->path))
		return true;
	if (map && try_path(q, "/proc/%" PRId64 "/map_files/%" PRIx64 "-%" PRIx64, t->pid,
			    map->start, map->end))
		return true;
	return q->m->is_main && try_path(q, "/proc/%" PRId64 "/exe", t->pid);
}

/*
 * The whole installation was moved: what the user's executable and its old path end with in common
 * stays.
 */
static bool try_moved(struct search *q)
{
	const char *from = q->s->target->exe, *to = q->s->options.exe;

	if (!from || !to || q->m->is_main)
		return false;
	size_t i = strlen(from), j = strlen(to), keep_i = i, keep_j = j;
	while (i && j && from[i - 1] == to[j - 1]) {
		i--;
		j--;
		if (from[i] == '/') {
			keep_i = i;
			keep_j = j;
		}
	}
	if (!keep_i || keep_i == strlen(from) || strncmp(q->m->path, from, keep_i))
		return false;
	return try_path(q, "%.*s%s", (int)keep_j, to, q->m->path + keep_i);
}

/* Beside the dump, where people who send cores put the binaries. */
static bool try_beside(struct search *q)
{
	const char *dump = q->s->target->path;

	if (!dump)
		return false;
	int len = (int)(last_component(dump) - dump);
	return try_path(q, "%.*s%s", len, dump, q->m->name);
}

static bool try_debuginfod(struct search *q)
{
	const char *path;
	int fd = scry_debuginfod_open(q->m, false, &path);

	return fd >= 0 && try_fd(q, fd, path);
}

/* Where the target says that it is, or this system's files of that build id are. */
static bool try_named(struct search *q)
{
	return try_process(q) || (q->m->path[0] == '/' && try_path(q, "%s", q->m->path)) ||
	       try_moved(q) || try_beside(q) || try_build_id_dir(q, "/usr/lib/debug", 14, "") ||
	       try_build_id_dir(q, "/usr/lib", 8, "");
}

static bool search_all(struct search *q)
{
	const char *sysroot = q->s->options.sysroot;
	bool trusted = !q->s->options.untrusted;

	return try_user_exe(q) || (sysroot && try_in_root(q, sysroot, q->m->path)) ||
	       try_search(q, try_search_dir) || (trusted && try_named(q)) ||
	       try_search(q, scan_dir) || (trusted && try_debuginfod(q));
}

int scry_locate(struct scry_module *m, struct scry_located *ret, const char **ret_problem)
{
	struct search q = { m->session, m, ret, NULL, { .elf.fd = -1 }, NULL };

	if (search_all(&q)) {
		scry_elf_close(&q.user.elf);
		if (q.user_problem) {
			scry_warn(q.s, "%s; using %s", q.user_problem, ret->path);
			*ret_problem = q.user_problem;
		}
		return SCRY_OK;
	}
	if (q.user.elf.data) {
		scry_note(q.s, "%s", q.user_problem);
		*ret_problem = q.user_problem;
		*ret = q.user;
		return SCRY_OK;
	}
	if (q.problem && scry_module_is_python(m))
		scry_warn(q.s, "no file for %s: %s", m->path, q.problem);
	*ret_problem = q.problem ? q.problem : SCRY_MODULE_NO_FILE;
	return SCRY_ENOTFOUND;
}

static int open_named(const char *sysroot, const char *name, char *path, size_t size)
{
	int fd = -1;

	if (sysroot && snprintf(path, size, "%s%s", sysroot, name) < (int)size)
		fd = scry_open_in_root(sysroot, name);
	if (fd >= 0)
		return fd;
	snprintf(path, size, "%s", name);
	return fd;
}

int scry_locate_exe(struct scry_session *s, struct scry_elf *ret, const char **ret_path)
{
	char path[PATH_MAX];
	const char *exe = s->target->exe;
	bool script;
	int fd = -1;

	if (s->options.exe)
		fd = open_exe(s, path, sizeof(path), &script);
	else if (exe && exe[0] == '/')
		fd = open_named(s->options.sysroot, exe, path, sizeof(path));
	if (fd < 0 && !s->options.exe && exe && exe[0] == '/' && !s->options.untrusted)
		fd = scry_open_regular(path);
	if (fd < 0)
		return SCRY_ENOTFOUND;
	int rc = scry_elf_open(s, fd, ret);
	if (rc != SCRY_OK)
		close(fd);
	else
		*ret_path = scry_arena_text(&s->arena, path, strlen(path));
	return rc;
}

const char *scry_module_locate(struct scry_session *s, const struct scry_module *m,
			       const char **ret_problem)
{
	struct scry_module probe = *m;
	struct scry_located found;
	const char *problem = NULL;

	if (s->target->abi.windows)
		return scry_locate_pe(&probe, ret_problem);
	int rc = scry_locate(&probe, &found, &problem);
	if (problem && ret_problem)
		*ret_problem = problem;
	if (rc != SCRY_OK)
		return NULL;
	scry_elf_close(&found.elf);
	return found.path;
}
