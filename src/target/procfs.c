/* Formats: Documentation/filesystems/proc.rst and fs/proc/ (Linux 6.1). */
#include "target/procfs.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bytes.h"

/* no file of /proc that we read is larger in any sane process */
#define MOST ((size_t)256 << 20)
/* bytes of a mapping whose pages are counted: address sanitizers map terabytes */
#define MOST_PAGED ((uint64_t)64 << 30)
#define WORDS      ((size_t)32768) /* of pagemap, read at once */

static int open_file(int pid, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Files of /proc have no size to ask for: read to the end, in pieces, since one that changes
 * between two reads is whole only within each.
 */
bool scry_procfs_read(int pid, const char *name, struct scry_buf *out)
{
	char piece[16384];
	ssize_t n;
	int fd = open_file(pid, name);

	if (fd < 0)
		return false;
	while ((n = read(fd, piece, sizeof(piece))) > 0 && out->len < MOST)
		scry_buf_put(out, piece, (size_t)n);
	int why = errno;
	close(fd);
	errno = why;
	return n == 0 && !out->failed;
}

int64_t scry_procfs_status(int pid, const char *key, int64_t missing)
{
	struct scry_buf text = SCRY_BUF_INIT;
	size_t len = strlen(key);
	int64_t value = missing;

	if (scry_procfs_read(pid, "status", &text))
		for (const char *line = text.text; line;
		     line = strchr(line, '\n'), line = line ? line + 1 : NULL)
			if (!strncmp(line, key, len) && line[len] == ':')
				value = strtoll(line + len + 1, NULL, 10);
	scry_buf_done(&text);
	return value;
}

char scry_procfs_state(int pid, uint64_t *ret_flags)
{
	struct scry_buf text = SCRY_BUF_INIT;
	char state = 0;

	*ret_flags = 0;
	if (scry_procfs_read(pid, "stat", &text)) {
		/* the name before it may hold anything, ')' too */
		const char *at = strrchr(text.text, ')');

		if (at)
			/*
			 * the state is the third value, the flags are the ninth: proc(5),
			 * /proc/pid/stat
			 */
			sscanf(at + 1, " %c %*d %*d %*d %*d %*d %" SCNu64, &state, ret_flags);
	}
	scry_buf_done(&text);
	return state;
}

/* --- mappings --- */

/* "r-xp"; the fourth letter (private or shared) makes no difference to a reader. */
static unsigned flags_of(const char *text)
{
	return (text[0] == 'r' ? SCRY_MAP_READ : 0u) | (text[1] == 'w' ? SCRY_MAP_WRITE : 0u) |
	       (text[2] == 'x' ? SCRY_MAP_EXEC : 0u);
}

/* The path at the end of a line; newlines in it are written \012. */
static bool set_path(struct scry_target *t, struct scry_map *map, const char *text, size_t len)
{
	char *path = scry_arena_text(&t->keep, text, len), *to = path;

	if (!path)
		return false;
	for (const char *from = path; *from; to++) {
		bool newline = !strncmp(from, "\\012", 4);

		*to = newline ? '\n' : *from;
		from += newline ? 4 : 1;
	}
	return scry_map_set_path(t, map, path, (size_t)(to - path));
}

/*
 * A number and the character after it: false where either is missing. sscanf() would measure the
 * whole text each time.
 */
static bool take(const char **at, int base, char behind, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*at, &end, base);
	if (end == *at || *end != behind)
		return false;
	*at = end + 1;
	return true;
}

/* start-end perms offset major:minor inode path */
static bool add_line(struct scry_target *t, const char *line, const char *end)
{
	struct scry_map map = { 0 };
	uint64_t major, minor;

	if (!take(&line, 16, '-', &map.start) || !take(&line, 16, ' ', &map.end) || end - line < 5)
		return true;
	map.flags = flags_of(line);
	line += 5;
	if (!take(&line, 16, ' ', &map.offset) || !take(&line, 16, ':', &major) ||
	    !take(&line, 16, ' ', &minor))
		return true;
	map.inode = strtoull(line, (char **)&line, 10);
	map.dev = makedev((unsigned)major, (unsigned)minor);
	while (line < end && *line == ' ')
		line++;
	/* "[heap]", "[vdso]" and the like are not files */
	if (line < end && *line == '/' && !set_path(t, &map, line, (size_t)(end - line)))
		return false;
	return scry_target_add_map(t, &map);
}

int scry_procfs_maps(struct scry_target *t, int pid)
{
	struct scry_buf text = SCRY_BUF_INIT;
	bool ok = true;

	if (!scry_procfs_read(pid, "maps", &text)) {
		int rc = scry_fail_errno(t->session, "cannot read /proc/%d/maps", pid);

		scry_buf_done(&text);
		return rc;
	}
	for (const char *line = text.text, *end; ok && line && *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		ok = add_line(t, line, end);
	}
	scry_buf_done(&text);
	scry_target_sort_maps(t);
	return ok ? SCRY_OK : scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
}

/* --- facts about the process --- */

/*
 * d_path() (fs/d_path.c) appends " (deleted)" to a file that is gone; one that is really called so
 * is taken for it, which costs a look at a file that is not there.
 */
static void read_exe(struct scry_target *t, int pid)
{
	static const char mark[] = " (deleted)";
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, text, sizeof(text));
	if (n <= 0)
		return;
	size_t len = (size_t)n;
	if (len > sizeof(mark) - 1 &&
	    !memcmp(text + len - (sizeof(mark) - 1), mark, sizeof(mark) - 1))
		len -= sizeof(mark) - 1;
	t->exe = scry_arena_text(&t->keep, text, len);
}

/* Arguments end in NUL each, and may hold blanks: for reading, not for running again. */
static void read_command(struct scry_target *t, int pid)
{
	struct scry_buf text = SCRY_BUF_INIT;

	if (scry_procfs_read(pid, "cmdline", &text) && text.len) {
		size_t len = text.len;

		while (len && !text.text[len - 1])
			len--;
		for (size_t i = 0; i < len; i++)
			if (!text.text[i])
				text.text[i] = ' ';
		t->command = scry_arena_text(&t->keep, text.text, len);
	}
	scry_buf_done(&text);
}

/* Elf32_auxv_t or Elf64_auxv_t: pairs of words of the process's size, not of ours. */
static void read_auxv(struct scry_target *t, int pid)
{
	struct scry_buf data = SCRY_BUF_INIT;
	unsigned word = t->abi.ptr_size;

	if (scry_procfs_read(pid, "auxv", &data))
		for (size_t i = 0; i + 2 * word <= data.len; i += 2 * word) {
			uint64_t type = scry_load(data.text + i, word, t->abi.big_endian);
			uint64_t value = scry_load(data.text + i + word, word, t->abi.big_endian);

			scry_target_set_auxv(t, type, value);
		}
	scry_buf_done(&data);
}

void scry_procfs_facts(struct scry_target *t, int pid)
{
	read_exe(t, pid);
	read_command(t, pid);
	read_auxv(t, pid);
}

/*
 * The ELF header of the executable: /proc/PID/exe opens it even where its file is deleted or in
 * another mount namespace.
 */
bool scry_procfs_machine(struct scry_target *t, int pid)
{
	uint8_t head[20];
	int fd = open_file(pid, "exe");
	bool ok = fd >= 0 && pread(fd, head, sizeof(head), 0) == sizeof(head) &&
		  !memcmp(head, ELFMAG, SELFMAG);

	if (fd >= 0)
		close(fd);
	if (ok) {
		bool big_endian = head[EI_DATA] == ELFDATA2MSB;

		scry_target_set_machine(t, (unsigned)scry_load(head + 18, 2, big_endian),
					head[EI_CLASS] == ELFCLASS64, big_endian);
	}
	return ok;
}

/* --- threads --- */

/* At most 15 characters (TASK_COMM_LEN, include/linux/sched.h), with a newline after them. */
const char *scry_procfs_thread_name(struct scry_target *t, int pid, uint64_t tid)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "task/%" PRIu64 "/comm", tid);
	int fd = open_file(pid, path);
	if (fd < 0)
		return NULL;
	ssize_t n = read(fd, text, sizeof(text));
	close(fd);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	return n > 0 ? scry_arena_text(&t->keep, text, (size_t)n) : NULL;
}

static int tid_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int64_t scry_procfs_tids(int pid, uint64_t **ret)
{
	char path[64];
	uint64_t *tids = NULL, *more;
	size_t count = 0, room = 0;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return SCRY_ESYSTEM;
	while ((entry = readdir(dir))) {
		/* "." and ".." */
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		if (count == room) {
			more = reallocarray(tids, room ? room * 2 : 64, sizeof(*tids));
			if (!more)
				break;
			tids = more;
			room = room ? room * 2 : 64;
		}
		tids[count++] = strtoull(entry->d_name, NULL, 10);
	}
	closedir(dir);
	if (count)
		qsort(tids, count, sizeof(*tids), tid_order);
	*ret = tids;
	return (int64_t)count;
}

static void set_reg(struct scry_regs *regs, int index, uint64_t value)
{
	regs->value[index] = value;
	regs->valid |= (uint64_t)1 << index;
}

/* "NUMBER ARG0 ... ARG5 SP PC", "-1 SP PC", or "running" */
void scry_procfs_syscall(struct scry_target *t, int pid, struct scry_os_thread *thread)
{
	struct scry_buf text = SCRY_BUF_INIT;
	char path[64];
	int64_t number = -1;
	uint64_t v[8];

	snprintf(path, sizeof(path), "task/%" PRIu64 "/syscall", thread->tid);
	if (t->arch && scry_procfs_read(pid, path, &text)) {
		int n = sscanf(text.text,
			       "%" SCNi64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
			       " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64,
			       &number, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);

		thread->syscall_known = true;
		if (n == 3 || n == 9) {
			thread->regs.arch = t->arch;
			set_reg(&thread->regs, t->arch->sp, v[n - 3]);
			set_reg(&thread->regs, t->arch->pc, v[n - 2]);
		}
		if (n == 9)
			scry_os_thread_syscall(thread, t->arch, (uint64_t)number, v);
	}
	scry_buf_done(&text);
}

/*
 * Documentation/admin-guide/mm/pagemap.rst: a word for each page, whose highest bit is "present".
 * It is set for the shared page of zeros, too, which stands wherever memory was only read.
 */
bool scry_procfs_present(struct scry_target *t, scry_addr start, scry_addr end, uint64_t *ret)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), found = 0, *words;
	uint64_t at = start / page, last = end / page + !!(end % page);
	ssize_t n = 1;

	if (end - start > MOST_PAGED) {
		scry_note(t->session,
			  "which memory is resident is not counted: the mapping at 0x%" PRIx64
			  " has %" PRIu64 " GiB",
			  start, (end - start) >> 30);
		return false;
	}
	int fd = open_file((int)t->pid, "pagemap");

	words = fd >= 0 ? malloc(WORDS * sizeof(*words)) : NULL;
	if (!words)
		n = -1;
	/* it has no word for the kernel's own part (vsyscall): n is 0 there */
	while (at < last && n > 0 && !t->session->stopped) {
		size_t wanted = last - at < WORDS ? (size_t)(last - at) : WORDS;

		n = pread(fd, words, wanted * sizeof(*words), (off_t)(at * sizeof(*words)));
		for (ssize_t i = 0; i < n / (ssize_t)sizeof(*words); i++)
			found += words[i] >> 63;
		at += n > 0 ? (uint64_t)n / sizeof(*words) : 0;
		n = n > 0 && n < (ssize_t)sizeof(*words) ? -1 : n;
	}
	free(words);
	if (fd >= 0)
		close(fd);
	*ret = found * page < end - start ? found * page : end - start;
	return n >= 0 && !t->session->stopped;
}

/* The number after "btime" of /proc/stat: when the machine started. */
static int64_t boot_time(void)
{
	FILE *f = fopen("/proc/stat", "re");
	char line[256];
	int64_t value = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "btime ", 6))
			value = strtoll(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

int64_t scry_procfs_started(int pid)
{
	struct scry_buf text = SCRY_BUF_INIT;
	int64_t booted = boot_time();
	long ticks = sysconf(_SC_CLK_TCK);
	unsigned long long start = 0;
	/* the command's name may hold anything, brackets too; `starttime` is the 20th after it */
	const char *p =
		scry_procfs_read(pid, "stat", &text) && text.text ? strrchr(text.text, ')') : NULL;

	for (unsigned i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoull(p, NULL, 10);
	scry_buf_done(&text);
	return p && booted && ticks > 0 ? booted + (int64_t)(start / (unsigned long long)ticks) : 0;
}
