/* What is said of a greenlet beside what all tasks have. */
#include "object/model.h"
#include "task/cstack.h"
#include "task/greenlet_wait.h"

static const struct scry_greenlet *greenlet_of(const void *subject)
{
	return ((const struct scry_task *)subject)->detail;
}

/* --- what will wake it --- */

/* One of the things, and the file that it watches where it is such. */
struct wait {
	struct scry_runtime *runtime;
	scry_addr object;
	bool has_file;
	int64_t fd;
	const char *events;
};

static void get_fd(const void *subject, struct scry_said *ret)
{
	const struct wait *w = subject;

	ret->kind = SCRY_SAID_NULL;
	if (w->has_file)
		scry_said_int(ret, w->fd);
}

#define SUBJECT struct wait
static const struct scry_say wait_fields[] = {
	SAY_AT("object", &scry_facts_value, object),
	SAY_GET("fd", get_fd),
	SAY_TEXT("events", events),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts wait_facts = { "wait", wait_fields, SCRY_IN(struct wait, runtime) };

static void say_waits(const void *subject, const struct scry_facts *facts, struct scry_renderer *to)
{
	const struct scry_greenlet *g = greenlet_of(subject);
	struct scry_runtime *r = ((const struct scry_task *)subject)->runtime;

	for (size_t i = 0; i < g->wait_count && i < SCRY_WAITS_MAX; i++) {
		struct wait w = { .runtime = r, .object = g->waits[i] };

		w.has_file = scry_holder_file(r, w.object, &w.fd, &w.events);
		if (!w.has_file)
			w.events = NULL;
		scry_say(to, facts, &w);
	}
}

static void each_wait(const void *subject, struct scry_renderer *to)
{
	say_waits(subject, &wait_facts, to);
}

static void each_wait_line(const void *subject, struct scry_renderer *to)
{
	bool turn = greenlet_of(subject)->wait_rank == SCRY_WAIT_TURN;
	struct scry_facts facts = wait_facts;

	facts.text = (const char *const[]) {
		turn ? "    will run by " : "    waits for ",
		"file {fd} to {events}, ",
		"|file {fd}, ",
		"{object}",
		"\n",
		NULL,
	};
	say_waits(subject, &facts, to);
}

static void get_more_waits(const void *subject, struct scry_said *ret)
{
	const struct scry_greenlet *g = greenlet_of(subject);

	scry_said_int(ret, g->wait_count > SCRY_WAITS_MAX
				   ? (int64_t)(g->wait_count - SCRY_WAITS_MAX)
				   : 0);
}

/* --- the greenlet --- */

static void get_scheduled(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, greenlet_of(subject)->wait_rank == SCRY_WAIT_TURN);
}

static void get_named(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_task *)subject)->name);
}

static void get_on_stack(const void *subject, struct scry_said *ret)
{
	const struct scry_greenlet *g = greenlet_of(subject);

	scry_said_bool(ret, g->stack_start && !g->is_current && !g->is_main);
}

static const char *const words[] = {
	"{?is_main}, main",
	"{?is_hub}, hub",
	"{?switching}, in the middle of a switch",
	"{?orphaned}, its thread has ended",
	NULL,
};

static const char *const lines[] = {
	"{?named}    is a {type}\n",
	"|{?-v}    is a {type}\n",
	"    child of {above}\n",
	"    runs {run}\n",
	"    loop {loop}\n",
	"{wait_lines}",
	"{?more_waits}    and for {more_waits} more\n",
	"    at the latest until {timeout}\n",
	"    handles {exception}\n",
	"{?-v}    context {context_value}\n",
	"{?-v}{?on_stack}    C stack {stack_start}-{stack_stop}, {stack_saved} bytes saved at "
	"{stack_copy}\n",
	"{?-v}{c_stack}",
	NULL,
};

#define SUBJECT       struct scry_greenlet
#define VALUE(key, m) SAY_AT(key, &scry_facts_value, m, .names = scry_value_unless_none)
static const struct scry_say fields[] = {
	SAY_TEXT("type", type),
	SAY_BOOL("is_main", is_main),
	SAY_BOOL("is_hub", is_hub),
	VALUE("loop", loop),
	SAY_LIST("waits", &wait_facts, each_wait),
	VALUE("timeout", timeout),
	SAY_GET("scheduled", get_scheduled),
	SAY_BOOL("is_current", is_current),
	SAY_BOOL("switching", switching),
	SAY_BOOL("orphaned", orphaned),
	VALUE("run", run),
	VALUE("exception", exception),
	SAY_ID("context", context),
	SAY_INT("stack_saved", stack_saved),
	SAY_GET("", scry_task_say_c_stack, .facts = &scry_facts_c_stack),
	SAY_GET("named", get_named, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ID("above", parent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("wait_lines", NULL, each_wait_line, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("more_waits", get_more_waits, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_AT("context_value", &scry_facts_value, context, .names = scry_value_unless_none,
	       .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("on_stack", get_on_stack, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ADDR("stack_start", stack_start, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ADDR("stack_stop", stack_stop, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ADDR("stack_copy", stack_copy, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("c_stack", scry_task_say_c_stack_lines, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("words", words, NULL),
	SAY_VIEW("lines", lines, NULL),
	SAY_END,
};
#undef VALUE
#undef SUBJECT

const struct scry_facts scry_facts_greenlet = { "greenlet", fields,
						SCRY_THROUGH(struct scry_task, detail),
						SCRY_IN(struct scry_task, runtime) };
