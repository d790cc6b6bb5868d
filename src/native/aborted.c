/* What a program said before it ended itself. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "native/fatal.h"
#include "object/model.h"
#include "symbol/demangle.h"

#define MESSAGE_MAX  SCRY_CRASH_TEXT_MAX
#define ARGUMENTS    6 /* in registers */
#define UNCAUGHT_MAX 200

/*
 * glibc keeps the last text of abort_msg, assert() and malloc()'s checks: struct abort_msg_s {
 * unsigned int size; char msg[]; } *__abort_msg (include/stdlib.h, assert/assert.c,
 * sysdeps/posix/libc_fatal.c, 2.31 to 2.39).
 */
static const char *of_glibc(struct scry_crash *c)
{
	struct scry_symbol symbol;
	const char *text;
	scry_addr message;

	for (struct scry_module *m = scry_module_first(c->session); m; m = m->next)
		if (!strncmp(m->name, "libc", 4) &&
		    scry_module_symbol(m, "__abort_msg", &symbol) == SCRY_OK &&
		    scry_read_ptr(c->session, symbol.addr, &message) == SCRY_OK && message &&
		    scry_read_cstr(c->session, message + 4, MESSAGE_MAX, &text) == SCRY_OK)
			return scry_crash_trimmed(c, text);
	return NULL;
}

/* --- C++ --- */

/*
 * After the header of each exception there is its _Unwind_Exception, whose class is "GNUCC++" and
 * a byte: unwind-cxx.h of libstdc++, the Itanium C++ ABI 2.2.1. The exception's own object follows
 * its 32 bytes; its type_info* is 112 bytes before.
 */
#define CXX_CLASS     0x474e5543432b2b00u
#define CXX_UNWIND    32
#define CXX_TYPE      112
#define CXX_BASES_MAX 16

static bool is_exception(struct scry_session *s, scry_addr object)
{
	uint64_t what;

	return object % 8 == 0 && scry_read_uint(s, object - CXX_UNWIND, 8, &what) == SCRY_OK &&
	       (what & ~(uint64_t)0xff) == CXX_CLASS;
}

/* An exception among the words of the stack and the registers of the frames that threw. */
static scry_addr find_exception(struct scry_crash *c)
{
	const struct scry_arch *arch = c->frames[0].regs.arch;
	scry_addr sp = c->frames[0].regs.value[arch->sp], end = sp;
	uint64_t word;
	bool throws = false;

	for (unsigned i = 0; i < c->count; i++) {
		const char *name = c->frames[i].symbol.name;

		throws |= name && (!strcmp(name, "__cxa_throw") || !strcmp(name, "__cxa_rethrow") ||
				   strstr(name, "terminate"));
		end = c->frames[i].regs.value[arch->sp];
		for (unsigned k = 0; throws && k < arch->count; k++)
			if (c->frames[i].regs.valid >> k & 1) {
				word = c->frames[i].regs.value[k];
				if (is_exception(c->session, word))
					return word;
				if (is_exception(c->session, word + CXX_UNWIND))
					return word + CXX_UNWIND;
			}
	}
	for (scry_addr at = sp; throws && at < end && at - sp < 65536; at += 8)
		if (scry_read_uint(c->session, at, 8, &word) == SCRY_OK) {
			if (is_exception(c->session, word))
				return word;
			if (is_exception(c->session, word + CXX_UNWIND))
				return word + CXX_UNWIND;
		}
	return 0;
}

/* Does a type_info, or one of the first bases above it, have what() in a string right after? */
static bool has_text(struct scry_session *s, scry_addr type)
{
	const char *name;
	scry_addr text;

	for (unsigned i = 0; i < CXX_BASES_MAX && type; i++) {
		if (scry_read_ptr(s, type + 8, &text) < 0 ||
		    scry_read_cstr(s, text, 200, &name) < 0)
			return false;
		if (!strcmp(name, "St13runtime_error") || !strcmp(name, "St11logic_error"))
			return true;
		/* abi::__si_class_type_info: vptr, name, base */
		if (scry_read_ptr(s, type + 16, &type) < 0)
			return false;
	}
	return false;
}

static const char *of_cxx(struct scry_crash *c)
{
	struct scry_session *s = c->session;
	const char *name, *text = NULL;
	scry_addr object, type, at;

	if (s->target->abi.ptr_size != 8 || s->target->abi.windows ||
	    !(object = find_exception(c)) || scry_read_ptr(s, object - CXX_TYPE, &type) < 0 ||
	    scry_read_ptr(s, type + 8, &at) < 0 || scry_read_cstr(s, at, 200, &name) < 0)
		return NULL;
	SCRY_AUTO_BUF(readable);
	SCRY_AUTO_BUF(mangled);
	scry_buf_printf(&mangled, "_Z%s", name + (*name == '*'));
	if (has_text(s, type) && scry_read_ptr(s, object + 8, &at) == SCRY_OK &&
	    scry_read_cstr(s, at, MESSAGE_MAX, &text) < 0)
		text = NULL;
	if (scry_demangle(mangled.text, &readable))
		name = readable.text;
	return scry_arena_printf(&s->arena, "C++ exception %s%s%s", name, text ? ": " : "",
				 text ? text : "");
}

/* --- Rust --- */

bool scry_is_rust_panic(const struct scry_symbol *symbol)
{
	/*
	 * parts of mangled names, of either mangling (RFC 2603, and the one before), with their
	 * lengths: a crate of the user's may be called my_rust_ext
	 */
	static const char *const parts[] = {
		"4core9panicking",     "3std9panicking",  "6result13unwrap_failed",
		"6option13unwrap",     "6option13expect", "std7process5abort",
		"14abort_internal",    "__rust_",         "10rust_panic",
		"17rust_begin_unwind",
	};
	const char *name = symbol->name;

	for (size_t i = 0; name && i < sizeof(parts) / sizeof(*parts); i++)
		if (strstr(name, parts[i]))
			return true;
	return name && (!strcmp(name, "rust_panic") || !strcmp(name, "rust_begin_unwind"));
}

/* A text of so many bytes; NULL where it cannot be one. */
static const char *sized_text(struct scry_crash *c, scry_addr at, uint64_t size)
{
	char text[MESSAGE_MAX];

	if (!size || size > sizeof(text) || scry_read(c->session, at, text, size) < 0)
		return NULL;
	for (uint64_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t')
			return NULL;
	return scry_arena_text(&c->session->arena, text, size);
}

/*
 * core::panic::Location: the file's name, its length (with a NUL at its end since 1.90), line and
 * column. NULL where the address is none.
 */
static const char *location_at(struct scry_crash *c, scry_addr at)
{
	struct scry_session *s = c->session;
	uint64_t name, size, line, column;

	if (at % 8 || scry_read_uint(s, at, 8, &name) < 0 ||
	    scry_read_uint(s, at + 8, 8, &size) < 0 || scry_read_uint(s, at + 16, 4, &line) < 0 ||
	    scry_read_uint(s, at + 20, 4, &column) < 0 || !line || !column || size < 4)
		return NULL;
	const char *file = sized_text(c, name, size);
	if (!file)
		file = sized_text(c, name, size - 1);
	size_t len = file ? strlen(file) : 0;
	if (len < 4 || strcmp(file + len - 3, ".rs"))
		return NULL;
	return scry_arena_printf(&s->arena, "%s:%" PRIu64 ":%" PRIu64, file, line, column);
}

/* What panicked() got: a text and its length first, or for an index the two numbers. */
static const char *panic_text(struct scry_crash *c, struct scry_decoder *d, unsigned i)
{
	uint64_t first, second;
	const char *name = c->frames[i].symbol.name;
	bool two = scry_call_argument(c, d, i, 1, &second),
	     one = scry_call_argument(c, d, i, 0, &first);

	if (strstr(name, "panic_bounds_check"))
		return !two  ? "index out of bounds"
		       : one ? scry_arena_printf(&c->session->arena,
						 "index out of bounds: the len is %" PRIu64
						 " but the index is %" PRIu64,
						 second, first)
			     : scry_arena_printf(&c->session->arena,
						 "index out of bounds: the len is %" PRIu64,
						 second);
	return one && two ? sized_text(c, first, second) : NULL;
}

/* The function that the program called to panic tells where, in one of its arguments. */
static const char *of_rust(struct scry_crash *c, struct scry_decoder *d)
{
	unsigned i = c->site;
	const char *where = NULL, *text;
	uint64_t value;

	if (!i || !scry_is_rust_panic(&c->frames[i - 1].symbol) ||
	    c->session->target->abi.ptr_size != 8)
		return NULL;
	for (unsigned k = 0; k < ARGUMENTS && !where; k++)
		if (scry_call_argument(c, d, i - 1, k, &value))
			where = location_at(c, value);
	if (!where)
		return NULL;
	text = panic_text(c, d, i - 1);
	return scry_arena_printf(&c->session->arena, "Rust panic at %s%s%s", where,
				 text ? ": " : "", text ? text : "");
}

/* What sys keeps of an exception that nothing caught, be it the one for which a hook aborted. */
static void tell_uncaught(struct scry_crash *c)
{
	static const char *const names[] = { "last_exc", "last_value" };
	const struct scry_interp *i = c->thread->interp;
	SCRY_AUTO_BUF(text);
	scry_addr value;

	for (size_t k = 0; i && i->sysdict && k < sizeof(names) / sizeof(*names); k++) {
		if (scry_dict_get(i->runtime, i->sysdict, names[k], &value) < 0 || !value ||
		    scry_is_none(i->runtime, value))
			continue;
		scry_repr_short(i->runtime, value, UNCAUGHT_MAX, &text);
		scry_crash_say(c, &c->why, "the last exception that nothing caught (sys.%s): %s",
			       names[k], text.text);
		return;
	}
}

void scry_crash_message(struct scry_crash *c, struct scry_decoder *d)
{
	if (!c->sent && !c->exception)
		return;
	c->message = scry_crash_of_python(c, d);
	if (!c->message)
		c->message = scry_crash_cxx_of_windows(c);
	if (!c->message)
		c->message = of_cxx(c);
	if (!c->message && c->signal == SIGABRT)
		c->message = of_rust(c, d);
	if (!c->message && c->signal == SIGABRT)
		c->message = of_glibc(c);
	if (c->signal == SIGABRT)
		tell_uncaught(c);
}
