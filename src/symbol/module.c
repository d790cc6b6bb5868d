/* The list of modules, and questions to whatever source of symbols each of them has. */
#include "symbol/module.h"

#include <stdio.h>
#include <string.h>

#include "symbol/dwarf.h"
#include "symbol/elf.h"
#include "symbol/list.h"
#include "symbol/locate.h"
#include "symbol/nm.h"
#include "symbol/pe.h"
#include "symbol/source.h"

/*
 * Both separators, for Windows' paths are read here too; no Linux library has a backslash in its
 * name.
 */
static const char *last_component(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/' || *path == '\\')
			name = path + 1;
	return name;
}

struct scry_module *scry_module_add(struct scry_session *s, const char *path, scry_addr start,
				    scry_addr end)
{
	static const char mark[] = " (deleted)";
	size_t len = strlen(path), mark_len = sizeof(mark) - 1;
	struct scry_module *m = scry_arena_alloc(&s->arena, sizeof(*m)), **at = &s->modules;
	struct scry_module *last = s->modules_last;

	if (len > mark_len && !strcmp(path + len - mark_len, mark))
		len -= mark_len;
	char *copy = scry_arena_text(&s->arena, path, len);
	if (!m || !copy)
		return NULL;
	m->session = s;
	m->path = copy;
	m->name = last_component(copy);
	m->start = start;
	m->end = end;
	if (last && last->start <= start) /* mostly they come in order */
		at = &last->next;
	while (*at && (*at)->start <= start)
		at = &(*at)->next;
	m->next = *at;
	*at = m;
	s->modules_last = m;
	return m;
}

bool scry_is_build_id(const char *id)
{
	return id[strspn(id, "0")] != 0;
}

/*
 * The image in memory is the truth of where segments are and which build it is; the file is looked
 * for by that.
 */
struct scry_module *scry_module_add_image(struct scry_session *s, const char *path,
					  const struct scry_elf *e)
{
	uint64_t low, high;
	struct scry_elf *image = scry_arena_alloc(&s->arena, sizeof(*image));

	if (!image || !scry_elf_span(e, &low, &high))
		return NULL;
	struct scry_module *m = scry_module_add(s, path, e->bias + low, e->bias + high);
	if (!m)
		return NULL;
	*image = *e;
	m->image = image;
	m->bias = e->bias;
	m->build_id = scry_is_build_id(image->build_id) ? image->build_id : NULL;
	return m;
}

/* Modules that the dump lists itself. */
static void from_records(struct scry_session *s)
{
	for (size_t i = 0; i < s->target->module_count; i++) {
		const struct scry_target_module *record = &s->target->modules[i];
		const char *path = record->path ? record->path : "";
		struct scry_elf e;
		struct scry_module *m = NULL;

		if (!s->target->abi.windows && scry_elf_in_memory(s, record->start, &e) == SCRY_OK)
			m = scry_module_add_image(s, path, &e);
		if (!m)
			m = scry_module_add(s, path, record->start, record->end);
		if (!m)
			return;
		m->record = record;
		if (!m->image)
			m->bias = record->start;
		if (!m->build_id && record->build_id && scry_is_build_id(record->build_id))
			m->build_id = record->build_id;
	}
}

static bool holds(const struct scry_module *m, scry_addr addr)
{
	return addr >= m->start && addr < m->end;
}

/* The kernel says where the executable's entry point and headers are; else its name must do. */
static void mark_main(struct scry_session *s)
{
	const struct scry_target *t = s->target;
	const char *exe = t->exe ? t->exe : s->options.exe;
	struct scry_module *named = NULL;

	for (struct scry_module *m = s->modules; m; m = m->next) {
		if ((t->phdr && holds(m, t->phdr)) || (t->entry && holds(m, t->entry))) {
			m->is_main = true;
			return;
		}
		if (exe &&
		    (!strcmp(m->path, exe) || (!named && !strcmp(m->name, last_component(exe)))))
			named = m;
	}
	if (named)
		named->is_main = true;
}

/*
 * What the dump left out of files that were mapped read-only. Writable memory is never taken from a
 * file: what the program wrote there is what is missing. A mapping whose permissions are a guess
 * may be read-only.
 */
static const uint8_t *fallback(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	struct scry_session *s = t->session;
	struct scry_module *m = scry_module_at(s, addr);
	const struct scry_map *map = scry_map_at(t, addr);
	size_t len = 0;

	if (!m || (map && (map->flags & (SCRY_MAP_WRITE | SCRY_MAP_GUESS)) == SCRY_MAP_WRITE))
		return NULL;
	scry_module_open(m);
	const uint8_t *p = m->ops && m->ops->image ? m->ops->image(m, addr, &len) : NULL;
	if (p && map && len > map->end - addr)
		len = (size_t)(map->end - addr);
	*ret_len = len;
	return p;
}

struct scry_module *scry_module_first(struct scry_session *s)
{
	if (s->modules_done || !s->target)
		return s->modules;
	s->modules_done = true;
	s->target->fallback = fallback;
	if (s->target->module_count)
		from_records(s);
	else
		scry_modules_from_maps(s);
	if (!s->modules && !s->target->abi.windows)
		scry_modules_from_loader(s);
	mark_main(s);
	return s->modules;
}

void scry_modules_close(struct scry_session *s)
{
	for (struct scry_module *m = s->modules; m; m = m->next) {
		scry_module_close_debug(m);
		scry_symbol_map_close(m);
		if (m->ops && m->ops->close)
			m->ops->close(m);
		m->ops = NULL;
	}
	s->modules = s->modules_last = NULL;
	s->modules_done = false;
	scry_sources_close(s);
	if (!s->target)
		return;
	s->target->fallback = NULL;
	scry_target_forget_view(s->target); /* it may point into a file that is no longer mapped */
}

struct scry_module *scry_module_at(struct scry_session *s, scry_addr addr)
{
	struct scry_module *m = scry_module_first(s);

	while (m && !holds(m, addr))
		m = m->next;
	return m;
}

static void open_pe(struct scry_module *m)
{
	const char *file = scry_module_locate(m->session, m, &m->problem);

	m->file = file;
	if (scry_pe_open(m, file) != SCRY_OK)
		m->ops = NULL;
}

/* Once for each module, whatever comes of it: looking for files may ask a server. */
void scry_module_open(struct scry_module *m)
{
	if (m->opened)
		return;
	m->opened = true;
	if (m->session->target->abi.windows)
		open_pe(m);
	else if (scry_elf_module_open(m) != SCRY_OK)
		m->ops = NULL;
	scry_symbol_map_open(m);
}

int scry_module_symbol(struct scry_module *m, const char *name, struct scry_symbol *ret)
{
	scry_module_open(m);
	if (m->ops && m->ops->find && m->ops->find(m, name, ret) == SCRY_OK)
		return SCRY_OK;
	if (scry_symbol_map_find(m, name, ret) == SCRY_OK)
		return SCRY_OK;
	return SCRY_ENOTFOUND;
}

int scry_module_section(struct scry_module *m, const char *name, struct scry_section *ret)
{
	scry_module_open(m);
	if (m->ops && m->ops->section && m->ops->section(m, name, ret) == SCRY_OK)
		return SCRY_OK;
	return SCRY_ENOTFOUND;
}

int scry_symbol_at(struct scry_session *s, scry_addr addr, struct scry_symbol *ret)
{
	struct scry_module *m = scry_module_at(s, addr);
	struct scry_symbol own, user;

	if (!m)
		return SCRY_ENOTFOUND;
	scry_module_open(m);
	/* the file's own symbols win where they cover the address, or are nearer than the user's */
	bool has_own = m->ops && m->ops->at && m->ops->at(m, addr, &own) == SCRY_OK;
	bool has_user = scry_symbol_map_at(m, addr, &user) == SCRY_OK;
	if (!has_own && !has_user)
		return SCRY_ENOTFOUND;
	*ret = has_own && (!has_user || scry_symbol_covers(&own, addr) || own.addr >= user.addr)
		       ? own
		       : user;
	return SCRY_OK;
}

/* Extension modules (_x.cpython-311-x86_64-linux-gnu.so) are not meant. */
bool scry_module_is_python(const struct scry_module *m)
{
	static const char *const interpreters[] = { "python", "pypy" };
	const char *name = strncmp(m->name, "lib", 3) ? m->name : m->name + 3;

	for (size_t i = 0; i < sizeof(interpreters) / sizeof(*interpreters); i++)
		if (!strncmp(name, interpreters[i], strlen(interpreters[i])))
			return true;
	return m->is_main;
}

unsigned scry_modules_missing(struct scry_session *s, bool python_only, struct scry_buf *out)
{
	unsigned count = 0;

	if (!scry_module_first(s)) {
		scry_buf_puts(
			out,
			"the target names no files: give its executable (--exe), and --sysroot\n");
		return 1;
	}
	for (struct scry_module *m = s->modules; m; m = m->next) {
		if (python_only && !scry_module_is_python(m))
			continue;
		scry_module_open(m);
		if (m->file)
			continue;
		scry_buf_printf(out, "%s (build id %s): %s\n", m->path,
				m->build_id ? m->build_id : "unknown",
				m->problem ? m->problem : SCRY_MODULE_NO_FILE);
		count++;
	}
	return count;
}

bool scry_target_is_here(const struct scry_target *t)
{
	return !t->path && t->pid > 0;
}
