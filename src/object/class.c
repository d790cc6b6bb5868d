/* Classes, old-style instances, modules, weak references, generic aliases. */
#include "object/contradict.h"
#include "object/known.h"
#include "object/overrides.h"
#include "object/printer.h"

#include <limits.h>

static int field_text(struct scry_printer *p, scry_addr addr, enum scry_field f, const char **ret)
{
	scry_addr str;
	int rc = scry_field_read(p->runtime, addr, f, &str);

	return rc < 0 ? rc : scry_text_at(p->runtime, str, 2000, ret);
}

static int print_class_as(struct scry_printer *p, scry_addr addr, bool says_type)
{
	struct scry_type *t;
	const char *name;
	int rc = scry_type_at(p->runtime, addr, &t);

	rc = rc < 0 ? rc : scry_type_full_name(p->runtime, addr, &name);
	if (rc == SCRY_OK)
		scry_printf(p, "<%s '%s'>", says_type && !(t->flags & TYPE_HEAP) ? "type" : "class",
			    name);
	if (rc == SCRY_OK && scry_type_doubt(p->runtime, t))
		scry_printer_doubt(p, t->doubt);
	return rc;
}

static int print_type(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_class_as(p, addr, false);
}

/* Objects/typeobject.c of 2.7: type_repr() calls those that no class statement made types. */
static int print_type2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_class_as(p, addr, true);
}

/* 2.7 old-style: "<class __main__.A at 0x...>", "<__main__.A instance at 0x...>" */
static const char *old_class_name(struct scry_printer *p, scry_addr cls)
{
	const char *name;
	scry_addr dict, module;

	if (field_text(p, cls, SCRY_F_CLASSOBJ_NAME, &name) < 0)
		return NULL;
	if (scry_field_read(p->runtime, cls, SCRY_F_CLASSOBJ_DICT, &dict) < 0 ||
	    scry_dict_get(p->runtime, dict, "__module__", &module) < 0)
		return name;
	const char *text;
	if (scry_text_at(p->runtime, module, 500, &text) < 0)
		return name;
	return scry_arena_printf(&p->runtime->session->arena, "%s.%s", text, name);
}

static int print_classobj(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name = old_class_name(p, addr);

	(void)type;
	if (!name)
		return SCRY_ECORRUPT;
	scry_printf(p, "<class %s at 0x%" PRIx64 ">", name, addr);
	return SCRY_OK;
}

static int print_old_instance(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr cls, value, owner;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_OLD_INSTANCE_CLASS, &cls);
	const char *name = rc < 0 ? NULL : old_class_name(p, cls);

	(void)type;
	if (!name)
		return rc < 0 ? rc : SCRY_ECORRUPT;
	bool own = scry_type_lookup(p->runtime, cls, "__repr__", &value, &owner) == SCRY_OK;
	const char *key = own ? old_class_name(p, owner) : NULL;
	/*
	 * else it is asked for as any attribute: an old file wrapper answers with that of the file
	 */
	own = own || scry_type_lookup(p->runtime, cls, "__getattr__", &value, &owner) == SCRY_OK;
	const struct scry_printer_row *row = key ? scry_printer_named(p->runtime, key) : NULL;
	if (row && row->form)
		return scry_print_form(p, addr, cls, row->form);
	scry_printf(p, own ? "<%s at 0x%" PRIx64 ">" : "<%s instance at 0x%" PRIx64 ">", name,
		    addr);
	return SCRY_OK;
}

/* --- weak references: Objects/weakrefobject.c --- */

/*
 * Up to 3.11.3 any attribute of the object, since then only what its class says: weakref_repr(),
 * gh-99184.
 */
static const char *referent_name(struct scry_printer *p, scry_addr obj, const struct scry_type *t)
{
	const char *name = NULL;
	scry_addr value;

	if (!scry_trait(p->runtime, SCRY_TRAIT_WEAKREF_ASKS_CLASS))
		return scry_name_of(p->runtime, obj, false);
	name = scry_own_name(p->runtime, obj, false);
	if (!name && scry_type_lookup(p->runtime, t->addr, "__name__", &value, NULL) == SCRY_OK &&
	    scry_text_at(p->runtime, value, 1000, &name) < 0)
		return NULL;
	return name;
}

/* Would code be asked for the name? */
static bool name_is_code(struct scry_runtime *r, const struct scry_type *t)
{
	scry_addr value;

	if (scry_type_lookup(r, t->addr, "__name__", &value, NULL) == SCRY_OK)
		return t->flags & TYPE_HEAP && (scry_is_exactly(r, value, SCRY_IS_PROPERTY) ||
						scry_is_own_descriptor(r, value));
	return !scry_trait(r, SCRY_TRAIT_WEAKREF_ASKS_CLASS) &&
	       (scry_type_own_method(r, t->addr, "__getattr__") ||
		scry_type_own_method(r, t->addr, "__getattribute__"));
}

/* PyType_GetFullyQualifiedName(), 3.13+: no module for builtins and __main__ */
static const char *fully_qualified(struct scry_runtime *r, scry_addr type)
{
	const char *module = scry_type_module(r, type), *name = scry_type_qualname(r, type);

	if (!strcmp(module, "builtins") || !strcmp(module, "__main__"))
		return name;
	return scry_arena_printf(&r->session->arena, "%s.%s", module, name);
}

static int referent(struct scry_printer *p, scry_addr ref, scry_addr *ret,
		    struct scry_type **ret_type)
{
	int rc = scry_field_read(p->runtime, ref, SCRY_F_WEAKREF_OBJECT, ret);

	if (rc == SCRY_OK && (*ret == 0 || scry_is_none(p->runtime, *ret)))
		return *ret = 0, SCRY_OK;
	return rc < 0 ? rc : scry_type_for(p->runtime, *ret, ret_type);
}

static int print_weakref_in(struct scry_printer *p, scry_addr addr, bool qualified)
{
	/* 2.7 cuts the name and the whole: weakref_repr(), "%.50s" into a buffer of 256 */
	bool cut = scry_trait(p->runtime, SCRY_TRAIT_PYTHON_2);
	int most = cut ? 50 : INT_MAX;
	size_t start = p->out->len;
	scry_addr obj;
	struct scry_type *t = NULL;
	int rc = referent(p, addr, &obj, &t);

	if (rc < 0)
		return rc;
	scry_printf(p, "<weakref at 0x%" PRIx64, addr);
	if (!obj) {
		scry_buf_puts(p->out, "; dead>");
		return SCRY_OK;
	}
	const char *name = referent_name(p, obj, t);
	if (!name && name_is_code(p->runtime, t))
		return SCRY_EUNSUPPORTED;
	scry_printf(p, "; to '%.*s' at 0x%" PRIx64 "%s%s%s>", most,
		    qualified ? fully_qualified(p->runtime, t->addr) : t->name, obj,
		    name ? " (" : "", name ? name : "", name ? ")" : "");
	if (cut)
		scry_printer_cut(p, start, 255);
	return SCRY_OK;
}

static int print_weakref(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_weakref_in(p, addr, false);
}

static int print_weakref_3_13(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_weakref_in(p, addr, true);
}

/* proxy_repr(): before 3.13 a dead one names NoneType and the address of None. */
static int print_weakproxy(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr obj;
	struct scry_type *t = NULL;
	int rc = referent(p, addr, &obj, &t);

	(void)type;
	if (rc == SCRY_OK)
		scry_printf(p, "<weakproxy at 0x%" PRIx64 " to %s at 0x%" PRIx64 ">", addr,
			    obj ? t->name : "NoneType", obj ? obj : p->runtime->none);
	return rc;
}

static int print_weakproxy_3_13(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr obj;
	struct scry_type *t = NULL;
	int rc = referent(p, addr, &obj, &t);

	(void)type;
	if (rc == SCRY_OK && !obj)
		scry_printf(p, "<weakproxy at 0x%" PRIx64 "; dead>", addr);
	else if (rc == SCRY_OK)
		scry_printf(p, "<weakproxy at 0x%" PRIx64 "; to '%s' at 0x%" PRIx64 ">", addr,
			    fully_qualified(p->runtime, t->addr), obj);
	return rc;
}

/* --- list[int], int | str: Objects/genericaliasobject.c, unionobject.c --- */

/*
 * What looks like a class, by its names, is written as one: Objects/genericaliasobject.c,
 * ga_repr_item().
 */
static bool print_as_class(struct scry_printer *p, scry_addr item, const struct scry_type *t)
{
	struct scry_runtime *r = p->runtime;
	scry_addr value;
	const char *name, *module;

	if (!(t->flags & TYPE_TYPE) && scry_attr(r, item, "__origin__", &value) == SCRY_OK &&
	    scry_attr(r, item, "__args__", &value) == SCRY_OK)
		return false;
	name = scry_name_of(r, item, true);
	module = t->flags & TYPE_TYPE ? scry_type_module(r, item)
				      : scry_attr_text(r, item, "__module__");
	if (!name || !module)
		return false;
	scry_printf(p, "%s%s%s", strcmp(module, "builtins") ? module : "",
		    strcmp(module, "builtins") ? "." : "", name);
	return true;
}

/* A union writes NoneType as "None", an alias since 3.14 (_Py_typing_type_repr()). */
static void print_alias_item(struct scry_printer *p, scry_addr item, bool none)
{
	struct scry_type *t;

	if (scry_type_for(p->runtime, item, &t) < 0)
		scry_printer_damage(p, item);
	else if (scry_known_type(t) == SCRY_IS_ELLIPSIS)
		scry_buf_puts(p->out, "...");
	else if (none && t->flags & TYPE_TYPE && scry_is_type(p->runtime, item, SCRY_IS_NONE))
		scry_buf_puts(p->out, "None");
	else if (scry_trait(p->runtime, SCRY_TRAIT_TYPE_ALIAS_HAS_MODULE) &&
		 scry_known_type(t) == SCRY_IS_TYPE_ALIAS_TYPE)
		/* with its module, which only a C getter knows */
		scry_print_unknown(p, item, t->addr);
	else if (!print_as_class(p, item, t))
		scry_print(p, item);
}

static int print_alias_items(struct scry_printer *p, scry_addr args, const char *between, bool none)
{
	unsigned ptr = p->runtime->session->target->abi.ptr_size;
	uint64_t n;
	scry_addr items, item;
	int rc = scry_sequence(p->runtime, args, &n, &items);

	if (rc == SCRY_OK && n == 0)
		scry_buf_puts(p->out, "()");
	for (uint64_t i = 0; rc == SCRY_OK && i < n && i < 1000; i++) {
		scry_buf_puts(p->out, i ? between : "");
		rc = scry_word(p->runtime, items + i * ptr, &item);
		if (rc == SCRY_OK)
			print_alias_item(p, item, none);
	}
	return rc;
}

static int print_generic_alias(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr origin, args;
	uint64_t starred;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_GENERIC_ALIAS_ORIGIN, &origin);

	(void)type;
	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_GENERIC_ALIAS_ARGS, &args);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	/* *tuple[int], since 3.11 */
	if (scry_field_read(p->runtime, addr, SCRY_F_GENERIC_ALIAS_STARRED, &starred) == SCRY_OK &&
	    starred & 0xff)
		scry_buf_putc(p->out, '*');
	print_alias_item(p, origin, false);
	scry_buf_putc(p->out, '[');
	rc = print_alias_items(p, args, ", ", scry_trait(p->runtime, SCRY_TRAIT_ALIAS_WRITES_NONE));
	scry_buf_putc(p->out, ']');
	scry_printer_leave(p);
	return rc;
}

/* union_repr(): the arguments with bars between them. */
static int print_union(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr args;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_UNION_ARGS, &args);

	(void)type;
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	rc = print_alias_items(p, args, " | ", true);
	scry_printer_leave(p);
	return rc;
}

const struct scry_printer_row scry_printers_class[] = {
	{ "type", TYPE_TYPE, print_type, .since = SCRY_VERSION_OF(3, 0) },
	{ "type", TYPE_TYPE, print_type2, .until = SCRY_VERSION_OF(3, 0) },
	{ "classobj", 0, print_classobj, .until = SCRY_VERSION_OF(3, 0) },
	{ "instance", 0, print_old_instance, .until = SCRY_VERSION_OF(3, 0) },
	{ "weakref", 0, print_weakref, .until = SCRY_VERSION_OF(3, 13) },
	{ "weakref.ReferenceType", 0, print_weakref, .until = SCRY_VERSION_OF(3, 13) },
	{ "weakref.ReferenceType", 0, print_weakref_3_13, .since = SCRY_VERSION_OF(3, 13) },
	{ "weakproxy", 0, print_weakproxy, .until = SCRY_VERSION_OF(3, 13) },
	{ "weakcallableproxy", 0, print_weakproxy, .until = SCRY_VERSION_OF(3, 13) },
	{ "weakref.ProxyType", 0, print_weakproxy, .until = SCRY_VERSION_OF(3, 13) },
	{ "weakref.ProxyType", 0, print_weakproxy_3_13, .since = SCRY_VERSION_OF(3, 13) },
	{ "weakref.CallableProxyType", 0, print_weakproxy, .until = SCRY_VERSION_OF(3, 13) },
	{ "weakref.CallableProxyType", 0, print_weakproxy_3_13, .since = SCRY_VERSION_OF(3, 13) },
	{ "types.GenericAlias", 0, print_generic_alias },
	{ "types.UnionType", 0, print_union },
	{ "typing.Union", 0, print_union },
	{ NULL },
};
