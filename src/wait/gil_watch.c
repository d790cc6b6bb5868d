/*
 * For how long nobody else has had the GIL: it counts how often it went from one thread to another
 * (`switch_number`, Python/ceval_gil.c, v3.7 to v3.15), so two readings tell. One cannot.
 */
#include <time.h>

#include "wait/wait.h"

struct scry_gil_reading {
	struct scry_gil_reading *next;
	scry_addr gil, holder;
	uint64_t switches;
	int64_t at; /* milliseconds of our monotonic clock */
};

static bool read_clock(struct scry_gil_reading *ret)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return false;
	ret->at = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return true;
}

static bool read_gil(const struct scry_interp *interp, struct scry_gil_reading *ret)
{
	ret->gil = interp->gil;
	ret->holder = interp->gil_holder;
	return ret->gil && ret->holder &&
	       scry_layout_has(interp->runtime->layout, SCRY_F_GIL_SWITCHES) &&
	       scry_field_read(interp->runtime, ret->gil, SCRY_F_GIL_SWITCHES, &ret->switches) ==
		       SCRY_OK;
}

/* The time between the two readings is no longer than that between the counts. */
struct scry_gil_reading *scry_gils_read(struct scry_session *s)
{
	struct scry_gil_reading *list = NULL;

	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next) {
			struct scry_gil_reading *g = scry_arena_alloc(&s->arena, sizeof(*g));

			if (!g || !read_gil(i, g) || !read_clock(g))
				continue;
			g->next = list;
			list = g;
		}
	return list;
}

void scry_waits_since(struct scry_waits *w, const struct scry_gil_reading *before)
{
	struct scry_gil_reading now;

	for (; before; before = before->next)
		for (size_t i = 0; i < w->count; i++) {
			const struct scry_thread *t = w->list[i].thread;

			if (t && t->interp && t->state == before->holder && read_clock(&now) &&
			    read_gil(t->interp, &now) && now.gil == before->gil &&
			    now.holder == before->holder && now.switches == before->switches)
				w->list[i].gil_kept = now.at - before->at;
		}
}
