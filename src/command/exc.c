/*
 * exc: what each thread is raising and handling, with tracebacks, causes and the variables of their
 * frames.
 */
#include <inttypes.h>
#include <string.h>

#include "command/exception_show.h"
#include "memory/gc.h"
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
	struct scry_thread *thread; /* NULL: of none */
	struct scry_hash stack;     /* frames that the thread stands in */
	unsigned entries;           /* shown */
	uint64_t omitted;           /* entries past HANDLED_MAX */
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

static void entry_json(struct job *job, const struct entry *entry, const struct scry_exception *e)
{
	const struct scry_handled *h = entry->handled;
	struct scry_json *j = job->shown.call->json;
	struct scry_location at;

	scry_json_open(j, '{');
	scry_json_key(j, "tid");
	if (job->thread)
		scry_json_positive(j, (int64_t)job->thread->tid);
	else
		scry_json_null(j);
	scry_json_put_text(j, "state", role_names[entry->role]);
	scry_json_put_text(j, "unclean", entry->unclean);
	scry_json_key(j, "handler");
	if (h && h->frame.code) {
		scry_frame_location(&h->frame, &at);
		scry_json_open(j, '{');
		scry_json_put_int(j, "frame", h->frame.depth);
		scry_json_put_text(j, "function", h->frame.code->name);
		scry_json_put_positive(j, "line", at.line);
		scry_json_close(j, '}');
	} else {
		scry_json_null(j);
	}
	if (entry->generator) {
		scry_json_put_addr(j, "generator", entry->generator);
	}
	scry_json_key(j, "exception");
	if (e)
		scry_exception_json(&job->shown, e, 0);
	else
		scry_exception_json_at(&job->shown, entry->kept.value, 0);
	scry_json_close(j, '}');
}

static void entry_text(struct job *job, const struct entry *entry, const struct scry_exception *e)
{
	static const char *const heads[] = { [RAISED] = "raising ",
					     [HANDLED] = "handling ",
					     [LAST] = "last uncaught (sys.last_exc) ",
					     [SUSPENDED] = "handling " };
	const struct scry_handled *h = entry->handled;
	struct scry_call *call = job->shown.call;

	if (entry->generator) {
		scry_buf_puts(call->out, "Suspended ");
		scry_value_text(&job->shown, entry->generator);
		scry_buf_putc(call->out, '\n');
	}
	if (e)
		scry_chain_text(&job->shown, e, heads[entry->role], 0);
	else
		scry_exception_damage_text(&job->shown, entry->kept.value, heads[entry->role], 0);
	if (h && h->frame.code) {
		scry_buf_printf(call->out, "  handled by #%u ", h->frame.depth);
		scry_put_safe(call->out, h->frame.code->name);
		scry_buf_putc(call->out, '\n');
	}
	if (entry->unclean) {
		scry_buf_puts(call->out, "  unclean: ");
		scry_put_styled(call, SCRY_STYLE_MARK, entry->unclean);
		scry_buf_putc(call->out, '\n');
	}
}

/*
 * The handlers that run are known, and each has one in hand. One more was left by C code that
 * handled it and did not restore what was before. Cython's handlers look like that while they run.
 */
static const char *why_unclean(struct job *job, const struct scry_handled *h,
			       const struct scry_exception *e)
{
	bool gone = e && e->traceback && !on_stack(job, e->traceback);

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
	if (job->shown.call->json)
		entry_json(job, entry, known ? &e : NULL);
	else
		entry_text(job, entry, known ? &e : NULL);
}

static void show_handled(struct job *job)
{
	size_t count = 0, n = 0;
	const struct scry_handled *h = scry_thread_handled(job->thread, &count);

	for (; h && n < HANDLED_MAX; h = h->next, n++)
		show(job, &(struct entry) { .role = HANDLED, .kept = h->kept, .handled = h });
	if (n >= count)
		return;
	job->omitted += count - n;
	if (job->shown.call->json)
		return;
	scry_buf_puts(job->shown.call->out, "  … ");
	scry_put_count(job->shown.call->out, count - n);
	scry_buf_puts(job->shown.call->out, " more are handled by older frames\n");
}

static void remember_stack(struct job *job)
{
	struct scry_walk walk;
	struct scry_frame f;

	scry_hash_done(&job->stack);
	scry_walk_thread(&walk, job->thread);
	while (job->stack.count < STACK_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM)
		scry_hash_add(&job->stack, f.addr);
}

static void show_thread(struct job *job, struct scry_thread *t, bool all)
{
	struct scry_call *call = job->shown.call;
	unsigned before = job->entries;

	if (!t->runtime || !t->state) {
		if (!all && !call->json) {
			scry_thread_text(call, t);
			scry_buf_puts(call->out, "\n  runs no Python code\n");
		}
		return;
	}
	job->shown.runtime = t->runtime;
	job->thread = t;
	remember_stack(job);
	scry_hash_done(&job->shown.seen);
	if (!call->json) {
		scry_thread_text(call, t);
		scry_buf_putc(call->out, '\n');
	}
	struct scry_kept raised = scry_thread_raised(t);
	if (!scry_kept_is_none(t->runtime, &raised))
		show(job, &(struct entry) { .role = RAISED, .kept = raised });
	show_handled(job);
	if (job->entries == before && !call->json)
		scry_buf_puts(call->out,
			      scry_handled_is_known(t->runtime)
				      ? "  no exception\n"
				      : "  no exception is raised; what is handled is not "
					"known for this version\n");
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
		    scry_await_read(&kinds, object, &await) < 0 || await.state != SCRY_SUSPENDED)
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

static int run_exc(struct scry_call *call)
{
	struct job job = { .shown.call = call };
	struct scry_thread *t = NULL;
	bool all = scry_call_flag(call, "all");
	int rc = SCRY_OK;

	if (!all)
		rc = call->argc ? scry_thread_find(call->s, call->argv[0], &t)
				: scry_selected_thread(call->s, &t);
	if (rc < 0)
		return rc;
	if (call->json) {
		scry_json_key(call->json, "exceptions");
		scry_json_open(call->json, '[');
	}
	for (struct scry_thread *each = scry_thread_first(call->s); each; each = each->next)
		if (all || each == t)
			show_thread(&job, each, all);
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next) {
			if (all)
				show_suspended(&job, i);
			show_last(&job, i);
		}
	if (call->json) {
		scry_json_close(call->json, ']');
		scry_json_put_int(call->json, "omitted", (int64_t)job.omitted);
	}
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
		    "frames, and the exceptions that caused it or were being handled. Of handlers "
		    "within one another\n"
		    "the innermost comes first, each with the frame whose handler it is. An "
		    "exception that is pending\n"
		    "(up to 3.11 maybe only its class and value), or that nothing in Python has in "
		    "hand, is pointed out.\n"
		    "What sys.last_exc (or last_value) keeps is shown as well.",
		    0 },
	.run = run_exc,
	.flags = flags,
	.max_args = 1,
};
