/** Is a file on disk the one that the target had mapped? */
#ifndef SCRY_MATCH_H
#define SCRY_MATCH_H

#include "symbol/elf_image.h"
#include "symbol/module.h"

/**
 * True where it is; else *ret_why (session's arena) says how it differs, without the file's name.
 */
bool scry_match(struct scry_module *m, const struct scry_elf *file, const char **ret_why);

#endif
