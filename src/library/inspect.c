/* inspect's signatures, as str() writes them: Lib/inspect.py */
#include "object/known.h"
#include "object/printer.h"

#include <ctype.h>

enum { POSITIONAL_ONLY, POSITIONAL_OR_KEYWORD, VAR_POSITIONAL, KEYWORD_ONLY, VAR_KEYWORD };

static bool is_empty(struct scry_runtime *r, scry_addr value)
{
	struct scry_type *t;

	return scry_type_for(r, value, &t) < 0 || scry_is_type(r, value, SCRY_IS_SIGNATURE_EMPTY);
}

/* "typing." is taken off where it begins a name. */
static void drop_typing(struct scry_buf *out, size_t start)
{
	static const char prefix[] = "typing.";
	size_t n = sizeof(prefix) - 1, to = start;
	char last = ' ';

	for (size_t i = start; i < out->len; i++) {
		bool inside = isalnum((unsigned char)last) || last == '_' || last == '.';

		if (!inside && i + n <= out->len && !memcmp(out->text + i, prefix, n))
			i += n;
		last = i < out->len ? out->text[i] : ' ';
		out->text[to++] = last;
	}
	scry_buf_cut(out, to < out->len ? to : out->len);
}

/* formatannotation() */
static void put_annotation(struct scry_printer *p, scry_addr value)
{
	struct scry_runtime *r = p->runtime;
	const char *module = scry_attr_text(r, value, "__module__");
	size_t start = p->out->len;
	struct scry_type *t;

	if (module && !strcmp(module, "typing")) {
		scry_print(p, value);
		drop_typing(p->out, start);
	} else if (scry_type_for(r, value, &t) == SCRY_OK && t->flags & TYPE_TYPE) {
		module = scry_type_module(r, value);
		if (strcmp(module, "builtins"))
			scry_printf(p, "%s.", module);
		scry_buf_puts(p->out, scry_type_qualname(r, value));
	} else {
		scry_print(p, value);
	}
}

static int put_parameter(struct scry_printer *p, scry_addr addr, int64_t *ret_kind)
{
	struct scry_runtime *r = p->runtime;
	scry_addr name, annotation, otherwise;
	int rc = scry_attr_int(r, addr, "_kind", ret_kind);

	rc = rc < 0 ? rc : scry_attr(r, addr, "_name", &name);
	rc = rc < 0 ? rc : scry_attr(r, addr, "_annotation", &annotation);
	rc = rc < 0 ? rc : scry_attr(r, addr, "_default", &otherwise);
	if (rc < 0)
		return rc;
	bool spaced = scry_trait(r, SCRY_TRAIT_SIGNATURE_SPACED),
	     annotated = !is_empty(r, annotation);
	scry_buf_puts(p->out, *ret_kind == VAR_POSITIONAL ? "*"
			      : *ret_kind == VAR_KEYWORD  ? "**"
							  : "");
	scry_print_plain(p, name);
	if (annotated) {
		scry_buf_puts(p->out, spaced ? ": " : ":");
		put_annotation(p, annotation);
	}
	if (!is_empty(r, otherwise)) {
		scry_buf_puts(p->out, spaced && annotated ? " = " : "=");
		scry_print(p, otherwise);
	}
	return SCRY_OK;
}

static int print_parameter(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t kind;

	scry_printf(p, "<%s \"", scry_type_short(p->runtime, type));
	int rc = put_parameter(p, addr, &kind);
	scry_buf_puts(p->out, "\">");
	return rc;
}

/* The dict of a mappingproxy, or the dict itself. */
static scry_addr dict_behind(struct scry_runtime *r, scry_addr obj)
{
	scry_addr inner;

	if (scry_is_exactly(r, obj, SCRY_IS_MAPPINGPROXY) &&
	    scry_field_read(r, obj, SCRY_F_MAPPINGPROXY_MAPPING, &inner) == SCRY_OK)
		return inner;
	return obj;
}

static int put_parameters(struct scry_printer *p, scry_addr parameters)
{
	struct scry_dict_view v;
	scry_addr key, value;
	uint64_t it = 0;
	int64_t kind;
	const char *between = "";
	bool positional_only = false, star = false;
	int rc = scry_dict_open(p->runtime, dict_behind(p->runtime, parameters), &v);

	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, &value)) == SCRY_ITEM) {
		size_t at = p->out->len;

		if ((rc = put_parameter(p, value, &kind)) < 0)
			break;
		char *text = scry_arena_text(&p->runtime->session->arena, p->out->text + at,
					     p->out->len - at);
		scry_buf_cut(p->out, at);
		if (positional_only && kind != POSITIONAL_ONLY) {
			scry_buf_puts(p->out, ", /");
			positional_only = false;
		}
		positional_only |= kind == POSITIONAL_ONLY;
		if (kind == KEYWORD_ONLY && !star)
			scry_printf(p, "%s*",
				    *between || p->out->text[p->out->len - 1] == '/' ? ", " : "");
		if (kind == KEYWORD_ONLY && !star)
			between = ", ";
		star |= kind == VAR_POSITIONAL || kind == KEYWORD_ONLY;
		scry_printf(p, "%s%s", between, text ? text : "?");
		between = ", ";
	}
	scry_buf_puts(p->out, positional_only ? ", /" : "");
	return rc;
}

static int print_signature(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr parameters, annotation;
	int rc = scry_attr(p->runtime, addr, "_parameters", &parameters);

	rc = rc < 0 ? rc : scry_attr(p->runtime, addr, "_return_annotation", &annotation);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "<%s (", scry_type_short(p->runtime, type));
	rc = put_parameters(p, parameters);
	scry_buf_putc(p->out, ')');
	if (rc >= 0 && !is_empty(p->runtime, annotation)) {
		scry_buf_puts(p->out, " -> ");
		put_annotation(p, annotation);
	}
	scry_buf_putc(p->out, '>');
	scry_printer_leave(p);
	return rc;
}

static int print_bound_arguments(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_dict_view v;
	scry_addr arguments, key, value;
	uint64_t it = 0;
	int rc = scry_attr(p->runtime, addr, "arguments", &arguments);

	rc = rc < 0 ? rc : scry_dict_open(p->runtime, arguments, &v);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "<%s (", scry_type_short(p->runtime, type));
	for (uint64_t i = 0; scry_printer_more(p, i, v.used); i++) {
		rc = scry_dict_view_next(&v, &it, &key, &value);
		if (rc != SCRY_ITEM)
			break;
		scry_print_plain(p, key);
		scry_buf_putc(p->out, '=');
		scry_print(p, value);
	}
	scry_buf_puts(p->out, ")>");
	scry_printer_leave(p);
	return rc < 0 ? rc : SCRY_OK;
}

/* Before 3.6 a dict has no order of its own. */

const struct scry_printer_row scry_printers_inspect[] = {
	{ "inspect.Parameter", 0, print_parameter, .since = SCRY_VERSION_OF(3, 6),
	  .uses = "__str__ __format__ format" },
	{ "inspect.Signature", 0, print_signature, .since = SCRY_VERSION_OF(3, 6),
	  .uses = "__str__ __format__ format" },
	{ "inspect.BoundArguments", 0, print_bound_arguments, .since = SCRY_VERSION_OF(3, 6) },
	{ NULL },
};
