/*
 * The limit of what asks all objects: one word for each of them, evenly apart, of all that is
 * writable in a core. touch CORE OBJECTS
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	uint64_t bytes = 0, sum = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 2;
	const uint8_t *core = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (core == MAP_FAILED)
		return 2;
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)core;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(core + head->e_phoff);
	for (int i = 0; i < head->e_phnum; i++)
		bytes += p[i].p_type == PT_LOAD && p[i].p_flags & PF_W ? p[i].p_filesz : 0;
	uint64_t step = bytes / strtoull(argv[2], NULL, 10) / 8 * 8;
	for (int i = 0; step && i < head->e_phnum; i++)
		for (uint64_t at = 0;
		     p[i].p_type == PT_LOAD && p[i].p_flags & PF_W && at + 8 <= p[i].p_filesz;
		     at += step)
			sum += *(const uint64_t *)(core + p[i].p_offset + at);
	printf("%lu\n", (unsigned long)sum);
	return 0;
}
