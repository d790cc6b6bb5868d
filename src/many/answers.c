/*
 * What `pyscry --json` printed elsewhere, an answer a line: of bt, or of tasks. Whoever carries it
 * (srun -l, pdsh, mpirun --tag-output) may put a label before each line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_read.h"
#include "command/command.h"
#include "many/many.h"

#define LINE_MAX_BYTES (256u << 20)

enum { FUNCTION, QUALNAME, FILE_NAME, KIND, NAME, REPR, TEXTS };

struct answer {
	struct scry_many *many;
	struct scry_json_reader json;
	bool signature, locals;
	struct scry_fold_stack stack;
	struct scry_buf target, label, thread; /* of the member */
	struct scry_buf text[TEXTS];
	struct scry_fold_member member;
	struct scry_buf signal;
	uint32_t exception;
	bool found; /* a list of stacks */
	bool best;  /* signatures: the thread that died was there */
};

/* --- frames --- */

static enum scry_fold_kind kind_of(const char *name)
{
	for (unsigned i = 0; i < SCRY_FOLD_KIND_COUNT; i++)
		if (!strcmp(scry_fold_kind_names[i], name))
			return (enum scry_fold_kind)i;
	return SCRY_FOLD_PYTHON;
}

static void read_frame(struct answer *a, struct scry_fold_stack *to)
{
	struct scry_json_reader *j = &a->json;
	struct scry_buf *text = a->text;
	bool has[TEXTS] = { false };
	int64_t line = 0;

	for (unsigned i = 0; i < TEXTS; i++)
		scry_buf_cut(&text[i], 0);
	if (!scry_json_enter(j, SCRY_JSON_OBJECT))
		return;
	while (scry_json_member(j)) {
		if (scry_json_key_is(j, "function"))
			has[FUNCTION] = scry_json_take_text(j, &text[FUNCTION]);
		else if (scry_json_key_is(j, "qualname"))
			has[QUALNAME] = scry_json_take_text(j, &text[QUALNAME]);
		else if (scry_json_key_is(j, "file"))
			has[FILE_NAME] = scry_json_take_text(j, &text[FILE_NAME]);
		else if (scry_json_key_is(j, "kind"))
			scry_json_take_text(j, &text[KIND]);
		else if (scry_json_key_is(j, "error"))
			has[REPR] = scry_json_take_text(j, &text[REPR]);
		else if (scry_json_key_is(j, "line"))
			scry_json_take_int(j, &line);
		else
			scry_json_skip(j);
	}
	enum scry_fold_kind kind = kind_of(text[KIND].text);
	bool named = has[FUNCTION];
	const char *file = has[FILE_NAME] ? text[FILE_NAME].text : NULL;

	if (file && a->signature)
		file = scry_fold_file_name(file);
	scry_fold_stack_put(
		to, &(struct scry_fold_frame) {
			    .kind = kind,
			    .line = !a->signature && line > 0 && line <= INT32_MAX ? (int)line : 0,
			    .function = named                       ? text[FUNCTION].text
					: a->signature              ? "<damaged>"
					: has[REPR]                 ? text[REPR].text
					: kind == SCRY_FOLD_DAMAGED ? "it has no code"
								    : "??",
			    .qualname = named && has[QUALNAME] ? text[QUALNAME].text : NULL,
			    .file = file });
}

static void read_frames(struct answer *a, struct scry_fold_stack *to)
{
	if (!scry_json_enter(&a->json, SCRY_JSON_ARRAY))
		return;
	while (scry_json_element(&a->json))
		read_frame(a, to);
}

/* --- variables: a second look at the frames of a stack that has its nodes --- */

static void read_variable(struct answer *a, struct scry_fold_node *node)
{
	struct scry_json_reader *j = &a->json;

	scry_buf_cut(&a->text[NAME], 0);
	scry_buf_cut(&a->text[REPR], 0);
	if (!scry_json_enter(j, SCRY_JSON_OBJECT))
		return;
	while (scry_json_member(j)) {
		if (scry_json_key_is(j, "name"))
			scry_json_take_text(j, &a->text[NAME]);
		else if (scry_json_key_is(j, "repr"))
			scry_json_take_text(j, &a->text[REPR]);
		else
			scry_json_skip(j);
	}
	scry_fold_value_put(&a->many->fold, node, a->text[NAME].text, a->text[REPR].text);
}

static void read_variables(struct answer *a, const char *frames, struct scry_fold_node *node)
{
	struct scry_json_reader *j = &a->json, kept = *j;

	j->at = frames;
	if (scry_json_enter(j, SCRY_JSON_ARRAY))
		for (unsigned i = 0; i < SCRY_FOLD_VARIABLE_FRAMES && node->frame; i++) {
			if (!scry_json_element(j) || !scry_json_enter(j, SCRY_JSON_OBJECT))
				break;
			while (scry_json_member(j)) {
				if (!scry_json_key_is(j, "locals"))
					scry_json_skip(j);
				else if (scry_json_enter(j, SCRY_JSON_ARRAY))
					while (scry_json_element(j))
						read_variable(a, node);
			}
			node = node->parent;
		}
	/* on with what follows the frames */
	kept.key = j->key;
	*j = kept;
}

/* --- threads, tasks --- */

static void put_death(struct answer *a)
{
	struct scry_fold_frame death = { .kind = SCRY_FOLD_SIGNAL, .function = a->signal.text };

	if (a->exception)
		death.function = scry_exception_name(a->exception);
	if (*death.function)
		scry_fold_stack_put(&a->stack, &death);
}

static void add_stack(struct answer *a, const char *frames)
{
	if (a->signature)
		scry_fold_stack_collapse(&a->stack);
	struct scry_fold_node *node = scry_fold_stack_add(&a->stack, &a->member);
	if (node && a->locals && frames)
		read_variables(a, frames, node);
}

/* Of a signature only the thread that died counts, or the one that is selected. */
static bool is_wanted(struct answer *a, bool crashed, bool selected)
{
	return !a->signature || ((crashed || selected) && !a->best);
}

static void read_thread(struct answer *a)
{
	struct scry_json_reader *j = &a->json;
	bool crashed = false, selected = false, named = false, kind = false;
	const char *frames = NULL;
	int64_t tid = 0;

	if (!scry_json_enter(j, SCRY_JSON_OBJECT))
		return;
	while (scry_json_member(j)) {
		if (scry_json_key_is(j, "tid") || scry_json_key_is(j, "thread")) {
			scry_json_take_int(j, &tid);
		} else if (scry_json_key_is(j, "name")) {
			if (scry_json_next_kind(j) == SCRY_JSON_STRING)
				named = scry_json_take_text(j, &a->thread);
			else
				scry_json_skip(j);
		} else if (scry_json_key_is(j, "kind") && !named) {
			kind = scry_json_take_text(j, &a->thread);
		} else if (scry_json_key_is(j, "crashed")) {
			crashed = scry_json_take_bool(j);
		} else if (scry_json_key_is(j, "selected")) {
			selected = scry_json_take_bool(j);
		} else if (scry_json_key_is(j, "frames")) {
			frames = j->at;
			if (a->signature && (crashed || selected))
				put_death(a);
			read_frames(a, &a->stack);
		} else {
			scry_json_skip(j);
		}
	}
	a->member.tid = tid > 0 ? (uint64_t)tid : 0;
	a->member.name = named || kind ? a->thread.text : NULL;
	if (j->failed || !is_wanted(a, crashed, selected))
		scry_fold_stack_forget(&a->stack);
	else
		add_stack(a, frames);
	a->best |= crashed;
}

static void read_list(struct answer *a)
{
	a->found = true;
	if (!scry_json_enter(&a->json, SCRY_JSON_ARRAY))
		return;
	while (scry_json_element(&a->json))
		read_thread(a);
}

/* --- the answer --- */

static void name_target(struct answer *a, const char *path)
{
	scry_buf_cut(&a->target, 0);
	scry_buf_puts(&a->target, a->label.text);
	if (path)
		scry_buf_puts(&a->target, path);
	else if (a->member.pid)
		scry_buf_printf(&a->target, "%" PRIu64, a->member.pid);
	a->member.target = a->target.len ? a->target.text : NULL;
}

static void read_target(struct answer *a)
{
	struct scry_json_reader *j = &a->json;
	SCRY_AUTO_BUF(path);
	SCRY_AUTO_BUF(exception);
	bool has_path = false;
	int64_t pid = 0;

	if (!scry_json_enter(j, SCRY_JSON_OBJECT))
		return;
	while (scry_json_member(j)) {
		if (scry_json_key_is(j, "path"))
			has_path = scry_json_take_text(j, &path);
		else if (scry_json_key_is(j, "pid"))
			scry_json_take_int(j, &pid);
		else if (scry_json_key_is(j, "signal_name"))
			scry_json_take_text(j, &a->signal);
		else if (scry_json_key_is(j, "exception") && scry_json_take_text(j, &exception))
			a->exception = (uint32_t)strtoul(exception.text, NULL, 16);
		else if (!scry_json_key_is(j, "exception"))
			scry_json_skip(j);
	}
	a->member.pid = pid > 0 ? (uint64_t)pid : 0;
	name_target(a, has_path ? path.text : NULL);
}

static void note_errors(struct answer *a)
{
	struct scry_json_reader *j = &a->json;
	SCRY_AUTO_BUF(text);

	if (!scry_json_enter(j, SCRY_JSON_ARRAY))
		return;
	while (scry_json_element(j))
		if (scry_json_take_text(j, &text))
			scry_note(a->many->s, "%s%s%.2000s",
				  a->member.target ? a->member.target : a->label.text,
				  a->member.target ? ": " : "", text.text);
}

static void read_answer(struct answer *a)
{
	struct scry_json_reader *j = &a->json;
	const char *list = a->many->fold.group == SCRY_FOLD_BY_TASK ? "tasks" : "threads";

	if (!scry_json_enter(j, SCRY_JSON_OBJECT)) {
		j->failed = j->failed ? j->failed : "it is not an object";
		return;
	}
	while (scry_json_member(j)) {
		if (scry_json_key_is(j, "target"))
			read_target(a);
		else if (scry_json_key_is(j, list))
			read_list(a);
		else if (scry_json_key_is(j, "errors"))
			note_errors(a);
		else
			scry_json_skip(j);
	}
}

static void done(struct answer *a)
{
	struct scry_buf *bufs[] = { &a->target, &a->label, &a->thread, &a->signal };

	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		scry_buf_done(bufs[i]);
	for (unsigned i = 0; i < TEXTS; i++)
		scry_buf_done(&a->text[i]);
	scry_fold_stack_done(&a->stack);
	scry_json_reader_done(&a->json);
}

/* What comes before the answer: "17: ", "node3: ", "[1,17]<stdout>:", "[pod/x/y] ". */
static void take_label(struct answer *a, const char *line, size_t len)
{
	while (len && strchr(" \t:", line[len - 1]))
		len--;
	if (len > 200)
		len = 200;
	scry_buf_put(&a->label, line, len);
	if (len)
		scry_buf_puts(&a->label, ": ");
}

bool scry_answer_fold(struct scry_many *m, const char *line, size_t len)
{
	struct answer a = { .many = m,
			    .signature = m->fold.signature,
			    .locals = m->fold.locals,
			    .stack = { .fold = &m->fold },
			    .target = SCRY_BUF_INIT,
			    .label = SCRY_BUF_INIT,
			    .thread = SCRY_BUF_INIT,
			    .signal = SCRY_BUF_INIT };
	const char *begin = memchr(line, '{', len);

	for (unsigned i = 0; i < TEXTS; i++)
		a.text[i] = (struct scry_buf)SCRY_BUF_INIT;
	take_label(&a, line, begin ? (size_t)(begin - line) : len);
	scry_json_reader_init(&a.json, begin ? begin : line + len,
			      begin ? len - (size_t)(begin - line) : 0);
	name_target(&a, NULL);
	scry_fold_next_process(&m->fold);
	read_answer(&a);
	if (!a.json.failed && !scry_json_at_end(&a.json))
		a.json.failed = "something follows it";
	if (!a.json.failed && !a.found)
		a.json.failed = "it has no stacks";
	bool good = !a.json.failed;
	if (!good)
		scry_fail(m->s, SCRY_ECORRUPT, 0, "%s",
			  begin ? a.json.failed : "there is no JSON in it");
	done(&a);
	return good;
}

/* The next line in `text`, without its end; false at the end of the input. */
static bool next_line(int fd, struct scry_buf *text, size_t *used, bool *ret_cut)
{
	char piece[65536];
	ssize_t n;

	if (*used) {
		memmove(text->text, text->text + *used, text->len - *used + 1);
		text->len -= *used;
		*used = 0;
	}
	*ret_cut = false;
	for (size_t from = 0;;) {
		char *end =
			text->len > from ? memchr(text->text + from, '\n', text->len - from) : NULL;

		if (end) {
			*end = 0;
			*used = (size_t)(end - text->text) + 1;
			return true;
		}
		if (text->len > LINE_MAX_BYTES) {
			*ret_cut = true;
			scry_buf_cut(text, 0);
		}
		from = text->len;
		n = read(fd, piece, sizeof(piece));
		if (n <= 0) {
			*used = text->len;
			return text->len > 0;
		}
		scry_buf_put(text, piece, (size_t)n);
	}
}

unsigned scry_answers_fold(struct scry_many *m, int fd)
{
	SCRY_AUTO_BUF(text);
	size_t used = 0, number = 0;
	unsigned taken = 0;
	bool cut;

	while (next_line(fd, &text, &used, &cut)) {
		size_t len = strlen(text.text);

		number++;
		if (cut)
			scry_note(m->s, "line %zu of standard input: it is too long", number);
		else if (!len || text.text[strspn(text.text, " \t\r")] == 0)
			continue;
		else if (scry_answer_fold(m, text.text, len))
			taken++;
		else
			scry_note(m->s, "line %zu of standard input: %s", number, m->s->error.text);
	}
	if (!number)
		scry_note(m->s, "nothing came on standard input");
	return taken;
}
