/* Unpacking by libarchive, bounded, into files that have no name. */
#include "symbol/archive.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/loadable.h"

#define MAX_SIZE    (256u << 20)
#define MAX_MEMBERS (1u << 20)

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The current entry's bytes, in a file of their own; -1 where they are damaged or too many. */
static int copy_entry(const struct scry_archive_library *lib, struct archive *a)
{
	char block[65536];
	size_t total = 0;
	ssize_t n;
	int fd = memfd_create("pyscry", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	while ((n = lib->archive_read_data(a, block, sizeof(block))) > 0) {
		total += (size_t)n;
		if (total > MAX_SIZE || !write_all(fd, block, (size_t)n))
			break;
	}
	if (n == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

int scry_archive_member(int fd, const char *name)
{
	const struct scry_archive_library *lib = scry_archive_library();
	struct archive *a = lib ? lib->archive_read_new() : NULL;
	struct archive_entry *entry;
	int found = -1;

	if (!a)
		return -1;
	lib->archive_read_support_format_zip(a);
	if (lib->archive_read_open_fd(a, fd, 65536) == ARCHIVE_OK)
		for (unsigned i = 0;
		     i < MAX_MEMBERS && lib->archive_read_next_header(a, &entry) == ARCHIVE_OK;
		     i++) {
			const char *member = lib->archive_entry_pathname(entry);

			if (!member || strcmp(member, name))
				continue;
			found = copy_entry(lib, a);
			break;
		}
	lib->archive_read_free(a);
	return found;
}

int scry_archive_unpack(const void *data, size_t len)
{
	const struct scry_archive_library *lib = scry_archive_library();
	struct archive *a = lib ? lib->archive_read_new() : NULL;
	struct archive_entry *entry;
	int fd = -1;

	if (!a)
		return -1;
	lib->archive_read_support_filter_all(a);
	lib->archive_read_support_format_raw(a);
	if (lib->archive_read_open_memory(a, data, len) == ARCHIVE_OK &&
	    lib->archive_read_next_header(a, &entry) == ARCHIVE_OK)
		fd = copy_entry(lib, a);
	lib->archive_read_free(a);
	return fd;
}
