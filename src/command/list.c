/* list: source around the selected frame's line, or where the user says. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"

struct range {
	const char *file;
	int first, last, current; /* current 0: no line is marked */
};

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

/* "START", "START,END" or "FILE:LINE"; words may be split at the comma. */
static int parse_range(struct scry_call *call, struct range *range)
{
	char *text = call->argv[0], *comma = strchr(text, ','), *colon = strrchr(text, ':');
	const char *second = comma && comma[1] ? comma + 1 : call->argc > 1 ? call->argv[1] : NULL;
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	int line;

	if (parse_line(text, len, &range->first)) {
		range->last = range->first + 10;
		if (!second || parse_line(second, strlen(second), &range->last))
			return SCRY_OK;
	} else if (colon && parse_line(colon + 1, strlen(colon + 1), &line)) {
		*colon = 0;
		range->file = text;
		range->current = line;
		range->first = line - 5;
		range->last = line + 5;
		return SCRY_OK;
	}
	return scry_fail(call->s, SCRY_EINVAL, 0, "'%s' is no line; usage: %s %s", text, call->row->public.name,
			 call->row->public.usage);
}

static void put_line(struct scry_call *call, const struct range *range, int number, const char *text, size_t len)
{
	char head[16];

	if (call->json) {
		scry_json_open(call->json, '{');
		scry_json_key(call->json, "line");
		scry_json_int(call->json, number);
		scry_json_key(call->json, "text");
		scry_json_bytes(call->json, text, len);
		scry_json_key(call->json, "current");
		scry_json_bool(call->json, number == range->current);
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
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no line %d of %s: no such file or line here",
				 range->first, range->file);
	if (call->json) {
		scry_json_key(call->json, "file");
		scry_json_text(call->json, range->file);
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

static int run_list(struct scry_call *call)
{
	struct range range = { 0 };
	struct scry_location at = { 0 };
	struct scry_thread *t;
	struct scry_frame f;
	int rc = call->argc ? parse_range(call, &range) : SCRY_OK;

	if (rc < 0 || range.file)
		return rc < 0 ? rc : put_lines(call, &range);
	rc = scry_selected_frame(call->s, &t, &f);
	if (rc < 0)
		return rc;
	if (!f.code)
		return scry_fail(call->s, SCRY_ECORRUPT, f.addr, "the frame is damaged: %s", f.damaged);
	scry_frame_location(&f, &at);
	range.file = f.code->file;
	range.current = at.line;
	if (!call->argc) {
		range.first = at.line - 5;
		range.last = at.line + 5;
	}
	return put_lines(call, &range);
}

const struct scry_command_row scry_command_list = {
	.public = {
		"list", "[START[,END] | FILE:LINE]", "Show source around the line of the selected frame.",
		"The current line is marked with '>'. START and END are lines of the frame's file.",
		0 },
	.run = run_list, .max_args = 2,
};
