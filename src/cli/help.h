/** The program's help, and what it says of words that it does not know. */
#ifndef SCRY_CLI_HELP_H
#define SCRY_CLI_HELP_H

#include "command/command.h"

/** Write all commands and options to standard output. */
void scry_help_put(void);
/** Lines of examples, as in --help. */
extern const char scry_help_examples[];
/** Say what is wrong, on standard error; 2, the exit status. */
int scry_usage_error(const char *problem, const char *word);
int scry_unknown_command(const char *word);
/** `word` as it was typed, "--" and a value after '=' included. */
int scry_unknown_option(const char *word);

#endif
