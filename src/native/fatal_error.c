/*
 * What Python said before it ended itself. The functions are those of Python/pylifecycle.c and
 * Objects/object.c, of 2.7 to 3.15.
 */
#include <inttypes.h>
#include <string.h>

#include "native/fatal.h"
#include "object/judge.h"
#include "object/model.h"
#include "object/mro.h"

#define REPR_MAX 60
#define NONE     -1

/* A function that is called to end the process, outermost or not, and its arguments. */
struct teller {
	const char *name;
	int text, expression, object;
	bool formats; /* its text is a format, whose values follow */
	bool counts;  /* a reference count made it end */
};

static const struct teller tellers[] = {
	{ "Py_FatalError", 0, NONE, NONE, .formats = false },
	/* since 3.9 Py_FatalError() is a macro (Include/cpython/pyerrors.h) */
	{ "_Py_FatalErrorFunc", 1, NONE, NONE, .formats = false },
	{ "_Py_FatalErrorFormat", 1, NONE, NONE, .formats = true },
	{ "_Py_FatalRefcountErrorFunc", 1, NONE, NONE, .counts = true },
	{ "_PyObject_AssertFailed", 2, 1, 0, .formats = false },
	{ "_Py_NegativeRefcount", NONE, NONE, 2, .counts = true },
};

static const struct teller *teller_of(const struct scry_native_frame *f)
{
	for (size_t i = 0; f->symbol.name && i < sizeof(tellers) / sizeof(*tellers); i++)
		if (!strcmp(f->symbol.name, tellers[i].name))
			return &tellers[i];
	return NULL;
}

/* Does printf() take 64 bits for these flags and lengths? */
static bool is_wide(const struct scry_crash *c, const char *flags, size_t len)
{
	unsigned longs = 0;

	for (size_t i = 0; i < len; i++) {
		if (flags[i] == 'z' || flags[i] == 'j')
			return true;
		longs += flags[i] == 'l';
	}
	return longs > (c->session->target->abi.windows ? 1 : 0);
}

static void put_number(char kind, bool wide, uint64_t value, struct scry_buf *out)
{
	if (!wide)
		value = kind == 'd' || kind == 'i' ? (uint64_t)(int32_t)value : (uint32_t)value;
	if (kind == 'x')
		scry_buf_printf(out, "%" PRIx64, value);
	else if (kind == 'u')
		scry_buf_printf(out, "%" PRIu64, value);
	else
		scry_buf_printf(out, "%" PRId64, (int64_t)value);
}

/*
 * %s and numbers, of what is known; a value that is not is left as it is written, and so is all
 * that follows a directive of another kind, since it may take any number of arguments.
 */
static const char *formatted(struct scry_crash *c, struct scry_decoder *d, unsigned i,
			     unsigned number, const char *format)
{
	SCRY_AUTO_BUF(out);

	while (*format) {
		size_t plain = strcspn(format, "%"), len;
		uint64_t value;
		const char *text;

		scry_buf_put(&out, format, plain);
		format += plain;
		if (!*format)
			break;
		len = 1 + strspn(format + 1, "0123456789.-+ #lzj");
		char kind = format[len];
		bool is_long = memchr(format, 'l', len); /* %ls: of wchar_t */
		if (!kind || !strchr("%sdiuxp", kind) || (kind == 's' && is_long)) {
			scry_buf_puts(&out, format);
			break;
		}
		len++;
		if (kind == '%')
			scry_buf_putc(&out, '%');
		else if (kind == 's' && (text = scry_call_text(c, d, i, ++number)))
			scry_buf_puts(&out, text);
		else if (kind == 's' || !scry_call_argument(c, d, i, ++number, &value))
			scry_buf_put(&out, format, len);
		else if (kind == 'p')
			scry_buf_printf(&out, "0x%" PRIx64, value);
		else
			put_number(kind, is_wide(c, format, len), value, &out);
		format += len;
	}
	return scry_arena_text(&c->session->arena, out.text ? out.text : "", out.len);
}

static const char *text_of(struct scry_crash *c, struct scry_decoder *d, unsigned i,
			   const struct teller *t)
{
	struct scry_arena *arena = &c->session->arena;
	const char *text = t->text < 0 ? NULL : scry_call_text(c, d, i, (unsigned)t->text),
		   *expression = t->expression < 0
					 ? NULL
					 : scry_call_text(c, d, i, (unsigned)t->expression);

	if (text && t->formats)
		text = formatted(c, d, i, (unsigned)t->text, text);
	if (!expression)
		return text;
	return scry_arena_printf(arena, "Assertion \"%s\" failed%s%s", expression, text ? ": " : "",
				 text ? text : "");
}

/* The count as it is now: the failed check has changed it already. */
static void tell_count(struct scry_crash *c, scry_addr object)
{
	struct scry_runtime *r = c->thread->runtime;
	struct scry_type *t;
	scry_addr type;
	SCRY_AUTO_BUF(text);
	const char *name;
	int64_t count;

	if (r && r->layout && scry_is_object(r, object)) {
		scry_buf_printf(&text, "%s ", scry_model_of(r)->type_name(r, object));
		scry_repr_short(r, object, REPR_MAX, &text);
	} else if (r && r->layout && scry_type_pointer(r, object, &type) == SCRY_OK &&
		   scry_type_at(r, type, &t) == SCRY_OK && scry_type_is_sound(r, t) &&
		   scry_type_full_name(r, t->addr, &name) == SCRY_OK) {
		scry_buf_printf(&text, "the %s", name);
	} else {
		scry_buf_puts(&text, "what was taken for an object");
	}
	scry_buf_printf(&text, " at 0x%" PRIx64, object);
	if (r && r->layout && !r->layout->flavour.free_threaded &&
	    scry_field_read_int(r, object, SCRY_F_OBJECT_REFCNT, &count) == SCRY_OK)
		scry_buf_printf(&text, " is %" PRId64, count);
	scry_crash_say(c, &c->why,
		       "a reference count is corrupted, that of %s: it was released more often "
		       "than it was referenced, or its memory was overwritten",
		       text.text);
}

const char *scry_crash_of_python(struct scry_crash *c, struct scry_decoder *d)
{
	static const char dealloc[] = "deallocating ";
	const char *message = NULL, *text, *what;
	scry_addr object = 0;
	uint64_t value;
	bool counts = false;

	/* what was called first knows best: the others are told by it */
	for (unsigned i = 0; i < c->count && i <= c->site; i++) {
		const struct teller *t = teller_of(&c->frames[i]);

		if (!t)
			continue;
		if ((text = text_of(c, d, i, t)))
			message = text;
		counts |= t->counts;
		if (t->object >= 0 && scry_call_argument(c, d, i, (unsigned)t->object, &value))
			object = value;
	}
	what = message && !strncmp(message, dealloc, strlen(dealloc)) ? message : NULL;
	counts |= what != NULL;
	if (counts && object)
		tell_count(c, object);
	else if (counts)
		scry_crash_say(c, &c->why,
			       "a reference count is corrupted, that of %s: it was released more "
			       "often than it was referenced",
			       what ? what + strlen(dealloc) : "an object that is not known");
	return message ? scry_arena_printf(&c->session->arena, "Fatal Python error: %s", message)
		       : NULL;
}
