/**
 * What obj shows of an address where the model has no reference counts. Internal to src/command.
 */
#ifndef SCRY_COMMAND_OBJ_H
#define SCRY_COMMAND_OBJ_H

#include "base/facts.h"
#include "object/model.h"

struct scry_call;

/** What scry_obj_described() says: the keys of the answer. */
extern const struct scry_facts scry_facts_described;

/** Write what the model's describe() tells; the answer is partial where no object stands there. */
void scry_obj_described(struct scry_call *call, struct scry_runtime *r, scry_addr addr);

#endif
