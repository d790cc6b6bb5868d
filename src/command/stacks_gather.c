/* Stacks of an open target, for a fold: of threads, of tasks, or the one a process died in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command/stacks.h"
#include "native/place.h"
#include "object/model.h"
#include "object/thread_names.h"
#include "task/greenlet.h"
#include "task/loop.h"
#include "task/stackless.h"

/* Frames of a thread or task from the newest on, as often as they are asked for. */
struct source {
	struct scry_stack stack; /* first */
	struct scry_task *task;
	struct scry_merge merge;
};

static int next_of_task(struct scry_stack *stack, struct scry_frame *ret)
{
	return scry_task_frame_next(((struct source *)stack)->task, &stack->walk, ret);
}

static void open_source(struct scry_stacks *st, struct scry_thread *t, struct scry_task *task,
			struct source *ret)
{
	*ret = (struct source) { .task = task };
	if (task) {
		ret->stack.next = next_of_task;
		return;
	}
	if (st->native && scry_merge_thread(&ret->merge, t) == SCRY_OK)
		ret->stack = scry_stack_merged(&ret->merge);
	else
		ret->stack = scry_stack_of_thread(t);
}

static struct scry_fold_frame c_frame(const struct scry_frame *f)
{
	const struct scry_c_function *in = f->function_of;
	const char *name = f->native->is_signal ? "<signal handler called>"
			   : in                 ? in->name
						: f->native->function;

	return (struct scry_fold_frame) {
		.kind = SCRY_FOLD_C,
		.function = name ? name : "??",
		.file = in && in->file ? in->file : f->native->module,
		.line = in && in->file ? in->line : 0,
	};
}

static void put_frame(struct scry_stacks *st, struct scry_fold_stack *to,
		      const struct scry_frame *f)
{
	struct scry_fold_frame frame = { .kind = SCRY_FOLD_PYTHON };
	struct scry_location at = { 0 };

	if (f->kind == SCRY_FRAME_NATIVE) {
		/* what a search of the stack finds differs from run to run */
		if (st->signature && f->native->is_guess)
			return;
		frame = c_frame(f);
	} else if (!f->code) {
		frame.kind = SCRY_FOLD_DAMAGED;
		frame.function = st->signature ? "<damaged>" : scry_frame_damage_of(f);
		st->call->partial = true;
	} else {
		scry_frame_location(f, &at);
		frame.line = at.line;
		frame.function = f->code->name;
		frame.qualname = scry_frame_qualname(f);
		frame.file = f->code->file;
		st->call->partial |= scry_frame_damage_of(f) || scry_frame_line_lost(f);
		if (scry_frame_damage_of(f))
			frame.kind = SCRY_FOLD_DAMAGED;
	}
	if (st->signature) {
		frame.line = 0;
		frame.file = frame.file ? scry_fold_file_name(frame.file) : NULL;
	}
	scry_fold_stack_put(to, &frame);
}

/* --- variables --- */

struct put_variable {
	struct scry_fold *fold;
	struct scry_fold_node *node;
};

static void put_variable(void *arg, const char *name, const char *value)
{
	struct put_variable *put = arg;

	scry_fold_value_put(put->fold, put->node, name, value);
}

static void put_variables(struct scry_stacks *st, struct scry_thread *t, struct scry_task *task,
			  struct scry_fold_node *node)
{
	struct put_variable put = { st->fold, node };
	struct source from;
	struct scry_frame f;

	open_source(st, t, task, &from);
	for (unsigned i = 0; i < SCRY_FOLD_VARIABLE_FRAMES && put.node->frame; i++) {
		if (from.stack.next(&from.stack, &f) != SCRY_ITEM)
			break;
		if (f.code)
			scry_locals_each(st->call, &f, put_variable, &put);
		put.node = put.node->parent;
	}
}

/* --- stacks --- */

static const char *target_name(const struct scry_target *t, char *text, size_t size)
{
	if (t->path)
		return t->path;
	snprintf(text, size, "%" PRId64, t->pid);
	return t->pid > 0 ? text : NULL;
}

static void put_stack(struct scry_stacks *st, struct scry_fold_stack *to, struct scry_thread *t,
		      struct scry_task *task, const char *name)
{
	const struct scry_target *target = st->call->s->target;
	const struct scry_thread *of = t ? t : task->thread;
	struct source from;
	struct scry_frame f;
	char text[24];
	int rc;

	open_source(st, t, task, &from);
	while ((rc = from.stack.next(&from.stack, &f)) == SCRY_ITEM)
		put_frame(st, to, &f);
	if (rc < 0)
		scry_note(st->call->s, "a stack could not be walked to its end: %s",
			  st->call->s->error.text);
	if (st->signature)
		scry_fold_stack_collapse(to);
	struct scry_fold_node *end = scry_fold_stack_add(
		to,
		&(struct scry_fold_member) { .pid = target->pid > 0 ? (uint64_t)target->pid : 0,
					     .tid = of ? of->tid : 0,
					     .name = name,
					     .target = target_name(target, text, sizeof(text)) });
	if (end && st->locals)
		put_variables(st, t, task, end);
}

static void gather_threads(struct scry_stacks *st, struct scry_fold_stack *to)
{
	for (struct scry_thread *t = scry_thread_first(st->call->s); t; t = t->next) {
		const char *trouble = scry_thread_trouble(t);

		if (trouble)
			scry_note_answer(st->call->s, "thread %" PRIu64 ": %s", t->tid, trouble);
		if (t->runtime || st->native)
			put_stack(st, to, t, NULL, scry_thread_name(t));
		else
			st->fold->empty++;
	}
}

static void gather_list(struct scry_stacks *st, struct scry_fold_stack *to, struct scry_task *first)
{
	for (struct scry_task *task = first; task; task = task->next) {
		st->call->partial |= task->error != NULL;
		put_stack(st, to, NULL, task, task->name ? task->name : task->ops->kind);
	}
}

static int gather_tasks(struct scry_stacks *st, struct scry_fold_stack *to)
{
	struct scry_session *s = st->call->s;
	struct scry_loops loops;

	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		if (r->strategy->model != SCRY_MODEL_CPYTHON)
			return scry_fail(s, SCRY_EUNSUPPORTED, 0, "the tasks of %s are not known",
					 r->name);
	gather_list(st, to, scry_loops_collect(s, false, &loops));
	scry_loops_done(&loops);
	gather_list(st, to, scry_tasks_collect(s, &scry_task_greenlet));
	gather_list(st, to, scry_tasks_collect(s, &scry_task_tasklet));
	return SCRY_OK;
}

static struct scry_thread *crashed_thread(struct scry_session *s)
{
	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (t->crashed && t->runtime)
			return t;
	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (t->crashed)
			return t;
	return scry_thread_selected(s);
}

/* What it died of is the newest "frame" of a signature. */
static void gather_signature(struct scry_stacks *st, struct scry_fold_stack *to)
{
	const struct scry_target *target = st->call->s->target;
	struct scry_thread *t = crashed_thread(st->call->s);
	struct scry_fold_frame death = { .kind = SCRY_FOLD_SIGNAL };

	if (target->exception)
		death.function = target->exception_name ? target->exception_name
							: scry_exception_name(target->exception);
	else if (target->signal)
		death.function = scry_signal_name(target->signal);
	if (death.function)
		scry_fold_stack_put(to, &death);
	if (t)
		put_stack(st, to, t, NULL, scry_thread_name(t));
}

int scry_stacks_gather(struct scry_stacks *st)
{
	struct scry_session *s = st->call->s;
	struct scry_fold_stack stack = { .fold = st->fold };
	int rc = SCRY_OK;

	if (!scry_runtime_first(s) && !scry_dormant_first(s) && !st->native)
		return *s->error.text ? SCRY_ENOTFOUND
				      : scry_fail(s, SCRY_ENOTFOUND, 0,
						  "no Python interpreter was found in the target");
	uint64_t left = st->fold->left;
	if (st->signature)
		gather_signature(st, &stack);
	else if (st->group == SCRY_FOLD_BY_TASK)
		rc = gather_tasks(st, &stack);
	else
		gather_threads(st, &stack);
	if (st->fold->left > left)
		scry_note_answer(s, "%" PRIu64 " stacks are left out: there is no room for more",
				 st->fold->left - left);
	scry_fold_stack_done(&stack);
	return rc;
}
