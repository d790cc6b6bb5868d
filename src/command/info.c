/*
 * info: what was opened, which interpreters were found in it and how, and where their structs'
 * fields lie.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loadable.h"
#include "command/command.h"
#include "symbol/dwarf.h"

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

/* The option that asks servers; the static program cannot. */
static bool print_debuginfod(const struct scry_module *m, const char *before, struct scry_buf *out)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	bool can = m->build_id && !m->session->options.debuginfod && &scry_archive_linked == NULL;

	if (can)
		scry_buf_printf(out, "%s--debuginfod%s", before,
				urls && *urls ? "" : " with $DEBUGINFOD_URLS set");
	return can;
}

/* What to type where the file is missing, or another one than the target had. */
static bool print_fix(const void *subject, struct scry_buf *out)
{
	const struct scry_module *m = subject;

	if (!m->problem)
		return false;
	scry_buf_printf(out, "%s, or the files of its machine: --sysroot DIR (in gdb: %s)",
			m->is_main ? "--exe FILE" : "--search DIR",
			m->is_main ? "file FILE, set sysroot DIR" : "set sysroot DIR");
	print_debuginfod(m, "; or ", out);
	return true;
}

static bool holds_runtime(const struct scry_module *m)
{
	for (struct scry_runtime *r = scry_runtime_first(m->session); r; r = r->next)
		if (r->module == m)
			return true;
	return false;
}

/*
 * Debian's package with the debug information of its own interpreter, which the target ran and
 * which is still here: python3.11-dbg has that of all packages of python3.11, of the same version.
 */
static bool print_debian_package(const struct scry_module *m, struct scry_buf *out)
{
	const char *name = strncmp(m->name, "lib", 3) ? m->name : m->name + 3;
	size_t len = strlen("python");
	char doc[PATH_MAX];

	if (strncmp(name, "python", len) || strncmp(m->path, "/usr/", strlen("/usr/")) ||
	    !m->verified || !m->file || strcmp(m->file, m->path))
		return false;
	while (isdigit((unsigned char)name[len]) ||
	       (name[len] == '.' && isdigit((unsigned char)name[len + 1])))
		len++;
	/* each of Debian's packages has such a directory: Debian Policy, 12.5 */
	snprintf(doc, sizeof(doc), "/usr/share/doc/%.*s-minimal", (int)len, name);
	if (access(doc, F_OK))
		return false;
	scry_buf_printf(out, "apt install %.*s-dbg (the same version)", (int)len, name);
	return true;
}

/* What to type where the interpreter has no debug information. */
static bool print_debug_fix(const void *subject, struct scry_buf *out)
{
	/* looking for it may open files */
	struct scry_module *m = (struct scry_module *)subject;

	if (!holds_runtime(m) || scry_module_has_dwarf(m, NULL))
		return false;
	bool package = print_debian_package(m, out);
	return print_debuginfod(m, package ? ", or " : "", out) || package;
}

#define SUBJECT struct scry_module
static const struct scry_say module_fields[] = {
	SAY_TEXT("path", path),
	SAY_TEXT("file", file),
	SAY_TEXT("build_id", build_id),
	SAY_ADDR("start", start),
	SAY_ADDR("end", end),
	SAY_TEXT("problem", problem),
	SAY_PRINT("fix", print_fix),
	SAY_PRINT("debug_fix", print_debug_fix),
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
	"          no debug information, which lines and variables of C want: {debug_fix}\n",
	NULL,
};

static const struct scry_facts module_facts = { "module", module_fields, module_text };

static void each_module(const void *subject, struct scry_renderer *to)
{
	for (struct scry_module *m = scry_module_first(call_of(subject)->s); m; m = m->next)
		scry_say(to, &module_facts, m);
}

/*
 * Modules that matter here: the program, those with an interpreter in them, and those whose file is
 * missing, if they are Python's, or is another one. The others that are missing are counted.
 */
static bool matters(const struct scry_call *call, const struct scry_module *m)
{
	return call->verbose || m->is_main || holds_runtime(m) ||
	       (m->problem &&
		(scry_module_is_python(m) || strcmp(m->problem, SCRY_MODULE_NO_FILE) != 0));
}

static void each_module_that_matters(const void *subject, struct scry_renderer *to)
{
	const struct scry_call *call = subject;

	for (struct scry_module *m = scry_module_first(call->s); m; m = m->next)
		if (matters(call, m))
			scry_say(to, &module_facts, m);
}

static bool print_others(const void *subject, struct scry_buf *out)
{
	const struct scry_call *call = subject;
	const struct scry_module *first = NULL;
	unsigned n = 0;

	for (struct scry_module *m = scry_module_first(call->s); m; m = m->next)
		if (m->problem && !matters(call, m)) {
			first = first ? first : m;
			n++;
		}
	if (n)
		scry_buf_printf(out, "%s", first->path);
	if (n > 1)
		scry_buf_printf(out, " and %u more", n - 1);
	return n;
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
	SAY_PRINT("others", print_others, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("remarks", NULL, each_remark, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const char *const answer_text[] = {
	"{target}{runtimes}{these_modules}",
	"missing   {others}; their files: --search DIR, or --sysroot DIR; -v names them all\n",
	"{remarks}",
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
	for (struct scry_module *m = scry_module_first(call->s); m; m = m->next)
		scry_module_open(m);
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
