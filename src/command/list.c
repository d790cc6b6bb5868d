/* list: source around the selected frame's line, of a function, or where the user says. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "eval/expr.h"
#include "object/model.h"
#include "object/source_fit.h"

#define AROUND      5    /* lines before and after */
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
	const struct scry_code_model *own = scry_model_of(r)->code;
	const char *name;
	scry_addr type, next;

	if (own)
		return (obj = own->of(r, obj)) ? scry_code_at(r, obj) : NULL;
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
 * A function that runs in the thread, by its name or qualified name: nested ones are not variables
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
				 "'%.200s' is not a Python function: it has no source (%s)", name,
				 value.type);
	return scry_fail(call->s, SCRY_EINVAL, 0,
			 "'%.200s' is not a line, FILE:LINE or function; usage: %s%s %s", name,
			 call->s->options.prefix, call->row->public.name, call->row->public.usage);
}

/* --- lines --- */

struct shown_line {
	int number;
	bool current;
	const char *text;
	size_t len;
};

static bool print_head(const void *subject, struct scry_buf *out)
{
	const struct shown_line *line = subject;
	char head[16];

	snprintf(head, sizeof(head), "%s%d", line->current ? ">" : "", line->number);
	scry_buf_printf(out, "%4s", head);
	return true;
}

static void get_text(const void *subject, struct scry_said *ret)
{
	const struct shown_line *line = subject;

	scry_said_bytes(ret, line->text, line->len);
}

#define SUBJECT struct shown_line
static const struct scry_say line_fields[] = {
	SAY_INT("line", number),
	SAY_GET("text", get_text),
	SAY_BOOL("current", current),
	SAY_PRINT("head", print_head, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts line_facts = {
	"line", line_fields, (const char *const[]) { "{head:line}    {text}\n", NULL }
};

/* What is shown of a file: nothing where the file is not here. */
struct listing {
	struct scry_call *call;
	const struct range *range;
	const struct scry_code *code; /* where its byte code follows, as the lines are not here */
	const char *doubt;            /* why the lines may have been others, or NULL */
};

static void each_line(const void *subject, struct scry_renderer *to)
{
	const struct listing *l = subject;
	const struct range *range = l->range;
	struct shown_line line;

	for (int i = range->first; !l->code && i <= range->last; i++) {
		if (scry_source_line(l->call->s, range->file, i, &line.text, &line.len) < 0)
			break;
		line.number = i;
		line.current = i == range->current;
		scry_say(to, &line_facts, &line);
	}
}

static bool is_here(struct scry_call *call, const char *file)
{
	const char *text;
	size_t len;

	return scry_source_line(call->s, file, 1, &text, &len) == SCRY_OK;
}

static void get_file(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct listing *)subject)->range->file);
}

static void get_unfit(const void *subject, struct scry_said *ret)
{
	const struct listing *l = subject;

	scry_said_bool(ret, l->code && is_here(l->call, l->code->file));
}

static void get_of(const void *subject, struct scry_said *ret)
{
	const struct scry_code *code = ((const struct listing *)subject)->code;

	scry_said_text(ret, !code ? NULL : code->qualname ? code->qualname : code->name);
}

#define SUBJECT struct listing
static const struct scry_say listing_fields[] = {
	SAY_TEXT("source_doubt", doubt, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("file", get_file),
	SAY_LIST("lines", &line_facts, each_line),
	SAY_GET("unfit", get_unfit, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("of", get_of, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const listing_text[] = {
	"Changed since? The file is {source_doubt}:\n",
	"{?unfit}The source of {file=} here does not fit what runs. The byte code of {of=}:\n",
	"|{?of}The source of {file=} is not here. The byte code of {of}:\n",
	"{lines}",
	NULL,
};

static const struct scry_facts listing_facts = { "list", listing_fields, listing_text };

static void show(struct scry_call *call, const struct range *range, const struct scry_code *code,
		 const char *doubt)
{
	scry_say_fields(&call->render.to, &listing_facts,
			&(struct listing) { call, range, code, doubt });
}

static int put_lines(struct scry_call *call, struct range *range, const char *doubt)
{
	const char *text;
	size_t len;

	if (range->first < 1)
		range->first = 1;
	if (scry_source_line(call->s, range->file, range->first, &text, &len) < 0)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0,
				 "no line %d of %s: no such file or line here", range->first,
				 range->file);
	show(call, range, NULL, doubt);
	return SCRY_OK;
}

/* Where the file is not here the byte code still is: it is the target's own. */
static int put_code(struct scry_call *call, struct range *range, struct scry_code *code,
		    int64_t lasti)
{
	struct scry_source_text text;
	int line = range->current ? range->current : code->first_line;
	int rc = scry_source_of_code(code, line, lasti, &text);

	if (rc == SCRY_OK)
		rc = put_lines(call, range, text.doubt);
	if (rc != SCRY_ENOTFOUND)
		return rc;
	show(call, range, code, NULL);
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
	struct scry_frame f;

	if (call->argc && !parse_range(call, &range))
		return list_function(call);
	if (range.file)
		return put_lines(call, &range, NULL);
	int rc = scry_selected_code(call->s, &f);
	if (rc < 0)
		return rc;
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
	return put_lines(call, &range, NULL);
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
		    "function, method, coroutine or anything else with code, named as for print "
		    "(Class.method,\n"
		    "MODULE:NAME), or one on the thread's stack. Where a file is not here, the "
		    "byte code is shown\n"
		    "(see dis).",
		    0 },
	.run = run_list,
	.says = (const struct scry_facts *const[]) { &listing_facts, &scry_facts_instructions,
						     NULL },
	.max_args = 2,
	.complete = complete,
};
