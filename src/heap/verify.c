/*
 * Counts and references: every reference that certainly is one, and that the count counts, is
 * counted again. What nobody refers to any more (count 0) is on its way to be freed, and may have
 * let go already of what it still points to.
 */
#include "heap/verify.h"

#include <stdlib.h>
#include <string.h>

#include "heap/lost.h"
#include "memory/block.h"
#include "memory/gc.h"
#include "memory/malloc.h"
#include "object/judge.h"
#include "object/known.h"
#include "object/whatis.h"

const char *const scry_finding_names[] = {
	[SCRY_FINDING_OVER_RELEASED] = "over-released",
	[SCRY_FINDING_DANGLING] = "dangling",
	[SCRY_FINDING_NO_OBJECT] = "no object",
	[SCRY_FINDING_TYPE] = "type",
	[SCRY_FINDING_SIZE] = "size",
	[SCRY_FINDING_TABLE] = "table",
	[SCRY_FINDING_LINKS] = "links",
	[SCRY_FINDING_FREED_WRITTEN] = "freed memory written to",
	[SCRY_FINDING_OVERRUN] = "overrun",
};

/* --- findings --- */

struct scry_finding *scry_verify_add(struct scry_verify *v, enum scry_finding_kind kind,
				     scry_addr addr, const char *type, const char *why)
{
	uint64_t key = addr * SCRY_FINDING_COUNT + kind;
	uintptr_t known = (uintptr_t)scry_hash_find(&v->by_addr, key);

	if (known)
		return &v->findings[known - 1];
	if (v->count == SCRY_FINDINGS_MAX) {
		v->omitted++;
		return NULL;
	}
	if (v->count == v->room) {
		size_t room = v->room ? v->room * 2 : 64;
		struct scry_finding *list = realloc(v->findings, room * sizeof(*list));

		v->full |= !list;
		if (!list)
			return NULL;
		v->findings = list;
		v->room = room;
	}
	v->findings[v->count++] =
		(struct scry_finding) { .kind = kind, .addr = addr, .type = type, .why = why };
	scry_hash_put(&v->by_addr, key, (void *)(uintptr_t)v->count);
	return &v->findings[v->count - 1];
}

const char *scry_verify_reason(struct scry_verify *v)
{
	struct scry_session *s = v->h->runtime->session;

	return scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
}

void scry_verify_done(struct scry_verify *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->findings[i].holders);
	free(v->findings);
	scry_hash_done(&v->by_addr);
	*v = (struct scry_verify) { 0 };
}

/* --- a pass over all references --- */

struct pass {
	struct scry_verify *v;
	/* by object: references that certainly are some; of PyPy's, whether it is certainly one */
	uint32_t *found;
	uint32_t object; /* who is visited */
	uint32_t *queue;
	size_t end;
	const struct scry_root *root;
	bool naming;    /* the second time: who refers to what was found */
	bool uncounted; /* who is visited was made by the compiler, with all that it refers to */
};

static void add_holder(struct pass *p, struct scry_finding *f, const struct scry_reference *ref)
{
	struct scry_heap *h = p->v->h;
	SCRY_AUTO_BUF(text);

	if (f->holder_count == SCRY_HOLDERS_MAX)
		return;
	if (!f->holders)
		f->holders = calloc(SCRY_HOLDERS_MAX, sizeof(*f->holders));
	p->v->full |= !f->holders;
	if (!f->holders)
		return;
	scry_slot_text(h, ref, &text);
	f->holders[f->holder_count++] = (struct scry_holding) {
		.object = p->object,
		.from = ref->from,
		.thread = p->root ? p->root->thread : NULL,
		.slot = scry_arena_text(&h->runtime->session->arena, text.text, text.len),
	};
}

static void name_holder(struct pass *p, const struct scry_reference *ref)
{
	static const enum scry_finding_kind kinds[] = {
		SCRY_FINDING_OVER_RELEASED, SCRY_FINDING_DANGLING, SCRY_FINDING_NO_OBJECT,
		SCRY_FINDING_OVERRUN, SCRY_FINDING_FREED_WRITTEN
	};
	bool sure = ref->certain && ref->counted;

	if (!ref->certain && !p->v->h->kind->counts)
		return;
	for (size_t i = sure ? 0 : 1; i < sizeof(kinds) / sizeof(*kinds); i++) {
		uintptr_t at = (uintptr_t)scry_hash_find(&p->v->by_addr,
							 ref->to * SCRY_FINDING_COUNT + kinds[i]);

		if (at)
			add_holder(p, &p->v->findings[at - 1], ref);
	}
}

/* What a word at the place of a type still says of what was there. */
static const char *type_that_was(struct scry_heap *h, scry_addr addr)
{
	uint64_t word;
	uint32_t type;

	if (!scry_reader_word(&h->reader,
			      addr + h->runtime->layout->slot[SCRY_F_OBJECT_TYPE].offset, &word))
		return NULL;
	type = scry_heap_type_at(h, word);
	return type == SCRY_HEAP_NONE ? NULL : scry_heap_type_name(h, h->types[type]);
}

/*
 * Objects that the compiler laid into a file's data refer to others there that nobody counted:
 * frozen modules, 3.11 (Tools/build/deepfreeze.py).
 */
static bool is_static(struct scry_runtime *r, scry_addr addr)
{
	/* an arena may stand right after a file's data */
	return !scry_block_owns(r, addr) && scry_is_static(r, addr);
}

/* A type of the interpreter's that was never readied is not in the index: 2.7. */
static bool has_type(struct scry_heap *h, scry_addr addr)
{
	struct scry_type *t;

	return scry_type_for(h->runtime, addr, &t) == SCRY_OK;
}

void scry_cpython_judge(struct scry_verify *v, const struct scry_reference *ref)
{
	struct scry_runtime *r = v->h->runtime;
	struct scry_finding *f;
	struct scry_verdict verdict;
	struct scry_malloc_chunk chunk;
	struct scry_block block;
	uint8_t byte;

	if (ref->kind == SCRY_SLOT_WORD && !ref->object)
		return;
	/* what the dump lacks is not known */
	if (ref->to % v->h->reader.ptr == 0 && scry_map_at(r->session->target, ref->to) &&
	    !scry_read_some(r->session, ref->to, &byte, 1))
		return;
	/* nobody frees what a file's data have; types there may never have been readied */
	if (is_static(r, ref->to) || scry_block_lost(r, ref->to) ||
	    scry_judge(r, ref->to, &verdict) == SCRY_OK)
		return;
	if (r->session->error.code == SCRY_EFAULT &&
	    !scry_target_lacks(r->session->target, r->session->error.addr))
		return; /* nor what it leads to */
	const char *why = scry_verify_reason(v), *type = type_that_was(v->h, ref->to);
	enum scry_finding_kind kind = SCRY_FINDING_NO_OBJECT;

	if ((scry_block_find(r, ref->to, &block) && block.free) ||
	    (scry_malloc_find(r, ref->to, &chunk) && chunk.certain && scry_malloc_is_free(&chunk)))
		kind = SCRY_FINDING_DANGLING;
	else if (type || has_type(v->h, ref->to))
		return; /* an extension's own memory: the judge cannot decide */
	f = scry_verify_add(v, kind, ref->to, type, why);
	if (f)
		f->found++;
}

static void take(void *arg, const struct scry_reference *ref)
{
	struct pass *p = arg;
	bool counts = p->v->h->kind->counts;
	uint32_t to;

	if (p->naming)
		name_holder(p, ref);
	if (p->naming || !ref->certain || !ref->to || (counts && !ref->counted))
		return;
	p->v->references++;
	to = scry_heap_find(p->v->h, ref->to);
	if (to == SCRY_HEAP_NONE)
		p->v->h->kind->judge(p->v, ref);
	else if (!p->uncounted && p->found[to] < UINT32_MAX)
		p->found[to]++;
}

/* The tuple that a property's getter is called with, untracked, borrows what it has. */
static bool borrows(struct scry_heap *h, uint32_t object)
{
	scry_addr addr = h->objects[object].addr;
	struct scry_gc_state state;

	if (!scry_trait(h->runtime, SCRY_TRAIT_PROPERTY_BORROWS) ||
	    scry_known_type(scry_heap_type_of(h, object)->type) != SCRY_IS_TUPLE ||
	    scry_reader_field(&h->reader, h->runtime->layout, addr, SCRY_F_VAR_SIZE) != 1)
		return false;
	scry_gc_state_read(h->runtime, addr, &state);
	return !state.tracked;
}

/* Frames of 3.11+ that are not objects: what their threads run. */
static void pass_frames(struct pass *p)
{
	struct scry_heap *h = p->v->h;
	struct scry_session *s = h->runtime->session;
	bool objects = scry_trait(h->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS);

	p->object = SCRY_HEAP_NONE;
	for (struct scry_thread *t = objects ? NULL : scry_thread_first(s); t; t = t->next) {
		struct scry_root root = { .thread = t };
		struct scry_frame f;
		struct scry_walk w;

		if (t->runtime != h->runtime)
			continue;
		p->root = &root;
		scry_walk_thread(&w, t);
		while (scry_walk_next(&w, &f) == SCRY_ITEM)
			if (f.kind != SCRY_FRAME_DAMAGED && f.kind != SCRY_FRAME_GENERATOR &&
			    !scry_heap_owns_frame(h, &f))
				scry_heap_visit_frame(h, f.addr, take, p);
	}
	p->root = NULL;
}

static void pass_all(struct pass *p)
{
	struct scry_heap *h = p->v->h;

	for (p->object = 0; p->object < h->count && !h->runtime->session->stopped; p->object++) {
		bool counts = h->kind->counts;

		p->uncounted = !counts || is_static(h->runtime, h->objects[p->object].addr);
		if (counts ? !scry_lost_is_going(h, p->object) && !borrows(h, p->object)
			   : p->found[p->object])
			scry_heap_visit(h, p->object, take, p);
	}
	p->uncounted = false;
	if (h->kind->counts)
		pass_frames(p);
}

/*
 * Where nothing is counted: what certain roots lead to by certain references. What only a word
 * leads to that may be left from before may be in memory that is used again.
 */
static void take_sure(void *arg, const struct scry_reference *ref)
{
	struct pass *p = arg;
	uint32_t to = ref->certain ? scry_heap_find(p->v->h, ref->to) : SCRY_HEAP_NONE;

	if (to != SCRY_HEAP_NONE && !p->found[to]) {
		p->found[to] = 1;
		p->queue[p->end++] = to;
	}
}

static int find_sure(struct pass *p)
{
	struct scry_heap *h = p->v->h;
	struct scry_graph *g;
	size_t done = 0;
	int rc = scry_graph_roots(h, &g);

	p->queue = rc == SCRY_OK ? malloc((h->count + 1) * sizeof(*p->queue)) : NULL;
	if (!p->queue)
		return rc < 0 ? rc
			      : scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < g->root_count; i++) {
		struct scry_reference like = { .to = h->objects[g->roots[i].to].addr,
					       .certain = g->roots[i].certain };

		take_sure(p, &like);
	}
	while (done < p->end && !h->runtime->session->stopped)
		scry_heap_visit(h, p->queue[done++], take_sure, p);
	p->v->objects = p->end;
	free(p->queue);
	return SCRY_OK;
}

/* A count that is too small: of a biased one both parts, and only where nothing is deferred. */
static void check_count(struct pass *p, uint32_t object)
{
	struct scry_heap *h = p->v->h;
	struct scry_runtime *r = h->runtime;
	scry_addr addr = h->objects[object].addr;
	struct scry_finding *f;
	struct scry_whatis w;
	uint64_t word = scry_reader_field(&h->reader, r->layout, addr, SCRY_F_OBJECT_REFCNT);

	if (word >= p->found[object] || scry_whatis(r, addr, &w) < 0 || !w.type_name)
		return;
	int64_t count = w.refcount + (w.biased ? w.shared : 0);

	if (w.immortal || w.deferred || count >= (int64_t)p->found[object])
		return;
	f = scry_verify_add(p->v, SCRY_FINDING_OVER_RELEASED, addr,
			    scry_heap_type_name(h, scry_heap_type_of(h, object)), NULL);
	if (f) {
		f->counted = true;
		f->refcount = count;
		f->found = p->found[object];
	}
}

static int by_kind(const void *a, const void *b)
{
	const struct scry_finding *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

int scry_verify(struct scry_heap *h, struct scry_verify *ret)
{
	struct scry_session *s = h->runtime->session;
	struct pass p = { .v = ret };

	*ret = (struct scry_verify) { .h = h, .objects = h->count };
	p.found = calloc(h->count + 1, sizeof(*p.found));
	if (!p.found)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	int rc = h->kind->counts ? SCRY_OK : find_sure(&p);

	if (rc < 0) {
		free(p.found);
		return rc;
	}
	pass_all(&p);
	if (h->kind->counts)
		scry_verify_types(ret);
	for (uint32_t i = 0; i < h->count && !s->stopped; i++) {
		if (h->kind->counts)
			check_count(&p, i);
		if (h->kind->counts || p.found[i])
			h->kind->check(ret, i);
	}
	if (h->kind->counts)
		scry_verify_memory(ret);
	if (ret->count) {
		p.naming = true;
		pass_all(&p);
		qsort(ret->findings, ret->count, sizeof(*ret->findings), by_kind);
	}
	free(p.found);
	if (s->stopped)
		return scry_fail(s, SCRY_EFAULT, 0, "interrupted");
	return ret->full ? scry_fail(s, SCRY_ENOMEM, 0, "out of memory") : SCRY_OK;
}
