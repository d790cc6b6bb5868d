/* Tasks as a tree, one line each: below a task stands what it awaits, or its children. */
#include <inttypes.h>

#include "command/tasks.h"

#define DEPTH_MAX 64

/* An edge of the tree: `child` stands below the task whose list this is in. */
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

void scry_task_name_text(struct scry_call *call, const struct scry_task *t)
{
	static const char *const phrases[] = { "{?has_name}{the_name}", "|{kind:name}", NULL };

	scry_say_as(&call->render.to, &scry_facts_task, phrases, t);
}

void scry_task_place_text(struct scry_call *call, struct scry_task *t)
{
	struct scry_buf *out = call->out;
	struct scry_location at;
	struct scry_frame f;
	const char *library;

	if (scry_task_place(t, &f, &library) != SCRY_ITEM || !f.code)
		return;
	scry_frame_location(&f, &at);
	scry_buf_puts(out, " in ");
	scry_put_styled(call, SCRY_STYLE_FUNCTION,
			f.code->qualname ? f.code->qualname : f.code->name);
	scry_buf_puts(out, " (");
	scry_put_styled(call, SCRY_STYLE_FILE, f.code->file);
	scry_buf_printf(out, ":%d)", at.line);
	if (library) {
		scry_buf_puts(out, " awaiting ");
		scry_put_styled(call, SCRY_STYLE_FUNCTION, library);
	}
}

static void tree_line(struct tree *tree, const struct node *node, unsigned depth)
{
	struct scry_buf *out = tree->call->out;
	struct scry_task *t = node->task;

	scry_buf_printf(out, "%*s", (int)depth * 4, "");
	scry_task_name_text(tree->call, t);
	scry_buf_printf(out, " 0x%" PRIx64 " [", t->addr);
	scry_put_styled(tree->call, SCRY_STYLE_MARK, scry_task_state_name(t->state));
	scry_say_as(&tree->call->render.to, &scry_facts_task,
		    (const char *const[]) { "{words}", NULL }, t);
	scry_buf_putc(out, ']');
	scry_task_place_text(tree->call, t);
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
		scry_buf_printf(tree->call->out, "%*s... deeper ones follow below\n",
				(int)(depth + 1) * 4, "");
	node->open = false;
}

static void hang(struct tree *tree, struct scry_task *t, scry_addr below)
{
	struct node *parent = scry_hash_find(&tree->nodes, below);
	struct edge *e = parent ? scry_arena_alloc(&tree->call->s->arena, sizeof(*e)) : NULL;

	if (!e)
		return;
	e->child = t;
	*parent->tail = e;
	parent->tail = &e->next;
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
	for (struct scry_task *t = first; t; t = t->next) {
		if (t->parent)
			hang(tree, t, t->parent);
		for (size_t i = 0; i < t->awaited_by_count; i++)
			hang(tree, t, t->awaited_by[i]);
	}
	return true;
}

/* First what stands below nothing; then what is left: cycles. */
void scry_show_task_tree(struct scry_call *call, const char *what, struct scry_task *first)
{
	struct tree tree = { .call = call };

	if (plant(&tree, first)) {
		for (struct scry_task *t = first; t; t = t->next)
			if (!t->awaited_by_count && !t->parent)
				show_node(&tree, scry_hash_find(&tree.nodes, t->addr), 0);
		for (struct scry_task *t = first; t; t = t->next) {
			struct node *node = scry_hash_find(&tree.nodes, t->addr);

			if (!node->shown)
				show_node(&tree, node, 0);
		}
	}
	if (!first)
		scry_buf_printf(call->out, "no %s\n", what);
	scry_hash_done(&tree.nodes);
}
