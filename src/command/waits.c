/* waits: what everything waits for, who has it, and where the chain closes. */
#include "object/thread_names.h"
#include "wait/wait.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command/waits_dot.h"
#include "command/waits_for.h"
#include "command/waits_watch.h"
#include "object/model.h"

/* --- who: a thread or a task --- */

static void get_number(struct scry_said *ret, int64_t number)
{
	ret->kind = SCRY_SAID_NULL;
	if (number >= 0)
		scry_said_int(ret, number);
}

static const struct scry_waiter *waiter_of(const void *subject)
{
	return subject;
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	const struct scry_waiter *who = waiter_of(subject);
	const char *kind = who->task ? who->task->ops->kind : "thread";

	/* the libraries of event loops have tasks */
	if (who->task && strcmp(kind, "greenlet") && strcmp(kind, "tasklet"))
		kind = "task";
	scry_said_text(ret, kind);
}

static void get_id(const void *subject, struct scry_said *ret)
{
	const struct scry_waiter *who = waiter_of(subject);

	if (who->task)
		scry_said_addr(ret, who->task->addr);
	else if (who->thread->tid)
		scry_said_int(ret, (int64_t)who->thread->tid);
	else
		scry_said_addr(ret, who->thread->state);
}

static void get_name(const void *subject, struct scry_said *ret)
{
	const struct scry_waiter *who = waiter_of(subject);

	if (who->task && who->task->name_size)
		scry_said_bytes(ret, who->task->name, who->task->name_size);
	else
		scry_said_text(ret, who->task ? who->task->name : scry_thread_name(who->thread));
}

static void get_tid(const void *subject, struct scry_said *ret)
{
	const struct scry_waiter *who = waiter_of(subject);
	const struct scry_thread *t = who->task ? who->task->thread : who->thread;

	ret->kind = SCRY_SAID_NULL;
	if (t && t->tid)
		scry_said_int(ret, (int64_t)t->tid);
}

static void get_is_task(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, waiter_of(subject)->task != NULL);
}

static const struct scry_say who_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_GET("id", get_id),
	SAY_GET("name", get_name),
	SAY_GET("tid", get_tid),
	SAY_GET("is_task", get_is_task, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const char *const who_text[] = {
	"{?is_task}{kind} ",
	"\"{name:name}\" ",
	"({id})",
	NULL,
};

static const struct scry_facts who_facts = { "who", who_fields, who_text };

/* --- who has it --- */

static void get_frame_of(const void *subject, struct scry_said *ret)
{
	const struct scry_holder_of *h = subject;

	scry_said_facts(ret, &scry_facts_place, h->has_frame && h->frame.code ? &h->frame : NULL);
}

static void get_who_id(const void *subject, struct scry_said *ret)
{
	get_id(((const struct scry_holder_of *)subject)->who, ret);
}

static void get_who_kind(const void *subject, struct scry_said *ret)
{
	get_kind(((const struct scry_holder_of *)subject)->who, ret);
}

static void get_who_name(const void *subject, struct scry_said *ret)
{
	get_name(((const struct scry_holder_of *)subject)->who, ret);
}

static void get_guess(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_holder_of *)subject)->how == SCRY_HOW_INFERRED);
}

#define SUBJECT struct scry_holder_of
static const struct scry_say held_fields[] = {
	SAY_GET("kind", get_who_kind),
	SAY_GET("id", get_who_id),
	SAY_GET("name", get_who_name),
	SAY_NAME("how", how, scry_how_names),
	SAY_GET("frame", get_frame_of, .facts = &scry_facts_place),
	SAY_INT("deadlock", deadlock, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("guess", get_guess, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_POINTER("who", &who_facts, who, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const held_text[] = {
	", ",          "{?guess}perhaps ", "held by {who}",
	" in {frame}", " ({how:dim})",     "{?deadlock}, {:mark}in deadlock {deadlock}{}",
	NULL,
};

static const struct scry_facts held_facts = { "holder", held_fields, held_text };

/* --- a row --- */

static void get_who(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &who_facts, subject);
}

static void get_for(const void *subject, struct scry_said *ret)
{
	const struct scry_waiter *who = waiter_of(subject);

	scry_said_facts(ret, &scry_facts_awaited, who->what.kind ? &who->what : NULL);
}

static void get_frame(const void *subject, struct scry_said *ret)
{
	const struct scry_waiter *who = waiter_of(subject);

	scry_said_facts(ret, &scry_facts_place,
			who->has_frame && who->frame.code ? &who->frame : NULL);
}

static void get_since(const void *subject, struct scry_said *ret)
{
	get_number(ret, waiter_of(subject)->since);
}

static void get_gil_kept(const void *subject, struct scry_said *ret)
{
	get_number(ret, waiter_of(subject)->gil_kept);
}

static bool print_kept(const void *subject, struct scry_buf *out)
{
	int64_t ms = waiter_of(subject)->gil_kept;

	if (ms >= 0)
		scry_buf_printf(out, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
	return ms >= 0;
}

static void each_holder(const void *subject, struct scry_renderer *to)
{
	const struct scry_waiter *who = waiter_of(subject);

	for (size_t i = 0; i < who->held_count; i++)
		scry_say(to, &held_facts, &who->held_by[i]);
}

#define IS(state_name, is)                                                       \
	static void get_##state_name(const void *subject, struct scry_said *ret) \
	{                                                                        \
		const struct scry_waiter *who = waiter_of(subject);              \
                                                                                 \
		scry_said_bool(ret, is);                                         \
	}
IS(runs, who->state == SCRY_WAIT_RUNNING)
IS(idle, who->state == SCRY_WAIT_IDLE)
IS(unsure, who->state == SCRY_WAIT_UNKNOWN && who->thread && who->thread->os &&
		   !who->thread->os->syscall_known)
IS(unknown, who->state == SCRY_WAIT_UNKNOWN)
IS(holds_gil, who->thread && who->thread->gil == SCRY_GIL_HELD)
IS(gone, who->thread && (scry_thread_is_gone(who->thread) || who->left))
IS(no_python, who->thread && !who->thread->runtime)
#undef IS

static const char *const state_phrases[] = {
	"{?gone} is gone",
	"|{?runs} runs",
	"|{?idle} is idle: {for}",
	"|{?unsure}: whether it waits is not known",
	"|{?unknown} waits for what is not known",
	"|{?for} waits for {for}",
	"|: what it waits for is not known",
	"{?runs} ({call})",
	"{?holds_gil}, {:mark}holds the GIL{}",
	"{?kept}, which nobody else has had for {kept}",
	"{?no_python}, {:dim}no Python state{}",
	", {since_text}",
	", works on {job}",
	"{held_by}",
	"{?waiters}; {waiters} wait for it",
	"  in {frame}",
	NULL,
};

#define SUBJECT struct scry_waiter
static const struct scry_say row_fields[] = {
	SAY_GET("who", get_who, .facts = &who_facts),
	SAY_NAME("state", state, scry_wait_state_names),
	SAY_GET("for", get_for, .facts = &scry_facts_awaited),
	SAY_LIST("held_by", &held_facts, each_holder),
	SAY_GET("frame", get_frame, .facts = &scry_facts_place),
	SAY_INT("deadlock", deadlock, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("perhaps", perhaps, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("waiters", waiters, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("call", call),
	SAY_GET("since", get_since),
	SAY_TEXT("job", job),
	SAY_GET("gil_kept_ms", get_gil_kept),
	SAY_PRINT("kept", print_kept, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("since_text", since_text, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("runs", get_runs, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("idle", get_idle, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("unsure", get_unsure, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("unknown", get_unknown, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("holds_gil", get_holds_gil, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("gone", get_gone, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("no_python", get_no_python, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("line", state_phrases, NULL),
	SAY_END,
};
#undef SUBJECT

static const char *const row_text[] = {
	"{?deadlock}{:error}DEADLOCK {deadlock}{}  ",
	"|{?perhaps}{:mark}PERHAPS DEADLOCK {perhaps}{}  ",
	"{who}",
	"{line}",
	"\n",
	NULL,
};

static const struct scry_facts row_facts = { "wait", row_fields, row_text };

/* --- all of them --- */

/* Deadlocks first, then what most wait for, then who waits, then the rest; else as they stand. */
static int rank(const struct scry_waiter *who)
{
	return who->deadlock                                                        ? 0
	       : who->perhaps                                                       ? 1
	       : who->waiters                                                       ? 2
	       : who->state == SCRY_WAIT_WAITING || who->state == SCRY_WAIT_GIL     ? 3
	       : who->state == SCRY_WAIT_RUNNING || who->state == SCRY_WAIT_UNKNOWN ? 4
										    : 5;
}

static int compare(const void *x, const void *y)
{
	const struct scry_waiter *a = *(const struct scry_waiter *const *)x,
				 *b = *(const struct scry_waiter *const *)y;

	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	if (a->deadlock != b->deadlock)
		return a->deadlock < b->deadlock ? -1 : 1;
	if (a->perhaps != b->perhaps)
		return a->perhaps < b->perhaps ? -1 : 1;
	if (rank(a) == 2 && a->waiters != b->waiters)
		return a->waiters > b->waiters ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* What a call shows. */
struct answer {
	struct scry_call *call;
	const struct scry_waits *waits;
	const struct scry_waiter **order;
	unsigned number; /* of the list that is written now */
	bool perhaps;    /* it is one that a guess closes */
};

static void each_row(const void *subject, struct scry_renderer *to)
{
	const struct answer *a = subject;
	uint64_t limit = a->call->s->options.limit[SCRY_LIMIT_TASKS];

	for (size_t i = 0; i < a->waits->count; i++) {
		if (limit && i >= limit) {
			scry_note(a->call->s, "%zu more are not shown (limit %" PRIu64 ")",
				  a->waits->count - i, limit);
			break;
		}
		scry_say(to, &row_facts, a->order[i]);
		scry_buf_spill(a->call->out);
	}
}

static const struct scry_facts member_facts = {
	"member", (const struct scry_say[]) { SAY_GET("id", get_id), SAY_END }, NULL, .bare = true
};

static void each_member(const void *subject, struct scry_renderer *to)
{
	const struct answer *a = subject;

	for (size_t i = 0; i < a->waits->count; i++) {
		const struct scry_waiter *who = &a->waits->list[i];

		if ((a->perhaps ? who->perhaps : who->deadlock) == a->number)
			scry_say(to, &member_facts, who);
	}
}

static const struct scry_facts deadlock_facts = {
	"deadlock",
	(const struct scry_say[]) { SAY_LIST("members", &member_facts, each_member), SAY_END },
	NULL, .bare = true
};

static void each_list(struct answer a, struct scry_renderer *to)
{
	unsigned count = a.perhaps ? a.waits->perhaps : a.waits->deadlocks;

	for (a.number = 1; a.number <= count; a.number++)
		scry_say(to, &deadlock_facts, &a);
}

static void each_deadlock(const void *subject, struct scry_renderer *to)
{
	each_list(*(const struct answer *)subject, to);
}

static void each_perhaps(const void *subject, struct scry_renderer *to)
{
	struct answer a = *(const struct answer *)subject;

	a.perhaps = true;
	each_list(a, to);
}

static const struct scry_say answer_fields[] = {
	SAY_LIST("waits", &row_facts, each_row),
	SAY_LIST("deadlocks", &deadlock_facts, each_deadlock),
	SAY_LIST("perhaps_deadlocks", &deadlock_facts, each_perhaps),
	SAY_END,
};

static const struct scry_facts answer_facts = { "waits", answer_fields,
						(const char *const[]) { "{waits}", NULL } };

static int run_waits(struct scry_call *call)
{
	const char *watch = scry_call_flag(call, "watch");
	struct scry_gil_reading *before = NULL;
	struct scry_waits w;
	int rc = watch ? scry_waits_watch(call, watch, &before) : SCRY_OK;

	if (rc < 0)
		return rc;
	rc = scry_waits_find(call->s, &w);
	if (rc == SCRY_OK)
		scry_waits_since(&w, before);
	const struct scry_waiter **order =
		rc == SCRY_OK ? calloc(w.count + 1, sizeof(*order)) : NULL;

	if (rc == SCRY_OK && !order)
		rc = scry_fail(call->s, SCRY_ENOMEM, 0, "out of memory");
	for (size_t i = 0; order && i < w.count; i++)
		order[i] = &w.list[i];
	if (order && scry_call_flag(call, "dot") && !call->json) {
		scry_waits_dot(call->out, &w);
	} else if (order) {
		qsort(order, w.count, sizeof(*order), compare);
		scry_say_fields(&call->render.to, &answer_facts,
				&(struct answer) { call, &w, order, 0, false });
	}
	free(order);
	scry_waits_done(&w);
	return rc;
}

static const struct scry_flag waits_flags[] = {
	{ "dot", 'd', NULL, "the graph of who waits for whom, for Graphviz" },
	{ "watch", 'w', "SECONDS", "look twice: has anybody else had the GIL meanwhile?" },
	{ NULL },
};

static const struct scry_facts *const says[] = { &answer_facts, NULL };

#define HELP                                                                                       \
	"One line for each thread, and for each task, greenlet and tasklet that has not "          \
	"finished: whether it\n"                                                                   \
	"runs, waits for the GIL, or waits for something else, what that is, what its frame "      \
	"calls it, and who\n"                                                                      \
	"has it. Deadlocks come first, then what most others wait for. It is said how the holder " \
	"is known:\n"                                                                              \
	"\"owner\" is the object's own word, \"with\" a with block that the holder is in, "        \
	"\"frame\" a frame that\n"                                                                 \
	"works on it or gives it back in a finally. \"inferred\" is a guess: the holder's code "   \
	"has called\n"                                                                             \
	"acquire() and not release(); what only guesses close is a PERHAPS DEADLOCK. A wait that " \
	"ends by\n"                                                                                \
	"itself after a time, or by a timeout around it, is not part of a deadlock.\n"             \
	"Files, the peers of sockets, the processes at the other end of pipes and the state of "   \
	"child\n"                                                                                  \
	"processes are shown for a live process only. So is --watch: it lets the process run for " \
	"a while\n"                                                                                \
	"and looks again, and says for how long nobody else has had the GIL (3.7+)."

const struct scry_command_row scry_command_waits = {
	.public = { "waits", "[--dot] [--watch SECONDS]",
		    "Show what every thread and task waits for, and deadlocks.", HELP, 0 },
	.run = run_waits,
	.flags = waits_flags,
	.says = says,
};

const struct scry_command_row scry_command_locks = {
	.public = { "locks", "[--dot] [--watch SECONDS]", "The same as waits.", HELP, 0 },
	.run = run_waits,
	.flags = waits_flags,
	.says = says,
};
