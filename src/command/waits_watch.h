/** waits --watch: two readings, with time between them. */
#ifndef SCRY_WAITS_WATCH_H
#define SCRY_WAITS_WATCH_H

#include "command/command.h"

struct scry_gil_reading;

/**
 * Let the process run for the seconds that `text` says, then stop it again. *ret: who held the GIL
 * before. SCRY_EINVAL, or SCRY_EUNSUPPORTED where it is not ours to let run (scry_fail).
 */
int scry_waits_watch(struct scry_call *call, const char *text, struct scry_gil_reading **ret);

#endif
