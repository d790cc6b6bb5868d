/** The graph of waits as a picture. */
#ifndef SCRY_WAITS_DOT_H
#define SCRY_WAITS_DOT_H

#include "command/command.h"
#include "wait/wait.h"

/** Append a graph for Graphviz: a node for each row, an edge to each holder of what it awaits. */
void scry_waits_dot(struct scry_buf *out, const struct scry_waits *w);

#endif
