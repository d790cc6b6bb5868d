/* Threads: Python's thread states joined with the operating system's threads. */
#include "base/nearest.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/find.h"
#include "runtime/thread_join.h"

#define THREADS_MAX 1000000

/* Include/internal/pycore_pystate.h, v3.13 to v3.15; 3.14 has SHUTTING_DOWN too. */
static enum scry_attached read_attached(struct scry_runtime *r, scry_addr state)
{
	static const enum scry_attached states[] = { SCRY_ATTACHED_NO, SCRY_ATTACHED_YES,
						     SCRY_ATTACHED_SUSPENDED };
	uint64_t value;

	if (!r->layout || !r->layout->flavour.free_threaded ||
	    scry_field_read(r, state, SCRY_F_THREAD_STATE, &value) < 0 ||
	    value >= sizeof(states) / sizeof(*states))
		return SCRY_ATTACHED_UNKNOWN;
	return states[value];
}

/*
 * A state is shown even where nothing in it can be read: that there is one is known from the list.
 */
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
	if (interp->gil_holder == state)
		t->gil = SCRY_GIL_HELD;
	t->halted = interp->finalizing && interp->finalizing != state;
	t->attached = read_attached(r, state);
	if (scry_thread_top(t, &t->top) < 0)
		t->error = scry_arena_printf(&s->arena, "%s", s->error.text);
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

/* A state leads back to its interpreter; where versions have no such link, its id must be one. */
static bool is_sound(struct scry_interp *interp, scry_addr state)
{
	const struct scry_strategy *strategy = interp->runtime->strategy;
	uint64_t back;

	if (strategy->state_ident)
		return strategy->state_ident(interp, state, &back) == SCRY_OK;
	return scry_field_read(interp->runtime, state, SCRY_F_THREAD_INTERP, &back) == SCRY_OK &&
	       back == interp->addr;
}

static void cut_list(struct scry_interp *interp, const char *why)
{
	struct scry_session *s = interp->runtime->session;

	interp->cut = scry_arena_printf(&s->arena, "the list of thread states ends early: %s", why);
}

/* One state of the list; false where the list cannot be followed from it. */
static bool take_state(struct scry_interp *interp, scry_addr state, struct scry_thread **first)
{
	struct scry_session *s = interp->runtime->session;
	uint8_t byte;

	/* the error of the read says why: a core that was cut, or memory that was not dumped */
	if (!scry_read_some(s, state, &byte, 1)) {
		scry_view(s, state, &(size_t) { 0 });
		cut_list(interp, s->error.text);
		return false;
	}
	struct scry_thread *t = load_state(s, interp, state);
	if (!t)
		return false;
	t->next = *first;
	*first = t;
	if (is_sound(interp, state))
		return true;
	t->error =
		scry_arena_printf(&s->arena, "the thread state at 0x%" PRIx64 " is damaged", state);
	cut_list(interp, t->error);
	return false;
}

/* Its newest frame, wherever the version has it; 0 none. */
static scry_addr newest_of(struct scry_runtime *r, scry_addr state)
{
	scry_addr at = 0, frame = 0;

	if (scry_field_read(r, state, SCRY_F_THREAD_FRAME, &frame) == SCRY_OK ||
	    scry_field_read(r, state, SCRY_F_THREAD_CURRENT_FRAME, &frame) == SCRY_OK)
		return frame;
	return scry_field_read(r, state, SCRY_F_THREAD_CFRAME, &at) == SCRY_OK &&
			       scry_field_read(r, at, SCRY_F_CFRAME_CURRENT_FRAME, &frame) ==
				       SCRY_OK
		       ? frame
		       : 0;
}

/*
 * The state that holds the GIL and runs frames is one of the list's, or the list was cut. One that
 * is being deleted has none: Python/pystate.c, PyThreadState_Clear()
 */
static void take_holder(struct scry_interp *interp, struct scry_hash *seen,
			struct scry_thread **first)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr holder = interp->gil_holder, of;
	char why[64];

	if (!holder || scry_field_read(r, holder, SCRY_F_THREAD_INTERP, &of) < 0 ||
	    of != interp->addr || !newest_of(r, holder) || scry_hash_add(seen, holder) <= 0)
		return;
	take_state(interp, holder, first);
	snprintf(why, sizeof(why), "0x%" PRIx64 ", which holds the GIL, is not in it", holder);
	cut_list(interp, why);
}

/*
 * Where a state's link back leads to another one than that which led to it, the ones between are
 * taken, too: those from which the links back lead on to `before`. 3.4+.
 */
static void take_between(struct scry_interp *interp, struct scry_hash *seen, scry_addr before,
			 scry_addr state, struct scry_thread **first)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr back = 0, of = 0;
	char why[80];

	if (!before || !state || scry_field_read(r, state, SCRY_F_THREAD_INTERP, &of) < 0 ||
	    of != interp->addr || scry_field_read(r, state, SCRY_F_THREAD_PREV, &back) < 0 ||
	    back == before)
		return;
	snprintf(why, sizeof(why), "the one at 0x%" PRIx64 " says that another one is before it",
		 state);
	cut_list(interp, why);
	for (unsigned i = 0; back && back != before && i < THREADS_MAX; i++) {
		if (scry_field_read(r, back, SCRY_F_THREAD_INTERP, &of) < 0 || of != interp->addr ||
		    scry_hash_add(seen, back) <= 0 || !take_state(interp, back, first) ||
		    scry_field_read(r, back, SCRY_F_THREAD_PREV, &back) < 0)
			break;
	}
}

/* The thread states of one interpreter, oldest first: the list's head is the youngest. */
static void load_interp(struct scry_interp *interp, struct scry_thread **list)
{
	struct scry_session *s = interp->runtime->session;
	struct scry_hash seen = { 0 };
	struct scry_thread *first = NULL;
	unsigned count = 0;
	uint64_t state = 0, before = 0;

	if (next_state(interp, 0, &state) < 0)
		cut_list(interp, s->error.text);
	for (; state && count < THREADS_MAX; count++) {
		take_between(interp, &seen, before, state, &first);
		before = state;
		if (scry_hash_add(&seen, state) <= 0) {
			scry_note(s, "the list of thread states leads back to 0x%" PRIx64, state);
			cut_list(interp, "it leads back");
			break;
		}
		if (!take_state(interp, state, &first))
			break;
		if (next_state(interp, state, &state) < 0) {
			cut_list(interp, s->error.text);
			break;
		}
	}
	take_holder(interp, &seen, &first);
	scry_hash_done(&seen);
	while (*list)
		list = &(*list)->next;
	*list = first;
}

/* Why a thread without a state may have one all the same; NULL: it has none. */
static const char *doubt_of_bare(struct scry_session *s)
{
	for (struct scry_runtime *r = s->runtimes; r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			if (i->cut)
				return i->cut;
	return s->runtimes ? NULL : s->unread;
}

/*
 * A thread of the process that Python knows nothing of: its C stack and its name are all there is.
 */
static struct scry_thread *bare_thread(struct scry_session *s, const struct scry_os_thread *os,
				       const char *doubt)
{
	struct scry_thread *t = scry_arena_alloc(&s->arena, sizeof(*t));

	if (t)
		*t = (struct scry_thread) { .session = s,
					    .os = os,
					    .tid = os->tid,
					    .given_name = os->name,
					    .crashed = os->crashed,
					    .presence = os->exited ? SCRY_PRESENCE_EXITED
								   : SCRY_PRESENCE_HERE };
	if (t && doubt)
		t->error = scry_arena_printf(&s->arena, "its Python state is not known: %s", doubt);
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
			     const struct scry_join *j)
{
	const char *doubt = doubt_of_bare(s);

	for (size_t i = 0; i < s->target->thread_count; i++) {
		const struct scry_os_thread *os = &s->target->threads[i];

		if (scry_hash_find(&j->taken, os->tid))
			continue;
		struct scry_thread *t = bare_thread(s, os, doubt);
		if (!t)
			return;
		*tail = t;
		tail = &t->next;
	}
}

/*
 * The debugger's own numbers where it gave some; threads that it does not know come after the
 * highest.
 */
void scry_threads_number(struct scry_session *s)
{
	unsigned next = s->highest_number;

	for (struct scry_thread *t = s->threads; t; t = t->next) {
		t->index = (unsigned)(uintptr_t)scry_hash_find(&s->numbers, t->tid);
		if (!t->index)
			t->index = ++next;
	}
}

/*
 * Order matters: states first, then the join with the system's threads, whose leftovers have no
 * state.
 */
struct scry_thread *scry_thread_first(struct scry_session *s)
{
	if (s->threads_done || !s->target)
		return s->threads;
	s->threads_done = true;
	struct scry_join j;
	struct scry_thread **tail = &s->threads;

	scry_join_init(&j, s);
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			load_interp(i, &s->threads);
	scry_join_threads(&j);
	while (*tail)
		tail = &(*tail)->next;
	add_bare_threads(s, tail, &j);
	scry_join_done(&j);
	mark_main(s);
	scry_threads_number(s);
	return s->threads;
}

/* How likely a state is what its thread runs: the GIL's holder, else one with frames. */
static unsigned rank(const struct scry_thread *t)
{
	return t->gil == SCRY_GIL_HELD ? 3 : t->top ? 2 : t->runtime ? 1 : 0;
}

/* Of the several states that one thread may have, the one to look at first. */
static struct scry_thread *best_of(struct scry_thread *first, struct scry_thread *t)
{
	struct scry_thread *best = t;

	for (struct scry_thread *other = first; t && t->os && other; other = other->next)
		if (other->os == t->os && rank(other) > rank(best))
			best = other;
	return best;
}

/* A name that was mistyped is answered with the nearest one. */
static int fail_unknown(struct scry_session *s, const char *text)
{
	struct scry_nearest near = scry_nearest_to(text);

	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (t->given_name)
			scry_nearest_consider(&near, t->given_name);
	return scry_fail(s, SCRY_ENOTFOUND, 0, "no thread %s%s%s%s (see %sthreads)", text,
			 *near.best ? "; did you mean " : "", near.best, *near.best ? "?" : "",
			 s->options.prefix ? s->options.prefix : "");
}

int scry_thread_find(struct scry_session *s, const char *text, struct scry_thread **ret)
{
	char *end;
	uint64_t number = strtoull(text, &end, 0);
	bool numeric = *text && !*end;
	struct scry_thread *by_index = NULL, *first = scry_thread_first(s);

	/* a debugger's number is what its user means: ids may be as small */
	for (struct scry_thread *t = first; t && s->highest_number; t = t->next)
		if (numeric && t->index == number) {
			*ret = best_of(first, t);
			return SCRY_OK;
		}
	for (struct scry_thread *t = first; t; t = t->next) {
		if (numeric && number && (t->tid == number || t->ident == number)) {
			*ret = best_of(first, t);
			return SCRY_OK;
		}
		if (!numeric && t->given_name && !strcmp(t->given_name, text)) {
			*ret = t;
			return SCRY_OK;
		}
		if (numeric && t->index == number)
			by_index = t;
	}
	if (!by_index)
		return fail_unknown(s, text);
	*ret = by_index;
	return SCRY_OK;
}

struct scry_thread *scry_thread_selected(struct scry_session *s)
{
	struct scry_thread *wanted = NULL, *crashed = NULL, *main = NULL,
			   *first = scry_thread_first(s);

	if (s->selected)
		return s->selected;
	for (struct scry_thread *t = first; t; t = t->next) {
		if (s->want_tid && t->tid == s->want_tid && !wanted)
			wanted = t;
		if (t->crashed && !crashed)
			crashed = t;
		if (t->main && !main)
			main = t;
	}
	return s->selected = best_of(first, wanted    ? wanted
					    : crashed ? crashed
					    : main    ? main
						      : first);
}
