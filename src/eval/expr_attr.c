/*
 * Attributes in py-print: what a type or class holds is bound as Python would, as far as no code
 * has to run.
 */
#include "eval/evaluate.h"
#include "object/known.h"
#include "object/member.h"
#include "object/overrides.h"

/* Python asks these before and after all else: a class that has one decides itself. */
static int asks_code(struct scry_eval *e, scry_addr obj, const char *name, const char *method)
{
	struct scry_type *t;
	const char *owner;

	if (scry_type_for(e->r, obj, &t) < 0 ||
	    !(owner = scry_type_own_method(e->r, t->addr, method)))
		return SCRY_OK;
	return scry_eval_fail(e, SCRY_EUNSUPPORTED, "'%s' is given by %s.%s(), which is not run",
			      name, owner, method);
}

/* A module may have a __getattr__ of its own, too (PEP 562, 3.7+). */
static bool module_asks_code(struct scry_eval *e, scry_addr obj)
{
	scry_addr value;

	return scry_trait(e->r, SCRY_TRAIT_MODULE_GETATTR) &&
	       scry_is_exactly(e->r, obj, SCRY_IS_MODULE) &&
	       scry_attr(e->r, obj, "__getattr__", &value) == SCRY_OK;
}

static int unset_or_missing(struct scry_eval *e, scry_addr obj, const char *name, int rc)
{
	struct scry_member member;
	struct scry_type *t = NULL;
	scry_addr value;

	if (scry_type_for(e->r, obj, &t) == SCRY_OK &&
	    scry_type_lookup(e->r, t->addr, name, &value, NULL) == SCRY_OK &&
	    scry_member_of(e->r, obj, value, &member) == SCRY_OK)
		return scry_eval_fail(e, rc, "the slot '%s' is not set", name);
	int asked = asks_code(e, obj, name, "__getattr__");
	if (asked < 0)
		return asked;
	if (module_asks_code(e, obj))
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "'%s' is given by the module's __getattr__(), which is not "
				      "run",
				      name);
	if (t && t->flags & TYPE_TYPE)
		return scry_eval_fail(e, rc, "class %s has no attribute '%s'%s",
				      scry_type_short(e->r, obj), name,
				      scry_suggest_attribute(e, obj, name));
	return scry_eval_fail(e, rc, "%s has no attribute '%s'%s", scry_type_name_of(e->r, obj),
			      name, scry_suggest_attribute(e, obj, name));
}

/* A C member that is not an object. */
static int member_text(struct scry_eval *e, scry_addr obj, const char *name)
{
	struct scry_member member;
	scry_addr type, descriptor;
	const char *text;

	if (scry_type_of(e->r, obj, &type) < 0 ||
	    scry_type_lookup(e->r, type, name, &descriptor, NULL) < 0 ||
	    scry_member_of(e->r, obj, descriptor, &member) < 0)
		return SCRY_ENOTFOUND;
	if (member.is_object) { /* NULL stands for None, whose address is not known here */
		int rc = scry_member_object(e->r, &member, name, &descriptor);

		return rc == SCRY_ENOTFOUND && scry_member_is_optional(&member)
			       ? scry_eval_set_text(e, "None", "NoneType")
			       : SCRY_ENOTFOUND;
	}
	if (scry_member_text(e->r, &member, &text) < 0)
		return SCRY_ENOTFOUND;
	return scry_eval_set_text(e, text, scry_member_type(&member));
}

static int bind(struct scry_eval *e, scry_addr function, scry_addr self)
{
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_BOUND,
					      .addr = function,
					      .self = self };
	return SCRY_OK;
}

/* The field of a namedtuple, up to 3.7: a property around an itemgetter. */
static bool tuple_field(struct scry_eval *e, scry_addr obj, scry_addr property, int *ret_rc)
{
	scry_addr get, index;
	uint64_t count;
	int64_t i;
	struct scry_item item;
	struct scry_type *t;

	if (scry_field_read(e->r, property, SCRY_F_PROPERTY_GET, &get) < 0 ||
	    !scry_is_exactly(e->r, get, SCRY_IS_ITEMGETTER) ||
	    scry_field_read(e->r, get, SCRY_F_ITEMGETTER_NITEMS, &count) < 0 || count != 1 ||
	    scry_field_read(e->r, get, SCRY_F_ITEMGETTER_ITEM, &index) < 0 ||
	    scry_int_value(e->r, index, &i) < 0 || scry_type_for(e->r, obj, &t) < 0 ||
	    !(t->flags & TYPE_TUPLE) || i < 0 || i >= scry_length(e->r, obj))
		return false;
	*ret_rc = scry_item_at(e->r, obj, i, &item);
	if (*ret_rc == SCRY_OK)
		*ret_rc = scry_eval_set(e, item.addr);
	return true;
}

static int set_tuplegetter(struct scry_eval *e, scry_addr obj, scry_addr getter)
{
	struct scry_item item;
	int64_t i;
	int rc = scry_field_read_int(e->r, getter, SCRY_F_TUPLEGETTER_INDEX, &i);

	if (rc < 0)
		return rc;
	if (i < 0 || i >= scry_length(e->r, obj))
		return scry_eval_fail(e, SCRY_ECORRUPT,
				      "a field of a namedtuple that has no such item");
	rc = scry_item_at(e->r, obj, i, &item);
	return rc < 0 ? rc : scry_eval_set(e, item.addr);
}

static int set_inner(struct scry_eval *e, scry_addr value, enum scry_field f)
{
	scry_addr inner;
	int rc = scry_field_read(e->r, value, f, &inner);

	return rc < 0 ? rc : scry_eval_set(e, inner);
}

/* 2.7 has unbound methods: "<unbound method Base.method>" */
static int set_function_of_class(struct scry_eval *e, scry_addr cls, scry_addr function)
{
	if (!scry_layout_has(e->r->layout, SCRY_F_CLASSOBJ_DICT))
		return scry_eval_set(e, function);
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_BOUND,
					      .addr = function,
					      .type = scry_type_short(e->r, cls) };
	return SCRY_OK;
}

static int refuse_descriptor(struct scry_eval *e, scry_addr value, const char *name)
{
	scry_addr type;

	if (scry_is_exactly(e->r, value, SCRY_IS_CTYPES_FIELD))
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "'%s' is a field of a ctypes structure, which is not read",
				      name);
	return scry_eval_fail(
		e, SCRY_EUNSUPPORTED, "'%s' is given by %s.__get__(), which is not run", name,
		scry_type_of(e->r, value, &type) == SCRY_OK ? scry_type_short(e->r, type) : "?");
}

static bool is_method_of_c(enum scry_known kind)
{
	return kind == SCRY_IS_METHOD_DESCRIPTOR || kind == SCRY_IS_WRAPPER_DESCRIPTOR ||
	       kind == SCRY_IS_CLASSMETHOD_DESCRIPTOR;
}

/* Objects/descrobject.c, descr_check(): a descriptor of C's is for objects of its own class. */
static bool is_for(struct scry_eval *e, scry_addr type, scry_addr descriptor)
{
	scry_addr of;

	return scry_field_read(e->r, descriptor, SCRY_F_DESCR_TYPE, &of) == SCRY_OK &&
	       scry_type_has_base(e->r, type, of);
}

static int refuse_foreign(struct scry_eval *e, scry_addr type, scry_addr descriptor,
			  const char *name)
{
	scry_addr of;

	return scry_eval_fail(e, SCRY_EUNSUPPORTED, "'%s' is of %s: for a %s it raises TypeError",
			      name,
			      scry_field_read(e->r, descriptor, SCRY_F_DESCR_TYPE, &of) == SCRY_OK
				      ? scry_type_short(e->r, of)
				      : "another class",
			      scry_type_short(e->r, type));
}

/* As the object would print that Python makes of it: Objects/methodobject.c, descrobject.c */
static int set_bound_of_c(struct scry_eval *e, scry_addr obj, scry_addr type, scry_addr value,
			  enum scry_known kind)
{
	bool wrapper = kind == SCRY_IS_WRAPPER_DESCRIPTOR;
	scry_addr self = kind == SCRY_IS_CLASSMETHOD_DESCRIPTOR ? type : obj;
	const char *name = scry_own_name(e->r, value, false);
	char *text = scry_arena_printf(&e->s->arena, "<%s%s%s of %s object at 0x%" PRIx64 ">",
				       wrapper ? "method-wrapper '" : "built-in method ",
				       name ? name : "?", wrapper ? "'" : "",
				       scry_type_name_of(e->r, self), self);

	return scry_eval_set_text(e, text,
				  wrapper ? "method-wrapper" : "builtin_function_or_method");
}

/* What an instance's type holds. */
static int set_of_type(struct scry_eval *e, scry_addr obj, scry_addr type, scry_addr value,
		       const char *name)
{
	enum scry_known kind = scry_known_of(e->r, value);
	struct scry_type *t;
	scry_addr inner;
	int rc = SCRY_OK;

	if (kind == SCRY_IS_PROPERTY) {
		if (tuple_field(e, obj, value, &rc))
			return rc;
		rc = scry_eval_set_text(e, "<property>", "property");
		e->value.is_property = true;
		return rc;
	}
	if (kind == SCRY_IS_TUPLEGETTER)
		return set_tuplegetter(e, obj, value);
	if (kind == SCRY_IS_FUNCTION)
		return bind(e, value, obj);
	if (kind == SCRY_IS_STATICMETHOD)
		return set_inner(e, value, SCRY_F_STATICMETHOD_CALLABLE);
	if (kind == SCRY_IS_CLASSMETHOD)
		return scry_field_read(e->r, value, SCRY_F_CLASSMETHOD_CALLABLE, &inner) < 0
			       ? scry_eval_set(e, value)
			       : bind(e, inner, type);
	if ((is_method_of_c(kind) || kind == SCRY_IS_GETSET_DESCRIPTOR ||
	     kind == SCRY_IS_MEMBER_DESCRIPTOR) &&
	    !is_for(e, type, value))
		return refuse_foreign(e, type, value, name);
	if (kind == SCRY_IS_LRU_CACHE)
		return bind(e, value, obj);
	if (kind == SCRY_IS_GETSET_DESCRIPTOR)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "'%s' is computed by C code, which is not run", name);
	if (is_method_of_c(kind))
		return set_bound_of_c(e, obj, type, value, kind);
	if (scry_type_for(e->r, value, &t) == SCRY_OK &&
	    scry_is_cythons(e->r, t, "cython_function_or_method"))
		return bind(e, value, obj);
	return scry_is_own_descriptor(e->r, value) ? refuse_descriptor(e, value, name)
						   : scry_eval_set(e, value);
}

/* What a class or one of its bases holds. */
static int set_of_class(struct scry_eval *e, scry_addr cls, scry_addr value, const char *name)
{
	enum scry_known kind = scry_known_of(e->r, value);
	scry_addr inner;

	if (kind == SCRY_IS_FUNCTION)
		return set_function_of_class(e, cls, value);
	if (kind == SCRY_IS_STATICMETHOD)
		return set_inner(e, value, SCRY_F_STATICMETHOD_CALLABLE);
	if (kind == SCRY_IS_CLASSMETHOD &&
	    scry_field_read(e->r, value, SCRY_F_CLASSMETHOD_CALLABLE, &inner) == SCRY_OK)
		return bind(e, inner, cls);
	if (kind == SCRY_IS_CLASSMETHOD_DESCRIPTOR)
		return is_for(e, cls, value) ? set_bound_of_c(e, cls, cls, value, kind)
					     : refuse_foreign(e, cls, value, name);
	if (kind == SCRY_IS_LRU_CACHE || kind == SCRY_IS_PARTIAL || kind == SCRY_IS_CTYPES_FIELD)
		return scry_eval_set(e, value);
	return scry_is_own_descriptor(e->r, value) ? refuse_descriptor(e, value, name)
						   : scry_eval_set(e, value);
}

static int attribute_of_object(struct scry_eval *e, scry_addr obj, const char *name)
{
	enum scry_attr_place place;
	scry_addr value, type;

	int rc = asks_code(e, obj, name, "__getattribute__");
	if (rc < 0)
		return rc;
	if (scry_eval_computed(e, obj, name) == SCRY_OK || member_text(e, obj, name) == SCRY_OK)
		return SCRY_OK;
	rc = scry_attr_from(e->r, obj, name, &value, &place);
	if (rc < 0)
		return unset_or_missing(e, obj, name, rc);
	if (place == SCRY_ATTR_CLASS)
		return set_of_class(e, obj, value, name);
	if (place == SCRY_ATTR_TYPE && scry_type_of(e->r, obj, &type) == SCRY_OK)
		return set_of_type(e, obj, type, value, name);
	return scry_eval_set(e, value);
}

/* A method has what its function has, too. */
static int attribute_of_bound(struct scry_eval *e, const char *name)
{
	if (!strcmp(name, "__func__") || !strcmp(name, "im_func"))
		return scry_eval_set(e, e->value.addr);
	if (!strcmp(name, "__self__") || !strcmp(name, "im_self"))
		return e->value.self ? scry_eval_set(e, e->value.self)
				     : scry_eval_set_text(e, "None", "NoneType");
	return attribute_of_object(e, e->value.addr, name);
}

/* Where the model binds what it finds. */
static int attribute_of_model(struct scry_eval *e, const char *name)
{
	struct scry_found found;
	int rc = scry_model_of(e->r)->bound_attr(e->r, e->value.addr, name, &found);

	if (rc < 0)
		return scry_eval_fail(e, rc, "%s has no attribute '%s'",
				      scry_type_name_of(e->r, e->value.addr), name);
	return found.addr ? scry_eval_set(e, found.addr)
			  : scry_eval_set_text(e, found.text, found.type);
}

int scry_eval_attribute(struct scry_eval *e, const char *name)
{
	if (e->value.kind == SCRY_VALUE_OBJECT && scry_model_of(e->r)->bound_attr)
		return attribute_of_model(e, name);
	switch (e->value.kind) {
	case SCRY_VALUE_OBJECT:
		return attribute_of_object(e, e->value.addr, name);
	case SCRY_VALUE_BOUND:
		return attribute_of_bound(e, name);
	case SCRY_VALUE_FRAME:
		return scry_eval_frame_attribute(e, &e->value.frame, name);
	default:
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "a result without an object has no attributes");
	}
}
