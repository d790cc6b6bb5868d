/*
 * py-tasks: the loops and tasks of asyncio, trio and curio, flat or as a tree of who awaits whom.
 */
#include <inttypes.h>

#include "command/tasks.h"
#include "object/thread_names.h"
#include "task/loop.h"

/* --- loops --- */

static void get_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_loop *)subject)->library->ops->kind);
}

static void get_thread(const void *subject, struct scry_said *ret)
{
	const struct scry_loop *loop = subject;

	ret->kind = SCRY_SAID_NULL;
	if (loop->thread && loop->thread->tid)
		scry_said_int(ret, (int64_t)loop->thread->tid);
}

/* Null: the loop does not say. */
static void get_closed(const void *subject, struct scry_said *ret)
{
	const struct scry_loop *loop = subject;

	ret->kind = SCRY_SAID_NULL;
	if (loop->closed >= 0)
		scry_said_bool(ret, loop->closed);
}

/* Null: of a version that is not known, whose tasks are its may be missing. */
static void get_tasks(const void *subject, struct scry_said *ret)
{
	const struct scry_loop *loop = subject;

	ret->kind = SCRY_SAID_NULL;
	if (loop->tasks || !loop->runtime->layout->guessed)
		scry_said_int(ret, (int64_t)loop->tasks);
}

#define SUBJECT struct scry_loop
static const struct scry_say loop_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_ADDR("id", addr),
	SAY_AT("loop", &scry_facts_value, addr),
	SAY_GET("thread", get_thread),
	SAY_BOOL("running", running),
	SAY_GET("closed", get_closed),
	SAY_ID("current", current),
	SAY_GET("tasks", get_tasks, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const loop_text[] = {
	"{kind} loop {id} {loop} [",
	"{?closed}{:mark}closed{}",
	"|{?running}{:mark}running{}",
	"|{:mark}not running{}",
	"]",
	" of thread {thread}",
	": {tasks} task{tasks+}",
	", current {current}",
	"\n",
	NULL,
};

static const struct scry_facts loop_facts = { "loop", loop_fields, loop_text,
					      SCRY_IN(struct scry_loop, runtime) };

static void each_loop(const void *subject, struct scry_renderer *to)
{
	for (const struct scry_loop *loop = ((const struct scry_loops *)subject)->first; loop;
	     loop = loop->next)
		scry_say(to, &loop_facts, loop);
}

static void get_any(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_loops *)subject)->first != NULL);
}

static const struct scry_say loops_fields[] = {
	SAY_LIST("loops", &loop_facts, each_loop),
	SAY_GET("any", get_any, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts loops_facts = { "loops", loops_fields,
					       (const char *const[]) { "{?any}{loops}\n", NULL } };

static int run_tasks(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_thread *thread = NULL;

	if (call->argc && scry_thread_named(s, call->argv[0], &thread) < 0)
		return SCRY_ENOTFOUND;
	if (!scry_runtime_first(s))
		return SCRY_ENOTFOUND;
	struct scry_loops loops;
	struct scry_task *first = scry_loops_collect(s, scry_call_flag(call, "all"), &loops);
	int rc = SCRY_OK;

	scry_say_fields(&call->render.to, &loops_facts, &loops);
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
		    "Event loops come first (trio's runners and curio's kernels among them), then "
		    "every task with its\n"
		    "state, what it waits for, who awaits it or is its parent, and its stack down "
		    "to the frame where it\n"
		    "is parked, through coroutines and async generators. A state is pending, "
		    "running, done, cancelled,\n"
		    "or must-cancel: it will be cancelled when it runs next. Finished tasks are "
		    "shown as long as they\n"
		    "live; --all finds those of a very large heap, too. From Python 3.14 on the "
		    "interpreter itself keeps\n"
		    "who awaits a task; before, it is what the done callbacks lead to.\n"
		    "Where there are thousands, --count says where they stand and --tree who "
		    "awaits whom; both name the\n"
		    "newest frame that is not the library's own.",
		    0 },
	.run = run_tasks,
	.says = (const struct scry_facts *const[]) { &loops_facts, &scry_facts_task_list, NULL },
	.flags = tasks_flags,
	.max_args = 1,
};
