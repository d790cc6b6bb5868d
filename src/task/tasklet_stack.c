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
static void trim(struct scry_c_stack *stack, size_t from)
{
	size_t n = stack->count;

	if (n > from && is_named(stack, n - 1, "slp_eval_frame"))
		n--;
	while (n > from && is_named(stack, n - 1, "climb_stack_and_eval_frame"))
		n--;
	if (n > from && is_named(stack, n - 1, "slp_eval_frame"))
		stack->count = n;
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
		trim(w->stack, from);
	else if (w->at_end)
		return "it was saved in an earlier run of the thread: its callers' frames are gone";
	return NULL;
}

static const char *unwind_saved(struct scry_runtime *r, struct scry_c_stack *stack,
				const struct saved *saved, bool inner, bool foreign)
{
	uint64_t *words = malloc(saved->count * sizeof(*words));

	if (!words)
		return "out of memory";
	struct scry_c_walk w = { .runtime = r,
				 .stack = stack,
				 .start = saved->start,
				 .words = words,
				 .count = saved->count,
				 .from_call = true };
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

static void unwind_all(struct scry_task *t, struct scry_c_stack *stack)
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

		stack->error = unwind_saved(r, stack, &list[i], inner, foreign);
	}
}

const struct scry_c_stack *scry_tasklet_c_stack(struct scry_task *t)
{
	struct scry_tasklet *d = t->detail;
	struct scry_session *s = t->runtime->session;

	if (d->c_stack)
		return d->c_stack;
	d->c_stack = scry_arena_alloc(&s->arena, sizeof(*d->c_stack));
	if (!d->c_stack)
		return NULL;
	if (d->stale)
		d->c_stack->error =
			"its saved C stack was restored already: it is stale, and not unwound";
	else if (d->slices)
		unwind_all(t, d->c_stack);
	return d->c_stack;
}
