/* list: source around the selected frame's line, of a function, or where the user says. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "eval/expr.h"
#include "object/source_fit.h"

#define AROUND      5    /* lines before and behind */
#define MOST_FRAMES 1000 /* that completion looks at */

struct range {
	const char *file;
	int first, last, current; /* current 0: no line is marked */
};

static struct range around(const char *file, int line)
{
	return (struct range) { file, line - AROUND, line + AROUND, line };
}

static bool parse_line(const char *text, size_t len, int *ret)
{
	char digits[12];
	uint64_t n;

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = 0;
	if (!scry_parse_number(digits, &n) || n > INT32_MAX)
		return false;
	*ret = (int)n;
	return true;
}

/*
 * "START", "START,END" or "FILE:LINE"; words may be split at the comma. False: it is something
 * else.
 */
static bool parse_range(struct scry_call *call, struct range *range)
{
	char *text = call->argv[0], *comma = strchr(text, ','), *colon = strrchr(text, ':');
	const char *second = comma && comma[1] ? comma + 1 : call->argc > 1 ? call->argv[1] : NULL;
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	int line;

	if (parse_line(text, len, &range->first)) {
		range->last = range->first + 2 * AROUND;
		if (second && *second == ',')
			second++;
		return !second || parse_line(second, strlen(second), &range->last);
	}
	if (call->argc > 1 || !colon || !parse_line(colon + 1, strlen(colon + 1), &line))
		return false;
	*colon = 0;
	*range = around(text, line);
	return true;
}

/* --- a function's code --- */

/*
 * Where objects keep what has code: decorated functions first their own, then methods, partials,
 * properties.
 */
static const char *const inner[] = { "__wrapped__", "__code__", "__func__", "func",
				     "fget",        "gi_code",  "cr_code",  "ag_code" };

static struct scry_code *code_of(struct scry_runtime *r, scry_addr obj)
{
	const char *name;
	scry_addr type, next;

	for (unsigned steps = 0; steps < 8; steps++) {
		if (scry_type_of(r, obj, &type) < 0 || scry_type_name(r, type, &name) < 0)
			return NULL;
		if (!strcmp(name, "code"))
			return scry_code_at(r, obj);
		next = 0;
		for (size_t i = 0; i < sizeof(inner) / sizeof(*inner) && !next; i++)
			if (scry_attr(r, obj, inner[i], &next) < 0)
				next = 0;
		if (!next)
			return NULL;
		obj = next;
	}
	return NULL;
}

/*
 * A function that runs in the thread, by its name or qualified name: nested ones are no variables
 * of other frames.
 */
static struct scry_code *code_on_stack(struct scry_call *call, const char *name)
{
	struct scry_thread *t;
	struct scry_walk w;
	struct scry_frame f;

	if (scry_selected_thread(call->s, &t) < 0)
		return NULL;
	for (scry_walk_thread(&w, t); scry_walk_next(&w, &f) == SCRY_ITEM;) {
		const char *qualname = f.code ? scry_frame_qualname(&f) : NULL;

		if (f.code &&
		    (!strcmp(f.code->name, name) || (qualname && !strcmp(qualname, name))))
			return f.code;
	}
	return NULL;
}

int scry_find_function(struct scry_call *call, const char *name, struct scry_code **ret)
{
	struct scry_thread *t;
	struct scry_frame f;
	struct scry_value value = { 0 };
	bool has_frame = scry_selected_frame(call->s, &t, &f) == SCRY_OK && f.code;
	struct scry_runtime *r = has_frame ? f.runtime : scry_runtime_first(call->s);

	if (!r)
		return SCRY_ENOTFOUND;
	int rc = scry_eval(call->s, has_frame ? &f : NULL, name, &value);
	scry_addr function = rc < 0 ? 0 : value.addr ? value.addr : value.function;

	*ret = function ? code_of(r, function) : NULL;
	if (!*ret)
		*ret = code_on_stack(call, name);
	if (*ret && !(*ret)->damaged)
		return SCRY_OK;
	if (rc == SCRY_OK)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0,
				 "'%.200s' is no Python function: it has no source (%s)", name,
				 value.type);
	return scry_fail(call->s, SCRY_EINVAL, 0,
			 "'%.200s' is no line, no FILE:LINE and no function; usage: %s%s %s", name,
			 call->s->options.prefix, call->row->public.name, call->row->public.usage);
}

/* --- showing --- */

static void put_line(struct scry_call *call, const struct range *range, int number,
		     const char *text, size_t len)
{
	char head[16];

	if (call->json) {
		scry_json_open(call->json, '{');
		scry_json_put_int(call->json, "line", number);
		scry_json_put_bytes(call->json, "text", text, len);
		scry_json_put_bool(call->json, "current", number == range->current);
		scry_json_close(call->json, '}');
		return;
	}
	snprintf(head, sizeof(head), "%s%d", number == range->current ? ">" : "", number);
	scry_buf_printf(call->out, "%s%4s%s    ", scry_style(call, SCRY_STYLE_LINE), head,
			scry_style(call, SCRY_STYLE_OFF));
	scry_put_safe_bytes(call->out, text, len);
	scry_buf_putc(call->out, '\n');
}

static int put_lines(struct scry_call *call, struct range *range)
{
	const char *text;
	size_t len;

	if (range->first < 1)
		range->first = 1;
	if (scry_source_line(call->s, range->file, range->first, &text, &len) < 0)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0,
				 "no line %d of %s: no such file or line here", range->first,
				 range->file);
	if (call->json) {
		scry_json_put_text(call->json, "file", range->file);
		scry_json_key(call->json, "lines");
		scry_json_open(call->json, '[');
	}
	for (int i = range->first; i <= range->last; i++) {
		if (scry_source_line(call->s, range->file, i, &text, &len) < 0)
			break;
		put_line(call, range, i, text, len);
	}
	if (call->json)
		scry_json_close(call->json, ']');
	return SCRY_OK;
}

static bool is_here(struct scry_call *call, const char *file)
{
	const char *text;
	size_t len;

	return scry_source_line(call->s, file, 1, &text, &len) == SCRY_OK;
}

/* Where the file is not here the byte code still is: it is the target's own. */
static int put_code(struct scry_call *call, struct range *range, struct scry_code *code,
		    int64_t lasti)
{
	struct scry_source_text text;
	int line = range->current ? range->current : code->first_line;
	int rc = scry_source_of_code(code, line, lasti, &text);

	if (rc == SCRY_OK && text.doubt && call->json) {
		scry_json_put_text(call->json, "source_doubt", text.doubt);
	} else if (rc == SCRY_OK && text.doubt) {
		scry_buf_printf(call->out, "Changed since? The file is %s:\n", text.doubt);
	}
	if (rc == SCRY_OK)
		rc = put_lines(call, range);
	if (rc != SCRY_ENOTFOUND)
		return rc;
	if (call->json) {
		scry_json_put_text(call->json, "file", range->file);
		scry_json_key(call->json, "lines");
		scry_json_open(call->json, '[');
		scry_json_close(call->json, ']');
	} else {
		scry_buf_puts(call->out, "The source of ");
		scry_put_safe(call->out, code->file);
		scry_buf_puts(call->out, is_here(call, code->file)
						 ? " here does not fit what runs. The byte code of "
						 : " is not here. The byte code of ");
		scry_put_safe(call->out, code->qualname ? code->qualname : code->name);
		scry_buf_puts(call->out, ":\n");
	}
	call->partial = true;
	return scry_put_instructions(call, code, lasti, false);
}

static int list_function(struct scry_call *call)
{
	struct range range = { 0 };
	struct scry_code *code = NULL;
	int rc = call->argc > 1 ? scry_fail(call->s, SCRY_EINVAL, 0,
					    "unexpected argument '%s'; usage: %s%s %s",
					    call->argv[1], call->s->options.prefix,
					    call->row->public.name, call->row->public.usage)
				: scry_find_function(call, call->argv[0], &code);

	if (rc < 0)
		return rc;
	range = (struct range) { code->file, code->first_line, code->first_line + 2 * AROUND, 0 };
	return put_code(call, &range, code, -1);
}

static int run_list(struct scry_call *call)
{
	struct range range = { 0 };
	struct scry_location at = { 0 };
	struct scry_thread *t;
	struct scry_frame f;

	if (call->argc && !parse_range(call, &range))
		return list_function(call);
	if (range.file)
		return put_lines(call, &range);
	int rc = scry_selected_frame(call->s, &t, &f);
	if (rc < 0)
		return rc;
	if (!f.code)
		return scry_fail(call->s, SCRY_ECORRUPT, f.addr, "the frame is damaged: %s",
				 f.damaged);
	scry_frame_location(&f, &at);
	if (!call->argc && !at.line)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0,
				 "the line of the frame is not known: %s",
				 f.damaged                  ? f.damaged
				 : scry_frame_line_lost(&f) ? scry_frame_line_lost(&f)
							    : "its instruction has none");
	if (!call->argc) {
		range = around(f.code->file, at.line);
		return put_code(call, &range, f.code, f.lasti);
	}
	range.file = f.code->file;
	range.current = at.line;
	if (!scry_source_fits(f.code))
		return scry_fail(call->s, SCRY_ENOTFOUND, 0,
				 "the file %s here does not fit the code that runs", range.file);
	return put_lines(call, &range);
}

/* Functions on the stack of the selected thread. */
static void complete(struct scry_session *s, const char *word, struct scry_buf *out)
{
	struct scry_thread *t;
	struct scry_walk w;
	struct scry_frame f;

	if (!s->target || scry_selected_thread(s, &t) < 0)
		return;
	for (scry_walk_thread(&w, t); w.depth < MOST_FRAMES && scry_walk_next(&w, &f) == SCRY_ITEM;)
		if (f.code)
			scry_offer(out, word, f.code->name);
}

const struct scry_command_row scry_command_list = {
	.public = { "list", "[START[,END] | FUNCTION | FILE:LINE]",
		    "Show source around the line of the selected frame.",
		    "The current line is marked with '>'. START and END are lines of the frame's "
		    "file. FUNCTION is a\n"
		    "function, method, coroutine or anything with code, as print finds it "
		    "(Class.method, MODULE:NAME),\n"
		    "or one on the thread's stack. Where a file is not here, the byte code is "
		    "shown (see dis).",
		    0 },
	.run = run_list,
	.max_args = 2,
	.complete = complete,
};
