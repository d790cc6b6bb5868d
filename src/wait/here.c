/* What /proc says about a process here. Formats: Documentation/filesystems/proc.rst (Linux 6.1). */
#include "wait/here.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registry.h"
#include "target/procfs.h"

/*
 * The process, where it runs here; 0: a dump, or another machine's. What /proc says is of this
 * moment, and of processes here: of a dump it would be another's.
 */
int scry_pid_here(const struct scry_session *s)
{
	const struct scry_target *t = s->target;
	bool here = t->ops == &scry_target_live || t->ops == &scry_target_host;

	return here && t->pid > 0 ? (int)t->pid : 0;
}

/* --- sockets: /proc/PID/net --- */

/* include/net/tcp_states.h, Linux 6.1 */
static const char *const tcp_states[] = {
	[1] = "ESTABLISHED", [2] = "SYN_SENT",  [3] = "SYN_RECV", [4] = "FIN_WAIT1",
	[5] = "FIN_WAIT2",   [6] = "TIME_WAIT", [7] = "CLOSE",    [8] = "CLOSE_WAIT",
	[9] = "LAST_ACK",    [10] = "LISTEN",   [11] = "CLOSING",
};

/* "0100007F:1F90": words in the byte order of the machine. */
static bool put_address(struct scry_buf *out, const char *text)
{
	uint32_t words[4];
	char shown[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, ":"), n = len / 8;

	if ((n != 1 && n != 4) || text[len] != ':')
		return false;
	for (size_t i = 0; i < n; i++) {
		char word[9];

		memcpy(word, text + 8 * i, 8);
		word[8] = '\0';
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	if (!inet_ntop(n == 1 ? AF_INET : AF_INET6, words, shown, sizeof(shown)))
		return false;
	scry_buf_printf(out, n == 1 ? "%s:%lu" : "[%s]:%lu", shown,
			strtoul(text + len + 1, NULL, 16));
	return true;
}

/* "sl local remote st tx:rx tr:when retrnsmt uid timeout inode" */
static bool put_inet(struct scry_buf *out, const char *line, uint64_t inode, bool tcp)
{
	char local[64], remote[64];
	unsigned state;
	uint64_t its;

	if (sscanf(line, " %*s %63s %63s %x %*s %*s %*s %*s %*s %" SCNu64, local, remote, &state,
		   &its) != 4 ||
	    its != inode)
		return false;
	const char *name =
		tcp && state < sizeof(tcp_states) / sizeof(*tcp_states) ? tcp_states[state] : NULL;
	bool listens = tcp && state == 10;

	scry_buf_puts(out, tcp ? "socket " : "udp socket ");
	put_address(out, local);
	if (!listens) {
		scry_buf_puts(out, " -> ");
		put_address(out, remote);
	}
	if (name)
		scry_buf_printf(out, " %s", name);
	return true;
}

/* "Num RefCount Protocol Flags Type St Inode Path" */
static bool put_unix(struct scry_buf *out, const char *line, uint64_t inode)
{
	uint64_t its;
	int end = 0;

	if (sscanf(line, " %*s %*s %*s %*s %*s %*s %" SCNu64 "%n", &its, &end) != 1 || its != inode)
		return false;
	size_t len = strcspn(line + end, "\n");
	scry_buf_puts(out, "unix socket");
	if (len > 1)
		scry_buf_put(out, line + end, len);
	return true;
}

/*
 * /proc/PID/net is the network namespace that the process is in, which need not be ours. A socket
 * of another kind (netlink, vsock) is in none of these tables.
 */
static bool put_socket(struct scry_buf *out, int pid, uint64_t inode)
{
	static const struct {
		const char *file;
		bool tcp, local;
	} tables[] = { { "net/tcp", true, false },
		       { "net/tcp6", true, false },
		       { "net/udp", false, false },
		       { "net/udp6", false, false },
		       { "net/unix", false, true } };
	bool found = false;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && !found; i++) {
		SCRY_AUTO_BUF(text);

		if (!scry_procfs_read(pid, tables[i].file, &text))
			continue;
		for (const char *line = text.text; line && !found;
		     line = strchr(line, '\n'), line = line ? line + 1 : NULL)
			found = tables[i].local ? put_unix(out, line, inode)
						: put_inet(out, line, inode, tables[i].tcp);
	}
	return found;
}

const char *scry_fd_text(struct scry_session *s, int64_t fd)
{
	char path[64], link[4096];
	int pid = scry_pid_here(s);
	SCRY_AUTO_BUF(text);

	if (!pid || fd < 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/fd/%" PRId64, pid, fd);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return NULL;
	link[n] = '\0';
	/* the number in brackets is the inode, by which the tables know a socket */
	if (!strncmp(link, "socket:[", 8)) {
		if (!put_socket(&text, pid, strtoull(link + 8, NULL, 10)))
			scry_buf_puts(&text, "socket");
	} else if (!strncmp(link, "pipe:[", 6)) {
		scry_buf_puts(&text, "pipe");
	} else if (!strncmp(link, "anon_inode:", 11)) {
		scry_buf_puts(&text, link + 11);
	} else {
		scry_buf_puts(&text, link);
	}
	return scry_arena_text(&s->arena, text.text, text.len);
}

/* "flags:\t0104002": octal, as open(2) has them */
bool scry_fd_blocks(struct scry_session *s, int64_t fd)
{
	int pid = scry_pid_here(s);
	char name[64];
	SCRY_AUTO_BUF(text);

	snprintf(name, sizeof(name), "fdinfo/%" PRId64, fd);
	const char *flags = pid && fd >= 0 && scry_procfs_read(pid, name, &text)
				    ? strstr(text.text, "flags:")
				    : NULL;
	return !flags || !(strtoul(flags + 6, NULL, 8) & O_NONBLOCK);
}

/* "tfd:        5 events: ..." */
unsigned scry_epoll_files(struct scry_session *s, int64_t epoll, int64_t *ret, unsigned room)
{
	int pid = scry_pid_here(s);
	char name[64];
	unsigned n = 0;
	SCRY_AUTO_BUF(text);

	snprintf(name, sizeof(name), "fdinfo/%" PRId64, epoll);
	if (!pid || epoll < 0 || !scry_procfs_read(pid, name, &text))
		return 0;
	for (const char *line = text.text; line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (!strncmp(line, "tfd:", 4)) {
			if (n < room)
				ret[n] = strtoll(line + 4, NULL, 10);
			n++;
		}
	return n;
}

const char *scry_process_text(struct scry_session *s, int64_t pid)
{
	uint64_t flags;

	if (!scry_pid_here(s) || pid <= 0 || pid > INT32_MAX)
		return NULL;
	switch (scry_procfs_state((int)pid, &flags)) {
	case 0:
		return "gone";
	case 'Z':
		return "a zombie: nobody has waited for it yet";
	case 'T':
	case 't':
		return "stopped";
	default:
		return "alive";
	}
}

const char *scry_clock_left(struct scry_session *s, int64_t deadline)
{
	struct timespec now;

	/* the monotonic clock begins anew with each boot: a dump's says nothing to ours */
	if (!scry_pid_here(s) || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return scry_arena_printf(&s->arena, "until second %" PRId64 " of its clock",
					 deadline);
	if (deadline <= now.tv_sec)
		return "its time is over";
	return scry_arena_printf(&s->arena, "%" PRId64 " s left", deadline - now.tv_sec);
}

const char *scry_clock_since(struct scry_session *s, int64_t time)
{
	struct timespec now;

	if (!scry_pid_here(s) || clock_gettime(CLOCK_MONOTONIC, &now) < 0 || now.tv_sec < time)
		return scry_arena_printf(&s->arena, "since second %" PRId64 " of its clock", time);
	return scry_arena_printf(&s->arena, "for %" PRId64 " s", (int64_t)now.tv_sec - time);
}
