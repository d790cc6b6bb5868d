/** The buffers of the system call that a thread is in. Internal to src/command. */
#ifndef SCRY_COMMAND_SYSCALL_SHOW_H
#define SCRY_COMMAND_SYSCALL_SHOW_H

#include "base/facts.h"
#include "runtime/runtime.h"

#define SCRY_SYSCALL_BUFFERS 64 /* that are told */

/** The call and its buffers. */
struct scry_syscall {
	struct scry_session *session;
	const char *name, *what; /* "writev"; what the address leads to: "iov", "msg", "buf" ... */
	int64_t fd;              /* -1 none */
	scry_addr address;
	uint64_t count; /* of the elements there, or of bytes */
	struct scry_syscall_buffer {
		scry_addr address;
		uint64_t size;
	} buffers[SCRY_SYSCALL_BUFFERS];
	unsigned buffer_count;
	bool cut;
};

/**
 * The call that the thread is in, where it is one that works on buffers, as the instruction at its
 * pc and the arguments confirm. False for others, and where that is not known.
 */
bool scry_syscall_read(struct scry_session *s, const struct scry_os_thread *thread,
		       struct scry_syscall *ret);
/** Of a struct scry_syscall: each buffer with its owner, and whether it is alive. */
extern const struct scry_facts scry_facts_syscall;

#endif
