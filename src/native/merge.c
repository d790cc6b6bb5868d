/* One stack out of two. */
#include "native/merge.h"

#include <inttypes.h>

#include "native/place.h"

/* --- the runs of the Python stack --- */

static struct scry_run *add_run(struct scry_merge *m)
{
	struct scry_run *runs = scry_arena_grow(&m->session->arena, m->runs, m->run_count,
						&m->run_room, sizeof(*runs), 16);

	if (!runs)
		return NULL;
	m->runs = runs;
	m->runs[m->run_count] = (struct scry_run) { .place = SCRY_NOWHERE };
	return &m->runs[m->run_count++];
}

static bool on_c_stack(const struct scry_c_stack *stack, scry_addr at)
{
	return stack->count && at >= stack->frames[0].sp && at < stack->frames[stack->count - 1].sp;
}

/*
 * A suspended greenlet's shims went away with its C stack, and greenlet 3 leads the chain of frames
 * around them: then the true link is kept in the frame object (GreenletState's expose_frames(),
 * greenlet 3.0 to 3.3). Nothing else that a frame links to lies on a C stack.
 */
static void find_shim(const struct scry_merge *m, struct scry_frame *f)
{
	const scry_addr candidates[] = {
		f->back, f->frame_object
				 ? scry_field_get(m->runtime, f->frame_object, SCRY_F_FRAME_OWNED)
				 : 0
	};

	for (size_t i = 0; i < 2 && !f->shim; i++)
		if (on_c_stack(m->stack, candidates[i]))
			f->shim = candidates[i];
	f->entry |= f->shim != 0;
}

static int collect_runs(struct scry_merge *m)
{
	bool one_each = !scry_layout_has(m->runtime->layout, SCRY_F_IFRAME_CODE);
	struct scry_walk walk = { 0 };
	struct scry_run *run = NULL;
	struct scry_frame f;
	int rc;

	while ((rc = m->next(m->arg, &walk, &f)) == SCRY_ITEM) {
		if (!m->thread && !one_each)
			find_shim(m, &f);
		if (!run && !(run = add_run(m)))
			return scry_fail(m->session, SCRY_ENOMEM, 0, "out of memory");
		if (!run->count++)
			run->frame = f.addr;
		run->anchor = f.shim;
		if (f.entry || one_each)
			run = NULL;
	}
	return SCRY_OK; /* a walk that fails fails again when it is shown, and is said then */
}

int scry_merge_init(struct scry_merge *m, struct scry_runtime *r, const struct scry_c_stack *stack,
		    scry_python_fn *next, void *arg)
{
	struct scry_thread *thread = m->thread; /* of scry_merge_thread() */

	*m = (struct scry_merge) { .session = r->session,
				   .runtime = r,
				   .thread = thread,
				   .stack = stack,
				   .next = next,
				   .arg = arg };
	int rc = collect_runs(m);
	if (rc < 0)
		return rc;
	scry_merge_place(m);
	return SCRY_OK;
}

static int next_of_thread(void *arg, struct scry_walk *walk, struct scry_frame *ret)
{
	if (!walk->runtime)
		scry_walk_thread(walk, arg);
	return scry_walk_next(walk, ret);
}

static int merge_stack(struct scry_merge *m, struct scry_thread *t, struct scry_c_stack *stack)
{
	*m = (struct scry_merge) { .session = t->session, .thread = t, .stack = stack };
	if (!stack)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	if (t->runtime)
		return scry_merge_init(m, t->runtime, stack, next_of_thread, t);
	m->problem = stack->error;
	return SCRY_OK;
}

int scry_merge_thread(struct scry_merge *m, struct scry_thread *t)
{
	struct scry_c_stack *stack = scry_thread_c_stack(t);

	if (stack && t->runtime)
		scry_c_stack_put_in_saved(t, stack);
	return merge_stack(m, t, stack);
}

int scry_merge_unsaved(struct scry_merge *m, struct scry_thread *t)
{
	return merge_stack(m, t, scry_thread_c_stack(t));
}

/* --- the merged walk --- */

/* Is the C frame at hand a loop, known by its name or by the run that it was found to execute? */
static bool runs_python(const struct scry_merge *m)
{
	size_t i = m->at_run;

	while (i < m->run_count && m->runs[i].place == m->at_frame && !m->runs[i].known)
		i++;
	return m->stack->frames[m->at_frame].loop ||
	       (i < m->run_count && m->runs[i].place == m->at_frame);
}

/* A C frame, or one of the functions inlined there; true when there is one more of it. */
static bool give_native(struct scry_merge *m, struct scry_frame *ret)
{
	const struct scry_c_frame *c = &m->stack->frames[m->at_frame];
	struct scry_place *place = scry_place_at(m->session, c->pc - c->is_call);
	size_t count = 0;

	*ret = (struct scry_frame) { .thread = m->thread,
				     .runtime = m->runtime,
				     .kind = SCRY_FRAME_NATIVE,
				     .addr = c->pc,
				     .native = c,
				     .lasti = -1,
				     .entry = runs_python(m) };
	if (place && !c->is_signal) {
		scry_place_functions(m->session, place, c->pc - c->is_call);
		count = place->count;
	}
	if (m->at_function < count)
		ret->function_of = &place->functions[m->at_function];
	return ++m->at_function < count;
}

/* A Python frame of the run at hand; SCRY_OK when it has no more. */
static int give_python(struct scry_merge *m, struct scry_frame *ret)
{
	if (m->taken == m->runs[m->at_run].count || m->walk_ended)
		return SCRY_OK;
	m->taken++;
	int rc = m->next(m->arg, &m->walk, ret);
	m->walk_ended = rc != SCRY_ITEM;
	return rc;
}

/* What comes after the C frames given so far: the runs whose place is before at_frame. */
static int give_runs(struct scry_merge *m, struct scry_frame *ret)
{
	while (m->at_run < m->run_count && m->runs[m->at_run].place < m->at_frame) {
		int rc = give_python(m, ret);

		if (rc != SCRY_OK)
			return rc;
		m->at_run++;
		m->taken = 0;
	}
	return SCRY_OK;
}

int scry_merge_next(struct scry_merge *m, struct scry_frame *ret)
{
	int rc = m->at_function ? SCRY_OK : give_runs(m, ret);

	if (rc != SCRY_OK)
		return rc;
	if (m->at_frame < m->stack->count) {
		if (!give_native(m, ret)) {
			m->at_frame++;
			m->at_function = 0;
		}
		return SCRY_ITEM;
	}
	for (; m->at_run < m->run_count; m->at_run++, m->taken = 0) /* without any C frame */
		if ((rc = give_python(m, ret)) != SCRY_OK)
			return rc;
	return SCRY_OK;
}
