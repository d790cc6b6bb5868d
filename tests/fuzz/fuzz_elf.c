/*
 * A hostile file: as an ELF image (its headers, symbol tables, notes, packed symbols), and as text
 * (a symbol map, a source file in whatever coding it claims).
 */
#include "fuzz.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/archive.h"
#include "symbol/nm.h"
#include "symbol/source.h"
#include "symbol/symtab.h"
#include "target/image.h"

bool fuzz_commands = false;

static void look_at_table(struct scry_symtab *t, uint64_t low, uint64_t high)
{
	static const char *const names[] = { "PyInit_math", "_init", "interp_head", "" };
	struct scry_symtab_symbol symbol;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		scry_symtab_find(t, names[i], &symbol);
	for (uint64_t at = low, step = (high - low) / 10 + 1; at < high && at >= low; at += step)
		if (scry_symtab_at(t, at, &symbol) && strlen(symbol.name) > (1u << 28))
			abort();
	scry_symtab_done(t);
}

static void look_at_elf(struct scry_session *s, int fd)
{
	struct scry_elf e;
	struct scry_elf_section section;
	struct scry_symtab tables[3];
	uint64_t low = 0, high = 0;

	if (scry_elf_open(s, fd, &e) != SCRY_OK) {
		close(fd);
		return;
	}
	scry_elf_span(&e, &low, &high);
	scry_symtab_from_section(&tables[0], &e, SHT_SYMTAB);
	scry_symtab_from_section(&tables[1], &e, SHT_DYNSYM);
	scry_symtab_from_dynamic(&tables[2], &e);
	for (size_t i = 0; i < 3; i++)
		look_at_table(&tables[i], low, high);
	if (scry_elf_section_find(&e, ".gnu_debugdata", &section) &&
	    scry_elf_section_data(&e, &section)) {
		int packed = scry_archive_unpack(scry_elf_section_data(&e, &section),
						 (size_t)section.size);

		if (packed >= 0)
			close(packed);
	}
	scry_elf_close(&e);
}

static void look_at_text(struct scry_session *s, const char *dir, const char *path)
{
	static const int lines[] = { 1, 2, 3, 33, 1000, 1 << 30 };
	struct scry_module m = { .session = s, .name = "input", .path = "input" };
	struct scry_symbol symbol;
	const char *text;
	size_t len;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		scry_source_line(s, path, lines[i], &text, &len);
	scry_session_set(s, "symbols", dir);
	scry_symbol_map_open(&m);
	scry_symbol_map_find(&m, "_PyRuntime", &symbol);
	scry_symbol_map_at(&m, 0x1000, &symbol);
	scry_symbol_map_close(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[] = "/tmp/pyscry-fuzz-XXXXXX", path[64];
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);

	if (!path[0] && !mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/input.nm", dir);
	FILE *f = fopen(path, "w+b");
	if (!f || fwrite(data, 1, size, f) != size || fflush(f))
		abort();
	look_at_elf(s, dup(fileno(f)));
	look_at_text(s, dir, path);
	int member = scry_archive_member(fileno(f), "pkg/mod.py");
	if (member >= 0)
		close(member);
	fclose(f);
	unlink(path);
	scry_session_free(s);
	return 0;
}
