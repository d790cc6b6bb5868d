/*
 * Where the chain closes. A waiter goes on when any of its holders lets go, so it is stuck where
 * all of them are known and all are stuck; of these the strongly connected ones are deadlocks, and
 * the others wait for them. A chain that a guess closes is a guess: these are counted by
 * themselves, once those without any are known.
 */
#include <stdlib.h>

#include "wait/wait.h"

static bool has_guess(const struct scry_waiter *who)
{
	for (size_t k = 0; k < who->held_count; k++)
		if (who->held_by[k].how == SCRY_HOW_INFERRED)
			return true;
	return false;
}

static bool may_be_stuck(const struct scry_waiter *who, bool guesses)
{
	return who->held_count && !who->others && !who->what.timed && !who->limited &&
	       (guesses || !has_guess(who)) &&
	       (who->state == SCRY_WAIT_WAITING || who->state == SCRY_WAIT_GIL);
}

/* The largest set of which every member waits for members alone. */
static void find_stuck(struct scry_waits *w, bool guesses)
{
	bool changed = true;

	for (size_t i = 0; i < w->count; i++)
		w->list[i].stuck = may_be_stuck(&w->list[i], guesses);
	while (changed) {
		changed = false;
		for (size_t i = 0; i < w->count; i++) {
			struct scry_waiter *who = &w->list[i];

			for (size_t k = 0; who->stuck && k < who->held_count; k++)
				if (!who->held_by[k].who->stuck) {
					who->stuck = false;
					changed = true;
				}
		}
	}
}

/* --- Tarjan, without recursion: chains may be long --- */

struct visit {
	struct scry_waiter *who;
	size_t next; /* of its holders */
};

struct search {
	struct scry_waits *w;
	struct visit *path;
	struct scry_waiter **stack;
	size_t depth, height, index;
	unsigned *found; /* how many there are */
};

static void enter(struct search *s, struct scry_waiter *who)
{
	who->index = who->link = ++s->index;
	who->on_stack = true;
	s->stack[s->height++] = who;
	s->path[s->depth++] = (struct visit) { who, 0 };
}

static bool waits_for_itself(const struct scry_waiter *who)
{
	for (size_t i = 0; i < who->held_count; i++)
		if (who->held_by[i].who == who)
			return true;
	return false;
}

static void leave(struct search *s, struct scry_waiter *who)
{
	size_t from = s->height;

	s->depth--;
	if (s->depth && s->path[s->depth - 1].who->link > who->link)
		s->path[s->depth - 1].who->link = who->link;
	if (who->link != who->index)
		return;
	while (s->stack[--from] != who)
		;
	bool closes = s->height - from > 1 || waits_for_itself(who);
	if (closes)
		++*s->found;
	for (size_t i = from; i < s->height; i++) {
		s->stack[i]->on_stack = false;
		if (closes && s->found == &s->w->deadlocks)
			s->stack[i]->deadlock = *s->found;
		else if (closes)
			s->stack[i]->perhaps = *s->found;
	}
	s->height = from;
}

static void search_from(struct search *s, struct scry_waiter *first)
{
	enter(s, first);
	while (s->depth) {
		struct visit *v = &s->path[s->depth - 1];

		if (v->next == v->who->held_count) {
			leave(s, v->who);
			continue;
		}
		struct scry_waiter *to = (struct scry_waiter *)v->who->held_by[v->next++].who;
		if (to->deadlock && s->found != &s->w->deadlocks)
			continue; /* it is in one already */
		if (!to->index)
			enter(s, to);
		else if (to->on_stack && to->index < v->who->link)
			v->who->link = to->index;
	}
}

/* What closes, with guesses or without; those that are in a deadlock already are left out. */
static void find_closed(struct search *s, bool guesses)
{
	struct scry_waits *w = s->w;

	find_stuck(w, guesses);
	s->found = guesses ? &w->perhaps : &w->deadlocks;
	s->index = 0;
	for (size_t i = 0; i < w->count; i++)
		w->list[i].index = w->list[i].link = 0;
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].stuck && !w->list[i].index && !w->list[i].deadlock)
			search_from(s, &w->list[i]);
}

/* How many wait for each, by whatever way, but for guesses. */
static void count_waiters(struct scry_waits *w, struct scry_waiter *who, struct scry_waiter **list)
{
	size_t n = 0, done = 0;

	for (size_t i = 0; i < w->count; i++)
		w->list[i].on_stack = false;
	list[n++] = who;
	who->on_stack = true;
	while (done < n) {
		const struct scry_waiter *at = list[done++];

		for (size_t k = 0; k < at->held_count; k++) {
			struct scry_waiter *to = (struct scry_waiter *)at->held_by[k].who;

			if (to->on_stack || at->held_by[k].how == SCRY_HOW_INFERRED)
				continue;
			to->on_stack = true;
			to->waiters++;
			list[n++] = to;
		}
	}
}

void scry_waits_cycles(struct scry_waits *w)
{
	struct search s = { .w = w };

	s.path = calloc(w->count + 1, sizeof(*s.path));
	s.stack = calloc(w->count + 1, sizeof(*s.stack));
	if (s.path && s.stack) {
		/* where it runs on, each lock was read at another moment: all is a guess */
		if (!scry_target_runs(w->session->target))
			find_closed(&s, false);
		find_closed(&s, true);
	}
	for (size_t i = 0; s.stack && i < w->count; i++)
		if (w->list[i].held_count)
			count_waiters(w, &w->list[i], s.stack);
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < w->list[i].held_count; k++) {
			struct scry_holder_of *h = &w->list[i].held_by[k];

			if (h->who->deadlock != w->list[i].deadlock)
				h->deadlock = h->who->deadlock;
		}
	free(s.path);
	free(s.stack);
}
