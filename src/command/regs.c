/*
 * regs: what each general register holds, in the innermost frame and, where unwinding restored
 * them, in outer ones.
 */
#include "command/command.h"
#include "command/syscall_show.h"
#include "command/register_show.h"
#include "command/stack_words.h"
#include "native/variables.h"
#include "object/thread_names.h"

/* One invocation. */
struct job {
	struct scry_call *call;
	struct scry_thread *thread;
	struct scry_words words;
	struct scry_renderer *to; /* while frames are said */
	unsigned depth;
	bool all, stack;
	int rc; /* how unwinding ended */
	bool in_syscall;
	struct scry_syscall syscall; /* with its buffers */
};

/* --- a frame --- */

struct shown_frame {
	const struct scry_native_frame *f;
	struct job *job;
	scry_addr end; /* of its part of the stack, 0 not known or not asked for */
};

static void each_word(const void *subject, struct scry_renderer *to)
{
	const struct shown_frame *shown = subject;
	struct scry_crash of = { .session = shown->job->call->s,
				 .thread = shown->job->thread,
				 .words = shown->job->words };
	const struct scry_regs *regs = &shown->f->regs;

	scry_each_stack_word(
		&(struct scry_stack_part) { &of, regs->value[regs->arch->sp], shown->end }, to);
}

/* Only where it was asked for. */
static bool has_stack(const void *subject)
{
	return ((const struct shown_frame *)subject)->end != 0;
}

static void each_register(const void *subject, struct scry_renderer *to)
{
	const struct shown_frame *shown = subject;
	const struct scry_regs *regs = &shown->f->regs;

	for (unsigned i = 0; i < regs->arch->count; i++) {
		struct scry_shown_register reg = { .session = shown->job->call->s,
						   .row = &regs->arch->regs[i],
						   .word = regs->value[i],
						   .known = regs->valid >> i & 1,
						   .innermost = !shown->job->depth };

		if (reg.known)
			scry_words_read(&shown->job->words, reg.word, &reg.m);
		scry_say(to, &scry_facts_register, &reg);
	}
}

static void get_frame_module(const void *subject, struct scry_said *ret)
{
	const struct scry_module *m = ((const struct shown_frame *)subject)->f->module;

	scry_said_text(ret, m ? m->name : NULL);
}

static void get_in_symbol(const void *subject, struct scry_said *ret)
{
	const struct scry_native_frame *f = ((const struct shown_frame *)subject)->f;

	scry_said_addr(ret, f->pc - f->symbol.addr);
}

static void get_in_module(const void *subject, struct scry_said *ret)
{
	const struct scry_native_frame *f = ((const struct shown_frame *)subject)->f;

	scry_said_addr(ret, f->module ? f->pc - f->module->start : 0);
}

static void get_depth(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, ((const struct shown_frame *)subject)->job->depth);
}

static void get_uncertain(const void *subject, struct scry_said *ret)
{
	const struct scry_native_frame *f = ((const struct shown_frame *)subject)->f;

	scry_said_text(ret, f->is_guess      ? "found by searching the stack"
			    : f->after_guess ? "a newer frame was found by searching the stack"
					     : NULL);
}

#define SUBJECT struct scry_native_frame
static const struct scry_say frame_fields[] = {
	SAY_ADDR("pc", pc),
	SAY_TEXT("function", symbol.name),
	SAY_GET("module", get_frame_module),
	SAY_GET("uncertain", get_uncertain),
	SAY_LIST("registers", &scry_facts_register, each_register),
	SAY_LIST_IF("stack", &scry_facts_stack_word, each_word, has_stack),
	SAY_GET("depth", get_depth, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("in_symbol", get_in_symbol, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("in_module", get_in_module, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const frame_text[] = {
	"{?depth}\n",
	"frame {depth}: {pc}",
	" in {function}+{in_symbol}",
	" ({module}+{in_module})",
	" [{uncertain}]",
	"\n",
	"{registers}",
	"{stack}",
	NULL,
};

static const struct scry_facts frame_facts = { "C frame", frame_fields, frame_text,
					       SCRY_THROUGH(struct shown_frame, f) };

static bool one_frame(void *arg, const struct scry_native_frame *f)
{
	struct job *job = arg;

	scry_say(job->to, &frame_facts, &(struct shown_frame) { f, job, 0 });
	job->depth++;
	return job->all;
}

/* With the words of each frame's part of the stack: up to its caller's stack pointer. */
static void say_with_stack(struct job *job)
{
	struct scry_frames frames;
	bool more = true;

	job->rc = scry_frames_read(job->thread, &frames);
	for (size_t i = 0; i < frames.count && more; i++) {
		const struct scry_native_frame *f = &frames.frames[i];
		scry_addr end = i + 1 < frames.count ? f[1].regs.value[f->regs.arch->sp] : 0;

		scry_say(job->to, &frame_facts, &(struct shown_frame) { f, job, end });
		job->depth++;
		more = job->all;
	}
	scry_frames_done(&frames);
}

/* --- the answer --- */

static void each_frame(const void *subject, struct scry_renderer *to)
{
	struct job *job = (struct job *)(uintptr_t)subject;

	job->to = to;
	if (job->stack)
		say_with_stack(job);
	else
		job->rc = scry_unwind(job->call->s, &job->thread->os->regs, one_frame, job);
}

static void get_syscall(const void *subject, struct scry_said *ret)
{
	const struct job *job = subject;

	scry_said_facts(ret, &scry_facts_syscall, job->in_syscall ? &job->syscall : NULL);
}

#define SUBJECT struct scry_thread
static const struct scry_say answer_fields[] = {
	SAY_INT("tid", tid),
	SAY_GET("syscall", get_syscall, .facts = &scry_facts_syscall),
	SAY_LIST("native_frames", &frame_facts, each_frame),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts answer_facts = {
	"regs", answer_fields, (const char *const[]) { "{syscall}", "{native_frames}", NULL },
	SCRY_THROUGH(struct job, thread)
};

static int run_regs(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_thread *t = scry_thread_selected(s);

	if (call->argc && scry_thread_named(s, call->argv[0], &t) < 0)
		return SCRY_EINVAL;
	if (!t || !t->os || !scry_os_thread_regs(s->target, t->os)->arch)
		return scry_fail_registers(s);
	struct job job = { .call = call,
			   .thread = t,
			   .all = scry_call_flag(call, "all-frames") != NULL,
			   .stack = scry_call_flag(call, "stack") != NULL };
	job.in_syscall = scry_syscall_read(s, t->os, &job.syscall);
	scry_words_init(&job.words, s, t);
	scry_say_fields(&call->render.to, &answer_facts, &job);
	scry_words_done(&job.words);
	if (job.rc < 0 && job.depth) {
		if (job.all)
			scry_note(s, "%s", s->error.text);
		call->partial = job.all;
		return SCRY_OK;
	}
	return job.rc;
}

static const struct scry_flag flags[] = {
	{ "stack", 's', NULL, "the words of the frame's stack: objects, return addresses, frames" },
	{ "all-frames", 'a', NULL, "outer frames too: what unwinding restored" },
	{ 0 },
};

const struct scry_command_row scry_command_regs = {
	.public = { "regs", "[--all-frames] [--stack] [THREAD]",
		    "Show what each register holds: objects, frames, code, numbers.",
		    "Where the thread crashed, values are those of the crash. \"volatile\" "
		    "registers may be changed by any\n"
		    "call, \"preserved\" ones survive it, by the convention of the target's "
		    "system. In outer frames only\n"
		    "what unwinding restored is shown. Readings that may be wrong are marked as "
		    "uncertain. For a system\n"
		    "call that works on buffers (writev, vmsplice, sendmsg ...) each buffer is "
		    "shown with its owner and\n"
		    "whether it is alive.",
		    0 },
	.run = run_regs,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.flags = flags,
	.max_args = 1,
};
