/** Standard output of the program, and whether what was written arrived. */
#ifndef SCRY_CLI_OUTPUT_H
#define SCRY_CLI_OUTPUT_H

#include <stddef.h>

/**
 * First of all: standard descriptors that are closed are kept from being given to files that are
 * opened later, and a reader that has gone is not a signal.
 */
void scry_output_init(void);
/** A scry_buf.sink, too. After a failure it does nothing. */
void scry_output_write(void *unused, const char *text, size_t len);
/** `status`; where anything could not be written that is said, and 2 returned. */
int scry_output_status(int status);

#endif
