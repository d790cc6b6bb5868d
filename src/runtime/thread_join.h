/** Thread states joined with the threads of the operating system. Internal to src/runtime. */
#ifndef SCRY_THREAD_JOIN_H
#define SCRY_THREAD_JOIN_H

#include "runtime/runtime.h"

/** OS threads by what Python may know of them, and the C stacks that they use. */
struct scry_join {
	struct scry_session *session;
	struct scry_hash by_tls, by_tid, taken;
	struct scry_hash idents; /* thread states by their id; of equal ids, the first */
	struct scry_hash shared; /* ids that several states have */
	bool by_pointer;         /* one state's id was its thread pointer, so all are */
	struct scry_used_stack {
		scry_addr start, end;
		const struct scry_os_thread *os;
	} * stacks; /* sorted by start; made when first needed */
	size_t stack_count;
	bool has_stacks;
	uint32_t links; /* of chains of frames that were followed: there is a limit */
};

/**
 * Start; nothing is looked up before it is needed. scry_join_done() frees the tables, not the
 * threads.
 */
void scry_join_init(struct scry_join *j, struct scry_session *s);
void scry_join_done(struct scry_join *j);
/**
 * Find the OS thread of each of the session's thread states: by the id in the state, unless another
 * thread's C stack is seen to run its frames. Fills in tid, name, presence, `crashed`, and who
 * waits for the GIL.
 */
void scry_join_threads(struct scry_join *j);

/** The thread whose C stack has the address in its used part, or NULL (thread_stack.c). */
const struct scry_os_thread *scry_join_owner(struct scry_join *j, scry_addr addr);
/** Does the thread have the word in a register, or on the newest part of its C stack? */
bool scry_os_thread_holds(struct scry_session *s, const struct scry_os_thread *os, uint64_t word);
/**
 * The thread that runs the state's frames, as far as C stacks show it. `t->os` is the one that the
 * id names (or NULL), and is returned where nothing speaks against it.
 */
const struct scry_os_thread *scry_join_runner(struct scry_join *j, const struct scry_thread *t);

#endif
