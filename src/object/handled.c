/*
 * Exceptions in hand. The thread (or a running generator) keeps one: the innermost. A handler that
 * begins puts the one before it aside and brings it back when it ends, so the others are found
 * where handlers have put them.
 */
#include "object/handled.h"

#include "object/exception.h"

#include "object/printer.h"
#include "object/opcodes.h"

#define SAVED_MAX       64 /* handlers within one another in one frame */
#define FRAMES_MAX      1000000
#define EXCEPT_HANDLER  257 /* b_type of a handler that runs: Include/opcode.h, v3.3 to v3.10 */
#define OWNER_GENERATOR 1   /* enum _frameowner: Include/internal/pycore_frame.h, v3.11 to v3.15 */

bool scry_kept_is_none(struct scry_runtime *r, const struct scry_kept *kept)
{
	return (!kept->value || scry_is_none(r, kept->value)) &&
	       (!kept->type || scry_is_none(r, kept->type));
}

static struct scry_kept keep(struct scry_runtime *r, scry_addr base, enum scry_field value,
			     enum scry_field type, enum scry_field traceback)
{
	return (struct scry_kept) { scry_field_get(r, base, value), scry_field_get(r, base, type),
				    scry_field_get(r, base, traceback) };
}

/* Since 3.12 one word, an instance always. */
struct scry_kept scry_thread_raised(struct scry_thread *t)
{
	struct scry_runtime *r = t->runtime;

	if (scry_model_of(r)->exceptions)
		return scry_model_of(r)->exceptions->raised(t);
	if (scry_layout_has(r->layout, SCRY_F_THREAD_CURRENT_EXCEPTION))
		return (struct scry_kept) { .value = scry_field_get(
						    r, t->state, SCRY_F_THREAD_CURRENT_EXCEPTION) };
	return keep(r, t->state, SCRY_F_THREAD_CUREXC_VALUE, SCRY_F_THREAD_CUREXC_TYPE,
		    SCRY_F_THREAD_CUREXC_TRACEBACK);
}

/* What cannot be read hides what is in hand, and all that was put aside before. */
static struct scry_kept in_item(struct scry_runtime *r, scry_addr item)
{
	scry_addr value;

	if (item && scry_field_read(r, item, SCRY_F_EXC_INFO_VALUE, &value) < 0)
		scry_note_answer(r->session,
				 "exceptions in hand are not known where their list leads to: %s",
				 r->session->error.text);
	return keep(r, item, SCRY_F_EXC_INFO_VALUE, SCRY_F_EXC_INFO_TYPE,
		    SCRY_F_EXC_INFO_TRACEBACK);
}

static struct scry_kept in_frame(struct scry_runtime *r, scry_addr frame)
{
	return keep(r, frame, SCRY_F_FRAME_EXC_VALUE, SCRY_F_FRAME_EXC_TYPE,
		    SCRY_F_FRAME_EXC_TRACEBACK);
}

/*
 * --- what the handlers of one frame have put aside, by version: innermost first, how many, or
 * HANDLERS_LOST ---
 */
#define HANDLERS_LOST UINT32_MAX

/*
 * 2.7: a frame that has caught something keeps what was there before, until it returns: ceval.c,
 * set_exc_info().
 */
static unsigned saved_in_frame(const struct scry_frame *f, struct scry_kept *saved)
{
	*saved = in_frame(f->runtime, f->addr);
	return saved->type != 0;
}

static bool is_block(uint64_t kind)
{
	/* SETUP_LOOP (up to 3.7), SETUP_EXCEPT (up to 3.7), SETUP_FINALLY; Include/opcode.h */
	return kind == EXCEPT_HANDLER || (kind >= 120 && kind <= 122);
}

static unsigned lose(const struct scry_frame *f)
{
	scry_note_answer(f->runtime->session,
			 "the block stack of the frame at 0x%" PRIx64
			 " is damaged: its handlers are not known",
			 f->addr);
	return HANDLERS_LOST;
}

/*
 * 3.3 to 3.10: a handler is an entry of the block stack; traceback, value and type of what was
 * before lie on the value stack from its level on: ceval.c, PyEval_EvalFrameEx(), "fast_block_end"
 * and later "exception_unwind".
 */
static unsigned saved_in_blocks(const struct scry_frame *f, struct scry_kept *saved)
{
	struct scry_runtime *r = f->runtime;
	const struct scry_slot *blocks = &r->layout->slot[SCRY_F_FRAME_BLOCKSTACK];
	unsigned ptr = r->session->target->abi.ptr_size, n = 0;
	scry_addr stack = scry_field_get(r, f->addr, SCRY_F_FRAME_VALUESTACK);
	int64_t count = scry_field_get_int(r, f->addr, SCRY_F_FRAME_IBLOCK);
	uint64_t kind, level;

	if (count < 0 || count > blocks->size / 12)
		return lose(f);
	if (!stack)
		return 0;
	while (count-- > 0 && n < SAVED_MAX) {
		/* PyTryBlock, Include/frameobject.h: three ints: type, handler, level */
		scry_addr block = f->addr + blocks->offset + (uint64_t)count * 12;

		if (scry_read_uint(r->session, block, 4, &kind) < 0 ||
		    scry_read_uint(r->session, block + 8, 4, &level) < 0 || !is_block(kind) ||
		    level > f->code->stack_size)
			return lose(f);
		if (kind != EXCEPT_HANDLER)
			continue;
		struct scry_kept *k = &saved[n++];
		if (scry_word(r, stack + level * ptr, &k->traceback) < 0 ||
		    scry_word(r, stack + (level + 1) * ptr, &k->value) < 0 ||
		    scry_word(r, stack + (level + 2) * ptr, &k->type) < 0)
			*k = (struct scry_kept) { 0 };
	}
	return n;
}

/*
 * Up to 3.6 a generator that runs and has an exception in hand keeps its caller's in its frame;
 * what its outermost handler has put aside may be another caller's.
 */
static unsigned saved_in_blocks_or_generator(const struct scry_frame *f, struct scry_kept *saved)
{
	unsigned n = saved_in_blocks(f, saved);

	if (n && n <= SAVED_MAX && f->kind == SCRY_FRAME_GENERATOR)
		saved[n - 1] = in_frame(f->runtime, f->addr);
	return n;
}

/*
 * --- 3.11+: no blocks; the exception table says where a handler is, and how deep the stack there
 * ---
 */

/*
 * Where an exception at byte `at` would be handled: the target in bytes, and the depth that the
 * stack is cut to.
 */
static bool table_find(const struct scry_code *c, uint32_t at, uint32_t *ret_target,
		       uint32_t *ret_depth)
{
	struct scry_exception_table t;
	struct scry_exception_entry e;

	scry_exception_table_open(&t, c);
	while (scry_exception_table_next(&t, &e) == SCRY_ITEM)
		if (at >= e.start && at < e.end) {
			*ret_target = e.target;
			*ret_depth = e.depth;
			return true;
		}
	return false;
}

/*
 * While a handler runs, its instructions are covered by one more handler, the cleanup, which
 * expects on top of its stack what PUSH_EXC_INFO has put aside: compile.c, compiler_try_except().
 * That one is covered by the cleanup of the handler around it, and so on.
 */
static unsigned saved_by_table(const struct scry_frame *f, struct scry_kept *saved)
{
	struct scry_runtime *r = f->runtime;
	struct scry_code *c = f->code;
	unsigned ptr = r->session->target->abi.ptr_size, n = 0;
	uint32_t at = (uint32_t)f->lasti, target, depth, before = UINT32_MAX;

	if (f->lasti < 0 || !f->slots)
		return 0;
	for (unsigned steps = 0;
	     steps < 2 * SAVED_MAX && n < SAVED_MAX && table_find(c, at, &target, &depth);
	     steps++) {
		if (target >= c->instructions_size || depth > 1u << 20)
			break;
		/*
		 * outer handlers never expect more: this is the cleanup of one that does not run, a
		 * with statement's; go through it outwards
		 */
		if (depth > before) {
			at = target;
			continue;
		}
		if (depth && scry_code_is_cleanup(c, target)) {
			struct scry_kept *k = &saved[n++];

			*k = (struct scry_kept) { 0 };
			if (scry_word(r, f->slots + ((uint64_t)c->slots + depth - 1) * ptr,
				      &k->value) == SCRY_OK)
				k->value = scry_untag(r, k->value);
		}
		before = depth;
		at = target;
	}
	return n;
}

static const struct {
	uint32_t since;
	unsigned (*saved)(const struct scry_frame *f, struct scry_kept *saved);
} ways[] = {
	{ 0, saved_in_frame },
	{ SCRY_VERSION_OF(3, 0), saved_in_blocks_or_generator },
	{ SCRY_VERSION_OF(3, 7), saved_in_blocks },
	{ SCRY_VERSION_OF(3, 11), saved_by_table },
};

/* --- the walk --- */

struct collect {
	struct scry_runtime *runtime;
	struct scry_kept current; /* what would be in hand if all frames so far had returned */
	/* 3.7+: the struct that keeps it: the thread's, or a running generator's */
	scry_addr item;
	struct scry_handled *first, **tail;
	size_t count;
	bool lost; /* a frame's handlers are not known */
};

static void add(struct collect *c, const struct scry_frame *f, bool unowned)
{
	struct scry_handled *h;

	if (scry_kept_is_none(c->runtime, &c->current))
		return;
	h = scry_arena_alloc(&c->runtime->session->arena, sizeof(*h));
	if (!h)
		return;
	*h = (struct scry_handled) { .kept = c->current, .unowned = unowned };
	if (f)
		h->frame = *f;
	*c->tail = h;
	c->tail = &h->next;
	c->count++;
}

/* 3.7+: the struct of the generator that a frame belongs to, 0 none. */
static scry_addr item_of(const struct scry_frame *f)
{
	struct scry_runtime *r = f->runtime;
	const struct scry_slot *inner = &r->layout->slot[SCRY_F_GEN_IFRAME];
	scry_addr gen = inner->size && f->owner == OWNER_GENERATOR
				? f->addr - inner->offset
				: scry_field_get(r, f->addr, SCRY_F_FRAME_GEN);

	return gen && f->kind == SCRY_FRAME_GENERATOR
		       ? scry_field_addr(r, gen, SCRY_F_GEN_EXC_STATE)
		       : 0;
}

static void take_frame(struct collect *c, const struct scry_frame *f)
{
	struct scry_kept saved[SAVED_MAX];
	unsigned n = SCRY_SINCE(ways, c->runtime->version)->saved(f, saved);

	c->lost |= n == HANDLERS_LOST;
	if (n == HANDLERS_LOST)
		n = 0;
	for (unsigned i = 0; i < n; i++) {
		add(c, f, false);
		c->current = saved[i];
	}
	if (!c->item || item_of(f) != c->item)
		return;
	add(c, NULL, true); /* the generator's own handlers are over */
	c->item = scry_field_get(c->runtime, c->item, SCRY_F_EXC_INFO_PREVIOUS);
	c->current = in_item(c->runtime, c->item);
}

bool scry_handled_is_known(const struct scry_runtime *r)
{
	const struct scry_layout *l = r->layout;

	return !l || !l->guessed ||
	       (scry_layout_has(l, SCRY_F_EXC_INFO_VALUE) &&
		scry_layout_has(l, SCRY_F_EXC_INFO_PREVIOUS) &&
		scry_layout_has(l, SCRY_F_THREAD_EXC_INFO));
}

struct scry_handled *scry_thread_handled(struct scry_thread *t, size_t *ret_count)
{
	struct scry_runtime *r = t->runtime;
	struct collect c = { .runtime = r, .tail = &c.first };
	struct scry_walk walk;
	struct scry_frame f;
	bool damaged = false;

	if (scry_model_of(r)->exceptions)
		return scry_model_of(r)->exceptions->handled(t, ret_count);
	*ret_count = 0;
	if (!scry_handled_is_known(r))
		return NULL;
	c.item = scry_field_get(r, t->state, SCRY_F_THREAD_EXC_INFO);
	c.current = c.item ? in_item(r, c.item)
			   : keep(r, t->state, SCRY_F_THREAD_EXC_VALUE, SCRY_F_THREAD_EXC_TYPE,
				  SCRY_F_THREAD_EXC_TRACEBACK);
	scry_walk_thread(&walk, t);
	while (walk.depth < FRAMES_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM)
		if (f.kind == SCRY_FRAME_DAMAGED)
			damaged = true;
		else
			take_frame(&c, &f);
	/* of frames that are lost no handler can be known */
	damaged = damaged || c.lost || t->error;
	add(&c, NULL, !damaged);
	for (unsigned n = 0; c.item && n < 1000; n++) {
		c.item = scry_field_get(r, c.item, SCRY_F_EXC_INFO_PREVIOUS);
		c.current = in_item(r, c.item);
		add(&c, NULL, false);
	}
	*ret_count = c.count;
	return c.first;
}

struct scry_handled *scry_generator_handled(struct scry_runtime *r, scry_addr gen, scry_addr frame)
{
	struct collect c = { .runtime = r, .tail = &c.first };
	scry_addr item = scry_field_addr(r, gen, SCRY_F_GEN_EXC_STATE);
	struct scry_frame f;

	c.current = item ? in_item(r, item) : in_frame(r, frame);
	/* nothing in hand: then no handler runs, or only such as wait for an exception */
	if (!scry_kept_is_none(r, &c.current) && scry_frame_at(r, frame, &f) == SCRY_OK)
		take_frame(&c, &f);
	return c.first;
}
