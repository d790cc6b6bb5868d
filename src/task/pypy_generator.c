/* PyPy's generators and coroutines as tasks: what each awaits stands in its frame. */
#include "runtime/pypy/pypy_suspended.h"
#include "task/generator.h"

#define FRAMES_MAX  1000000 /* of all chains together */
#define CHAIN_MAX   100000
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

static void note_awaiter(struct scry_task *by, struct scry_task *of)
{
	struct scry_generator *d = of->detail;
	scry_addr *list =
		scry_arena_alloc(&of->runtime->session->arena, (d->awaiters + 1) * sizeof(*list));

	if (!list)
		return;
	for (size_t i = 0; i < d->awaiters; i++)
		list[i] = d->awaited_by[i];
	list[d->awaiters++] = by->addr;
	d->awaited_by = list;
	of->awaited_by = list;
	of->awaited_by_count = d->awaiters;
}

/* From its own frame to that of the innermost that it awaits, outermost first. */
static void read_chain(const struct scry_hash *all, const struct scry_pypy_generator *g,
		       struct scry_task *t, size_t *frames)
{
	struct scry_generator *d = t->detail;
	const struct scry_pypy_generator *at = g;
	size_t n = 0;

	while (at && n < CHAIN_MAX) {
		n++;
		at = awaited(all, at);
	}
	if (at)
		t->error = "what it waits for leads back into itself";
	if (*frames + n > FRAMES_MAX)
		n = 1;
	*frames += n;
	d->chain.frames =
		scry_arena_alloc(&t->runtime->session->arena, n * sizeof(*d->chain.frames));
	if (!d->chain.frames)
		return;
	d->chain.count = n;
	at = g;
	for (size_t i = 0; i < n; i++, at = awaited(all, at)) {
		d->chain.frames[i] = (struct scry_chain_link) { .addr = at->frame };
		d->chain.running |= at->running;
	}
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
	size_t frames = 0;
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
		struct scry_task *other = to ? scry_hash_find(&tasks, to->addr) : NULL;

		if (t && other)
			note_awaiter(t, other);
		if (t)
			read_chain(&all, g, t, &frames);
	}
	scry_hash_done(&all);
	scry_hash_done(&tasks);
	return tail;
}
