/* What an object refers to: where its type has pointers, read once for each type. */
#include "runtime/pypy/pypy_trace.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/pypy/pypy_resume.h"

#define LOOSE_MAX   (2u << 20) /* words of one shadow stack or frame of the JIT */
#define CHUNK       512        /* words read at once */
#define WORDS_LEAST (1u << 20) /* of all arrays together, even where there is less memory */
#define WORDS_MAX   ((uint64_t)1 << 33)
#define FIELDS_MAX  4096 /* pointers of a struct */

/* type_info: flags, and where an array's items have pointers */
enum {
	INFO_BITS = 0,
	INFO_FIXED = 16,
	INFO_ITEM = 32,
	INFO_VAR = 40,
	INFO_LENGTH = 48,
	INFO_VAR_POINTERS = 56
};
#define INFO_IS_VARSIZE  0x10000u
#define HAS_VAR_POINTERS 0x20000u
#define IS_POINTER_ARRAY 0x40000u
#define ITEM_POINTERS    16 /* in one item of an array */
#define ITEMS_MAX        ((uint64_t)1 << 34)

struct custom {
	const char *type;
	void (*trace)(struct scry_pypy_tracer *tracer, scry_addr object);
};

/** Where the objects of a type have pointers. */
struct scry_pypy_shape {
	uint32_t count, words; /* of pointers; and up to the last of them */
	uint32_t *place;
	uint64_t fixed; /* bytes without items, 0: not known */
	/* of an array: bytes of an item, where they begin, where their count is (0: it is none) */
	uint64_t size, start, length;
	/* where in each item; 0: they have none */
	uint64_t item[ITEM_POINTERS], items;
	const struct custom *custom;
};

/*
 * Twice what there is of memory, and of the module, part of which only its file may have. Of a dump
 * that is what its file has; of a process not what is resident, for the rest is swapped out.
 */
void scry_pypy_tracer_init(struct scry_pypy_tracer *tracer, struct scry_pypy *p)
{
	struct scry_target *t = p->runtime->session->target;
	uint64_t words = (p->end - p->start) / 4 + WORDS_LEAST, bytes;

	for (size_t i = 0; i < t->map_count && words < WORDS_MAX; i++) {
		const struct scry_map *map = &t->maps[i];

		if (!t->ops->data || !scry_target_present(t, map->start, map->end, &bytes))
			bytes = map->end - map->start;
		words += bytes / 4;
	}
	tracer->p = p;
	tracer->words = words < WORDS_MAX ? words : WORDS_MAX;
	tracer->overlap = false;
}

/* So many words more are looked at; false: more than there can be. */
static bool spend(struct scry_pypy_tracer *tracer, uint64_t words)
{
	tracer->overlap |= words > tracer->words;
	if (words <= tracer->words)
		tracer->words -= words;
	return !tracer->overlap;
}

void scry_pypy_trace_loose(struct scry_pypy_tracer *tracer, scry_addr at, uint64_t words)
{
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_LOOSE };
	uint64_t chunk[CHUNK];

	words = words < LOOSE_MAX ? words : LOOSE_MAX;
	while (words) {
		size_t want = words < CHUNK ? (size_t)words : CHUNK;
		size_t got = spend(tracer, want) ? scry_pypy_words(tracer->p, at, chunk, want) : 0;

		for (size_t i = 0; i < got; i++, e.index++) {
			e.at = at + 8 * i;
			e.to = chunk[i];
			if (e.to)
				tracer->edge(tracer, &e);
		}
		if (got < want)
			return;
		at += 8 * got;
		words -= got;
	}
}

/* The words before the list of types in GCData: of the thread that runs (framework.py). */
#define ROOT_STACK_BASE 64
#define ROOT_STACK_TOP  56
#define STATIC_END      48
#define STATIC_START    32
#define STATIC_MAX      65536

uint64_t scry_pypy_shadow_stack(struct scry_pypy *p, scry_addr *ret)
{
	struct scry_session *s = p->runtime->session;
	scry_addr top;

	if (scry_read_ptr(s, p->gcdata - ROOT_STACK_BASE, ret) < 0 ||
	    scry_read_ptr(s, p->gcdata - ROOT_STACK_TOP, &top) < 0 || !*ret || top <= *ret)
		return 0;
	uint64_t words = (top - *ret) / 8;
	return words < LOOSE_MAX ? words : LOOSE_MAX;
}

bool scry_pypy_leads_out(const struct scry_pypy *p, uint64_t word)
{
	return word > 0xffff && word % 8 == 0 && (word < p->start || word >= p->end);
}

/*
 * Prebuilt objects are in what the file has of the module's data; the zeroed memory after it has
 * variables of C's, and what they have is left from before: only static roots count there.
 */
bool scry_pypy_may_be_prebuilt(struct scry_pypy *p, scry_addr at)
{
	struct scry_target *t = p->runtime->session->target;
	const struct scry_map *first = scry_map_at(t, p->group), *map = scry_map_at(t, at);

	return !first || !(first->flags & SCRY_MAP_FILE) || (map && map->flags & SCRY_MAP_FILE);
}

static void trace_variables(struct scry_pypy_tracer *tracer)
{
	struct scry_pypy *p = tracer->p;
	struct scry_session *s = p->runtime->session;
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_LOOSE };
	scry_addr start, end;

	if (scry_read_ptr(s, p->gcdata - STATIC_START, &start) < 0 ||
	    scry_read_ptr(s, p->gcdata - STATIC_END, &end) < 0 || start < p->start ||
	    end > p->end || start > end || end - start > 8 * STATIC_MAX)
		return;
	for (; start < end && scry_read_ptr(s, start, &e.at) == SCRY_OK; start += 8)
		if (e.at >= p->start && e.at < p->end && scry_read_ptr(s, e.at, &e.to) == SCRY_OK &&
		    e.to)
			tracer->edge(tracer, &e);
}

/*
 * Lists of addresses are stacks of chunks, { next, items }, all full but the first
 * (rpython/memory/support.py): { chunk, items in the first one }. False where one is not sound, or
 * `each` says so.
 */
#define CHUNK_ITEMS 1019
#define CHUNKS_MAX  65536

static bool walk_addresses(struct scry_pypy_tracer *tracer, scry_addr stack,
			   bool (*each)(struct scry_pypy_tracer *tracer, scry_addr at, bool tell),
			   bool tell)
{
	struct scry_session *s = tracer->p->runtime->session;
	struct scry_hash seen = { 0 };
	bool sound = true;
	scry_addr chunk;
	uint64_t count;

	if (scry_read_ptr(s, stack + 8, &chunk) < 0 ||
	    scry_read_uint(s, stack + 16, 8, &count) < 0 || !count || count > CHUNK_ITEMS)
		return false;
	for (unsigned i = 0; sound && chunk && i < CHUNKS_MAX; i++, count = CHUNK_ITEMS) {
		sound = scry_hash_add(&seen, chunk) > 0;
		for (uint64_t k = 0; sound && k < count; k++)
			sound = each(tracer, chunk + 8 + 8 * k, tell);
		sound = sound && scry_read_ptr(s, chunk, &chunk) == SCRY_OK;
	}
	scry_hash_done(&seen);
	return sound && !chunk; /* else there are more than there can be */
}

/*
 * Prebuilt objects that were written to: the collector's object has them in prebuilt_root_objects,
 * 17 words after its nursery. Believed where all are prebuilt objects.
 */
#define PREBUILT_ROOTS 17

static bool each_prebuilt(struct scry_pypy_tracer *tracer, scry_addr at, bool tell)
{
	struct scry_pypy *p = tracer->p;
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_FIELD, .at = at };
	scry_addr to;

	if (scry_read_ptr(p->runtime->session, at, &e.to) < 0)
		return false;
	to = e.to;
	if (to < p->start || to >= p->end || !scry_pypy_type_of(p, &to))
		return false;
	if (tell)
		tracer->edge(tracer, &e);
	return true;
}

static bool trace_prebuilt(struct scry_pypy_tracer *tracer)
{
	struct scry_pypy *p = tracer->p;
	scry_addr stack;

	return p->nursery_named &&
	       scry_read_ptr(p->runtime->session, p->nursery_named + 8 * PREBUILT_ROOTS, &stack) ==
		       SCRY_OK &&
	       stack >= p->start && stack < p->end &&
	       walk_addresses(tracer, stack, each_prebuilt, false) &&
	       walk_addresses(tracer, stack, each_prebuilt, true);
}

/*
 * Objects that a C extension has references to, { ob_refcnt, ob_pypy_link }: rrc_p_list_old and
 * rrc_p_list_young. NULL before the first extension.
 */
#define EXTENSIONS 28

static bool each_extension(struct scry_pypy_tracer *tracer, scry_addr at, bool tell)
{
	struct scry_pypy *p = tracer->p;
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_ITEM };
	scry_addr object, to;
	uint64_t w[2];

	if (scry_read_ptr(p->runtime->session, at, &object) < 0 ||
	    scry_pypy_words(p, object, w, 2) < 2)
		return false;
	e.at = object + 8;
	e.to = to = w[1];
	if (tell && w[0] != SCRY_PYPY_REFCOUNT && w[0] != SCRY_PYPY_REFCOUNT_LIGHT && to &&
	    scry_pypy_type_of(p, &to))
		tracer->edge(tracer, &e);
	return true;
}

static void trace_extensions(struct scry_pypy_tracer *tracer)
{
	struct scry_pypy *p = tracer->p;
	scry_addr stack;

	for (unsigned i = 0; p->nursery_named && i < 2; i++)
		if (scry_read_ptr(p->runtime->session, p->nursery_named + 8 * (EXTENSIONS + i),
				  &stack) == SCRY_OK &&
		    stack && walk_addresses(tracer, stack, each_extension, false))
			walk_addresses(tracer, stack, each_extension, true);
}

bool scry_pypy_trace_static(struct scry_pypy_tracer *tracer)
{
	trace_variables(tracer);
	trace_extensions(tracer);
	return trace_prebuilt(tracer);
}

/* --- what custom tracers know --- */

/* { base, top } of a thread that does not run: rpython/memory/gctransform/shadowstack.py */
static void trace_shadow_stack(struct scry_pypy_tracer *tracer, scry_addr object)
{
	scry_addr base, top;
	struct scry_session *s = tracer->p->runtime->session;

	if (scry_read_ptr(s, object + 8, &base) == SCRY_OK &&
	    scry_read_ptr(s, object + 16, &top) == SCRY_OK && base && top > base)
		scry_pypy_trace_loose(tracer, base, (top - base) / 8);
}

/* jitframe.py: { ..., length, items }: what of them are pointers only a map of bits tells */
static void trace_jit_frame(struct scry_pypy_tracer *tracer, scry_addr object)
{
	uint64_t at = tracer->p->field[SCRY_PYPY_JITFRAME_FRAME].offset, length;

	if (at && scry_read_uint(tracer->p->runtime->session, object + at, 8, &length) == SCRY_OK)
		scry_pypy_trace_loose(tracer, object + at + 8, length);
}

/*
 * rlib/_stacklet_shadowstack.py: { s_handle, s_sscopy }: a block that begins with the bytes of what
 * follows
 */
static void trace_stacklet(struct scry_pypy_tracer *tracer, scry_addr object)
{
	struct scry_session *s = tracer->p->runtime->session;
	scry_addr copy;
	uint64_t bytes;

	if (scry_read_ptr(s, object + 16, &copy) == SCRY_OK && copy &&
	    scry_read_uint(s, copy, 8, &bytes) == SCRY_OK && bytes % 8 == 0 &&
	    bytes / 8 < LOOSE_MAX)
		scry_pypy_trace_loose(tracer, copy + 8, bytes / 8);
}

/* So many references, `step` bytes apart, in memory that is no object. */
static void trace_table(struct scry_pypy_tracer *tracer, scry_addr table, uint64_t count,
			uint64_t step)
{
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_ITEM };

	for (; e.index < count && spend(tracer, 1); e.index++) {
		e.at = table + step * e.index;
		if (scry_pypy_words(tracer->p, e.at, &e.to, 1) < 1)
			return;
		if (e.to)
			tracer->edge(tracer, &e);
	}
}

/*
 * rpython/jit/backend/llsupport/gcreftracer.py: { array_base_addr, array_length }: the objects that
 * machine code has as constants, in a table before it
 */
static void trace_machine_code(struct scry_pypy_tracer *tracer, scry_addr object)
{
	uint64_t words[2];

	if (scry_pypy_words(tracer->p, object + 8, words, 2) == 2 && words[1] < LOOSE_MAX)
		trace_table(tracer, words[0], words[1], 8);
}

/* pypy/module/micronumpy/concrete.py: { length, step, storage } */
static void trace_object_array(struct scry_pypy_tracer *tracer, scry_addr object)
{
	uint64_t words[3];

	if (scry_pypy_words(tracer->p, object + 8, words, 3) == 3 && words[0] < ITEMS_MAX &&
	    words[1] % 8 == 0 && words[1] < ITEMS_MAX)
		trace_table(tracer, words[2], words[0], words[1]);
}

static const struct custom customs[] = { { "ShadowStackRef", trace_shadow_stack },
					 { "JITFRAME", trace_jit_frame },
					 { "GCREFTRACER", trace_machine_code },
					 { "ObjectStore", trace_object_array },
					 { "Stacklet", trace_stacklet } };

/* --- a type's pointers --- */

static void read_fields(struct scry_pypy *p, const struct scry_pypy_type *t,
			struct scry_pypy_shape *shape)
{
	uint64_t count = scry_pypy_pointer_count(p, t);

	if (!count || count > FIELDS_MAX)
		return;
	shape->place = scry_arena_alloc(&p->runtime->session->arena, count * sizeof(uint32_t));
	for (uint64_t i = 0; shape->place && i < count; i++) {
		scry_addr place = scry_pypy_pointer_at(p, t, i);

		if (!place || place % 8 || place > 8 * FIELDS_MAX)
			continue;
		shape->place[shape->count++] = (uint32_t)place;
		if (place / 8 >= shape->words)
			shape->words = (uint32_t)place / 8 + 1;
	}
}

static void read_items(struct scry_pypy *p, const struct scry_pypy_type *t,
		       struct scry_pypy_shape *shape)
{
	struct scry_session *s = p->runtime->session;
	scry_addr info = p->group + t->tid, table;
	uint64_t bits, items = 1;

	if (scry_read_uint(s, info + INFO_BITS, 8, &bits) < 0 ||
	    scry_read_uint(s, info + INFO_FIXED, 8, &shape->fixed) < 0 ||
	    !(bits & INFO_IS_VARSIZE) || scry_read_uint(s, info + INFO_ITEM, 8, &shape->size) < 0 ||
	    scry_read_uint(s, info + INFO_VAR, 8, &shape->start) < 0 ||
	    scry_read_uint(s, info + INFO_LENGTH, 8, &shape->length) < 0)
		return;
	if (shape->size > 8 * CHUNK || shape->start > 4096 || shape->length > 4096) {
		shape->size = shape->fixed = 0;
		return;
	}
	if (!(bits & (HAS_VAR_POINTERS | IS_POINTER_ARRAY)) || shape->size < 8)
		return;
	if (!(bits & IS_POINTER_ARRAY)) {
		if (scry_read_ptr(s, info + INFO_VAR_POINTERS, &table) < 0 ||
		    scry_read_uint(s, table, 8, &items) < 0 || items > ITEM_POINTERS ||
		    scry_pypy_words(p, table + 8, shape->item, items) < items)
			return;
		for (uint64_t i = 0; i < items; i++)
			if (shape->item[i] + 8 > shape->size || shape->item[i] % 8)
				return;
	}
	shape->items = items;
}

static const struct scry_pypy_shape *shape_of(struct scry_pypy *p, const struct scry_pypy_type *t)
{
	struct scry_pypy_type *own = &p->types[t - p->types];
	struct scry_pypy_shape *shape;

	if (own->shape)
		return own->shape;
	shape = scry_arena_alloc(&p->runtime->session->arena, sizeof(*shape));
	if (!shape)
		return NULL;
	*shape = (struct scry_pypy_shape) { 0 };
	read_fields(p, t, shape);
	read_items(p, t, shape);
	for (size_t i = 0; i < sizeof(customs) / sizeof(*customs); i++)
		if (!strcmp(t->name, customs[i].type))
			shape->custom = &customs[i];
	return own->shape = shape;
}

/* --- an object's --- */

static void trace_fields(struct scry_pypy_tracer *tracer, scry_addr object,
			 const struct scry_pypy_shape *shape)
{
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_FIELD };
	uint64_t chunk[CHUNK];
	size_t got = scry_pypy_words(tracer->p, object, chunk,
				     shape->words < CHUNK ? shape->words : CHUNK);

	for (uint32_t i = 0; i < shape->count; i++) {
		e.index = shape->place[i];
		e.at = object + e.index;
		if (e.index / 8 < got)
			e.to = chunk[e.index / 8];
		else if (scry_read_ptr(tracer->p->runtime->session, e.at, &e.to) < 0)
			continue;
		if (e.to)
			tracer->edge(tracer, &e);
	}
}

static void trace_items(struct scry_pypy_tracer *tracer, scry_addr object,
			const struct scry_pypy_shape *shape)
{
	struct scry_pypy_edge e = { .kind = SCRY_PYPY_EDGE_ITEM };
	uint64_t chunk[CHUNK], count, each = sizeof(chunk) / shape->size;

	if (scry_read_uint(tracer->p->runtime->session, object + shape->length, 8, &count) < 0 ||
	    count > ITEMS_MAX)
		return;
	for (uint64_t i = 0; i < count; i += each) {
		uint64_t n = count - i < each ? count - i : each;
		scry_addr items = object + shape->start + i * shape->size;

		/* the last item may end with half a word */
		uint64_t words = (n * shape->size + 7) / 8, got;

		if (!spend(tracer, words))
			return;
		got = scry_pypy_words(tracer->p, items, chunk, words);
		if (got < n * shape->size / 8)
			return;
		for (uint64_t k = 0; k < n; k++)
			for (uint64_t which = 0; which < shape->items; which++) {
				uint64_t place = k * shape->size + shape->item[which];

				e.index = i + k;
				e.inner = shape->item[which];
				e.at = items + place;
				e.to = chunk[place / 8];
				if (e.to)
					tracer->edge(tracer, &e);
			}
	}
}

void scry_pypy_trace(struct scry_pypy_tracer *tracer, scry_addr object,
		     const struct scry_pypy_type *t)
{
	const struct scry_pypy_shape *shape = shape_of(tracer->p, t);

	if (!shape)
		return;
	if (shape->count)
		trace_fields(tracer, object, shape);
	if (shape->items)
		trace_items(tracer, object, shape);
	if (shape->custom)
		shape->custom->trace(tracer, object);
}

uint64_t scry_pypy_size_of(struct scry_pypy *p, const struct scry_pypy_type *t, scry_addr addr)
{
	const struct scry_pypy_shape *shape = shape_of(p, t);
	uint64_t length;

	if (!shape || !shape->length)
		return shape ? shape->fixed : 0;
	if (scry_read_uint(p->runtime->session, addr + shape->length, 8, &length) < 0 ||
	    length > ITEMS_MAX)
		return 0;
	return (shape->fixed + shape->size * length + 7) & ~(uint64_t)7;
}
