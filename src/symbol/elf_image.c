/*
 * ELF headers, of a mapped file or of target memory. Layouts: System V ABI, "Object Files" (both
 * classes).
 */
#include "symbol/elf_image.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/target.h"

#define MAX_SEGMENTS 512   /* the largest real executables have some dozens */
#define MAX_NOTES    65536 /* bytes of one PT_NOTE that are looked at */
#define PAGE         4096

/* Where a field lies in the 32-bit and in the 64-bit form of a header. */
struct field {
	uint8_t at[2], size[2];
};

#define FIELD(struct32, struct64, member)                                                \
	{                                                                                \
		{ offsetof(struct32, member), offsetof(struct64, member) },              \
		{                                                                        \
			sizeof(((struct32 *)0)->member), sizeof(((struct64 *)0)->member) \
		}                                                                        \
	}
#define EHDR(member) FIELD(Elf32_Ehdr, Elf64_Ehdr, member)
#define PHDR(member) FIELD(Elf32_Phdr, Elf64_Phdr, member)
#define SHDR(member) FIELD(Elf32_Shdr, Elf64_Shdr, member)

static const struct field e_type = EHDR(e_type), e_machine = EHDR(e_machine),
			  e_entry = EHDR(e_entry), e_phoff = EHDR(e_phoff), e_shoff = EHDR(e_shoff),
			  e_phentsize = EHDR(e_phentsize), e_phnum = EHDR(e_phnum),
			  e_shentsize = EHDR(e_shentsize), e_shnum = EHDR(e_shnum),
			  e_shstrndx = EHDR(e_shstrndx);
static const struct field p_type = PHDR(p_type), p_flags = PHDR(p_flags), p_offset = PHDR(p_offset),
			  p_vaddr = PHDR(p_vaddr), p_filesz = PHDR(p_filesz),
			  p_memsz = PHDR(p_memsz), p_align = PHDR(p_align);
static const struct field sh_name = SHDR(sh_name), sh_type = SHDR(sh_type),
			  sh_flags = SHDR(sh_flags), sh_addr = SHDR(sh_addr),
			  sh_offset = SHDR(sh_offset), sh_size = SHDR(sh_size),
			  sh_link = SHDR(sh_link), sh_entsize = SHDR(sh_entsize);

/*
 * One table serves both classes and both byte orders: the field's place by class, its bytes by
 * order.
 */
static uint64_t get(const struct scry_elf *e, const uint8_t *at, struct field f)
{
	return scry_elf_load(e, at + f.at[e->is64], f.size[e->is64]);
}

static bool in_file(const struct scry_elf *e, uint64_t offset, uint64_t len)
{
	return offset <= e->size && len <= e->size - offset;
}

/* Identify the header in `head` (an Elf64_Ehdr's worth of bytes). */
static int read_header(struct scry_elf *e, const uint8_t *head)
{
	if (memcmp(head, ELFMAG, SELFMAG) || head[EI_CLASS] < ELFCLASS32 ||
	    head[EI_CLASS] > ELFCLASS64 || head[EI_DATA] < ELFDATA2LSB ||
	    head[EI_DATA] > ELFDATA2MSB)
		return SCRY_ENOTFOUND;
	e->is64 = head[EI_CLASS] == ELFCLASS64;
	e->big_endian = head[EI_DATA] == ELFDATA2MSB;
	e->type = (uint16_t)get(e, head, e_type);
	e->machine = (uint16_t)get(e, head, e_machine);
	e->entry = get(e, head, e_entry);
	e->phoff = get(e, head, e_phoff);
	e->shoff = get(e, head, e_shoff);
	e->shnum = (unsigned)get(e, head, e_shnum);
	e->shentsize = (unsigned)get(e, head, e_shentsize);
	e->shstrndx = (unsigned)get(e, head, e_shstrndx);
	e->count = (unsigned)get(e, head, e_phnum);
	unsigned want = e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (e->count > MAX_SEGMENTS || (e->count && get(e, head, e_phentsize) != want))
		return SCRY_ECORRUPT;
	return SCRY_OK;
}

/* A copy in the arena: a file may be closed, memory be gone, before somebody asks. */
static int read_segments(struct scry_elf *e, const uint8_t *table)
{
	unsigned each = e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	e->segments = scry_arena_alloc(&e->session->arena, (e->count + 1) * sizeof(*e->segments));
	if (!e->segments)
		return SCRY_ENOMEM;
	for (unsigned i = 0; i < e->count; i++) {
		const uint8_t *at = table + i * each;

		e->segments[i] = (struct scry_segment) {
			.type = (uint32_t)get(e, at, p_type),
			.flags = (uint32_t)get(e, at, p_flags),
			.offset = get(e, at, p_offset),
			.vaddr = get(e, at, p_vaddr),
			.filesz = get(e, at, p_filesz),
			.memsz = get(e, at, p_memsz),
			.align = get(e, at, p_align),
		};
	}
	return SCRY_OK;
}

static void set_build_id(struct scry_elf *e, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		e->build_id[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		e->build_id[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	e->build_id[2 * len] = 0;
}

/* Walk notes to NT_GNU_BUILD_ID. GNU property notes are padded to 8 bytes, all others to 4. */
static bool find_build_id(struct scry_elf *e, const uint8_t *notes, size_t len, uint64_t align)
{
	uint64_t pad = align == 8 ? 7 : 3;

	for (uint64_t at = 0; at + 12 <= len;) {
		uint64_t namesz = scry_elf_load(e, notes + at, 4),
			 descsz = scry_elf_load(e, notes + at + 4, 4);
		uint64_t desc = (at + 12 + namesz + pad) & ~pad,
			 next = (desc + descsz + pad) & ~pad;

		if (desc > len || descsz > len - desc)
			return false;
		if (scry_elf_load(e, notes + at + 8, 4) == NT_GNU_BUILD_ID && namesz == 4 &&
		    !memcmp(notes + at + 12, "GNU", 4) && descsz >= 2 && descsz <= 64) {
			set_build_id(e, notes + desc, descsz);
			return true;
		}
		at = next;
	}
	return false;
}

static void read_build_id(struct scry_elf *e)
{
	for (unsigned i = 0; i < e->count; i++) {
		const struct scry_segment *p = &e->segments[i];
		uint8_t notes[PAGE];
		size_t len = p->filesz < sizeof(notes) ? p->filesz : sizeof(notes);

		if (p->type != PT_NOTE)
			continue;
		if (e->data) {
			len = p->filesz < MAX_NOTES ? p->filesz : MAX_NOTES;
			if (in_file(e, p->offset, len) &&
			    find_build_id(e, e->data + p->offset, len, p->align))
				return;
			continue;
		}
		len = scry_read_some(e->session, e->bias + p->vaddr, notes, len);
		if (find_build_id(e, notes, len, p->align))
			return;
	}
}

/*
 * In a separate debug file the PT_NOTE segments may have no bytes, while the note section is still
 * there.
 */
static void read_build_id_section(struct scry_elf *e)
{
	struct scry_elf_section section;

	if (!scry_elf_section_find(e, ".note.gnu.build-id", &section))
		return;
	const uint8_t *notes = scry_elf_section_data(e, &section);
	if (notes)
		find_build_id(e, notes, section.size < MAX_NOTES ? section.size : MAX_NOTES, 4);
}

int scry_elf_open(struct scry_session *s, int fd, struct scry_elf *ret)
{
	struct scry_elf e = { .session = s, .fd = fd };
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return SCRY_ENOTFOUND;
	e.size = (size_t)st.st_size;
	void *data = mmap(NULL, e.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return SCRY_ESYSTEM;
	e.data = data;
	int rc = read_header(&e, data);
	if (rc == SCRY_OK)
		rc = in_file(&e, e.phoff,
			     e.count * (e.is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
			     ? read_segments(&e, e.data + e.phoff)
			     : SCRY_ECORRUPT;
	if (rc != SCRY_OK) {
		munmap(data, e.size);
		return rc;
	}
	read_build_id(&e);
	if (!e.build_id[0])
		read_build_id_section(&e);
	*ret = e;
	return SCRY_OK;
}

void scry_elf_close(struct scry_elf *e)
{
	if (e->data) {
		munmap((void *)e->data, e->size);
		close(e->fd);
	}
	e->data = NULL;
	e->fd = -1;
}

/* `table` is where the program headers are; with bias known the rest follows. */
static int load_headers(struct scry_elf *e, scry_addr table)
{
	uint8_t bytes[MAX_SEGMENTS * sizeof(Elf64_Phdr)];
	size_t len = e->count * (e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));

	int rc = scry_read(e->session, table, bytes, len);
	return rc == SCRY_OK ? read_segments(e, bytes) : rc;
}

int scry_elf_in_memory(struct scry_session *s, scry_addr start, struct scry_elf *ret)
{
	struct scry_elf e = { .session = s, .fd = -1 };
	uint8_t head[sizeof(Elf64_Ehdr)];

	if (scry_read_some(s, start, head, sizeof(head)) != sizeof(head))
		return SCRY_EFAULT;
	int rc = read_header(&e, head);
	if (rc == SCRY_OK)
		rc = load_headers(&e, start + e.phoff);
	if (rc != SCRY_OK)
		return rc;
	rc = SCRY_ECORRUPT;
	for (unsigned i = 0; i < e.count && rc != SCRY_OK; i++) {
		const struct scry_segment *p = &e.segments[i];

		if (p->type != PT_LOAD || p->offset >= PAGE || !p->filesz)
			continue;
		/* `start` has file offset 0, which the linker meant to be at vaddr - offset */
		e.bias = start - (p->vaddr - p->offset);
		rc = SCRY_OK;
	}
	if (rc != SCRY_OK)
		return rc;
	read_build_id(&e);
	*ret = e;
	return SCRY_OK;
}

/*
 * Mostly the ELF header lies right before; else the first program header, PT_PHDR, says how many
 * there are.
 */
int scry_elf_by_headers(struct scry_session *s, scry_addr phdr, struct scry_elf *ret)
{
	const struct scry_abi *abi = &s->target->abi;
	struct scry_elf e = { .session = s,
			      .fd = -1,
			      .is64 = abi->ptr_size == 8,
			      .big_endian = abi->big_endian,
			      .count = 1 };
	unsigned each = e.is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (scry_elf_in_memory(s, phdr & ~(scry_addr)(PAGE - 1), ret) == SCRY_OK &&
	    (phdr & (PAGE - 1)) == ret->phoff)
		return SCRY_OK;
	int rc = load_headers(&e, phdr);
	if (rc != SCRY_OK)
		return rc;
	struct scry_segment self = e.segments[0];
	if (self.type != PT_PHDR || !self.memsz || self.memsz % each ||
	    self.memsz / each > MAX_SEGMENTS)
		return SCRY_ENOTFOUND;
	e.count = (unsigned)(self.memsz / each);
	rc = load_headers(&e, phdr);
	if (rc != SCRY_OK)
		return rc;
	e.bias = phdr - self.vaddr;
	e.type = e.bias ? ET_DYN : ET_EXEC;
	read_build_id(&e);
	*ret = e;
	return SCRY_OK;
}

const struct scry_segment *scry_elf_segment(const struct scry_elf *e, uint32_t type)
{
	for (unsigned i = 0; i < e->count; i++)
		if (e->segments[i].type == type)
			return &e->segments[i];
	return NULL;
}

/* Segments that wrap around are a damaged table. Pages are whole ones, as the loader maps them. */
bool scry_elf_span(const struct scry_elf *e, uint64_t *ret_low, uint64_t *ret_high)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (unsigned i = 0; i < e->count; i++) {
		const struct scry_segment *p = &e->segments[i];

		if (p->type != PT_LOAD || p->memsz == 0 || p->vaddr + p->memsz < p->vaddr)
			continue;
		if (p->vaddr < low)
			low = p->vaddr;
		if (p->vaddr + p->memsz > high)
			high = p->vaddr + p->memsz;
	}
	if (low >= high)
		return false;
	*ret_low = low & ~(uint64_t)(PAGE - 1);
	*ret_high = (high + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	return true;
}

/* The part of a segment beyond p_filesz is bss: not in the file, zeros once it is loaded. */
const uint8_t *scry_elf_bytes(const struct scry_elf *e, uint64_t vaddr, size_t *ret_len,
			      uint32_t *ret_flags)
{
	for (unsigned i = 0; e->data && i < e->count; i++) {
		const struct scry_segment *p = &e->segments[i];

		if (p->type != PT_LOAD || vaddr - p->vaddr >= p->filesz || p->offset >= e->size)
			continue;
		uint64_t skip = vaddr - p->vaddr;
		uint64_t have = p->filesz < e->size - p->offset ? p->filesz : e->size - p->offset;
		if (skip >= have)
			continue;
		*ret_len = (size_t)(have - skip);
		if (ret_flags)
			*ret_flags = p->flags;
		return e->data + p->offset + skip;
	}
	return NULL;
}

bool scry_elf_read(const struct scry_elf *e, uint64_t vaddr, void *buf, size_t len)
{
	if (!e->data)
		return scry_read_some(e->session, e->bias + vaddr, buf, len) == len;
	size_t have = 0;
	const uint8_t *p = scry_elf_bytes(e, vaddr, &have, NULL);
	if (!p || have < len)
		return false;
	memcpy(buf, p, len);
	return true;
}

/*
 * The raw header of a section: more than 0xff00 sections, or a name table beyond them, keep both in
 * section 0.
 */
static const uint8_t *section_header(const struct scry_elf *e, unsigned index)
{
	unsigned want = e->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);

	if (!e->data || !e->shoff || e->shentsize != want ||
	    !in_file(e, e->shoff, (uint64_t)(index + 1) * want))
		return NULL;
	const uint8_t *first = e->data + e->shoff;
	uint64_t count = e->shnum ? e->shnum : get(e, first, sh_size);
	return index < count ? first + (size_t)index * want : NULL;
}

static const char *section_name(const struct scry_elf *e, uint64_t at)
{
	const uint8_t *first = section_header(e, 0);
	unsigned index =
		e->shstrndx == SHN_XINDEX && first ? (unsigned)get(e, first, sh_link) : e->shstrndx;
	const uint8_t *names = section_header(e, index);

	if (!names)
		return "";
	uint64_t offset = get(e, names, sh_offset), size = get(e, names, sh_size);
	if (!in_file(e, offset, size) || at >= size ||
	    !memchr(e->data + offset + at, 0, (size_t)(size - at)))
		return "";
	return (const char *)e->data + offset + at;
}

bool scry_elf_section_at(const struct scry_elf *e, unsigned index, struct scry_elf_section *ret)
{
	const uint8_t *at = section_header(e, index);

	if (!at)
		return false;
	*ret = (struct scry_elf_section) {
		.name = section_name(e, get(e, at, sh_name)),
		.type = (uint32_t)get(e, at, sh_type),
		.link = (uint32_t)get(e, at, sh_link),
		.flags = get(e, at, sh_flags),
		.addr = get(e, at, sh_addr),
		.offset = get(e, at, sh_offset),
		.size = get(e, at, sh_size),
		.entsize = get(e, at, sh_entsize),
	};
	return true;
}

bool scry_elf_section_find(const struct scry_elf *e, const char *name, struct scry_elf_section *ret)
{
	struct scry_elf_section section;

	for (unsigned i = 1; scry_elf_section_at(e, i, &section); i++) {
		if (strcmp(section.name, name))
			continue;
		*ret = section;
		return true;
	}
	return false;
}

const uint8_t *scry_elf_section_data(const struct scry_elf *e,
				     const struct scry_elf_section *section)
{
	/* a separate debug file keeps the headers of .text and .data without their bytes */
	if (section->type == SHT_NOBITS || !section->size ||
	    !in_file(e, section->offset, section->size))
		return NULL;
	return e->data + section->offset;
}
