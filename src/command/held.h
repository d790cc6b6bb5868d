/** The name by which the program holds an object. Internal to src/command. */
#ifndef SCRY_COMMAND_HELD_H
#define SCRY_COMMAND_HELD_H

#include "runtime/runtime.h"

/**
 * Append "mv of #0 main", "keep['cache'][0] of __main__": a variable that leads to the object, in a
 * frame that runs or in a module. False where none is found in a few steps.
 */
bool scry_put_held(struct scry_runtime *r, scry_addr object, struct scry_buf *out);

#endif
