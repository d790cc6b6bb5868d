/* Tasklets: struct PyTaskletObject, and what Python's own attributes would say of it. */
#include <inttypes.h>

#include "object/object.h"
#include "task/stackless.h"

const scry_addr *scry_tasklet_ring(struct scry_stackless *sl, scry_addr first, scry_addr end,
				   size_t *ret_count, const char **ret_error)
{
	struct scry_runtime *r = sl->runtime;
	struct scry_arena *arena = &r->session->arena;
	struct scry_hash seen = { 0 };
	scry_addr *list = NULL, at = first;
	size_t count = 0, room = 0;

	*ret_error = NULL;
	do {
		if (!scry_is_tasklet(sl, at) || scry_hash_add(&seen, at) <= 0) {
			*ret_error =
				scry_arena_printf(arena, "the ring is damaged at 0x%" PRIx64, at);
			break;
		}
		scry_addr *more = scry_arena_grow(arena, list, count, &room, sizeof(*more), 16);
		if (!more)
			break;
		list = more;
		list[count++] = at;
		if (scry_field_read(r, at, SCRY_F_TASKLET_NEXT, &at) < 0 || !at)
			break;
	} while (at != end && count < SCRY_RING_MAX);
	scry_hash_done(&seen);
	*ret_count = count;
	return list;
}

/*
 * struct _tasklet_flags: two signed bits of `blocked`, then single ones; the same in every version.
 */
static void read_flags(struct scry_tasklet *d, uint32_t flags)
{
	d->blocked = (int)(flags & 1) - 2 * (int)(flags >> 1 & 1);
	d->atomic = flags >> 2 & 1;
	d->ignore_nesting = flags >> 3 & 1;
	d->autoschedule = flags >> 4 & 1;
	d->block_trap = flags >> 5 & 1;
	d->is_zombie = flags >> 6 & 1;
	d->pending_irq = flags >> 7 & 1;
}

/* The scheduler whose thread state the saved stack names. */
static struct scry_scheduler *scheduler_of(struct scry_stackless *sl, scry_addr state)
{
	for (struct scry_scheduler *c = sl->schedulers; c; c = c->next)
		if (c->thread->state == state)
			return c;
	return NULL;
}

/*
 * A blocked tasklet's ring ends in the channel. What was found for one holds for all that follow
 * it: a queue of many is walked once, not once for each.
 */
static void find_channel(struct scry_stackless *sl, struct scry_tasklet *d)
{
	struct scry_hash seen = { 0 };
	scry_addr at = d->next, channel = 0;

	for (size_t n = 0; at && !channel && n < SCRY_RING_MAX && scry_hash_add(&seen, at) > 0;
	     n++) {
		channel = (uintptr_t)scry_hash_find(&sl->channel_of, at);
		if (!channel && scry_is_channel(sl, at))
			channel = at;
		at = scry_field_get(sl->runtime, at, SCRY_F_TASKLET_NEXT);
	}
	scry_hash_done(&seen);
	if (!channel)
		return;
	d->channel = channel;
	d->balance = scry_field_get_int(sl->runtime, channel, SCRY_F_CHANNEL_BALANCE);
	for (at = d->next; at && at != channel && !scry_hash_find(&sl->channel_of, at);) {
		scry_hash_put(&sl->channel_of, at, (void *)(uintptr_t)channel);
		at = scry_field_get(sl->runtime, at, SCRY_F_TASKLET_NEXT);
	}
}

/*
 * The saved C stack: hard-switched where it holds words of a nested interpreter, stale where it
 * belongs to nobody.
 */
static void read_cstack(struct scry_stackless *sl, scry_addr task, struct scry_tasklet *d)
{
	struct scry_runtime *r = sl->runtime;
	scry_addr owner = scry_field_get(r, d->cstate, SCRY_F_CSTACK_TASK);
	uint64_t words = 0;

	scry_field_read(r, d->cstate, SCRY_F_VAR_SIZE, &words);
	if (d->is_current)
		return;
	d->nesting_level = scry_field_get_int(r, d->cstate, SCRY_F_CSTACK_NESTING_LEVEL);
	d->hard = owner == task && d->nesting_level > 0;
	d->slice_words = owner == task ? words : 0;
	d->stale = !owner && d->nesting_level > 0;
}

/*
 * All saved stacks of a ring are counted at once: walking it for each tasklet would take for ever.
 */
static void index_ring(struct scry_stackless *sl, scry_addr first)
{
	struct scry_runtime *r = sl->runtime;
	scry_addr at = first;

	for (size_t n = 0; at && n < SCRY_RING_MAX && scry_hash_add(&sl->cstacks, at) > 0; n++) {
		scry_addr task = scry_field_get(r, at, SCRY_F_CSTACK_TASK);
		uint64_t words = 0;

		if (task && scry_field_read(r, at, SCRY_F_VAR_SIZE, &words) == SCRY_OK && words) {
			uintptr_t count = (uintptr_t)scry_hash_find(&sl->slices, task);

			scry_hash_put(&sl->slices, task, (void *)(count + 1));
		}
		at = scry_field_get(r, at, SCRY_F_CSTACK_NEXT);
	}
}

static void count_slices(struct scry_stackless *sl, scry_addr task, struct scry_tasklet *d)
{
	if (!scry_hash_find(&sl->cstacks, d->cstate))
		index_ring(sl, d->cstate);
	d->slices = (unsigned)(uintptr_t)scry_hash_find(&sl->slices, task);
}

/* As the properties of Stackless/module/taskletobject.c compute them. */
static void derive(struct scry_stackless *sl, struct scry_task *t, struct scry_tasklet *d)
{
	struct scry_runtime *r = sl->runtime;
	scry_addr state = scry_field_get(r, d->cstate, SCRY_F_CSTACK_TSTATE), own = t->frame;
	struct scry_scheduler *c = state ? scheduler_of(sl, state) : NULL;

	for (struct scry_scheduler *each = sl->schedulers; each; each = each->next) {
		d->is_current = d->is_current || each->current == t->addr;
		d->is_main = d->is_main || each->main == t->addr;
		if (each->current == t->addr || (each->main == t->addr && !c))
			c = each;
	}
	if (d->is_current) {
		/* its frames are the thread's, its counters too */
		t->frame = scry_field_get(r, c->thread->state, SCRY_F_THREAD_FRAME);
		d->recursion_depth =
			scry_field_get_int(r, c->thread->state, SCRY_F_THREAD_RECURSION);
		d->nesting_level = c->nesting_level;
	}
	d->thread_id = c ? (int64_t)c->thread->ident : -1;
	t->thread_ident = c ? c->thread->ident : 0;
	read_cstack(sl, t->addr, d);
	count_slices(sl, t->addr, d);
	d->orphaned = !c && own;
	d->alive = t->frame && c;
	d->paused = d->alive && !d->next;
	d->restorable = d->nesting_level == 0;
	if (d->blocked)
		find_channel(sl, d);
	/*
	 * the neighbours in a queue are tasklets; its two ends are the channel, which Python does
	 * not show there
	 */
	d->scheduled = d->next != 0;
	d->next = d->next && scry_is_tasklet(sl, d->next) ? d->next : 0;
	d->prev = d->prev && scry_is_tasklet(sl, d->prev) ? d->prev : 0;
	scry_tasklet_find_entry(t);
	scry_tasklet_find_exception(t, c);
}

static enum scry_task_state state_name(const struct scry_tasklet *d)
{
	if (d->is_current)
		return SCRY_TASK_RUNNING;
	if (d->blocked)
		return d->blocked > 0 ? SCRY_TASK_BLOCKED_SENDING : SCRY_TASK_BLOCKED_RECEIVING;
	if (d->orphaned)
		return SCRY_TASK_ORPHANED;
	if (!d->alive)
		return SCRY_TASK_DEAD;
	if (d->paused)
		return SCRY_TASK_PAUSED;
	return SCRY_TASK_SCHEDULED;
}

void scry_tasklet_add(struct scry_stackless *sl, scry_addr addr, struct scry_hash *seen,
		      struct scry_task ***tail)
{
	struct scry_runtime *r = sl->runtime;
	struct scry_record rec;

	if (scry_hash_add(seen, addr) <= 0 || scry_record_read(r, SCRY_S_TASKLET, addr, &rec) < 0)
		return;
	struct scry_tasklet *d = scry_arena_alloc(&r->session->arena, sizeof(*d));
	struct scry_task *t = d ? scry_task_add(r, &scry_task_tasklet, addr, tail) : NULL;
	if (!t)
		return;
	t->detail = d;
	d->type = scry_stackless_type(sl, addr, "tasklet");
	t->frame = scry_record_uint(&rec, SCRY_F_TASKLET_FRAME);
	d->next = scry_record_uint(&rec, SCRY_F_TASKLET_NEXT);
	d->prev = scry_record_uint(&rec, SCRY_F_TASKLET_PREV);
	d->tempval = scry_record_uint(&rec, SCRY_F_TASKLET_TEMPVAL);
	d->cstate = scry_record_uint(&rec, SCRY_F_TASKLET_CSTATE);
	d->recursion_depth = scry_record_int(&rec, SCRY_F_TASKLET_RECURSION_DEPTH);
	read_flags(d, (uint32_t)scry_record_uint(&rec, SCRY_F_TASKLET_FLAGS));
	derive(sl, t, d);
	t->state = state_name(d);
	t->waits_for = d->channel;
	scry_task_find_thread(t);
}

static struct scry_task **collect(struct scry_runtime *r, struct scry_task **tail)
{
	struct scry_stackless *sl = scry_stackless_of(r);

	if (!sl)
		return tail;
	*tail = sl->tasklets;
	while (*tail)
		tail = &(*tail)->next;
	return tail;
}

const struct scry_task_ops scry_task_tasklet = {
	.kind = "tasklet",
	.command = "tasklets",
	.collect = collect,
	.c_stack = scry_tasklet_c_stack,
	.facts = &scry_facts_tasklet,
};
