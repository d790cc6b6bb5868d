/* py-print's expressions: names, attributes, items and slices. */
#include "eval/evaluate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 20

/*
 * Bytes from 0x80 on are parts of UTF-8: names may have any letter, and a name that there is not is
 * not found.
 */
static bool is_name_char(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (unsigned char)c >= 0x80 || (!first && c >= '0' && c <= '9');
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (is_name_char(text[n], n == 0))
		n++;
	return n;
}

static const char *skip_space(const char *c)
{
	while (*c == ' ' || *c == '\t')
		c++;
	return c;
}

int scry_eval_fail(struct scry_eval *e, int code, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return scry_fail(e->s, code, e->value.addr, "%.*s: %s", (int)(e->at - e->text), e->text,
			 why);
}

/* A damaged object is a value too: it prints as what it is, and an attribute of it fails. */
int scry_eval_set(struct scry_eval *e, scry_addr addr)
{
	if (!addr)
		return scry_eval_set_text(e, "<NULL>", "?");
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_OBJECT, .addr = addr };
	return SCRY_OK;
}

int scry_eval_set_text(struct scry_eval *e, const char *text, const char *type)
{
	if (!text)
		return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_TEXT, .text = text, .type = type };
	return SCRY_OK;
}

int scry_eval_set_int(struct scry_eval *e, int64_t number)
{
	return scry_eval_set_text(e, scry_arena_printf(&e->s->arena, "%" PRId64, number), "int");
}

/* --- names --- */

/* Fast variables and cells first, then the namespace of a module or class body. */
static bool local_value(struct scry_eval *e, const char *name, scry_addr *ret)
{
	struct scry_local local;
	unsigned it = 0;

	while (e->f && scry_frame_local_next(e->f, &it, &local) == SCRY_ITEM)
		if (!strcmp(local.name, name)) {
			*ret = local.value;
			return true;
		}
	return e->f && e->f->locals && scry_dict_get(e->r, e->f->locals, name, ret) == SCRY_OK;
}

/* The methods of a dict are not names in it. */
static bool is_dict(struct scry_eval *e, scry_addr addr)
{
	scry_addr key, value;
	uint64_t it = 0;

	return scry_dict_next(e->r, addr, &it, &key, &value) >= 0;
}

/* f_builtins, or __builtins__, may be a module or its dict. */
static bool builtin_value(struct scry_eval *e, const char *name, scry_addr *ret)
{
	scry_addr from[2] = { e->f ? e->f->builtins : 0,
			      e->r->interps ? e->r->interps->builtins : 0 };

	for (int i = 0; i < 2; i++)
		if (from[i] &&
		    (scry_dict_get(e->r, from[i], name, ret) == SCRY_OK ||
		     (!is_dict(e, from[i]) && scry_attr(e->r, from[i], name, ret) == SCRY_OK)))
			return true;
	return false;
}

/*
 * Not in Python: but a user who types "sys" in a frame that has not imported it means the module.
 */
static bool module_value(struct scry_eval *e, const char *name, scry_addr *ret)
{
	for (const struct scry_interp *i = e->r->interps; i; i = i->next)
		if (i->modules && scry_dict_get(e->r, i->modules, name, ret) == SCRY_OK)
			return true;
	return false;
}

/*
 * Why the frame may have a variable that was not found; NULL: it has none. "No such variable" is a
 * fact only where all names were read.
 */
static const char *doubt_of_frame(struct scry_eval *e)
{
	struct scry_local local;
	unsigned it = 0;
	int rc = SCRY_ITEM;

	if (e->f && e->f->kind == SCRY_FRAME_DAMAGED)
		return e->f->damaged;
	while (e->f && rc == SCRY_ITEM)
		rc = scry_frame_local_next(e->f, &it, &local);
	return rc < 0 ? scry_arena_printf(&e->s->arena, "%s", e->s->error.text) : NULL;
}

/* A compiled function keeps its variables where nobody finds them: a global is not one of them. */
static bool is_hidden_local(struct scry_eval *e, const char *name)
{
	struct scry_code *c = e->f && e->f->compiled ? e->f->code : NULL;
	scry_addr names, items, word;
	uint64_t count;

	if (!c)
		return false;
	/* up to 3.10 Nuitka's code has the names, and says that it has no variables */
	if (scry_field_read(e->r, c->addr, SCRY_F_CODE_VARNAMES, &names) == SCRY_OK &&
	    scry_sequence(e->r, names, &count, &items) == SCRY_OK)
		for (uint64_t i = 0; i < count && i < 65536; i++)
			if (scry_word(e->r, items + i * e->s->target->abi.ptr_size, &word) ==
				    SCRY_OK &&
			    scry_text_is(e->r, word, name))
				return true;
	for (unsigned i = 0; scry_code_locals(c) == SCRY_OK && i < c->slots; i++)
		if (!strcmp(c->locals[i].name, name))
			return true;
	return false;
}

/* The order is that of the language: local, global, builtin (Python's reference, 4.2.2). */
static int eval_name(struct scry_eval *e, const char *name)
{
	scry_addr value;
	const char *doubt;

	if (!e->module && is_hidden_local(e, name))
		return scry_fail(e->s, SCRY_EUNSUPPORTED, 0,
				 "the value of '%s' is not known: %s was compiled by %s", name,
				 e->f->code->name, e->f->compiled);
	if ((e->module && scry_attr(e->r, e->module, name, &value) == SCRY_OK) ||
	    local_value(e, name, &value) ||
	    (e->f && e->f->globals &&
	     scry_dict_get(e->r, e->f->globals, name, &value) == SCRY_OK) ||
	    builtin_value(e, name, &value) || module_value(e, name, &value))
		return scry_eval_set(e, value);
	doubt = doubt_of_frame(e);
	if (doubt)
		return scry_fail(e->s, SCRY_ENOTFOUND, 0,
				 "whether there is a variable '%s' is not known: the variables of "
				 "this frame cannot be read (%s)",
				 name, doubt);
	return scry_fail(e->s, SCRY_ENOTFOUND, 0,
			 "no variable '%s' in this frame, its module or the builtins%s", name,
			 scry_suggest_name(e, name));
}

/* "package.module:name" */
static int eval_module(struct scry_eval *e, const char *module, const char *name)
{
	scry_addr value;

	if (!module_value(e, module, &value))
		return scry_fail(e->s, SCRY_ENOTFOUND, 0, "no module '%s' in sys.modules", module);
	e->module = value;
	int rc = scry_attr(e->r, value, name, &value);
	if (rc < 0)
		return scry_fail(e->s, rc, 0, "module '%s' has no '%s'%s", module, name,
				 scry_suggest_attribute(e, e->module, name));
	return scry_eval_set(e, value);
}

/* "a.b:c" is a module's name up to the colon; without a colon the dots are attributes. */
static size_t dotted_length(const char *text)
{
	size_t n = name_length(text);

	while (n && text[n] == '.' && name_length(text + n + 1))
		n += 1 + name_length(text + n + 1);
	return n;
}

static char *copy(struct scry_eval *e, const char *text, size_t len)
{
	return scry_arena_text(&e->s->arena, text, len);
}

/* Only what the judge takes for an object: print @ADDRESS says no rather than to print garbage. */
static int eval_address(struct scry_eval *e)
{
	char *end;
	uint64_t addr = strtoull(e->at + 1, &end, 0);
	char why[200];

	if (end == e->at + 1)
		return scry_fail(e->s, SCRY_EINVAL, 0,
				 "'@' needs an address, as in @0x7f0123456780");
	e->at = end;
	if (scry_is_object(e->r, addr))
		return scry_eval_set(e, addr);
	snprintf(why, sizeof(why), "%.199s", e->s->error.text);
	return scry_eval_fail(e, SCRY_ECORRUPT, "no object at 0x%" PRIx64 " (%s)", addr, why);
}

static bool is_module(struct scry_eval *e, const char *name, size_t len)
{
	char *text = copy(e, name, len);
	scry_addr value;

	return text && module_value(e, text, &value);
}

/* None, True and False are keywords. */
static bool eval_constant(struct scry_eval *e, const char *name)
{
	static const char *const names[][2] = { { "None", "NoneType" },
						{ "True", "bool" },
						{ "False", "bool" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i][0]))
			return scry_eval_set_text(e, names[i][0], names[i][1]) == SCRY_OK;
	return false;
}

static int eval_primary(struct scry_eval *e)
{
	size_t n = name_length(e->at), dotted = dotted_length(e->at);

	if (*e->at == '@')
		return eval_address(e);
	if (n == 0 && !*e->at)
		return scry_fail(e->s, SCRY_EINVAL, 0,
				 "the expression ends where a name should follow");
	if (n == 0)
		return scry_fail(
			e->s, SCRY_EINVAL, 0,
			"expected a name, MODULE:NAME or @ADDRESS at '%s'; nothing is computed",
			e->at);
	const char *name = e->at + dotted + 1;
	size_t m = e->at[dotted] == ':' ? name_length(name) : 0;
	if (m && e->depth && !is_module(e, e->at, dotted))
		m = 0; /* between brackets it is START:STOP, unless there is such a module */
	char *first = copy(e, e->at, m ? dotted : n), *second = m ? copy(e, name, m) : NULL;
	if (!first || (m && !second))
		return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
	e->at = m ? name + m : e->at + n;
	if (m)
		return eval_module(e, first, second);
	return eval_constant(e, first) ? SCRY_OK : eval_name(e, first);
}

static int eval_attribute(struct scry_eval *e)
{
	size_t n = name_length(e->at + 1);
	char *name = copy(e, e->at + 1, n);

	if (n == 0)
		return scry_fail(e->s, SCRY_EINVAL, 0, "expected a name after '.' in '%s'",
				 e->text);
	if (!name)
		return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
	int rc = scry_eval_attribute(e, name);
	e->at += 1 + n;
	return rc;
}

/*
 * Another expression as key: evaluated in the same frame. Keys may be expressions, with brackets in
 * brackets: bounded, since each level takes our stack.
 */
static int eval_nested(void *arg, const char **at, scry_addr *ret)
{
	struct scry_eval *outer = arg;
	struct scry_eval e = { .s = outer->s,
			       .r = outer->r,
			       .f = outer->f,
			       .text = *at,
			       .at = *at,
			       .module = outer->module,
			       .depth = outer->depth + 1 };
	int rc = e.depth > DEPTH_MAX ? scry_fail(e.s, SCRY_ELIMIT, 0, "brackets nested too deep")
				     : eval_primary(&e);

	while (rc == SCRY_OK && (*e.at == '.' || *e.at == '['))
		rc = *e.at == '.' ? eval_attribute(&e) : scry_eval_subscript(&e);
	if (rc == SCRY_OK && e.value.kind != SCRY_VALUE_OBJECT)
		rc = scry_fail(e.s, SCRY_EUNSUPPORTED, 0,
			       "'%.*s' is not an object, so it cannot be a key",
			       (int)(e.at - e.text), e.text);
	*at = e.at;
	*ret = e.value.addr;
	return rc;
}

/* [KEY] or [START:STOP:STEP] */
int scry_eval_subscript(struct scry_eval *e)
{
	int64_t bounds[3] = { 0 };
	bool given[3] = { false };
	unsigned parts = 0;
	struct scry_key key;
	const char *c = skip_space(e->at + 1);
	int rc = SCRY_OK;

	for (; rc == SCRY_OK; c = skip_space(c + 1)) {
		/*
		 * one loop for items and slices: what is given before a colon is known to be a
		 * bound only then
		 */
		if (*c != ':' && *c != ']') {
			rc = scry_key_parse(e->r, &c, eval_nested, e, &key);
			given[parts] = rc == SCRY_OK;
			c = skip_space(c);
			if (rc == SCRY_OK && (parts || *c == ':') && key.kind != SCRY_KEY_NONE &&
			    !scry_key_index(e->r, &key, &bounds[parts]))
				rc = scry_eval_fail(e, SCRY_EINVAL, "slice bounds are integers");
			if (rc == SCRY_OK && key.kind == SCRY_KEY_NONE && (parts || *c == ':'))
				given[parts] = false;
		}
		if (rc < 0 || *c != ':' || ++parts > 2)
			break;
	}
	if (rc < 0)
		return rc;
	if (*c != ']' || (parts == 0 && !given[0]))
		return *c ? scry_eval_fail(e, SCRY_EINVAL, "expected ']' at '%s'", c)
			  : scry_eval_fail(e, SCRY_EINVAL, "a '[' lacks its ']'");
	rc = parts ? scry_eval_slice(e, bounds, given) : scry_eval_item(e, &key);
	e->at = c + 1;
	return rc;
}

/* --- results --- */

int scry_eval_start(struct scry_eval *e, struct scry_session *s, const struct scry_frame *f,
		    const char *expr)
{
	struct scry_runtime *r = f ? f->runtime : scry_runtime_first(s);
	int rc;

	*e = (struct scry_eval) { .s = s, .r = r, .f = f, .text = skip_space(expr) };
	if (!r)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no Python runtime in the target");
	e->at = e->text;
	rc = eval_primary(e);
	for (; rc == SCRY_OK && *(e->at = skip_space(e->at));) {
		if (*e->at == '.')
			rc = eval_attribute(e);
		else if (*e->at == '[')
			rc = scry_eval_subscript(e);
		else
			rc = scry_fail(s, SCRY_EINVAL, 0,
				       *e->at == '('
					       ? "'%s': nothing is called"
					       : "expected '.' or '[' at '%s'; nothing is computed",
				       e->at);
	}
	return rc;
}

int scry_eval(struct scry_session *s, const struct scry_frame *f, const char *expr,
	      struct scry_value *ret)
{
	struct scry_eval e;
	int rc = scry_eval_start(&e, s, f, expr);

	if (rc < 0)
		return rc;
	struct scry_runtime *r = e.r;
	struct scry_value v = { .text = e.value.text, .type = e.value.type };
	if (e.value.kind == SCRY_VALUE_OBJECT && !e.value.wrap) {
		v.addr = e.value.addr;
		v.type = scry_type_name_of(r, v.addr);
	} else if (e.value.kind != SCRY_VALUE_TEXT) {
		v.text = scry_eval_text(&e, &v.type);
		v.function = e.value.kind == SCRY_VALUE_BOUND ? e.value.addr : 0;
		if (!v.text)
			return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	}
	*ret = v;
	return SCRY_OK;
}

void scry_print_value(struct scry_printer *p, const struct scry_value *value)
{
	if (value->addr)
		scry_print(p, value->addr);
	else
		scry_buf_puts(p->out, value->text);
}
