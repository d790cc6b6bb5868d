/*
 * What a machine word means. Every reading is checked; one that only may be right carries its
 * doubt.
 */
#include "native/meaning.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "native/doubt.h"
#include "native/place.h"
#include "object/freed.h"
#include "object/judge.h"
#include "object/known.h"

#define FRAMES_MAX  100000 /* frames of the thread that are remembered */
#define NUMBER_MAX  65536  /* nothing is mapped below (vm.mmap_min_addr) */
#define ADDRESS_END ((uint64_t)1 << 47)

const char *scry_word_kind_name(enum scry_word_kind kind)
{
	static const char *const names[] = {
		[SCRY_WORD_NUMBER] = "number",      [SCRY_WORD_UNMAPPED] = "unmapped",
		[SCRY_WORD_MEMORY] = "memory",      [SCRY_WORD_STACK] = "stack",
		[SCRY_WORD_CODE] = "code",          [SCRY_WORD_OBJECT] = "object",
		[SCRY_WORD_TYPE] = "type",          [SCRY_WORD_CODE_OBJECT] = "code object",
		[SCRY_WORD_FRAME] = "frame",        [SCRY_WORD_THREAD] = "thread state",
		[SCRY_WORD_INTERP] = "interpreter", [SCRY_WORD_INTERIOR] = "interior",
		[SCRY_WORD_OBJECTS] = "objects",
	};
	return names[kind];
}

/* The kind is kept as a pointer that is never NULL. */
static void remember(struct scry_words *w, scry_addr addr, enum scry_word_kind kind)
{
	if (addr)
		scry_hash_put(&w->frames, addr, (void *)(uintptr_t)(kind + 1));
}

static void find_stack(struct scry_words *w, const struct scry_thread *t)
{
	const struct scry_regs *regs =
		t && t->os ? scry_os_thread_regs(w->session->target, t->os) : NULL;

	if (!regs || !regs->arch || !(regs->valid >> regs->arch->sp & 1))
		return;
	const struct scry_map *map = scry_map_at(w->session->target, regs->value[regs->arch->sp]);
	if (map) {
		w->stack_start = map->start;
		w->stack_end = map->end;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct scry_span *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* A frame reaches from its start over its variables and its value stack. */
static scry_addr frame_end(const struct scry_frame *f)
{
	uint64_t depth = 0;
	unsigned size = f->runtime->session->target->abi.ptr_size;

	if (!f->slots || scry_code_locals(f->code) < 0)
		return f->addr;
	scry_field_read(f->runtime, f->code_addr, SCRY_F_CODE_STACKSIZE, &depth);
	return f->slots + (f->code->slots + (depth & 0xffff)) * size;
}

static void remember_frames(struct scry_words *w, struct scry_thread *t)
{
	struct scry_walk walk;
	struct scry_frame f;
	size_t room = 0;

	scry_walk_thread(&walk, t);
	while (w->span_count < FRAMES_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM) {
		if (f.kind == SCRY_FRAME_DAMAGED)
			continue;
		struct scry_span *spans = scry_arena_grow(&w->session->arena, w->spans,
							  w->span_count, &room, sizeof(*spans), 64);
		if (!spans)
			break;
		w->spans = spans;
		w->spans[w->span_count++] =
			(struct scry_span) { f.addr, frame_end(&f), f.code ? f.code->name : NULL };
		remember(w, f.addr, SCRY_WORD_FRAME);
	}
	if (w->span_count)
		qsort(w->spans, w->span_count, sizeof(*w->spans), by_start);
}

void scry_words_init(struct scry_words *w, struct scry_session *s, struct scry_thread *t)
{
	*w = (struct scry_words) { .session = s };
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			remember(w, i->addr, SCRY_WORD_INTERP);
	for (struct scry_thread *each = scry_thread_first(s); each; each = each->next)
		remember(w, each->state, SCRY_WORD_THREAD);
	find_stack(w, t);
	if (t && t->runtime)
		remember_frames(w, t);
}

void scry_words_done(struct scry_words *w)
{
	scry_hash_done(&w->frames);
}

/* Interpreters without reference counts have a check of their own. */
static bool stands_at(struct scry_runtime *r, scry_addr addr, struct scry_verdict *ret)
{
	const struct scry_model *model = scry_model_of(r);

	*ret = (struct scry_verdict) { 0 };
	return model->judge ? model->judge(r, addr, ret) == SCRY_OK : model->is_object(r, addr);
}

/* The runtime to which it is an object; NULL: to none. */
static struct scry_runtime *object_at(struct scry_session *s, scry_addr addr,
				      struct scry_verdict *ret)
{
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		if (stands_at(r, addr, ret))
			return r;
	return NULL;
}

static void set_doubt(struct scry_meaning *m, struct scry_doubt doubt)
{
	m->doubt = doubt.why;
	m->freed = doubt.freed;
}

static bool read_object(struct scry_words *w, scry_addr addr, struct scry_meaning *ret)
{
	struct scry_verdict v;
	struct scry_runtime *r = object_at(w->session, addr, &v);

	if (!r)
		return false;
	ret->runtime = r;
	ret->object = addr;
	ret->kind = SCRY_WORD_OBJECT;
	set_doubt(ret, scry_object_doubt(r, addr));
	ret->module = scry_module_at(w->session, addr);
	ret->type = scry_model_of(r)->type_name(r, addr);
	if (v.type && v.type->flags & TYPE_TYPE)
		ret->kind = SCRY_WORD_TYPE;
	else if (scry_is_exactly(r, addr, SCRY_IS_CODE))
		ret->kind = SCRY_WORD_CODE_OBJECT;
	else if (scry_is_exactly(r, addr, SCRY_IS_FRAME))
		ret->kind = SCRY_WORD_FRAME;
	return true;
}

/* The frame of the thread's stack that the word points to or into. */
static const struct scry_span *find_span(const struct scry_words *w, uint64_t word)
{
	size_t low = 0, high = w->span_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (word >= w->spans[mid].start)
			low = mid + 1;
		else
			high = mid;
	}
	/* the end counts: it is where the pointer of a full value stack stands */
	return low && word <= w->spans[low - 1].end ? &w->spans[low - 1] : NULL;
}

static bool inside_frame(const struct scry_words *w, uint64_t word, struct scry_meaning *ret,
			 scry_addr *ret_end)
{
	const struct scry_span *span = find_span(w, word);

	if (!span)
		return false;
	ret->kind = SCRY_WORD_INTERIOR;
	ret->object = span->start;
	ret->offset = word - span->start;
	ret->type = "frame";
	ret->function = span->function;
	*ret_end = span->end;
	return true;
}

/* A frame, thread state or interpreter that was met before. */
static void read_known(struct scry_words *w, uint64_t word, enum scry_word_kind kind,
		       struct scry_meaning *ret)
{
	const struct scry_span *span = kind == SCRY_WORD_FRAME ? find_span(w, word) : NULL;

	/* up to 3.10 frames are objects */
	if (kind == SCRY_WORD_FRAME)
		read_object(w, word, ret);
	ret->kind = kind;
	ret->object = word;
	ret->function = span ? span->function : NULL;
}

static bool read_interior(struct scry_words *w, uint64_t word, struct scry_meaning *ret,
			  scry_addr *ret_end)
{
	struct scry_verdict v;
	scry_addr object, near;

	for (struct scry_runtime *r = scry_runtime_first(w->session); r; r = r->next) {
		if (!scry_model_of(r)->judge ||
		    scry_judge_inside(r, word, &object, &near, &v) < 0 ||
		    scry_object_doubt(r, object).why)
			continue;
		read_object(w, object, ret);
		ret->kind = SCRY_WORD_INTERIOR;
		ret->offset = word - object;
		*ret_end = object + v.extent;
		return true;
	}
	return false;
}

static struct scry_runtime *slot_object(struct scry_words *w, scry_addr value)
{
	struct scry_verdict v;

	return object_at(w->session, value, &v);
}

/*
 * Objects or NULLs in a row from `word` on, before `end` (0: not known); what comes first must be
 * an object, or one NULL and an object.
 */
static unsigned read_slots(struct scry_words *w, uint64_t word, scry_addr end,
			   struct scry_meaning *ret)
{
	unsigned size = w->session->target->abi.ptr_size, n = 0;

	ret->slot_count = 0;
	if (word % size)
		return 0;
	for (; n < SCRY_MAX_SLOTS && (!end || word + (n + 1) * size <= end); n++) {
		scry_addr value;

		if (scry_read_ptr(w->session, word + n * size, &value) < 0)
			break;
		struct scry_runtime *r = value ? slot_object(w, value) : NULL;
		/* one NULL may come first, where an object follows */
		if (!r && (value || (n == 1 && !ret->slots[0])))
			break;
		if (r)
			ret->runtime = r;
		ret->slots[n] = value;
	}
	while (n && !ret->slots[n - 1])
		n--;
	return ret->slot_count = n;
}

static void read_code(struct scry_words *w, uint64_t word, struct scry_meaning *ret)
{
	struct scry_symbol symbol;
	const struct scry_place *place;

	ret->kind = SCRY_WORD_CODE;
	ret->module = scry_module_at(w->session, word);
	ret->offset = ret->module ? word - ret->module->start : 0;
	if (ret->module && scry_symbol_at(w->session, word, &symbol) == SCRY_OK && symbol.name &&
	    scry_symbol_covers(&symbol, word)) {
		ret->symbol = symbol.name;
		ret->offset = word - symbol.addr;
	} else if (!ret->module && (place = scry_place_at(w->session, word)) &&
		   place->symbol.name) {
		ret->symbol = place->symbol.name;
		ret->offset = word - place->symbol.addr;
	}
}

/* Nothing better known; where it is freed memory of a debug build, that is told. */
static void read_memory(struct scry_words *w, uint64_t word, bool on_stack,
			struct scry_meaning *ret)
{
	unsigned size = w->session->target->abi.ptr_size;
	uint64_t value;

	ret->kind = on_stack ? SCRY_WORD_STACK : SCRY_WORD_MEMORY;
	if (!on_stack && scry_read_uint(w->session, word + size, size, &value) == SCRY_OK)
		set_doubt(ret, scry_pattern_doubt(value, size));
}

/* What is in memory that was given back is what was there before. */
static void read_freed(struct scry_words *w, uint64_t word, struct scry_meaning *ret)
{
	for (struct scry_runtime *r = scry_runtime_first(w->session); r && !ret->doubt; r = r->next)
		set_doubt(ret, (struct scry_doubt) { scry_freed_text(r, word), true });
	ret->freed = ret->doubt;
}

void scry_words_read(struct scry_words *w, uint64_t word, struct scry_meaning *ret)
{
	struct scry_target *t = w->session->target;
	const struct scry_map *map = scry_map_at(t, word);
	uintptr_t known = (uintptr_t)scry_hash_find(&w->frames, word);
	uint8_t byte;

	*ret = (struct scry_meaning) { .kind = SCRY_WORD_NUMBER };
	set_doubt(ret, scry_pattern_doubt(word, t->abi.ptr_size));
	if (word < NUMBER_MAX || word >= ADDRESS_END || ret->doubt)
		return;
	if (known) {
		read_known(w, word, (enum scry_word_kind)(known - 1), ret);
		return;
	}
	if (map && (map->flags & SCRY_MAP_EXEC)) {
		read_code(w, word, ret);
		return;
	}
	if (!scry_read_some(w->session, word, &byte, 1)) {
		ret->kind = map ? SCRY_WORD_MEMORY : SCRY_WORD_UNMAPPED;
		return;
	}
	if (read_object(w, word, ret))
		return;
	/* no objects live on a stack, but what looks like one easily does */
	bool on_stack = word >= w->stack_start && word < w->stack_end;
	scry_addr end = 0;
	bool interior = inside_frame(w, word, ret, &end) ||
			(!on_stack && read_interior(w, word, ret, &end));
	if (read_slots(w, word, end, ret) && !interior)
		ret->kind = SCRY_WORD_OBJECTS;
	else if (!interior)
		read_memory(w, word, on_stack, ret);
	if (!interior && !on_stack && !ret->doubt)
		read_freed(w, word, ret);
}
