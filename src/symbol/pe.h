/**
 * PE images (Windows executables and DLLs): from the headers in target memory, from the same file
 * on disk, or from both. module.c makes one struct scry_module per scry_target_module and calls
 * scry_pe_open() where a PE is expected (abi.windows). The DLL on disk is optional: without it,
 * what the dump holds is used.
 */
#ifndef SCRY_PE_H
#define SCRY_PE_H

#include "symbol/module.h"

extern const struct scry_module_ops scry_module_pe;

/**
 * Set up `ops`, `state`, `bias`, and `build_id` where it was unknown, from the image at m->start
 * and from the file `file` (NULL: none found; it must have passed scry_pe_file_matches()).
 * SCRY_ENOTFOUND where neither can be had: the module then has no symbols.
 */
int scry_pe_open(struct scry_module *m, const char *file);
/**
 * Is this file the module's? By CodeView id where both have one, else by TimeDateStamp and
 * SizeOfImage. On false *ret_problem says why (static or in the session's arena).
 */
bool scry_pe_file_matches(struct scry_module *m, const char *file, const char **ret_problem);

/** VS_FIXEDFILEINFO's dwFileVersionMS and LS, in four parts. */
struct scry_pe_version {
	uint16_t part[4]; /* FileVersion: 3.11.5 is 3.11.5150.1013 */
};
/**
 * The version resource, or the copy of it in the dump's list of modules: SCRY_OK, or
 * SCRY_ENOTFOUND.
 */
int scry_pe_version(struct scry_module *m, struct scry_pe_version *ret);
/**
 * PY_VERSION_HEX out of a pythonXY.dll's FileVersion: its third part is 1000 times the micro
 * version plus the release level and serial (PC/python_ver_rc.h: FIELD3 = micro * 1000 + level * 10
 * + serial).
 */
uint32_t scry_pe_python_version(const struct scry_pe_version *v);

/**
 * The function fragment that holds `addr`, by .pdata. *ret_root is the start of the function whose
 * chain of unwind infos this fragment belongs to (a cold part of a function has its own entry): all
 * addresses of one function have the same root. SCRY_ENOTFOUND: a leaf function, or .pdata is
 * missing.
 */
int scry_pe_function(struct scry_module *m, scry_addr addr, scry_addr *ret_begin,
		     scry_addr *ret_end, scry_addr *ret_root);
/**
 * Turn the registers of a frame (x86-64) into those of its caller, by the unwind codes. Only
 * registers that calls preserve stay valid. SCRY_EFAULT: stack or unwind data missing.
 */
int scry_pe_unwind(struct scry_module *m, struct scry_regs *regs);

#endif
