/* obj: whatever is at an address. */
#include <inttypes.h>
#include <string.h>

#include "command/address.h"
#include "command/attribute_show.h"
#include "command/memory_show.h"
#include "command/obj.h"
#include "memory/gc.h"
#include "native/meaning.h"
#include "object/whatis.h"

#define DUMP_WORDS 12 /* of something that is not an object */

/* What is said of an address. */
struct subject {
	struct scry_call *call;
	struct scry_runtime *r;
	struct scry_whatis w;
	struct scry_meaning m; /* of what is not an object */
	const struct scry_map *map;
	const struct scry_buf *repr; /* of an object, and whether it is whole */
	bool whole;
	struct scry_attributes attributes;
};

/* --- its words: of damage, and of what is not an object --- */

/* What comes after the block is another's. */
static bool in_block(const struct scry_whatis *w, scry_addr addr)
{
	return !w->has_memory || addr < w->memory.start + w->memory.size;
}

/* With the names of what an object of the type, or of the guessed one, would have there. */
static void say_words(const struct subject *it, struct scry_renderer *to,
		      const struct scry_facts *facts)
{
	scry_addr type = it->w.type ? it->w.type : it->w.guessed_type;
	unsigned ptr = it->call->s->target->abi.ptr_size;
	scry_addr base = it->w.addr & ~(uint64_t)(ptr - 1);
	enum scry_struct what = type ? scry_whatis_struct(it->r, type) : SCRY_S_OBJECT;
	struct scry_dump_word word;
	int rc = it->whole ? SCRY_ENOTFOUND : SCRY_OK;

	for (unsigned i = 0; i < DUMP_WORDS && rc >= 0 && in_block(&it->w, base + i * ptr); i++) {
		rc = scry_whatis_word(it->r, base, what, i, &word);
		scry_say(to, facts, &word);
	}
}

static void each_word(const void *subject, struct scry_renderer *to)
{
	say_words(subject, to, &scry_facts_word);
}

static void each_line(const void *subject, struct scry_renderer *to)
{
	say_words(subject, to, &scry_facts_word_line);
}

/* --- the object --- */

/* Which of the collector's lists has it: null where none has, or where there are none. */
static void get_generation(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;
	int found = it->w.gc == SCRY_GC_TRACKED ? scry_gc_generation(it->r, it->w.addr)
						: SCRY_GC_GENERATION_NONE;

	ret->kind = SCRY_SAID_NULL;
	if (found >= 0)
		scry_said_int(ret, found);
}

static void get_refcount(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	if (w->immortal)
		ret->kind = SCRY_SAID_NULL;
	else
		scry_said_int(ret, w->refcount);
}

static void get_shared(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	if (w->biased)
		scry_said_int(ret, w->shared);
	else
		ret->kind = SCRY_SAID_NULL;
}

static void get_total(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	scry_said_int(ret, w->refcount + w->shared);
}

/* What comes before it: the collector's header, managed words. Null where it is not known. */
static void get_before(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	ret->kind = SCRY_SAID_NULL;
	if (w->size && !w->head_unknown && w->block < w->addr)
		scry_said_int(ret, (int64_t)(w->addr - w->block));
}

static void get_getsizeof(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	ret->kind = SCRY_SAID_NULL;
	if (w->size && !w->head_unknown)
		scry_said_int(ret, (int64_t)(w->size + w->addr - w->block));
}

static void get_repr(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	scry_said_bytes(ret, it->repr->text, it->repr->len);
}

static const char *const gc_names[] = {
	[SCRY_GC_NOT] = "not collected",
	[SCRY_GC_UNTRACKED] = "not tracked",
	[SCRY_GC_TRACKED] = "tracked",
};

static void get_attributes(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_attributes,
			&((const struct subject *)subject)->attributes);
	ret->kind = SCRY_SAID_FIELDS;
}

#define SUBJECT struct subject
static const struct scry_say object_fields[] = {
	SAY_GET("refcount", get_refcount),
	SAY_BOOL("immortal", w.immortal),
	SAY_GET("shared_refcount", get_shared),
	SAY_BOOL("deferred", w.deferred),
	SAY_ID("owner", w.owner),
	SAY_COUNT("size", w.size),
	SAY_GET("getsizeof", get_getsizeof),
	SAY_NAME("gc", w.gc, gc_names),
	SAY_GET("generation", get_generation),
	SAY_GET("repr", get_repr),
	SAY_GET("", get_attributes, .facts = &scry_facts_attributes),
	SAY_BOOL("biased", w.biased, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("merged", w.merged, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("owner_hidden", w.owner_hidden, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("total", get_total, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("before", get_before, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("frozen", w.gc_frozen, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("finalized", w.gc_finalized, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("collecting", w.gc_collecting, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};

static const struct scry_facts object_facts = { "object", object_fields, NULL };
/* --- what every address has --- */

static void get_object(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	ret->kind = it->w.type_name ? SCRY_SAID_FIELDS : SCRY_SAID_ABSENT;
	ret->facts = &object_facts;
	ret->subject = subject;
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	scry_said_text(ret, it->w.type_name ? "object" : scry_word_kind_name(it->m.kind));
}

static void get_nearest_offset(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	if (w->near)
		scry_said_int(ret, (int64_t)w->addr - (int64_t)w->near);
	else
		ret->kind = SCRY_SAID_NULL;
}

static void get_distance(const void *subject, struct scry_said *ret)
{
	get_nearest_offset(subject, ret);
	ret->number = ret->number < 0 ? -ret->number : ret->number;
}

static void get_follows(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	scry_said_bool(ret, w->near > w->addr);
}

static bool print_nearest(const void *subject, struct scry_buf *out)
{
	const struct subject *it = subject;

	if (it->w.near)
		scry_repr(it->r, it->w.near, out);
	return it->w.near;
}

static void get_memory(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	scry_said_facts(ret, &scry_facts_block, w->has_memory ? &w->memory : NULL);
}

static void get_debug_block(const void *subject, struct scry_said *ret)
{
	const struct scry_whatis *w = &((const struct subject *)subject)->w;

	scry_said_facts(ret, &scry_facts_debug_block, w->has_debug ? &w->debug : NULL);
}

static void get_path(const void *subject, struct scry_said *ret)
{
	const struct scry_map *map = ((const struct subject *)subject)->map;

	scry_said_text(ret, map ? map->path : NULL);
}

static const char *const object_text[] = {
	"{address=0x0}: {type:name} (type at {type_address=0x0}), ",
	"{?immortal}immortal",
	"|{?merged}{total} references, of no thread in particular",
	"|{?owner_hidden}{refcount} references of its thread (which one is not known while garbage "
	"is "
	"collected), {shared_refcount} of others",
	"|{?biased}{refcount} references of its thread {owner=0x0}, {shared_refcount} of others",
	"|{refcount} references",
	"{?deferred}, deferred",
	", {size} bytes",
	" (and {before} before it)",
	", {gc}",
	" in generation {generation}",
	"{?frozen}, frozen",
	"{?finalized}, finalized",
	"{?collecting}, being collected",
	"\n",
	"{memory}",
	"{debug_block}",
	"  {pattern:error}\n",
	"  {repr}\n",
	"{dump}",
	"{attributes}",
	"{?cut}  ...\n",
	NULL,
};

/* What else it is, by the mappings and by what is known of threads, frames and functions. */
static const char *const no_object_text[] = {
	"{address=0x0}: no object: {problem=unknown}\n",
	"  {kind}",
	" of {function}",
	" of {symbol}+{offset}",
	", of {path}",
	"\n",
	"  {pattern}\n",
	"{memory}",
	"{debug_block}",
	"  one bit of its type pointer may have changed: then it is a {guess}\n",
	"{dump}",
	"{?nearest}{?inside}  inside an object: ",
	"|{?nearest}{?follows}  belongs to the object after it: ",
	"|{?nearest}  nearest object before: ",
	"{nearest} ({distance} bytes ",
	"{?nearest}{?follows}on",
	"|{?nearest}back",
	"{?nearest}, {field}",
	"{?nearest}) {nearest_repr}\n",
	NULL,
};

static const struct scry_say address_fields[] = {
	SAY_ID("address", w.addr),
	SAY_TEXT("type", w.type_name),
	SAY_ID("type_address", w.type),
	SAY_TEXT("problem", w.problem),
	SAY_TEXT("pattern", w.pattern),
	SAY_GET("kind", get_kind),
	SAY_ID("nearest", w.near),
	SAY_GET("nearest_offset", get_nearest_offset),
	SAY_BOOL("inside", w.inside),
	SAY_TEXT("field", w.near_field),
	SAY_TEXT("guess", w.guess),
	SAY_GET("memory", get_memory, .facts = &scry_facts_block),
	SAY_GET("debug_block", get_debug_block, .facts = &scry_facts_debug_block),
	SAY_GET("", get_object, .facts = &object_facts),
	SAY_LIST("words", &scry_facts_word_line, each_line),
	SAY_LIST("dump", &scry_facts_word, each_word),
	SAY_TEXT("function", m.function, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("symbol", m.symbol, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ADDR("offset", m.offset, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("path", get_path, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("distance", get_distance, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("follows", get_follows, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("nearest_repr", print_nearest, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("as_object", object_text, NULL),
	SAY_VIEW("as_none", no_object_text, NULL),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts address_facts = { "address", address_fields,
						 (const char *const[]) { "{?type}{as_object}",
									 "|{as_none}", NULL } };

static const struct scry_say answer_fields[] = { SAY_SELF("object", &address_facts), SAY_END };
static const struct scry_facts answer_facts = { "obj", answer_fields,
						(const char *const[]) { "{object}", NULL } };

static void show(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w)
{
	struct scry_words words;
	struct scry_thread *t;
	SCRY_AUTO_BUF(repr);
	struct subject it = { .call = call,
			      .r = r,
			      .w = *w,
			      .repr = &repr,
			      .attributes = { call, r, w->addr, false } };

	if (w->type_name) {
		it.whole = scry_obj_value(r, w->addr, &repr);
	} else {
		scry_words_init(&words, call->s,
				scry_selected_thread(call->s, &t) == SCRY_OK ? t : NULL);
		scry_words_read(&words, w->addr, &it.m);
		scry_words_done(&words);
		it.map = scry_map_at(call->s->target, w->addr);
	}
	call->partial = !it.whole;
	scry_say_fields(&call->render.to, &answer_facts, &it);
}

static int run_obj(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_runtime *r = scry_runtime_first(s);
	struct scry_whatis w;
	scry_addr addr;

	if (call->argc && !r)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no Python interpreter was found");
	int rc = scry_call_address(call, &addr);
	if (rc < 0)
		return rc;
	for (struct scry_runtime *each = r; each; each = each->next)
		if (scry_model_of(each)->describe && (!r->next || scry_is_object(each, addr))) {
			scry_obj_described(call, each, addr);
			return SCRY_OK;
		}
	/* of several interpreters the one to which it is an object */
	for (struct scry_runtime *each = r; each; each = each->next)
		if (scry_whatis(each, addr, &w) == SCRY_OK && w.type_name) {
			r = each;
			break;
		}
	rc = scry_whatis(r, addr, &w);
	if (rc >= 0)
		show(call, r, &w);
	return rc;
}

const struct scry_command_row scry_command_obj = {
	.public = { "obj", "ADDRESS|EXPR", "Show whatever is at an address.",
		    "Of an object: its type, reference count, size (that of __sizeof__, and what "
		    "the collector keeps\n"
		    "before it), state and generation in the garbage collector, value and "
		    "attributes (-v: all of them).\n"
		    "Of a damaged one: its words, with the names of the fields. Of anything else: "
		    "why it is not an object\n"
		    "and what it is, its words, patterns of freed memory, the type that it may "
		    "have had, and the object\n"
		    "that it lies in, with the field there, or the nearest one. Of either: the "
		    "block of Python's\n"
		    "allocator, whether that is free, and whether the marks of the debug "
		    "allocator\n"
		    "(PYTHONMALLOC=debug) around it are intact. EXPR is what print takes. On PyPy: "
		    "where the collector\n"
		    "keeps the object, and for an object of a C extension also PyPy's own that it "
		    "is linked to.",
		    SCRY_COMMAND_VALUE },
	.run = run_obj,
	.says = (const struct scry_facts *const[]) { &answer_facts, &scry_facts_described, NULL },
	.max_args = 1,
};
