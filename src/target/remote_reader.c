/*
 * Facts: process_vm_readv(2), Documentation/admin-guide/mm/pagemap.rst and userfaultfd.rst (Linux
 * 6.1).
 */
#include "target/remote_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

#define PAGE       4096u
#define PAGES      16u                 /* of one request */
#define IN_MEMORY  ((uint64_t)3 << 62) /* bit 63: present, 62: in swap, which comes */
#define PATIENCE   300                 /* milliseconds that the first late page is waited for */
#define IMPATIENCE 20                  /* and each further one */
#define LOST_MAX   8                   /* threads left behind; then such pages are not asked for */

enum state { IDLE, ASKED, ANSWERED, ABANDONED };

/* One thread, and what it was asked for. It frees this itself where it was left behind. */
struct scry_remote_worker {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum state state;
	bool quit;
	int pid, mem;
	bool vm_readv;
	scry_addr addr;
	size_t len, got;
	uint8_t bytes[PAGE];
};

static ssize_t read_now(int pid, int mem, bool *vm_readv, scry_addr addr, void *buf, size_t len)
{
	ssize_t n = -1;

	if (*vm_readv) {
		struct iovec here = { buf, len }, there = { (void *)(uintptr_t)addr, len };

		n = process_vm_readv(pid, &here, 1, &there, 1, 0);
		if (n < 0 && (errno == ENOSYS || errno == EPERM))
			*vm_readv = false;
	}
	if (!*vm_readv && addr <= INT64_MAX)
		n = pread(mem, buf, len, (off_t)addr);
	return n;
}

/* --- the thread --- */

static void worker_free(struct scry_remote_worker *w)
{
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}

static void *serve(void *arg)
{
	struct scry_remote_worker *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->quit) {
		if (w->state != ASKED) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		ssize_t n = read_now(w->pid, w->mem, &w->vm_readv, w->addr, w->bytes, w->len);
		pthread_mutex_lock(&w->lock);
		w->got = n > 0 ? (size_t)n : 0;
		if (w->state == ABANDONED)
			break;
		w->state = ANSWERED;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	worker_free(w);
	return NULL;
}

static struct scry_remote_worker *worker_new(const struct scry_remote_reader *r)
{
	struct scry_remote_worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t clock;
	pthread_attr_t detached;
	sigset_t all, old;
	pthread_t thread;

	if (!w)
		return NULL;
	w->pid = r->pid;
	w->mem = r->mem;
	w->vm_readv = r->vm_readv;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	/* signals of the program that we are part of are not for this thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&thread, &detached, serve, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&detached);
	if (rc == 0)
		return w;
	worker_free(w);
	return NULL;
}

/* Ask for bytes of one page, and wait. The worker is not ours any more where it does not answer. */
static size_t read_by_worker(struct scry_remote_reader *r, scry_addr addr, void *buf, size_t len)
{
	size_t got = 0;

	if (r->lost >= LOST_MAX || (!r->worker && !(r->worker = worker_new(r)))) {
		r->late = addr;
		return 0;
	}
	struct scry_remote_worker *w = r->worker;
	struct timespec until = scry_clock_after(CLOCK_MONOTONIC, r->lost ? IMPATIENCE : PATIENCE);
	pthread_mutex_lock(&w->lock);
	w->addr = addr;
	w->len = len;
	w->state = ASKED;
	pthread_cond_signal(&w->changed);
	while (w->state == ASKED)
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until) == ETIMEDOUT &&
		    w->state == ASKED) {
			w->state = ABANDONED;
			r->worker = NULL;
			r->lost++;
			r->late = addr;
		}
	if (w->state == ANSWERED) {
		got = w->got;
		memcpy(buf, w->bytes, got);
		w->state = IDLE;
	}
	pthread_mutex_unlock(&w->lock);
	return got;
}

/* --- what is in memory --- */

/* How many pages from the one of `addr` on are in memory; all where that cannot be told. */
static size_t pages_here(const struct scry_remote_reader *r, scry_addr addr, size_t count)
{
	uint64_t entries[PAGES];
	size_t n = 0;

	if (count > PAGES)
		count = PAGES;
	if (r->pagemap < 0)
		return count;
	ssize_t got = pread(r->pagemap, entries, count * sizeof(*entries),
			    (off_t)(addr / PAGE * sizeof(*entries)));
	while (got > 0 && n < (size_t)got / sizeof(*entries) && entries[n] & IN_MEMORY)
		n++;
	return n;
}

size_t scry_remote_read(struct scry_remote_reader *r, scry_addr addr, void *buf, size_t len)
{
	size_t first = PAGE - (size_t)(addr % PAGE);
	size_t here = len ? pages_here(r, addr, (addr % PAGE + len + PAGE - 1) / PAGE) : 0;

	if (!here)
		return read_by_worker(r, addr, buf, len < first ? len : first);
	if (len > first + (here - 1) * PAGE)
		len = first + (here - 1) * PAGE;
	ssize_t n = read_now(r->pid, r->mem, &r->vm_readv, addr, buf, len);
	return n > 0 ? (size_t)n : 0;
}

int scry_remote_reader_open(struct scry_remote_reader *r, int pid)
{
	char path[64];

	*r = (struct scry_remote_reader) { .pid = pid, .vm_readv = true };
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	r->mem = open(path, O_RDONLY | O_CLOEXEC);
	int error = errno;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	r->pagemap = r->mem < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	return r->mem < 0 ? -error : 0;
}

void scry_remote_reader_close(struct scry_remote_reader *r)
{
	if (r->worker) {
		pthread_mutex_lock(&r->worker->lock);
		r->worker->quit = true;
		pthread_cond_signal(&r->worker->changed);
		pthread_mutex_unlock(&r->worker->lock);
		r->worker = NULL;
	}
	/* a thread that was left behind may still read through it */
	if (r->mem >= 0 && !r->lost)
		close(r->mem);
	if (r->pagemap >= 0)
		close(r->pagemap);
	r->mem = r->pagemap = -1;
}
