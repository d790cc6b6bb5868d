/**
 * Symbols and read-only bytes of ELF modules: from the file, or without one from the image in
 * target memory.
 */
#ifndef SCRY_ELF_H
#define SCRY_ELF_H

#include "symbol/module.h"

/**
 * Find the module's file and set `ops`, `state`, `file`, `build_id`, `verified` (and `problem`
 * where there is something to say); without a file, use what target memory has. SCRY_ENOTFOUND
 * where it has nothing.
 */
int scry_elf_module_open(struct scry_module *m);
/**
 * The module's own file, as mapped here, where it is the one that the target had mapped; else NULL.
 * Opens it where that was not done yet.
 */
const struct scry_elf *scry_module_elf_file(struct scry_module *m);

#endif
