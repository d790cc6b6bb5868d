/**
 * Ctrl-C while a command runs: the session is told to stop. Every read of the target fails then, so
 * that whatever walks ends, and what it has said by then is thrown away.
 */
#ifndef SCRY_INTERRUPT_H
#define SCRY_INTERRUPT_H

#include <signal.h>

#include "base/session.h"

/** What was there before: the program's own handler, and the session that it was about. */
struct scry_interrupt {
	struct scry_session *before;
	struct sigaction action;
	bool set;
};

/** From here on SIGINT stops `s`, where its options want that. */
void scry_interrupt_begin(struct scry_session *s, struct scry_interrupt *in);
/** The handler that was there comes back. */
void scry_interrupt_end(struct scry_interrupt *in);

#endif
