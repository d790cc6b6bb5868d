/* Who refers to whom. */
#include "heap/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "heap/roots.h"

/* references in all: indices of 32 bits take half of the memory */
#define EDGES_MAX 0x7fffffffu

static void graph_done(void *graph)
{
	struct scry_graph *g = graph;

	free(g->roots);
	free(g->next_root);
	scry_hash_done(&g->first_root);
	free(g->first);
	free(g->to);
	free(g);
}

/* Who asks for the roots of one object after another must not go through all of them each time. */
static bool chain_roots(struct scry_graph *g)
{
	g->next_root = malloc((g->root_count + 1) * sizeof(*g->next_root));
	for (size_t i = g->next_root ? g->root_count : 0; i-- > 0;) {
		uint32_t to = g->roots[i].to;

		g->next_root[i] = (uint32_t)(uintptr_t)scry_hash_find(&g->first_root, to);
		if (!scry_hash_put(&g->first_root, to, (void *)(uintptr_t)(i + 1)))
			return false;
	}
	return g->next_root;
}

const struct scry_root *scry_graph_root_of(const struct scry_graph *g, uint32_t object,
					   const struct scry_root *before)
{
	uint32_t next = before ? g->next_root[before - g->roots]
			       : (uint32_t)(uintptr_t)scry_hash_find(&g->first_root, object);

	return next ? &g->roots[next - 1] : NULL;
}

/*
 * Kept with the heap: several commands over one target, or one that asks for paths and for holders,
 * share it.
 */
int scry_graph_roots(struct scry_heap *h, struct scry_graph **ret)
{
	struct scry_graph *g = h->graph;
	int rc;

	if (!g) {
		g = calloc(1, sizeof(*g));
		if (!g)
			return scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
		g->h = h;
		rc = scry_roots_find(g);
		if (rc == SCRY_OK && !chain_roots(g))
			rc = scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
		if (rc < 0) {
			graph_done(g);
			return rc;
		}
		h->graph = g;
		h->graph_done = graph_done;
	}
	*ret = g;
	return SCRY_OK;
}

/* --- references from objects --- */

struct filling {
	struct scry_graph *g;
	uint32_t object;
	size_t count;
};

static void add_edge(void *arg, const struct scry_reference *ref)
{
	struct filling *f = arg;
	struct scry_graph *g = f->g;
	uint32_t to = scry_heap_find(g->h, ref->to);

	/* words of a stack that may be left from before are doubtful roots: roots.c */
	if (to == SCRY_HEAP_NONE || to == f->object ||
	    (ref->kind == SCRY_SLOT_STACK && !ref->certain))
		return;
	if (f->count == g->to_room) {
		size_t room = g->to_room ? g->to_room + g->to_room / 2 : 1 << 16;
		uint32_t *list = room < EDGES_MAX ? realloc(g->to, room * sizeof(*list)) : NULL;

		if (!list) {
			g->full = true;
			return;
		}
		g->to = list;
		g->to_room = room;
	}
	g->to[f->count++] = to;
}

/*
 * References of object i are to[first[i]] up to to[first[i + 1]]: two arrays, however many objects.
 */
int scry_graph_of(struct scry_heap *h, struct scry_graph **ret)
{
	struct scry_graph *g;
	int rc = scry_graph_roots(h, &g);

	if (rc == SCRY_OK && !g->first) {
		struct filling f = { .g = g };

		g->first = malloc((h->count + 1) * sizeof(*g->first));
		g->full = !g->first;
		for (; f.object < h->count && !g->full &&
		       scry_going(h->runtime->session, SCRY_PASS_FOLLOW, f.object, h->count);
		     f.object++) {
			g->first[f.object] = (uint32_t)f.count;
			scry_heap_visit(h, f.object, add_edge, &f);
		}
		if (!g->full)
			g->first[f.object] = (uint32_t)f.count;
	}
	if (rc == SCRY_OK && (g->full || h->runtime->session->stopped)) {
		rc = g->full ? SCRY_ENOMEM : SCRY_EFAULT;
		scry_fail(h->runtime->session, rc, 0, g->full ? "out of memory" : "interrupted");
		graph_done(g);
		h->graph = NULL;
	}
	if (rc == SCRY_OK)
		*ret = g;
	return rc;
}

/*
 * Sorting by counting. Counts are kept two places further on, so that adding them up leaves where
 * each list begins one place further on, and filling moves each beginning to its end: that is where
 * the next list begins.
 */
int scry_graph_reverse(const struct scry_graph *g, uint32_t **ret_first, uint32_t **ret_from)
{
	uint32_t count = (uint32_t)g->h->count, edges = g->first[count];
	uint32_t *first = calloc((size_t)count + 2, sizeof(*first)),
		 *from = malloc(((size_t)edges + 1) * sizeof(*from));

	if (!first || !from) {
		free(first);
		free(from);
		return scry_fail(g->h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	}
	for (uint32_t i = 0; i < edges; i++)
		first[g->to[i] + 2]++;
	for (uint32_t i = 0; i < count; i++)
		first[i + 2] += first[i + 1];
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t e = g->first[i]; e < g->first[i + 1]; e++)
			from[first[g->to[e] + 1]++] = i;
	*ret_first = first;
	*ret_from = from;
	return SCRY_OK;
}

struct reaching {
	const struct scry_graph *g;
	uint32_t *before, *queue, done, end, without;
};

/*
 * Breadth first, so that the way back from any object is one of the shortest. Through `without`
 * nothing leads.
 */
static void reach_on(struct reaching *r)
{
	const struct scry_graph *g = r->g;

	while (r->done < r->end) {
		uint32_t node = r->queue[r->done++];

		if (node == r->without)
			continue;
		for (uint32_t e = g->first[node]; e < g->first[node + 1]; e++)
			if (r->before[g->to[e]] == SCRY_REACHED_NOT) {
				r->before[g->to[e]] = node;
				r->queue[r->end++] = g->to[e];
			}
	}
}

/* What is certain first; a doubtful root counts only for what that does not lead to. */
int scry_graph_reach(const struct scry_graph *g, uint32_t without, uint32_t **ret)
{
	size_t room = g->h->count + 1;
	struct reaching r = { .g = g,
			      .before = malloc(room * sizeof(*r.before)),
			      .queue = malloc(room * sizeof(*r.queue)),
			      .without = without };

	if (!r.before || !r.queue) {
		free(r.before);
		free(r.queue);
		return scry_fail(g->h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	}
	memset(r.before, 0xff, room * sizeof(*r.before));
	for (int certain = 1; certain >= 0; certain--) {
		for (size_t i = 0; i < g->root_count; i++) {
			uint32_t to = g->roots[i].to;

			if (g->roots[i].certain != certain || r.before[to] != SCRY_REACHED_NOT)
				continue;
			r.before[to] = SCRY_REACHED_ROOT | (uint32_t)i;
			r.queue[r.end++] = to;
		}
		reach_on(&r);
	}
	free(r.queue);
	*ret = r.before;
	return SCRY_OK;
}

/* --- what would go with an object --- */

void scry_retained_done(struct scry_retained *r)
{
	free(r->bytes);
	free(r->count);
	free(r->by);
	free(r->by_type);
	*r = (struct scry_retained) { 0 };
}

static void sum_up(const struct scry_graph *g, struct scry_retained *r, const uint32_t *order)
{
	uint32_t count = (uint32_t)g->h->count;

	for (uint32_t i = 0; i < count; i++) {
		r->bytes[i] = scry_heap_bytes(g->h, i);
		r->count[i] = 1;
	}
	/* a node is finished before whatever dominates it */
	for (uint32_t i = 0; i < count; i++)
		if (r->by[order[i]] != SCRY_HEAP_NONE) {
			r->bytes[r->by[order[i]]] += r->bytes[order[i]];
			r->count[r->by[order[i]]] += r->count[order[i]];
		}
}

/*
 * An object counts for its type where no object that dominates it is of the same type: the tree of
 * dominators is walked, and of each type it is known how many are open.
 */
static bool sum_types(const struct scry_graph *g, struct scry_retained *r)
{
	const struct scry_heap *h = g->h;
	size_t room = h->count + 3, depth = 0;
	uint32_t *first = calloc(room, sizeof(*first)), *child = malloc(room * sizeof(*child)),
		 *stack = malloc(room * sizeof(*stack)), *next = malloc(room * sizeof(*next)),
		 *open = calloc(h->type_count + 1, sizeof(*open));
	bool done = first && child && stack && next && open;
	uint32_t count = (uint32_t)h->count;

	/* who has no dominator is a child of `count` */
	for (uint32_t i = 0; done && i < count; i++)
		first[(r->by[i] == SCRY_HEAP_NONE ? count : r->by[i]) + 2]++;
	for (uint32_t i = 0; done && i <= count; i++)
		first[i + 2] += first[i + 1];
	for (uint32_t i = 0; done && i < count; i++)
		child[first[(r->by[i] == SCRY_HEAP_NONE ? count : r->by[i]) + 1]++] = i;
	if (done) {
		stack[depth++] = count;
		next[count] = first[count];
	}
	while (depth) {
		uint32_t node = stack[depth - 1];

		if (next[node] < first[node + 1]) {
			uint32_t below = child[next[node]++];

			if (!open[h->objects[below].type]++)
				r->by_type[h->objects[below].type] += r->bytes[below];
			next[below] = first[below];
			stack[depth++] = below;
			continue;
		}
		if (node != count)
			open[h->objects[node].type]--;
		depth--;
	}
	free(first);
	free(child);
	free(stack);
	free(next);
	free(open);
	return done;
}

/* Insertion into the few that are shown. */
size_t scry_retained_largest(const struct scry_heap *h, const struct scry_retained *r,
			     uint32_t under, size_t max, uint32_t *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; max && i < h->count; i++) {
		size_t at;

		if (r->by[i] != under || (n == max && r->bytes[i] <= r->bytes[ret[n - 1]]))
			continue;
		at = n < max ? n++ : n - 1;
		for (; at && r->bytes[ret[at - 1]] < r->bytes[i]; at--)
			ret[at] = ret[at - 1];
		ret[at] = i;
	}
	return n;
}

int scry_graph_retained(const struct scry_graph *g, struct scry_retained *ret)
{
	size_t count = g->h->count, starts = 0;
	struct scry_retained r = { malloc((count + 1) * sizeof(*r.bytes)),
				   malloc((count + 1) * sizeof(*r.count)),
				   malloc((count + 1) * sizeof(*r.by)),
				   calloc(g->h->type_count + 1, sizeof(*r.by_type)) };
	uint32_t *order = malloc((count + 1) * sizeof(*order)),
		 *start = malloc((g->root_count + 1) * sizeof(*start));
	bool done = r.bytes && r.count && r.by && r.by_type && order && start;
	uint32_t *reach = NULL;

	done = done && scry_graph_reach(g, SCRY_HEAP_NONE, &reach) == SCRY_OK;
	/* a doubtful root only where nothing certain leads */
	for (size_t i = 0; done && i < g->root_count; i++)
		if (g->roots[i].certain ||
		    reach[g->roots[i].to] == (SCRY_REACHED_ROOT | (uint32_t)i))
			start[starts++] = g->roots[i].to;
	done = done &&
	       scry_dominators((uint32_t)count, g->first, g->to, start, starts, r.by, order);
	if (done)
		sum_up(g, &r, order);
	done = done && sum_types(g, &r);
	if (!done)
		scry_retained_done(&r);
	free(reach);
	free(order);
	free(start);
	*ret = r;
	return done ? SCRY_OK : scry_fail(g->h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
}
