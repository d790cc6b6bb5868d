/* Folded stacks for other programs: flame graphs, speedscope, Graphviz. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command/stacks.h"

/* Brendan Gregg's stackcollapse format: frames from the oldest on, ';' between them, the count. */
static void folded_line(struct scry_stacks *st, const struct scry_fold_branch *leaf)
{
	const struct scry_fold_node **nodes;
	struct scry_buf *out = st->call->out;
	size_t count = scry_fold_branch_nodes(leaf, &nodes);

	for (size_t i = 0; i < count; i++) {
		SCRY_AUTO_BUF(name);

		if (i)
			scry_buf_putc(out, ';');
		scry_stacks_frame_name(&name, nodes[i]->frame, false);
		for (const char *at = name.text; *at; at++)
			scry_buf_putc(out, *at == ';' ? ':' : *at);
	}
	scry_buf_printf(out, " %" PRIu64 "\n", leaf->count);
	scry_buf_spill(out);
	free(nodes);
}

void scry_stacks_folded(struct scry_stacks *st)
{
	struct scry_fold_branch *list;
	size_t count = scry_fold_leaves(st->fold, &list);

	for (size_t i = 0; i < count; i++)
		folded_line(st, &list[i]);
	free(list);
}

/* https://www.speedscope.app/file-format-schema.json: one sampled profile, a sample for a stack. */
void scry_stacks_speedscope(struct scry_stacks *st)
{
	struct scry_json j = { st->call->out, false };
	struct scry_fold_branch *list;
	size_t count = scry_fold_leaves(st->fold, &list);
	uint64_t total = 0;

	scry_json_open(&j, '{');
	scry_json_put_text(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	scry_json_put_text(&j, "exporter", "pyscry " SCRY_VERSION_TEXT);
	scry_json_put_text(&j, "name", "pyscry stacks");
	scry_json_put_int(&j, "activeProfileIndex", 0);
	scry_json_key(&j, "shared");
	scry_json_open(&j, '{');
	scry_json_key(&j, "frames");
	scry_json_open(&j, '[');
	for (const struct scry_fold_frame *f = st->fold->first_frame; f; f = f->next) {
		scry_json_open(&j, '{');
		scry_json_put_text(&j, "name", f->qualname ? f->qualname : f->function);
		if (f->file)
			scry_json_put_text(&j, "file", f->file);
		if (f->line > 0)
			scry_json_put_int(&j, "line", f->line);
		scry_json_close(&j, '}');
	}
	scry_json_close(&j, ']');
	scry_json_close(&j, '}');
	scry_json_key(&j, "profiles");
	scry_json_open(&j, '[');
	scry_json_open(&j, '{');
	scry_json_put_text(&j, "type", "sampled");
	scry_json_put_text(&j, "name", "stacks");
	scry_json_put_text(&j, "unit", "none");
	scry_json_put_int(&j, "startValue", 0);
	scry_json_key(&j, "samples");
	scry_json_open(&j, '[');
	for (size_t i = 0; i < count; i++) {
		const struct scry_fold_node **nodes;
		size_t n = scry_fold_branch_nodes(&list[i], &nodes);

		scry_json_open(&j, '[');
		for (size_t k = 0; k < n; k++)
			scry_json_int(&j, nodes[k]->frame->index);
		scry_json_close(&j, ']');
		free(nodes);
		scry_buf_spill(st->call->out);
	}
	scry_json_close(&j, ']');
	scry_json_key(&j, "weights");
	scry_json_open(&j, '[');
	for (size_t i = 0; i < count; i++) {
		scry_json_int(&j, (int64_t)list[i].count);
		total += list[i].count;
	}
	scry_json_close(&j, ']');
	scry_json_put_int(&j, "endValue", (int64_t)total);
	scry_json_close(&j, '}');
	scry_json_close(&j, ']');
	scry_json_close(&j, '}');
	scry_buf_putc(st->call->out, '\n');
	free(list);
}

static void dot_text(struct scry_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			scry_buf_putc(out, '\\');
		scry_buf_putc(out, *text);
	}
}

static void dot_branch(struct scry_stacks *st, const struct scry_fold_branch *b, unsigned above,
		       unsigned *number)
{
	struct scry_buf *out = st->call->out;
	const struct scry_fold_node **nodes;
	struct scry_fold_branch *list;
	size_t count = scry_fold_branch_nodes(b, &nodes);
	unsigned own = ++*number;

	scry_buf_printf(out, "\tn%u [label=\"%" PRIu64 "\\l", own, b->count);
	for (size_t i = 0; i < count; i++) {
		SCRY_AUTO_BUF(name);

		scry_stacks_frame_name(&name, nodes[i]->frame, true);
		dot_text(out, name.text);
		scry_buf_puts(out, "\\l");
	}
	scry_buf_puts(out, "\"];\n");
	if (above)
		scry_buf_printf(out, "\tn%u -> n%u [label=\"%" PRIu64 "\"];\n", above, own,
				b->count);
	free(nodes);
	scry_buf_spill(out);
	count = scry_fold_branches(st->fold, b, &list);
	for (size_t i = 0; i < count; i++)
		dot_branch(st, &list[i], own, number);
	free(list);
}

void scry_stacks_dot(struct scry_stacks *st)
{
	struct scry_fold_branch *list;
	size_t count = scry_fold_branches(st->fold, NULL, &list);
	unsigned number = 0;

	scry_buf_puts(st->call->out, "digraph stacks {\n\tnode [shape=box, fontname=monospace];\n");
	for (size_t i = 0; i < count; i++)
		dot_branch(st, &list[i], 0, &number);
	scry_buf_puts(st->call->out, "}\n");
	free(list);
}
