/** Names of threads as the threading module knows them. */
#ifndef SCRY_THREAD_NAMES_H
#define SCRY_THREAD_NAMES_H

#include "runtime/runtime.h"

/**
 * Replace thread->name by threading's name wherever it is found; once per session and refresh,
 * cheap after that.
 */
void scry_threads_name(struct scry_session *s);

#endif
