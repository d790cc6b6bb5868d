/* refs: who refers to an object, and what keeps it alive. */
#include <stdlib.h>
#include <string.h>

#include "command/cvars.h"
#include "command/heap_show.h"
#include "eval/expr.h"
#include "heap/referrers.h"
#include "native/place.h"
#include "object/whatis.h"

#define SHOWN          50 /* references in text, where no limit was given */
#define PATH_MAX_STEPS 64

struct answer {
	struct scry_call *call;
	struct scry_heap *h;
	struct scry_refs refs;
	struct scry_graph *graph;
	uint32_t *reach; /* --path; NULL: not asked for */
	struct scry_whatis w;
	size_t shown;
};

/* One of its references, or a step on the way to one. */
struct line {
	const struct answer *a;
	const struct scry_found_ref *ref;
	struct scry_heap_item item; /* a step: who, and how it refers to the one before */
	const char *slot;
};

/* --- steps --- */

static void get_step_address(const void *subject, struct scry_said *ret)
{
	scry_heap_item_address(&((const struct line *)subject)->item, ret);
}

static void get_step_type(const void *subject, struct scry_said *ret)
{
	scry_heap_item_type(&((const struct line *)subject)->item, ret);
}

#define SUBJECT struct line
static const struct scry_say step_fields[] = {
	SAY_GET("address", get_step_address),
	SAY_GET("type", get_step_type),
	SAY_TEXT("slot", slot),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts step_facts = {
	"step", step_fields, (const char *const[]) { " <- {slot} of {type} {address}", NULL }
};

static void say_step(const struct answer *a, uint32_t who, uint32_t to, struct scry_renderer *to_r)
{
	scry_say(to_r, &step_facts,
		 &(struct line) {
			 .a = a, .item = { a->h, who }, .slot = scry_edge_text(a->h, who, to) });
}

/* From who refers up to the root; or, of a holder, from the object up to it. */
static void each_step(const void *subject, struct scry_renderer *to)
{
	const struct line *line = subject;
	const struct answer *a = line->a;
	uint32_t at = line->ref->object;

	if (line->ref->path) {
		uint32_t below = a->refs.target;

		for (size_t i = line->ref->path_len; i-- > 0; below = line->ref->path[i])
			say_step(a, line->ref->path[i], below, to);
		return;
	}
	for (unsigned n = 0; a->reach && at != SCRY_HEAP_NONE && n < PATH_MAX_STEPS; n++) {
		uint32_t up = a->reach[at];

		if (up == SCRY_REACHED_NOT || up & SCRY_REACHED_ROOT)
			break;
		say_step(a, up, at, to);
		at = up;
	}
}

static const struct scry_root *root_of(const struct line *line)
{
	const struct answer *a = line->a;
	uint32_t at = line->ref->object;

	for (size_t n = 0; a->reach && at != SCRY_HEAP_NONE && n < a->h->count; n++) {
		uint32_t up = a->reach[at];

		if (up == SCRY_REACHED_NOT)
			return NULL;
		if (up & SCRY_REACHED_ROOT)
			return &a->graph->roots[up & ~SCRY_REACHED_ROOT];
		at = up;
	}
	return NULL;
}

static void get_root(const void *subject, struct scry_said *ret)
{
	const struct line *line = subject;
	const struct scry_root *root = root_of(line);

	if (line->ref->cycle)
		scry_said_text(ret, "cycle");
	else if (line->ref->object == SCRY_HEAP_NONE)
		scry_said_text(ret, scry_from_names[line->ref->kind]);
	else
		scry_said_text(ret, root ? scry_root_names[root->kind] : NULL);
}

/* --- who refers --- */

static bool read_frame(const struct line *line, struct scry_frame *f)
{
	return line->ref->frame &&
	       scry_frame_at(line->a->h->runtime, line->ref->frame, f) == SCRY_OK && f->code;
}

/*
 * The C frame that a word of a stack is in: from its stack pointer to that of its caller. None
 * where those may be of other frames.
 */
static const struct scry_native_frame *c_frame(const struct line *line, struct scry_frames **ret)
{
	struct scry_session *s = line->a->call->s;
	struct scry_thread *t = line->ref->kind != SCRY_FROM_STACK || !line->ref->thread
					? NULL
					: scry_thread_first(s);

	while (t && t != line->ref->thread)
		t = t->next;
	*ret = t ? scry_call_frames(line->a->call, t) : NULL;
	for (size_t i = 0; *ret && i + 1 < (*ret)->count; i++) {
		const struct scry_native_frame *f = &(*ret)->frames[i];
		unsigned sp = f->regs.arch->sp;

		if (line->ref->from >= f->regs.value[sp] && line->ref->from < f[1].regs.value[sp])
			return f[1].after_guess ? NULL : f;
	}
	return NULL;
}

/* The innermost function there, inlined or not, and its line. */
static const struct scry_c_function *c_function(const struct line *line)
{
	struct scry_session *s = line->a->call->s;
	struct scry_frames *frames;
	const struct scry_native_frame *f = c_frame(line, &frames);
	scry_addr pc = f ? f->pc - f->is_call : 0;
	struct scry_place *place = f ? scry_place_at(s, pc) : NULL;

	if (place)
		scry_place_functions(s, place, pc);
	return place && place->count ? &place->functions[0] : NULL;
}

static void get_function(const void *subject, struct scry_said *ret)
{
	const struct scry_c_function *c = c_function(subject);
	struct scry_frame f;

	scry_said_text(ret, c                          ? c->name
			    : !read_frame(subject, &f) ? NULL
			    : f.code->qualname         ? f.code->qualname
						       : f.code->name);
}

static void get_line(const void *subject, struct scry_said *ret)
{
	const struct scry_c_function *c = c_function(subject);
	struct scry_location at = { 0 };
	struct scry_frame f;

	ret->kind = SCRY_SAID_NULL;
	if (c && c->line > 0)
		scry_said_int(ret, c->line);
	else if (read_frame(subject, &f) && scry_frame_location(&f, &at) == SCRY_OK && at.line)
		scry_said_int(ret, at.line);
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, scry_from_names[((const struct line *)subject)->ref->kind]);
}

static void get_address(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, ((const struct line *)subject)->ref->from);
}

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct line *line = subject;

	ret->kind = SCRY_SAID_NULL;
	if (line->ref->object != SCRY_HEAP_NONE)
		scry_said_text(
			ret, scry_heap_type_name(line->a->h,
						 scry_heap_type_of(line->a->h, line->ref->object)));
}

static bool print_repr(const void *subject, struct scry_buf *out)
{
	const struct line *line = subject;

	if (line->ref->object == SCRY_HEAP_NONE)
		return false;
	return scry_heap_short_repr(line->a->h, line->ref->object, out);
}

static void get_thread(const void *subject, struct scry_said *ret)
{
	const struct scry_found_ref *ref = ((const struct line *)subject)->ref;

	ret->kind = SCRY_SAID_NULL;
	if (ref->thread || ref->os)
		scry_said_int(ret, (int64_t)(ref->thread ? ref->thread->tid : ref->os->tid));
}

static void get_is_c(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, c_function(subject) != NULL);
}

static const struct scry_say from_fields[] = {
	SAY_GET("kind", get_kind),
	SAY_GET("address", get_address),
	SAY_GET("type", get_type),
	SAY_PRINT("repr", print_repr),
	SAY_GET("thread", get_thread),
	SAY_GET("function", get_function),
	SAY_GET("line", get_line),
	SAY_GET("c", get_is_c, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const char *const from_text[] = {
	"{function} (line {line})",
	"|{?c}{function}",
	"|{?repr}{type:name} {address} {repr}",
	"|{type:name} {address}",
	"|{kind} {address}",
	"|{kind}",
	"{?c}, C stack",
	", thread {thread}",
	NULL,
};
static const struct scry_facts from_facts = { "referrer", from_fields, from_text };

/* Of a word of a stack the C variable there, where debug information names it. */
static bool print_slot(const void *subject, struct scry_buf *out)
{
	const struct line *line = subject;
	struct scry_frames *frames;
	const struct scry_native_frame *f = c_frame(line, &frames);

	if (f)
		return scry_name_of_address(frames, (size_t)(f - frames->frames), line->ref->from,
					    out);
	if (line->ref->slot)
		scry_buf_puts(out, line->ref->slot);
	return line->ref->slot;
}

static void get_offset(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct line *)subject)->ref->offset);
}

static void get_certain(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct line *)subject)->ref->certain);
}

static const struct scry_say ref_fields[] = {
	SAY_SELF("from", &from_facts),
	SAY_PRINT("slot", print_slot),
	SAY_GET("offset", get_offset),
	SAY_LIST("path", &step_facts, each_step),
	SAY_GET("root", get_root),
	SAY_GET("certain", get_certain),
	SAY_END,
};
static const char *const ref_text[] = {
	"  {slot} of {from}",
	"|  {from}",
	"{?offset}, to byte {offset,}",
	"{path}",
	"   root: {root}",
	"{!certain}{:dim} (it may not be one){}",
	"\n",
	NULL,
};
static const struct scry_facts ref_facts = { "reference", ref_fields, ref_text };

static void each_ref(const void *subject, struct scry_renderer *to)
{
	const struct answer *a = subject;

	for (size_t i = 0; i < a->shown; i++)
		scry_say(to, &ref_facts, &(struct line) { .a = a, .ref = &a->refs.list[i] });
}

/* --- the object --- */

static void get_target_address(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, ((const struct answer *)subject)->w.addr);
}

static void get_target_type(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct answer *)subject)->w.type_name);
}

static bool print_target(const void *subject, struct scry_buf *out)
{
	const struct answer *a = subject;

	return scry_heap_short_repr(a->h, a->refs.target, out);
}

/* Of a biased one both counts. */
static void get_refcount(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct answer *)subject)->w;

	ret->kind = SCRY_SAID_NULL;
	if (!w->immortal && ((const struct answer *)subject)->h->kind->counts)
		scry_said_int(ret, w->refcount + (w->biased ? w->shared : 0));
}

static void get_counts(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct answer *)subject)->h->kind->counts);
}

static const struct scry_say target_fields[] = {
	SAY_GET("address", get_target_address),
	SAY_GET("type", get_target_type),
	SAY_PRINT("repr", print_target),
	SAY_GET("refcount", get_refcount),
	SAY_GET("counts", get_counts, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts target_facts = {
	"referred", target_fields,
	(const char *const[]) { "{type:name} {address}", " {repr}",
				": {refcount} reference{refcount+}",
				"|{!counts}: references are not counted", "|: it never dies", NULL }
};

static void get_found(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, (int64_t)((const struct answer *)subject)->refs.found);
}

static void get_more(const void *subject, struct scry_said *ret)
{
	const struct answer *a = subject;

	scry_said_int(ret, (int64_t)(a->refs.count - a->shown));
}

static const struct scry_say refs_fields[] = {
	SAY_SELF("object", &target_facts),
	SAY_GET("found", get_found),
	SAY_LIST("references", &ref_facts, each_ref),
	SAY_GET("omitted", get_more),
	SAY_END,
};
static const char *const refs_text[] = {
	"{object}, {found} found\n{references}",
	"{?omitted}  ... {omitted,} more\n",
	NULL,
};
static const struct scry_facts refs_facts = { "references", refs_fields, refs_text };
static const struct scry_say answer_fields[] = { SAY_SELF("refs", &refs_facts), SAY_END };
static const struct scry_facts answer_facts = { "refs answer", answer_fields,
						(const char *const[]) { "{refs}", NULL } };

/* --- the command --- */

static int find_target(struct scry_call *call, scry_addr *ret)
{
	struct scry_value value = { 0 };
	struct scry_thread *t;
	struct scry_frame f;

	if (scry_parse_number(call->argv[0], ret))
		return SCRY_OK;
	bool has_frame = scry_selected_frame(call->s, &t, &f) == SCRY_OK && f.code;
	int rc = scry_eval(call->s, has_frame ? &f : NULL, call->argv[0], &value);

	if (rc == SCRY_OK && !value.addr)
		return scry_fail(call->s, SCRY_EINVAL, 0, "'%.100s' is no object of the target",
				 call->argv[0]);
	*ret = value.addr;
	return rc;
}

/* The object at an address, or the one that it lies in. */
static int find_object(struct answer *a, scry_addr addr, uint32_t *ret)
{
	*ret = scry_heap_find(a->h, addr);
	if (*ret == SCRY_HEAP_NONE)
		*ret = scry_heap_inside(a->h, addr);
	if (*ret == SCRY_HEAP_NONE)
		return scry_fail(a->call->s, SCRY_ENOTFOUND, addr,
				 "no object of the heap at 0x%" PRIx64, addr);
	addr = a->h->objects[*ret].addr;
	if (a->h->kind->counts)
		return scry_whatis(a->h->runtime, addr, &a->w);
	a->w = (struct scry_whatis) {
		.addr = addr, .type_name = scry_heap_type_name(a->h, scry_heap_type_of(a->h, *ret))
	};
	return SCRY_OK;
}

static int run_refs(struct scry_call *call)
{
	struct answer a = { .call = call };
	bool holders = scry_call_flag(call, "holders") != NULL;
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_FRAMES];
	uint32_t target;
	scry_addr addr;

	if (!call->argc)
		return scry_fail(call->s, SCRY_EINVAL, 0, "usage: %s%s %s", call->s->options.prefix,
				 call->row->public.name, call->row->public.usage);
	int rc = scry_heap_first(call, &a.h);

	rc = rc < 0 ? rc : find_target(call, &addr);
	rc = rc < 0 ? rc : find_object(&a, addr, &target);
	if (rc >= 0)
		rc = holders ? scry_refs_holders(a.h, target, &a.refs)
			     : scry_refs_find(a.h, target, true, &a.refs);
	if (rc < 0)
		return rc;
	if (scry_call_flag(call, "path")) {
		rc = scry_graph_of(a.h, &a.graph);
		rc = rc < 0 ? rc : scry_graph_reach(a.graph, target, &a.reach);
	}
	if (!limit && !scry_call_flag(call, "all"))
		limit = call->json ? 1000 : SHOWN;
	a.shown = limit && limit < a.refs.count ? (size_t)limit : a.refs.count;
	if (rc == SCRY_OK)
		scry_say_fields(&call->render.to, &answer_facts, &a);
	free(a.reach);
	scry_refs_done(&a.refs);
	return rc;
}

static const struct scry_flag flags[] = {
	{ "path", 'p', NULL, "the shortest way from a root to each that refers to it" },
	{ "holders", 'o', NULL, "only frames, tasks, tracebacks and threads that keep it alive" },
	{ "all", 'a', NULL, "all references, however many" },
	{ NULL },
};

const struct scry_command_row scry_command_refs = {
	.public = { "refs", "[--path] [--holders] [--all] ADDRESS|EXPR",
		    "Show who refers to an object, and what keeps it alive.",
		    "Objects with the slot that refers, frames with the variable, threads, the "
		    "data of files, C stacks,\n"
		    "registers, and memory of C code. Beside the object's reference count stands "
		    "how many of the\n"
		    "references in it were found; what only looks like a reference is marked, and "
		    "not among these. A\n"
		    "pointer to any byte of the object counts as one that may be: in C variables, "
		    "by module and symbol, or\n"
		    "on stacks by thread, function and variable; in the states of modules; in "
		    "malloc chunks.",
		    SCRY_COMMAND_VALUE },
	.run = run_refs,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.flags = flags,
	.max_args = 1,
};
