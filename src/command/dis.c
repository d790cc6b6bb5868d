/*
 * dis: the byte code of a function, from the target's own memory; of the selected frame's the
 * current instruction.
 */
#include <inttypes.h>
#include <stdio.h>

#include "command/command.h"
#include "object/opcodes.h"

#define AROUND 12 /* instructions before and behind the current one, without --all */

struct job {
	struct scry_call *call;
	struct scry_code *code;
	int64_t lasti; /* of the current instruction, -1 none */
	bool all;
	struct scry_hash targets; /* offsets, + 1, that are jumped to */
};

static bool is_current(const struct job *job, const struct scry_instruction *i)
{
	return job->lasti >= i->offset && job->lasti < (int64_t)i->offset + i->size;
}

static bool is_target(struct job *job, const struct scry_instruction *i)
{
	return scry_hash_find(&job->targets, (uint64_t)i->offset + 1);
}

static void put_text(struct job *job, const struct scry_instruction *i, int line)
{
	struct scry_call *call = job->call;
	struct scry_buf *out = call->out, text = SCRY_BUF_INIT;

	if (line > 0)
		scry_buf_printf(out, "%s%6d%s", scry_style(call, SCRY_STYLE_LINE), line,
				scry_style(call, SCRY_STYLE_OFF));
	else
		scry_buf_puts(out, "      ");
	scry_buf_printf(out, " %s %s %6" PRIu32 " %-24s", is_current(job, i) ? "-->" : "   ",
			is_target(job, i) ? ">>" : "  ", i->offset, i->name);
	if (i->has_arg)
		scry_buf_printf(out, " %" PRIu32, i->arg);
	scry_instruction_text(job->code, i, &text);
	if (text.len) {
		scry_buf_puts(out, " (");
		scry_put_safe_bytes(out, text.text, text.len);
		scry_buf_putc(out, ')');
	}
	if (*i->adapted)
		scry_buf_printf(out, "  [%s]", i->adapted);
	scry_buf_putc(out, '\n');
	scry_buf_done(&text);
}

static void put_json(struct job *job, const struct scry_instruction *i, int line)
{
	struct scry_json *j = job->call->json;
	struct scry_buf text = SCRY_BUF_INIT;

	scry_json_open(j, '{');
	scry_json_put_int(j, "offset", i->offset);
	scry_json_put_positive(j, "line", line);
	scry_json_put_int(j, "opcode", i->opcode);
	scry_json_put_text(j, "name", i->name);
	scry_json_put_text(j, "adapted", *i->adapted ? i->adapted : NULL);
	scry_json_key(j, "argument");
	if (i->has_arg)
		scry_json_int(j, i->arg);
	else
		scry_json_null(j);
	scry_instruction_text(job->code, i, &text);
	scry_json_put_bytes(j, "text", text.text, text.len);
	scry_buf_done(&text);
	scry_json_put_int(j, "extended", i->prefixes);
	scry_json_key(j, "target");
	if (i->target >= 0)
		scry_json_int(j, i->target);
	else
		scry_json_null(j);
	scry_json_put_bool(j, "is_target", is_target(job, i));
	scry_json_put_bool(j, "current", is_current(job, i));
	scry_json_close(j, '}');
}

/* Which instruction is the current one, counted from 0; what is jumped to. */
static unsigned look_ahead(struct job *job)
{
	struct scry_exception_table t;
	struct scry_exception_entry e;
	struct scry_instructions w;
	struct scry_instruction i;
	unsigned n = 0, current = 0;

	if (scry_instructions_open(&w, job->code) < 0)
		return 0;
	for (; scry_instruction_next(&w, &i) == SCRY_ITEM; n++) {
		if (is_current(job, &i))
			current = n;
		if (i.target >= 0)
			scry_hash_add(&job->targets, (uint64_t)i.target + 1);
	}
	scry_exception_table_open(&t, job->code);
	while (scry_exception_table_next(&t, &e) == SCRY_ITEM)
		scry_hash_add(&job->targets, (uint64_t)e.target + 1);
	return current;
}

static int put_instructions(struct job *job)
{
	struct scry_instructions w;
	struct scry_instruction i;
	unsigned n = 0, current = look_ahead(job);
	int last = 0, rc = scry_instructions_open(&w, job->code);

	while (rc >= 0 && (rc = scry_instruction_next(&w, &i)) == SCRY_ITEM) {
		struct scry_location at = { 0 };
		unsigned this = n++;

		if (!job->all && (this + AROUND < current || this > current + AROUND))
			continue;
		scry_code_location(job->code, i.offset, &at);
		if (job->call->json)
			put_json(job, &i, at.line);
		else
			put_text(job, &i, at.line != last ? at.line : 0);
		last = at.line;
	}
	return rc;
}

static void entry_json(struct scry_json *j, const struct scry_exception_entry *e)
{
	scry_json_open(j, '{');
	scry_json_put_int(j, "start", e->start);
	scry_json_put_int(j, "end", e->end);
	scry_json_put_int(j, "target", e->target);
	scry_json_put_int(j, "depth", e->depth);
	scry_json_put_bool(j, "lasti", e->lasti);
	scry_json_close(j, '}');
}

/* 3.11+. As dis, the last instruction of a range is shown, not what is behind it. */
static void put_exception_table(struct job *job)
{
	struct scry_exception_table t;
	struct scry_exception_entry e;
	struct scry_json *j = job->call->json;
	bool any = false;

	if (j) {
		scry_json_key(j, "exception_table");
		scry_json_open(j, '[');
	}
	scry_exception_table_open(&t, job->code);
	while (job->all && scry_exception_table_next(&t, &e) == SCRY_ITEM) {
		if (j) {
			entry_json(j, &e);
			continue;
		}
		if (!any)
			scry_buf_puts(job->call->out, "exception table:\n");
		any = true;
		scry_buf_printf(job->call->out,
				"  %" PRIu32 " to %" PRIu32 " -> %" PRIu32 " [%" PRIu32 "]%s\n",
				e.start, e.end ? e.end - 2 : 0, e.target, e.depth,
				e.lasti ? " lasti" : "");
	}
	if (j)
		scry_json_close(j, ']');
}

int scry_put_instructions(struct scry_call *call, struct scry_code *c, int64_t lasti, bool all)
{
	struct job job = { .call = call, .code = c, .lasti = lasti, .all = all };

	if (call->json) {
		scry_json_key(call->json, "instructions");
		scry_json_open(call->json, '[');
	}
	int rc = put_instructions(&job);
	if (call->json)
		scry_json_close(call->json, ']');
	put_exception_table(&job);
	scry_hash_done(&job.targets);
	return rc;
}

static int of_expression(struct scry_call *call)
{
	char at[32];
	const char *name = call->argv[0];
	struct scry_code *code;
	uint64_t addr;

	if (scry_parse_number(name, &addr)) {
		snprintf(at, sizeof(at), "@0x%" PRIx64, addr);
		name = at;
	}
	int rc = scry_find_function(call, name, &code);
	return rc < 0 ? rc : scry_put_instructions(call, code, -1, true);
}

static int run_dis(struct scry_call *call)
{
	struct scry_thread *t;
	struct scry_frame f;

	if (call->argc)
		return of_expression(call);
	int rc = scry_selected_frame(call->s, &t, &f);
	if (rc < 0)
		return rc;
	if (!f.code)
		return scry_fail(call->s, SCRY_ECORRUPT, f.addr, "the frame is damaged: %s",
				 f.damaged);
	return scry_put_instructions(call, f.code, f.lasti, scry_call_flag(call, "all"));
}

static const struct scry_flag flags[] = {
	{ "all", 'a', NULL, "the whole function, not only what is around the current instruction" },
	{ NULL },
};

const struct scry_command_row scry_command_dis = {
	.public = { "dis", "[--all] [FUNCTION]",
		    "Show the byte code of the selected frame's function, or of another one.",
		    "The current instruction is marked with '-->', what is jumped to with '>>'. "
		    "Where the interpreter\n"
		    "has put a specialised or instrumented form in an instruction's place, it "
		    "stands in brackets behind\n"
		    "it. The code is the target's own: no source and no file is needed. FUNCTION "
		    "is one as list takes\n"
		    "it, or the address of a function or code object; it is shown as a whole. Of a "
		    "whole function the\n"
		    "exception table follows (3.11+): first and last instruction, handler, depth "
		    "of the stack.",
		    SCRY_COMMAND_CPYTHON },
	.run = run_dis,
	.flags = flags,
	.max_args = 1,
};
