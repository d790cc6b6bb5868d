/** What a word on the command line may be: a dump, a program, a process. */
#ifndef SCRY_CLI_GUESS_H
#define SCRY_CLI_GUESS_H

#include <stdbool.h>

/** Is there a file, or a directory, of that name here? False where it cannot be looked at. */
bool scry_guess_is_file(const char *word);
bool scry_guess_is_directory(const char *word);
/** Is it an ELF program or library, by its header, and not a core? */
bool scry_guess_is_program(const char *word);
/** Is it the id of a process that exists? */
bool scry_guess_is_process(const char *word);
/** Do its digits make a possible process id? */
bool scry_guess_is_pid(const char *word);

#endif
