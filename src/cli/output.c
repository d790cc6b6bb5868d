#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "progress_line.h"

static int failure; /* errno of the first write that failed */

void scry_output_init(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (fd == 1)
			failure = EBADF;
		/* the lowest free number is this one */
		if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return;
	}
	signal(SIGPIPE, SIG_IGN);
}

void scry_output_write(void *unused, const char *text, size_t len)
{
	(void)unused;
	if (len)
		scry_progress_line_hide();
	while (len && !failure) {
		ssize_t n = write(1, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			failure = errno;
			return;
		}
		text += n;
		len -= (size_t)n;
	}
}

int scry_output_status(int status)
{
	if (!failure)
		return status;
	fprintf(stderr, "pyscry: cannot write the answer: %s\n",
		failure == EBADF ? "standard output is closed" : strerror(failure));
	return 2;
}
