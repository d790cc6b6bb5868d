/**
 * A module: a file mapped into the target (an executable, a shared library, a DLL). Its symbols
 * come from the file where one is found whose build id matches, from the image in target memory, or
 * from the user's symbol map.
 */
#ifndef SCRY_MODULE_H
#define SCRY_MODULE_H

#include "target/target.h"

/** A name and what it covers, at the address where it is in the target. */
struct scry_symbol {
	const char *name; /* lives as long as the module */
	scry_addr addr;
	uint64_t size; /* 0 unknown */
	bool is_function;
};

/** A section of a module, where it is in the target. */
struct scry_section {
	scry_addr addr;
	uint64_t size;
};

/** A module's problem where no file was found at all; others name the file that does not fit. */
#define SCRY_MODULE_NO_FILE "no such file"

struct scry_module;

/** What a format of modules can do. All addresses are the target's. */
struct scry_module_ops {
	const char *name; /* "elf", "pe", "symbol map" */
	/** A symbol by its name: SCRY_OK, or SCRY_ENOTFOUND; so do the next two. */
	int (*find)(struct scry_module *m, const char *name, struct scry_symbol *ret);
	/** The symbol that covers or precedes `addr`. */
	int (*at)(struct scry_module *m, scry_addr addr, struct scry_symbol *ret);
	int (*section)(struct scry_module *m, const char *name, struct scry_section *ret);
	/** *ret_len bytes of the module's read-only image, which the dump lacks; or NULL. */
	const uint8_t *(*image)(struct scry_module *m, scry_addr addr, size_t *ret_len);
	void (*close)(struct scry_module *m);
};

/** A file that is mapped into the target. Lives in the session's arena until refresh. */
struct scry_module {
	struct scry_module *next;
	struct scry_session *session;
	const struct scry_module_ops *ops;
	void *state;
	const char *path; /* as the target knew it */
	const char *name; /* its last component, after "/" or "\\" */
	const char *file; /* the local file that was opened for it, or NULL */
	/* lower-case hex from target memory, else from the file; NULL unknown */
	const char *build_id;
	/* why symbols are missing ("no such file", "build id differs: ..."), or NULL */
	const char *problem;
	scry_addr start, end; /* lowest and highest mapped address */
	scry_addr bias;       /* to add to the file's addresses */
	/* where the dump lists its modules (build id, time stamp), else NULL */
	const struct scry_target_module *record;
	bool is_main; /* the executable */
	bool opened;  /* the file was looked for already */
	/* `file` is what the target had mapped: its read-only bytes stand for the target's */
	bool verified;
	struct scry_elf *image;      /* the ELF headers in target memory, or NULL */
	struct scry_symbol_map *map; /* the user's symbol map (symbol/nm.h), or NULL */
	/* DWARF and symbols apart from `file` (symbol/dwarf.h); NULL: not looked for */
	struct scry_debug_file *debug;
};

/**
 * The modules of the target in address order: the first, then m->next. NULL where there are none.
 */
struct scry_module *scry_module_first(struct scry_session *s);
void scry_modules_close(struct scry_session *s);
/** The module that the address is in, or NULL. */
struct scry_module *scry_module_at(struct scry_session *s, scry_addr addr);
/**
 * Find the module's file now, or failing that its symbols in target memory. Done once.
 */
void scry_module_open(struct scry_module *m);
/**
 * Look a symbol up in one module (opening its file now): in .dynsym, .symtab, exports and the
 * user's map alike. A miss is SCRY_ENOTFOUND and records no error, since it is expected; m->problem
 * may say why.
 */
int scry_module_symbol(struct scry_module *m, const char *name, struct scry_symbol *ret);
/** A section by its name; SCRY_ENOTFOUND as above. */
int scry_module_section(struct scry_module *m, const char *name, struct scry_section *ret);
/**
 * The function or variable that covers or precedes an address, in whatever module:
 * scry_symbol_covers() says which of the two. SCRY_ENOTFOUND where there is none.
 */
int scry_symbol_at(struct scry_session *s, scry_addr addr, struct scry_symbol *ret);
/**
 * Does it cover the address? A symbol of size 0 (hand-written assembly) is known to cover only its
 * own: what follows may be another function.
 */
static inline bool scry_symbol_covers(const struct scry_symbol *symbol, scry_addr addr)
{
	return symbol->size ? addr - symbol->addr < symbol->size : addr == symbol->addr;
}
/**
 * The local file that stands for a file of the target (sysroot, search path, /proc/PID/root,
 * map_files, the path itself), in the session's arena; NULL and *ret_problem where there is none.
 * `build_id` NULL: not checked.
 */
const char *scry_module_locate(struct scry_session *s, const struct scry_module *m,
			       const char **ret_problem);
/**
 * Open a file of the target for reading (a source file): a descriptor for the caller to close, or
 * SCRY_ENOTFOUND. The user's source maps apply.
 */
int scry_target_open_file(struct scry_session *s, const char *path);
/**
 * Append a line for each module whose file was not found: "PATH (build id ID): WHY"; returns how
 * many. `python_only`: only the executable and what looks like an interpreter's library.
 */
unsigned scry_modules_missing(struct scry_session *s, bool python_only, struct scry_buf *out);
/** Is it the executable, or does its name look like an interpreter's library? */
bool scry_module_is_python(const struct scry_module *m);

#endif
