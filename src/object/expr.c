/* py-print's expressions: names, attributes, items and slices. */
#include "object/expr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "object/key.h"
#include "object/member.h"

/* A value on the way: an object, a slice of a sequence, or text, behind which nothing can follow. */
struct value {
	enum { VALUE_OBJECT, VALUE_SLICE, VALUE_TEXT } kind;
	scry_addr addr;            /* the object; of a slice: the sequence */
	int64_t start, step, count; /* of a slice */
	const char *text, *type;
};

#define DEPTH_MAX 20

struct eval {
	struct scry_session *s;
	struct scry_runtime *r;
	const struct scry_frame *f;
	const char *text; /* the whole expression */
	const char *at;   /* what comes next */
	unsigned depth;   /* of expressions in brackets */
	scry_addr module; /* of MODULE:NAME: names in its brackets are looked up there first */
	struct value value;
};

static bool is_name_char(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80 ||
	       (!first && c >= '0' && c <= '9');
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

/* "in 'a.b.c': why" */
static int fail_at(struct eval *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail_at(struct eval *e, int code, const char *fmt, ...)
{
	char why[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return scry_fail(e->s, code, e->value.addr, "%.*s: %s", (int)(e->at - e->text), e->text, why);
}

static int set_text(struct eval *e, const char *text, const char *type)
{
	if (!text)
		return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
	e->value = (struct value){ .kind = VALUE_TEXT, .text = text, .type = type };
	return SCRY_OK;
}

/* A damaged object is a value too: it prints as what it is, and an attribute of it fails. */
static int set_object(struct eval *e, scry_addr addr)
{
	if (!addr)
		return set_text(e, "<NULL>", "?");
	e->value = (struct value){ .kind = VALUE_OBJECT, .addr = addr };
	return SCRY_OK;
}

static int set_int(struct eval *e, int64_t number)
{
	return set_text(e, scry_arena_printf(&e->s->arena, "%" PRId64, number), "int");
}

/* --- names --- */

static bool local_value(struct eval *e, const char *name, scry_addr *ret)
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

/* f_builtins, or __builtins__, may be a module or its dict. */
static bool builtin_value(struct eval *e, const char *name, scry_addr *ret)
{
	scry_addr from[2] = { e->f ? e->f->builtins : 0, e->r->interps ? e->r->interps->builtins : 0 };

	for (int i = 0; i < 2; i++)
		if (from[i] && (scry_dict_get(e->r, from[i], name, ret) == SCRY_OK ||
				scry_attr(e->r, from[i], name, ret) == SCRY_OK))
			return true;
	return false;
}

static bool module_value(struct eval *e, const char *name, scry_addr *ret)
{
	for (const struct scry_interp *i = e->r->interps; i; i = i->next)
		if (i->modules && scry_dict_get(e->r, i->modules, name, ret) == SCRY_OK)
			return true;
	return false;
}

static int eval_name(struct eval *e, const char *name)
{
	scry_addr value;

	if ((e->module && scry_attr(e->r, e->module, name, &value) == SCRY_OK) || local_value(e, name, &value) ||
	    (e->f && e->f->globals && scry_dict_get(e->r, e->f->globals, name, &value) == SCRY_OK) ||
	    builtin_value(e, name, &value) || module_value(e, name, &value))
		return set_object(e, value);
	return scry_fail(e->s, SCRY_ENOTFOUND, 0, "no variable '%s' in this frame, its module or the builtins", name);
}

/* "package.module:name" */
static int eval_module(struct eval *e, const char *module, const char *name)
{
	scry_addr value;

	if (!module_value(e, module, &value))
		return scry_fail(e->s, SCRY_ENOTFOUND, 0, "no module '%s' in sys.modules", module);
	e->module = value;
	int rc = scry_attr(e->r, value, name, &value);
	return rc < 0 ? scry_fail(e->s, rc, 0, "module '%s' has no '%s'", module, name) : set_object(e, value);
}

static size_t dotted_length(const char *text)
{
	size_t n = name_length(text);

	while (n && text[n] == '.' && name_length(text + n + 1))
		n += 1 + name_length(text + n + 1);
	return n;
}

static char *copy(struct eval *e, const char *text, size_t len)
{
	return scry_arena_text(&e->s->arena, text, len);
}

static int eval_address(struct eval *e)
{
	char *end;
	uint64_t addr = strtoull(e->at + 1, &end, 0);
	scry_addr type;
	char why[200];

	if (end == e->at + 1)
		return scry_fail(e->s, SCRY_EINVAL, 0, "'@' needs an address, as in @0x7f0123456780");
	e->at = end;
	if (scry_type_of(e->r, addr, &type) == SCRY_OK)
		return set_object(e, addr);
	snprintf(why, sizeof(why), "%.199s", e->s->error.text);
	return fail_at(e, SCRY_ECORRUPT, "no object at 0x%" PRIx64 " (%s)", addr, why);
}

static int eval_primary(struct eval *e)
{
	size_t n = name_length(e->at), dotted = dotted_length(e->at);

	if (*e->at == '@')
		return eval_address(e);
	if (n == 0)
		return scry_fail(e->s, SCRY_EINVAL, 0, "expected a name, MODULE:NAME or @ADDRESS at '%s'", e->at);
	const char *name = e->at + dotted + 1;
	size_t m = e->at[dotted] == ':' ? name_length(name) : 0;
	char *first = copy(e, e->at, m ? dotted : n), *second = m ? copy(e, name, m) : NULL;
	if (!first || (m && !second))
		return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
	e->at = m ? name + m : e->at + n;
	return m ? eval_module(e, first, second) : eval_name(e, first);
}

/* --- attributes --- */

static int attribute_text(struct eval *e, scry_addr obj, const char *name)
{
	struct scry_member member;
	scry_addr type, descriptor;
	const char *text;

	if (scry_type_of(e->r, obj, &type) < 0 || scry_type_lookup(e->r, type, name, &descriptor, NULL) < 0 ||
	    scry_member_of(e->r, obj, descriptor, &member) < 0 || member.is_object ||
	    scry_member_text(e->r, &member, &text) < 0)
		return SCRY_ENOTFOUND;
	return set_text(e, text, "int");
}

/* What the class holds is a descriptor: say so, or take what it wraps. */
static int set_attribute(struct eval *e, scry_addr obj, scry_addr value)
{
	struct scry_type *t, *of;
	scry_addr inner;

	if (scry_type_for(e->r, value, &t) < 0 || scry_type_for(e->r, obj, &of) < 0 || of->flags & TYPE_TYPE)
		return set_object(e, value);
	if (!strcmp(t->name, "property"))
		return set_text(e, "<property>", "property");
	if (!strcmp(t->name, "staticmethod") &&
	    scry_field_read(e->r, value, SCRY_F_STATICMETHOD_CALLABLE, &inner) == SCRY_OK)
		return set_object(e, inner);
	if (!strcmp(t->name, "classmethod") &&
	    scry_field_read(e->r, value, SCRY_F_CLASSMETHOD_CALLABLE, &inner) == SCRY_OK)
		return set_object(e, inner);
	return set_object(e, value);
}

static int eval_attribute(struct eval *e)
{
	size_t n = name_length(e->at + 1);
	scry_addr value, obj = e->value.addr;
	char *name = copy(e, e->at + 1, n);

	if (n == 0)
		return scry_fail(e->s, SCRY_EINVAL, 0, "expected a name behind '.' in '%s'", e->text);
	if (!name)
		return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
	if (e->value.kind != VALUE_OBJECT)
		return fail_at(e, SCRY_EUNSUPPORTED, "a result without an object has no attributes");
	int rc = scry_attr(e->r, obj, name, &value);
	if (rc < 0 && attribute_text(e, obj, name) == SCRY_OK)
		rc = SCRY_OK;
	else if (rc < 0)
		return fail_at(e, rc, "%s has no attribute '%s'", scry_type_name_of(e->r, obj), name);
	else
		rc = set_attribute(e, obj, value);
	e->at += 1 + n;
	return rc;
}

/* --- items --- */

static int64_t value_length(struct eval *e)
{
	return e->value.kind == VALUE_SLICE ? e->value.count : scry_length(e->r, e->value.addr);
}

static int index_item(struct eval *e, int64_t index)
{
	int64_t n = value_length(e), i = index < 0 ? index + n : index;
	struct scry_item item;

	if (n < 0)
		return fail_at(e, SCRY_EUNSUPPORTED, "%s has no items that can be read without running code",
			       scry_type_name_of(e->r, e->value.addr));
	if (i < 0 || i >= n)
		return fail_at(e, SCRY_ENOTFOUND, "index %" PRId64 " is outside its %" PRId64 " items", index, n);
	if (e->value.kind == VALUE_SLICE)
		i = e->value.start + i * e->value.step;
	int rc = scry_item_at(e->r, e->value.addr, i, &item);
	if (rc < 0)
		return fail_at(e, rc, "%s", copy(e, e->s->error.text, strlen(e->s->error.text)));
	if (item.addr)
		return set_object(e, item.addr);
	return item.text ? set_text(e, item.text, item.type) : set_int(e, item.number);
}

static int dict_item(struct eval *e, scry_addr dict, const struct scry_key *key)
{
	struct scry_dict_view v;
	scry_addr k, value;
	uint64_t it = 0;
	int rc = scry_dict_open(e->r, dict, &v);

	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &k, &value)) == SCRY_ITEM)
		if (scry_key_matches(e->r, key, k))
			return set_object(e, value);
	return rc < 0 ? rc : fail_at(e, SCRY_ENOTFOUND, "no such key");
}

/* What keeps the items of a container that is a wrapper: mappingproxy, UserDict and UserList (.data). */
static scry_addr container_of(struct eval *e, scry_addr obj)
{
	scry_addr inner;

	for (int i = 0; i < 5 && scry_length(e->r, obj) < 0; i++) {
		const char *type = scry_type_name_of(e->r, obj);
		bool proxy = !strcmp(type, "mappingproxy") || !strcmp(type, "dictproxy");

		if (proxy ? scry_field_read(e->r, obj, SCRY_F_MAPPINGPROXY_MAPPING, &inner) < 0 :
			    scry_attr(e->r, obj, "data", &inner) < 0)
			break;
		obj = inner;
	}
	return obj;
}

static int eval_item(struct eval *e, const struct scry_key *key)
{
	struct scry_type *t;
	int64_t index;

	if (e->value.kind == VALUE_TEXT)
		return fail_at(e, SCRY_EUNSUPPORTED, "a result without an object has no items");
	if (e->value.kind == VALUE_OBJECT) {
		e->value.addr = container_of(e, e->value.addr);
		if (scry_type_for(e->r, e->value.addr, &t) == SCRY_OK && t->flags & TYPE_DICT)
			return dict_item(e, e->value.addr, key);
	}
	if (!scry_key_index(e->r, key, &index))
		return fail_at(e, SCRY_EINVAL, "%s takes integers as index",
			       e->value.kind == VALUE_SLICE ? "a slice" : scry_type_name_of(e->r, e->value.addr));
	return index_item(e, index);
}

/* PySlice_AdjustIndices() */
static int eval_slice(struct eval *e, const int64_t *bounds, const bool *given)
{
	int64_t n, step = given[2] ? bounds[2] : 1, low, high, start, stop;

	if (e->value.kind == VALUE_TEXT || (n = value_length(e)) < 0)
		return fail_at(e, SCRY_EUNSUPPORTED, "only sequences can be sliced");
	if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
		return fail_at(e, SCRY_EINVAL, "slice step %" PRId64, step);
	low = step < 0 ? -1 : 0;
	high = step < 0 ? n - 1 : n;
	start = given[0] ? bounds[0] + (bounds[0] < 0 ? n : 0) : step < 0 ? high : low;
	stop = given[1] ? bounds[1] + (bounds[1] < 0 ? n : 0) : step < 0 ? low : high;
	start = start < low ? low : start > high ? high : start;
	stop = stop < low ? low : stop > high ? high : stop;
	int64_t count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
	count = count > 0 ? count : 0;
	if (e->value.kind == VALUE_SLICE) {
		start = e->value.start + start * e->value.step;
		step *= e->value.step;
	}
	e->value = (struct value){ .kind = VALUE_SLICE, .addr = e->value.addr, .start = start, .step = step,
				   .count = count };
	return SCRY_OK;
}

static int eval_subscript(struct eval *e);

/* Another expression as key: evaluated in the same frame. */
static int eval_nested(void *arg, const char **at, scry_addr *ret)
{
	struct eval *outer = arg;
	struct eval e = { .s = outer->s, .r = outer->r, .f = outer->f, .text = *at, .at = *at,
			  .module = outer->module, .depth = outer->depth + 1 };
	int rc = e.depth > DEPTH_MAX ? scry_fail(e.s, SCRY_ELIMIT, 0, "brackets nested too deep") : eval_primary(&e);

	while (rc == SCRY_OK && (*e.at == '.' || *e.at == '['))
		rc = *e.at == '.' ? eval_attribute(&e) : eval_subscript(&e);
	if (rc == SCRY_OK && e.value.kind != VALUE_OBJECT)
		rc = scry_fail(e.s, SCRY_EUNSUPPORTED, 0, "a key must be an object");
	*at = e.at;
	*ret = e.value.addr;
	return rc;
}

/* [KEY] or [START:STOP:STEP] */
static int eval_subscript(struct eval *e)
{
	int64_t bounds[3] = { 0 };
	bool given[3] = { false };
	unsigned parts = 0;
	struct scry_key key;
	const char *c = skip_space(e->at + 1);
	int rc = SCRY_OK;

	for (; rc == SCRY_OK; c = skip_space(c + 1)) {
		if (*c != ':' && *c != ']') {
			rc = scry_key_parse(e->r, &c, eval_nested, e, &key);
			given[parts] = rc == SCRY_OK;
			c = skip_space(c);
			if (rc == SCRY_OK && (parts || *c == ':') && key.kind != SCRY_KEY_NONE &&
			    !scry_key_index(e->r, &key, &bounds[parts]))
				rc = fail_at(e, SCRY_EINVAL, "slice bounds are integers");
			if (rc == SCRY_OK && key.kind == SCRY_KEY_NONE && (parts || *c == ':'))
				given[parts] = false;
		}
		if (rc < 0 || *c != ':' || ++parts > 2)
			break;
	}
	if (rc < 0)
		return rc;
	if (*c != ']' || (parts == 0 && !given[0]))
		return fail_at(e, SCRY_EINVAL, "expected ']' at '%s'", c);
	rc = parts ? eval_slice(e, bounds, given) : eval_item(e, &key);
	e->at = c + 1;
	return rc;
}

/* --- results --- */

static void print_item(struct scry_printer *p, scry_addr seq, int64_t index)
{
	struct scry_item item;

	if (scry_item_at(p->runtime, seq, index, &item) < 0)
		scry_printer_damage(p, seq);
	else if (item.addr)
		scry_print(p, item.addr);
	else if (item.text)
		scry_buf_puts(p->out, item.text);
	else
		scry_printf(p, "%" PRId64, item.number);
}

static const char *slice_text(struct eval *e, const char **ret_type)
{
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_printer p;
	struct scry_type *t;
	const struct value *v = &e->value;

	*ret_type = scry_type_name_of(e->r, v->addr);
	scry_printer_init(&p, e->r, &out);
	if (scry_type_for(e->r, v->addr, &t) == SCRY_OK && t->flags & (TYPE_UNICODE | TYPE_BYTES) && v->step == 1) {
		scry_print_text_range(&p, v->addr, (uint64_t)v->start, (uint64_t)(v->start + v->count), 0);
	} else {
		bool tuple = t && t->flags & TYPE_TUPLE;

		scry_buf_putc(&out, tuple ? '(' : '[');
		for (int64_t i = 0; scry_printer_more(&p, (uint64_t)i, (uint64_t)v->count); i++)
			print_item(&p, v->addr, v->start + i * v->step);
		scry_buf_puts(&out, tuple ? (v->count == 1 ? ",)" : ")") : "]");
	}
	const char *text = out.text ? scry_arena_text(&e->s->arena, out.text, out.len) : NULL;
	scry_buf_done(&out);
	return text;
}

int scry_eval(struct scry_session *s, const struct scry_frame *f, const char *expr, struct scry_value *ret)
{
	struct scry_runtime *r = f ? f->runtime : scry_runtime_first(s);
	struct eval e = { .s = s, .r = r, .f = f, .text = skip_space(expr) };
	int rc;

	if (!r)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no Python runtime in the target");
	e.at = e.text;
	rc = eval_primary(&e);
	for (; rc == SCRY_OK && *(e.at = skip_space(e.at));) {
		if (*e.at == '.')
			rc = eval_attribute(&e);
		else if (*e.at == '[')
			rc = eval_subscript(&e);
		else
			rc = scry_fail(s, SCRY_EINVAL, 0, "expected '.' or '[' at '%s'", e.at);
	}
	if (rc < 0)
		return rc;
	struct scry_value v = { .text = e.value.text, .type = e.value.type };
	if (e.value.kind == VALUE_SLICE) {
		v.text = slice_text(&e, &v.type);
		if (!v.text)
			return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	} else if (e.value.kind == VALUE_OBJECT) {
		v.addr = e.value.addr;
		v.type = scry_type_name_of(r, v.addr);
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
