/*
 * dis: the byte code of a function, from the target's own memory; of the selected frame's the
 * current instruction.
 */
#include <inttypes.h>
#include <stdio.h>

#include "command/command.h"
#include "object/opcodes.h"

#define AROUND 12 /* instructions before and after the current one, without --all */

struct job {
	struct scry_code *code;
	int64_t lasti; /* of the current instruction, -1 none */
	bool all;
	struct scry_hash targets; /* offsets, + 1, that are jumped to */
	int rc;                   /* how the walk ended */
};

static bool is_current(const struct job *job, const struct scry_instruction *i)
{
	return job->lasti >= i->offset && job->lasti < (int64_t)i->offset + i->size;
}

static bool is_target(struct job *job, const struct scry_instruction *i)
{
	return scry_hash_find(&job->targets, (uint64_t)i->offset + 1);
}

/* --- an instruction --- */

struct shown_instruction {
	struct job *job;
	const struct scry_instruction *i;
	int line;  /* 0: it has none */
	bool same; /* its line is that of the one before */
};

static void get_line(const void *subject, struct scry_said *ret)
{
	const struct shown_instruction *shown = subject;

	ret->kind = SCRY_SAID_NULL;
	if (shown->line > 0)
		scry_said_int(ret, shown->line);
}

/* For text: a line is told once. */
static void get_new_line(const void *subject, struct scry_said *ret)
{
	get_line(subject, ret);
	if (((const struct shown_instruction *)subject)->same)
		ret->kind = SCRY_SAID_NULL;
}

static void get_adapted(const void *subject, struct scry_said *ret)
{
	const struct scry_instruction *i = ((const struct shown_instruction *)subject)->i;

	scry_said_text(ret, *i->adapted ? i->adapted : NULL);
}

static void get_argument(const void *subject, struct scry_said *ret)
{
	const struct scry_instruction *i = ((const struct shown_instruction *)subject)->i;

	ret->kind = SCRY_SAID_NULL;
	if (i->has_arg)
		scry_said_int(ret, i->arg);
}

static bool print_text(const void *subject, struct scry_buf *out)
{
	const struct shown_instruction *shown = subject;

	scry_instruction_text(shown->job->code, shown->i, out);
	return true;
}

/* For text: nothing stands for an argument that means nothing else. */
static bool print_meaning(const void *subject, struct scry_buf *out)
{
	return print_text(subject, out) && out->len;
}

static void get_target(const void *subject, struct scry_said *ret)
{
	const struct scry_instruction *i = ((const struct shown_instruction *)subject)->i;

	ret->kind = SCRY_SAID_NULL;
	if (i->target >= 0)
		scry_said_int(ret, i->target);
}

static void get_is_target(const void *subject, struct scry_said *ret)
{
	const struct shown_instruction *shown = subject;

	scry_said_bool(ret, is_target(shown->job, shown->i));
}

static void get_current(const void *subject, struct scry_said *ret)
{
	const struct shown_instruction *shown = subject;

	scry_said_bool(ret, is_current(shown->job, shown->i));
}

#define SUBJECT struct scry_instruction
static const struct scry_say instruction_fields[] = {
	SAY_INT("offset", offset),
	SAY_GET("line", get_line),
	SAY_INT("opcode", opcode),
	SAY_CHARS("name", name),
	SAY_GET("adapted", get_adapted),
	SAY_GET("argument", get_argument),
	SAY_PRINT("text", print_text),
	SAY_INT("extended", prefixes),
	SAY_GET("target", get_target),
	SAY_GET("is_target", get_is_target),
	SAY_GET("current", get_current),
	SAY_GET("new_line", get_new_line, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("meaning", print_meaning, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const instruction_text[] = {
	"{new_line%6:line}",
	"|      ",
	"{?current} --> ",
	"|     ",
	"{?is_target}>>",
	"|  ",
	" {offset%6} {name%-24}",
	" {argument}",
	" ({meaning})",
	"  [{adapted}]",
	"\n",
	NULL,
};

static const struct scry_facts instruction_facts = { "instruction", instruction_fields,
						     instruction_text,
						     SCRY_THROUGH(struct shown_instruction, i) };

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

static void each_instruction(const void *subject, struct scry_renderer *to)
{
	struct job *job = (struct job *)(uintptr_t)subject;
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
		scry_say(to, &instruction_facts,
			 &(struct shown_instruction) { job, &i, at.line, at.line == last });
		last = at.line;
	}
	job->rc = rc;
}

/* --- the exception table: 3.11+ --- */

struct shown_entry {
	struct scry_exception_entry e;
	bool first;
};

/* As dis, text has the last instruction of a range, not what comes after it. */
static void get_last(const void *subject, struct scry_said *ret)
{
	uint32_t end = ((const struct shown_entry *)subject)->e.end;

	scry_said_int(ret, end ? end - 2 : 0);
}

#define SUBJECT struct shown_entry
static const struct scry_say entry_fields[] = {
	SAY_INT("start", e.start),
	SAY_INT("end", e.end),
	SAY_INT("target", e.target),
	SAY_INT("depth", e.depth),
	SAY_BOOL("lasti", e.lasti),
	SAY_BOOL("first", first, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("last", get_last, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const entry_text[] = {
	"{?first}exception table:\n",
	"  {start} to {last} -> {target} [{depth}]",
	"{?lasti} lasti",
	"\n",
	NULL,
};

static const struct scry_facts entry_facts = { "entry", entry_fields, entry_text };

static void each_entry(const void *subject, struct scry_renderer *to)
{
	const struct job *job = subject;
	struct shown_entry shown = { .first = true };
	struct scry_exception_table t;

	scry_exception_table_open(&t, job->code);
	while (job->all && scry_exception_table_next(&t, &shown.e) == SCRY_ITEM) {
		scry_say(to, &entry_facts, &shown);
		shown.first = false;
	}
}

static const struct scry_say code_fields[] = {
	SAY_LIST("instructions", &instruction_facts, each_instruction),
	SAY_LIST("exception_table", &entry_facts, each_entry),
	SAY_END,
};

const struct scry_facts scry_facts_instructions = {
	"instructions", code_fields,
	(const char *const[]) { "{instructions}", "{exception_table}", NULL }
};

int scry_put_instructions(struct scry_call *call, struct scry_code *c, int64_t lasti, bool all)
{
	struct job job = { .code = c, .lasti = lasti, .all = all };

	scry_say_fields(&call->render.to, &scry_facts_instructions, &job);
	scry_hash_done(&job.targets);
	return job.rc;
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
	struct scry_frame f;

	if (call->argc)
		return of_expression(call);
	int rc = scry_selected_code(call->s, &f);
	if (rc < 0)
		return rc;
	return scry_put_instructions(call, f.code, f.lasti, scry_call_flag(call, "all"));
}

static const struct scry_flag flags[] = {
	{ "all", 'a', NULL, "the whole function, not only what is around the current instruction" },
	{ NULL },
};

const struct scry_command_row scry_command_dis = {
	.public = { "dis", "[--all] [FUNCTION]",
		    "Show the byte code of the selected frame's function, or of another one.",
		    "The current instruction is marked with '-->', targets of jumps with '>>'. "
		    "Where the interpreter has\n"
		    "replaced an instruction by a specialised or instrumented form, that form "
		    "follows in brackets. The\n"
		    "code is the target's own: neither source nor file is needed. FUNCTION is "
		    "named as for list, or is\n"
		    "the address of a function or code object; it is shown whole. A whole function "
		    "is followed by its\n"
		    "exception table (3.11+): first and last instruction, handler, depth of the "
		    "stack.",
		    0 },
	.run = run_dis,
	.says = (const struct scry_facts *const[]) { &scry_facts_instructions, NULL },
	.flags = flags,
	.max_args = 1,
};
