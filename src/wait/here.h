/** What only a process here shows: files, children, how late it is. NULL and 0 for dumps. */
#ifndef SCRY_WAIT_HERE_H
#define SCRY_WAIT_HERE_H

#include "target/target.h"

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

#endif
