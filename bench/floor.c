/*
 * The limit: maps a core, follows the frames of every thread from its newest one, and copies
 * function and file names once per code object. No validation, no text, no search. What a complete
 * tool needs beyond this is the price of being one; bench/run.py prints the ratio.
 *
 * The offsets and the newest frame of each thread come from pyscry (bench/run.py asks it before it
 * measures).
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct segment {
	uint64_t start, end;
	const uint8_t *data;
};

static struct segment *segments;
static size_t count;

static int by_start(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static const uint8_t *at(uint64_t addr, size_t len)
{
	static struct segment *last;
	size_t lo = 0, hi = count;

	if (last && addr >= last->start && addr + len <= last->end)
		return last->data + (addr - last->start);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (addr < segments[mid].start)
			hi = mid;
		else if (addr >= segments[mid].end)
			lo = mid + 1;
		else if (addr + len <= segments[mid].end) {
			last = &segments[mid];
			return last->data + (addr - last->start);
		} else
			return NULL;
	}
	return NULL;
}

static uint64_t word(uint64_t addr)
{
	const uint8_t *p = at(addr, 8);
	uint64_t value = 0;

	if (p)
		memcpy(&value, p, 8);
	return value;
}

static void map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		exit(2);
	const uint8_t *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(file + eh->e_phoff);

	segments = calloc(eh->e_phnum, sizeof(*segments));
	for (unsigned i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_filesz)
			segments[count++] =
				(struct segment) { ph[i].p_vaddr, ph[i].p_vaddr + ph[i].p_filesz,
						   file + ph[i].p_offset };
	qsort(segments, count, sizeof(*segments), by_start);
}

/* Code objects seen, by address; their names are copied on first sight. */
#define TABLE 65536
static uint64_t seen[TABLE];
static char names[1 << 20];
static size_t names_len;

static void copy_text(uint64_t str, unsigned header)
{
	const uint8_t *p = at(str + header, 256);

	if (p && names_len + 256 < sizeof(names)) {
		memcpy(names + names_len, p, 256);
		names_len += strnlen(names + names_len, 255) + 1;
	}
}

static void see(uint64_t code, const long *offset)
{
	size_t i = (size_t)(code >> 4) % TABLE;

	while (seen[i] && seen[i] != code)
		i = (i + 1) % TABLE;
	if (seen[i])
		return;
	seen[i] = code;
	copy_text(word(code + (uint64_t)offset[2]), (unsigned)offset[4]);
	copy_text(word(code + (uint64_t)offset[3]), (unsigned)offset[4]);
}

int main(int argc, char **argv)
{
	/* frame.back, frame.code, code.name, code.filename, the size of a str's header */
	long offset[5];
	uint64_t frames = 0, sum = 0;

	if (argc < 8) {
		fputs("usage: floor CORE BACK CODE NAME FILE HEADER TOP-FRAME...\n", stderr);
		return 2;
	}
	map(argv[1]);
	for (int i = 0; i < 5; i++)
		offset[i] = atol(argv[2 + i]);
	for (int i = 7; i < argc; i++)
		for (uint64_t f = strtoull(argv[i], NULL, 16); f;
		     f = word(f + (uint64_t)offset[0]), frames++) {
			uint64_t code = word(f + (uint64_t)offset[1]) & ~(uint64_t)7;

			see(code, offset);
			/* the instruction's line would start here */
			sum += word(f + (uint64_t)offset[1] + 8);
		}
	printf("%llu frames, %zu bytes of names, %llx\n", (unsigned long long)frames, names_len,
	       (unsigned long long)sum);
	return 0;
}
