/* Exceptions: repr, message, causes, notes, groups, tracebacks. */
#include "runtime/frame.h"
#include "object/exception.h"
#include "object/known.h"

#include <stdio.h>

#include "object/judge.h"
#include "object/printer.h"

int scry_exception_args(struct scry_runtime *r, scry_addr exc, uint64_t *n, scry_addr *items)
{
	struct scry_type *t;
	scry_addr args;
	int rc = scry_field_read(r, exc, SCRY_F_EXCEPTION_ARGS, &args);

	rc = rc < 0 ? rc : scry_type_for(r, args, &t);
	if (rc == SCRY_OK && !(t->flags & TYPE_TUPLE)) /* __init__() and args= see to it */
		return scry_fail(r->session, SCRY_ECORRUPT, exc, "its arguments are a %s", t->name);
	return rc < 0 ? rc : scry_sequence(r, args, n, items);
}

/* --- repr: Objects/exceptions.c, BaseException_repr() --- */

/* Up to 3.6: "ValueError('x',)". */
static int print_exception_tuple(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t n;
	scry_addr items;
	int rc = scry_exception_args(p->runtime, addr, &n, &items);

	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, scry_type_short(p->runtime, type));
	scry_print(p, scry_field_get(p->runtime, addr, SCRY_F_EXCEPTION_ARGS));
	return SCRY_OK;
}

/* 3.7+: "ValueError('x')". */
static int print_exception(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t n;
	scry_addr items;
	int rc = scry_exception_args(p->runtime, addr, &n, &items);

	if (rc < 0)
		return rc;
	/*
	 * since 3.7 one argument is printed by itself, more of them as a tuple, which is what ends
	 * a cycle
	 */
	const char *name = scry_type_short(p->runtime, type);
	char *again = scry_arena_printf(&p->runtime->session->arena, "%s(...)", name);
	bool alone = n == 1 && scry_trait(p->runtime, SCRY_TRAIT_ONE_ARGUMENT_ALONE);
	if (!scry_printer_enter(p, alone ? 0 : items, again ? again : "..."))
		return SCRY_OK;
	scry_printf(p, "%s(", name);
	scry_print_items(p, items, n);
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* 3.14+ prints the members it has, as a list where it got one: BaseExceptionGroup_repr(). */
static int print_group(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t n, members;
	scry_addr items, excs, member_items, second, message;
	struct scry_type *t;
	int rc = scry_exception_args(r, addr, &n, &items);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_EXCEPTION_GROUP_EXCS, &excs);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_EXCEPTION_GROUP_MESSAGE, &message);
	rc = rc < 0 ? rc : scry_sequence(r, excs, &members, &member_items);
	if (rc < 0 || n != 2 || scry_word(r, items + ptr, &second) < 0 ||
	    scry_type_for(r, second, &t) < 0 || !(t->flags & TYPE_LIST))
		return print_exception(p, addr, type);
	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	scry_printf(p, "%s(", scry_type_short(r, type));
	scry_print(p, message);
	scry_buf_puts(p->out, ", [");
	scry_print_items(p, member_items, members);
	scry_buf_puts(p->out, "])");
	scry_printer_leave(p);
	return SCRY_OK;
}

/* 3.15+: "ImportError('msg', name='x', path='y')" */
static int print_import_error(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	static const struct {
		const char *name;
		enum scry_field field;
	} rows[] = { { "name", SCRY_F_IMPORT_ERROR_NAME }, { "path", SCRY_F_IMPORT_ERROR_PATH } };
	uint64_t n;
	scry_addr items;
	int rc = scry_exception_args(p->runtime, addr, &n, &items);

	rc = rc < 0 ? rc : print_exception(p, addr, type);
	if (rc < 0)
		return rc;
	scry_buf_cut(p->out, p->out->len - 1);
	for (size_t i = 0; i < 2; i++) {
		scry_addr value = scry_field_get(p->runtime, addr, rows[i].field);

		if (!value)
			continue;
		scry_printf(p, "%s%s=", n++ ? ", " : "", rows[i].name);
		scry_print(p, value);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* --- decoding --- */

static const char *text_of(struct scry_runtime *r, struct scry_buf *buf)
{
	const char *text = buf->len ? scry_arena_text(&r->session->arena, buf->text, buf->len) : "";

	scry_buf_done(buf);
	return text ? text : "";
}

/* NULL where only code of the target could say. */
static const char *message_text(struct scry_runtime *r, scry_addr exc, scry_addr type,
				bool old_style)
{
	struct scry_buf buf = SCRY_BUF_INIT;
	struct scry_printer p;
	scry_addr args;
	bool known = true;

	scry_printer_init(&p, r, &buf);
	if (!old_style)
		known = scry_exception_message(&p, exc, type);
	else if (scry_attr(r, exc, "args", &args) == SCRY_OK)
		scry_print(&p, args);
	const char *text = text_of(r, &buf);
	return known ? text : NULL;
}

/* As the last line of a traceback: no module for built-in ones and for __main__. */
static const char *exception_name(struct scry_runtime *r, scry_addr type)
{
	const char *module = scry_type_module(r, type), *name = scry_type_qualname(r, type);
	bool plain = !strcmp(module, "builtins") || !strcmp(module, "__main__") ||
		     !strcmp(module, "exceptions");

	const char *whole =
		plain ? name : scry_arena_printf(&r->session->arena, "%s.%s", module, name);
	return whole ? whole : "?";
}

/* 2.7: Include/classobject.h */
static const char *old_class_name(struct scry_runtime *r, scry_addr class)
{
	const char *name;

	return scry_text_at(r, scry_field_get(r, class, SCRY_F_CLASSOBJ_NAME), 1000, &name) ==
			       SCRY_OK
		       ? name
		       : "?";
}

static scry_addr not_none(struct scry_runtime *r, scry_addr obj)
{
	return obj && !scry_is_none(r, obj) ? obj : 0;
}

static void read_links(struct scry_runtime *r, struct scry_exception *e)
{
	e->args = scry_field_get(r, e->addr, SCRY_F_EXCEPTION_ARGS);
	e->cause = not_none(r, scry_field_get(r, e->addr, SCRY_F_EXCEPTION_CAUSE));
	e->context = not_none(r, scry_field_get(r, e->addr, SCRY_F_EXCEPTION_CONTEXT));
	e->traceback = not_none(r, scry_field_get(r, e->addr, SCRY_F_EXCEPTION_TRACEBACK));
	uint64_t suppress = scry_field_get(r, e->addr, SCRY_F_EXCEPTION_SUPPRESS);
	e->suppress_context = suppress != 0;
	if (suppress > 1)
		scry_note_answer(r->session,
				 "the exception at 0x%" PRIx64
				 " is damaged: its suppress_context is %u",
				 e->addr, (unsigned)suppress);
	if (scry_type_is(r, e->type, SCRY_IS_BASE_EXCEPTION_GROUP))
		e->group = scry_field_get(r, e->addr, SCRY_F_EXCEPTION_GROUP_EXCS);
	/* a struct member from 3.11 on, but always shown as the attribute */
	if (scry_attr(r, e->addr, "__notes__", &e->notes) < 0)
		e->notes = 0;
	e->notes = not_none(r, e->notes);
}

int scry_exception_at(struct scry_runtime *r, scry_addr addr, struct scry_exception *ret)
{
	struct scry_exception e = { .runtime = r, .addr = addr };
	struct scry_type *t;

	if (scry_model_of(r)->exceptions)
		return scry_model_of(r)->exceptions->at(r, addr, ret);
	int rc = scry_type_for(r, addr, &t);
	rc = rc < 0 ? rc : scry_judge_reference(r, addr, t);
	if (rc < 0)
		return rc;
	bool old = scry_known_type(t) == SCRY_IS_OLD_INSTANCE &&
		   scry_layout_has(r->layout, SCRY_F_OLD_INSTANCE_CLASS);
	e.type = old ? scry_field_get(r, addr, SCRY_F_OLD_INSTANCE_CLASS) : t->addr;
	if (!old && !(t->flags & TYPE_EXCEPTION))
		return scry_fail(r->session, SCRY_EINVAL, addr, "%s is not an exception", t->name);
	e.type_name = old ? old_class_name(r, e.type) : exception_name(r, t->addr);
	e.message = message_text(r, addr, t->addr, old);
	if (!old)
		read_links(r, &e);
	else if (scry_attr(r, addr, "args", &e.args) < 0)
		e.args = 0;
	*ret = e;
	return SCRY_OK;
}

static bool derives_from(struct scry_runtime *r, scry_addr type, scry_addr class)
{
	uint64_t it = 0;
	scry_addr each;

	while (scry_mro_next(r, type, &it, &each) == SCRY_ITEM)
		if (each == class)
			return true;
	return false;
}

/*
 * An instance of the class it is kept with, or of any where none is: else
 * PyErr_NormalizeException() is still due.
 */
static bool is_instance(struct scry_runtime *r, const struct scry_kept *kept)
{
	struct scry_type *t, *class;

	if (!kept->value || scry_type_for(r, kept->value, &t) < 0)
		return !kept->type;
	if (scry_known_type(t) == SCRY_IS_OLD_INSTANCE &&
	    scry_layout_has(r->layout, SCRY_F_OLD_INSTANCE_CLASS))
		return !kept->type ||
		       scry_field_get(r, kept->value, SCRY_F_OLD_INSTANCE_CLASS) == kept->type;
	if (!(t->flags & TYPE_EXCEPTION))
		return !kept->type;
	return !kept->type || scry_type_at(r, kept->type, &class) < 0 ||
	       derives_from(r, t->addr, class->addr);
}

int scry_exception_kept(struct scry_runtime *r, const struct scry_kept *kept,
			struct scry_exception *ret)
{
	struct scry_exception e = { .runtime = r, .type = kept->type, .not_made = true };
	struct scry_buf buf = SCRY_BUF_INIT;
	struct scry_printer p;
	struct scry_type *t;
	int rc;

	if (scry_model_of(r)->exceptions)
		return scry_model_of(r)->exceptions->kept(r, kept, ret);
	if (is_instance(r, kept)) {
		rc = scry_exception_at(r, kept->value, ret);
	} else {
		bool old = scry_layout_has(r->layout, SCRY_F_CLASSOBJ_BASES) &&
			   scry_is_exactly(r, kept->type, SCRY_IS_OLD_CLASS);
		rc = old ? SCRY_OK : scry_type_at(r, kept->type, &t);
		if (rc < 0)
			return rc;
		e.type_name = old ? old_class_name(r, kept->type) : exception_name(r, kept->type);
		scry_printer_init(&p, r, &buf);
		scry_exception_message_of(&p, kept->type, kept->value);
		e.message = text_of(r, &buf);
		e.args = kept->value;
		*ret = e;
	}
	/* the thread's may be longer: an exception gets its own when a handler takes it */
	if (rc == SCRY_OK && not_none(r, kept->traceback))
		ret->traceback = kept->traceback;
	return rc;
}

/* --- attributes of its own --- */

/* C members that say what it is about; the rest is in its dict and slots. */
static const struct {
	enum scry_known type;
	const char *name;
} members[] = {
	{ SCRY_IS_SYNTAX_ERROR, "filename" }, { SCRY_IS_SYNTAX_ERROR, "lineno" },
	{ SCRY_IS_SYNTAX_ERROR, "offset" },   { SCRY_IS_SYNTAX_ERROR, "text" },
	{ SCRY_IS_OS_ERROR, "errno" },        { SCRY_IS_OS_ERROR, "strerror" },
	{ SCRY_IS_OS_ERROR, "filename" },     { SCRY_IS_OS_ERROR, "filename2" },
	{ SCRY_IS_IMPORT_ERROR, "name" },     { SCRY_IS_IMPORT_ERROR, "path" },
	{ SCRY_IS_STOP_ITERATION, "value" },  { SCRY_IS_SYSTEM_EXIT, "code" },
	{ SCRY_IS_ATTRIBUTE_ERROR, "name" },  { SCRY_IS_ATTRIBUTE_ERROR, "obj" },
	{ SCRY_IS_NAME_ERROR, "name" },       { SCRY_IS_UNICODE_ERROR, "encoding" },
	{ SCRY_IS_UNICODE_ERROR, "object" },  { SCRY_IS_UNICODE_ERROR, "reason" },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

int scry_exception_attr_next(const struct scry_exception *e, struct scry_exception_attrs *it,
			     const char **ret_name, scry_addr *ret_value)
{
	if (scry_model_of(e->runtime)->exceptions)
		return scry_model_of(e->runtime)->exceptions->attr_next(e, it, ret_name, ret_value);
	while (it->member < MEMBERS && e->addr) {
		size_t m = it->member++;

		if (scry_type_is(e->runtime, e->type, members[m].type) &&
		    scry_attr(e->runtime, e->addr, members[m].name, ret_value) == SCRY_OK &&
		    not_none(e->runtime, *ret_value)) {
			*ret_name = members[m].name;
			return SCRY_ITEM;
		}
	}
	return e->addr ? scry_attr_next(e->runtime, e->addr, &it->rest, ret_name, ret_value)
		       : SCRY_OK;
}

static int item_next(struct scry_runtime *r, scry_addr seq, uint64_t *it, scry_addr *ret)
{
	uint64_t n;
	scry_addr items;

	if (!seq)
		return SCRY_OK;
	int rc = scry_sequence(r, seq, &n, &items);
	if (rc < 0 || *it >= n)
		return rc < 0 ? rc : SCRY_OK;
	rc = scry_word(r, items + (*it)++ * r->session->target->abi.ptr_size, ret);
	return rc < 0 ? rc : SCRY_ITEM;
}

/*
 * add_note() makes a list, but anybody may have put anything there: that is one note, its repr().
 */
int scry_exception_note_next(const struct scry_exception *e, uint64_t *it, const char **ret)
{
	struct scry_runtime *r = e->runtime;
	scry_addr note;
	struct scry_buf buf = SCRY_BUF_INIT;
	struct scry_printer p;
	struct scry_type *t;

	if (!e->notes)
		return SCRY_OK;
	bool sequence =
		scry_type_for(r, e->notes, &t) == SCRY_OK && t->flags & (TYPE_LIST | TYPE_TUPLE);
	int rc = sequence ? item_next(r, e->notes, it, &note) : (*it)++ ? SCRY_OK : SCRY_ITEM;
	if (rc != SCRY_ITEM)
		return rc;
	scry_printer_init(&p, r, &buf);
	if (sequence)
		scry_print_plain(&p, note);
	else
		scry_print(&p, e->notes);
	*ret = text_of(r, &buf);
	return SCRY_ITEM;
}

int scry_exception_member_next(const struct scry_exception *e, uint64_t *it, scry_addr *ret)
{
	return item_next(e->runtime, e->group, it, ret);
}

/* --- tracebacks --- */

static int damaged_entry(struct scry_traceback *t, struct scry_frame *f)
{
	struct scry_session *s = t->runtime->session;

	*f = (struct scry_frame) { .runtime = t->runtime,
				   .kind = SCRY_FRAME_DAMAGED,
				   .addr = t->next };
	f->damaged = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
	t->next = 0;
	return SCRY_ITEM;
}

/* Brent: the anchor is moved up at every power of two. */
static bool cycles(struct scry_traceback *t)
{
	if (t->next == t->anchor && t->steps)
		return true;
	if (t->steps >= t->power) {
		t->power = t->power ? t->power * 2 : 1;
		t->anchor = t->next;
	}
	t->steps++;
	return false;
}

/* PyFrameObject is the frame itself up to 3.10, and leads to it from 3.11 on. */
static int entry_frame(struct scry_runtime *r, scry_addr object, struct scry_frame *f)
{
	scry_addr inner;
	int rc = scry_field_read(r, object, SCRY_F_FRAME_INNER, &inner);

	rc = scry_frame_at(r, rc == SCRY_OK ? inner : object, f);
	if (rc == SCRY_OK && !f->frame_object)
		f->frame_object = object;
	return rc;
}

int scry_traceback_next(struct scry_traceback *t, struct scry_frame *f, struct scry_location *ret)
{
	struct scry_runtime *r = t->runtime;
	struct scry_location at = { 0 };
	scry_addr frame, next;
	int64_t lasti = -1, line = 0;

	if (!t->next)
		return SCRY_OK;
	*ret = at;
	if (scry_model_of(r)->exceptions) {
		int rc = scry_model_of(r)->exceptions->traceback_next(t, f, ret);

		return rc < 0 ? damaged_entry(t, f) : rc;
	}
	if (cycles(t)) {
		scry_fail(r->session, SCRY_ECORRUPT, t->next,
			  "the traceback comes back to 0x%" PRIx64, t->next);
		return damaged_entry(t, f);
	}
	if (scry_field_read(r, t->next, SCRY_F_TRACEBACK_FRAME, &frame) < 0 ||
	    scry_field_read(r, t->next, SCRY_F_TRACEBACK_NEXT, &next) < 0 ||
	    entry_frame(r, frame, f) < 0)
		return damaged_entry(t, f);
	scry_field_read_int(r, t->next, SCRY_F_TRACEBACK_LASTI, &lasti);
	scry_field_read_int(r, t->next, SCRY_F_TRACEBACK_LINENO, &line);
	if (f->code && lasti >= 0)
		scry_code_location(f->code, lasti, &at);
	if (f->code && !f->code->damaged && f->code->instructions_size &&
	    (lasti < -1 || lasti >= (int64_t)f->code->instructions_size)) {
		scry_frame_damage(f, "its traceback says instruction %" PRId64 " of %u bytes",
				  lasti, f->code->instructions_size);
		line = 0;
	}
	/* 3.12+ leaves tb_lineno at -1 until somebody asks; it is the instruction's line else */
	if (line != -1 && at.line > 0 && line != at.line)
		scry_frame_damage(f, "its traceback says line %" PRId64 ", its instruction line %d",
				  line, at.line);
	else if (line > 0 && line != at.line)
		at = (struct scry_location) { .line = (int)line };
	*ret = at;
	f->lasti = lasti >= 0 ? lasti : f->lasti;
	t->next = next;
	return SCRY_ITEM;
}

const struct scry_printer_row scry_printers_exception[] = {
	{ "BaseException", TYPE_EXCEPTION, print_exception, .since = SCRY_VERSION_OF(3, 7) },
	{ "BaseException", TYPE_EXCEPTION, print_exception_tuple, .until = SCRY_VERSION_OF(3, 7) },
	{ "exceptions.BaseException", TYPE_EXCEPTION, print_exception_tuple,
	  .until = SCRY_VERSION_OF(3, 0) },
	{ "BaseExceptionGroup", 0, print_group },
	{ "ImportError", 0, print_import_error },
	{ NULL },
};
