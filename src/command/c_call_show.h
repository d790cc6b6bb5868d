/** The C function that a Python frame is calling. */
#ifndef SCRY_C_CALL_SHOW_H
#define SCRY_C_CALL_SHOW_H

#include "command/command.h"
#include "object/c_call.h"

/** A line "      in list.sort of [3, 1, 2]"; in JSON the key "calls" of the open frame. */
void scry_say_c_call(struct scry_call *call, const struct scry_c_call *c);
/** What it says, about a frame that is calling one. */
extern const struct scry_facts scry_facts_calls;

#endif
