/*
 * Matching files with modules: by build id, and without one by everything else that a dump still
 * has of the file.
 */
#include "symbol/match.h"

#include <elf.h>
#include <string.h>

#include "symbol/list.h"

#define MAX_DYNAMIC 512
#define PAGE_MASK   (~(uint64_t)4095)

/* Without build ids in either: the program headers of one build are the same. */
static bool same_segments(const struct scry_elf *a, const struct scry_elf *b)
{
	for (unsigned i = 0; i < a->count && a->count == b->count; i++) {
		const struct scry_segment *p = &a->segments[i], *q = &b->segments[i];

		if (p->type != q->type || p->vaddr != q->vaddr || p->filesz != q->filesz ||
		    p->memsz != q->memsz || p->offset != q->offset)
			return false;
	}
	return a->count == b->count;
}

/*
 * Where the file's segments must have gone, some of this file is mapped, with these offsets and
 * permissions.
 */
static bool fits_maps(struct scry_module *m, const struct scry_elf *file, scry_addr bias)
{
	struct scry_target *t = m->session->target;
	const struct scry_map *first = scry_map_at(t, m->start);

	for (unsigned i = 0; first && first->path && i < file->count; i++) {
		const struct scry_segment *p = &file->segments[i];

		if (p->type != PT_LOAD || !p->filesz)
			continue;
		scry_addr at = (bias + p->vaddr) & PAGE_MASK;
		const struct scry_map *map = scry_map_at(t, at);
		if (!map ||
		    (map->path && (strcmp(map->path, first->path) ||
				   at - map->start + map->offset != (p->offset & PAGE_MASK))))
			return false;
	}
	return true;
}

/*
 * The dynamic section is written by the loader and so is in every dump. Its sizes and addresses (of
 * the string table, the relocations, the hash table) differ between any two builds of some size.
 * Addresses may have been relocated.
 */
static bool same_dynamic(struct scry_module *m, const struct scry_elf *file, scry_addr bias)
{
	const struct scry_segment *p = scry_elf_segment(file, PT_DYNAMIC);
	unsigned word = file->is64 ? 8 : 4;

	for (unsigned i = 0; p && i < MAX_DYNAMIC && (i + 1) * 2 * word <= p->filesz; i++) {
		uint8_t ours[16], theirs[16];

		if (!scry_elf_read(file, p->vaddr + i * 2 * word, ours, 2 * word) ||
		    scry_read_some(m->session, bias + p->vaddr + i * 2 * word, theirs, 2 * word) !=
			    2 * word)
			return true; /* nothing to compare with */
		uint64_t tag = scry_elf_load(file, ours, word),
			 value = scry_elf_load(file, ours + word, word);
		uint64_t there = scry_elf_load(file, theirs + word, word);
		if (tag != scry_elf_load(file, theirs, word))
			return false;
		if (tag == DT_NULL)
			return true;
		if (tag != DT_DEBUG && there != value && there != value + bias && tag < DT_LOPROC)
			return false;
	}
	return true;
}

static const char *differs(struct scry_module *m, const char *found)
{
	return scry_arena_printf(&m->session->arena, "build id differs: it has %s, the target %s",
				 found[0] ? found : "none", m->build_id ? m->build_id : "none");
}

bool scry_match(struct scry_module *m, const struct scry_elf *file, const char **ret_why)
{
	const struct scry_elf *image = m->image;

	if (m->build_id) {
		bool same = !strcmp(m->build_id, file->build_id);

		if (!same)
			*ret_why = differs(m, file->build_id);
		return same;
	}
	if (image && !image->data && scry_elf_segment(image, PT_NOTE) == NULL &&
	    file->build_id[0]) {
		*ret_why = differs(m, file->build_id);
		return false;
	}
	struct scry_module probe = *m;
	if (!image)
		scry_module_place(&probe, file);
	if (image ? same_segments(image, file)
		  : fits_maps(m, file, probe.bias) && same_dynamic(m, file, probe.bias))
		return true;
	*ret_why = "its segments differ from those in the target";
	return false;
}
