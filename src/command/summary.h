/** The head of the default answer. */
#ifndef SCRY_SUMMARY_H
#define SCRY_SUMMARY_H

#include "command/command.h"

/**
 * Program, command, Python, the crash and its C function; a line each for other threads, tasks,
 * stale sources and missing files, where there are any. Text only.
 */
void scry_summary_text(struct scry_call *call);

#endif
