/* The C stacks of tasklets that were switched out with theirs: each saved slice laid over the target and unwound. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "native/native.h"
#include "target/overlay.h"
#include "task/slice.h"
#include "task/stackless.h"

#define WORDS_MAX ((uint64_t)8 << 20) /* of a slice: 64 MB */
#define FRAMES_MAX 1000000            /* of all slices of a tasklet */
#define RING_MAX 1000000

/* One saved stack: struct _cstack. */
struct saved {
	scry_addr addr, start; /* the object; where words[0] belongs */
	uint64_t count;
	int64_t nesting_level;
	bool own;              /* the tasklet's cstate: its innermost one */
	uint64_t serial;
};

struct unwinding {
	struct scry_runtime *runtime;
	struct scry_c_stack *stack;
	struct scry_arena *arena;
	scry_addr end;       /* of the slice: what is above belongs to the thread */
	bool inner;          /* only down to slp_run_tasklet() */
	bool foreign;        /* what is above the slice is not its caller's */
	bool first;          /* the slice's innermost frame comes */
	bool stopped, ended; /* the walk came to where it is to end; to the slice's end */
};

static uint64_t value(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t v = 0;

	return scry_field_read(r, base, f, &v) < 0 ? 0 : v;
}

/* The compiler may have split a function: slp_transfer.part.0 */
static bool is_function(const struct scry_symbol *symbol, const char *name)
{
	size_t len = strlen(name);

	return symbol->name && !strncmp(symbol->name, name, len) && (!symbol->name[len] || symbol->name[len] == '.');
}

static bool is_named(const struct scry_c_stack *stack, size_t i, const char *name)
{
	struct scry_symbol symbol = { .name = stack->frames[i].function };

	return is_function(&symbol, name);
}

/*
 * slp_eval_frame_value() runs one Python frame each, called by PyEval_EvalFrameEx_slp() or by a dispatcher
 * (Python/ceval.c, Stackless/core/stacklesseval.c). Its caller alone stands there while it calls a trace function, or
 * where the compiler made one of both; but not where it moved the frame to a stack of its own.
 */
static bool is_loop(const struct scry_c_stack *stack, const struct scry_symbol *symbol)
{
	size_t n = stack->count;

	if (is_function(symbol, "slp_eval_frame_value"))
		return true;
	return is_function(symbol, "PyEval_EvalFrameEx_slp") && n && !stack->frames[n - 1].loop &&
	       !is_named(stack, n - 1, "slp_eval_frame_newstack");
}

static bool add_frame(struct unwinding *u, const struct scry_native_frame *f)
{
	struct scry_c_stack *stack = u->stack;

	if (stack->count >= FRAMES_MAX)
		return false;
	if (stack->count == stack->room) {
		size_t room = stack->room * 2 + 32;
		struct scry_c_frame *more = scry_arena_alloc(u->arena, room * sizeof(*more));

		if (!more)
			return false;
		if (stack->count)
			memcpy(more, stack->frames, stack->count * sizeof(*more));
		stack->frames = more;
		stack->room = room;
	}
	bool loop = is_loop(stack, &f->symbol);
	stack->frames[stack->count++] = (struct scry_c_frame){ .pc = f->pc, .function = f->symbol.name,
							       .module = f->module ? f->module->name : NULL,
							       .loop = loop };
	stack->loops += loop;
	return true;
}

static bool each(void *arg, const struct scry_native_frame *given)
{
	struct unwinding *u = arg;
	struct scry_native_frame f = *given;

	if (u->first) { /* its pc is a return address, too */
		f.is_call = true;
		scry_native_name(u->runtime->session, &f);
		u->first = false;
	}
	u->ended = (u->inner || u->foreign) && f.regs.value[f.regs.arch->sp] >= u->end;
	u->stopped = u->ended || !add_frame(u, &f) || (u->inner && is_function(&f.symbol, "slp_run_tasklet"));
	return !u->stopped;
}

/*
 * slp_run_tasklet() is static: where the compiler made it a part of slp_eval_frame(), that frame is the tasklet's
 * first. What called it only made room on the stack: climb_stack_and_eval_frame(), once or many times, and the outer
 * slp_eval_frame().
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
		return is_function(&f.symbol, function);
	return -1;
}

static const char *because(struct scry_runtime *r)
{
	return scry_arena_printf(&r->session->arena, "%s", r->session->error.text);
}

/* Unwinding needs the file that the return address lies in: say so before trying. */
static const char *nothing_to_unwind_with(struct scry_runtime *r, scry_addr pc)
{
	struct scry_module *m = scry_module_at(r->session, pc);

	if (!m)
		return scry_arena_printf(&r->session->arena, "the saved C stack returns to 0x%" PRIx64
					 ", which is in no module", pc);
	scry_module_open(m);
	if (m->file)
		return NULL;
	return scry_arena_printf(&r->session->arena, "nothing to unwind the saved C stack with: %s%s%s", m->name,
				 m->problem ? ": " : " was not found", m->problem ? m->problem : "");
}

static const char *unwind_words(struct unwinding *u, const struct scry_slice *slice)
{
	struct scry_runtime *r = u->runtime;
	struct scry_target *target = r->session->target;
	struct scry_overlay over;
	struct scry_regs regs;
	int rc = scry_slice_regs(slice, target->arch, &regs);

	if (rc == SCRY_EUNSUPPORTED)
		return "saved C stacks of this machine cannot be unwound";
	if (rc < 0)
		return "the saved C stack does not begin as a switch leaves it";
	const char *error = nothing_to_unwind_with(r, regs.value[regs.arch->pc]);
	if (error)
		return error;
	scry_overlay_set(target, &over, slice->sp, slice->words, slice->count * sizeof(*slice->words));
	size_t from = u->stack->count;
	u->first = true;
	u->stopped = u->ended = false;
	rc = scry_unwind(r->session, &regs, each, u);
	scry_overlay_remove(target, &over);
	if (rc < 0 && !u->stopped)
		return because(r);
	if (u->inner && u->ended)
		trim(u->stack, from);
	else if (u->ended)
		return "it was saved in an earlier run of the thread: its callers' frames are gone";
	return NULL;
}

static const char *unwind_saved(struct unwinding *u, const struct saved *saved)
{
	struct scry_runtime *r = u->runtime;
	uint64_t *words = malloc(saved->count * sizeof(*words));

	if (!words)
		return "out of memory";
	struct scry_slice slice = { .words = words, .count = saved->count, .sp = saved->start,
				    .returns_to = returns_to, .arg = r };
	u->end = saved->start + saved->count * sizeof(*words);
	const char *error;
	if (scry_read(r->session, scry_field_addr(r, saved->addr, SCRY_F_CSTACK_STACK), words,
		      saved->count * sizeof(*words)) < 0)
		error = because(r);
	else
		error = unwind_words(u, &slice);
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
	*ret = (struct saved){ .addr = at, .start = end - count * 8, .count = count, .nesting_level = level,
			       .serial = value(r, at, SCRY_F_CSTACK_SERIAL) };
	return true;
}

/* The slices of a tasklet, from the ring of all; how many. One that has no task is a stub, or stale. */
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
			if (count == room) {
				struct saved *more = scry_arena_alloc(arena, (room * 2 + 4) * sizeof(*more));

				if (!more)
					return count;
				if (count)
					memcpy(more, *ret, count * sizeof(*more));
				*ret = more;
				room = room * 2 + 4;
			}
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
	struct unwinding u = { .runtime = r, .stack = stack, .arena = &r->session->arena };
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
		/* the main tasklet goes on into what called the scheduler, all others start in slp_run_tasklet() */
		u.inner = !d->is_main || i + 1 < count;
		u.foreign = !c || list[i].serial != c->serial_last_jump;
		stack->error = unwind_saved(&u, &list[i]);
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
		d->c_stack->error = "its saved C stack was restored already: it is stale, and not unwound";
	else if (d->slices)
		unwind_all(t, d->c_stack);
	return d->c_stack;
}
