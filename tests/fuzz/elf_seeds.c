/* Small ELF cores of several machines, for the fuzzer to damage: elf_seeds DIRECTORY. */
#include <stdio.h>

#include "../support/corewriter.h"
#include "arch/arch.h"

static const struct {
	const char *name;
	bool is64, big_endian;
	uint16_t machine;
	const struct scry_arch *arch;
} kinds[] = {
	{ "x86_64", true, false, EM_X86_64, &scry_arch_x86_64 },
	{ "i386", false, false, EM_386, &scry_arch_i386 },
	{ "aarch64", true, false, EM_AARCH64, &scry_arch_aarch64 },
	{ "s390x", true, true, EM_S390, NULL },
	{ "ppc", false, true, EM_PPC, NULL },
};

static int write_seed(const char *dir, size_t i)
{
	struct core_writer w = { .is64 = kinds[i].is64,
				 .big_endian = kinds[i].big_endian,
				 .machine = kinds[i].machine };
	struct scry_buf dump = SCRY_BUF_INIT;
	char path[4096];

	core_sample(&w, kinds[i].arch ? kinds[i].arch->gregset_size : 64);
	core_finish(&w, &dump);
	snprintf(path, sizeof(path), "%s/elf-%s.core", dir, kinds[i].name);
	FILE *f = fopen(path, "wb");
	int rc = f && fwrite(dump.text, 1, dump.len, f) == dump.len ? 0 : 1;
	if (f && fclose(f))
		rc = 1;
	if (rc)
		perror(path);
	scry_buf_done(&dump);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = argc == 2 ? 0 : 2;

	for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(*kinds); i++)
		rc |= write_seed(argv[1], i);
	return rc;
}
