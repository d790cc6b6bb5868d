/* stacks: threads that are at the same place are told once. */
#include <string.h>

#include "command/stacks.h"

static const char *const forms[] = { "folded", "speedscope", "dot", "signature" };

int scry_stacks_options(struct scry_stacks *st)
{
	static const char *const groups[] = { [SCRY_FOLD_BY_THREAD] = "thread",
					      [SCRY_FOLD_BY_PROCESS] = "process",
					      [SCRY_FOLD_BY_TASK] = "task" };
	struct scry_call *call = st->call;
	const char *wanted = scry_call_flag(call, "group-by");
	unsigned count = 0, group = 0;

	while (wanted && group < 3 && strcmp(groups[group], wanted))
		group++;
	if (group == 3)
		return scry_fail(call->s, SCRY_EINVAL, 0,
				 "--group-by wants thread, process or task, not '%.60s'", wanted);
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		count += scry_call_flag(call, forms[i]) != NULL;
	if (count > 1)
		return scry_fail(call->s, SCRY_EINVAL, 0,
				 "give one of --folded, --speedscope, --dot and --signature");
	st->group = (enum scry_fold_group)group;
	st->signature = scry_call_flag(call, "signature");
	st->native = scry_call_flag(call, "native");
	st->locals = call->s->options.locals;
	st->fold->group = st->group;
	st->fold->signature = st->signature;
	st->fold->locals = st->locals;
	if (st->signature && group == SCRY_FOLD_BY_TASK)
		return scry_fail(call->s, SCRY_EINVAL, 0,
				 "a signature is that of a process: --group-by task has none");
	return SCRY_OK;
}

static int run_stacks(struct scry_call *call)
{
	struct scry_fold own = { .group = SCRY_FOLD_BY_THREAD };
	struct scry_session *s = call->s;
	struct scry_stacks st = { .call = call, .fold = call->gathered ? call->gathered : &own };
	int rc = scry_stacks_options(&st);

	if (rc >= 0 && s->target)
		rc = scry_stacks_gather(&st);
	if (rc >= 0 && !(s->target && call->gathered))
		rc = scry_stacks_show(&st);
	scry_fold_done(&own);
	return rc;
}

static const struct scry_flag flags[] = {
	{ "group-by", 'g', "WHAT", "count threads, tasks, or processes (once in each place)",
	  "thread process task" },
	{ "signature", 's', NULL, "a number for what each died in, without lines and addresses" },
	{ "folded", 0, NULL, "a line for each stack, for flame graphs" },
	{ "speedscope", 0, NULL, "a file for www.speedscope.app" },
	{ "dot", 0, NULL, "a graph for Graphviz" },
	{ "native", 'n', NULL, "C frames too" },
	{ NULL },
};

const struct scry_command_row scry_command_stacks = {
	.public = { "stacks", "[-v] [--group-by WHAT] [--signature | --folded | ...]",
		    "Show equal stacks once: how many threads stand where.",
		    "The stacks of all threads as one tree, from the oldest frame on, which "
		    "branches where they differ;\n"
		    "what few have comes first. Above it there is a line for each different stack. "
		    "--group-by process\n"
		    "counts processes, each once in a place; --group-by task takes tasks of "
		    "asyncio, trio and curio,\n"
		    "greenlets and tasklets in place of threads. --locals says which variables "
		    "differ between those that\n"
		    "are counted together. -v names all of them.\n"
		    "\n"
		    "On the command line there may be many targets: pyscry stacks TARGET..., where "
		    "a target is a core, a\n"
		    "minidump, the id of a process, a directory of dumps, or - for what pyscry "
		    "--json has printed\n"
		    "elsewhere, one answer a line (srun, pdsh or mpirun may put a label before "
		    "it). --children PID\n"
		    "takes a process and all its descendants, --name REGEX the Pythons whose "
		    "command line matches. A\n"
		    "target that cannot be read gets a line with the reason.\n"
		    "\n"
		    "--signature tells crashes apart: a number made of the functions and file "
		    "names on the stack of the\n"
		    "thread that died. Other lines, addresses, and depths of a recursion do not "
		    "change it.",
		    SCRY_COMMAND_TARGETS },
	.run = run_stacks,
	.says = (const struct scry_facts *const[]) { &scry_facts_stacks, NULL },
	.flags = flags,
};
