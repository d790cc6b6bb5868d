/**
 * What a GDB without Python looks at, as its own commands print it: for `pyscry --from-debugger`,
 * which the gdbinit runs at the end of a pipe.
 */
#ifndef SCRY_CLI_DEBUGGER_H
#define SCRY_CLI_DEBUGGER_H

#include "base/buf.h"

/** Texts are "" where GDB did not say. scry_looks_done() frees them. */
struct scry_looks {
	struct scry_buf core;    /* path of the core file */
	struct scry_buf process; /* id of the selected process, also of a core's */
	struct scry_buf thread;  /* kernel's id of the selected thread */
	struct scry_buf frame;   /* the Python frame that gdbinit remembers */
};

/** Extract them from the lines of `info files`, `info inferiors`, `thread` and "frame N". */
void scry_looks_parse(struct scry_looks *l, const char *text);
/** What to open: the core, or else the process; "" where GDB has neither. */
const char *scry_looks_target(const struct scry_looks *l);
void scry_looks_done(struct scry_looks *l);

#endif
