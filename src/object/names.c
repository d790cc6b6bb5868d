/*
 * What __name__ and __qualname__ say of functions, classes, built-ins, descriptors, generators; and
 * __module__.
 */
#include "object/cython.h"
#include "object/known.h"
#include "object/printer.h"

static const char *text_of(struct scry_runtime *r, scry_addr obj, enum scry_field f)
{
	scry_addr str;
	const char *text;

	if (scry_field_read(r, obj, f, &str) < 0 || scry_text_at(r, str, 2000, &text) < 0)
		return NULL;
	return text;
}

int scry_builtin_name(struct scry_runtime *r, scry_addr obj, const char **ret)
{
	scry_addr def, at;
	int rc = scry_field_read(r, obj, SCRY_F_CFUNCTION_DEF, &def);

	rc = rc < 0 ? rc : scry_field_read(r, def, SCRY_F_METHOD_DEF_NAME, &at);
	return rc < 0 ? rc : scry_read_cstr(r->session, at, 500, ret);
}

static const char *dotted(struct scry_runtime *r, scry_addr type, const char *name)
{
	return name ? scry_arena_printf(&r->session->arena, "%s.%s", scry_type_qualname(r, type),
					name)
		    : NULL;
}

/*
 * Objects/methodobject.c, meth_get__qualname__(): a method's has the class of self before it, a
 * function's nothing
 */
static const char *name_of_builtin(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	struct scry_type *t;
	const char *name;
	scry_addr self;

	if (scry_builtin_name(r, obj, &name) < 0)
		return NULL;
	if (!qualified || scry_field_read(r, obj, SCRY_F_CFUNCTION_SELF, &self) < 0 || !self ||
	    scry_type_for(r, self, &t) < 0 || scry_type_is(r, t->addr, SCRY_IS_MODULE))
		return name;
	return dotted(r, t->flags & TYPE_TYPE ? self : t->addr, name);
}

static const char *name_of_function(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	return text_of(r, obj, qualified ? SCRY_F_FUNCTION_QUALNAME : SCRY_F_FUNCTION_NAME);
}

/* 3.3 and 3.4 had no name of their own */
static const char *name_of_generator(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	const char *name = text_of(r, obj, qualified ? SCRY_F_GEN_QUALNAME : SCRY_F_GEN_NAME);
	scry_addr code_addr;

	if (name || scry_field_read(r, obj, SCRY_F_GEN_CODE, &code_addr) < 0)
		return name;
	const struct scry_code *code = scry_code_at(r, code_addr);
	return code && !qualified ? code->name : NULL;
}

static const char *name_of_descriptor(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	const char *name = text_of(r, obj, SCRY_F_DESCR_NAME);
	scry_addr of;

	if (!qualified || scry_field_read(r, obj, SCRY_F_DESCR_TYPE, &of) < 0)
		return name;
	return dotted(r, of, name);
}

static const char *name_of_wrapper(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	scry_addr descr;

	return scry_field_read(r, obj, SCRY_F_WRAPPER_DESCR, &descr) < 0
		       ? NULL
		       : name_of_descriptor(r, descr, qualified);
}

static const char *str_at(struct scry_runtime *r, scry_addr at)
{
	uint32_t is_str = scry_trait(r, SCRY_TRAIT_PYTHON_2) ? TYPE_BYTES : TYPE_UNICODE;
	struct scry_type *t;
	const char *text;
	scry_addr str;

	if (scry_word(r, at, &str) < 0 || !str || str % r->session->target->abi.ptr_size ||
	    scry_type_for(r, str, &t) < 0 || !(t->flags & is_str) ||
	    scry_text_at(r, str, 2000, &text) < 0)
		return NULL;
	return text;
}

/*
 * Cython's functions begin with a PyCFunctionObject, whose m_module is a str. After it, after
 * pointers that differ by version, come func_name (NULL until somebody asked for it), func_qualname
 * and func_doc: Cython 0.23 to 3.1, Cython/Utility/CythonFunction.c.
 */
static const char *name_of_cython(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t at = r->layout->slot[SCRY_F_CFUNCTION_MODULE].offset + ptr;
	const char *first = NULL, *second;
	struct scry_type *t;

	if (!qualified || !scry_layout_has(r->layout, SCRY_F_CFUNCTION_MODULE) ||
	    scry_type_for(r, obj, &t) < 0)
		return name_of_builtin(r, obj, false);
	for (; at + 2 * ptr <= t->basicsize && at < 1024 && !first; at += ptr)
		first = str_at(r, obj + at);
	second = first ? str_at(r, obj + at) : NULL;
	const char *dot = second ? strrchr(second, '.') : NULL;
	return second && !strcmp(dot ? dot + 1 : second, first) ? second : first;
}

static const struct {
	enum scry_known type;
	const char *(*name)(struct scry_runtime *r, scry_addr obj, bool qualified);
} named[] = {
	{ SCRY_IS_FUNCTION, name_of_function },
	{ SCRY_IS_BUILTIN, name_of_builtin },
	{ SCRY_IS_GENERATOR, name_of_generator },
	{ SCRY_IS_COROUTINE, name_of_generator },
	{ SCRY_IS_ASYNC_GENERATOR, name_of_generator },
	{ SCRY_IS_METHOD_DESCRIPTOR, name_of_descriptor },
	{ SCRY_IS_CLASSMETHOD_DESCRIPTOR, name_of_descriptor },
	{ SCRY_IS_MEMBER_DESCRIPTOR, name_of_descriptor },
	{ SCRY_IS_GETSET_DESCRIPTOR, name_of_descriptor },
	{ SCRY_IS_WRAPPER_DESCRIPTOR, name_of_descriptor },
	{ SCRY_IS_METHOD_WRAPPER, name_of_wrapper },
};

const char *scry_own_name(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	struct scry_type *t;

	if (scry_type_for(r, obj, &t) < 0)
		return NULL;
	if (t->flags & TYPE_TYPE)
		return qualified ? scry_type_qualname(r, obj) : scry_type_short(r, obj);
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (scry_known_type(t) == named[i].type)
			return named[i].name(r, obj, qualified);
	if (scry_is_cythons(r, t, "cython_function_or_method"))
		return name_of_cython(r, obj, qualified);
	return scry_cython_generator_name(r, obj, qualified);
}

const char *scry_name_of(struct scry_runtime *r, scry_addr obj, bool qualified)
{
	const char *name = NULL;
	struct scry_type *t;

	/* a bound method passes it on: Objects/classobject.c, method_getattro() */
	for (int i = 0; i < 10 && scry_type_for(r, obj, &t) == SCRY_OK; i++) {
		if (scry_known_type(t) != SCRY_IS_METHOD)
			break;
		if (scry_field_read(r, obj, SCRY_F_METHOD_FUNC, &obj) < 0)
			return NULL;
	}
	name = scry_own_name(r, obj, qualified);
	return name ? name : scry_attr_text(r, obj, qualified ? "__qualname__" : "__name__");
}

/* The module whose globals a function runs with, as it calls itself. */
static const char *module_of_globals(struct scry_runtime *r, scry_addr globals)
{
	const char *text;
	scry_addr str;

	return scry_dict_get(r, globals, "__name__", &str) == SCRY_OK &&
			       scry_text_at(r, str, 500, &text) == SCRY_OK
		       ? text
		       : NULL;
}

const struct scry_code *scry_function_code(struct scry_runtime *r, scry_addr function,
					   const char **ret_module)
{
	scry_addr globals, code;

	if (!scry_is_exactly(r, function, SCRY_IS_FUNCTION) ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_GLOBALS, &globals) < 0 ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &code) < 0 ||
	    !(*ret_module = module_of_globals(r, globals)))
		return NULL;
	return scry_code_at(r, code);
}

bool scry_has_own_str(struct scry_runtime *r, scry_addr type, const char *module)
{
	scry_addr value, owner;
	size_t n = strlen(module);

	if (scry_type_lookup(r, type, "__str__", &value, &owner) < 0)
		return false;
	const char *of = scry_type_module(r, owner);
	return strncmp(of, module, n) || (of[n] && of[n] != '.');
}
