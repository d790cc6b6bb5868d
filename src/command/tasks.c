/*
 * The commands that list tasks: one renderer for tasklets, greenlets, asyncio tasks and generators.
 */
#include <inttypes.h>

#include "command/command.h"
#include "command/tasks.h"
#include "task/stackless.h"

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

static void task_text(struct scry_call *call, struct scry_task *t)
{
	struct scry_buf *out = call->out, lines = SCRY_BUF_INIT;
	struct task_stack ts;

	scry_buf_printf(out, "%s 0x%" PRIx64, t->ops->kind, t->addr);
	if (t->name) {
		scry_buf_puts(out, " \"");
		if (t->name_size)
			scry_put_safe_bytes(out, t->name, t->name_size);
		else
			scry_put_styled(call, SCRY_STYLE_NAME, t->name);
		scry_buf_putc(out, '"');
	}
	scry_buf_puts(out, " [");
	scry_put_styled(call, SCRY_STYLE_MARK, scry_task_state_name(t->state));
	if (t->ops->text)
		t->ops->text(t, out);
	scry_buf_putc(out, ']');
	if (t->thread && t->thread->tid)
		scry_buf_printf(out, " of thread %" PRIu64, t->thread->tid);
	scry_buf_putc(out, '\n');
	if (t->error) {
		scry_buf_puts(out, "    ");
		scry_put_styled(call, SCRY_STYLE_ERROR, t->error);
		scry_buf_putc(out, '\n');
		call->partial = true;
	}
	if (t->ops->lines)
		t->ops->lines(t, &lines, call->verbose);
	/* line by line: the values are the target's text */
	for (const char *p = lines.text; p && *p;) {
		const char *end = p;

		while (*end && *end != '\n')
			end++;
		scry_put_safe_bytes(out, p, (size_t)(end - p));
		scry_buf_putc(out, '\n');
		p = *end ? end + 1 : end;
	}
	scry_buf_done(&lines);
	stack_of(call, t, &ts);
	scry_stack_text(call, &ts.stack);
}

static void task_json(struct scry_call *call, struct scry_task *t)
{
	struct scry_json *j = call->json;
	struct task_stack ts;

	scry_json_open(j, '{');
	scry_json_key(j, "kind");
	scry_json_text(j, t->ops->kind);
	scry_json_key(j, "id");
	scry_json_addr(j, t->addr);
	scry_json_key(j, "name");
	if (t->name_size)
		scry_json_bytes(j, t->name, t->name_size);
	else
		scry_json_text(j, t->name);
	scry_json_key(j, "state");
	scry_json_text(j, scry_task_state_name(t->state));
	scry_json_key(j, "thread");
	if (t->thread && t->thread->tid)
		scry_json_int(j, (int64_t)t->thread->tid);
	else
		scry_json_null(j);
	scry_json_key(j, "waits_for");
	scry_task_id_json(j, t->waits_for);
	scry_json_key(j, "parent");
	scry_task_id_json(j, t->parent);
	scry_json_key(j, "awaited_by");
	scry_json_open(j, '[');
	for (size_t i = 0; i < t->awaited_by_count; i++)
		scry_json_addr(j, t->awaited_by[i]);
	scry_json_close(j, ']');
	scry_json_key(j, "awaits");
	scry_json_open(j, '[');
	for (size_t i = 0; i < t->awaits_count; i++)
		scry_json_addr(j, t->awaits[i]);
	scry_json_close(j, ']');
	if (t->ops->json)
		t->ops->json(t, j);
	scry_json_key(j, "error");
	scry_json_text(j, t->error);
	stack_of(call, t, &ts);
	scry_stack_json(call, &ts.stack);
	scry_json_close(j, '}');
}

int scry_show_task_list(struct scry_call *call, const char *what, struct scry_task *first,
			uint64_t ident)
{
	struct scry_session *s = call->s;
	uint64_t limit = s->options.limit[SCRY_LIMIT_TASKS], shown = 0, left = 0;

	if (call->json) {
		scry_json_key(call->json, "tasks");
		scry_json_open(call->json, '[');
	}
	for (struct scry_task *t = first; t; t = t->next) {
		if (ident && t->thread_ident != ident)
			continue;
		if (limit && shown == limit) {
			left++;
			continue;
		}
		if (!call->json && shown)
			scry_buf_putc(call->out, '\n');
		if (call->json)
			task_json(call, t);
		else
			task_text(call, t);
		scry_buf_spill(call->out);
		shown++;
	}
	if (call->json)
		scry_json_close(call->json, ']');
	if (left)
		scry_note(s, "%" PRIu64 " more %s are not shown (limit %" PRIu64 ")", left, what,
			  limit);
	if (!shown && !call->json)
		scry_buf_printf(call->out, "no %s\n", what);
	return SCRY_OK;
}

int scry_show_tasks(struct scry_call *call, const struct scry_task_ops *ops, uint64_t ident)
{
	if (!scry_runtime_first(call->s))
		return SCRY_ENOTFOUND;
	return scry_show_task_list(call, ops->command, scry_tasks_collect(call->s, ops), ident);
}

/* --- Stackless --- */

static void list_json(struct scry_json *j, const char *key, const scry_addr *list, size_t count)
{
	scry_json_key(j, key);
	scry_json_open(j, '[');
	for (size_t i = 0; i < count; i++)
		scry_json_addr(j, list[i]);
	scry_json_close(j, ']');
}

static void scheduler_json(struct scry_json *j, const struct scry_scheduler *c)
{
	scry_json_open(j, '{');
	scry_json_key(j, "thread_id");
	scry_json_int(j, (int64_t)c->thread->ident);
	scry_json_key(j, "thread");
	scry_json_positive(j, (int64_t)c->thread->tid);
	scry_json_key(j, "main");
	scry_task_id_json(j, c->main);
	scry_json_key(j, "current");
	scry_task_id_json(j, c->current);
	scry_json_key(j, "runcount");
	scry_json_int(j, c->runcount);
	scry_json_key(j, "nesting_level");
	scry_json_int(j, c->nesting_level);
	scry_json_key(j, "switch_trap");
	scry_json_int(j, c->switch_trap);
	scry_json_key(j, "blocked");
	scry_json_bool(j, c->is_blocked);
	scry_json_key(j, "idle");
	scry_json_bool(j, c->is_idle);
	scry_json_key(j, "watchdogs");
	scry_task_value_json(c->thread->runtime, c->watchdogs, j);
	scry_json_key(j, "interrupted");
	scry_task_id_json(j, c->interrupted);
	scry_json_key(j, "del_post_switch");
	scry_task_id_json(j, c->del_post_switch);
	list_json(j, "ring", c->ring, c->ring_count);
	scry_json_key(j, "error");
	scry_json_text(j, c->error);
	scry_json_close(j, '}');
}

static void scheduler_text(struct scry_call *call, const struct scry_scheduler *c)
{
	struct scry_buf *out = call->out;

	scry_thread_text(call, c->thread);
	scry_buf_printf(out,
			": %" PRId64 " runnable, main 0x%" PRIx64 ", current 0x%" PRIx64 "%s%s\n",
			c->runcount, c->main, c->current, c->is_blocked ? ", blocked" : "",
			c->is_idle ? ", idle" : "");
	if (c->interrupted)
		scry_buf_printf(out, "    interrupted before tasklet 0x%" PRIx64 " could run\n",
				c->interrupted);
	if (c->del_post_switch)
		scry_buf_printf(out, "    after the switch lets go of 0x%" PRIx64 "\n",
				c->del_post_switch);
	if (call->verbose && c->watchdogs) {
		scry_buf_puts(out, "    watchdogs ");
		scry_task_value_text(c->thread->runtime, c->watchdogs, out);
		scry_buf_putc(out, '\n');
	}
	if (c->error)
		scry_buf_printf(out, "    %s\n", c->error);
}

static void schedulers(struct scry_call *call)
{
	if (call->json) {
		scry_json_key(call->json, "schedulers");
		scry_json_open(call->json, '[');
	}
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		struct scry_stackless *sl =
			r->layout->flavour.stackless ? scry_stackless_of(r) : NULL;

		for (struct scry_scheduler *c = sl ? sl->schedulers : NULL; c; c = c->next) {
			if (call->json)
				scheduler_json(call->json, c);
			else
				scheduler_text(call, c);
		}
	}
	if (call->json)
		scry_json_close(call->json, ']');
	else
		scry_buf_putc(call->out, '\n');
}

static int run_tasklets(struct scry_call *call)
{
	struct scry_thread *t = NULL;

	if (call->argc && scry_thread_find(call->s, call->argv[0], &t) < 0)
		return SCRY_ENOTFOUND;
	struct scry_runtime *r = scry_runtime_first(call->s);
	while (r && !r->layout->flavour.stackless)
		r = r->next;
	if (!r)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Stackless Python in the target");
	schedulers(call);
	return scry_show_tasks(call, &scry_task_tasklet, t ? t->ident : 0);
}

static const struct scry_flag tasklet_flags[] = {
	{ "all-threads", 'a', NULL, "tasklets of every thread (the default)" },
	{ "native", 'n', NULL, "C frames too, as bt --native shows them" },
	{ NULL },
};

const struct scry_command_row scry_command_tasklets = {
	.public = { "tasklets", "[-v] [--native] [--all-threads | THREAD]",
		    "Show the tasklets of a Stackless Python.",
		    "Each thread's scheduler comes first, then every tasklet with its state, the "
		    "channel it is blocked\n"
		    "on, the value it carries, and its Python stack: runnable, blocked, paused, "
		    "new and dead ones.\n"
		    "A bomb is an exception on its way to a tasklet; what it handles is what "
		    "sys.exc_info() told it.\n"
		    "With -v, depths and watchdogs too, cframes (C functions among the Python "
		    "frames, with what they\n"
		    "call), and the C stack of each that was switched out together with it: its "
		    "saved words are\n"
		    "unwound with the interpreter's file.",
		    0 },
	.run = run_tasklets,
	.flags = tasklet_flags,
	.max_args = 1,
};

static void channel_json(struct scry_json *j, const struct scry_channel *c)
{
	scry_json_open(j, '{');
	scry_json_key(j, "id");
	scry_json_addr(j, c->addr);
	scry_json_key(j, "type");
	scry_json_text(j, c->type);
	scry_json_key(j, "balance");
	scry_json_int(j, c->balance);
	scry_json_key(j, "direction");
	scry_json_text(j, c->balance > 0 ? "send" : c->balance < 0 ? "receive" : NULL);
	scry_json_key(j, "preference");
	scry_json_int(j, c->preference);
	scry_json_key(j, "closing");
	scry_json_bool(j, c->closing);
	scry_json_key(j, "closed");
	scry_json_bool(j, c->closing && !c->queue_count);
	scry_json_key(j, "schedule_all");
	scry_json_bool(j, c->schedule_all);
	list_json(j, "queue", c->queue, c->queue_count);
	scry_json_key(j, "error");
	scry_json_text(j, c->error);
	scry_json_close(j, '}');
}

static void channel_text(struct scry_call *call, const struct scry_channel *c)
{
	struct scry_buf *out = call->out;
	uint64_t waiting = (uint64_t)(c->balance < 0 ? -c->balance : c->balance);

	scry_put_safe(out, c->type);
	scry_buf_printf(out, " 0x%" PRIx64 " [", c->addr);
	if (c->balance)
		scry_buf_printf(out, "%" PRIu64 " %s", waiting,
				c->balance > 0 ? "sending" : "receiving");
	else
		scry_buf_puts(out, "nobody waits");
	if (c->closing)
		scry_buf_puts(out, c->queue_count ? ", closing" : ", closed");
	if (c->schedule_all)
		scry_buf_puts(out, ", schedules all");
	scry_buf_printf(out, ", prefers %s]\n",
			c->preference < 0   ? "receivers"
			: c->preference > 0 ? "senders"
					    : "nobody");
	for (size_t i = 0; i < c->queue_count; i++)
		scry_buf_printf(out, "    tasklet 0x%" PRIx64 "\n", c->queue[i]);
	if (c->error)
		scry_buf_printf(out, "    %s\n", c->error);
	call->partial = call->partial || c->error;
}

static int run_channels(struct scry_call *call)
{
	unsigned count = 0;
	bool any = false;

	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next)
		any = any || r->layout->flavour.stackless;
	if (!any)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Stackless Python in the target");
	if (call->json) {
		scry_json_key(call->json, "channels");
		scry_json_open(call->json, '[');
	}
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		struct scry_stackless *sl =
			r->layout->flavour.stackless ? scry_stackless_of(r) : NULL;

		for (struct scry_channel *c = sl ? sl->channels : NULL; c; c = c->next, count++) {
			if (call->json)
				channel_json(call->json, c);
			else
				channel_text(call, c);
		}
	}
	if (call->json)
		scry_json_close(call->json, ']');
	else if (!count)
		scry_buf_puts(call->out, "no channels\n");
	return SCRY_OK;
}

const struct scry_command_row scry_command_channels = {
	.public = { "channels", "", "Show the channels of a Stackless Python.",
		    "Each with its balance, its flags, and the tasklets that wait on it, the first "
		    "to be served first.",
		    0 },
	.run = run_channels,
};
