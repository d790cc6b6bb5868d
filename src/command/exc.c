/*
 * exc: what each thread is raising and handling, with tracebacks, causes and the variables of their
 * frames.
 */
#include "command/exception_show.h"
#include "memory/gc.h"
#include "object/thread_names.h"
#include "task/await.h"

#define HANDLED_MAX   100 /* handled exceptions of one thread that are shown */
#define SUSPENDED_MAX 1000
#define STACK_MAX     100000 /* frames of a thread that are remembered */

enum role { RAISED, HANDLED, LAST, SUSPENDED };

static const char *const role_names[] = {
	[RAISED] = "raised", [HANDLED] = "handled", [LAST] = "last", [SUSPENDED] = "suspended"
};

/* One invocation on one thread. */
struct job {
	struct scry_shown shown;
	struct scry_renderer *to;
	struct scry_thread *only; /* NULL: all */
	bool all;
	struct scry_thread *thread; /* whose entries are shown; NULL: of none */
	struct scry_hash stack;     /* frames that the thread is in */
	bool stack_damaged;
	unsigned entries; /* shown */
	uint64_t omitted; /* entries past HANDLED_MAX */
};

/* One that somebody has. */
struct entry {
	enum role role;
	struct scry_kept kept;
	const struct scry_handled *handled; /* HANDLED */
	scry_addr generator;                /* SUSPENDED */
	const char *unclean;
};

/* --- what a thread has --- */

static bool on_stack(struct job *job, scry_addr traceback)
{
	struct scry_traceback tb = { .runtime = job->shown.runtime, .next = traceback };
	struct scry_location at;
	struct scry_frame f;
	unsigned count = 0;

	while (count++ < STACK_MAX && scry_traceback_next(&tb, &f, &at) == SCRY_ITEM)
		if (f.kind == SCRY_FRAME_DAMAGED || scry_hash_find(&job->stack, f.addr))
			return true;
	return false;
}

/* --- one that somebody has --- */

struct shown_entry {
	struct job *job;
	struct entry entry;
	struct scry_exception *e; /* NULL: it cannot be read */
};

static void get_tid(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = ((const struct shown_entry *)subject)->job->thread;

	ret->kind = SCRY_SAID_NULL;
	if (t && t->tid)
		scry_said_int(ret, (int64_t)t->tid);
}

static void get_handler_function(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_handled *)subject)->frame.code->name);
}

static void get_handler_line(const void *subject, struct scry_said *ret)
{
	struct scry_location at = { 0 };

	scry_frame_location(&((const struct scry_handled *)subject)->frame, &at);
	ret->kind = SCRY_SAID_NULL;
	if (at.line > 0)
		scry_said_int(ret, at.line);
}

#define SUBJECT struct scry_handled
static const struct scry_say handler_fields[] = {
	SAY_INT("frame", frame.depth),
	SAY_GET("function", get_handler_function),
	SAY_GET("line", get_handler_line),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts handler_facts = {
	"handler", handler_fields,
	(const char *const[]) { "  handled by #{frame} {function=}\n", NULL }
};

static void get_handler(const void *subject, struct scry_said *ret)
{
	const struct scry_handled *h = ((const struct shown_entry *)subject)->entry.handled;

	scry_said_facts(ret, &handler_facts, h && h->frame.code ? h : NULL);
}

static void get_exception(const void *subject, struct scry_said *ret)
{
	const struct shown_entry *it = subject;

	scry_said_exception(ret, &it->job->shown, it->e, it->entry.kept.value, 0);
}

static void each_chain(const void *subject, struct scry_renderer *to)
{
	static const char *const heads[] = { [RAISED] = "raising ",
					     [HANDLED] = "handling ",
					     [LAST] = "last uncaught (sys.last_exc) ",
					     [SUSPENDED] = "handling " };
	const struct shown_entry *it = subject;
	const char *head = heads[it->entry.role];

	(void)to;
	if (it->e)
		scry_say_chain(&it->job->shown, it->e, head, 0);
	else
		scry_say_unreadable(&it->job->shown, it->entry.kept.value, head, 0);
}

static bool print_generator(const void *subject, struct scry_buf *out)
{
	const struct shown_entry *it = subject;

	if (it->entry.generator)
		scry_repr(it->job->shown.runtime, it->entry.generator, out);
	return it->entry.generator;
}

#define SUBJECT struct shown_entry
static const struct scry_say entry_fields[] = {
	SAY_GET("tid", get_tid),
	SAY_NAME("state", entry.role, role_names),
	SAY_TEXT("unclean", entry.unclean),
	SAY_GET("handler", get_handler, .facts = &handler_facts),
	SAY_ID("generator", entry.generator, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("exception", get_exception, .facts = &scry_facts_exception,
		.of = scry_exception_kinds),
	SAY_LIST("chain", NULL, each_chain, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("generator_repr", print_generator, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const entry_text[] = {
	"Suspended {generator_repr}\n", "{chain}", "{handler}", "  unclean: {unclean:mark}\n", NULL,
};

static const struct scry_facts entry_facts = { "held exception", entry_fields, entry_text };

/* --- lines between them: for text --- */

static void get_thread(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_thread, subject);
	ret->kind = SCRY_SAID_FIELDS;
}

static const struct scry_say heading_fields[] = {
	SAY_GET("", get_thread, .facts = &scry_facts_thread),
	SAY_VIEW("head", scry_thread_phrases, NULL),
	SAY_END,
};
static const struct scry_facts heading_facts = { "heading", heading_fields,
						 (const char *const[]) { "{head}\n", NULL },
						 .text_only = true };
static const char *const runs_none[] = { "{head}\n  runs no Python code\n", NULL };
static const char *const has_none[] = { "  no exception\n", NULL };
static const char *const may_have_some[] = {
	"  no exception is raised; what is handled is not known for this version\n",
	NULL,
};

static void get_count(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t) * (const size_t *)subject);
}

static const struct scry_say more_fields[] = { SAY_GET("count", get_count), SAY_END };
static const struct scry_facts more_facts = {
	"more", more_fields,
	(const char *const[]) { "  … {count,} more are handled by older frames\n", NULL },
	.text_only = true
};

/*
 * The handlers that run are known, and each has one in hand. One more was left by C code that
 * handled it and did not restore what was before. Cython's handlers look like that while they run.
 */
static const char *why_unclean(struct job *job, const struct scry_handled *h,
			       const struct scry_exception *e)
{
	/* frames may be missing from a stack that is damaged */
	bool gone = e && e->traceback && !job->stack_damaged && !on_stack(job, e->traceback);

	if (job->shown.runtime->layout && job->shown.runtime->layout->guessed)
		return h->unowned ? "which handler has it in hand is not known for this version"
				  : NULL;

	if (h->unowned)
		return gone ? "no handler in Python has it in hand, and none of its frames is on "
			      "the stack: it was handled "
			      "and never cleared, or C code is handling it now"
			    : "no handler in Python has it in hand: it was never cleared, or C "
			      "code is handling it now";
	/* what a handler caught has passed through its frame */
	return gone ? "none of its frames is on the stack: it is not what the handler caught, C "
		      "code has put it there"
		    : NULL;
}

static void show(struct job *job, struct entry *entry)
{
	struct scry_exception e;
	bool known = scry_exception_kept(job->shown.runtime, &entry->kept, &e) == SCRY_OK;

	job->entries++;
	job->shown.count = 0;
	if (job->shown.call->json)
		scry_hash_done(&job->shown.seen); /* each is complete by itself */
	if (entry->role == RAISED)
		entry->unclean = "pending: C code has set it and not returned to Python since";
	else if (entry->role == HANDLED)
		entry->unclean = why_unclean(job, entry->handled, known ? &e : NULL);
	scry_say(job->to, &entry_facts, &(struct shown_entry) { job, *entry, known ? &e : NULL });
}

static void show_handled(struct job *job)
{
	size_t count = 0, n = 0;
	const struct scry_handled *h = scry_thread_handled(job->thread, &count);

	for (; h && n < HANDLED_MAX; h = h->next, n++)
		show(job, &(struct entry) { .role = HANDLED, .kept = h->kept, .handled = h });
	if (n >= count)
		return;
	n = count - n;
	job->omitted += n;
	scry_say(job->to, &more_facts, &n);
}

static void remember_stack(struct job *job)
{
	struct scry_walk walk;
	struct scry_frame f;

	scry_hash_done(&job->stack);
	scry_walk_thread(&walk, job->thread);
	job->stack_damaged = false;
	while (job->stack.count < STACK_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM) {
		job->stack_damaged |= f.damaged || f.broken;
		scry_hash_add(&job->stack, f.addr);
	}
}

static void show_thread(struct job *job, struct scry_thread *t, bool all)
{
	struct scry_call *call = job->shown.call;
	unsigned before = job->entries;

	call->partial |= t->error != NULL; /* it may have exceptions that nobody sees */
	if (!t->runtime || !t->state) {
		if (!all)
			scry_say_as(job->to, &heading_facts, runs_none, t);
		return;
	}
	job->shown.runtime = t->runtime;
	job->thread = t;
	remember_stack(job);
	scry_hash_done(&job->shown.seen);
	scry_say(job->to, &heading_facts, t);
	struct scry_kept raised = scry_thread_raised(t);
	if (!scry_kept_is_none(t->runtime, &raised))
		show(job, &(struct entry) { .role = RAISED, .kept = raised });
	show_handled(job);
	/* frames are counted from the damaged one on */
	call->partial |= job->stack_damaged && job->entries != before;
	if (job->entries == before)
		scry_say_as(job->to, &heading_facts,
			    scry_handled_is_known(t->runtime) ? has_none : may_have_some, t);
	if (job->entries == before && !scry_handled_is_known(t->runtime))
		scry_note(call->s, "which exceptions are handled is not known for this version");
	job->thread = NULL;
}

/* --- what nobody is handling now --- */

/*
 * What the interactive interpreter and excepthook leave: sys.last_exc (3.12+), sys.last_value and
 * its companions.
 */
static void show_last(struct job *job, struct scry_interp *i)
{
	struct scry_kept kept = { 0 };

	job->shown.runtime = i->runtime;
	if (scry_dict_get(i->runtime, i->sysdict, "last_exc", &kept.value) < 0) {
		kept.value = 0;
		if (scry_dict_get(i->runtime, i->sysdict, "last_value", &kept.value) < 0)
			return;
		if (scry_dict_get(i->runtime, i->sysdict, "last_type", &kept.type) < 0)
			kept.type = 0;
		if (scry_dict_get(i->runtime, i->sysdict, "last_traceback", &kept.traceback) < 0)
			kept.traceback = 0;
	}
	if (!scry_kept_is_none(i->runtime, &kept))
		show(job, &(struct entry) { .role = LAST, .kept = kept });
}

/* Generators and coroutines that were suspended inside a handler. */
static void show_suspended(struct job *job, struct scry_interp *i)
{
	struct scry_kinds kinds = SCRY_KINDS_INIT(i->runtime);
	struct scry_await await;
	struct scry_gc gc;
	scry_addr object;

	job->shown.runtime = i->runtime;
	if (i->runtime->strategy->model != SCRY_MODEL_CPYTHON) {
		scry_note(
			job->shown.call->s,
			"generators that were suspended inside a handler are not looked for in %s",
			i->runtime->name);
		return;
	}
	if (scry_gc_open(&gc, i) < 0)
		return;
	while (job->entries < SUSPENDED_MAX && scry_gc_next(&gc, &object) == SCRY_ITEM) {
		if (!scry_kind_suspends(scry_kind_of(&kinds, object)) ||
		    scry_await_read(&kinds, object, &await) < 0 || await.state != SCRY_SUSPENDED ||
		    !await.frame)
			continue;
		const struct scry_handled *h =
			scry_generator_handled(i->runtime, object, await.frame);
		for (size_t n = 0; h && n < HANDLED_MAX; h = h->next, n++)
			show(job, &(struct entry) { .role = SUSPENDED,
						    .kept = h->kept,
						    .generator = object });
	}
	scry_gc_done(&gc);
	scry_kinds_done(&kinds);
}

/* --- the answer --- */

static void each_entry(const void *subject, struct scry_renderer *to)
{
	struct job *job = (struct job *)(uintptr_t)subject;
	struct scry_session *s = job->shown.call->s;

	job->to = to;
	for (struct scry_thread *t = scry_thread_first(s); t; t = t->next)
		if (job->all || t == job->only)
			show_thread(job, t, job->all);
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next) {
			if (job->all)
				show_suspended(job, i);
			show_last(job, i);
		}
}

#define SUBJECT struct job
static const struct scry_say answer_fields[] = {
	SAY_LIST("exceptions", &entry_facts, each_entry),
	SAY_INT("omitted", omitted),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts answer_facts = { "exc", answer_fields,
						(const char *const[]) { "{exceptions}", NULL } };

static int run_exc(struct scry_call *call)
{
	struct job job = { .shown.call = call, .all = scry_call_flag(call, "all") };
	int rc = SCRY_OK;

	if (!job.all)
		rc = call->argc ? scry_thread_named(call->s, call->argv[0], &job.only)
				: scry_selected_thread(call->s, &job.only);
	if (rc < 0)
		return rc;
	scry_say_fields(&call->render.to, &answer_facts, &job);
	scry_hash_done(&job.stack);
	scry_hash_done(&job.shown.seen);
	return SCRY_OK;
}

static const struct scry_flag flags[] = {
	{ "all", 'a', NULL, "every thread, and generators that were suspended inside a handler" },
	{ NULL },
};

const struct scry_command_row scry_command_exc = {
	.public = { "exc", "[--all|THREAD]",
		    "Show the exceptions that a thread is raising and handling.",
		    "Each with its message, notes, attributes, members of a group, traceback with "
		    "the variables of its\n"
		    "frames, and the exceptions that caused it or were being handled. Of nested "
		    "handlers the innermost\n"
		    "comes first, each with the frame that it belongs to. An exception that is "
		    "pending (up to 3.11\n"
		    "perhaps only as a class and a value), or that nothing in Python is handling, "
		    "is pointed out.\n"
		    "What sys.last_exc (or last_value) keeps is shown as well.",
		    0 },
	.run = run_exc,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.flags = flags,
	.max_args = 1,
};
