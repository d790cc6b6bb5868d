/**
 * Inside the minidump target (private to src/target/minidump*.c). The format: minidumpapiset.h of
 * the Windows SDK (MINIDUMP_HEADER, MINIDUMP_DIRECTORY, ...), Breakpad's minidump_format.h for what
 * Linux adds. All of it is little endian and packed by hand; every offset is checked against the
 * file.
 */
#ifndef SCRY_MINIDUMP_H
#define SCRY_MINIDUMP_H

#include "target/target.h"

/** MINIDUMP_DIRECTORY.StreamType. */
enum scry_minidump_stream {
	SCRY_MD_THREADS = 3,
	SCRY_MD_MODULES = 4,
	SCRY_MD_MEMORY = 5,
	SCRY_MD_EXCEPTION = 6,
	SCRY_MD_SYSTEM = 7,
	SCRY_MD_THREADS_EX = 8,
	SCRY_MD_MEMORY64 = 9,
	SCRY_MD_MISC = 15,
	SCRY_MD_MEMORY_INFO = 16,
	SCRY_MD_THREAD_NAMES = 24,
	/* Breakpad's, Linux only; LINUX_CPU_INFO is 0x47670003 */
	SCRY_MD_PROC_STATUS = 0x47670004,
	SCRY_MD_CMD_LINE = 0x47670006,
	SCRY_MD_AUXV = 0x47670008,
	SCRY_MD_MAPS = 0x47670009,
	SCRY_MD_DSO_DEBUG = 0x4767000a,
};

/** Above the user addresses of all our machines. */
#define SCRY_MD_USER_LIMIT ((scry_addr)1 << 56)

/** MINIDUMP_HEADER.Flags: MINIDUMP_TYPE. */
enum { SCRY_MD_DATA_SEGS = 1, SCRY_MD_FULL_MEMORY = 2, SCRY_MD_PRIVATE_MEMORY = 0x200 };

/** SystemInfo.PlatformId: VER_PLATFORM_WIN32_*, then Breakpad's MD_OS_*. */
enum {
	SCRY_MD_OS_NT = 2,
	SCRY_MD_OS_CE = 3,
	SCRY_MD_OS_MAC = 0x8101,
	SCRY_MD_OS_IOS = 0x8102,
	SCRY_MD_OS_LINUX = 0x8201,
	SCRY_MD_OS_ANDROID = 0x8203
};

/** Bytes of the file; `at` NULL: none. */
struct scry_blob {
	const uint8_t *at;
	size_t len;
};

/** A piece of target memory that is in the file. */
struct scry_md_range {
	scry_addr start;
	uint64_t len;
	uint64_t rva;
};

/** t->state of a minidump. */
struct scry_minidump {
	struct scry_target *t;
	const uint8_t *data;
	size_t size;
	struct scry_blob directory;
	uint64_t flags;
	bool linux_process, mac_process;
	struct scry_md_range *ranges; /* sorted, disjoint, inside the file */
	size_t range_count;
	struct scry_md_range *stacks; /* one per thread, in its order; rva is not used */
	size_t stack_count;
};

/** `len` bytes at `rva`, cut at the end of the file. */
struct scry_blob scry_minidump_blob(const struct scry_minidump *md, uint64_t rva, uint64_t len);
/** The first stream of that type, cut at the end of the file. */
struct scry_blob scry_minidump_stream(const struct scry_minidump *md, uint32_t type);
/** What a MINIDUMP_LOCATION_DESCRIPTOR (size, rva) at `at` names. */
struct scry_blob scry_minidump_location(const struct scry_minidump *md, const uint8_t *at);
/**
 * The records of a list that begins with a 32-bit count (which some writers pad to eight bytes), as
 * far as they are in the file; that there are fewer than counted is noted. Returns how many.
 */
size_t scry_minidump_list(const struct scry_minidump *md, uint32_t type, size_t record,
			  struct scry_blob *ret);
uint16_t scry_md16(const uint8_t *p);
uint32_t scry_md32(const uint8_t *p);
uint64_t scry_md64(const uint8_t *p);
/** An address of the target at `p`: 32-bit ones may be sign-extended. */
scry_addr scry_md_addr(const struct scry_minidump *md, const uint8_t *p);
/** The MINIDUMP_STRING at `rva`, or NULL. */
const char *scry_minidump_string(const struct scry_minidump *md, uint64_t rva);
/** Copy target memory from the ranges; true when all of it is there. */
bool scry_minidump_read(const struct scry_minidump *md, scry_addr addr, void *buf, size_t len);
const uint8_t *scry_minidump_view(struct scry_target *t, scry_addr addr, size_t *ret_len);
bool scry_minidump_data(struct scry_target *t, scry_addr *at, scry_addr end, scry_addr *ret_end);
struct scry_target_module *scry_minidump_module_at(const struct scry_minidump *md, scry_addr addr);

/* Each reads its streams into the target; negative only when out of memory. */
/* the ranges; needs the threads' stacks */
int scry_minidump_load_memory(struct scry_minidump *md);
int scry_minidump_load_modules(struct scry_minidump *md); /* needs the ranges */
int scry_minidump_load_threads(struct scry_minidump *md);
int scry_minidump_load_maps(struct scry_minidump *md); /* needs ranges and modules */
/* maps, command line, auxiliary vector, pid */
int scry_minidump_load_linux(struct scry_minidump *md);
/** Set t->advice, and note it where the dump has nothing but stacks. */
void scry_minidump_advise(struct scry_minidump *md);

#endif
