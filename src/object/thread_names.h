/** Names of threads as the threading module knows them. */
#ifndef SCRY_THREAD_NAMES_H
#define SCRY_THREAD_NAMES_H

#include "runtime/runtime.h"

/*
 * scry_thread_name(), pyscry/pyscry.h: asked for once per session and refresh, so that only the
 * names that are shown are read. Records no failure.
 */
/** scry_thread_find(), which knows all names where `text` is not a number. */
int scry_thread_named(struct scry_session *s, const char *text, struct scry_thread **ret);

#endif
