/* A thread's head line and its element of JSON; the selected thread and frame. */
#include <inttypes.h>

#include "command/command.h"
#include "object/thread_names.h"

/* ": SIGSEGV at 0x10" */
static bool print_crash(const void *subject, struct scry_buf *out)
{
	const struct scry_thread *t = subject;
	const struct scry_target *target = t->session->target;
	int signal = t->os && t->os->signal ? t->os->signal : target->signal;

	if (target->exception)
		scry_buf_printf(out, ": %s",
				target->exception_name ? target->exception_name
						       : scry_exception_name(target->exception));
	else if (signal)
		scry_buf_printf(out, ": %s", scry_signal_name(signal));
	if (target->has_fault)
		scry_buf_printf(out, " at 0x%" PRIx64, target->fault_addr);
	return t->crashed;
}

static void get_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_thread_name((struct scry_thread *)subject));
}

static void get_selected(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = subject;

	scry_said_bool(ret, t == scry_thread_selected(t->session));
}

static void get_interpreter(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = subject;

	ret->kind = SCRY_SAID_NULL;
	if (t->interp)
		scry_said_int(ret, t->interp->id);
}

static void get_held(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_thread *)subject)->gil == SCRY_GIL_HELD);
}

/* Of PyPy's nothing tells that none is in progress. */
static void get_gc(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = subject;

	ret->kind = SCRY_SAID_NULL;
	if (t->in_gc || !t->runtime || t->runtime->strategy->model != SCRY_MODEL_PYPY)
		scry_said_bool(ret, t->in_gc);
}

static void get_waiting(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_thread *)subject)->gil == SCRY_GIL_WAITING);
}

static void get_trouble(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_thread_trouble((struct scry_thread *)subject));
}

static void get_runtime(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = subject;
	int index = 0;

	ret->kind = SCRY_SAID_NULL;
	if (!t->runtime)
		return;
	for (struct scry_runtime *r = scry_runtime_first(t->session); r && r != t->runtime;
	     r = r->next)
		index++;
	scry_said_int(ret, index);
}

/*
 * Of several Pythons in one process, which one the thread's is: "CPython 3.11.2 of
 * libpython3.11.so".
 */
static bool print_of_python(const void *subject, struct scry_buf *out)
{
	const struct scry_thread *t = subject;
	const struct scry_runtime *r = t->runtime;

	if (!r || !scry_runtime_first(t->session)->next)
		return false;
	scry_buf_printf(out, "%s %s", r->name, r->version_text);
	if (r->module && r->module->name)
		scry_buf_printf(out, " of %s", r->module->name);
	return true;
}

static void get_finalizes(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = subject;

	scry_said_bool(ret,
		       t->interp && t->interp->finalizing && t->interp->finalizing == t->state);
}

static void get_python(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_thread *)subject)->runtime != NULL);
}

static const char *const gil_names[] = {
	[SCRY_GIL_NONE] = NULL,
	[SCRY_GIL_HELD] = "held",
	[SCRY_GIL_WAITING] = "waiting",
};

static const char *const presences[] = {
	[SCRY_PRESENCE_HERE] = "here",
	[SCRY_PRESENCE_STARTING] = "starting",
	[SCRY_PRESENCE_EXITED] = "exited",
	[SCRY_PRESENCE_MISSING] = "missing",
};

static const char *const absences[] = {
	[SCRY_PRESENCE_HERE] = NULL,
	[SCRY_PRESENCE_STARTING] = "being started",
	[SCRY_PRESENCE_EXITED] = "exited",
	[SCRY_PRESENCE_MISSING] = "no such thread in the system",
};

static const char *const attached_names[] = {
	[SCRY_ATTACHED_UNKNOWN] = NULL,
	[SCRY_ATTACHED_NO] = "detached",
	[SCRY_ATTACHED_YES] = "attached",
	[SCRY_ATTACHED_SUSPENDED] = "suspended",
};

/* What stands between the brackets. */
static const char *const states[] = {
	"{:error}crashed{}{crash}",
	"{?held}{:mark}holds the GIL{}",
	"{?waiting}{:mark}waits for the GIL{}",
	"{?gc}{:mark}collects garbage{}",
	"{attached:dim}",
	"{of:dim}",
	"{?interpreter}{:dim}interpreter {}{interpreter}",
	"{?finalizes}{:mark}finalizes the interpreter{}",
	"{?halted}{:mark}never runs Python again{}",
	"{absence:dim}",
	NULL,
};

#define SUBJECT struct scry_thread
static const struct scry_say fields[] = {
	SAY_COUNT("tid", tid),
	SAY_GET("name", get_name),
	SAY_BOOL("crashed", crashed),
	SAY_GET("selected", get_selected),
	SAY_NAME("gil", gil, gil_names),
	SAY_GET("gc", get_gc),
	SAY_GET("interpreter", get_interpreter),
	SAY_GET("runtime", get_runtime),
	SAY_NAME("presence", presence, presences),
	SAY_NAME("attached", attached, attached_names),
	SAY_BOOL("halted", halted),
	SAY_GET("error", get_trouble),
	SAY_INT("index", index, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("crash", print_crash, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("held", get_held, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("waiting", get_waiting, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_NAME("absence", presence, absences, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("of", print_of_python, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("finalizes", get_finalizes, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("python", get_python, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("states", states, ", "),
	SAY_END,
};
#undef SUBJECT

const char *const scry_thread_phrases[] = {
	"Thread {tid=?}",
	" \"{name:name}\"",
	" [{states}]",
	NULL,
};

const struct scry_facts scry_facts_thread = { "thread", fields, scry_thread_phrases };

void scry_thread_text(struct scry_call *call, const struct scry_thread *t)
{
	scry_say(&call->render.to, &scry_facts_thread, t);
}

const char *scry_thread_trouble(struct scry_thread *t)
{
	struct scry_walk w;
	struct scry_frame f;

	if (t->error || !t->runtime)
		return t->error;
	if (t->looked_at)
		return t->trouble;
	t->looked_at = true;
	scry_walk_thread(&w, t);
	if (scry_walk_next(&w, &f) == SCRY_ITEM && f.kind == SCRY_FRAME_DAMAGED)
		t->trouble = f.damaged;
	return t->error ? t->error : t->trouble;
}

int scry_selected_thread(struct scry_session *s, struct scry_thread **ret)
{
	struct scry_thread *t = scry_thread_selected(s);

	if (!t)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "the target has no threads");
	if (t->error && !t->runtime)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "%s", t->error);
	if (!t->runtime)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "thread %" PRIu64 " has no Python state (see %sthreads)", t->tid,
				 s->options.prefix);
	*ret = t;
	return SCRY_OK;
}

int scry_frame_number(struct scry_thread *t, unsigned number, struct scry_frame *ret,
		      unsigned *ret_count)
{
	struct scry_walk w;
	unsigned count = 0;
	int rc;

	scry_walk_thread(&w, t);
	while ((rc = scry_walk_next(&w, ret)) == SCRY_ITEM)
		if (count++ == number)
			return SCRY_OK;
	*ret_count = count;
	if (rc < 0)
		return rc;
	if (!count)
		return scry_fail(t->session, SCRY_ENOTFOUND, 0,
				 "thread %" PRIu64 " runs no Python code", t->tid);
	return scry_fail(t->session, SCRY_ENOTFOUND, 0, "no frame %u: the oldest is %u", number,
			 count - 1);
}

int scry_selected_frame(struct scry_session *s, struct scry_thread **ret_thread,
			struct scry_frame *ret)
{
	unsigned count;
	int rc = scry_selected_thread(s, ret_thread);

	return rc < 0 ? rc : scry_frame_number(*ret_thread, s->selected_frame, ret, &count);
}

int scry_selected_code(struct scry_session *s, struct scry_frame *ret)
{
	struct scry_thread *t;
	int rc = scry_selected_frame(s, &t, ret);

	if (rc < 0 || ret->code)
		return rc;
	return scry_fail(s, SCRY_ECORRUPT, ret->addr, "the frame is damaged: %s", ret->damaged);
}
