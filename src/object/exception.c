/* Exceptions: repr, message, causes, notes, groups, tracebacks. */
#include "object/exception.h"

#include <stdio.h>

#include "object/internal.h"

#define PY3 SCRY_VERSION_OF(3, 0)

static int read_args(struct scry_runtime *r, scry_addr exc, uint64_t *n, scry_addr *items)
{
	scry_addr args;
	int rc = scry_field_read(r, exc, SCRY_F_EXCEPTION_ARGS, &args);

	return rc < 0 ? rc : scry_sequence(r, args, n, items);
}

/* --- repr: Objects/exceptions.c, BaseException_repr() --- */

/* Up to 3.6: "ValueError('x',)". */
static int print_exception_tuple(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr args;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_EXCEPTION_ARGS, &args);

	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, scry_type_short(p->runtime, type));
	scry_print(p, args);
	return SCRY_OK;
}

/* 3.7+: "ValueError('x')". */
static int print_exception(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t n;
	scry_addr items;
	int rc = read_args(p->runtime, addr, &n, &items);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s(", scry_type_short(p->runtime, type));
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
	int rc = read_args(r, addr, &n, &items);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_EXCEPTION_GROUP_EXCS, &excs);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_EXCEPTION_GROUP_MESSAGE, &message);
	rc = rc < 0 ? rc : scry_sequence(r, excs, &members, &member_items);
	if (rc < 0 || n != 2 || scry_word(r, items + ptr, &second) < 0 || scry_type_for(r, second, &t) < 0 ||
	    !(t->flags & TYPE_LIST))
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
	int rc = read_args(p->runtime, addr, &n, &items);

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

/* --- str() --- */

static void message_plain(struct scry_printer *p, scry_addr exc)
{
	uint64_t n;
	scry_addr items, first;

	if (read_args(p->runtime, exc, &n, &items) < 0) {
		scry_printer_damage(p, exc);
		return;
	}
	if (n == 1 && scry_word(p->runtime, items, &first) == SCRY_OK)
		scry_print_plain(p, first);
	else if (n > 1)
		scry_print(p, scry_field_get(p->runtime, exc, SCRY_F_EXCEPTION_ARGS));
}

static void message_key_error(struct scry_printer *p, scry_addr exc)
{
	uint64_t n;
	scry_addr items;

	if (read_args(p->runtime, exc, &n, &items) == SCRY_OK && n == 1)
		scry_print_at(p, items);
	else
		message_plain(p, exc);
}

static void message_os_error(struct scry_printer *p, scry_addr exc)
{
	struct scry_runtime *r = p->runtime;
	scry_addr number = scry_field_get(r, exc, SCRY_F_OS_ERROR_ERRNO),
		  text = scry_field_get(r, exc, SCRY_F_OS_ERROR_STRERROR),
		  file = scry_field_get(r, exc, SCRY_F_OS_ERROR_FILENAME),
		  file2 = scry_field_get(r, exc, SCRY_F_OS_ERROR_FILENAME2);
	bool old = scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT); /* 2.7 has None where 3.x has NULL */

	if (old && scry_is_none(r, file))
		file = 0;
	if (!number || !text || (old && !file && scry_is_none(r, number))) {
		message_plain(p, exc);
		return;
	}
	scry_buf_puts(p->out, "[Errno ");
	scry_print_plain(p, number);
	scry_buf_puts(p->out, "] ");
	scry_print_plain(p, text);
	if (!file)
		return;
	scry_buf_puts(p->out, ": ");
	scry_print(p, file);
	if (file2) {
		scry_buf_puts(p->out, " -> ");
		scry_print(p, file2);
	}
}

static void message_syntax_error(struct scry_printer *p, scry_addr exc)
{
	struct scry_runtime *r = p->runtime;
	scry_addr file = scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_FILENAME),
		  line = scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_LINENO);
	const char *path = NULL;
	int64_t number;
	bool has_line = line && scry_int_value(r, line, &number) == SCRY_OK;

	scry_print_plain(p, scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_MSG));
	if (!file || scry_text_at(r, file, 1000, &path) < 0)
		path = NULL;
	if (path && strrchr(path, '/'))
		path = strrchr(path, '/') + 1;
	if (path && has_line)
		scry_printf(p, " (%s, line %" PRId64 ")", path, number);
	else if (path)
		scry_printf(p, " (%s)", path);
	else if (has_line)
		scry_printf(p, " (line %" PRId64 ")", number);
}

static void message_unicode_error(struct scry_printer *p, scry_addr exc)
{
	struct scry_runtime *r = p->runtime;
	struct scry_text_view v;
	uint64_t start = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_START),
		 end = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_END),
		 code;
	scry_addr object = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_OBJECT);

	if (!object || scry_text_open(r, object, &v) < 0) {
		message_plain(p, exc);
		return;
	}
	scry_buf_putc(p->out, '\'');
	scry_print_plain(p, scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_ENCODING));
	bool one = end == start + 1 && start < v.length &&
		   scry_read_uint(r->session, v.data + start * v.kind, v.kind, &code) == SCRY_OK;
	const char *what = v.bytes ? "decode byte" : "encode character";
	if (one && v.bytes)
		scry_printf(p, "' codec can't %s 0x%02x in position %" PRIu64 ": ", what, (unsigned)code, start);
	else if (one)
		scry_printf(p, code < 0x100 ? "' codec can't %s %s'\\x%02x' in position %" PRIu64 ": " :
			    code < 0x10000 ? "' codec can't %s %s'\\u%04x' in position %" PRIu64 ": " :
			    "' codec can't %s %s'\\U%08x' in position %" PRIu64 ": ", what,
			    scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT) ? "u" : "", (unsigned)code, start);
	else
		scry_printf(p, "' codec can't %ss in position %" PRIu64 "-%" PRIu64 ": ", what, start, end - 1);
	scry_print_plain(p, scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_REASON));
}

static void message_import_error(struct scry_printer *p, scry_addr exc)
{
	scry_addr msg = scry_field_get(p->runtime, exc, SCRY_F_IMPORT_ERROR_MSG);
	struct scry_text_view v;

	if (msg && scry_text_open(p->runtime, msg, &v) == SCRY_OK)
		scry_print_str(p, msg);
	else
		message_plain(p, exc);
}

static void message_group(struct scry_printer *p, scry_addr exc)
{
	uint64_t n;
	scry_addr items;

	scry_print_plain(p, scry_field_get(p->runtime, exc, SCRY_F_EXCEPTION_GROUP_MESSAGE));
	scry_addr members = scry_field_get(p->runtime, exc, SCRY_F_EXCEPTION_GROUP_EXCS);
	if (scry_sequence(p->runtime, members, &n, &items) == SCRY_OK)
		scry_printf(p, " (%" PRIu64 " sub-exception%s)", n, n == 1 ? "" : "s");
}

static const struct {
	const char *type;
	void (*print)(struct scry_printer *p, scry_addr exc);
} messages[] = {
	{ "KeyError", message_key_error }, { "OSError", message_os_error },
	{ "EnvironmentError", message_os_error }, { "SyntaxError", message_syntax_error },
	{ "UnicodeDecodeError", message_unicode_error }, { "UnicodeEncodeError", message_unicode_error },
	{ "ImportError", message_import_error }, { "BaseExceptionGroup", message_group },
};

/* In 2.7 the built-in exceptions' names start with "exceptions.". */
static bool derives(struct scry_runtime *r, scry_addr type, const char *name)
{
	char old[64];

	snprintf(old, sizeof(old), "exceptions.%s", name);
	return scry_type_is(r, type, name) || scry_type_is(r, type, old);
}

static void print_message(struct scry_printer *p, scry_addr exc, scry_addr type)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (derives(p->runtime, type, messages[i].type)) {
			messages[i].print(p, exc);
			return;
		}
	message_plain(p, exc);
}

/* --- decoding --- */

static const char *message_text(struct scry_runtime *r, scry_addr exc, scry_addr type, bool old_style)
{
	struct scry_buf buf = SCRY_BUF_INIT;
	struct scry_printer p;
	scry_addr args;
	const char *text = "";

	scry_printer_init(&p, r, &buf);
	if (!old_style)
		print_message(&p, exc, type);
	else if (scry_attr(r, exc, "args", &args) == SCRY_OK)
		scry_print(&p, args);
	if (buf.text)
		text = scry_arena_text(&r->session->arena, buf.text, buf.len);
	scry_buf_done(&buf);
	return text ? text : "";
}

/* As the last line of a traceback: no module for built-in ones and for __main__. */
static const char *exception_name(struct scry_runtime *r, scry_addr type)
{
	const char *module = scry_type_module(r, type), *name = scry_type_qualname(r, type);
	bool plain = !strcmp(module, "builtins") || !strcmp(module, "__main__") || !strcmp(module, "exceptions");

	return plain ? name : scry_arena_printf(&r->session->arena, "%s.%s", module, name);
}

static scry_addr not_none(struct scry_runtime *r, scry_addr obj)
{
	return obj && !scry_is_none(r, obj) ? obj : 0;
}

int scry_exception_at(struct scry_runtime *r, scry_addr addr, struct scry_exception *ret)
{
	struct scry_exception e = { .runtime = r, .addr = addr };
	struct scry_type *t;
	int rc = scry_type_for(r, addr, &t);

	if (rc < 0)
		return rc;
	bool old = !strcmp(t->name, "instance") && scry_layout_has(r->layout, SCRY_F_OLD_INSTANCE_CLASS);
	e.type = old ? scry_field_get(r, addr, SCRY_F_OLD_INSTANCE_CLASS) : t->addr;
	if (!old && !(t->flags & TYPE_EXCEPTION))
		return scry_fail(r->session, SCRY_EINVAL, addr, "%s is no exception", t->name);
	e.type_name = old ? scry_attr_text(r, e.type, "__name__") : exception_name(r, t->addr);
	if (!e.type_name)
		e.type_name = "?";
	e.message = message_text(r, addr, t->addr, old);
	if (!old) {
		e.args = scry_field_get(r, addr, SCRY_F_EXCEPTION_ARGS);
		e.cause = not_none(r, scry_field_get(r, addr, SCRY_F_EXCEPTION_CAUSE));
		e.context = not_none(r, scry_field_get(r, addr, SCRY_F_EXCEPTION_CONTEXT));
		e.traceback = not_none(r, scry_field_get(r, addr, SCRY_F_EXCEPTION_TRACEBACK));
		e.suppress_context = scry_field_get(r, addr, SCRY_F_EXCEPTION_SUPPRESS) != 0;
		if (derives(r, t->addr, "BaseExceptionGroup"))
			e.group = scry_field_get(r, addr, SCRY_F_EXCEPTION_GROUP_EXCS);
		/* a struct member from 3.11 on, but always shown as the attribute */
		if (scry_attr(r, addr, "__notes__", &e.notes) < 0)
			e.notes = 0;
	}
	*ret = e;
	return SCRY_OK;
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

int scry_exception_note_next(const struct scry_exception *e, uint64_t *it, const char **ret)
{
	scry_addr note;
	struct scry_buf buf = SCRY_BUF_INIT;
	struct scry_printer p;
	int rc = item_next(e->runtime, e->notes, it, &note);

	if (rc != SCRY_ITEM)
		return rc;
	scry_printer_init(&p, e->runtime, &buf);
	scry_print_plain(&p, note);
	*ret = buf.text ? scry_arena_text(&e->runtime->session->arena, buf.text, buf.len) : "";
	scry_buf_done(&buf);
	return *ret ? SCRY_ITEM : SCRY_ENOMEM;
}

int scry_exception_member_next(const struct scry_exception *e, uint64_t *it, scry_addr *ret)
{
	return item_next(e->runtime, e->group, it, ret);
}

/* --- tracebacks --- */

static int damaged_entry(struct scry_traceback *t, struct scry_frame *f)
{
	struct scry_session *s = t->runtime->session;

	*f = (struct scry_frame){ .runtime = t->runtime, .kind = SCRY_FRAME_DAMAGED, .addr = t->next };
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
	if (cycles(t)) {
		scry_fail(r->session, SCRY_ECORRUPT, t->next, "the traceback comes back to 0x%" PRIx64, t->next);
		return damaged_entry(t, f);
	}
	if (scry_field_read(r, t->next, SCRY_F_TRACEBACK_FRAME, &frame) < 0 ||
	    scry_field_read(r, t->next, SCRY_F_TRACEBACK_NEXT, &next) < 0 || entry_frame(r, frame, f) < 0)
		return damaged_entry(t, f);
	scry_field_read_int(r, t->next, SCRY_F_TRACEBACK_LASTI, &lasti);
	scry_field_read_int(r, t->next, SCRY_F_TRACEBACK_LINENO, &line);
	if (f->code && lasti >= 0)
		scry_code_location(f->code, lasti, &at);
	/* 3.12+ leaves tb_lineno at -1 until somebody asks */
	if (line > 0 && line != at.line)
		at = (struct scry_location){ .line = (int)line };
	*ret = at;
	f->lasti = lasti >= 0 ? lasti : f->lasti;
	t->next = next;
	return SCRY_ITEM;
}

const struct scry_printer_row scry_printers_exception[] = {
	{ "BaseException", TYPE_EXCEPTION, print_exception, .since = SCRY_VERSION_OF(3, 7) },
	{ "BaseException", TYPE_EXCEPTION, print_exception_tuple, .until = SCRY_VERSION_OF(3, 7) },
	{ "exceptions.BaseException", TYPE_EXCEPTION, print_exception_tuple, .until = PY3 },
	{ "BaseExceptionGroup", 0, print_group },
	{ "ImportError", 0, print_import_error },
	{ NULL },
};
