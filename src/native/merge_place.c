/* Where in the C stack each run of Python frames is executed. */
#include <inttypes.h>
#include <stdlib.h>

#include "native/cfi.h"
#include "native/merge.h"

#define MISSES_MAX  64 /* anchors that lie in no frame, until they are not believed any more */
#define CFRAMES_MAX 10000000

/* --- by what the loop keeps on the C stack --- */

static scry_addr frame_end(const struct scry_c_stack *stack, size_t i)
{
	return i + 1 < stack->count ? stack->frames[i + 1].sp : stack->frames[i].sp + 4096;
}

/*
 * The frame, from `i` on, whose memory holds the address; SCRY_NOWHERE. After a signal frame may
 * be another stack.
 */
static size_t frame_of(const struct scry_c_stack *stack, size_t i, scry_addr anchor)
{
	for (; i < stack->count; i++)
		if (anchor >= stack->frames[i].sp && anchor < frame_end(stack, i))
			return i;
	return SCRY_NOWHERE;
}

/*
 * 3.11: every call of the loop links a struct _PyCFrame on its C stack into tstate->cframe, and
 * current_frame is its newest Python frame (Python/ceval.c, v3.11). One that has just begun or ends
 * has its caller's.
 */
static void anchor_by_cframes(struct scry_merge *m)
{
	struct scry_runtime *r = m->runtime;
	scry_addr at = scry_field_get(r, m->thread->state, SCRY_F_THREAD_CFRAME), frame = 0, next,
		  next_frame;
	size_t run = 0;

	if (at)
		frame = scry_field_get(r, at, SCRY_F_CFRAME_CURRENT_FRAME);
	for (unsigned n = 0; at && n < CFRAMES_MAX && run < m->run_count;
	     n++, at = next, frame = next_frame) {
		next = scry_field_get(r, at, SCRY_F_CFRAME_PREVIOUS);
		next_frame = next ? scry_field_get(r, next, SCRY_F_CFRAME_CURRENT_FRAME) : 0;
		if (frame && frame != next_frame)
			m->runs[run++].anchor = at;
	}
	if (run < m->run_count) /* the two lists do not fit: no guess */
		for (run = 0; run < m->run_count; run++)
			m->runs[run].anchor = 0;
}

/* True where every run has found its frame. */
static bool place_by_anchors(struct scry_merge *m)
{
	size_t from = 0, placed = 0;
	unsigned misses = 0;

	for (size_t i = 0; i < m->run_count && misses < MISSES_MAX; i++) {
		size_t at = m->runs[i].anchor ? frame_of(m->stack, from, m->runs[i].anchor)
					      : SCRY_NOWHERE;

		if (at == SCRY_NOWHERE) {
			misses++;
			continue;
		}
		m->runs[i].place = at;
		from = at;
		placed++;
	}
	return placed == m->run_count;
}

/* --- by the frame pointers that the loops hold --- */

#define FOUND_MAX 16
#define WORDS_MAX 4096 /* of one C frame */

/*
 * The Python frames that a C frame has in its registers and words: what it runs, and what it got
 * them from.
 */
struct holder {
	size_t frame; /* index of the C frame */
	size_t runs[FOUND_MAX];
	unsigned count;
	uint64_t shape;
	bool loop;
};

struct search {
	struct scry_merge *m;
	struct scry_hash runs; /* index + 1 by address */
	struct holder *holders;
	size_t count, room;
	size_t index;                   /* of the C frame that comes */
	struct holder *open;            /* its words end where the next frame begins */
	const struct scry_cfi_row *row; /* of its pc; NULL: not known */
	scry_addr start;
};

static void look_at(struct search *s, struct holder *h, uint64_t word)
{
	uintptr_t found = (uintptr_t)scry_hash_find(&s->runs, word);

	for (unsigned i = 0; found && i < h->count; i++)
		if (h->runs[i] == found - 1)
			return;
	if (found && h->count < FOUND_MAX)
		h->runs[h->count++] = found - 1;
}

/* What a function saved of its caller's registers, on its own stack, says nothing of itself. */
static bool is_saved(const struct search *s, scry_addr at, scry_addr end)
{
	for (unsigned i = 0; s->row && i < s->m->session->target->arch->count; i++)
		if (s->row->regs[i].kind == SCRY_RULE_MEMORY &&
		    end + (scry_addr)s->row->regs[i].offset == at)
			return true;
	return false;
}

/* Nor does a register that it did not save: it is its caller's still. */
static bool is_own(const struct search *s, unsigned reg)
{
	return !s->row || s->row->regs[reg].kind != SCRY_RULE_SAME;
}

static void look_at_words(struct search *s, scry_addr end)
{
	unsigned size = s->m->session->target->abi.ptr_size;
	uint64_t word;

	for (scry_addr at = s->start; at < end && at - s->start < WORDS_MAX * size; at += size)
		if (!is_saved(s, at, end) && scry_read_ptr(s->m->session, at, &word) == SCRY_OK)
			look_at(s, s->open, word);
}

/*
 * Without a name it may still be a loop: its cold part in a stripped file. Where no loop was found
 * by name, any function of the interpreter's may be.
 */
static bool may_be_loop(const struct scry_merge *m, const struct scry_native_frame *f)
{
	return (!f->symbol.name || !m->stack->loops) && f->module &&
	       f->module == m->runtime->module;
}

/*
 * Of a function without a name: the size of its frame, and where it saves registers. 0: not known.
 */
static uint64_t shape_of(const struct scry_cfi_row *row, const struct scry_arch *arch)
{
	uint64_t shape = row ? (uint64_t)row->frame.offset << 8 | (uint64_t)row->frame.reg : 0;

	for (unsigned i = 0; shape && i < arch->count; i++)
		if (row->regs[i].kind == SCRY_RULE_MEMORY)
			shape = (shape ^ (i + (uint64_t)row->regs[i].offset)) * 0x9e3779b97f4a7c15u;
	return shape;
}

/* The frame `i` of the stack; SCRY_NOWHERE: none that is kept. */
static bool look_at_frame(struct search *s, size_t i, const struct scry_native_frame *f)
{
	const struct scry_c_stack *stack = s->m->stack;

	if (s->open)
		look_at_words(s, f->regs.value[f->regs.arch->sp]);
	s->open = NULL;
	if (i == SCRY_NOWHERE)
		return true;
	if (i >= stack->count || s->count == s->room)
		return false;
	bool loop = stack->frames[i].loop;
	if (!loop && !may_be_loop(s->m, f))
		return true;
	s->open = &s->holders[s->count++];
	*s->open = (struct holder) { .frame = i, .loop = loop };
	s->start = f->regs.value[f->regs.arch->sp];
	s->row = s->m->session->target->abi.windows
			 ? NULL
			 : scry_cfi_at(s->m->session, f->pc - f->is_call);
	if (s->row && !s->row->known)
		s->row = NULL;
	s->open->shape = shape_of(s->row, f->regs.arch);
	for (unsigned reg = 0; reg < f->regs.arch->count; reg++)
		if ((f->regs.valid >> reg & 1) && is_own(s, reg))
			look_at(s, s->open, f->regs.value[reg]);
	return true;
}

static bool each(void *arg, const struct scry_native_frame *f)
{
	struct search *s = arg;
	const struct scry_c_stack *stack = s->m->stack;
	size_t i = s->index++;

	return look_at_frame(s, i < stack->put_after ? i : i + stack->put_in, f);
}

/* Of the saved frames some were left out. */
static bool each_saved(void *arg, const struct scry_native_frame *f)
{
	struct search *s = arg;
	const struct scry_c_stack *stack = s->m->stack;
	const struct scry_c_frame *next = s->index < stack->count ? &stack->frames[s->index] : NULL;
	bool kept = next && next->pc == f->pc && next->sp == f->regs.value[f->regs.arch->sp];

	return look_at_frame(s, kept ? s->index++ : SCRY_NOWHERE, f);
}

static int by_frame(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* All C frames with their registers: those on the stack, and those that were saved. */
static bool look_at_all(struct search *s)
{
	const struct scry_thread *t = s->m->thread;
	const struct scry_c_stack *stack = s->m->stack;

	if (t && scry_unwind(s->m->session, scry_os_thread_regs(s->m->session->target, t->os), each,
			     s) != SCRY_OK)
		return false;
	s->open = NULL;
	s->index = stack->put_after;
	if (stack->saved_again)
		stack->saved_again(stack->saved_of, each_saved, s);
	qsort(s->holders, s->count, sizeof(*s->holders), by_frame);
	return true;
}

static bool holds(const struct holder *h, size_t run)
{
	for (unsigned i = 0; i < h->count; i++)
		if (h->runs[i] == run)
			return true;
	return false;
}

/*
 * The oldest Python frame, but older than none that was placed, that the loop has: it may run
 * others for it.
 */
static size_t oldest_before(const struct holder *h, size_t end)
{
	size_t best = SCRY_NOWHERE;

	for (unsigned i = 0; i < h->count; i++)
		if (h->runs[i] < end && (best == SCRY_NOWHERE || h->runs[i] > best))
			best = h->runs[i];
	return best;
}

/*
 * Without names: of all functions that hold Python frames the loop is the one that does so most
 * often.
 */
static void elect_loop(struct search *s)
{
	struct scry_hash votes = { 0 };
	uint64_t best = 0;
	uintptr_t most = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct holder *h = &s->holders[i];
		uintptr_t n = (uintptr_t)scry_hash_find(&votes, h->shape) + 1;

		if (!h->count || !h->shape)
			continue;
		scry_hash_put(&votes, h->shape, (void *)n);
		if (n > most) {
			most = n;
			best = h->shape;
		}
	}
	for (size_t i = 0; i < s->count; i++)
		s->holders[i].loop = best && s->holders[i].shape == best;
	scry_hash_done(&votes);
}

/* The run that a holder executes, of those before `end`; SCRY_NOWHERE: none. */
static size_t executes(const struct holder *h, size_t end)
{
	return end && holds(h, end - 1) ? end - 1 : h->loop ? oldest_before(h, end) : SCRY_NOWHERE;
}

/*
 * From the outermost on, where nothing has just begun or ended: a loop runs the next frame if it
 * holds it. Where that one has no loop (Stackless runs a chain of frames in one), the next that it
 * does hold. What is only taken for a loop may be the function that made the frame for it: then the
 * loop itself comes next.
 */
static void assign(struct search *s)
{
	struct scry_merge *m = s->m;
	size_t end = m->run_count; /* runs from here on have their place */
	bool sure = true;          /* that of the first of them is a loop's */

	for (size_t i = s->count; i-- > 0;) {
		const struct holder *h = &s->holders[i];
		size_t run = !sure && h->loop && holds(h, end) ? end : executes(h, end);

		if (run == SCRY_NOWHERE)
			continue;
		m->runs[run].place = h->frame;
		end = run;
		sure = h->loop;
	}
}

static void place_by_words(struct scry_merge *m)
{
	struct search s = { .m = m, .room = m->stack->count };

	s.holders = calloc(s.room, sizeof(*s.holders));
	for (size_t i = 0; s.holders && i < m->run_count; i++)
		scry_hash_put(&s.runs, m->runs[i].frame, (void *)(uintptr_t)(i + 1));
	if (s.holders && look_at_all(&s)) {
		if (!m->stack->loops)
			elect_loop(&s);
		assign(&s);
	}
	scry_hash_done(&s.runs);
	free(s.holders);
}

/* --- by order --- */

/* The newest of either side belong together, and so on. */
static void place_in_order(struct scry_merge *m)
{
	size_t run = 0;

	for (size_t i = 0; i < m->stack->count && run < m->run_count; i++)
		if (m->stack->frames[i].loop)
			m->runs[run++].place = i;
}

/*
 * Runs without a place follow the newer one before them, or come before the first that has one;
 * what is beyond the end of a C stack that was cut comes after it.
 */
static void fill_up(struct scry_merge *m)
{
	size_t last = m->stack->count ? m->stack->count - 1 : 0, end = m->run_count, before = last;

	while (end && m->runs[end - 1].place == SCRY_NOWHERE)
		end--; /* the runs from here on have none */
	for (size_t i = end; i-- > 0;)
		if (m->runs[i].place != SCRY_NOWHERE)
			before = m->runs[i].place;
	for (size_t i = 0; i < m->run_count; i++) {
		if (i == end && m->stack->error)
			before = last;
		m->runs[i].known = m->runs[i].place != SCRY_NOWHERE;
		if (!m->runs[i].known) {
			m->unplaced += m->runs[i].count;
			m->runs[i].place = before;
		}
		before = m->runs[i].place;
	}
}

static bool has_anchors(const struct scry_merge *m)
{
	return scry_layout_has(m->runtime->layout, SCRY_F_IFRAME_CODE);
}

void scry_merge_place(struct scry_merge *m)
{
	const struct scry_c_stack *stack = m->stack;
	bool soft = m->runtime->layout->flavour.stackless;
	bool exact = stack->loops == m->run_count && !stack->error;

	if (has_anchors(m)) {
		if (m->thread && scry_layout_has(m->runtime->layout, SCRY_F_IFRAME_IS_ENTRY))
			anchor_by_cframes(m);
		if (!place_by_anchors(m) && exact)
			place_in_order(m);
	} else if (exact || stack->error || (m->thread ? !m->thread->os : !stack->saved_again)) {
		place_in_order(m);
		/* PyPy's loop has them elsewhere */
	} else if (scry_layout_has(m->runtime->layout, SCRY_F_FRAME_BACK)) {
		place_by_words(m);
	}
	fill_up(m);
	if (stack->error)
		m->problem = stack->error;
	else if (m->unplaced && !soft && !(m->thread && scry_thread_is_gone(m->thread)))
		m->problem = scry_arena_printf(
			&m->session->arena,
			"the C frames of %" PRIu64 " Python frames cannot be told", m->unplaced);
}
