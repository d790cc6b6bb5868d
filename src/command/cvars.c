/* cvars: the variables of C frames. */
#include "command/cvars.h"
#include "command/layer_show.h"

#include <stdlib.h>
#include <string.h>

#include "native/place.h"
#include "object/model.h"

/* --- an object --- */

static void get_held_type(const void *subject, struct scry_said *ret)
{
	const struct scry_held *h = subject;

	scry_said_text(ret, scry_model_of(h->runtime)->type_name(h->runtime, h->addr));
}

static bool print_held(const void *subject, struct scry_buf *out)
{
	const struct scry_held *h = subject;
	scry_short_repr(h->runtime, h->addr, out);
	return true;
}

#define SUBJECT struct scry_held
static const struct scry_say held_fields[] = {
	SAY_ADDR("address", addr),
	SAY_GET("type", get_held_type),
	SAY_PRINT("repr", print_held),
	SAY_END,
};
#undef SUBJECT
const struct scry_facts scry_facts_held = { "held object", held_fields, NULL };

/* --- a variable --- */

struct shown {
	const struct scry_variable *v;
	struct scry_held held;
};

static const struct scry_variable *of(const void *subject)
{
	return ((const struct shown *)subject)->v;
}

static void get_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, of(subject)->name);
}

static void get_type(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, of(subject)->type);
}

static void get_location(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, of(subject)->location);
}

static void get_value(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, of(subject)->value);
}

static void get_object(const void *subject, struct scry_said *ret)
{
	const struct shown *it = subject;

	scry_said_facts(ret, &scry_facts_held, it->held.runtime ? &it->held : NULL);
}

static void get_state(const void *subject, struct scry_said *ret)
{
	static const char *const names[] = { "here", "recovered", "optimized out" };

	scry_said_text(ret, names[of(subject)->state]);
}

static void get_how(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, of(subject)->how);
}

static void get_recovered(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, of(subject)->state == SCRY_VARIABLE_RECOVERED);
}

/* "PyObject *" and its name: the star is at the name. */
static void get_space(const void *subject, struct scry_said *ret)
{
	const char *type = of(subject)->type;
	size_t len = type ? strlen(type) : 0;

	scry_said_text(ret, len && type[len - 1] == '*' ? NULL : " ");
}

static const struct scry_say variable_fields[] = {
	SAY_GET("name", get_name),
	SAY_GET("type", get_type),
	SAY_GET("location", get_location),
	SAY_GET("value", get_value),
	SAY_GET("object", get_object, .facts = &scry_facts_held),
	SAY_GET("state", get_state),
	SAY_GET("how", get_how),
	SAY_GET("recovered", get_recovered, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("space", get_space, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
const struct scry_facts scry_facts_variable = {
	"C variable", variable_fields,
	(const char *const[]) { "        {type=?}", "{space}", "{name:name} = ", "{value}",
				"|{:dim}<optimized out: {}{how}{:dim}>{}", "  [{location}]",
				"{?recovered}  {:mark}[recovered: {}{how}{:mark}]{}", "\n", NULL }
};

/* --- of a frame --- */

struct job {
	struct scry_call *call;
	unsigned count;
};

static void say_variable(void *arg, const struct scry_variable *v)
{
	struct job *job = arg;

	job->count++;
	scry_say(&job->call->render.to, &scry_facts_variable,
		 &(struct shown) { v, { v->runtime, v->object } });
}

/* The C frames of the frame's thread, unwound once for the call. */
struct scry_frames *scry_call_frames(struct scry_call *call, struct scry_thread *t)
{
	struct scry_frames *kept = call->c_frames;

	if (!kept && !(kept = call->c_frames = calloc(1, sizeof(*kept))))
		return NULL;
	if (kept->thread != t) {
		scry_frames_done(kept);
		scry_frames_read(t, kept);
	}
	return kept;
}

void scry_variables_done(struct scry_call *call)
{
	if (call->c_frames)
		scry_frames_done(call->c_frames);
	free(call->c_frames);
	call->c_frames = NULL;
}

void scry_say_variables(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_frames *frames = f->thread ? scry_call_frames(call, f->thread) : NULL;
	const struct scry_place *place = scry_place_at(call->s, f->native->pc - f->native->is_call);
	size_t index = frames ? scry_frames_find(frames, f->native) : SIZE_MAX;
	struct job job = { .call = call };

	if (index != SIZE_MAX && place && !f->native->is_signal)
		scry_variables(frames, index,
			       f->function_of ? (size_t)(f->function_of - place->functions) : 0,
			       say_variable, &job);
}

/* --- the command --- */

static bool parse(struct scry_call *call, uint64_t *ret)
{
	return !call->argc || scry_parse_number(call->argv[0], ret);
}

static void get_number(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t) * (const uint64_t *)subject);
}

/* C frames have no number of their own in a merged stack: for text alone. */
static const struct scry_say number_fields[] = { SAY_GET("number", get_number), SAY_END };
static const struct scry_facts number_facts = { "number", number_fields,
						(const char *const[]) { "#{number%-2} ", NULL },
						.text_only = true };

static void show(struct scry_call *call, const struct scry_frame *f, uint64_t number)
{
	scry_say(&call->render.to, &number_facts, &number);
	scry_say_native(call, f);
	if (!call->json)
		scry_say_variables(call, f);
}

struct wanted {
	struct scry_merge merge;
	uint64_t number;
	unsigned shown;
};

/* Frames that run before the interpreter's loop, or the one that was asked for. */
static void show_frames(struct scry_call *call, void *arg)
{
	struct wanted *w = arg;
	struct scry_frame f;
	uint64_t number = 0;

	while (scry_merge_next(&w->merge, &f) == SCRY_ITEM) {
		if (f.kind != SCRY_FRAME_NATIVE)
			continue;
		if (!call->argc && f.entry && w->shown)
			break;
		if (!call->argc || number == w->number) {
			show(call, &f, number);
			w->shown++;
		}
		if (call->argc && number == w->number)
			break;
		number++;
	}
}

static int run_cvars(struct scry_call *call)
{
	struct scry_thread *t = scry_thread_selected(call->s);
	struct wanted wanted = { 0 };

	if (!parse(call, &wanted.number))
		return scry_fail(call->s, SCRY_EINVAL, 0, "the number of a C frame, not '%s'",
				 call->argv[0]);
	if (!t)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "the target has no threads");
	int rc = scry_merge_thread(&wanted.merge, t);
	if (rc < 0)
		return rc;
	call->s->options.locals = true;
	scry_say_frames_of(call, t, show_frames, &wanted);
	if (!wanted.shown)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "the thread has no such C frame");
	return SCRY_OK;
}

const struct scry_command_row scry_command_cvars = {
	.public = { "cvars", "[FRAME]", "Show the variables of C frames, objects by their repr.",
		    "For each parameter and variable of C its type, value, and where it is: a "
		    "register or an address.\n"
		    "FRAME is the number of a C frame, 0 the innermost, inlined functions counted "
		    "as gdb does; without it\n"
		    "all frames up to the interpreter's loop are shown. What the compiler has "
		    "optimized out is recovered\n"
		    "where that is sound, with a note of how: an entry value from the caller's "
		    "call site or code, a\n"
		    "register that a call lost from the code before the call, an argument from the "
		    "Python frame that\n"
		    "called the function. That last works without DWARF too, which all else needs. "
		    "bt-full --native shows\n"
		    "the same below each C frame.",
		    0 },
	.run = run_cvars,
	.max_args = 1,
};
