/* Which target memory is in a minidump, and what the mappings are. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "target/minidump.h"

/* MINIDUMP_MEMORY_DESCRIPTOR: start, size, rva; MINIDUMP_MEMORY_DESCRIPTOR64: start, size */
enum { DESCRIPTOR_SIZE = 16, DESCRIPTOR64_SIZE = 16, MEMORY64_HEADER = 16 };
/* MINIDUMP_MEMORY_INFO_LIST and MINIDUMP_MEMORY_INFO */
enum {
	I_HEADER = 16,
	I_SIZE = 48,
	I_REGION = 24,
	I_STATE = 32,
	I_PROTECT = 36,
	STATE_COMMIT = 0x1000
};
/* PAGE_*, winnt.h */
enum { PAGE_READ = 0xee, PAGE_WRITE = 0xcc, PAGE_EXEC = 0xf0, PAGE_GUARD = 0x100 };
/* Section headers: IMAGE_SECTION_HEADER and IMAGE_SCN_MEM_*, winnt.h */
enum {
	PE_NEW_HEADER = 0x3c,
	PE_SECTIONS = 6,
	PE_OPTIONAL_SIZE = 20,
	PE_OPTIONAL = 24,
	PE_SECTION_SIZE = 40,
	PE_MAX_SECTIONS = 96
};
#define SCN_EXECUTE 0x20000000u
#define SCN_READ    0x40000000u
#define SCN_WRITE   0x80000000u
/*
 * A list may name the same bytes of the file again and again; stacks twice is usual, more than this
 * is an attack.
 */
#define MAX_ALIASING 8

struct ranges {
	struct scry_md_range *at;
	size_t count, cap;
	uint64_t cut_ranges, cut_bytes;
};

/* Append what is inside the file; false when out of memory. */
static bool add_range(const struct scry_minidump *md, struct ranges *r, scry_addr start,
		      uint64_t len, uint64_t rva)
{
	uint64_t there = rva < md->size ? md->size - rva : 0, want = len;

	if (len > there)
		len = there;
	if (start >= SCRY_MD_USER_LIMIT || len > SCRY_MD_USER_LIMIT - start || want == 0)
		return true;
	if (len < want) {
		r->cut_ranges++;
		r->cut_bytes = want - len > UINT64_MAX - r->cut_bytes ? UINT64_MAX
								      : r->cut_bytes + (want - len);
	}
	if (len == 0)
		return true;
	if (r->count == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		struct scry_md_range *more = realloc(r->at, cap * sizeof(*more));

		if (!more)
			return false;
		r->at = more;
		r->cap = cap;
	}
	r->at[r->count++] = (struct scry_md_range) { start, len, rva };
	return true;
}

static bool add_memory64(const struct scry_minidump *md, struct ranges *r)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_MEMORY64);

	if (b.len < MEMORY64_HEADER)
		return true;
	uint64_t count = scry_md64(b.at), rva = scry_md64(b.at + 8);
	uint64_t fit = (b.len - MEMORY64_HEADER) / DESCRIPTOR64_SIZE;
	if (count > fit)
		scry_target_note(md->t,
				 "the minidump's list of memory is cut: %" PRIu64 " of %" PRIu64
				 " ranges are there",
				 fit, count);
	for (uint64_t i = 0; i < count && i < fit; i++) {
		const uint8_t *p = b.at + MEMORY64_HEADER + i * DESCRIPTOR64_SIZE;
		uint64_t len = scry_md64(p + 8);

		if (!add_range(md, r, scry_md_addr(md, p), len, rva))
			return false;
		if (len > UINT64_MAX - rva)
			break; /* no offset after that one makes sense */
		rva += len;
	}
	return true;
}

static bool add_memory32(const struct scry_minidump *md, struct ranges *r)
{
	struct scry_blob b;
	size_t n = scry_minidump_list(md, SCRY_MD_MEMORY, DESCRIPTOR_SIZE, &b);

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = b.at + i * DESCRIPTOR_SIZE;

		if (!add_range(md, r, scry_md_addr(md, p), scry_md32(p + 8), scry_md32(p + 12)))
			return false;
	}
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct scry_md_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->len > y->len ? -1 : x->len < y->len;
}

/* Ranges that overlap hold the same bytes: each keeps what no earlier one has. */
static size_t make_disjoint(struct scry_md_range *r, size_t count, uint64_t limit, bool *ret_cut)
{
	size_t out = 0;
	scry_addr end = 0;
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t covered = end > r[i].start ? end - r[i].start : 0;

		if (covered >= r[i].len)
			continue;
		struct scry_md_range cut = { r[i].start + covered, r[i].len - covered,
					     r[i].rva + covered };
		end = cut.start + cut.len;
		total += cut.len;
		if (total > limit) {
			*ret_cut = true;
			break;
		}
		if (out && r[out - 1].start + r[out - 1].len == cut.start &&
		    r[out - 1].rva + r[out - 1].len == cut.rva)
			r[out - 1].len += cut.len;
		else
			r[out++] = cut;
	}
	return out;
}

int scry_minidump_load_memory(struct scry_minidump *md)
{
	struct ranges r = { 0 };
	bool ok = add_memory64(md, &r) && add_memory32(md, &r), aliased = false;

	for (size_t i = 0; ok && i < md->stack_count; i++)
		if (md->stacks[i].rva)
			ok = add_range(md, &r, md->stacks[i].start, md->stacks[i].len,
				       md->stacks[i].rva);
	md->ranges = r.at;
	if (!ok)
		return scry_fail(md->t->session, SCRY_ENOMEM, 0, "out of memory");
	if (r.count)
		qsort(r.at, r.count, sizeof(*r.at), by_start);
	md->range_count = make_disjoint(r.at, r.count, (uint64_t)md->size * MAX_ALIASING, &aliased);
	if (r.cut_ranges)
		scry_target_note(md->t,
				 "the minidump is truncated: %" PRIu64
				 " of its memory ranges run past its end, "
				 "%" PRIu64 " bytes are missing",
				 r.cut_ranges, r.cut_bytes);
	if (aliased)
		scry_target_note(md->t,
				 "the minidump lists far more memory than it can hold: what lies "
				 "above 0x%" PRIx64 " is left out",
				 md->range_count ? md->ranges[md->range_count - 1].start : 0);
	return SCRY_OK;
}

/* The first range that ends after `addr`. */
static size_t range_after(const struct scry_minidump *md, scry_addr addr)
{
	size_t low = 0, high = md->range_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (md->ranges[mid].start + md->ranges[mid].len <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const uint8_t *scry_minidump_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	const struct scry_minidump *md = t->state;
	size_t i = range_after(md, addr);

	if (i == md->range_count || addr < md->ranges[i].start)
		return NULL;
	uint64_t into = addr - md->ranges[i].start;
	t->before = (size_t)into;
	*ret_len = (size_t)(md->ranges[i].len - into);
	return md->data + md->ranges[i].rva + into;
}

bool scry_minidump_read(const struct scry_minidump *md, scry_addr addr, void *buf, size_t len)
{
	for (size_t done = 0, n = 0; done < len; done += n) {
		const uint8_t *p = scry_minidump_view(md->t, addr + done, &n);

		if (!p)
			return false;
		n = n < len - done ? n : len - done;
		memcpy((uint8_t *)buf + done, p, n);
	}
	return true;
}

/* Where the module at `addr` ends or, between modules, the next one begins. */
static scry_addr module_edge(const struct scry_minidump *md, scry_addr addr)
{
	const struct scry_target *t = md->t;
	size_t low = 0, high = t->module_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->modules[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->module_count)
		return SCRY_MD_USER_LIMIT;
	return t->modules[low].start > addr ? t->modules[low].start : t->modules[low].end;
}

/* Between the ranges only a module's file has anything. */
bool scry_minidump_data(struct scry_target *t, scry_addr *at, scry_addr end, scry_addr *ret_end)
{
	const struct scry_minidump *md = t->state;

	while (*at < end) {
		size_t i = range_after(md, *at);
		const struct scry_md_range *r = i < md->range_count ? &md->ranges[i] : NULL;
		bool found = r && r->start <= *at;
		scry_addr stop = found ? r->start + r->len
				 : r   ? r->start
				       : end,
			  edge = found ? stop : module_edge(md, *at);

		stop = edge < stop ? edge : stop;
		*ret_end = stop < end ? stop : end;
		if (found || scry_minidump_module_at(md, *at))
			return true;
		*at = *ret_end;
	}
	return false;
}

/* Append mappings for the parts of a piece that none of the first `known` maps (sorted) covers. */
static bool fill_map(struct scry_minidump *md, size_t known, struct scry_map map)
{
	struct scry_target *t = md->t;
	size_t low = 0, high = known;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->maps[mid].end <= map.start)
			low = mid + 1;
		else
			high = mid;
	}
	while (map.start < map.end) {
		struct scry_map part = map;

		if (low < known && t->maps[low].start < part.end)
			part.end =
				t->maps[low].start > part.start ? t->maps[low].start : part.start;
		if (part.start < part.end && !scry_target_add_map(t, &part))
			return false;
		scry_addr next = low < known && part.end < map.end ? t->maps[low].end : map.end;
		map.offset += next - map.start;
		map.start = next;
		low++;
	}
	return true;
}

static struct scry_map map_in_module(const struct scry_minidump *md, scry_addr start, scry_addr end,
				     unsigned flags)
{
	struct scry_target_module *m = scry_minidump_module_at(md, start);
	struct scry_map map = { .start = start, .end = end, .flags = flags };

	if (m) {
		map.path = m->path;
		map.offset = start - m->start;
	}
	return map;
}

static unsigned protection(uint32_t protect)
{
	if (protect & PAGE_GUARD)
		return 0;
	return (protect & PAGE_READ ? SCRY_MAP_READ : 0) |
	       (protect & PAGE_WRITE ? SCRY_MAP_WRITE : 0) |
	       (protect & PAGE_EXEC ? SCRY_MAP_EXEC : 0);
}

static bool add_memory_info(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_MEMORY_INFO);

	if (b.len < I_HEADER)
		return true;
	uint64_t head = scry_md32(b.at), size = scry_md32(b.at + 4), count = scry_md64(b.at + 8);
	if (head < I_HEADER || head > b.len || size < I_SIZE)
		return true;
	for (uint64_t i = 0; i < count && i < (b.len - head) / size; i++) {
		const uint8_t *p = b.at + head + i * size;
		scry_addr start = scry_md_addr(md, p);
		uint64_t len = scry_md64(p + I_REGION);

		if (scry_md32(p + I_STATE) != STATE_COMMIT || !len || start >= SCRY_MD_USER_LIMIT ||
		    len > SCRY_MD_USER_LIMIT - start)
			continue;
		struct scry_map map =
			map_in_module(md, start, start + len, protection(scry_md32(p + I_PROTECT)));
		if (!scry_target_add_map(md->t, &map))
			return false;
	}
	return true;
}

/* Nothing says what is where in a module: all of it may be data. */
static bool add_whole(struct scry_minidump *md, size_t known, const struct scry_target_module *m)
{
	struct scry_map map = { m->start, m->end, 0,
				SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_GUESS, m->path };

	return fill_map(md, known, map);
}

/* A module's sections, where its headers are in the dump. */
static bool add_sections(struct scry_minidump *md, size_t known, const struct scry_target_module *m)
{
	uint8_t head[64], pe[PE_OPTIONAL], row[PE_SECTION_SIZE];

	if (!scry_minidump_read(md, m->start, head, sizeof(head)) || memcmp(head, "MZ", 2))
		return add_whole(md, known, m);
	scry_addr at = m->start + scry_md32(head + PE_NEW_HEADER);
	if (!scry_minidump_read(md, at, pe, sizeof(pe)) || memcmp(pe, "PE\0", 4))
		return add_whole(md, known, m);
	unsigned count = scry_md16(pe + PE_SECTIONS);
	at += PE_OPTIONAL + scry_md16(pe + PE_OPTIONAL_SIZE);
	for (unsigned i = 0; i < count && i < PE_MAX_SECTIONS; i++, at += PE_SECTION_SIZE) {
		if (!scry_minidump_read(md, at, row, sizeof(row)))
			return true;
		uint32_t size = scry_md32(row + 8), rva = scry_md32(row + 12),
			 scn = scry_md32(row + 36);
		uint64_t room = m->end - m->start;

		if (rva >= room || size == 0)
			continue;
		struct scry_map map = { .start = m->start + rva, .offset = rva, .path = m->path };
		map.end = map.start + (size < room - rva ? size : room - rva);
		map.flags = (scn & SCN_READ ? SCRY_MAP_READ : 0) |
			    (scn & SCN_WRITE ? SCRY_MAP_WRITE : 0) |
			    (scn & SCN_EXECUTE ? SCRY_MAP_EXEC : 0);
		if (!fill_map(md, known, map))
			return false;
	}
	return true;
}

/*
 * Dumped memory that no mapping names: what is not in a module is a heap or a stack, what is may
 * well be data.
 */
static bool add_dumped(struct scry_minidump *md)
{
	size_t known = md->t->map_count;

	for (size_t i = 0; i < md->range_count; i++) {
		scry_addr at = md->ranges[i].start, end = at + md->ranges[i].len;

		while (at < end) {
			scry_addr stop = module_edge(md, at);

			stop = stop < end ? stop : end;
			if (!fill_map(md, known,
				      map_in_module(md, at, stop, SCRY_MAP_READ | SCRY_MAP_WRITE)))
				return false;
			at = stop;
		}
	}
	return true;
}

int scry_minidump_load_maps(struct scry_minidump *md)
{
	struct scry_target *t = md->t;
	bool ok = t->map_count || add_memory_info(md);

	scry_target_sort_maps(t);
	size_t known = t->map_count;
	bool informed = scry_minidump_stream(md, SCRY_MD_MEMORY_INFO).at != NULL;
	for (size_t i = 0; ok && !informed && t->abi.windows && i < t->module_count; i++)
		ok = add_sections(md, known, &t->modules[i]);
	scry_target_sort_maps(t);
	ok = ok && add_dumped(md);
	scry_target_sort_maps(t);
	return ok ? SCRY_OK : scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
}

/*
 * Dumped bytes outside of modules and stacks: the heap, if there is one. Both lists are in address
 * order.
 */
static uint64_t heap_bytes(const struct scry_minidump *md)
{
	uint64_t total = 0;
	size_t k = 0;

	for (size_t i = 0; i < md->range_count; i++) {
		const struct scry_md_range *r = &md->ranges[i];

		while (k < md->stack_count && md->stacks[k].start + md->stacks[k].len <= r->start)
			k++;
		bool stack = k < md->stack_count && md->stacks[k].start < r->start + r->len;
		if (!stack && !scry_minidump_module_at(md, r->start))
			total += r->len;
	}
	return total;
}

void scry_minidump_advise(struct scry_minidump *md)
{
	struct scry_target *t = md->t;
	const char *how = md->linux_process
				  ? "for Python stacks take an ELF core (gcore PID, or ulimit -c "
				    "unlimited), or have the writer add all "
				    "memory"
				  : "for Python stacks ask for a full dump: WER LocalDumps with "
				    "DumpType 2, procdump -ma, or "
				    "MiniDumpWriteDump with MiniDumpWithFullMemory, or with "
				    "MiniDumpWithPrivateReadWriteMemory and MiniDumpWithDataSegs";

	if (md->flags & SCRY_MD_FULL_MEMORY || md->mac_process)
		return;
	if (md->stack_count)
		qsort(md->stacks, md->stack_count, sizeof(*md->stacks), by_start);
	uint64_t heap = heap_bytes(md);
	if (heap < 65536) {
		t->advice = scry_arena_printf(
			&t->keep, "this minidump holds the threads' stacks but no heap; %s", how);
		if (t->advice)
			scry_target_note(t, "%s", t->advice);
	} else if ((md->flags & SCRY_MD_PRIVATE_MEMORY) == 0) {
		t->advice = scry_arena_printf(
			&t->keep, "this minidump holds only %" PRIu64 " KiB of the heap; %s",
			heap / 1024, how);
	}
}
