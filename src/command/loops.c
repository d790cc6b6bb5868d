/*
 * py-tasks: the loops and tasks of asyncio, trio and curio, flat or as a tree of who awaits whom.
 */
#include <inttypes.h>

#include "command/tasks.h"
#include "task/loop.h"

/* --- loops --- */

static void loop_text(struct scry_call *call, const struct scry_loop *loop)
{
	struct scry_buf *out = call->out, repr = SCRY_BUF_INIT;

	scry_buf_printf(out, "%s loop 0x%" PRIx64 " ", loop->library->ops->kind, loop->addr);
	scry_task_value_text(loop->runtime, loop->addr, &repr);
	scry_put_safe(out, repr.len ? repr.text : "?");
	scry_buf_done(&repr);
	scry_buf_puts(out, " [");
	scry_put_styled(call, SCRY_STYLE_MARK,
			loop->closed > 0 ? "closed"
			: loop->running  ? "running"
					 : "not running");
	scry_buf_putc(out, ']');
	if (loop->thread && loop->thread->tid)
		scry_buf_printf(out, " of thread %" PRIu64, loop->thread->tid);
	scry_buf_printf(out, ": %" PRIu64 " task%s", loop->tasks, loop->tasks == 1 ? "" : "s");
	if (loop->current)
		scry_buf_printf(out, ", current 0x%" PRIx64, loop->current);
	scry_buf_putc(out, '\n');
}

static void loop_json(struct scry_json *j, const struct scry_loop *loop)
{
	scry_json_open(j, '{');
	scry_json_key(j, "kind");
	scry_json_text(j, loop->library->ops->kind);
	scry_json_key(j, "id");
	scry_json_addr(j, loop->addr);
	scry_json_key(j, "loop");
	scry_task_value_json(loop->runtime, loop->addr, j);
	scry_json_key(j, "thread");
	scry_json_positive(j, loop->thread ? (int64_t)loop->thread->tid : 0);
	scry_json_key(j, "running");
	scry_json_bool(j, loop->running);
	scry_json_key(j, "closed");
	if (loop->closed < 0)
		scry_json_null(j);
	else
		scry_json_bool(j, loop->closed);
	scry_json_key(j, "current");
	scry_task_id_json(j, loop->current);
	scry_json_close(j, '}');
}

static void show_loops(struct scry_call *call, const struct scry_loops *loops)
{
	if (call->json) {
		scry_json_key(call->json, "loops");
		scry_json_open(call->json, '[');
	}
	for (const struct scry_loop *loop = loops->first; loop; loop = loop->next) {
		if (call->json)
			loop_json(call->json, loop);
		else
			loop_text(call, loop);
	}
	if (call->json)
		scry_json_close(call->json, ']');
	else if (loops->first)
		scry_buf_putc(call->out, '\n');
}

static int run_tasks(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_thread *thread = NULL;

	if (call->argc && scry_thread_find(s, call->argv[0], &thread) < 0)
		return SCRY_ENOTFOUND;
	if (!scry_runtime_first(s))
		return SCRY_ENOTFOUND;
	struct scry_loops loops;
	struct scry_task *first = scry_loops_collect(s, scry_call_flag(call, "all"), &loops);
	int rc = SCRY_OK;

	show_loops(call, &loops);
	if (!call->json && scry_call_flag(call, "tree"))
		scry_show_task_tree(call, "tasks", first);
	else if (!call->json && scry_call_flag(call, "count"))
		scry_show_task_counts(call, "tasks", first, thread ? thread->ident : 0);
	else
		rc = scry_show_task_list(call, "tasks", first, thread ? thread->ident : 0);
	scry_loops_done(&loops);
	return rc;
}

static const struct scry_flag tasks_flags[] = {
	{ "tree", 't', NULL, "who awaits whom, one line a task" },
	{ "count", 'c', NULL, "how many tasks stand at the same place, one line a place" },
	{ "all", 'a', NULL, "look for tasks on the whole heap, however large" },
	{ NULL },
};

const struct scry_command_row scry_command_tasks = {
	.public = { "tasks", "[-v] [--tree | --count] [--all] [THREAD]",
		    "Show the tasks of asyncio, trio and curio.",
		    "The event loops come first (trio's runners and curio's kernels are such), "
		    "then every task with its\n"
		    "state, what it waits for, who awaits it or is its parent, and its stack down "
		    "to the frame where it\n"
		    "is parked, through coroutines and async generators. A state is pending, "
		    "running, done, cancelled,\n"
		    "or must-cancel: it will be cancelled when it runs next. Finished tasks are "
		    "shown as long as they\n"
		    "live; --all finds those of a very large heap, too. From Python 3.14 on who "
		    "awaits a task is what\n"
		    "the interpreter keeps, before it is what the done callbacks lead to.\n"
		    "Of thousands, --count tells where they stand and --tree who awaits whom; both "
		    "name the newest frame\n"
		    "that is not the library's own.",
		    SCRY_COMMAND_CPYTHON },
	.run = run_tasks,
	.flags = tasks_flags,
	.max_args = 1,
};
