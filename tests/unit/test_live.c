/* Live processes and targets lent by a debugger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registry.h"
#include "target/cache.h"
#include "target/procfs.h"

/* shared with the children */
static struct {
	volatile uint64_t ticks, signals, ready;
} * shared;

static volatile uint64_t secret = 1;
static pthread_mutex_t locked = PTHREAD_MUTEX_INITIALIZER;

static void *block(void *arg)
{
	prctl(PR_SET_NAME, "blocker");
	shared->ready++;
	pthread_mutex_lock(&locked);
	return arg;
}

static void count_signal(int signal)
{
	(void)signal;
	shared->signals++;
}

/* A process that counts, with two threads that wait for a lock. */
static void run_child(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, count_signal);
	secret = 0xabcdef0123456789;
	pthread_mutex_lock(&locked);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread, NULL, block, NULL);
	for (;;) {
		shared->ticks++;
		usleep(100);
	}
}

static pid_t start(void)
{
	memset((void *)shared, 0, sizeof(*shared));
	pid_t pid = fork();

	if (pid == 0)
		run_child();
	assert_true(pid > 0);
	while (shared->ready < 2 || shared->ticks < 3)
		usleep(1000);
	usleep(5000); /* into the lock */
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool runs_on(void)
{
	uint64_t before = shared->ticks;

	for (int i = 0; i < 2000 && shared->ticks < before + 3; i++)
		usleep(1000);
	return shared->ticks >= before + 3;
}

static char state_of(pid_t pid)
{
	uint64_t flags;

	return scry_procfs_state(pid, &flags);
}

/* A session on the process, stopped; NULL where this system forbids it. */
static struct scry_session *hold(pid_t pid)
{
	struct scry_session *s = scry_session_new();

	if (scry_session_open_pid(s, pid) == SCRY_OK && scry_target_hold(s->target) == SCRY_OK &&
	    !s->notes)
		return s;
	print_message("cannot stop a child here: %s\n",
		      s->notes ? s->notes->text : scry_session_error(s));
	scry_session_free(s);
	return NULL;
}

static void live_reads(void **state)
{
	(void)state;
	pid_t pid = start();
	struct scry_session *s = hold(pid);
	uint64_t v, ticks;

	if (!s) {
		reap(pid);
		skip();
	}
	struct scry_target *t = s->target;
	ticks = shared->ticks;
	assert_int_equal(scry_read_uint(s, (scry_addr)(uintptr_t)&secret, 8, &v), SCRY_OK);
	assert_true(v == 0xabcdef0123456789);
	assert_true(scry_read_uint(s, 0x10, 8, &v) == SCRY_EFAULT);
	assert_int_equal(t->pid, pid);
	assert_int_equal(t->thread_count, 3);
	assert_non_null(strstr(t->exe, "test_live"));
	assert_non_null(strstr(scry_map_at(t, (scry_addr)(uintptr_t)run_child)->path, "test_live"));
	unsigned waiting = 0;
	for (size_t i = 0; i < t->thread_count; i++) {
		struct scry_os_thread *thread = &t->threads[i];

		assert_non_null(scry_map_at(t, thread->regs.value[t->arch->sp]));
		assert_non_null(thread->name);
		waiting += thread->in_futex && thread->futex == (scry_addr)(uintptr_t)&locked;
		assert_int_equal(strcmp(thread->name, "blocker") == 0,
				 thread->tid != (uint64_t)pid);
	}
	assert_int_equal(waiting, 2);
	assert_int_equal(shared->ticks, ticks);
	scry_target_release(t);
	assert_true(runs_on());
	scry_session_refresh(s);
	assert_int_equal(s->target->thread_count, 3);
	scry_session_free(s);
	reap(pid);
}

static void stopped_stays(void **state)
{
	(void)state;
	pid_t pid = start();

	kill(pid, SIGSTOP);
	while (state_of(pid) != 'T')
		usleep(1000);
	struct scry_session *s = hold(pid);
	if (s) {
		assert_int_equal(state_of(pid), 't');
		scry_session_free(s);
		/* it is told to stop again as it goes on */
		for (int i = 0; i < 1000 && state_of(pid) != 'T'; i++)
			usleep(1000);
		assert_int_equal(state_of(pid), 'T');
		kill(pid, SIGCONT);
		assert_true(runs_on());
	}
	reap(pid);
}

/* The one who holds it is killed: it runs on. */
static void killed_lets_go(void **state)
{
	(void)state;
	pid_t pid = start();
	pid_t holder = fork();
	int status;

	if (holder == 0) {
		hold(pid);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_true(WIFSIGNALED(status));
	assert_true(runs_on());
	assert_int_equal(scry_procfs_status(pid, "TracerPid", -1), 0);
	reap(pid);
}

static void signals_arrive(void **state)
{
	(void)state;
	pid_t pid = start();
	uint64_t sent = 0;

	for (int i = 0; i < 100; i++) {
		uint64_t before = shared->signals;

		kill(pid, SIGUSR1);
		struct scry_session *s = hold(pid);
		scry_session_free(s);
		sent++;
		for (int k = 0; k < 1000 && shared->signals == before; k++)
			usleep(1000);
	}
	assert_int_equal(shared->signals, sent);
	assert_true(runs_on());
	reap(pid);
}

static void expect_error(int pid, const char *text)
{
	struct scry_session *s = scry_session_new();

	assert_true(scry_session_open_pid(s, pid) < 0);
	if (!strstr(scry_session_error(s), text))
		fail_msg("\"%s\" is not in \"%s\"", text, scry_session_error(s));
	scry_session_free(s);
}

static void wrong_processes(void **state)
{
	(void)state;
	expect_error(0, "is not a process id");
	expect_error(0x7ffffff0, "no process");
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	while (state_of(pid) != 'Z')
		usleep(1000);
	expect_error(pid, "zombie");
	waitpid(pid, NULL, 0);
	if (state_of(2) && geteuid() == 0 && scry_procfs_status(2, "Kthread", 0) == 1)
		expect_error(2, "kernel thread");
}

static void process_ends(void **state)
{
	(void)state;
	pid_t pid = start();
	struct scry_session *s = scry_session_new();

	assert_int_equal(scry_session_open_pid(s, pid), SCRY_OK);
	reap(pid);
	assert_int_equal(scry_target_hold(s->target), SCRY_OK);
	assert_non_null(s->notes);
	scry_target_release(s->target);
	scry_session_refresh(s);
	assert_non_null(strstr(s->notes->text, "no process"));
	assert_int_equal(s->target->thread_count, 0);
	scry_session_free(s);
}

/* --- the page cache, and debuggers --- */

/* Memory from `start` to `end`, given in whole or not at all, as gdb does. */
struct lender {
	scry_addr start, end;
	unsigned calls, high;
};

static uint8_t lent_byte(scry_addr addr)
{
	return (uint8_t)(addr * 7 + (addr >> 12));
}

static int64_t lend(void *arg, scry_addr addr, void *buf, size_t len)
{
	struct lender *l = arg;

	l->calls++;
	if (addr + len > (scry_addr)1 << 47)
		l->high++;
	if (addr < l->start || addr + len > l->end)
		return 0;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = lent_byte(addr + i);
	return (int64_t)len;
}

static int lend_thread(void *arg, unsigned i, uint64_t *ret)
{
	(void)arg;
	*ret = 1000 + i;
	return i < 3 ? SCRY_ITEM : SCRY_OK;
}

static int lend_reg(void *arg, uint64_t tid, const char *name, uint64_t *ret)
{
	(void)arg;
	*ret = tid;
	if (!strcmp(name, "orig_rax"))
		*ret = tid == 1001 ? 202 : (uint64_t)-1;
	if (!strcmp(name, "rsi"))
		*ret = 128; /* FUTEX_WAIT_PRIVATE */
	return *name == 'r' || !strcmp(name, "fs_base") || !strcmp(name, "orig_rax")
		       ? SCRY_OK
		       : SCRY_ENOTFOUND;
}

static int lend_map(void *arg, unsigned i, scry_addr *ret_start, scry_addr *ret_end,
		    uint64_t *ret_offset, unsigned *ret_flags, const char **ret_path)
{
	struct lender *l = arg;

	*ret_start = i ? l->end : l->start;
	*ret_end = i ? l->end + 0x1000 : l->end;
	*ret_offset = 0;
	*ret_flags = 6;
	*ret_path = i ? "/lib/x.so" : "[heap]";
	return i < 2 ? SCRY_ITEM : SCRY_OK;
}

static const struct scry_host_ops lender_ops = { sizeof(lender_ops), lend, lend_thread, lend_reg,
						 lend_map };

static void check_lent(struct scry_session *s, struct lender *l)
{
	static uint8_t bytes[300000];
	size_t len = (size_t)(l->end - l->start);

	assert_int_equal(scry_read(s, l->start, bytes, len), SCRY_OK);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], lent_byte(l->start + i));
	assert_int_equal(scry_read_some(s, l->end - 5, bytes, 100), 5);
	assert_int_equal(scry_read_some(s, l->start - 1, bytes, 1), 0);
	assert_int_equal(scry_read_some(s, l->end, bytes, 1), 0);
}

static void host_reads(void **state)
{
	(void)state;
	static const struct {
		scry_addr start, end;
	} ranges[] = {
		{ 0x10000, 0x14000 }, { 0x10123, 0x12345 }, { 0x10ff8, 0x11010 },
		{ 0x20010, 0x20018 }, { 0x10001, 0x4fffd }, { 0x7ffffffef000, 0x7ffffffff000 },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		struct lender l = { ranges[i].start, ranges[i].end, 0, 0 };
		struct scry_session *s = scry_session_new();
		uint64_t v;

		assert_int_equal(scry_session_open_host(s, &lender_ops, &l, 0), SCRY_OK);
		check_lent(s, &l);
		l.calls = 0;
		for (int k = 0; k < 1000; k++)
			scry_read_uint(s, l.start, 8, &v);
		assert_true(l.calls < 4);
		assert_true(scry_read_uint(s, 0xffffffffff600000, 8, &v) < 0);
		assert_true(scry_read_uint(s, 0x7ffffffffffc, 8, &v) < 0);
		assert_int_equal(l.high, 0);
		scry_session_free(s);
	}
}

static void host_describes(void **state)
{
	(void)state;
	struct lender l = { 0x10000, 0x20000, 0, 0 };
	struct scry_session *s = scry_session_new();
	uint64_t v;

	assert_int_equal(scry_session_open_host(s, &lender_ops, &l, 0), SCRY_OK);
	for (int pass = 0; pass < 2; pass++) {
		struct scry_target *t = s->target;

		assert_string_equal(t->ops->name, "host");
		assert_ptr_equal(t->arch, &scry_arch_x86_64);
		assert_int_equal(t->thread_count, 3);
		assert_true(scry_regs_find(&t->threads[1].regs, "rbx", &v));
		assert_int_equal(v, 1001);
		assert_true(t->threads[1].in_futex && t->threads[1].futex == 1001 &&
			    t->threads[1].tls == 1001);
		assert_false(t->threads[2].in_futex);
		assert_int_equal(t->map_count, 2);
		assert_null(t->maps[0].path);
		assert_string_equal(t->maps[1].path, "/lib/x.so");
		scry_session_refresh(s);
	}
	scry_session_free(s);
	s = scry_session_new();
	assert_int_equal(scry_session_open_host(s, &(struct scry_host_ops) { 0 }, NULL, 0),
			 SCRY_EINVAL);
	scry_session_free(s);
}

/* Of a process here a debugger is asked for registers only when they are wanted. */
static void host_asked_late(void **state)
{
	(void)state;
	struct lender l = { 0x10000, 0x20000, 0, 0 };
	struct scry_session *s = scry_session_new();
	uint64_t v;

	assert_int_equal(scry_session_open_host(s, &lender_ops, &l, getpid()), SCRY_OK);
	struct scry_os_thread *thread = &s->target->threads[1];
	if (s->target->arch == &scry_arch_x86_64) {
		assert_true(thread->regs_pending);
		assert_true(scry_regs_find(scry_os_thread_regs(s->target, thread), "rbx", &v));
		assert_int_equal(v, 1001);
		assert_int_equal(thread->tls, 1001);
		assert_false(thread->regs_pending);
	}
	assert_non_null(strstr(s->target->exe, "test_live"));
	scry_session_free(s);
}

static size_t fetch_any(void *arg, scry_addr addr, void *buf, size_t len)
{
	unsigned *calls = arg;

	++*calls;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = lent_byte(addr + i);
	return len;
}

static void cache_bounded(void **state)
{
	(void)state;
	unsigned calls = 0;
	struct scry_cache c = { .fetch = fetch_any, .arg = &calls };
	size_t len;

	assert_true(scry_cache_init(&c));
	/* 16 GB touched: the cache holds 128 MB at most, and what it gives is right */
	for (scry_addr addr = 0x10008; addr < (scry_addr)1 << 34; addr += 1 << 20) {
		const uint8_t *p = scry_cache_view(&c, addr, &len);

		assert_true(p && len >= 4088);
		assert_int_equal(p[0], lent_byte(addr));
		assert_int_equal(p[len - 1], lent_byte(addr + len - 1));
	}
	calls = 0;
	for (scry_addr addr = 0x100000; addr < 0x140000; addr += 64)
		assert_int_equal(*scry_cache_view(&c, addr, &len), lent_byte(addr));
	assert_true(calls <= 8);
	scry_cache_clear(&c);
	scry_cache_view(&c, 0x100000, &len);
	assert_true(calls > 1);
	scry_cache_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_reads),      cmocka_unit_test(stopped_stays),
		cmocka_unit_test(killed_lets_go),  cmocka_unit_test(signals_arrive),
		cmocka_unit_test(wrong_processes), cmocka_unit_test(process_ends),
		cmocka_unit_test(host_reads),      cmocka_unit_test(host_describes),
		cmocka_unit_test(host_asked_late), cmocka_unit_test(cache_bounded),
	};

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
