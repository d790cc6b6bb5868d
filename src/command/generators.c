/* py-generators: what stands suspended on the heap. */
#include "command/tasks.h"
#include "task/generator.h"

static int run_generators(struct scry_call *call)
{
	return scry_show_tasks(call, &scry_task_generator, 0);
}

const struct scry_command_row scry_command_generators = {
	.public = {
		"generators", "", "Show suspended generators and coroutines anywhere on the heap.",
		"Each that is not over, with what it yields from or awaits, and the stack from the frame that\n"
		"is parked innermost to its own. This looks at every object that the garbage collector knows.",
		0 },
	.run = run_generators,
};
