/* An exception as text or JSON: with traceback, attributes, members and what led to it. */
#include "command/exception_show.h"

#include <inttypes.h>
#include <string.h>

#define CHAIN_MAX   50     /* links of one chain of causes that are shown */
#define REST_MAX    100000 /* of the rest, that are counted */
#define NESTING_MAX 20     /* groups within one another */
#define SHOWN_MAX   1000   /* exceptions below one that somebody has */

/* --- the traceback --- */

/* An entry's frame, with the place it was at when the exception passed. */
struct entry_stack {
	struct scry_stack stack;
	struct scry_traceback tb;
	struct scry_location where;
	unsigned depth;
};

static int next_entry(struct scry_stack *stack, struct scry_frame *ret)
{
	struct entry_stack *es = (struct entry_stack *)stack;
	int rc = scry_traceback_next(&es->tb, ret, &es->where);

	if (rc == SCRY_ITEM)
		ret->depth = es->depth++;
	if (rc == SCRY_ITEM && ret->code)
		ret->where = &es->where;
	return rc;
}

static struct entry_stack traceback_of(struct scry_shown *shown, scry_addr traceback)
{
	return (struct entry_stack) {
		.stack = { .next = next_entry, .locals = true },
		.tb = { .runtime = shown->runtime, .next = traceback },
	};
}

/* A limit leaves the first entries out: the last are where it was raised. How many are left out. */
static uint64_t skip_entries(struct scry_shown *shown, struct entry_stack *es)
{
	uint64_t limit = shown->call->s->options.limit[SCRY_LIMIT_FRAMES], count = 0, left;
	struct entry_stack all = *es;
	struct scry_frame f;

	while (limit && next_entry(&all.stack, &f) == SCRY_ITEM)
		count++;
	left = limit && count > limit ? count - limit : 0;
	for (uint64_t i = 0; i < left; i++)
		next_entry(&es->stack, &f);
	return left;
}

/* --- one exception, with what led to it: text --- */

static void indent(struct scry_call *call, unsigned depth)
{
	for (unsigned i = 0; i <= depth; i++)
		scry_buf_puts(call->out, "  ");
}

void scry_exception_damage_text(struct scry_shown *shown, scry_addr addr, const char *head,
				unsigned depth)
{
	indent(shown->call, depth);
	scry_buf_printf(shown->call->out, "%s<unreadable at 0x%" PRIx64 ": ", head, addr);
	scry_put_safe(shown->call->out, shown->call->s->error.text);
	scry_buf_puts(shown->call->out, ">\n");
	shown->call->partial = true;
}

void scry_value_text(struct scry_shown *shown, scry_addr addr)
{
	struct scry_buf repr = SCRY_BUF_INIT;

	scry_repr(shown->runtime, addr, &repr);
	scry_put_safe_bytes(shown->call->out, repr.text, repr.len);
	scry_buf_done(&repr);
}

static void put_notes(struct scry_shown *shown, const struct scry_exception *e, unsigned depth)
{
	uint64_t it = 0, limit = shown->call->s->options.limit[SCRY_LIMIT_ITEMS];
	const char *note;

	for (uint64_t n = 0; scry_exception_note_next(e, &it, &note) == SCRY_ITEM; n++) {
		indent(shown->call, depth);
		if (limit && n >= limit) {
			scry_buf_puts(shown->call->out, "… more notes\n");
			return;
		}
		scry_buf_puts(shown->call->out, "note: ");
		scry_put_safe(shown->call->out, note);
		scry_buf_putc(shown->call->out, '\n');
	}
}

static void put_attributes(struct scry_shown *shown, const struct scry_exception *e, unsigned depth)
{
	uint64_t limit = shown->call->s->options.limit[SCRY_LIMIT_ITEMS];
	struct scry_exception_attrs it = { 0 };
	const char *name;
	scry_addr value;

	for (uint64_t n = 0; scry_exception_attr_next(e, &it, &name, &value) == SCRY_ITEM;) {
		if (!strcmp(name, "__notes__"))
			continue;
		indent(shown->call, depth);
		if (limit && n++ >= limit) {
			scry_buf_puts(shown->call->out, "… more attributes\n");
			return;
		}
		scry_buf_putc(shown->call->out, '.');
		scry_put_styled(shown->call, SCRY_STYLE_NAME, name);
		scry_buf_puts(shown->call->out, " = ");
		scry_value_text(shown, value);
		scry_buf_putc(shown->call->out, '\n');
	}
}

static void put_members(struct scry_shown *shown, const struct scry_exception *e, unsigned depth)
{
	uint64_t it = 0, limit = shown->call->s->options.limit[SCRY_LIMIT_ITEMS];
	struct scry_exception member;
	scry_addr addr;
	int rc = SCRY_OK;

	for (uint64_t n = 0; (rc = scry_exception_member_next(e, &it, &addr)) == SCRY_ITEM; n++) {
		if ((limit && n >= limit) || depth >= NESTING_MAX || shown->count >= SHOWN_MAX) {
			indent(shown->call, depth + 1);
			scry_buf_puts(shown->call->out, "… more members\n");
			return;
		}
		if (scry_exception_at(shown->runtime, addr, &member) < 0)
			scry_exception_damage_text(shown, addr, "member: ", depth + 1);
		else
			scry_chain_text(shown, &member, "member: ", depth + 1);
	}
	if (rc < 0)
		scry_exception_damage_text(shown, e->group, "members: ", depth + 1);
}

static void put_traceback(struct scry_shown *shown, const struct scry_exception *e, unsigned depth)
{
	struct entry_stack es = traceback_of(shown, e->traceback);

	if (!e->traceback)
		return;
	indent(shown->call, depth);
	scry_buf_puts(shown->call->out, "traceback (most recent call last):\n");
	uint64_t left = skip_entries(shown, &es);
	if (left) {
		scry_buf_puts(shown->call->out, "… ");
		scry_put_count(shown->call->out, left);
		scry_buf_printf(shown->call->out, " older frame%s not shown (--limit)\n",
				left == 1 ? "" : "s");
	}
	scry_stack_text(shown->call, &es.stack);
}

static void put_heading(struct scry_shown *shown, const struct scry_exception *e, const char *head,
			unsigned depth)
{
	struct scry_call *call = shown->call;

	indent(call, depth);
	scry_buf_puts(call->out, head);
	scry_put_styled(call, SCRY_STYLE_ERROR, e->type_name);
	if (e->message && *e->message) {
		scry_buf_puts(call->out, ": ");
		scry_put_safe(call->out, e->message);
	} else if (!e->message) {
		scry_value_text(shown, e->args);
		scry_buf_puts(call->out, " (its args: its own __str__ is not run)");
	}
	if (e->not_made)
		scry_buf_puts(call->out, " (its class and value: there is no instance yet)");
}

/* False where it was shown before. */
static bool exception_text(struct scry_shown *shown, const struct scry_exception *e,
			   const char *head, unsigned depth)
{
	bool again = e->addr && scry_hash_add(&shown->seen, e->addr) <= 0;

	put_heading(shown, e, head, depth);
	scry_buf_puts(shown->call->out, again ? " (shown above)\n" : "\n");
	if (again)
		return false;
	shown->count++;
	put_notes(shown, e, depth + 1);
	put_attributes(shown, e, depth + 1);
	put_traceback(shown, e, depth);
	put_members(shown, e, depth);
	return true;
}

/* What Python would print before it: its cause, else its context; 0 none. */
static scry_addr link_of(const struct scry_exception *e)
{
	return e->cause ? e->cause : e->suppress_context ? 0 : e->context;
}

static void put_rest(struct scry_shown *shown, scry_addr addr, unsigned depth)
{
	struct scry_exception e;
	uint64_t count = 0;

	while (addr && count < REST_MAX && scry_hash_add(&shown->seen, addr) > 0 &&
	       scry_exception_at(shown->runtime, addr, &e) == SCRY_OK) {
		addr = link_of(&e);
		count++;
	}
	indent(shown->call, depth);
	scry_buf_puts(shown->call->out, count < REST_MAX ? "… " : "… at least ");
	scry_put_count(shown->call->out, count);
	scry_buf_puts(shown->call->out,
		      count == 1 ? " more exception before it\n" : " more exceptions before it\n");
}

void scry_chain_text(struct scry_shown *shown, const struct scry_exception *first, const char *head,
		     unsigned depth)
{
	struct scry_exception e = *first;

	for (unsigned n = 1; exception_text(shown, &e, head, depth); n++) {
		scry_addr link = link_of(&e);

		if (n == 1)
			depth++;
		if (!link)
			return;
		if (n >= CHAIN_MAX || shown->count >= SHOWN_MAX) {
			put_rest(shown, link, depth);
			return;
		}
		head = e.cause ? "directly caused by: " : "raised while handling: ";
		if (scry_exception_at(shown->runtime, link, &e) < 0) {
			scry_exception_damage_text(shown, link, head, depth);
			return;
		}
	}
}

/* --- the same as JSON --- */

void scry_exception_json_at(struct scry_shown *shown, scry_addr addr, unsigned depth)
{
	struct scry_json *j = shown->call->json;
	struct scry_exception e;

	if (scry_exception_at(shown->runtime, addr, &e) == SCRY_OK) {
		scry_exception_json(shown, &e, depth);
		return;
	}
	scry_json_open(j, '{');
	scry_json_put_addr(j, "id", addr);
	scry_json_put_text(j, "error", shown->call->s->error.text);
	scry_json_close(j, '}');
	shown->call->partial = true;
}

static void json_related(struct scry_shown *shown, const char *key, scry_addr addr, unsigned depth)
{
	scry_json_key(shown->call->json, key);
	if (addr)
		scry_exception_json_at(shown, addr, depth + 1);
	else
		scry_json_null(shown->call->json);
}

static void json_repr(struct scry_shown *shown, const char *key, scry_addr addr)
{
	struct scry_buf repr = SCRY_BUF_INIT;

	scry_json_key(shown->call->json, key);
	if (addr) {
		scry_repr(shown->runtime, addr, &repr);
		scry_json_bytes(shown->call->json, repr.text, repr.len);
	} else {
		scry_json_null(shown->call->json);
	}
	scry_buf_done(&repr);
}

static void json_lists(struct scry_shown *shown, const struct scry_exception *e, unsigned depth)
{
	struct scry_json *j = shown->call->json;
	struct scry_exception_attrs attrs = { 0 };
	const char *text;
	scry_addr value;
	uint64_t it = 0, n;

	scry_json_key(j, "notes");
	scry_json_open(j, '[');
	for (n = 0; n < SHOWN_MAX && scry_exception_note_next(e, &it, &text) == SCRY_ITEM; n++)
		scry_json_text(j, text);
	scry_json_close(j, ']');
	scry_json_key(j, "attributes");
	scry_json_open(j, '{');
	for (n = 0;
	     n < SHOWN_MAX && scry_exception_attr_next(e, &attrs, &text, &value) == SCRY_ITEM; n++)
		if (strcmp(text, "__notes__"))
			json_repr(shown, text, value);
	scry_json_close(j, '}');
	scry_json_key(j, "members");
	scry_json_open(j, '[');
	it = 0;
	for (n = 0; n < SHOWN_MAX && scry_exception_member_next(e, &it, &value) == SCRY_ITEM; n++)
		scry_exception_json_at(shown, value, depth + 1);
	scry_json_close(j, ']');
}

static void json_traceback(struct scry_shown *shown, const struct scry_exception *e)
{
	struct entry_stack es = traceback_of(shown, e->traceback);
	uint64_t left = skip_entries(shown, &es);

	scry_stack_json(shown->call, &es.stack);
	if (left) {
		scry_json_put_int(shown->call->json, "omitted", (int64_t)left);
	}
}

void scry_exception_json(struct scry_shown *shown, const struct scry_exception *e, unsigned depth)
{
	struct scry_json *j = shown->call->json;
	bool deep = depth > CHAIN_MAX || shown->count >= SHOWN_MAX;
	bool again = !deep && e->addr && scry_hash_add(&shown->seen, e->addr) <= 0;

	scry_json_open(j, '{');
	scry_json_key(j, "id");
	if (e->addr)
		scry_json_addr(j, e->addr);
	else
		scry_json_null(j);
	scry_json_put_text(j, "type", e->type_name);
	scry_json_put_text(j, "message", e->message);
	json_repr(shown, "args", e->args);
	scry_json_put_bool(j, "repeated", again);
	if (deep) {
		scry_json_put_bool(j, "truncated", true);
	}
	if (!again && !deep) {
		shown->count++;
		scry_json_put_bool(j, "suppress_context", e->suppress_context);
		json_traceback(shown, e);
		json_lists(shown, e, depth);
		json_related(shown, "cause", e->cause, depth);
		json_related(shown, "context", e->context, depth);
	}
	scry_json_close(j, '}');
}
