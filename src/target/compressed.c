/*
 * Compressed dumps, through libarchive's raw format, streamed into an unlinked sparse temporary
 * file: cores are mapped, and read all over the place, so that seeking in compressed data would
 * cost more than the disk space.
 */
#include "target/dumpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/loadable.h"
#include "base/progress.h"

/* left free on the temporary file system */
#define RESERVE ((uint64_t)64 << 20)
#define PAGE    4096
/*
 * A dump of mostly untouched memory packs well, but what is all zeros is not a dump: beyond so many
 * bytes, one that unpacks to more than so many times its size is left there.
 */
#define MUCH  ((uint64_t)3 << 29)
#define RATIO 250

static const struct {
	const char *name;
	uint8_t len;
	char magic[7];
} packers[] = {
	{ "gzip", 2, "\x1f\x8b" },
	{ "bzip2", 3, "BZh" },
	{ "xz", 6,
	  "\xfd"
	  "7zXZ\0" },
	{ "zstd", 4, "\x28\xb5\x2f\xfd" },
	{ "lz4", 4, "\x04\x22\x4d\x18" },
	{ "lz4", 4, "\x02\x21\x4c\x18" }, /* the legacy format of `lz4 -l` */
};

static const char *packer_of(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < sizeof(packers) / sizeof(*packers); i++)
		if (len >= packers[i].len && !memcmp(head, packers[i].magic, packers[i].len))
			return packers[i].name;
	return NULL;
}

static int open_temporary(struct scry_target *t)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];

	if (!dir || !*dir)
		dir = "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* a file system without O_TMPFILE */
	if ((size_t)snprintf(path, sizeof(path), "%s/pyscry-XXXXXX", dir) < sizeof(path))
		fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return scry_fail_errno(t->session,
				       "cannot make a temporary file in %s to unpack %s", dir,
				       t->path);
	unlink(path);
	return fd;
}

static uint64_t free_space(int fd)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return UINT64_MAX;
	uint64_t bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return bytes > RESERVE ? bytes - RESERVE : 0;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return len && p[0] == 0 && !memcmp(p, p + 1, len - 1);
}

static bool write_at(int fd, const uint8_t *p, size_t len, uint64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

struct unpack {
	struct scry_target *t;
	const char *packer;
	int fd;
	uint64_t packed; /* bytes of the file; 0: not known */
	uint64_t size;   /* unpacked so far */
	uint64_t room;   /* bytes that may still be written */
	const struct scry_archive_library *lib;
};

static int put_run(struct unpack *u, const uint8_t *p, size_t len, uint64_t at)
{
	if (len > u->room)
		return scry_fail(u->t->session, SCRY_ELIMIT, 0,
				 "no space to unpack %s after %" PRIu64
				 " MB: set TMPDIR to a larger disk",
				 u->t->path, at >> 20);
	if (!write_at(u->fd, p, len, at))
		return scry_fail_errno(u->t->session, "cannot unpack %s", u->t->path);
	u->room -= len;
	return SCRY_OK;
}

/* Write a block, leaving holes where whole pages are zero: what lies between them at once. */
static int put_block(struct unpack *u, const uint8_t *p, size_t len, uint64_t at)
{
	size_t begin = 0, n;
	int rc = SCRY_OK;

	for (size_t i = 0; i < len && rc == SCRY_OK; i += n) {
		n = PAGE - (size_t)((at + i) % PAGE);
		n = n < len - i ? n : len - i;
		if (!is_zero(p + i, n))
			continue;
		if (i > begin)
			rc = put_run(u, p + begin, i - begin, at + begin);
		begin = i + n;
	}
	if (rc == SCRY_OK && len > begin)
		rc = put_run(u, p + begin, len - begin, at + begin);
	u->size = at + len;
	return rc;
}

/* Is it a bomb? Then what came so far is used. */
static bool is_too_much(struct unpack *u, struct archive *a)
{
	uint64_t packed = (uint64_t)u->lib->archive_filter_bytes(a, -1);

	if (u->size < MUCH || u->size / RATIO < packed)
		return false;
	scry_target_note(
		u->t,
		"%s (%s) unpacks to %" PRIu64 " times its size (%" PRIu64 " MB out of %" PRIu64
		" MB so far): the rest was left out; where it really is a dump, unpack it with "
		"%s first",
		u->t->path, u->packer, u->size / (packed ? packed : 1), u->size >> 20,
		(packed >> 20) + 1, u->packer);
	return true;
}

static int copy_blocks(struct unpack *u, struct archive *a)
{
	const void *block;
	size_t len;
	la_int64_t at;
	int rc;

	while ((rc = u->lib->archive_read_data_block(a, &block, &len, &at)) == ARCHIVE_OK ||
	       rc == ARCHIVE_WARN) {
		int failed = put_block(u, block, len, (uint64_t)at);

		if (failed < 0)
			return failed;
		if (is_too_much(u, a))
			return SCRY_OK;
		if (!scry_going(u->t->session, SCRY_PASS_UNPACK,
				(uint64_t)u->lib->archive_filter_bytes(a, -1), u->packed))
			return scry_fail(u->t->session, SCRY_ESTOPPED, 0, "stopped");
	}
	if (rc == ARCHIVE_EOF)
		return SCRY_OK;
	if (!u->size)
		return scry_fail(u->t->session, SCRY_ECORRUPT, 0, "cannot unpack %s (%s): %s",
				 u->t->path, u->packer, u->lib->archive_error_string(a));
	scry_target_note(u->t, "%s (%s) ends early or is damaged: unpacked %" PRIu64 " bytes (%s)",
			 u->t->path, u->packer, u->size, u->lib->archive_error_string(a));
	return SCRY_OK;
}

static int unpack_fd(struct unpack *u, int fd)
{
	struct archive *a = u->lib->archive_read_new();
	struct archive_entry *entry;
	int rc;

	if (!a)
		return scry_fail(u->t->session, SCRY_ENOMEM, 0, "out of memory");
	u->lib->archive_read_support_filter_gzip(a);
	u->lib->archive_read_support_filter_bzip2(a);
	u->lib->archive_read_support_filter_xz(a);
	u->lib->archive_read_support_filter_zstd(a);
	u->lib->archive_read_support_filter_lz4(a);
	u->lib->archive_read_support_format_raw(a);
	if (u->lib->archive_read_open_fd(a, fd, 1 << 16) != ARCHIVE_OK ||
	    u->lib->archive_read_next_header(a, &entry) != ARCHIVE_OK)
		rc = scry_fail(u->t->session, SCRY_ECORRUPT, 0, "cannot unpack %s (%s): %s",
			       u->t->path, u->packer, u->lib->archive_error_string(a));
	else
		rc = copy_blocks(u, a);
	u->lib->archive_read_free(a);
	if (rc == SCRY_OK && ftruncate(u->fd, (off_t)u->size) < 0)
		rc = scry_fail_errno(u->t->session, "cannot unpack %s", u->t->path);
	return rc;
}

int scry_compressed_unpack(struct scry_target *t, int fd, const uint8_t *head, size_t len)
{
	struct unpack u = { .t = t, .packer = packer_of(head, len) };

	if (!u.packer)
		return SCRY_ENOTFOUND;
	u.lib = scry_archive_library();
	if (!u.lib)
		return scry_fail(t->session, SCRY_EUNSUPPORTED, 0,
				 "%s is compressed (%s), and libarchive is not installed", t->path,
				 u.packer);
	u.fd = open_temporary(t);
	if (u.fd < 0)
		return u.fd;
	u.room = free_space(u.fd);
	struct stat st;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		u.packed = (uint64_t)st.st_size;
	int rc = unpack_fd(&u, fd);
	if (rc == SCRY_OK)
		return u.fd;
	close(u.fd);
	return rc;
}
