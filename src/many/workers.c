/* Processes that read a target each, some at once; their answers in the order of the targets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"
#include "many/many.h"

#define JOBS_MAX 64
/* targets that may be begun before the oldest one is done: each answer is an open file */
#define AHEAD 128

/* What a worker says at its end, through a pipe whose closing says that it is gone. */
struct report {
	uint64_t text, reasons;
	int status;
};

struct job {
	struct scry_answer answer;
	pid_t pid;
	int pipe; /* -1: it is done */
	struct timespec deadline;
};

struct workers {
	struct scry_many *many;
	int (*work)(struct scry_many *m, const char *target, int fd, struct scry_buf *reasons,
		    uint64_t *ret_text);
	struct job ring[AHEAD];
	size_t first, next; /* of the targets: delivered are those below `first` */
	unsigned running, jobs;
};

static struct job *job_at(struct workers *w, size_t i)
{
	return &w->ring[i % AHEAD];
}

/* A file that has no name and goes with us. */
static int scratch(void)
{
	const char *directory = getenv("TMPDIR");
	int fd = open(directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC,
		      0600);

	return fd >= 0 ? fd : memfd_create("pyscry", MFD_CLOEXEC);
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void __attribute__((noreturn)) be_worker(struct workers *w, struct job *job, int pipe)
{
	struct report report = { 0 };
	SCRY_AUTO_BUF(reasons);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	report.status =
		w->work(w->many, job->answer.target, job->answer.fd, &reasons, &report.text);
	report.reasons = reasons.len;
	bool whole = write_all(job->answer.fd, reasons.text, reasons.len) &&
		     write_all(pipe, &report, sizeof(report));
	_exit(whole ? 0 : 1);
}

static void fail_start(struct workers *w, struct job *job, const char *what)
{
	snprintf(job->answer.problem_text, sizeof(job->answer.problem_text), "%s: %s", what,
		 strerror(errno));
	job->answer.problem = job->answer.problem_text;
	job->answer.status = 2;
	(void)w;
}

static void start(struct workers *w)
{
	struct job *job = job_at(w, w->next);
	int ends[2];

	*job = (struct job) { .pipe = -1 };
	job->answer.fd = -1;
	job->answer.target = w->many->targets[w->next++];
	if (!strcmp(job->answer.target, "-"))
		return;
	job->answer.fd = scratch();
	if (job->answer.fd < 0 || pipe2(ends, O_CLOEXEC) < 0) {
		fail_start(w, job, "no file for its answer");
		return;
	}
	job->pid = fork();
	if (!job->pid)
		be_worker(w, job, ends[1]);
	close(ends[1]);
	if (job->pid < 0) {
		fail_start(w, job, "no process to read it");
		close(ends[0]);
		return;
	}
	job->pipe = ends[0];
	clock_gettime(CLOCK_MONOTONIC, &job->deadline);
	job->deadline.tv_sec += w->many->timeout_ms / 1000;
	job->deadline.tv_nsec += (long)(w->many->timeout_ms % 1000) * 1000000;
	w->running++;
}

static int64_t ms_left(const struct job *job)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(job->deadline.tv_sec - now.tv_sec) * 1000 +
	       (job->deadline.tv_nsec - now.tv_nsec) / 1000000;
}

/* One that does not even die (a file system that hangs) is left behind. */
static int reap(pid_t pid)
{
	int status = 0;

	for (unsigned i = 0; i < 100; i++) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return status;
		usleep(i < 50 ? 200 : 10000);
	}
	return 0;
}

static void abandon(struct workers *w, struct job *job)
{
	kill(job->pid, SIGKILL);
	reap(job->pid);
	snprintf(job->answer.problem_text, sizeof(job->answer.problem_text),
		 "abandoned: it took more than %g s (--timeout)", w->many->timeout_ms / 1000.0);
	job->answer.problem = job->answer.problem_text;
	job->answer.status = 2;
}

static void collect(struct workers *w, struct job *job)
{
	struct report report;
	ssize_t n;
	(void)w;

	while ((n = read(job->pipe, &report, sizeof(report))) < 0 && errno == EINTR)
		;
	int status = reap(job->pid);
	if (n == (ssize_t)sizeof(report)) {
		job->answer.text = report.text;
		job->answer.reasons = report.reasons;
		job->answer.status = report.status;
		return;
	}
	if (WIFSIGNALED(status))
		snprintf(job->answer.problem_text, sizeof(job->answer.problem_text),
			 "the process that read it died by signal %d", WTERMSIG(status));
	else
		snprintf(job->answer.problem_text, sizeof(job->answer.problem_text),
			 "the process that read it gave no answer");
	job->answer.problem = job->answer.problem_text;
	job->answer.status = 2;
}

static void finish(struct workers *w, struct job *job, bool late)
{
	if (late)
		abandon(w, job);
	else
		collect(w, job);
	close(job->pipe);
	job->pipe = -1;
	w->running--;
}

static void wait_for_one(struct workers *w)
{
	struct pollfd fds[JOBS_MAX];
	struct job *jobs[JOBS_MAX];
	int64_t timeout = INT32_MAX;
	nfds_t count = 0;

	for (size_t i = w->first; i < w->next; i++) {
		struct job *job = job_at(w, i);

		if (job->pipe < 0)
			continue;
		int64_t left = ms_left(job);
		timeout = left < timeout ? left : timeout;
		fds[count] = (struct pollfd) { .fd = job->pipe, .events = POLLIN };
		jobs[count++] = job;
	}
	if (poll(fds, count, timeout > 0 ? (int)timeout : 0) < 0)
		return;
	for (nfds_t i = 0; i < count; i++) {
		if (fds[i].revents)
			finish(w, jobs[i], false);
		else if (ms_left(jobs[i]) <= 0)
			finish(w, jobs[i], true);
	}
}

static unsigned how_many_jobs(const struct scry_many *m)
{
	long here = m->jobs ? (long)m->jobs : sysconf(_SC_NPROCESSORS_ONLN);

	return here < 1 ? 1 : here > JOBS_MAX ? JOBS_MAX : (unsigned)here;
}

void scry_workers_run(struct scry_many *m,
		      int (*work)(struct scry_many *m, const char *target, int fd,
				  struct scry_buf *reasons, uint64_t *ret_text),
		      void (*deliver)(struct scry_many *m, struct scry_answer *a))
{
	struct workers *w = calloc(1, sizeof(*w));

	if (!w) {
		scry_note(m->s, "out of memory");
		return;
	}
	w->many = m;
	w->work = work;
	w->jobs = how_many_jobs(m);
	while (w->first < m->count && scry_going(m->s, SCRY_PASS_TARGETS, w->first, m->count)) {
		while (w->next < m->count && w->running < w->jobs && w->next - w->first < AHEAD)
			start(w);
		struct job *oldest = job_at(w, w->first);
		if (oldest->pipe >= 0) {
			wait_for_one(w);
			continue;
		}
		deliver(m, &oldest->answer);
		if (oldest->answer.fd >= 0)
			close(oldest->answer.fd);
		w->first++;
	}
	free(w);
}
