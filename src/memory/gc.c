/*
 * Walking what the collector knows. A list is circular; its head is in the interpreter's or the
 * runtime's state.
 */
#include "memory/gc.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory/memory.h"
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

	return !scry_layout_has(gc->runtime->layout, SCRY_F_GC_HEAD_REFS) &&
	       scry_field_read(gc->runtime, node, SCRY_F_GC_HEAD_PREV, &word) == SCRY_OK &&
	       word & PREV_MASK_COLLECTING;
}

static bool is_list(const struct scry_gc *gc, scry_addr head)
{
	scry_addr next = next_of(gc, head);

	return next && (prev_of(gc, next) == head || is_collecting(gc, next));
}

/* --- headers --- */

/* With a third word, the references that are left: to 3.7. */
static bool has_old_header(const struct scry_runtime *r)
{
	return scry_layout_has(r->layout, SCRY_F_GC_HEAD_REFS);
}

/*
 * Old headers are a union with something large, which differs by micro version and by who patched
 * it: words of the header, words that it is aligned to. Include/objimpl.h.
 */
static const struct {
	uint8_t words, align;
} old_headers[] = {
	{ 3, 1 }, /* a double: 3.4 to 3.7.3 */
	{ 4, 2 }, /* a long double: 3.3, 3.7.4+, and what distributors made of others */
	{ 4, 1 }, /* 32 bytes of its own: 2.7.18 */
};

static bool is_tracked_by(struct scry_runtime *r, scry_addr object, uint32_t head_size)
{
	struct scry_gc gc = { .runtime = r };

	return object && is_list(&gc, object - head_size);
}

/* A dictionary that is certainly tracked shows it. */
static uint32_t measure_head(struct scry_runtime *r)
{
	unsigned ptr = r->session->target->abi.ptr_size;

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		scry_addr dicts[] = { i->modules, i->sysdict, i->builtins };

		for (size_t d = 0; d < sizeof(dicts) / sizeof(*dicts); d++)
			for (uint32_t size = 3 * ptr; size <= 4 * ptr; size += ptr)
				if (is_tracked_by(r, dicts[d], size))
					return size;
	}
	return 0;
}

uint32_t scry_gc_head_size(struct scry_runtime *r, bool *ret_sure)
{
	struct scry_memory *memory = scry_memory_of(r);

	*ret_sure = true;
	if (scry_layout_has(r->layout, SCRY_F_OBJECT_GC_BITS) || !memory)
		return 0;
	if (!has_old_header(r))
		return r->layout->size[SCRY_S_GC_HEAD];
	if (!memory->head_known) {
		memory->head_size = measure_head(r);
		memory->head_measured = memory->head_size != 0;
		if (!memory->head_size)
			memory->head_size = r->layout->size[SCRY_S_GC_HEAD];
		memory->head_known = true;
	}
	*ret_sure = memory->head_measured;
	return memory->head_size;
}

/* --- the lists --- */

static void add(struct scry_gc *gc, scry_addr head, int generation)
{
	if (gc->count < SCRY_GC_LISTS && is_list(gc, head))
		gc->lists[gc->count++] = (struct scry_gc_list) { head, generation };
}

/*
 * Where lists are beside where the layout has them: of the possible places the right one has the
 * most of them.
 */
static const int8_t shifts[] = {
	0, -4, /* Debian's 3.13 (its DWARF says so, too) */
	-8,    /* before headers of another alignment, to 3.7 */
};

static unsigned count_lists(const struct scry_gc *gc, scry_addr first, uint32_t stride,
			    unsigned count)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		found += is_list(gc, first + i * stride);
	return found;
}

/* The best place of `count` lists at a distance of `stride` from one another. */
static unsigned try_stride(const struct scry_gc *gc, scry_addr at, uint32_t stride, unsigned count,
			   unsigned best, scry_addr *ret_first, uint32_t *ret_stride)
{
	for (size_t i = 0; i < sizeof(shifts) / sizeof(*shifts) && best < count; i++) {
		unsigned found = count_lists(gc, at + shifts[i], stride, count);

		if (found <= best)
			continue;
		best = found;
		*ret_first = at + shifts[i];
		*ret_stride = stride;
	}
	return best;
}

/*
 * A generation is a header and two ints: struct gc_generation. With old headers its size follows
 * from theirs.
 */
static unsigned find_lists(const struct scry_gc *gc, scry_addr at, uint32_t stride, unsigned count,
			   scry_addr *ret_first, uint32_t *ret_stride)
{
	unsigned ptr = gc->runtime->session->target->abi.ptr_size, best = 0;
	size_t rows = has_old_header(gc->runtime) ? sizeof(old_headers) / sizeof(*old_headers) : 0;

	if (stride)
		best = try_stride(gc, at, stride, count, 0, ret_first, ret_stride);
	for (size_t i = 0; i < rows && best < count; i++) {
		uint32_t align = old_headers[i].align * ptr,
			 size = (gc->head_size + 8 + align - 1) / align * align;

		if (old_headers[i].words * ptr == gc->head_size)
			best = try_stride(gc, at, size, count, best, ret_first, ret_stride);
	}
	return best;
}

/* The generations of a field of the struct at `base`: `count` of them, the first called `from`. */
static void add_field(struct scry_gc *gc, scry_addr base, enum scry_field f, unsigned count,
		      int from)
{
	const struct scry_slot *slot = &gc->runtime->layout->slot[f];
	scry_addr first = 0;
	uint32_t stride = 0;

	if (!base || !slot->size)
		return;
	unsigned found =
		find_lists(gc, base + slot->offset, slot->size / count, count, &first, &stride);
	for (unsigned i = 0; found && i < count; i++)
		add(gc, first + i * stride, from + (int)i);
	gc->missing += count - found;
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

static bool add_three(struct scry_gc *gc, scry_addr at)
{
	scry_addr first = 0;
	uint32_t stride = 0;

	if (find_lists(gc, at, 0, 3, &first, &stride) < 3)
		return false;
	for (int i = 0; i < 3; i++)
		add(gc, first + (unsigned)i * stride, i);
	return true;
}

/*
 * Up to 3.6 the generations are a static array of gcmodule.c, which _PyGC_generation0 points to.
 * Without symbols the list that a dictionary of the interpreter is in leads to the head of one
 * of the three: the oldest is tried first, since of three lists in a row with others around them it
 * must be these.
 */
static void add_static(struct scry_gc *gc, struct scry_interp *interp)
{
	unsigned ptr = gc->runtime->session->target->abi.ptr_size;
	scry_addr dicts[] = { interp->modules, interp->sysdict, interp->builtins }, first;
	struct scry_module *m = gc->runtime->module;
	struct scry_symbol symbol;

	if (m && scry_module_symbol(m, "_PyGC_generation0", &symbol) == SCRY_OK &&
	    scry_read_ptr(gc->runtime->session, symbol.addr, &first) == SCRY_OK &&
	    add_three(gc, first))
		return;
	for (size_t i = 0; i < sizeof(dicts) / sizeof(*dicts) && !gc->count; i++) {
		scry_addr head = dicts[i] ? head_of(gc, dicts[i] - gc->head_size) : 0;

		begin_list(gc);
		for (uint32_t back = 2; head && back <= 2 && !gc->count; back--)
			for (uint32_t stride = gc->head_size + 8;
			     stride <= gc->head_size + 2 * ptr && !gc->count; stride += ptr)
				add_three(gc, head - back * stride);
	}
}

static int open_heap(struct scry_gc *gc, struct scry_interp *interp)
{
	int rc;

	gc->heap = malloc(sizeof(*gc->heap));
	if (!gc->heap)
		return scry_fail(gc->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	rc = scry_mimalloc_open(gc->heap, interp, SCRY_MI_COLLECTED);
	if (rc < 0)
		scry_gc_done(gc);
	return rc;
}

int scry_gc_open(struct scry_gc *gc, struct scry_interp *interp)
{
	struct scry_runtime *r = interp->runtime;

	*gc = (struct scry_gc) { .runtime = r, .power = 1, .generation = SCRY_GC_GENERATION_NONE };
	if (r->layout->flavour.free_threaded)
		return open_heap(gc, interp);
	bool sure;

	gc->head_size = scry_gc_head_size(r, &sure);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_GENERATIONS, 3, 0);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_YOUNG, 1, 0);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_OLD, 2, 1);
	add_field(gc, interp->addr, SCRY_F_INTERP_GC_PERMANENT, 1, SCRY_GC_PERMANENT);
	add_field(gc, r->roots.runtime, SCRY_F_RUNTIME_GC_GENERATIONS, 3, 0);
	add_field(gc, r->roots.runtime, SCRY_F_RUNTIME_GC_PERMANENT, 1, SCRY_GC_PERMANENT);
	if (!gc->count && has_old_header(r))
		add_static(gc, interp);
	if (gc->count && gc->missing)
		scry_note(r->session,
			  "%u of the garbage collector's lists lead to memory that %s or is not "
			  "there",
			  gc->missing, scry_target_damage(r->session->target));
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

/* A list that breaks off: at `node`, whose link cannot be read or is NULL; 0: it is a cycle. */
static void say_end(const struct scry_gc *gc, scry_addr head, scry_addr node)
{
	struct scry_session *s = gc->runtime->session;
	uint64_t word;

	if (node && scry_read_ptr(s, node, &word) < 0 && scry_target_hole(s->target, s->error.addr))
		scry_note(s,
			  "the garbage collector's list at 0x%" PRIx64
			  " cannot be followed to its end: %s",
			  head, s->error.text);
	else
		scry_note(s, "the garbage collector's list at 0x%" PRIx64 " %s", head,
			  scry_target_damage(s->target));
}

int scry_gc_next(struct scry_gc *gc, scry_addr *ret_object)
{
	if (gc->heap)
		return scry_mimalloc_next(gc->heap, ret_object);
	while (gc->at < gc->count && gc->steps++ < STEPS_MAX) {
		scry_addr head = gc->lists[gc->at].head;
		scry_addr next = next_of(gc, gc->node ? gc->node : head);

		if (next == head) {
			gc->at++;
			begin_list(gc);
			continue;
		}
		scry_addr before = gc->node;
		gc->node = next;
		if (!next || is_cycle(gc)) {
			say_end(gc, head, next ? 0 : before);
			gc->at++;
			begin_list(gc);
			continue;
		}
		gc->generation = gc->lists[gc->at].generation;
		*ret_object = next + gc->head_size;
		return SCRY_ITEM;
	}
	return SCRY_OK;
}

/* --- one object --- */

/* free-threaded: ob_gc_bits, Include/internal/pycore_gc.h, 3.13 to 3.15 */
#define GC_BITS_TRACKED     1
#define GC_BITS_FINALIZED   2
#define GC_BITS_UNREACHABLE 4
#define GC_BITS_FROZEN      8

/* _PyGC_PREV_MASK_FINALIZED, Include/internal/pycore_gc.h, 3.8+ */
#define PREV_MASK_FINALIZED 1

static void state_of_bits(struct scry_runtime *r, scry_addr object, struct scry_gc_state *ret)
{
	uint64_t bits = scry_field_get(r, object, SCRY_F_OBJECT_GC_BITS);

	ret->tracked = bits & GC_BITS_TRACKED;
	ret->finalized = bits & GC_BITS_FINALIZED;
	ret->collecting = bits & GC_BITS_UNREACHABLE;
	ret->frozen = bits & GC_BITS_FROZEN;
}

/* 3.8+: the next pointer is NULL while untracked; flags are in the previous one. */
static void state_of_links(struct scry_runtime *r, struct scry_gc_state *ret)
{
	uint64_t prev = scry_field_get(r, ret->head, SCRY_F_GC_HEAD_PREV);

	ret->tracked = scry_field_get(r, ret->head, SCRY_F_GC_HEAD_NEXT) != 0;
	ret->finalized = prev & PREV_MASK_FINALIZED;
	ret->collecting = prev & PREV_MASK_COLLECTING;
}

void scry_gc_state_read(struct scry_runtime *r, scry_addr object, struct scry_gc_state *ret)
{
	bool sure;
	uint32_t size = scry_gc_head_size(r, &sure);

	*ret = (struct scry_gc_state) { .head = object - size };
	if (scry_layout_has(r->layout, SCRY_F_OBJECT_GC_BITS)) {
		state_of_bits(r, object, ret);
	} else if (!has_old_header(r)) {
		state_of_links(r, ret);
		ret->head_unknown = !size;
	} else {
		/* what is not tracked has words in its links that mean nothing */
		ret->tracked = is_tracked_by(r, object, size);
		ret->head_unknown = !sure && !ret->tracked;
		ret->head = ret->head_unknown ? object : ret->head;
	}
}

/*
 * _PyGC_REFS_UNTRACKED and _PyGC_REFS_REACHABLE, -2 and -3, Include/objimpl.h; since 3.4 above a
 * bit that says whether a finalizer ran.
 */
static bool is_old_mark(int64_t refs)
{
	return refs <= -2 && refs >= -8;
}

bool scry_gc_is_linked(struct scry_runtime *r, scry_addr object)
{
	struct scry_gc gc = { .runtime = r };
	struct scry_gc_state state;
	int64_t refs;

	scry_gc_state_read(r, object, &state);
	if (state.head_unknown || state.head == object)
		return false;
	if (has_old_header(r) &&
	    (scry_field_read_int(r, state.head, SCRY_F_GC_HEAD_REFS, &refs) < 0 ||
	     (refs < 0 && !is_old_mark(refs))))
		return false;
	if (has_old_header(r) && !state.tracked)
		return refs == -2 || (refs & ~1) == -4;
	return state.tracked && is_list(&gc, state.head) &&
	       next_of(&gc, prev_of(&gc, state.head)) == state.head;
}

/* On from the object to the head of its list. */
static int generation_in(struct scry_gc *gc, scry_addr object)
{
	scry_addr node = object - gc->head_size;

	begin_list(gc);
	for (uint64_t steps = 0; node && steps < STEPS_MAX; steps++) {
		for (unsigned i = 0; i < gc->count; i++)
			if (node == gc->lists[i].head)
				return gc->lists[i].generation;
		gc->node = node = next_of(gc, node);
		if (is_cycle(gc))
			break;
	}
	return SCRY_GC_GENERATION_NONE;
}

int scry_gc_generation(struct scry_runtime *r, scry_addr object)
{
	int found = SCRY_GC_GENERATION_NONE;

	for (struct scry_interp *i = r->interps; i && found < 0; i = i->next) {
		struct scry_gc gc;

		if (scry_gc_open(&gc, i) < 0)
			continue;
		if (!gc.heap)
			found = generation_in(&gc, object);
		scry_gc_done(&gc);
	}
	return found;
}
