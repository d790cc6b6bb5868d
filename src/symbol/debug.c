/*
 * Separate debug files: by build id below each debug directory, by .gnu_debuglink, by debuginfod.
 */
#include <elf.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/archive.h"
#include "symbol/list.h"
#include "symbol/locate.h"

#define DEBUG_DIR "/usr/lib/debug"

/* Is it the module's debug file? It carries the module's build id; its segments say nothing. */
static bool take(struct scry_module *m, int fd, const char *path, struct scry_located *ret)
{
	struct scry_elf e;

	if (fd < 0)
		return false;
	if (scry_elf_open(m->session, fd, &e) != SCRY_OK) {
		close(fd);
		return false;
	}
	if (m->build_id && !strcmp(m->build_id, e.build_id)) {
		*ret = (struct scry_located) {
			e, scry_arena_text(&m->session->arena, path, strlen(path)), true
		};
		return true;
	}
	scry_elf_close(&e);
	return false;
}

/* `root` is "" for our own files. */
static bool try_in(struct scry_module *m, const char *root, const char *fmt, const char *a,
		   const char *b, struct scry_located *ret)
{
	char path[PATH_MAX], whole[PATH_MAX];
	int n = snprintf(path, sizeof(path), fmt, a, b);

	if (n < 0 || n >= (int)sizeof(path) ||
	    snprintf(whole, sizeof(whole), "%s%s", root, path) >= (int)sizeof(whole))
		return false;
	return take(m, *root ? scry_open_in_root(root, path) : scry_open_regular(path), whole, ret);
}

static bool by_build_id(struct scry_module *m, const char *root, struct scry_located *ret)
{
	char id[160];

	if (!m->build_id || strlen(m->build_id) < 4)
		return false;
	snprintf(id, sizeof(id), "%.2s/%s.debug", m->build_id, m->build_id + 2);
	return try_in(m, root, DEBUG_DIR "/.build-id/%s%s", id, "", ret);
}

/*
 * .gnu_debuglink: a file name, padding, a CRC. The build id identifies the right file, so the
 * CRC is not needed.
 */
static bool by_link(struct scry_module *m, const char *root, const char *link,
		    struct scry_located *ret)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(m->path, '/');

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - m->path) : 0, m->path);
	return try_in(m, root, "%s/%s", dir, link, ret) ||
	       try_in(m, root, "%s/.debug/%s", dir, link, ret) ||
	       try_in(m, root, DEBUG_DIR "%s/%s", dir, link, ret);
}

static const char *debug_link(const struct scry_elf *file)
{
	struct scry_elf_section section;

	if (!file || !scry_elf_section_find(file, ".gnu_debuglink", &section))
		return NULL;
	const char *name = (const char *)scry_elf_section_data(file, &section);
	return name && memchr(name, 0, section.size) && *name && !strchr(name, '/') ? name : NULL;
}

static bool in_search_dirs(struct scry_module *m, const char *link, struct scry_located *ret)
{
	const char *dir = m->session->options.search;
	char root[PATH_MAX], id[160] = "";

	if (m->build_id && strlen(m->build_id) >= 4)
		snprintf(id, sizeof(id), "%.2s/%s", m->build_id, m->build_id + 2);
	for (; dir && *dir; dir += *dir == ':') {
		int len = (int)strcspn(dir, ":");

		snprintf(root, sizeof(root), "%.*s", len, dir);
		dir += len;
		if (!len)
			continue;
		if ((*id && (try_in(m, "", "%s/.build-id/%s.debug", root, id, ret) ||
			     try_in(m, "", "%s/%s.debug", root, id, ret))) ||
		    (link && try_in(m, "", "%s/%s", root, link, ret)) ||
		    try_in(m, "", "%s/%s.debug", root, m->name, ret))
			return true;
	}
	return false;
}

/*
 * Fedora's ".gnu_debugdata": the static functions' symbols, as an ELF file packed by xz. It has no
 * build id.
 */
static bool in_debugdata(struct scry_module *m, const struct scry_elf *file,
			 struct scry_located *ret)
{
	struct scry_elf_section section;
	const uint8_t *data = NULL;

	if (scry_elf_section_find(file, ".gnu_debugdata", &section))
		data = scry_elf_section_data(file, &section);
	int fd = data ? scry_archive_unpack(data, (size_t)section.size) : -1;
	if (fd < 0)
		return false;
	if (scry_elf_open(m->session, fd, &ret->elf) != SCRY_OK) {
		close(fd);
		return false;
	}
	ret->path = m->file;
	ret->verified = true;
	return true;
}

int scry_locate_debug(struct scry_module *m, const struct scry_elf *file, struct scry_located *ret)
{
	const struct scry_target *t = m->session->target;
	const char *sysroot = m->session->options.sysroot, *link = debug_link(file), *path;
	char proc[64];
	bool trusted = !m->session->options.untrusted;
	const char *roots[] = { sysroot, trusted && scry_target_is_here(t) ? proc : NULL,
				trusted ? "" : NULL };

	if (!m->build_id)
		return SCRY_ENOTFOUND;
	snprintf(proc, sizeof(proc), "/proc/%" PRId64 "/root", t->pid);
	if (in_search_dirs(m, link, ret))
		return SCRY_OK;
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (roots[i] &&
		    (by_build_id(m, roots[i], ret) || (link && by_link(m, roots[i], link, ret))))
			return SCRY_OK;
	int fd = trusted && scry_module_is_python(m) ? scry_debuginfod_open(m, true, &path) : -1;
	if (fd >= 0 && take(m, fd, path, ret))
		return SCRY_OK;
	return file && in_debugdata(m, file, ret) ? SCRY_OK : SCRY_ENOTFOUND;
}

/*
 * --- debuginfod: libdwfl asks the servers (it loads libdebuginfod itself) for a module with a
 * given build id ---
 */

static int no_elf(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base, char **file,
		  Elf **elf)
{
	(void)mod;
	(void)user;
	(void)name;
	(void)base;
	(void)file;
	(void)elf;
	return -1;
}

static Dwfl_Module *report(Dwfl *dwfl, const struct scry_module *m)
{
	unsigned char id[64];
	size_t len = strlen(m->build_id) / 2;

	for (size_t i = 0; i < len && i < sizeof(id); i++)
		if (sscanf(m->build_id + 2 * i, "%2hhx", &id[i]) != 1)
			return NULL;
	dwfl_report_begin(dwfl);
	Dwfl_Module *mod = dwfl_report_module(dwfl, m->name, m->start, m->end);
	if (mod && len <= sizeof(id) && dwfl_module_report_build_id(mod, id, len, 0))
		mod = NULL;
	dwfl_report_end(dwfl, NULL, NULL);
	return mod;
}

/* The file in debuginfod's cache. */
static const char *path_of(struct scry_session *s, int fd)
{
	char link[64], path[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path));
	return n > 0 ? scry_arena_text(&s->arena, path, (size_t)n) : "debuginfod";
}

int scry_debuginfod_open(struct scry_module *m, bool debug, const char **ret_path)
{
	const Dwfl_Callbacks callbacks = { .find_elf = no_elf,
					   .find_debuginfo = dwfl_standard_find_debuginfo };
	const char *urls = getenv("DEBUGINFOD_URLS");
	char *name = NULL;
	Elf *elf = NULL;
	void **user = NULL;
	int fd = -1;

	if (!m->session->options.debuginfod || !urls || !*urls || !m->build_id)
		return -1;
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *mod = dwfl ? report(dwfl, m) : NULL;
	if (mod && debug)
		fd = dwfl_standard_find_debuginfo(mod, user, m->name, m->start, NULL, NULL, 0,
						  &name);
	else if (mod)
		fd = dwfl_build_id_find_elf(mod, user, m->name, m->start, &name, &elf);
	*ret_path = name ? scry_arena_text(&m->session->arena, name, strlen(name))
			 : path_of(m->session, fd);
	elf_end(elf);
	free(name);
	if (dwfl)
		dwfl_end(dwfl);
	return fd;
}
