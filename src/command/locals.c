/*
 * Local variables: of functions from their frame, of modules and class bodies from their
 * dictionary.
 */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "command/names.h"
#include "object/model.h"

#define CO_OPTIMIZED 1

const char *const scry_local_kind_names[] = {
	[SCRY_LOCAL_ARG] = "arg",
	[SCRY_LOCAL_VAR] = "local",
	[SCRY_LOCAL_CELL] = "cell",
	[SCRY_LOCAL_FREE] = "free",
};

static int next_slot(struct scry_names *v, struct scry_local *ret)
{
	int rc;

	while ((rc = scry_frame_local_next(v->frame, &v->fast, ret)) == SCRY_ITEM)
		if (ret->hidden == (v->part == SCRY_NAMES_COMPREHENSION))
			break;
	return rc;
}

static int next_name(struct scry_names *v, struct scry_local *ret)
{
	const struct scry_frame *f = v->frame;
	scry_addr key;
	int rc;

	while ((rc = scry_dict_next(f->runtime, f->locals, &v->items, &key, &ret->value)) ==
	       SCRY_ITEM) {
		ret->kind = SCRY_LOCAL_VAR;
		if (scry_text_at(f->runtime, key, 256, &ret->name) == SCRY_OK)
			break;
	}
	return rc;
}

/* A class body has free variables and a namespace; a function's dictionary is only a copy. */
int scry_names_next(struct scry_names *v, struct scry_local *ret)
{
	bool has_names = !(v->frame->code->flags & CO_OPTIMIZED) && v->frame->locals;
	int rc = v->part == SCRY_NAMES_NAMESPACE ? SCRY_OK : next_slot(v, ret);

	if (v->part == SCRY_NAMES_SLOTS && rc == SCRY_OK) {
		v->part = SCRY_NAMES_NAMESPACE;
		v->fast = 0;
	}
	if (v->part == SCRY_NAMES_NAMESPACE) {
		if (has_names && (rc = next_name(v, ret)) == SCRY_ITEM)
			return rc;
		v->part = SCRY_NAMES_COMPREHENSION;
		rc = next_slot(v, ret);
	}
	return rc;
}

/* tp_name's last part, as type(x).__name__ has it. */
static const char *type_name(struct scry_runtime *r, scry_addr addr)
{
	const char *name = scry_model_of(r)->type_name(r, addr),
		   *dot = name ? strrchr(name, '.') : NULL;

	return dot ? dot + 1 : name;
}

static bool print_value(struct scry_call *call, struct scry_runtime *r, scry_addr addr,
			struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	p.verbose = call->verbose;
	scry_print(&p, addr);
	return !p.damaged;
}

/* --- one variable --- */

struct shown_local {
	struct scry_call *call;
	const struct scry_frame *frame;
	struct scry_local local;
	const char *indent; /* before its line of text */
};

static void get_type(const void *subject, struct scry_said *ret)
{
	const struct shown_local *shown = subject;

	scry_said_text(ret, type_name(shown->frame->runtime, shown->local.value));
}

static bool print_local(const void *subject, struct scry_buf *out)
{
	const struct shown_local *shown = subject;

	if (!print_value(shown->call, shown->frame->runtime, shown->local.value, out))
		shown->call->partial = true;
	return true;
}

#define SUBJECT struct shown_local
static const struct scry_say local_fields[] = {
	SAY_TEXT("name", local.name),
	SAY_NAME("kind", local.kind, scry_local_kind_names),
	SAY_GET("type", get_type),
	SAY_PRINT("repr", print_local),
	SAY_ADDR("address", local.value),
	SAY_TEXT("indent", indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts local_facts = {
	"local", local_fields, (const char *const[]) { "{indent}{name:name} = {repr}\n", NULL }
};

/* --- those of a frame --- */

struct shown_locals {
	struct scry_call *call;
	const struct scry_frame *frame;
	const char *indent;
	unsigned *count; /* what is shown */
};

static void each_local(const void *subject, struct scry_renderer *to)
{
	const struct shown_locals *all = subject;
	struct shown_local shown = { .call = all->call,
				     .frame = all->frame,
				     .indent = all->indent };
	struct scry_names v = { .frame = all->frame };

	for (; scry_names_next(&v, &shown.local) == SCRY_ITEM; ++*all->count)
		scry_say(to, &local_facts, &shown);
}

bool scry_names_in_no_dict(const struct scry_frame *f)
{
	scry_addr key, value;
	uint64_t it = 0;

	return !(f->code->flags & CO_OPTIMIZED) && f->locals &&
	       scry_dict_next(f->runtime, f->locals, &it, &key, &value) < 0;
}

/* exec() and __prepare__() take any mapping: what is not a dict can only be named. */
static bool print_namespace(const void *subject, struct scry_buf *out)
{
	const struct shown_locals *all = subject;

	if (!scry_names_in_no_dict(all->frame))
		return false;
	if (!print_value(all->call, all->frame->runtime, all->frame->locals, out))
		all->call->partial = true;
	++*all->count;
	return true;
}

/* Who compiled the function, whose variables are not in the frame then. */
static bool print_compiled(const void *subject, struct scry_buf *out)
{
	const struct shown_locals *all = subject;

	if (!all->frame->compiled)
		return false;
	scry_buf_puts(out, all->frame->compiled);
	++*all->count;
	return true;
}

#define SUBJECT struct shown_locals
static const struct scry_say locals_fields[] = {
	SAY_LIST("locals", &local_facts, each_local),
	SAY_PRINT("namespace", print_namespace, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_PRINT("compiled", print_compiled, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_TEXT("indent", indent, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const locals_text[] = {
	"{locals}",
	"{indent}(the names are in {namespace})\n",
	"{indent}(not known: compiled by {compiled})\n",
	NULL,
};

const struct scry_facts scry_facts_locals = { "locals", locals_fields, locals_text };

/* Variables whose names could not be read are missing, or have none. */
const char *scry_names_lost(const struct scry_frame *f)
{
	if (f->compiled)
		return NULL;
	if (f->code->locals_bad)
		return f->code->locals_bad;
	/* modules and class bodies have one: PyFrame_New(), Objects/frameobject.c, and its heirs */
	return !(f->code->flags & CO_OPTIMIZED) && !f->locals && !f->runtime->pypy
		       ? "it has no namespace"
		       : NULL;
}

static void note_lost(struct scry_call *call, const struct scry_frame *f)
{
	const char *why = scry_names_lost(f);

	if (!why)
		return;
	call->partial = true;
	scry_note_answer(call->s, "the variables of %s: %s", f->code->name, why);
}

void scry_locals_each(struct scry_call *call, const struct scry_frame *f,
		      void (*each)(void *arg, const char *name, const char *repr), void *arg)
{
	struct scry_names v = { .frame = f };
	struct scry_local local;
	SCRY_AUTO_BUF(text);

	while (scry_names_next(&v, &local) == SCRY_ITEM) {
		scry_buf_cut(&text, 0);
		if (!print_value(call, f->runtime, local.value, &text))
			call->partial = true;
		each(arg, local.name, text.text);
	}
}

unsigned scry_say_locals(struct scry_call *call, const struct scry_frame *f, const char *indent)
{
	unsigned count = 0;

	scry_say_fields(&call->render.to, &scry_facts_locals,
			&(struct shown_locals) { call, f, indent, &count });
	note_lost(call, f);
	/* text has said so in its place */
	if (call->json && scry_names_in_no_dict(f))
		scry_note_answer(call->s, "the names of %s are in no dict: 0x%" PRIx64,
				 f->code->name, f->locals);
	return count;
}

static int run_locals(struct scry_call *call)
{
	struct scry_thread *t;
	struct scry_frame f;
	int rc = scry_selected_frame(call->s, &t, &f);

	if (rc < 0)
		return rc;
	if (call->json) {
		call->s->options.locals = true;
		scry_say_frame_of(call, t, &f);
	} else if ((rc = scry_selected_code(call->s, &f)) < 0) {
		return rc;
	} else if (!scry_say_locals(call, &f, "")) {
		scry_buf_puts(call->out, "No locals.\n");
	}
	return SCRY_OK;
}

const struct scry_command_row scry_command_locals = {
	.public = { "locals", "", "Show the local variables of the selected frame.",
		    "Arguments, variables, and variables of enclosing functions, in source order.",
		    0 },
	.run = run_locals,
};
