/* verify: is the heap sound? */
#include "command/heap_show.h"
#include "heap/leaks.h"
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

struct answer {
	const struct scry_verify *verify;
	struct scry_heap *h;
	struct scry_leaks leaks;
	bool want_leaks;
};

static void each_finding(const void *subject, struct scry_renderer *to)
{
	const struct scry_verify *v = ((const struct answer *)subject)->verify;

	for (size_t i = 0; i < v->count; i++)
		scry_say(to, &finding_facts, &(struct line) { v->h, &v->findings[i], NULL });
}

/* --- leaks --- */

struct leak_line {
	struct scry_heap *h;
	const struct scry_leak *leak;
	scry_addr addr;
	bool certain;
};

static void get_leak_address(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, ((const struct leak_line *)subject)->addr);
}

static bool print_leaked(const void *subject, struct scry_buf *out)
{
	const struct leak_line *line = subject;
	uint32_t object = line->leak->type == SCRY_HEAP_NONE ? SCRY_HEAP_NONE
							     : scry_heap_find(line->h, line->addr);

	if (object == SCRY_HEAP_NONE)
		return false;
	scry_heap_short_repr(line->h, object, out);
	return true;
}

static const struct scry_say leaked_fields[] = {
	SAY_GET("address", get_leak_address),
	SAY_PRINT("repr", print_leaked),
	SAY_END,
};
static const struct scry_facts leaked_facts = {
	"leaked", leaked_fields, (const char *const[]) { "    {address}", " {repr}", "\n", NULL }
};

static void each_leaked(const void *subject, struct scry_renderer *to)
{
	const struct leak_line *line = subject;

	for (size_t i = 0; i < line->leak->first_count; i++)
		scry_say(to, &leaked_facts,
			 &(struct leak_line) { line->h, line->leak, line->leak->first[i],
					       line->certain });
}

static void get_leak_type(const void *subject, struct scry_said *ret)
{
	const struct leak_line *line = subject;
	uint32_t type = line->leak->type;

	scry_said_text(ret, type == SCRY_HEAP_NONE
				    ? NULL
				    : scry_heap_type_name(line->h, line->h->types[type]));
}

static void get_leak_certain(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct leak_line *)subject)->certain);
}

#define SUBJECT struct scry_leak
static const struct scry_say leak_fields[] = {
	SAY_GET("type", get_leak_type),
	SAY_INT("count", count),
	SAY_INT("bytes", bytes),
	SAY_INT("retained", retained),
	SAY_GET("certain", get_leak_certain),
	SAY_LIST("first", &leaked_facts, each_leaked),
	SAY_INT("size", size, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT
static const char *const leak_text[] = {
	"{:error}leaked{}: {count,} {type:name}, {bytes,} bytes, {retained,} with what only they "
	"hold",
	"|{:error}leaked{}: {count,} malloc chunk{count+} of {size,} bytes",
	"{!certain}{:dim} (they may be none){}",
	"\n{first}",
	NULL,
};
static const struct scry_facts leak_facts = { "leak", leak_fields, leak_text,
					      SCRY_THROUGH(struct leak_line, leak) };

static void each_leak(const void *subject, struct scry_renderer *to)
{
	const struct answer *a = subject;

	for (size_t i = 0; i < a->leaks.count; i++)
		scry_say(to, &leak_facts,
			 &(struct leak_line) { a->h, &a->leaks.list[i], 0,
					       !a->leaks.lacks && !a->leaks.moved });
}

static bool wants_leaks(const void *subject)
{
	return ((const struct answer *)subject)->want_leaks;
}

static void get_looked(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, wants_leaks(subject));
}

static void get_chunky(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret,
		       wants_leaks(subject) && ((const struct answer *)subject)->leaks.has_chunks);
}

static bool lacks_chunks(const struct answer *a)
{
	return a->want_leaks && !a->leaks.unknown && !a->leaks.has_chunks;
}

static void get_chunkless(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, lacks_chunks(subject));
}

/* Only a "no" is worth a word. */
static void get_chunks(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_NULL;
	if (lacks_chunks(subject))
		scry_said_bool(ret, false);
}

static void get_unknown(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct answer *)subject)->leaks.unknown);
}

static void get_leaky(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct answer *)subject)->leaks.count > 0);
}

static void get_lacks(const void *subject, struct scry_said *ret)
{
	const struct answer *a = subject;

	ret->kind = SCRY_SAID_NULL;
	if (a->want_leaks && a->leaks.lacks)
		scry_said_int(ret, (int64_t)a->leaks.lacks);
}

#define SUBJECT struct scry_verify
static const struct scry_say verify_fields[] = {
	SAY_INT("checked", objects),
	SAY_LIST("findings", &finding_facts, each_finding),
	SAY_INT("omitted", omitted),
	SAY_INT("references", references, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_INT("count", count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST_IF("leaks", &leak_facts, each_leak, wants_leaks),
	SAY_GET("lacks", get_lacks, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("chunks", get_chunks, .flags = SCRY_SAY_OPTIONAL),
	SAY_GET("chunky", get_chunky, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("chunkless", get_chunkless, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("leaky", get_leaky, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("looked", get_looked, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("unknown", get_unknown, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT
static const char *const verify_text[] = {
	"{checked,} objects, {references,} references: ",
	"{?count}{count,} finding{count+}\n{findings}",
	"|nothing found\n",
	"{?omitted}  ... {omitted,} more\n",
	"{?leaky}{leaks}",
	"|{?unknown}what is leaked is not known: too much memory is missing\n",
	"|{?chunky}nothing is leaked: something leads to every object and chunk\n",
	"|{?looked}nothing is leaked: something leads to every object\n",
	"{?chunkless}malloc's chunks are not known: none of them was looked at\n",
	"{lacks,} bytes of memory are not in the dump: references may be there\n",
	NULL,
};
static const struct scry_facts verify_facts = { "verify", verify_fields, verify_text,
						SCRY_THROUGH(struct answer, verify) };
static const struct scry_say answer_fields[] = { SAY_SELF("verify", &verify_facts), SAY_END };
static const struct scry_facts answer_facts = { "verify answer", answer_fields,
						(const char *const[]) { "{verify}", NULL } };

static int run_verify(struct scry_call *call)
{
	struct scry_verify v = { 0 };
	struct answer a = { .verify = &v, .want_leaks = scry_call_flag(call, "leaks") != NULL };
	struct scry_heap *h;
	int rc = scry_heap_first(call, &h);

	if (rc < 0)
		return rc;
	if (a.want_leaks && !h->kind->counts)
		return scry_fail(call->s, SCRY_EUNSUPPORTED, 0,
				 "%sverify --leaks asks counts of references, which the objects of "
				 "%s do not have",
				 call->s->options.prefix ? call->s->options.prefix : "",
				 h->runtime->name);
	a.h = h;
	rc = scry_verify(h, &v);
	if (rc == SCRY_OK && a.want_leaks)
		rc = scry_leaks_find(h, &a.leaks);
	if (rc == SCRY_OK) {
		scry_say_fields(&call->render.to, &answer_facts, &a);
		call->unsound = v.count + a.leaks.count;
	}
	scry_verify_done(&v);
	return rc;
}

static const struct scry_flag flags[] = {
	{ "leaks", 'l', NULL, "also what nothing in the whole process refers to" },
	{ NULL },
};

const struct scry_command_row scry_command_verify = {
	.public = { "verify", "[--leaks]", "Check whether the heap is sound.",
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
		    "found, else 1.\n"
		    "--leaks: objects that somebody holds, as their counts say, while no word of "
		    "memory or register leads\n"
		    "there (a Py_DECREF is missing), by type, and malloc chunks in use that "
		    "nothing "
		    "leads to.\n"
		    "Of PyPy, which counts no references: headers, references to what is free or "
		    "is not an object,\n"
		    "sizes, lists and dicts.",
		    0 },
	.run = run_verify,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.flags = flags,
};
