/*
 * Finding kept frames: frame_dealloc() and PyFrame_New() of Objects/frameobject.c, 2.7 to 3.9. Code
 * objects are not the collector's, so they are reached from functions, frames and generators, and
 * through their constants.
 */
#include "heap/zombie.h"
#include "object/known.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory/gc.h"
#include "object/model.h"

#define CONSTS_MAX  1000000
#define NESTING_MAX 64     /* of functions in functions */
#define FREE_MAX    100000 /* PyFrame_MAXFREELIST is 200 */
#define SIZE_LIMIT  ((uint64_t)1 << 32)

enum kind { KIND_OTHER = 1, KIND_FUNCTION, KIND_FRAME, KIND_GENERATOR, KIND_CODE };

struct search {
	struct scry_runtime *runtime;
	struct scry_zombies *found;
	struct scry_hash types, codes, objects;
};

static uint64_t value(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t v = 0;

	return scry_field_read(r, base, f, &v) < 0 ? 0 : v;
}

static enum kind kind_of_type(struct scry_runtime *r, scry_addr type)
{
	static const struct {
		enum scry_known type;
		enum kind kind;
	} kinds[] = {
		{ SCRY_IS_FUNCTION, KIND_FUNCTION },         { SCRY_IS_FRAME, KIND_FRAME },
		{ SCRY_IS_GENERATOR, KIND_GENERATOR },       { SCRY_IS_COROUTINE, KIND_GENERATOR },
		{ SCRY_IS_ASYNC_GENERATOR, KIND_GENERATOR }, { SCRY_IS_CODE, KIND_CODE }
	};
	struct scry_type *t;

	if (scry_type_at(r, type, &t) < 0)
		return KIND_OTHER;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (scry_known_type(t) == kinds[i].type)
			return kinds[i].kind;
	return KIND_OTHER;
}

static enum kind kind_of(struct search *s, scry_addr object)
{
	scry_addr type = object ? value(s->runtime, object, SCRY_F_OBJECT_TYPE) : 0;

	if (!type)
		return KIND_OTHER;
	enum kind kind = (enum kind)(uintptr_t)scry_hash_find(&s->types, type);
	if (!kind) {
		kind = kind_of_type(s->runtime, type);
		scry_hash_put(&s->types, type, (void *)(uintptr_t)kind);
	}
	return kind;
}

/* A kept frame's size: it may be larger than its code needs, ob_size says what was allocated. */
static bool frame_size(struct scry_runtime *r, scry_addr frame, uint64_t *ret)
{
	scry_addr type = value(r, frame, SCRY_F_OBJECT_TYPE);
	uint64_t slots = value(r, frame, SCRY_F_VAR_SIZE);

	*ret = value(r, type, SCRY_F_TYPE_BASICSIZE) + slots * value(r, type, SCRY_F_TYPE_ITEMSIZE);
	return slots < SIZE_LIMIT / 8 && *ret < SIZE_LIMIT;
}

static bool keep(struct scry_runtime *r, struct scry_kept_frames *list, scry_addr frame,
		 scry_addr code)
{
	struct scry_kept_frame one = { .addr = frame, .code = code };

	if (!frame_size(r, frame, &one.size))
		return false;
	struct scry_kept_frame *frames = scry_arena_grow(
		&r->session->arena, list->frames, list->count, &list->room, sizeof(*frames), 64);
	if (!frames)
		return false;
	list->frames = frames;
	list->frames[list->count++] = one;
	list->bytes += one.size;
	return true;
}

static void take_code(struct search *s, scry_addr code, unsigned depth)
{
	struct scry_runtime *r = s->runtime;
	uint64_t count;
	scry_addr items;

	if (depth > NESTING_MAX || kind_of(s, code) != KIND_CODE ||
	    scry_hash_add(&s->codes, code) <= 0)
		return;
	s->found->codes++;
	scry_addr zombie = value(r, code, SCRY_F_CODE_ZOMBIE);
	if (kind_of(s, zombie) == KIND_FRAME && value(r, zombie, SCRY_F_FRAME_CODE) == code)
		keep(r, &s->found->zombies, zombie, code);
	if (scry_sequence(r, value(r, code, SCRY_F_CODE_CONSTS), &count, &items) < 0)
		return;
	for (uint64_t i = 0; i < count && i < CONSTS_MAX; i++) {
		scry_addr item;

		if (scry_read_ptr(r->session, items + i * r->session->target->abi.ptr_size, &item) <
		    0)
			return;
		take_code(s, item, depth + 1);
	}
}

static void take_object(struct search *s, scry_addr object)
{
	switch (kind_of(s, object)) {
	case KIND_FUNCTION:
		take_code(s, value(s->runtime, object, SCRY_F_FUNCTION_CODE), 0);
		break;
	case KIND_FRAME:
		take_code(s, value(s->runtime, object, SCRY_F_FRAME_CODE), 0);
		break;
	case KIND_GENERATOR:
		take_code(s, value(s->runtime, object, SCRY_F_GEN_CODE), 0);
		break;
	default:
		break;
	}
}

/* What a module or a class holds by name: functions, and classes that hold functions. */
static void take_names(struct search *s, scry_addr holder, unsigned depth)
{
	struct scry_runtime *r = s->runtime;
	scry_addr object, type;
	const char *name;
	uint64_t it = 0;

	if (scry_hash_add(&s->objects, holder) <= 0)
		return;
	while (scry_attr_next(r, holder, &it, &name, &object) == SCRY_ITEM) {
		take_object(s, object);
		if (depth < 4 && scry_type_of(r, object, &type) == SCRY_OK &&
		    scry_type_is(r, type, SCRY_IS_TYPE))
			take_names(s, object, depth + 1);
	}
}

static void from_modules(struct search *s, struct scry_interp *interp)
{
	scry_addr key, module;
	uint64_t it = 0;

	while (interp->modules &&
	       scry_dict_next(s->runtime, interp->modules, &it, &key, &module) == SCRY_ITEM)
		take_names(s, module, 0);
}

static void from_collector(struct search *s)
{
	struct scry_runtime *r = s->runtime;
	scry_addr object;
	struct scry_gc gc;

	for (struct scry_interp *interp = r->interps; interp; interp = interp->next) {
		if (scry_gc_open(&gc, interp) < 0) {
			s->found->zombies.error = scry_arena_printf(
				&r->session->arena,
				"only functions of modules and classes were looked at: %s",
				r->session->error.text);
			from_modules(s, interp);
			continue;
		}
		while (scry_gc_next(&gc, &object) == SCRY_ITEM)
			take_object(s, object);
		scry_gc_done(&gc);
		if (!scry_layout_has(r->layout, SCRY_F_INTERP_GC_GENERATIONS))
			return; /* before 3.9 all interpreters share one collector */
	}
}

/*
 * From 3.7 on a frame is the collector's only when it is over: what runs is on the threads' stacks.
 */
static void from_threads(struct search *s)
{
	for (struct scry_thread *t = scry_thread_first(s->runtime->session); t; t = t->next) {
		struct scry_frame f;
		struct scry_walk w;

		if (t->runtime != s->runtime)
			continue;
		scry_walk_thread(&w, t);
		while (scry_walk_next(&w, &f) == SCRY_ITEM)
			take_code(s, f.code_addr, 0);
	}
}

/* --- the free list --- */

/*
 * Several files have a static `free_list`: this one's first element is a frame that nobody refers
 * to.
 */
static bool is_head(struct search *s, scry_addr variable)
{
	struct scry_symbol symbol;
	scry_addr first;

	return scry_read_ptr(s->runtime->session, variable, &first) == SCRY_OK && first &&
	       kind_of(s, first) == KIND_FRAME && !value(s->runtime, first, SCRY_F_OBJECT_REFCNT) &&
	       scry_symbol_at(s->runtime->session, variable, &symbol) == SCRY_OK &&
	       symbol.addr == variable && !strncmp(symbol.name, "free_list", 9);
}

static scry_addr find_head(struct search *s, const struct scry_section *section)
{
	unsigned size = s->runtime->session->target->abi.ptr_size;
	scry_addr end =
		section->addr + (section->size < SIZE_LIMIT / 64 ? section->size : SIZE_LIMIT / 64);

	for (scry_addr at = (section->addr + size - 1) / size * size; at + size <= end; at += size)
		if (is_head(s, at))
			return at;
	return 0;
}

static void walk_free_list(struct search *s, scry_addr head)
{
	struct scry_runtime *r = s->runtime;
	struct scry_kept_frames *list = &s->found->free_list;
	struct scry_hash seen = { 0 };
	scry_addr at = 0;

	scry_read_ptr(r->session, head, &at);
	while (at && list->count < FREE_MAX) {
		if (kind_of(s, at) != KIND_FRAME || scry_hash_add(&seen, at) <= 0 ||
		    !keep(r, list, at, 0)) {
			list->error = scry_arena_printf(&r->session->arena,
							"the list is damaged at 0x%" PRIx64, at);
			break;
		}
		at = value(r, at, SCRY_F_FRAME_BACK);
	}
	scry_hash_done(&seen);
}

static void from_free_list(struct search *s)
{
	struct scry_runtime *r = s->runtime;
	struct scry_section section;
	struct scry_symbol symbol;
	scry_addr head = 0;

	if (r->module && scry_module_section(r->module, ".bss", &section) == SCRY_OK)
		head = find_head(s, &section);
	if (head)
		walk_free_list(s, head);
	else if (!r->module || scry_module_symbol(r->module, "free_list", &symbol) < 0) {
		s->found->free_list.unreachable = true;
		s->found->free_list.error =
			"it is a static variable, to which only the symbol `free_list` "
			"(.symtab) of the interpreter's file leads";
	}
	/* else the variable is there, and empty */
}

static int by_size(const void *a, const void *b)
{
	const struct scry_kept_frame *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->addr > y->addr ? 1 : x->addr < y->addr ? -1 : 0;
}

int scry_zombies_find(struct scry_runtime *r, struct scry_zombies *ret)
{
	struct search s = { .runtime = r, .found = ret };

	*ret = (struct scry_zombies) { 0 };
	if (!scry_trait(r, SCRY_TRAIT_CODE_KEEPS_FRAME) ||
	    !scry_layout_has(r->layout, SCRY_F_CODE_ZOMBIE))
		return scry_fail(r->session, SCRY_EUNSUPPORTED, 0,
				 "%s %s keeps no zombie frames: Pythons up to 3.9 do", r->name,
				 r->version_text);
	from_collector(&s);
	from_threads(&s);
	from_free_list(&s);
	scry_hash_done(&s.types);
	scry_hash_done(&s.codes);
	scry_hash_done(&s.objects);
	if (ret->zombies.count)
		qsort(ret->zombies.frames, ret->zombies.count, sizeof(*ret->zombies.frames),
		      by_size);
	return SCRY_OK;
}
