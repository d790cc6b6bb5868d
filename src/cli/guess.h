/** What a word on the command line may be: a dump, a program, a process. */
#ifndef SCRY_CLI_GUESS_H
#define SCRY_CLI_GUESS_H

#include <stdbool.h>

/** Is there a file, or a directory, of that name here? False where it cannot be looked at. */
bool scry_guess_is_file(const char *word);
bool scry_guess_is_directory(const char *word);
/** An ELF program or library, by its head: no core. */
bool scry_guess_is_program(const char *word);
/** The number of a process that is there. */
bool scry_guess_is_process(const char *word);
/** Digits that may be the number of one. */
bool scry_guess_is_pid(const char *word);

#endif
