/* Which thread a greenlet belongs to, and which one of a thread's greenlets runs. */
#include <string.h>

#include "object/object.h"
#include "task/greenlet.h"

#define PARENTS_MAX 10000

/* The main greenlet that a greenlet's parents lead to: itself where they lead to none. */
static struct scry_task *main_of(struct scry_greenlets *all, struct scry_task *t)
{
	for (unsigned n = 0; n < PARENTS_MAX; n++) {
		const struct scry_greenlet *g = t->detail;
		struct scry_task *up = scry_hash_find(&all->tasks, g->main ? g->main : g->parent);

		if (g->is_main || !up || up == t)
			break;
		t = up;
	}
	return t;
}

static uint64_t stack_pointer(struct scry_session *s, const struct scry_thread *thread)
{
	const struct scry_regs *regs =
		thread->os ? scry_os_thread_regs(s->target, thread->os) : NULL;

	return regs ? regs->value[regs->arch->sp] : 0;
}

/*
 * Where a greenlet's stack began lies on the stack of its thread: the one whose stack pointer is
 * nearest.
 */
static const struct scry_thread *thread_by_stack(struct scry_runtime *r, scry_addr stack)
{
	const struct scry_map *map = scry_map_at(r->session->target, stack);
	const struct scry_thread *best = NULL;
	uint64_t distance = UINT64_MAX;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		uint64_t sp = t->runtime == r ? stack_pointer(r->session, t) : 0;
		uint64_t d = sp > stack ? sp - stack : stack - sp;

		if (sp && d < distance && (!map || scry_map_at(r->session->target, sp) == map)) {
			distance = d;
			best = t;
		}
	}
	return best;
}

static const struct scry_thread *thread_by_dict(struct scry_runtime *r, scry_addr dict)
{
	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next)
		if (t->runtime == r && t->state &&
		    scry_field_get(r, t->state, SCRY_F_THREAD_DICT) == dict)
			return t;
	return NULL;
}

static const struct scry_thread *only_thread(struct scry_runtime *r)
{
	const struct scry_thread *only = NULL;

	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next)
		if (t->runtime == r && t->state) {
			if (only)
				return NULL;
			only = t;
		}
	return only;
}

/* First the main greenlets, by what they or their children show. */
static void find_mains(struct scry_greenlets *all, struct scry_task *first)
{
	bool plain = scry_layout_has(all->runtime->layout, SCRY_F_GREENLET_STACK_START);
	const struct scry_thread *only = only_thread(all->runtime);

	for (struct scry_task *t = first; t; t = t->next) {
		const struct scry_greenlet *g = t->detail;
		struct scry_task *main = main_of(all, t);
		struct scry_greenlet *m = main->detail;

		if (main->thread || m->orphaned)
			continue;
		if (m->is_main)
			m->orphaned = plain ? !(main->thread = thread_by_dict(all->runtime,
									      m->thread_dict))
					    : !m->thread_state;
		if (main->thread || m->orphaned)
			continue;
		if (only)
			main->thread = only;
		else if (!plain && g->stack_stop && !g->is_main)
			main->thread = thread_by_stack(all->runtime, g->stack_stop);
	}
}

/*
 * Up to 1.x a thread's dict keeps its current greenlet, but not that of the thread which switched
 * last (ts_current).
 */
static scry_addr current_by_dict(struct scry_runtime *r, scry_addr dict)
{
	scry_addr found;

	return dict && scry_dict_get(r, dict, "__greenlet_ts_curkey", &found) == SCRY_OK ? found
											 : 0;
}

static bool may_run(const struct scry_greenlet *g)
{
	return g->stack_start && !g->top_frame && !g->stack_saved;
}

/* Which one runs where nothing says so: the only one of the thread that has no state saved. */
static void guess_current(struct scry_greenlets *all, struct scry_task *first)
{
	for (struct scry_task *t = first; t; t = t->next) {
		struct scry_greenlet *m = main_of(all, t)->detail;
		bool known = m->current && scry_hash_find(&all->tasks, m->current);

		if (m->is_main && !known && may_run(t->detail))
			m->current = m->current ? 1 : t->addr; /* 1: more than one */
	}
}

static void tell_state(struct scry_greenlets *all, struct scry_task *t)
{
	struct scry_task *main = main_of(all, t);
	const struct scry_greenlet *m = main->detail;
	struct scry_greenlet *g = t->detail;
	bool plain = scry_layout_has(all->runtime->layout, SCRY_F_GREENLET_STACK_START);

	t->thread = main->thread;
	t->thread_ident = t->thread ? t->thread->ident : 0;
	if (t->error)
		return;
	/*
	 * from 2.0 on what ran in a thread is cleared when that ends, even stack_stop, and
	 * greenlet.dead says so
	 */
	g->orphaned = m->is_main && m->orphaned && (g->is_main || g->stack_start || g->main);
	if (g->orphaned && !plain)
		t->state = SCRY_TASK_DEAD;
	if (g->orphaned)
		g->exception = 0; /* the chain leads through a thread state that is gone */
	if (g->orphaned || !g->stack_start)
		return;
	if (m->current > 1) {
		g->is_current = t->addr == m->current;
		t->state = g->is_current ? SCRY_TASK_ACTIVE : SCRY_TASK_SUSPENDED;
	} else {
		g->is_current = t->state == SCRY_TASK_ACTIVE;
	}
	g->switching = g->is_current && g->top_frame;
}

void scry_greenlet_find_threads(struct scry_greenlets *all, struct scry_task *first)
{
	find_mains(all, first);
	for (struct scry_task *t = first; t; t = t->next) {
		struct scry_greenlet *g = t->detail;

		if (g->is_main && g->thread_dict && !g->orphaned)
			g->current = current_by_dict(all->runtime, g->thread_dict);
	}
	guess_current(all, first);
	for (struct scry_task *t = first; t; t = t->next)
		tell_state(all, t);
}
