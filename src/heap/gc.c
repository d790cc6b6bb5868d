/* Walking the collector's lists. A list is circular; its head stands in the interpreter's or the runtime's state. */
#include "heap/gc.h"

#include <inttypes.h>

#define STEPS_MAX ((uint64_t)1 << 32)

/* PREV_MASK_COLLECTING and NEXT_MASK_UNREACHABLE live in the lowest bits: Include/internal/pycore_gc.h, 3.8+. */
#define LINK(word) ((word) & ~(uint64_t)3)

static scry_addr link_at(struct scry_runtime *r, scry_addr node, enum scry_field f)
{
	uint64_t word = 0;

	return scry_field_read(r, node, f, &word) < 0 ? 0 : LINK(word);
}

static bool is_list(struct scry_runtime *r, scry_addr head)
{
	scry_addr next = link_at(r, head, SCRY_F_GC_HEAD_NEXT);

	return next && link_at(r, next, SCRY_F_GC_HEAD_PREV) == head;
}

static void add(struct scry_gc *gc, scry_addr head)
{
	if (gc->count < SCRY_GC_LISTS && is_list(gc->runtime, head))
		gc->heads[gc->count++] = head;
}

/* `count` generations in a row, in a field of the struct at `base`. */
static void add_field(struct scry_gc *gc, scry_addr base, enum scry_field f, unsigned count)
{
	const struct scry_slot *slot = &gc->runtime->layout->slot[f];

	for (unsigned i = 0; base && slot->size && i < count; i++)
		add(gc, base + slot->offset + i * (slot->size / count));
}

/*
 * Up to 3.6 the generations are a static array of gcmodule.c, which _PyGC_generation0 points to. How far they are
 * apart depends on the header's alignment: of the possible distances the right one finds a list thrice.
 */
static void add_static(struct scry_gc *gc, struct scry_module *m)
{
	struct scry_runtime *r = gc->runtime;
	uint32_t size = r->layout->size[SCRY_S_GC_HEAD];
	struct scry_symbol symbol;
	scry_addr first;

	if (!m || !size || scry_module_symbol(m, "_PyGC_generation0", &symbol) < 0 ||
	    scry_read_ptr(r->session, symbol.addr, &first) < 0)
		return;
	for (uint32_t stride = size + 8; stride <= size + 16; stride += 8) {
		gc->count = 0;
		for (unsigned i = 0; i < 3; i++)
			add(gc, first + i * stride);
		if (gc->count == 3)
			return;
	}
}

int scry_gc_open(struct scry_gc *gc, struct scry_interp *interp)
{
	struct scry_runtime *r = interp->runtime;

	*gc = (struct scry_gc){ .runtime = r, .power = 1 };
	if (r->layout->flavour.free_threaded)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, 0,
				 "a free-threaded Python keeps no list of its objects");
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_GENERATIONS, 3);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_YOUNG, 1);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_OLD, 2);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_PERMANENT, 1);
	add_field(gc, r->roots.runtime, SCRY_F_RUNTIME_GC_GENERATIONS, 3);
	if (!gc->count && r->version < 0x03070000)
		add_static(gc, r->module);
	if (!gc->count)
		return scry_fail(r->session, SCRY_ENOTFOUND, interp->addr,
				 "the garbage collector's lists were not found");
	return SCRY_OK;
}

static bool is_cycle(struct scry_gc *gc)
{
	if (gc->node == gc->anchor)
		return true;
	if (gc->lap++ == gc->power) {
		gc->anchor = gc->node;
		gc->power *= 2;
		gc->lap = 0;
	}
	return false;
}

static void next_list(struct scry_gc *gc)
{
	gc->at++;
	gc->node = gc->anchor = 0;
	gc->power = 1;
	gc->lap = 0;
}

int scry_gc_next(struct scry_gc *gc, scry_addr *ret_object)
{
	struct scry_runtime *r = gc->runtime;

	while (gc->at < gc->count && gc->steps++ < STEPS_MAX) {
		scry_addr head = gc->heads[gc->at];
		scry_addr next = link_at(r, gc->node ? gc->node : head, SCRY_F_GC_HEAD_NEXT);

		if (next == head) {
			next_list(gc);
			continue;
		}
		gc->node = next;
		if (!next || is_cycle(gc)) {
			scry_note(r->session, "the garbage collector's list at 0x%" PRIx64 " is damaged", head);
			next_list(gc);
			continue;
		}
		*ret_object = next + r->layout->size[SCRY_S_GC_HEAD];
		return SCRY_ITEM;
	}
	return SCRY_OK;
}
