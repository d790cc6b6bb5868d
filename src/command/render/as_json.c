/* Facts as JSON: every one under its key, in the order of the table. */
#include "command/command.h"

static struct scry_json *json_of(struct scry_renderer *to)
{
	return ((struct scry_render *)to)->call->json;
}

static void put_fields(struct scry_renderer *to, const struct scry_facts *facts,
		       const void *subject);
static void put_facts(struct scry_renderer *to, const struct scry_facts *facts,
		      const char *const *view, const void *subject);

/* What is written one by one, in brackets. A map's elements know by `in_map` that they are such. */
static void put_each(struct scry_renderer *to, const struct scry_said *said)
{
	struct scry_render *r = (struct scry_render *)to;
	bool map = said->kind == SCRY_SAID_MAP, before = r->in_map;

	scry_json_open(r->call->json, map ? '{' : '[');
	r->in_map = map;
	said->each(said->subject, to);
	r->in_map = before;
	scry_json_close(r->call->json, map ? '}' : ']');
}

static void put_value(struct scry_renderer *to, const struct scry_said *said)
{
	struct scry_json *j = json_of(to);

	switch (said->kind) {
	case SCRY_SAID_BOOL:
		scry_json_bool(j, said->truth);
		break;
	case SCRY_SAID_INT:
		scry_json_int(j, said->number);
		break;
	case SCRY_SAID_ADDR:
		scry_json_addr(j, said->addr);
		break;
	case SCRY_SAID_TEXT:
		scry_json_bytes(j, said->text, said->len);
		break;
	case SCRY_SAID_FACTS: {
		struct scry_render *r = (struct scry_render *)to;
		bool before = r->in_map;

		r->in_map = false;
		put_facts(to, said->facts, NULL, said->subject);
		r->in_map = before;
		break;
	}
	case SCRY_SAID_LIST:
	case SCRY_SAID_MAP:
		put_each(to, said);
		break;
	default:
		scry_json_null(j);
	}
}

/* Phrases and views make no difference here: JSON has every fact, whatever the text leaves out. */
static void put_field(struct scry_renderer *to, const struct scry_facts *facts,
		      const struct scry_say *field, const void *subject)
{
	SCRY_AUTO_SAID(said);

	if (field->flags & SCRY_SAY_TEXT_ONLY)
		return;
	scry_said_get(facts, field, subject, &said);
	if (said.kind == SCRY_SAID_FIELDS) {
		put_fields(to, said.facts, said.subject);
	} else if (said.kind != SCRY_SAID_ABSENT) {
		scry_json_key(json_of(to), field->key);
		put_value(to, &said);
	}
}

static void put_fields(struct scry_renderer *to, const struct scry_facts *facts,
		       const void *subject)
{
	for (const struct scry_say *field = facts->fields; field->key; field++)
		put_field(to, facts, field, subject);
}

/* An element without a name of its own: a list of numbers, not of objects with one member. */
static void put_bare(struct scry_renderer *to, const struct scry_facts *facts,
		     const struct scry_say *field, const void *subject)
{
	SCRY_AUTO_SAID(said);

	scry_said_get(facts, field, subject, &said);
	put_value(to, &said);
}

/* The first field of an element of a map is its key. */
static void put_pair(struct scry_renderer *to, const struct scry_facts *facts, const void *subject)
{
	SCRY_AUTO_SAID(key);

	scry_said_get(facts, &facts->fields[0], subject, &key);
	scry_json_key(json_of(to), key.kind == SCRY_SAID_TEXT ? key.text : "?");
	put_bare(to, facts, &facts->fields[1], subject);
}

static void put_facts(struct scry_renderer *to, const struct scry_facts *facts,
		      const char *const *view, const void *subject)
{
	(void)view;
	if (facts->text_only)
		return;
	if (((struct scry_render *)to)->in_map) {
		put_pair(to, facts, subject);
	} else if (facts->bare) {
		put_bare(to, facts, facts->fields, subject);
	} else {
		scry_json_open(json_of(to), '{');
		put_fields(to, facts, subject);
		scry_json_close(json_of(to), '}');
	}
}

static void put_answer(struct scry_renderer *to, const struct scry_facts *facts,
		       const char *const *view, const void *subject)
{
	(void)view;
	put_fields(to, facts, subject);
}

static void list_open(struct scry_renderer *to, const char *key)
{
	scry_json_key(json_of(to), key);
	scry_json_open(json_of(to), '[');
}

static void list_close(struct scry_renderer *to)
{
	scry_json_close(json_of(to), ']');
}

const struct scry_renderer_ops scry_render_json = {
	.name = "json",
	.facts = put_facts,
	.fields = put_answer,
	.list_open = list_open,
	.list_close = list_close,
};
