/* Enum members, flags, and their classes: Lib/enum.py. */
#include "object/internal.h"

#include <stdlib.h>

/* Up to 3.10 a flag without a name is taken apart: _decompose(). */
struct part {
	int64_t value;
	scry_addr name;
};

#define PARTS_MAX 128

static int larger(const void *a, const void *b)
{
	int64_t x = ((const struct part *)a)->value, y = ((const struct part *)b)->value;

	return x > y ? -1 : x < y;
}

/* A second name of a member: _member_map_ has both. */
static bool is_alias(struct scry_runtime *r, scry_addr member, scry_addr key)
{
	const char *name = scry_attr_text(r, member, "_name_");

	return name && !scry_text_is(r, key, name);
}

static size_t collect_parts(struct scry_runtime *r, scry_addr type, int64_t value, struct part *parts)
{
	struct scry_dict_view v;
	scry_addr map, key, member;
	int64_t bits;
	uint64_t it = 0;
	size_t n = 0;

	if (scry_attr(r, type, "_member_map_", &map) < 0 || scry_dict_open(r, map, &v) < 0)
		return 0;
	while (n < PARTS_MAX && scry_dict_view_next(&v, &it, &key, &member) == SCRY_ITEM)
		if (scry_attr_int(r, member, "_value_", &bits) == SCRY_OK && bits && (bits & value) == bits &&
		    !is_alias(r, member, key))
			parts[n++] = (struct part){ bits, key };
	qsort(parts, n, sizeof(*parts), larger);
	return n;
}

static void print_parts(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct part parts[PARTS_MAX];
	int64_t value = 0;
	size_t n, i = 0;

	if (scry_attr_int(p->runtime, addr, "_value_", &value) < 0)
		return;
	n = collect_parts(p->runtime, type, value, parts);
	if (n > 1 && parts[0].value == value)
		i = 1;
	if (n == 0)
		scry_printf(p, "%" PRId64, value);
	for (size_t k = i; k < n; k++) {
		scry_buf_puts(p->out, k > i ? "|" : "");
		scry_print_plain(p, parts[k].name);
	}
}

static int print_flag_old(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr name;
	int rc = scry_attr(p->runtime, addr, "_name_", &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s.", scry_type_short(p->runtime, type));
	if (scry_is_none(p->runtime, name))
		print_parts(p, addr, type);
	else
		scry_print_plain(p, name);
	scry_buf_puts(p->out, ": ");
	scry_print_attr(p, addr, "_value_");
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* re.RegexFlag has its own from 3.7 to 3.10: "re.IGNORECASE|re.MULTILINE|0x400", in the order of definition */
static int print_regex_flag(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	const char *name = scry_attr_text(r, addr, "_name_"), *between = "";
	struct scry_dict_view v;
	scry_addr map, key, member;
	int64_t value, bits;
	uint64_t it = 0;
	int rc = scry_attr_int(r, addr, "_value_", &value);

	if (name)
		scry_printf(p, "re.%s", name);
	if (name || rc < 0)
		return rc < 0 ? rc : SCRY_OK;
	rc = scry_attr(r, type, "_member_map_", &map);
	rc = rc < 0 ? rc : scry_dict_open(r, map, &v);
	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, &member)) == SCRY_ITEM)
		if (scry_attr_int(r, member, "_value_", &bits) == SCRY_OK && (value & bits)) {
			value &= ~bits;
			name = scry_attr_text(r, member, "_name_");
			scry_printf(p, "%sre.%s", between, name ? name : "?");
			between = "|";
		}
	if (value)
		scry_printf(p, "%s0x%" PRIx64, between, (uint64_t)value);
	return rc < 0 ? rc : SCRY_OK;
}

static int print_class_as(struct scry_printer *p, scry_addr addr, const char *kind)
{
	scry_printf(p, "<%s '%s'>", kind, scry_type_short(p->runtime, addr));
	return SCRY_OK;
}

static int print_enum_class(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_class_as(p, addr, "enum");
}

static int print_enum_class_3_11(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_class_as(p, addr, scry_type_is(p->runtime, addr, "Flag") ? "flag" : "enum");
}

static const char *module_tail(struct scry_runtime *r, scry_addr type)
{
	const char *module = scry_type_module(r, type), *dot = strrchr(module, '.');

	return dot ? dot + 1 : module;
}

static int print_global(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr name;
	int rc = scry_attr(p->runtime, addr, "_name_", &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "%s.", module_tail(p->runtime, type));
	scry_print_plain(p, name);
	return SCRY_OK;
}

/* "re.IGNORECASE|re.MULTILINE", "re.RegexFlag(1024)" */
static int print_global_flag(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *module = module_tail(p->runtime, type), *name = scry_attr_text(p->runtime, addr, "_name_");

	if (!name) {
		scry_printf(p, "%s.%s(", module, scry_type_short(p->runtime, type));
		scry_print_attr(p, addr, "_value_");
		scry_buf_putc(p->out, ')');
		return SCRY_OK;
	}
	while (*name) {
		size_t n = strcspn(name, "|");

		if (*name < '0' || *name > '9')
			scry_printf(p, "%s.", module);
		scry_buf_put(p->out, name, n);
		name += n;
		if (*name == '|')
			scry_buf_putc(p->out, *name++);
	}
	return SCRY_OK;
}

#define PY311 SCRY_VERSION_OF(3, 11)

const struct scry_printer_row scry_printers_enum[] = {
	{ "enum.Enum", .form = "<%C.{_name_:s}: {_value_}>" },
	{ "enum.Flag", 0, print_flag_old, .until = PY311 },
	{ "enum.Flag", .form = "<%C[_name_:.{_name_:s}]: {_value_}>", .since = PY311 },
	{ "enum.IntFlag", 0, print_flag_old, .until = PY311 },
	{ "re.RegexFlag", 0, print_regex_flag },
	{ "enum.EnumMeta", 0, print_enum_class, .until = PY311 },
	{ "enum.EnumType", 0, print_enum_class_3_11 },
	{ "enum.EnumMeta", 0, print_enum_class_3_11, .since = PY311 },
	{ "enum.global_enum_repr", 0, print_global },
	{ "enum.global_flag_repr", 0, print_global_flag },
	{ "enum.auto", .form = "auto({value})" },
	{ NULL },
};
