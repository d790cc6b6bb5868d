/**
 * DWARF of a module, for layouts and C variables: in its file, or in a separate debug file. Build
 * ids are checked.
 */
#ifndef SCRY_DWARF_H
#define SCRY_DWARF_H

#include <elfutils/libdw.h>

#include "symbol/elf_image.h"
#include "symbol/module.h"

enum scry_dwarf_flags {
	SCRY_DWARF_SEPARATE = 1,   /* in a debug file of its own */
	SCRY_DWARF_COMPRESSED = 2, /* .debug_info is compressed: opening it takes a while */
};

/**
 * libdw's handle, opened on the first call; it belongs to the module. NULL where there is no DWARF,
 * or only that of another build. Add m->bias to its addresses. `ret_flags` (enum scry_dwarf_flags)
 * and `ret_file` may be NULL.
 */
Dwarf *scry_module_dwarf(struct scry_module *m, unsigned *ret_flags, const char **ret_file);
/**
 * Is there DWARF, and of what kind? Cheap, while scry_module_dwarf() makes libdw decompress every
 * section of a compressed file (Debian's python3.11: 0.3 s).
 */
bool scry_module_has_dwarf(struct scry_module *m, unsigned *ret_flags);
/** The separate debug file's ELF (its .symtab, its section headers), or NULL. Looked for once. */
const struct scry_elf *scry_module_debug_elf(struct scry_module *m);
/** Close what the functions above opened. */
void scry_module_close_debug(struct scry_module *m);

#endif
