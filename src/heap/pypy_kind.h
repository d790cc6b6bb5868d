/** Rows of PyPy for struct scry_heap_kind (index.h), a file each. */
#ifndef SCRY_PYPY_KIND_H
#define SCRY_PYPY_KIND_H

#include "heap/referrers.h"

/** What an object refers to, as its collector knows it (pypy_visit.c). */
void scry_pypy_visit_object(struct scry_heap *h, scry_addr addr, uint32_t type, scry_visit *visit,
			    void *arg);
/** The name of such a reference: a field of RPython's, an item. */
void scry_pypy_slot_text(struct scry_heap *h, const struct scry_reference *ref,
			 struct scry_buf *out);
/** Modules, threads' frames and contexts, shadow stacks, the module's data (pypy_roots.c). */
int scry_pypy_roots(struct scry_graph *g);
/** Who refers to an object, through structures that no program can have (pypy_refs.c). */
int scry_pypy_refs(struct scry_heap *h, uint32_t target, struct scry_hash *known,
		   struct scry_refs *refs);
/** What is wrong with a reference, and with an object (pypy_verify.c). */
void scry_pypy_judge(struct scry_verify *v, const struct scry_reference *ref);
void scry_pypy_check(struct scry_verify *v, uint32_t object);

#endif
