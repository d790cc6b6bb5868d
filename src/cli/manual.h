/** Manual pages, made of the command table. */
#ifndef SCRY_CLI_MANUAL_H
#define SCRY_CLI_MANUAL_H

/**
 * Write pyscry.1 and a page for each command, pyscry-NAME.1, into an existing directory. Returns
 * the exit status, after a message where that is not 0.
 */
int scry_manual_write(const char *directory);

#endif
