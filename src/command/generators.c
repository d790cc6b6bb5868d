/* py-generators and py-greenlets: what stands suspended on the heap. */
#include "command/tasks.h"
#include "task/generator.h"
#include "task/greenlet.h"

static int run_generators(struct scry_call *call)
{
	return scry_show_tasks(call, &scry_task_generator, 0);
}

const struct scry_command_row scry_command_generators = {
	.public = { "generators", "",
		    "Show suspended generators and coroutines anywhere on the heap.",
		    "Each that has not finished, with what it yields from or awaits, and its "
		    "stack, from the innermost\n"
		    "frame that is parked to its own. Every object that the garbage collector "
		    "knows is looked at.",
		    0 },
	.run = run_generators,
	.says = scry_says_tasks,
};

static int run_greenlets(struct scry_call *call)
{
	if (call->json || !scry_call_flag(call, "tree"))
		return scry_show_tasks(call, &scry_task_greenlet, 0);
	scry_show_task_tree(call, "greenlets", scry_tasks_collect(call->s, &scry_task_greenlet));
	return SCRY_OK;
}

static const struct scry_flag greenlet_flags[] = {
	{ "tree", 't', NULL, "one line each, below its parent" },
	{ "native", 'n', NULL, "C frames too, as bt --native shows them" },
	{ NULL },
};

const struct scry_command_row scry_command_greenlets = {
	.public = { "greenlets", "[-v] [--native] [--tree]",
		    "Show greenlets (gevent's and eventlet's, too).",
		    "Each with its state (active, suspended, not started, dead), its thread, its "
		    "parent, what it will\n"
		    "run, the exception it handles, and its Python stack. For gevent's and "
		    "eventlet's greenlets what will\n"
		    "wake them is shown: events, semaphores, queues, other greenlets, files, "
		    "timers. -v adds the C stack:\n"
		    "that of a suspended one comes from its saved words, unwound with the files of "
		    "the process.",
		    0 },
	.run = run_greenlets,
	.says = scry_says_tasks,
	.flags = greenlet_flags,
};
