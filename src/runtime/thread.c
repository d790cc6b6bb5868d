/* Threads: Python's thread states joined with the operating system's threads. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/find.h"

#define THREADS_MAX 1000000

/*
 * struct pthread's tid in glibc 2.34 to 2.41 on 64-bit machines (nptl/descr.h); checked against the
 * known threads.
 */
#define GLIBC_TID_OFFSET 0x2d0

/* OS threads by the two numbers by which Python may know them. */
struct thread_index {
	struct scry_hash by_tls, by_tid, taken;
};

static void index_threads(struct scry_target *t, struct thread_index *index)
{
	for (size_t i = 0; i < t->thread_count; i++) {
		struct scry_os_thread *os = &t->threads[i];

		if (os->tls && !scry_hash_find(&index->by_tls, os->tls))
			scry_hash_put(&index->by_tls, os->tls, os);
		scry_hash_put(&index->by_tid, os->tid, os);
	}
}

/* Thread pointers that a debugger tells only when asked; true where there were any. */
static bool fetch_tls(struct scry_target *t, struct thread_index *index)
{
	bool any = false;

	for (size_t i = 0; i < t->thread_count; i++) {
		struct scry_os_thread *os = &t->threads[i];

		if (!os->regs_pending)
			continue;
		any = true;
		scry_os_thread_regs(t, os);
		if (os->tls && !scry_hash_find(&index->by_tls, os->tls))
			scry_hash_put(&index->by_tls, os->tls, os);
	}
	return any;
}

static void free_index(struct thread_index *index)
{
	scry_hash_done(&index->by_tls);
	scry_hash_done(&index->by_tid);
	scry_hash_done(&index->taken);
}

/*
 * thread_id is pthread_self() on Linux, which is the thread pointer, and GetCurrentThreadId() on
 * Windows; native_thread_id (3.11+) is gettid().
 */
static const struct scry_os_thread *match(struct scry_thread *t, struct thread_index *index)
{
	struct scry_runtime *r = t->runtime;
	const struct scry_os_thread *os = scry_hash_find(&index->by_tls, t->ident);
	uint64_t native = 0, tid = 0;

	if (os && t->ident)
		return os;
	if (r->session->target->abi.windows)
		return scry_hash_find(&index->by_tid, t->ident);
	if (scry_layout_has(r->layout, SCRY_F_THREAD_NATIVE_ID))
		scry_field_read(r, t->state, SCRY_F_THREAD_NATIVE_ID, &native);
	if (native && (os = scry_hash_find(&index->by_tid, native)))
		return os;
	if (t->ident && scry_read_uint(r->session, t->ident + GLIBC_TID_OFFSET, 4, &tid) == SCRY_OK)
		os = scry_hash_find(&index->by_tid, tid);
	if (t->ident && !os && fetch_tls(r->session->target, index))
		os = scry_hash_find(&index->by_tls, t->ident);
	t->tid = os ? 0 : native;
	return os;
}

/* A thread that sleeps in futex(2) on the GIL's own lock or condition waits for it. */
static bool waits_for_gil(const struct scry_thread *t)
{
	struct scry_runtime *r = t->runtime;
	scry_addr at = t->os->futex, gil = t->interp->gil;

	if (!t->os->in_futex)
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
	return r->version >= 0x03030000 && r->module && map && scry_module_owns(r->module, map);
}

static void join(struct scry_thread *t, const struct scry_os_thread *os, struct thread_index *index)
{
	t->os = os;
	if (os) {
		t->tid = os->tid;
		t->name = os->name;
		t->crashed = os->crashed;
		scry_hash_add(&index->taken, os->tid);
		if (t->interp && t->gil == SCRY_GIL_NONE && waits_for_gil(t))
			t->gil = SCRY_GIL_WAITING;
	}
}

static struct scry_thread *load_state(struct scry_session *s, struct scry_interp *interp,
				      scry_addr state)
{
	struct scry_runtime *r = interp->runtime;
	struct scry_thread *t = scry_arena_alloc(&s->arena, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct scry_thread) { .session = s, .runtime = r, .interp = interp, .state = state };
	if (r->strategy->state_ident)
		r->strategy->state_ident(interp, state, &t->ident);
	else
		scry_field_read(r, state, SCRY_F_THREAD_IDENT, &t->ident);
	t->in_gc = interp->gc_running && interp->gil_holder == state;
	if (interp->gil_holder == state)
		t->gil = SCRY_GIL_HELD;
	return t;
}

static int next_state(struct scry_interp *interp, scry_addr state, scry_addr *ret)
{
	struct scry_runtime *r = interp->runtime;

	if (r->strategy->next_state)
		return r->strategy->next_state(interp, state, ret);
	if (!state)
		return scry_field_read(r, interp->addr, SCRY_F_INTERP_THREADS, ret);
	return scry_field_read(r, state, SCRY_F_THREAD_NEXT, ret);
}

static bool is_sound(struct scry_interp *interp, scry_addr state)
{
	const struct scry_strategy *strategy = interp->runtime->strategy;
	uint64_t back;

	if (strategy->state_ident)
		return strategy->state_ident(interp, state, &back) == SCRY_OK;
	return scry_field_read(interp->runtime, state, SCRY_F_THREAD_INTERP, &back) == SCRY_OK &&
	       back == interp->addr;
}

/* The thread states of one interpreter, oldest first: the list's head is the youngest. */
static void load_interp(struct scry_interp *interp, struct scry_thread **list,
			struct thread_index *index)
{
	struct scry_runtime *r = interp->runtime;
	struct scry_session *s = r->session;
	struct scry_hash seen = { 0 };
	struct scry_thread *first = NULL;
	unsigned count = 0;
	uint64_t state = 0;

	next_state(interp, 0, &state);
	for (; state && count < THREADS_MAX; count++) {
		if (scry_hash_add(&seen, state) <= 0) {
			scry_note(s, "the list of thread states leads back to 0x%" PRIx64, state);
			break;
		}
		struct scry_thread *t = load_state(s, interp, state);
		if (!t)
			break;
		t->next = first;
		first = t;
		if (!is_sound(interp, state)) {
			t->error = scry_arena_printf(
				&s->arena, "the thread state at 0x%" PRIx64 " is damaged", state);
			break;
		}
		join(t, match(t, index), index);
		if (next_state(interp, state, &state) < 0)
			break;
	}
	scry_hash_done(&seen);
	while (*list)
		list = &(*list)->next;
	*list = first;
}

static struct scry_thread *bare_thread(struct scry_session *s, const struct scry_os_thread *os)
{
	struct scry_thread *t = scry_arena_alloc(&s->arena, sizeof(*t));

	if (t)
		*t = (struct scry_thread) { .session = s,
					    .os = os,
					    .tid = os->tid,
					    .name = os->name,
					    .crashed = os->crashed };
	return t;
}

/*
 * The main thread's id is the process's (Linux); of a dump without one, the oldest thread state of
 * the main interpreter.
 */
static void mark_main(struct scry_session *s)
{
	struct scry_thread *oldest = NULL;
	uint64_t pid = (uint64_t)s->target->pid;

	for (struct scry_thread *t = s->threads; t; t = t->next) {
		if (t->interp && t->interp->id == 0 && !oldest)
			oldest = t;
		if (pid && t->tid == pid && !s->target->abi.windows)
			t->main = true;
		else
			continue;
		return;
	}
	if (oldest)
		oldest->main = true;
}

static void add_bare_threads(struct scry_session *s, struct scry_thread **tail,
			     const struct thread_index *index)
{
	for (size_t i = 0; i < s->target->thread_count; i++) {
		const struct scry_os_thread *os = &s->target->threads[i];

		if (scry_hash_find(&index->taken, os->tid))
			continue;
		struct scry_thread *t = bare_thread(s, os);
		if (!t)
			return;
		*tail = t;
		tail = &t->next;
	}
}

struct scry_thread *scry_thread_first(struct scry_session *s)
{
	if (s->threads_done || !s->target)
		return s->threads;
	s->threads_done = true;
	struct thread_index index = { 0 };
	struct scry_thread **tail = &s->threads;
	unsigned number = 0;

	index_threads(s->target, &index);
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			load_interp(i, &s->threads, &index);
	while (*tail)
		tail = &(*tail)->next;
	add_bare_threads(s, tail, &index);
	free_index(&index);
	mark_main(s);
	for (struct scry_thread *t = s->threads; t; t = t->next)
		t->index = ++number;
	return s->threads;
}

int scry_thread_find(struct scry_session *s, const char *text, struct scry_thread **ret)
{
	char *end;
	uint64_t number = strtoull(text, &end, 0);
	bool numeric = *text && !*end;
	struct scry_thread *by_index = NULL;

	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next) {
		if ((numeric && (t->tid == number || (t->ident == number && number))) ||
		    (!numeric && t->name && !strcmp(t->name, text))) {
			*ret = t;
			return SCRY_OK;
		}
		if (numeric && t->index == number)
			by_index = t;
	}
	if (!by_index)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no thread %s (see %sthreads)", text,
				 s->options.prefix ? s->options.prefix : "");
	*ret = by_index;
	return SCRY_OK;
}

struct scry_thread *scry_thread_selected(struct scry_session *s)
{
	struct scry_thread *crashed = NULL, *main = NULL, *first = scry_thread_first(s);

	if (s->selected)
		return s->selected;
	for (struct scry_thread *t = first; t; t = t->next) {
		if (s->want_tid && t->tid == s->want_tid)
			return s->selected = t;
		if (t->crashed && !crashed)
			crashed = t;
		if (t->main && !main)
			main = t;
	}
	return s->selected = crashed ? crashed : main ? main : first;
}
