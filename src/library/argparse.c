/* types.SimpleNamespace, argparse.Namespace and its relatives: "Namespace(a=1)" */
#include "object/known.h"
#include "object/printer.h"

#include <stdlib.h>

struct named {
	const char *name;
	scry_addr value;
};

#define NAMED_MAX 1000

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* str.isidentifier() of ASCII; other letters are taken for such */
static bool is_identifier(const char *name)
{
	if (!*name || (*name >= '0' && *name <= '9'))
		return false;
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c < 0x80 && !(*c == '_' || (*c >= '0' && *c <= '9') ||
				   ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z')))
			return false;
	return true;
}

/* Names that are not identifiers come last, as "**{'not-one': 1}" (argparse, 3.6+) */
static void print_others(struct scry_printer *p, const struct named *all, uint64_t n, bool first)
{
	const char *between = "";

	scry_buf_puts(p->out, first ? "**{" : ", **{");
	for (uint64_t i = 0; i < n; i++) {
		if (is_identifier(all[i].name))
			continue;
		scry_buf_puts(p->out, between);
		scry_print_quoted(p, all[i].name);
		scry_buf_puts(p->out, ": ");
		scry_print(p, all[i].value);
		between = ", ";
	}
	scry_buf_putc(p->out, '}');
}

static void print_named(struct scry_printer *p, const struct named *all, uint64_t n, bool apart)
{
	uint64_t shown = 0, others = 0;

	for (uint64_t i = 0; i < n; i++) {
		if (apart && !is_identifier(all[i].name)) {
			others++;
			continue;
		}
		if (!scry_printer_more(p, shown++, n))
			return;
		scry_printf(p, "%s=", all[i].name);
		scry_print(p, all[i].value);
	}
	if (others)
		print_others(p, all, n, shown == 0);
}

static int print_namespace_as(struct scry_printer *p, scry_addr addr, const char *name, bool sorted,
			      bool apart)
{
	struct named *all = calloc(NAMED_MAX, sizeof(*all));
	uint64_t it = 0, n = 0;
	int rc = all ? SCRY_ITEM : scry_fail(p->runtime->session, SCRY_ENOMEM, 0, "out of memory");

	while (rc == SCRY_ITEM && n < NAMED_MAX) {
		rc = scry_attr_next(p->runtime, addr, &it, &all[n].name, &all[n].value);
		n += rc == SCRY_ITEM;
	}
	/* only SimpleNamespace has a guard */
	if (rc >= 0 && scry_printer_enter(p, apart ? 0 : addr, "")) {
		if (sorted)
			qsort(all, n, sizeof(*all), by_name);
		scry_printf(p, "%s(", name);
		print_named(p, all, n, apart);
		scry_buf_putc(p->out, ')');
		scry_printer_leave(p);
	} else if (rc >= 0) {
		scry_printf(p, "%s(...)", name);
	}
	free(all);
	return rc < 0 ? rc : SCRY_OK;
}

static int print_simple(struct scry_printer *p, scry_addr addr, scry_addr type, bool sorted)
{
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	if (rc < 0)
		return rc;
	return print_namespace_as(p, addr,
				  scry_known_type(t) == SCRY_IS_NAMESPACE
					  ? "namespace"
					  : scry_type_short(p->runtime, type),
				  sorted, false);
}

static int print_simple_namespace(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_simple(p, addr, type, false);
}

static int print_simple_sorted(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_simple(p, addr, type, true);
}

/*
 * --- argparse: parsers and actions list in _get_kwargs() the attributes to show. The list grew in
 * minor and micro versions, so it is read from the target: constants of the code, one by one, or
 * since 3.9 a tuple of them.
 */

/* Who defines _get_kwargs() for this class, and what constants its code has. */
static const char *names_of(struct scry_runtime *r, scry_addr type, scry_addr *ret_consts)
{
	scry_addr function, owner, code;
	const char *name;

	if (scry_type_lookup(r, type, "_get_kwargs", &function, &owner) < 0 ||
	    scry_type_full_name(r, owner, &name) < 0 ||
	    scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &code) < 0 ||
	    scry_field_read(r, code, SCRY_F_CODE_CONSTS, ret_consts) < 0)
		return "";
	return name;
}

/* The tuple among the constants, or else all of them. */
static scry_addr list_of_names(struct scry_runtime *r, scry_addr consts)
{
	scry_addr items, item;
	struct scry_type *t;
	uint64_t n;

	if (scry_sequence(r, consts, &n, &items) < 0)
		return consts;
	for (uint64_t i = 0; i < n && i < 100; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &item) == SCRY_OK &&
		    scry_type_for(r, item, &t) == SCRY_OK && t->flags & TYPE_TUPLE)
			return item;
	return consts;
}

static int print_listed(struct scry_printer *p, scry_addr addr, scry_addr names)
{
	struct scry_runtime *r = p->runtime;
	scry_addr items, item;
	struct scry_type *t;
	uint64_t n, shown = 0;
	const char *name;
	int rc = scry_sequence(r, names, &n, &items);

	for (uint64_t i = 0; rc == SCRY_OK && i < n && i < 100; i++) {
		rc = scry_word(r, items + i * r->session->target->abi.ptr_size, &item);
		rc = rc < 0 ? rc : scry_type_for(r, item, &t);
		/* also among them: the name of the comprehension */
		if (rc < 0 || !(t->flags & (TYPE_UNICODE | TYPE_BYTES)) ||
		    scry_text_at(r, item, 100, &name) < 0 || !is_identifier(name))
			continue;
		scry_printf(p, "%s%s=", shown++ ? ", " : "", name);
		if (!scry_print_attr(p, addr, name))
			scry_printer_damage(p, addr);
	}
	return rc;
}

static int print_attribute_holder(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr consts = 0;
	const char *owner = names_of(p->runtime, type, &consts);

	if (!strcmp(owner, "argparse._AttributeHolder"))
		return print_namespace_as(p, addr, scry_type_short(p->runtime, type),
					  scry_trait(p->runtime, SCRY_TRAIT_NAMESPACE_SORTED),
					  scry_trait(p->runtime, SCRY_TRAIT_NAMESPACE_STARS));
	if (strcmp(owner, "argparse.Action") && strcmp(owner, "argparse.ArgumentParser"))
		return scry_print_unknown(p, addr, type);
	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	scry_printf(p, "%s(", scry_type_short(p->runtime, type));
	int rc = print_listed(p, addr, list_of_names(p->runtime, consts));
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return rc;
}

const struct scry_printer_row scry_printers_argparse[] = {
	{ "types.SimpleNamespace", 0, print_simple_namespace, .since = SCRY_VERSION_OF(3, 9) },
	{ "types.SimpleNamespace", 0, print_simple_sorted, .until = SCRY_VERSION_OF(3, 9) },
	{ "namespace", 0, print_simple_sorted, .until = SCRY_VERSION_OF(3, 9) },
	{ "argparse._AttributeHolder", 0, print_attribute_holder },
	{ NULL },
};
