/**
 * A line on the terminal that says what takes so long: from one second on, and gone before
 * anything else is written there. Only where standard error is a terminal.
 */
#ifndef SCRY_CLI_PROGRESS_LINE_H
#define SCRY_CLI_PROGRESS_LINE_H

#include "base/session.h"

/** Watch `s`, which must live until the end, from another thread. At most one at a time. */
void scry_progress_line_begin(struct scry_session *s);
/** The answer begins: remove the line, for good where the answer goes to a terminal too. */
void scry_progress_line_hide(void);
/** Remove it and stop watching. Does nothing without begin. */
void scry_progress_line_end(void);

#endif
