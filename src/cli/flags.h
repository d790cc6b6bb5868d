/** The options of the command line, besides those of the command table. */
#ifndef SCRY_CLI_FLAGS_H
#define SCRY_CLI_FLAGS_H

#include "command/command.h"

/** Options of the session; those of commands are in the table. Names: scry_session_set()'s. */
extern const struct scry_flag scry_session_flags[];

/** A command by its name, with or without "py-"; NULL: there is none. `name` may be NULL. */
const struct scry_command *scry_cli_command(const char *name);
/** The option of a list that `word` ("--by", "--by=size", "-b") is; NULL: none. */
const struct scry_flag *scry_cli_flag(const struct scry_flag *flags, const char *word);
/** A command's own option; `command` may be NULL. */
const struct scry_flag *scry_cli_flag_of(const char *command, const char *word);
/** Is it an option of any command? */
bool scry_cli_is_flag(const char *word);

#endif
