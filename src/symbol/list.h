/** How the list of modules is made; module.c picks the source. */
#ifndef SCRY_LIST_H
#define SCRY_LIST_H

#include "symbol/elf_image.h"
#include "symbol/module.h"

/**
 * Add a module in address order; NULL when out of memory. `path` is copied, without a "(deleted)"
 * at its end.
 */
struct scry_module *scry_module_add(struct scry_session *s, const char *path, scry_addr start,
				    scry_addr end);
/** Does the id tell files apart? All zeros are a linker's placeholder, and "" is not an id. */
bool scry_is_build_id(const char *id);
/** Add the module whose ELF headers were read from target memory; NULL when out of memory. */
struct scry_module *scry_module_add_image(struct scry_session *s, const char *path,
					  const struct scry_elf *e);
/**
 * From the mappings: each ELF image that the loader mapped, not files that were mapped as data.
 */
void scry_modules_from_maps(struct scry_session *s);
/**
 * Without mapped files (a core by qemu): the executable by AT_PHDR, the libraries by the loader's
 * link_map.
 */
void scry_modules_from_loader(struct scry_session *s);
/** Set bias, start and end by the file's headers where target memory lacks its own. */
void scry_module_place(struct scry_module *m, const struct scry_elf *file);
/** Is the target a process that runs here, so that its /proc entry can be used? */
bool scry_target_is_here(const struct scry_target *t);

#endif
