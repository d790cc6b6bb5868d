/* Who waits for whom, as a graph for Graphviz. */
#include "command/waits_dot.h"
#include "object/thread_names.h"

#include <inttypes.h>

/* A text between quotes of Graphviz. */
static void put_quoted(struct scry_buf *out, const char *text)
{
	SCRY_AUTO_BUF(safe);

	scry_put_safe(&safe, text);
	for (const char *p = safe.text; *p; p++) {
		if (*p == '"' || *p == '\\')
			scry_buf_putc(out, '\\');
		scry_buf_putc(out, *p);
	}
}

static void put_node(struct scry_buf *out, const struct scry_waiter *who, size_t index)
{
	const char *name = who->task ? who->task->name : scry_thread_name(who->thread);

	scry_buf_printf(out, "\tn%zu [label=\"", index);
	put_quoted(out, name ? name : who->task ? who->task->ops->kind : "thread");
	if (who->task)
		scry_buf_printf(out, "\\n0x%" PRIx64, who->task->addr);
	else
		scry_buf_printf(out, "\\n%" PRIu64, who->thread->tid);
	scry_buf_printf(out, "\\n%s", scry_wait_state_names[who->state]);
	if (who->what.kind) {
		scry_buf_puts(out, ": ");
		put_quoted(out, who->what.kind);
	}
	scry_buf_printf(out, "\"%s%s];\n", who->task ? ", shape=box" : "",
			who->deadlock  ? ", color=red"
			: who->perhaps ? ", color=orange"
				       : "");
}

static void put_edges(struct scry_buf *out, const struct scry_waits *w,
		      const struct scry_waiter *who)
{
	for (size_t i = 0; i < who->held_count; i++) {
		const struct scry_holder_of *h = &who->held_by[i];

		scry_buf_printf(out, "\tn%zu -> n%zu [label=\"", (size_t)(who - w->list),
				(size_t)(h->who - w->list));
		put_quoted(out, who->what.name   ? who->what.name
				: who->what.kind ? who->what.kind
						 : "");
		scry_buf_printf(out, " (%s)\"%s%s];\n", scry_how_names[h->how],
				h->how == SCRY_HOW_INFERRED ? ", style=dashed" : "",
				who->deadlock && who->deadlock == h->who->deadlock ? ", color=red"
										   : "");
	}
}

void scry_waits_dot(struct scry_buf *out, const struct scry_waits *w)
{
	scry_buf_puts(out, "digraph waits {\n");
	for (size_t i = 0; i < w->count; i++)
		put_node(out, &w->list[i], i);
	for (size_t i = 0; i < w->count; i++)
		put_edges(out, w, &w->list[i]);
	scry_buf_puts(out, "}\n");
}
