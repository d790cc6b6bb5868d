/** What refers to objects without being one. For graph.c and refs.c. */
#ifndef SCRY_ROOTS_H
#define SCRY_ROOTS_H

#include "heap/graph.h"

/** Fill g->roots in. */
int scry_roots_find(struct scry_graph *g);
/** Does the address lie in a file's data: initialised, or what follows them (.bss)? */
bool scry_in_file_data(struct scry_runtime *r, scry_addr addr);

#endif
