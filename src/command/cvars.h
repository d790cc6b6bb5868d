/** C variables of frames, as bt-full --native, --locals and cvars show them. */
#ifndef SCRY_CVARS_H
#define SCRY_CVARS_H

#include "command/command.h"
#include "native/variables.h"

/** Write a native frame's variables: an indented line each, or elements of an open list. */
void scry_say_variables(struct scry_call *call, const struct scry_frame *f);
extern const struct scry_facts scry_facts_variable;
/** The C frames of a thread, unwound once for the call; NULL when out of memory. */
struct scry_frames *scry_call_frames(struct scry_call *call, struct scry_thread *t);
/** Free what a call has kept for them. */
void scry_variables_done(struct scry_call *call);

/** An object of the target, and its runtime. */
struct scry_held {
	struct scry_runtime *runtime;
	scry_addr addr;
};
/** Of a struct scry_held: address, type, a short repr. */
extern const struct scry_facts scry_facts_held;

#endif
