/** What refers to objects but is not an object. For graph.c and refs.c. */
#ifndef SCRY_ROOTS_H
#define SCRY_ROOTS_H

#include "heap/graph.h"

/** Fill in g->roots. Negative when out of memory, or stopped. */
int scry_roots_find(struct scry_graph *g);
/** Is the address in a file's data, or in the zeroed memory that follows (.bss)? */
bool scry_in_file_data(struct scry_runtime *r, scry_addr addr);

#endif
