/* crash: why the process died. */
#include "command/crash.h"

#include <inttypes.h>
#include <string.h>

#include "memory/collecting.h"
#include "object/source_fit.h"
#include "object/thread_names.h"

/* --- what a register holds --- */

struct operand {
	struct scry_crash *crash;
	const struct scry_crash_operand *o;
	struct scry_held *held;
};

/* An object, or a word that leads into one; a number that happens to be small is not looked up. */
static bool has_object(const struct scry_meaning *m)
{
	return m->runtime && m->object &&
	       (m->kind == SCRY_WORD_OBJECT || m->kind == SCRY_WORD_TYPE ||
		m->kind == SCRY_WORD_CODE_OBJECT || (m->kind == SCRY_WORD_INTERIOR && m->type));
}

static void get_object(const void *subject, struct scry_said *ret)
{
	const struct operand *it = subject;
	const struct scry_meaning *m = &it->o->meaning;

	*it->held = (struct scry_held) { m->runtime, m->object };
	scry_said_facts(ret, &scry_facts_held, has_object(m) ? it->held : NULL);
}

static void get_register(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct operand *)subject)->o->name);
}

static void get_value(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, ((const struct operand *)subject)->o->value);
}

static void get_is(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct operand *)subject)->o->is);
}

static bool print_meaning(const void *subject, struct scry_buf *out)
{
	const struct operand *it = subject;

	if (it->o->meaning.kind == SCRY_WORD_NUMBER && !it->o->meaning.doubt)
		scry_buf_puts(out, it->o->is);
	else
		scry_crash_put_meaning(it->crash, it->o->value, out);
	return true;
}

static const struct scry_say operand_fields[] = {
	SAY_GET("register", get_register),
	SAY_GET("value", get_value),
	SAY_GET("is", get_is),
	SAY_GET("object", get_object, .facts = &scry_facts_held),
	SAY_PRINT("meaning", print_meaning, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts operand_facts = {
	"operand", operand_fields,
	(const char *const[]) { "  {register} = {value%-18} {meaning}\n", NULL }
};

static void each_operand(const void *subject, struct scry_renderer *to)
{
	struct scry_crash *c = (struct scry_crash *)(uintptr_t)subject;
	struct scry_held held;

	for (unsigned i = 0; i < c->operand_count; i++)
		scry_say(to, &operand_facts, &(struct operand) { c, &c->operands[i], &held });
}

/* --- sentences --- */

static void get_sentence(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, *(const char *const *)subject);
}

static const struct scry_say sentence_fields[] = { SAY_GET("text", get_sentence), SAY_END };
static const struct scry_facts sentence_facts = { "sentence", sentence_fields,
						  (const char *const[]) { "  {text}\n", NULL },
						  .bare = true };

static void each_line(const struct scry_lines *lines, struct scry_renderer *to)
{
	for (unsigned i = 0; i < lines->count; i++)
		scry_say(to, &sentence_facts, &lines->text[i]);
}

static void each_why(const void *subject, struct scry_renderer *to)
{
	each_line(&((const struct scry_crash *)subject)->why, to);
}

static void each_origin(const void *subject, struct scry_renderer *to)
{
	each_line(&((const struct scry_crash *)subject)->origin, to);
}

/* --- the Python frame --- */

static const struct scry_frame *frame_of(const void *subject)
{
	return subject;
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_frame_damage_of(subject) ? "damaged" : "python");
}

static void get_function(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, frame_of(subject)->code->name);
}

static void get_qualname(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_frame_qualname(subject));
}

static void get_file(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, frame_of(subject)->code->file);
}

static struct scry_location location_of(const void *subject)
{
	struct scry_location at = { 0 };

	scry_frame_location(subject, &at);
	return at;
}

/* 0 is unknown, as it is for code without columns (before 3.11, or -X no_debug_ranges). */
static void position(struct scry_said *ret, int value)
{
	ret->kind = SCRY_SAID_NULL;
	if (value > 0)
		scry_said_int(ret, value);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	position(ret, location_of(subject).line);
}

static void get_end_line(const void *subject, struct scry_said *ret)
{
	position(ret, location_of(subject).end_line);
}

static void get_column(const void *subject, struct scry_said *ret)
{
	position(ret, location_of(subject).column);
}

static void get_end_column(const void *subject, struct scry_said *ret)
{
	position(ret, location_of(subject).end_column);
}

static void get_source(const void *subject, struct scry_said *ret)
{
	const struct scry_frame *f = subject;
	struct scry_source_text text;

	if (scry_source_of_code(f->code, location_of(f).line, f->lasti, &text) == SCRY_OK)
		scry_said_bytes(ret, text.text, text.len);
	else
		ret->kind = SCRY_SAID_NULL;
}

#define SUBJECT struct scry_frame
static const struct scry_say frame_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_GET("function", get_function),
	SAY_GET("qualname", get_qualname),
	SAY_GET("file", get_file),
	SAY_GET("line", get_line),
	SAY_GET("end_line", get_end_line),
	SAY_GET("column", get_column),
	SAY_GET("end_column", get_end_column),
	SAY_GET("source", get_source),
	SAY_ADDR("address", addr),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts frame_facts = { "crash frame", frame_fields, NULL };

static void get_python(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	scry_said_facts(ret, &frame_facts, c->has_python ? &c->python : NULL);
}

static void get_place(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	scry_said_facts(ret, &scry_facts_place, c->has_python ? &c->python : NULL);
}

/* --- the crash --- */

static void get_signal(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	ret->kind = SCRY_SAID_NULL;
	if (c->signal)
		scry_said_int(ret, c->signal);
}

static void get_signal_name(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;
	const char *name = c->session->target->exception_name;

	if (c->exception)
		scry_said_text(ret, name ? name : scry_exception_name(c->exception));
	else
		scry_said_text(ret, scry_signal_name(c->signal));
}

static void get_code(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	ret->kind = SCRY_SAID_NULL;
	if (c->has_code)
		scry_said_int(ret, c->code);
}

static void get_address(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	ret->kind = SCRY_SAID_NULL;
	if (c->has_address)
		scry_said_addr(ret, c->address);
}

static void get_size(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	ret->kind = SCRY_SAID_NULL;
	if (c->size)
		scry_said_int(ret, (int64_t)c->size);
}

static void get_tid(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct scry_crash *)subject)->thread->tid);
}

static void get_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_thread_name(((const struct scry_crash *)subject)->thread));
}

/* Nothing better is known than what the kernel says. */
static void get_unexplained(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	scry_said_bool(ret, !c->why.count && !c->message && c->signal != 6);
}

/* "read of 8 bytes" */
static bool print_tried(const void *subject, struct scry_buf *out)
{
	const struct scry_crash *c = subject;
	static const char *const names[] = { NULL, "read", "write", "execute" };

	if (c->access == SCRY_ACCESS_NONE)
		return false;
	if (c->access == SCRY_ACCESS_EXECUTE)
		scry_buf_puts(out, "jump");
	else if (c->size)
		scry_buf_printf(out, "%s of %" PRIu64 " byte%s", names[c->access], c->size,
				c->size == 1 ? "" : "s");
	else
		scry_buf_puts(out, names[c->access]);
	return true;
}

static const char *gil_text(const struct scry_thread *t)
{
	if (t->gil == SCRY_GIL_HELD)
		return "holds the GIL";
	/* PyPy's is found by its code only */
	return t->runtime->strategy->waits_for_gil && t->interp && !t->interp->gil
		       ? "who holds the GIL is not known"
		       : "does not hold the GIL";
}

/* Who holds the GIL and whether a collection runs: what one asks next. */
static bool print_state(const void *subject, struct scry_buf *out)
{
	const struct scry_thread *t = ((const struct scry_crash *)subject)->thread;
	const struct scry_interp *i = t->interp;

	if (!t->runtime)
		scry_buf_puts(out, "without Python state");
	else if (t->runtime->layout && t->runtime->layout->flavour.free_threaded)
		scry_buf_puts(out, t->attached == SCRY_ATTACHED_YES ? "attached" : "detached");
	else
		scry_buf_puts(out, gil_text(t));
	if (i && (i->gc_running || scry_collection_noted(i->runtime)))
		scry_buf_puts(out, i->gc_running ? ", GC running" : ", GC not running");
	return true;
}

static void get_where(const void *subject, struct scry_said *ret)
{
	const struct scry_crash *c = subject;

	scry_said_text(ret, c->file ? c->file : c->module);
}

static const char *const access_names[] = {
	[SCRY_ACCESS_NONE] = NULL,
	[SCRY_ACCESS_READ] = "read",
	[SCRY_ACCESS_WRITE] = "write",
	[SCRY_ACCESS_EXECUTE] = "execute",
};

static const char *const signal_phrases[] = {
	"{signal_name:error}", ": {tried}", " at {address}", "{?unexplained} ({code_words})", NULL,
};

#define SUBJECT struct scry_crash
static const struct scry_say crash_fields[] = {
	SAY_GET("signal", get_signal),
	SAY_GET("signal_name", get_signal_name),
	SAY_GET("code", get_code),
	SAY_TEXT("code_words", code_words),
	SAY_GET("address", get_address),
	SAY_NAME("access", access, access_names),
	SAY_GET("size", get_size),
	SAY_TEXT("instruction", instruction),
	SAY_TEXT("function", function),
	SAY_TEXT("file", file),
	SAY_COUNT("line", line),
	SAY_TEXT("module", module),
	SAY_LIST("operands", &operand_facts, each_operand),
	SAY_LIST("explanation", &sentence_facts, each_why),
	SAY_LIST("origin", &sentence_facts, each_origin),
	SAY_TEXT("message", message),
	SAY_BOOL("stack_overflow", stack_overflow),
	SAY_GET("python", get_python, .facts = &frame_facts),
	SAY_PRINT("tried", print_tried, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("state", print_state, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("place", get_place, .facts = &scry_facts_place, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("where", get_where, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("tid", get_tid, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("name", get_name, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("unexplained", get_unexplained, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("head", signal_phrases, NULL),
	SAY_END,
};
#undef SUBJECT

static const char *const crash_text[] = {
	"{head}",
	" by  {instruction} ",
	" in {function:function}",
	" ({where:file}",
	":{line:line}",
	"{?where})",
	", thread {tid}",
	" \"{name:name}\"",
	", {state}\n",
	"  {message:error}\n",
	"{explanation}",
	"{operands}",
	"{origin}",
	"  Python: {place}\n",
	NULL,
};

const struct scry_facts scry_facts_crash = { "crash", crash_fields, crash_text };

static const char *const short_text[] = {
	"{head}\n",
	"crashed in C: {function:function}",
	"{?function} ({module}",
	"{?function}, {file:file}",
	"{?function}:{line:line}",
	"{?function}{?module})",
	"{?function}\n",
	"{!function}crashed in C: {module}, where no symbol is known\n",
	"  {message:error}\n",
	"{explanation}",
	NULL,
};
const struct scry_facts scry_facts_crash_short = { "short crash", crash_fields, short_text };

/* --- the answer --- */

static void get_crash(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_crash, subject);
}

static const struct scry_say answer_fields[] = {
	SAY_GET("crash", get_crash, .facts = &scry_facts_crash),
	SAY_END,
};
static const struct scry_facts answer_facts = { "crash answer", answer_fields,
						(const char *const[]) { "{crash}", NULL } };

/*
 * The selected thread, if it crashed; else the one that did, since that is what the command is for.
 * A thread that was asked for by name stays.
 */
static int run_crash(struct scry_call *call)
{
	struct scry_thread *t = scry_thread_selected(call->s);
	struct scry_crash crash;

	for (struct scry_thread *each = scry_thread_first(call->s);
	     each && !call->thread && !(t && t->crashed); each = each->next)
		if (each->crashed)
			t = each;
	if (!t)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "the target has no threads");
	int rc = scry_crash_read(call->s, t, &crash);
	if (rc < 0)
		return rc;
	scry_say_fields(&call->render.to, &answer_facts, &crash);
	scry_crash_done(&crash);
	return SCRY_OK;
}

const struct scry_command_row scry_command_crash = {
	.public = { "crash", "", "Explain the crash: the signal, the instruction, the bad address.",
		    "Which access failed and where; the function and its line; what each register "
		    "of the instruction\n"
		    "holds; what the address is (NULL and the field there, freed, part of an "
		    "object, read-only, below a\n"
		    "full stack, in a file that was truncated); where the bad value came from, "
		    "back through the\n"
		    "function's code as long as only one way leads there; for an abort the text of "
		    "assert(), malloc(),\n"
		    "Py_FatalError() or the C++ exception, and who asked for it; and the line of "
		    "Python. Where a handler\n"
		    "of the signal ran first (faulthandler), what it caught is shown.",
		    0 },
	.run = run_crash,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
};
