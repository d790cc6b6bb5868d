#include "guess.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool scry_guess_is_file(const char *word)
{
	struct stat st;

	return !stat(word, &st) && S_ISREG(st.st_mode);
}

bool scry_guess_is_directory(const char *word)
{
	struct stat st;

	return !stat(word, &st) && S_ISDIR(st.st_mode);
}

bool scry_guess_is_program(const char *word)
{
	unsigned char head[EI_NIDENT + 2];
	int fd = scry_guess_is_file(word) ? open(word, O_RDONLY | O_CLOEXEC) : -1;
	bool whole = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head);

	if (fd >= 0)
		close(fd);
	if (!whole || memcmp(head, ELFMAG, SELFMAG))
		return false;
	int type = head[EI_DATA] == ELFDATA2MSB ? head[EI_NIDENT + 1] : head[EI_NIDENT];
	return type == ET_EXEC || type == ET_DYN;
}

bool scry_guess_is_pid(const char *word)
{
	return *word && !word[strspn(word, "0123456789")] && strlen(word) < 10;
}

bool scry_guess_is_process(const char *word)
{
	return scry_guess_is_pid(word) && (!kill(atoi(word), 0) || errno == EPERM);
}
