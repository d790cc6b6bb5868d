/* What str() of an exception gives: its message. */
#include "object/exception.h"
#include "object/known.h"

#include <stdio.h>

#include "object/printer.h"

/* --- str() --- */

/* str() of the one argument: of an exception its own message. */
static void print_str_of(struct scry_printer *p, scry_addr arg)
{
	struct scry_type *t;

	if (scry_type_for(p->runtime, arg, &t) < 0 || !(t->flags & TYPE_EXCEPTION)) {
		scry_print_plain(p, arg);
	} else if (scry_printer_enter(p, arg, "...")) {
		if (!scry_exception_message(p, arg, t->addr))
			scry_print(p, arg);
		scry_printer_leave(p);
	}
}

/* BaseException_str(), Objects/exceptions.c: nothing, str() of the one argument, or the tuple. */
static void message_plain(struct scry_printer *p, scry_addr exc)
{
	uint64_t n;
	scry_addr items, first;

	if (scry_exception_args(p->runtime, exc, &n, &items) < 0) {
		scry_printer_damage(p, exc);
		return;
	}
	if (n == 1 && scry_word(p->runtime, items, &first) == SCRY_OK)
		print_str_of(p, first);
	else if (n > 1)
		scry_print(p, scry_field_get(p->runtime, exc, SCRY_F_EXCEPTION_ARGS));
}

/*
 * KeyError_str(): a missing key of '' would read as nothing, so one argument is written as its
 * repr.
 */
static void message_key_error(struct scry_printer *p, scry_addr exc)
{
	uint64_t n;
	scry_addr items;

	if (scry_exception_args(p->runtime, exc, &n, &items) == SCRY_OK && n == 1)
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
	/* has priority: OSError_str() */
	scry_addr windows = scry_field_get(r, exc, SCRY_F_OS_ERROR_WINERROR);

	if (windows && !scry_is_none(r, windows))
		number = windows;
	else
		windows = 0;
	if (!number || !text) {
		message_plain(p, exc);
		return;
	}
	scry_buf_puts(p->out, windows ? "[WinError " : "[Errno ");
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

/* SyntaxError_str(): the file's last part, the line only where it is exactly an int. */
static void message_syntax_error(struct scry_printer *p, scry_addr exc)
{
	struct scry_runtime *r = p->runtime;
	scry_addr file = scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_FILENAME),
		  line = scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_LINENO);
	const char *path = NULL;
	int64_t number = 0;
	bool has_line = line && scry_is_exactly(r, line, SCRY_IS_INT);

	/* what is no C long is -1: SyntaxError_str() */
	if (has_line && (scry_int_value(r, line, &number) < 0 ||
			 (r->session->target->abi.long_size == 4 && number != (int32_t)number)))
		number = -1;

	if (scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_MSG))
		scry_print_plain(p, scry_field_get(r, exc, SCRY_F_SYNTAX_ERROR_MSG));
	else
		scry_buf_puts(p->out, "None");
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

/* The character or byte that "start" and "end" mean, where it is one: false for more. */
static bool one_unit(struct scry_runtime *r, scry_addr exc, const struct scry_text_view *v,
		     uint64_t *ret)
{
	uint64_t start = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_START),
		 end = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_END);

	return end == start + 1 && start < v->length &&
	       scry_read_uint(r->session, v->data + start * v->kind, v->kind, ret) == SCRY_OK;
}

/* `what`: "'ascii' codec can't encode" */
static void unicode_error(struct scry_printer *p, scry_addr exc, const char *what)
{
	struct scry_runtime *r = p->runtime;
	struct scry_text_view v;
	uint64_t start = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_START), code;
	scry_addr object = scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_OBJECT);
	const char *u = scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT) ? "u" : "";

	if (!object || scry_text_open(r, object, &v) < 0) {
		message_plain(p, exc);
		return;
	}
	if (*what == '\'') {
		scry_buf_putc(p->out, '\'');
		scry_print_plain(p, scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_ENCODING));
	}
	scry_buf_puts(p->out, what);
	if (!one_unit(r, exc, &v, &code))
		scry_printf(p, "%ss in position %" PRIu64 "-%" PRIu64 ": ",
			    v.bytes ? "byte" : "character", start,
			    scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_END) - 1);
	else if (v.bytes)
		scry_printf(p, "byte 0x%02x in position %" PRIu64 ": ", (unsigned)code, start);
	else
		scry_printf(p,
			    code < 0x100     ? "character %s'\\x%02x' in position %" PRIu64 ": "
			    : code < 0x10000 ? "character %s'\\u%04x' in position %" PRIu64 ": "
					     : "character %s'\\U%08x' in position %" PRIu64 ": ",
			    u, (unsigned)code, start);
	scry_print_plain(p, scry_field_get(r, exc, SCRY_F_UNICODE_ERROR_REASON));
}

static void message_decode_error(struct scry_printer *p, scry_addr exc)
{
	unicode_error(p, exc, "' codec can't decode ");
}

static void message_encode_error(struct scry_printer *p, scry_addr exc)
{
	unicode_error(p, exc, "' codec can't encode ");
}

static void message_translate_error(struct scry_printer *p, scry_addr exc)
{
	unicode_error(p, exc, "can't translate ");
}

/* ImportError_str(): `msg` counts only where it is exactly a str. */
static void message_import_error(struct scry_printer *p, scry_addr exc)
{
	scry_addr msg = scry_field_get(p->runtime, exc, SCRY_F_IMPORT_ERROR_MSG);
	struct scry_text_view v;

	if (msg && scry_text_open(p->runtime, msg, &v) == SCRY_OK)
		scry_print_str(p, msg);
	else
		message_plain(p, exc);
}

/* BaseExceptionGroup_str(). */
static void message_group(struct scry_printer *p, scry_addr exc)
{
	uint64_t n;
	scry_addr items;

	scry_print_plain(p, scry_field_get(p->runtime, exc, SCRY_F_EXCEPTION_GROUP_MESSAGE));
	scry_addr members = scry_field_get(p->runtime, exc, SCRY_F_EXCEPTION_GROUP_EXCS);
	if (scry_sequence(p->runtime, members, &n, &items) == SCRY_OK)
		scry_printf(p, " (%" PRIu64 " sub-exception%s)", n, n == 1 ? "" : "s");
}

static void message_repr(struct scry_printer *p, scry_addr exc)
{
	scry_print(p, exc);
}

/* By who defines __str__, the most derived of those that know each other first. */
static const struct {
	enum scry_known type;
	void (*print)(struct scry_printer *p, scry_addr exc);
} messages[] = {
	{ SCRY_IS_KEY_ERROR, message_key_error },
	{ SCRY_IS_OS_ERROR, message_os_error },
	{ SCRY_IS_SYNTAX_ERROR, message_syntax_error },
	{ SCRY_IS_UNICODE_DECODE_ERROR, message_decode_error },
	{ SCRY_IS_UNICODE_ENCODE_ERROR, message_encode_error },
	{ SCRY_IS_UNICODE_TRANSLATE_ERROR, message_translate_error },
	{ SCRY_IS_IMPORT_ERROR, message_import_error },
	{ SCRY_IS_BASE_EXCEPTION_GROUP, message_group },
	{ SCRY_IS_BASE_EXCEPTION, message_plain },
	{ SCRY_IS_OBJECT, message_repr },
};

static void print_by_owner(struct scry_printer *p, scry_addr exc, enum scry_known owner)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (owner == messages[i].type) {
			messages[i].print(p, exc);
			return;
		}
	message_plain(p, exc);
}

/*
 * Where no class can be asked: the nearest base that has a message of its own. A type that names
 * nobody (its __str__ was not found, or its owner not known) is printed as its nearest relative
 * would be.
 */
static void print_by_base(struct scry_printer *p, scry_addr exc, scry_addr type)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (scry_type_is(p->runtime, type, messages[i].type)) {
			messages[i].print(p, exc);
			return;
		}
	message_plain(p, exc);
}

/*
 * Who defines __str__ of instances of a type: a static type (OTHER where that cannot be known), or
 * false where it is code that we do not run.
 */
static bool str_owner(struct scry_runtime *r, scry_addr type, enum scry_known *ret)
{
	struct scry_type *t;
	scry_addr value, owner;

	*ret = SCRY_IS_OTHER;
	if (scry_type_lookup(r, type, "__str__", &value, &owner) < 0)
		return true;
	if (!scry_is_exactly(r, value, SCRY_IS_WRAPPER_DESCRIPTOR))
		return false;
	/* a class may say __str__ = Exception.__repr__ */
	if (scry_text_is(r, scry_field_get(r, value, SCRY_F_DESCR_NAME), "__repr__"))
		*ret = SCRY_IS_OBJECT;
	else if (scry_field_read(r, value, SCRY_F_DESCR_TYPE, &owner) == SCRY_OK &&
		 scry_type_at(r, owner, &t) == SCRY_OK)
		*ret = scry_known_type(t);
	return true;
}

bool scry_exception_message(struct scry_printer *p, scry_addr exc, scry_addr type)
{
	enum scry_known owner;

	if (!str_owner(p->runtime, type, &owner))
		return false;
	if (owner == SCRY_IS_OTHER)
		print_by_base(p, exc, type);
	else
		print_by_owner(p, exc, owner);
	return true;
}

/* What the class would have been called with: None nothing, a tuple its items, all else itself. */
void scry_exception_message_of(struct scry_printer *p, scry_addr type, scry_addr value)
{
	struct scry_runtime *r = p->runtime;
	struct scry_type *t;
	uint64_t n = 0;
	scry_addr items;
	bool tuple = scry_type_for(r, value, &t) == SCRY_OK && t->flags & TYPE_TUPLE &&
		     scry_sequence(r, value, &n, &items) == SCRY_OK;
	bool repr = scry_type_is(r, type, SCRY_IS_KEY_ERROR);
	bool os = scry_type_is(r, type, SCRY_IS_OS_ERROR);

	if (scry_is_none(r, value) || (tuple && n == 0))
		return;
	if (tuple && n == 2 && os) {
		scry_printf(p, "[Errno ");
		scry_print_at(p, items);
		scry_printf(p, "] ");
		if (scry_word(r, items + r->session->target->abi.ptr_size, &items) == SCRY_OK)
			scry_print_plain(p, items);
		return;
	}
	if (tuple && n == 1 && scry_word(r, items, &value) < 0)
		scry_printer_damage(p, items);
	else if (repr || (tuple && n > 1))
		scry_print(p, value);
	else
		scry_print_plain(p, value);
}
