/** Names of threads as the threading module knows them. */
#ifndef SCRY_THREAD_NAMES_H
#define SCRY_THREAD_NAMES_H

#include "runtime/runtime.h"

/**
 * threading's name of a thread, else the one that the operating system gave it, or NULL. Asked for
 * once per session and refresh: only the names that are shown are read. Records no failure.
 */
const char *scry_thread_name(struct scry_thread *t);
/** scry_thread_find(), which knows all names where `text` is no number. */
int scry_thread_named(struct scry_session *s, const char *text, struct scry_thread **ret);

#endif
