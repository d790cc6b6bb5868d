/* PE modules: exports, sections, version, and bytes that the dump lacks. */
#include "symbol/pe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/pe_image.h"

/* IMAGE_EXPORT_DIRECTORY */
enum {
	X_FUNCTIONS = 20,
	X_NAMES = 24,
	X_FUNCTION_TABLE = 28,
	X_NAME_TABLE = 32,
	X_ORDINAL_TABLE = 36,
	X_SIZE = 40
};
/* IMAGE_RESOURCE_DIRECTORY, its entries, IMAGE_RESOURCE_DATA_ENTRY; RT_VERSION */
enum {
	R_NAMED = 12,
	R_IDS = 14,
	R_HEADER = 16,
	R_ENTRY = 8,
	RT_VERSION_ = 16,
	MAX_RESOURCES = 4096
};
#define R_SUBDIRECTORY 0x80000000u
/* VS_FIXEDFILEINFO lies after the UTF-16 key of VS_VERSIONINFO */
enum { VERSION_SEARCH = 128, V_FILE_HIGH = 8, V_FILE_LOW = 12, V_SIZE = 16 };
#define FIXED_FILE_INFO 0xfeef04bdu
#define MAX_EXPORTS     65536u
#define MAX_NAME        512

static const char *read_name(struct scry_pe *pe, uint32_t rva)
{
	char text[MAX_NAME + 1];
	size_t len = 0;

	/* byte by byte only near a hole: names are short, and reads in pieces of 64 mostly hit */
	while (len < MAX_NAME) {
		size_t step = len + 64 <= MAX_NAME ? 64 : MAX_NAME - len;

		if (!scry_pe_read(pe, (uint64_t)rva + len, text + len, step) &&
		    !scry_pe_read(pe, (uint64_t)rva + len, text + len, step = 1))
			return NULL;
		const char *end = memchr(text + len, 0, step);
		len = end ? (size_t)(end - text) : len + step;
		if (end)
			break;
	}
	return scry_arena_text(&pe->module->session->arena, text, len);
}

static int by_rva(const void *a, const void *b)
{
	const struct scry_pe_export *x = a, *y = b;

	if (x->rva != y->rva)
		return x->rva < y->rva ? -1 : 1;
	return strcmp(x->name, y->name);
}

/*
 * One name and what it stands for; a forwarder (its RVA is inside the directory: a string) is not
 * ours.
 */
static void add_export(struct scry_pe *pe, const uint8_t *dir, uint32_t i)
{
	struct scry_pe_dir where = pe->headers.dir[SCRY_PE_EXPORT];
	uint32_t name_rva, rva;
	uint8_t ordinal[2];

	if (!scry_pe_read32(pe, (uint64_t)scry_pe32(dir + X_NAME_TABLE) + 4ull * i, &name_rva) ||
	    !scry_pe_read(pe, (uint64_t)scry_pe32(dir + X_ORDINAL_TABLE) + 2ull * i, ordinal, 2) ||
	    scry_pe16(ordinal) >= scry_pe32(dir + X_FUNCTIONS) ||
	    !scry_pe_read32(pe,
			    (uint64_t)scry_pe32(dir + X_FUNCTION_TABLE) + 4ull * scry_pe16(ordinal),
			    &rva))
		return;
	if (rva == 0 || rva - where.rva < where.size || rva >= pe->module->end - pe->module->start)
		return;
	const char *name = read_name(pe, name_rva);
	if (name && *name)
		pe->exports[pe->export_count++] = (struct scry_pe_export) { rva, name };
}

/* Read once, on the first question: some 1,500 names for a python3X.dll. */
static void load_exports(struct scry_pe *pe)
{
	struct scry_pe_dir where = pe->headers.dir[SCRY_PE_EXPORT];
	uint8_t dir[X_SIZE];

	if (pe->exports_done)
		return;
	pe->exports_done = true;
	if (where.size < X_SIZE || !scry_pe_read(pe, where.rva, dir, sizeof(dir)))
		return;
	uint32_t count = scry_pe32(dir + X_NAMES), fit = where.size / 4;
	count = count < fit ? count : fit;
	count = count < MAX_EXPORTS ? count : MAX_EXPORTS;
	pe->exports =
		scry_arena_alloc(&pe->module->session->arena, (count + 1) * sizeof(*pe->exports));
	for (uint32_t i = 0; pe->exports && i < count; i++)
		add_export(pe, dir, i);
	if (pe->export_count)
		qsort(pe->exports, pe->export_count, sizeof(*pe->exports), by_rva);
}

static bool is_code(const struct scry_pe *pe, uint32_t rva)
{
	const struct scry_pe_section *s = scry_pe_section_at(&pe->headers, rva);

	return s && s->flags & SCRY_PE_EXECUTE;
}

static void fill_symbol(struct scry_pe *pe, const struct scry_pe_export *e, struct scry_symbol *ret)
{
	*ret = (struct scry_symbol) { .name = e->name,
				      .addr = pe->module->start + e->rva,
				      .is_function = is_code(pe, e->rva) };
}

static int pe_find(struct scry_module *m, const char *name, struct scry_symbol *ret)
{
	struct scry_pe *pe = m->state;

	load_exports(pe);
	for (size_t i = 0; i < pe->export_count; i++) {
		if (strcmp(pe->exports[i].name, name))
			continue;
		fill_symbol(pe, &pe->exports[i], ret);
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}

/*
 * The nearest export is often not the function: most functions are static. Where .pdata is there it
 * decides: only the fragment that begins at the export (and those chained to it) is the export's.
 */
static int pe_at(struct scry_module *m, scry_addr addr, struct scry_symbol *ret)
{
	struct scry_pe *pe = m->state;
	scry_addr begin, end, root;
	uint64_t rva = addr - m->start;

	load_exports(pe);
	bool known = is_code(pe, (uint32_t)rva) &&
		     scry_pe_function(m, addr, &begin, &end, &root) == SCRY_OK;
	if (known)
		rva = root - m->start;
	size_t low = 0, high = pe->export_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pe->exports[mid].rva <= rva)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || (known && pe->exports[low - 1].rva != rva) ||
	    is_code(pe, pe->exports[low - 1].rva) != is_code(pe, (uint32_t)rva))
		return SCRY_ENOTFOUND;
	while (low > 1 && pe->exports[low - 2].rva == pe->exports[low - 1].rva)
		low--; /* one of several names: the first by the alphabet, always */
	fill_symbol(pe, &pe->exports[low - 1], ret);
	if (known && begin == root)
		ret->size = end - begin;
	return SCRY_OK;
}

/* Section names have eight bytes; ".PyRuntime", as ELF files call it, is "PyRuntim" here. */
static bool same_section(const char *section, const char *name)
{
	return !strncmp(section, name, 8) || (name[0] == '.' && !strncmp(section, name + 1, 8));
}

static int pe_section(struct scry_module *m, const char *name, struct scry_section *ret)
{
	struct scry_pe *pe = m->state;

	for (unsigned i = 0; i < pe->headers.section_count; i++) {
		const struct scry_pe_section *s = &pe->headers.section[i];

		if (!same_section(s->name, name) || s->rva >= m->end - m->start)
			continue;
		uint64_t room = m->end - m->start - s->rva;
		*ret = (struct scry_section) { m->start + s->rva, s->size < room ? s->size : room };
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}

/* What the loader writes into a read-only section: the addresses of imported functions. */
static bool is_patched(const struct scry_pe *pe, uint32_t rva, size_t *len)
{
	struct scry_pe_dir iat = pe->file.headers.dir[SCRY_PE_IAT];

	if (rva - iat.rva < iat.size)
		return true;
	if (rva<iat.rva && * len> iat.rva - rva)
		*len = iat.rva - rva;
	return false;
}

static const uint8_t *pe_bytes(struct scry_module *m, scry_addr addr, size_t *ret_len)
{
	struct scry_pe *pe = m->state;
	uint64_t rva = addr - m->start;
	uint32_t flags;
	size_t len;

	if (addr < m->start || addr >= m->end || rva > UINT32_MAX ||
	    is_patched(pe, (uint32_t)rva, &(size_t) { 0 }))
		return NULL;
	const uint8_t *p = scry_pe_file_at(&pe->file, (uint32_t)rva, &len, &flags);
	if (!p || flags & SCRY_PE_WRITE)
		return NULL;
	is_patched(pe, (uint32_t)rva, &len);
	*ret_len = len;
	return p;
}

static void pe_close(struct scry_module *m)
{
	struct scry_pe *pe = m->state;

	if (pe)
		scry_pe_unmap_file(&pe->file);
	m->state = NULL;
}

const struct scry_module_ops scry_module_pe = {
	.name = "pe",
	.find = pe_find,
	.at = pe_at,
	.section = pe_section,
	.image = pe_bytes,
	.close = pe_close,
};

/* The headers take a page; what of it is in the dump is enough more often than not. */
static bool load_memory(struct scry_pe *pe)
{
	uint8_t page[4096];
	size_t n = scry_read_some(pe->module->session, pe->module->start, page, sizeof(page));

	return scry_pe_parse(page, n, &pe->headers);
}

/*
 * The file is not mapped in place: its CodeView record is read as if it were a module of its own.
 */
static const char *file_codeview(struct scry_module *m, struct scry_pe_file *f)
{
	struct scry_module alone = { .session = m->session,
				     .start = 0,
				     .end = f->headers.size_of_image };
	struct scry_pe pe = {
		.module = &alone, .headers = f->headers, .file = *f, .file_only = true
	};

	return scry_pe_codeview(&pe);
}

bool scry_pe_file_matches(struct scry_module *m, const char *file, const char **ret_problem)
{
	struct scry_arena *a = &m->session->arena;
	struct scry_pe_file f;
	struct scry_pe_headers *h = &f.headers;
	struct scry_pe memory = { .module = m };

	*ret_problem = "not a PE file";
	if (!scry_pe_map_file(file, &f))
		return false;
	const char *theirs = m->build_id, *ours = file_codeview(m, &f);
	bool in_memory = load_memory(&memory);
	if (!theirs && in_memory)
		theirs = scry_pe_codeview(&memory);
	uint32_t stamp =
		m->record && m->record->timestamp ? m->record->timestamp : memory.headers.timestamp;
	bool same = true;
	if (theirs && ours) {
		same = !strcmp(theirs, ours);
		*ret_problem = scry_arena_printf(a, "CodeView id is %s, not %s", ours, theirs);
	} else if (stamp != h->timestamp || m->end - m->start != h->size_of_image) {
		same = false;
		*ret_problem =
			scry_arena_printf(a,
					  "time stamp and image size are %" PRIx32 " %" PRIx32
					  ", not %" PRIx32 " %" PRIx64,
					  h->timestamp, h->size_of_image, stamp, m->end - m->start);
	}
	scry_pe_unmap_file(&f);
	return same;
}

int scry_pe_open(struct scry_module *m, const char *file)
{
	struct scry_pe *pe = scry_arena_alloc(&m->session->arena, sizeof(*pe));

	if (!pe)
		return scry_fail(m->session, SCRY_ENOMEM, 0, "out of memory");
	pe->module = m;
	pe->in_memory = load_memory(pe);
	if (file && scry_pe_map_file(file, &pe->file)) {
		scry_pe_relocate(&pe->file, m->start);
		if (!pe->in_memory)
			pe->headers = pe->file.headers;
	}
	if (!pe->in_memory && !pe->file.data)
		return scry_fail(m->session, SCRY_ENOTFOUND, m->start,
				 "the headers of %s are not in the dump", m->name);
	m->state = pe;
	m->ops = &scry_module_pe;
	m->bias = m->start - (pe->file.data ? pe->file.headers.image_base : pe->headers.image_base);
	if (!m->build_id)
		m->build_id = scry_pe_codeview(pe);
	return SCRY_OK;
}

/* --- the version resource --- */

/*
 * The entry of a resource directory: that with the id, or the first where `id` is 0; its offset in
 * *ret.
 */
static bool resource_entry(struct scry_pe *pe, uint32_t dir, uint32_t id, uint32_t *ret)
{
	uint32_t base = pe->headers.dir[SCRY_PE_RESOURCE].rva;
	uint8_t head[R_HEADER], entry[R_ENTRY];

	if (!scry_pe_read(pe, (uint64_t)base + dir, head, sizeof(head)))
		return false;
	uint32_t named = scry_pe16(head + R_NAMED), count = named + scry_pe16(head + R_IDS);
	for (uint32_t i = id ? named : 0; i < count && i < MAX_RESOURCES; i++) {
		if (!scry_pe_read(pe, (uint64_t)base + dir + R_HEADER + R_ENTRY * i, entry,
				  sizeof(entry)))
			return false;
		*ret = scry_pe32(entry + 4);
		if (!id || scry_pe32(entry) == id)
			return true;
	}
	return false;
}

static bool resource_version(struct scry_pe *pe, struct scry_pe_version *ret)
{
	uint32_t base = pe->headers.dir[SCRY_PE_RESOURCE].rva, at, rva;
	uint8_t info[VERSION_SEARCH + V_SIZE];

	/* type, name, language, each a directory */
	if (!base || !resource_entry(pe, 0, RT_VERSION_, &at) || !(at & R_SUBDIRECTORY) ||
	    !resource_entry(pe, at & ~R_SUBDIRECTORY, 0, &at) || !(at & R_SUBDIRECTORY) ||
	    !resource_entry(pe, at & ~R_SUBDIRECTORY, 0, &at) || at & R_SUBDIRECTORY ||
	    !scry_pe_read32(pe, (uint64_t)base + at, &rva) ||
	    !scry_pe_read(pe, rva, info, sizeof(info)))
		return false;
	for (unsigned i = 0; i <= VERSION_SEARCH; i += 4) {
		if (scry_pe32(info + i) != FIXED_FILE_INFO)
			continue;
		const uint8_t *high = info + i + V_FILE_HIGH, *low = info + i + V_FILE_LOW;

		*ret = (struct scry_pe_version) { { scry_pe16(high + 2), scry_pe16(high),
						    scry_pe16(low + 2), scry_pe16(low) } };
		return true;
	}
	return false;
}

int scry_pe_version(struct scry_module *m, struct scry_pe_version *ret)
{
	struct scry_pe *pe = m->ops == &scry_module_pe ? m->state : NULL;

	if (m->record && (m->record->version[0] | m->record->version[1])) {
		for (unsigned i = 0; i < 4; i++)
			ret->part[i] = (uint16_t)m->record->version[i];
		return SCRY_OK;
	}
	return pe && resource_version(pe, ret) ? SCRY_OK : SCRY_ENOTFOUND;
}

uint32_t scry_pe_python_version(const struct scry_pe_version *v)
{
	unsigned micro = v->part[2] / 1000, serial = v->part[2] % 1000;

	return (uint32_t)(v->part[0] & 0xff) << 24 | (uint32_t)(v->part[1] & 0xff) << 16 |
	       (micro & 0xff) << 8 | (serial / 10 & 0xf) << 4 | serial % 10;
}
