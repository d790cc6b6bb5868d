/* The headers of PE images, and their bytes by RVA. */
#include "symbol/pe_image.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/codeview.h"

/*
 * IMAGE_DOS_HEADER, IMAGE_NT_HEADERS, IMAGE_OPTIONAL_HEADER (32 and 64), IMAGE_SECTION_HEADER:
 * winnt.h
 */
enum {
	DOS_NEW = 0x3c,
	DOS_SIZE = 64,
	F_MACHINE = 4,
	F_SECTIONS = 6,
	F_TIMESTAMP = 8,
	F_OPTIONAL_SIZE = 20,
	OPTIONAL = 24
};
enum {
	O_BASE32 = 28,
	O_BASE64 = 24,
	O_IMAGE_SIZE = 56,
	O_HEADERS_SIZE = 60,
	O_CHECKSUM = 64,
	O_DIR32 = 96,
	O_DIR64 = 112,
	MAGIC32 = 0x10b,
	MAGIC64 = 0x20b
};
enum { S_SIZE = 8, S_RVA = 12, S_FILE_SIZE = 16, S_OFFSET = 20, S_FLAGS = 36, SECTION = 40 };
/* IMAGE_BASE_RELOCATION: page, block size, then 16-bit entries of type and offset */
enum { REL_HIGHLOW = 3, REL_DIR64 = 10 };
/* IMAGE_DEBUG_DIRECTORY */
enum {
	D_TYPE = 12,
	D_SIZE = 16,
	D_RVA = 20,
	DEBUG_ENTRY = 28,
	DEBUG_CODEVIEW = 2,
	MAX_DEBUG = 32,
	MAX_CODEVIEW = 1024
};

static void parse_sections(const uint8_t *p, const uint8_t *end, unsigned count,
			   struct scry_pe_headers *h)
{
	h->section_count = 0;
	for (; count-- > 0 && h->section_count < SCRY_PE_MAX_SECTIONS && end - p >= SECTION;
	     p += SECTION) {
		struct scry_pe_section *s = &h->section[h->section_count++];

		memcpy(s->name, p, 8);
		s->name[8] = '\0';
		s->size = scry_pe32(p + S_SIZE);
		s->rva = scry_pe32(p + S_RVA);
		s->file_size = scry_pe32(p + S_FILE_SIZE);
		s->offset = scry_pe32(p + S_OFFSET);
		s->flags = scry_pe32(p + S_FLAGS);
		if (s->size == 0)
			s->size = s->file_size; /* old linkers */
	}
}

/*
 * e_lfanew of the DOS header leads to "PE"; which optional header follows its Magic says. The
 * directories are counted by the word right before them.
 */
bool scry_pe_parse(const uint8_t *data, size_t len, struct scry_pe_headers *h)
{
	memset(h, 0, sizeof(*h));
	if (len < DOS_SIZE || data[0] != 'M' || data[1] != 'Z')
		return false;
	size_t at = scry_pe32(data + DOS_NEW);
	if (at > len || len - at < OPTIONAL + O_DIR32 || memcmp(data + at, "PE\0", 4))
		return false;
	const uint8_t *file = data + at, *opt = file + OPTIONAL;
	size_t opt_size = scry_pe16(file + F_OPTIONAL_SIZE), left = len - at - OPTIONAL;
	unsigned magic = scry_pe16(opt);
	if (magic != MAGIC32 && magic != MAGIC64)
		return false;
	h->is64 = magic == MAGIC64;
	h->machine = scry_pe16(file + F_MACHINE);
	h->timestamp = scry_pe32(file + F_TIMESTAMP);
	h->image_base = h->is64 ? scry_pe64(opt + O_BASE64) : scry_pe32(opt + O_BASE32);
	h->size_of_image = scry_pe32(opt + O_IMAGE_SIZE);
	h->size_of_headers = scry_pe32(opt + O_HEADERS_SIZE);
	h->checksum = scry_pe32(opt + O_CHECKSUM);
	size_t first = h->is64 ? O_DIR64 : O_DIR32, room = opt_size < left ? opt_size : left;
	uint32_t dirs = first <= room ? scry_pe32(opt + first - 4) : 0;
	for (uint32_t i = 0; i < dirs && i < SCRY_PE_DIRECTORIES && first + 8 * i + 8 <= room; i++)
		h->dir[i] = (struct scry_pe_dir) { scry_pe32(opt + first + 8 * i),
						   scry_pe32(opt + first + 8 * i + 4) };
	if (opt_size <= left)
		parse_sections(opt + opt_size, data + len, scry_pe16(file + F_SECTIONS), h);
	return true;
}

/*
 * MAP_PRIVATE and writable: relocating changes our copy of the pages, never the file. O_NONBLOCK,
 * since a FIFO of that name would let us wait for a writer.
 */
bool scry_pe_map_file(const char *path, struct scry_pe_file *ret)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	memset(ret, 0, sizeof(*ret));
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= DOS_SIZE) {
		void *p =
			mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

		ret->data = p == MAP_FAILED ? NULL : p;
		ret->size = (size_t)st.st_size;
	}
	close(fd);
	if (ret->data && scry_pe_parse(ret->data, ret->size, &ret->headers))
		return true;
	scry_pe_unmap_file(ret);
	return false;
}

void scry_pe_unmap_file(struct scry_pe_file *f)
{
	if (f->data)
		munmap(f->data, f->size);
	f->data = NULL;
	f->size = 0;
}

const struct scry_pe_section *scry_pe_section_at(const struct scry_pe_headers *h, uint32_t rva)
{
	for (unsigned i = 0; i < h->section_count; i++)
		if (rva >= h->section[i].rva && rva - h->section[i].rva < h->section[i].size)
			return &h->section[i];
	return NULL;
}

const uint8_t *scry_pe_file_at(const struct scry_pe_file *f, uint32_t rva, size_t *ret_len,
			       uint32_t *ret_flags)
{
	static const uint8_t zeros[4096];
	const struct scry_pe_section *s = scry_pe_section_at(&f->headers, rva);
	uint64_t offset = rva, len;

	if (!f->data)
		return NULL;
	*ret_flags = s ? s->flags : 0;
	if (s) {
		uint32_t into = rva - s->rva;

		if (into >= s->file_size) { /* the loader fills the section's end with zeros */
			len = s->size - into;
			*ret_len = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);
			return zeros;
		}
		offset = (uint64_t)s->offset + into;
		len = (s->size < s->file_size ? s->size : s->file_size) - into;
	} else {
		if (rva >= f->headers.size_of_headers)
			return NULL;
		len = f->headers.size_of_headers - rva;
	}
	if (offset >= f->size)
		return NULL;
	*ret_len = len < f->size - offset ? (size_t)len : (size_t)(f->size - offset);
	return f->data + offset;
}

/* The file's bytes, to be changed: NULL unless `size` of them are there. */
static uint8_t *writable_at(struct scry_pe_file *f, uint32_t rva, size_t size)
{
	size_t len;
	uint32_t flags;
	const uint8_t *p = scry_pe_file_at(f, rva, &len, &flags);

	if (!p || len < size || p < f->data || p >= f->data + f->size)
		return NULL;
	return f->data + (p - f->data);
}

/*
 * IMAGE_REL_BASED_ABSOLUTE (0) is padding, the other kinds belong to machines that we do not know.
 */
static void relocate_one(struct scry_pe_file *f, uint32_t rva, unsigned type, uint64_t delta)
{
	unsigned size = type == REL_DIR64 ? 8 : type == REL_HIGHLOW ? 4 : 0;
	uint8_t *p = size ? writable_at(f, rva, size) : NULL;

	if (!p)
		return;
	uint64_t value = (size == 8 ? scry_pe64(p) : scry_pe32(p)) + delta;
	for (unsigned i = 0; i < size; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/*
 * A file is laid beside memory: pointers in it must be as the loader made them for that base. Each
 * block of .reloc names a page and the offsets in it.
 */
void scry_pe_relocate(struct scry_pe_file *f, scry_addr base)
{
	struct scry_pe_dir dir = f->headers.dir[SCRY_PE_RELOC];
	uint64_t delta = base - f->headers.image_base;
	uint32_t at = dir.rva;

	if (!delta)
		return;
	while (at - dir.rva < dir.size && dir.size - (at - dir.rva) >= 8) {
		const uint8_t *block = writable_at(f, at, 8);
		uint32_t page = block ? scry_pe32(block) : 0,
			 size = block ? scry_pe32(block + 4) : 0;

		if (size < 8 || size > dir.size - (at - dir.rva))
			return;
		for (uint32_t i = 8; i + 2 <= size; i += 2) {
			const uint8_t *entry = writable_at(f, at + i, 2);

			if (entry)
				relocate_one(f, page + (scry_pe16(entry) & 0xfff),
					     scry_pe16(entry) >> 12, delta);
		}
		at += size;
	}
}

/*
 * The dump first, then the file, but never its writable sections: what the program made of them is
 * what is missing.
 */
bool scry_pe_read(struct scry_pe *pe, uint64_t rva, void *buf, size_t len)
{
	struct scry_module *m = pe->module;
	size_t done = 0;

	if (rva >= m->end - m->start || len > m->end - m->start - rva)
		return false;
	if (!pe->file_only)
		done = scry_read_some(m->session, m->start + rva, buf, len);
	while (done < len) {
		size_t n;
		uint32_t flags;
		const uint8_t *p = scry_pe_file_at(&pe->file, (uint32_t)(rva + done), &n, &flags);

		if (!p || flags & SCRY_PE_WRITE)
			return false;
		n = n < len - done ? n : len - done;
		memcpy((uint8_t *)buf + done, p, n);
		done += n;
	}
	return true;
}

bool scry_pe_read32(struct scry_pe *pe, uint64_t rva, uint32_t *ret)
{
	uint8_t bytes[4];

	if (!scry_pe_read(pe, rva, bytes, sizeof(bytes)))
		return false;
	*ret = scry_pe32(bytes);
	return true;
}

const char *scry_pe_codeview(struct scry_pe *pe)
{
	struct scry_pe_dir dir = pe->headers.dir[SCRY_PE_DEBUG];
	uint8_t entry[DEBUG_ENTRY], record[MAX_CODEVIEW];
	const char *pdb;

	for (uint32_t i = 0; i < MAX_DEBUG && (i + 1) * DEBUG_ENTRY <= dir.size; i++) {
		if (!scry_pe_read(pe, dir.rva + i * DEBUG_ENTRY, entry, sizeof(entry)))
			return NULL;
		size_t len = scry_pe32(entry + D_SIZE);
		if (scry_pe32(entry + D_TYPE) != DEBUG_CODEVIEW)
			continue;
		len = len < sizeof(record) ? len : sizeof(record);
		return scry_pe_read(pe, scry_pe32(entry + D_RVA), record, len)
			       ? scry_codeview_id(&pe->module->session->arena, record, len, &pdb)
			       : NULL;
	}
	return NULL;
}
