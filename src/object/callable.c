/* Functions, methods, descriptors, code, frames, cells, generators. */
#include "object/contradict.h"
#include "object/known.h"
#include "object/printer.h"

static int field_text(struct scry_printer *p, scry_addr addr, enum scry_field f, const char **ret)
{
	scry_addr str;
	int rc = scry_field_read(p->runtime, addr, f, &str);

	return rc < 0 ? rc : scry_text_at(p->runtime, str, 2000, ret);
}

/* __qualname__ of a function where the version has it, else __name__. */
static int function_name(struct scry_printer *p, scry_addr function, const char **ret)
{
	bool full = scry_layout_has(p->runtime->layout, SCRY_F_FUNCTION_QUALNAME);

	return field_text(p, function, full ? SCRY_F_FUNCTION_QUALNAME : SCRY_F_FUNCTION_NAME, ret);
}

/* func_repr(), Objects/funcobject.c. */
static int print_function(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = function_name(p, addr, &name);

	(void)type;
	if (rc == SCRY_OK)
		scry_printf(p, "<function %s at 0x%" PRIx64 ">", name, addr);
	return rc;
}

/* meth_repr(), Objects/methodobject.c: a function of a module has that module for its self. */
static int print_builtin(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t = NULL;
	const char *name;
	scry_addr self;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_CFUNCTION_SELF, &self);

	(void)type;
	rc = rc < 0 ? rc : scry_builtin_name(p->runtime, addr, &name);
	if (rc == SCRY_OK && self)
		rc = scry_type_for(p->runtime, self, &t);
	if (rc < 0)
		return rc;
	if (!t || scry_type_is(p->runtime, t->addr, SCRY_IS_MODULE))
		scry_printf(p, "<built-in function %s>", name);
	else
		scry_printf(p, "<built-in method %s of %s object at 0x%" PRIx64 ">", name, t->name,
			    self);
	return SCRY_OK;
}

static int print_cython_function(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name = scry_own_name(p->runtime, addr, true);

	if (!name)
		return scry_print_unknown(p, addr, type);
	scry_printf(p, "<cyfunction %s at 0x%" PRIx64 ">", name, addr);
	return SCRY_OK;
}

/* The name of whatever a method is bound to; "?" where it has none. */
static const char *callable_name(struct scry_printer *p, scry_addr func)
{
	bool full = scry_layout_has(p->runtime->layout, SCRY_F_FUNCTION_QUALNAME);
	const char *name = full ? scry_name_of(p->runtime, func, true) : NULL;

	name = name ? name : scry_name_of(p->runtime, func, false);
	return name ? name : "?";
}

static int method_parts(struct scry_printer *p, scry_addr addr, scry_addr *func, scry_addr *self)
{
	int rc = scry_field_read(p->runtime, addr, SCRY_F_METHOD_FUNC, func);

	return rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_METHOD_SELF, self);
}

/*
 * method_repr(), Objects/classobject.c: the name of whatever callable it binds, "?" where that has
 * none.
 */
static int print_method(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr func, self;
	int rc = method_parts(p, addr, &func, &self);

	(void)type;
	if (rc < 0)
		return rc;
	scry_printf(p, "<bound method %s of ", callable_name(p, func));
	scry_print(p, self);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* 3.3 and 3.4 write the class of self and the plain name */
static int print_method_3_3(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr func, self, self_type;
	const char *name;
	int rc = method_parts(p, addr, &func, &self);

	(void)type;
	rc = rc < 0 ? rc : scry_type_of(p->runtime, self, &self_type);
	if (rc < 0)
		return rc;
	name = scry_name_of(p->runtime, func, false);
	scry_printf(p, "<bound method %s.%s of ", scry_type_short(p->runtime, self_type),
		    name ? name : "?");
	scry_print(p, self);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* 2.7: im_class names it, and there are unbound ones */
static const char *class_name(struct scry_printer *p, scry_addr cls)
{
	const char *name;
	struct scry_type *t;

	if (cls && scry_type_for(p->runtime, cls, &t) == SCRY_OK &&
	    scry_known_type(t) == SCRY_IS_OLD_CLASS)
		return field_text(p, cls, SCRY_F_CLASSOBJ_NAME, &name) == SCRY_OK ? name : "?";
	return cls ? scry_type_short(p->runtime, cls) : "?";
}

static int print_method2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr func, self, cls;
	int rc = method_parts(p, addr, &func, &self);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_METHOD_CLASS, &cls);
	if (rc < 0)
		return rc;
	scry_printf(p, "<%s method %s.%s", self ? "bound" : "unbound", class_name(p, cls),
		    callable_name(p, func));
	if (self) {
		scry_buf_puts(p->out, " of ");
		scry_print(p, self);
	}
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* --- descriptors: Objects/descrobject.c --- */

static int print_descriptor(struct scry_printer *p, scry_addr addr, const char *kind)
{
	scry_addr of;
	const char *name;
	struct scry_type *t;
	int rc = field_text(p, addr, SCRY_F_DESCR_NAME, &name);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_DESCR_TYPE, &of);
	rc = rc < 0 ? rc : scry_type_at(p->runtime, of, &t);
	if (rc < 0)
		return rc;
	/* 3.15+ leaves object's out: descr_repr() */
	bool plain = scry_trait(p->runtime, SCRY_TRAIT_DESCR_OF_OBJECT_IS_PLAIN) &&
		     scry_known_type(t) == SCRY_IS_OBJECT;
	scry_printf(p, "<%s '%s'", kind, name);
	scry_printf(p, plain ? ">" : " of '%s' objects>", t->name);
	return SCRY_OK;
}

static int print_method_descriptor(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_descriptor(p, addr, "method");
}

static int print_member_descriptor(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_descriptor(p, addr, "member");
}

static int print_getset_descriptor(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_descriptor(p, addr, "attribute");
}

static int print_slot_wrapper(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_descriptor(p, addr, "slot wrapper");
}

/* wrapper_repr(): `[].__len__`, a slot of a type that is bound to an object. */
static int print_method_wrapper(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr descr, self;
	const char *name;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_WRAPPER_DESCR, &descr);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_WRAPPER_SELF, &self);
	rc = rc < 0 ? rc : field_text(p, descr, SCRY_F_DESCR_NAME, &name);
	if (rc == SCRY_OK)
		scry_printf(p, "<method-wrapper '%s' of %s object at 0x%" PRIx64 ">", name,
			    scry_type_name_of(p->runtime, self), self);
	return rc;
}

/* sm_repr() and cm_repr(), Objects/funcobject.c, 3.10+; before, they had the repr of any object. */
static int print_around(struct scry_printer *p, scry_addr addr, const char *name, enum scry_field f)
{
	scry_addr inner;
	int rc = scry_field_read(p->runtime, addr, f, &inner);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s(", name);
	scry_print(p, inner);
	scry_buf_puts(p->out, ")>");
	return SCRY_OK;
}

static int print_staticmethod(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_around(p, addr, "staticmethod", SCRY_F_STATICMETHOD_CALLABLE);
}

static int print_classmethod(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_around(p, addr, "classmethod", SCRY_F_CLASSMETHOD_CALLABLE);
}

/* super_repr(), Objects/typeobject.c. Unbound it has no type of an object. */
static int print_super(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr of, obj_type;
	struct scry_type *t;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_SUPER_TYPE, &of);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_SUPER_OBJ_TYPE, &obj_type);
	rc = rc < 0 ? rc : scry_type_at(p->runtime, of, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "<super: <class '%s'>, ", t->name);
	if (obj_type && (rc = scry_type_at(p->runtime, obj_type, &t)) == SCRY_OK)
		scry_printf(p, "<%s object>>", t->name);
	else
		scry_buf_puts(p->out, "NULL>");
	return rc;
}

/* --- code, frames, cells --- */

/* code_repr(), Objects/codeobject.c. */
static int print_code(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const struct scry_code *code = scry_code_at(p->runtime, addr);

	(void)type;
	if (!code)
		return scry_fail(p->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	scry_printf(p, "<code object %s at 0x%" PRIx64 ", file \"%s\", line %d>", code->name, addr,
		    code->file, code->first_line);
	return SCRY_OK;
}

/* frame_repr(), Objects/frameobject.c, 3.7+. From 3.11 on the object only points to the frame. */
static int print_frame(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_location at = { 0 };
	struct scry_frame f;
	scry_addr inner;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_FRAME_INNER, &inner);

	(void)type;
	rc = scry_frame_at(p->runtime, rc == SCRY_OK ? inner : addr, &f);
	if (rc < 0 || !f.code)
		return rc < 0 ? rc
			      : scry_fail(p->runtime->session, SCRY_ECORRUPT, addr,
					  "no frame here");
	scry_frame_location(&f, &at);
	scry_printf(p, "<frame at 0x%" PRIx64 ", file ", addr);
	scry_print_quoted(p, f.code->file);
	if (scry_frame_line_lost(&f)) {
		scry_printf(p, ", <no line: %s>", scry_frame_line_lost(&f));
		p->damaged = true;
	} else {
		scry_printf(p, ", line %d", at.line);
	}
	scry_printf(p, ", code %s>", f.code->name);
	return SCRY_OK;
}

/*
 * cell_repr(), Objects/cellobject.c, which shows no more of the content than its type and address.
 */
static int print_cell(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr ref;
	struct scry_type *t;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_CELL_REF, &ref);

	(void)type;
	if (rc == SCRY_OK && ref)
		rc = scry_type_for(p->runtime, ref, &t);
	if (rc < 0)
		return rc;
	scry_printf(p, "<cell at 0x%" PRIx64 ": ", addr);
	if (ref)
		scry_printf(p, "%.80s object at 0x%" PRIx64 ">", t->name, ref);
	else
		scry_buf_puts(p->out, "empty>");
	return SCRY_OK;
}

/* --- generators, coroutines, async generators --- */

/* With -v: where it stands, or that it is done. */
static void print_generator_place(struct scry_printer *p, scry_addr gen)
{
	scry_addr at = scry_generator_frame(p->runtime, gen);
	struct scry_location where = { 0 };
	struct scry_frame f;

	if (!at) {
		scry_buf_puts(p->out, " finished");
		return;
	}
	if (scry_frame_at(p->runtime, at, &f) < 0 || !f.code)
		return;
	scry_frame_location(&f, &where);
	scry_printf(p, " at %s:%d", f.code->file, where.line ? where.line : f.code->first_line);
}

/* gen_repr(), Objects/genobject.c; coroutines and async generators share it. */
static int print_generator(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	struct scry_type *t;
	scry_addr code_addr;
	int rc = scry_type_at(p->runtime, type, &t);

	if (rc < 0)
		return rc;
	rc = field_text(p, addr, SCRY_F_GEN_QUALNAME, &name);
	if (rc < 0 && rc != SCRY_ENOFIELD)
		return rc;
	if (rc < 0) { /* up to 3.4 it is the code's name */
		rc = scry_field_read(p->runtime, addr, SCRY_F_GEN_CODE, &code_addr);
		if (rc < 0)
			return rc;
		const struct scry_code *code = scry_code_at(p->runtime, code_addr);
		if (code && code->damaged)
			return scry_fail(p->runtime->session, SCRY_ECORRUPT, addr, "its code: %s",
					 code->damaged);
		name = code ? code->name : "?";
	}
	scry_printf(p, "<%s object %s at 0x%" PRIx64, t->name, name, addr);
	if (p->verbose)
		print_generator_place(p, addr);
	scry_buf_putc(p->out, '>');
	const char *doubt = scry_generator_doubt(p->runtime, addr, name);
	if (doubt)
		scry_printer_doubt(p, doubt);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_callable[] = {
	{ "function", 0, print_function },
	{ "builtin_function_or_method", 0, print_builtin },
	{ "cython:cython_function_or_method", 0, print_cython_function },
	{ "method", 0, print_method, .since = SCRY_VERSION_OF(3, 5) },
	{ "method", 0, print_method_3_3, .since = SCRY_VERSION_OF(3, 0),
	  .until = SCRY_VERSION_OF(3, 5) },
	{ "instancemethod", 0, print_method2, .until = SCRY_VERSION_OF(3, 0) },
	{ "method_descriptor", 0, print_method_descriptor },
	{ "classmethod_descriptor", 0, print_method_descriptor },
	{ "member_descriptor", 0, print_member_descriptor },
	{ "getset_descriptor", 0, print_getset_descriptor },
	{ "wrapper_descriptor", 0, print_slot_wrapper },
	{ "method-wrapper", 0, print_method_wrapper },
	{ "staticmethod", 0, print_staticmethod },
	{ "classmethod", 0, print_classmethod },
	{ "super", 0, print_super },
	{ "code", 0, print_code },
	{ "frame", 0, print_frame },
	{ "cell", 0, print_cell },
	{ "generator", 0, print_generator },
	{ "coroutine", 0, print_generator },
	{ "async_generator", 0, print_generator },
	{ NULL },
};
