/** What only a process here shows: files, children, how late it is. NULL and 0 for dumps. */
#ifndef SCRY_WAIT_HERE_H
#define SCRY_WAIT_HERE_H

#include "target/target.h"

/** The target's process, where it runs here; else 0. */
int scry_pid_here(const struct scry_session *s);
/** "fd 5" is what: "socket 127.0.0.1:51514 -> 127.0.0.1:5432 ESTABLISHED", "pipe", a path. */
const char *scry_fd_text(struct scry_session *s, int64_t fd);
/** May a write to the file wait? False where O_NONBLOCK is set; true where nothing says so. */
bool scry_fd_blocks(struct scry_session *s, int64_t fd);
/** The files that an epoll instance watches, at most `room` of them; how many there are. */
unsigned scry_epoll_files(struct scry_session *s, int64_t epoll, int64_t *ret, unsigned room);
/** "alive", "a zombie: nobody has waited for it yet", "gone". */
const char *scry_process_text(struct scry_session *s, int64_t pid);
/** "12 s left", by the monotonic clock; "until 5000 s of its clock" of a dump. */
const char *scry_clock_left(struct scry_session *s, int64_t deadline);
/** "for 12 s"; "since second 5000 of its clock" of a dump. */
const char *scry_clock_since(struct scry_session *s, int64_t time);

/* --- far_end.c --- */
/** The pipes and sockets of all processes here, in the arena; NULL for dumps. */
struct scry_far_ends *scry_far_ends_read(struct scry_session *s);
/** "process 4711 (worker) has the other end" of a pipe or a socket; NULL: it is not known. */
const char *scry_far_end_text(struct scry_session *s, const struct scry_far_ends *ends, int64_t fd);
/** "process 4711 (worker) has it locked": of a file whose flock or record lock is waited for. */
const char *scry_file_lock_text(struct scry_session *s, const char *kind, int64_t fd);

#endif
