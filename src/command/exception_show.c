/* An exception: with traceback, attributes, members and what led to it. */
#include "command/exception_show.h"

#include <string.h>

#define CHAIN_MAX   50     /* links of one chain of causes that are shown */
#define REST_MAX    100000 /* of the rest, that are counted */
#define NESTING_MAX 20     /* groups within one another */
#define SHOWN_MAX   1000   /* exceptions below one that somebody has */

/* --- an exception that is shown --- */

struct shown_exception {
	struct scry_shown *shown;
	struct scry_exception e;
	unsigned depth;
	const char *head; /* before its type: text only */
	bool repeated;    /* it was shown before */
	bool truncated;   /* past a limit: not gone into */
	/* set while its lists are written */
	bool more_notes, more_attributes, more_members;
	uint64_t omitted; /* entries of the traceback */
};

static struct shown_exception *exception_of(const void *subject)
{
	return (struct shown_exception *)(uintptr_t)subject;
}

/* Text is read by people: it ends where they asked. JSON has all up to what is plausible. */
static bool is_past(const struct scry_shown *shown, uint64_t n)
{
	uint64_t limit =
		shown->call->json ? SHOWN_MAX : shown->call->s->options.limit[SCRY_LIMIT_ITEMS];

	return limit && n >= limit;
}

/* Two blanks for each level: groups nest NESTING_MAX deep, and a chain's links are one deeper. */
static const char *indent_at(unsigned depth)
{
	static const char blanks[] = "                                                            "
				     "                                                            ";
	size_t len = 2 * (size_t)depth + 2, most = sizeof(blanks) - 1;

	return blanks + (len < most ? most - len : 0);
}

static void get_indent(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, indent_at(exception_of(subject)->depth));
}

/* Of what belongs to it. */
static void get_below(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, indent_at(exception_of(subject)->depth + 1));
}

/* --- one that cannot be read --- */

struct unreadable {
	scry_addr addr;
	const char *head, *error, *indent;
};

#define SUBJECT struct unreadable
static const struct scry_say unreadable_fields[] = {
	SAY_ADDR("id", addr),
	SAY_TEXT("error", error),
	SAY_TEXT("head", head, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("indent", indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts unreadable_facts = {
	"unreadable", unreadable_fields,
	(const char *const[]) { "{indent}{head}<unreadable at {id}: {error}>\n", NULL }
};

void scry_say_unreadable(struct scry_shown *shown, scry_addr addr, const char *head, unsigned depth)
{
	struct scry_call *call = shown->call;

	scry_say(&call->render.to, &unreadable_facts,
		 &(struct unreadable) { addr, head, call->s->error.text, indent_at(depth) });
	call->partial = true;
}

/* --- what belongs to it --- */

struct note {
	const char *text, *indent;
};

#define SUBJECT struct note
static const struct scry_say note_fields[] = {
	SAY_TEXT("text", text),
	SAY_TEXT("indent", indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts note_facts = {
	"note", note_fields, (const char *const[]) { "{indent}note: {text}\n", NULL }, .bare = true
};

static void each_note(const void *subject, struct scry_renderer *to)
{
	struct shown_exception *it = exception_of(subject);
	struct note note = { .indent = indent_at(it->depth + 1) };
	uint64_t at = 0;

	for (uint64_t n = 0; scry_exception_note_next(&it->e, &at, &note.text) == SCRY_ITEM; n++) {
		it->more_notes = is_past(it->shown, n);
		if (it->more_notes)
			break;
		scry_say(to, &note_facts, &note);
	}
}

struct attribute {
	struct scry_runtime *runtime;
	const char *name, *indent;
	scry_addr value;
};

static bool print_attribute(const void *subject, struct scry_buf *out)
{
	const struct attribute *a = subject;

	scry_repr(a->runtime, a->value, out);
	return true;
}

#define SUBJECT struct attribute
static const struct scry_say attribute_fields[] = {
	SAY_TEXT("name", name),
	SAY_PRINT("repr", print_attribute),
	SAY_TEXT("indent", indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts attribute_facts = {
	"attribute", attribute_fields,
	(const char *const[]) { "{indent}.{name:name} = {repr}\n", NULL }
};

static void each_attribute(const void *subject, struct scry_renderer *to)
{
	struct shown_exception *it = exception_of(subject);
	struct attribute a = { it->shown->runtime, NULL, indent_at(it->depth + 1), 0 };
	struct scry_exception_attrs at = { 0 };

	for (uint64_t n = 0;
	     scry_exception_attr_next(&it->e, &at, &a.name, &a.value) == SCRY_ITEM;) {
		if (!strcmp(a.name, "__notes__"))
			continue;
		it->more_attributes = is_past(it->shown, n++);
		if (it->more_attributes)
			break;
		scry_say(to, &attribute_facts, &a);
	}
}

static void each_frame(const void *subject, struct scry_renderer *to)
{
	struct shown_exception *it = exception_of(subject);

	(void)to;
	it->omitted = scry_say_traceback(it->shown, it->e.traceback);
}

static void get_omitted(const void *subject, struct scry_said *ret)
{
	if (exception_of(subject)->omitted)
		scry_said_int(ret, (int64_t)exception_of(subject)->omitted);
}

/* --- those that led to it: as objects within it --- */

static void say_related(const void *subject, scry_addr addr, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_NULL;
	if (addr)
		scry_said_exception(ret, exception_of(subject)->shown, NULL, addr,
				    exception_of(subject)->depth + 1);
}

static void get_cause(const void *subject, struct scry_said *ret)
{
	say_related(subject, exception_of(subject)->e.cause, ret);
}

static void get_context(const void *subject, struct scry_said *ret)
{
	say_related(subject, exception_of(subject)->e.context, ret);
}

static void each_member(const void *subject, struct scry_renderer *to)
{
	struct shown_exception *it = exception_of(subject);
	uint64_t at = 0;
	scry_addr addr;

	for (uint64_t n = 0;
	     n < SHOWN_MAX && scry_exception_member_next(&it->e, &at, &addr) == SCRY_ITEM; n++) {
		SCRY_AUTO_SAID(member);

		scry_said_exception(&member, it->shown, NULL, addr, it->depth + 1);
		scry_say(to, member.facts, member.subject);
	}
}

/* The same for text: each with the chain of what led to it. */
static void each_chain(const void *subject, struct scry_renderer *to)
{
	struct shown_exception *it = exception_of(subject);
	struct scry_shown *shown = it->shown;
	struct scry_exception member;
	uint64_t at = 0;
	scry_addr addr;
	int rc = SCRY_OK;

	(void)to;
	for (uint64_t n = 0; (rc = scry_exception_member_next(&it->e, &at, &addr)) == SCRY_ITEM;
	     n++) {
		it->more_members =
			is_past(shown, n) || it->depth >= NESTING_MAX || shown->count >= SHOWN_MAX;
		if (it->more_members)
			return;
		if (scry_exception_at(shown->runtime, addr, &member) < 0)
			scry_say_unreadable(shown, addr, "member: ", it->depth + 1);
		else
			scry_say_chain(shown, &member, "member: ", it->depth + 1);
	}
	if (rc < 0)
		scry_say_unreadable(shown, it->e.group, "members: ", it->depth + 1);
}

/* --- all of it --- */

static bool print_args(const void *subject, struct scry_buf *out)
{
	const struct shown_exception *it = subject;

	if (it->e.args)
		scry_repr(it->shown->runtime, it->e.args, out);
	return it->e.args;
}

/* For text: in the place of a message that only its own code could make. */
static bool print_for_message(const void *subject, struct scry_buf *out)
{
	const struct shown_exception *it = subject;

	if (!it->e.message)
		scry_repr(it->shown->runtime, it->e.args, out);
	return !it->e.message;
}

static void get_some_message(const void *subject, struct scry_said *ret)
{
	const char *message = exception_of(subject)->e.message;

	scry_said_text(ret, message && *message ? message : NULL);
}

static void get_truncated(const void *subject, struct scry_said *ret)
{
	if (exception_of(subject)->truncated)
		scry_said_bool(ret, true);
}

#define SUBJECT struct shown_exception
static const struct scry_say inner_fields[] = {
	SAY_BOOL("suppress_context", e.suppress_context),
	SAY_LIST("frames", &scry_facts_frame, each_frame),
	SAY_GET("omitted", get_omitted),
	SAY_LIST("notes", &note_facts, each_note),
	SAY_MAP("attributes", &attribute_facts, each_attribute),
	SAY_LIST("members", &scry_facts_exception, each_member),
	SAY_GET("cause", get_cause, .facts = &scry_facts_exception),
	SAY_GET("context", get_context, .facts = &scry_facts_exception),
	SAY_END,
};
static const struct scry_facts inner_facts = { "exception's own", inner_fields, NULL };

static void get_inner(const void *subject, struct scry_said *ret)
{
	const struct shown_exception *it = subject;

	ret->kind = it->repeated || it->truncated ? SCRY_SAID_ABSENT : SCRY_SAID_FIELDS;
	ret->facts = &inner_facts;
	ret->subject = subject;
}

static const char *const inside[] = {
	"{notes}",
	"{?more_notes}{below}… more notes\n",
	"{attributes}",
	"{?more_attributes}{below}… more attributes\n",
	"{?traceback}{indent}traceback (most recent call last):\n",
	"{?traceback}{frames}",
	"{chains}",
	"{?more_members}{below}… more members\n",
	NULL,
};

static const struct scry_say exception_fields[] = {
	SAY_ID("id", e.addr),
	SAY_TEXT("type", e.type_name),
	SAY_TEXT("message", e.message),
	SAY_PRINT("args", print_args),
	SAY_BOOL("repeated", repeated),
	SAY_GET("truncated", get_truncated),
	SAY_GET("", get_inner, .facts = &inner_facts),
	SAY_TEXT("head", head, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("indent", get_indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("below", get_below, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("some_message", get_some_message, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("for_message", print_for_message, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("not_made", e.not_made, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("more_notes", more_notes, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("more_attributes", more_attributes, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("more_members", more_members, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ID("traceback", e.traceback, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_LIST("chains", NULL, each_chain, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("inside", inside, NULL),
	SAY_END,
};
#undef SUBJECT

static const char *const exception_text[] = {
	"{indent}{head}{type:error=}",
	": {some_message}",
	"|{for_message} (its args: its own __str__ is not run)",
	"{?not_made} (its class and value: there is no instance yet)",
	"{?repeated} (shown above)",
	"\n",
	"{!repeated}{inside}",
	NULL,
};

const struct scry_facts *const scry_exception_kinds[] = { &unreadable_facts, NULL };
const struct scry_facts scry_facts_exception = { "exception", exception_fields, exception_text };

void scry_said_exception(struct scry_said *ret, struct scry_shown *shown,
			 const struct scry_exception *e, scry_addr addr, unsigned depth)
{
	struct scry_arena *arena = &shown->call->s->arena;
	struct shown_exception *it = scry_arena_alloc(arena, sizeof(*it));

	ret->kind = SCRY_SAID_NULL;
	if (!it)
		return;
	*it = (struct shown_exception) { .shown = shown, .depth = depth, .head = "" };
	if (!e && scry_exception_at(shown->runtime, addr, &it->e) < 0) {
		struct unreadable *bad = scry_arena_alloc(arena, sizeof(*bad));

		shown->call->partial = true;
		if (bad)
			*bad = (struct unreadable) { addr, "", shown->call->s->error.text, "" };
		scry_said_facts(ret, &unreadable_facts, bad);
		return;
	}
	if (e)
		it->e = *e;
	it->truncated = depth > CHAIN_MAX || shown->count >= SHOWN_MAX;
	it->repeated = !it->truncated && it->e.addr && scry_hash_add(&shown->seen, it->e.addr) <= 0;
	shown->count += !it->truncated && !it->repeated;
	scry_said_facts(ret, &scry_facts_exception, it);
}

/* --- a chain: for text, one below the other --- */

/* What Python would print before it: its cause, else its context; 0 none. */
static scry_addr link_of(const struct scry_exception *e)
{
	return e->cause ? e->cause : e->suppress_context ? 0 : e->context;
}

/* The end of a chain that is not shown. */
struct rest {
	uint64_t count;
	bool cut; /* there are more */
	const char *indent;
};

#define SUBJECT struct rest
static const struct scry_say rest_fields[] = {
	SAY_INT("count", count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("cut", cut, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("indent", indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const rest_text[] = {
	"{indent}… ",
	"{?cut}at least ",
	"{count,} more exception{count+} before it\n",
	NULL,
};

static const struct scry_facts rest_facts = { "rest", rest_fields, rest_text, .text_only = true };

static void say_rest(struct scry_shown *shown, scry_addr addr, unsigned depth)
{
	struct rest rest = { .indent = indent_at(depth) };
	struct scry_exception e;

	while (addr && rest.count < REST_MAX && scry_hash_add(&shown->seen, addr) > 0 &&
	       scry_exception_at(shown->runtime, addr, &e) == SCRY_OK) {
		addr = link_of(&e);
		rest.count++;
	}
	rest.cut = rest.count >= REST_MAX;
	scry_say(&shown->call->render.to, &rest_facts, &rest);
}

/* False where it was shown before. */
static bool say_link(struct scry_shown *shown, const struct scry_exception *e, const char *head,
		     unsigned depth)
{
	struct shown_exception it = { .shown = shown, .e = *e, .depth = depth, .head = head };

	it.repeated = e->addr && scry_hash_add(&shown->seen, e->addr) <= 0;
	shown->count += !it.repeated;
	scry_say(&shown->call->render.to, &scry_facts_exception, &it);
	return !it.repeated;
}

void scry_say_chain(struct scry_shown *shown, const struct scry_exception *first, const char *head,
		    unsigned depth)
{
	struct scry_exception e = *first;

	for (unsigned n = 1; say_link(shown, &e, head, depth); n++) {
		scry_addr link = link_of(&e);

		if (n == 1)
			depth++;
		if (!link)
			return;
		if (n >= CHAIN_MAX || shown->count >= SHOWN_MAX) {
			say_rest(shown, link, depth);
			return;
		}
		head = e.cause ? "directly caused by: " : "raised while handling: ";
		if (scry_exception_at(shown->runtime, link, &e) < 0) {
			scry_say_unreadable(shown, link, head, depth);
			return;
		}
	}
}
