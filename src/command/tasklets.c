/* tasklets and channels: what Stackless Python runs. */
#include "command/tasks.h"
#include "object/thread_names.h"
#include "task/stackless.h"

/* --- schedulers, one a thread --- */

static void get_scheduler_id(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct scry_scheduler *)subject)->thread->ident);
}

static void get_scheduler_thread(const void *subject, struct scry_said *ret)
{
	const struct scry_scheduler *c = subject;

	ret->kind = SCRY_SAID_NULL;
	if (c->thread->tid)
		scry_said_int(ret, (int64_t)c->thread->tid);
}

static void get_watchdogs(const void *subject, struct scry_said *ret)
{
	const struct scry_scheduler *c = subject;

	scry_said_at(ret, &scry_facts_value, c->thread->runtime, c->watchdogs);
}

#define SUBJECT struct scry_scheduler
static const struct scry_say scheduler_fields[] = {
	SAY_GET("thread_id", get_scheduler_id),
	SAY_GET("thread", get_scheduler_thread),
	SAY_ID("main", main),
	SAY_ID("current", current),
	SAY_INT("runcount", runcount),
	SAY_INT("nesting_level", nesting_level),
	SAY_INT("switch_trap", switch_trap),
	SAY_BOOL("blocked", is_blocked),
	SAY_BOOL("idle", is_idle),
	SAY_GET("watchdogs", get_watchdogs, .facts = &scry_facts_value),
	SAY_ID("interrupted", interrupted),
	SAY_ID("del_post_switch", del_post_switch),
	SAY_ADDRS("ring", &scry_facts_addr, ring, ring_count),
	SAY_TEXT("error", error),
	SAY_POINTER("head", &scry_facts_thread, thread, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const scheduler_text[] = {
	"{head}: {runcount} runnable, main {main=0x0}, current {current=0x0}",
	"{?blocked}, blocked",
	"{?idle}, idle",
	"\n",
	"    interrupted before tasklet {interrupted} could run\n",
	"    after the switch lets go of {del_post_switch}\n",
	"{?-v}    watchdogs {watchdogs}\n",
	"    {error}\n",
	NULL,
};

static const struct scry_facts scheduler_facts = { "scheduler", scheduler_fields, scheduler_text };

static void each_scheduler(const void *subject, struct scry_renderer *to)
{
	const struct scry_call *call = subject;

	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		struct scry_stackless *sl =
			r->layout->flavour.stackless ? scry_stackless_of(r) : NULL;

		for (struct scry_scheduler *c = sl ? sl->schedulers : NULL; c; c = c->next)
			scry_say(to, &scheduler_facts, c);
	}
}

static const struct scry_say tasklets_fields[] = {
	SAY_LIST("schedulers", &scheduler_facts, each_scheduler),
	SAY_END,
};
static const struct scry_facts schedulers_facts = {
	"schedulers", tasklets_fields, (const char *const[]) { "{schedulers}", "\n", NULL }
};

static int run_tasklets(struct scry_call *call)
{
	struct scry_thread *t = NULL;

	if (call->argc && scry_thread_named(call->s, call->argv[0], &t) < 0)
		return SCRY_ENOTFOUND;
	struct scry_runtime *r = scry_runtime_first(call->s);
	while (r && !r->layout->flavour.stackless)
		r = r->next;
	if (!r)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Stackless Python in the target");
	scry_say_fields(&call->render.to, &schedulers_facts, call);
	return scry_show_tasks(call, &scry_task_tasklet, t ? t->ident : 0);
}

static const struct scry_flag tasklet_flags[] = {
	{ "all-threads", 'a', NULL, "tasklets of every thread (the default)" },
	{ "native", 'n', NULL, "C frames too, as bt --native shows them" },
	{ NULL },
};

const struct scry_command_row scry_command_tasklets = {
	.public = { "tasklets", "[-v] [--native] [--all-threads | THREAD]",
		    "Show the tasklets of a Stackless Python.",
		    "Each thread's scheduler comes first, then every tasklet with its state, the "
		    "channel it is blocked\n"
		    "on, the value it carries, and its Python stack: runnable, blocked, paused, "
		    "new and dead ones.\n"
		    "A bomb is an exception on its way to a tasklet; what a tasklet handles is its "
		    "sys.exc_info().\n"
		    "-v adds depths and watchdogs, cframes (C functions among the Python frames, "
		    "with what they call),\n"
		    "and the C stack of each that was switched out together with it: its saved "
		    "words are unwound with\n"
		    "the interpreter's file.",
		    0 },
	.run = run_tasklets,
	.says = (const struct scry_facts *const[]) { &schedulers_facts, &scry_facts_task_list,
						     NULL },
	.flags = tasklet_flags,
	.max_args = 1,
};

/* --- channels --- */

static void get_direction(const void *subject, struct scry_said *ret)
{
	int64_t balance = ((const struct scry_channel *)subject)->balance;

	scry_said_text(ret, balance > 0 ? "send" : balance < 0 ? "receive" : NULL);
}

static void get_waiting(const void *subject, struct scry_said *ret)
{
	int64_t balance = ((const struct scry_channel *)subject)->balance;

	scry_said_int(ret, balance < 0 ? -balance : balance);
}

static void get_doing(const void *subject, struct scry_said *ret)
{
	int64_t balance = ((const struct scry_channel *)subject)->balance;

	scry_said_text(ret, balance > 0 ? "sending" : "receiving");
}

static void get_closed(const void *subject, struct scry_said *ret)
{
	const struct scry_channel *c = subject;

	scry_said_bool(ret, c->closing && !c->queue_count);
}

static void get_preferred(const void *subject, struct scry_said *ret)
{
	int preference = ((const struct scry_channel *)subject)->preference;

	scry_said_text(ret, preference < 0 ? "receivers" : preference > 0 ? "senders" : "nobody");
}

static const struct scry_facts waiter_facts = {
	"waiter", scry_facts_addr_fields, (const char *const[]) { "    tasklet {address}\n", NULL }
};

#define SUBJECT struct scry_channel
static const struct scry_say channel_fields[] = {
	SAY_ADDR("id", addr),
	SAY_TEXT("type", type),
	SAY_INT("balance", balance),
	SAY_GET("direction", get_direction),
	SAY_INT("preference", preference),
	SAY_BOOL("closing", closing),
	SAY_GET("closed", get_closed),
	SAY_BOOL("schedule_all", schedule_all),
	SAY_ADDRS("queue", &scry_facts_addr, queue, queue_count),
	SAY_TEXT("error", error),
	SAY_GET("waiting", get_waiting, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("doing", get_doing, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("preferred", get_preferred, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ADDRS("waiters", &waiter_facts, queue, queue_count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const channel_text[] = {
	"{type} {id} [",
	"{!waiting}nobody waits",
	"|{waiting} {doing}",
	"{?closed}, closed",
	"|{?closing}, closing",
	"{?schedule_all}, schedules all",
	", prefers {preferred}]\n",
	"{waiters}",
	"    {error}\n",
	NULL,
};

static const struct scry_facts channel_facts = { "channel", channel_fields, channel_text };

static void each_channel(const void *subject, struct scry_renderer *to)
{
	struct scry_call *call = (struct scry_call *)(uintptr_t)subject;

	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		struct scry_stackless *sl =
			r->layout->flavour.stackless ? scry_stackless_of(r) : NULL;

		for (struct scry_channel *c = sl ? sl->channels : NULL; c; c = c->next) {
			scry_say(to, &channel_facts, c);
			call->partial |= !call->json && c->error;
		}
	}
}

static void get_any_channel(const void *subject, struct scry_said *ret)
{
	const struct scry_call *call = subject;

	scry_said_bool(ret, false);
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next)
		if (r->layout->flavour.stackless && scry_stackless_of(r) &&
		    scry_stackless_of(r)->channels)
			scry_said_bool(ret, true);
}

static const struct scry_say channels_fields[] = {
	SAY_LIST("channels", &channel_facts, each_channel),
	SAY_GET("any", get_any_channel, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts channels_facts = {
	"channels", channels_fields,
	(const char *const[]) { "{?any}{channels}", "|no channels\n", NULL }
};

static int run_channels(struct scry_call *call)
{
	bool any = false;

	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next)
		any = any || r->layout->flavour.stackless;
	if (!any)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Stackless Python in the target");
	scry_say_fields(&call->render.to, &channels_facts, call);
	return SCRY_OK;
}

const struct scry_command_row scry_command_channels = {
	.public = { "channels", "", "Show the channels of a Stackless Python.",
		    "Each with its balance, its flags, and the tasklets that wait on it, the next "
		    "to be served first.",
		    0 },
	.run = run_channels,
	.says = (const struct scry_facts *const[]) { &channels_facts, NULL },
};
