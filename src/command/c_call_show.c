/* A C function that a Python frame is in a call of, in a line below the frame. */
#include "command/c_call_show.h"

#include "command/cvars.h"
#include "command/layer_show.h"

/* --- an argument --- */

struct shown_argument {
	const char *name;
	struct scry_held held;
};

static void get_held(const void *subject, struct scry_said *ret)
{
	ret->kind = SCRY_SAID_FIELDS;
	ret->facts = &scry_facts_held;
	ret->subject = &((const struct shown_argument *)subject)->held;
}

#define SUBJECT struct shown_argument
static const struct scry_say argument_fields[] = {
	SAY_TEXT("name", name),
	SAY_GET("", get_held, .facts = &scry_facts_held),
	SAY_END,
};
#undef SUBJECT
static const struct scry_facts argument_facts = { "C argument", argument_fields, NULL };

/* --- the call --- */

struct shown {
	const struct scry_c_call *c;
	struct scry_held self;
};

static const struct scry_c_call *call_of(const void *subject)
{
	return ((const struct shown *)subject)->c;
}

static void get_function(const void *subject, struct scry_said *ret)
{
	scry_said_text(ret, call_of(subject)->function);
}

static void each_argument(const void *subject, struct scry_renderer *to)
{
	const struct scry_c_call *c = call_of(subject);

	for (unsigned i = 0; i < c->count; i++)
		scry_say(to, &argument_facts,
			 &(struct shown_argument) { c->arguments[i].name,
						    { c->runtime, c->arguments[i].value } });
}

static void get_self(const void *subject, struct scry_said *ret)
{
	const struct shown *it = subject;

	scry_said_facts(ret, &scry_facts_held, it->self.addr ? &it->self : NULL);
}

static bool print_self(const void *subject, struct scry_buf *out)
{
	const struct scry_c_call *c = call_of(subject);

	if (c->self)
		scry_short_repr(c->runtime, c->self, out);
	return c->self;
}

static void put_arguments(const struct scry_c_call *c, struct scry_buf *out)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (i)
			scry_buf_puts(out, ", ");
		if (c->arguments[i].name) {
			scry_put_safe(out, c->arguments[i].name);
			scry_buf_putc(out, '=');
		}
		scry_short_repr(c->runtime, c->arguments[i].value, out);
	}
	if (c->more)
		scry_buf_puts(out, c->count ? ", ..." : "...");
}

/* Of a function in brackets; a method's come after what it is of, where there are any. */
static bool print_brackets(const void *subject, struct scry_buf *out)
{
	const struct scry_c_call *c = call_of(subject);

	if (c->self)
		return false;
	scry_buf_putc(out, '(');
	put_arguments(c, out);
	scry_buf_putc(out, ')');
	return true;
}

static bool print_arguments(const void *subject, struct scry_buf *out)
{
	const struct scry_c_call *c = call_of(subject);

	if (c->self)
		put_arguments(c, out);
	return c->self && (c->count || c->more);
}

static const struct scry_say call_fields[] = {
	SAY_GET("function", get_function),
	SAY_GET("object", get_self, .facts = &scry_facts_held),
	SAY_LIST("arguments", &argument_facts, each_argument),
	SAY_PRINT("brackets", print_brackets, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("of", print_self, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("with", print_arguments, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
static const struct scry_facts call_facts = { "C call", call_fields,
					      (const char *const[]) {
						      "      in {function:function}", "{brackets}",
						      " of {of}", " with {with}", "\n", NULL } };

/* --- as a part of its frame --- */

static void get_call(const void *subject, struct scry_said *ret)
{
	scry_said_facts(ret, &call_facts, subject);
}

static const struct scry_say fields[] = {
	SAY_GET("calls", get_call, .facts = &call_facts, .flags = SCRY_SAY_OPTIONAL),
	SAY_END,
};
const struct scry_facts scry_facts_calls = { "calls", fields,
					     (const char *const[]) { "{calls}", NULL } };

void scry_say_c_call(struct scry_call *call, const struct scry_c_call *c)
{
	scry_say_fields(&call->render.to, &scry_facts_calls,
			&(struct shown) { c, { c->runtime, c->self } });
}
