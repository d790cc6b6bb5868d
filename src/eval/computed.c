/*
 * What C getters compute and we can, too: names of classes, parts of dates, lines of frames. For
 * py-print.
 */
#include "eval/evaluate.h"
#include "object/known.h"
#include "object/exception.h"

#define CO_OPTIMIZED 1

static int set_quoted(struct scry_eval *e, const char *text, const char *type)
{
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_printer p;

	scry_printer_init(&p, e->r, &out);
	scry_print_quoted(&p, text);
	char *copy = scry_arena_text(&e->s->arena, out.text, out.len);
	scry_buf_done(&out);
	return scry_eval_set_text(e, copy, type);
}

static int set_none(struct scry_eval *e)
{
	return scry_eval_set_text(e, "None", "NoneType");
}

/* --- classes --- */

static int class_attribute(struct scry_eval *e, scry_addr cls, const struct scry_type *t,
			   const char *name)
{
	struct scry_type *of;
	scry_addr value;

	if (!(t->flags & TYPE_TYPE) || scry_type_at(e->r, cls, &of) < 0)
		return SCRY_ENOTFOUND;
	if (!strcmp(name, "__module__"))
		return set_quoted(e, scry_type_module(e->r, cls), "str");
	if (!strcmp(name, "__doc__"))
		return scry_dict_get(e->r, scry_type_dict(e->r, of), name, &value) == SCRY_OK
			       ? scry_eval_set(e, value)
			       : SCRY_ENOTFOUND;
	if (strcmp(name, "__dict__"))
		return SCRY_ENOTFOUND;
	int rc = scry_eval_set(e, scry_type_dict(e->r, of));
	e->value.wrap =
		scry_layout_has(e->r->layout, SCRY_F_CLASSOBJ_DICT) ? "dict_proxy" : "mappingproxy";
	return rc;
}

/* --- names: functions have theirs as objects --- */

static int own_name(struct scry_eval *e, scry_addr obj, const struct scry_type *t, const char *name)
{
	bool qualified = !strcmp(name, "__qualname__");
	bool method = scry_known_type(t) == SCRY_IS_METHOD;

	if ((!qualified && strcmp(name, "__name__")) || scry_known_type(t) == SCRY_IS_FUNCTION ||
	    (qualified && !scry_layout_has(e->r->layout, SCRY_F_FUNCTION_QUALNAME)))
		return SCRY_ENOTFOUND;
	const char *text =
		method ? scry_name_of(e->r, obj, qualified) : scry_own_name(e->r, obj, qualified);
	return text ? set_quoted(e, text, "str") : SCRY_ENOTFOUND;
}

/*
 * Annotations are made when they are asked for: a tuple of names and values, or since 3.14 a
 * function, is left.
 */
static int function_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
			 const char *name)
{
	bool doc = !strcmp(name, "__doc__");
	struct scry_type *of;
	scry_addr value;

	if (scry_known_type(t) != SCRY_IS_FUNCTION || (!doc && strcmp(name, "__annotations__")) ||
	    scry_field_read(e->r, obj, doc ? SCRY_F_FUNCTION_DOC : SCRY_F_FUNCTION_ANNOTATIONS,
			    &value) < 0)
		return SCRY_ENOTFOUND;
	if (!value)
		return doc ? set_none(e)
		       : scry_trait(e->r, SCRY_TRAIT_ANNOTATIONS_AT_ONCE)
			       ? scry_eval_set_text(e, "{}", "dict")
			       : SCRY_ENOTFOUND;
	if (!doc && (scry_type_for(e->r, value, &of) < 0 || !(of->flags & TYPE_DICT)))
		return SCRY_ENOTFOUND;
	return scry_eval_set(e, value);
}

/* --- attributes that stand without a dict --- */

static int namespace_of(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
			const char *name)
{
	struct scry_dict_view v;
	scry_addr dict;

	if (strcmp(name, "__dict__") || t->flags & TYPE_TYPE ||
	    scry_instance_dict(e->r, obj, &dict, &v) < 0 || dict)
		return SCRY_ENOTFOUND;
	if (!v.runtime && !(t->flags & TYPE_MANAGED_DICT) && !t->dictoffset)
		return SCRY_ENOTFOUND;
	if (!v.runtime)
		return scry_eval_set_text(e, "{}", "dict");
	v.used = 0; /* values that are unset have a key, too */
	for (uint64_t it = 0, key, value; scry_dict_view_next(&v, &it, &key, &value) == SCRY_ITEM;)
		v.used++;
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_NAMES, .addr = obj, .names = v };
	return SCRY_OK;
}

/* --- numbers --- */

static int number_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		       const char *name)
{
	bool real = scry_known_type(t) == SCRY_IS_FLOAT,
	     whole = t->flags & (TYPE_INT | TYPE_LONG) || scry_known_type(t) == SCRY_IS_INT;

	if (!real && !whole)
		return SCRY_ENOTFOUND;
	if (!strcmp(name, "real") || (whole && !strcmp(name, "numerator")))
		return scry_eval_set(e, obj);
	if (!strcmp(name, "imag"))
		return real ? scry_eval_set_text(e, "0.0", "float") : scry_eval_set_int(e, 0);
	return whole && !strcmp(name, "denominator") ? scry_eval_set_int(e, 1) : SCRY_ENOTFOUND;
}

/* --- dates: bytes, the highest first --- */

static const struct {
	enum scry_known type;
	const char *name;
	enum scry_field data;
	unsigned at, size;
} parts[] = {
	{ SCRY_IS_DATE, "year", SCRY_F_DATE_DATA, 0, 2 },
	{ SCRY_IS_DATE, "month", SCRY_F_DATE_DATA, 2, 1 },
	{ SCRY_IS_DATE, "day", SCRY_F_DATE_DATA, 3, 1 },
	{ SCRY_IS_DATETIME, "hour", SCRY_F_DATETIME_DATA, 4, 1 },
	{ SCRY_IS_DATETIME, "minute", SCRY_F_DATETIME_DATA, 5, 1 },
	{ SCRY_IS_DATETIME, "second", SCRY_F_DATETIME_DATA, 6, 1 },
	{ SCRY_IS_DATETIME, "microsecond", SCRY_F_DATETIME_DATA, 7, 3 },
	{ SCRY_IS_TIME, "hour", SCRY_F_TIME_DATA, 0, 1 },
	{ SCRY_IS_TIME, "minute", SCRY_F_TIME_DATA, 1, 1 },
	{ SCRY_IS_TIME, "second", SCRY_F_TIME_DATA, 2, 1 },
	{ SCRY_IS_TIME, "microsecond", SCRY_F_TIME_DATA, 3, 3 },
};

static const struct {
	enum scry_known type;
	enum scry_field has, zone;
} zones[] = {
	{ SCRY_IS_DATETIME, SCRY_F_DATETIME_HASTZ, SCRY_F_DATETIME_TZINFO },
	{ SCRY_IS_TIME, SCRY_F_TIME_HASTZ, SCRY_F_TIME_TZINFO },
};

static int zone_of(struct scry_eval *e, scry_addr obj, const struct scry_type *t)
{
	uint64_t has;
	scry_addr zone;

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (scry_type_is(e->r, t->addr, zones[i].type) &&
		    scry_field_read(e->r, obj, zones[i].has, &has) == SCRY_OK) {
			if (!(has & 0xff))
				return set_none(e);
			return scry_field_read(e->r, obj, zones[i].zone, &zone) == SCRY_OK
				       ? scry_eval_set(e, zone)
				       : SCRY_ENOTFOUND;
		}
	return SCRY_ENOTFOUND;
}

static int date_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		     const char *name)
{
	uint8_t bytes[4];

	if (!scry_type_is(e->r, t->addr, SCRY_IS_DATE) &&
	    !scry_type_is(e->r, t->addr, SCRY_IS_TIME))
		return SCRY_ENOTFOUND;
	if (!strcmp(name, "tzinfo"))
		return zone_of(e, obj, t);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcmp(name, parts[i].name) || !scry_type_is(e->r, t->addr, parts[i].type) ||
		    e->r->layout->slot[parts[i].data].size < parts[i].at + parts[i].size ||
		    scry_read(e->s, scry_field_addr(e->r, obj, parts[i].data) + parts[i].at, bytes,
			      parts[i].size) < 0)
			continue;
		int64_t value = 0;
		for (unsigned k = 0; k < parts[i].size; k++)
			value = value << 8 | bytes[k];
		return scry_eval_set_int(e, value);
	}
	return SCRY_ENOTFOUND;
}

/* --- containers of C values --- */

static int array_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		      const char *name)
{
	char code[2] = { scry_array_code(e->r, obj) };
	scry_addr descr;
	uint64_t size;

	if (!scry_type_is(e->r, t->addr, SCRY_IS_ARRAY))
		return SCRY_ENOTFOUND;
	if (!strcmp(name, "typecode"))
		return set_quoted(e, code, "str");
	if (strcmp(name, "itemsize") ||
	    scry_field_read(e->r, obj, SCRY_F_ARRAY_DESCR, &descr) < 0 ||
	    scry_field_read(e->r, descr, SCRY_F_ARRAY_DESCR_ITEMSIZE, &size) < 0)
		return SCRY_ENOTFOUND;
	return scry_eval_set_int(e, (int64_t)size);
}

static int view_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		     const char *name)
{
	uint64_t value;

	if (scry_known_type(t) != SCRY_IS_MEMORYVIEW)
		return SCRY_ENOTFOUND;
	bool bytes = !strcmp(name, "nbytes"), item = !strcmp(name, "itemsize");
	if ((!bytes && !item) ||
	    scry_field_read(e->r, obj, bytes ? SCRY_F_MEMORYVIEW_LEN : SCRY_F_MEMORYVIEW_ITEMSIZE,
			    &value) < 0)
		return SCRY_ENOTFOUND;
	return scry_eval_set_int(e, (int64_t)value);
}

static int deque_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		      const char *name)
{
	int64_t most;

	if (strcmp(name, "maxlen") || !scry_type_is(e->r, t->addr, SCRY_IS_DEQUE) ||
	    scry_field_read_int(e->r, obj, SCRY_F_DEQUE_MAXLEN, &most) < 0)
		return SCRY_ENOTFOUND;
	return most < 0 ? set_none(e) : scry_eval_set_int(e, most);
}

/* --- code, frames, tracebacks, generators --- */

/* 3.11+ keeps one tuple of names with a kind each. */
static int code_names(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		      const char *name)
{
	static const struct {
		const char *name;
		unsigned kinds;
	} lists[] = {
		{ "co_varnames", 1u << SCRY_LOCAL_ARG | 1u << SCRY_LOCAL_VAR },
		{ "co_freevars", 1u << SCRY_LOCAL_FREE },
	};
	struct scry_code *code =
		scry_known_type(t) != SCRY_IS_CODE ? NULL : scry_code_at(e->r, obj);
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_printer p;
	unsigned kinds = 0, n = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		kinds = !strcmp(name, lists[i].name) ? lists[i].kinds : kinds;
	if (!code || !kinds || !scry_layout_has(e->r->layout, SCRY_F_CODE_LOCALSPLUSNAMES) ||
	    scry_code_locals(code) < 0)
		return SCRY_ENOTFOUND;
	scry_printer_init(&p, e->r, &out);
	scry_buf_putc(&out, '(');
	for (unsigned i = 0; i < code->slots; i++)
		if (kinds >> code->locals[i].kind & 1 && !code->locals[i].hidden) {
			scry_buf_puts(&out, n++ ? ", " : "");
			scry_print_quoted(&p, code->locals[i].name);
		}
	scry_buf_puts(&out, n == 1 ? ",)" : ")");
	char *text = scry_arena_text(&e->s->arena, out.text, out.len);
	scry_buf_done(&out);
	return scry_eval_set_text(e, text, "tuple");
}

int scry_eval_frame_attribute(struct scry_eval *e, const struct scry_frame *f, const char *name)
{
	struct scry_location at = { 0 };

	if (!strcmp(name, "f_lineno") && scry_frame_location(f, &at) == SCRY_OK)
		return scry_eval_set_int(e, at.line);
	if (!strcmp(name, "f_lasti"))
		return scry_eval_set_int(e, f->lasti);
	if (!strcmp(name, "f_code") && f->code_addr)
		return scry_eval_set(e, f->code_addr);
	if (!strcmp(name, "f_globals") && f->globals)
		return scry_eval_set(e, f->globals);
	if (!strcmp(name, "f_builtins") && f->builtins)
		return scry_eval_set(e, f->builtins);
	if (strcmp(name, "f_locals") || !f->code)
		return e->value.kind == SCRY_VALUE_FRAME
			       ? scry_eval_fail(e, SCRY_ENOTFOUND, "frame has no attribute '%s'",
						name)
			       : SCRY_ENOTFOUND;
	if (!(f->code->flags & CO_OPTIMIZED) && f->locals)
		return scry_eval_set(e, f->locals);
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_LOCALS,
					      .addr = f->addr,
					      .frame = *f };
	return SCRY_OK;
}

static int frame_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		      const char *name)
{
	struct scry_frame f;
	scry_addr inner;

	if (scry_known_type(t) != SCRY_IS_FRAME || strncmp(name, "f_", 2))
		return SCRY_ENOTFOUND;
	int rc = scry_field_read(e->r, obj, SCRY_F_FRAME_INNER, &inner);
	if (scry_frame_at(e->r, rc == SCRY_OK ? inner : obj, &f) < 0)
		return SCRY_ENOTFOUND;
	return scry_eval_frame_attribute(e, &f, name);
}

static int generator_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
			  const char *name)
{
	static const struct {
		enum scry_known type;
		const char *frame, *code;
	} names[] = { { SCRY_IS_GENERATOR, "gi_frame", "gi_code" },
		      { SCRY_IS_COROUTINE, "cr_frame", "cr_code" },
		      { SCRY_IS_ASYNC_GENERATOR, "ag_frame", "ag_code" } };
	scry_addr at;
	struct scry_frame f;
	int which = 0;

	for (size_t i = 0; i < 3; i++)
		if (scry_known_type(t) == names[i].type)
			which = !strcmp(name, names[i].frame)  ? 1
				: !strcmp(name, names[i].code) ? 2
							       : 0;
	if (!which)
		return SCRY_ENOTFOUND;
	at = scry_generator_frame(e->r, obj);
	if (!at)
		return which == 1 ? set_none(e) : SCRY_ENOTFOUND;
	if (scry_frame_at(e->r, at, &f) < 0)
		return SCRY_ENOTFOUND;
	if (which == 2)
		return scry_eval_set(e, f.code_addr);
	if (f.frame_object)
		return scry_eval_set(e, f.frame_object);
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_FRAME, .addr = at, .frame = f };
	return SCRY_OK;
}

static int traceback_part(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
			  const char *name)
{
	struct scry_traceback walk = { .runtime = e->r, .next = obj };
	struct scry_location at;
	struct scry_frame f;

	if (scry_known_type(t) != SCRY_IS_TRACEBACK || strcmp(name, "tb_lineno") ||
	    scry_traceback_next(&walk, &f, &at) != SCRY_ITEM)
		return SCRY_ENOTFOUND;
	return scry_eval_set_int(e, at.line);
}

/* Fields that are NULL for None, whose address may not be known. */
static int none_field(struct scry_eval *e, scry_addr obj, const struct scry_type *t,
		      const char *name)
{
	static const struct {
		enum scry_known type;
		const char *name;
		enum scry_field field;
	} fields[] = {
		{ SCRY_IS_BASE_EXCEPTION, "__cause__", SCRY_F_EXCEPTION_CAUSE },
		{ SCRY_IS_BASE_EXCEPTION, "__context__", SCRY_F_EXCEPTION_CONTEXT },
		{ SCRY_IS_BASE_EXCEPTION, "__traceback__", SCRY_F_EXCEPTION_TRACEBACK },
		{ SCRY_IS_FUNCTION, "__defaults__", SCRY_F_FUNCTION_DEFAULTS },
		{ SCRY_IS_FUNCTION, "__kwdefaults__", SCRY_F_FUNCTION_KWDEFAULTS },
		{ SCRY_IS_FUNCTION, "__closure__", SCRY_F_FUNCTION_CLOSURE },
		{ SCRY_IS_TRACEBACK, "tb_next", SCRY_F_TRACEBACK_NEXT },
		{ SCRY_IS_BUILTIN, "__self__", SCRY_F_CFUNCTION_SELF },
	};
	scry_addr value;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(name, fields[i].name) && scry_type_is(e->r, t->addr, fields[i].type) &&
		    scry_field_read(e->r, obj, fields[i].field, &value) == SCRY_OK && !value)
			return set_none(e);
	return SCRY_ENOTFOUND;
}

int scry_eval_computed(struct scry_eval *e, scry_addr obj, const char *name)
{
	static int (*const ways[])(struct scry_eval *, scry_addr, const struct scry_type *,
				   const char *) = {
		class_attribute, own_name,       function_part,  namespace_of, number_part,
		date_part,       array_part,     view_part,      deque_part,   code_names,
		frame_part,      generator_part, traceback_part, none_field,
	};
	struct scry_type *t;
	int rc = scry_type_for(e->r, obj, &t);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((rc = ways[i](e, obj, t, name)) != SCRY_ENOTFOUND)
			return rc;
	return SCRY_ENOTFOUND;
}
