/** Completion for shells: their scripts ask the program, so that they know what it knows. */
#ifndef SCRY_CLI_COMPLETE_H
#define SCRY_CLI_COMPLETE_H

#include "base/buf.h"

/**
 * What may be in place of the last of the words, which follow "pyscry" on the command line: a
 * line each, "WORD" or "WORD\tWHAT IT IS". Where paths may stand the shell completes them: the
 * first line is then "\tfile" or "\tdirectory". No target but a dump that is there is opened.
 */
void scry_complete(char **words, int count, struct scry_buf *out);

#endif
