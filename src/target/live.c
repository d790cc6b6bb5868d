/* A live process on this machine, read by process_vm_readv() or /proc/PID/mem. */
#include "target/live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "registry.h"
#include "target/procfs.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

static size_t live_fetch(void *arg, scry_addr addr, void *buf, size_t len)
{
	struct scry_live *live = arg;

	return scry_remote_read(&live->memory, addr, buf, len);
}

static const uint8_t *live_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	struct scry_live *live = t->state;
	const uint8_t *found = scry_cache_view(&live->cache, addr, ret_len);

	t->before = live->cache.before;
	if (live->memory.late)
		scry_note(t->session,
			  "memory of process %d at 0x%" PRIx64
			  " did not come in time (userfaultfd, or "
			  "a file system that does not answer): it was left out",
			  live->pid, live->memory.late);
	live->memory.late = 0;
	return found;
}

/* --- opening --- */

/*
 * Documentation/admin-guide/LSM/Yama.rst: 0 same user, 1 descendants, 2 CAP_SYS_PTRACE, 3 nobody.
 * No such file: the kernel has no Yama.
 */
static int yama_scope(void)
{
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (f && fscanf(f, "%d", &scope) != 1)
		scope = 0;
	if (f)
		fclose(f);
	return scope;
}

/*
 * The files (not the directory) of a process that is not dumpable belong to root, whoever runs it.
 */
static bool hides(int pid, uid_t owner)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	return owner != 0 && stat(path, &st) == 0 && st.st_uid != owner;
}

/* The kernel says EPERM and nothing else: the likeliest reason first, each with its way out. */
static int explain_refusal(struct scry_target *t, int pid)
{
	int64_t owner = scry_procfs_status(pid, "Uid", -1);

	if (geteuid() != 0 && owner >= 0 && (uid_t)owner != geteuid())
		return scry_fail(t->session, SCRY_ESYSTEM, 0,
				 "not permitted to read process %d: it belongs to user %" PRId64
				 "; run as that user or as root",
				 pid, owner);
	if (geteuid() != 0 && owner >= 0 && hides(pid, (uid_t)owner))
		return scry_fail(t->session, SCRY_ESYSTEM, 0,
				 "not permitted to read process %d: it is not dumpable (it changed "
				 "its user, or hides); run as root",
				 pid);
	if (yama_scope() > 0)
		return scry_fail(t->session, SCRY_ESYSTEM, 0,
				 "not permitted to read process %d: kernel.yama.ptrace_scope is "
				 "%d; run as root%s",
				 pid, yama_scope(), yama_scope() < 3 ? ", or set it to 0" : "");
	return scry_fail(t->session, SCRY_ESYSTEM, 0,
			 "not permitted to read process %d: CAP_SYS_PTRACE is missing, or a "
			 "container or seccomp forbids it",
			 pid);
}

/* A zombie (Z) or dead (X) thread has given its memory back: fs/proc/array.c. */
static bool has_memory(int tid)
{
	uint64_t flags;
	char state = scry_procfs_state(tid, &flags);

	return state && state != 'Z' && state != 'X';
}

/*
 * A thread that still has memory: the leader, but where it has ended (pthread_exit() in main())
 * another one. Others come and go, also with lower numbers than the leader's.
 */
static int find_reader(int pid)
{
	uint64_t *tids = NULL;

	if (has_memory(pid))
		return pid;
	int64_t count = scry_procfs_tids(pid, &tids);
	int found = 0;

	for (int64_t i = 0; i < count && !found; i++)
		if (has_memory((int)tids[i]))
			found = (int)tids[i];
	free(tids);
	return found;
}

static int check_process(struct scry_target *t, struct scry_live *live)
{
	struct scry_session *s = t->session;
	uint64_t flags;
	char state;

	if (live->pid <= 0)
		return scry_fail(s, SCRY_EINVAL, 0, "%d is not a process id", live->pid);
	state = scry_procfs_state(live->pid, &flags);
	if (!state && access("/proc/self/stat", R_OK) < 0)
		return scry_fail(s, SCRY_ESYSTEM, 0,
				 "/proc is not mounted: live processes cannot be read");
	if (!state)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "there is no process %d", live->pid);
	if (flags & PF_KTHREAD)
		return scry_fail(s, SCRY_EUNSUPPORTED, 0,
				 "process %d is a kernel thread: it has no memory of its own",
				 live->pid);
	/* a thread id was given */
	live->pid = (int)scry_procfs_status(live->pid, "Tgid", live->pid);
	live->reader = find_reader(live->pid);
	if (!live->reader)
		return scry_fail(s, SCRY_EUNSUPPORTED, 0,
				 "process %d is a zombie: it has ended and its memory is gone (its "
				 "parent is %" PRId64 ")",
				 live->pid, scry_procfs_status(live->pid, "PPid", 0));
	return SCRY_OK;
}

static int open_memory(struct scry_target *t, struct scry_live *live)
{
	int error = -scry_remote_reader_open(&live->memory, live->reader);

	if (!error)
		return SCRY_OK;
	if (error == EACCES || error == EPERM)
		return explain_refusal(t, live->pid);
	errno = error;
	return scry_fail_errno(t->session, "cannot open /proc/%d/mem", live->reader);
}

static int list_threads(struct scry_target *t, struct scry_live *live)
{
	uint64_t *tids = NULL;
	int64_t count = scry_procfs_tids(live->pid, &tids);

	if (count < 0)
		return scry_fail_errno(t->session, "cannot list the threads of process %d",
				       live->pid);
	for (int64_t i = 0; i < count; i++) {
		struct scry_os_thread *thread = scry_target_add_thread(t, tids[i]);

		if (thread)
			thread->name = scry_procfs_thread_name(t, live->pid, tids[i]);
	}
	free(tids);
	return SCRY_OK;
}

/* All that changes while the process runs. */
static int live_read(struct scry_target *t)
{
	struct scry_live *live = t->state;
	int rc = scry_procfs_maps(t, live->reader);

	if (rc < 0)
		return rc;
	scry_procfs_facts(t, live->reader);
	return list_threads(t, live);
}

static int live_open(struct scry_target *t)
{
	struct scry_live *live = calloc(1, sizeof(*live));

	if (!live)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	t->state = live;
	live->memory.mem = live->memory.pagemap = -1;
	live->pid = (int)t->pid;
	live->cache = (struct scry_cache) { .fetch = live_fetch, .arg = live };
	int rc = check_process(t, live);
	if (rc >= 0)
		rc = open_memory(t, live);
	if (rc < 0)
		return rc;
	t->pid = live->pid;
	if (!scry_cache_init(&live->cache))
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	/* EM_X86_64, where the executable cannot be opened */
	if (!scry_procfs_machine(t, live->reader))
		scry_target_set_machine(t, 62, true, false);
	return live_read(t);
}

/* The process may have called execve() since, or ended: all but the open memory is read anew. */
static int live_refresh(struct scry_target *t)
{
	struct scry_live *live = t->state;

	scry_cache_clear(&live->cache);
	t->map_count = t->thread_count = 0;
	t->exe = t->command = NULL;
	t->notes = NULL;
	scry_arena_done(&t->keep);
	int rc = check_process(t, live);
	if (rc >= 0)
		rc = live_read(t);
	if (rc < 0)
		scry_note(t->session, "%s", scry_session_error(t->session));
	return rc;
}

/* --- holding --- */

static void explain_unheld(struct scry_target *t, int why)
{
	struct scry_live *live = t->state;
	int64_t tracer = scry_procfs_status(live->pid, "TracerPid", 0);

	if (tracer > 0)
		scry_note(t->session,
			  "process %d is traced by process %" PRId64 ": read without stopping it",
			  live->pid, tracer);
	else if (why)
		scry_note(t->session, "process %d cannot be stopped (%s): read while it runs",
			  live->pid, strerror(why));
	else
		scry_note(t->session, "process %d cannot be stopped: read while it runs",
			  live->pid);
}

/*
 * Threads that were listed before the stop and had ended by then are dropped. Of a leader that has
 * ended while others run (pthread_exit() in main()) its id is left, and no registers.
 */
static void drop_ended(struct scry_target *t, const struct scry_hold *hold)
{
	struct scry_hash held = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < hold->count; i++)
		if (!hold->threads[i].gone)
			scry_hash_add(&held, hold->threads[i].tid);
	for (size_t i = 0; i < t->thread_count; i++) {
		struct scry_os_thread *thread = &t->threads[i];
		uint64_t flags;

		if (!scry_hash_find(&held, thread->tid)) {
			char state = scry_procfs_state((int)thread->tid, &flags);

			thread->exited = state == 'Z' && thread->tid == (uint64_t)t->pid;
			if (!thread->exited && (!state || state == 'Z' || state == 'X'))
				continue;
		}
		t->threads[kept++] = *thread;
	}
	t->thread_count = kept;
	scry_hash_done(&t->tids);
	scry_hash_done(&held);
}

/*
 * What the tracer found out about a thread. A thread that was cloned after the list was read and
 * before the stop is on the tracer's.
 */
static void take_held(struct scry_target *t, const struct scry_held *held)
{
	struct scry_os_thread *thread = scry_os_thread_find(t, held->tid);

	if (held->gone)
		return;
	if (!thread) {
		struct scry_live *live = t->state;

		thread = scry_target_add_thread(t, held->tid);
		if (thread)
			thread->name = scry_procfs_thread_name(t, live->pid, held->tid);
	}
	if (!thread)
		return;
	if (!held->stopped)
		scry_note(t->session,
			  "thread %" PRIu64 " did not stop in time: it was read while it ran",
			  held->tid);
	if (held->len && t->arch)
		scry_os_thread_load(thread, t->arch, held->regs, held->len, t->abi.big_endian);
	if (held->tls)
		thread->tls = held->tls;
}

/* Which system calls its threads are in, as the kernel tells it without stopping them. */
static void read_calls(struct scry_target *t)
{
	struct scry_live *live = t->state;

	for (size_t i = 0; i < t->thread_count; i++)
		scry_procfs_syscall(t, live->pid, &t->threads[i]);
}

static int live_hold(struct scry_target *t)
{
	struct scry_live *live = t->state;

	if (live->hold)
		return SCRY_OK;
	if (t->session->options.no_stop) {
		scry_warn(t->session,
			  "process %d runs while it is read (--no-stop): stacks are read until "
			  "they are the same, all else may be of different moments",
			  live->pid);
		scry_target_read_anew(t);
		read_calls(t);
		return SCRY_OK;
	}
	live->hold = scry_hold_begin(live->pid, t->session->options.hold_ms);
	/* what was read before it stopped may not fit what is read now */
	scry_cache_clear(&live->cache);
	scry_target_forget_view(t);
	if (!live->hold || !live->hold->count) {
		explain_unheld(t, live->hold ? live->hold->error : 0);
		read_calls(t);
		return SCRY_OK;
	}
	for (size_t i = 0; i < live->hold->count; i++)
		take_held(t, &live->hold->threads[i]);
	drop_ended(t, live->hold);
	return SCRY_OK;
}

/* Whether what is read may contradict itself for no other reason than time. */
static bool live_runs(struct scry_target *t)
{
	const struct scry_live *live = t->state;

	return !live->hold || !live->hold->count || live->hold->expired;
}

static void live_read_anew(struct scry_target *t)
{
	struct scry_live *live = t->state;

	scry_cache_clear(&live->cache);
}

static bool live_set_aside(struct scry_target *t, bool aside)
{
	struct scry_live *live = t->state;
	struct scry_cache now = { .fetch = live->cache.fetch,
				  .arg = live->cache.arg,
				  .exact = live->cache.exact };

	if (aside && !scry_cache_init(&now))
		return false;
	if (aside) {
		live->aside = live->cache;
		live->cache = now;
	} else {
		scry_cache_done(&live->cache);
		live->cache = live->aside;
	}
	return true;
}

static void live_release(struct scry_target *t)
{
	struct scry_live *live = t->state;

	if (!live)
		return;
	if (live->hold && live->hold->expired)
		scry_note_answer(t->session,
				 "process %d was let go after %g s: the rest was read while it ran",
				 live->pid, t->session->options.hold_ms / 1000.0);
	scry_hold_end(live->hold);
	live->hold = NULL;
}

static void live_close(struct scry_target *t)
{
	struct scry_live *live = t->state;

	if (!live)
		return;
	scry_cache_done(&live->cache);
	scry_remote_reader_close(&live->memory);
	free(live);
}

const struct scry_target_ops scry_target_live = {
	.name = "live",
	.open = live_open,
	.view = live_view,
	.hold = live_hold,
	.release = live_release,
	.runs = live_runs,
	.read_anew = live_read_anew,
	.set_aside = live_set_aside,
	.refresh = live_refresh,
	.close = live_close,
	.present = scry_procfs_present,
};

int scry_target_open_pid(struct scry_session *s, int pid)
{
	struct scry_target *t = scry_target_new(s, &scry_target_live);

	if (!t)
		return s->error.code;
	t->pid = pid;
	int rc = t->ops->open(t);
	if (rc < 0) {
		scry_target_close(t);
		return rc;
	}
	s->target = t;
	return SCRY_OK;
}
