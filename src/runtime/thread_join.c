/*
 * Which thread of the operating system a thread state belongs to, and what that says about it.
 */
#include "runtime/find.h"
#include "runtime/thread_join.h"

#include <stdlib.h>

/*
 * struct pthread's tid in glibc 2.34 to 2.41 on 64-bit machines (nptl/descr.h); checked against the
 * known threads.
 */
#define GLIBC_TID_OFFSET 0x2d0

static void index_threads(struct scry_target *t, struct scry_join *j)
{
	for (size_t i = 0; i < t->thread_count; i++) {
		struct scry_os_thread *os = &t->threads[i];

		if (os->tls && !scry_hash_find(&j->by_tls, os->tls))
			scry_hash_put(&j->by_tls, os->tls, os);
		scry_hash_put(&j->by_tid, os->tid, os);
	}
}

/* Thread pointers that a debugger gives only when asked; true where there were any. */
static bool fetch_tls(struct scry_target *t, struct scry_join *j)
{
	bool any = false;

	for (size_t i = 0; i < t->thread_count; i++) {
		struct scry_os_thread *os = &t->threads[i];

		if (!os->regs_pending)
			continue;
		any = true;
		scry_os_thread_regs(t, os);
		if (os->tls && !scry_hash_find(&j->by_tls, os->tls))
			scry_hash_put(&j->by_tls, os->tls, os);
	}
	return any;
}

void scry_join_init(struct scry_join *j, struct scry_session *s)
{
	*j = (struct scry_join) { .session = s };
	index_threads(s->target, j);
}

void scry_join_done(struct scry_join *j)
{
	scry_hash_done(&j->by_tls);
	scry_hash_done(&j->by_tid);
	scry_hash_done(&j->taken);
	scry_hash_done(&j->idents);
	scry_hash_done(&j->shared);
	free(j->stacks);
}

/*
 * thread_id is pthread_self() on Linux, which is the thread pointer, and GetCurrentThreadId() on
 * Windows; native_thread_id (3.11+) is gettid().
 */
static const struct scry_os_thread *match(struct scry_thread *t, struct scry_join *j)
{
	struct scry_runtime *r = t->runtime;
	const struct scry_os_thread *os = scry_hash_find(&j->by_tls, t->ident);
	uint64_t native = 0, tid = 0;

	if (os && t->ident)
		return os;
	if (r->session->target->abi.windows)
		return scry_hash_find(&j->by_tid, t->ident);
	if (scry_layout_has(r->layout, SCRY_F_THREAD_NATIVE_ID))
		scry_field_read(r, t->state, SCRY_F_THREAD_NATIVE_ID, &native);
	if (native && (os = scry_hash_find(&j->by_tid, native)))
		return os;
	if (t->ident && scry_read_uint(r->session, t->ident + GLIBC_TID_OFFSET, 4, &tid) == SCRY_OK)
		os = scry_hash_find(&j->by_tid, tid);
	if (t->ident && !os && fetch_tls(r->session->target, j))
		os = scry_hash_find(&j->by_tls, t->ident);
	t->tid = os ? 0 : native;
	return os;
}

/*
 * take_gil() is the only one that sleeps on the GIL for a limited time: drop_gil() waits there too,
 * for its mutex and for another thread to take it, and it wakes others (Python/ceval_gil.h, v3.2 to
 * v3.15: COND_TIMED_WAIT is used once).
 */
static bool waits_for_gil(const struct scry_thread *t)
{
	struct scry_runtime *r = t->runtime;
	scry_addr at = t->os->futex, gil = t->interp->gil;

	if (r->strategy->waits_for_gil)
		return r->strategy->waits_for_gil(t);
	if (!t->os->in_futex || !t->os->futex_timed)
		return false;
	if (gil) {
		uint64_t span = r->layout->size[SCRY_S_GIL] ? r->layout->size[SCRY_S_GIL] : 256;

		return at >= gil && at < gil + span;
	}
	/*
	 * up to 3.6 its condition is a static variable; nothing else that waits is
	 * (Python/ceval_gil.h, v3.6)
	 */
	const struct scry_map *map = scry_map_at(r->session->target, at);
	return scry_trait(r, SCRY_TRAIT_GIL_HAS_CONDITION) && r->module && map &&
	       scry_module_owns(r->module, map);
}

/*
 * A state that PyThreadState_New() made for a thread to come: up to 3.11 it has the ids of the
 * thread that made it, and is not counted by PyGILState_Ensure() yet, as each state is from
 * _PyThreadState_Init() on; 3.12+ it has no ids (Python/pystate.c: _PyThreadState_Prealloc(),
 * bind_tstate()).
 */
static bool is_starting(const struct scry_join *j, const struct scry_thread *t)
{
	struct scry_runtime *r = t->runtime;
	uint64_t counter;

	if (t->top || t->gil == SCRY_GIL_HELD)
		return false;
	if (r->strategy->newborn == SCRY_NEWBORN_NO_ID)
		return !t->ident;
	return r->strategy->newborn == SCRY_NEWBORN_COUNTER &&
	       (!t->os || scry_hash_find(&j->shared, t->ident)) &&
	       scry_field_read(r, t->state, SCRY_F_THREAD_GILSTATE_COUNTER, &counter) == SCRY_OK &&
	       !(counter & 0xffffffff);
}

/* The kernel clears the id in a thread's own memory when it ends: set_tid_address(2). */
static bool has_ended(const struct scry_thread *t)
{
	uint64_t tid = 1;

	return t->ident &&
	       scry_read_uint(t->session, t->ident + GLIBC_TID_OFFSET, 4, &tid) == SCRY_OK && !tid;
}

/*
 * The first thread of a process may end before the others, and keeps its id: what has no thread is
 * its state, where there is only one such. (Its registers and thread pointer are gone.)
 */
static void join_exited(struct scry_join *j, const struct scry_os_thread *os)
{
	struct scry_thread *found = NULL;

	for (struct scry_thread *t = j->session->threads; t; t = t->next) {
		if (t->os == os)
			return;
		if (t->os || t->interp->id || t->presence == SCRY_PRESENCE_STARTING ||
		    !has_ended(t))
			continue;
		if (found)
			return;
		found = t;
	}
	if (found)
		found->os = os;
}

static void note_ident(struct scry_join *j, struct scry_thread *t)
{
	if (!t->ident)
		return;
	if (scry_hash_find(&j->idents, t->ident))
		scry_hash_put(&j->shared, t->ident, t);
	else
		scry_hash_put(&j->idents, t->ident, t);
}

/*
 * threading knows a thread by its own id, not by that of who made the state. It is the thread
 * pointer where some state shows that it is (not on AArch64).
 */
static void move(const struct scry_join *j, struct scry_thread *t, const struct scry_os_thread *os)
{
	struct scry_target *target = j->session->target;
	scry_addr own = os && j->by_pointer ? os->tls : 0;
	bool known = scry_hash_find(&j->by_tls, t->ident) || target->abi.windows;

	if (os != t->os || (own && !known))
		t->ident = own;
	else if (os && os->tls && t->ident && !known && !scry_map_at(target, t->ident))
		scry_note(j->session,
			  "the id of the thread state at 0x%" PRIx64
			  " is not that of a thread: its name is not known",
			  t->state);
	t->os = os;
}

/* What the OS thread says about its state. */
static void take(struct scry_join *j, struct scry_thread *t)
{
	const struct scry_os_thread *os = t->os;

	if (!os) {
		if (t->presence == SCRY_PRESENCE_HERE)
			t->presence = SCRY_PRESENCE_MISSING;
		return;
	}
	if (os->exited)
		t->presence = SCRY_PRESENCE_EXITED;
	t->tid = os->tid;
	t->given_name = os->name;
	t->crashed = os->crashed;
	scry_hash_add(&j->taken, os->tid);
	/* PyPy's names a thread still that has given it away, and waits */
	if ((t->gil == SCRY_GIL_NONE || t->runtime->strategy->waits_for_gil) && waits_for_gil(t))
		t->gil = SCRY_GIL_WAITING;
}

void scry_join_threads(struct scry_join *j)
{
	struct scry_target *target = j->session->target;
	struct scry_thread *first = j->session->threads;

	for (struct scry_thread *t = first; t; t = t->next) {
		t->os = match(t, j);
		note_ident(j, t);
		j->by_pointer |= t->os && t->ident && t->ident == t->os->tls;
	}
	for (struct scry_thread *t = first; t; t = t->next) {
		if (is_starting(j, t)) {
			t->presence = SCRY_PRESENCE_STARTING;
			t->os = NULL;
			t->tid = 0;
			continue;
		}
		move(j, t, scry_join_runner(j, t));
	}
	for (size_t i = 0; i < target->thread_count; i++)
		if (target->threads[i].exited)
			join_exited(j, &target->threads[i]);
	for (struct scry_thread *t = first; t; t = t->next)
		take(j, t);
}
