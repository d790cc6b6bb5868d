/* Modules out of the target's mappings. */
#include "symbol/list.h"

#include <elf.h>
#include <string.h>

#define LOW_ADDR 0x10000000u /* executables that are not position independent lie below */

static bool same_path(const struct scry_map *a, const struct scry_map *b)
{
	return a->path == b->path || (a->path && b->path && !strcmp(a->path, b->path));
}

/* Some debuggers (gdb before 12) do not give permissions: then nothing at all is executable. */
static bool knows_permissions(const struct scry_target *t)
{
	for (size_t i = 0; i < t->map_count; i++)
		if (t->maps[i].flags & SCRY_MAP_EXEC)
			return true;
	return false;
}

/* Does the file that begins at `first` have another mapping where its headers say it reaches? */
static bool mapped_again(struct scry_target *t, const struct scry_map *first,
			 const struct scry_elf *e)
{
	uint64_t low, high;

	if (!scry_elf_span(e, &low, &high))
		return false;
	for (size_t i = (size_t)(first - t->maps) + 1; i < t->map_count; i++) {
		if (t->maps[i].start >= e->bias + high)
			return false;
		if (same_path(&t->maps[i], first))
			return true;
	}
	return false;
}

/*
 * Did the loader map it, or is it a file mapped as data? The loader maps code of the same file,
 * executable. Code may have moved into memory of its own (huge pages): then something else of the
 * file is there. Without permissions the code must at least lie where the headers say.
 */
static bool is_loaded(struct scry_target *t, const struct scry_map *first, const struct scry_elf *e,
		      bool permissions)
{
	for (unsigned i = 0; i < e->count; i++) {
		const struct scry_segment *p = &e->segments[i];

		if (p->type != PT_LOAD || !(p->flags & PF_X) || !p->filesz)
			continue;
		const struct scry_map *map = scry_map_at(t, e->bias + p->vaddr);
		if (!map)
			return false;
		if (!same_path(map, first) && (map->path || !mapped_again(t, first, e)))
			return false;
		/*
		 * gcore leaves code out that files have: of such a mapping no permission is known
		 * at all
		 */
		if (permissions && map->flags & (SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_EXEC))
			return map->flags & SCRY_MAP_EXEC;
		return !same_path(map, first) ||
		       e->bias + p->vaddr - map->start + map->offset == p->offset;
	}
	return true;
}

/*
 * The header is not in the dump (coredump_filter without bit 4, a cut file): the run of mappings of
 * one file whose offsets rise is one image when some of it is executable. Returns the run's length.
 */
static size_t add_headless(struct scry_session *s, size_t first, bool permissions)
{
	struct scry_target *t = s->target;
	const struct scry_map *map = &t->maps[first];
	unsigned flags = map->flags;
	scry_addr end = map->end;
	size_t i = first + 1, last = first;

	for (; i < t->map_count; i++) {
		const struct scry_map *next = &t->maps[i];

		if (!next->path && next->start == end) {
			continue; /* .bss, or a hole */
		} else if (!same_path(map, next) || next->offset <= t->maps[last].offset) {
			break;
		}
		flags |= next->flags;
		end = next->end;
		last = i;
	}
	if (permissions && !(flags & SCRY_MAP_EXEC))
		return last - first + 1;
	struct scry_module *m = scry_module_add(s, map->path, map->start, end);
	if (m)
		m->bias = map->start < LOW_ADDR ? 0 : map->start - map->offset;
	return last - first + 1;
}

void scry_modules_from_maps(struct scry_session *s)
{
	struct scry_target *t = s->target;
	scry_addr end = 0; /* of the image that was added last: its further mappings lie below */
	bool permissions = knows_permissions(t);

	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *map = &t->maps[i];
		struct scry_elf e;

		if (!map->path || map->path[0] != '/' || map->start < end)
			continue;
		if (map->offset && !(map->flags & SCRY_MAP_EXEC))
			continue;
		int rc = map->offset ? SCRY_EFAULT : scry_elf_in_memory(s, map->start, &e);
		if (rc == SCRY_EFAULT) {
			i += add_headless(s, i, permissions) - 1;
			continue;
		}
		if (rc != SCRY_OK || !is_loaded(t, map, &e, permissions))
			continue;
		struct scry_module *m = scry_module_add_image(s, map->path, &e);
		if (m)
			end = m->end;
	}
}

/* The mapping of the file that the module begins with says where the file's addresses went. */
void scry_module_place(struct scry_module *m, const struct scry_elf *file)
{
	const struct scry_map *map = scry_map_at(m->session->target, m->start);
	uint64_t low, high;

	for (unsigned i = 0; !m->image && map && map->path && i < file->count; i++) {
		const struct scry_segment *p = &file->segments[i];

		if (p->type != PT_LOAD || map->offset < (p->offset & ~(uint64_t)4095) ||
		    map->offset >= p->offset + p->filesz)
			continue;
		m->bias = map->start - (p->vaddr - p->offset + map->offset);
		break;
	}
	if (!scry_elf_span(file, &low, &high))
		return;
	if (m->bias + low < m->start)
		m->start = m->bias + low;
	if (m->bias + high > m->end)
		m->end = m->bias + high;
}
