/* Facts: the value of one, from wherever its row says. */
#include "base/facts.h"

#include <string.h>

/* A member of whatever width, read as the row has it from sizeof and the sign of its type. */
static int64_t integer_at(const void *at, const struct scry_say *field)
{
	unsigned unused = 64 - 8u * field->size;
	uint64_t value = 0;

	if (field->size == 1)
		value = *(const uint8_t *)at;
	else if (field->size == 2)
		value = *(const uint16_t *)at;
	else if (field->size == 4)
		value = *(const uint32_t *)at;
	else
		value = *(const uint64_t *)at;
	return field->is_signed ? (int64_t)(value << unused) >> unused : (int64_t)value;
}

static void get_view(const struct scry_say *field, int64_t which, struct scry_said *ret)
{
	if (which < 0 || which >= field->view_count || !field->views[which])
		return;
	ret->kind = SCRY_SAID_VIEW;
	ret->view = field->views[which];
}

static void get_member(const struct scry_say *field, const void *at, struct scry_said *ret)
{
	switch (field->how) {
	case SCRY_SAY_TEXT:
		scry_said_text(ret, *(const char *const *)at);
		break;
	case SCRY_SAY_CHARS:
		scry_said_text(ret, at);
		break;
	case SCRY_SAY_BOOL:
		scry_said_bool(ret, *(const bool *)at);
		break;
	case SCRY_SAY_INT:
	/* a count of 0, or an id of 0, says that there is nothing: null, not a number */
	case SCRY_SAY_COUNT:
		scry_said_int(ret, integer_at(at, field));
		if (field->how == SCRY_SAY_COUNT && ret->number <= 0)
			ret->kind = SCRY_SAID_NULL;
		break;
	case SCRY_SAY_ADDR:
	case SCRY_SAY_ID:
		scry_said_addr(ret, *(const uint64_t *)at);
		if (field->how == SCRY_SAY_ID && !ret->addr)
			ret->kind = SCRY_SAID_NULL;
		break;
	case SCRY_SAY_NAME:
		scry_said_text(ret, field->names[integer_at(at, field)]);
		break;
	case SCRY_SAY_FACTS:
		scry_said_facts(ret, field->facts, at);
		break;
	case SCRY_SAY_VIEWS:
		get_view(field, integer_at(at, field), ret);
		break;
	default: /* SCRY_SAY_POINTER */
		scry_said_facts(ret, field->facts, *(const void *const *)at);
	}
}

static void each_addr(const void *subject, struct scry_renderer *to)
{
	const struct scry_said *said = subject;
	const uint64_t *list = said->at.in;

	for (uint64_t i = 0; i < said->at.addr; i++)
		scry_say(to, said->facts, &list[i]);
}

/*
 * The list lives in the value itself, so that the renderer can go through it after this has
 * returned.
 */
static void get_addrs(const struct scry_say *field, const char *base, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_LIST;
	ret->facts = field->facts;
	ret->subject = ret;
	ret->each = each_addr;
	memcpy(&ret->at.in, base + field->offset, sizeof(ret->at.in));
	ret->at.addr = *(const size_t *)(base + field->count);
}

/*
 * What a function makes, for what no member has. Each is asked only when a renderer wants the
 * value.
 */
static void get_made(const struct scry_say *field, const void *subject, struct scry_said *ret)
{
	switch (field->how) {
	case SCRY_SAY_GET:
		field->get(subject, ret);
		break;
	case SCRY_SAY_PRINT:
		if (field->print(subject, &ret->own))
			scry_said_bytes(ret, ret->own.text, ret->own.len);
		else
			ret->kind = SCRY_SAID_NULL;
		break;
	case SCRY_SAY_LIST:
	case SCRY_SAY_MAP:
		ret->kind = field->how == SCRY_SAY_LIST ? SCRY_SAID_LIST : SCRY_SAID_MAP;
		ret->facts = field->facts;
		ret->subject = subject;
		ret->each = field->each;
		if (field->has && !field->has(subject))
			ret->kind = SCRY_SAID_ABSENT;
		break;
	case SCRY_SAY_FIELDS:
		ret->kind = SCRY_SAID_FIELDS;
		ret->facts = field->facts;
		ret->subject = subject;
		break;
	default:
		ret->kind = SCRY_SAID_VIEW;
		ret->view = field->names;
	}
}

void scry_said_get(const struct scry_facts *facts, const struct scry_say *field,
		   const void *subject, struct scry_said *ret)
{
	const char *base = subject;

	if (field->how >= SCRY_SAY_GET) {
		get_made(field, subject, ret);
	} else {
		/* the members are those of what the subject points to */
		if (facts->through)
			base = *(const char *const *)(base + facts->through - 1);
		if (base && field->how == SCRY_SAY_AT)
			scry_said_at(ret, field->facts,
				     *(void *const *)((const char *)subject + facts->in - 1),
				     *(const uint64_t *)(base + field->offset));
		else if (base && field->how == SCRY_SAY_ADDRS)
			get_addrs(field, base, ret);
		else if (base)
			get_member(field, base + field->offset, ret);
		else
			ret->kind = SCRY_SAID_NULL;
	}
	if (ret->kind == SCRY_SAID_NULL && field->flags & SCRY_SAY_OPTIONAL)
		ret->kind = SCRY_SAID_ABSENT;
}

void scry_said_done(struct scry_said *said)
{
	scry_buf_done(&said->own);
}

void scry_said_text(struct scry_said *ret, const char *text)
{
	scry_said_bytes(ret, text, text ? strlen(text) : 0);
}

void scry_said_bytes(struct scry_said *ret, const char *text, size_t len)
{
	ret->kind = text ? SCRY_SAID_TEXT : SCRY_SAID_NULL;
	ret->text = text;
	ret->len = len;
}

void scry_said_int(struct scry_said *ret, int64_t number)
{
	ret->kind = SCRY_SAID_INT;
	ret->number = number;
}

void scry_said_bool(struct scry_said *ret, bool truth)
{
	ret->kind = SCRY_SAID_BOOL;
	ret->truth = truth;
}

void scry_said_addr(struct scry_said *ret, uint64_t addr)
{
	ret->kind = SCRY_SAID_ADDR;
	ret->addr = addr;
}

void scry_said_id(struct scry_said *ret, uint64_t addr)
{
	ret->kind = addr ? SCRY_SAID_ADDR : SCRY_SAID_NULL;
	ret->addr = addr;
}

void scry_said_facts(struct scry_said *ret, const struct scry_facts *facts, const void *subject)
{
	ret->kind = subject ? SCRY_SAID_FACTS : SCRY_SAID_NULL;
	ret->facts = facts;
	ret->subject = subject;
}

void scry_said_at(struct scry_said *ret, const struct scry_facts *facts, void *in, uint64_t addr)
{
	ret->at.in = in;
	ret->at.addr = addr;
	scry_said_facts(ret, facts, addr ? &ret->at : NULL);
}

/* Truth as phrases ask for it ("{?key}"): nothing, null, false and 0 are not. */
bool scry_said_is(const struct scry_said *said)
{
	switch (said->kind) {
	case SCRY_SAID_ABSENT:
	case SCRY_SAID_NULL:
		return false;
	case SCRY_SAID_BOOL:
		return said->truth;
	case SCRY_SAID_INT:
		return said->number != 0;
	case SCRY_SAID_ADDR:
		return said->addr != 0;
	default:
		return true;
	}
}

/* A renderer that was stopped (Ctrl-C, a limit) takes no more; what is under way ends by itself. */
void scry_say_as(struct scry_renderer *to, const struct scry_facts *facts, const char *const *view,
		 const void *subject)
{
	if (!to->stopped || !*to->stopped)
		to->ops->facts(to, facts, view, subject);
}

void scry_say(struct scry_renderer *to, const struct scry_facts *facts, const void *subject)
{
	scry_say_as(to, facts, NULL, subject);
}

void scry_say_fields(struct scry_renderer *to, const struct scry_facts *facts, const void *subject)
{
	to->ops->fields(to, facts, NULL, subject);
}

void scry_say_fields_as(struct scry_renderer *to, const struct scry_facts *facts,
			const char *const *view, const void *subject)
{
	to->ops->fields(to, facts, view, subject);
}

/* --- what has but one field --- */

static void get_addr(const void *subject, struct scry_said *ret)
{
	scry_said_addr(ret, *(const uint64_t *)subject);
}

static void get_text(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, subject);
}

const struct scry_say scry_facts_addr_fields[] = { SAY_GET("address", get_addr), SAY_END };
static const struct scry_say text_fields[] = { SAY_GET("text", get_text), SAY_END };

const struct scry_facts scry_facts_addr = { "address", scry_facts_addr_fields, NULL, .bare = true };
const struct scry_facts scry_facts_text = { "text", text_fields, NULL, .bare = true };
