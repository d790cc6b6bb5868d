/** The stacks of a target, or of many, folded: what is gathered, and how it is shown. */
#ifndef SCRY_COMMAND_STACKS_H
#define SCRY_COMMAND_STACKS_H

#include "command/command.h"
#include "fold/fold.h"

/** What stacks was asked for, and the fold that it works on. */
struct scry_stacks {
	struct scry_call *call;
	struct scry_fold *fold;
	enum scry_fold_group group;
	bool signature, native, locals;
};

/** Read the call's options; negative after scry_fail(). */
int scry_stacks_options(struct scry_stacks *st);
/** Put the stacks of the open target into the fold. Negative after scry_fail(). */
int scry_stacks_gather(struct scry_stacks *st);
/** Count, sort, and write: text or JSON, or the form that was asked for. */
int scry_stacks_show(struct scry_stacks *st);

/** Append a frame's name: "f (x.py:7)"; `short_file`: only the file's last part. */
void scry_stacks_frame_name(struct scry_buf *out, const struct scry_fold_frame *f, bool short_file);
/** `--folded`, `--speedscope`, `--dot`. */
void scry_stacks_folded(struct scry_stacks *st);
void scry_stacks_speedscope(struct scry_stacks *st);
void scry_stacks_dot(struct scry_stacks *st);

extern const struct scry_facts scry_facts_stacks;

#endif
