/* verify: is the heap sound? */
#include "command/heap_show.h"
#include "heap/verify.h"

struct line {
	struct scry_heap *h;
	const struct scry_finding *finding;
	const struct scry_holding *holder;
};

static void get_holder_address(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, ((const struct line *)subject)->holder->from);
}

static void get_holder_type(const void *subject, struct scry_said *ret)
{
	const struct line *line = subject;
	uint32_t object = line->holder->object;

	scry_said_text(ret,
		       object == SCRY_HEAP_NONE
			       ? "frame"
			       : scry_heap_type_name(line->h, scry_heap_type_of(line->h, object)));
}

static bool print_holder(const void *subject, struct scry_buf *out)
{
	const struct line *line = subject;

	if (line->holder->object == SCRY_HEAP_NONE)
		return false;
	scry_heap_short_repr(line->h, line->holder->object, out);
	return true;
}

static void get_holder_thread(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = ((const struct line *)subject)->holder->thread;

	ret->kind = SCRY_SAID_NULL;
	if (t && t->tid)
		scry_said_int(ret, (int64_t)t->tid);
}

#define SUBJECT struct scry_holding
static const struct scry_say holder_fields[] = {
	SAY_GET("address", get_holder_address), SAY_GET("type", get_holder_type),
	SAY_PRINT("repr", print_holder),        SAY_TEXT("slot", slot),
	SAY_GET("thread", get_holder_thread),   SAY_END,
};
#undef SUBJECT
static const char *const holder_text[] = { "    <- {slot} of {type:name} {address}", " {repr}",
					   ", thread {thread}", "\n", NULL };
static const struct scry_facts holder_facts = { "holder", holder_fields, holder_text,
						SCRY_THROUGH(struct line, holder) };

static void each_holder(const void *subject, struct scry_renderer *to)
{
	const struct line *line = subject;

	for (size_t i = 0; i < line->finding->holder_count; i++)
		scry_say(to, &holder_facts,
			 &(struct line) { line->h, line->finding, &line->finding->holders[i] });
}

static void get_refcount(const void *subject, struct scry_said *ret)
{
	const struct scry_finding *f = ((const struct line *)subject)->finding;

	ret->kind = SCRY_SAID_NULL;
	if (f->counted)
		scry_said_int(ret, f->refcount);
}

#define SUBJECT struct scry_finding
static const struct scry_say finding_fields[] = {
	SAY_NAME("kind", kind, scry_finding_names),
	SAY_ADDR("address", addr),
	SAY_TEXT("type", type),
	SAY_GET("refcount", get_refcount),
	SAY_INT("found", found),
	SAY_TEXT("why", why),
	SAY_LIST("holders", &holder_facts, each_holder),
	SAY_END,
};
#undef SUBJECT
static const char *const finding_text[] = {
	"{:error}{kind}{}: ",
	"{type:name} ",
	"{address}",
	", count {refcount}, {found} references found",
	": {why}",
	"\n{holders}",
	NULL,
};
static const struct scry_facts finding_facts = { "finding", finding_fields, finding_text,
						 SCRY_THROUGH(struct line, finding) };

static void each_finding(const void *subject, struct scry_renderer *to)
{
	const struct scry_verify *v = subject;

	for (size_t i = 0; i < v->count; i++)
		scry_say(to, &finding_facts, &(struct line) { v->h, &v->findings[i], NULL });
}

#define SUBJECT struct scry_verify
static const struct scry_say verify_fields[] = {
	SAY_INT("checked", objects),
	SAY_LIST("findings", &finding_facts, each_finding),
	SAY_INT("omitted", omitted),
	SAY_INT("references", references, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("count", count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT
static const char *const verify_text[] = {
	"{checked,} objects, {references,} references: ",
	"{?count}{count,} finding{count+}\n{findings}",
	"|nothing found\n",
	"{?omitted}  ... {omitted,} more\n",
	NULL,
};
static const struct scry_facts verify_facts = { "verify", verify_fields, verify_text };
static const struct scry_say answer_fields[] = { SAY_SELF("verify", &verify_facts), SAY_END };
static const struct scry_facts answer_facts = { "verify answer", answer_fields,
						(const char *const[]) { "{verify}", NULL } };

static int run_verify(struct scry_call *call)
{
	struct scry_verify v = { 0 };
	struct scry_heap *h;
	int rc = scry_heap_first(call, &h);

	if (rc < 0)
		return rc;
	rc = scry_verify(h, &v);
	if (rc == SCRY_OK) {
		scry_say_fields(&call->render.to, &answer_facts, &v);
		call->unsound = v.count;
	}
	scry_verify_done(&v);
	return rc;
}

const struct scry_command_row scry_command_verify = {
	.public = { "verify", "", "Check whether the heap is sound.",
		    "Compared are every object's count and the references that are certainly there "
		    "(an object that was\n"
		    "released once too often counts fewer); types; sizes and the blocks that they "
		    "stand in; the tables of\n"
		    "dicts and sets; the collector's lists. Found are references to what was freed "
		    "or is not an object,\n"
		    "buffers in use that were freed, free blocks that were written to, and writes "
		    "past the end of what\n"
		    "malloc() or the debug hooks (PYTHONMALLOC=debug) gave out. Each finding says "
		    "who refers there. What\n"
		    "is not known counts for nothing. The exit status is 0 where nothing was "
		    "found, else 1.",
		    SCRY_COMMAND_CPYTHON },
	.run = run_verify,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
};
