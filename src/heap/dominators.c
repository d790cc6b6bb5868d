/*
 * Dominators of a graph of millions of nodes. Node numbers are turned into places in a reverse
 * post-order first, so that an intersection compares numbers alone.
 */
#include <stdlib.h>
#include <string.h>

#include "heap/graph.h"

#define NONE SCRY_HEAP_NONE

struct work {
	uint32_t count;
	const uint32_t *first, *to;
	uint32_t *place;  /* of a node in the order; NONE: not reached */
	uint32_t *order;  /* the nodes, as they are finished: post-order */
	uint32_t *stack;  /* of nodes that are open */
	uint32_t *next;   /* of an open node: its next edge */
	uint32_t done;    /* nodes in `order` */
	uint32_t *idom;   /* by place; the outside is `count` */
	uint32_t *pfirst; /* predecessors, by node */
	uint32_t *pred;
	uint8_t *entered; /* from outside */
};

/* Depth first, without recursion. */
static void walk_from(struct work *w, uint32_t start)
{
	uint32_t depth = 0;

	if (w->place[start] != NONE)
		return;
	w->place[start] = 0;
	w->stack[depth++] = start;
	w->next[start] = w->first[start];
	while (depth) {
		uint32_t node = w->stack[depth - 1];

		if (w->next[node] == w->first[node + 1]) {
			w->order[w->done++] = node;
			depth--;
			continue;
		}
		uint32_t child = w->to[w->next[node]++];

		if (w->place[child] != NONE)
			continue;
		w->place[child] = 0;
		w->next[child] = w->first[child];
		w->stack[depth++] = child;
	}
}

/*
 * What the starts do not lead to: first what nobody refers to, then the rest, one of each circle.
 * Who is walked from later is finished later, and comes earlier in the order: all of them are
 * entered from outside, so that does not matter.
 */
static void walk_rest(struct work *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (w->place[i] == NONE && w->pfirst[i] == w->pfirst[i + 1]) {
			w->entered[i] = 1;
			walk_from(w, i);
		}
	for (uint32_t i = 0; i < w->count; i++)
		if (w->place[i] == NONE) {
			w->entered[i] = 1;
			walk_from(w, i);
		}
}

static bool make_predecessors(struct work *w)
{
	uint32_t edges = w->first[w->count];

	w->pfirst = calloc((size_t)w->count + 2, sizeof(*w->pfirst));
	w->pred = malloc(((size_t)edges + 1) * sizeof(*w->pred));
	if (!w->pfirst || !w->pred)
		return false;
	for (uint32_t i = 0; i < edges; i++)
		w->pfirst[w->to[i] + 2]++;
	for (uint32_t i = 0; i < w->count; i++)
		w->pfirst[i + 2] += w->pfirst[i + 1];
	for (uint32_t i = 0; i < w->count; i++)
		for (uint32_t e = w->first[i]; e < w->first[i + 1]; e++)
			w->pred[w->pfirst[w->to[e] + 1]++] = i;
	return true;
}

/* Places count from the outside, which is 0: a dominator has a lower one. */
static uint32_t intersect(const struct work *w, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (a > b)
			a = w->idom[a];
		while (b > a)
			b = w->idom[b];
	}
	return a;
}

static uint32_t dominator_of(const struct work *w, uint32_t node)
{
	uint32_t found = NONE;

	if (w->entered[node])
		return 0;
	for (uint32_t e = w->pfirst[node]; e < w->pfirst[node + 1]; e++) {
		uint32_t place = w->place[w->pred[e]];

		if (w->idom[place] == NONE)
			continue;
		found = found == NONE ? place : intersect(w, place, found);
	}
	return found;
}

static void iterate(struct work *w)
{
	bool changed = true;

	memset(w->idom, 0xff, ((size_t)w->count + 1) * sizeof(*w->idom));
	w->idom[0] = 0;
	while (changed) {
		changed = false;
		for (uint32_t i = w->count; i-- > 0;) {
			uint32_t node = w->order[i], place = w->place[node];
			uint32_t found = dominator_of(w, node);

			if (w->idom[place] != found) {
				w->idom[place] = found;
				changed = true;
			}
		}
	}
}

bool scry_dominators(uint32_t count, const uint32_t *first, const uint32_t *to,
		     const uint32_t *starts, size_t start_count, uint32_t *ret_idom,
		     uint32_t *ret_order)
{
	size_t room = (size_t)count + 1;
	struct work w = { .count = count, .first = first, .to = to };
	bool done;

	w.order = ret_order;
	w.place = malloc(room * sizeof(*w.place));
	w.stack = malloc(room * sizeof(*w.stack));
	w.next = malloc(room * sizeof(*w.next));
	w.entered = calloc(room, 1);
	done = w.place && w.stack && w.next && w.entered && make_predecessors(&w);
	if (done) {
		memset(w.place, 0xff, room * sizeof(*w.place));
		for (size_t i = 0; i < start_count; i++) {
			w.entered[starts[i]] = 1;
			walk_from(&w, starts[i]);
		}
		walk_rest(&w);
		for (uint32_t i = 0; i < count; i++)
			w.place[w.order[i]] = count - i;
		/* the stack is not needed any more */
		w.idom = w.stack;
		iterate(&w);
		/* by node again: `next` has done its work, too */
		for (uint32_t i = 0; i < count; i++) {
			uint32_t by = w.idom[w.place[i]];

			ret_idom[i] = by ? w.order[count - by] : NONE;
		}
	}
	free(w.place);
	free(w.stack);
	free(w.next);
	free(w.entered);
	free(w.pfirst);
	free(w.pred);
	return done;
}
