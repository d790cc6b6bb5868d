/* All objects: types, instances of one, who refers to one. */
#include "api/api.h"

#include "base/interrupt.h"
#include "heap/referrers.h"

int scry_api_heap(struct scry_session *s, struct scry_heap **ret)
{
	int rc = SCRY_OK;

	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next) {
		struct scry_interrupt interrupt;
		bool made = r->heap_state; /* else it takes as long as there are many objects */

		if (!made)
			scry_interrupt_begin(s, &interrupt);
		rc = scry_heap_of(r, ret);
		if (!made)
			scry_interrupt_end(&interrupt);
		if (s->stopped) /* by a signal that may have come when all was read */
			return scry_api_end(s, rc);
		if (rc == SCRY_OK)
			return rc;
	}
	return rc < 0 ? rc : scry_fail(s, SCRY_ENOTFOUND, 0, "no Python interpreter was found");
}

int scry_heap_next(struct scry_session *s, unsigned *it, struct scry_heap_count *ret)
{
	struct scry_heap *h;
	int rc = scry_api_begin(s);

	rc = rc < 0 ? rc : scry_api_heap(s, &h);
	for (; rc == SCRY_OK && *it < h->type_count; ++*it) {
		struct scry_heap_type *t = h->types[*it];

		if (!t->count)
			continue;
		*ret = (struct scry_heap_count) { scry_heap_type_name(h, t), t->count, t->bytes };
		rc = SCRY_ITEM;
	}
	return s->target ? scry_api_end(s, rc) : rc;
}

/* --- instances --- */

/* Which types have the name: as a whole, or, where none has it so, as its last part. */
static size_t mark_types(struct scry_heap *h, const char *name, bool whole, uint8_t *mark)
{
	size_t found = 0;

	for (size_t i = 0; i < h->type_count; i++) {
		const char *full = scry_heap_type_name(h, h->types[i]), *dot = strrchr(full, '.');

		mark[i] = h->types[i]->count && !strcmp(whole || !dot ? full : dot + 1, name);
		found += mark[i];
	}
	return found;
}

static int choose_types(struct scry_session *s, struct scry_heap *h, const char *name,
			struct scry_handed *handed)
{
	if (handed->instances_of && !strcmp(handed->instances_of, name) &&
	    handed->instance_type_count == h->type_count)
		return SCRY_OK;
	uint8_t *mark = scry_arena_alloc(&s->arena, h->type_count + 1);
	const char *kept = scry_arena_text(&s->arena, name, strlen(name));

	handed->instances_of = NULL;
	if (!mark || !kept)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	if (!mark_types(h, name, true, mark) && !mark_types(h, name, false, mark))
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no type '%.100s' has objects", name);
	handed->instances_of = kept;
	handed->instance_types = mark;
	handed->instance_type_count = h->type_count;
	return SCRY_OK;
}

int scry_instance_next(struct scry_session *s, const char *type, uint64_t *it,
		       struct scry_object *ret)
{
	struct scry_handed *handed;
	struct scry_heap *h;
	int rc = scry_api_begin(s);

	if (rc < 0 || (rc = scry_api_heap(s, &h)) < 0)
		return s->target ? scry_api_end(s, rc) : rc;
	handed = scry_api_handed(s);
	rc = handed ? choose_types(s, h, type, handed) : SCRY_ENOMEM;
	if (rc < 0)
		return scry_api_end(s, rc);
	for (uint64_t i = *it; i < h->count; i++) {
		if (h->objects[i].type >= handed->instance_type_count ||
		    !handed->instance_types[h->objects[i].type])
			continue;
		*it = i + 1;
		scry_api_hand_object(s, h->runtime, h->objects[i].addr, ret);
		return SCRY_ITEM;
	}
	*it = h->count;
	return SCRY_OK;
}

/* --- references --- */

static void hand_referrer(struct scry_heap *h, const struct scry_found_ref *ref,
			  struct scry_referrer *ret)
{
	*ret = (struct scry_referrer) {
		.kind = scry_from_names[ref->kind],
		.slot = ref->slot,
		.addr = ref->from,
		.tid = ref->thread ? ref->thread->tid
		       : ref->os   ? ref->os->tid
				   : 0,
		.certain = ref->certain,
	};
	if (ref->object != SCRY_HEAP_NONE)
		scry_api_hand_object(h->runtime->session, h->runtime, h->objects[ref->object].addr,
				     &ret->from);
}

static int find_referrers(struct scry_session *s, scry_addr addr, struct scry_handed *handed)
{
	struct scry_refs refs = { 0 };
	struct scry_heap *h;
	int rc = scry_api_heap(s, &h);

	if (rc < 0)
		return rc;
	uint32_t object = scry_heap_find(h, addr);
	if (object == SCRY_HEAP_NONE)
		return scry_fail(s, SCRY_ENOTFOUND, addr, "no object of the heap at 0x%" PRIx64,
				 addr);
	struct scry_interrupt interrupt;
	scry_interrupt_begin(s, &interrupt);
	rc = scry_refs_find(h, object, false, &refs);
	scry_interrupt_end(&interrupt);
	if (rc >= 0) {
		handed->referrers =
			scry_arena_alloc(&s->arena, (refs.count + 1) * sizeof(*handed->referrers));
		rc = handed->referrers && !refs.full
			     ? SCRY_OK
			     : scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	}
	for (size_t i = 0; rc >= 0 && i < refs.count; i++)
		hand_referrer(h, &refs.list[i], &handed->referrers[i]);
	handed->referrer_count = refs.count;
	handed->referred = rc >= 0 && !s->stopped ? addr : 0;
	scry_refs_done(&refs);
	return rc < 0 ? rc : SCRY_OK;
}

int scry_referrer_next(const struct scry_object *o, unsigned *it, struct scry_referrer *ret)
{
	SCRY_AUTO_BUF(name);
	struct scry_handed *handed;
	struct scry_eval e;
	int rc = scry_api_open(o, "", &name, &e);

	if (rc < 0)
		return rc;
	if (o->value)
		return scry_eval_fail(&e, SCRY_EUNSUPPORTED,
				      "nothing refers to what is not an object");
	handed = scry_api_handed(e.s);
	if (!handed)
		return SCRY_ENOMEM;
	if (handed->referred != o->addr)
		rc = find_referrers(e.s, o->addr, handed);
	rc = scry_api_end(e.s, rc);
	if (rc < 0 || *it >= handed->referrer_count)
		return rc;
	*ret = handed->referrers[(*it)++];
	return SCRY_ITEM;
}
