/* What is said of a tasklet beside what all tasks have. */
#include <string.h>

#include "object/object.h"
#include "task/cstack.h"
#include "task/stackless.h"

static const struct scry_tasklet *tasklet_of(const void *subject)
{
	return ((const struct scry_task *)subject)->detail;
}

static scry_addr field_of(const void *subject, scry_addr base, enum scry_field field)
{
	return base ? scry_field_get(((const struct scry_task *)subject)->runtime, base, field) : 0;
}

/* --- a bomb: the exception that it finds when it goes on (struct _bomb) --- */

/* Its value may be the arguments only, or absent. Each of these gets the tasklet. */
static bool has_bomb(const struct scry_task *t)
{
	return scry_is_bomb(scry_stackless_of(t->runtime), tasklet_of(t)->tempval);
}

static bool print_bomb_type(const void *subject, struct scry_buf *out)
{
	const struct scry_task *t = subject;
	scry_addr type = field_of(t, tasklet_of(t)->tempval, SCRY_F_BOMB_TYPE);
	const char *name, *dot;

	if (!type || scry_type_name(t->runtime, type, &name) < 0) {
		scry_buf_putc(out, '?');
		return true;
	}
	dot = strrchr(name, '.');
	scry_buf_puts(out, dot ? dot + 1 : name);
	return true;
}

static void get_bomb_value(const void *subject, struct scry_said *ret)
{
	scry_said_value(ret, subject,
			field_of(subject, tasklet_of(subject)->tempval, SCRY_F_BOMB_VALUE));
}

static void get_bomb_traceback(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, field_of(subject, tasklet_of(subject)->tempval, SCRY_F_BOMB_TRACEBACK));
}

static const struct scry_say bomb_fields[] = {
	SAY_PRINT("type", print_bomb_type),
	SAY_GET("value", get_bomb_value, .facts = &scry_facts_value,
		.names = scry_value_unless_none),
	SAY_GET("traceback", get_bomb_traceback),
	SAY_END,
};
static const struct scry_facts bomb_facts = {
	"bomb", bomb_fields, (const char *const[]) { "    bomb of {type}", ": {value}", "\n", NULL }
};

static void get_bomb(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &bomb_facts, has_bomb(subject) ? subject : NULL);
}

/* What it carries, where that is not a bomb and says something. With -v, whatever it is. */
static void get_any_value(const void *subject, struct scry_said *ret)
{
	scry_said_value(ret, subject, has_bomb(subject) ? 0 : tasklet_of(subject)->tempval);
}

static void get_value(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	get_any_value(subject, ret);
	if (tasklet_of(t)->tempval == t->addr)
		ret->kind = SCRY_SAID_NULL;
}

/* --- cframes: C functions among its frames --- */

struct cframe {
	struct scry_runtime *runtime;
	const struct scry_slp_cframe *frame;
};

#define SUBJECT struct scry_slp_cframe
static const struct scry_say cframe_fields[] = {
	SAY_ADDR("id", addr),
	SAY_TEXT("function", function),
	SAY_AT("callable", &scry_facts_value, callable),
	SAY_AT("object", &scry_facts_value, object),
	SAY_INT("after", after),
	SAY_END,
};
#undef SUBJECT

static const char *const cframe_text[] = {
	"    cframe after {after} frames: {function=of an unknown function}",
	", calls {callable}",
	"|, with {object}",
	"\n",
	NULL,
};

static const struct scry_facts cframe_facts = { "cframe", cframe_fields, cframe_text,
						SCRY_THROUGH(struct cframe, frame),
						SCRY_IN(struct cframe, runtime) };

/* run_cframe() below the Python frames is how every tasklet starts: only -v says so. */
static void each_cframe(const void *subject, struct scry_renderer *to)
{
	struct scry_task *t = (struct scry_task *)(uintptr_t)subject;

	for (const struct scry_slp_cframe *c = scry_tasklet_cframes(t); c; c = c->next)
		scry_say(to, &cframe_facts, &(struct cframe) { t->runtime, c });
}

/* --- its saved C stack: struct _cstack --- */

static void get_cstack_size(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret,
		      (int64_t)field_of(subject, tasklet_of(subject)->cstate, SCRY_F_VAR_SIZE));
}

static void get_cstack_start(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, field_of(subject, tasklet_of(subject)->cstate, SCRY_F_CSTACK_STARTADDR));
}

static void get_cstack_task(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, field_of(subject, tasklet_of(subject)->cstate, SCRY_F_CSTACK_TASK));
}

static void say_cstack_int(const void *subject, enum scry_field field, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	scry_said_int(ret, scry_field_get_int(t->runtime, tasklet_of(t)->cstate, field));
}

static void get_cstack_nesting(const void *subject, struct scry_said *ret)
{
	say_cstack_int(subject, SCRY_F_CSTACK_NESTING_LEVEL, ret);
}

static void get_cstack_serial(const void *subject, struct scry_said *ret)
{
	say_cstack_int(subject, SCRY_F_CSTACK_SERIAL, ret);
}

static void get_cstack_id(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, tasklet_of(subject)->cstate);
}

static const struct scry_say cstate_fields[] = {
	SAY_GET("id", get_cstack_id),
	SAY_GET("size", get_cstack_size),
	SAY_GET("startaddr", get_cstack_start),
	SAY_GET("nesting_level", get_cstack_nesting),
	SAY_GET("serial", get_cstack_serial),
	SAY_GET("task", get_cstack_task),
	SAY_END,
};
static const struct scry_facts cstate_facts = { "cstate", cstate_fields, NULL };

static void get_cstate(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &cstate_facts, tasklet_of(subject)->cstate ? subject : NULL);
}

/* --- the tasklet --- */

static void get_blocked(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, tasklet_of(subject)->blocked != 0);
}

static void get_balance(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_NULL;
	if (tasklet_of(subject)->channel)
		scry_said_int(ret, tasklet_of(subject)->balance);
}

static void get_direction(const void *subject, struct scry_said *ret)
{
	int blocked = tasklet_of(subject)->blocked;

	scry_said_text(ret, blocked ? blocked > 0 ? "send" : "receive" : NULL);
}

static const char *const words[] = {
	"{?is_main}, main",
	"{?atomic}, atomic",
	"{?ignore_nesting}, ignores nesting",
	"{?block_trap}, block trap",
	"{?is_zombie}, zombie",
	"{?pending_irq}, interrupt pending",
	"{?hard_switched}, hard-switched",
	"{?stale}, its saved C stack is stale",
	"{?orphaned}, its thread has ended",
	NULL,
};

static const char *const lines[] = {
	"    on channel {channel} (balance {balance})\n",
	"    starts with {entry}\n",
	"{?-v}    value {any_value}\n",
	"|    value {value}\n",
	"{bomb}",
	"    handles {exception}\n",
	"{?-v}    recursion depth {recursion_depth}, nesting level {nesting_level}, C stack of "
	"{slice_words} words in {slices} slices\n",
	"{?-v}{cframes}",
	"{?-v}{c_stack}",
	NULL,
};

#define SUBJECT struct scry_tasklet
static const struct scry_say fields[] = {
	SAY_TEXT("type", type),
	SAY_BOOL("alive", alive),
	SAY_GET("blocked", get_blocked),
	SAY_BOOL("scheduled", scheduled),
	SAY_BOOL("paused", paused),
	SAY_BOOL("restorable", restorable),
	SAY_BOOL("atomic", atomic),
	SAY_BOOL("block_trap", block_trap),
	SAY_BOOL("ignore_nesting", ignore_nesting),
	SAY_BOOL("autoschedule", autoschedule),
	SAY_BOOL("is_zombie", is_zombie),
	SAY_BOOL("is_main", is_main),
	SAY_BOOL("is_current", is_current),
	SAY_BOOL("orphaned", orphaned),
	SAY_BOOL("hard_switched", hard),
	SAY_BOOL("stale", stale),
	SAY_INT("recursion_depth", recursion_depth),
	SAY_INT("nesting_level", nesting_level),
	SAY_INT("thread_id", thread_id),
	SAY_ID("next", next),
	SAY_ID("prev", prev),
	SAY_ID("channel", channel),
	SAY_GET("balance", get_balance),
	SAY_GET("direction", get_direction),
	SAY_AT("tempval", &scry_facts_value, tempval),
	SAY_AT("entry", &scry_facts_value, entry),
	SAY_AT("exception", &scry_facts_value, exception),
	SAY_GET("bomb", get_bomb, .facts = &bomb_facts),
	SAY_LIST("cframes", &cframe_facts, each_cframe),
	SAY_GET("cstate", get_cstate, .facts = &cstate_facts),
	SAY_INT("slices", slices),
	SAY_GET("", scry_task_say_c_stack, .facts = &scry_facts_c_stack),
	SAY_BOOL("pending_irq", pending_irq, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("slice_words", slice_words, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("any_value", get_any_value, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("value", get_value, .names = scry_value_unless_none, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("c_stack", scry_task_say_c_stack_lines, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("words", words, NULL),
	SAY_VIEW("lines", lines, NULL),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_tasklet = { "tasklet", fields,
					       SCRY_THROUGH(struct scry_task, detail),
					       SCRY_IN(struct scry_task, runtime) };
