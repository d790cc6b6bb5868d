/** The argument ADDRESS|$REGISTER|EXPR of commands about memory. Internal to src/command. */
#ifndef SCRY_COMMAND_ADDRESS_H
#define SCRY_COMMAND_ADDRESS_H

#include "command/command.h"

/**
 * Evaluate it: a number, a register of the selected thread's innermost frame, or an expression as
 * print takes, whose value is an object. Negative after scry_fail().
 */
int scry_call_address(struct scry_call *call, scry_addr *ret);

#endif
