/* heap: which objects there are, and where the process's memory is. */
#include <stdlib.h>
#include <string.h>

#include "command/heap_answer.h"

#define LARGEST 10
#define MANY    1000 /* elements in JSON whose repr is made */

/* --- the table --- */

#define SUBJECT struct scry_heap_group
static void get_retained(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_group *g = subject;

	ret->kind = SCRY_SAID_NULL;
	if (g->has_retained)
		scry_said_int(ret, (int64_t)(g->retained - g->before_retained));
}

static void get_count(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_group *g = subject;

	scry_said_int(ret, (int64_t)(g->count - g->before_count));
}

static void get_group_bytes(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_group *g = subject;

	scry_said_int(ret, (int64_t)(g->bytes - g->before_bytes));
}

static const struct scry_say before_fields[] = {
	SAY_INT("count", before_count),
	SAY_INT("bytes", before_bytes),
	SAY_END,
};
static const struct scry_facts before_facts = { "heap type before", before_fields, NULL };

/* --diff: what it was; without that no key. */
static void get_before(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_NULL;
	if (((const struct scry_heap_group *)subject)->diffed)
		scry_said_facts(ret, &before_facts, subject);
}

static void get_was(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_group *g = subject;

	ret->kind = SCRY_SAID_NULL;
	if (g->diffed)
		scry_said_int(ret, (int64_t)g->before_bytes);
}

static const struct scry_say group_fields[] = {
	SAY_TEXT("type", name),
	SAY_GET("count", get_count),
	SAY_GET("bytes", get_group_bytes),
	SAY_GET("retained", get_retained),
	SAY_GET("before", get_before, .flags = SCRY_SAY_OPTIONAL, .facts = &before_facts),
	SAY_GET("was", get_was, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts group_facts = { "heap type", group_fields,
					       (const char *const[]) {
						       "  {count,%12}  {bytes,%16}  {type:name}",
						       " (of {was,} bytes before)", "\n", NULL } };

static void each_group(const void *subject, struct scry_renderer *to)
{
	const struct scry_heap_answer *a = subject;

	for (size_t i = 0; i < a->shown; i++)
		scry_say(to, &group_facts, &a->groups[i]);
}

static void get_more(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_answer *a = subject;

	scry_said_int(ret, (int64_t)(a->group_count - a->shown));
}

/* --- objects --- */

static void say_objects(const struct scry_heap_answer *a, uint32_t type, size_t max,
			struct scry_renderer *to, const struct scry_facts *facts)
{
	uint32_t *list = malloc((max + 1) * sizeof(*list));
	size_t n = list ? scry_heap_largest(a->h, type, max, list) : 0;

	for (size_t i = 0; i < n; i++)
		scry_say(to, facts, &(struct scry_heap_item) { a->h, list[i] });
	free(list);
}

static void each_largest(const void *subject, struct scry_renderer *to)
{
	const struct scry_heap_answer *a = subject;

	if (a->type == SCRY_HEAP_NONE)
		say_objects(a, SCRY_HEAP_NONE, a->limit ? (size_t)a->limit : LARGEST, to,
			    &scry_facts_heap_item);
}

static void each_instance(const void *subject, struct scry_renderer *to)
{
	const struct scry_heap_answer *a = subject;

	if (a->type != SCRY_HEAP_NONE)
		say_objects(a, a->type,
			    scry_heap_lines(a, (size_t)a->h->types[a->type]->count,
					    a->call->json ? MANY : SCRY_HEAP_SHOWN),
			    to, &scry_facts_heap_instance);
}

static void get_omitted(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_answer *a = subject;
	size_t all = a->type == SCRY_HEAP_NONE ? 0 : (size_t)a->h->types[a->type]->count;

	scry_said_int(
		ret,
		(int64_t)(all - scry_heap_lines(a, all, a->call->json ? MANY : SCRY_HEAP_SHOWN)));
}

/* --- equal texts --- */

struct text_line {
	struct scry_heap *h;
	const struct scry_heap_text *text;
};

static bool print_text(const void *subject, struct scry_buf *out)
{
	const struct text_line *t = subject;

	return scry_heap_short_repr(t->h, t->text->first, out);
}

static bool print_bare(const void *subject, struct scry_buf *out)
{
	const struct text_line *t = subject;
	const char *text;

	if (scry_text_at(t->h->runtime, t->h->objects[t->text->first].addr, MANY, &text) < 0)
		return false;
	scry_buf_puts(out, text);
	return true;
}

#define SUBJECT struct scry_heap_text
static const struct scry_say text_fields[] = {
	SAY_PRINT("text", print_bare),
	SAY_INT("count", count),
	SAY_INT("bytes", bytes),
	SAY_PRINT("repr", print_text, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts text_facts = {
	"heap string", text_fields,
	(const char *const[]) { "  {count,%12}  {bytes,%16}  {repr}\n", NULL },
	SCRY_THROUGH(struct text_line, text)
};

static void each_text(const void *subject, struct scry_renderer *to)
{
	const struct scry_heap_answer *a = subject;
	size_t n = scry_heap_lines(a, a->text_count, a->call->json ? MANY : SCRY_HEAP_SHOWN);

	for (size_t i = 0; i < n; i++)
		scry_say(to, &text_facts, &(struct text_line) { a->h, &a->texts[i] });
}

/* --- where memory is --- */

static void each_part(const void *subject, struct scry_renderer *to)
{
	const struct scry_heap_answer *a = subject;

	for (size_t i = 0; i < a->census.count; i++)
		if (a->call->json || !a->census.parts[i].minor || a->call->verbose)
			scry_say(to, &scry_facts_heap_part, &a->census.parts[i]);
}

static void get_mapped(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct scry_heap_answer *)subject)->census.bytes);
}

/* Pages of the process, or of its dump: whichever it is, the next says. */
static void get_all_there(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_answer *a = subject;

	ret->kind = SCRY_SAID_NULL;
	if (a->census.has_there)
		scry_said_int(ret, (int64_t)a->census.there);
}

static void get_counted(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_answer *a = subject;

	scry_said_text(ret, !a->census.has_there            ? NULL
			    : a->call->s->target->ops->hold ? "resident"
							    : "in the dump");
}

static void get_others(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct scry_heap_answer *)subject)->census.others);
}

static void get_rss(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_answer *a = subject;
	uint64_t bytes;

	ret->kind = SCRY_SAID_NULL;
	if (scry_heap_resident(a->h, &bytes))
		scry_said_int(ret, (int64_t)bytes);
}

/* --- what would go with an object --- */

struct kept {
	struct scry_heap_item item; /* first: it is one */
	const struct scry_retained *retained;
};

static void get_kept_objects(const void *subject, struct scry_said *ret)
{
	const struct kept *k = subject;

	scry_said_int(ret, (int64_t)k->retained->count[k->item.object]);
}

static void get_kept_bytes(const void *subject, struct scry_said *ret)
{
	const struct kept *k = subject;

	scry_said_int(ret, (int64_t)k->retained->bytes[k->item.object]);
}

static const struct scry_say kept_fields[] = {
	SAY_GET("address", scry_heap_item_address), SAY_GET("type", scry_heap_item_type),
	SAY_PRINT("repr", scry_heap_item_repr),     SAY_GET("objects", get_kept_objects),
	SAY_GET("bytes", get_kept_bytes),           SAY_END,
};

static const struct scry_facts kept_facts = {
	"retained", kept_fields,
	(const char *const[]) { "  {bytes,%16}  {objects,%10}  {type:name} {address}", " {repr}",
				"\n", NULL }
};

/* The largest of those that `under` dominates directly, or the roots. */
static void each_kept(const void *subject, struct scry_renderer *to)
{
	const struct scry_heap_answer *a = subject;
	size_t max = a->limit ? (size_t)a->limit : SCRY_HEAP_SHOWN;
	uint32_t *list = a->want_retained ? malloc((max + 1) * sizeof(*list)) : NULL;
	size_t n = list ? scry_retained_largest(a->h, &a->retained, a->under, max, list) : 0;

	for (size_t i = 0; i < n; i++)
		scry_say(to, &kept_facts, &(struct kept) { { a->h, list[i] }, &a->retained });
	free(list);
}

static void get_want_retained(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_heap_answer *)subject)->want_retained);
}

/* --- all of it --- */

static void get_objects(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct scry_heap_answer *)subject)->h->count);
}

static void get_bytes(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct scry_heap_answer *)subject)->h->bytes);
}

static void get_texts(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_heap_answer *)subject)->want_texts);
}

static void get_whole(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_heap_answer *)subject)->type == SCRY_HEAP_NONE);
}

#define SUBJECT struct scry_heap_answer
static const struct scry_say diff_fields[] = {
	SAY_TEXT("with", diff),
	SAY_INT("objects", before_objects),
	SAY_INT("bytes", before_bytes),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts diff_facts = { "heap before", diff_fields, NULL };

static void get_diff(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_NULL;
	if (((const struct scry_heap_answer *)subject)->diff)
		scry_said_facts(ret, &diff_facts, subject);
}

static void get_since(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_heap_answer *)subject)->diff);
}

static const struct scry_say heap_fields[] = {
	SAY_GET("objects", get_objects),
	SAY_GET("bytes", get_bytes),
	SAY_LIST("types", &group_facts, each_group),
	SAY_LIST("largest", &scry_facts_heap_item, each_largest),
	SAY_LIST("strings", &text_facts, each_text),
	SAY_LIST("instances", &scry_facts_heap_instance, each_instance),
	SAY_LIST("retained", &kept_facts, each_kept),
	SAY_LIST("memory", &scry_facts_heap_part, each_part),
	SAY_GET("rss", get_rss),
	SAY_GET("mapped", get_mapped),
	SAY_GET("there", get_all_there),
	SAY_GET("counted", get_counted),
	SAY_GET("not_python", get_others),
	SAY_GET("omitted", get_omitted),
	SAY_GET("diff", get_diff, .flags = SCRY_SAY_OPTIONAL, .facts = &diff_facts),
	SAY_GET("since", get_since, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("more", get_more, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("retains", get_want_retained, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("texts", get_texts, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("whole", get_whole, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const char *const heap_text[] = {
	"{objects,} object{objects+}, {bytes,} bytes\n",
	"{?retains}What would go with an object, and how many objects:\n{retained}",
	"Growth since {since}:\n",
	"{?whole}         count             bytes  type\n{types}",
	"{?more}  ... {more,} more\n",
	"{?texts}Equal strings, those first whose copies take the most:\n"
	"         count             bytes  string\n{strings}",
	"{?whole}The largest, with their own tables:\n{largest}",
	"|{types}{instances}",
	"{?omitted}  ... {omitted,} more\n",
	"{?whole}Memory of the process:\n            mapped",
	"       {counted%11}",
	"{?whole}\n{memory}",
	"{?whole}  {mapped,%16}  {there,%16}  all of it\n",
	"|{?whole}  {mapped,%16}                    all of it\n",
	"{?whole}  {rss,%34}  resident, as the system counts it\n",
	"{?whole}  {not_python,%34}  not Python's: no blocks, objects or frames of it\n",
	NULL,
};

static const struct scry_facts heap_facts = { "heap", heap_fields, heap_text };
static const struct scry_say answer_fields[] = { SAY_SELF("heap", &heap_facts), SAY_END };
static const struct scry_facts answer_facts = { "heap answer", answer_fields,
						(const char *const[]) { "{heap}", NULL } };

/* --- the command --- */

static int find_retained(struct scry_heap_answer *a)
{
	struct scry_graph *g;
	uint64_t addr;
	const char *under = scry_call_flag(a->call, "under"), *by = scry_call_flag(a->call, "by");
	int rc = SCRY_OK;

	a->under = SCRY_HEAP_NONE;
	if (under) {
		a->under = scry_parse_number(under, &addr) ? scry_heap_find(a->h, addr)
							   : SCRY_HEAP_NONE;
		if (a->under == SCRY_HEAP_NONE)
			return scry_fail(a->call->s, SCRY_ENOTFOUND, 0,
					 "--under wants an object's address, not '%.100s'", under);
	}
	a->want_retained = under || (by && !strcmp(by, "retained"));
	if (a->want_retained)
		rc = scry_graph_of(a->h, &g);
	if (a->want_retained && rc == SCRY_OK)
		rc = scry_graph_retained(g, &a->retained);
	return rc;
}

static int find_type(struct scry_heap_answer *a)
{
	const char *wanted = a->call->argc ? a->call->argv[0] : NULL, *dot;
	uint64_t most = 0;

	a->type = SCRY_HEAP_NONE;
	for (size_t i = 0; wanted && i < a->h->type_count; i++) {
		const char *name = scry_heap_type_name(a->h, a->h->types[i]);

		bool exact = !strcmp(name, wanted);
		uint64_t weight = a->h->types[i]->count + (exact ? UINT32_MAX : 0);

		dot = strrchr(name, '.');
		if ((!exact && (!dot || strcmp(dot + 1, wanted))) || weight <= most)
			continue;
		a->type = (uint32_t)i;
		most = weight;
	}
	if (wanted && a->type == SCRY_HEAP_NONE)
		return scry_fail(a->call->s, SCRY_ENOTFOUND, 0, "no object of a type '%.100s'",
				 wanted);
	return SCRY_OK;
}

static int run_heap(struct scry_call *call)
{
	struct scry_heap_answer a = { .call = call,
				      .limit = call->s->options.limit[SCRY_LIMIT_FRAMES] };
	const struct scry_heap_order *order = scry_heap_order_of(call);
	int rc = order ? scry_heap_first(call, &a.h) : SCRY_EINVAL;

	rc = rc < 0 ? rc : find_type(&a);
	rc = rc < 0 ? rc : find_retained(&a);
	rc = rc < 0 ? rc : scry_heap_groups(&a, order);
	a.want_texts = scry_call_flag(call, "strings") != NULL;
	if (rc == SCRY_OK && a.want_texts && a.h->runtime->strategy->model != SCRY_MODEL_CPYTHON)
		rc = scry_fail(call->s, SCRY_EUNSUPPORTED, 0,
			       "%sheap --strings does not know the texts of %s",
			       call->s->options.prefix, a.h->runtime->name);
	if (rc == SCRY_OK && a.want_texts)
		rc = scry_heap_texts(a.h, &a.texts, &a.text_count);
	if (rc == SCRY_OK && (call->json || a.type == SCRY_HEAP_NONE))
		rc = scry_census_take(a.h, &a.census);
	if (rc == SCRY_OK)
		scry_say_fields(&call->render.to, &answer_facts, &a);
	free(a.texts);
	scry_retained_done(&a.retained);
	return rc;
}

static const struct scry_flag heap_flags[] = {
	{ "by", 'b', "WHAT", "sort by size, count, type or retained, or sum up by module",
	  "size count type retained module" },
	{ "under", 'u', "ADDRESS", "what would go with this object, by what it keeps alive" },
	{ "diff", 'd', "OTHER", "what has grown since OTHER: an answer of heap --json, or a dump" },
	{ "strings", 's', NULL, "strings that are there more than once" },
	{ NULL },
};

const struct scry_command_row scry_command_heap = {
	.public = { "heap",
		    "[--by type|size|count|retained|module] [--under ADDRESS] [--limit N] "
		    "[--strings] [--diff OTHER] "
		    "[TYPE]",
		    "Show how many objects there are of each type, and what fills the memory.",
		    "All objects are counted, not only those that the collector knows: strings, "
		    "numbers and untracked\n"
		    "tuples too. Bytes are those of sys.getsizeof(), with the tables that belong "
		    "to the object alone.\n"
		    "With a TYPE (\"module.Type\" or its last part) its instances follow, the "
		    "largest first.\n"
		    "--by retained: what would go with an object, since nothing else keeps it "
		    "alive (the object dominates\n"
		    "it on every path from modules, threads, frames and the data of files). "
		    "--under goes on from one.\n"
		    "--diff: count, bytes and retained are the growth since an answer of heap "
		    "--json, or since another\n"
		    "dump; what has not changed is left out.\n"
		    "Last, where the process's memory is, each byte once, and how much of it has "
		    "pages: resident ones, or\n"
		    "ones in the dump. With -v blocks by size, free chunks by list, and each file.",
		    0 },
	.run = run_heap,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.flags = heap_flags,
	.max_args = 1,
};
