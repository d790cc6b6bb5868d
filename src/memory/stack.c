/* Which memory is a C stack: looked up once, by the threads' stack pointers. */
#include "memory/stack.h"

#include <stdlib.h>

#include "memory/memory.h"

static int by_start(const void *a, const void *b)
{
	const struct scry_stack_span *x = a, *y = b;

	return x->start > y->start ? 1 : x->start < y->start ? -1 : 0;
}

/* glibc and musl put a thread's own data at the end of its stack. */
static bool span_of(struct scry_target *t, const struct scry_os_thread *thread,
		    struct scry_stack_span *ret)
{
	const struct scry_regs *regs = &thread->regs;

	if (thread->regs_pending || !regs->arch || !(regs->valid >> regs->arch->sp & 1))
		return false;
	scry_addr sp = regs->value[regs->arch->sp];
	const struct scry_map *map = scry_map_at(t, sp);
	if (!map || map->flags & SCRY_MAP_FILE)
		return false;
	*ret = (struct scry_stack_span) { map->start, map->end };
	if (thread->tls > sp && thread->tls < map->end)
		ret->end = thread->tls;
	return true;
}

static void find_spans(struct scry_runtime *r, struct scry_memory *memory)
{
	struct scry_target *t = r->session->target;

	memory->stacks_known = true;
	memory->stacks = scry_arena_alloc(&r->session->arena,
					  (t->thread_count + 1) * sizeof(*memory->stacks));
	for (size_t i = 0; memory->stacks && i < t->thread_count; i++)
		memory->stack_count +=
			span_of(t, &t->threads[i], &memory->stacks[memory->stack_count]);
	if (memory->stack_count)
		qsort(memory->stacks, memory->stack_count, sizeof(*memory->stacks), by_start);
}

bool scry_stack_has(struct scry_runtime *r, scry_addr addr)
{
	struct scry_memory *memory = scry_memory_of(r);
	size_t low = 0;

	if (!memory)
		return false;
	if (!memory->stacks_known)
		find_spans(r, memory);
	for (size_t high = memory->stack_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (memory->stacks[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < memory->stacks[low - 1].end;
}
