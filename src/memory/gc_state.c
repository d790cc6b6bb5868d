/*
 * The collector's state: struct _gc_runtime_state, Include/internal/pycore_gc.h (3.7+), of the
 * runtime, since 3.9 of each interpreter. Before, static variables of Modules/gcmodule.c.
 */
#include "memory/gc_state.h"

static bool has_own_state(const struct scry_runtime *r)
{
	return scry_layout_has(r->layout, SCRY_F_INTERP_GC_ENABLED);
}

/* A field of the interpreter's, or of the runtime's that all of them share. */
static bool read_state(const struct scry_interp *i, enum scry_field own, enum scry_field shared,
		       uint64_t *ret)
{
	struct scry_runtime *r = i->runtime;

	if (has_own_state(r))
		return scry_field_read(r, i->addr, own, ret) == SCRY_OK;
	return r->roots.runtime && scry_field_read(r, r->roots.runtime, shared, ret) == SCRY_OK;
}

/* Static variables, by their symbols: they are there where the file was not stripped. */
static bool read_static(struct scry_runtime *r, const char *name, unsigned size, uint64_t *ret)
{
	struct scry_symbol symbol;

	return scry_trait(r, SCRY_TRAIT_COLLECTING_IS_STATIC) && r->module &&
	       scry_module_symbol(r->module, name, &symbol) == SCRY_OK && symbol.size == size &&
	       scry_read_uint(r->session, symbol.addr, size, ret) == SCRY_OK;
}

/* struct gc_generation: a header, the threshold, the count */
static void read_counts(const struct scry_gc *gc, struct scry_gc_summary *s)
{
	for (unsigned i = 0; i < gc->count; i++) {
		int generation = gc->lists[i].generation;
		scry_addr at = gc->lists[i].head + gc->head_size;
		struct scry_gc_counted *c;

		if (generation < 0 || generation >= SCRY_GC_GENERATIONS)
			continue;
		c = &s->generation[generation];
		if (s->generations <= (unsigned)generation)
			s->generations = (unsigned)generation + 1;
		c->has_counts =
			scry_read_int(gc->runtime->session, at, 4, &c->threshold) == SCRY_OK &&
			scry_read_int(gc->runtime->session, at + 4, 4, &c->count) == SCRY_OK;
	}
}

/* Without lists: the same structs, whose heads are not used. Python/gc_free_threading.c */
static void read_free_threaded(struct scry_gc_summary *s)
{
	struct scry_runtime *r = s->interp->runtime;
	const struct scry_layout *l = r->layout;
	const struct scry_slot *all = &l->slot[SCRY_F_INTERP_GC_GENERATIONS],
			       *young = &l->slot[SCRY_F_INTERP_GC_YOUNG],
			       *old = &l->slot[SCRY_F_INTERP_GC_OLD];
	unsigned head = 2 * r->session->target->abi.ptr_size;
	scry_addr at[SCRY_GC_GENERATIONS] = { 0 };

	for (unsigned i = 0; i < SCRY_GC_GENERATIONS; i++) {
		if (all->size)
			at[i] = s->interp->addr + all->offset + i * all->size / 3;
		else if (young->size && !i)
			at[i] = s->interp->addr + young->offset;
		else if (old->size && i)
			at[i] = s->interp->addr + old->offset + (i - 1) * old->size / 2;
	}
	for (unsigned i = 0; i < SCRY_GC_GENERATIONS && at[i]; i++) {
		struct scry_gc_counted *c = &s->generation[i];

		s->generations = i + 1;
		c->has_counts =
			scry_read_int(r->session, at[i] + head, 4, &c->threshold) == SCRY_OK &&
			scry_read_int(r->session, at[i] + head + 4, 4, &c->count) == SCRY_OK;
	}
}

static void count_objects(struct scry_gc *gc, struct scry_gc_summary *s)
{
	scry_addr object;

	while (scry_gc_next(gc, &object) == SCRY_ITEM) {
		struct scry_gc_state state;

		if (gc->heap) {
			scry_gc_state_read(gc->runtime, object, &state);
			s->permanent += state.frozen;
			s->generation[0].objects += !state.frozen;
		} else if (gc->generation == SCRY_GC_PERMANENT) {
			s->permanent++;
		} else if (gc->generation >= 0 && gc->generation < SCRY_GC_GENERATIONS) {
			s->generation[gc->generation].objects++;
		}
	}
}

/*
 * A collection sets the counts of what it collects to 0 and adds one to that of the next
 * generation: gc_collect_main().
 */
int scry_gc_collected(const struct scry_gc_summary *s, bool has_callbacks)
{
	struct scry_runtime *r = s->interp->runtime;

	if (!s->interp->gc_running || s->generations < SCRY_GC_GENERATIONS ||
	    r->layout->flavour.free_threaded ||
	    scry_layout_has(r->layout, SCRY_F_INTERP_GC_YOUNG) || has_callbacks)
		return SCRY_GC_GENERATION_NONE;
	for (int i = 1; i < SCRY_GC_GENERATIONS; i++)
		if (s->generation[i].count > 0)
			return i - 1;
	return SCRY_GC_GENERATIONS - 1;
}

int scry_gc_summarise(struct scry_interp *interp, struct scry_gc_summary *ret)
{
	struct scry_runtime *r = interp->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_gc_summary s = { .interp = interp, .enabled = -1, .debug = -1 };
	struct scry_gc gc;
	uint64_t word;

	if (read_state(interp, SCRY_F_INTERP_GC_ENABLED, SCRY_F_RUNTIME_GC_ENABLED, &word) ||
	    read_static(r, "enabled", 4, &word))
		s.enabled = word & UINT32_MAX ? 1 : 0;
	if (read_state(interp, SCRY_F_INTERP_GC_DEBUG, SCRY_F_RUNTIME_GC_DEBUG, &word) ||
	    read_static(r, "debug", 4, &word))
		s.debug = (int64_t)(word & UINT32_MAX);
	if (!read_state(interp, SCRY_F_INTERP_GC_GARBAGE, SCRY_F_RUNTIME_GC_GARBAGE, &s.garbage))
		read_static(r, "garbage", ptr, &s.garbage);
	read_state(interp, SCRY_F_INTERP_GC_CALLBACKS, SCRY_F_RUNTIME_GC_CALLBACKS, &s.callbacks);
	s.shared = interp != r->interps && !has_own_state(r);
	int rc = scry_gc_open(&gc, interp);
	if (rc >= 0) {
		if (gc.heap)
			read_free_threaded(&s);
		else
			read_counts(&gc, &s);
		count_objects(&gc, &s);
		scry_gc_done(&gc);
	}
	*ret = s;
	return rc;
}
