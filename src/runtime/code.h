/** How the versions' code objects differ: rows of struct scry_strategy. Internal to src/runtime. */
#ifndef SCRY_CODE_H
#define SCRY_CODE_H

#include "runtime/runtime.h"

/** Up to 3.10: the byte code is in a bytes object. Negative where that is damaged. */
int scry_code_read_object(struct scry_runtime *r, const struct scry_record *rec,
			  struct scry_code *c);
/** 3.11+: the byte code comes after the code object's own fields. */
int scry_code_read_inline(struct scry_runtime *r, const struct scry_record *rec,
			  struct scry_code *c);

#endif
