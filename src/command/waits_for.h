/** What a row of waits waits for. */
#ifndef SCRY_WAITS_FOR_H
#define SCRY_WAITS_FOR_H

#include "command/command.h"

/** The subject is a struct scry_awaited. */
extern const struct scry_facts scry_facts_awaited;

#endif
