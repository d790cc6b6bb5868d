/* The head of the default answer: what happened, in one screen. */
#include "command/summary.h"

#include <inttypes.h>
#include <string.h>

#include "command/crash.h"
#include "object/source_fit.h"
#include "task/loop.h"

#define FRAMES_MAX 50 /* of the selected thread, whose source files are looked at */
#define LINES_MAX  3  /* of explanation */

struct summary {
	struct scry_call *call;
	struct scry_crash *crash; /* NULL: it did not crash */
	struct scry_thread *thread;
};

static const struct scry_target *target_of(const void *subject)
{
	return ((const struct summary *)subject)->call->s->target;
}

static void get_program(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, target_of(subject)->exe);
}

static void get_command(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, target_of(subject)->command);
}

static void get_pid(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_NULL;
	if (target_of(subject)->pid > 0)
		scry_said_int(ret, target_of(subject)->pid);
}

/* "CPython 3.11.7, PyPy 3.9" */
static bool print_pythons(const void *subject, struct scry_buf *out)
{
	struct scry_runtime *r = scry_runtime_first(((const struct summary *)subject)->call->s);

	for (struct scry_runtime *each = r; each; each = each->next)
		scry_buf_printf(out, "%s%s %s%s", each == r ? "" : ", ", each->name,
				each->version_text, scry_free_threaded_text(each));
	return r != NULL;
}

static void get_crash(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_crash_short, ((const struct summary *)subject)->crash);
}

/* "2 other threads" */
static void get_others(const void *subject, struct scry_said *ret)
{
	const struct summary *it = subject;
	int64_t count = -1;

	for (struct scry_thread *t = scry_thread_first(it->call->s); t; t = t->next)
		count++;
	ret->kind = SCRY_SAID_NULL;
	if (count > 0)
		scry_said_int(ret, count);
}

static void get_below(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, scry_call_flag(((const struct summary *)subject)->call, "all"));
}

/* "9 asyncio tasks": those of event loops, by the library that has the first. */
static bool print_tasks(const void *subject, struct scry_buf *out)
{
	struct scry_session *s = ((const struct summary *)subject)->call->s;
	struct scry_loops loops = { 0 };
	struct scry_task *first = scry_loops_collect(s, false, &loops);
	uint64_t count = 0;

	for (struct scry_task *t = first; t; t = t->next)
		count++;
	if (count) {
		scry_put_count(out, count);
		scry_buf_printf(out, " %s task%s", first->ops->kind, count == 1 ? "" : "s");
	}
	scry_loops_done(&loops);
	return count;
}

/* A source file of the selected thread that may not be what ran: "x.py (the file is newer)" */
static bool print_stale(const void *subject, struct scry_buf *out)
{
	const struct summary *it = subject;
	struct scry_source_text text;
	struct scry_location at;
	struct scry_walk walk;
	struct scry_frame f;

	if (!it->thread || !it->thread->runtime)
		return false;
	scry_walk_thread(&walk, it->thread);
	for (unsigned i = 0; i < FRAMES_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM; i++) {
		at.line = 0;
		if (!f.code || scry_frame_location(&f, &at) < 0 || at.line <= 0)
			continue;
		text.doubt = NULL;
		if (scry_source_of_code(f.code, at.line, f.lasti, &text) == SCRY_OK && text.doubt) {
			scry_buf_printf(out, "%s (the file is %s)", f.code->file, text.doubt);
			return true;
		}
	}
	return false;
}

/* Files that were looked for and are not here: the first of them, and how many more. */
static bool print_missing(const void *subject, struct scry_buf *out)
{
	struct scry_session *s = ((const struct summary *)subject)->call->s;
	unsigned count = 0;

	for (struct scry_module *m = scry_module_first(s); m; m = m->next) {
		if (scry_module_is_python(m))
			scry_module_open(m);
		if (!m->opened || m->file || !m->path || m->path[0] == '[' || count++)
			continue;
		scry_buf_printf(out, "%s (%s)", m->path,
				m->problem ? m->problem : SCRY_MODULE_NO_FILE);
	}
	if (count > 1)
		scry_buf_printf(out, " and %u more", count - 1);
	return count;
}

static const struct scry_say fields[] = {
	SAY_GET("program", get_program),
	SAY_GET("pid", get_pid),
	SAY_GET("command", get_command),
	SAY_PRINT("pythons", print_pythons),
	SAY_GET("crash", get_crash, .facts = &scry_facts_crash_short),
	SAY_GET("others", get_others),
	SAY_GET("below", get_below),
	SAY_PRINT("tasks", print_tasks),
	SAY_PRINT("stale", print_stale),
	SAY_PRINT("missing", print_missing),
	SAY_END,
};

static const char *const text[] = {
	"{program:file}",
	": {pythons}",
	", process {pid}",
	"\n",
	"command: {command}\n",
	"{crash}",
	"{others} other thread{others+}: ",
	"{?others}{?below}below, or ",
	"{?others}see threads\n",
	"{tasks}: see tasks\n",
	"stale source: {stale}\n",
	"missing file: {missing}; --sysroot or --search DIR says where files are\n",
	"\n",
	NULL,
};

static const struct scry_facts summary_facts = { "summary", fields, text };

void scry_summary_text(struct scry_call *call)
{
	struct scry_thread *t = scry_thread_selected(call->s);
	struct scry_crash crash;
	struct scry_error before = call->s->error;
	bool crashed = t && scry_crash_read(call->s, t, &crash) >= 0;

	call->s->error = before;
	scry_say(&call->render.to, &summary_facts,
		 &(struct summary) { call, crashed ? &crash : NULL, t });
	if (crashed)
		scry_crash_done(&crash);
}
