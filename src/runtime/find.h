/** How an interpreter is found in a target. Internal to src/runtime. */
#ifndef SCRY_FIND_H
#define SCRY_FIND_H

#include "runtime/runtime.h"

/** What a finder gets, and where it puts its candidates. */
struct scry_search {
	struct scry_session *s;
	const char *finder; /* the name of the row that is running */
	struct scry_runtime **tail;
	unsigned found; /* accepted so far */
	unsigned tried; /* candidates that were looked at */
	bool strict;    /* candidates are words found by chance: they must have dictionaries */
	/* why a candidate that a symbol names could not be read although it is mapped; or NULL */
	const char *hole;
	bool all; /* second round: modules of any name, all writable memory */
	/* the module that scan_layout was measured for: it may have many mappings */
	const struct scry_module *measured;
	const struct scry_layout *scan_layout;
};

/**
 * Build a runtime from a candidate, and keep it if it validates; true where it does, or is known
 * already. A candidate that is an interpreter, but not a started one, goes to scry_dormant_first().
 */
bool scry_search_try(struct scry_search *search, struct scry_module *m,
		     const struct scry_roots *roots);
/**
 * The next module worth a look after `m` (NULL at first): those with Python-like names and the
 * executable, in the second round all others. NULL at the end.
 */
struct scry_module *scry_search_module(struct scry_search *search, struct scry_module *m);
/** Is a mapping writable data of the module, .bss included? */
bool scry_module_owns(const struct scry_module *m, const struct scry_map *map);

/** One way to find an interpreter; the table has the surest first. */
struct scry_finder {
	const char *name; /* as py-info shows it */
	void (*find)(struct scry_search *search);
	bool by_chance; /* it searches memory that nothing names */
};

/* THE list of them is in find.c, in the order of trust. */
void scry_find_by_symbol(struct scry_search *search);
void scry_find_by_section(struct scry_search *search);
void scry_find_by_accessor(struct scry_search *search);
void scry_find_by_cookie(struct scry_search *search);
void scry_find_by_scan(struct scry_search *search);
void scry_find_pypy(struct scry_search *search);

/**
 * The version of the interpreter in `m` (may be NULL), from what the target has: Py_Version, the
 * text that Py_GetVersion() built, the file's name. Fills in ret->version (0: unknown), debug,
 * trace_refs, stackless, narrow.
 */
void scry_flavour_detect(struct scry_session *s, struct scry_module *m,
			 const struct scry_roots *roots, struct scry_flavour *ret);

/**
 * Walk the list of interpreters from the runtime's roots and check it. Negative (scry_fail) where
 * this is not an interpreter.
 */
int scry_interps_load(struct scry_runtime *r);
/**
 * Remove from a guessed layout those fields that the target's values do not confirm; to be called
 * after scry_interps_load().
 */
void scry_layout_confirm(struct scry_runtime *r);
/** 2.7: learn from sys.maxunicode whether its unicode is of two bytes or of four. */
void scry_width_learn(struct scry_runtime *r);
/** Fill in the GIL's state of each interpreter: gil, gil_holder. */
void scry_gil_load(struct scry_runtime *r);
/** Fill in the interpreters' phases. */
void scry_phases_load(struct scry_runtime *r);
/**
 * The phase of a runtime without interpreters: SCRY_PHASE_UNSTARTED or SCRY_PHASE_FINALIZED.
 */
enum scry_phase scry_phase_of_empty(struct scry_runtime *r);

#endif
