/** What obj shows of a value, and of addresses where the model has no counts. For src/command. */
#ifndef SCRY_COMMAND_OBJ_H
#define SCRY_COMMAND_OBJ_H

#include "base/facts.h"
#include "object/model.h"

struct scry_call;

/** What scry_obj_described() says: the keys of the answer. */
extern const struct scry_facts scry_facts_described;

/** Append the repr of an object; false where something was damaged, as the text says. */
bool scry_obj_value(struct scry_runtime *r, scry_addr addr, struct scry_buf *out);
/** Write what the model's describe() says; the answer is partial where there is no object. */
void scry_obj_described(struct scry_call *call, struct scry_runtime *r, scry_addr addr);

#endif
