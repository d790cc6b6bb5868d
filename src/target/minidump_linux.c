/*
 * What Breakpad and crashpad add for a Linux process: copies of files of /proc, and the dynamic
 * linker's list. Layouts: MDRawDebug64 and MDRawLinkMap64 in Breakpad's minidump_format.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/minidump.h"

#define MAX_COMMAND 65536
#define MAX_LINE    8192
/* ELF program headers, elf.h */
enum { EI_CLASS = 4, PT_LOAD_ = 1, MAX_PROGRAM_HEADERS = 128 };

/* A line of /proc/PID/maps: "start-end perms offset major:minor inode   path". */
static bool parse_map(struct scry_target *t, const char *line, size_t len)
{
	char text[MAX_LINE], perms[5] = "", *path;
	unsigned major, minor;
	int at = 0;
	struct scry_map map = { 0 };

	len = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &map.start,
		   &map.end, perms, &map.offset, &major, &minor, &map.inode, &at) < 7 ||
	    !at || map.end <= map.start)
		return true;
	map.flags = (perms[0] == 'r' ? SCRY_MAP_READ : 0) | (perms[1] == 'w' ? SCRY_MAP_WRITE : 0) |
		    (perms[2] == 'x' ? SCRY_MAP_EXEC : 0);
	map.inode = 0; /* of the machine that crashed: of no use here */
	path = text + at + strspn(text + at, " ");
	size_t n = strlen(path);
	if (n > 10 && !strcmp(path + n - 10, " (deleted)")) {
		path[n -= 10] = '\0';
		map.deleted = true;
	}
	if (path[0] == '/') { /* "[heap]" and its like are anonymous */
		map.path = scry_arena_text(&t->keep, path, n);
		map.flags |= SCRY_MAP_FILE;
	}
	return scry_target_add_map(t, &map);
}

static bool load_proc_maps(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_MAPS);
	bool ok = true;

	while (ok && b.len) {
		const uint8_t *end = memchr(b.at, '\n', b.len);
		size_t n = end ? (size_t)(end - b.at) : b.len;

		ok = parse_map(md->t, (const char *)b.at, n);
		n += end ? 1 : 0;
		b.at += n;
		b.len -= n;
	}
	return ok;
}

static void load_command(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_CMD_LINE);

	if (b.len > MAX_COMMAND)
		b.len = MAX_COMMAND;
	while (b.len && b.at[b.len - 1] == '\0')
		b.len--;
	char *text = b.len ? scry_arena_text(&md->t->keep, (const char *)b.at, b.len) : NULL;
	for (size_t i = 0; text && i < b.len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	md->t->command = text ? text : md->t->command;
}

/* /proc/PID/status is that of the process: "Tgid:" is its pid. */
static void load_status(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_PROC_STATUS);
	static const char key[] = "\nTgid:";
	const char *p = b.at ? memmem(b.at, b.len, key, sizeof(key) - 1) : NULL;
	char number[24] = "";

	if (!p)
		return;
	p += sizeof(key) - 1;
	size_t left = b.len - (size_t)(p - (const char *)b.at);
	memcpy(number, p, left < sizeof(number) - 1 ? left : sizeof(number) - 1);
	long pid = strtol(number, NULL, 10);
	if (pid > 0)
		md->t->pid = pid;
}

static void load_auxv(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_AUXV);
	struct scry_target *t = md->t;
	unsigned size = t->abi.ptr_size;

	for (size_t i = 0; i + 2 * size <= b.len; i += 2 * size)
		scry_target_set_auxv(t, scry_md_addr(md, b.at + i),
				     scry_md_addr(md, b.at + i + size));
}

/* The segments of an ELF file whose headers are in the dump; *ret_count 0 where they are not. */
static bool add_segments(struct scry_minidump *md, scry_addr base, const char *path,
			 size_t *ret_count)
{
	uint8_t e[64], ph[56];
	bool is64 = md->t->abi.ptr_size == 8;

	*ret_count = 0;
	if (!scry_minidump_read(md, base, e, is64 ? 64 : 52) || memcmp(e, "\177ELF", 4) ||
	    e[EI_CLASS] != (is64 ? 2 : 1))
		return true;
	scry_addr at = base + scry_md_addr(md, e + (is64 ? 32 : 28));
	unsigned size = scry_md16(e + (is64 ? 54 : 42)), count = scry_md16(e + (is64 ? 56 : 44));
	scry_addr lowest = ~(scry_addr)0;
	for (unsigned i = 0; i < count && i < MAX_PROGRAM_HEADERS && size >= (is64 ? 56 : 32);
	     i++, at += size) {
		if (!scry_minidump_read(md, at, ph, is64 ? 56 : 32) || scry_md32(ph) != PT_LOAD_)
			continue;
		uint32_t flags = scry_md32(ph + (is64 ? 4 : 24));
		uint64_t offset = scry_md_addr(md, ph + (is64 ? 8 : 4));
		uint64_t vaddr = scry_md_addr(md, ph + (is64 ? 16 : 8));
		uint64_t filesz = scry_md_addr(md, ph + (is64 ? 32 : 16));
		uint64_t memsz = scry_md_addr(md, ph + (is64 ? 40 : 20));

		if (lowest == ~(scry_addr)0)
			lowest = vaddr & ~(uint64_t)4095;
		scry_addr start = base + (vaddr & ~(uint64_t)4095) - lowest, bias = base - lowest;
		scry_addr file_end = (bias + vaddr + filesz + 4095) & ~(uint64_t)4095;
		scry_addr end = (bias + vaddr + memsz + 4095) & ~(uint64_t)4095;
		if (end <= start || file_end < start || end - start > (uint64_t)1 << 40)
			continue;
		unsigned access = (flags & 4 ? SCRY_MAP_READ : 0) |
				  (flags & 2 ? SCRY_MAP_WRITE : 0) |
				  (flags & 1 ? SCRY_MAP_EXEC : 0);
		struct scry_map map = { start, file_end < end ? file_end : end,
					offset & ~(uint64_t)4095, access | SCRY_MAP_FILE, path };
		struct scry_map bss = { map.end, end, 0, access };
		if ((map.end > map.start && !scry_target_add_map(md->t, &map)) ||
		    (bss.end > bss.start && !scry_target_add_map(md->t, &bss)))
			return false;
		(*ret_count)++;
	}
	return true;
}

/*
 * crashpad writes no maps. What is known: the modules' places, and their program headers where
 * these are dumped.
 */
static bool maps_from_modules(struct scry_minidump *md)
{
	struct scry_target *t = md->t;
	bool ok = true;

	for (size_t i = 0; ok && i < t->module_count; i++) {
		const struct scry_target_module *m = &t->modules[i];
		size_t segments;

		ok = add_segments(md, m->start, m->path, &segments);
		struct scry_map whole = { m->start, m->end, 0,
					  SCRY_MAP_READ | SCRY_MAP_EXEC | SCRY_MAP_FILE, m->path };
		if (ok && !segments && m->path)
			ok = scry_target_add_map(t, &whole);
	}
	return ok;
}

/*
 * A name in the dynamic linker's list, a MINIDUMP_STRING, and its load address: a module if none is
 * known there.
 */
static bool add_linked(struct scry_minidump *md, scry_addr addr, uint64_t name)
{
	size_t segments;
	const char *path = scry_minidump_string(md, name);

	if (!path || !*path || !addr || scry_minidump_module_at(md, addr))
		return true;
	return add_segments(md, addr, path, &segments);
}

/*
 * Only where neither maps nor modules are there. The stream's members are padded as the writer's
 * compiler chose.
 */
static bool load_dso_debug(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_DSO_DEBUG);
	bool is64 = md->t->abi.ptr_size == 8, ok = true;

	if (b.len < 12)
		return true;
	size_t size = is64 ? 24 : 12;
	uint64_t count = scry_md32(b.at + 8);
	struct scry_blob list = scry_minidump_blob(md, scry_md32(b.at + 4), count * size);
	for (size_t i = 0; ok && i + size <= list.len; i += size)
		ok = add_linked(md, scry_md_addr(md, list.at + i),
				scry_md32(list.at + i + (is64 ? 8 : 4)));
	return ok;
}

/*
 * The executable by its entry point: the first module of Breakpad's list is the first of the maps.
 */
static void find_exe(struct scry_minidump *md)
{
	const struct scry_map *map = md->t->entry ? scry_map_at(md->t, md->t->entry) : NULL;

	if (map && map->path && map->path[0] == '/')
		md->t->exe = map->path;
}

int scry_minidump_load_linux(struct scry_minidump *md)
{
	struct scry_target *t = md->t;

	load_command(md);
	load_status(md);
	load_auxv(md);
	bool ok = load_proc_maps(md);
	if (ok && !t->map_count)
		ok = maps_from_modules(md) && load_dso_debug(md);
	if (!ok)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	scry_target_sort_maps(t);
	find_exe(md);
	return SCRY_OK;
}
