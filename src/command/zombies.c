/* zombies: frames that Python keeps for the next call of a function. */
#include "command/command.h"
#include "heap/zombie.h"

/* --- a frame --- */

struct shown_frame {
	const struct scry_kept_frame *f;
	const struct scry_code *code; /* NULL: it is not a function's, or cannot be read */
};

static void get_function(const void *subject, struct scry_said *ret)
{
	const struct scry_code *code = ((const struct shown_frame *)subject)->code;

	scry_said_text(ret, code ? code->name : NULL);
}

static void get_file(const void *subject, struct scry_said *ret)
{
	const struct scry_code *code = ((const struct shown_frame *)subject)->code;

	scry_said_text(ret, code ? code->file : NULL);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	const struct scry_code *code = ((const struct shown_frame *)subject)->code;

	ret->kind = SCRY_SAID_NULL;
	if (code && code->first_line > 0)
		scry_said_int(ret, code->first_line);
}

#define SUBJECT struct scry_kept_frame
static const struct scry_say frame_fields[] = {
	SAY_ADDR("id", addr),      SAY_INT("size", size),     SAY_GET("function", get_function),
	SAY_GET("file", get_file), SAY_GET("line", get_line), SAY_END,
};
#undef SUBJECT

static const char *const frame_text[] = {
	"    {id} {size%8} bytes",
	"  {function:function} ({file:file=}:{line=0})",
	"\n",
	NULL,
};

static const struct scry_facts frame_facts = { "kept frame", frame_fields, frame_text,
					       SCRY_THROUGH(struct shown_frame, f) };

/* --- those that are kept in one way --- */

struct shown_list {
	const struct scry_kept_frames *list;
	struct scry_runtime *runtime;
	const char *title;
	uint64_t limit; /* 0: none */
};

static void each_frame(const void *subject, struct scry_renderer *to)
{
	const struct shown_list *shown = subject;
	const struct scry_kept_frames *list = shown->list;

	for (size_t i = 0; i < list->count && (!shown->limit || i < shown->limit); i++) {
		const struct scry_kept_frame *f = &list->frames[i];

		scry_say(to, &frame_facts,
			 &(struct shown_frame) { f, f->code ? scry_code_at(shown->runtime, f->code)
							    : NULL });
	}
}

static void get_count(const void *subject, struct scry_said *ret)
{
	const struct scry_kept_frames *list = ((const struct shown_list *)subject)->list;

	ret->kind = SCRY_SAID_NULL;
	if (!list->unreachable)
		scry_said_int(ret, (int64_t)list->count);
}

static void get_bytes(const void *subject, struct scry_said *ret)
{
	const struct scry_kept_frames *list = ((const struct shown_list *)subject)->list;

	ret->kind = SCRY_SAID_NULL;
	if (!list->unreachable)
		scry_said_int(ret, (int64_t)list->bytes);
}

static void get_left(const void *subject, struct scry_said *ret)
{
	const struct shown_list *shown = subject;

	ret->kind = SCRY_SAID_NULL;
	if (shown->limit && shown->list->count > shown->limit)
		scry_said_int(ret, (int64_t)(shown->list->count - shown->limit));
}

static void get_title(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_list *)subject)->title);
}

#define SUBJECT struct scry_kept_frames
static const struct scry_say list_fields[] = {
	SAY_GET("count", get_count),
	SAY_GET("bytes", get_bytes),
	SAY_TEXT("error", error),
	SAY_LIST("frames", &frame_facts, each_frame),
	SAY_BOOL("unreachable", unreachable, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("title", get_title, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("left", get_left, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const list_text[] = {
	"{title}: ",
	"{?unreachable}cannot be reached: {error:error}\n",
	"|{count,} frames, {bytes,} bytes\n",
	"{!unreachable}    {error:error}\n",
	"{frames}",
	"    ... {left} more\n",
	NULL,
};

static const struct scry_facts list_facts = { "kept frames", list_fields, list_text,
					      SCRY_THROUGH(struct shown_list, list) };

/* --- a runtime --- */

struct shown_runtime {
	struct scry_runtime *runtime;
	struct shown_list zombies, free_list;
	uint64_t codes;
};

static void get_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_runtime *)subject)->runtime->name);
}

static void get_version(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct shown_runtime *)subject)->runtime->version_text);
}

#define SUBJECT struct shown_runtime
static const struct scry_say runtime_fields[] = {
	SAY_GET("version", get_version),
	SAY_INT("code_objects", codes),
	SAY_FACTS("zombies", &list_facts, zombies),
	SAY_FACTS("free_list", &list_facts, free_list),
	SAY_GET("name", get_name, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const runtime_text[] = {
	"{name} {version}: {code_objects} code objects\n{zombies}{free_list}",
	NULL,
};

static const struct scry_facts runtime_facts = { "runtime", runtime_fields, runtime_text };

/* One invocation. */
struct job {
	struct scry_call *call;
	bool any;
	int rc; /* of the last runtime */
};

static void each_runtime(const void *subject, struct scry_renderer *to)
{
	struct job *job = (struct job *)(uintptr_t)subject;
	uint64_t limit = job->call->s->options.limit[SCRY_LIMIT_TASKS];
	struct scry_zombies z;

	for (struct scry_runtime *r = scry_runtime_first(job->call->s); r; r = r->next) {
		job->rc = scry_zombies_find(r, &z);
		if (job->rc < 0)
			continue;
		job->any = true;
		scry_say(to, &runtime_facts,
			 &(struct shown_runtime) { r,
						   { &z.zombies, r, "Zombie frames", limit },
						   { &z.free_list, r, "Free list", limit },
						   z.codes });
	}
}

static const struct scry_say answer_fields[] = {
	SAY_LIST("kept_frames", &runtime_facts, each_runtime),
	SAY_END,
};
static const struct scry_facts answer_facts = { "zombies", answer_fields,
						(const char *const[]) { "{kept_frames}", NULL } };

static int run(struct scry_call *call)
{
	struct job job = { .call = call };

	scry_say_fields(&call->render.to, &answer_facts, &job);
	if (!job.any && job.rc == SCRY_OK)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Python in the target");
	return job.any ? SCRY_OK : job.rc;
}

const struct scry_command_row scry_command_zombies = {
	.public = { "zombies", "",
		    "Show the frames that Python keeps for the next call (2.7 to 3.9).",
		    "Each code object keeps one frame after a call, and a free list keeps others. "
		    "They hold memory; the\n"
		    "largest come first. The free list is a static variable: only the "
		    "interpreter's .symtab locates it.",
		    SCRY_COMMAND_CPYTHON },
	.run = run,
	.pypy = "PyPy keeps no frames for the next call: it makes a new one for each",
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
};
