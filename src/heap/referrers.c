/* Who refers to an object. */
#include "heap/referrers.h"

#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "object/known.h"

const char *const scry_from_names[] = {
	[SCRY_FROM_OBJECT] = "object", [SCRY_FROM_FRAME] = "frame",
	[SCRY_FROM_TASK] = "task",     [SCRY_FROM_THREAD] = "thread",
	[SCRY_FROM_STACK] = "stack",   [SCRY_FROM_REGISTER] = "register",
	[SCRY_FROM_STATIC] = "static", [SCRY_FROM_CHUNK] = "chunk",
};

void scry_refs_done(struct scry_refs *refs)
{
	for (size_t i = 0; i < refs->count; i++)
		free(refs->list[i].path);
	free(refs->list);
	*refs = (struct scry_refs) { 0 };
}

void scry_refs_add(struct scry_refs *refs, const struct scry_found_ref *one)
{
	if (refs->count == refs->room) {
		size_t room = refs->room ? refs->room * 2 : 64;
		struct scry_found_ref *list = realloc(refs->list, room * sizeof(*list));

		if (!list) {
			refs->full = true;
			return;
		}
		refs->list = list;
		refs->room = room;
	}
	refs->list[refs->count++] = *one;
	refs->found += one->counted;
}

scry_addr scry_cpython_frame_of(struct scry_heap *h, scry_addr addr, bool generator)
{
	if (generator)
		return scry_generator_frame(h->runtime, addr);
	return scry_trait(h->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS)
		       ? addr
		       : scry_field_get(h->runtime, addr, SCRY_F_FRAME_INNER);
}

/* Generators and frames by what they are; tasks and greenlets by their classes. */
enum scry_from scry_from_kind(struct scry_heap *h, uint32_t object, scry_addr *ret_frame)
{
	static const struct {
		enum scry_known type;
		enum scry_from kind;
	} rows[] = {
		{ SCRY_IS_FRAME, SCRY_FROM_FRAME },    { SCRY_IS_GENERATOR, SCRY_FROM_TASK },
		{ SCRY_IS_COROUTINE, SCRY_FROM_TASK }, { SCRY_IS_ASYNC_GENERATOR, SCRY_FROM_TASK },
		{ SCRY_IS_C_TASK, SCRY_FROM_TASK },    { SCRY_IS_TASKLET, SCRY_FROM_TASK },
	};
	const struct scry_type *t = scry_heap_type_of(h, object)->type;
	scry_addr addr = h->objects[object].addr;
	enum scry_from kind = SCRY_FROM_OBJECT;

	*ret_frame = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].type == scry_known_type(t))
			kind = rows[i].kind;
	if (kind == SCRY_FROM_OBJECT && !strcmp(t->name, "greenlet.greenlet"))
		kind = SCRY_FROM_TASK;
	if (kind == SCRY_FROM_FRAME)
		*ret_frame = h->kind->frame_of(h, addr, false);
	else if (kind == SCRY_FROM_TASK && scry_known_type(t) != SCRY_IS_C_TASK &&
		 scry_known_type(t) != SCRY_IS_TASKLET && strcmp(t->name, "greenlet.greenlet"))
		*ret_frame = h->kind->frame_of(h, addr, true);
	return kind;
}

static const char *slot_text(struct scry_heap *h, const struct scry_reference *ref)
{
	SCRY_AUTO_BUF(text);

	scry_slot_text(h, ref, &text);
	return scry_arena_text(&h->runtime->session->arena, text.text, text.len);
}

/* --- the slot of an edge --- */

struct edge {
	struct scry_heap *h;
	scry_addr to;
	const char *text;
};

static void take_edge(void *arg, const struct scry_reference *ref)
{
	struct edge *e = arg;

	if (ref->to == e->to && !e->text)
		e->text = slot_text(e->h, ref);
}

/*
 * An edge of the graph has no slot, to keep it small: the object is visited again, for the few
 * edges that are shown.
 */
const char *scry_edge_text(struct scry_heap *h, uint32_t from, uint32_t to)
{
	struct edge e = { h, h->objects[to].addr, NULL };

	scry_heap_visit(h, from, take_edge, &e);
	return e.text;
}

/* --- all references --- */

struct search {
	struct scry_refs *refs;
	scry_addr start, end;    /* of the target */
	uint32_t object;         /* who is visited */
	struct scry_hash *known; /* words that were told of */
};

static void take(void *arg, const struct scry_reference *ref)
{
	struct search *s = arg;
	struct scry_heap *h = s->refs->h;
	struct scry_found_ref one = { .object = s->object,
				      .from = ref->from,
				      .certain = ref->certain,
				      .counted = ref->counted && ref->to == s->start,
				      .offset = ref->to - s->start };

	if (ref->to - s->start >= s->end - s->start || s->object == s->refs->target ||
	    (one.offset && ref->certain))
		return;
	one.kind = scry_from_kind(h, s->object, &one.frame);
	one.slot = slot_text(h, ref);
	scry_hash_add(s->known, ref->at);
	scry_refs_add(s->refs, &one);
}

/*
 * A word that an object or an earlier root was told of is not told twice: the interpreter's state
 * is a part of a file's data.
 */
static void take_root(struct search *s, const struct scry_root *root)
{
	static const enum scry_from kinds[] = {
		[SCRY_ROOT_INTERPRETER] = SCRY_FROM_STATIC,
		[SCRY_ROOT_FRAME] = SCRY_FROM_FRAME,
		[SCRY_ROOT_THREAD] = SCRY_FROM_THREAD,
		[SCRY_ROOT_STATIC] = SCRY_FROM_STATIC,
	};
	struct scry_found_ref one = { .kind = kinds[root->kind],
				      .object = SCRY_HEAP_NONE,
				      .from = root->from ? root->from : root->at,
				      .frame = root->kind == SCRY_ROOT_FRAME ? root->from : 0,
				      .thread = root->thread,
				      .slot = root->slot,
				      .certain = root->certain,
				      .counted = root->counted };

	if (root->at && scry_hash_add(s->known, root->at) <= 0)
		return;
	if (root->kind == SCRY_ROOT_STATIC) {
		one.from = root->at;
		one.slot = scry_static_name(s->refs->h, root->at);
	} else if (root->kind == SCRY_ROOT_INTERPRETER && root->at) {
		one.slot = scry_arena_printf(&s->refs->h->runtime->session->arena,
					     "interpreter+0x%" PRIx64, root->at - root->from);
	}
	scry_refs_add(s->refs, &one);
}

static int begin(struct scry_heap *h, uint32_t target, struct scry_refs *ret)
{
	*ret = (struct scry_refs) { .h = h, .target = target };
	return SCRY_OK;
}

static int end(struct scry_refs *refs, int rc)
{
	struct scry_session *s = refs->h->runtime->session;

	if (rc == SCRY_OK && refs->full)
		rc = scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	if (rc == SCRY_OK && s->stopped)
		rc = scry_fail(s, SCRY_EFAULT, 0, "interrupted");
	if (rc < 0)
		scry_refs_done(refs);
	return rc;
}

int scry_cpython_refs(struct scry_heap *h, uint32_t target, struct scry_hash *known,
		      struct scry_refs *refs)
{
	struct search s = { .refs = refs, .start = h->objects[target].addr, .known = known };
	struct scry_graph *g;
	int rc;

	s.end = s.start + scry_heap_extent(h, target);
	if (s.end <= s.start)
		s.end = s.start + 1;
	for (; s.object < h->count &&
	       scry_going(h->runtime->session, SCRY_PASS_FOLLOW, s.object, h->count);
	     s.object++)
		scry_heap_visit(h, s.object, take, &s);
	rc = scry_graph_roots(h, &g);
	for (const struct scry_root *root = NULL;
	     rc == SCRY_OK && (root = scry_graph_root_of(g, target, root));)
		if (root->kind != SCRY_ROOT_MODULE)
			take_root(&s, root);
	return rc;
}

int scry_refs_find(struct scry_heap *h, uint32_t target, bool memory, struct scry_refs *ret)
{
	struct scry_hash known = { 0 };
	uint64_t extent = scry_heap_extent(h, target);
	int rc = begin(h, target, ret);

	rc = rc < 0 ? rc : h->kind->refs(h, target, &known, ret);
	if (rc == SCRY_OK && memory)
		scry_refs_in_memory(ret, h->objects[target].addr + (extent ? extent : 1), &known);
	scry_hash_done(&known);
	return end(ret, rc);
}

/* --- holders --- */

struct climb {
	struct scry_graph *g;
	struct scry_refs *refs;
	uint32_t *first, *from; /* who refers to whom */
	uint32_t *toward;       /* the next one on the way to the target; NONE: not met */
	uint32_t *queue;
	uint32_t done, end;
	uint32_t *reach; /* scry_graph_reach() */
	uint8_t *is_root;
};

/* A namespace of a module, a class: what it has is kept by that, not by who runs there. */
static bool is_end(struct scry_heap *h, uint32_t object)
{
	const struct scry_type *t = scry_heap_type_of(h, object)->type;

	return t->flags & TYPE_TYPE || scry_known_type(t) == SCRY_IS_MODULE;
}

static bool has_kind(struct scry_heap *h, uint32_t object, enum scry_known known)
{
	return scry_known_type(scry_heap_type_of(h, object)->type) == known;
}

/* `toward` leads from any object that was met to the target, so the path is a walk along it. */
static void add_holder(struct climb *c, uint32_t object, const struct scry_root *root)
{
	struct scry_heap *h = c->refs->h;
	struct scry_found_ref one = { .object = root ? SCRY_HEAP_NONE : object };
	uint32_t at = object, n = 0;

	if (root) {
		one.kind = root->kind == SCRY_ROOT_FRAME ? SCRY_FROM_FRAME : SCRY_FROM_THREAD;
		one.from = root->from;
		one.frame = root->kind == SCRY_ROOT_FRAME ? root->from : 0;
		one.thread = root->thread;
		one.slot = root->slot;
	} else {
		one.kind = scry_from_kind(h, object, &one.frame);
		one.from = h->objects[object].addr;
		at = c->toward[object];
		one.slot = scry_edge_text(h, object, at);
	}
	one.certain = one.counted = true;
	for (uint32_t i = at; i != c->refs->target; i = c->toward[i])
		n++;
	one.path = malloc((n + 1) * sizeof(*one.path));
	if (!one.path)
		return;
	for (uint32_t i = at; i != c->refs->target; i = c->toward[i])
		one.path[one.path_len++] = i;
	scry_refs_add(c->refs, &one);
}

static bool is_holder(struct scry_heap *h, uint32_t object)
{
	scry_addr frame;

	return scry_from_kind(h, object, &frame) != SCRY_FROM_OBJECT ||
	       has_kind(h, object, SCRY_IS_TRACEBACK);
}

/* From the target up, breadth first: who holds it is not climbed over. */
static void climb(struct climb *c)
{
	struct scry_heap *h = c->refs->h;

	c->queue[c->end++] = c->refs->target;
	c->toward[c->refs->target] = c->refs->target;
	while (c->done < c->end && !h->runtime->session->stopped) {
		uint32_t node = c->queue[c->done++];

		if (node != c->refs->target && is_holder(h, node)) {
			add_holder(c, node, NULL);
			/* a traceback, and a frame that is over, are held themselves */
			if (!has_kind(h, node, SCRY_IS_TRACEBACK) &&
			    (!has_kind(h, node, SCRY_IS_FRAME) || c->is_root[node]))
				continue;
		}
		for (const struct scry_root *root = NULL;
		     (root = scry_graph_root_of(c->g, node, root));)
			if ((root->kind == SCRY_ROOT_FRAME ||
			     (root->kind == SCRY_ROOT_THREAD && root->certain)) &&
			    root->from != h->objects[node].addr &&
			    (!root->slot || strcmp(root->slot, "f_globals")))
				add_holder(c, node, root);
		if (node != c->refs->target && is_end(h, node))
			continue;
		for (uint32_t e = c->first[node]; e < c->first[node + 1]; e++) {
			uint32_t up = c->from[e];

			/* a function's globals, a frame's globals keep nothing of their own */
			if (c->toward[up] != SCRY_HEAP_NONE ||
			    (has_kind(h, node, SCRY_IS_DICT) && c->is_root[node] == 2))
				continue;
			c->toward[up] = node;
			c->queue[c->end++] = up;
		}
	}
}

/* Dicts that are namespaces of modules are marked 2. */
static void mark_roots(struct climb *c)
{
	struct scry_heap *h = c->refs->h;
	scry_addr dict;

	for (size_t i = 0; i < c->g->root_count; i++)
		c->is_root[c->g->roots[i].to] = 1;
	for (uint32_t i = 0; i < h->count; i++)
		if (has_kind(h, i, SCRY_IS_MODULE)) {
			dict = h->kind->namespace_of(h, h->objects[i].addr);
			uint32_t at = dict ? scry_heap_find(h, dict) : SCRY_HEAP_NONE;

			if (at != SCRY_HEAP_NONE)
				c->is_root[at] = 2;
		}
}

/* Does nothing certain lead there? Words of nobody may be left from before: free lists. */
static bool is_lost(const struct climb *c, uint32_t object)
{
	uint32_t at = c->reach[object];

	for (size_t n = 0; n < c->refs->h->count && !(at & SCRY_REACHED_ROOT); n++)
		at = c->reach[at];
	return at == SCRY_REACHED_NOT || !c->g->roots[at & ~SCRY_REACHED_ROOT].certain;
}

/* What the target leads to is marked 4, by the queue that is not needed any more. */
static void mark_below(struct climb *c)
{
	c->done = c->end = 0;
	c->queue[c->end++] = c->refs->target;
	while (c->done < c->end) {
		uint32_t node = c->queue[c->done++];

		for (uint32_t e = c->g->first[node]; e < c->g->first[node + 1]; e++)
			if (!(c->is_root[c->g->to[e]] & 4)) {
				c->is_root[c->g->to[e]] |= 4;
				c->queue[c->end++] = c->g->to[e];
			}
		if (c->end > c->refs->h->count)
			break;
	}
}

/* Who refers to the target and is led to by it, where nothing else does: they hold each other. */
static void add_cycle(struct climb *c)
{
	struct scry_heap *h = c->refs->h;
	uint32_t target = c->refs->target;

	if (!is_lost(c, target))
		return;
	mark_below(c);
	for (uint32_t e = c->first[target]; e < c->first[target + 1]; e++) {
		uint32_t from = c->from[e];
		struct scry_found_ref one = { .object = from,
					      .from = h->objects[from].addr,
					      .slot = scry_edge_text(h, from, target),
					      .certain = true,
					      .counted = true,
					      .cycle = true };

		if (c->is_root[from] & 4 && (e == c->first[target] || c->from[e - 1] != from))
			scry_refs_add(c->refs, &one);
	}
}

/*
 * Asked from the target up; a traceback, a frame, a task or a thread ends the way, since that is
 * what a user can act on.
 */
int scry_refs_holders(struct scry_heap *h, uint32_t target, struct scry_refs *ret)
{
	struct climb c = { .refs = ret };
	size_t room = h->count + 1;
	int rc = begin(h, target, ret);

	rc = rc < 0 ? rc : scry_graph_of(h, &c.g);
	rc = rc < 0 ? rc : scry_graph_reverse(c.g, &c.first, &c.from);
	rc = rc < 0 ? rc : scry_graph_reach(c.g, SCRY_HEAP_NONE, &c.reach);
	if (rc == SCRY_OK) {
		c.toward = malloc(room * sizeof(*c.toward));
		c.queue = malloc((room + 1) * sizeof(*c.queue));
		c.is_root = calloc(room, 1);
		ret->full = !c.toward || !c.queue || !c.is_root;
	}
	if (rc == SCRY_OK && !ret->full) {
		memset(c.toward, 0xff, room * sizeof(*c.toward));
		mark_roots(&c);
		climb(&c);
		add_cycle(&c);
	}
	free(c.first);
	free(c.from);
	free(c.toward);
	free(c.queue);
	free(c.reach);
	free(c.is_root);
	return end(ret, rc);
}
