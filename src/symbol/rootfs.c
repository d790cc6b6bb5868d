/*
 * Opening files that a target named. A hostile name must not make us block, nor leave the root it
 * is meant for.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbol/locate.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/*
 * O_NONBLOCK keeps a FIFO from blocking us and O_NOCTTY a terminal from becoming ours before
 * fstat() can tell.
 */
static int keep_regular(int fd)
{
	struct stat st;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

int scry_open_regular(const char *path)
{
	return keep_regular(open(path, OPEN_FLAGS));
}

int scry_open_in_root(const char *root, const char *path)
{
	struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_IN_ROOT };
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -1;
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	int error = errno;
	close(dir);
	errno = error;
	if (fd >= 0 || (error != ENOSYS && error != EPERM))
		return keep_regular(fd);
	/* Linux before 5.6, or a seccomp filter: absolute links then lead out of the root */
	char whole[PATH_MAX];
	if (snprintf(whole, sizeof(whole), "%s/%s", root, path) >= (int)sizeof(whole))
		return -1;
	return scry_open_regular(whole);
}
