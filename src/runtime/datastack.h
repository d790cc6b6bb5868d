/**
 * The data stack of a thread (3.11+): chunks of memory in which the frames of its calls lie one
 * after the other without a gap. What the chain of frames says can be checked by it, and where
 * the chain is broken it goes on there. Internal to src/runtime.
 */
#ifndef SCRY_DATASTACK_H
#define SCRY_DATASTACK_H

#include "runtime/runtime.h"

/** Read the head of the thread's stack; `known` is false where it makes no sense. */
void scry_data_stack_open(struct scry_data_stack *d, struct scry_thread *t);
/** True where the address is in any chunk from the one at hand on to the oldest. */
bool scry_data_stack_has(const struct scry_data_stack *d, scry_addr addr);
/**
 * Does the dump lack a chunk that the ones at hand lead to? Then what is in none of them may be in
 * that.
 */
bool scry_data_stack_is_cut(const struct scry_data_stack *d);
/** Words of a frame that runs `code`; 0 where that is not known. */
uint64_t scry_data_stack_frame_size(const struct scry_code *code);

enum scry_data_place {
	SCRY_DATA_NEXT,   /* right after the frame that was taken before */
	SCRY_DATA_HIDDEN, /* one frame lies between: it is being made or left */
	SCRY_DATA_AWAY,   /* further on: what lies between is lost */
	SCRY_DATA_FOREIGN /* in no chunk of this thread */
};
/** Where a frame stands by the one taken before it. `size` 0: not known, and it fits anywhere. */
enum scry_data_place scry_data_stack_place(struct scry_data_stack *d, scry_addr frame,
					   uint64_t size);
/** Go on from this frame: the next must end where it begins. */
void scry_data_stack_take(struct scry_data_stack *d, scry_addr frame);
/** The frame that must be next, proven by those below it; 0: not known, or there is none. */
scry_addr scry_data_stack_next(struct scry_data_stack *d);
/** True where nothing lies below the frame that was taken last. */
bool scry_data_stack_empty(struct scry_data_stack *d);

#endif
