/* A register, and what the word in it means. */
#include "command/layer_show.h"
#include "command/register_show.h"

#include <inttypes.h>

#include "native/doubt.h"
#include "object/model.h"

/* --- what an address of an object says: facts about a struct scry_at --- */

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct scry_at *at = subject;

	scry_said_text(ret, scry_is_object(at->in, at->addr) ? scry_type_name_of(at->in, at->addr)
							     : NULL);
}

static bool print_repr(const void *subject, struct scry_buf *out)
{
	const struct scry_at *at = subject;
	struct scry_runtime *r = at->in;
	bool damaged = r->session->value_damaged;

	scry_short_repr(r, at->addr, out);
	/* words are left over from what was freed since: nothing is wrong with the target then */
	if (scry_object_doubt(r, at->addr).why)
		r->session->value_damaged = damaged;
	return true;
}

static const struct scry_say value_fields[] = {
	SAY_GET("type", get_type),
	SAY_PRINT("repr", print_repr),
	SAY_END,
};
static const struct scry_facts value_facts = { "value of a register", value_fields, NULL };

static void say_value(struct scry_said *ret, struct scry_runtime *r, scry_addr object)
{
	scry_said_at(ret, &value_facts, r, object);
	ret->kind = object ? SCRY_SAID_FIELDS : SCRY_SAID_ABSENT;
}

/* --- pointers in a row --- */

struct slot {
	struct scry_runtime *runtime;
	scry_addr value;
	unsigned offset;
};

static void get_slot_value(const void *subject, struct scry_said *ret)
{
	const struct slot *slot = subject;

	say_value(ret, slot->runtime, slot->value);
}

#define SUBJECT struct slot
static const struct scry_say slot_fields[] = {
	SAY_ADDR("address", value),
	SAY_GET("", get_slot_value, .facts = &value_facts),
	SAY_INT("offset", offset, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const slot_text[] = {
	"\n        +{offset%-3}",
	"{!address}NULL",
	"|{address} {type=?} {repr}",
	NULL,
};

static const struct scry_facts slot_facts = { "slot", slot_fields, slot_text };

/* --- a register, and what it means --- */

static void get_word_kind(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret,
		       scry_word_kind_name(((const struct scry_shown_register *)subject)->m.kind));
}

/* Of what the word points to; what it only points into has no keys but those of its own. */
static void get_value(const void *subject, struct scry_said *ret)
{
	const struct scry_meaning *m = &((const struct scry_shown_register *)subject)->m;
	bool whole = m->runtime && m->kind != SCRY_WORD_INTERIOR;

	say_value(ret, m->runtime, whole ? m->object : 0);
}

static void get_offset(const void *subject, struct scry_said *ret)
{
	const struct scry_meaning *m = &((const struct scry_shown_register *)subject)->m;

	if (m->kind == SCRY_WORD_INTERIOR || m->kind == SCRY_WORD_CODE)
		scry_said_int(ret, (int64_t)m->offset);
}

static void get_module(const void *subject, struct scry_said *ret)
{
	const struct scry_meaning *m = &((const struct scry_shown_register *)subject)->m;

	scry_said_text(ret, m->module ? m->module->name : NULL);
}

static void each_slot(const void *subject, struct scry_renderer *to)
{
	const struct scry_shown_register *reg = subject;
	unsigned size = reg->session->target->abi.ptr_size;

	for (unsigned i = 0; i < reg->m.slot_count; i++)
		scry_say(to, &slot_facts,
			 &(struct slot) { reg->m.runtime, reg->m.slots[i], i * size });
}

static bool has_slots(const void *subject)
{
	return ((const struct scry_shown_register *)subject)->m.slot_count > 0;
}

/* A type is called one, whatever its metatype is. */
static void get_type_name(const void *subject, struct scry_said *ret)
{
	const struct scry_meaning *m = &((const struct scry_shown_register *)subject)->m;

	scry_said_text(ret, m->kind == SCRY_WORD_TYPE ? "type" : m->type);
}

static void get_number(const void *subject, struct scry_said *ret)
{
	const struct scry_shown_register *reg = subject;
	bool wide = reg->session->target->abi.ptr_size > 4;

	scry_said_int(ret, wide ? (int64_t)reg->word : (int32_t)reg->word);
}

/* That a register holds 0 says nothing of a fault at 0. */
static void get_is_fault(const void *subject, struct scry_said *ret)
{
	const struct scry_shown_register *reg = subject;
	const struct scry_target *t = reg->session->target;

	scry_said_bool(ret,
		       reg->innermost && reg->word && t->has_fault && reg->word == t->fault_addr);
}

static const char *const as_number[] = { "{number}", NULL };
static const char *const as_object[] = { "{type_name=?} {repr}", NULL };
static const char *const as_code[] = {
	"{!module}code in no module",
	"|code {module}{?symbol} {symbol}+{distance}",
	"|code {module}+{distance}",
	NULL,
};
static const char *const as_frame[] = { "frame", " of {function}", "| {repr}", NULL };
static const char *const as_interior[] = {
	"inside {type=?}", " of {function}", " at {object}, +{offset}", "{slots}", NULL,
};
static const char *const as_objects[] = { "-> objects (a guess where they end){slots}", NULL };

/* A kind that is not here has nothing but its name to show. */
static const char *const *const readings[] = {
	[SCRY_WORD_NUMBER] = as_number,     [SCRY_WORD_OBJECT] = as_object,
	[SCRY_WORD_TYPE] = as_object,       [SCRY_WORD_CODE_OBJECT] = as_object,
	[SCRY_WORD_CODE] = as_code,         [SCRY_WORD_FRAME] = as_frame,
	[SCRY_WORD_INTERIOR] = as_interior, [SCRY_WORD_OBJECTS] = as_objects,
};

#define SUBJECT struct scry_shown_register
static const struct scry_say interior_fields[] = {
	SAY_ADDR("object", m.object),
	SAY_TEXT("type", m.type),
	SAY_END,
};
static const struct scry_facts interior_facts = { "interior", interior_fields, NULL };

static const struct scry_say code_fields[] = {
	SAY_GET("module", get_module),
	SAY_TEXT("symbol", m.symbol),
	SAY_ADDR("distance", m.offset, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts code_facts = { "code", code_fields, NULL };

/* What only words of its kind have. */
static void get_more(const void *subject, struct scry_said *ret)
{
	const struct scry_shown_register *reg = subject;

	ret->facts = reg->m.kind == SCRY_WORD_INTERIOR ? &interior_facts
		     : reg->m.kind == SCRY_WORD_CODE   ? &code_facts
						       : NULL;
	ret->kind = ret->facts ? SCRY_SAID_FIELDS : SCRY_SAID_ABSENT;
	ret->subject = subject;
}

static const struct scry_facts *const more_facts[] = { &interior_facts, &code_facts, NULL };

static const struct scry_say meaning_fields[] = {
	SAY_GET("kind", get_word_kind),
	SAY_GET("", get_value, .facts = &value_facts),
	SAY_GET("offset", get_offset),
	SAY_GET("", get_more, .of = more_facts),
	SAY_TEXT("function", m.function, .flags = SCRY_SAY_OPTIONAL),
	SAY_LIST_IF("slots", &slot_facts, each_slot, has_slots),
	SAY_TEXT("uncertain", m.doubt),
	SAY_GET("number", get_number, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("type_name", get_type_name, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_GET("is_fault", get_is_fault, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEWS("reading", m.kind, readings, NULL),
	SAY_END,
};
static const struct scry_facts meaning_facts = { "meaning", meaning_fields, NULL };

static void get_name(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, ((const struct scry_shown_register *)subject)->row->name);
}

static void get_saved(const void *subject, struct scry_said *ret)
{
	static const char *const names[] = { [SCRY_VOLATILE] = "volatile",
					     [SCRY_PRESERVED] = "preserved",
					     [SCRY_STACK_POINTER] = "stack pointer",
					     [SCRY_INSTRUCTION_POINTER] = "instruction pointer" };
	const struct scry_shown_register *reg = subject;
	bool windows = reg->session->target->abi.windows;

	scry_said_text(ret, names[windows ? reg->row->win64 : reg->row->sysv]);
}

static void get_register_value(const void *subject, struct scry_said *ret)
{
	const struct scry_shown_register *reg = subject;

	ret->kind = SCRY_SAID_NULL;
	if (reg->known)
		scry_said_addr(ret, reg->word);
}

static bool print_digits(const void *subject, struct scry_buf *out)
{
	const struct scry_shown_register *reg = subject;

	if (reg->known)
		scry_buf_printf(out, "0x%0*" PRIx64,
				(int)(2 * reg->session->target->arch->ptr_size), reg->word);
	return reg->known;
}

static void get_meaning(const void *subject, struct scry_said *ret)
{
	const struct scry_shown_register *reg = subject;

	ret->kind = reg->known ? SCRY_SAID_FIELDS : SCRY_SAID_ABSENT;
	ret->facts = &meaning_facts;
	ret->subject = subject;
}

static const struct scry_say register_fields[] = {
	SAY_GET("name", get_name),
	SAY_GET("saved", get_saved),
	SAY_GET("value", get_register_value),
	SAY_GET("", get_meaning, .facts = &meaning_facts),
	SAY_BOOL("known", known, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("digits", print_digits, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const register_text[] = {
	"{name%-6} ",
	"{digits}  ",
	"{saved%-19} ",
	"{!known}not saved",
	"|{reading}",
	"|{kind}",
	"  [uncertain: {uncertain}]",
	"{?is_fault}  [fault address]",
	"\n",
	NULL,
};

const struct scry_facts scry_facts_register = { "register", register_fields, register_text };
