/*
 * Minidumps: the header, the streams, the process; memory, threads and modules are in minidump_*.c.
 */
#include "target/minidump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "registry.h"

/* MINIDUMP_HEADER */
enum { HEADER_SIZE = 32, H_STREAMS = 8, H_DIRECTORY = 12, H_TIME = 20, H_FLAGS = 24 };
/* MINIDUMP_DIRECTORY: type, location (size, rva) */
enum { DIRECTORY_SIZE = 12 };
/* MINIDUMP_SYSTEM_INFO */
enum { S_ARCHITECTURE = 0, S_PLATFORM = 20, S_SIZE = 24 };
/* MINIDUMP_MISC_INFO */
enum { M_FLAGS = 4, M_PID = 8, M_STARTED = 12, M_SIZE = 24, M_HAS_PID = 1, M_HAS_TIMES = 2 };
/* PROCESSOR_ARCHITECTURE_* that mean the same as another; 0x8003 is Breakpad's first ARM64 */
enum {
	MACHINE_I386 = 0,
	MACHINE_AMD64 = 9,
	MACHINE_I386_ON_64 = 10,
	MACHINE_ARM64 = 12,
	MACHINE_ARM64_OLD = 0x8003
};
/* Longer names are cut: MAX_PATH is 260, and NT's own limit 32767 units. */
#define STRING_LIMIT 65536
/* All TEBs name the same PEB; one that is in the dump will do. */
#define MAX_TEBS 256

uint16_t scry_md16(const uint8_t *p)
{
	return (uint16_t)scry_load(p, 2, false);
}

uint32_t scry_md32(const uint8_t *p)
{
	return (uint32_t)scry_load(p, 4, false);
}

uint64_t scry_md64(const uint8_t *p)
{
	return scry_load(p, 8, false);
}

scry_addr scry_md_addr(const struct scry_minidump *md, const uint8_t *p)
{
	return md->t->abi.ptr_size == 4 ? scry_md32(p) : scry_md64(p);
}

struct scry_blob scry_minidump_blob(const struct scry_minidump *md, uint64_t rva, uint64_t len)
{
	if (rva == 0 || rva >= md->size || len == 0)
		return (struct scry_blob) { NULL, 0 };
	if (len > md->size - rva)
		len = md->size - rva;
	return (struct scry_blob) { md->data + rva, (size_t)len };
}

struct scry_blob scry_minidump_location(const struct scry_minidump *md, const uint8_t *at)
{
	return scry_minidump_blob(md, scry_md32(at + 4), scry_md32(at));
}

struct scry_blob scry_minidump_stream(const struct scry_minidump *md, uint32_t type)
{
	for (size_t i = 0; i + DIRECTORY_SIZE <= md->directory.len; i += DIRECTORY_SIZE)
		if (scry_md32(md->directory.at + i) == type)
			return scry_minidump_location(md, md->directory.at + i + 4);
	return (struct scry_blob) { NULL, 0 };
}

size_t scry_minidump_list(const struct scry_minidump *md, uint32_t type, size_t record,
			  struct scry_blob *ret)
{
	struct scry_blob b = scry_minidump_stream(md, type);

	if (b.len < 4)
		return 0;
	uint64_t want = scry_md32(b.at);
	size_t head = b.len == 8 + want * record ? 8 : 4;
	size_t count = (b.len - head) / record;
	if (want <= count)
		count = (size_t)want;
	else
		scry_target_note(md->t,
				 "stream %" PRIu32 " of the minidump is cut: %zu of %" PRIu64
				 " records are there",
				 type, count, want);
	*ret = (struct scry_blob) { b.at + head, count * record };
	return count;
}

static const char *utf16(const struct scry_minidump *md, const uint8_t *text, size_t bytes)
{
	struct scry_buf b = SCRY_BUF_INIT;

	for (size_t i = 0; i + 2 <= bytes; i += 2) {
		unsigned c = scry_md16(text + i);
		unsigned low = i + 4 <= bytes ? scry_md16(text + i + 2) : 0;

		if (c == 0)
			break;
		if (c >> 10 == 0x36 && low >> 10 == 0x37) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			i += 2;
		}
		scry_buf_put_char(&b, c);
	}
	const char *copy = b.failed ? NULL : scry_arena_text(&md->t->keep, b.text, b.len);
	scry_buf_done(&b);
	return copy;
}

const char *scry_minidump_string(const struct scry_minidump *md, uint64_t rva)
{
	struct scry_blob length = scry_minidump_blob(md, rva, 4);

	if (length.len < 4)
		return NULL;
	uint32_t bytes = scry_md32(length.at);
	struct scry_blob text =
		scry_minidump_blob(md, rva + 4, bytes < STRING_LIMIT ? bytes : STRING_LIMIT);
	return text.at ? utf16(md, text.at, text.len) : NULL;
}

static bool minidump_probe(const uint8_t *head, size_t len)
{
	return len >= HEADER_SIZE && !memcmp(head, "MDMP", 4);
}

static void note_cut_streams(struct scry_minidump *md)
{
	unsigned cut = 0;
	uint32_t first = 0;

	for (size_t i = 0; i + DIRECTORY_SIZE <= md->directory.len; i += DIRECTORY_SIZE) {
		const uint8_t *p = md->directory.at + i;

		if (scry_md32(p) == 0 || (uint64_t)scry_md32(p + 8) + scry_md32(p + 4) <= md->size)
			continue;
		first = cut++ ? first : scry_md32(p);
	}
	if (cut)
		scry_target_note(md->t,
				 "the minidump is truncated: %u of its streams, stream %" PRIu32
				 " first, are cut or not there",
				 cut, first);
}

static int load_directory(struct scry_minidump *md)
{
	struct scry_session *s = md->t->session;

	if (md->size < HEADER_SIZE)
		return scry_fail(s, SCRY_ECORRUPT, 0, "not a minidump: only %zu bytes", md->size);
	uint32_t count = scry_md32(md->data + H_STREAMS), rva = scry_md32(md->data + H_DIRECTORY);
	md->flags = scry_md64(md->data + H_FLAGS);
	md->directory = scry_minidump_blob(md, rva, (uint64_t)count * DIRECTORY_SIZE);
	if (md->directory.len < DIRECTORY_SIZE)
		return scry_fail(s, SCRY_ECORRUPT, 0,
				 "the minidump has no stream directory (%" PRIu32
				 " streams at 0x%" PRIx32 " of %zu bytes)",
				 count, rva, md->size);
	if (md->directory.len / DIRECTORY_SIZE < count)
		scry_target_note(md->t,
				 "the minidump's stream directory is cut: %zu of %" PRIu32
				 " entries are there",
				 md->directory.len / DIRECTORY_SIZE, count);
	note_cut_streams(md);
	return SCRY_OK;
}

static const struct scry_arch *find_arch(unsigned machine)
{
	if (machine == MACHINE_ARM64_OLD)
		machine = MACHINE_ARM64;
	if (machine == MACHINE_I386_ON_64)
		machine = MACHINE_I386;
	for (size_t i = 0; scry_architectures[i]; i++)
		if (scry_architectures[i]->minidump_machine == machine)
			return scry_architectures[i];
	return NULL;
}

/*
 * No SystemInfo, no architecture: the size of a thread's CONTEXT tells (winnt.h: AMD64 1232, i386
 * 716).
 */
static unsigned guess_machine(const struct scry_minidump *md)
{
	struct scry_blob b;
	size_t n = scry_minidump_list(md, SCRY_MD_THREADS, 48, &b);
	uint32_t size = n ? scry_md32(b.at + 40) : 0;

	return size == 716                  ? MACHINE_I386
	       : size == 912 || size == 796 ? MACHINE_ARM64
					    : MACHINE_AMD64;
}

static void load_system(struct scry_minidump *md)
{
	struct scry_target *t = md->t;
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_SYSTEM);
	unsigned machine = b.len >= S_SIZE ? scry_md16(b.at + S_ARCHITECTURE) : guess_machine(md);
	uint32_t platform = b.len >= S_SIZE ? scry_md32(b.at + S_PLATFORM) : SCRY_MD_OS_NT;
	const struct scry_arch *arch = find_arch(machine);

	if (b.len < S_SIZE)
		scry_target_note(t, "the minidump has no SystemInfo: taken for %s Windows",
				 arch ? arch->name : "64-bit");
	if (!arch)
		scry_target_note(
			t, "the minidump's processor architecture %u is not known: memory only",
			machine);
	md->linux_process = platform == SCRY_MD_OS_LINUX || platform == SCRY_MD_OS_ANDROID;
	md->mac_process = platform == SCRY_MD_OS_MAC || platform == SCRY_MD_OS_IOS;
	bool is64 = !arch || arch->ptr_size == 8;
	scry_target_set_machine(t, arch ? arch->elf_machine : 0, is64, false);
	if (platform > SCRY_MD_OS_CE) {
		if (md->mac_process)
			scry_target_note(
				t, "a macOS minidump (Breakpad's or Crashpad's): programs of "
				   "macOS are not understood here, only its threads and memory");
		else if (!md->linux_process)
			scry_target_note(t,
					 "the minidump's platform 0x%" PRIx32
					 " is neither Windows nor Linux",
					 platform);
		return;
	}
	t->abi = (struct scry_abi) { .ptr_size = is64 ? 8 : 4,
				     .long_size = 4,
				     .align8 = 8,
				     .wchar_size = 2,
				     .long_double = 8,
				     .windows = true };
}

static void load_misc(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_MISC);

	md->t->taken = scry_md32(md->data + H_TIME);
	if (b.len < M_SIZE)
		return;
	if (scry_md32(b.at + M_FLAGS) & M_HAS_PID)
		md->t->pid = scry_md32(b.at + M_PID);
	if (scry_md32(b.at + M_FLAGS) & M_HAS_TIMES)
		md->t->started = scry_md32(b.at + M_STARTED);
}

/* A UNICODE_STRING (ntdef.h) in target memory. */
static const char *unicode_string(const struct scry_minidump *md, scry_addr at)
{
	unsigned ptr = md->t->abi.ptr_size;
	uint8_t head[16], text[8192];

	if (!scry_minidump_read(md, at, head, 2 * ptr))
		return NULL;
	size_t bytes = scry_md16(head);
	if (bytes > sizeof(text))
		bytes = sizeof(text);
	if (!bytes || !scry_minidump_read(md, scry_md_addr(md, head + ptr), text, bytes))
		return NULL;
	return utf16(md, text, bytes);
}

static bool read_ptr(const struct scry_minidump *md, scry_addr at, scry_addr *ret)
{
	uint8_t bytes[8];

	if (!scry_minidump_read(md, at, bytes, md->t->abi.ptr_size))
		return false;
	*ret = scry_md_addr(md, bytes);
	return *ret != 0;
}

/*
 * TEB -> PEB -> RTL_USER_PROCESS_PARAMETERS, winternl.h and the public PDBs of ntdll; the same from
 * NT 5.1 to NT 10. A dump without these pages leaves the command line unknown.
 */
static void load_process_parameters(struct scry_minidump *md)
{
	struct scry_target *t = md->t;
	bool is64 = t->abi.ptr_size == 8;
	scry_addr peb = 0, base, params;

	for (size_t i = 0; i < t->thread_count && i < MAX_TEBS && !peb; i++)
		if (!t->threads[i].tls ||
		    !read_ptr(md, t->threads[i].tls + (is64 ? 0x60 : 0x30), &peb))
			peb = 0;
	if (!peb)
		return;
	if (read_ptr(md, peb + (is64 ? 0x10 : 8), &base)) {
		struct scry_target_module *m = scry_minidump_module_at(md, base);

		t->exe = m ? m->path : t->exe;
	}
	if (read_ptr(md, peb + (is64 ? 0x20 : 0x10), &params))
		t->command = unicode_string(md, params + (is64 ? 0x70 : 0x40));
}

static int load_all(struct scry_minidump *md)
{
	int rc = load_directory(md);

	if (rc < 0)
		return rc;
	load_system(md);
	load_misc(md);
	if ((rc = scry_minidump_load_threads(md)) < 0 || (rc = scry_minidump_load_memory(md)) < 0 ||
	    (rc = scry_minidump_load_modules(md)) < 0)
		return rc;
	if (md->linux_process && (rc = scry_minidump_load_linux(md)) < 0)
		return rc;
	if ((rc = scry_minidump_load_maps(md)) < 0)
		return rc;
	if (md->t->abi.windows)
		load_process_parameters(md);
	scry_minidump_advise(md);
	return SCRY_OK;
}

static int minidump_open(struct scry_target *t)
{
	struct scry_minidump *md = calloc(1, sizeof(*md));

	if (!md)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	t->state = md; /* freed by close, also when this fails */
	md->t = t;
	md->data = t->file;
	md->size = t->file_size;
	return load_all(md);
}

static void minidump_close(struct scry_target *t)
{
	struct scry_minidump *md = t->state;

	if (!md)
		return;
	free(md->ranges);
	free(md->stacks);
	free(md);
	t->state = NULL;
}

const struct scry_target_ops scry_target_minidump = {
	.name = "minidump",
	.probe = minidump_probe,
	.open = minidump_open,
	.view = scry_minidump_view,
	.data = scry_minidump_data,
	.close = minidump_close,
};
