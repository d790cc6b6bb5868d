/**
 * A C function that a Python frame called: its arguments come from the frame's value stack, and the
 * PyMethodDef says how they are passed. So they are known without debug information, and where the
 * compiler has dropped them.
 */
#ifndef SCRY_CALLED_H
#define SCRY_CALLED_H

#include "native/variables.h"
#include "object/c_call.h"

/** What is known of the call. */
struct scry_called {
	struct scry_c_call call;
	uint64_t flags;  /* METH_* of Include/methodobject.h */
	const char *how; /* "METH_O of fastmod.lookup, called by #0 f": in the arena */
};

/**
 * True where C frame `index` is the function itself: its code begins at the address that the
 * PyMethodDef names. Of several frames (it calls itself) only the outermost: the others have other
 * arguments.
 */
bool scry_called_read(struct scry_frames *f, size_t index, struct scry_called *ret);

/** A parameter of the function, as its METH_* flags prescribe. */
struct scry_called_parameter {
	const char *name, *type; /* as CPython's documentation names them; static */
	bool is_object;
	uint64_t value;
	bool known; /* `value` is set */
};
/** Parameter number `n` from 0 on; false where there is none. */
bool scry_called_parameter(const struct scry_called *c, unsigned n,
			   struct scry_called_parameter *ret);

#endif
