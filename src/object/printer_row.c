/* Which printer a type gets: the row of who defines its repr. */
#include "object/known.h"
#include "object/overrides.h"
#include "object/printer.h"

/*
 * Objects of fields that hide in generated code have no name to be known by: these rows have one in
 * brackets.
 */
#define KEY_DEFAULT "object"
#define KEY_OTHER   "?" /* a partial, a method, an object that can be called: no row */

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

/* Do the function's globals belong to the module of this name? Frozen ones have two names. */
static bool is_of_module(struct scry_runtime *r, scry_addr function, const char *globals,
			 const char *module)
{
	scry_addr object;

	if (!strcmp(globals, module) || !strcmp(globals, "reprlib"))
		return true;
	for (struct scry_interp *i = r->interps; i; i = i->next)
		if (i->modules && scry_dict_get(r, i->modules, module, &object) == SCRY_OK &&
		    scry_field_get(r, object, SCRY_F_MODULE_DICT) ==
			    scry_field_get(r, function, SCRY_F_FUNCTION_GLOBALS))
			return true;
	return false;
}

/*
 * NULL: it is of the module of this name. Else what it is, "module.function": wraps() gives a
 * function of the program's a library's name.
 */
static const char *other_origin(struct scry_runtime *r, scry_addr function, const char *module)
{
	const char *globals;
	const struct scry_code *code = scry_function_code(r, function, &globals);

	return !code || is_of_module(r, function, globals, module)
		       ? NULL
		       : scry_arena_printf(&r->session->arena, "%s.%s", globals, code->name);
}

/* "module.Class" and "module.Class.__str__" */
static bool is_below(const char *key, const char *text)
{
	size_t n = key ? strlen(key) : 0;

	return n && !strncmp(key, text, n) && text[n] == '.' && !strchr(text + n + 1, '.');
}

static const char *function_key(struct scry_runtime *r, scry_addr owner, scry_addr function)
{
	scry_addr name, module;
	const char *qualname, *file, *key;
	int rc = scry_field_read(r, function, SCRY_F_FUNCTION_QUALNAME, &name);

	key = generated_key(r, owner, function);
	if (key)
		return key;
	if (rc < 0) { /* 2.7 */
		key = other_origin(r, function, scry_type_module(r, owner));
		return key ? key : class_key(r, owner);
	}
	if (scry_text_at(r, name, 500, &qualname) < 0 ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_MODULE, &module) < 0 ||
	    scry_text_at(r, module, 500, &file) < 0)
		return NULL;
	/* reprlib.recursive_repr() did not pass the qualified name on before 3.13 everywhere */
	if (ends_with(qualname, "<locals>.wrapper"))
		return class_key(r, owner);
	key = other_origin(r, function, file);
	if (key)
		return key;
	char *text = scry_arena_printf(&r->session->arena, "%s.%s", file, qualname);
	if (text && ends_with(text, ".__repr__"))
		*strrchr(text, '.') = '\0';
	else if (text && ends_with(text, ".__str__") && is_below(class_key(r, owner), text))
		return class_key(r, owner); /* its own __repr__ = __str__ */
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
	if (scry_known_type(vt) != SCRY_IS_WRAPPER_DESCRIPTOR)
		return KEY_OTHER;
	if (scry_field_read(r, value, SCRY_F_DESCR_TYPE, &of) < 0)
		return NULL;
	if (class_has(r, owner, "n_sequence_fields"))
		return "<structseq>";
	return class_key(r, of);
}

/*
 * Objects/structseq.c: a static type with a repr of its own whose members are named; in 2.7 it
 * derives from object and only its dict shows it.
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
			t->repr_damaged = rc < 0;
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

const struct scry_printer_row *scry_printer_by_flags(const struct scry_runtime *r, uint32_t flags)
{
	return find_row(r, NULL, flags);
}

/* "<{module}.{name}>" would have another object's repr in it. */
static bool module_is_no_text(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_type *of;
	scry_addr module;

	/* Cython's types have a description of their objects' there: a metaclass says theirs */
	return t->flags & TYPE_HEAP && !scry_is_cythons_own(t) &&
	       scry_dict_get(r, scry_type_dict(r, t), "__module__", &module) == SCRY_OK &&
	       scry_type_for(r, module, &of) == SCRY_OK &&
	       !(of->flags & (TYPE_UNICODE | TYPE_BYTES));
}

/* Functions that a library puts into classes have other names: enum.global_flag_repr(). */
static bool is_of_a_class(struct scry_runtime *r, scry_addr function)
{
	const struct scry_code *code =
		function ? scry_code_at(r, scry_field_get(r, function, SCRY_F_FUNCTION_CODE))
			 : NULL;

	return !code || !strcmp(code->name, "__repr__") || !strcmp(code->name, "__str__");
}

/* A class of the program's with a library's repr under its own name has borrowed it. */
static enum scry_repr_origin origin_of(struct scry_runtime *r, const struct scry_type *t,
				       const char *key)
{
	const char *owner = *key == '<' ? NULL : class_key(r, t->repr_owner);

	if (!owner)
		return SCRY_REPR_MADE;
	size_t n = strcspn(key, "."), m = strcspn(owner, ".");
	if (strchr(owner, '.') ? n == m && !strncmp(owner, key, n) : !strcmp(owner, key))
		return SCRY_REPR_OWN;
	return is_of_a_class(r, t->repr_function) ? SCRY_REPR_BORROWED : SCRY_REPR_MADE;
}

void scry_printer_choose(struct scry_runtime *r, struct scry_type *t)
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
	if (t->row && key && t->repr_owner)
		t->overridden =
			module_is_no_text(r, t) || scry_repr_overridden(r, t, origin_of(r, t, key));
}
