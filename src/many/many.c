/* Many targets: a list of them, and what comes of a command that each one answers. */
#include "many/many.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "command/stacks.h"

/* --- targets --- */

static int add(struct scry_many *m, const char *name)
{
	char *copy = scry_arena_text(&m->s->keep, name, strlen(name));
	const char **list = m->targets;

	if (m->count == m->room) {
		m->room = m->room ? m->room * 2 : 64;
		list = reallocarray(m->targets, m->room, sizeof(*list));
		if (list)
			m->targets = list;
	}
	if (!copy || !list)
		return scry_fail(m->s, SCRY_ENOMEM, 0, "out of memory");
	list[m->count++] = copy;
	return SCRY_OK;
}

static int is_shown(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_directory(struct scry_many *m, const char *directory)
{
	struct dirent **list;
	int n = scandir(directory, &list, is_shown, by_name), rc = SCRY_OK;
	size_t before = m->count;

	if (n < 0)
		return scry_fail_errno(m->s, "%s", directory);
	for (int i = 0; i < n; i++) {
		SCRY_AUTO_BUF(path);
		struct stat st;
		size_t len = strlen(directory);

		scry_buf_printf(&path, "%s%s%s", directory,
				len && directory[len - 1] == '/' ? "" : "/", list[i]->d_name);
		if (rc >= 0 && (stat(path.text, &st) < 0 || S_ISREG(st.st_mode)))
			rc = add(m, path.text);
		free(list[i]);
	}
	free(list);
	if (rc >= 0 && m->count == before)
		return scry_fail(m->s, SCRY_ENOTFOUND, 0, "%s: no file in this directory",
				 directory);
	return rc;
}

int scry_many_add(struct scry_many *m, const char *word)
{
	struct stat st;

	if (strcmp(word, "-") && !stat(word, &st) && S_ISDIR(st.st_mode))
		return add_directory(m, word);
	return add(m, word);
}

int scry_many_add_first(struct scry_many *m, const char *word)
{
	size_t count = m->count;
	int rc = scry_many_add(m, word);

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		const char *name = m->targets[0];

		/* those that were there go after, one after another */
		memmove(m->targets, m->targets + 1, (m->count - 1) * sizeof(*m->targets));
		m->targets[m->count - 1] = name;
	}
	return rc;
}

void scry_many_done(struct scry_many *m)
{
	scry_fold_done(&m->fold);
	free(m->targets);
	m->targets = NULL;
}

/* --- what comes back --- */

/* `len` bytes of the answer's file at `offset`: mapped; NULL for none. */
static char *map(const struct scry_answer *a, uint64_t offset, uint64_t len)
{
	uint64_t page = offset & ~(uint64_t)4095;
	char *at;

	if (!len || a->fd < 0)
		return NULL;
	at = mmap(NULL, len + (offset - page), PROT_READ, MAP_PRIVATE, a->fd, (off_t)page);
	return at == MAP_FAILED ? NULL : at + (offset - page);
}

static void unmap(char *at, uint64_t offset, uint64_t len)
{
	if (at)
		munmap(at - (offset & 4095), len + (offset & 4095));
}

static void each_reason(struct scry_many *m, const struct scry_answer *a,
			void (*say)(struct scry_many *m, const char *target, const char *reason,
				    int len))
{
	char *text = map(a, a->text, a->reasons);

	for (uint64_t at = 0; text && at < a->reasons;) {
		const char *end = memchr(text + at, '\n', a->reasons - at);
		uint64_t len = end ? (uint64_t)(end - text) - at : a->reasons - at;

		if (len)
			say(m, a->target, text + at, len < 2000 ? (int)len : 2000);
		at += len + 1;
	}
	unmap(text, a->text, a->reasons);
	if (a->problem)
		say(m, a->target, a->problem, (int)strlen(a->problem));
}

static void count(struct scry_many *m, int status)
{
	m->good += status < 2;
	m->bad += status >= 2;
	if ((unsigned)status > m->worst)
		m->worst = (unsigned)status;
}

/* All was shown, a part, or nothing. */
static int combined(const struct scry_many *m)
{
	return !m->worst ? 0 : m->good ? 1 : 2;
}

/* --- stacks --- */

static int gather(struct scry_many *m, const char *target, int fd, struct scry_buf *reasons,
		  uint64_t *ret_text)
{
	SCRY_AUTO_BUF(wire);
	SCRY_AUTO_BUF(unused);
	struct scry_fold fold = { .group = SCRY_FOLD_BY_THREAD };

	scry_session_refresh(m->s); /* reasons of the targets before */
	if (m->open(m->s, target) < 0) {
		scry_buf_puts(reasons, scry_session_error(m->s));
		return 2;
	}
	int status = scry_command_run_many(m->s, m->command, m->line, &fold, &unused, reasons);
	scry_fold_write(&fold, &wire);
	*ret_text = wire.len;
	for (size_t at = 0; at < wire.len;) {
		ssize_t n = write(fd, wire.text + at, wire.len - at);

		if (n <= 0 && errno != EINTR)
			return 2;
		at += n > 0 ? (size_t)n : 0;
	}
	return wire.failed ? 2 : status;
}

static void note_reason(struct scry_many *m, const char *target, const char *reason, int len)
{
	/* what could not be opened says its name */
	if (!strncmp(reason, target, strlen(target)))
		scry_note(m->s, "%.*s", len, reason);
	else
		scry_note(m->s, "%s: %.*s", target, len, reason);
}

static void fold_answer(struct scry_many *m, struct scry_answer *a)
{
	if (!strcmp(a->target, "-")) {
		count(m, scry_answers_fold(m, 0) ? 0 : 2);
		return;
	}
	char *wire = map(a, 0, a->text);
	if (wire && !a->problem && !scry_fold_read(&m->fold, wire, a->text))
		scry_note(m->s, "%s: its stacks did not come whole", a->target);
	unmap(wire, 0, a->text);
	each_reason(m, a, note_reason);
	count(m, a->status);
}

static void print_reasons(struct scry_many *m, struct scry_buf *err)
{
	for (char *line = err->text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		m->complain(line);
	}
}

/* Of nothing: what is asked for is in the fold then, and wrong options are told at once. */
static bool ask(struct scry_many *m)
{
	SCRY_AUTO_BUF(unused);
	SCRY_AUTO_BUF(err);
	bool good = scry_command_run_many(m->s, m->command, m->line, &m->fold, &unused, &err) < 2;

	if (!good)
		print_reasons(m, &err);
	return good;
}

int scry_many_stacks(struct scry_many *m)
{
	SCRY_AUTO_BUF(out);
	SCRY_AUTO_BUF(err);

	if (!ask(m))
		return 2;
	scry_workers_run(m, gather, fold_answer);
	if (m->fold.left)
		scry_note(m->s, "%" PRIu64 " stacks are left out: there is no room for more",
			  m->fold.left);
	if (m->good || m->json)
		out.sink = m->write;
	int status = scry_command_run_many(m->s, m->command, m->line, &m->fold, &out, &err);
	if (out.sink)
		m->write(NULL, out.text, out.len);
	print_reasons(m, &err);
	return status == 2 || !m->good ? 2 : status ? status : combined(m);
}

/* --- any command --- */

struct sink {
	int fd;
	uint64_t written;
	bool failed;
};

static void sink_write(void *arg, const char *text, size_t len)
{
	struct sink *sink = arg;

	while (len && !sink->failed) {
		ssize_t n = write(sink->fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		sink->failed = n <= 0;
		if (sink->failed)
			return;
		sink->written += (uint64_t)n;
		text += n;
		len -= (size_t)n;
	}
}

static int answer(struct scry_many *m, const char *target, int fd, struct scry_buf *reasons,
		  uint64_t *ret_text)
{
	struct sink sink = { .fd = fd };
	SCRY_AUTO_BUF(out);

	scry_session_refresh(m->s);
	m->open(m->s, target);
	/* a process is held until the command is done: that waits for no file */
	int status = scry_command_run(m->s, m->command, m->line, &out, reasons);
	sink_write(&sink, out.text, out.len);
	*ret_text = sink.written;
	return sink.failed ? 2 : status;
}

static void print_reason(struct scry_many *m, const char *target, const char *reason, int len)
{
	SCRY_AUTO_BUF(safe);

	scry_buf_printf(&safe, "%s: ", target);
	scry_put_safe_bytes(&safe, reason, (size_t)len);
	m->complain(safe.text);
}

static void put_head(struct scry_many *m, const char *target)
{
	SCRY_AUTO_BUF(command);
	SCRY_AUTO_BUF(head);

	if (m->good + m->bad)
		scry_buf_putc(&head, '\n');
	scry_buf_printf(&head, "== %s", target);
	if (scry_process_command(atoll(target), &command)) {
		scry_buf_puts(&head, ": ");
		scry_put_safe_bytes(&head, command.text, command.len);
	}
	scry_buf_putc(&head, '\n');
	m->write(NULL, head.text, head.len);
}

static void print_answer(struct scry_many *m, struct scry_answer *a)
{
	char piece[65536];
	uint64_t at = 0;

	if (!m->json)
		put_head(m, a->target);
	while (at < a->text) {
		uint64_t left = a->text - at;
		ssize_t n =
			pread(a->fd, piece, left < sizeof(piece) ? left : sizeof(piece), (off_t)at);

		if (n <= 0)
			break;
		m->write(NULL, piece, (size_t)n);
		at += (uint64_t)n;
	}
	each_reason(m, a, print_reason);
	count(m, a->status);
}

int scry_many_run(struct scry_many *m)
{
	scry_workers_run(m, answer, print_answer);
	return combined(m);
}
