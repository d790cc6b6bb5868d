/**
 * Ctrl-C while a command runs: the session is told to stop. From then on every read of the target
 * fails, so that every walk ends, and what was said so far is thrown away.
 */
#ifndef SCRY_INTERRUPT_H
#define SCRY_INTERRUPT_H

#include <signal.h>

#include "base/session.h"

/** What was there before: the program's own handler, and the session to be stopped. */
struct scry_interrupt {
	struct scry_session *before;
	struct sigaction action;
	bool set;
};

/** From here on SIGINT stops `s`, where its options say so. */
void scry_interrupt_begin(struct scry_session *s, struct scry_interrupt *in);
/** Restore the handler that was there before. */
void scry_interrupt_end(struct scry_interrupt *in);

#endif
