/** The graph of waits as a picture. */
#ifndef SCRY_WAITS_DOT_H
#define SCRY_WAITS_DOT_H

#include "command/command.h"
#include "wait/wait.h"

/** Append a graph in the language of Graphviz: a node for each row, an edge to who holds it. */
void scry_waits_dot(struct scry_buf *out, const struct scry_waits *w);

#endif
