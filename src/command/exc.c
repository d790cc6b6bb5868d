/* exc: what each thread is raising and handling, with tracebacks, causes and the variables of their frames. */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "object/exception.h"
#include "object/object.h"

#define CHAIN_MAX 100       /* handled exceptions of one thread */
#define NESTING_MAX 20      /* causes, contexts and members within one another */
#define STACK_MAX 100000    /* frames of a thread that are remembered */

enum role { RAISED, HANDLED, LAST };

static const char *const role_names[] = { [RAISED] = "raised", [HANDLED] = "handled", [LAST] = "last" };

/* One invocation on one thread. */
struct job {
	struct scry_call *call;
	struct scry_runtime *runtime;
	struct scry_hash stack; /* frames that the thread stands in */
	struct scry_hash seen;  /* exceptions already shown: causes may lead in circles */
	scry_addr traceback;    /* 2.7: the thread keeps it beside the exception, 0 none */
	unsigned shown;
};

/* --- the traceback --- */

/* An entry's frame, with the place it was at when the exception passed. */
struct entry_stack {
	struct scry_stack stack;
	struct scry_traceback tb;
	struct scry_location where;
	unsigned depth;
};

static int next_entry(struct scry_stack *stack, struct scry_frame *ret)
{
	struct entry_stack *es = (struct entry_stack *)stack;
	int rc = scry_traceback_next(&es->tb, ret, &es->where);

	if (rc == SCRY_ITEM)
		ret->depth = es->depth++;
	if (rc == SCRY_ITEM && ret->code)
		ret->where = &es->where;
	return rc;
}

/* The exception's own, or, of the outermost in 2.7, the thread's. */
static scry_addr find_traceback(const struct job *job, const struct scry_exception *e, unsigned depth)
{
	return e->traceback ? e->traceback : depth == 0 ? job->traceback : 0;
}

static struct entry_stack traceback_of(struct job *job, scry_addr traceback)
{
	return (struct entry_stack){
		.stack = { .next = next_entry, .locals = true },
		.tb = { .runtime = job->runtime, .next = traceback },
	};
}

/*
 * While a handler runs, the frame that caught the exception is on the stack, and the traceback begins with it. One
 * whose frames have all gone was left behind: an extension handled it and never restored what was before.
 */
static bool is_left_behind(struct job *job, const struct scry_exception *e)
{
	struct entry_stack es = traceback_of(job, find_traceback(job, e, 0));
	struct scry_frame f;
	unsigned count = 0;

	while (count < STACK_MAX && next_entry(&es.stack, &f) == SCRY_ITEM) {
		if (f.kind == SCRY_FRAME_DAMAGED || scry_hash_find(&job->stack, f.addr))
			return false;
		count++;
	}
	return count > 0;
}

/* --- one exception, with what led to it --- */

static void exception_text(struct job *job, scry_addr addr, const char *head, unsigned depth);
static void exception_json(struct job *job, scry_addr addr, unsigned depth);

static void indent(struct scry_call *call, unsigned depth)
{
	for (unsigned i = 0; i <= depth; i++)
		scry_buf_puts(call->out, "  ");
}

static void put_notes(struct job *job, const struct scry_exception *e, unsigned depth)
{
	const char *note;
	uint64_t it = 0;

	while (it < 1000 && scry_exception_note_next(e, &it, &note) == SCRY_ITEM) {
		indent(job->call, depth);
		scry_buf_puts(job->call->out, "note: ");
		scry_put_safe(job->call->out, note);
		scry_buf_putc(job->call->out, '\n');
	}
}

static void put_members(struct job *job, const struct scry_exception *e, unsigned depth)
{
	uint64_t it = 0, limit = job->call->s->options.limit[SCRY_LIMIT_ITEMS];
	scry_addr member;

	for (uint64_t n = 0; scry_exception_member_next(e, &it, &member) == SCRY_ITEM; n++) {
		if (limit && n >= limit) {
			indent(job->call, depth + 1);
			scry_buf_puts(job->call->out, "...\n");
			break;
		}
		exception_text(job, member, "member: ", depth + 1);
	}
}

static void exception_text(struct job *job, scry_addr addr, const char *head, unsigned depth)
{
	struct scry_call *call = job->call;
	struct scry_exception e;

	indent(call, depth);
	scry_buf_puts(call->out, head);
	if (scry_exception_at(job->runtime, addr, &e) < 0) {
		scry_buf_printf(call->out, "<unreadable at 0x%" PRIx64 ": %s>\n", addr, call->s->error.text);
		call->partial = true;
		return;
	}
	scry_put_styled(call, SCRY_STYLE_ERROR, e.type_name ? e.type_name : "?");
	if (e.message && *e.message) {
		scry_buf_puts(call->out, ": ");
		scry_put_safe(call->out, e.message);
	}
	if (scry_hash_add(&job->seen, addr) <= 0 || depth >= NESTING_MAX) {
		scry_buf_puts(call->out, " (shown above)\n");
		return;
	}
	scry_buf_putc(call->out, '\n');
	put_notes(job, &e, depth + 1);
	if (find_traceback(job, &e, depth)) {
		struct entry_stack es = traceback_of(job, find_traceback(job, &e, depth));

		indent(call, depth);
		scry_buf_puts(call->out, "traceback (most recent call last):\n");
		scry_stack_text(call, &es.stack);
	}
	put_members(job, &e, depth);
	if (e.cause)
		exception_text(job, e.cause, "directly caused by: ", depth + 1);
	else if (e.context && !e.suppress_context)
		exception_text(job, e.context, "raised while handling: ", depth + 1);
}

static void json_related(struct job *job, const char *key, scry_addr addr, unsigned depth)
{
	scry_json_key(job->call->json, key);
	if (addr && depth < NESTING_MAX)
		exception_json(job, addr, depth + 1);
	else
		scry_json_null(job->call->json);
}

static void json_lists(struct job *job, const struct scry_exception *e, unsigned depth)
{
	struct scry_json *j = job->call->json;
	const char *note;
	scry_addr member;
	uint64_t it = 0;

	scry_json_key(j, "notes");
	scry_json_open(j, '[');
	while (it < 1000 && scry_exception_note_next(e, &it, &note) == SCRY_ITEM)
		scry_json_text(j, note);
	scry_json_close(j, ']');
	scry_json_key(j, "members");
	scry_json_open(j, '[');
	it = 0;
	for (unsigned n = 0; n < 1000 && depth < NESTING_MAX &&
			     scry_exception_member_next(e, &it, &member) == SCRY_ITEM; n++)
		exception_json(job, member, depth + 1);
	scry_json_close(j, ']');
}

static void exception_json(struct job *job, scry_addr addr, unsigned depth)
{
	struct scry_json *j = job->call->json;
	struct scry_exception e;
	bool again = scry_hash_add(&job->seen, addr) <= 0;

	scry_json_open(j, '{');
	scry_json_key(j, "id");
	scry_json_addr(j, addr);
	if (scry_exception_at(job->runtime, addr, &e) < 0) {
		scry_json_key(j, "error");
		scry_json_text(j, job->call->s->error.text);
		scry_json_close(j, '}');
		job->call->partial = true;
		return;
	}
	scry_json_key(j, "type");
	scry_json_text(j, e.type_name);
	scry_json_key(j, "message");
	scry_json_text(j, e.message);
	scry_json_key(j, "repeated");
	scry_json_bool(j, again);
	if (!again) {
		struct entry_stack es = traceback_of(job, find_traceback(job, &e, depth));

		json_lists(job, &e, depth);
		scry_json_key(j, "suppress_context");
		scry_json_bool(j, e.suppress_context);
		scry_stack_json(job->call, &es.stack);
		json_related(job, "cause", e.cause, depth);
		json_related(job, "context", e.context, depth);
	}
	scry_json_close(j, '}');
}

/* --- the thread's state --- */

static void show(struct job *job, const struct scry_thread *t, scry_addr addr, enum role role)
{
	static const char *const heads[] = { [RAISED] = "raising ", [HANDLED] = "handling ",
					     [LAST] = "last uncaught (sys.last_exc) " };
	struct scry_json *j = job->call->json;
	struct scry_exception e;
	bool left = role == HANDLED && scry_exception_at(job->runtime, addr, &e) == SCRY_OK && is_left_behind(job, &e);
	const char *unclean = left ? "none of its frames is on the stack: it was handled and never cleared"
			      : role == RAISED ? "pending: C code has set it and not returned to Python since" : NULL;

	job->shown++;
	scry_hash_done(&job->seen);
	if (j) {
		scry_json_open(j, '{');
		scry_json_key(j, "tid");
		if (t)
			scry_json_positive(j, (int64_t)t->tid);
		else
			scry_json_null(j);
		scry_json_key(j, "state");
		scry_json_text(j, role_names[role]);
		scry_json_key(j, "unclean");
		scry_json_text(j, unclean);
		scry_json_key(j, "exception");
		exception_json(job, addr, 0);
		scry_json_close(j, '}');
		return;
	}
	exception_text(job, addr, heads[role], 0);
	if (unclean) {
		scry_buf_puts(job->call->out, "  ");
		scry_put_styled(job->call, SCRY_STYLE_MARK, unclean);
		scry_buf_putc(job->call->out, '\n');
	}
}

/* Up to 3.11 three words, a value that may not be made yet; since 3.12 one. */
static scry_addr raised(struct scry_runtime *r, scry_addr state)
{
	scry_addr value = scry_field_get(r, state, SCRY_F_THREAD_CURRENT_EXCEPTION);

	return value ? value : scry_field_get(r, state, SCRY_F_THREAD_CUREXC_VALUE);
}

static bool is_none(struct scry_runtime *r, scry_addr object)
{
	const char *name;
	scry_addr type;

	return !object || object == r->none ||
	       (scry_type_of(r, object, &type) == SCRY_OK && scry_type_name(r, type, &name) == SCRY_OK &&
		!strcmp(name, "NoneType"));
}

/* Up to 3.6 the thread keeps the innermost; a frame keeps the one that its handler displaced (f_exc_value). */
static void show_old_handled(struct job *job, const struct scry_thread *t)
{
	struct scry_runtime *r = job->runtime;
	scry_addr value = scry_field_get(r, t->state, SCRY_F_THREAD_EXC_VALUE);
	struct scry_thread *thread = (struct scry_thread *)t;
	struct scry_walk walk;
	struct scry_frame f;
	unsigned count = 0;

	job->traceback = scry_field_get(r, t->state, SCRY_F_THREAD_EXC_TRACEBACK);
	if (!is_none(r, value))
		show(job, t, value, HANDLED);
	scry_walk_thread(&walk, thread);
	while (count < CHAIN_MAX && walk.depth < STACK_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM) {
		value = f.kind == SCRY_FRAME_DAMAGED ? 0 : scry_field_get(r, f.addr, SCRY_F_FRAME_EXC_VALUE);
		if (is_none(r, value))
			continue;
		job->traceback = scry_field_get(r, f.addr, SCRY_F_FRAME_EXC_TRACEBACK);
		show(job, t, value, HANDLED);
		count++;
	}
	job->traceback = 0;
}

static void show_handled(struct job *job, const struct scry_thread *t)
{
	struct scry_runtime *r = job->runtime;
	scry_addr item = scry_field_get(r, t->state, SCRY_F_THREAD_EXC_INFO), value;

	if (!item)
		show_old_handled(job, t);
	for (unsigned n = 0; item && n < CHAIN_MAX; n++) {
		value = scry_field_get(r, item, SCRY_F_EXC_INFO_VALUE);
		if (!is_none(r, value))
			show(job, t, value, HANDLED);
		item = scry_field_get(r, item, SCRY_F_EXC_INFO_PREVIOUS);
	}
}

static void remember_stack(struct job *job, struct scry_thread *t)
{
	struct scry_walk walk;
	struct scry_frame f;

	scry_hash_done(&job->stack);
	scry_walk_thread(&walk, t);
	while (job->stack.count < STACK_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM)
		scry_hash_add(&job->stack, f.addr);
}

static void show_thread(struct job *job, struct scry_thread *t)
{
	struct scry_call *call = job->call;
	unsigned before = job->shown;

	if (!t->runtime || !t->state)
		return;
	job->runtime = t->runtime;
	remember_stack(job, t);
	if (!call->json) {
		scry_thread_text(call, t);
		scry_buf_putc(call->out, '\n');
	}
	scry_addr value = raised(t->runtime, t->state);
	job->traceback = scry_field_get(t->runtime, t->state, SCRY_F_THREAD_CUREXC_TRACEBACK);
	if (!is_none(t->runtime, value))
		show(job, t, value, RAISED);
	job->traceback = 0;
	show_handled(job, t);
	if (job->shown == before && !call->json)
		scry_buf_puts(call->out, "  no exception\n");
}

/* What the interactive interpreter and excepthook leave: sys.last_exc (3.12+), sys.last_value. */
static void show_last(struct job *job)
{
	static const char *const names[] = { "last_exc", "last_value" };

	for (struct scry_runtime *r = scry_runtime_first(job->call->s); r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
				scry_addr value;

				if (scry_dict_get(r, i->sysdict, names[n], &value) < 0 || is_none(r, value))
					continue;
				job->runtime = r;
				show(job, NULL, value, LAST);
				break;
			}
}

static int run_exc(struct scry_call *call)
{
	struct job job = { .call = call };
	struct scry_thread *t = NULL;
	bool all = scry_call_flag(call, "all");
	int rc = SCRY_OK;

	if (!all)
		rc = call->argc ? scry_thread_find(call->s, call->argv[0], &t) : scry_selected_thread(call->s, &t);
	if (rc < 0)
		return rc;
	if (call->json) {
		scry_json_key(call->json, "exceptions");
		scry_json_open(call->json, '[');
	}
	for (struct scry_thread *each = scry_thread_first(call->s); each; each = each->next)
		if (all || each == t)
			show_thread(&job, each);
	show_last(&job);
	if (call->json)
		scry_json_close(call->json, ']');
	scry_hash_done(&job.stack);
	scry_hash_done(&job.seen);
	return SCRY_OK;
}

static const struct scry_flag flags[] = {
	{ "all", 'a', NULL, "every thread" },
	{ NULL },
};

const struct scry_command_row scry_command_exc = {
	.public = {
		"exc", "[--all|THREAD]", "Show the exceptions that a thread is raising and handling.",
		"Each with its message, notes, members of a group, traceback with the variables of its frames, and\n"
		"the exceptions that caused it or were being handled. An exception that is pending or was never\n"
		"cleared is pointed out. What sys.last_exc (or last_value) keeps is shown as well.",
		0 },
	.run = run_exc, .flags = flags, .max_args = 1,
};
