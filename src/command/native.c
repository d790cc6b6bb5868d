/* C frames of a merged stack. */
#include "command/command.h"
#include "command/cvars.h"
#include "native/place.h"

static const char *name_of(const struct scry_frame *f)
{
	return f->function_of ? f->function_of->name : f->native->function;
}

struct shown_frame {
	const struct scry_frame *f;
	struct scry_call *call;
};

static const struct scry_frame *frame_of(const void *subject)
{
	return ((const struct shown_frame *)subject)->f;
}

static bool has_variables(const void *subject)
{
	return ((const struct shown_frame *)subject)->call->s->options.locals;
}

static void each_variable(const void *subject, struct scry_renderer *to)
{
	(void)to;
	scry_say_variables(((const struct shown_frame *)subject)->call, frame_of(subject));
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	(void)subject;
	scry_said_text(ret, "native");
}

static void get_function(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, name_of(frame_of(subject)));
}

static void get_file(const void *subject, struct scry_said *ret)
{
	const struct scry_c_function *in = frame_of(subject)->function_of;

	scry_said_text(ret, in ? in->file : NULL);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	const struct scry_c_function *in = frame_of(subject)->function_of;

	ret->kind = SCRY_SAID_NULL;
	if (in && in->line > 0)
		scry_said_int(ret, in->line);
}

/* What a Python frame has, and C functions never. */
static void get_null(const void *subject, struct scry_said *ret)
{
	(void)subject;
	ret->kind = SCRY_SAID_NULL;
}

static void get_module(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, frame_of(subject)->native->module);
}

static void get_offset(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)frame_of(subject)->native->offset);
}

/* The same for text: as an address. */
static void get_distance(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, frame_of(subject)->native->offset);
}

static void get_inlined(const void *subject, struct scry_said *ret)
{
	const struct scry_c_function *in = frame_of(subject)->function_of;

	scry_said_bool(ret, in && in->inlined);
}

static void get_signal(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, frame_of(subject)->native->is_signal);
}

static void get_uncertain(const void *subject, struct scry_said *ret)
{
	bool guess = frame_of(subject)->native->is_guess;

	scry_said_text(ret, guess ? "found by searching the stack" : NULL);
}

static void get_runs_python(const void *subject, struct scry_said *ret)
{
	const struct scry_frame *f = frame_of(subject);

	scry_said_bool(ret, f->entry && !(f->function_of && f->function_of->inlined));
}

#define SUBJECT struct scry_frame
static const struct scry_say fields[] = {
	SAY_GET("kind", get_kind),
	SAY_GET("function", get_function),
	SAY_GET("qualname", get_null),
	SAY_GET("file", get_file),
	SAY_GET("line", get_line),
	SAY_GET("end_line", get_null),
	SAY_GET("column", get_null),
	SAY_GET("end_column", get_null),
	SAY_GET("source", get_null),
	SAY_ADDR("address", addr),
	SAY_GET("module", get_module),
	SAY_GET("offset", get_offset),
	SAY_GET("inlined", get_inlined),
	SAY_GET("signal", get_signal),
	SAY_GET("uncertain", get_uncertain),
	SAY_GET("runs_python", get_runs_python),
	SAY_LIST_IF("variables", &scry_facts_variable, each_variable, has_variables),
	SAY_GET("distance", get_distance, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const text[] = {
	"{:dim}C   ",     "{?signal}<signal handler called>",
	"|{function=??}", " ({file}:{line})",
	"| ({file})",     "| ({module}+{distance})",
	"| ({address})",  "{?inlined} [inlined]",
	" [{uncertain}]", "{?-v} [{address}]",
	"{}\n",           NULL,
};

const struct scry_facts scry_facts_native = { "C frame", fields, text,
					      SCRY_THROUGH(struct shown_frame, f) };

void scry_say_native(struct scry_call *call, const struct scry_frame *f)
{
	scry_say(&call->render.to, &scry_facts_native, &(struct shown_frame) { f, call });
}
