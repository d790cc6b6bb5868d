/* The driver: which printer an object gets, and the bounds on all of them. */
#include "object/known.h"
#include "object/judge.h"
#include "object/overrides.h"
#include "object/printer.h"

#include <stdarg.h>

#define LEVEL_EXTRA 64

/*
 * Objects of fields that hide in generated code have no name to be known by: these rows have one in
 * brackets.
 */
#define KEY_DEFAULT "object"

static bool row_fits(const struct scry_runtime *r, const struct scry_printer_row *row)
{
	return scry_version_in(r->version, row->since, row->until);
}

static const struct scry_printer_row *find_row(const struct scry_runtime *r, const char *key,
					       uint32_t flags)
{
	for (size_t i = 0; scry_printer_families[i]; i++)
		for (const struct scry_printer_row *row = scry_printer_families[i]; row->type;
		     row++)
			if ((key ? !strcmp(row->type, key) : (row->flag & flags) != 0) &&
			    row_fits(r, row))
				return row;
	return NULL;
}

/* --- who defines the repr --- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static bool class_has(struct scry_runtime *r, scry_addr cls, const char *name)
{
	struct scry_type *t;
	scry_addr value;

	return scry_type_at(r, cls, &t) == SCRY_OK &&
	       scry_dict_get(r, scry_type_dict(r, t), name, &value) == SCRY_OK;
}

/* A __repr__ that the library generated for the class: known by where its code comes from. */
static const char *generated_key(struct scry_runtime *r, scry_addr owner, scry_addr function)
{
	scry_addr code_addr;

	if (scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &code_addr) < 0)
		return NULL;
	const struct scry_code *code = scry_code_at(r, code_addr);
	if (!code)
		return NULL;
	/* attrs up to 20.x has a closure where later ones generate a function */
	bool closure = !strcmp(code->name, "__repr__") && (ends_with(code->file, "attr/_make.py") ||
							   ends_with(code->file, "attr\\_make.py"));
	if (!strncmp(code->file, "<attrs generated", 16) ||
	    (closure && class_has(r, owner, "__attrs_attrs__")))
		return "<attrs>";
	bool wrapper = !strcmp(code->name, "wrapper") &&
		       (ends_with(code->file, "dataclasses.py") ||
			ends_with(code->file, "reprlib.py") || strstr(code->file, "frozen"));
	if (wrapper && class_has(r, owner, "__dataclass_fields__"))
		return "<dataclass>";
	bool tuple = code->file[0] == '<' || ends_with(code->file, "collections/__init__.py") ||
		     ends_with(code->file, "collections\\__init__.py");
	if (tuple && class_has(r, owner, "_fields"))
		return "<namedtuple>";
	return NULL;
}

/*
 * A class by its module and name. A name without a module is the interpreter's own type's; the
 * types of Cython's are called as CPython's are, and their rows "cython:generator".
 */
static const char *class_key(struct scry_runtime *r, scry_addr cls)
{
	struct scry_type *t;
	const char *key, *dot;

	if (scry_type_at(r, cls, &t) < 0 || scry_type_full_name(r, cls, &key) < 0)
		return NULL;
	dot = strrchr(t->name, '.');
	if (scry_is_cythons(r, t, dot ? dot + 1 : t->name))
		return scry_arena_printf(&r->session->arena, "cython:%s", dot ? dot + 1 : t->name);
	return strchr(key, '.') || scry_type_is_own(r, cls)
		       ? key
		       : scry_arena_printf(&r->session->arena, "?.%s", key);
}

static const char *function_key(struct scry_runtime *r, scry_addr owner, scry_addr function)
{
	scry_addr name, module;
	const char *qualname, *file, *key;
	int rc = scry_field_read(r, function, SCRY_F_FUNCTION_QUALNAME, &name);

	key = generated_key(r, owner, function);
	if (key)
		return key;
	if (rc < 0) /* 2.7 */
		return class_key(r, owner);
	if (scry_text_at(r, name, 500, &qualname) < 0 ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_MODULE, &module) < 0 ||
	    scry_text_at(r, module, 500, &file) < 0)
		return NULL;
	/* reprlib.recursive_repr() did not pass the qualified name on before 3.13 everywhere */
	if (ends_with(qualname, "<locals>.wrapper"))
		return class_key(r, owner);
	char *text = scry_arena_printf(&r->session->arena, "%s.%s", file, qualname);
	if (text && (ends_with(text, ".__repr__") || ends_with(text, ".__str__")))
		*strrchr(text, '.') = '\0';
	return text;
}

/* What stands as __repr__ in a class: a function, or the slot wrapper of a C type. */
static const char *value_key(struct scry_runtime *r, struct scry_type *t, scry_addr owner,
			     scry_addr value)
{
	struct scry_type *vt;
	scry_addr of;

	if (scry_type_for(r, value, &vt) < 0)
		return NULL;
	if (scry_known_type(vt) == SCRY_IS_FUNCTION) {
		t->repr_function = value;
		return function_key(r, owner, value);
	}
	if (scry_known_type(vt) != SCRY_IS_WRAPPER_DESCRIPTOR ||
	    scry_field_read(r, value, SCRY_F_DESCR_TYPE, &of) < 0)
		return NULL;
	if (class_has(r, owner, "n_sequence_fields"))
		return "<structseq>";
	return class_key(r, of);
}

/*
 * Objects/structseq.c: a static type with a repr of its own whose members are named; in 2.7 it
 * derives from object and only its dict tells.
 */
static bool is_structseq(struct scry_runtime *r, const struct scry_type *t,
			 const struct scry_type *base)
{
	scry_addr members;

	if (base && scry_known_type(base) == SCRY_IS_TUPLE &&
	    scry_field_read(r, t->addr, SCRY_F_TYPE_MEMBERS, &members) == SCRY_OK && members)
		return true;
	return class_has(r, t->addr, "n_sequence_fields");
}

/* What a class's dict has as __repr__. A dict that is not all there cannot say that it has none. */
static int own_repr(struct scry_runtime *r, const struct scry_type *t, scry_addr *ret)
{
	struct scry_text_view text;
	struct scry_dict_view v;
	scry_addr key;
	uint64_t it = 0;
	bool complete = true;
	int rc = scry_dict_open(r, scry_type_dict(r, t), &v);

	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, ret)) == SCRY_ITEM) {
		if (scry_text_is(r, key, "__repr__"))
			return SCRY_OK;
		complete = complete && scry_text_open(r, key, &text) == SCRY_OK;
	}
	return rc < 0 ? rc : complete ? SCRY_ENOTFOUND : SCRY_EFAULT;
}

/*
 * A static type defines its repr where its slot differs from its base's; a class where its dict
 * says so.
 */
static const char *repr_key(struct scry_runtime *r, struct scry_type *t)
{
	uint64_t it = 0;
	scry_addr cls, value;
	struct scry_type *c, *base = NULL;

	/*
	 * never readied, as some iterators of 2.7 until somebody asks: PyObject_Repr() has a text
	 * for these
	 */
	if (!t->repr && !(t->flags & TYPE_HEAP))
		return KEY_DEFAULT;
	while (scry_mro_next(r, t->addr, &it, &cls) == SCRY_ITEM &&
	       scry_type_at(r, cls, &c) == SCRY_OK) {
		t->repr_owner = cls;
		if (c->flags & TYPE_HEAP) {
			int rc = own_repr(r, c, &value);

			if (rc == SCRY_ENOTFOUND)
				continue;
			return rc == SCRY_OK ? value_key(r, t, cls, value) : NULL;
		}
		base = NULL;
		if (c->base && scry_type_at(r, c->base, &base) == SCRY_OK && base->repr == c->repr)
			continue;
		if (is_structseq(r, c, base))
			return "<structseq>";
		return class_key(r, cls);
	}
	return NULL;
}

const struct scry_printer_row *scry_printer_named(const struct scry_runtime *r, const char *key)
{
	return find_row(r, key, 0);
}

static void choose_row(struct scry_runtime *r, struct scry_type *t)
{
	const char *key = repr_key(r, t);

	/*
	 * by its flags where the classes are damaged; but what a class of a version that we do not
	 * know says instead of its base is not known
	 */
	bool unknown = !key && r->layout->guessed && t->flags & TYPE_HEAP;

	t->row_known = true;
	t->row = key ? find_row(r, key, 0) : unknown ? NULL : find_row(r, NULL, t->flags);
	t->row_is_default = key && !strcmp(key, KEY_DEFAULT);
	if (t->row && t->repr_owner != t->addr)
		t->overridden = (t->row->uses &&
				 scry_type_overrides(r, t->addr, t->repr_owner, t->row->uses)) ||
				(t->repr_function && scry_type_overrides(r, t->addr, t->repr_owner,
									 "__getattribute__"));
}

/* --- bounds --- */

void scry_printer_init(struct scry_printer *p, struct scry_runtime *r, struct scry_buf *out)
{
	const uint64_t *limit = r->session->options.limit;

	*p = (struct scry_printer) { .runtime = r,
				     .out = out,
				     .start = out->len,
				     .max_items = limit[SCRY_LIMIT_ITEMS],
				     .max_depth = limit[SCRY_LIMIT_DEPTH],
				     .max_string = limit[SCRY_LIMIT_STRING],
				     .max_text = limit[SCRY_LIMIT_TEXT] };
}

static bool full(const struct scry_printer *p)
{
	return p->max_text && p->out->len - p->start > p->max_text;
}

bool scry_printer_enter(struct scry_printer *p, scry_addr addr, const char *text)
{
	const unsigned most = sizeof(p->open) / sizeof(p->open[0]);

	for (unsigned i = 0; i < p->depth; i++)
		if (addr && p->open[i] == addr) {
			scry_buf_puts(p->out, text);
			return false;
		}
	if (p->depth >= most || (p->max_depth && p->depth >= p->max_depth)) {
		p->truncated = true;
		scry_buf_puts(p->out, "…");
		return false;
	}
	p->open[p->depth++] = addr;
	return true;
}

void scry_printer_leave(struct scry_printer *p)
{
	p->depth--;
}

bool scry_printer_more(struct scry_printer *p, uint64_t i, uint64_t n)
{
	if (i >= n)
		return false;
	if (i)
		scry_buf_puts(p->out, ", ");
	if ((!p->max_items || i < p->max_items) && !full(p))
		return true;
	p->truncated = true;
	scry_printf(p, "… %" PRIu64 " more", n - i);
	return false;
}

void scry_printer_count(struct scry_printer *p, uint64_t said, uint64_t found)
{
	if (said == found)
		return;
	p->damaged = true;
	scry_printf(p, "%s<damaged: it says %" PRIu64 ", %" PRIu64 " are there>", found ? ", " : "",
		    said, found);
}

void scry_printer_damage(struct scry_printer *p, scry_addr addr)
{
	p->damaged = true;
	scry_printf(p, "<unreadable at 0x%" PRIx64 ": %s>", addr, p->runtime->session->error.text);
}

void scry_printf(struct scry_printer *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	scry_buf_vprintf(p->out, fmt, ap);
	va_end(ap);
}

/* --- the default forms --- */

/* "<module.Type object at 0x...>": object.__repr__. */
static int print_default(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	if (rc == SCRY_OK)
		scry_printf(p, "<%s object at 0x%" PRIx64 ">", name, addr);
	return rc;
}

static void print_attributes(struct scry_printer *p, scry_addr addr)
{
	const char *name;
	scry_addr value;
	uint64_t it = 0, n = 0;

	if (p->depth || !scry_printer_enter(p, addr, ""))
		return;
	while (scry_attr_next(p->runtime, addr, &it, &name, &value) == SCRY_ITEM) {
		scry_buf_puts(p->out, n ? ", " : ": ");
		if ((p->max_items && n++ >= p->max_items) || full(p)) {
			p->truncated = true;
			scry_buf_puts(p->out, "…");
			break;
		}
		scry_printf(p, "%s=", name);
		scry_print(p, value);
	}
	scry_printer_leave(p);
}

int scry_print_unknown(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s at 0x%" PRIx64, name, addr);
	if (p->verbose)
		print_attributes(p, addr);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

static int print_default_row(struct scry_printer *p, scry_addr addr, const struct scry_type *t)
{
	int rc = print_default(p, addr, t->addr);

	if (rc == SCRY_OK && t->never_readied)
		scry_buf_puts(p->out, " (its type was never readied)");
	if (rc < 0 || !p->verbose || t->never_readied)
		return rc;
	scry_buf_cut(p->out, p->out->len - 1);
	print_attributes(p, addr);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* --- printing --- */

/* For a failure that nobody described. */
static const char *why_of(int rc)
{
	return rc == SCRY_ENOMEM         ? "out of memory"
	       : rc == SCRY_EFAULT       ? "memory is missing"
	       : rc == SCRY_ENOFIELD     ? "the layout does not say where its fields are"
	       : rc == SCRY_ENOTFOUND    ? "an attribute of its class is missing"
	       : rc == SCRY_EUNSUPPORTED ? "code of the program's would have to run"
					 : "it makes no sense";
}

static int print_by_row(struct scry_printer *p, scry_addr addr, const struct scry_type *t)
{
	if (t->row && !t->row->print)
		return scry_print_form(p, addr, t->addr, t->row->form);
	return (t->row ? t->row->print : scry_print_unknown)(p, addr, t->addr);
}

/* Code of the program's makes its repr: what it holds stands beside it. */
static int print_overridden(struct scry_printer *p, scry_addr addr, const struct scry_type *t)
{
	int rc = scry_print_unknown(p, addr, t->addr);

	if (rc == SCRY_OK)
		scry_print_content(p, addr, t, find_row(p->runtime, NULL, t->flags));
	return rc;
}

int scry_cpython_print(struct scry_printer *p, scry_addr addr)
{
	size_t start = p->out->len;
	struct scry_type *t;
	int rc = scry_type_for(p->runtime, addr, &t);

	rc = rc < 0 ? rc : scry_judge_reference(p->runtime, addr, t);
	if (rc < 0)
		return rc;
	if (!t->row_known)
		choose_row(p->runtime, t);
	if (t->row_is_default)
		return print_default_row(p, addr, t);
	if (t->overridden)
		return print_overridden(p, addr, t);
	rc = print_by_row(p, addr, t);
	if (rc != SCRY_EUNSUPPORTED)
		return rc;
	scry_buf_cut(p->out, start);
	return scry_print_unknown(p, addr, t->addr);
}

void scry_print(struct scry_printer *p, scry_addr addr)
{
	size_t start = p->out->len;

	if (!addr) {
		scry_buf_puts(p->out, "<NULL>");
		return;
	}
	if (full(p) || p->level >= (p->max_depth ? p->max_depth : 64) + LEVEL_EXTRA) {
		p->truncated = true;
		scry_buf_puts(p->out, "…");
		return;
	}
	unsigned depth = p->depth;
	struct scry_error *error = &p->runtime->session->error;
	error->code = SCRY_OK;
	p->level++;
	int rc = scry_model_of(p->runtime)->print(p, addr);
	p->level--;
	p->depth = depth; /* a printer that failed did not leave */
	if (rc >= 0)
		return;
	scry_buf_cut(p->out, start);
	if (error->code != rc) /* an older failure's text says nothing about this one */
		scry_fail(p->runtime->session, rc, addr, "%s", why_of(rc));
	scry_printer_damage(p, addr);
}

void scry_repr(struct scry_runtime *r, scry_addr addr, struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	scry_print(&p, addr);
}

void scry_print_at(struct scry_printer *p, scry_addr addr)
{
	scry_addr value;

	if (scry_word(p->runtime, addr, &value) < 0)
		scry_printer_damage(p, addr);
	else
		scry_print(p, value);
}

bool scry_print_attr(struct scry_printer *p, scry_addr obj, const char *name)
{
	scry_addr value;

	if (scry_attr(p->runtime, obj, name, &value) < 0)
		return false;
	scry_print(p, value);
	return true;
}

/* 2.7: str(5L) is "5" */
static int print_long_plain(struct scry_printer *p, scry_addr obj, struct scry_type *t)
{
	if (!t->row_known)
		choose_row(p->runtime, t);
	return t->row && !strcmp(t->row->type, "long") ? scry_print_digits(p, obj) : SCRY_ENOTFOUND;
}

void scry_print_plain(struct scry_printer *p, scry_addr obj)
{
	bool old = scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT);
	struct scry_type *t = NULL;

	if (scry_type_for(p->runtime, obj, &t) < 0)
		t = NULL;
	if (t && (t->flags & TYPE_UNICODE || (t->flags & TYPE_BYTES && old)))
		scry_print_str(p, obj);
	else if (!t || !old || !(t->flags & TYPE_LONG) || print_long_plain(p, obj, t) < 0)
		scry_print(p, obj);
}

bool scry_is_none(struct scry_runtime *r, scry_addr obj)
{
	return obj == 0 || obj == r->none || scry_is_exactly(r, obj, SCRY_IS_NONE);
}
