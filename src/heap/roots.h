/** What refers to objects but is not an object. For graph.c and refs.c. */
#ifndef SCRY_ROOTS_H
#define SCRY_ROOTS_H

#include "heap/graph.h"

/** Fill in g->roots. Negative when out of memory, or stopped. */
int scry_roots_find(struct scry_graph *g);
/** Add one, where there is an object at `to`. */
void scry_roots_add(struct scry_graph *g, scry_addr to, const struct scry_root *like);
/** The modules, sys.modules itself, and what else each interpreter names. */
void scry_roots_add_named(struct scry_graph *g);
/** Rows of the kinds of interpreters: index.h. */
int scry_cpython_roots(struct scry_graph *g);
/**
 * Where a file's data, or the zeroed memory that follows (.bss), ends that the mapping begins with;
 * 0: it begins with neither. The kernel makes one mapping of .bss and what lies right behind it.
 */
scry_addr scry_file_data_end(struct scry_runtime *r, const struct scry_map *m);

#endif
