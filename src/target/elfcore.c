/*
 * ELF cores: of the kernel, of gcore, of qemu. Structures as in elf.h (glibc) and fs/binfmt_elf.c
 * (Linux 6.1). The file is mapped; a view is a pointer into it. What was not dumped (p_filesz <
 * p_memsz) is left to the target's fallback.
 */
#include "target/elfcore.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

/* A program header of either class. */
struct phdr {
	uint32_t type, flags;
	uint64_t offset, start, filesz, memsz, align;
};

static uint64_t load(const struct scry_target *t, uint64_t at, unsigned size)
{
	const struct scry_elfcore *core = t->state;

	return scry_load(t->file + at, size, core->big_endian);
}

/* True where the file has `len` bytes at `at`. */
static bool has(const struct scry_target *t, uint64_t at, uint64_t len)
{
	return at <= t->file_size && len <= t->file_size - at;
}

static bool elfcore_probe(const uint8_t *head, size_t len)
{
	return len >= 18 && !memcmp(head, ELFMAG, SELFMAG) &&
	       (head[EI_DATA] == 1 || head[EI_DATA] == 2) &&
	       scry_load(head + 16, 2, head[EI_DATA] == ELFDATA2MSB) == ET_CORE;
}

static void read_phdr(const struct scry_target *t, uint64_t at, struct phdr *p)
{
	const struct scry_elfcore *core = t->state;

	if (core->is64)
		*p = (struct phdr) { .type = (uint32_t)load(t, at, 4),
				     .flags = (uint32_t)load(t, at + 4, 4),
				     .offset = load(t, at + 8, 8),
				     .start = load(t, at + 16, 8),
				     .filesz = load(t, at + 32, 8),
				     .memsz = load(t, at + 40, 8),
				     .align = load(t, at + 48, 8) };
	else
		*p = (struct phdr) { .type = (uint32_t)load(t, at, 4),
				     .flags = (uint32_t)load(t, at + 24, 4),
				     .offset = load(t, at + 4, 4),
				     .start = load(t, at + 8, 4),
				     .filesz = load(t, at + 16, 4),
				     .memsz = load(t, at + 20, 4),
				     .align = load(t, at + 28, 4) };
	/* nothing reaches over the end of the address space */
	if (p->memsz > UINT64_MAX - p->start)
		p->memsz = UINT64_MAX - p->start;
	if (p->filesz > p->memsz && p->type == PT_LOAD)
		p->filesz = p->memsz;
}

/* Where the program headers are. */
struct table {
	uint64_t at, count;
	unsigned stride;
};

/*
 * PN_XNUM: more segments than e_phnum can say; the count is in the first section header. The kernel
 * puts that at the end of the file, where a cut core lost it: then the notes, which follow the
 * headers, decide (elf_core_dump()).
 */
static uint64_t extended_count(const struct scry_target *t, const struct table *table)
{
	const struct scry_elfcore *core = t->state;
	uint64_t sections = load(t, core->is64 ? 0x28 : 0x20, core->is64 ? 8 : 4);
	unsigned info = core->is64 ? 0x2c : 0x1c;

	if (sections && has(t, sections, info + 4) && load(t, sections + info, 4) >= PN_XNUM)
		return load(t, sections + info, 4);
	for (uint64_t i = 0; has(t, table->at + i * table->stride, table->stride); i++) {
		struct phdr p;

		read_phdr(t, table->at + i * table->stride, &p);
		if (p.type == PT_NOTE && p.offset > table->at)
			return (p.offset - table->at) / table->stride;
	}
	return PN_XNUM;
}

static int find_table(struct scry_target *t, struct table *table)
{
	const struct scry_elfcore *core = t->state;
	unsigned least = core->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	table->at = load(t, core->is64 ? 0x20 : 0x1c, core->is64 ? 8 : 4);
	table->stride = (unsigned)load(t, core->is64 ? 0x36 : 0x2a, 2);
	table->count = load(t, core->is64 ? 0x38 : 0x2c, 2);
	if (table->stride < least)
		return scry_fail(t->session, SCRY_ECORRUPT, 0,
				 "%s: program headers of %u bytes, %u needed", t->path,
				 table->stride, least);
	if (!has(t, table->at, table->stride))
		return scry_fail(
			t->session, SCRY_ECORRUPT, 0,
			"%s: the core ends (at %zu bytes) before its program headers (at %" PRIu64
			")",
			t->path, t->file_size, table->at);
	if (table->count == PN_XNUM)
		table->count = extended_count(t, table);
	uint64_t there = (t->file_size - table->at) / table->stride;
	if (table->count > there) {
		scry_target_note(t,
				 "%s is cut: %" PRIu64 " of %" PRIu64 " segment headers are there",
				 t->path, there, table->count);
		table->count = there;
	}
	return SCRY_OK;
}

static int add_segment(struct scry_target *t, const struct phdr *p)
{
	struct scry_elfcore *core = t->state;
	uint64_t there = p->offset < t->file_size ? t->file_size - p->offset : 0;
	uint64_t len = p->filesz < there ? p->filesz : there;

	core->missing += p->filesz - len;
	if (len)
		core->segments[core->count++] =
			(struct scry_elf_segment) { p->start, len, p->offset };
	if (len < p->memsz)
		core->holes[core->hole_count++] =
			(struct scry_elf_hole) { p->start + len, p->start + p->memsz,
						 p->filesz > len };
	struct scry_map map = { .start = p->start,
				.end = p->start + p->memsz,
				.flags = p->flags & 7 };
	if (p->memsz && !scry_target_add_map(t, &map))
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	return SCRY_OK;
}

static int segment_order(const void *a, const void *b)
{
	const struct scry_elf_segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Address order, without what an earlier one covers. */
static void sort_segments(struct scry_elfcore *core)
{
	size_t kept = 0;
	scry_addr end = 0;
	bool sorted = true;

	for (size_t i = 1; i < core->count; i++)
		sorted = sorted && core->segments[i - 1].start <= core->segments[i].start;
	if (!sorted)
		qsort(core->segments, core->count, sizeof(*core->segments), segment_order);
	for (size_t i = 0; i < core->count; i++) {
		struct scry_elf_segment g = core->segments[i];
		uint64_t cut = g.start < end ? end - g.start : 0;

		if (cut >= g.len)
			continue;
		g.start += cut;
		g.offset += cut;
		g.len -= cut;
		end = g.start + g.len;
		core->segments[kept++] = g;
	}
	core->count = kept;
	core->segments[kept] = (struct scry_elf_segment) { 0 };
}

static int read_segments(struct scry_target *t)
{
	struct scry_elfcore *core = t->state;
	struct table table;
	int rc = find_table(t, &table);

	if (rc < 0)
		return rc;
	/* one more, empty: `last` may point at it */
	core->segments = calloc(table.count + 1, sizeof(*core->segments));
	core->holes = calloc(table.count + 1, sizeof(*core->holes));
	if (!core->segments || !core->holes)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	core->last = core->segments;
	for (uint64_t i = 0; i < table.count && rc >= 0; i++) {
		struct phdr p;

		read_phdr(t, table.at + i * table.stride, &p);
		if (p.type == PT_LOAD)
			rc = add_segment(t, &p);
		else if (p.type == PT_NOTE)
			rc = scry_elfcore_notes(t, p.offset, p.filesz, p.align == 8 ? 8 : 4);
	}
	sort_segments(core);
	return rc;
}

/*
 * Cut `piece` to what lies before the next border of `map`, and take over what `map` says where it
 * covers it.
 */
static bool cut_at(struct scry_map *piece, const struct scry_map *map)
{
	if (map->start > piece->start) {
		if (map->start < piece->end)
			piece->end = map->start;
		return false;
	}
	if (map->end < piece->end)
		piece->end = map->end;
	return true;
}

/*
 * t->maps = segments and NT_FILE's mappings together: the first know protection, the second files.
 * gcore leaves out code that it can find in files: only NT_FILE knows of that, and its protection
 * is unknown.
 */
static int merge_maps(struct scry_target *t)
{
	struct scry_elfcore *core = t->state;
	struct scry_map *loads = t->maps;
	size_t load_count = t->map_count, i = 0, j = 0;
	scry_addr at = 0;
	bool ok = true;

	t->maps = NULL;
	t->map_count = t->map_room = 0;
	while (ok && (i < load_count || j < core->file_count)) {
		const struct scry_map *load = i < load_count ? &loads[i] : NULL;
		const struct scry_map *file = j < core->file_count ? &core->files[j] : NULL;
		scry_addr first =
			load && (!file || load->start < file->start) ? load->start : file->start;
		struct scry_map piece = { .start = at > first ? at : first, .end = UINT64_MAX };

		if (load && cut_at(&piece, load))
			piece.flags = load->flags;
		if (file && cut_at(&piece, file)) {
			piece.flags |= SCRY_MAP_FILE;
			piece.offset = file->offset + (piece.start - file->start);
			piece.path = file->path;
			piece.deleted = file->deleted;
		}
		ok = scry_target_add_map(t, &piece);
		at = piece.end;
		i += load && load->end <= at;
		j += file && file->end <= at;
	}
	free(loads);
	return ok ? SCRY_OK : scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
}

/* The file that holds the program's entry, else what execve() was given. */
static void find_exe(struct scry_target *t)
{
	const struct scry_map *map = scry_map_at(t, t->entry);
	char text[4096];

	if (!map || !map->path)
		map = scry_map_at(t, t->phdr);
	if (map && map->path) {
		t->exe = map->path;
		return;
	}
	size_t len = 0, n;
	const uint8_t *p;
	while (t->execfn && len < sizeof(text) && (p = t->ops->view(t, t->execfn + len, &n))) {
		n = n < sizeof(text) - len ? n : sizeof(text) - len;
		memcpy(text + len, p, n);
		len += n;
		if (memchr(p, 0, n))
			break;
	}
	len = strnlen(text, len);
	if (len)
		t->exe = scry_arena_text(&t->keep, text, len);
}

/* Is there memory that no file is behind, such as stacks and heaps? */
static void look_for_private(struct scry_target *t)
{
	struct scry_elfcore *core = t->state;

	for (size_t i = 0; i < core->count && !core->has_private; i++) {
		const struct scry_map *map = scry_map_at(t, core->segments[i].start);

		core->has_private =
			map && (map->flags & SCRY_MAP_WRITE) && !(map->flags & SCRY_MAP_FILE);
	}
}

#define CUT_ADVICE "(ulimit -c unlimited lets it be written whole; or the disk was full)"

static void say_missing(struct scry_target *t)
{
	const struct scry_elfcore *core = t->state;

	if (core->missing >> 20)
		scry_target_note(
			t, "%s is cut: %" PRIu64 " MB of memory are missing at its end " CUT_ADVICE,
			t->path, core->missing >> 20);
	else if (core->missing)
		scry_target_note(t,
				 "%s is cut: %" PRIu64
				 " bytes of memory are missing at its end " CUT_ADVICE,
				 t->path, core->missing);
	else if (!core->has_private)
		scry_target_note(t,
				 "%s holds no private memory, so no stacks and no objects: "
				 "/proc/PID/coredump_filter said so; echo 0x33 > "
				 "/proc/self/coredump_filter in the shell that starts the program",
				 t->path);
	if (!t->thread_count)
		scry_target_note(t, "%s names no threads: it has no registers", t->path);
}

static int elfcore_open(struct scry_target *t)
{
	struct scry_elfcore *core = calloc(1, sizeof(*core));

	if (!core)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	t->state = core;
	core->is64 = t->file[EI_CLASS] == ELFCLASS64;
	core->big_endian = t->file[EI_DATA] == ELFDATA2MSB;
	if (!has(t, 0, core->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return scry_fail(t->session, SCRY_ECORRUPT, 0,
				 "%s: the core ends within its header (%zu bytes)", t->path,
				 t->file_size);
	unsigned machine = (unsigned)load(t, 18, 2);
	if (!scry_target_set_machine(t, machine, core->is64, core->big_endian))
		scry_target_note(
			t, "%s is of a machine (ELF number %u) whose registers are not known here",
			t->path, machine);
	int rc = read_segments(t);
	if (rc < 0)
		return rc;
	scry_target_sort_maps(t);
	rc = merge_maps(t);
	if (rc < 0)
		return rc;
	find_exe(t);
	look_for_private(t);
	say_missing(t);
	return SCRY_OK;
}

/* The place of the first one that ends after an address: behind the last stands an empty one. */
static size_t first_segment(const struct scry_elfcore *core, scry_addr addr)
{
	size_t low = 0, high = core->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct scry_elf_segment *g = &core->segments[mid];

		if (addr >= g->start && addr - g->start >= g->len)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_anonymous(struct scry_target *t, scry_addr addr)
{
	const struct scry_map *map = scry_map_at(t, addr);

	return map && (map->flags & SCRY_MAP_WRITE) && !(map->flags & SCRY_MAP_FILE);
}

/* What the dump lacks may be in mapped files: that is not a hole. */
static bool elfcore_data(struct scry_target *t, scry_addr *at, scry_addr end, scry_addr *ret_end)
{
	struct scry_elfcore *core = t->state;

	for (; *at < end; *at = *ret_end) {
		const struct scry_elf_segment *g = &core->segments[first_segment(core, *at)];
		bool found = *at - g->start < g->len;
		scry_addr stop = found ? g->start + g->len : g->len ? g->start : end;

		stop = *ret_end = stop < end ? stop : end;
		if (!found && is_anonymous(t, *at))
			continue;
		if (!found || t->file_fd < 0)
			return true;
		off_t base = (off_t)g->offset, from = base + (off_t)(*at - g->start);
		off_t data = lseek(t->file_fd, from, SEEK_DATA);
		if (data < 0 && errno != ENXIO) /* a file system that does not know holes */
			return true;
		if (data < 0 || (uint64_t)(data - base) >= stop - g->start)
			continue;
		off_t hole = lseek(t->file_fd, data, SEEK_HOLE);
		*at = g->start + (scry_addr)(data - base);
		*ret_end = hole < 0 || (uint64_t)(hole - base) > stop - g->start
				   ? stop
				   : g->start + (scry_addr)(hole - base);
		return true;
	}
	return false;
}

static const uint8_t *elfcore_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	struct scry_elfcore *core = t->state;
	const struct scry_elf_segment *g = core->last;

	if (addr - g->start >= g->len) {
		g = &core->segments[first_segment(core, addr)];
		if (addr - g->start >= g->len)
			return NULL;
		core->last = g;
	}
	t->before = (size_t)(addr - g->start);
	*ret_len = (size_t)(g->len - (addr - g->start));
	return t->file + g->offset + (addr - g->start);
}

/* What is in the file, holes left out: the kernel writes no page that was never touched. */
static bool elfcore_present(struct scry_target *t, scry_addr start, scry_addr end, uint64_t *ret)
{
	const struct scry_elfcore *core = t->state;

	*ret = 0;
	for (size_t i = first_segment(core, start); i < core->count; i++) {
		const struct scry_elf_segment *g = &core->segments[i];
		scry_addr at = g->start > start ? g->start : start, stop,
			  last = g->start + g->len < end ? g->start + g->len : end;

		if (g->start >= end)
			break;
		for (; at < last && elfcore_data(t, &at, last, &stop); at = stop)
			*ret += stop - at;
	}
	return true;
}

static enum scry_hole elfcore_hole(struct scry_target *t, scry_addr addr, scry_addr *ret_end)
{
	const struct scry_elfcore *core = t->state;
	size_t low = 0, high = core->hole_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr >= core->holes[mid].end)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == core->hole_count || addr < core->holes[low].start) {
		*ret_end = low < core->hole_count ? core->holes[low].start : UINT64_MAX;
		return SCRY_HOLE_NONE;
	}
	*ret_end = core->holes[low].end;
	if (core->holes[low].cut)
		return SCRY_HOLE_CUT;
	return is_anonymous(t, addr) && core->has_private ? SCRY_HOLE_UNTOUCHED
							  : SCRY_HOLE_LEFT_OUT;
}

static void elfcore_close(struct scry_target *t)
{
	struct scry_elfcore *core = t->state;

	if (!core)
		return;
	free(core->segments);
	free(core->holes);
	free(core->files);
	free(core);
}

const struct scry_target_ops scry_target_elfcore = {
	.name = "elf-core",
	.probe = elfcore_probe,
	.open = elfcore_open,
	.view = elfcore_view,
	.hole = elfcore_hole,
	.data = elfcore_data,
	.present = elfcore_present,
	.close = elfcore_close,
};
