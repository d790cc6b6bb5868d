/* The attributes of an object: found in whichever way its kind of interpreter has. */
#include "command/attribute_show.h"

#define ATTRS_MAX 1000

struct attribute {
	struct scry_runtime *runtime;
	const char *name;
	struct scry_found value;
};

static bool print_attribute(const void *subject, struct scry_buf *out)
{
	const struct attribute *a = subject;
	struct scry_printer p;

	scry_printer_init(&p, a->runtime, out);
	scry_print_found(&p, &a->value);
	return true;
}

#define SUBJECT struct attribute
static const struct scry_say attribute_fields[] = {
	SAY_TEXT("name", name),
	SAY_PRINT("repr", print_attribute),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts attribute_facts = {
	"attribute", attribute_fields, (const char *const[]) { "  .{name:name} = {repr}\n", NULL }
};

/* Where objects have no address of their own (PyPy's may be values within another). */
static int next(struct scry_runtime *r, scry_addr object, uint64_t *at, struct attribute *ret)
{
	const struct scry_model *model = scry_model_of(r);

	ret->value = (struct scry_found) { 0 };
	return model->found_next ? model->found_next(r, object, at, &ret->name, &ret->value)
				 : scry_attr_next(r, object, at, &ret->name, &ret->value.addr);
}

static void each_attribute(const void *subject, struct scry_renderer *to)
{
	struct scry_attributes *all = (struct scry_attributes *)(uintptr_t)subject;
	uint64_t at = 0, limit = all->call->s->options.limit[SCRY_LIMIT_ITEMS];
	struct attribute a = { .runtime = all->runtime };

	for (uint64_t n = 0; n < ATTRS_MAX && all->object; n++) {
		if (next(all->runtime, all->object, &at, &a) != SCRY_ITEM)
			break;
		all->cut = limit && n >= limit && !all->call->verbose;
		if (all->cut)
			break;
		scry_say(to, &attribute_facts, &a);
	}
}

#define SUBJECT struct scry_attributes
static const struct scry_say fields[] = {
	SAY_MAP("attributes", &attribute_facts, each_attribute),
	SAY_BOOL("cut", cut, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_attributes = { "attributes", fields, NULL };
