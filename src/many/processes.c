/* Which processes: a tree of descendants, those whose command line matches. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "many/many.h"

#define COMMAND_MAX 16384

/* A file of /proc, at most `size` - 1 bytes and a NUL; how many, < 0 none. */
static ssize_t read_file(int64_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t len = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = 0;
	return (ssize_t)len;
}

bool scry_process_command(int64_t pid, struct scry_buf *out)
{
	char text[COMMAND_MAX];
	ssize_t len = read_file(pid, "cmdline", text, sizeof(text));

	while (len > 0 && !text[len - 1])
		len--;
	for (ssize_t i = 0; i < len; i++)
		scry_buf_putc(out, text[i] ? text[i] : ' ');
	return len > 0;
}

struct process {
	int64_t pid, parent;
	bool taken;
};

struct processes {
	struct process *list;
	size_t count, room;
};

/* "4711 (any text) S 1 ...", Documentation/filesystems/proc.rst */
static int64_t parent_of(int64_t pid)
{
	char text[1024];
	const char *end =
		read_file(pid, "stat", text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
	int64_t parent;

	return end && sscanf(end, ") %*c %" SCNd64, &parent) == 1 ? parent : -1;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool list_processes(struct processes *all)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		if (all->count == all->room) {
			size_t room = all->room ? all->room * 2 : 256;
			void *more = reallocarray(all->list, room, sizeof(*all->list));

			if (!more)
				break;
			all->list = more;
			all->room = room;
		}
		all->list[all->count++] = (struct process) { .pid = atoll(entry->d_name) };
	}
	if (proc)
		closedir(proc);
	if (all->count)
		qsort(all->list, all->count, sizeof(*all->list), by_pid);
	return all->count > 0;
}

static int add_pid(struct scry_many *m, int64_t pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, pid);
	return scry_many_add(m, text);
}

/* Below each that was taken, those whose parent it is; ids do not say who is whose child. */
static int add_tree(struct scry_many *m, struct processes *all, int64_t root)
{
	int64_t *queue = calloc(all->count + 1, sizeof(*queue));
	size_t first = 0, end = 0;
	int rc = queue ? SCRY_OK : scry_fail(m->s, SCRY_ENOMEM, 0, "out of memory");

	if (queue)
		queue[end++] = root;
	while (first < end && rc >= 0) {
		int64_t pid = queue[first++];

		rc = add_pid(m, pid);
		for (size_t i = 0; i < all->count; i++) {
			struct process *p = &all->list[i];

			if (p->taken || p->pid == root || p->parent != pid || end > all->count)
				continue;
			p->taken = true;
			queue[end++] = p->pid;
		}
	}
	free(queue);
	return rc;
}

int scry_many_add_children(struct scry_many *m, const char *pid)
{
	struct processes all = { 0 };
	int64_t root = atoll(pid);
	bool found = false;

	list_processes(&all);
	for (size_t i = 0; i < all.count; i++) {
		all.list[i].parent = parent_of(all.list[i].pid);
		found |= all.list[i].pid == root && all.list[i].parent >= 0;
		/* we are no part of what we look at */
		all.list[i].taken = all.list[i].pid == getpid();
	}
	int rc = found ? add_tree(m, &all, root)
		       : scry_fail(m->s, SCRY_ENOTFOUND, 0, "no process %.20s", pid);
	free(all.list);
	return rc;
}

static bool names_python(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	return !strncmp(base, "python", 6) || !strncmp(base, "pypy", 4);
}

static bool maps_python(int64_t pid)
{
	char path[64], line[PATH_MAX + 100];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/maps", pid);
	FILE *maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, "/libpython") || strstr(line, "/libpypy") ||
			strstr(line, "/lib-dynload/");
	if (maps)
		fclose(maps);
	return found;
}

/* By its program, or its libraries; one that lets nobody see them, by how it was called. */
static bool is_python(int64_t pid, const char *command)
{
	char path[64], exe[PATH_MAX], first[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/exe", pid);
	ssize_t len = readlink(path, exe, sizeof(exe) - 1);
	if (len < 0) {
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(command, " "), command);
		return errno == EACCES && names_python(first);
	}
	exe[len] = 0;
	return names_python(exe) || maps_python(pid);
}

int scry_many_add_name(struct scry_many *m, const char *regex)
{
	struct processes all = { 0 };
	regex_t compiled;
	size_t before = m->count;
	int rc = regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB);

	if (rc) {
		char why[120];

		regerror(rc, &compiled, why, sizeof(why));
		return scry_fail(m->s, SCRY_EINVAL, 0, "--name %.60s: %s", regex, why);
	}
	list_processes(&all);
	rc = SCRY_OK;
	for (size_t i = 0; i < all.count && rc >= 0; i++) {
		SCRY_AUTO_BUF(command);

		if (all.list[i].pid != getpid() &&
		    scry_process_command(all.list[i].pid, &command) &&
		    !regexec(&compiled, command.text, 0, NULL, 0) &&
		    is_python(all.list[i].pid, command.text))
			rc = add_pid(m, all.list[i].pid);
	}
	regfree(&compiled);
	free(all.list);
	if (rc >= 0 && m->count == before)
		return scry_fail(m->s, SCRY_ENOTFOUND, 0,
				 "no Python runs whose command line matches %.60s", regex);
	return rc;
}
