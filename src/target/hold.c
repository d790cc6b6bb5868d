/*
 * Stopping a process while it is read. A thread of ours is the tracer: whatever happens to us, even
 * SIGKILL, the kernel lets tracees go when their tracer ends, and one that sleeps uninterruptibly,
 * which nobody can detach from, is let go in the same way when the hold ends. PTRACE_SEIZE sends no
 * signal, and a process stopped by SIGSTOP stays so.
 */
#include "target/live.h"

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "target/procfs.h"

#define PATIENCE_NS    250000000
#define SHORT_SLEEP_NS 50000000 /* longer than a healthy disk lets anyone wait */
#define PASSES         8        /* over the list of threads, while new ones turn up */
#define NOTE_ARM_TLS   0x401    /* elf.h of older C libraries lacks them */
#define NOTE_386_TLS   0x200

struct tracer {
	int pid;
	pthread_t thread;
	sem_t ready, done;
	unsigned bound_ms;
	sigset_t mask;         /* the caller's, before the hold */
	struct scry_hash seen; /* tids */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void seize(struct scry_hold *h, uint64_t tid)
{
	if (h->count == h->room) {
		size_t room = h->room ? h->room * 2 : 64;
		void *more = reallocarray(h->threads, room, sizeof(*h->threads));

		if (!more)
			return;
		h->threads = more;
		h->room = room;
	}
	if (ptrace(PTRACE_SEIZE, (pid_t)tid, NULL, NULL) < 0) {
		if (errno != ESRCH && !h->error)
			h->error = errno;
		return;
	}
	ptrace(PTRACE_INTERRUPT, (pid_t)tid, NULL, NULL);
	struct scry_held *held = &h->threads[h->count++];
	memset(held, 0, offsetof(struct scry_held, regs));
	held->tid = tid;
	held->tls = 0;
}

static size_t read_set(uint64_t tid, long set, void *buf, size_t len)
{
	struct iovec block = { buf, len };

	return ptrace(PTRACE_GETREGSET, (pid_t)tid, (void *)set, &block) == 0 ? block.iov_len : 0;
}

static void read_regs(struct scry_held *held)
{
	held->len = read_set(held->tid, NT_PRSTATUS, held->regs, sizeof(held->regs));
#if defined(__aarch64__)
	read_set(held->tid, NOTE_ARM_TLS, &held->tls, sizeof(held->tls));
#elif defined(__x86_64__)
	/* a 32-bit process: its thread pointer is the base of a descriptor, the first one in use */
	struct {
		uint32_t entry, base, limit, flags;
	} slots[3] = { 0 };

	if (held->len == scry_arch_i386.gregset_size &&
	    read_set(held->tid, NOTE_386_TLS, slots, sizeof(slots)))
		for (unsigned i = 3; i-- > 0;)
			held->tls = slots[i].base ? slots[i].base : held->tls;
#endif
}

/* See whether the thread has stopped by now; true when there is nothing more to wait for. */
static bool poll_stop(struct scry_held *held)
{
	int status;
	pid_t pid = waitpid((pid_t)held->tid, &status, __WALL | WNOHANG);

	if (pid == 0)
		return false;
	held->gone = pid < 0 || !WIFSTOPPED(status);
	held->stopped = !held->gone;
	/*
	 * a signal was about to be delivered: it must not be lost. Else it is a trap, or a group
	 * stop
	 */
	if (held->stopped && status >> 16 == 0)
		held->signal = WSTOPSIG(status);
	if (held->stopped)
		read_regs(held);
	return true;
}

/*
 * Are all that did not stop yet in an uninterruptible sleep? Then waiting on only keeps the others
 * from running.
 */
static bool all_asleep(const struct scry_hold *h)
{
	uint64_t flags;

	for (size_t i = 0; i < h->count; i++)
		if (!h->threads[i].stopped && !h->threads[i].gone &&
		    scry_procfs_state((int)h->threads[i].tid, &flags) != 'D')
			return false;
	return true;
}

static void wait_all(struct scry_hold *h, size_t from, int64_t deadline)
{
	struct timespec nap = { 0, 10000 };
	int64_t early = deadline - PATIENCE_NS + SHORT_SLEEP_NS;
	size_t left;

	do {
		left = 0;
		for (size_t i = from; i < h->count; i++)
			if (!h->threads[i].stopped && !h->threads[i].gone &&
			    !poll_stop(&h->threads[i]))
				left++;
		if (left)
			nanosleep(&nap, NULL);
		if (nap.tv_nsec < 1000000)
			nap.tv_nsec *= 2;
	} while (left && now_ns() < deadline && !(now_ns() > early && all_asleep(h)));
}

/* Seize the threads that are not ours yet; how many there were. */
static size_t seize_new(struct scry_hold *h, struct tracer *tracer)
{
	uint64_t *tids = NULL;
	int64_t count = scry_procfs_tids(tracer->pid, &tids);
	size_t before = h->count;

	if (count < 0 && !h->error)
		h->error = errno;
	/* a leader that has ended is refused while its threads are not */
	for (int64_t i = 0; i < count; i++)
		if (scry_hash_add(&tracer->seen, tids[i]) == 1)
			seize(h, tids[i]);
	free(tids);
	return h->count - before;
}

static void let_go(struct scry_hold *h)
{
	for (size_t i = 0; i < h->count; i++) {
		struct scry_held *held = &h->threads[i];

		if (!held->stopped && !held->gone)
			poll_stop(held);
		if (held->stopped)
			ptrace(PTRACE_DETACH, (pid_t)held->tid, NULL,
			       (void *)(intptr_t)held->signal);
	}
}

/* What a terminal suspends a process with: our caller must not sleep while another is stopped. */
static sigset_t suspending(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	return set;
}

/* Until the caller is done, or for as long as the process may be held. */
static bool wait_for_caller(struct tracer *tracer, const struct timespec *until)
{
	int rc;

	while ((rc = sem_timedwait(&tracer->done, until)) < 0 && errno == EINTR)
		;
	return rc == 0;
}

static void *trace(void *arg)
{
	struct scry_hold *h = arg;
	struct tracer *tracer = h->tracer;
	/* sem_timedwait() goes by this clock */
	struct timespec until = scry_clock_after(CLOCK_REALTIME, tracer->bound_ms);
	int64_t deadline = now_ns() + PATIENCE_NS;
	sigset_t suspend = suspending();
	size_t from = 0;

	for (int pass = 0; pass < PASSES && seize_new(h, tracer); pass++) {
		wait_all(h, from, deadline);
		from = h->count;
	}
	sem_post(&tracer->ready);
	if (wait_for_caller(tracer, &until)) {
		let_go(h);
		return NULL;
	}
	h->expired = true;
	let_go(h);
	/* a signal that waits for the process may suspend us now: this thread takes it */
	pthread_sigmask(SIG_UNBLOCK, &suspend, NULL);
	while (sem_wait(&tracer->done) < 0)
		;
	return NULL;
}

static bool start_thread(struct scry_hold *h, struct tracer *tracer)
{
	sigset_t all, old;

	/* signals of the program that we are part of are not for this thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&tracer->thread, NULL, trace, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0;
}

struct scry_hold *scry_hold_begin(int pid, unsigned bound_ms)
{
	struct scry_hold *h = calloc(1, sizeof(*h));
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (!h || !tracer) {
		free(h);
		free(tracer);
		return NULL;
	}
	sigset_t suspend = suspending();
	h->tracer = tracer;
	tracer->pid = pid;
	tracer->bound_ms = bound_ms;
	pthread_sigmask(SIG_BLOCK, &suspend, &tracer->mask);
	sem_init(&tracer->ready, 0, 0);
	sem_init(&tracer->done, 0, 0);
	if (!start_thread(h, tracer)) {
		pthread_sigmask(SIG_SETMASK, &tracer->mask, NULL);
		free(tracer);
		free(h);
		return NULL;
	}
	while (sem_wait(&tracer->ready) < 0)
		;
	return h;
}

void scry_hold_end(struct scry_hold *h)
{
	if (!h)
		return;
	struct tracer *tracer = h->tracer;
	sem_post(&tracer->done);
	pthread_join(tracer->thread, NULL);
	pthread_sigmask(SIG_SETMASK, &tracer->mask, NULL);
	sem_destroy(&tracer->ready);
	sem_destroy(&tracer->done);
	scry_hash_done(&tracer->seen);
	free(tracer);
	free(h->threads);
	free(h);
}
