/**
 * What an object of PyPy's refers to, as the collector finds it: by the table of types
 * (rpython/memory/gctypelayout.py), and for a few types by functions of their own.
 */
#ifndef SCRY_PYPY_TRACE_H
#define SCRY_PYPY_TRACE_H

#include "runtime/pypy/pypy.h"

/** Where a pointer was found. */
enum scry_pypy_edge_kind {
	SCRY_PYPY_EDGE_FIELD, /* `index` bytes after the object's start */
	SCRY_PYPY_EDGE_ITEM,  /* in item `index` of an array, `inner` bytes after its start */
	SCRY_PYPY_EDGE_LOOSE, /* word `index` of a stack or a frame of the JIT: it may be none */
};
struct scry_pypy_edge {
	enum scry_pypy_edge_kind kind;
	scry_addr at, to;
	uint64_t index, inner;
};

/** A walk over the pointers of objects. */
struct scry_pypy_tracer {
	struct scry_pypy *p;
	/* called for words that are not 0; what a loose one leads to was not looked at */
	void (*edge)(struct scry_pypy_tracer *tracer, const struct scry_pypy_edge *e);
	/* words of arrays and stacks that may still be looked at: sound ones do not overlap */
	uint64_t words;
	bool overlap; /* there were more */
};

/** Prepare `words` for a walk over all objects. */
void scry_pypy_tracer_init(struct scry_pypy_tracer *tracer, struct scry_pypy *p);
/** The pointers of one object. */
void scry_pypy_trace(struct scry_pypy_tracer *tracer, scry_addr object,
		     const struct scry_pypy_type *t);
/** Words of memory that may be pointers: a shadow stack. */
void scry_pypy_trace_loose(struct scry_pypy_tracer *tracer, scry_addr at, uint64_t words);
/** The words of the shadow stack of the thread that runs, 2^21 at most; 0: not known. */
uint64_t scry_pypy_shadow_stack(struct scry_pypy *p, scry_addr *ret);
/** REFCNT_FROM_PYPY, REFCNT_FROM_PYPY_LIGHT: rpython/rlib/rawrefcount.py, 64 bits. */
#define SCRY_PYPY_REFCOUNT       ((uint64_t)1 << 61)
#define SCRY_PYPY_REFCOUNT_LIGHT ((uint64_t)3 << 61)
/**
 * Variables of C's that the collector takes for roots, as words that may be pointers; those to
 * which extensions in C have references, as items; and the prebuilt objects that it takes for
 * roots, as fields. False: which of these are is not known; then any word
 * of the module's data that leads out of it may be a reference.
 */
bool scry_pypy_trace_static(struct scry_pypy_tracer *tracer);
/** May a word of the module's data be a pointer to what is not in the module? */
bool scry_pypy_leads_out(const struct scry_pypy *p, uint64_t word);
/** May a word of the module's data be in a prebuilt object? */
bool scry_pypy_may_be_prebuilt(struct scry_pypy *p, scry_addr at);

/* --- all objects (pypy_reach.c) --- */
struct scry_pypy_reach {
	/* called once for each object; its type is not NULL */
	void (*found)(struct scry_pypy_reach *out, scry_addr at, const struct scry_pypy_type *t);
};
/**
 * Every object that a collection would keep, prebuilt ones only where they are reached from
 * others. Negative where the walk was stopped: what was found before was told.
 */
int scry_pypy_reach(struct scry_pypy *p, struct scry_pypy_reach *out);

#endif
