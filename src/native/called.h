/**
 * A C function that a Python frame called: its arguments by the value stack and by the PyMethodDef,
 * which says how they are passed. So they are known where the compiler has dropped them, and
 * without debug information.
 */
#ifndef SCRY_CALLED_H
#define SCRY_CALLED_H

#include "native/variables.h"
#include "object/c_call.h"

struct scry_called {
	struct scry_c_call call;
	uint64_t flags;  /* METH_* */
	const char *how; /* "METH_O of fastmod.lookup, called by #0 f": in the arena */
};

/**
 * Is C frame `index` the function itself? Only where its code begins at the PyMethodDef's; of
 * several (it calls itself) the outermost: the others have other arguments.
 */
bool scry_called_read(struct scry_frames *f, size_t index, struct scry_called *ret);

/** A parameter of the function, by the way it is called. */
struct scry_called_parameter {
	const char *name, *type; /* as CPython's documentation has them */
	bool is_object;
	uint64_t value;
	bool known;
};
/** Parameter number `n` from 0 on; false where there is none. */
bool scry_called_parameter(const struct scry_called *c, unsigned n,
			   struct scry_called_parameter *ret);

#endif
