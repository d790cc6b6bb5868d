/*
 * Modules as the dynamic loader knows them: the auxiliary vector, DT_DEBUG, struct r_debug and
 * link_map of <link.h>.
 */
#include "symbol/list.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "symbol/locate.h"

#define MAX_MODULES  16384
#define MAX_DYNAMIC  512
#define MAX_PATH_LEN 4096
#define PAGE         4096

/* AT_PHDR says where the file's program headers went. */
static bool bias_by_phdr(const struct scry_target *t, const struct scry_elf *file, scry_addr *ret)
{
	for (unsigned i = 0; i < file->count && t->phdr; i++) {
		const struct scry_segment *p = &file->segments[i];

		if (p->type != PT_LOAD || file->phoff < p->offset ||
		    file->phoff - p->offset >= p->filesz)
			continue;
		*ret = t->phdr - (p->vaddr + file->phoff - p->offset);
		return true;
	}
	*ret = t->entry ? t->entry - file->entry : 0;
	return t->entry || file->type == ET_EXEC;
}

/* The executable's headers are not in the dump: the user's file must have them, and must fit. */
static struct scry_module *main_by_file(struct scry_session *s, struct scry_elf *ret)
{
	const char *path;
	uint64_t low, high;
	scry_addr bias;

	if (scry_locate_exe(s, ret, &path) != SCRY_OK)
		return NULL;
	const struct scry_target *t = s->target;
	if (!bias_by_phdr(t, ret, &bias) || !scry_elf_span(ret, &low, &high)) {
		/* a position independent one, and nothing says where it went */
		scry_elf_close(ret);
		return NULL;
	}
	if (bias % PAGE || (t->entry && ret->entry + bias != t->entry)) {
		scry_note(s,
			  "%s is not the executable of this dump: its entry point lies elsewhere",
			  path);
		scry_elf_close(ret);
		return NULL;
	}
	struct scry_elf there;
	bool in_memory = scry_elf_in_memory(s, bias + low, &there) == SCRY_OK;
	const char *name = t->exe ? t->exe : path;
	struct scry_module *m = in_memory ? scry_module_add_image(s, name, &there)
					  : scry_module_add(s, name, bias + low, bias + high);
	if (m) {
		m->bias = bias;
		m->is_main = true; /* now: the names of libraries may lie in its read-only data */
	}
	return m;
}

/*
 * The address of struct r_debug out of the executable's dynamic section, as it is in target memory;
 * 0 none.
 */
static scry_addr find_r_debug(struct scry_session *s, const struct scry_elf *e, scry_addr bias)
{
	const struct scry_segment *p = scry_elf_segment(e, PT_DYNAMIC);
	unsigned word = s->target->abi.ptr_size;
	uint64_t tag, value;

	for (unsigned i = 0; p && i < MAX_DYNAMIC && (i + 1) * 2 * word <= p->memsz; i++) {
		scry_addr at = bias + p->vaddr + i * 2 * word;

		if (scry_read_uint(s, at, word, &tag) != SCRY_OK || tag == DT_NULL)
			return 0;
		if (tag == DT_DEBUG)
			return scry_read_uint(s, at + word, word, &value) == SCRY_OK ? value : 0;
	}
	return 0;
}

/* A library of the link_map; its size is known only from headers, in memory or in the file. */
static void add_library(struct scry_session *s, const char *path, scry_addr bias, scry_addr dynamic)
{
	struct scry_elf e;

	for (struct scry_module *m = s->modules; m; m = m->next)
		if (dynamic >= m->start && dynamic < m->end)
			return;
	if (scry_elf_in_memory(s, bias, &e) == SCRY_OK && e.bias == bias) {
		scry_module_add_image(s, path, &e);
		return;
	}
	struct scry_module *m = scry_module_add(s, path, bias, (dynamic | (PAGE - 1)) + 1);
	if (!m)
		return;
	m->bias = bias;
	scry_module_open(m); /* now: addresses cannot be told apart before the sizes are known */
}

static void walk_link_map(struct scry_session *s, scry_addr r_debug)
{
	unsigned word = s->target->abi.ptr_size;
	struct scry_hash seen = { 0 };
	scry_addr map;

	/* struct r_debug: int r_version; struct link_map *r_map; ... */
	if (!r_debug || scry_read_ptr(s, r_debug + word, &map) != SCRY_OK)
		return;
	while (map && seen.count < MAX_MODULES && scry_hash_add(&seen, map) == 1) {
		scry_addr bias, name, dynamic, next; /* l_addr, l_name, l_ld, l_next */
		const char *path;

		if (scry_read_ptr(s, map, &bias) != SCRY_OK ||
		    scry_read_ptr(s, map + word, &name) != SCRY_OK ||
		    scry_read_ptr(s, map + 2 * word, &dynamic) != SCRY_OK ||
		    scry_read_ptr(s, map + 3 * word, &next) != SCRY_OK)
			break;
		if (name && scry_read_cstr(s, name, MAX_PATH_LEN, &path) == SCRY_OK &&
		    path[0] == '/')
			add_library(s, path, bias, dynamic);
		map = next;
	}
	scry_hash_done(&seen);
}

void scry_modules_from_loader(struct scry_session *s)
{
	struct scry_target *t = s->target;
	struct scry_elf e;
	scry_addr bias;

	if (t->phdr && scry_elf_by_headers(s, t->phdr, &e) == SCRY_OK) {
		const char *path = t->exe ? t->exe : s->options.exe ? s->options.exe : "executable";

		struct scry_module *m = scry_module_add_image(s, path, &e);
		if (m)
			m->is_main = true;
		walk_link_map(s, find_r_debug(s, &e, e.bias));
		return;
	}
	struct scry_module *m = main_by_file(s, &e);
	if (!m)
		return;
	bias = m->bias;
	walk_link_map(s, find_r_debug(s, &e, bias));
	scry_elf_close(&e);
}
