/** A C function that a Python frame is in a call of. */
#ifndef SCRY_C_CALL_SHOW_H
#define SCRY_C_CALL_SHOW_H

#include "command/command.h"
#include "object/c_call.h"

/** "      in list.sort of [3, 1, 2]", a line; in JSON the key "calls" of the frame that is open. */
void scry_say_c_call(struct scry_call *call, const struct scry_c_call *c);
/** What that says, of a frame that is in a call. */
extern const struct scry_facts scry_facts_calls;

#endif
