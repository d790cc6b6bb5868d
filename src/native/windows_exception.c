/* What the parameters of Windows' exceptions tell, and what a C++ exception of MSVC's said. */
#include <inttypes.h>
#include <string.h>

#include "native/fatal.h"

#define FAIL_FAST     0xc0000409u
#define IN_PAGE_ERROR 0xc0000006u
#define CXX_EXCEPTION 0xe06d7363u

/* --- __fastfail(): FAST_FAIL_... of winnt.h, Windows SDK 10 --- */

static const char *const fast_fails[] = {
	[0] = "LEGACY_GS_VIOLATION: a buffer on the stack was overrun",
	[1] = "VTGUARD_CHECK_FAILURE: a table of virtual functions was overwritten",
	[2] = "STACK_COOKIE_CHECK_FAILURE: a buffer on the stack was overrun",
	[3] = "CORRUPT_LIST_ENTRY: the links of a list contradict each other",
	[4] = "INCORRECT_STACK",
	[5] = "INVALID_ARG: a function of the C library was given what it forbids",
	[6] = "GS_COOKIE_INIT",
	[7] = "FATAL_APP_EXIT: the program called abort() or terminate()",
	[8] = "RANGE_CHECK_FAILURE: an index was out of range",
	[9] = "UNSAFE_REGISTRY_ACCESS",
	[10] = "GUARD_ICALL_CHECK_FAILURE: an indirect call to where none may go",
	[11] = "GUARD_WRITE_CHECK_FAILURE",
	[12] = "INVALID_FIBER_SWITCH",
	[13] = "INVALID_SET_OF_CONTEXT",
	[14] = "INVALID_REFERENCE_COUNT",
	[18] = "INVALID_JUMP_BUFFER",
	[19] = "MRDATA_MODIFIED",
	[20] = "CERTIFICATION_FAILURE",
	[21] = "INVALID_EXCEPTION_CHAIN",
};

static void explain_fast_fail(struct scry_crash *c, uint64_t code)
{
	const char *name =
		code < sizeof(fast_fails) / sizeof(*fast_fails) ? fast_fails[code] : NULL;

	if (name)
		scry_crash_say(c, &c->why, "FAST_FAIL_%s", name);
	else
		scry_crash_say(c, &c->why, "the code of __fastfail() is %" PRIu64, code);
}

void scry_crash_explain_exception(struct scry_crash *c)
{
	const struct scry_target *t = c->session->target;

	if (c->exception == FAIL_FAST && t->parameter_count)
		explain_fast_fail(c, t->parameters[0]);
	/* the third is the NTSTATUS with which reading the page failed */
	if (c->exception == IN_PAGE_ERROR && t->parameter_count > 2)
		scry_crash_say(c, &c->why,
			       "the page could not be read from its file: status 0x%08" PRIx32,
			       (uint32_t)t->parameters[2]);
}

/* --- C++ --- */

/*
 * ThrowInfo, CatchableTypeArray, CatchableType, TypeDescriptor: ehdata.h of Visual C++; on 64-bit
 * machines what were pointers are offsets from the image's start, the fourth parameter.
 */
#define CXX_PARAMETERS 4
#define THROW_TYPES    12
#define TYPES_MAX      16
#define TYPE_NAME_MAX  200

/* ".?AVruntime_error@std@@" as C++ has it; NULL where it is no plain name. */
static const char *plain_name(struct scry_session *s, const char *decorated)
{
	SCRY_AUTO_BUF(out);
	size_t len = strlen(decorated), end;

	if (strncmp(decorated, ".?A", 3) || len < 7 || strcmp(decorated + len - 2, "@@") ||
	    strchr(decorated + 3, '?'))
		return NULL;
	for (end = len - 2; end > 4;) {
		size_t start = end;

		while (start > 4 && decorated[start - 1] != '@')
			start--;
		scry_buf_printf(&out, "%s%.*s", out.len ? "::" : "", (int)(end - start),
				decorated + start);
		end = start > 4 ? start - 1 : 4;
	}
	return scry_arena_text(&s->arena, out.text, out.len);
}

/* The name of type `i` that would catch it; *ret_at: where in the object one of that type is. */
static const char *catchable(struct scry_session *s, scry_addr image, scry_addr array, uint64_t i,
			     int64_t *ret_at)
{
	uint64_t type, descriptor;
	const char *name;

	if (scry_read_uint(s, array + 4 + 4 * i, 4, &type) < 0 ||
	    scry_read_uint(s, image + type + 4, 4, &descriptor) < 0 ||
	    scry_read_uint(s, image + type + 8, 4, (uint64_t *)ret_at) < 0 ||
	    scry_read_cstr(s, image + descriptor + 16, TYPE_NAME_MAX, &name) < 0)
		return NULL;
	*ret_at = (int32_t)*ret_at;
	return name;
}

const char *scry_crash_cxx_of_windows(struct scry_crash *c)
{
	struct scry_session *s = c->session;
	const struct scry_target *t = s->target;
	const uint64_t *p = t->parameters;
	const char *first = NULL, *name, *text = NULL;
	uint64_t array, count;
	scry_addr what;
	int64_t at;

	if (c->exception != CXX_EXCEPTION || t->abi.ptr_size != 8 ||
	    t->parameter_count < CXX_PARAMETERS || !p[2] ||
	    scry_read_uint(s, p[2] + THROW_TYPES, 4, &array) < 0 ||
	    scry_read_uint(s, p[3] + array, 4, &count) < 0)
		return NULL;
	for (uint64_t i = 0; i < count && i < TYPES_MAX; i++) {
		name = catchable(s, p[3], p[3] + array, i, &at);
		if (!name)
			break;
		first = first ? first : name;
		/* std::exception: the pointer to its functions, then what() */
		if (!text && !strcmp(name, ".?AVexception@std@@") &&
		    scry_read_ptr(s, p[1] + (uint64_t)at + 8, &what) == SCRY_OK && what &&
		    scry_read_cstr(s, what, SCRY_CRASH_TEXT_MAX, &text) < 0)
			text = NULL;
	}
	if (!first)
		return NULL;
	name = plain_name(s, first);
	return scry_arena_printf(&s->arena, "C++ exception %s%s%s", name ? name : first,
				 text ? ": " : "", text ? text : "");
}
