/**
 * Symbols and read-only bytes of ELF modules: of the file, or with no file of the image in target
 * memory.
 */
#ifndef SCRY_ELF_H
#define SCRY_ELF_H

#include "symbol/module.h"

/**
 * Find the module's file, set `ops`, `state`, `file`, `build_id`, `verified` (and `problem` where
 * there is something to say); without a file take what target memory has. SCRY_ENOTFOUND where that
 * is nothing.
 */
int scry_elf_module_open(struct scry_module *m);
/**
 * The module's own file as it is mapped here, where it is what the target had mapped; else NULL.
 * Opens it now.
 */
const struct scry_elf *scry_module_elf_file(struct scry_module *m);

#endif
