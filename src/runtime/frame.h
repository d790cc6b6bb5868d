/** What the strategies of frames differ in. Internal to src/runtime. */
#ifndef SCRY_FRAME_H
#define SCRY_FRAME_H

#include "runtime/runtime.h"

/** tstate->frame, up to 3.10. */
int scry_object_frame_top(struct scry_thread *t, scry_addr *ret);
/** A PyFrameObject: everything but the code object itself, which scry_frame_at() adds. */
int scry_object_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f);
/** tstate->cframe->current_frame (3.11, 3.12) or tstate->current_frame (3.13+). */
int scry_interp_frame_top(struct scry_thread *t, scry_addr *ret);
/** A struct _PyInterpreterFrame, its code object included: the instruction is relative to it. */
int scry_interp_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f);

#endif
