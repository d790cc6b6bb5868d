/* The output of GDB's own commands, in GDB 10 to 18. */
#include "debugger.h"

#include <string.h>

/*
 * A fact is what stands between two marks in a line that begins as told; of a `next` one in the
 * line after that.
 */
static const struct mark {
	const char *line, *before, *after;
	bool next;
	size_t at; /* of the text in struct scry_looks */
} marks[] = {
	/* "Local core dump file:" and then "\t`/tmp/core', file type elf64-x86-64." */
	{ "Local core dump file:", "`", "', file type", true, offsetof(struct scry_looks, core) },
	/* "* 1    process 4711                     /usr/bin/python3" */
	{ "* ", " process ", " ", false, offsetof(struct scry_looks, process) },
	/* "[Current thread is 1 (Thread 0x7f0e (LWP 4711))]" */
	{ "[Current thread is ", "LWP ", ")", false, offsetof(struct scry_looks, thread) },
	{ "frame ", "frame ", "\n", false, offsetof(struct scry_looks, frame) },
};

static void take(struct scry_looks *l, const struct mark *m, const char *line)
{
	const char *end = line + strcspn(line, "\n");

	if (m->next && *end) {
		line = end + 1;
		end = line + strcspn(line, "\n");
	}
	const char *from = strstr(line, m->before);
	if (!from || from >= end)
		return;
	from += strlen(m->before);
	const char *to = strstr(from, m->after);
	struct scry_buf *text = (struct scry_buf *)(void *)((char *)l + m->at);
	scry_buf_cut(text, 0);
	scry_buf_put(text, from, (size_t)((to && to < end ? to : end) - from));
}

void scry_looks_parse(struct scry_looks *l, const char *text)
{
	*l = (struct scry_looks) { SCRY_BUF_INIT, SCRY_BUF_INIT, SCRY_BUF_INIT, SCRY_BUF_INIT };
	for (const char *line = text; *line;) {
		for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
			if (!strncmp(line, marks[i].line, strlen(marks[i].line)))
				take(l, &marks[i], line);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

const char *scry_looks_target(const struct scry_looks *l)
{
	return l->core.len ? l->core.text : l->process.text;
}

void scry_looks_done(struct scry_looks *l)
{
	scry_buf_done(&l->core);
	scry_buf_done(&l->process);
	scry_buf_done(&l->thread);
	scry_buf_done(&l->frame);
}
