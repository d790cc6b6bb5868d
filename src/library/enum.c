/* Enum members, flags, and their classes: Lib/enum.py. */
#include "object/known.h"
#include "object/printer.h"

#include <stdlib.h>

/*
 * Up to 3.10 a flag without a name is taken apart: _decompose(). Its parts are the named members,
 * and single bits without a name that were met before; up to 3.8 all such bits, later those that no
 * named member covers.
 */
struct part {
	int64_t value;
	scry_addr member;
};

struct parts {
	struct part part[128];
	size_t count;
	int64_t left; /* bits that no part covers */
};

static int larger(const void *a, const void *b)
{
	int64_t x = ((const struct part *)a)->value, y = ((const struct part *)b)->value;

	return x > y ? -1 : x < y;
}

static bool has_name(struct scry_runtime *r, scry_addr member)
{
	scry_addr name;

	return scry_attr(r, member, "_name_", &name) == SCRY_OK && !scry_is_none(r, name);
}

/* One walk over the members, named or not. */
static int collect(struct scry_runtime *r, const struct scry_dict_view *map, int64_t value,
		   bool named, int64_t within, struct parts *ret)
{
	scry_addr key, member;
	int64_t bits;
	uint64_t it = 0;
	int rc;

	while ((rc = scry_dict_view_next(map, &it, &key, &member)) == SCRY_ITEM) {
		if ((rc = scry_int_value(r, key, &bits)) < 0)
			return rc;
		bool single = bits > 0 && (bits & (bits - 1)) == 0;
		if (!bits || (bits & value) != bits || has_name(r, member) != named ||
		    (!named && (!single || !(bits & within))))
			continue;
		if (ret->count == sizeof(ret->part) / sizeof(ret->part[0]))
			return SCRY_ELIMIT;
		ret->part[ret->count++] = (struct part) { bits, member };
		ret->left &= ~bits;
	}
	return rc;
}

static int decompose(struct scry_runtime *r, scry_addr type, int64_t value, bool all_bits,
		     struct parts *ret)
{
	struct scry_dict_view v;
	scry_addr map;
	int rc = scry_attr(r, type, "_value2member_map_", &map);

	ret->count = 0;
	ret->left = value;
	rc = rc < 0 ? rc : scry_dict_open(r, map, &v);
	rc = rc < 0 ? rc : collect(r, &v, value, true, value, ret);
	if (rc >= 0 && value >= 0)
		rc = collect(r, &v, value, false, all_bits ? value : ret->left, ret);
	if (rc >= 0)
		qsort(ret->part, ret->count, sizeof(ret->part[0]), larger);
	return rc;
}

static void print_parts(struct scry_printer *p, const struct parts *parts, int64_t value)
{
	size_t first = parts->count > 1 && parts->part[0].value == value;

	if (parts->count == 0)
		scry_printf(p, "%" PRId64, value);
	for (size_t k = first; k < parts->count; k++) {
		const char *name = scry_attr_text(p->runtime, parts->part[k].member, "_name_");

		scry_buf_puts(p->out, k > first ? "|" : "");
		if (name)
			scry_buf_puts(p->out, name);
		else
			scry_printf(p, "%" PRId64, parts->part[k].value);
	}
}

static int print_flag_as(struct scry_printer *p, scry_addr addr, scry_addr type, bool all_bits)
{
	struct parts parts;
	scry_addr name;
	int64_t value = 0;
	int rc = scry_attr(p->runtime, addr, "_name_", &name);

	if (rc < 0)
		return rc;
	bool named = !scry_is_none(p->runtime, name);
	if (!named && (scry_attr_int(p->runtime, addr, "_value_", &value) < 0 ||
		       decompose(p->runtime, type, value, all_bits, &parts) < 0))
		return scry_print_unknown(p, addr, type);
	scry_printf(p, "<%s.", scry_type_short(p->runtime, type));
	if (named)
		scry_print_plain(p, name);
	else
		print_parts(p, &parts, value);
	scry_buf_puts(p->out, ": ");
	scry_print_attr(p, addr, "_value_");
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* --- 3.11+: the value as _value_repr_ of the class writes it --- */

/*
 * enum._dataclass_repr(), 3.12+, where a dataclass is mixed in: "x=1, y=2". SCRY_EUNSUPPORTED: code
 * of the program's would write it.
 */
static int print_value(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	const char *name = NULL;
	scry_addr how, value;
	int rc = scry_attr(r, addr, "_value_", &value);

	if (rc < 0)
		return rc;
	if (scry_type_lookup(r, type, "_value_repr_", &how, NULL) == SCRY_OK &&
	    scry_is_exactly(r, how, SCRY_IS_FUNCTION)) {
		const char *module = scry_attr_text(r, how, "__module__");
		scry_addr of, own;

		if (scry_type_of(r, value, &of) == SCRY_OK &&
		    scry_type_lookup(r, of, "__repr__", &own, NULL) == SCRY_OK && own == how) {
			scry_print(p, value);
			return SCRY_OK;
		}
		name = scry_own_name(r, how, true);
		if (!name || strcmp(name, "_dataclass_repr") || !module || strcmp(module, "enum"))
			return SCRY_EUNSUPPORTED;
		return scry_print_dataclass_fields(p, value);
	}
	scry_print(p, value);
	return SCRY_OK;
}

static int print_member(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr name;
	int rc = scry_attr(p->runtime, addr, "_name_", &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s", scry_type_short(p->runtime, type));
	if (!scry_is_none(p->runtime, name)) {
		scry_buf_putc(p->out, '.');
		scry_print_plain(p, name);
	}
	scry_buf_puts(p->out, ": ");
	rc = print_value(p, addr, type);
	scry_buf_putc(p->out, '>');
	return rc;
}

static int print_flag_3_6(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_flag_as(p, addr, type, true);
}

static int print_flag_3_9(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_flag_as(p, addr, type, false);
}

/*
 * re.RegexFlag has its own from 3.7 to 3.10: "re.IGNORECASE|re.MULTILINE|0x400", in the order of
 * definition
 */
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
	return print_class_as(p, addr,
			      scry_type_derives(p->runtime, addr, "enum.Flag") ? "flag" : "enum");
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
	const char *module = module_tail(p->runtime, type),
		   *name = scry_attr_text(p->runtime, addr, "_name_");

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

/* what EnumType puts into each class's dict: Lib/enum.py */
#define EACH_HAS                                                                                \
	"_value_repr_ _member_type_ _member_map_ _member_names_ _value2member_map_ _boundary_ " \
	"_flag_mask_ _singles_mask_ _all_bits_ _inverted_"

const struct scry_printer_row scry_printers_enum[] = {
	{ "enum.Enum", .form = "<%C.{_name_:s}: {_value_}>", .until = SCRY_VERSION_OF(3, 11) },
	{ "enum.Enum", 0, print_member, .since = SCRY_VERSION_OF(3, 11), .knows = EACH_HAS },
	{ "enum.Flag", 0, print_flag_3_6, .until = SCRY_VERSION_OF(3, 9) },
	{ "enum.Flag", 0, print_flag_3_9, .since = SCRY_VERSION_OF(3, 9),
	  .until = SCRY_VERSION_OF(3, 11) },
	{ "enum.Flag", 0, print_member, .since = SCRY_VERSION_OF(3, 11), .knows = EACH_HAS },
	{ "re.RegexFlag", 0, print_regex_flag },
	{ "enum.EnumMeta", 0, print_enum_class, .until = SCRY_VERSION_OF(3, 11) },
	{ "enum.EnumType", 0, print_enum_class_3_11 },
	{ "enum.EnumMeta", 0, print_enum_class_3_11, .since = SCRY_VERSION_OF(3, 11) },
	{ "enum.global_enum_repr", 0, print_global },
	{ "enum.global_flag_repr", 0, print_global_flag },
	{ "enum.auto", .form = "auto({value})" },
	{ "enum._auto_null", .form = "_auto_null" },
	{ "http.HTTPMethod", .form = "<%C.{_name_:s}>" },
	{ NULL },
};
