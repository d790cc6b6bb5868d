/**
 * Libraries that few targets need, loaded only for those: what they pull in would take a third of
 * the time that an ordinary core takes. Their headers are those of the build; the functions are
 * called through a table per library.
 */
#ifndef SCRY_LIBRARY_H
#define SCRY_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>
#include <capstone/capstone.h>

/* What is called of each. */
/* clang-format off */
#define SCRY_ARCHIVE_FUNCTIONS(X) \
	X(archive_read_new) X(archive_read_free) X(archive_read_support_filter_all) \
	X(archive_read_support_filter_gzip) X(archive_read_support_filter_bzip2) \
	X(archive_read_support_filter_xz) X(archive_read_support_filter_zstd) \
	X(archive_read_support_filter_lz4) X(archive_read_support_format_raw) \
	X(archive_read_support_format_zip) X(archive_read_open_fd) \
	X(archive_read_open_memory) X(archive_read_next_header) X(archive_read_data) \
	X(archive_read_data_block) X(archive_entry_pathname) X(archive_error_string) \
	X(archive_filter_bytes)
/* clang-format on */
#define SCRY_CAPSTONE_FUNCTIONS(X) \
	X(cs_open) X(cs_close) X(cs_option) X(cs_disasm) X(cs_free) X(cs_insn_group)

#define SCRY_LINKED            __attribute__((weak, visibility("hidden")))
#define SCRY_LIBRARY_MEMBER(f) __typeof__(f) *f;
/** The functions of libarchive; those of capstone. */
struct scry_archive_library {
	SCRY_ARCHIVE_FUNCTIONS(SCRY_LIBRARY_MEMBER)
};
struct scry_capstone_library {
	SCRY_CAPSTONE_FUNCTIONS(SCRY_LIBRARY_MEMBER)
};

/**
 * In a statically linked program the functions are linked in, and these tables name them
 * (src/cli/linked.c); elsewhere the tables do not exist, and their addresses are NULL.
 */
extern const struct scry_archive_library scry_archive_linked SCRY_LINKED;
extern const struct scry_capstone_library scry_capstone_linked SCRY_LINKED;

/** The library's functions; NULL where it is not installed. Each call returns the same. */
const struct scry_archive_library *scry_archive_library(void);
const struct scry_capstone_library *scry_capstone_library(void);

#endif
