/**
 * An ELF image, in a mapped file or in target memory: its headers, its build id, the bytes at its
 * own addresses (those of the file, without a bias). Both classes and byte orders. Nothing in it is
 * trusted. Layouts: System V gABI, chapters 4 and 5.
 */
#ifndef SCRY_ELF_IMAGE_H
#define SCRY_ELF_IMAGE_H

#include "base/session.h"

/** A program header. */
struct scry_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

/** A section header; `name` is inside the mapped file. */
struct scry_elf_section {
	const char *name;
	uint32_t type, link;
	uint64_t flags, addr, offset, size, entsize;
};

/** An opened image. */
struct scry_elf {
	struct scry_session *session;
	const uint8_t *data; /* the mapped file; NULL: it is in target memory */
	size_t size;
	scry_addr bias; /* of an image in target memory: to add to its addresses */
	int fd;         /* of the mapped file, else -1 */
	bool is64, big_endian;
	uint16_t type, machine;
	uint64_t entry, phoff, shoff;
	unsigned shnum, shentsize, shstrndx;
	unsigned count;
	struct scry_segment *segments; /* in the session's arena */
	char build_id[129];            /* lower-case hex, "" unknown */
};

/**
 * Map a file: SCRY_OK, or negative where it is not ELF or is cut before its headers end. Takes over
 * `fd` on success. scry_elf_close() releases both.
 */
int scry_elf_open(struct scry_session *s, int fd, struct scry_elf *ret);
/** The image whose ELF header lies at `start` in target memory. Nothing to close. */
int scry_elf_in_memory(struct scry_session *s, scry_addr start, struct scry_elf *ret);
/** The image whose program headers lie at `phdr` in target memory (AT_PHDR). */
int scry_elf_by_headers(struct scry_session *s, scry_addr phdr, struct scry_elf *ret);
/** Unmap and close; fine for a zeroed one and for one in target memory. */
void scry_elf_close(struct scry_elf *e);

/** The first program header of a type, or NULL. */
const struct scry_segment *scry_elf_segment(const struct scry_elf *e, uint32_t type);
/** The image's addresses, rounded out to pages; false where no segment is to be loaded. */
bool scry_elf_span(const struct scry_elf *e, uint64_t *ret_low, uint64_t *ret_high);
/** Copy `len` bytes at an address of the image; true when all were there. */
bool scry_elf_read(const struct scry_elf *e, uint64_t vaddr, void *buf, size_t len);
/**
 * The mapped file's bytes at an address of the image, to the end of the segment (*ret_len of them),
 * or NULL; `*ret_flags` gets the segment's PF_*.
 */
const uint8_t *scry_elf_bytes(const struct scry_elf *e, uint64_t vaddr, size_t *ret_len,
			      uint32_t *ret_flags);
/** Section `index` of a mapped file; false past the end or where its header is cut. */
bool scry_elf_section_at(const struct scry_elf *e, unsigned index, struct scry_elf_section *ret);
/** A section by name; false where there is none. */
bool scry_elf_section_find(const struct scry_elf *e, const char *name,
			   struct scry_elf_section *ret);
/** A section's bytes in the mapped file; NULL where it has none, or they are cut off. */
const uint8_t *scry_elf_section_data(const struct scry_elf *e,
				     const struct scry_elf_section *section);

/** An integer of 1, 2, 4 or 8 bytes, in the image's byte order. */
static inline uint64_t scry_elf_load(const struct scry_elf *e, const void *at, unsigned size)
{
	bool swap = e->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	switch (size) {
	case 8:
		__builtin_memcpy(&v8, at, 8);
		return swap ? __builtin_bswap64(v8) : v8;
	case 4:
		__builtin_memcpy(&v4, at, 4);
		return swap ? __builtin_bswap32(v4) : v4;
	case 2:
		__builtin_memcpy(&v2, at, 2);
		return swap ? __builtin_bswap16(v2) : v2;
	}
	return *(const uint8_t *)at;
}

#endif
