/* whatis: layer by layer, what is at an address, whether it is alive, and whose it is. */
#include <inttypes.h>
#include <string.h>

#include "command/address.h"
#include "command/held.h"
#include "command/layer_show.h"
#include "command/layers.h"

struct subject {
	struct scry_call *call;
	struct scry_layers *layers;
	bool references; /* they were asked for */
};

static void each_layer(const void *subject, struct scry_renderer *to)
{
	const struct scry_layers *l = ((const struct subject *)subject)->layers;

	for (size_t i = 0; i < l->count; i++)
		scry_say(to, &scry_facts_layer, &l->list[i]);
}

/* --- who uses a buffer --- */

struct user {
	struct scry_runtime *r;
	scry_addr address;
	uint64_t size;
	scry_addr buffer;
};

static void get_user_type(const void *subject, struct scry_said *ret)
{
	const struct user *u = subject;

	scry_said_text(ret, scry_type_name_of(u->r, u->address));
}

static bool print_user(const void *subject, struct scry_buf *out)
{
	const struct user *u = subject;

	scry_short_repr(u->r, u->address, out);
	return true;
}

static bool print_held(const void *subject, struct scry_buf *out)
{
	const struct user *u = subject;

	return scry_put_held(u->r, u->address, out);
}

#define SUBJECT struct user
static const struct scry_say user_fields[] = {
	SAY_ADDR("address", address),
	SAY_GET("type", get_user_type),
	SAY_PRINT("repr", print_user),
	SAY_ADDR("buffer", buffer),
	SAY_INT("size", size),
	SAY_PRINT("held", print_held),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts user_facts = {
	"export", user_fields,
	(const char *const[]) { "  used by {type:name} {address}: {size} bytes from {buffer}",
				" ({held})", "\n", NULL }
};

static void each_user(const void *subject, struct scry_renderer *to)
{
	const struct scry_layers *l = ((const struct subject *)subject)->layers;

	for (size_t i = 0; i < l->owners.export_count; i++) {
		const struct scry_export *e = &l->owners.exports[i];
		struct user u = { l->runtime, e->user, e->size, e->start };

		scry_say(to, &user_facts, &u);
	}
}

/* --- references --- */

struct reference {
	struct scry_runtime *r;
	const char *kind, *type, *function, *slot, *module;
	scry_addr at, word, holder;
	uint64_t tid;
	bool no_repr;
};

static const char *const kinds[] = {
	[SCRY_HOLDER_OBJECT] = "object",
	[SCRY_HOLDER_STACK] = "stack",
	[SCRY_HOLDER_STATIC] = "static",
	[SCRY_HOLDER_CHUNK] = "chunk",
};

static bool print_holder(const void *subject, struct scry_buf *out)
{
	const struct reference *ref = subject;

	if (!ref->type || ref->no_repr)
		return false;
	scry_short_repr(ref->r, ref->holder, out);
	return true;
}

#define SUBJECT struct reference
static const struct scry_say from_fields[] = {
	SAY_TEXT("kind", kind),     SAY_ID("address", holder),
	SAY_TEXT("type", type),     SAY_PRINT("repr", print_holder),
	SAY_COUNT("thread", tid),   SAY_TEXT("function", function),
	SAY_TEXT("module", module), SAY_END,
};
static const struct scry_facts from_facts = {
	"holder", from_fields,
	(const char *const[]) { "{type:name} {address}", "|{kind} {address}", "|{kind}",
				" of thread {thread}", " {function:function}", " {module}", NULL }
};

static const struct scry_say reference_fields[] = {
	SAY_SELF("from", &from_facts),
	SAY_TEXT("slot", slot),
	SAY_ADDR("at", at),
	SAY_ADDR("to", word),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts reference_facts = {
	"reference", reference_fields,
	(const char *const[]) { "  {to} is referred to by ", "{slot} of ", "{from} (at {at})\n",
				NULL }
};

/* Where a word stands that no object has: which frame of a stack, which variable. */
static void find_place(struct scry_session *s, struct reference *ref)
{
	struct scry_layers place;

	scry_place_find(s, ref->at, &place);
	if (!place.count)
		return;
	ref->tid = place.list[0].tid;
	ref->module = place.list[0].module;
	ref->function = place.list[0].symbol;
}

static void say_references(const struct subject *it, struct scry_renderer *to)
{
	const struct scry_layers *l = it->layers;
	uint64_t limit = it->call->s->options.limit[SCRY_LIMIT_ITEMS];

	for (size_t i = 0; i < l->owners.reference_count; i++) {
		const struct scry_pointing *o = &l->owners.references[i];
		struct reference ref = { .r = l->runtime,
					 .kind = kinds[o->kind],
					 .slot = o->slot,
					 .at = o->at,
					 .word = o->word,
					 .holder = o->holder,
					 .no_repr = o->no_repr };

		if (limit && i >= limit && !it->call->verbose)
			break;
		if (o->type)
			ref.type = o->type->name;
		if (o->kind == SCRY_HOLDER_STACK || o->kind == SCRY_HOLDER_STATIC)
			find_place(it->call->s, &ref);
		scry_say(to, &reference_facts, &ref);
	}
}

/* Registers refer to it like any other memory. */
static void say_registers(const struct subject *it, struct scry_renderer *to)
{
	struct scry_target *target = it->call->s->target;

	for (struct scry_thread *t = scry_thread_first(it->call->s); t; t = t->next) {
		const struct scry_regs *regs = t->os ? scry_os_thread_regs(target, t->os) : NULL;

		for (unsigned i = 0; regs && regs->arch && i < regs->arch->count; i++) {
			struct reference ref = { .kind = "register",
						 .word = regs->value[i],
						 .at = regs->value[i],
						 .slot = regs->arch->regs[i].name,
						 .tid = t->tid };

			if (regs->valid >> i & 1 && ref.word >= it->layers->start &&
			    ref.word < it->layers->end)
				scry_say(to, &reference_facts, &ref);
		}
	}
}

static void each_reference(const void *subject, struct scry_renderer *to)
{
	const struct subject *it = subject;

	if (!it->references)
		return;
	say_references(it, to);
	say_registers(it, to);
}

/* --- the answer --- */

static void get_address(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, ((const struct subject *)subject)->layers->addr);
}

static void get_cut(const void *subject, struct scry_said *ret)
{
	scry_said_bool(ret, ((const struct subject *)subject)->layers->owners.cut);
}

#define SUBJECT struct subject
static const struct scry_say fields[] = {
	SAY_GET("address", get_address),
	SAY_LIST("layers", &scry_facts_layer, each_layer),
	SAY_LIST("exports", &user_facts, each_user),
	SAY_LIST("references", &reference_facts, each_reference),
	SAY_GET("cut", get_cut, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts facts = {
	"whatis", fields,
	(const char *const[]) { "{address}  {layers}\n", "{exports}", "{references}",
				"{?cut}  ... (more words lead there)\n", NULL }
};
static const struct scry_say answer_fields[] = { SAY_SELF("whatis", &facts), SAY_END };
static const struct scry_facts answer_facts = { "whatis", answer_fields,
						(const char *const[]) { "{whatis}", NULL } };

static int run(struct scry_call *call)
{
	struct scry_layers layers;
	struct subject it = { call, &layers, scry_call_flag(call, "refs") != NULL };
	scry_addr addr;
	int rc = scry_call_address(call, &addr);

	if (rc < 0)
		return rc;
	scry_layers_find(call->s, addr, it.references, &layers);
	if (layers.error) {
		scry_note(call->s, "%s", layers.error);
		call->partial = true;
	}
	scry_say_fields(&call->render.to, &answer_facts, &it);
	return SCRY_OK;
}

static const struct scry_flag flags[] = {
	{ "refs", 'r', NULL, "who refers to it, also to what is freed: one search of all memory" },
	{ 0 },
};

const struct scry_command_row scry_command_whatis = {
	.public = { "whatis", "[--refs] ADDRESS|$REGISTER|EXPR",
		    "Show what is at an address, whether it is alive, and whose it is.",
		    "Layer by layer, innermost first: the object, or what is left of a freed one; "
		    "the object that the\n"
		    "memory belongs to (items, tables, buffers); the block of Python's allocator "
		    "or the chunk of\n"
		    "malloc's, free or not, and its place on the list of free ones; the frame of "
		    "a C stack; the code\n"
		    "or variable of a module; the mapping. Who uses a buffer (memoryviews) "
		    "follows, and with --refs\n"
		    "every word that leads there. What is not certain is marked.",
		    SCRY_COMMAND_VALUE },
	.run = run,
	.flags = flags,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.max_args = 1,
};
