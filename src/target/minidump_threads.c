/* The threads of a minidump: registers, stacks, names, and which one crashed. */
#include <inttypes.h>
#include <stdlib.h>

#include "target/minidump.h"

/* MINIDUMP_THREAD; MINIDUMP_THREAD_EX has a backing store after it */
enum {
	T_TEB = 16,
	T_STACK = 24,
	T_STACK_SIZE = 32,
	T_STACK_RVA = 36,
	T_CONTEXT = 40,
	T_SIZE = 48,
	T_EX_SIZE = 64
};
/* MINIDUMP_THREAD_NAME: id, 64-bit rva, packed */
enum { N_RVA = 4, N_SIZE = 12 };
/* MINIDUMP_EXCEPTION_STREAM */
enum {
	E_TID = 0,
	E_CODE = 8,
	E_FLAGS = 12,
	E_ADDRESS = 24,
	E_PARAMETERS = 32,
	E_INFO = 40,
	E_CONTEXT = 160,
	E_SIZE = 168
};
/* winnt.h; of both the second parameter is the address that was touched */
#define ACCESS_VIOLATION 0xc0000005u
#define IN_PAGE_ERROR    0xc0000006u
#define GUARD_PAGE       0x80000001u
/*
 * No crash: a debugger broke in (STATUS_WAKE_SYSTEM_DEBUGGER), Breakpad and crashpad were asked for
 * a dump.
 */
#define WAKE_DEBUGGER  0x80000007u
#define DUMP_REQUESTED 0xffffffffu
#define SIMULATED      0x0517a7edu

static void load_registers(const struct scry_minidump *md, struct scry_os_thread *thread,
			   struct scry_blob context)
{
	if (md->t->arch && context.at)
		scry_regs_load(&thread->regs, md->t->arch, context.at, context.len, true, false);
}

static bool load_thread(struct scry_minidump *md, const uint8_t *p, struct scry_hash *seen)
{
	int fresh = scry_hash_add(seen, scry_md32(p));
	if (fresh <= 0)
		return fresh == 0; /* twice the same thread */
	struct scry_os_thread *thread = scry_target_add_thread(md->t, scry_md32(p));

	if (!thread)
		return false;
	thread->tls = scry_md_addr(md, p + T_TEB);
	load_registers(md, thread, scry_minidump_location(md, p + T_CONTEXT));
	md->stacks[md->stack_count++] =
		(struct scry_md_range) { scry_md_addr(md, p + T_STACK), scry_md32(p + T_STACK_SIZE),
					 scry_md32(p + T_STACK_RVA) };
	return true;
}

static void load_names(struct scry_minidump *md)
{
	struct scry_blob b;
	size_t n = scry_minidump_list(md, SCRY_MD_THREAD_NAMES, N_SIZE, &b);

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = b.at + i * N_SIZE;
		struct scry_os_thread *thread = scry_os_thread_find(md->t, scry_md32(p));

		if (thread && !thread->name)
			thread->name = scry_minidump_string(md, scry_md64(p + N_RVA));
	}
}

/* The crashed thread goes first. */
static void move_first(struct scry_target *t, size_t at)
{
	struct scry_os_thread thread = t->threads[at];

	for (; at > 0; at--)
		t->threads[at] = t->threads[at - 1];
	t->threads[0] = thread;
	scry_hash_done(&t->tids); /* it keeps places */
}

/* osfmk/mach/exception_types.h of XNU. */
static const char *mach_exception(uint32_t code)
{
	static const char *const names[] = { NULL,
					     "EXC_BAD_ACCESS",
					     "EXC_BAD_INSTRUCTION",
					     "EXC_ARITHMETIC",
					     "EXC_EMULATION",
					     "EXC_SOFTWARE",
					     "EXC_BREAKPOINT",
					     "EXC_SYSCALL",
					     "EXC_MACH_SYSCALL",
					     "EXC_RPC_ALERT",
					     "EXC_CRASH",
					     "EXC_RESOURCE",
					     "EXC_GUARD",
					     "EXC_CORPSE_NOTIFY" };

	return code < sizeof(names) / sizeof(*names) ? names[code] : NULL;
}

/* The first parameter: EXCEPTION_READ_FAULT 0, _WRITE_FAULT 1, _EXECUTE_FAULT 8. */
static uint8_t fault_access(uint64_t how)
{
	return how == 0 ? 1 : how == 1 ? 2 : how == 8 ? 3 : 0;
}

static void set_cause(struct scry_minidump *md, const uint8_t *p, struct scry_os_thread *thread)
{
	struct scry_target *t = md->t;
	uint32_t code = scry_md32(p + E_CODE), parameters = scry_md32(p + E_PARAMETERS);

	if (code == 0 || code == WAKE_DEBUGGER || code == DUMP_REQUESTED || code == SIMULATED)
		return;
	if (thread)
		thread->crashed = true;
	if (md->linux_process) { /* the code is the signal's number, and si_addr the address */
		t->signal = code < 128 ? (int)code : 0;
		if (thread)
			thread->signal = t->signal;
		t->fault_addr = scry_md64(p + E_ADDRESS);
		t->has_signal_code = true;
		t->signal_code = (int32_t)scry_md32(p + E_FLAGS);
		t->has_fault = code == 4 || code == 5 || code == 7 || code == 8 || code == 11;
		return;
	}
	t->exception = code;
	if (md->mac_process) {
		t->exception_name = mach_exception(code);
		t->has_fault = code == 1;
		t->fault_addr = scry_md64(p + E_ADDRESS);
		return;
	}
	for (unsigned i = 0; i < parameters && i < sizeof(t->parameters) / sizeof(*t->parameters);
	     i++)
		t->parameters[t->parameter_count++] = scry_md64(p + E_INFO + 8 * i);
	t->has_fault = (code == ACCESS_VIOLATION || code == IN_PAGE_ERROR || code == GUARD_PAGE) &&
		       parameters >= 2;
	if (t->has_fault) {
		t->fault_addr = scry_md_addr(md, p + E_INFO + 8);
		t->fault_access = fault_access(scry_md_addr(md, p + E_INFO));
	}
}

/*
 * In the thread list the crashed thread is in its own exception handler: the exception's
 * context is the crash.
 */
static void load_exception(struct scry_minidump *md)
{
	struct scry_blob b = scry_minidump_stream(md, SCRY_MD_EXCEPTION);
	struct scry_target *t = md->t;
	size_t at = 0;

	if (b.len < E_SIZE)
		return;
	uint32_t tid = scry_md32(b.at + E_TID);
	while (at < t->thread_count && t->threads[at].tid != tid)
		at++;
	if (at == t->thread_count) {
		scry_target_note(
			t, "the thread that crashed, %" PRIu32 ", is not in the minidump's list",
			tid);
		set_cause(md, b.at, NULL);
		return;
	}
	load_registers(md, &t->threads[at], scry_minidump_location(md, b.at + E_CONTEXT));
	set_cause(md, b.at, &t->threads[at]);
	move_first(t, at);
}

int scry_minidump_load_threads(struct scry_minidump *md)
{
	struct scry_blob b;
	size_t size = T_SIZE, n = scry_minidump_list(md, SCRY_MD_THREADS, size, &b);

	if (n == 0)
		n = scry_minidump_list(md, SCRY_MD_THREADS_EX, size = T_EX_SIZE, &b);
	if (n == 0)
		scry_target_note(md->t, "the minidump lists no threads");
	struct scry_hash seen = { 0 };
	md->stacks = calloc(n ? n : 1, sizeof(*md->stacks));
	bool ok = md->stacks != NULL;
	for (size_t i = 0; ok && i < n; i++)
		ok = load_thread(md, b.at + i * size, &seen);
	scry_hash_done(&seen);
	if (!ok)
		return scry_fail(md->t->session, SCRY_ENOMEM, 0, "out of memory");
	load_names(md);
	load_exception(md);
	return SCRY_OK;
}
