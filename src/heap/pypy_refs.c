/*
 * Who refers to an object of PyPy's. What a program has is mostly referred to by structures that it
 * cannot have in hand (a list's storage, a dict's table): from these the way is gone on until there
 * is an object of the program's, as gc.get_referrers() does it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "heap/pypy_kind.h"
#include "object/pypy/pypy_printers.h"
#include "runtime/pypy/pypy_suspended.h"
#include "runtime/pypy/pypy_trace.h"

#define SHARED    256 /* a structure that so many refer to is not one object's own */
#define WAY_MAX   16  /* structures on the way */
#define KEY_TEXT  80
#define ITEMS_MAX 1000000u /* of a deque that are looked at for an index */

struct climb {
	struct scry_heap *h;
	struct scry_refs *refs;
	struct scry_graph *g;
	uint32_t *first, *from;  /* who refers to whom */
	struct scry_hash toward; /* by object: the next one on the way to the target, plus one */
	struct scry_hash depth;
	uint32_t *queue;
	size_t done, end, room;
	struct scry_hash *known; /* words that were told of */
	bool full;
};

static uint32_t next_of(const struct climb *c, uint32_t object)
{
	return (uint32_t)(uintptr_t)scry_hash_find(&c->toward, object) - 1;
}

/* --- how a reference is called --- */

/* A key that is RPython's own text: of a dict of bytes objects those, else a name. */
static void put_text_key(struct climb *c, uint32_t holder, scry_addr key, struct scry_buf *out)
{
	struct scry_pypy *p = c->h->runtime->pypy;
	scry_addr at = c->h->objects[holder].addr, strategy;
	struct scry_printer printer;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &at);

	strategy = scry_pypy_is(p, t, SCRY_PYPY_CLASS_DICT)
			   ? scry_pypy_get(p, at, SCRY_PYPY_DICT_STRATEGY)
			   : 0;
	t = scry_pypy_type_of(p, &strategy);
	scry_printer_init(&printer, c->h->runtime, out);
	printer.max_text = printer.max_string = KEY_TEXT;
	if (t && strstr(t->name, "BytesDictStrategy"))
		scry_pypy_print_bytes_of(&printer, key);
	else
		scry_pypy_print_name(&printer, key);
}

/* The key of an entry of an RPython dictionary: the entry begins with it. */
static bool put_key(struct climb *c, uint32_t holder, const char *type,
		    const struct scry_reference *ref, struct scry_buf *out)
{
	scry_addr entry = ref->at - ref->key, key;
	const char *kind = strstr(type, "entry { key: ");

	if (!kind || !ref->key || !scry_reader_word(&c->h->reader, entry, &key))
		return false;
	kind += strlen("entry { key: ");
	if (!strncmp(kind, "Signed", 6)) {
		scry_buf_printf(out, "[%" PRId64 "]", (int64_t)key);
		return true;
	}
	scry_buf_puts(out, "[");
	if (!strncmp(kind, "rpy_string", 10))
		put_text_key(c, holder, key, out);
	else
		scry_repr_short(c->h->runtime, key, KEY_TEXT, out);
	scry_buf_puts(out, "]");
	return true;
}

static void put_item(struct climb *c, uint32_t holder, uint32_t from,
		     const struct scry_reference *ref, struct scry_buf *out)
{
	const char *type = scry_heap_type_name(c->h, scry_heap_type_of(c->h, from));

	if (strstr(type, "entry { key: ") && !ref->key)
		scry_buf_puts(out, "key");
	else if (!put_key(c, holder, type, ref, out))
		scry_slot_text(c->h, ref, out);
}

struct edge {
	struct climb *c;
	uint32_t from, to;
	struct scry_reference ref;
	bool found;
};

static void take_first(void *arg, const struct scry_reference *ref)
{
	struct edge *e = arg;

	if (!e->found && ref->to == e->c->h->objects[e->to].addr) {
		e->ref = *ref;
		e->found = true;
	}
}

/* An attribute of an instance whose value it is. */
static bool put_attribute(struct climb *c, scry_addr holder, scry_addr target, struct scry_buf *out)
{
	const struct scry_model *model = scry_model_of(c->h->runtime);
	struct scry_found found;
	const char *name;
	uint64_t it = 0;

	while (model->found_next &&
	       model->found_next(c->h->runtime, holder, &it, &name, &found) == SCRY_ITEM)
		if (found.addr == target && !found.text) {
			scry_buf_printf(out, ".%s", name);
			return true;
		}
	return false;
}

/*
 * The index of an item of a sequence. One of few is a member of the object itself, and those of a
 * deque are in blocks: of that only the first one that is the target is told by its index.
 */
static bool put_index(struct climb *c, scry_addr holder, scry_addr target,
		      const struct scry_reference *last, struct scry_buf *out)
{
	struct scry_pypy_sequence q;
	uint64_t i = 0;
	scry_addr item;

	if (scry_pypy_sequence(c->h->runtime, holder, &q) < 0 || q.kind != SCRY_PYPY_OBJECT ||
	    q.counted)
		return false;
	if (q.items) {
		i = (last->at - q.items) / 8;
	} else {
		while (i < q.count && i < ITEMS_MAX &&
		       (scry_pypy_item_at(&q, i, &item) < 0 || item != target))
			i++;
		if (i == ITEMS_MAX) {
			scry_buf_puts(out, "an item");
			return true;
		}
	}
	if (i < q.count)
		scry_buf_printf(out, "[%" PRIu64 "]", i);
	return i < q.count;
}

static bool put_variable(struct climb *c, scry_addr frame, scry_addr target,
			 const struct scry_reference *last, struct scry_buf *out)
{
	struct scry_local local;
	struct scry_frame f;
	unsigned it = 0;

	if (scry_frame_at(c->h->runtime, frame, &f) < 0 || !f.code)
		return false;
	while (scry_frame_local_next(&f, &it, &local) == SCRY_ITEM)
		if (local.value == target) {
			scry_buf_puts(out, local.name);
			return true;
		}
	if (last->kind == SCRY_SLOT_ITEM)
		scry_buf_puts(out, "value stack");
	return last->kind == SCRY_SLOT_ITEM;
}

/* Whose items are all that a program sees of it. */
static bool is_container(struct climb *c, uint32_t object)
{
	static const enum scry_pypy_class classes[] = {
		SCRY_PYPY_CLASS_DICT,  SCRY_PYPY_CLASS_MODULE_DICT, SCRY_PYPY_CLASS_SET,
		SCRY_PYPY_CLASS_LIST,  SCRY_PYPY_CLASS_FROZENSET,   SCRY_PYPY_CLASS_DEQUE,
		SCRY_PYPY_CLASS_TUPLE,
	};
	struct scry_pypy *p = c->h->runtime->pypy;
	scry_addr addr = c->h->objects[object].addr;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &addr);

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (scry_pypy_is(p, t, classes[i]))
			return true;
	return false;
}

/*
 * All words on the way from a holder to the target: ".args_w[0]". Of a container the items alone:
 * "[3]" of a list, though the list has a field, which has an array, which has the item.
 */
static void put_way(struct climb *c, uint32_t holder, const struct scry_reference *last,
		    struct scry_buf *out)
{
	bool fields = !is_container(c, holder);

	for (uint32_t at = holder, to; at != c->refs->target; at = to) {
		struct edge e = { .c = c, .from = at, .to = to = next_of(c, at) };

		if (to == c->refs->target)
			take_first(&e, last);
		else
			scry_heap_visit(c->h, at, take_first, &e);
		if (e.found && e.ref.kind != SCRY_SLOT_WORD)
			put_item(c, holder, at, &e.ref, out);
		else if (e.found && fields)
			scry_slot_text(c->h, &e.ref, out);
	}
}

static const char *text_of(struct climb *c, uint32_t holder, enum scry_from kind,
			   const struct scry_reference *last)
{
	struct scry_heap *h = c->h;
	scry_addr addr = h->objects[holder].addr, target = h->objects[c->refs->target].addr;
	bool own = next_of(c, holder) == c->refs->target && last->kind == SCRY_SLOT_WORD;
	SCRY_AUTO_BUF(text);

	if (kind == SCRY_FROM_FRAME && !own)
		own = put_variable(c, addr, target, last, &text);
	else if (!scry_heap_type_of(h, holder)->inner)
		own = put_attribute(c, addr, target, &text) ||
		      put_index(c, addr, target, last, &text);
	else
		own = false;
	if (!own)
		put_way(c, holder, last, &text);
	return scry_arena_text(&h->runtime->session->arena, text.text, text.len);
}

/* --- who --- */

struct telling {
	struct climb *c;
	uint32_t holder;
	uint32_t last; /* the last one on the way: it has the words */
	bool sure;     /* the way there has no word that may be something else */
};

static const struct scry_thread *runs(struct climb *c, uint32_t frame)
{
	const struct scry_root *root = scry_graph_root_of(c->g, frame, NULL);

	while (root && root->kind != SCRY_ROOT_FRAME)
		root = scry_graph_root_of(c->g, frame, root);
	return root ? root->thread : NULL;
}

struct probe {
	scry_addr to;
	bool sure;
};

static void probe_edge(void *arg, const struct scry_reference *ref)
{
	struct probe *p = arg;

	p->sure |= ref->to == p->to && ref->certain;
}

/* Does one certainly refer to the other? */
static bool is_sure(struct scry_heap *h, uint32_t from, uint32_t to)
{
	struct probe p = { .to = h->objects[to].addr };

	scry_heap_visit(h, from, probe_edge, &p);
	return p.sure;
}

static void tell_edge(void *arg, const struct scry_reference *ref)
{
	struct telling *t = arg;
	struct climb *c = t->c;
	struct scry_heap *h = c->h;
	struct scry_found_ref one = { .object = t->holder,
				      .from = h->objects[t->holder].addr,
				      .certain = t->sure && ref->certain,
				      .counted = t->sure && ref->certain };

	if (ref->to != h->objects[c->refs->target].addr)
		return;
	one.kind = scry_from_kind(h, t->holder, &one.frame);
	if (one.kind == SCRY_FROM_FRAME)
		one.thread = runs(c, t->holder);
	one.slot = text_of(c, t->holder, one.kind, ref);
	scry_hash_add(c->known, ref->at);
	scry_refs_add(c->refs, &one);
}

/* The same holder by as many words as the last structure on the way has. */
static void tell(struct climb *c, uint32_t holder)
{
	struct telling t = { c, holder, holder, true };

	for (uint32_t to; (to = next_of(c, t.last)) != c->refs->target;) {
		t.sure = t.sure && is_sure(c->h, t.last, to);
		t.last = to;
	}
	scry_heap_visit(c->h, t.last, tell_edge, &t);
}

/* What is no object but leads to one on the way: the ways from there are told, too. */
static void tell_roots(struct climb *c, uint32_t node)
{
	static const enum scry_from kinds[] = {
		[SCRY_ROOT_INTERPRETER] = SCRY_FROM_STATIC,
		[SCRY_ROOT_FRAME] = SCRY_FROM_THREAD,
		[SCRY_ROOT_THREAD] = SCRY_FROM_THREAD,
		[SCRY_ROOT_STATIC] = SCRY_FROM_STATIC,
	};
	const struct scry_root *root = NULL;

	while ((root = scry_graph_root_of(c->g, node, root))) {
		struct scry_found_ref one = { .object = SCRY_HEAP_NONE,
					      .from = root->from ? root->from : root->at,
					      .thread = root->thread,
					      .slot = root->slot,
					      .certain = root->certain,
					      .counted = root->certain };

		if (root->kind == SCRY_ROOT_MODULE || root->from == c->h->objects[node].addr ||
		    (root->at && scry_hash_add(c->known, root->at) <= 0))
			continue;
		one.kind = kinds[root->kind];
		if (root->kind == SCRY_ROOT_STATIC)
			one.slot = scry_static_name(c->h, root->at);
		scry_refs_add(c->refs, &one);
	}
}

static bool is_context(struct climb *c, uint32_t object)
{
	scry_addr addr = c->h->objects[object].addr;
	struct scry_pypy *p = c->h->runtime->pypy;

	return scry_pypy_is(p, scry_pypy_type_of(p, &addr), SCRY_PYPY_CLASS_EC);
}

/* Does the way end there? */
static bool is_end(struct climb *c, uint32_t object, uintptr_t depth)
{
	return !scry_heap_type_of(c->h, object)->inner || depth >= WAY_MAX ||
	       c->first[object + 1] - c->first[object] > SHARED || is_context(c, object);
}

static void meet(struct climb *c, uint32_t object, uint32_t to, uintptr_t depth)
{
	if (scry_hash_find(&c->toward, object))
		return;
	if (!scry_hash_put(&c->toward, object, (void *)((uintptr_t)to + 1)) ||
	    !scry_hash_put(&c->depth, object, (void *)(depth + 1)) || c->end == c->room) {
		c->full = true;
		return;
	}
	c->queue[c->end++] = object;
}

static void climb(struct climb *c, uint32_t target)
{
	struct scry_session *s = c->h->runtime->session;

	meet(c, target, target, 0);
	while (c->done < c->end && !s->stopped && !c->full) {
		uint32_t node = c->queue[c->done++];
		uintptr_t depth = (uintptr_t)scry_hash_find(&c->depth, node) - 1;

		if (node != target && is_end(c, node, depth)) {
			tell(c, node);
			continue;
		}
		tell_roots(c, node);
		/* nothing leads to it but a word: it is shown itself */
		if (node != target && c->first[node] == c->first[node + 1])
			tell(c, node);
		for (uint32_t e = c->first[node]; e < c->first[node + 1]; e++)
			meet(c, c->from[e], node, depth + 1);
	}
}

int scry_pypy_refs(struct scry_heap *h, uint32_t target, struct scry_hash *known,
		   struct scry_refs *refs)
{
	struct climb c = { .h = h, .refs = refs, .known = known, .room = h->count + 1 };
	int rc = scry_graph_of(h, &c.g);

	rc = rc < 0 ? rc : scry_graph_reverse(c.g, &c.first, &c.from);
	c.queue = rc == SCRY_OK ? malloc(c.room * sizeof(*c.queue)) : NULL;
	if (c.queue)
		climb(&c, target);
	refs->full |= rc == SCRY_OK && (!c.queue || c.full);
	free(c.queue);
	free(c.first);
	free(c.from);
	scry_hash_done(&c.toward);
	scry_hash_done(&c.depth);
	return rc;
}
