/* Folded stacks as JSON, described by facts, and as text: a summary and a tree. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/stacks.h"

#define NAMED   6  /* members named in text */
#define SUMMARY 20 /* different stacks of the summary */

/* --- JSON --- */

/* A branch and what knows of it: the subject of its facts. */
struct shown {
	struct scry_stacks *st;
	const struct scry_fold_branch *branch;
	const struct scry_fold_node *node;
	const struct scry_fold_variable *variable;
};

#define SUBJECT struct scry_fold_member
static const struct scry_say member_fields[] = {
	SAY_COUNT("pid", pid),
	SAY_COUNT("tid", tid),
	SAY_TEXT("name", name),
	SAY_TEXT("target", target),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts member_facts = { "member", member_fields, NULL };

#define SUBJECT struct scry_fold_value
static const struct scry_say value_fields[] = {
	SAY_TEXT("repr", text),
	SAY_INT("count", count),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts value_facts = { "value", value_fields, NULL };

static void get_variable_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown *)subject)->variable->name);
}

static void each_value(const void *subject, struct scry_renderer *to)
{
	for (const struct scry_fold_value *v = ((const struct shown *)subject)->variable->values; v;
	     v = v->next)
		scry_say(to, &value_facts, v);
}

static const struct scry_say variable_fields[] = {
	SAY_GET("name", get_variable_name),
	SAY_LIST("values", &value_facts, each_value),
	SAY_END,
};
static const struct scry_facts variable_facts = { "variable", variable_fields, NULL };

static void each_variable(const void *subject, struct scry_renderer *to)
{
	struct shown shown = *(const struct shown *)subject;

	for (shown.variable = shown.node->variables; shown.variable;
	     shown.variable = shown.variable->next)
		if (scry_fold_differs(shown.variable))
			scry_say(to, &variable_facts, &shown);
}

static void get_frame_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret,
		       scry_fold_kind_names[((const struct shown *)subject)->node->frame->kind]);
}

static void get_function(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown *)subject)->node->frame->function);
}

static void get_qualname(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown *)subject)->node->frame->qualname);
}

static void get_file(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown *)subject)->node->frame->file);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	int line = ((const struct shown *)subject)->node->frame->line;

	ret->kind = SCRY_SAID_NULL;
	if (line > 0)
		scry_said_int(ret, line);
}

static const struct scry_say frame_fields[] = {
	SAY_GET("kind", get_frame_kind),
	SAY_GET("function", get_function),
	SAY_GET("qualname", get_qualname),
	SAY_GET("file", get_file),
	SAY_GET("line", get_line),
	SAY_LIST("differing", &variable_facts, each_variable),
	SAY_END,
};
static const struct scry_facts frame_facts = { "folded frame", frame_fields, NULL };

static void get_count(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct shown *)subject)->branch->count);
}

static void get_signature(const void *subject, struct scry_said *ret)
{
	const struct shown *shown = subject;
	char text[20];

	if (!shown->st->signature)
		return;
	ret->kind = SCRY_SAID_NULL;
	if (!scry_fold_is_leaf(shown->branch))
		return;
	snprintf(text, sizeof(text), "%016" PRIx64, scry_fold_signature(shown->branch->last));
	scry_buf_puts(&ret->own, text);
	scry_said_bytes(ret, ret->own.text, ret->own.len);
}

static void each_member(const void *subject, struct scry_renderer *to)
{
	const struct shown *shown = subject;
	const struct scry_fold_member **list;
	size_t count = scry_fold_members(shown->st->fold, shown->branch, &list);

	for (size_t i = 0; i < count; i++)
		scry_say(to, &member_facts, list[i]);
	free(list);
}

static void each_frame(const void *subject, struct scry_renderer *to)
{
	struct shown shown = *(const struct shown *)subject;
	const struct scry_fold_node **list;
	size_t count = scry_fold_branch_nodes(shown.branch, &list);

	for (size_t i = 0; i < count; i++) {
		shown.node = list[i];
		scry_say(to, &frame_facts, &shown);
	}
	free(list);
}

static void say_branches(struct scry_stacks *st, struct scry_fold_branch *list, size_t count,
			 struct scry_renderer *to);

/* A signature is a whole stack: such do not branch. */
static void each_child(const void *subject, struct scry_renderer *to)
{
	const struct shown *shown = subject;
	struct scry_fold_branch *list;
	size_t count = scry_fold_branches(shown->st->fold, shown->branch, &list);

	say_branches(shown->st, list, count, to);
	free(list);
}

static const struct scry_say branch_fields[] = {
	SAY_GET("count", get_count),
	SAY_GET("signature", get_signature),
	SAY_LIST("members", &member_facts, each_member),
	SAY_LIST("frames", &frame_facts, each_frame),
	SAY_LIST("children", NULL, each_child),
	SAY_END,
};
static const struct scry_facts branch_facts = { "stacks", branch_fields, NULL };

static void say_branches(struct scry_stacks *st, struct scry_fold_branch *list, size_t count,
			 struct scry_renderer *to)
{
	for (size_t i = 0; i < count; i++) {
		scry_say(to, &branch_facts, &(struct shown) { .st = st, .branch = &list[i] });
		scry_buf_spill(st->call->out);
	}
}

static void each_root(const void *subject, struct scry_renderer *to)
{
	struct scry_stacks *st = (struct scry_stacks *)(uintptr_t)subject;
	struct scry_fold_branch *list;
	size_t count = st->signature ? scry_fold_leaves(st->fold, &list)
				     : scry_fold_branches(st->fold, NULL, &list);

	say_branches(st, list, count, to);
	free(list);
}

static const struct scry_say stacks_fields[] = {
	SAY_LIST("stacks", &branch_facts, each_root),
	SAY_END,
};
const struct scry_facts scry_facts_stacks = { "folded stacks", stacks_fields, NULL };

/* --- text --- */

void scry_stacks_frame_name(struct scry_buf *out, const struct scry_fold_frame *f, bool short_file)
{
	const char *file = f->file;

	if (f->kind == SCRY_FOLD_DAMAGED)
		scry_buf_puts(out, "<damaged> ");
	scry_put_safe(out, f->qualname ? f->qualname : f->function);
	if (!file)
		return;
	scry_buf_puts(out, " (");
	scry_put_safe(out, short_file ? scry_fold_file_name(file) : file);
	if (f->line > 0)
		scry_buf_printf(out, ":%d", f->line);
	scry_buf_putc(out, ')');
}

static const char *what_is_counted(const struct scry_stacks *st, uint64_t count)
{
	static const char *const names[][2] = {
		[SCRY_FOLD_BY_THREAD] = { "thread", "threads" },
		[SCRY_FOLD_BY_PROCESS] = { "process", "processes" },
		[SCRY_FOLD_BY_TASK] = { "task", "tasks" },
	};

	if (st->signature)
		return count == 1 ? "process" : "processes";
	return names[st->group][count != 1];
}

/* core.17 "MainThread" (4711), or without its target where there is only one */
static void put_member(struct scry_stacks *st, const struct scry_fold_member *m)
{
	struct scry_buf *out = st->call->out;
	bool many = st->fold->processes > 1;
	const char *between = "";

	if (many && m->target) {
		scry_put_safe(out, m->target);
		between = " ";
	}
	if (many && st->group == SCRY_FOLD_BY_PROCESS)
		return;
	if (m->name) {
		scry_buf_printf(out, "%s\"", between);
		scry_put_styled(st->call, SCRY_STYLE_NAME, m->name);
		scry_buf_putc(out, '"');
		between = " ";
	}
	if (m->tid)
		scry_buf_printf(out, "%s%s%" PRIu64 "%s", between, m->name || many ? "(" : "",
				m->tid, m->name || many ? ")" : "");
}

static void put_members(struct scry_stacks *st, const struct scry_fold_branch *b)
{
	const struct scry_fold_member **list;
	size_t count = scry_fold_members(st->fold, b, &list),
	       shown = st->call->verbose || count <= NAMED ? count : NAMED - 1;

	for (size_t i = 0; i < shown; i++) {
		if (i)
			scry_buf_puts(st->call->out, ", ");
		put_member(st, list[i]);
	}
	if (shown < count) {
		scry_buf_puts(st->call->out, " and ");
		scry_put_count(st->call->out, count - shown);
		scry_buf_puts(st->call->out, " more");
	}
	free(list);
}

static void put_indent(struct scry_stacks *st, unsigned level)
{
	scry_buf_printf(st->call->out, "%*s", (int)level * 2, "");
}

static void put_variables(struct scry_stacks *st, const struct scry_fold_node *n, unsigned level)
{
	struct scry_buf *out = st->call->out;

	for (const struct scry_fold_variable *v = n->variables; v; v = v->next) {
		const char *between = " = ";

		if (!scry_fold_differs(v))
			continue;
		put_indent(st, level + 3);
		scry_put_styled(st->call, SCRY_STYLE_NAME, v->name);
		for (const struct scry_fold_value *w = v->values; w; w = w->next) {
			scry_buf_puts(out, between);
			scry_put_safe(out, w->text);
			if (w->count > 1)
				scry_buf_printf(out, " ×%" PRIu64, w->count);
			between = " | ";
		}
		scry_buf_puts(out, v->more ? " | …\n" : "\n");
	}
}

static void put_branch(struct scry_stacks *st, const struct scry_fold_branch *b)
{
	struct scry_buf *out = st->call->out;
	const struct scry_fold_node **nodes;
	struct scry_fold_branch *list;
	size_t count = scry_fold_branch_nodes(b, &nodes);
	unsigned level = (b->level - 1) * 2;

	for (size_t i = 0; i < count; i++) {
		put_indent(st, level);
		if (i)
			scry_buf_puts(out, "       ");
		else
			scry_buf_printf(out, "%6" PRIu64 " ", b->count);
		scry_put_styled(st->call, SCRY_STYLE_OFF, "");
		scry_stacks_frame_name(out, nodes[i]->frame, false);
		scry_buf_putc(out, '\n');
		put_variables(st, nodes[i], level + 3);
	}
	free(nodes);
	if (scry_fold_is_leaf(b)) {
		put_indent(st, level);
		if (count)
			scry_buf_puts(out, "         ");
		else
			scry_buf_printf(out, "%6" PRIu64 " here: ", b->count);
		put_members(st, b);
		scry_buf_putc(out, '\n');
	}
	scry_buf_spill(out);
	count = scry_fold_branches(st->fold, b, &list);
	for (size_t i = 0; i < count; i++)
		put_branch(st, &list[i]);
	free(list);
}

/* "   1 of 512 processes in load_batch (data.py:88): ..." */
static void put_summary(struct scry_stacks *st, const struct scry_fold_branch *list, size_t count)
{
	uint64_t total = scry_fold_total(st->fold);
	struct scry_buf *out = st->call->out;

	for (size_t i = 0; i < count; i++) {
		if (i == SUMMARY && count > SUMMARY + 1 && !st->call->verbose) {
			scry_buf_puts(out, "… ");
			scry_put_count(out, count - i);
			scry_buf_puts(out, " more different stacks (-v)\n");
			break;
		}
		if (st->signature)
			scry_buf_printf(out, "%016" PRIx64 "  ", scry_fold_signature(list[i].last));
		scry_buf_printf(out, "%" PRIu64 " of %" PRIu64 " %s in ", list[i].count, total,
				what_is_counted(st, total));
		const struct scry_fold_frame *f = list[i].last->frame;
		if (f->kind == SCRY_FOLD_SIGNAL && list[i].last->parent->frame) {
			scry_stacks_frame_name(out, list[i].last->parent->frame, true);
			scry_buf_puts(out, ", ");
		}
		scry_stacks_frame_name(out, f, true);
		scry_buf_puts(out, ": ");
		put_members(st, &list[i]);
		scry_buf_putc(out, '\n');
	}
}

static void put_text(struct scry_stacks *st)
{
	struct scry_buf *out = st->call->out;
	struct scry_fold_branch *list;
	size_t count = scry_fold_leaves(st->fold, &list);
	uint64_t total = scry_fold_total(st->fold);

	if (!count) {
		scry_buf_printf(out, "no %s with Python frames\n", what_is_counted(st, 0));
		free(list);
		return;
	}
	put_summary(st, list, count);
	free(list);
	scry_buf_putc(out, '\n');
	scry_put_count(out, total);
	scry_buf_printf(out, " %s", what_is_counted(st, total));
	if (st->fold->processes > 1 && st->group != SCRY_FOLD_BY_PROCESS && !st->signature) {
		scry_buf_puts(out, " of ");
		scry_put_count(out, st->fold->processes);
		scry_buf_puts(out, " processes");
	}
	scry_buf_puts(out, ", ");
	scry_put_count(out, count);
	scry_buf_printf(out, " different %s", count == 1 ? "stack" : "stacks");
	if (st->fold->empty) {
		scry_buf_puts(out, "; ");
		scry_put_count(out, st->fold->empty);
		scry_buf_puts(out, " without Python frames");
	}
	scry_buf_puts(out, " (oldest call first):\n");
	count = scry_fold_branches(st->fold, NULL, &list);
	for (size_t i = 0; i < count; i++)
		put_branch(st, &list[i]);
	free(list);
}

int scry_stacks_show(struct scry_stacks *st)
{
	struct scry_call *call = st->call;

	scry_fold_count(st->fold);
	if (call->json)
		scry_say_fields(&call->render.to, &scry_facts_stacks, st);
	else if (scry_call_flag(call, "folded"))
		scry_stacks_folded(st);
	else if (scry_call_flag(call, "speedscope"))
		scry_stacks_speedscope(st);
	else if (scry_call_flag(call, "dot"))
		scry_stacks_dot(st);
	else
		put_text(st);
	return SCRY_OK;
}
