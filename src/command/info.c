/*
 * info: what was opened, which interpreters were found in it and how, and where their structs'
 * fields lie.
 */
#include <string.h>

#include "command/command.h"

static const struct scry_call *call_of(const void *subject)
{
	return subject;
}

/* --- modules --- */

/* The file that was read for it, where that is not the one that its path names. */
static void get_other_file(const void *subject, struct scry_said *ret)
{
	const struct scry_module *m = subject;
	bool same = m->file && m->path && !strcmp(m->file, m->path);

	scry_said_text(ret, same ? NULL : m->file);
}

/* What to type where the file is missing, or another one than the target had. */
static void get_fix(const void *subject, struct scry_said *ret)
{
	const struct scry_module *m = subject;
	const char *fix = m->is_main ? "--exe FILE, or the files of its machine: --sysroot DIR "
				       "(in gdb: file FILE, set sysroot DIR)"
				     : "--search DIR, or the files of its machine: --sysroot DIR "
				       "(in gdb: set sysroot DIR)";

	scry_said_text(ret, m->problem ? fix : NULL);
}

#define SUBJECT struct scry_module
static const struct scry_say module_fields[] = {
	SAY_TEXT("path", path),
	SAY_TEXT("file", file),
	SAY_TEXT("build_id", build_id),
	SAY_ADDR("start", start),
	SAY_ADDR("end", end),
	SAY_TEXT("problem", problem),
	SAY_GET("fix", get_fix),
	SAY_GET("other_file", get_other_file, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const module_text[] = {
	"module    {start}-{end} {path=?}",
	", build id {build_id}",
	", read from {other_file}",
	": {problem}",
	"\n",
	"          {fix}\n",
	NULL,
};

static const struct scry_facts module_facts = { "module", module_fields, module_text };

static void each_module(const void *subject, struct scry_renderer *to)
{
	for (struct scry_module *m = scry_module_first(call_of(subject)->s); m; m = m->next)
		scry_say(to, &module_facts, m);
}

static bool holds_runtime(struct scry_session *s, const struct scry_module *m)
{
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		if (r->module == m)
			return true;
	return false;
}

/*
 * Modules that matter here: the program, and those of Python with an interpreter in them or a
 * problem. Which others were opened depends on the commands before.
 */
static void each_module_that_matters(const void *subject, struct scry_renderer *to)
{
	const struct scry_call *call = subject;

	for (struct scry_module *m = scry_module_first(call->s); m; m = m->next)
		if (call->verbose || m->is_main || holds_runtime(call->s, m) ||
		    (m->problem && scry_module_is_python(m)))
			scry_say(to, &module_facts, m);
}

/* --- layouts --- */

struct field {
	const struct scry_layout *layout;
	enum scry_field field;
	bool first; /* of its struct */
};

static const struct scry_slot *slot_of(const struct field *f)
{
	return &f->layout->slot[f->field];
}

static void get_field(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_field_name(((const struct field *)subject)->field));
}

static void get_offset(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, slot_of(subject)->offset);
}

static void get_size(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, slot_of(subject)->size);
}

static void get_source(const void *subject, struct scry_said *ret)
{
	const struct field *f = subject;

	scry_said_text(ret, scry_source_name((enum scry_source)f->layout->field_source[f->field]));
}

static bool print_bits(const void *subject, struct scry_buf *out)
{
	const struct scry_slot *slot = slot_of(subject);

	if (slot->bits)
		scry_buf_printf(out, "%u..%u", slot->shift, slot->shift + slot->bits - 1u);
	return slot->bits;
}

static void get_struct(const void *subject, struct scry_said *ret)
{
	const struct field *f = subject;

	scry_said_text(ret, f->first ? scry_struct_name(scry_field_struct(f->field)) : NULL);
}

static void get_struct_size(const void *subject, struct scry_said *ret)
{
	const struct field *f = subject;

	scry_said_int(ret, f->layout->size[scry_field_struct(f->field)]);
}

static void get_struct_source(const void *subject, struct scry_said *ret)
{
	const struct field *f = subject;
	enum scry_struct of = scry_field_struct(f->field);

	scry_said_text(ret, scry_source_name((enum scry_source)f->layout->source[of]));
}

static const struct scry_say slot_fields[] = {
	SAY_GET("offset", get_offset),
	SAY_GET("size", get_size),
	SAY_GET("source", get_source),
	SAY_END,
};
static const struct scry_facts slot_facts = { "slot", slot_fields, NULL };

static void get_slot(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &slot_facts, subject);
}

/* In a map: its name is the key. */
static const struct scry_say field_fields[] = {
	SAY_GET("field", get_field),
	SAY_GET("slot", get_slot, .facts = &slot_facts),
	SAY_FIELDS(&slot_facts),
	SAY_PRINT("bits", print_bits, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("struct", get_struct, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("struct_size", get_struct_size, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("struct_source", get_struct_source, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const char *const field_text[] = {
	"\n{struct}: size {struct_size}, from {struct_source}\n",
	"  {field%-34} {offset%5} +{size%-4}",
	" bits {bits}",
	" {source}\n",
	NULL,
};

static const struct scry_facts field_facts = { "field", field_fields, field_text };

static void each_field(const void *subject, struct scry_renderer *to)
{
	const struct scry_layout *l = ((const struct scry_runtime *)subject)->layout;
	enum scry_struct of = SCRY_S_COUNT;

	for (unsigned f = 0; l && f < SCRY_F_COUNT; f++) {
		enum scry_struct owner = scry_field_struct((enum scry_field)f);

		if (!l->slot[f].size)
			continue;
		scry_say(to, &field_facts, &(struct field) { l, (enum scry_field)f, owner != of });
		of = owner;
	}
}

static const struct scry_say layout_fields[] = {
	SAY_MAP("fields", &field_facts, each_field),
	SAY_END,
};
static const struct scry_facts layout_facts = { "layout", layout_fields,
						(const char *const[]) { "{fields}", NULL },
						.bare = true };

static void each_layout(const void *subject, struct scry_renderer *to)
{
	for (struct scry_runtime *r = scry_runtime_first(call_of(subject)->s); r; r = r->next)
		scry_say(to, &layout_facts, r);
}

static bool has_layouts(const void *subject)
{
	return scry_call_flag(subject, "layout") != NULL;
}

/* --- the answer --- */

static void get_target(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_target, call_of(subject)->s->target);
}

static void each_runtime(const void *subject, struct scry_renderer *to)
{
	struct scry_session *s = call_of(subject)->s;

	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		scry_say(to, &scry_facts_runtime, r);
	for (struct scry_dormant *d = scry_dormant_first(s); d; d = d->next)
		scry_say(to, &scry_facts_dormant, d);
}

static void each_remark(const void *subject, struct scry_renderer *to)
{
	static const char *const text[] = { "remark    {text}\n", NULL };

	for (const struct scry_note *n = call_of(subject)->s->notes; n; n = n->next)
		if (n->remark)
			scry_say_as(to, &scry_facts_text, text, n->text);
}

static const struct scry_say answer_fields[] = {
	SAY_LIST("modules", &module_facts, each_module),
	SAY_LIST_IF("layouts", &layout_facts, each_layout, has_layouts),
	SAY_GET("target", get_target, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("runtimes", NULL, each_runtime, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("these_modules", NULL, each_module_that_matters, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("remarks", NULL, each_remark, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const char *const answer_text[] = {
	"{target}{runtimes}{these_modules}{remarks}",
	"{layouts}",
	NULL,
};

static const struct scry_facts answer_facts = { "info", answer_fields, answer_text };

/*
 * A target without an interpreter still has something to show; why there is none goes to the
 * reasons.
 */
static int run_info(struct scry_call *call)
{
	scry_say_fields(&call->render.to, &answer_facts, call);
	if (!scry_runtime_first(call->s) && !scry_dormant_first(call->s))
		call->partial = true;
	return SCRY_OK;
}

static const struct scry_flag info_flags[] = {
	{ "layout", 'l', NULL, "every known field: its offset, its size and its source" },
	{ NULL },
};

const struct scry_command_row scry_command_info = {
	.public = { "info", "[--layout]",
		    "Show what was opened and which interpreters were found in it, and how.",
		    "Names the target, the program, and each interpreter with its version, how it "
		    "was found and where\n"
		    "its layout comes from; also the files that are missing or do not match, with "
		    "their build ids.",
		    0 },
	.run = run_info,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.flags = info_flags,
};
