/* A layer of what is at an address, in words. */
#include <inttypes.h>

#include "command/command.h"
#include "command/layer_show.h"
#include "command/layers.h"

#define REPR_MAX 60

void scry_short_repr(struct scry_runtime *r, scry_addr object, struct scry_buf *out)
{
	scry_repr_short(r, object, REPR_MAX, out);
}

static bool print_repr(const void *subject, struct scry_buf *out)
{
	const struct scry_layer *l = subject;

	if (l->object)
		scry_short_repr(l->runtime, l->object, out);
	return l->object;
}

static void get_alive(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	if (l->alive == SCRY_ALIVE_UNKNOWN)
		ret->kind = SCRY_SAID_NULL;
	else
		scry_said_bool(ret, l->alive == SCRY_ALIVE_YES);
}

/* Of what belongs to an object: the object. */
static void get_owner(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	scry_said_id(ret, l->what == SCRY_LAYER_PART ? l->object : 0);
}

/* An anonymous mapping says nothing beside what is known better, nor does a module's file. */
static void get_quiet(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_layer *)subject)->quiet);
}

static void get_freed(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	scry_said_bool(ret, l->alive == SCRY_ALIVE_NO && !l->unreached);
}

/* Prebuilt objects are never freed. */
static void get_unreached(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	scry_said_bool(ret, l->unreached && l->alive == SCRY_ALIVE_NO);
}

static void get_offset(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	if (l->owner || l->what == SCRY_LAYER_UNMAPPED)
		ret->kind = SCRY_SAID_NULL;
	else
		scry_said_int(ret, l->offset);
}

/* "16 bytes into ", "16 bytes before " */
static bool print_where(const void *subject, struct scry_buf *out)
{
	const struct scry_layer *l = subject;

	if (l->offset > 0)
		scry_buf_printf(out, "%" PRId64 " byte%s into ", l->offset,
				l->offset == 1 ? "" : "s");
	else if (l->offset < 0)
		scry_buf_printf(out, "%" PRId64 " byte%s before ", -l->offset,
				l->offset == -1 ? "" : "s");
	return true;
}

/* "3rd" */
static bool print_ordinal(const void *subject, struct scry_buf *out)
{
	static const char *const ends[] = { "th", "st", "nd", "rd" };
	unsigned n = ((const struct scry_layer *)subject)->order;

	scry_buf_printf(out, "%u%s", n, n % 10 < 4 && n % 100 / 10 != 1 ? ends[n % 10] : "th");
	return n;
}

static void get_frame(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	if (l->frame < 0)
		ret->kind = SCRY_SAID_NULL;
	else
		scry_said_int(ret, l->frame);
}

/* "frame 0" is not left out, as 0 would be. */
static bool print_frame(const void *subject, struct scry_buf *out)
{
	const struct scry_layer *l = subject;

	scry_buf_printf(out, "frame %" PRId64, l->frame);
	return l->frame >= 0;
}

static bool print_plus(const void *subject, struct scry_buf *out)
{
	const struct scry_layer *l = subject;

	scry_buf_printf(out, "+0x%" PRIx64, (uint64_t)l->offset);
	return l->symbol && l->offset > 0;
}

static void get_is(const struct scry_layer *l, struct scry_said *ret, enum scry_layer_what what)
{
	scry_said_bool(ret, l->what == what);
}

#define IS(name, what)                                                        \
	static void get_is_##name(const void *subject, struct scry_said *ret) \
	{                                                                     \
		get_is(subject, ret, what);                                   \
	}
IS(part, SCRY_LAYER_PART)
IS(stack, SCRY_LAYER_STACK)
IS(mapping, SCRY_LAYER_MAPPING)
IS(unmapped, SCRY_LAYER_UNMAPPED)
IS(code, SCRY_LAYER_CODE)
IS(data, SCRY_LAYER_DATA)

static void get_is_object(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	scry_said_bool(ret, l->what == SCRY_LAYER_OBJECT || l->what == SCRY_LAYER_FREED);
}

static void get_is_memory(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct scry_layer *)subject)->allocator != NULL);
}

static void get_is_chunk(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	scry_said_bool(ret, l->what == SCRY_LAYER_CHUNK || l->what == SCRY_LAYER_FREE_CHUNK);
}

static void get_page(const void *subject, struct scry_said *ret)
{
	scry_said_int(ret, ((const struct scry_layer *)subject)->offset / 4096);
}

static void get_debug(const void *subject, struct scry_said *ret)
{
	const struct scry_layer *l = subject;

	scry_said_facts(ret, &scry_facts_hooks, l->has_debug ? &l->debug : NULL);
}

static const char *const names_text[] = {
	/* an object, or what was one; whose the memory before is */
	"{?owns}{type:name} {address}",
	"|{?object}{where}{type:name} {address}",
	"{?object} (its {field})",
	"{?object}{?freed}{:error}, FREED{}",
	"{?object}{?freed}{!certain} (its type's word is still there)",
	"{?object}{!freed}{!certain} (a guess)",
	"{?object}{?unreached}, which no known root leads to, not freed yet",
	"{?object} = {repr}",
	/* what belongs to one */
	"{?part}{?owner_address}{where}memory of {type:name} {owner_address}",
	"{?part}{!owner_address}{where}{frame_number} {symbol:function} of thread {thread}",
	"{?part} ({field}",
	"{?part}{?field}{?owner_address}, {size} bytes",
	"{?part}{?field})",
	"{?part}{!certain} (a guess)",
	/* memory of an allocator */
	"{?memory}{where}{allocator} ",
	"{?memory}{?chunk}chunk of {size} bytes",
	"{?memory}{!chunk}block of {size} bytes",
	"{?memory} at {address}",
	"{?memory}{?freed}{:error}, FREE{}",
	"{?memory}{?freed}, {ordinal} on the list",
	"{?memory} ({list})",
	"{?memory}{debug}",
	"{?memory}{!certain} (by its own words alone)",
	/* stacks, code, data */
	"{?stack}C stack of thread {thread}",
	"{?stack}, {frame_number}",
	"{?stack} {symbol:function}",
	"{?stack}, {field}",
	"{?code}code of {module}",
	"|{?code}code that no file has",
	"{?data}{field=data} of {module}",
	"{?code}, {symbol:function}{plus}",
	"{?data}, {symbol:name}{plus}",
	"{?mapping}page {page} of mapping {address}",
	"{?mapping}, {path:file}",
	"{?unmapped}nothing is mapped there",
	NULL,
};

#define SUBJECT struct scry_layer
static const struct scry_say fields[] = {
	SAY_NAME("what", what, scry_layer_names),
	SAY_ADDR("address", address),
	SAY_COUNT("size", size),
	SAY_GET("offset", get_offset),
	SAY_TEXT("type", type),
	SAY_PRINT("repr", print_repr),
	SAY_GET("owner", get_owner),
	SAY_TEXT("field", field),
	SAY_TEXT("allocator", allocator),
	SAY_GET("alive", get_alive),
	SAY_COUNT("order", order),
	SAY_TEXT("list", list),
	SAY_GET("debug", get_debug, .facts = &scry_facts_hooks),
	SAY_TEXT("module", module),
	SAY_TEXT("symbol", symbol),
	SAY_TEXT("path", path),
	SAY_COUNT("thread", tid),
	SAY_GET("frame", get_frame),
	SAY_BOOL("certain", certain),
	SAY_GET("unreached", get_unreached, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("owns", owner, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("first", first, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("where", print_where, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("ordinal", print_ordinal, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("frame_number", print_frame, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("plus", print_plus, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("freed", get_freed, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("object", get_is_object, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("part", get_is_part, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("owner_address", get_owner, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("quiet", get_quiet, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("memory", get_is_memory, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("chunk", get_is_chunk, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("stack", get_is_stack, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("code", get_is_code, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("data", get_is_data, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("mapping", get_is_mapping, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("unmapped", get_is_unmapped, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("page", get_page, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("line", names_text, NULL),
	SAY_END,
};
#undef SUBJECT

static const char *const layer_text[] = { "{!first}{!quiet}; ", "{!quiet}{line}", NULL };

const struct scry_facts scry_facts_layer = { "layer", fields, layer_text };
