/* The arguments of a C function by the Python frame that called it. */
#include "native/called.h"

#include "native/merge.h"
#include "object/known.h"

/* Include/methodobject.h */
enum {
	VARARGS = 1,
	KEYWORDS = 2,
	NOARGS = 4,
	ONE = 8,
	STATIC = 0x20,
	FASTCALL = 0x80,
	METHOD = 0x200,
	KINDS = VARARGS | KEYWORDS | NOARGS | ONE | FASTCALL | METHOD,
};

/* What each way of being called has for parameters. */
static const struct way {
	unsigned flags;
	const char *name;
	const char *parameters; /* a letter for each, see below */
} ways[] = {
	{ NOARGS, "METH_NOARGS", "s0" },
	{ ONE, "METH_O", "so" },
	{ VARARGS, "METH_VARARGS", "st" },
	{ VARARGS | KEYWORDS, "METH_VARARGS | METH_KEYWORDS", "std" },
	{ FASTCALL, "METH_FASTCALL", "sank" },
	{ FASTCALL | KEYWORDS, "METH_FASTCALL | METH_KEYWORDS", "sank" },
	{ METHOD | FASTCALL | KEYWORDS, "METH_METHOD | METH_FASTCALL | METH_KEYWORDS", "scank" },
};

static const struct way *way_of(uint64_t flags)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i].flags == (flags & KINDS))
			return &ways[i];
	return NULL;
}

/* --- the frames --- */

/* What is kept for a thread: its stack with Python's, and what the last run asked for calls. */
struct scry_calls {
	struct scry_merge merge;
	size_t run;
	bool known, is_call; /* of that run: it was asked, and is in a call of C code */
	struct scry_called called;
	scry_addr function; /* where that code begins */
};

static struct scry_calls *calls_of(struct scry_frames *f)
{
	struct scry_session *s = f->thread->session;

	if (f->calls || !f->thread->runtime)
		return f->calls;
	struct scry_calls *calls = scry_arena_alloc(&s->arena, sizeof(*calls));
	if (calls && scry_merge_unsaved(&calls->merge, f->thread) < 0)
		calls->merge.run_count = 0;
	return f->calls = calls;
}

/* The run of Python frames in the next interpreter's loop outwards of a C frame. */
static bool go_to_run(struct scry_calls *c, size_t index)
{
	const struct scry_run *runs = c->merge.runs;
	size_t run = c->run && runs[c->run - 1].place > index ? 0 : c->run;

	while (run < c->merge.run_count && runs[run].place <= index)
		run++;
	c->known &= run == c->run;
	c->run = run;
	return run < c->merge.run_count && runs[run].place != SCRY_NOWHERE;
}

static scry_addr def_of(struct scry_runtime *r, scry_addr callable)
{
	switch (scry_known_of(r, callable)) {
	case SCRY_IS_BUILTIN:
		return scry_field_get(r, callable, SCRY_F_CFUNCTION_DEF);
	case SCRY_IS_METHOD_DESCRIPTOR:
		/* PyMethodDescrObject has it where PyMemberDescrObject has its member */
		return scry_field_get(r, callable, SCRY_F_MEMBER_DESCR_MEMBER);
	default:
		return 0;
	}
}

/* Does the frame run the code that begins there? */
static bool begins_at(struct scry_frames *f, size_t index, scry_addr function)
{
	const struct scry_native_frame *frame = &f->frames[index];
	scry_addr start, end;

	return !frame->is_guess &&
	       scry_function_at(f->thread->session, frame->pc - frame->is_call, &start, &end) &&
	       start == function;
}

static unsigned depth_of(const struct scry_calls *c)
{
	unsigned depth = 0;

	for (size_t i = 0; i < c->run; i++)
		depth += (unsigned)c->merge.runs[i].count;
	return depth;
}

/* Which C function the newest frame of the run at hand calls. */
static void ask_run(struct scry_frames *f, struct scry_calls *c)
{
	struct scry_newer newer = { .any = c->run > 0, .entry = true };
	struct scry_runtime *r = f->thread->runtime;
	struct scry_frame caller;

	c->known = true;
	c->is_call = false;
	if (scry_frame_at(r, c->merge.runs[c->run].frame, &caller) < 0 ||
	    !scry_c_call_of(&caller, &newer, &c->called.call))
		return;
	scry_addr def = def_of(r, c->called.call.callable);

	c->function = scry_field_get(r, def, SCRY_F_METHOD_DEF_METHOD);
	c->called.flags = scry_field_get(r, def, SCRY_F_METHOD_DEF_FLAGS);
	if (!c->function || !way_of(c->called.flags))
		return;
	c->called.how = scry_arena_printf(
		&r->session->arena, "#%u %s called it, as a function of %s: %s", depth_of(c),
		caller.code->name, way_of(c->called.flags)->name, c->called.call.function);
	c->is_call = c->called.how;
}

bool scry_called_read(struct scry_frames *f, size_t index, struct scry_called *ret)
{
	struct scry_calls *c = calls_of(f);

	if (!c || !go_to_run(c, index))
		return false;
	if (!c->known)
		ask_run(f, c);
	if (!c->is_call || !begins_at(f, index, c->function))
		return false;
	for (size_t i = index + 1; i < c->merge.runs[c->run].place && i < f->count; i++)
		if (begins_at(f, i, c->function))
			return false;
	*ret = c->called;
	return true;
}

/* --- parameters --- */

static unsigned named_count(const struct scry_c_call *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->count; i++)
		n += c->arguments[i].name != NULL;
	return n;
}

/* The function's `args` are not slots of the value stack; in a free-threaded 3.13 perhaps. */
static bool copies_arguments(const struct scry_runtime *r)
{
	return scry_trait(r, SCRY_TRAIT_ARGUMENTS_COPIED) || r->layout->flavour.free_threaded;
}

bool scry_called_parameter(const struct scry_called *c, unsigned n,
			   struct scry_called_parameter *ret)
{
	const struct scry_c_call *call = &c->call;
	const char *letter = way_of(c->flags)->parameters;
	unsigned named = named_count(call);
	bool counted = call->stack && !call->more;

	while (n && *letter)
		letter++, n--;
	*ret = (struct scry_called_parameter) { .type = "PyObject *", .is_object = true };
	switch (*letter) {
	case 's':
		ret->name = "self";
		ret->value = c->flags & STATIC ? 0 : call->given;
		ret->known = true;
		break;
	case '0': /* nothing is given */
		ret->name = "unused";
		ret->known = true;
		break;
	case 'o':
		ret->name = "arg";
		ret->value = call->count ? call->arguments[0].value : 0;
		ret->known = call->count == 1 && !call->more && !named;
		break;
	case 't': /* a tuple that only the call holds */
		ret->name = "args";
		break;
	case 'd':
		ret->name = "kwargs";
		ret->known = counted && !named;
		break;
	case 'c':
		ret->name = "defining_class";
		break;
	case 'a': /* where stack slots have flags, the call has a copy of the arguments */
		ret->name = "args";
		ret->type = "PyObject *const *";
		ret->is_object = false;
		ret->value = call->stack;
		ret->known = call->stack && !copies_arguments(call->runtime);
		break;
	case 'n':
		ret->name = "nargs";
		ret->type = "Py_ssize_t";
		ret->is_object = false;
		ret->value = call->count - named;
		ret->known = counted;
		break;
	case 'k':
		ret->name = "kwnames";
		ret->value = call->names;
		ret->known = counted && (call->names || !named);
		break;
	default:
		return false;
	}
	return true;
}
