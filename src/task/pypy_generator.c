/* PyPy's generators and coroutines as tasks: what each awaits is in its frame. */
#include "runtime/pypy/pypy_suspended.h"
#include "task/generator.h"

#define BETWEEN_MAX 16

/*
 * What awaits, or yields from, another one keeps it in its frame. Between them may be one that is
 * the interpreter's own (anext()).
 */
static struct scry_pypy_generator *awaited(const struct scry_hash *all,
					   const struct scry_pypy_generator *g)
{
	struct scry_pypy_generator *to = NULL;

	for (unsigned hops = 0; g->leads_to && hops < BETWEEN_MAX; hops++, g = to)
		if (!(to = scry_hash_find(all, g->leads_to)) || !to->hidden)
			return to;
	return NULL;
}

/* From its own frame to that of the innermost that it awaits, outermost first. */
static void read_chain(void *arg, const struct scry_task *t, struct scry_chain *ret)
{
	struct scry_session *s = t->runtime->session;
	struct scry_hash seen = { 0 };
	size_t room = 0;

	*ret = (struct scry_chain) { 0 };
	(void)arg;
	while (t && !ret->error) {
		const struct scry_generator *d = t->detail;
		struct scry_chain_link *list;

		if (s->stopped)
			ret->error = "interrupted";
		else if (ret->count >= SCRY_CHAIN_MAX)
			ret->error = scry_chain_endless;
		else if (scry_hash_add(&seen, t->addr) <= 0)
			ret->error = scry_chain_cycle;
		else if (!(list = scry_arena_grow(&s->arena, ret->frames, ret->count, &room,
						  sizeof(*list), 1)))
			ret->error = "out of memory";
		if (ret->error)
			break;
		ret->frames = list;
		ret->frames[ret->count++] = (struct scry_chain_link) { .addr = t->frame };
		ret->running |= d->state == SCRY_RUNNING;
		t = d->awaits;
	}
	scry_hash_done(&seen);
}

static struct scry_task *add(struct scry_runtime *r, const struct scry_pypy_generator *g,
			     struct scry_task ***tail)
{
	struct scry_generator *d = scry_arena_alloc(&r->session->arena, sizeof(*d));
	struct scry_task *t =
		d ? scry_task_add(r, scry_generator_kinds[g->kind], g->addr, tail) : NULL;

	if (!t)
		return NULL;
	d->state = g->running ? SCRY_RUNNING : g->started ? SCRY_SUSPENDED : SCRY_CREATED;
	t->detail = d;
	t->state = g->running   ? SCRY_TASK_RUNNING
		   : g->started ? SCRY_TASK_SUSPENDED
				: SCRY_TASK_CREATED;
	t->frame = g->frame;
	t->name = g->name;
	t->waits_for = g->awaits;
	return t;
}

struct scry_task **scry_pypy_generators_collect(struct scry_runtime *r, struct scry_task **tail)
{
	struct scry_hash all = { 0 }, tasks = { 0 };
	struct scry_task **start = tail;
	int rc;
	struct scry_pypy_generator *first = scry_pypy_generators(r, &rc);

	if (rc < 0)
		scry_note(r->session, "not all generators are shown: %s", r->session->error.text);
	for (struct scry_pypy_generator *g = first; g; g = g->next) {
		struct scry_task *t = g->hidden ? NULL : add(r, g, &tail);

		scry_hash_put(&all, g->addr, g);
		if (t)
			scry_hash_put(&tasks, g->addr, t);
	}
	for (struct scry_pypy_generator *g = first; g; g = g->next) {
		struct scry_task *t = scry_hash_find(&tasks, g->addr);
		struct scry_pypy_generator *to = awaited(&all, g);

		if (t && to)
			((struct scry_generator *)t->detail)->awaits =
				scry_hash_find(&tasks, to->addr);
	}
	scry_generators_link(r, *start, read_chain, NULL);
	scry_hash_done(&all);
	scry_hash_done(&tasks);
	return tail;
}
