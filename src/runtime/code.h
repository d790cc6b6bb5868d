/** What the strategies of code objects differ in. Internal to src/runtime. */
#ifndef SCRY_CODE_H
#define SCRY_CODE_H

#include "runtime/runtime.h"

/** Byte code in a bytes object, up to 3.10. */
int scry_code_read_object(struct scry_runtime *r, const struct scry_record *rec,
			  struct scry_code *c);
/** Byte code after the code object's own fields, 3.11+. */
int scry_code_read_inline(struct scry_runtime *r, const struct scry_record *rec,
			  struct scry_code *c);

#endif
