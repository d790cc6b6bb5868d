/** Objects of C extensions under PyPy. Internal to src/object. */
#ifndef SCRY_PYPY_CPYEXT_H
#define SCRY_PYPY_CPYEXT_H

#include "object/pypy/pypy_printers.h"

/** A PyObject of cpyext, decoded. */
struct scry_pypy_ext {
	scry_addr addr;
	scry_addr link; /* PyPy's object; 0: C has it alone */
	scry_addr type; /* its PyTypeObject */
	const char *type_name;
	uint64_t flags;
	uint64_t refcount; /* references from C, without the part that stands for PyPy's */
	bool held;         /* PyPy's object keeps it, too */
};

/** Decode the PyObject at an address; SCRY_ENOTFOUND, without a text, where there is none. */
int scry_pypy_ext_at(struct scry_runtime *r, scry_addr addr, struct scry_pypy_ext *ret);
/**
 * Is it a PyObject? Then *addr becomes PyPy's object where it has one, and *ret describes the
 * PyObject. Cheap for PyPy's own objects.
 */
bool scry_pypy_resolve(struct scry_runtime *r, scry_addr *addr, struct scry_pypy_ext *ret);
/** Append what can be said of one without a link. */
int scry_pypy_print_ext(struct scry_printer *p, const struct scry_pypy_ext *e);

#endif
