/*
 * Walking what the collector knows. A list is circular; its head stands in the interpreter's or the
 * runtime's state.
 */
#include "memory/gc.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory/mimalloc.h"

#define STEPS_MAX ((uint64_t)1 << 32)

/*
 * PREV_MASK_COLLECTING and NEXT_MASK_UNREACHABLE live in the lowest bits:
 * Include/internal/pycore_gc.h, 3.8+.
 */
#define LINK(word)           ((word) & ~(uint64_t)3)
#define PREV_MASK_COLLECTING 2

/*
 * A header starts with its two links: PyGC_Head, Include/objimpl.h (to 3.7),
 * Include/internal/pycore_gc.h (3.8+).
 */
static scry_addr next_of(const struct scry_gc *gc, scry_addr node)
{
	uint64_t word = 0;

	return scry_read_ptr(gc->runtime->session, node, &word) < 0 ? 0 : LINK(word);
}

static scry_addr prev_of(const struct scry_gc *gc, scry_addr node)
{
	return next_of(gc, node + gc->runtime->session->target->abi.ptr_size);
}

/*
 * While a collection runs, the links back hold counts, and say so: Include/internal/pycore_gc.h,
 * 3.8+.
 */
static bool is_collecting(const struct scry_gc *gc, scry_addr node)
{
	uint64_t word;

	return gc->runtime->version >= 0x03080000 &&
	       scry_field_read(gc->runtime, node, SCRY_F_GC_HEAD_PREV, &word) == SCRY_OK &&
	       word & PREV_MASK_COLLECTING;
}

static bool is_list(const struct scry_gc *gc, scry_addr head)
{
	scry_addr next = next_of(gc, head);

	return next && (prev_of(gc, next) == head || is_collecting(gc, next));
}

static void add(struct scry_gc *gc, scry_addr head)
{
	if (gc->count < SCRY_GC_LISTS && is_list(gc, head))
		gc->heads[gc->count++] = head;
}

/*
 * `count` generations in a row, in a field of the struct at `base`. Debian's 3.13 has them four
 * bytes before where the header's text has them (its DWARF says so, too): what is a list tells.
 */
static void add_field(struct scry_gc *gc, scry_addr base, enum scry_field f, unsigned count)
{
	const struct scry_slot *slot = &gc->runtime->layout->slot[f];
	unsigned before = gc->count;

	for (unsigned back = 0; base && slot->size && back <= 4 && gc->count == before; back += 4)
		for (unsigned i = 0; i < count; i++)
			add(gc, base + slot->offset - back + i * (slot->size / count));
	gc->missing += base && slot->size ? count - (gc->count - before) : 0;
}

/*
 * Up to 3.7 the header is a union with a double or a long double, which differs by micro version
 * and by who patched it: 24 or 32 bytes. The header before a dictionary that is certainly tracked
 * tells.
 */
static uint32_t head_size(const struct scry_gc *gc, const struct scry_interp *interp)
{
	const struct scry_layout *l = gc->runtime->layout;
	unsigned ptr = gc->runtime->session->target->abi.ptr_size;
	scry_addr dicts[] = { interp->modules, interp->sysdict, interp->builtins };

	if (l->size[SCRY_S_GC_HEAD] && gc->runtime->version >= 0x03080000)
		return l->size[SCRY_S_GC_HEAD];
	for (size_t i = 0; i < sizeof(dicts) / sizeof(*dicts); i++)
		for (uint32_t size = 3 * ptr; dicts[i] && size <= 4 * ptr; size += ptr)
			if (is_list(gc, dicts[i] - size))
				return size;
	return l->size[SCRY_S_GC_HEAD];
}

/*
 * What gc.freeze() took out of the generations of 3.7 and 3.8 stands in a list behind them and a
 * pointer to the first: struct _gc_runtime_state, Include/internal/mem.h (3.7),
 * Include/internal/pycore_pymem.h (3.8).
 */
static void add_permanent(struct scry_gc *gc, scry_addr behind)
{
	unsigned ptr = gc->runtime->session->target->abi.ptr_size;

	if (gc->runtime->version < 0x03070000)
		return;
	add(gc, behind + ptr);
	if (gc->count == 3) /* the other alignment */
		add(gc, behind + 2 * ptr);
}

/*
 * Three generations in a row, whose distance depends on the header's alignment: of the possible
 * ones the right one finds a list thrice.
 */
static void add_three(struct scry_gc *gc, scry_addr first)
{
	for (uint32_t stride = gc->head_size + 8; stride <= gc->head_size + 16; stride += 8) {
		gc->count = 0;
		for (unsigned i = 0; i < 3; i++)
			add(gc, first + i * stride);
		if (gc->count == 3) {
			add_permanent(gc, first + 3 * stride);
			return;
		}
	}
	gc->count = 0;
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

static void begin_list(struct scry_gc *gc)
{
	gc->node = gc->anchor = 0;
	gc->power = 1;
	gc->lap = 0;
}

/*
 * From an object's header on to where its list comes through initialised data of a file: that is
 * the list's head.
 */
static scry_addr head_of(struct scry_gc *gc, scry_addr node)
{
	const struct scry_map *map = NULL;
	scry_addr start = node;

	for (uint64_t steps = 0; node && steps < STEPS_MAX; steps++) {
		if (!map || node < map->start || node >= map->end)
			map = scry_map_at(gc->runtime->session->target, node);
		if (!map)
			return 0;
		if (map->flags & SCRY_MAP_FILE)
			return node;
		gc->node = node;
		node = next_of(gc, node);
		if (node == start || is_cycle(gc))
			return 0;
	}
	return 0;
}

/*
 * Up to 3.6 the generations are a static array of gcmodule.c, which _PyGC_generation0 points to.
 * Without symbols the list that a dictionary of the interpreter stands in leads to the head of one
 * of the three.
 */
static void add_static(struct scry_gc *gc, struct scry_interp *interp)
{
	scry_addr dicts[] = { interp->modules, interp->sysdict, interp->builtins }, first;
	struct scry_module *m = gc->runtime->module;
	struct scry_symbol symbol;

	if (m && scry_module_symbol(m, "_PyGC_generation0", &symbol) == SCRY_OK &&
	    scry_read_ptr(gc->runtime->session, symbol.addr, &first) == SCRY_OK)
		add_three(gc, first);
	for (size_t i = 0; i < sizeof(dicts) / sizeof(*dicts) && !gc->count; i++) {
		scry_addr head = dicts[i] ? head_of(gc, dicts[i] - gc->head_size) : 0;

		begin_list(gc);
		/*
		 * the oldest first: of three lists in a row with others around them it must be
		 * these
		 */
		for (int back = 2; head && back >= 0 && !gc->count; back--)
			for (uint32_t stride = gc->head_size + 8;
			     stride <= gc->head_size + 16 && !gc->count; stride += 8)
				add_three(gc, head - (unsigned)back * stride);
	}
}

static int open_heap(struct scry_gc *gc, struct scry_interp *interp)
{
	int rc;

	gc->heap = malloc(sizeof(*gc->heap));
	if (!gc->heap)
		return scry_fail(gc->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	rc = scry_mimalloc_open(gc->heap, interp);
	if (rc < 0)
		scry_gc_done(gc);
	return rc;
}

int scry_gc_open(struct scry_gc *gc, struct scry_interp *interp)
{
	struct scry_runtime *r = interp->runtime;

	*gc = (struct scry_gc) { .runtime = r, .power = 1 };
	if (r->layout->flavour.free_threaded)
		return open_heap(gc, interp);
	gc->head_size = head_size(gc, interp);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_GENERATIONS, 3);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_YOUNG, 1);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_OLD, 2);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_PERMANENT, 1);
	if (r->version < 0x03080000 && scry_layout_has(r->layout, SCRY_F_RUNTIME_GC_GENERATIONS)) {
		add_three(gc, scry_field_addr(r, r->roots.runtime, SCRY_F_RUNTIME_GC_GENERATIONS));
		if (!gc->count) /* the other alignment */
			add_three(gc, scry_field_addr(r, r->roots.runtime,
						      SCRY_F_RUNTIME_GC_GENERATIONS) -
					      8);
	} else {
		add_field(gc, r->roots.runtime, SCRY_F_RUNTIME_GC_GENERATIONS, 3);
		if (gc->count == 3 && scry_layout_has(r->layout, SCRY_F_RUNTIME_GC_GENERATIONS))
			add_permanent(gc,
				      scry_field_addr(r, r->roots.runtime,
						      SCRY_F_RUNTIME_GC_GENERATIONS) +
					      r->layout->slot[SCRY_F_RUNTIME_GC_GENERATIONS].size);
	}
	if (!gc->count && r->version < 0x03070000)
		add_static(gc, interp);
	if (gc->count && gc->missing)
		scry_note(r->session,
			  "%u of the garbage collector's lists lead to memory that is damaged or "
			  "not in the dump",
			  gc->missing);
	if (gc->count && interp != r->interps &&
	    !scry_layout_has(r->layout, SCRY_F_INTERP_GC_GENERATIONS) &&
	    !scry_layout_has(r->layout, SCRY_F_INTERP_GC_YOUNG))
		/*
		 * before 3.9 all interpreters share one collector: the first has shown its objects
		 */
		gc->count = 0;
	else if (!gc->count)
		return scry_fail(r->session, SCRY_ENOTFOUND, interp->addr,
				 "the garbage collector's lists were not found");
	return SCRY_OK;
}

void scry_gc_done(struct scry_gc *gc)
{
	if (gc->heap)
		scry_mimalloc_done(gc->heap);
	free(gc->heap);
	gc->heap = NULL;
}

int scry_gc_next(struct scry_gc *gc, scry_addr *ret_object)
{
	struct scry_runtime *r = gc->runtime;

	if (gc->heap)
		return scry_mimalloc_next(gc->heap, ret_object);
	while (gc->at < gc->count && gc->steps++ < STEPS_MAX) {
		scry_addr head = gc->heads[gc->at];
		scry_addr next = next_of(gc, gc->node ? gc->node : head);

		if (next == head) {
			gc->at++;
			begin_list(gc);
			continue;
		}
		gc->node = next;
		if (!next || is_cycle(gc)) {
			scry_note(r->session,
				  "the garbage collector's list at 0x%" PRIx64 " is damaged", head);
			gc->at++;
			begin_list(gc);
			continue;
		}
		*ret_object = next + gc->head_size;
		return SCRY_ITEM;
	}
	return SCRY_OK;
}
