/* The C stacks of tasklets that were switched out with theirs: their saved slices, in order. */
#include <stdlib.h>

#include "native/native.h"
#include "task/cstack.h"
#include "task/slice.h"
#include "task/stackless.h"

#define WORDS_MAX ((uint64_t)8 << 20) /* of a slice: 64 MB */
#define RING_MAX  1000000

/* One saved stack: struct _cstack. */
struct saved {
	scry_addr addr, start; /* the object; where words[0] belongs */
	uint64_t count;
	int64_t nesting_level;
	bool own; /* the tasklet's cstate: its innermost one */
	uint64_t serial;
};

static uint64_t value(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t v = 0;

	return scry_field_read(r, base, f, &v) < 0 ? 0 : v;
}

static bool is_named(const struct scry_c_stack *stack, size_t i, const char *name)
{
	struct scry_symbol symbol = { .name = stack->frames[i].function };

	return scry_is_function(&symbol, name);
}

/*
 * slp_run_tasklet() is static: where the compiler made it a part of slp_eval_frame(), that frame is
 * the tasklet's first. What called it only made room on the stack: climb_stack_and_eval_frame(),
 * once or many times, and the outer slp_eval_frame().
 */
static size_t trimmed(const struct scry_c_stack *stack, size_t from, size_t n)
{
	const size_t end = n;

	if (n > from && is_named(stack, n - 1, "slp_eval_frame"))
		n--;
	while (n > from && is_named(stack, n - 1, "climb_stack_and_eval_frame"))
		n--;
	return n > from && is_named(stack, n - 1, "slp_eval_frame") ? n : end;
}

static int returns_to(void *arg, scry_addr pc, const char *function)
{
	struct scry_runtime *r = arg;
	struct scry_native_frame f = { .pc = pc, .is_call = true };
	const struct scry_map *map = scry_map_at(r->session->target, pc);

	scry_native_name(r->session, &f);
	if (!f.module || (map && !(map->flags & SCRY_MAP_EXEC)))
		return 0;
	if (f.symbol.name && f.symbol.size && pc - f.symbol.addr <= f.symbol.size)
		return scry_is_function(&f.symbol, function);
	return -1;
}

static bool is_outermost(const struct scry_symbol *symbol)
{
	return scry_is_function(symbol, "slp_run_tasklet");
}

/* inner: only down to slp_run_tasklet(). foreign: what is above the slice is not its caller's. */
static const char *unwind_words(struct scry_c_walk *w, bool inner, bool foreign)
{
	struct scry_slice slice = { .words = w->words,
				    .count = w->count,
				    .sp = w->start,
				    .returns_to = returns_to,
				    .arg = w->runtime };
	struct scry_regs regs;
	int rc = scry_slice_regs(&slice, w->runtime->session->target->arch, &regs);

	if (rc == SCRY_EUNSUPPORTED)
		return "saved C stacks of this machine cannot be unwound";
	if (rc < 0)
		return "the saved C stack does not begin as a switch leaves it: it is damaged, or "
		       "was being written";
	size_t from = w->stack->count;
	w->end = inner || foreign ? w->start + w->count * sizeof(*w->words) : 0;
	w->is_last = inner ? is_outermost : NULL;
	const char *error = scry_c_walk(w, &regs);
	if (error)
		return error;
	if (inner && w->at_end)
		w->stack->count = trimmed(w->stack, from, w->stack->count);
	else if (w->at_end)
		return "it was saved in an earlier run of the thread: its callers' frames are gone";
	return NULL;
}

/* Who sees the frames on the way. */
struct watcher {
	scry_unwind_fn *each;
	void *arg;
};

static const char *unwind_saved(struct scry_runtime *r, struct scry_c_stack *stack,
				const struct saved *saved, bool inner, bool foreign,
				struct watcher watcher)
{
	uint64_t *words = malloc(saved->count * sizeof(*words));

	if (!words)
		return "out of memory";
	struct scry_c_walk w = { .runtime = r,
				 .stack = stack,
				 .start = saved->start,
				 .words = words,
				 .count = saved->count,
				 .from_call = true,
				 .also = watcher.each,
				 .also_arg = watcher.arg };
	const char *error;
	if (scry_read(r->session, scry_field_addr(r, saved->addr, SCRY_F_CSTACK_STACK), words,
		      saved->count * sizeof(*words)) < 0)
		error = scry_because(r);
	else
		error = unwind_words(&w, inner, foreign);
	free(words);
	return error;
}

static bool read_saved(struct scry_runtime *r, scry_addr at, struct saved *ret)
{
	uint64_t count = value(r, at, SCRY_F_VAR_SIZE), end = value(r, at, SCRY_F_CSTACK_STARTADDR);
	int64_t level = 0;

	if (!count || count > WORDS_MAX || end % 8 || end < count * 8)
		return false;
	scry_field_read_int(r, at, SCRY_F_CSTACK_NESTING_LEVEL, &level);
	*ret = (struct saved) { .addr = at,
				.start = end - count * 8,
				.count = count,
				.nesting_level = level,
				.serial = value(r, at, SCRY_F_CSTACK_SERIAL) };
	return true;
}

/*
 * The slices of a tasklet, from the ring of all; how many. One that has no task is a stub, or
 * stale.
 */
static size_t collect(struct scry_task *t, scry_addr cstate, size_t slices, struct saved **ret)
{
	struct scry_runtime *r = t->runtime;
	struct scry_arena *arena = &r->session->arena;
	size_t count = 0, room = 0;
	scry_addr at = cstate;

	*ret = NULL;
	for (size_t n = 0; at && n < RING_MAX; n++) {
		struct saved one;

		if (value(r, at, SCRY_F_CSTACK_TASK) == t->addr && read_saved(r, at, &one)) {
			struct saved *list =
				scry_arena_grow(arena, *ret, count, &room, sizeof(*list), 4);

			if (!list)
				return count;
			*ret = list;
			one.own = at == cstate;
			(*ret)[count++] = one;
		}
		at = value(r, at, SCRY_F_CSTACK_NEXT);
		if (at == cstate || count >= slices)
			break;
	}
	return count;
}

/* Innermost first. */
static int by_nesting(const void *a, const void *b)
{
	const struct saved *x = a, *y = b;

	if (x->own != y->own)
		return x->own ? -1 : 1;
	if (x->nesting_level != y->nesting_level)
		return x->nesting_level > y->nesting_level ? -1 : 1;
	return x->serial > y->serial ? -1 : x->serial < y->serial;
}

static const struct scry_scheduler *scheduler_of(struct scry_task *t)
{
	struct scry_stackless *sl = scry_stackless_of(t->runtime);
	const struct scry_scheduler *c = sl ? sl->schedulers : NULL;

	while (c && (!t->thread_ident || c->thread->ident != t->thread_ident))
		c = c->next;
	return c;
}

static void unwind_all(struct scry_task *t, struct scry_c_stack *stack, struct watcher watcher)
{
	const struct scry_tasklet *d = t->detail;
	const struct scry_scheduler *c = scheduler_of(t);
	struct scry_runtime *r = t->runtime;
	struct saved *list;
	size_t count;

	if (r->session->target->abi.ptr_size != 8 || r->session->target->abi.big_endian) {
		stack->error = "saved C stacks of this machine cannot be unwound";
		return;
	}
	count = collect(t, d->cstate, d->slices, &list);
	if (!count)
		return;
	qsort(list, count, sizeof(*list), by_nesting);
	for (size_t i = 0; i < count && !stack->error; i++) {
		/*
		 * the main tasklet goes on into what called the scheduler, all others start in
		 * slp_run_tasklet()
		 */
		bool inner = !d->is_main || i + 1 < count;
		bool foreign = !c || list[i].serial != c->serial_last_jump;

		stack->error = unwind_saved(r, stack, &list[i], inner, foreign, watcher);
	}
}

static void unwind_again(void *task, scry_unwind_fn *each, void *arg)
{
	struct scry_c_stack unused = { 0 };

	unwind_all(task, &unused, (struct watcher) { each, arg });
}

/* --- of the tasklet that runs: the newest part of its stack is where it belongs --- */

static struct scry_task *running_of(struct scry_thread *t)
{
	struct scry_stackless *sl = scry_stackless_of(t->runtime);
	const struct scry_scheduler *c = sl ? sl->schedulers : NULL;
	struct scry_task *task = sl ? sl->tasklets : NULL;

	while (c && c->thread != t)
		c = c->next;
	while (task && (!c || task->addr != c->current))
		task = task->next;
	return task;
}

/* Up to where its slices belong all frames are the tasklet's, less what made room for it. */
static size_t own_frames(const struct scry_c_stack *stack, scry_addr top)
{
	size_t n = 0;

	while (n < stack->count && stack->frames[n].sp < top)
		n++;
	return trimmed(stack, 0, n);
}

/* Where its outermost slice ends; 0: it has none. */
static scry_addr top_of(struct scry_task *t)
{
	const struct scry_tasklet *d = t->detail;
	scry_addr top = 0;
	struct saved *list;
	size_t count = collect(t, d->cstate, d->slices, &list);

	for (size_t i = 0; i < count; i++)
		if (list[i].start + list[i].count * 8 > top)
			top = list[i].start + list[i].count * 8;
	return top;
}

void scry_tasklet_put_in_saved(struct scry_thread *t, struct scry_c_stack *stack)
{
	struct scry_session *s = t->session;
	struct scry_task *task = t->runtime->layout->flavour.stackless ? running_of(t) : NULL;
	struct scry_tasklet *d = task ? task->detail : NULL;
	scry_addr top = d && d->slices && !stack->error ? top_of(task) : 0;
	size_t own = top ? own_frames(stack, top) : stack->count;
	struct scry_c_stack whole = { 0 };

	if (own == stack->count)
		return;
	for (size_t i = 0; i < own; i++)
		scry_c_stack_put(&whole, s, &stack->frames[i]);
	unwind_all(task, &whole, (struct watcher) { NULL, NULL });
	for (size_t i = own; i < whole.count; i++)
		whole.frames[i].is_saved = whole.frames[i].sp < top;
	/* the main tasklet's outermost slice was followed into what called it */
	for (size_t i = own; i < stack->count && (!d->is_main || whole.error); i++)
		scry_c_stack_put(&whole, s, &stack->frames[i]);
	whole.saved_again = unwind_again;
	whole.saved_of = task;
	whole.put_after = own;
	whole.put_in = whole.count - stack->count;
	*stack = whole;
}

static struct scry_c_stack *stack_of_running(struct scry_task *t)
{
	const struct scry_scheduler *c = scheduler_of(t);
	struct scry_c_stack *stack = c ? scry_thread_c_stack(c->thread) : NULL;

	if (stack)
		scry_tasklet_put_in_saved(c->thread, stack);
	return stack;
}

const struct scry_c_stack *scry_tasklet_c_stack(struct scry_task *t)
{
	struct scry_tasklet *d = t->detail;
	struct scry_session *s = t->runtime->session;

	if (d->c_stack)
		return d->c_stack;
	if (d->is_current && d->slices)
		return d->c_stack = stack_of_running(t);
	d->c_stack = scry_arena_alloc(&s->arena, sizeof(*d->c_stack));
	if (!d->c_stack)
		return NULL;
	if (d->stale)
		d->c_stack->error =
			"its saved C stack was restored already: it is stale, and not unwound";
	else if (d->slices)
		unwind_all(t, d->c_stack, (struct watcher) { NULL, NULL });
	d->c_stack->saved_again = unwind_again;
	d->c_stack->saved_of = t;
	d->c_stack->put_in = d->c_stack->count;
	return d->c_stack;
}
