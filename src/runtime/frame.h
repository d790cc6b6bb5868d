/** How the versions' frames differ: rows of struct scry_strategy. Internal to src/runtime. */
#ifndef SCRY_FRAME_H
#define SCRY_FRAME_H

#include "runtime/runtime.h"

/** What frames of one kind can prove about the chain that a thread's walk follows. */
struct scry_chain_ops {
	/* called before the first frame of a thread */
	void (*open)(struct scry_walk *w);
	/*
	 * `f` was reached by the current link: NULL, or why it cannot be there. Called only in a
	 * thread's walk. It may mark `f` itself as damaged.
	 */
	const char *(*check)(struct scry_walk *w, struct scry_frame *f);
	/* The chain ends here: NULL, or why it cannot end. */
	const char *(*end)(struct scry_walk *w);
	/* The frame that must come next, where that can be proven; else 0. */
	scry_addr (*recover)(struct scry_walk *w);
	/* where recover() finds it, for messages: "the thread's data stack" */
	const char *from;
};

extern const struct scry_chain_ops scry_chain_of_interp_frames, scry_chain_of_frame_objects;

/** Make `f` a damaged frame; printf-like. An earlier reason stays. */
void scry_frame_damage(struct scry_frame *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Up to 3.10: tstate->frame, 0 none. */
int scry_object_frame_top(struct scry_thread *t, scry_addr *ret);
/** Read a PyFrameObject: all but the code object itself, which scry_frame_at() adds. */
int scry_object_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f);
/**
 * Who made a frame object whose type is not the interpreter's ("Nuitka"); NULL for the
 * interpreter's own, for 0, and where the type's name is not known.
 */
const char *scry_frame_maker(struct scry_runtime *r, scry_addr frame_object);
/** Make `f` a frame that runs no byte code, at the line that its frame object keeps. */
void scry_frame_compiled(struct scry_frame *f, const char *maker, int line);
/** Is the frame not being executed: suspended, finished, not started, or unreadable? */
bool scry_object_frame_stopped(struct scry_runtime *r, scry_addr addr);
/** tstate->cframe->current_frame (3.11, 3.12) or tstate->current_frame (3.13+). */
int scry_interp_frame_top(struct scry_thread *t, scry_addr *ret);
/** Read a struct _PyInterpreterFrame and its code object, which f->lasti is relative to. */
int scry_interp_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f);

#endif
