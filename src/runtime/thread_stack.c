/*
 * Whose C stack runs a thread state. The id in a state is of the thread that made it
 * (PyThreadState_New(), Py_NewInterpreter()); another one may run it. But what runs Python frames
 * has something of them on its C stack.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "runtime/thread_join.h"

#define SEARCH_MAX (1u << 20) /* bytes of one C stack that are looked through */
#define SHIM_MAX   256        /* frames that are followed to a shim */
#define CHAIN_MAX  (1u << 16) /* frames that are followed where two chains may meet */
#define LINKS_MAX  (1u << 21) /* of all states together */

bool scry_os_thread_stack(struct scry_target *t, const struct scry_os_thread *os,
			  scry_addr *ret_start, scry_addr *ret_end)
{
	const struct scry_regs *regs = os ? &os->regs : NULL;

	if (!regs || !regs->arch || !(regs->valid >> regs->arch->sp & 1))
		return false;
	scry_addr sp = regs->value[regs->arch->sp];
	const struct scry_map *map = scry_map_at(t, sp);
	if (!map)
		return false;
	*ret_start = sp;
	*ret_end = map->end;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct scry_used_stack *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void collect_stacks(struct scry_join *j)
{
	struct scry_target *t = j->session->target;

	j->has_stacks = true;
	j->stacks = calloc(t->thread_count, sizeof(*j->stacks));
	for (size_t i = 0; j->stacks && i < t->thread_count; i++) {
		struct scry_used_stack *stack = &j->stacks[j->stack_count];

		stack->os = &t->threads[i];
		if (scry_os_thread_stack(t, stack->os, &stack->start, &stack->end))
			j->stack_count++;
	}
	if (j->stack_count)
		qsort(j->stacks, j->stack_count, sizeof(*j->stacks), by_start);
}

/* Mappings of neighbours may be one: the address belongs to the stack pointer next below it. */
const struct scry_os_thread *scry_join_owner(struct scry_join *j, scry_addr addr)
{
	if (!j->has_stacks)
		collect_stacks(j);
	size_t low = 0, high = j->stack_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr >= j->stacks[mid].start)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr < j->stacks[low - 1].end ? j->stacks[low - 1].os : NULL;
}

static bool in_registers(const struct scry_regs *regs, uint64_t word)
{
	for (unsigned i = 0; i < regs->arch->count; i++)
		if ((regs->valid >> i & 1) && regs->value[i] == word)
			return true;
	return false;
}

bool scry_os_thread_holds(struct scry_session *s, const struct scry_os_thread *os, uint64_t word)
{
	unsigned size = s->target->abi.ptr_size;
	scry_addr at, end;
	uint8_t block[4096];

	if (!scry_os_thread_stack(s->target, os, &at, &end))
		return false;
	if (in_registers(&os->regs, word))
		return true;
	at -= at % size;
	end = end - at > SEARCH_MAX ? at + SEARCH_MAX : end;
	while (at < end) {
		size_t len = sizeof(block) < end - at ? sizeof(block) : (size_t)(end - at);

		len = scry_read_some(s, at, block, len);
		for (size_t i = 0; i + size <= len; i += size)
			if (scry_load(block + i, size, s->target->abi.big_endian) == word)
				return true;
		if (len < sizeof(block))
			return false;
		at += len;
	}
	return false;
}

/*
 * What the loop that runs the newest frames keeps on its C stack: 3.10 to 3.12 a struct _PyCFrame
 * (CFrame in 3.10; Include/cpython/pystate.h), 3.13+ the frame that stands for the call from C
 * (_PyEval_EvalFrameDefault(), Python/ceval.c). 0: not found.
 */
static scry_addr anchor_of(const struct scry_thread *t)
{
	const struct scry_layout *l = t->runtime->layout;
	scry_addr at = t->top;

	if (scry_layout_has(l, SCRY_F_THREAD_CFRAME))
		return scry_field_get(t->runtime, t->state, SCRY_F_THREAD_CFRAME);
	for (unsigned i = 0; i < SHIM_MAX && at && scry_layout_has(l, SCRY_F_IFRAME_OWNER); i++) {
		if (scry_field_get(t->runtime, at, SCRY_F_IFRAME_OWNER) >= SCRY_FIRST_SHIM_OWNER)
			return at;
		at = scry_field_get(t->runtime, at, SCRY_F_IFRAME_PREVIOUS);
	}
	return 0;
}

/*
 * The one thread, but for the state's own, that holds the newest frame and the state itself, as the
 * loop does, and as everybody does who gave the GIL away (Py_BEGIN_ALLOW_THREADS). A thread that
 * only looks at others' frames has no reason to hold their states.
 */
static const struct scry_os_thread *find_holder(struct scry_join *j, const struct scry_thread *t)
{
	struct scry_target *target = j->session->target;
	const struct scry_os_thread *found = NULL;

	for (size_t i = 0; i < target->thread_count; i++) {
		const struct scry_os_thread *os = &target->threads[i];

		if (os == t->os || !scry_os_thread_holds(j->session, os, t->top) ||
		    !scry_os_thread_holds(j->session, os, t->state))
			continue;
		if (found)
			return NULL;
		found = os;
	}
	return found;
}

/*
 * Is it in the chain of a state's frames, whichever calls from C these lead through? Chains
 * may be damaged, and states many: behind so many frames of all together it may be in any.
 */
static bool leads_to(struct scry_join *j, const struct scry_thread *t, scry_addr frame)
{
	scry_addr at = t->top;

	for (unsigned i = 0; at && at != frame && i < CHAIN_MAX; i++)
		if (++j->links > LINKS_MAX)
			return true;
		else if (scry_field_read(t->runtime, at, SCRY_F_IFRAME_PREVIOUS, &at) < 0)
			return false;
	return at == frame;
}

/* Does another state's chain lead there as well? Then one of the two was changed: no evidence. */
static bool is_anothers(struct scry_join *j, const struct scry_thread *t, scry_addr anchor)
{
	for (const struct scry_thread *other = j->session->threads; other; other = other->next)
		if (other != t && other->top && other->runtime == t->runtime &&
		    (anchor_of(other) == anchor || leads_to(j, other, anchor)))
			return true;
	return false;
}

const struct scry_os_thread *scry_join_runner(struct scry_join *j, const struct scry_thread *t)
{
	scry_addr start, end;

	if (!t->top || t->runtime->strategy->model != SCRY_MODEL_CPYTHON)
		return t->os;
	scry_addr anchor = anchor_of(t);
	const struct scry_os_thread *os = anchor ? scry_join_owner(j, anchor) : NULL;

	if (os && (os == t->os || !t->os || !is_anothers(j, t, anchor)))
		return os;
	if (os)
		return t->os;
	/* by words: where nothing better decides, and the thread of the id could be looked at */
	if (scry_layout_has(t->runtime->layout, SCRY_F_IFRAME_CODE) && t->os &&
	    !scry_hash_find(&j->shared, t->ident))
		return t->os;
	if (t->os && (!scry_os_thread_stack(j->session->target, t->os, &start, &end) ||
		      scry_os_thread_holds(j->session, t->os, t->top)))
		return t->os;
	os = find_holder(j, t);
	return os ? os : t->os;
}
