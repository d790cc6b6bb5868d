/* The target, and each Python in it: how far it is in its life, and who collects its garbage. */
#include <time.h>

#include "command/command.h"
#include "memory/collecting.h"

/* --- the target --- */

static void get_signal_name(const void *subject, struct scry_said *ret)
{
	const struct scry_target *t = subject;

	scry_said_text(ret, t->signal ? scry_signal_name(t->signal) : NULL);
}

static void get_fault(const void *subject, struct scry_said *ret)
{
	const struct scry_target *t = subject;

	ret->kind = SCRY_SAID_NULL;
	if (t->has_fault)
		scry_said_addr(ret, t->fault_addr);
}

static void get_exception(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, ((const struct scry_target *)subject)->exception);
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_target *)subject)->ops->name);
}

/* What ended it, in words. */
static void get_cause(const void *subject, struct scry_said *ret)
{
	const struct scry_target *t = subject;

	scry_said_text(ret, t->exception && t->exception_name ? t->exception_name
			    : t->exception                    ? scry_exception_name(t->exception)
			    : t->signal                       ? scry_signal_name(t->signal)
							      : NULL);
}

static void get_machine(const void *subject, struct scry_said *ret)
{
	const struct scry_target *t = subject;

	scry_said_text(ret, t->arch ? t->arch->name : "unknown machine");
}

static void get_bits(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, ((const struct scry_target *)subject)->abi.ptr_size * 8);
}

static bool print_time(int64_t seconds, struct scry_buf *out)
{
	time_t when = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (seconds <= 0 || !gmtime_r(&when, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		return false;
	scry_buf_puts(out, text);
	return true;
}

static bool print_started(const void *subject, struct scry_buf *out)
{
	return print_time(((const struct scry_target *)subject)->started, out);
}

static bool print_taken(const void *subject, struct scry_buf *out)
{
	return print_time(((const struct scry_target *)subject)->taken, out);
}

#define SUBJECT struct scry_target
static const struct scry_say target_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_TEXT("path", path),
	SAY_COUNT("pid", pid),
	SAY_COUNT("signal", signal),
	SAY_GET("signal_name", get_signal_name),
	SAY_GET("exception", get_exception, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("fault_address", get_fault),
	SAY_GET("cause", get_cause, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("machine", get_machine, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("bits", get_bits, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("big_endian", abi.big_endian, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("thread_count", thread_count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("program", exe, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("command", command, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("started", print_started, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("dumped", print_taken, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const target_text[] = {
	"target    {kind}",
	" {path}",
	", process {pid}",
	", {machine}, {bits}-bit",
	"{?big_endian}, big-endian",
	", {thread_count} thread{thread_count+}\n",
	"signal    {cause}",
	"{?cause} at {fault_address}",
	"{?cause}\n",
	"program   {program}\n",
	"command   {command}\n",
	"started   {started}\n",
	"dumped    {dumped}\n",
	NULL,
};

const struct scry_facts scry_facts_target = { "target", target_fields, target_text };

/* --- a Python --- */

static void get_collector(const void *subject, struct scry_said *ret)
{
	const struct scry_interp *i = subject;

	ret->kind = SCRY_SAID_NULL;
	if (i->collector && i->collector->tid)
		scry_said_int(ret, (int64_t)i->collector->tid);
}

static void get_unusual(const void *subject, struct scry_said *ret)
{
	const struct scry_interp *i = subject;

	scry_said_text(ret, i->phase == SCRY_PHASE_RUNNING ? NULL : scry_phase_names[i->phase]);
}

static void get_collecting(const void *subject, struct scry_said *ret)
{
	const struct scry_interp *i = subject;

	ret->kind = SCRY_SAID_NULL;
	if (i->gc_running || scry_collection_noted(i->runtime))
		scry_said_bool(ret, i->gc_running);
}

static void get_collected(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_interp *)subject)->collector != NULL);
}

#define SUBJECT struct scry_interp
static const struct scry_say interp_fields[] = {
	SAY_INT("id", id),
	SAY_ADDR("address", addr),
	SAY_NAME("state", phase, scry_phase_names),
	SAY_GET("collecting", get_collecting),
	SAY_GET("collector", get_collector),
	SAY_GET("unusual", get_unusual, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("collected", get_collected, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const interp_text[] = {
	"          interpreter {id} at {address}",
	", {unusual}",
	"{?collecting}, collecting garbage",
	"{?collected} in thread {collector=0}",
	"|{?collecting}, its thread is not known",
	"\n",
	NULL,
};
static const struct scry_facts interp_facts = { "interpreter", interp_fields, interp_text };

static void each_interp(const void *subject, struct scry_renderer *to)
{
	for (const struct scry_interp *i = ((const struct scry_runtime *)subject)->interps; i;
	     i = i->next)
		scry_say(to, &interp_facts, i);
}

/* A runtime is as far as its first interpreter, which stands last. */
static void get_state(const void *subject, struct scry_said *ret)
{
	enum scry_phase phase = SCRY_PHASE_RUNNING;

	for (const struct scry_interp *i = ((const struct scry_runtime *)subject)->interps; i;
	     i = i->next)
		phase = i->phase;
	scry_said_text(ret, scry_phase_names[phase]);
}

static void get_module(const void *subject, struct scry_said *ret)
{
	const struct scry_runtime *r = subject;

	scry_said_text(ret, r->module ? r->module->path : NULL);
}

static void get_free_threaded(const void *subject, struct scry_said *ret)
{
	const struct scry_runtime *r = subject;

	scry_said_bool(ret, r->layout && r->layout->flavour.free_threaded);
}

static const struct scry_say life_fields[] = {
	SAY_GET("state", get_state),
	SAY_GET("module", get_module),
	SAY_GET("free_threaded", get_free_threaded),
	SAY_LIST("interpreters", &interp_facts, each_interp),
	SAY_END,
};
static const struct scry_facts life_facts = { "life", life_fields, NULL };

static void get_layout(const void *subject, struct scry_said *ret)
{
	const struct scry_runtime *r = subject;

	scry_said_text(ret, r->layout ? r->layout->name : NULL);
}

static void get_threading(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_free_threaded_text(subject));
}

#define SUBJECT struct scry_runtime
static const struct scry_say runtime_fields[] = {
	SAY_TEXT("name", name),
	SAY_CHARS("version", version_text),
	SAY_TEXT("finder", finder),
	SAY_GET("layout", get_layout),
	SAY_FIELDS(&life_facts),
	SAY_GET("threading", get_threading, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const runtime_text[] = {
	"runtime   {name} {version}{threading}, found by {finder=?}",
	" in {module}",
	"\n",
	"layout    {layout}\n",
	"{interpreters}",
	NULL,
};

const struct scry_facts scry_facts_runtime = { "runtime", runtime_fields, runtime_text };

/* --- one that is not there yet, or no more --- */

static void get_dormant_module(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_dormant *)subject)->module->path);
}

static void get_null(const void *subject, struct scry_said *ret)
{
	(void)subject;
	ret->kind = SCRY_SAID_NULL;
}

static void get_false(const void *subject, struct scry_said *ret)
{
	(void)subject;
	scry_said_bool(ret, false);
}

static void each_none(const void *subject, struct scry_renderer *to)
{
	(void)subject;
	(void)to;
}

#define SUBJECT struct scry_dormant
static const struct scry_say dormant_fields[] = {
	SAY_TEXT("name", name),
	SAY_TEXT("version", version_text),
	SAY_GET("finder", get_null),
	SAY_GET("layout", get_null),
	SAY_NAME("state", phase, scry_phase_names),
	SAY_GET("module", get_dormant_module),
	SAY_GET("free_threaded", get_false),
	SAY_LIST("interpreters", &interp_facts, each_none),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_dormant = {
	"runtime", dormant_fields,
	(const char *const[]) { "runtime   {name} {version}, {state}, in {module=?}\n", NULL }
};
