/** What gc says of PyPy's collector. */
#ifndef SCRY_PYPY_GC_SHOW_H
#define SCRY_PYPY_GC_SHOW_H

#include "base/facts.h"
#include "runtime/pypy/pypy_gc.h"

/** What is said of one. */
struct scry_pypy_gc_line {
	const struct scry_pypy_gc *gc;
	bool looked;      /* the next one was asked for, and is known */
	uint64_t reached; /* bytes of old objects that a known root leads to */
};

/** Count what is reached of the old objects; false: it is not known. */
bool scry_pypy_gc_count(struct scry_runtime *r, struct scry_pypy_gc_line *line);
/** Of a struct scry_pypy_gc_line. */
extern const struct scry_facts scry_facts_pypy_gc;

#endif
