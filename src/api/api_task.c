/* Tasks as they are handed out: those that each command lists. */
#include "api/api.h"

#include "command/tasks.h"
#include "task/generator.h"
#include "task/greenlet.h"
#include "task/loop.h"
#include "task/stackless.h"

/* The commands, and what they list; NULL: the tasks of event loops. */
static const struct {
	const char *command;
	const struct scry_task_ops *ops;
} rows[] = {
	{ "tasks", NULL },
	{ "greenlets", &scry_task_greenlet },
	{ "tasklets", &scry_task_tasklet },
	{ "generators", &scry_task_generator },
};
#define ROWS (sizeof(rows) / sizeof(*rows))
_Static_assert(ROWS == sizeof(((struct scry_handed *)NULL)->collected), "a place for each row");

/* Tasks of loops lean on what was found of these: it is kept as long as they are. */
static struct scry_task *collect_of_loops(struct scry_session *s, struct scry_handed *handed)
{
	if (handed->loops)
		scry_loops_done(handed->loops);
	else
		handed->loops = scry_arena_alloc(&s->arena, sizeof(*handed->loops));
	return handed->loops ? scry_loops_collect(s, false, handed->loops) : NULL;
}

void scry_api_forget(struct scry_session *s)
{
	struct scry_handed *handed = s->handed;

	if (handed && handed->loops)
		scry_loops_done(handed->loops);
	s->handed = NULL;
}

static int first_task(struct scry_session *s, size_t row, struct scry_task **ret)
{
	struct scry_handed *handed = scry_api_handed(s);

	if (!handed)
		return SCRY_ENOMEM;
	if (!handed->collected[row]) {
		scry_command_hold(s, false);
		struct scry_task *first = NULL;
		if (scry_runtime_first(s))
			first = rows[row].ops ? scry_tasks_collect(s, rows[row].ops)
					      : collect_of_loops(s, handed);
		scry_command_release(s);
		if (s->stopped)
			return SCRY_EFAULT;
		handed->tasks[row] = first;
		handed->collected[row] = true;
	}
	*ret = handed->tasks[row];
	return SCRY_OK;
}

int scry_task_next(struct scry_session *s, const char *command, struct scry_task **it)
{
	struct scry_task *t = NULL;
	size_t row = 0;
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	while (row < ROWS && strcmp(rows[row].command, command))
		row++;
	if (row == ROWS)
		return scry_fail(s, SCRY_EINVAL, 0, "no command '%.60s' lists tasks", command);
	if (*it)
		t = (*it)->next;
	else
		rc = first_task(s, row, &t);
	rc = scry_api_end(s, rc < 0 ? rc : t ? SCRY_ITEM : SCRY_OK);
	if (rc == SCRY_ITEM)
		*it = t;
	return rc;
}

const char *scry_task_kind(const struct scry_task *t)
{
	return t->ops->kind;
}

scry_addr scry_task_id(const struct scry_task *t)
{
	return t->addr;
}

const char *scry_task_name(const struct scry_task *t)
{
	return t->name;
}

/* The state's names are indexed by an enum, so the function of that name is taken. */
const char *scry_task_state(const struct scry_task *t)
{
	return scry_task_state_name(t->state);
}

struct scry_thread *scry_task_thread(const struct scry_task *t)
{
	return (struct scry_thread *)(uintptr_t)t->thread;
}

int scry_task_json(struct scry_task *t, struct scry_buf *out)
{
	return scry_api_json(t->runtime->session, &scry_facts_task, t, out);
}
