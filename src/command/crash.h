/** How a crash is shown: by the crash command, and at the head of the default answer. */
#ifndef SCRY_COMMAND_CRASH_H
#define SCRY_COMMAND_CRASH_H

#include "command/cvars.h"
#include "native/fatal.h"

/** Of a struct scry_crash: all of it, as the command has it. */
extern const struct scry_facts scry_facts_crash;
/** The same in a few lines. */
extern const struct scry_facts scry_facts_crash_short;

#endif
