/* The system call that a thread sleeps in, and what its arguments say. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "object/known.h"
#include "wait/here.h"
#include "wait/wait.h"

enum way {
	FILE_,
	RECORD_LOCK,
	PATH,
	PATH_BEHIND,
	POLL,
	PPOLL,
	SELECT,
	PSELECT,
	EPOLL,
	SLEEP,
	CLOCK_SLEEP,
	PROCESS,
	PROCESS_BEHIND,
	SIGNALS,
	FUTEX,
	OTHER,
};
#define FILE FILE_
#define SYSCALL(name, kind, way, x86_64, i386, generic) \
	{ name, kind, way, { [SCRY_SYSCALLS_X86_64] = x86_64, i386, generic } },

static const struct syscall_row {
	const char *name, *kind;
	enum way way;
	int numbers[SCRY_SYSCALLS_GENERIC + 1];
} rows[] = {
#include "wait/syscalls.def"
};
#undef FILE

struct sleep {
	struct scry_waits *w;
	struct scry_waiter *who;
	const struct scry_os_thread *os;
	struct scry_awaited *what;
};

/*
 * Numbers differ between machines: the row has one for each table of the kernel's (arm64 and
 * riscv64 share the generic one, include/uapi/asm-generic/unistd.h).
 */
static const struct syscall_row *row_of(const struct scry_target *t, uint64_t number)
{
	if (!t->arch || t->arch->syscalls == SCRY_SYSCALLS_UNKNOWN)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].numbers[t->arch->syscalls] == (int64_t)number)
			return &rows[i];
	return NULL;
}

/* An int takes the lower half of a register; what is in the upper half nobody promises. */
static int64_t int_of(uint64_t word)
{
	return (int32_t)word;
}

/* --- time --- */

/* struct timespec or timeval: two longs, whose second part is of a second. */
static bool read_time(const struct sleep *s, scry_addr at, int64_t *ret_seconds, bool *ret_more)
{
	struct scry_session *session = s->w->session;
	unsigned size = session->target->abi.long_size;
	int64_t part;

	if (!at || scry_read_int(session, at, size, ret_seconds) < 0 ||
	    scry_read_int(session, at + size, size, &part) < 0 || *ret_seconds < 0)
		return false;
	*ret_more = part > 0;
	return true;
}

/* A span says how long in all, not how long still: when the call began is not known. */
static void set_span(const struct sleep *s, scry_addr at)
{
	int64_t seconds;
	bool more;

	if (!read_time(s, at, &seconds, &more))
		return;
	s->what->timed = true;
	s->what->detail = scry_arena_printf(&s->w->session->arena, "for %s%" PRId64 " s",
					    more ? "a little more than " : "", seconds);
}

/* Rounded up, since what is not over yet may end within this second. */
static void set_deadline(const struct sleep *s, scry_addr at)
{
	int64_t seconds;
	bool more;

	if (!read_time(s, at, &seconds, &more))
		return;
	s->what->timed = true;
	s->what->deadline = seconds + more;
	s->what->detail = scry_clock_left(s->w->session, s->what->deadline);
}

/* --- files --- */

static void add_file(const struct sleep *s, struct scry_buf *text, int64_t fd)
{
	const char *more = scry_fd_text(s->w->session, fd);

	scry_buf_printf(text, "%sfd %" PRId64, text->len ? ", " : "", fd);
	if (more)
		scry_buf_printf(text, ": %s", more);
}

/* One file is what is waited for, and can be looked up; of several any may be the one. */
static void set_files(const struct sleep *s, struct scry_buf *text, unsigned count, int64_t only)
{
	if (count == 1) {
		s->what->fd = only;
		s->what->detail = scry_fd_text(s->w->session, only);
	} else if (text->len)
		s->what->detail = scry_arena_text(&s->w->session->arena, text->text, text->len);
	scry_buf_done(text);
}

#define FILES_SHOWN 8

/* struct pollfd: int fd, short events, revents. */
static void read_poll(const struct sleep *s)
{
	struct scry_buf text = SCRY_BUF_INIT;
	uint64_t count = s->os->args[1];
	int64_t fd, only = -1;
	unsigned n = 0;

	for (uint64_t i = 0; i < count && i < FILES_SHOWN; i++) {
		if (scry_read_int(s->w->session, s->os->args[0] + i * 8, 4, &fd) < 0)
			break;
		/* poll(2) passes these over */
		if (fd < 0)
			continue;
		add_file(s, &text, only = fd);
		n++;
	}
	if (count > FILES_SHOWN)
		scry_buf_printf(&text, ", %" PRIu64 " more", count - FILES_SHOWN);
	set_files(s, &text, count == 1 ? n : 0, only);
}

/* fd_set: bits in longs. */
static void read_select(const struct sleep *s)
{
	struct scry_session *session = s->w->session;
	struct scry_buf text = SCRY_BUF_INIT;
	int64_t count = int_of(s->os->args[0]), only = -1;
	unsigned n = 0;

	for (int64_t fd = 0; fd < count && fd < 65536; fd++) {
		bool in = false;

		for (int set = 1; set <= 3; set++) {
			uint64_t byte;

			in |= s->os->args[set] &&
			      scry_read_uint(session, s->os->args[set] + (uint64_t)fd / 8, 1,
					     &byte) == SCRY_OK &&
			      byte >> fd % 8 & 1;
		}
		if (!in)
			continue;
		only = fd;
		if (n++ < FILES_SHOWN)
			add_file(s, &text, fd);
	}
	if (n > FILES_SHOWN)
		scry_buf_printf(&text, ", %u more", n - FILES_SHOWN);
	set_files(s, &text, n, only);
}

/* Which files an epoll waits for only the kernel knows: /proc says it, a dump does not. */
static void read_epoll(const struct sleep *s)
{
	struct scry_buf text = SCRY_BUF_INIT;
	int64_t fds[FILES_SHOWN];

	s->what->fd = int_of(s->os->args[0]);
	unsigned n = scry_epoll_files(s->w->session, s->what->fd, fds, FILES_SHOWN);
	for (unsigned i = 0; i < n && i < FILES_SHOWN; i++)
		add_file(s, &text, fds[i]);
	if (n > FILES_SHOWN)
		scry_buf_printf(&text, ", %u more", n - FILES_SHOWN);
	/* the file that is waited on is the epoll itself */
	set_files(s, &text, 0, 0);
}

/* FUTEX_WAIT's time is a span, that of the others a point; of the monotonic clock unless told. */
static void read_futex(const struct sleep *s)
{
	enum { OPERATION = 0x7f, REALTIME = 256 };

	if (!s->os->in_futex)
		return;
	s->what->timed = s->os->futex_timed;
	if (s->os->futex_timed && s->os->args[1] & OPERATION && !(s->os->args[1] & REALTIME))
		set_deadline(s, s->os->args[3]);
	s->what->detail = NULL;
}

/* --- processes, signals, names --- */

static void set_process(const struct sleep *s, int64_t pid)
{
	if (pid <= 0)
		return;
	s->what->pid = pid;
	s->what->detail = scry_process_text(s->w->session, pid);
}

/* sigset_t of the kernel: bit n is signal n + 1. */
static void read_signals(const struct sleep *s)
{
	struct scry_buf text = SCRY_BUF_INIT;
	uint64_t set;

	if (scry_read_uint(s->w->session, s->os->args[0], 8, &set) < 0)
		return;
	for (unsigned i = 0; i < 64; i++)
		if (set >> i & 1)
			scry_buf_printf(&text, "%s%u", text.len ? ", " : "signal ", i + 1);
	if (text.len)
		s->what->detail = scry_arena_text(&s->w->session->arena, text.text, text.len);
	scry_buf_done(&text);
}

static void read_path(const struct sleep *s, scry_addr at)
{
	const char *path;

	if (scry_read_cstr(s->w->session, at, 4096, &path) == SCRY_OK)
		s->what->detail = path;
}

static void read_arguments(const struct sleep *s, enum way way)
{
	/*
	 * TIMER_ABSTIME (include/uapi/linux/time.h); P_PID (wait.h); F_SETLKW, F_SETLKW64,
	 * F_OFD_SETLKW (include/uapi/asm-generic/fcntl.h): the commands of fcntl() that wait
	 */
	enum { ABSOLUTE = 1, P_PID_ = 1, SETLKW = 7, SETLKW64 = 14, OFD_SETLKW = 38 };
	const uint64_t *args = s->os->args;

	switch (way) {
	case RECORD_LOCK:
		if (args[1] != SETLKW && args[1] != SETLKW64 && args[1] != OFD_SETLKW)
			s->what->kind = "fcntl";
		/* fall through */
	case FILE_:
		s->what->fd = int_of(args[0]);
		s->what->detail = scry_fd_text(s->w->session, s->what->fd);
		break;
	case PATH:
		read_path(s, args[0]);
		break;
	case PATH_BEHIND:
		read_path(s, args[1]);
		break;
	case POLL:
		s->what->timed = int_of(args[2]) >= 0;
		read_poll(s);
		break;
	case PPOLL:
		s->what->timed = args[2] != 0;
		read_poll(s);
		break;
	case SELECT:
	case PSELECT:
		if (args[0]) {
			s->what->timed = args[4] != 0;
			read_select(s);
			break;
		}
		/* time.sleep() up to 3.10: Modules/timemodule.c, pysleep() */
		s->what->kind = "sleep";
		set_span(s, args[4]);
		break;
	case EPOLL:
		s->what->timed = int_of(args[3]) >= 0;
		read_epoll(s);
		break;
	case SLEEP:
		set_span(s, args[0]);
		break;
	case CLOCK_SLEEP:
		/* time.sleep() since 3.11: Modules/timemodule.c, pysleep() */
		if (args[1] & ABSOLUTE)
			set_deadline(s, args[2]);
		else
			set_span(s, args[2]);
		break;
	case PROCESS:
		set_process(s, int_of(args[0]));
		break;
	case PROCESS_BEHIND:
		set_process(s, args[0] == P_PID_ ? int_of(args[1]) : 0);
		break;
	case SIGNALS:
		read_signals(s);
		break;
	case FUTEX:
		read_futex(s);
		break;
	default:
		break;
	}
}

/* --- calls that a signal has cut short --- */

/* How many bytes it was to write; 0 not known. struct iovec: a pointer, a length. */
static uint64_t bytes_to_write(const struct scry_session *s, const struct scry_os_thread *os,
			       const char *name)
{
	enum { PARTS_MAX = 1024 };
	unsigned ptr = s->target->abi.ptr_size;
	uint64_t total = 0, part;

	if (!strchr(name, 'v'))
		return os->args[2];
	for (uint64_t i = 0; i < os->args[2] && i < PARTS_MAX; i++) {
		if (scry_read_uint((struct scry_session *)s, os->args[1] + (2 * i + 1) * ptr, ptr,
				   &part) < 0)
			return 0;
		total += part;
	}
	return total;
}

/*
 * A write that waits for room comes back with what it has written so far, as soon as the thread is
 * to die or to stop: that is why it has not got any further since.
 */
static bool was_cut_short(struct scry_session *s, const struct scry_os_thread *os,
			  uint64_t *ret_done, uint64_t *ret_all)
{
	static const char *const names[] = { "write", "pwrite64", "writev", "pwritev", "sendto" };
	const struct scry_arch *arch = s->target->arch;
	const struct syscall_row *row = os->syscall_known ? row_of(s->target, os->syscall) : NULL;

	if (!row || arch->syscall_result == arch->syscall_args[0] || !os->regs.arch)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(row->name, names[i]))
			continue;
		*ret_done = os->regs.value[arch->syscall_result];
		*ret_all = bytes_to_write(s, os, row->name);
		/* where a file never waits, it has simply had no more room just then */
		return *ret_done && *ret_done < *ret_all && scry_fd_blocks(s, int_of(os->args[0]));
	}
	return false;
}

/*
 * 1 sleeps in a call that waits, 0 does not, -1 not known. Another call (a read() that waits for
 * its disk, a page fault) is not what a program would call waiting.
 */
int scry_thread_sleeps(struct scry_waiter *who)
{
	struct scry_target *t = who->thread->session->target;
	const struct scry_os_thread *os = who->thread->os;
	uint64_t done, all;

	if (!os || os->exited || t->abi.windows || !t->arch)
		return -1;
	if (!os->in_syscall)
		scry_os_thread_regs(t, os); /* these may tell */
	if (!os->syscall_known || (os->in_syscall && t->arch->syscalls == SCRY_SYSCALLS_UNKNOWN))
		return -1;
	return (os->in_syscall && row_of(t, os->syscall)) ||
	       was_cut_short(who->thread->session, os, &done, &all);
}

bool scry_sleep_read(struct scry_waits *w, struct scry_waiter *who, struct scry_awaited *what)
{
	const struct scry_thread *t = who->thread;
	const struct syscall_row *row;
	struct sleep s = { w, who, t ? t->os : NULL, what };
	uint64_t done, all;

	if (!s.os || s.os->exited)
		return false;
	scry_os_thread_regs(w->session->target, s.os);
	bool cut = !s.os->in_syscall && was_cut_short(w->session, s.os, &done, &all);
	if (!s.os->in_syscall && !cut)
		return false;
	row = row_of(w->session->target, s.os->syscall);
	what->kind = row ? row->kind : NULL;
	if (row)
		read_arguments(&s, row->way);
	if (cut)
		what->detail = scry_arena_printf(
			&w->session->arena, "%s%s%" PRIu64 " of %" PRIu64 " bytes are written%s",
			what->detail ? what->detail : "", what->detail ? ", " : "", done, all,
			/* a dump does not say whether it does */
			scry_pid_here(w->session) ? "" : "; or it runs, if the file never waits");
	return row != NULL;
}
