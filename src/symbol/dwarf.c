/*
 * Where a module's DWARF is. libdw reads it; it also finds the file of .gnu_debugaltlink (dwz) by
 * itself.
 */
#include "symbol/dwarf.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "symbol/elf.h"
#include "symbol/locate.h"

struct scry_debug_file {
	struct scry_located file; /* separate; file.elf.data NULL: there is none */
	bool searched, opened;
	int fd; /* libdw's own */
	Elf *elf;
	Dwarf *dwarf;
	unsigned flags;
};

static struct scry_debug_file *debug_of(struct scry_module *m)
{
	if (!m->debug) {
		m->debug = scry_arena_alloc(&m->session->arena, sizeof(*m->debug));
		if (m->debug)
			m->debug->fd = m->debug->file.elf.fd = -1;
	}
	return m->debug;
}

const struct scry_elf *scry_module_debug_elf(struct scry_module *m)
{
	struct scry_debug_file *d = debug_of(m);

	if (!d)
		return NULL;
	if (!d->searched) {
		const struct scry_elf *own = scry_module_elf_file(m);

		d->searched = true;
		if (m->file && !own)
			return NULL; /* another build: its debug file would be another one's too */
		if (scry_locate_debug(m, own, &d->file) != SCRY_OK)
			d->file.elf.data = NULL;
	}
	return d->file.elf.data ? &d->file.elf : NULL;
}

static bool has_dwarf(const struct scry_elf *e, bool *ret_compressed)
{
	struct scry_elf_section section;

	if (!scry_elf_section_find(e, ".debug_info", &section)) {
		*ret_compressed = true; /* the older GNU form */
		return scry_elf_section_find(e, ".zdebug_info", &section);
	}
	*ret_compressed = section.flags & SHF_COMPRESSED;
	return section.type != SHT_NOBITS && section.size;
}

/* The ELF file that holds the DWARF, and what kind it is; NULL where there is none. */
static const struct scry_elf *find_dwarf(struct scry_module *m, unsigned *ret_flags)
{
	const struct scry_elf *e = scry_module_elf_file(m);
	bool compressed = false;

	*ret_flags = 0;
	if (!e || !has_dwarf(e, &compressed)) {
		e = scry_module_debug_elf(m);
		*ret_flags = SCRY_DWARF_SEPARATE;
		if (!e || !has_dwarf(e, &compressed))
			return NULL;
	}
	*ret_flags |= compressed ? SCRY_DWARF_COMPRESSED : 0;
	return e;
}

bool scry_module_has_dwarf(struct scry_module *m, unsigned *ret_flags)
{
	unsigned flags;

	if (!find_dwarf(m, &flags))
		return false;
	if (ret_flags)
		*ret_flags = flags;
	return true;
}

static void open_dwarf(struct scry_debug_file *d, struct scry_module *m)
{
	const struct scry_elf *e = find_dwarf(m, &d->flags);

	if (!e || elf_version(EV_CURRENT) == EV_NONE)
		return;
	d->fd = fcntl(e->fd, F_DUPFD_CLOEXEC, 0);
	d->elf = d->fd < 0 ? NULL : elf_begin(d->fd, ELF_C_READ_MMAP, NULL);
	d->dwarf = d->elf ? dwarf_begin_elf(d->elf, DWARF_C_READ, NULL) : NULL;
}

Dwarf *scry_module_dwarf(struct scry_module *m, unsigned *ret_flags, const char **ret_file)
{
	struct scry_debug_file *d = debug_of(m);

	if (d && !d->opened) {
		d->opened = true;
		open_dwarf(d, m);
	}
	if (!d || !d->dwarf)
		return NULL;
	if (ret_flags)
		*ret_flags = d->flags;
	if (ret_file)
		*ret_file = d->flags & SCRY_DWARF_SEPARATE ? d->file.path : m->file;
	return d->dwarf;
}

void scry_module_close_debug(struct scry_module *m)
{
	struct scry_debug_file *d = m->debug;

	if (!d)
		return;
	if (d->dwarf)
		dwarf_end(d->dwarf);
	if (d->elf)
		elf_end(d->elf);
	if (d->fd >= 0)
		close(d->fd);
	scry_elf_close(&d->file.elf);
	m->debug = NULL;
}
