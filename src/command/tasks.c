/*
 * The commands that list tasks: one renderer for tasklets, greenlets, asyncio tasks and generators.
 */
#include <inttypes.h>

#include "command/command.h"
#include "command/tasks.h"

/* A task's frames for the stack renderer. */
struct task_stack {
	struct scry_stack stack; /* first: the renderer hands a pointer to it back */
	struct scry_task *task;
	struct scry_merge merge;
};

static int next_frame(struct scry_stack *stack, struct scry_frame *ret)
{
	struct task_stack *ts = (struct task_stack *)stack;

	return scry_task_frame_next(ts->task, &stack->walk, ret);
}

static int next_python(void *task, struct scry_walk *walk, struct scry_frame *ret)
{
	return scry_task_frame_next(task, walk, ret);
}

/* Python frames, or with --native those of C too where the kind has any. */
static void stack_of(struct scry_call *call, struct scry_task *t, struct task_stack *ret)
{
	const struct scry_c_stack *c =
		scry_call_flag(call, "native") && t->ops->c_stack ? t->ops->c_stack(t) : NULL;

	*ret = (struct task_stack) { .stack = { .next = next_frame }, .task = t };
	if (c && (c->count || c->error) &&
	    scry_merge_init(&ret->merge, t->runtime, c, next_python, t) == SCRY_OK)
		ret->stack = scry_stack_merged(&ret->merge);
	ret->stack.locals = call->s->options.locals;
}

/* A task, as this call shows it. */
struct shown_task {
	struct scry_call *call;
	struct scry_task *task;
	struct task_stack *stack;
	uint64_t *omitted; /* frames past the limit */
	bool follows;      /* another one comes before it */
};

static struct shown_task *shown_of(const void *subject)
{
	return (struct shown_task *)(uintptr_t)subject;
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_task *)subject)->ops->kind);
}

static void get_state(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_task_state_name(((const struct scry_task *)subject)->state));
}

static void get_name(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	if (t->name_size)
		scry_said_bytes(ret, t->name, t->name_size);
	else
		scry_said_text(ret, t->name);
}

static void get_has_name(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	scry_said_bool(ret, t->name_size || (t->name && *t->name));
}

static void get_thread(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	ret->kind = SCRY_SAID_NULL;
	if (t->thread && t->thread->tid)
		scry_said_int(ret, (int64_t)t->thread->tid);
}

static void get_own(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	ret->kind = t->ops->facts ? SCRY_SAID_FIELDS : SCRY_SAID_ABSENT;
	ret->facts = t->ops->facts;
	ret->subject = t;
}

static const char *const name_phrases[] = {
	"{?long_name}{name}",
	"|{name:name}",
	NULL,
};

#define SUBJECT struct scry_task
static const struct scry_say task_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_ADDR("id", addr),
	SAY_GET("name", get_name),
	SAY_GET("state", get_state),
	SAY_GET("thread", get_thread),
	SAY_ID("waits_for", waits_for),
	SAY_ID("parent", parent),
	SAY_ADDRS("awaited_by", &scry_facts_addr, awaited_by, awaited_by_count),
	SAY_ADDRS("awaits", &scry_facts_addr, awaits, awaits_count),
	SAY_GET("", get_own, .of = scry_task_kinds),
	SAY_TEXT("error", error),
	SAY_INT("long_name", name_size, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("has_name", get_has_name, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("the_name", name_phrases, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_task = { "task", task_fields, NULL };

static void each_frame(const void *subject, struct scry_renderer *to)
{
	struct shown_task *shown = shown_of(subject);

	(void)to;
	stack_of(shown->call, shown->task, shown->stack);
	scry_say_frames(shown->call, &shown->stack->stack, shown->omitted);
}

static void get_omitted(const void *subject, struct scry_said *ret)
{
	uint64_t omitted = *shown_of(subject)->omitted;

	ret->kind = SCRY_SAID_NULL;
	if (omitted)
		scry_said_int(ret, (int64_t)omitted);
}

static void get_task(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_task, shown_of(subject)->task);
	ret->kind = SCRY_SAID_FIELDS;
}

#define SUBJECT struct shown_task
static const struct scry_say shown_fields[] = {
	SAY_GET("", get_task, .facts = &scry_facts_task),
	SAY_LIST("frames", &scry_facts_frame, each_frame),
	SAY_BOOL("follows", follows, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("omitted", get_omitted, .flags = SCRY_SAY_OPTIONAL),
	SAY_END,
};
#undef SUBJECT

static const char *const shown_text[] = {
	"{?follows}\n",
	"{kind} {id}",
	" \"{?name}{the_name}\"",
	" [{state:mark}",
	"{words}",
	"]",
	" of thread {thread}",
	"\n",
	"    {error:error}\n",
	"{lines}",
	"{frames}",
	NULL,
};

static const struct scry_facts shown_facts = { "shown task", shown_fields, shown_text };

static void show_task(struct scry_call *call, struct scry_task *t, bool follows)
{
	struct task_stack stack;
	uint64_t omitted = 0;

	call->partial |= t->error != NULL;
	scry_say(&call->render.to, &shown_facts,
		 &(struct shown_task) { call, t, &stack, &omitted, follows });
}

/* A list of tasks, as this call shows it. */
struct task_list {
	struct scry_call *call;
	const char *what;
	struct scry_task *first;
	uint64_t ident; /* of the thread whose tasks are shown; 0: of all */
	uint64_t *shown;
};

static void each_task(const void *subject, struct scry_renderer *to)
{
	const struct task_list *list = subject;
	struct scry_call *call = list->call;
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_TASKS], left = 0;

	(void)to;
	for (struct scry_task *t = list->first; t; t = t->next) {
		if (list->ident && t->thread_ident != list->ident)
			continue;
		if (limit && *list->shown == limit) {
			left++;
			continue;
		}
		show_task(call, t, *list->shown > 0);
		scry_buf_spill(call->out);
		++*list->shown;
	}
	if (left)
		scry_note(call->s, "%" PRIu64 " more %s are not shown (limit %" PRIu64 ")", left,
			  list->what, limit);
}

static void get_none(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, !*((const struct task_list *)subject)->shown);
}

/* None was found, but somewhere there may be some. */
static void get_unsearched(const void *subject, struct scry_said *ret)
{
	const struct task_list *list = subject;

	scry_said_bool(ret, !*list->shown && list->call->s->unsearched);
}

#define SUBJECT struct task_list
static const struct scry_say list_fields[] = {
	SAY_LIST("tasks", &shown_facts, each_task),
	SAY_TEXT("what", what, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("none", get_none, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("unsearched", get_unsearched, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const list_text[] = {
	"{tasks}",
	"{?unsearched}{what}: not all places could be searched\n",
	"|{?none}no {what}\n",
	NULL,
};

const struct scry_facts scry_facts_task_list = { "tasks", list_fields, list_text };
const struct scry_facts *const scry_says_tasks[] = { &scry_facts_task_list, NULL };

void scry_say_none(struct scry_call *call, const char *what)
{
	static const char *const text[] = { "no {text}\n", NULL };

	scry_say_as(&call->render.to, &scry_facts_text, text, what);
}

int scry_show_task_list(struct scry_call *call, const char *what, struct scry_task *first,
			uint64_t ident)
{
	uint64_t shown = 0;

	scry_say_fields(&call->render.to, &scry_facts_task_list,
			&(struct task_list) { call, what, first, ident, &shown });
	return SCRY_OK;
}

int scry_show_tasks(struct scry_call *call, const struct scry_task_ops *ops, uint64_t ident)
{
	if (!scry_runtime_first(call->s))
		return SCRY_ENOTFOUND;
	return scry_show_task_list(call, ops->command, scry_tasks_collect(call->s, ops), ident);
}
