/**
 * The bytes of a PE image by RVA, from target memory and from the file on disk (private to
 * src/symbol/pe*.c). Layouts: winnt.h, IMAGE_*; the names of the members are those of the PE format
 * specification.
 */
#ifndef SCRY_PE_IMAGE_H
#define SCRY_PE_IMAGE_H

#include "symbol/pe.h"

/** Indices into the optional header's data directories: IMAGE_DIRECTORY_ENTRY_*. */
enum scry_pe_directory {
	SCRY_PE_EXPORT = 0,
	SCRY_PE_RESOURCE = 2,
	SCRY_PE_EXCEPTION = 3,
	SCRY_PE_RELOC = 5,
	SCRY_PE_DEBUG = 6,
	SCRY_PE_LOAD_CONFIG = 10,
	SCRY_PE_IAT = 12,
	SCRY_PE_DIRECTORIES = 16
};

#define SCRY_PE_MAX_SECTIONS 96
#define SCRY_PE_EXECUTE      0x20000000u
#define SCRY_PE_READ         0x40000000u
#define SCRY_PE_WRITE        0x80000000u

/** IMAGE_SECTION_HEADER, decoded. */
struct scry_pe_section {
	char name[9];
	uint32_t rva, size;         /* in memory */
	uint32_t offset, file_size; /* in the file */
	uint32_t flags;
};

/** IMAGE_DATA_DIRECTORY. */
struct scry_pe_dir {
	uint32_t rva, size;
};

/** The headers, decoded. */
struct scry_pe_headers {
	uint16_t machine;
	bool is64;
	uint32_t timestamp, checksum, size_of_image, size_of_headers;
	uint64_t image_base; /* preferred in a file; the loader writes the actual one */
	struct scry_pe_dir dir[SCRY_PE_DIRECTORIES];
	unsigned section_count;
	struct scry_pe_section section[SCRY_PE_MAX_SECTIONS];
};

/** A mapped file; the mapping is private and writable, so that relocations can be applied to it. */
struct scry_pe_file {
	uint8_t *data; /* NULL: none */
	size_t size;
	struct scry_pe_headers headers;
};

/** An exported name and where it is. */
struct scry_pe_export {
	uint32_t rva;
	const char *name;
};

/** m->state of a PE module. */
struct scry_pe {
	struct scry_module *module;
	bool in_memory;                 /* the headers were read from target memory */
	bool file_only;                 /* target memory is not to be read */
	struct scry_pe_headers headers; /* of target memory, else of the file */
	struct scry_pe_file file;
	struct scry_pe_export *exports; /* by rva; NULL: not read yet */
	size_t export_count;
	bool exports_done;
};

/**
 * Decode the headers in `data` (the first `len` bytes of an image). False where they are not a
 * PE's, or are cut.
 */
bool scry_pe_parse(const uint8_t *data, size_t len, struct scry_pe_headers *ret);
/**
 * Map a regular file and decode it; false, with nothing to unmap, where it cannot be read or is not
 * a PE file.
 */
bool scry_pe_map_file(const char *path, struct scry_pe_file *ret);
void scry_pe_unmap_file(struct scry_pe_file *f);
/** Apply the base relocations for an image loaded at `base`. */
void scry_pe_relocate(struct scry_pe_file *f, scry_addr base);
/**
 * The file's bytes for an RVA, *ret_len of them, or NULL. `*ret_flags`: the section's
 * characteristics, 0 for the headers.
 */
const uint8_t *scry_pe_file_at(const struct scry_pe_file *f, uint32_t rva, size_t *ret_len,
			       uint32_t *ret_flags);
/** Copy `len` bytes at an RVA, from target memory, else from the file; true when all were there. */
bool scry_pe_read(struct scry_pe *pe, uint64_t rva, void *buf, size_t len);
/** A number of 4 bytes at an RVA; false as above. */
bool scry_pe_read32(struct scry_pe *pe, uint64_t rva, uint32_t *ret);
/** The section that holds an RVA, or NULL. */
const struct scry_pe_section *scry_pe_section_at(const struct scry_pe_headers *h, uint32_t rva);
/** The CodeView id out of the debug directory, in the session's arena; NULL none. */
const char *scry_pe_codeview(struct scry_pe *pe);

/** Numbers of PE files: little-endian, at any alignment. */
static inline uint16_t scry_pe16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t scry_pe32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t scry_pe64(const uint8_t *p)
{
	return scry_pe32(p) | (uint64_t)scry_pe32(p + 4) << 32;
}

#endif
