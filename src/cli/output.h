/** Standard output of the program, and whether what was written arrived. */
#ifndef SCRY_CLI_OUTPUT_H
#define SCRY_CLI_OUTPUT_H

#include <stddef.h>

/**
 * To be called first: keeps closed standard descriptors from being given to files that are opened
 * later, and ignores the signal for a reader that has gone (SIGPIPE).
 */
void scry_output_init(void);
/** A scry_buf.sink, too. After a failure it does nothing. */
void scry_output_write(void *unused, const char *text, size_t len);
/** Returns `status`; where something could not be written, says so and returns 2. */
int scry_output_status(int status);

#endif
