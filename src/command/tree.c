/* Tasks as a tree, one line each: below a task stands what it awaits, or its children. */
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

/* --- where a task's own code stands --- */

struct place {
	struct scry_frame frame;
	const char *library; /* the function of the library that this one awaits, or NULL */
};

static void get_function(const void *subject, struct scry_said *ret)
{
	const struct scry_code *code = ((const struct place *)subject)->frame.code;

	scry_said_text(ret, code->qualname ? code->qualname : code->name);
}

static void get_file(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct place *)subject)->frame.code->file);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	struct scry_location at = { 0 };

	scry_frame_location(&((const struct place *)subject)->frame, &at);
	scry_said_int(ret, at.line);
}

#define SUBJECT struct place
static const struct scry_say place_fields[] = {
	SAY_GET("function", get_function),
	SAY_GET("file", get_file),
	SAY_GET("line", get_line),
	SAY_TEXT("library", library),
	SAY_END,
};
#undef SUBJECT

static const char *const place_text[] = {
	" in {function:function=} ({file:file=}:{line})",
	" awaiting {library:function}",
	NULL,
};

static const struct scry_facts place_facts = { "place", place_fields, place_text };

/* Nothing where it has no frame, or one that is damaged. */
static void get_place(const void *subject, struct scry_said *ret)
{
	struct scry_task *t = (struct scry_task *)(uintptr_t)subject;
	struct place *place = scry_arena_alloc(&t->runtime->session->arena, sizeof(*place));
	bool known = place && scry_task_place(t, &place->frame, &place->library) == SCRY_ITEM &&
		     place->frame.code;

	scry_said_facts(ret, &place_facts, known ? place : NULL);
}

static const char *const title[] = { "{?has_name}{the_name}", "|{kind:name}", NULL };

static const struct scry_say task_line_fields[] = {
	SAY_FIELDS(&scry_facts_task),
	SAY_GET("place", get_place, .facts = &place_facts),
	SAY_VIEW("title", title, NULL),
	SAY_END,
};

/* --- a line of the tree --- */

struct line {
	struct scry_task *task;
	unsigned columns;    /* that it is indented */
	const char *comment; /* why what is below it is not shown here */
};

static bool print_indent(const void *subject, struct scry_buf *out)
{
	scry_buf_printf(out, "%*s", (int)((const struct line *)subject)->columns, "");
	return true;
}

static void get_task(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_task_line, ((const struct line *)subject)->task);
	ret->kind = SCRY_SAID_FIELDS;
}

#define SUBJECT struct line
static const struct scry_say line_fields[] = {
	SAY_GET("", get_task, .facts = &scry_facts_task_line),
	SAY_PRINT("indent", print_indent),
	SAY_TEXT("comment", comment),
	SAY_END,
};
#undef SUBJECT

static const char *const line_text[] = {
	"{indent}{title} {id} [{state:mark}",
	"{words}",
	"]",
	"{place}",
	" ... {comment}",
	"\n",
	NULL,
};
static const char *const deeper_text[] = { "{indent}... deeper ones follow below\n", NULL };

/* JSON has the tasks themselves, each with who awaits it. */
static const struct scry_facts line_facts = { "line of a tree", line_fields, line_text,
					      .text_only = true };

const struct scry_facts scry_facts_task_line = { "task", task_line_fields, NULL,
						 .text_only = true };

static void tree_line(struct tree *tree, const struct node *node, unsigned depth)
{
	const char *comment = node->open                      ? "a cycle"
			      : node->shown && node->children ? "as above"
							      : NULL;

	scry_say(&tree->call->render.to, &line_facts,
		 &(struct line) { node->task, depth * 4, comment });
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
		scry_say_as(&tree->call->render.to, &line_facts, deeper_text,
			    &(struct line) { node->task, (depth + 1) * 4, NULL });
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
		scry_say_none(call, what);
	scry_hash_done(&tree.nodes);
}
