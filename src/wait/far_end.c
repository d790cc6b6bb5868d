/*
 * Which processes here have the other end of a pipe or a socket, or the lock of a file: by the
 * numbers of inodes in /proc (Documentation/filesystems/proc.rst), of a pair of unix sockets by the
 * kernel's sock_diag (include/uapi/linux/unix_diag.h, Linux 6.1).
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "target/procfs.h"
#include "wait/here.h"

#define ENDS_MAX 1000000 /* open files that are looked at */

/* An open pipe or socket of a process here. */
struct end {
	uint64_t inode;
	int pid, fd;
	bool pipe, reads, writes; /* a pipe's: by the rights of the link */
};

struct scry_far_ends {
	struct end *list;
	size_t count, room;
	bool hidden; /* there are processes whose files cannot be seen, or too many */
};

static bool read_end(int dir, const char *name, struct end *ret)
{
	char link[64], *end;
	struct stat st;
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	if (n <= 0)
		return false;
	link[n] = '\0';
	*ret = (struct end) { .fd = atoi(name), .pipe = !strncmp(link, "pipe:[", 6) };
	if (!ret->pipe && strncmp(link, "socket:[", 8))
		return false;
	ret->inode = strtoull(strchr(link, '[') + 1, &end, 10);
	if (*end != ']' || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	ret->reads = st.st_mode & S_IRUSR;
	ret->writes = st.st_mode & S_IWUSR;
	return true;
}

/* Of one process; false: its files cannot be seen. One that has ended has none. */
static bool add_process(struct scry_far_ends *ends, struct scry_arena *arena, int pid)
{
	char path[32];
	struct dirent *entry;
	struct end end;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return access(path, F_OK) < 0;
	while ((entry = readdir(dir)) && ends->count < ENDS_MAX) {
		if (!read_end(dirfd(dir), entry->d_name, &end))
			continue;
		struct end *list = scry_arena_grow(arena, ends->list, ends->count, &ends->room,
						   sizeof(*list), 256);
		if (!list)
			break;
		end.pid = pid;
		ends->list = list;
		list[ends->count++] = end;
	}
	bool all = !entry;
	closedir(dir);
	return all;
}

struct scry_far_ends *scry_far_ends_read(struct scry_session *s)
{
	struct scry_far_ends *ends =
		scry_pid_here(s) ? scry_arena_alloc(&s->arena, sizeof(*ends)) : NULL;
	DIR *dir = ends ? opendir("/proc") : NULL;
	struct dirent *entry;

	if (!ends)
		return NULL;
	*ends = (struct scry_far_ends) { .hidden = !dir };
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > 0 && !add_process(ends, &s->arena, atoi(entry->d_name)))
			ends->hidden = true;
	if (dir)
		closedir(dir);
	return ends;
}

static const struct end *find_own(const struct scry_far_ends *ends, int pid, int64_t fd)
{
	for (size_t i = 0; i < ends->count; i++)
		if (ends->list[i].pid == pid && ends->list[i].fd == fd)
			return &ends->list[i];
	return NULL;
}

/* The next line of a text of /proc's, which ends there; NULL: no more. */
static char *next_line(char **rest)
{
	return *rest ? strsep(rest, "\n") : NULL;
}

/* --- the other one of a pair of unix sockets --- */

struct question {
	struct nlmsghdr head;
	struct unix_diag_req ask;
};

static uint64_t peer_in(const char *answer, size_t len)
{
	const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
	const size_t before = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct unix_diag_msg));

	if (len < before || head->nlmsg_type != SOCK_DIAG_BY_FAMILY || head->nlmsg_len > len)
		return 0;
	for (size_t at = before; at + sizeof(struct rtattr) <= head->nlmsg_len;) {
		const struct rtattr *a = (const struct rtattr *)(answer + at);
		uint32_t inode;

		if (a->rta_len < sizeof(*a) || at + a->rta_len > head->nlmsg_len)
			break;
		if (a->rta_type == UNIX_DIAG_PEER && a->rta_len >= RTA_LENGTH(sizeof(inode))) {
			memcpy(&inode, (const char *)a + RTA_LENGTH(0), sizeof(inode));
			return inode;
		}
		at += RTA_ALIGN(a->rta_len);
	}
	return 0;
}

/* Sockets of our network namespace: of another one's the kernel says that there is none such. */
static uint64_t unix_peer(uint64_t inode)
{
	struct question q = {
		{ sizeof(q), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0 },
		{ .sdiag_family = AF_UNIX,
		  .udiag_states = UINT32_MAX,
		  .udiag_ino = (uint32_t)inode,
		  .udiag_show = UDIAG_SHOW_PEER,
		  .udiag_cookie = { UINT32_MAX, UINT32_MAX } },
	};
	_Alignas(struct nlmsghdr) char answer[4096];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	uint64_t peer = 0;

	if (fd < 0)
		return 0;
	/* the kernel answers within send(): there is nothing to wait for */
	if (send(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q)) {
		ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

		peer = n > 0 ? peer_in(answer, (size_t)n) : 0;
	}
	close(fd);
	return peer;
}

/* --- the other one of a connection within this machine --- */

/* The address without what makes one of IPv4 one of IPv6: both tables may have either end. */
static const char *plain(const char *address)
{
	static const char mapped[] = "0000000000000000FFFF0000";

	return strncmp(address, mapped, sizeof(mapped) - 1) ? address
							    : address + sizeof(mapped) - 1;
}

/* Go through the tables: `inode` 0 is found by its addresses, which otherwise are filled in. */
static bool find_tcp(int pid, uint64_t *inode, char *local, char *remote)
{
	static const char *const tables[] = { "net/tcp", "net/tcp6" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		SCRY_AUTO_BUF(text);

		if (!scry_procfs_read(pid, tables[i], &text))
			continue;
		for (char *rest = text.text, *line; (line = next_line(&rest));) {
			char from[64], to[64];
			uint64_t its;

			if (sscanf(line, " %*s %63s %63s %*s %*s %*s %*s %*s %*s %" SCNu64, from,
				   to, &its) != 3)
				continue;
			if (*inode ? *inode != its
				   : strcmp(plain(from), local) || strcmp(plain(to), remote))
				continue;
			*inode = its;
			strcpy(local, plain(from));
			strcpy(remote, plain(to));
			return true;
		}
	}
	return false;
}

static uint64_t tcp_peer(int pid, uint64_t inode)
{
	char local[64], remote[64];
	uint64_t peer = 0;

	/* each end has the addresses the other way round */
	return find_tcp(pid, &inode, local, remote) && find_tcp(pid, &peer, remote, local) ? peer
											   : 0;
}

/* --- what is said --- */

static bool is_other(const struct end *own, uint64_t peer, const struct end *end)
{
	if (!own->pipe)
		return !end->pipe && end->inode == peer;
	/* of one that is open for both each is the other end */
	return end->pipe && end->inode == own->inode &&
	       ((own->reads && end->writes) || (own->writes && end->reads));
}

#define SHOWN_MAX 4

static void put_process(struct scry_buf *out, int pid, bool own)
{
	SCRY_AUTO_BUF(name);

	if (out->len)
		scry_buf_puts(out, " and ");
	if (own) {
		scry_buf_puts(out, "this process");
		return;
	}
	scry_buf_printf(out, "process %d", pid);
	if (scry_procfs_read(pid, "comm", &name) && name.len > 1)
		scry_buf_printf(out, " (%.*s)", (int)name.len - 1, name.text);
	else
		scry_buf_puts(out, " (ended)"); /* the lock that it took was inherited */
}

/* Processes one after the other; one that comes several times in a row is one. */
struct shown {
	struct scry_buf *out;
	unsigned count;
	int last;
};

static void show(struct shown *shown, int pid, int own)
{
	if (pid == shown->last)
		return;
	shown->last = pid;
	if (shown->count++ < SHOWN_MAX)
		put_process(shown->out, pid, pid == own);
}

/* False: there was none. */
static bool show_end(struct shown *shown)
{
	if (shown->count > SHOWN_MAX)
		scry_buf_printf(shown->out, " and %u more", shown->count - SHOWN_MAX);
	return shown->count;
}

/*
 * Of a pipe somebody has it, else its end would have been told: unless that is only on its way
 * from one to another. A socket's may be on another machine.
 */
static const char *say(struct scry_session *s, const struct scry_far_ends *ends,
		       const struct end *own, uint64_t peer)
{
	SCRY_AUTO_BUF(text);
	struct shown shown = { .out = &text };

	for (size_t i = 0; i < ends->count; i++)
		if (is_other(own, peer, &ends->list[i]))
			show(&shown, ends->list[i].pid, own->pid);
	if (!show_end(&shown))
		return NULL;
	const char *whole = ends->hidden ? ", of those that may be looked at" : "";
	bool alone = shown.count == 1 && shown.last == own->pid;
	return scry_arena_printf(&s->arena, "%s%.*s %s the other end%s", alone ? "only " : "",
				 (int)text.len, text.text, shown.count == 1 ? "has" : "have",
				 whole);
}

/* --- locks of files --- */

static bool is_it(const char *line, bool flock, dev_t device, uint64_t inode, int *ret_pid)
{
	char kind[16];
	unsigned high, low;
	uint64_t its;

	/* "1: FLOCK  ADVISORY  WRITE 4711 08:01:123 0 EOF"; who waits has "->" before the kind */
	return sscanf(line, "%*[^:]: %15s %*s %*s %d %x:%x:%" SCNu64, kind, ret_pid, &high, &low,
		      &its) == 5 &&
	       *ret_pid > 0 && its == inode && high == major(device) && low == minor(device) &&
	       !strcmp(kind, flock ? "FLOCK" : "POSIX");
}

const char *scry_file_lock_text(struct scry_session *s, const char *kind, int64_t fd)
{
	bool flock = !strcmp(kind, "flock");
	int pid = scry_pid_here(s), holder;
	SCRY_AUTO_BUF(text);
	SCRY_AUTO_BUF(locks);
	struct shown shown = { .out = &text };
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%" PRId64, pid, fd);
	if (!pid || fd < 0 || (!flock && strcmp(kind, "file lock")) || stat(path, &st) < 0 ||
	    !scry_procfs_read(pid, "../locks", &locks))
		return NULL;
	for (char *rest = locks.text, *line; (line = next_line(&rest));)
		if (is_it(line, flock, st.st_dev, st.st_ino, &holder))
			show(&shown, holder, pid);
	return show_end(&shown) ? scry_arena_printf(&s->arena, "%.*s %s it locked", (int)text.len,
						    text.text, shown.count == 1 ? "has" : "have")
				: NULL;
}

const char *scry_far_end_text(struct scry_session *s, const struct scry_far_ends *ends, int64_t fd)
{
	const struct end *own = ends && fd >= 0 ? find_own(ends, scry_pid_here(s), fd) : NULL;
	uint64_t peer = 0;

	if (own && !own->pipe && !(peer = unix_peer(own->inode)))
		peer = tcp_peer(own->pid, own->inode);
	return own && (own->pipe || peer) ? say(s, ends, own, peer) : NULL;
}
