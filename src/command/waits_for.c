/* What a row of waits waits for. */
#include "command/waits_for.h"

#include "object/model.h"
#include "wait/wait.h"

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct scry_awaited *what = subject;
	const char *name = NULL;
	scry_addr type;

	if (what->is_object && (scry_type_of(what->runtime, what->addr, &type) < 0 ||
				scry_type_full_name(what->runtime, type, &name) < 0))
		name = NULL;
	scry_said_text(ret, name);
}

static bool print_repr(const void *subject, struct scry_buf *out)
{
	const struct scry_awaited *what = subject;

	if (what->is_object)
		scry_repr(what->runtime, what->addr, out);
	return what->is_object;
}

static void get_number(struct scry_said *ret, int64_t number)
{
	ret->kind = SCRY_SAID_NULL;
	if (number >= 0)
		scry_said_int(ret, number);
}

static void get_fd(const void *subject, struct scry_said *ret)
{
	get_number(ret, ((const struct scry_awaited *)subject)->fd);
}

static void get_pid(const void *subject, struct scry_said *ret)
{
	get_number(ret, ((const struct scry_awaited *)subject)->pid);
}

static void get_deadline(const void *subject, struct scry_said *ret)
{
	get_number(ret, ((const struct scry_awaited *)subject)->deadline);
}

static const char *const about[] = {
	"{name:name}", "fd {fd}", "process {pid}", "{detail}", "{left}", NULL,
};

#define SUBJECT struct scry_awaited
static const struct scry_say for_fields[] = {
	SAY_TEXT("kind", kind),
	SAY_ID("address", addr),
	SAY_GET("type", get_type),
	SAY_PRINT("repr", print_repr),
	SAY_TEXT("name", name),
	SAY_TEXT("detail", detail),
	SAY_GET("fd", get_fd),
	SAY_GET("pid", get_pid),
	SAY_GET("deadline", get_deadline),
	SAY_TEXT("other_end", other_end),
	SAY_TEXT("left", left, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_VIEW("about", about, ": "),
	SAY_END,
};
#undef SUBJECT

static const char *const for_text[] = { "{kind=?}", " {address}", " ({about})", "; {other_end}",
					NULL };
const struct scry_facts scry_facts_awaited = { "for", for_fields, for_text };
