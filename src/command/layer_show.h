/** How layers are shown. Internal to src/command. */
#ifndef SCRY_COMMAND_LAYER_SHOW_H
#define SCRY_COMMAND_LAYER_SHOW_H

#include "base/facts.h"
#include "object/printer.h"

/** Of a struct scry_layer; of a struct scry_debug_block, in a few words. */
extern const struct scry_facts scry_facts_layer, scry_facts_hooks;
/** Append a repr of at most a line. */
void scry_short_repr(struct scry_runtime *r, scry_addr object, struct scry_buf *out);

#endif
