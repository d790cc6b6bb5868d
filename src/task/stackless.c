/*
 * Finding all of a Stackless process' tasklets and channels: by schedulers, queues, saved C stacks,
 * the collector.
 */
#include "task/stackless.h"
#include "object/known.h"

#include <inttypes.h>
#include <string.h>

#include "memory/gc.h"
#include "object/object.h"

static bool is_of(struct scry_stackless *sl, scry_addr object, const char *symbol, scry_addr *known)
{
	struct scry_runtime *r = sl->runtime;
	struct scry_symbol found;
	scry_addr type;

	if (!object || object % r->session->target->abi.ptr_size ||
	    scry_field_read(r, object, SCRY_F_OBJECT_TYPE, &type) < 0)
		return false;
	if (!*known && r->module && scry_module_symbol(r->module, symbol, &found) == SCRY_OK)
		*known = found.addr;
	/* a subclass: its bases lead to it */
	for (unsigned depth = 0; type && depth < 64; depth++) {
		if (type == *known)
			return true;
		if (scry_field_read(r, type, SCRY_F_TYPE_BASE, &type) < 0)
			return false;
	}
	return false;
}

/* Without a symbol the types are known by their names. */
static bool by_name(struct scry_stackless *sl, scry_addr object, enum scry_known what)
{
	scry_addr type;

	return scry_type_of(sl->runtime, object, &type) == SCRY_OK &&
	       scry_type_is(sl->runtime, type, what);
}

bool scry_is_tasklet(struct scry_stackless *sl, scry_addr object)
{
	return is_of(sl, object, "PyTasklet_Type", &sl->tasklet_type) ||
	       (!sl->tasklet_type && by_name(sl, object, SCRY_IS_TASKLET));
}

bool scry_is_channel(struct scry_stackless *sl, scry_addr object)
{
	return is_of(sl, object, "PyChannel_Type", &sl->channel_type) ||
	       (!sl->channel_type && by_name(sl, object, SCRY_IS_CHANNEL));
}

bool scry_is_bomb(struct scry_stackless *sl, scry_addr object)
{
	return is_of(sl, object, "PyBomb_Type", &sl->bomb_type) ||
	       (!sl->bomb_type && by_name(sl, object, SCRY_IS_BOMB));
}

const char *scry_stackless_type(struct scry_stackless *sl, scry_addr object, const char *otherwise)
{
	scry_addr type = scry_field_get(sl->runtime, object, SCRY_F_OBJECT_TYPE);
	const char *name, *dot;

	if (!type || scry_type_name(sl->runtime, type, &name) < 0)
		return otherwise;
	dot = strrchr(name, '.');
	return dot ? dot + 1 : name;
}

static void read_scheduler(struct scry_stackless *sl, struct scry_scheduler *c)
{
	struct scry_runtime *r = sl->runtime;

	c->main = scry_field_get(r, c->st, SCRY_F_STACKLESS_MAIN);
	c->current = scry_field_get(r, c->st, SCRY_F_STACKLESS_CURRENT);
	c->initial_stub = scry_field_get(r, c->st, SCRY_F_STACKLESS_INITIAL_STUB);
	c->watchdogs = scry_field_get(r, c->st, SCRY_F_STACKLESS_WATCHDOGS);
	c->interrupted = scry_field_get(r, c->st, SCRY_F_STACKLESS_INTERRUPTED);
	c->del_post_switch = scry_field_get(r, c->st, SCRY_F_STACKLESS_DEL_POST_SWITCH);
	c->serial_last_jump = scry_field_get(r, c->st, SCRY_F_STACKLESS_SERIAL_LAST_JUMP);
	c->runcount = scry_field_get_int(r, c->st, SCRY_F_STACKLESS_RUNCOUNT);
	c->nesting_level = scry_field_get_int(r, c->st, SCRY_F_STACKLESS_NESTING_LEVEL);
	c->switch_trap = scry_field_get_int(r, c->st, SCRY_F_STACKLESS_SWITCH_TRAP);
	c->is_blocked = scry_field_get_int(r, c->st, SCRY_F_STACKLESS_IS_BLOCKED);
	c->is_idle = scry_field_get_int(r, c->st, SCRY_F_STACKLESS_IS_IDLE);
	if (c->current)
		c->ring = scry_tasklet_ring(sl, c->current, c->current, &c->ring_count, &c->error);
}

/* main and current are tasklets, or nothing: what shows that st is where we think it is. */
static bool fits(struct scry_stackless *sl, scry_addr st)
{
	scry_addr main = scry_field_get(sl->runtime, st, SCRY_F_STACKLESS_MAIN);
	scry_addr current = scry_field_get(sl->runtime, st, SCRY_F_STACKLESS_CURRENT);

	return (!main || scry_is_tasklet(sl, main)) && (!current || scry_is_tasklet(sl, current)) &&
	       (main || current);
}

/*
 * A build whose micro version is unknown may have st elsewhere: it holds its main tasklet at a
 * fixed place.
 */
static scry_addr find_st(struct scry_stackless *sl, scry_addr state)
{
	unsigned size = sl->runtime->session->target->abi.ptr_size;
	scry_addr st = scry_field_addr(sl->runtime, state, SCRY_F_THREAD_STACKLESS);

	if (!st || fits(sl, st))
		return st;
	for (scry_addr at = state + 16 * size; at < state + 80 * size; at += size)
		if (fits(sl, at) && scry_field_get(sl->runtime, at, SCRY_F_STACKLESS_MAIN))
			return at;
	return st;
}

static void find_schedulers(struct scry_stackless *sl)
{
	struct scry_session *s = sl->runtime->session;
	struct scry_scheduler **tail = &sl->schedulers;

	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next) {
		if (t->runtime != sl->runtime || !t->state)
			continue;
		struct scry_scheduler *c = scry_arena_alloc(&s->arena, sizeof(*c));

		if (!c)
			return;
		c->thread = t;
		c->st = find_st(sl, t->state);
		if (c->st)
			read_scheduler(sl, c);
		*tail = c;
		tail = &c->next;
	}
}

/* The objects that a walk brings: tasklets at once, channels with their queues. */
struct gather {
	struct scry_stackless *sl;
	struct scry_hash seen;
	struct scry_task **tasks;
	struct scry_channel **channels;
};

static void take_tasklet(struct gather *g, scry_addr addr)
{
	scry_tasklet_add(g->sl, addr, &g->seen, &g->tasks);
}

static void take_channel(struct gather *g, scry_addr addr)
{
	if (scry_hash_add(&g->seen, addr) <= 0)
		return;
	struct scry_channel *c = scry_channel_read(g->sl, addr);
	if (!c)
		return;
	*g->channels = c;
	g->channels = &c->next;
	for (size_t i = 0; i < c->queue_count; i++)
		take_tasklet(g, c->queue[i]);
}

static void from_schedulers(struct gather *g)
{
	for (struct scry_scheduler *c = g->sl->schedulers; c; c = c->next) {
		if (c->main)
			take_tasklet(g, c->main);
		for (size_t i = 0; i < c->ring_count; i++)
			take_tasklet(g, c->ring[i]);
		if (c->del_post_switch && scry_is_tasklet(g->sl, c->del_post_switch))
			take_tasklet(g, c->del_post_switch);
	}
}

/*
 * Saved C stacks form a ring of their own (slp_cstack_chain, or the interpreter's st.cstack_chain).
 * Any stub of a scheduler is a member: no symbol is needed.
 */
static void from_cstacks(struct gather *g)
{
	struct scry_runtime *r = g->sl->runtime;

	for (struct scry_scheduler *c = g->sl->schedulers; c; c = c->next) {
		scry_addr at = c->initial_stub;

		for (size_t n = 0; at && n < SCRY_RING_MAX && scry_hash_add(&g->seen, at) > 0;
		     n++) {
			scry_addr task = scry_field_get(r, at, SCRY_F_CSTACK_TASK);

			if (task && scry_is_tasklet(g->sl, task))
				take_tasklet(g, task);
			at = scry_field_get(r, at, SCRY_F_CSTACK_NEXT);
		}
	}
}

static void from_collector(struct gather *g)
{
	struct scry_runtime *r = g->sl->runtime;
	scry_addr object;
	struct scry_gc gc;

	for (struct scry_interp *interp = r->interps; interp; interp = interp->next) {
		if (scry_gc_open(&gc, interp) < 0) {
			scry_note(r->session, "paused and new tasklets may be missing: %s",
				  r->session->error.text);
			return;
		}
		while (scry_gc_next(&gc, &object) == SCRY_ITEM) {
			if (scry_is_tasklet(g->sl, object))
				take_tasklet(g, object);
			else if (scry_is_channel(g->sl, object))
				take_channel(g, object);
		}
		scry_gc_done(&gc);
		/* before 3.9 all interpreters share one collector */
		if (!scry_layout_has(r->layout, SCRY_F_INTERP_GC_GENERATIONS))
			return;
	}
}

struct scry_stackless *scry_stackless_of(struct scry_runtime *r)
{
	if (r->task_state)
		return r->task_state;
	if (!r->layout->flavour.stackless) {
		scry_fail(r->session, SCRY_ENOTFOUND, 0, "this is not Stackless Python");
		return NULL;
	}
	struct scry_stackless *sl = scry_arena_alloc(&r->session->arena, sizeof(*sl));
	if (!sl)
		return NULL;
	*sl = (struct scry_stackless) { .runtime = r };
	r->task_state = sl;
	find_schedulers(sl);
	struct gather g = { .sl = sl, .tasks = &sl->tasklets, .channels = &sl->channels };

	from_schedulers(&g);
	from_cstacks(&g);
	from_collector(&g);
	scry_hash_done(&g.seen);
	scry_hash_done(&sl->slices);
	scry_hash_done(&sl->cstacks);
	scry_hash_done(&sl->channel_of);
	return sl;
}
