/* print: the value of a name or of a path of attributes and items. */
#include <string.h>

#include "command/command.h"
#include "eval/expr.h"

#define MOST_GLOBALS 10000 /* names that completion looks at */
#define MOST_NAME    200

/* Where a plain name was found, as CPython's own py-print says; NULL for any other expression. */
static const char *scope_of(const struct scry_frame *f, const char *name)
{
	struct scry_local local;
	scry_addr value;
	unsigned it = 0;

	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")] &&
	    (*name & 0x80) == 0)
		return NULL;
	while (scry_frame_local_next(f, &it, &local) == SCRY_ITEM)
		if (!strcmp(local.name, name))
			return "local";
	if (f->locals && f->locals != f->globals &&
	    scry_dict_get(f->runtime, f->locals, name, &value) == SCRY_OK)
		return "local";
	if (f->globals && scry_dict_get(f->runtime, f->globals, name, &value) == SCRY_OK)
		return "global";
	/* what is in none of these was found in sys.modules, or is a keyword */
	bool in_dict =
		f->builtins && scry_dict_get(f->runtime, f->builtins, name, &value) == SCRY_OK;
	return in_dict || (f->builtins &&
			   scry_attr(f->runtime, f->builtins, name, &value) == SCRY_OK)
		       ? "builtin"
		       : NULL;
}

/* What was asked for, and its value. */
struct shown_value {
	const char *expression, *scope;
	struct scry_value value;
	struct scry_buf repr;
};

static void get_repr(const void *subject, struct scry_said *ret)
{
	const struct shown_value *shown = subject;

	scry_said_bytes(ret, shown->repr.text, shown->repr.len);
}

#define SUBJECT struct shown_value
static const struct scry_say fields[] = {
	SAY_TEXT("expression", expression), SAY_TEXT("scope", scope),
	SAY_TEXT("type", value.type),       SAY_GET("repr", get_repr),
	SAY_ID("address", value.addr),      SAY_END,
};
#undef SUBJECT

static const char *const text[] = {
	"{scope} '{expression:name}' = {repr}\n",
	"|{expression:name} = {repr}\n",
	NULL,
};

static const struct scry_facts answer_facts = { "print", fields, text };

/* The frame to look names up in: none is needed for "@0x..." and "module:name". */
static struct scry_runtime *find_runtime(struct scry_call *call, struct scry_frame *f,
					 bool *ret_has_frame)
{
	struct scry_thread *t;

	*ret_has_frame = scry_selected_frame(call->s, &t, f) == SCRY_OK && f->code;
	/* a damaged frame has no names to look up, but what is not found may well be in it */
	t = scry_thread_selected(call->s);
	if (!*ret_has_frame && f->kind != SCRY_FRAME_DAMAGED && t && t->error)
		scry_note_answer(call->s, "the variables of this thread are not known: %s",
				 t->error);
	return *ret_has_frame ? f->runtime : scry_runtime_first(call->s);
}

static int run_print(struct scry_call *call)
{
	struct shown_value shown = { .repr = SCRY_BUF_INIT };
	struct scry_printer p;
	struct scry_frame f = { 0 };
	bool has_frame;

	if (!call->argc)
		return scry_fail(call->s, SCRY_EINVAL, 0, "what? usage: %s%s %s",
				 call->s->options.prefix, call->row->public.name,
				 call->row->public.usage);
	struct scry_runtime *r = find_runtime(call, &f, &has_frame);
	if (!r)
		return SCRY_ENOTFOUND;
	int rc = scry_eval(call->s, has_frame || f.kind == SCRY_FRAME_DAMAGED ? &f : NULL,
			   call->argv[0], &shown.value);
	if (rc < 0)
		return rc;
	scry_printer_init(&p, r, &shown.repr);
	p.verbose = call->verbose;
	scry_print_value(&p, &shown.value);
	call->partial = call->partial || p.damaged;
	shown.expression = call->argv[0];
	shown.scope = has_frame ? scope_of(&f, call->argv[0]) : NULL;
	scry_say_fields(&call->render.to, &answer_facts, &shown);
	scry_buf_done(&shown.repr);
	return SCRY_OK;
}

/* Names of the selected frame and of its module. */
static void complete(struct scry_session *s, const char *word, struct scry_buf *out)
{
	struct scry_local local;
	struct scry_thread *t;
	struct scry_frame f;
	scry_addr key, value;
	const char *name;
	unsigned at = 0;
	uint64_t it = 0;

	if (!s->target || scry_selected_frame(s, &t, &f) < 0 || !f.code)
		return;
	while (scry_frame_local_next(&f, &at, &local) == SCRY_ITEM)
		scry_offer(out, word, local.name);
	for (unsigned n = 0; f.globals && n < MOST_GLOBALS; n++) {
		if (scry_dict_next(f.runtime, f.globals, &it, &key, &value) != SCRY_ITEM)
			break;
		if (scry_text_at(f.runtime, key, MOST_NAME, &name) == SCRY_OK)
			scry_offer(out, word, name);
	}
}

const struct scry_command_row scry_command_print = {
	.public = { "print", "EXPR",
		    "Show the value of a variable, or of one of its attributes or items.",
		    "A name is looked up in the selected frame: local, enclosing, global, builtin. "
		    "Attributes and items\n"
		    "may follow it: self.queue.items[3].name, cfg[\"db\"][\"host\"], data[-1], "
		    "data[2:5].\n"
		    "MODULE:NAME is a global of a module, @0x7f... the object at an address. "
		    "Nothing is executed.",
		    SCRY_COMMAND_RAW | SCRY_COMMAND_VALUE },
	.run = run_print,
	.says = (const struct scry_facts *const[]) { &answer_facts, NULL },
	.max_args = 1,
	.complete = complete,
};
