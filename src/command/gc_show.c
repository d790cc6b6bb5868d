/* gc: the garbage collector of each interpreter. */
#include <inttypes.h>

#include "command/command.h"
#include "command/heap_show.h"
#include "command/layer_show.h"
#include "command/lost_show.h"
#include "command/pypy_gc_show.h"
#include "memory/collecting.h"
#include "memory/gc_state.h"
#include "object/known.h"
#include "object/object.h"

#define LISTED_MAX 1000000 /* items of a list that are read */
#define LOST_SHOWN 20      /* groups in text, where no limit was given */

struct subject {
	struct scry_call *call;
	const struct scry_lost *lost; /* --unreachable; NULL: not asked for, or another one's */
	struct scry_gc_summary s;
	const struct scry_pypy_gc_line *own; /* PyPy's collector, or NULL */
	const char *error;                   /* why nothing was counted, or NULL */
};

static struct scry_runtime *runtime_of(const struct subject *it)
{
	return it->s.interp->runtime;
}

static void get_interpreter(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, ((const struct subject *)subject)->s.interp->id);
}

static void get_enabled(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	ret->kind = SCRY_SAID_NULL;
	if (it->s.enabled >= 0)
		scry_said_bool(ret, it->s.enabled);
}

static void get_disabled(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct subject *)subject)->s.enabled == 0);
}

static const struct {
	unsigned bit;
	const char *name;
} debug_flags[] = {
	/* Modules/gcmodule.c; the second and third of these up to 3.3 */
	{ 1, "DEBUG_STATS" },     { 2, "DEBUG_COLLECTABLE" }, { 4, "DEBUG_UNCOLLECTABLE" },
	{ 8, "DEBUG_INSTANCES" }, { 16, "DEBUG_OBJECTS" },    { 32, "DEBUG_SAVEALL" },
};

static void get_debug(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	ret->kind = SCRY_SAID_NULL;
	if (it->s.debug >= 0)
		scry_said_int(ret, it->s.debug);
}

static bool print_debug(const void *subject, struct scry_buf *out)
{
	const struct subject *it = subject;
	size_t before = out->len;

	for (size_t i = 0; i < sizeof(debug_flags) / sizeof(*debug_flags); i++)
		if (it->s.debug > 0 && it->s.debug & debug_flags[i].bit)
			scry_buf_printf(out, "%s%s", out->len > before ? " | " : "",
					debug_flags[i].name);
	return out->len > before;
}

static void get_collecting(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;
	bool running = it->s.interp->gc_running;

	ret->kind = SCRY_SAID_NULL;
	if (running || scry_collection_noted(runtime_of(it)))
		scry_said_bool(ret, running);
}

/* The items of a list: false where they cannot be read. */
static bool items_of(const struct subject *it, scry_addr list, uint64_t *ret_count,
		     scry_addr *ret_items)
{
	return list && scry_sequence(runtime_of(it), list, ret_count, ret_items) == SCRY_OK;
}

static void get_generation(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;
	scry_addr items;
	uint64_t count = 0;
	bool known = !scry_trait(runtime_of(it), SCRY_TRAIT_GC_HAS_CALLBACKS) ||
		     items_of(it, it->s.callbacks, &count, &items);
	int found = scry_gc_collected(&it->s, !known || count);

	ret->kind = SCRY_SAID_NULL;
	if (found >= 0)
		scry_said_int(ret, found);
}

static void get_thread(const void *subject, struct scry_said *ret)
{
	const struct scry_thread *t = ((const struct subject *)subject)->s.interp->collector;

	ret->kind = SCRY_SAID_NULL;
	if (t && t->tid)
		scry_said_int(ret, (int64_t)t->tid);
}

/* The newest Python frame of the thread that collects: a finalizer, a callback, or what it was
 * called from. */
static bool print_place(const void *subject, struct scry_buf *out)
{
	struct scry_thread *t = ((const struct subject *)subject)->s.interp->collector;
	struct scry_location at;
	struct scry_frame f;
	unsigned count;

	if (!t || scry_frame_number(t, 0, &f, &count) < 0 || !f.code)
		return false;
	scry_buf_printf(out, "%s (%s", f.code->name, f.code->file);
	if (scry_frame_location(&f, &at) == SCRY_OK && at.line)
		scry_buf_printf(out, ":%d", at.line);
	scry_buf_puts(out, ")");
	return true;
}

/* --- generations --- */

struct generation {
	const struct scry_gc_counted *c;
	int64_t count, threshold, objects;
	int64_t number;
};

static void get_count(const void *subject, struct scry_said *ret)
{
	const struct generation *g = subject;

	ret->kind = SCRY_SAID_NULL;
	if (g->c->has_counts)
		scry_said_int(ret, g->count);
}

static void get_threshold(const void *subject, struct scry_said *ret)
{
	const struct generation *g = subject;

	ret->kind = SCRY_SAID_NULL;
	if (g->c->has_counts)
		scry_said_int(ret, g->threshold);
}

static bool print_count(const void *subject, struct scry_buf *out)
{
	const struct generation *g = subject;

	scry_buf_printf(out, "%" PRId64 " of %" PRId64, g->count, g->threshold);
	return g->c->has_counts;
}

static bool print_number(const void *subject, struct scry_buf *out)
{
	scry_buf_printf(out, "%" PRId64, ((const struct generation *)subject)->number);
	return true;
}

#define SUBJECT struct generation
static const struct scry_say generation_fields[] = {
	SAY_GET("count", get_count),
	SAY_GET("threshold", get_threshold),
	SAY_INT("objects", objects),
	SAY_PRINT("number", print_number, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("counted", print_count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts generation_facts = {
	"generation", generation_fields,
	(const char *const[]) { "  generation {number}: {objects,} objects", ", count {counted}",
				"\n", NULL }
};

static void each_generation(const void *subject, struct scry_renderer *to)
{
	const struct subject *it = subject;

	for (unsigned i = 0; i < it->s.generations; i++) {
		const struct scry_gc_counted *c = &it->s.generation[i];
		struct generation g = { c, c->count, c->threshold, (int64_t)c->objects, i };

		scry_say(to, &generation_facts, &g);
	}
}

/* --- garbage --- */

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct scry_at *at = subject;

	scry_said_text(ret, scry_type_name_of(at->in, at->addr));
}

static bool print_repr(const void *subject, struct scry_buf *out)
{
	const struct scry_at *at = subject;

	scry_short_repr(at->in, at->addr, out);
	return true;
}

#define SUBJECT struct scry_at
static const struct scry_say item_fields[] = {
	SAY_ADDR("address", addr),
	SAY_GET("type", get_type),
	SAY_PRINT("repr", print_repr),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts item_facts = {
	"item", item_fields, (const char *const[]) { "    {type:name} {address} {repr}\n", NULL }
};

static void each_garbage(const void *subject, struct scry_renderer *to)
{
	const struct subject *it = subject;
	struct scry_runtime *r = runtime_of(it);
	bool all = scry_call_flag(it->call, "garbage") != NULL;
	uint64_t count, limit = it->call->s->options.limit[SCRY_LIMIT_ITEMS];
	struct scry_at at = { r, 0 };
	scry_addr items;

	if (!items_of(it, it->s.garbage, &count, &items))
		return;
	for (uint64_t i = 0; i < count && i < LISTED_MAX && (all || !limit || i < limit); i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &at.addr) == SCRY_OK)
			scry_say(to, &item_facts, &at);
}

static void get_length(const struct subject *it, scry_addr list, struct scry_said *ret)
{
	scry_addr items;
	uint64_t count;

	ret->kind = SCRY_SAID_NULL;
	if (items_of(it, list, &count, &items))
		scry_said_int(ret, (int64_t)count);
}

static void get_garbage_count(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	get_length(it, it->s.garbage, ret);
}

static void get_callbacks(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	get_length(it, it->s.callbacks, ret);
}

/* --- what nothing leads to --- */

static void each_lost(const void *subject, struct scry_renderer *to)
{
	const struct subject *it = subject;
	uint64_t limit = it->call->s->options.limit[SCRY_LIMIT_FRAMES];
	size_t n = it->lost ? it->lost->group_count : 0;

	if (!limit)
		limit = it->call->json ? 1000 : LOST_SHOWN;
	for (size_t i = 0; i < n && i < limit; i++)
		scry_say(to, &scry_facts_lost,
			 &(struct scry_lost_line) { it->call, &it->s, it->lost,
						    &it->lost->groups[i] });
}

static void get_lost_groups(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	scry_said_int(ret, it->lost ? (int64_t)it->lost->group_count : 0);
}

static void get_looked(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct subject *)subject)->lost != NULL);
}

/* --- the answer --- */

#define SUBJECT struct subject
static const struct scry_say fields[] = {
	SAY_GET("interpreter", get_interpreter),
	SAY_GET("enabled", get_enabled),
	SAY_GET("debug", get_debug),
	SAY_GET("collecting", get_collecting),
	SAY_GET("generation", get_generation),
	SAY_GET("thread", get_thread),
	SAY_PRINT("place", print_place),
	SAY_LIST("generations", &generation_facts, each_generation),
	SAY_INT("permanent", s.permanent),
	SAY_LIST("garbage", &item_facts, each_garbage),
	SAY_GET("callbacks", get_callbacks),
	SAY_LIST("unreachable", &scry_facts_lost, each_lost),
	SAY_POINTER("incminimark", &scry_facts_pypy_gc, own, .flags = SCRY_SAY_OPTIONAL),
	SAY_TEXT("error", error),
	SAY_GET("lost", get_lost_groups, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("looked", get_looked, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("flags", print_debug, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("disabled", get_disabled, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("uncollectable", get_garbage_count, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const text[] = {
	"Interpreter {interpreter}: ",
	"{?enabled}enabled",
	"|{?disabled}{:mark}disabled{}",
	"|whether it is enabled is not known",
	", debug flags {flags}",
	"\n",
	"{?collecting}  {:mark}collecting",
	"{?collecting} generation {generation}",
	"{?collecting}{}",
	"{?collecting}, in thread {thread}",
	"{?collecting}, at {place}",
	"{?collecting}\n",
	"{generations}",
	"{incminimark}",
	"|  permanent: {permanent,} objects\n",
	"{?uncollectable}  garbage: {uncollectable,} objects\n{garbage}",
	"{?callbacks}  callbacks: {callbacks}\n",
	"{?lost}  unreachable: {lost,} group{lost+} of objects\n{unreachable}",
	"{?looked}{!lost}  nothing is unreachable\n",
	"  {error:error}\n",
	NULL,
};

static const struct scry_facts facts = { "gc", fields, text };

/* The lists as the module gc has them, where nothing else has them: up to 3.6 they are static. */
static void find_lists(struct scry_gc_summary *s)
{
	struct scry_runtime *r = s->interp->runtime;
	scry_addr module, dict;

	if (!s->interp->modules || scry_dict_get(r, s->interp->modules, "gc", &module) < 0 ||
	    !scry_is_exactly(r, module, SCRY_IS_MODULE))
		return;
	dict = scry_field_get(r, module, SCRY_F_MODULE_DICT);
	if (dict && !s->garbage && scry_dict_get(r, dict, "garbage", &s->garbage) < 0)
		s->garbage = 0;
	if (dict && !s->callbacks && scry_dict_get(r, dict, "callbacks", &s->callbacks) < 0)
		s->callbacks = 0;
}

/* False: it is another interpreter. */
static bool say_pypy(struct scry_call *call, struct scry_runtime *r, bool wanted,
		     struct scry_renderer *to)
{
	struct scry_pypy_gc gc;
	struct scry_pypy_gc_line line = { .gc = &gc };
	struct subject it = { .call = call, .s = { .interp = r->interps, .enabled = -1 } };
	int rc = scry_pypy_gc_read(r, &gc);

	if (rc == SCRY_ENOTFOUND)
		return false;
	it.s.debug = -1;
	if (rc == SCRY_OK) {
		it.own = &line;
		it.s.enabled = gc.enabled;
		line.looked = wanted && scry_pypy_gc_count(r, &line);
		if (wanted && !line.looked) {
			it.error = "how much a known root leads to is not known";
			call->partial = true;
		}
	} else {
		it.error = call->s->error.text;
		call->partial = true;
	}
	scry_say(to, &facts, &it);
	return true;
}

struct asked {
	struct scry_call *call;
	struct scry_lost *lost; /* of the runtime of its index */
	bool wanted;            /* what nothing leads to was asked for */
};

static void each_interpreter(const void *subject, struct scry_renderer *to)
{
	const struct asked *asked = subject;
	struct scry_call *call = asked->call;

	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		if (say_pypy(call, r, asked->wanted, to))
			continue;
		for (struct scry_interp *i = r->interps; i; i = i->next) {
			struct subject it = { .call = call };

			/* objects are not told apart by interpreters */
			if (asked->lost && i == asked->lost->h->runtime->interps)
				it.lost = asked->lost;

			if (scry_gc_summarise(i, &it.s) < 0) {
				it.error = call->s->error.text;
				call->partial = true;
			}
			find_lists(&it.s);
			if (!it.s.shared)
				scry_say(to, &facts, &it);
		}
	}
}

static const struct scry_say answer_fields[] = { SAY_LIST("gc", &facts, each_interpreter),
						 SAY_END };
static const struct scry_facts answer_facts = { "gc", answer_fields,
						(const char *const[]) { "{gc}", NULL } };

static int run(struct scry_call *call)
{
	if (!scry_runtime_first(call->s))
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Python interpreter was found");
	/* which thread collects is found with the threads */
	scry_thread_first(call->s);
	struct scry_lost lost = { 0 };
	bool wanted = scry_call_flag(call, "unreachable") || scry_call_flag(call, "garbage");
	struct scry_heap *h;
	int rc = wanted ? scry_heap_first(call, &h) : SCRY_OK;
	bool counted = wanted && rc == SCRY_OK && h->kind->counts;

	if (counted)
		rc = scry_lost_find(h, &lost);
	if (rc == SCRY_OK)
		scry_say_fields(&call->render.to, &answer_facts,
				&(struct asked) { call, counted ? &lost : NULL, wanted });
	scry_lost_done(&lost);
	return rc;
}

static const struct scry_flag flags[] = {
	{ "garbage", 'g', NULL, "all of gc.garbage, and what is unreachable now" },
	{ "unreachable", 'u', NULL, "objects that only refer to one another" },
	{ 0 },
};

const struct scry_command_row scry_command_gc = {
	.public = { "gc", "[--garbage] [--unreachable]",
		    "Show the garbage collector of each interpreter.",
		    "Whether it is enabled, its debug flags, and whether it collects now (which "
		    "generation, in which\n"
		    "thread, and where that thread's Python code is: a finalizer, a callback, or "
		    "what called it); for\n"
		    "each generation its count, threshold and objects; what gc.freeze() set apart, "
		    "gc.garbage, and how\n"
		    "many callbacks there are. Up to 3.6 the switch and the flags are static "
		    "variables, which only\n"
		    "symbols locate. Of PyPy: the phase of a major collection, how many have "
		    "ended, the nursery, what\n"
		    "the arenas and large objects hold, and when the next one begins.",
		    0 },
	.run = run,
	.flags = flags,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
};
