/**
 * Local files that stand for files of the target: where they are looked for, and whether they are
 * the same. Only regular files are opened, and without blocking.
 */
#ifndef SCRY_LOCATE_H
#define SCRY_LOCATE_H

#include "symbol/elf_image.h"
#include "symbol/module.h"

/** A file that was found and is open. */
struct scry_located {
	struct scry_elf elf;
	const char *path; /* in the session's arena */
	/* same build id, or no build id and the same layout; false only for the user's --exe */
	bool verified;
};

/**
 * The module's ELF file, opened; close it with scry_elf_close(). SCRY_ENOTFOUND and *ret_problem
 * where there is none. *ret_problem may be set on success too: the user's file was taken although
 * its build id differs.
 */
int scry_locate(struct scry_module *m, struct scry_located *ret, const char **ret_problem);
/** The executable that the user (--exe, a script's interpreter) or the dump named, unchecked. */
int scry_locate_exe(struct scry_session *s, struct scry_elf *ret, const char **ret_path);
/**
 * The separate debug file of a module, by build id or .gnu_debuglink (`file` may be NULL), opened.
 */
int scry_locate_debug(struct scry_module *m, const struct scry_elf *file, struct scry_located *ret);
/**
 * Ask the debuginfod servers of DEBUGINFOD_URLS, where the user allowed it: a descriptor of the
 * debug file (`debug`) or of the module itself, for the caller to close; or -1.
 */
int scry_debuginfod_open(struct scry_module *m, bool debug, const char **ret_path);

/** The path of a Windows dump's DLL or executable, in the arena; or NULL and *ret_problem. */
const char *scry_locate_pe(struct scry_module *m, const char **ret_problem);
/**
 * Open a regular file for reading: a descriptor, or -1. Anything else, and anything in /proc, /sys
 * and the like, is refused without being opened.
 */
int scry_open_regular(const char *path);
/** The same below another root directory, whose symbolic links stay inside it. */
int scry_open_in_root(const char *root, const char *path);

#endif
