/* Frames as they are handed out: each is read once, and stays until the session is refreshed. */
#include "api/api.h"
#include "command/names.h"
#include "native/place.h"
#include "object/c_call.h"

struct handed_stack;

/* A frame, and the way to the next one. */
struct handed_frame {
	struct scry_frame frame; /* first: it is what the caller has */
	struct handed_frame *next, *newer;
	struct handed_stack *stack;
	struct scry_named_object *variables; /* NULL: not asked for yet */
	unsigned variable_count;
	int variables_rc; /* why they end: SCRY_OK, or a failure that says */
	const char *variables_lost;
};

struct handed_stack {
	struct scry_session *session;
	int (*next)(struct handed_stack *stack, struct scry_frame *ret);
	struct scry_walk walk;
	struct scry_merge merge;
	struct scry_task *task;
	struct handed_frame *first, *last;
	int rc; /* SCRY_ITEM: there may be more; a failure stays */
	struct scry_error error;
};

static int next_of_thread(struct handed_stack *stack, struct scry_frame *ret)
{
	return scry_walk_next(&stack->walk, ret);
}

static int next_merged(struct handed_stack *stack, struct scry_frame *ret)
{
	return scry_merge_next(&stack->merge, ret);
}

static int next_of_task(struct handed_stack *stack, struct scry_frame *ret)
{
	return scry_task_frame_next(stack->task, &stack->walk, ret);
}

static struct handed_stack *new_stack(struct scry_session *s,
				      int (*next)(struct handed_stack *, struct scry_frame *))
{
	struct handed_stack *stack = scry_arena_alloc(&s->arena, sizeof(*stack));

	if (stack)
		*stack = (struct handed_stack) { .session = s, .next = next, .rc = SCRY_ITEM };
	else
		scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	return stack;
}

/* The next frame that nobody was handed yet. */
static int take(struct handed_stack *stack, struct handed_frame **ret)
{
	struct scry_session *s = stack->session;
	struct handed_frame *f;

	if (stack->rc < 0)
		s->error = stack->error;
	if (stack->rc != SCRY_ITEM)
		return stack->rc;
	f = scry_arena_alloc(&s->arena, sizeof(*f));
	if (!f)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	*f = (struct handed_frame) { .stack = stack };
	int rc = stack->next(stack, &f->frame);
	if (s->stopped)
		return rc < 0 ? rc : SCRY_EFAULT;
	stack->rc = rc;
	stack->error = s->error;
	if (rc != SCRY_ITEM)
		return rc;
	f->newer = stack->last;
	*(stack->last ? &stack->last->next : &stack->first) = f;
	stack->last = f;
	*ret = f;
	return SCRY_ITEM;
}

static int next_frame(struct handed_stack *stack, struct scry_frame **it)
{
	struct handed_frame *f = *it ? ((struct handed_frame *)*it)->next : stack->first;
	int rc = f ? SCRY_ITEM : take(stack, &f);

	rc = scry_api_end(stack->session, rc);
	if (rc == SCRY_ITEM)
		*it = &f->frame;
	return rc;
}

static struct handed_stack *stack_of(struct scry_thread *t)
{
	if (!t->handed[0]) {
		struct handed_stack *stack = new_stack(t->session, next_of_thread);

		if (stack)
			scry_walk_thread(&stack->walk, t);
		t->handed[0] = stack;
	}
	return t->handed[0];
}

void scry_api_read_stack(struct scry_thread *t)
{
	struct scry_frame *f = NULL;

	if (t->runtime && stack_of(t))
		while (next_frame(t->handed[0], &f) == SCRY_ITEM)
			;
}

int scry_frame_next(struct scry_thread *t, struct scry_frame **it)
{
	int rc = scry_api_begin(t->session);

	if (rc < 0 || !t->runtime)
		return rc;
	return stack_of(t) ? next_frame(t->handed[0], it) : SCRY_ENOMEM;
}

int scry_frame_next_native(struct scry_thread *t, struct scry_frame **it)
{
	struct scry_session *s = t->session;
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	if (!t->handed[1]) {
		struct handed_stack *stack = new_stack(s, next_merged);

		if (!stack)
			return SCRY_ENOMEM;
		scry_command_hold(s, true);
		rc = scry_merge_thread(&stack->merge, t);
		t->handed[1] = stack;
		/* of a process that is stopped now: to its end */
		for (struct scry_frame *f = NULL; rc >= 0 && next_frame(stack, &f) == SCRY_ITEM;)
			;
		scry_command_release(s);
		if (rc < 0 || s->stopped) {
			t->handed[1] = NULL;
			return scry_api_end(s, rc < 0 ? rc : SCRY_EFAULT);
		}
	}
	return next_frame(t->handed[1], it);
}

int scry_frame_next_of_task(struct scry_task *t, struct scry_frame **it)
{
	struct scry_session *s = t->runtime->session;
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	if (!t->handed) {
		struct handed_stack *stack = new_stack(s, next_of_task);

		if (!stack)
			return SCRY_ENOMEM;
		stack->task = t;
		t->handed = stack;
	}
	return next_frame(t->handed, it);
}

/* --- fields --- */

const char *scry_frame_kind(const struct scry_frame *f)
{
	return f->kind == SCRY_FRAME_NATIVE ? "native"
	       : scry_frame_damage_of(f)    ? "damaged"
					    : "python";
}

int64_t scry_frame_depth(const struct scry_frame *f)
{
	return f->kind == SCRY_FRAME_NATIVE ? -1 : (int64_t)f->depth;
}

scry_addr scry_frame_address(const struct scry_frame *f)
{
	return f->addr;
}

const char *scry_frame_function(const struct scry_frame *f)
{
	if (f->kind == SCRY_FRAME_NATIVE)
		return f->function_of ? f->function_of->name : f->native->function;
	return f->code ? f->code->name : NULL;
}

const char *scry_frame_file(const struct scry_frame *f)
{
	if (f->kind == SCRY_FRAME_NATIVE)
		return f->function_of ? f->function_of->file : NULL;
	return f->code ? f->code->file : NULL;
}

const char *scry_frame_module(const struct scry_frame *f)
{
	return f->kind == SCRY_FRAME_NATIVE ? f->native->module : NULL;
}

int scry_frame_place(const struct scry_frame *f, struct scry_location *ret)
{
	*ret = (struct scry_location) { 0 };
	if (f->kind == SCRY_FRAME_NATIVE && f->function_of)
		ret->line = f->function_of->line;
	else if (f->code && scry_frame_location(f, ret) < 0)
		*ret = (struct scry_location) { 0 };
	return SCRY_OK;
}

const char *scry_frame_error(const struct scry_frame *f)
{
	return f->kind == SCRY_FRAME_NATIVE ? NULL : scry_frame_damage_of(f);
}

int scry_frame_json(const struct scry_frame *f, struct scry_buf *out)
{
	const struct handed_frame *handed = (const struct handed_frame *)f, *before = handed->newer;
	const struct handed_stack *stack = handed->stack;
	struct scry_newer newer = { .any = false };
	/* a thread's own stack, not that of a task which is suspended */
	bool runs = stack->next == next_of_thread ||
		    (stack->next == next_merged && stack->merge.thread);

	while (before && before->frame.kind == SCRY_FRAME_NATIVE)
		before = before->newer;
	if (before)
		scry_newer_set(&newer, &before->frame);
	return scry_api_frame_json(stack->session, f, runs ? &newer : NULL, out);
}

struct scry_code *scry_frame_code(const struct scry_frame *f)
{
	return f->code;
}

const char *scry_code_name(const struct scry_code *c)
{
	return c->name;
}

const char *scry_code_qualname(const struct scry_code *c)
{
	return c->qualname ? c->qualname : c->found_qualname;
}

const char *scry_code_file(const struct scry_code *c)
{
	return c->file;
}

int scry_code_first_line(const struct scry_code *c)
{
	return c->first_line;
}

scry_addr scry_code_address(const struct scry_code *c)
{
	return c->addr;
}

/* --- variables --- */

#define VARIABLES_MAX (1u << 20)

static int add_variable(struct handed_frame *f, const struct scry_local *local, unsigned *room)
{
	struct scry_session *s = f->stack->session;

	if (f->variable_count == *room) {
		unsigned more = *room ? *room * 2 : 8;
		struct scry_named_object *list = scry_arena_alloc(&s->arena, more * sizeof(*list));

		if (!list)
			return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
		if (f->variable_count)
			memcpy(list, f->variables, f->variable_count * sizeof(*list));
		f->variables = list;
		*room = more;
	}
	struct scry_named_object *v = &f->variables[f->variable_count++];
	v->name = local->name;
	v->kind = scry_local_kind_names[local->kind];
	scry_api_hand_object(s, f->frame.runtime, local->value, &v->value);
	return SCRY_OK;
}

static const char *why_lost(const struct handed_frame *f)
{
	if (f->frame.compiled)
		return "it was compiled to C, and its variables are not in the frame";
	if (scry_names_in_no_dict(&f->frame))
		return "the names are in no dict";
	return scry_names_lost(&f->frame);
}

static int read_variables(struct handed_frame *f)
{
	struct scry_session *s = f->stack->session;
	struct scry_names names = { .frame = &f->frame };
	struct scry_local local;
	unsigned room = 0;
	int rc = SCRY_OK;

	f->variable_count = 0;
	f->variables = scry_arena_alloc(&s->arena, sizeof(*f->variables));
	if (!f->variables)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	while (f->variable_count < VARIABLES_MAX &&
	       (rc = scry_names_next(&names, &local)) == SCRY_ITEM)
		if ((rc = add_variable(f, &local, &room)) < 0)
			break;
	if (rc == SCRY_ITEM)
		rc = scry_fail(s, SCRY_ELIMIT, f->frame.addr, "more than %u variables",
			       VARIABLES_MAX);
	if (s->stopped || rc == SCRY_ENOMEM) {
		f->variables = NULL;
		return rc < 0 ? rc : SCRY_EFAULT;
	}
	f->variables_lost =
		rc < 0 ? scry_arena_text(&s->arena, s->error.text, strlen(s->error.text))
		       : why_lost(f);
	f->variables_rc = rc < 0 ? rc : f->variables_lost ? SCRY_ECORRUPT : SCRY_OK;
	return SCRY_OK;
}

int scry_frame_variable_next(struct scry_frame *frame, unsigned *it, struct scry_named_object *ret)
{
	struct handed_frame *f = (struct handed_frame *)frame;
	struct scry_session *s = f->stack->session;
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	if (!frame->code)
		return frame->kind == SCRY_FRAME_NATIVE
			       ? scry_fail(s, SCRY_EUNSUPPORTED, 0,
					   "variables of C frames are what cvars shows")
			       : scry_fail(s, SCRY_ECORRUPT, frame->addr,
					   "the frame is damaged: %s", scry_frame_damage_of(frame));
	if (!f->variables && (rc = read_variables(f)) < 0)
		return scry_api_end(s, rc);
	if (*it < f->variable_count) {
		*ret = f->variables[(*it)++];
		return SCRY_ITEM;
	}
	return f->variables_rc < 0 ? scry_fail(s, f->variables_rc, frame->addr, "%s",
					       f->variables_lost ? f->variables_lost : "unknown")
				   : SCRY_OK;
}
