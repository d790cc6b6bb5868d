/* Opening the file of a dump, and saying what it is where it is not one. */
#include "target/dumpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

static int map_file(struct scry_target *t, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return scry_fail_errno(t->session, "cannot stat %s", t->path);
	if (st.st_size <= 0)
		return scry_fail(t->session, SCRY_EUNSUPPORTED, 0,
				 "%s is empty: no dump was written", t->path);
	if ((uint64_t)st.st_size > SIZE_MAX)
		return scry_fail(t->session, SCRY_ELIMIT, 0, "%s is too large to map here",
				 t->path);
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return scry_fail_errno(t->session, "cannot map %s", t->path);
	t->file = at;
	t->file_size = (size_t)st.st_size;
	t->file_written = st.st_mtime;
	t->file_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return SCRY_OK;
}

static int check_type(struct scry_target *t, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return scry_fail_errno(t->session, "cannot stat %s", t->path);
	if (S_ISDIR(st.st_mode))
		return scry_fail(t->session, SCRY_EUNSUPPORTED, 0,
				 "%s is a directory, not a core or minidump", t->path);
	if (!S_ISREG(st.st_mode))
		return scry_fail(t->session, SCRY_EUNSUPPORTED, 0, "%s is not a regular file",
				 t->path);
	return SCRY_OK;
}

static int map_maybe_packed(struct scry_target *t, int fd)
{
	uint8_t head[16];
	int rc = check_type(t, fd);

	if (rc < 0)
		return rc;
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return scry_fail_errno(t->session, "cannot read %s", t->path);
	int unpacked = scry_compressed_unpack(t, fd, head, (size_t)n);
	if (unpacked < 0 && unpacked != SCRY_ENOTFOUND)
		return unpacked;
	rc = map_file(t, unpacked < 0 ? fd : unpacked);
	if (unpacked >= 0)
		close(unpacked);
	return rc;
}

int scry_dumpfile_map(struct scry_target *t)
{
	/* O_NONBLOCK: a FIFO must not hang us; it means nothing for files */
	int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return scry_fail_errno(t->session, "cannot open %s", t->path);
	int rc = map_maybe_packed(t, fd);
	close(fd);
	return rc;
}

/* e_type of an ELF file that is not a core. */
static const char *elf_kind(const uint8_t *p, size_t len)
{
	if (len < 18)
		return "a cut ELF file";
	switch (scry_load(p + 16, 2, p[5] == 2)) {
	case 1:
		return "an ELF object file";
	case 2:
		return "an ELF executable";
	case 3:
		return "an ELF executable or shared library";
	default:
		return "an ELF file of an unknown type";
	}
}

static bool is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len && i < 512; i++)
		if (p[i] < 9 || (p[i] > 13 && p[i] < 32 && p[i] != 27) || p[i] == 127)
			return false;
	return true;
}

int scry_dumpfile_foreign(struct scry_target *t)
{
	const uint8_t *p = t->file;
	const char *what = "a file of an unknown format";

	if (t->file_size >= 4 && !memcmp(p, "\177ELF", 4))
		what = elf_kind(p, t->file_size);
	else if (t->file_size >= 2 && !memcmp(p, "MZ", 2))
		what = "a Windows executable or DLL";
	else if (is_text(p, t->file_size))
		what = "a text file";
	return scry_fail(t->session, SCRY_EUNSUPPORTED, 0, "%s is %s, not a core or minidump",
			 t->path, what);
}
