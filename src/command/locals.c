/*
 * Local variables: of functions from their frame, of modules and class bodies from their
 * dictionary.
 */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "object/model.h"

#define CO_OPTIMIZED 1

static const char *const kind_names[] = {
	[SCRY_LOCAL_ARG] = "arg",
	[SCRY_LOCAL_VAR] = "local",
	[SCRY_LOCAL_CELL] = "cell",
	[SCRY_LOCAL_FREE] = "free",
};

/*
 * A walk over either kind of variables: those in slots, the namespace, and those of a comprehension
 * in it.
 */
struct variables {
	const struct scry_frame *frame;
	unsigned fast;  /* of scry_frame_local_next() */
	uint64_t items; /* of scry_dict_next() */
	enum { IN_SLOTS, IN_NAMESPACE, IN_COMPREHENSION } part;
};

static int next_slot(struct variables *v, struct scry_local *ret)
{
	int rc;

	while ((rc = scry_frame_local_next(v->frame, &v->fast, ret)) == SCRY_ITEM)
		if (ret->hidden == (v->part == IN_COMPREHENSION))
			break;
	return rc;
}

static int next_name(struct variables *v, struct scry_local *ret)
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
static int next_variable(struct variables *v, struct scry_local *ret)
{
	bool has_names = !(v->frame->code->flags & CO_OPTIMIZED) && v->frame->locals;
	int rc = v->part == IN_NAMESPACE ? SCRY_OK : next_slot(v, ret);

	if (v->part == IN_SLOTS && rc == SCRY_OK) {
		v->part = IN_NAMESPACE;
		v->fast = 0;
	}
	if (v->part == IN_NAMESPACE) {
		if (has_names && (rc = next_name(v, ret)) == SCRY_ITEM)
			return rc;
		v->part = IN_COMPREHENSION;
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

static bool is_no_dict(const struct scry_frame *f)
{
	scry_addr key, value;
	uint64_t it = 0;

	return !(f->code->flags & CO_OPTIMIZED) && f->locals &&
	       scry_dict_next(f->runtime, f->locals, &it, &key, &value) < 0;
}

/*
 * exec() and __prepare__() take any mapping: what is no dict can only be named. Says so and is true
 * then.
 */
static bool print_namespace(struct scry_call *call, const struct scry_frame *f, const char *indent)
{
	struct scry_buf text = SCRY_BUF_INIT;

	if (!is_no_dict(f))
		return false;
	if (!print_value(call, f->runtime, f->locals, &text))
		call->partial = true;
	scry_buf_puts(call->out, indent);
	scry_buf_puts(call->out, "(the names are in ");
	scry_put_safe_bytes(call->out, text.text, text.len);
	scry_buf_puts(call->out, ")\n");
	scry_buf_done(&text);
	return true;
}

/* Variables whose names could not be read are missing, or have none. */
static void note_lost(struct scry_call *call, const struct scry_frame *f)
{
	/* modules and class bodies have one: PyFrame_New(), Objects/frameobject.c, and its heirs */
	const char *why = f->code->locals_bad ? f->code->locals_bad
			  : !(f->code->flags & CO_OPTIMIZED) && !f->locals && !f->runtime->pypy
				  ? "it has no namespace"
				  : NULL;

	if (!why)
		return;
	call->partial = true;
	scry_note_answer(call->s, "the variables of %s: %s", f->code->name, why);
}

unsigned scry_locals_text(struct scry_call *call, const struct scry_frame *f, const char *indent)
{
	struct variables v = { .frame = f };
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_local local;
	unsigned count = 0;

	for (; next_variable(&v, &local) == SCRY_ITEM; count++) {
		scry_buf_cut(&text, 0);
		if (!print_value(call, f->runtime, local.value, &text))
			call->partial = true;
		scry_buf_puts(call->out, indent);
		scry_put_styled(call, SCRY_STYLE_NAME, local.name);
		scry_buf_puts(call->out, " = ");
		scry_put_safe_bytes(call->out, text.text, text.len);
		scry_buf_putc(call->out, '\n');
	}
	scry_buf_done(&text);
	note_lost(call, f);
	return count + print_namespace(call, f, indent);
}

static void local_json(struct scry_call *call, const struct scry_frame *f,
		       const struct scry_local *local, struct scry_buf *text)
{
	struct scry_json *j = call->json;

	scry_buf_cut(text, 0);
	if (!print_value(call, f->runtime, local->value, text))
		call->partial = true;
	scry_json_open(j, '{');
	scry_json_put_text(j, "name", local->name);
	scry_json_put_text(j, "kind", kind_names[local->kind]);
	scry_json_put_text(j, "type", type_name(f->runtime, local->value));
	scry_json_put_bytes(j, "repr", text->text, text->len);
	scry_json_put_addr(j, "address", local->value);
	scry_json_close(j, '}');
}

void scry_locals_json(struct scry_call *call, const struct scry_frame *f)
{
	struct variables v = { .frame = f };
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_local local;

	scry_json_key(call->json, "locals");
	scry_json_open(call->json, '[');
	while (next_variable(&v, &local) == SCRY_ITEM)
		local_json(call, f, &local, &text);
	scry_json_close(call->json, ']');
	scry_buf_done(&text);
	note_lost(call, f);
	if (is_no_dict(f))
		scry_note_answer(call->s, "the names of %s are in no dict: 0x%" PRIx64,
				 f->code->name, f->locals);
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
		scry_threads_open(call);
		scry_thread_json(call, t);
		scry_json_key(call->json, "frames");
		scry_json_open(call->json, '[');
		scry_frame_json(call, &f);
		scry_json_close(call->json, ']');
		scry_json_close(call->json, '}');
		scry_json_close(call->json, ']');
	} else if (!f.code) {
		return scry_fail(call->s, SCRY_ECORRUPT, f.addr, "the frame is damaged: %s",
				 f.damaged);
	} else if (!scry_locals_text(call, &f, "")) {
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
