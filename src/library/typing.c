/*
 * typing: aliases, type variables, forward references; Lib/typing.py since 3.7,
 * Objects/typevarobject.c since 3.12.
 */
#include "object/known.h"
#include "object/printer.h"

#include "object/member.h"

static bool is_ellipsis(struct scry_runtime *r, scry_addr obj)
{
	return scry_is_exactly(r, obj, SCRY_IS_ELLIPSIS);
}

static bool is_none_type(struct scry_runtime *r, scry_addr obj)
{
	return scry_is_type(r, obj, SCRY_IS_NONE);
}

/* As _type_repr() writes a class: "builtins." is left out, "typing." is not. */
static void put_qualified(struct scry_printer *p, const char *module, const char *name)
{
	if (strcmp(module, "builtins"))
		scry_printf(p, "%s.", module);
	scry_buf_puts(p->out, name);
}

static void put_list(struct scry_printer *p, scry_addr items, uint64_t n);

/* _type_repr(): classes by their names, what is not a class by its repr */
static void put_type(struct scry_printer *p, scry_addr obj)
{
	struct scry_runtime *r = p->runtime;
	struct scry_type *t;
	scry_addr items;
	uint64_t n;

	if (scry_type_for(r, obj, &t) < 0) {
		scry_printer_damage(p, obj);
		return;
	}
	if (t->flags & TYPE_TYPE) {
		put_qualified(p, scry_type_module(r, obj), scry_type_qualname(r, obj));
	} else if (is_ellipsis(r, obj)) {
		scry_buf_puts(p->out, "...");
	} else if (scry_known_type(t) == SCRY_IS_FUNCTION) {
		const char *module = scry_attr_text(r, obj, "__module__"),
			   *name = scry_own_name(r, obj,
						 scry_trait(r, SCRY_TRAIT_TYPING_QUALIFIES));

		put_qualified(p,
			      module && scry_trait(r, SCRY_TRAIT_TYPING_QUALIFIES) ? module
										   : "builtins",
			      name ? name : "?");
	} else if (t->flags & TYPE_TUPLE && scry_trait(r, SCRY_TRAIT_TYPING_LISTS_TUPLES) &&
		   scry_sequence(r, obj, &n, &items) == SCRY_OK) {
		scry_buf_putc(p->out, '['); /* the arguments of a ParamSpec */
		put_list(p, items, n);
		scry_buf_putc(p->out, ']');
	} else {
		scry_print(p, obj);
	}
}

static scry_addr item_at(struct scry_runtime *r, scry_addr items, uint64_t i)
{
	scry_addr item;

	return scry_word(r, items + i * r->session->target->abi.ptr_size, &item) == SCRY_OK ? item
											    : 0;
}

static void put_list(struct scry_printer *p, scry_addr items, uint64_t n)
{
	for (uint64_t i = 0; scry_printer_more(p, i, n); i++)
		put_type(p, item_at(p->runtime, items, i));
}

/* What every alias has; `name` is empty where the origin names it. */
struct alias {
	scry_addr origin, args;
	uint64_t count;
	const char *name;
};

/*
 * Attributes, not fields: nearly all aliases are objects of classes in Python, and each version has
 * its own.
 */
static int open_alias(struct scry_runtime *r, scry_addr addr, struct alias *ret)
{
	scry_addr args;
	int rc = scry_attr(r, addr, "__origin__", &ret->origin);

	rc = rc < 0 ? rc : scry_attr(r, addr, "__args__", &args);
	rc = rc < 0 ? rc : scry_sequence(r, args, &ret->count, &ret->args);
	ret->name = rc < 0 ? NULL : scry_attr_text(r, addr, "_name");
	return rc;
}

/* _GenericAlias.__repr__(). */
static void put_alias(struct scry_printer *p, const struct alias *a)
{
	if (a->name)
		scry_printf(p, "typing.%s", a->name);
	else
		put_type(p, a->origin);
	scry_buf_putc(p->out, '[');
	if (a->count == 0 && scry_trait(p->runtime, SCRY_TRAIT_TYPING_EMPTY_TUPLE))
		scry_buf_puts(p->out, "()");
	put_list(p, a->args, a->count);
	scry_buf_putc(p->out, ']');
}

/* Arguments that are not a list of types: "...", a ParamSpec, a Concatenate. */
static bool is_parameter_expression(struct scry_runtime *r, scry_addr obj)
{
	enum scry_known known = scry_known_of(r, obj);

	return known == SCRY_IS_ELLIPSIS || known == SCRY_IS_TUPLE || known == SCRY_IS_LIST ||
	       known == SCRY_IS_PARAM_SPEC || known == SCRY_IS_CONCATENATE_ALIAS;
}

/*
 * _CallableGenericAlias.__repr__(): all arguments but the last are parameters, written in brackets
 * of their own.
 */
static void put_callable(struct scry_printer *p, const struct alias *a, const char *name)
{
	scry_printf(p, "%s[[", name);
	put_list(p, a->args, a->count - 1);
	scry_buf_puts(p->out, "], ");
	put_type(p, item_at(p->runtime, a->args, a->count - 1));
	scry_buf_putc(p->out, ']');
}

static bool lists_arguments(struct scry_runtime *r, const struct alias *a)
{
	return a->count && !(a->count == 2 && is_parameter_expression(r, item_at(r, a->args, 0)));
}

static int print_alias_as(struct scry_printer *p, scry_addr addr,
			  void (*put)(struct scry_printer *, const struct alias *))
{
	struct alias a;
	int rc = open_alias(p->runtime, addr, &a);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	put(p, &a);
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_alias(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_alias_as(p, addr, put_alias);
}

static void put_typing_callable(struct scry_printer *p, const struct alias *a)
{
	if (lists_arguments(p->runtime, a))
		put_callable(p, a, "typing.Callable");
	else
		put_alias(p, a);
}

static int print_callable(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_alias_as(p, addr, put_typing_callable);
}

/* 3.7 and 3.8 have one class for all; what is _special stands for itself */
static int print_alias_3_7(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name = scry_attr_text(p->runtime, addr, "_name");
	scry_addr special;

	if (name && scry_attr(p->runtime, addr, "_special", &special) == SCRY_OK &&
	    scry_truth(p->runtime, special, false)) {
		scry_printf(p, "typing.%s", name);
		return SCRY_OK;
	}
	return name && !strcmp(name, "Callable") ? print_callable(p, addr, type)
						 : print_alias(p, addr, type);
}

/*
 * collections.abc.Callable[[int], str]: a GenericAlias in C with a repr of its own,
 * Lib/_collections_abc.py
 */
static int print_abc_callable(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	struct alias a = { 0 };
	scry_addr args;
	int rc = scry_field_read(r, addr, SCRY_F_GENERIC_ALIAS_ARGS, &args);

	(void)type;
	rc = rc < 0 ? rc : scry_sequence(r, args, &a.count, &a.args);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	if (lists_arguments(r, &a)) {
		put_callable(p, &a, "collections.abc.Callable");
	} else {
		scry_buf_puts(p->out, "collections.abc.Callable[");
		put_list(p, a.args, a.count);
		scry_buf_putc(p->out, ']');
	}
	scry_printer_leave(p);
	return SCRY_OK;
}

/* _UnionGenericAlias.__repr__(): of two members of which one is None, Optional is written. */
static void put_union(struct scry_printer *p, const struct alias *a)
{
	scry_addr first = item_at(p->runtime, a->args, 0), second = item_at(p->runtime, a->args, 1);
	bool none_first = a->count == 2 && is_none_type(p->runtime, first);

	if (!none_first && !(a->count == 2 && is_none_type(p->runtime, second))) {
		put_alias(p, a);
		return;
	}
	scry_buf_puts(p->out, "typing.Optional[");
	put_type(p, none_first ? second : first);
	scry_buf_putc(p->out, ']');
}

static int print_union(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_alias_as(p, addr, put_union);
}

static void put_unpack(struct scry_printer *p, const struct alias *a)
{
	scry_addr item = item_at(p->runtime, a->args, 0);

	if (!scry_trait(p->runtime, SCRY_TRAIT_TYPING_WRITES_UNPACK)) {
		scry_buf_putc(p->out, '*');
		scry_print(p, item);
		return;
	}
	scry_buf_puts(p->out, "typing.Unpack[");
	put_type(p, item);
	scry_buf_putc(p->out, ']');
}

static int print_unpack(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_alias_as(p, addr, put_unpack);
}

/* _AnnotatedAlias.__repr__(): the metadata by their repr, whatever they are. */
static int print_annotated(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr origin, metadata, items;
	uint64_t n;
	int rc = scry_attr(r, addr, "__origin__", &origin);

	(void)type;
	rc = rc < 0 ? rc : scry_attr(r, addr, "__metadata__", &metadata);
	rc = rc < 0 ? rc : scry_sequence(r, metadata, &n, &items);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_buf_puts(p->out, "typing.Annotated[");
	put_type(p, origin);
	scry_buf_puts(p->out, ", ");
	scry_print_items(p, items, n);
	scry_buf_putc(p->out, ']');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* --- type variables: attributes in Python, members of C structs since 3.12 --- */

static bool is_set(struct scry_runtime *r, scry_addr obj, const char *name)
{
	struct scry_member member;
	scry_addr type, value;
	const char *text;

	if (scry_type_of(r, obj, &type) == SCRY_OK &&
	    scry_type_lookup(r, type, name, &value, NULL) == SCRY_OK &&
	    scry_member_of(r, obj, value, &member) == SCRY_OK && !member.is_object)
		return scry_member_text(r, &member, &text) == SCRY_OK && !strcmp(text, "True");
	return scry_attr(r, obj, name, &value) == SCRY_OK && scry_truth(r, value, false);
}

/*
 * "+T" covariant, "-T" contravariant, "~T" invariant; a name alone where variance is inferred
 * (3.12+).
 */
static int print_type_variable(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr name;
	int rc = scry_attr(r, addr, "__name__", &name);

	(void)type;
	if (rc < 0)
		return rc;
	if (!is_set(r, addr, "__infer_variance__"))
		scry_buf_putc(p->out, is_set(r, addr, "__covariant__")       ? '+'
				      : is_set(r, addr, "__contravariant__") ? '-'
									     : '~');
	scry_print_plain(p, name);
	return SCRY_OK;
}

/* class Any(metaclass=_AnyMeta), since 3.11: subclasses print as classes do */
static int print_any(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, addr, &name);

	(void)type;
	if (rc == SCRY_OK)
		scry_printf(p, strcmp(name, "typing.Any") ? "<class '%s'>" : "%s", name);
	return rc;
}

/* 3.14+: annotationlib.ForwardRef; its text may have to be made from a tree, by code */
static int print_forward_ref(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr text, module, owner;
	struct scry_runtime *r = p->runtime;

	if (scry_attr(r, addr, "__arg__", &text) < 0 || scry_is_none(r, text))
		return scry_print_unknown(p, addr, type);
	scry_buf_puts(p->out, "ForwardRef(");
	scry_print(p, text);
	if (scry_attr(r, addr, "__forward_module__", &module) == SCRY_OK &&
	    !scry_is_none(r, module)) {
		scry_buf_puts(p->out, ", module=");
		scry_print(p, module);
	}
	scry_buf_puts(p->out, is_set(r, addr, "__forward_is_class__") ? ", is_class=True" : "");
	if (scry_attr(r, addr, "__owner__", &owner) == SCRY_OK && !scry_is_none(r, owner)) {
		scry_buf_puts(p->out, ", owner=");
		scry_print(p, owner);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

#define FORWARD_MODULE \
	"ForwardRef({__forward_arg__}[__forward_module__:, module={__forward_module__}])"

const struct scry_printer_row scry_printers_typing[] = {
	{ "typing._SpecialForm", .form = "typing.{_name:s}" },
	{ "typing._SpecialGenericAlias", .form = "typing.{_name:s}" },
	{ "typing._GenericAlias", 0, print_alias, .since = SCRY_VERSION_OF(3, 9) },
	{ "typing._GenericAlias", 0, print_alias_3_7, .until = SCRY_VERSION_OF(3, 9) },
	{ "typing._CallableGenericAlias", 0, print_callable },
	{ "typing._UnionGenericAlias", 0, print_union },
	{ "typing._UnpackGenericAlias", 0, print_unpack },
	{ "typing._AnnotatedAlias", 0, print_annotated },
	{ "collections.abc._CallableGenericAlias", 0, print_abc_callable },
	{ "typing.TypeVar", 0, print_type_variable },
	{ "typing._TypeVarLike", 0, print_type_variable },
	{ "typing._BoundVarianceMixin", 0, print_type_variable },
	{ "typing.ParamSpec", 0, print_type_variable },
	{ "typing.ParamSpecArgs", .form = "{__origin__.__name__:s}.args" },
	{ "typing.ParamSpecKwargs", .form = "{__origin__.__name__:s}.kwargs" },
	{ "typing.TypeVarTuple", .form = "{__name__:s}", .until = SCRY_VERSION_OF(3, 15) },
	{ "typing.TypeVarTuple", 0, print_type_variable, .since = SCRY_VERSION_OF(3, 15) },
	{ "typing.TypeAliasType", .form = "{__name__:s}" },
	{ "typing.NewType", .form = "{__module__:s}.{__qualname__:s}" },
	{ "typing._AnyMeta", 0, print_any },
	{ "NoDefaultType", .form = "typing.NoDefault" },
	{ "typing.ForwardRef", .form = FORWARD_MODULE, .since = SCRY_VERSION_OF(3, 11) },
	{ "typing.ForwardRef", .form = "ForwardRef({__forward_arg__})",
	  .until = SCRY_VERSION_OF(3, 11) },
	{ "annotationlib.ForwardRef", 0, print_forward_ref },
	{ NULL },
};
