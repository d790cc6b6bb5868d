/**
 * Reading another process's memory that may never come: a page of a userfaultfd that nobody serves,
 * or of a lost network or FUSE file. A thread that reads it sleeps in the kernel, deaf to signals.
 * So pages that are not in memory are read by a separate thread, which is abandoned when it does
 * not come back in time; it ends with the process, or when the page comes after all.
 */
#ifndef SCRY_REMOTE_READER_H
#define SCRY_REMOTE_READER_H

#include <sys/types.h>

#include "base/session.h"

struct scry_remote_worker;

/** How the memory of one process is read. */
struct scry_remote_reader {
	int pid;     /* the process, or a thread of it that has memory */
	int mem;     /* /proc/PID/mem, for systems without process_vm_readv() */
	int pagemap; /* /proc/PID/pagemap: which pages are in memory; -1: not readable */
	bool vm_readv;
	struct scry_remote_worker *worker; /* NULL: none is needed yet */
	unsigned lost;                     /* how many threads were abandoned */
	scry_addr late; /* the last page that did not come; 0: none since this was cleared */
};

/** Open the files of /proc/PID that it needs: a negative errno where memory may not be read. */
int scry_remote_reader_open(struct scry_remote_reader *r, int pid);
/**
 * Copy up to `len` bytes at `addr`; returns how many came. It returns within a second, whatever the
 * pages do; `late` says where it gave up.
 */
size_t scry_remote_read(struct scry_remote_reader *r, scry_addr addr, void *buf, size_t len);
void scry_remote_reader_close(struct scry_remote_reader *r);

#endif
