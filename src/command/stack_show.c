/* A stack of frames: folding and limits. */
#include <string.h>

#include "command/command.h"
#include "command/cvars.h"
#include "object/c_call.h"

static int next_of_thread(struct scry_stack *stack, struct scry_frame *ret)
{
	return scry_walk_next(&stack->walk, ret);
}

struct scry_stack scry_stack_of_thread(struct scry_thread *t)
{
	struct scry_stack stack = { .next = next_of_thread, .runs = true };

	scry_walk_thread(&stack.walk, t);
	return stack;
}

static int next_merged(struct scry_stack *stack, struct scry_frame *ret)
{
	return scry_merge_next(stack->merge, ret);
}

struct scry_stack scry_stack_merged(struct scry_merge *m)
{
	return (struct scry_stack) { .next = next_merged, .merge = m, .runs = m->thread };
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

/* --- what is not shown: for text --- */

static void print_place(const struct scry_frame *f, struct scry_buf *out)
{
	struct scry_location at = { 0 };

	if (!f->code)
		return;
	scry_frame_location(f, &at);
	scry_buf_puts(out, f->code->name ? f->code->name : "");
	scry_buf_puts(out, " at ");
	scry_buf_puts(out, f->code->file ? f->code->file : "");
	if (at.line > 0)
		scry_buf_printf(out, ":%d", at.line);
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

/* How many there are: Python frames, where there are any. */
static void get_count(const void *subject, struct scry_said *ret)
{
	const struct hidden *h = subject;

	scry_said_int(ret, (int64_t)(h->native == h->count ? h->count : h->count - h->native));
}

static void get_c_frames(const void *subject, struct scry_said *ret)
{
	const struct hidden *h = subject;

	ret->kind = SCRY_SAID_NULL;
	if (h->native && h->native < h->count)
		scry_said_int(ret, (int64_t)h->native);
}

static bool print_places(const void *subject, struct scry_buf *out)
{
	const struct hidden *h = subject;
	bool all = h->native == h->count, any = false;

	for (unsigned i = 0; i < h->period && i < h->count; i++) {
		const struct scry_frame *f = &h->frame[i];

		if (f->native && !all)
			continue;
		if (any)
			scry_buf_puts(out, ", ");
		any = true;
		if (f->native)
			scry_buf_puts(out, f->native->function ? f->native->function : "??");
		else
			print_place(f, out);
	}
	return any;
}

static const struct scry_say hidden_fields[] = {
	SAY_GET("count", get_count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("places", print_places, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("c_frames", get_c_frames, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const char *const hidden_text[] = {
	"… {count,} more frame{count+}", " of {places}", ", with {c_frames,} C frames", "\n", NULL,
};

static const struct scry_facts hidden_facts = { "hidden frames", hidden_fields, hidden_text,
						.text_only = true };

static void put_hidden(struct scry_call *call, struct hidden *h)
{
	if (h->count)
		scry_say(&call->render.to, &hidden_facts, h);
	h->count = h->native = 0;
}

/* One text or number, for lines of their own. */
static void get_number(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, *(const int64_t *)subject);
}

static const struct scry_say omitted_fields[] = {
	SAY_GET("count", get_number, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts omitted_facts = {
	"omitted frames", omitted_fields,
	(const char *const[]) { "… {count,} older frame{count+} not shown (--limit)\n", NULL },
	.text_only = true
};

void scry_say_omitted(struct scry_call *call, uint64_t count)
{
	if (count)
		scry_say(&call->render.to, &omitted_facts, &(int64_t) { (int64_t)count });
}

static void get_text(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, subject);
}

static const struct scry_say line_fields[] = {
	SAY_GET("text", get_text, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts call_facts = {
	"call", line_fields, (const char *const[]) { "{:dim}    [C call]{}\n", NULL },
	.text_only = true
};
static const struct scry_facts problem_facts = {
	"problem", line_fields, (const char *const[]) { "    {text:error}\n", NULL },
	.text_only = true
};

/* --- frames --- */

static void put_frame(struct scry_call *call, const struct scry_stack *stack,
		      const struct scry_frame *f)
{
	scry_say_frame(call, f);
	if (stack->locals && f->code)
		scry_say_locals(call, f, "        ");
	else if (stack->locals && f->native)
		scry_say_variables(call, f);
	if (call->verbose && f->entry && !stack->merge)
		scry_say(&call->render.to, &call_facts, f);
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

/* Runs are folded, and what is left out is said where it is. */
static uint64_t put_folded(struct scry_call *call, struct scry_stack *stack, uint64_t *ret_omitted)
{
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_FRAMES], shown = 0, omitted = 0,
		 count = 0;
	/* large, and there is one of each stack: what is read of them was written before */
	struct fold fold;
	struct hidden hidden;
	struct scry_newer newer = { .any = false };
	struct scry_frame f;
	int rc;

	fold.max_period = stack->merge ? MAX_PERIOD : PYTHON_PERIOD;
	fold.frames = 0;
	hidden.count = hidden.native = hidden.period = 0;
	call->newer = stack->runs ? &newer : NULL;
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
		scry_newer_set(&newer, &f);
	}
	call->newer = NULL;
	put_hidden(call, &hidden);
	scry_say_omitted(call, omitted);
	if (stack->merge && stack->merge->problem)
		scry_say(&call->render.to, &problem_facts, stack->merge->problem);
	note_end(call, stack, rc);
	*ret_omitted = omitted;
	return count;
}

static uint64_t put_all(struct scry_call *call, struct scry_stack *stack, uint64_t *ret_omitted)
{
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_FRAMES], count = 0;
	struct scry_newer newer = { .any = false };
	struct scry_frame f;
	int rc;

	call->newer = stack->runs ? &newer : NULL;
	for (; (rc = stack->next(stack, &f)) == SCRY_ITEM; count++) {
		if (!limit || count < limit) {
			scry_say_frame(call, &f);
			scry_buf_spill(call->out);
		}
		scry_newer_set(&newer, &f);
	}
	call->newer = NULL;
	note_end(call, stack, rc);
	*ret_omitted = limit && count > limit ? count - limit : 0;
	return count;
}

uint64_t scry_say_frames(struct scry_call *call, struct scry_stack *stack, uint64_t *ret_omitted)
{
	return call->json ? put_all(call, stack, ret_omitted)
			  : put_folded(call, stack, ret_omitted);
}

/* --- a thread with some of its frames --- */

struct shown_thread {
	struct scry_call *call;
	struct scry_thread *thread;
	void (*frames)(struct scry_call *call, void *arg);
	void *arg;
};

static void get_thread(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_thread, ((const struct shown_thread *)subject)->thread);
	ret->kind = SCRY_SAID_FIELDS;
}

static void each_frame(const void *subject, struct scry_renderer *to)
{
	const struct shown_thread *shown = subject;

	(void)to;
	shown->frames(shown->call, shown->arg);
}

static const struct scry_say thread_fields[] = {
	SAY_GET("", get_thread, .facts = &scry_facts_thread),
	SAY_LIST("frames", &scry_facts_frame, each_frame),
	SAY_END,
};
static const struct scry_facts thread_facts = { "thread", thread_fields,
						(const char *const[]) { "{frames}", NULL } };

void scry_say_frames_of(struct scry_call *call, struct scry_thread *t,
			void (*frames)(struct scry_call *call, void *arg), void *arg)
{
	scry_threads_open(call);
	scry_say(&call->render.to, &thread_facts, &(struct shown_thread) { call, t, frames, arg });
	call->partial |= call->json && scry_thread_trouble(t);
	scry_threads_close(call);
}

static void say_one(struct scry_call *call, void *arg)
{
	scry_say_frame(call, arg);
}

void scry_say_frame_of(struct scry_call *call, struct scry_thread *t, struct scry_frame *f)
{
	scry_say_frames_of(call, t, say_one, f);
}
