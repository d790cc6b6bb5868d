/* All rows: threads and tasks, what each waits for, who has it, where it closes. */
#include <string.h>

#include "object/model.h"
#include "task/greenlet.h"
#include "task/stackless.h"
#include "wait/here.h"
#include "wait/wait.h"

#define HOLDERS_MAX 1000 /* of one waiter that are kept */

const char *const scry_wait_state_names[] = {
	[SCRY_WAIT_UNKNOWN] = "unknown", [SCRY_WAIT_RUNNING] = "running",
	[SCRY_WAIT_WAITING] = "waiting", [SCRY_WAIT_GIL] = "gil",
	[SCRY_WAIT_IDLE] = "idle",
};

const char *const scry_how_names[] = {
	[SCRY_HOW_OWNER] = "owner",
	[SCRY_HOW_WITH] = "with",
	[SCRY_HOW_FRAME] = "frame",
	[SCRY_HOW_INFERRED] = "inferred",
};

/* --- rows --- */

static struct scry_waiter *add(struct scry_waits *w)
{
	struct scry_waiter *list =
		scry_arena_grow(&w->session->arena, w->list, w->count, &w->room, sizeof(*list), 16);

	if (!list)
		return NULL;
	w->list = list;
	w->list[w->count] = (struct scry_waiter) { .what = { .fd = -1, .pid = -1, .deadline = -1 },
						   .since = -1,
						   .gil_kept = -1 };
	return &w->list[w->count++];
}

static bool is_over(const struct scry_task *t)
{
	return t->state == SCRY_TASK_DONE || t->state == SCRY_TASK_CANCELLED ||
	       t->state == SCRY_TASK_CLOSED || t->state == SCRY_TASK_DEAD;
}

static void add_tasks(struct scry_waits *w, struct scry_task *first)
{
	for (struct scry_task *t = first; t; t = t->next) {
		struct scry_waiter *who = is_over(t) ? NULL : add(w);

		if (!who)
			continue;
		who->task = t;
		who->runtime = t->runtime;
	}
}

/* The list has its place for good only when all are in it. */
static void index_rows(struct scry_waits *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct scry_waiter *who = &w->list[i];

		if (who->thread)
			scry_hash_put(&w->by_thread, (uintptr_t)who->thread, who);
		else
			scry_hash_put(&w->by_task, who->task->addr, who);
	}
}

struct scry_waiter *scry_waiter_of_thread(struct scry_waits *w, const struct scry_thread *t)
{
	return scry_hash_find(&w->by_thread, (uintptr_t)t);
}

struct scry_waiter *scry_waiter_of_ident(struct scry_waits *w, struct scry_runtime *r,
					 uint64_t ident)
{
	for (size_t i = 0; ident && i < w->count; i++) {
		const struct scry_thread *t = w->list[i].thread;

		if (t && t->runtime == r && t->ident == ident && !scry_thread_is_gone(t) &&
		    !w->list[i].left)
			return &w->list[i];
	}
	return NULL;
}

struct scry_waiter *scry_waiter_of_task(struct scry_waits *w, scry_addr task)
{
	return scry_hash_find(&w->by_task, task);
}

void scry_waiter_held(struct scry_waits *w, struct scry_waiter *waits, struct scry_waiter *who,
		      enum scry_how how, const struct scry_frame *f)
{
	struct scry_holder_of *list = waits->held_by;

	for (size_t i = 0; i < waits->held_count; i++)
		if (list[i].who == who) {
			if (how < list[i].how)
				list[i].how = how;
			return;
		}
	if (waits->held_count == HOLDERS_MAX) {
		waits->others = true;
		return;
	}
	list = scry_arena_grow(&w->session->arena, list, waits->held_count, &waits->held_room,
			       sizeof(*list), 2);
	if (!list)
		return;
	waits->held_by = list;
	list[waits->held_count] = (struct scry_holder_of) { .who = who, .how = how };
	if (f) {
		list[waits->held_count].has_frame = true;
		list[waits->held_count].frame = *f;
	}
	waits->held_count++;
}

int scry_waiter_frame_next(struct scry_waiter *who, struct scry_walk *walk, struct scry_frame *ret)
{
	if (who->task)
		return scry_task_frame_next(who->task, walk, ret);
	if (!who->runtime)
		return SCRY_OK;
	if (!walk->runtime)
		scry_walk_thread(walk, who->thread);
	return scry_walk_next(walk, ret);
}

/* --- states that a fork has left --- */

/* Does the C stack of its thread have the newest frame? */
static bool is_on_stack(const struct scry_thread *t)
{
	enum { STEP = 4096, SEARCH_MAX = 16 << 20 };
	struct scry_target *target = t->session->target;
	const struct scry_regs *regs = scry_os_thread_regs(target, (struct scry_os_thread *)t->os);
	unsigned ptr = target->abi.ptr_size;
	scry_addr start, end;
	uint64_t word;

	if (!regs->arch || !scry_os_thread_stack(target, t->os, &start, &end) ||
	    regs->value[regs->arch->sp] < start || regs->value[regs->arch->sp] >= end)
		return true;
	if (end - regs->value[regs->arch->sp] > SEARCH_MAX)
		return true;
	/* below it are words of calls that are over */
	for (scry_addr at = regs->value[regs->arch->sp]; at + ptr <= end; at += ptr)
		if (scry_read_ptr(t->session, at, &word) < 0)
			at += STEP - at % STEP - ptr; /* the rest of the page is missing, too */
		else if (word == t->top)
			return true;
	return false;
}

/*
 * 2.7 keeps the states of all threads in the child of a fork(), where there is none but the one
 * that called it; new threads are given the same idents. Later versions free them
 * (PyOS_AfterFork()).
 */
static void find_left(struct scry_waits *w)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct scry_thread *t = w->list[i].thread;

		if (!t || !t->os || !t->top || !w->list[i].runtime ||
		    !scry_trait(t->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS))
			continue;
		for (size_t k = 0; k < w->count; k++)
			if (k != i && w->list[k].thread && w->list[k].thread->os == t->os) {
				w->list[i].left = !is_on_stack(t);
				break;
			}
	}
}

/* --- locks that one row shows and another does not --- */

/* The same words of memory are the same lock, also where no frame of the thread's leads to it. */
static void find_same_lock(struct scry_waits *w, struct scry_waiter *who)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct scry_waiter *other = &w->list[i];
		const char *kind;

		if (other->runtime != who->runtime || other->mutex != who->mutex ||
		    !other->what.is_object || other->what.runtime != who->runtime ||
		    !scry_lock_is_slept_on(who, other->what.addr) ||
		    !(kind = scry_lock_kind(who->runtime, other->what.addr)))
			continue;
		who->what.runtime = who->runtime;
		who->what.kind = kind;
		who->what.addr = other->what.addr;
		who->what.is_object = true;
		return;
	}
}

static void find_same_locks(struct scry_waits *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct scry_waiter *who = &w->list[i];

		if (who->thread && who->runtime && who->mutex && !who->what.is_object &&
		    who->state == SCRY_WAIT_WAITING && who->what.addr == who->mutex)
			find_same_lock(w, who);
	}
}

/* --- all of it --- */

/* What it runs, and how many of that wait for each other. */
static void say_tasks(struct scry_waits *w, struct scry_awaited *what)
{
	struct scry_arena *a = &w->session->arena;
	const char *closed = "", *more = what->detail ? what->detail : "";
	size_t n = 0, stuck = 0;

	if (!what->is_object || !what->kind || strcmp(what->kind, "event loop"))
		return;
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].task && w->list[i].task->loop == what->addr) {
			n++;
			stuck += w->list[i].deadlock != 0;
		}
	if (stuck)
		closed = scry_arena_printf(a, ", %zu in a deadlock", stuck);
	what->detail = scry_arena_printf(a, "%zu task%s%s%s%s", n, n == 1 ? "" : "s",
					 closed ? closed : "", *more ? "; " : "", more);
}

/* How long it takes at most, where its words do not say so already. */
static void say_time(struct scry_waits *w, struct scry_awaited *what)
{
	if (!what->kind || !what->timed)
		return;
	what->left = what->deadline >= 0 ? scry_clock_left(w->session, what->deadline)
					 : "with a timeout";
	if (what->detail && (!strcmp(what->kind, "sleep") || !strcmp(what->detail, what->left)))
		what->left = NULL;
}

int scry_waits_find(struct scry_session *s, struct scry_waits *w)
{
	struct scry_thread *first = scry_thread_first(s);

	*w = (struct scry_waits) { .session = s };
	if (!first)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "the target has no threads");
	for (struct scry_thread *t = first; t; t = t->next) {
		struct scry_waiter *who = add(w);

		if (!who)
			return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
		who->thread = t;
		who->runtime = t->runtime && t->runtime->strategy->model == SCRY_MODEL_CPYTHON
				       ? t->runtime
				       : NULL;
	}
	if (scry_runtime_first(s)) {
		add_tasks(w, scry_loops_collect(s, false, &w->loops));
		add_tasks(w, scry_tasks_collect(s, &scry_task_greenlet));
		add_tasks(w, scry_tasks_collect(s, &scry_task_tasklet));
	}
	index_rows(w);
	find_left(w);
	scry_holds_collect(w);
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].thread)
			scry_thread_waits(w, &w->list[i]);
	find_same_locks(w);
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].task)
			scry_task_waits(w, &w->list[i]);
	for (size_t i = 0; i < w->count; i++)
		scry_waits_owners(w, &w->list[i]);
	scry_waits_other_ends(w);
	scry_waits_limits(w);
	scry_waits_cycles(w);
	for (size_t i = 0; i < w->count; i++) {
		say_tasks(w, &w->list[i].what);
		say_time(w, &w->list[i].what);
	}
	return SCRY_OK;
}

void scry_waits_done(struct scry_waits *w)
{
	scry_hash_done(&w->by_thread);
	scry_hash_done(&w->by_task);
	scry_hash_done(&w->holds);
	scry_hash_done(&w->codes);
	scry_hash_done(&w->users);
	scry_loops_done(&w->loops);
}
