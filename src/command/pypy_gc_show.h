/** What gc says of PyPy's collector. */
#ifndef SCRY_PYPY_GC_SHOW_H
#define SCRY_PYPY_GC_SHOW_H

#include "base/facts.h"
#include "runtime/pypy/pypy_gc.h"

/** Of a struct scry_pypy_gc. */
extern const struct scry_facts scry_facts_pypy_gc;

#endif
