/**
 * The data stack of a thread (3.11+; push_chunk(), Python/pystate.c): chunks of memory in which the
 * frames of its calls are one after the other, without a gap. The chain of frames is checked
 * against it, and continued by it where it is broken. Internal to src/runtime.
 */
#ifndef SCRY_DATASTACK_H
#define SCRY_DATASTACK_H

#include "runtime/runtime.h"

/** Read the head of the thread's stack; `known` is false where it makes no sense. */
void scry_data_stack_open(struct scry_data_stack *d, struct scry_thread *t);
/** Is the address in a chunk, from the current one to the oldest? */
bool scry_data_stack_has(const struct scry_data_stack *d, scry_addr addr);
/**
 * Does the dump lack a chunk that the others lead to? Then an address in none of them may be in
 * that one.
 */
bool scry_data_stack_is_cut(const struct scry_data_stack *d);
/** Words of a frame that runs `code`; 0 where that is not known. */
uint64_t scry_data_stack_frame_size(const struct scry_code *code);

/** Where a frame is, as against the one taken before it. */
enum scry_data_place {
	SCRY_DATA_NEXT,   /* right after the frame that was taken before */
	SCRY_DATA_HIDDEN, /* one frame is between, which is being made or left */
	SCRY_DATA_AWAY,   /* further on: the frames between are lost */
	SCRY_DATA_FOREIGN /* in no chunk of this thread */
};
/** The place of a frame of `size` words; 0: its size is not known, and it fits anywhere. */
enum scry_data_place scry_data_stack_place(struct scry_data_stack *d, scry_addr frame,
					   uint64_t size);
/** Take this frame: the next one must end where it begins. */
void scry_data_stack_take(struct scry_data_stack *d, scry_addr frame);
/** The frame that must be next, as those below it prove; 0: not known, or there is none. */
scry_addr scry_data_stack_next(struct scry_data_stack *d);
/** Is there nothing below the frame that was taken last? */
bool scry_data_stack_empty(struct scry_data_stack *d);

#endif
