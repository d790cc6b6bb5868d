/** Which thread collects garbage. */
#ifndef SCRY_COLLECTING_H
#define SCRY_COLLECTING_H

#include "runtime/runtime.h"

/**
 * Set `in_gc` of the threads and `collector` of the interpreters, where the collector's own data on
 * a thread's C stack shows it; whoever holds the GIL need not be it, since finalizers give the GIL
 * away. Costs nothing where nobody collects. To be called again each time that threads were read.
 */
void scry_collectors_find(struct scry_session *s);
/**
 * Does memory that is known tell whether garbage is collected? Not PyPy's, nor before 3.7 a build
 * without .symtab: there the flag is a static variable, and only stacks show a collection.
 */
bool scry_collection_noted(const struct scry_runtime *r);

#endif
