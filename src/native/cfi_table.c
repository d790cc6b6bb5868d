/*
 * One entry of call frame information by the sorted table of .eh_frame_hdr, which is what a running
 * program's own unwinder goes by. libdw goes by the section .eh_frame instead: where a tool that
 * rewrites programs (BOLT) left entries elsewhere, or ended the section early, it finds none.
 *
 * libdw decodes no single entry, so it gets an ELF image of that entry and its CIE.
 */
#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "native/cfi.h"

#define ENTRY_MAX 65536u /* bytes of an entry, or of its CIE */
#define LENGTH    4u     /* bytes of the length before each */
#define TABLE     12u    /* bytes before the table, with the encodings that every linker writes */
#define ROW       8u     /* function, entry: both relative to the header */

/* A row of the table: addresses as the image has them. */
static bool row_at(const struct scry_elf *e, uint64_t header, uint32_t index, uint64_t *ret_pc,
		   uint64_t *ret_entry)
{
	uint8_t row[ROW];

	if (!scry_elf_read(e, header + TABLE + (uint64_t)index * ROW, row, sizeof(row)))
		return false;
	*ret_pc = header + (uint64_t)(int64_t)(int32_t)scry_elf_load(e, row, 4);
	*ret_entry = header + (uint64_t)(int64_t)(int32_t)scry_elf_load(e, row + 4, 4);
	return true;
}

/* The last entry whose function begins at `vaddr` or before. */
static bool search(const struct scry_elf *e, uint64_t vaddr, uint64_t *ret_entry)
{
	const struct scry_segment *segment = scry_elf_segment(e, PT_GNU_EH_FRAME);
	uint8_t head[TABLE];
	uint64_t pc;

	if (!segment || segment->filesz < TABLE ||
	    !scry_elf_read(e, segment->vaddr, head, sizeof(head)) || head[0] != 1 ||
	    (head[1] & 0xf) != DW_EH_PE_sdata4 || head[2] != DW_EH_PE_udata4 ||
	    head[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
		return false;
	uint64_t low = 0, high = scry_elf_load(e, head + 8, 4);
	if (high > (segment->filesz - TABLE) / ROW)
		high = (segment->filesz - TABLE) / ROW;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2, entry;

		if (!row_at(e, segment->vaddr, (uint32_t)middle, &pc, &entry))
			return false;
		if (pc <= vaddr) {
			*ret_entry = entry;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low > 0;
}

/* Bytes of the entry or CIE at `vaddr`, its length among them; 0 where it makes no sense. */
static size_t size_at(const struct scry_elf *e, uint64_t vaddr)
{
	uint8_t length[LENGTH];

	if (!scry_elf_read(e, vaddr, length, sizeof(length)))
		return 0;
	uint64_t size = scry_elf_load(e, length, LENGTH);
	return size >= LENGTH && size < ENTRY_MAX ? size + LENGTH : 0;
}

/* Of either class: an ELF header, three section headers, their names, and room for the entry. */
#define FRAME_IMAGE(BITS)                                                                    \
	struct image##BITS {                                                                 \
		Elf##BITS##_Ehdr head;                                                       \
		Elf##BITS##_Shdr sections[3];                                                \
		char names[32];                                                              \
		char data[];                                                                 \
	};                                                                                   \
	static char *image_##BITS(uint16_t machine, uint64_t addr, size_t size, size_t *ret) \
	{                                                                                    \
		struct image##BITS *image = calloc(1, *ret = sizeof(*image) + size);         \
		if (!image)                                                                  \
			return NULL;                                                         \
		memcpy(image->head.e_ident, ELFMAG, SELFMAG);                                \
		image->head.e_ident[EI_CLASS] = ELFCLASS##BITS;                              \
		image->head.e_ident[EI_DATA] = ELFDATA2LSB;                                  \
		image->head.e_ident[EI_VERSION] = image->head.e_version = EV_CURRENT;        \
		image->head.e_type = ET_DYN;                                                 \
		image->head.e_machine = machine;                                             \
		image->head.e_ehsize = sizeof(image->head);                                  \
		image->head.e_shentsize = sizeof(image->sections[0]);                        \
		image->head.e_shoff = offsetof(struct image##BITS, sections);                \
		image->head.e_shnum = 3;                                                     \
		image->head.e_shstrndx = 2;                                                  \
		memcpy(image->names + 1, ".eh_frame", sizeof(".eh_frame"));                  \
		image->sections[1].sh_name = 1;                                              \
		image->sections[1].sh_type = SHT_PROGBITS;                                   \
		image->sections[1].sh_flags = SHF_ALLOC;                                     \
		image->sections[1].sh_addr = (Elf##BITS##_Addr)addr;                         \
		image->sections[1].sh_offset = offsetof(struct image##BITS, data);           \
		image->sections[1].sh_size = (Elf##BITS##_Word)size;                         \
		image->sections[1].sh_addralign = 1;                                         \
		image->sections[2].sh_type = SHT_STRTAB;                                     \
		image->sections[2].sh_offset = offsetof(struct image##BITS, names);          \
		image->sections[2].sh_size = sizeof(image->names);                           \
		image->sections[2].sh_addralign = 1;                                         \
		return (char *)image;                                                        \
	}

FRAME_IMAGE(32)
FRAME_IMAGE(64)

/*
 * Addresses in an entry are relative to where it lies, so the section begins that much before it;
 * the CIE comes first, wherever it was: of addresses it has its personality only.
 */
static bool make_image(const struct scry_elf *e, uint64_t cie, size_t cie_size, uint64_t entry,
		       size_t entry_size, struct scry_cfi_entry *ret)
{
	size_t size = cie_size + entry_size + LENGTH, all = 0; /* a length of 0 ends it */
	uint32_t back = (uint32_t)(cie_size + LENGTH);

	ret->image = (e->is64 ? image_64 : image_32)(e->machine, entry - cie_size, size, &all);
	if (!ret->image)
		return false;
	char *data = ret->image + all - size;
	if (!scry_elf_read(e, cie, data, cie_size) ||
	    !scry_elf_read(e, entry, data + cie_size, entry_size))
		return false;
	memcpy(data + cie_size + LENGTH, &back, sizeof(back));
	ret->elf = elf_memory(ret->image, all);
	ret->cfi = ret->elf ? dwarf_getcfi_elf(ret->elf) : NULL;
	return ret->cfi;
}

bool scry_cfi_entry_open(const struct scry_elf *e, uint64_t vaddr, struct scry_cfi_entry *ret)
{
	uint64_t entry = 0;
	uint8_t back[LENGTH];

	*ret = (struct scry_cfi_entry) { NULL, NULL, NULL };
	if (e->big_endian || !search(e, vaddr, &entry) ||
	    !scry_elf_read(e, entry + LENGTH, back, sizeof(back)))
		return false;
	uint64_t cie = entry + LENGTH - scry_elf_load(e, back, LENGTH);
	size_t cie_size = size_at(e, cie), entry_size = size_at(e, entry);
	if (cie_size && entry_size && make_image(e, cie, cie_size, entry, entry_size, ret))
		return true;
	scry_cfi_entry_close(ret);
	return false;
}

void scry_cfi_entry_close(struct scry_cfi_entry *entry)
{
	if (entry->cfi)
		dwarf_cfi_end(entry->cfi);
	if (entry->elf)
		elf_end(entry->elf);
	free(entry->image);
	*entry = (struct scry_cfi_entry) { NULL, NULL, NULL };
}
