/* functools, and operator's methodcaller: callables with arguments kept for later. */
#include "object/printer.h"

/* ", k=v" of each */
static void print_keywords(struct scry_printer *p, scry_addr dict)
{
	struct scry_dict_view v;
	scry_addr key, value;
	uint64_t it = 0;
	bool some = dict && !scry_is_none(p->runtime, dict); /* None up to 3.4 */
	int rc = some ? scry_dict_open(p->runtime, dict, &v) : SCRY_OK;

	while (some && rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, &value)) == SCRY_ITEM) {
		scry_buf_puts(p->out, ", ");
		scry_print_plain(p, key);
		scry_buf_putc(p->out, '=');
		scry_print(p, value);
	}
	if (rc < 0)
		scry_printer_damage(p, dict);
}

/* After "name(" and what comes before the arguments; the closing parenthesis too. */
static void print_arguments(struct scry_printer *p, scry_addr items, uint64_t n, scry_addr kw)
{
	scry_buf_puts(p->out, n ? ", " : "");
	scry_print_items(p, items, n);
	print_keywords(p, kw);
	scry_buf_putc(p->out, ')');
}

static int print_call(struct scry_printer *p, scry_addr first, scry_addr args, scry_addr kw)
{
	uint64_t n;
	scry_addr items;
	int rc = scry_sequence(p->runtime, args, &n, &items);

	if (rc < 0)
		return rc;
	scry_print(p, first);
	print_arguments(p, items, n, kw);
	return SCRY_OK;
}

/* --- partial: "functools.partial(f, 1, k=2)" --- */

static int print_partial_as(struct scry_printer *p, scry_addr addr, const char *name)
{
	struct scry_runtime *r = p->runtime;
	scry_addr fn, args, kw;
	int rc = scry_field_read(r, addr, SCRY_F_PARTIAL_FN, &fn);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_PARTIAL_ARGS, &args);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_PARTIAL_KW, &kw);
	bool guarded = scry_trait(r, SCRY_TRAIT_PARTIAL_MINDS_CYCLES);
	if (rc < 0 || !scry_printer_enter(p, guarded ? addr : 0, "..."))
		return rc;
	scry_printf(p, "%s(", name);
	rc = print_call(p, fn, args, kw);
	scry_printer_leave(p);
	return rc;
}

static int print_partial(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	return rc < 0 ? rc : print_partial_as(p, addr, t->name);
}

/* 3.13+: module and qualified name of a subclass too */
static int print_partial_3_13(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	return rc < 0 ? rc : print_partial_as(p, addr, name);
}

/* --- partialmethod, a class in Python --- */

static int open_partialmethod(struct scry_printer *p, scry_addr addr, scry_addr v[3])
{
	static const char *const names[] = { "func", "args", "keywords" };
	int rc = SCRY_OK;

	for (int i = 0; i < 3 && rc == SCRY_OK; i++)
		rc = scry_attr(p->runtime, addr, names[i], &v[i]);
	return rc;
}

static int print_partialmethod(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr v[3];
	int rc = open_partialmethod(p, addr, v);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s.%s(", scry_type_module(p->runtime, type),
		    scry_type_qualname(p->runtime, type));
	rc = print_call(p, v[0], v[1], v[2]);
	scry_printer_leave(p);
	return rc;
}

/* Up to 3.12 "{func}, {args}, {keywords}": commas also where there are none. */
static int print_partialmethod_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr v[3], items;
	uint64_t n;
	int rc = open_partialmethod(p, addr, v);

	rc = rc < 0 ? rc : scry_sequence(p->runtime, v[1], &n, &items);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s.%s(", scry_type_module(p->runtime, type),
		    scry_type_qualname(p->runtime, type));
	scry_print(p, v[0]);
	scry_buf_puts(p->out, ", ");
	scry_print_items(p, items, n);
	size_t at = p->out->len;
	print_keywords(p, v[2]);
	if (p->out->len == at)
		scry_buf_puts(p->out, ", ");
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* "<single dispatch method descriptor f>" */
static int print_singledispatchmethod(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr func;
	int rc = scry_attr(p->runtime, addr, "func", &func);
	const char *name = rc < 0 ? NULL : scry_name_of(p->runtime, func, true);

	(void)type;
	if (rc == SCRY_OK)
		scry_printf(p, "<single dispatch method descriptor %s>", name ? name : "?");
	return rc;
}

/* --- operator.methodcaller --- */

static int print_methodcaller_from(struct scry_printer *p, scry_addr addr, scry_addr type,
				   uint64_t first)
{
	struct scry_runtime *r = p->runtime;
	scry_addr name, args, kw = 0, items;
	uint64_t n;
	int rc = scry_field_read(r, addr, SCRY_F_METHODCALLER_NAME, &name);

	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_METHODCALLER_ARGS, &args);
	rc = rc < 0 ? rc : scry_field_read(r, addr, SCRY_F_METHODCALLER_KWARGS, &kw);
	rc = rc < 0 ? rc : scry_sequence(r, args, &n, &items);
	if (rc < 0)
		return rc;
	first = first < n ? first : n;
	items += first * r->session->target->abi.ptr_size;
	n -= first;
	scry_printf(p, "operator.%s(", scry_type_short(r, type));
	scry_print(p, name);
	print_arguments(p, items, n, kw);
	return SCRY_OK;
}

static int print_methodcaller(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_methodcaller_from(p, addr, type, 0);
}

/* 3.13: xargs starts with the name */
static int print_methodcaller_3_13(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_methodcaller_from(p, addr, type, 1);
}

/*
 * The field of a namedtuple, as its class has it: Modules/_collectionsmodule.c, since 3.8 (its repr
 * since 3.9)
 */
static int print_tuplegetter(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t index;
	scry_addr doc;
	int rc = scry_field_read_int(p->runtime, addr, SCRY_F_TUPLEGETTER_INDEX, &index);

	rc = rc < 0 ? rc : scry_field_read(p->runtime, addr, SCRY_F_TUPLEGETTER_DOC, &doc);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s(%" PRId64 ", ", scry_type_short(p->runtime, type), index);
	scry_print(p, doc);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_functools[] = {
	{ "functools.partial", 0, print_partial, .until = SCRY_VERSION_OF(3, 13) },
	{ "functools.partial", 0, print_partial_3_13, .since = SCRY_VERSION_OF(3, 13) },
	{ "functools._PlaceholderType", .form = "Placeholder" },
	{ "functools.partialmethod", 0, print_partialmethod, .since = SCRY_VERSION_OF(3, 13) },
	{ "functools.partialmethod", 0, print_partialmethod_old, .until = SCRY_VERSION_OF(3, 13) },
	/* 3.14+ shares its __repr__ with partial's Python version */
	{ "functools._partial_repr", 0, print_partialmethod },
	{ "functools.singledispatchmethod", 0, print_singledispatchmethod },
	{ "operator.methodcaller", 0, print_methodcaller_3_13, .since = SCRY_VERSION_OF(3, 13),
	  .until = SCRY_VERSION_OF(3, 14) },
	{ "operator.methodcaller", 0, print_methodcaller },
	{ "_collections._tuplegetter", 0, print_tuplegetter },
	{ "collections._tuplegetter", 0, print_tuplegetter },
	{ NULL },
};
