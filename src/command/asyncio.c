/* py-tasks: the loops and tasks of asyncio, flat or as a tree of who awaits whom. */
#include <inttypes.h>

#include "command/tasks.h"
#include "task/asyncio.h"

#define DEPTH_MAX 64

/* --- loops --- */

static void loop_text(struct scry_call *call, const struct scry_loop *loop)
{
	struct scry_buf *out = call->out, repr = SCRY_BUF_INIT;

	scry_buf_printf(out, "loop 0x%" PRIx64 " ", loop->addr);
	scry_task_value_text(loop->runtime, loop->addr, &repr);
	scry_put_safe(out, repr.text ? repr.text : "?");
	scry_buf_done(&repr);
	scry_buf_puts(out, " [");
	scry_put_styled(call, SCRY_STYLE_MARK, loop->closed ? "closed" : loop->running ? "running" : "not running");
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
	scry_json_key(j, "id");
	scry_json_addr(j, loop->addr);
	scry_json_key(j, "loop");
	scry_task_value_json(loop->runtime, loop->addr, j);
	scry_json_key(j, "thread");
	scry_json_positive(j, loop->thread ? (int64_t)loop->thread->tid : 0);
	scry_json_key(j, "running");
	scry_json_bool(j, loop->running);
	scry_json_key(j, "closed");
	scry_json_bool(j, loop->closed);
	scry_json_key(j, "current");
	scry_task_id_json(j, loop->current);
	scry_json_close(j, '}');
}

static void show_loops(struct scry_call *call, const struct scry_task *first)
{
	const struct scry_loops *before = NULL;

	if (call->json) {
		scry_json_key(call->json, "loops");
		scry_json_open(call->json, '[');
	}
	for (const struct scry_task *t = first; t; t = t->next) {
		const struct scry_loops *loops = ((const struct scry_asyncio_task *)t->detail)->loops;

		for (const struct scry_loop *loop = loops == before ? NULL : loops->first; loop; loop = loop->next) {
			if (call->json)
				loop_json(call->json, loop);
			else
				loop_text(call, loop);
		}
		before = loops;
	}
	if (call->json)
		scry_json_close(call->json, ']');
	else if (first)
		scry_buf_putc(call->out, '\n');
}

/* --- the tree --- */

/* An edge of the tree: `child` is awaited by the task whose list this stands in. */
struct edge {
	struct edge *next;
	struct scry_task *child;
};

struct node {
	struct scry_task *task;
	struct edge *children, **tail;
	bool open, shown;
};

struct tree {
	struct scry_call *call;
	struct scry_hash nodes; /* by the task's address */
	uint64_t lines;
};

static void tree_line(struct tree *tree, const struct node *node, unsigned depth)
{
	struct scry_buf *out = tree->call->out;
	struct scry_task *t = node->task;
	struct scry_walk walk = { 0 };
	struct scry_frame f;
	struct scry_location at;

	scry_buf_printf(out, "%*s", (int)depth * 4, "");
	scry_put_styled(tree->call, SCRY_STYLE_NAME, t->name ? t->name : "task");
	scry_buf_printf(out, " 0x%" PRIx64 " [", t->addr);
	scry_put_styled(tree->call, SCRY_STYLE_MARK, t->state);
	scry_buf_putc(out, ']');
	if (scry_task_frame_next(t, &walk, &f) == SCRY_ITEM && f.code) {
		scry_frame_location(&f, &at);
		scry_buf_puts(out, " in ");
		scry_put_styled(tree->call, SCRY_STYLE_FUNCTION, f.code->qualname ? f.code->qualname : f.code->name);
		scry_buf_puts(out, " (");
		scry_put_styled(tree->call, SCRY_STYLE_FILE, f.code->file);
		scry_buf_printf(out, ":%d)", at.line);
	}
	if (node->open)
		scry_buf_puts(out, " ... a cycle");
	else if (node->shown && node->children)
		scry_buf_puts(out, " ... as above");
	scry_buf_putc(out, '\n');
	tree->lines++;
}

static void show_node(struct tree *tree, struct node *node, unsigned depth)
{
	tree_line(tree, node, depth);
	if (node->open || node->shown)
		return;
	node->open = node->shown = true;
	for (struct edge *e = node->children; e; e = e->next) {
		struct node *child = scry_hash_find(&tree->nodes, e->child->addr);

		if (depth < DEPTH_MAX)
			show_node(tree, child, depth + 1);
	}
	if (depth == DEPTH_MAX && node->children)
		scry_buf_printf(tree->call->out, "%*s... deeper ones follow below\n", (int)(depth + 1) * 4, "");
	node->open = false;
}

static bool plant(struct tree *tree, struct scry_task *first)
{
	struct scry_arena *arena = &tree->call->s->arena;

	for (struct scry_task *t = first; t; t = t->next) {
		struct node *node = scry_arena_alloc(arena, sizeof(*node));

		if (!node)
			return false;
		node->task = t;
		node->tail = &node->children;
		scry_hash_put(&tree->nodes, t->addr, node);
	}
	for (struct scry_task *t = first; t; t = t->next)
		for (size_t i = 0; i < t->awaited_by_count; i++) {
			struct node *parent = scry_hash_find(&tree->nodes, t->awaited_by[i]);
			struct edge *e = parent ? scry_arena_alloc(arena, sizeof(*e)) : NULL;

			if (!e)
				continue;
			e->child = t;
			*parent->tail = e;
			parent->tail = &e->next;
		}
	return true;
}

/* First what nobody awaits; then what is left: cycles. */
static void show_tree(struct scry_call *call, struct scry_task *first)
{
	struct tree tree = { .call = call };

	if (plant(&tree, first)) {
		for (struct scry_task *t = first; t; t = t->next)
			if (!t->awaited_by_count)
				show_node(&tree, scry_hash_find(&tree.nodes, t->addr), 0);
		for (struct scry_task *t = first; t; t = t->next) {
			struct node *node = scry_hash_find(&tree.nodes, t->addr);

			if (!node->shown)
				show_node(&tree, node, 0);
		}
	}
	if (!first)
		scry_buf_puts(call->out, "no tasks\n");
	scry_hash_done(&tree.nodes);
}

static int run_tasks(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_thread *thread = NULL;

	if (call->argc && scry_thread_find(s, call->argv[0], &thread) < 0)
		return SCRY_ENOTFOUND;
	if (!scry_runtime_first(s))
		return SCRY_ENOTFOUND;
	struct scry_task *first = scry_tasks_collect(
		s, scry_call_flag(call, "all") ? &scry_task_asyncio_heap : &scry_task_asyncio);
	show_loops(call, first);
	if (!call->json && scry_call_flag(call, "tree")) {
		show_tree(call, first);
		return SCRY_OK;
	}
	return scry_show_task_list(call, &scry_task_asyncio, first, thread ? thread->ident : 0);
}

static const struct scry_flag tasks_flags[] = {
	{ "tree", 't', NULL, "who awaits whom, one line a task" },
	{ "all", 'a', NULL, "look at the whole heap: finished tasks that asyncio has forgotten, too" },
	{ NULL },
};

const struct scry_command_row scry_command_tasks = {
	.public = {
		"tasks", "[-v] [--tree] [--all] [THREAD]", "Show the tasks of asyncio.",
		"The event loops come first, then every task with its state, what it waits for, who awaits it, and\n"
		"its stack down to the frame where it is parked, through coroutines and async generators.",
		0 },
	.run = run_tasks, .flags = tasks_flags, .max_args = 1,
};
