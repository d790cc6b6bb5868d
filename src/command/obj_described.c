/*
 * obj of interpreters without reference counts: objects that move, and those that C has beside
 * them.
 */
#include <inttypes.h>
#include <string.h>

#include "command/attribute_show.h"
#include "command/command.h"
#include "command/obj.h"
#include "object/cython.h"

struct subject {
	struct scry_call *call;
	struct scry_runtime *r;
	struct scry_described d;
	const struct scry_buf *repr;
	struct scry_attributes attributes;
};

/* --- the object --- */

/* What other models say of an address, and this one does not. */
static void get_unknown(const void *subject, struct scry_said *ret)
{
	(void)subject;
	ret->kind = SCRY_SAID_NULL;
}

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct scry_described *d = &((const struct subject *)subject)->d;

	scry_said_id(ret, d->is_c ? d->c_type : d->type);
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct subject *)subject)->d.problem ? "memory" : "object");
}

static void get_inside(const void *subject, struct scry_said *ret)
{
	(void)subject;
	scry_said_bool(ret, false);
}

static void get_refcount(const void *subject, struct scry_said *ret)
{
	const struct scry_described *d = &((const struct subject *)subject)->d;

	if (d->is_c)
		scry_said_int(ret, d->refcount);
	else
		ret->kind = SCRY_SAID_NULL;
}

static void get_repr(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	scry_said_bytes(ret, it->repr->text, it->repr->len);
}

static void no_words(const void *subject, struct scry_renderer *to)
{
	(void)subject, (void)to;
}

static void get_attributes(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &scry_facts_attributes,
			&((const struct subject *)subject)->attributes);
	ret->kind = SCRY_SAID_FIELDS;
}

#define SUBJECT struct subject
static const struct scry_say object_fields[] = {
	SAY_GET("refcount", get_refcount, .flags = SCRY_SAY_OPTIONAL),
	SAY_ID("object_address", d.addr),
	SAY_TEXT("form", d.form),
	SAY_TEXT("place", d.place),
	SAY_BOOL("moved", d.moved),
	SAY_COUNT("size", d.size),
	SAY_GET("repr", get_repr),
	SAY_GET("", get_attributes, .facts = &scry_facts_attributes),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts object_facts = { "described object", object_fields, NULL };
static void get_object(const void *subject, struct scry_said *ret)
{
	const struct subject *it = subject;

	scry_said_facts(ret, &object_facts, it);
	ret->kind = it->d.problem ? SCRY_SAID_ABSENT : SCRY_SAID_FIELDS;
}

static const char *const object_text[] = {
	"{address}: {type:name}",
	"{?is_c} of a C extension (type at {type_address}), {refcount} reference{refcount+}",
	"{?is_c}{!object_address}, of C alone",
	"{?is_c}\n",
	"{?is_c}{?object_address}  the interpreter's object: {object_address}",
	"{?moved}\n  moved to {object_address} by the collection that runs, or left by an earlier "
	"one",
	"{?object_address} (type at {class_address})",
	"{?object_address}, {form}",
	"{?object_address}, {size} bytes",
	"{?object_address}, {place}\n",
	"  {repr}\n",
	"{attributes}",
	"{?cut}  ...\n",
	NULL,
};

static const char *const no_object_text[] = { "{address}: no object: {problem}\n", NULL };

#define SUBJECT struct subject
static const struct scry_say address_fields[] = {
	SAY_ADDR("address", d.asked),
	SAY_TEXT("type", d.type_name),
	SAY_GET("type_address", get_type),
	SAY_TEXT("problem", d.problem),
	SAY_GET("pattern", get_unknown),
	SAY_GET("kind", get_kind),
	SAY_GET("nearest", get_unknown),
	SAY_GET("nearest_offset", get_unknown),
	SAY_GET("inside", get_inside),
	SAY_GET("field", get_unknown),
	SAY_GET("guess", get_unknown),
	SAY_GET("memory", get_unknown),
	SAY_GET("debug_block", get_unknown),
	SAY_GET("", get_object, .facts = &object_facts),
	SAY_LIST("words", &scry_facts_text, no_words),
	SAY_BOOL("is_c", d.is_c, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_ID("class_address", d.type, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("as_object", object_text, NULL),
	SAY_VIEW("as_none", no_object_text, NULL),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts address_facts = { "described address", address_fields,
						 (const char *const[]) { "{?type}{as_object}",
									 "|{as_none}", NULL } };

static const struct scry_say answer_fields[] = { SAY_SELF("object", &address_facts), SAY_END };
const struct scry_facts scry_facts_described = { "described", answer_fields,
						 (const char *const[]) { "{object}", NULL } };

bool scry_obj_value(struct scry_runtime *r, scry_addr addr, struct scry_buf *out)
{
	struct scry_cython_generator g;
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	/* these have a place, and no attributes that say it */
	p.verbose = scry_cython_generator_read(r, addr, &g) == SCRY_OK;
	scry_print(&p, addr);
	return !p.damaged;
}

void scry_obj_described(struct scry_call *call, struct scry_runtime *r, scry_addr addr)
{
	SCRY_AUTO_BUF(repr);
	struct subject it = { .call = call, .r = r, .repr = &repr };
	struct scry_printer p;

	scry_model_of(r)->describe(r, addr, &it.d);
	it.attributes = (struct scry_attributes) { call, r, it.d.addr, false };
	if (!it.d.problem) {
		scry_printer_init(&p, r, &repr);
		scry_print(&p, addr);
		call->partial |= p.damaged;
	}
	call->partial |= it.d.problem != NULL;
	scry_say_fields(&call->render.to, &scry_facts_described, &it);
}
