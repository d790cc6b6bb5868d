/** Which functions the machine code is made of that PyPy's JIT has made. */
#ifndef SCRY_PYPY_CODEMAP_H
#define SCRY_PYPY_CODEMAP_H

#include "runtime/pypy/pypy.h"

#define SCRY_PYPY_INLINED 16 /* so many functions of one place are told */

/** A piece of machine code, a loop or a bridge, and what it runs at an address. */
struct scry_pypy_machine_code {
	scry_addr start;
	uint64_t size;
	/* the code objects, from the function that was called to the innermost that was put into
	 * it; 0: which one is not known */
	scry_addr code[SCRY_PYPY_INLINED];
	unsigned count;
};
/** The piece that has an address; false: it is in none. */
bool scry_pypy_machine_code_at(struct scry_pypy *p, scry_addr pc,
			       struct scry_pypy_machine_code *ret);
/** "JIT code of outer, inner": in the arena. */
const char *scry_pypy_machine_code_name(struct scry_pypy *p,
					const struct scry_pypy_machine_code *m);
void scry_pypy_codemap_done(struct scry_pypy *p);

#endif
