/* A stack of frames as text or JSON: folding and limits. */
#include <string.h>

#include "command/command.h"
#include "command/cvars.h"

static int next_of_thread(struct scry_stack *stack, struct scry_frame *ret)
{
	return scry_walk_next(&stack->walk, ret);
}

struct scry_stack scry_stack_of_thread(struct scry_thread *t)
{
	struct scry_stack stack = { .next = next_of_thread };

	scry_walk_thread(&stack.walk, t);
	return stack;
}

static int next_merged(struct scry_stack *stack, struct scry_frame *ret)
{
	return scry_merge_next(stack->merge, ret);
}

struct scry_stack scry_stack_merged(struct scry_merge *m)
{
	return (struct scry_stack) { .next = next_merged, .merge = m };
}

/*
 * Folding. Frames are equal where code and instruction are. A run repeats with a period of up to
 * MAX_PERIOD frames (a function that calls itself: 1; two that call each other: 2); SHOWN frames of
 * a run are shown, and what follows is counted until a frame breaks it.
 */
#define PYTHON_PERIOD 8
#define MAX_PERIOD    48 /* with C frames between the Python ones */
#define SHOWN         10

struct fold {
	struct mark {
		scry_addr code;
		int64_t lasti;
	} ring[MAX_PERIOD];
	unsigned max_period;
	uint64_t frames;            /* seen so far */
	uint64_t equal[MAX_PERIOD]; /* [p - 1]: how many in a row equal the one p frames before */
};

static bool same(const struct mark *a, const struct mark *b)
{
	return a->code == b->code && a->lasti == b->lasti;
}

/* The period of the run that this frame continues and that is shown enough already; 0: show it. */
static unsigned fold_take(struct fold *fold, const struct scry_frame *f)
{
	/* a C frame is known by its pc and by what is inlined there */
	struct mark m = { f->code ? f->code->addr : f->addr,
			  f->native ? (int64_t)(intptr_t)f->function_of : f->lasti };
	unsigned period = 0;

	for (unsigned p = 1; p <= fold->max_period; p++) {
		bool equal =
			fold->frames >= p && same(&m, &fold->ring[(fold->frames - p) % MAX_PERIOD]);

		fold->equal[p - 1] = equal ? fold->equal[p - 1] + 1 : 0;
		if (!period && fold->equal[p - 1] + p > SHOWN && fold->equal[p - 1] >= 2 * p)
			period = p;
	}
	fold->ring[fold->frames++ % MAX_PERIOD] = m;
	return period;
}

static void put_place(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_location at = { 0 };

	if (!f->code)
		return;
	scry_frame_location(f, &at);
	scry_put_safe(call->out, f->code->name);
	scry_buf_puts(call->out, " at ");
	scry_put_safe(call->out, f->code->file);
	if (at.line > 0)
		scry_buf_printf(call->out, ":%d", at.line);
}

struct hidden {
	uint64_t count, native; /* all of them; C frames */
	unsigned period;
	struct scry_frame frame[MAX_PERIOD]; /* the first ones of them */
};

static void hide(struct hidden *h, const struct scry_frame *f, unsigned period)
{
	if (!h->count)
		h->period = period;
	if (h->count < MAX_PERIOD)
		h->frame[h->count] = *f;
	h->count++;
	h->native += f->kind == SCRY_FRAME_NATIVE;
}

static void put_period(struct scry_call *call, const struct hidden *h)
{
	const char *between = " of ";
	bool all = h->native == h->count;

	for (unsigned i = 0; i < h->period && i < h->count; i++) {
		const struct scry_frame *f = &h->frame[i];

		if (f->native && !all)
			continue;
		scry_buf_puts(call->out, between);
		if (f->native)
			scry_put_safe(call->out, f->native->function ? f->native->function : "??");
		else
			put_place(call, f);
		between = ", ";
	}
}

static void put_hidden(struct scry_call *call, struct hidden *h)
{
	uint64_t count = h->native == h->count ? h->count : h->count - h->native;

	if (!h->count)
		return;
	scry_buf_puts(call->out, "… ");
	scry_put_count(call->out, count);
	scry_buf_puts(call->out, count == 1 ? " more frame" : " more frames");
	put_period(call, h);
	if (h->native && h->native < h->count) {
		scry_buf_puts(call->out, ", with ");
		scry_put_count(call->out, h->native);
		scry_buf_puts(call->out, " C frames");
	}
	scry_buf_putc(call->out, '\n');
	h->count = h->native = 0;
}

static void put_frame(struct scry_call *call, const struct scry_stack *stack,
		      const struct scry_frame *f)
{
	scry_frame_text(call, f);
	if (stack->locals && f->code)
		scry_locals_text(call, f, "        ");
	else if (stack->locals && f->native)
		scry_variables_text(call, f);
	if (call->verbose && f->entry && !stack->merge)
		scry_buf_printf(call->out, "%s    [C call]%s\n", scry_style(call, SCRY_STYLE_DIM),
				scry_style(call, SCRY_STYLE_OFF));
}

static void put_omitted(struct scry_call *call, uint64_t count)
{
	if (!count)
		return;
	scry_buf_puts(call->out, "… ");
	scry_put_count(call->out, count);
	scry_buf_printf(call->out, " older frame%s not shown (--limit)\n", count == 1 ? "" : "s");
}

/* A walk that failed outright, or two that do not fit: said once, like any other reason. */
static void note_end(struct scry_call *call, const struct scry_stack *stack, int rc)
{
	if (stack->merge && stack->merge->problem) {
		scry_note_answer(call->s, "C frames: %s", stack->merge->problem);
		call->partial = true;
	}
	if (rc < 0)
		scry_note(call->s, "a stack could not be walked to its end: %s",
			  call->s->error.text);
}

uint64_t scry_stack_text(struct scry_call *call, struct scry_stack *stack)
{
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_FRAMES], shown = 0, omitted = 0,
		 count = 0;
	struct fold fold = { .max_period = stack->merge ? MAX_PERIOD : PYTHON_PERIOD };
	struct hidden hidden = { 0 };
	struct scry_frame f;
	int rc;

	for (; (rc = stack->next(stack, &f)) == SCRY_ITEM; count++) {
		unsigned period = stack->whole ? 0 : fold_take(&fold, &f);

		if (limit && shown >= limit && (f.code || f.native)) {
			omitted++;
		} else if (period) {
			hide(&hidden, &f, period);
		} else {
			put_hidden(call, &hidden);
			put_frame(call, stack, &f);
			scry_buf_spill(call->out);
			shown++;
		}
	}
	put_hidden(call, &hidden);
	put_omitted(call, omitted);
	if (stack->merge && stack->merge->problem) {
		scry_buf_puts(call->out, "    ");
		scry_put_styled(call, SCRY_STYLE_ERROR, stack->merge->problem);
		scry_buf_putc(call->out, '\n');
	}
	note_end(call, stack, rc);
	return count;
}

uint64_t scry_stack_frames_json(struct scry_call *call, struct scry_stack *stack)
{
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_FRAMES], count = 0;
	struct scry_frame f;
	int rc;

	for (; (rc = stack->next(stack, &f)) == SCRY_ITEM; count++)
		if (!limit || count < limit) {
			scry_frame_json(call, &f);
			scry_buf_spill(call->out);
		}
	note_end(call, stack, rc);
	return limit && count > limit ? count - limit : 0;
}

void scry_stack_json(struct scry_call *call, struct scry_stack *stack)
{
	scry_json_key(call->json, "frames");
	scry_json_open(call->json, '[');
	uint64_t omitted = scry_stack_frames_json(call, stack);
	scry_json_close(call->json, ']');
	if (omitted) {
		scry_json_put_int(call->json, "omitted", (int64_t)omitted);
	}
}
