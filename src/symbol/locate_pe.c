/*
 * Windows images that the user has here: --exe, below --sysroot (C:\\x as ROOT/x), in --search,
 * beside the dump.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "symbol/locate.h"
#include "symbol/pe.h"

static bool fits(struct scry_module *m, const char *path, const char **ret_problem)
{
	const char *why = NULL;
	int fd = scry_open_regular(path);

	if (fd < 0)
		return false;
	close(fd);
	if (scry_pe_file_matches(m, path, &why))
		return true;
	if (why)
		*ret_problem = scry_arena_printf(&m->session->arena, "%s: %s", path, why);
	return false;
}

/* The file of this name in a directory, whatever its case. */
static bool in_dir(struct scry_module *m, const char *dir, size_t len, char *path,
		   const char **ret_problem)
{
	bool found = false;

	snprintf(path, PATH_MAX, "%.*s", (int)len, len ? dir : ".");
	DIR *d = opendir(path);
	for (struct dirent *entry; d && !found && (entry = readdir(d));)
		if (!strcasecmp(entry->d_name, m->name) &&
		    snprintf(path, PATH_MAX, "%.*s/%s", (int)len, len ? dir : ".", entry->d_name) <
			    PATH_MAX)
			found = fits(m, path, ret_problem);
	if (d)
		closedir(d);
	return found;
}

static bool in_sysroot(struct scry_module *m, char *path, const char **ret_problem)
{
	const char *from = m->path, *sysroot = m->session->options.sysroot;

	if (!sysroot)
		return false;
	if (from[0] && from[1] == ':')
		from += 2;
	int n = snprintf(path, PATH_MAX, "%s%s", sysroot, from);
	for (char *p = path + strlen(sysroot); n < PATH_MAX && *p; p++)
		if (*p == '\\')
			*p = '/';
	return n < PATH_MAX && fits(m, path, ret_problem);
}

static bool in_search(struct scry_module *m, char *path, const char **ret_problem)
{
	const char *dir = m->session->options.search;

	for (; dir && *dir; dir += *dir == ':') {
		size_t len = strcspn(dir, ":");

		if (len && in_dir(m, dir, len, path, ret_problem))
			return true;
		dir += len;
	}
	return false;
}

const char *scry_locate_pe(struct scry_module *m, const char **ret_problem)
{
	const char *exe = m->session->options.exe, *dump = m->session->target->path;
	const char *slash = dump ? strrchr(dump, '/') : NULL, *problem = SCRY_MODULE_NO_FILE;
	char path[PATH_MAX];
	bool found = false;

	if (exe && m->is_main) {
		snprintf(path, sizeof(path), "%s", exe);
		found = fits(m, path, &problem);
	}
	found = found || in_sysroot(m, path, &problem) || in_search(m, path, &problem) ||
		(dump && in_dir(m, dump, slash ? (size_t)(slash - dump) : 0, path, &problem));
	if (found)
		return scry_arena_text(&m->session->arena, path, strlen(path));
	if (ret_problem)
		*ret_problem = problem;
	return NULL;
}
