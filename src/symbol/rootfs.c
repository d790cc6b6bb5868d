/*
 * Opening files that a target named. A hostile name must not make us block, nor leave the root it
 * is meant for.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "symbol/locate.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* File systems whose files are the kernel's answers: none of them is a program or a source. */
static const long kernel_file_systems[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC,      DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC,
	TRACEFS_MAGIC,    SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
	PSTOREFS_MAGIC,   EFIVARFS_MAGIC,   BPF_FS_MAGIC,
};

static bool is_kernels(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return true;
	for (size_t i = 0; i < sizeof(kernel_file_systems) / sizeof(*kernel_file_systems); i++)
		if (fs.f_type == kernel_file_systems[i])
			return true;
	return false;
}

/*
 * A path descriptor is looked at before anything is opened: opening alone would wake a FIFO's
 * writer, which then dies of SIGPIPE. What is opened must be what was looked at. O_NONBLOCK and
 * O_NOCTTY are for the instant in which a link could change where there is no /proc.
 */
static int open_looked_at(int path_fd, const char *path)
{
	char name[64];
	struct stat st, opened;
	int fd = -1;

	if (fstat(path_fd, &st) || !S_ISREG(st.st_mode) || is_kernels(path_fd)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, OPEN_FLAGS);
	if (fd < 0 && errno == ENOENT)
		fd = open(path, OPEN_FLAGS);
	if (fd < 0 || (!fstat(fd, &opened) && S_ISREG(opened.st_mode) &&
		       opened.st_dev == st.st_dev && opened.st_ino == st.st_ino))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* Takes the path descriptor over. */
static int keep_regular(int path_fd, const char *path)
{
	if (path_fd < 0)
		return -1;
	int fd = open_looked_at(path_fd, path);
	int error = errno;
	close(path_fd);
	errno = error;
	return fd;
}

int scry_open_regular(const char *path)
{
	return keep_regular(open(path, O_PATH | O_CLOEXEC), path);
}

int scry_open_in_root(const char *root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -1;
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	int error = errno;
	close(dir);
	errno = error;
	char whole[PATH_MAX];
	if (snprintf(whole, sizeof(whole), "%s/%s", root, path) >= (int)sizeof(whole)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (fd >= 0 || (error != ENOSYS && error != EPERM))
		return keep_regular(fd, whole);
	/* Linux before 5.6, or a seccomp filter: absolute links then lead out of the root */
	return scry_open_regular(whole);
}
