/*
 * What of PyPy's is at an address: an object that its collector reaches, one that it does not
 * reach and has not freed yet, a free place; in the nursery, in a page of an arena, in the module.
 */
#include "command/layers.h"
#include "heap/scan.h"
#include "heap/visit.h"
#include "memory/malloc.h"
#include "memory/stack.h"
#include "object/pypy/pypy_printers.h"

#define NURSERY_MAX 50000000u /* objects of a nursery that are gone through */
#define BACK_MAX    4096      /* bytes before an address at which a prebuilt object may begin */

/* An object that the list of all has: alive. */
static bool add_reached(struct scry_layers *l, struct scry_heap *h)
{
	uint32_t object = scry_heap_inside(h, l->addr);

	if (object == SCRY_HEAP_NONE)
		return false;
	struct scry_heap_type *t = scry_heap_type_of(h, object);
	struct scry_layer *layer = scry_layer_add(l, SCRY_LAYER_OBJECT, h->objects[object].addr,
						  scry_heap_bytes(h, object));

	layer->object = t->no_repr ? 0 : layer->address;
	layer->type = scry_heap_type_name(h, t);
	layer->field = scry_heap_field_at(h, object, (uint64_t)layer->offset);
	layer->alive = SCRY_ALIVE_YES;
	l->start = layer->address;
	l->end = layer->address + layer->size;
	return true;
}

/* What has a type and a size, but is not reached. */
static bool add_unreached(struct scry_layers *l, scry_addr at, bool certain)
{
	struct scry_pypy *p = l->runtime->pypy;
	scry_addr object = at, class;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);
	uint64_t size = t && object == at ? scry_pypy_size_of(p, t, at) : 0;

	if (l->addr < at || l->addr - at >= size)
		return false;
	struct scry_layer *layer = scry_layer_add(l, SCRY_LAYER_OBJECT, at, size);

	class = scry_pypy_is(p, t, SCRY_PYPY_CLASS_ROOT) ? scry_pypy_type_object(l->runtime, t, at)
							 : 0;
	layer->type = class ? scry_pypy_class_name(l->runtime, class, true) : NULL;
	if (!layer->type)
		layer->type = t->name;
	/* a register, an extension in C or a pending finalizer may keep it */
	layer->alive = SCRY_ALIVE_UNKNOWN;
	layer->unreached = scry_pypy_place_of(p, at) != SCRY_PYPY_PREBUILT;
	layer->certain = certain;
	l->start = at;
	l->end = at + size;
	return true;
}

static struct scry_layer *add_block(struct scry_layers *l, const char *allocator, scry_addr start,
				    uint64_t size, bool free)
{
	struct scry_layer *layer =
		scry_layer_add(l, free ? SCRY_LAYER_FREE_BLOCK : SCRY_LAYER_BLOCK, start, size);

	layer->allocator = allocator;
	layer->alive = free ? SCRY_ALIVE_NO : SCRY_ALIVE_YES;
	return layer;
}

/* Young objects are made one after another: their sizes lead from each to the next one. */
static void find_in_nursery(struct scry_layers *l, bool found)
{
	struct scry_pypy *p = l->runtime->pypy;
	scry_addr at = p->nursery;
	bool free = l->addr >= p->nursery_free;

	for (uint32_t i = 0; !found && !free && at <= l->addr && i < NURSERY_MAX; i++) {
		scry_addr object = at;
		const struct scry_pypy_type *t = scry_pypy_type_of(p, &object);
		uint64_t size = t && object == at ? scry_pypy_size_of(p, t, at) : 0;

		if (!size || size > p->nursery_free - at)
			break;
		if (l->addr - at < size)
			found = add_unreached(l, at, true);
		at += size;
	}
	if (free && !found)
		add_block(l, "PyPy's nursery", p->nursery_free, p->nursery_end - p->nursery_free,
			  true);
	else
		add_block(l, "PyPy's nursery", p->nursery, p->nursery_end - p->nursery, false);
}

/* The blocks of a page have one size: that of an object which is reached there. */
static uint64_t block_size(struct scry_heap *h, const struct scry_pypy_page *page)
{
	uint32_t i = scry_heap_before(h, page->start + page->size - 1);

	return i != SCRY_HEAP_NONE && h->objects[i].addr >= page->start ? scry_heap_bytes(h, i) : 0;
}

static void find_in_page(struct scry_layers *l, struct scry_heap *h,
			 const struct scry_pypy_page *page, bool found)
{
	uint64_t size = block_size(h, page);
	scry_addr start = l->addr;
	bool free = false;

	if (size && l->addr >= page->first)
		start = l->addr - (l->addr - page->first) % size;
	if (!found && size && l->addr >= page->first) {
		l->start = start;
		l->end = start + size;
		free = scry_pypy_is_free(l->runtime->pypy, page, start);
		if (!free)
			add_unreached(l, start, true);
	}
	if (size && l->addr >= page->first)
		add_block(l, "PyPy's arenas", start, size, free);
	else
		add_block(l, "PyPy's arenas, page", page->start, page->size, false);
}

/* Prebuilt objects that nothing but others of them leads to are not in the list. */
static void find_prebuilt(struct scry_layers *l)
{
	scry_addr at = l->addr & ~(scry_addr)7;

	for (unsigned back = 0; back < BACK_MAX; back += 8)
		if (scry_pypy_stands(l->runtime->pypy, at - back) &&
		    add_unreached(l, at - back, false))
			return;
}

/* --- words that lead there --- */

#define WORDS_MAX 100000

struct words {
	struct scry_layers *l; /* `start` and `end` are asked about */
	struct scry_heap *h;
};

struct naming {
	struct words *w;
	scry_addr at;
	const char *text;
};

static void name_slot(void *arg, const struct scry_reference *ref)
{
	struct naming *n = arg;
	SCRY_AUTO_BUF(text);

	if (ref->at != n->at || n->text)
		return;
	scry_slot_text(n->w->h, ref, &text);
	n->text = scry_arena_text(&n->w->l->session->arena, text.text, text.len);
}

/* Whose a word is: of an object that is reached, else where it is. */
static bool find_holder(struct words *w, scry_addr at, struct scry_pointing *ref)
{
	struct scry_runtime *r = w->h->runtime;
	struct scry_target *target = r->session->target;
	uint32_t object = scry_heap_inside(w->h, at);
	struct scry_pypy_page page;
	struct naming naming = { w, at, NULL };
	struct scry_malloc_chunk chunk;
	const struct scry_map *map;

	if (object != SCRY_HEAP_NONE) {
		struct scry_heap_type *t = scry_heap_type_of(w->h, object);

		ref->kind = SCRY_HOLDER_OBJECT;
		ref->holder = w->h->objects[object].addr;
		ref->type = t->type;
		ref->no_repr = t->no_repr;
		scry_heap_visit(w->h, object, name_slot, &naming);
		/* a number that is the address, too, is told by the field that has it */
		ref->slot = naming.text ? naming.text
					: scry_heap_field_at(w->h, object, at - ref->holder);
		return true;
	}
	map = scry_map_at(target, at);
	if (scry_stack_has(r, at)) {
		ref->kind = SCRY_HOLDER_STACK;
	} else if ((at >= r->pypy->start && at < r->pypy->end) ||
		   (map && map->flags & SCRY_MAP_FILE)) {
		ref->kind = SCRY_HOLDER_STATIC;
	} else {
		ref->kind = SCRY_HOLDER_CHUNK;
		/* free memory of the collector's is full of words from before */
		if (scry_pypy_place_of(r->pypy, at) == SCRY_PYPY_YOUNG)
			return at < r->pypy->nursery_free;
		if (scry_pypy_page_of(r->pypy, at, &page)) {
			uint64_t size = block_size(w->h, &page);

			if (!size || at < page.first)
				return true;
			ref->holder = at - (at - page.first) % size;
			return !scry_pypy_is_free(r->pypy, &page, ref->holder);
		}
		if (scry_malloc_find(r, at, &chunk)) {
			ref->holder = chunk.start;
			return !scry_malloc_is_free(&chunk);
		}
	}
	return true;
}

static void take_word(void *arg, scry_addr at, scry_addr word)
{
	struct words *w = arg;
	struct scry_owners *o = &w->l->owners;
	struct scry_pointing ref = { .at = at, .word = word }, *list;

	/* the object's own words */
	if ((at >= w->l->start && at < w->l->end) || !find_holder(w, at, &ref))
		return;
	if (o->reference_count == o->reference_room) {
		size_t room = o->reference_room ? 2 * o->reference_room : 64;

		list = room > WORDS_MAX
			       ? NULL
			       : scry_arena_alloc(&w->l->session->arena, room * sizeof(*list));
		o->cut |= !list;
		if (!list)
			return;
		if (o->reference_count)
			memcpy(list, o->references, o->reference_count * sizeof(*list));
		o->references = list;
		o->reference_room = room;
	}
	o->references[o->reference_count++] = ref;
}

/* --- memory of C's that an object has --- */

/* RPython's classes, and the field that has what was allocated for them alone. */
static const struct {
	const char *class, *field;
} owners[] = {
	{ "pypy.module._cffi_backend.cdataobj.W_CDataNew", "_ptr" },
	{ "pypy.module.array.interp_array.W_Array", "_buffer" },
};

struct owning {
	struct scry_layers *l;
	struct scry_heap *h;
	scry_addr start; /* of the memory */
	scry_addr owner;
	const char *type, *field;
	bool certain;
};

/* Who else has the address of its first byte may only use it. */
static void take_owner(void *arg, scry_addr at, scry_addr word)
{
	struct owning *o = arg;
	struct scry_pypy *p = o->l->runtime->pypy;
	uint32_t object = word == o->start ? scry_heap_inside(o->h, at) : SCRY_HEAP_NONE;

	if (object == SCRY_HEAP_NONE || o->certain || scry_heap_type_of(o->h, object)->no_repr)
		return;
	scry_addr addr = o->h->objects[object].addr, same = addr;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &same);
	const char *field = t ? scry_pypy_field_at(p, t, at - addr) : NULL;

	for (size_t i = 0; field && i < sizeof(owners) / sizeof(*owners); i++)
		o->certain |= !strncmp(t->name, owners[i].class, strlen(owners[i].class)) &&
			      !strcmp(field, owners[i].field);
	if (o->owner && !o->certain)
		return;
	o->owner = addr;
	o->type = scry_heap_type_name(o->h, scry_heap_type_of(o->h, object));
	o->field = field;
}

void scry_layers_find_pypy_owner(struct scry_layers *l, scry_addr start, uint64_t size)
{
	struct owning o = { .l = l, .start = start };
	struct scry_layer *layer;

	if (l->count || scry_heap_of(l->runtime, &o.h) < 0)
		return; /* it is the collector's own */
	scry_scan_words(o.h, SCRY_SCAN_HEAPS | SCRY_SCAN_FILES, start, start + 1, take_owner, &o);
	if (!o.owner)
		return;
	layer = scry_layer_add(l, SCRY_LAYER_PART, start, size);
	layer->type = o.type;
	layer->field = o.field;
	layer->alive = SCRY_ALIVE_YES;
	layer->certain = o.certain;
	layer->object = o.owner;
	layer = scry_layer_add(l, SCRY_LAYER_OBJECT, o.owner,
			       scry_heap_bytes(o.h, scry_heap_find(o.h, o.owner)));
	layer->type = o.type;
	layer->object = o.owner;
	layer->alive = SCRY_ALIVE_YES;
	layer->certain = o.certain;
	layer->owner = true;
}

void scry_layers_find_pypy_words(struct scry_layers *l)
{
	struct words w = { l, NULL };

	if (l->start >= l->end) {
		l->start = l->addr;
		l->end = l->addr + 1;
	}
	if (scry_heap_of(l->runtime, &w.h) == SCRY_OK &&
	    scry_scan_words(w.h, SCRY_SCAN_ALL, l->start, l->end, take_word, &w) < 0)
		l->owners.cut = true;
}

void scry_layers_find_pypy(struct scry_layers *l)
{
	struct scry_pypy *p = l->runtime->pypy;
	struct scry_pypy_page page;
	struct scry_heap *h;

	if (scry_heap_of(l->runtime, &h) < 0) {
		l->error = scry_arena_text(&l->session->arena, l->session->error.text,
					   strlen(l->session->error.text));
		return;
	}
	bool found = add_reached(l, h);
	enum scry_pypy_place place = scry_pypy_place_of(p, l->addr);

	if (place == SCRY_PYPY_YOUNG)
		find_in_nursery(l, found);
	else if (place == SCRY_PYPY_PREBUILT && !found)
		find_prebuilt(l);
	else if (place == SCRY_PYPY_OLD && scry_pypy_page_of(p, l->addr, &page))
		find_in_page(l, h, &page, found);
}
