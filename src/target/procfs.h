/** What /proc says about a process on this machine. */
#ifndef SCRY_PROCFS_H
#define SCRY_PROCFS_H

#include "target/target.h"

/** Append the file /proc/PID/`name`; false (errno set) where it cannot be read. */
bool scry_procfs_read(int pid, const char *name, struct scry_buf *out);
/**
 * The value of a line "KEY:\tvalue" of /proc/PID/status as a number; `missing` where there is none.
 */
int64_t scry_procfs_status(int pid, const char *key, int64_t missing);
/**
 * State letter of /proc/PID/stat ('R', 'Z', ...), 0 where there is no such process; *ret_flags its
 * PF_* flags.
 */
char scry_procfs_state(int pid, uint64_t *ret_flags);
/**
 * Append the mappings of /proc/PID/maps to t->maps: SCRY_OK, SCRY_ESYSTEM where the file cannot be
 * read.
 */
int scry_procfs_maps(struct scry_target *t, int pid);
/** Executable, command line, auxiliary vector. What cannot be read stays as it is. */
void scry_procfs_facts(struct scry_target *t, int pid);
/** When the process began, seconds since 1970; 0 unknown. */
int64_t scry_procfs_started(int pid);
/** abi and arch from the header of /proc/PID/exe; false where that cannot be read. */
bool scry_procfs_machine(struct scry_target *t, int pid);
/** The kernel's name of a thread, in t->keep, or NULL. */
const char *scry_procfs_thread_name(struct scry_target *t, int pid, uint64_t tid);
/** The tids in /proc/PID/task, ascending; a count, or < 0 (errno set). *ret is malloc'ed. */
int64_t scry_procfs_tids(int pid, uint64_t **ret);
/** ops->present() by /proc/PID/pagemap. */
bool scry_procfs_present(struct scry_target *t, scry_addr start, scry_addr end, uint64_t *ret);
/** Registers that /proc/PID/task/TID/syscall shows of a thread that sleeps, and its futex wait. */
void scry_procfs_syscall(struct scry_target *t, int pid, struct scry_os_thread *thread);

#endif
