/** What is said of a crash: by the crash command, and at the head of the default answer. */
#ifndef SCRY_COMMAND_CRASH_H
#define SCRY_COMMAND_CRASH_H

#include "command/command.h"
#include "native/fatal.h"

/** Of a struct scry_crash: all of it, as the command has it. */
extern const struct scry_facts scry_facts_crash;
/** "SIGSEGV: read of 8 bytes at 0x8", no line end. */
extern const char *const *const scry_crash_signal;

#endif
