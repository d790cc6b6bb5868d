/* Instances of library classes: dataclasses, namespaces, paths, UUIDs, addresses. */
#include "object/known.h"
#include "object/overrides.h"
#include "object/printer.h"

#include <stdlib.h>

/* A property or another descriptor with the name of a field is code that would run. */
static bool has_property(struct scry_runtime *r, scry_addr type, const char *name)
{
	scry_addr value;

	return scry_type_lookup(r, type, name, &value, NULL) == SCRY_OK &&
	       scry_is_data_descriptor(r, value);
}

/* --- dataclasses: what the generated __repr__ would give from __dataclass_fields__ --- */

static bool is_plain_field(struct scry_runtime *r, scry_addr field)
{
	scry_addr kind, shown;
	const char *name = NULL;

	if (scry_attr(r, field, "_field_type", &kind) == SCRY_OK)
		name = scry_attr_text(r, kind, "name");
	if (name && strcmp(name, "_FIELD"))
		return false;
	return scry_attr(r, field, "repr", &shown) < 0 || scry_truth(r, shown, true);
}

static void print_field(struct scry_printer *p, scry_addr obj, const char *name)
{
	scry_printf(p, "%s=", name);
	if (!scry_print_attr(p, obj, name))
		scry_buf_puts(p->out, "<unset>");
}

/* `owner`: whose fields they are. A class that derives from it may have more, or call others so. */
static int put_fields(struct scry_printer *p, scry_addr addr, scry_addr owner)
{
	struct scry_runtime *r = p->runtime;
	struct scry_dict_view v;
	scry_addr type, fields, key, field;
	uint64_t it = 0, shown = 0;
	const char *name;
	int rc = scry_type_of(r, addr, &type);

	rc = rc < 0 ? rc : scry_type_lookup(r, owner, "__dataclass_fields__", &fields, NULL);
	rc = rc < 0 ? rc : scry_dict_open(r, fields, &v);
	if (rc < 0)
		return rc;
	while (scry_dict_view_next(&v, &it, &key, &field) == SCRY_ITEM) {
		if (!is_plain_field(r, field) || scry_text_at(r, key, 500, &name) < 0)
			continue;
		if (has_property(r, type, name))
			return SCRY_EUNSUPPORTED;
		if (!scry_printer_more(p, shown++, v.used))
			break;
		print_field(p, addr, name);
	}
	return SCRY_OK;
}

int scry_print_dataclass_fields(struct scry_printer *p, scry_addr addr)
{
	scry_addr type;
	int rc = scry_type_of(p->runtime, addr, &type);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	rc = put_fields(p, addr, type);
	scry_printer_leave(p);
	return rc;
}

/* The class whose __repr__ it is. */
static scry_addr repr_owner(struct scry_runtime *r, scry_addr type)
{
	struct scry_type *t;

	return scry_type_at(r, type, &t) == SCRY_OK && t->repr_owner ? t->repr_owner : type;
}

static int print_dataclass(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	scry_printf(p, "%s(", scry_type_qualname(p->runtime, type));
	int rc = put_fields(p, addr, repr_owner(p->runtime, type));
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return rc;
}

/* attr.ib(repr=function): code of the program's own */
static bool has_own_reprs(struct scry_runtime *r, scry_addr items, uint64_t n)
{
	scry_addr attribute, repr;

	for (uint64_t i = 0; i < n && i < 1000; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &attribute) ==
			    SCRY_OK &&
		    scry_attr(r, attribute, "repr", &repr) == SCRY_OK &&
		    !scry_is_exactly(r, repr, SCRY_IS_BOOL))
			return true;
	return false;
}

/*
 * attrs' own Factory has only slots, in the order in which they print; Attribute leaves some out,
 * by version.
 */
static int print_slots(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	uint64_t n, shown = 0;
	scry_addr tuple, items, slot;
	const char *name;
	int rc = !scry_type_is(r, type, SCRY_IS_ATTRS_FACTORY)
			 ? SCRY_ENOTFOUND
			 : scry_type_lookup(r, type, "__slots__", &tuple, NULL);

	rc = rc < 0 ? rc : scry_sequence(r, tuple, &n, &items);
	if (rc < 0)
		return scry_print_unknown(p, addr, type);
	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	scry_printf(p, "%s(", scry_type_short(r, type));
	for (uint64_t i = 0; i < n && i < 100; i++)
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &slot) == SCRY_OK &&
		    scry_text_at(r, slot, 200, &name) == SCRY_OK && name[0] != '_') {
			scry_buf_puts(p->out, shown++ ? ", " : "");
			print_field(p, addr, name);
		}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

/*
 * attrs: a tuple of Attribute objects; the name is what follows the last ">." of the qualified name
 */
static int print_attrs(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	uint64_t n, shown = 0;
	scry_addr tuple, items, attribute, repr;
	int rc = scry_type_lookup(r, repr_owner(r, type), "__attrs_attrs__", &tuple, NULL);

	if (rc == SCRY_ENOTFOUND)
		return print_slots(p, addr, type);
	rc = rc < 0 ? rc : scry_sequence(r, tuple, &n, &items);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	if (has_own_reprs(r, items, n)) {
		scry_printer_leave(p);
		return scry_print_unknown(p, addr, type);
	}
	const char *name = scry_type_qualname(r, type), *tail = strstr(name, ">.");
	for (const char *next = tail; next; next = strstr(next + 2, ">."))
		tail = next;
	scry_printf(p, "%s(", tail ? tail + 2 : name);
	for (uint64_t i = 0; i < n; i++) {
		if (scry_word(r, items + i * r->session->target->abi.ptr_size, &attribute) < 0)
			break;
		name = scry_attr_text(r, attribute, "name");
		if (!name || (scry_attr(r, attribute, "repr", &repr) == SCRY_OK &&
			      !scry_truth(r, repr, true)))
			continue;
		if (!scry_printer_more(p, shown, n))
			break;
		shown++;
		print_field(p, addr, name);
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_chain(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	int rc = scry_print_form(p, addr, type, "%C({maps:*})");
	scry_printer_leave(p);
	return rc;
}

/* zoneinfo: one of a file has no key, but the text of the file */
static int print_zone(struct scry_printer *p, scry_addr addr, const char *name)
{
	scry_addr key, file;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_ZONEINFO_KEY, &key);

	if (rc == SCRY_OK)
		rc = scry_field_read(p->runtime, addr, SCRY_F_ZONEINFO_FILE_REPR, &file);
	if (rc < 0)
		return rc;
	scry_buf_puts(p->out, name);
	if (scry_is_none(p->runtime, key)) {
		scry_buf_puts(p->out, ".from_file(");
		scry_print_plain(p, file);
	} else {
		scry_buf_puts(p->out, "(key=");
		scry_print(p, key);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* Up to 3.13 by tp_name, which is a class's short one. */
static int print_zoneinfo(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_type *t;
	int rc = scry_type_at(p->runtime, type, &t);

	return rc < 0 ? rc : print_zone(p, addr, t->name);
}

/* From 3.14 on by "%T", which leaves the module __main__ out: PyType_GetFullyQualifiedName(). */
static int print_zoneinfo_of_module(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	if (rc == SCRY_OK && !strncmp(name, "__main__.", 9))
		name += 9;
	return rc < 0 ? rc : print_zone(p, addr, name);
}

#define SPEC                                                        \
	"%C(name={name}, loader={loader}[origin:, origin={origin}]" \
	"[submodule_search_locations:, submodule_search_locations={submodule_search_locations}])"

const struct scry_printer_row scry_printers_instance[] = {
	{ "<dataclass>", 0, print_dataclass },
	{ "<attrs>", 0, print_attrs },
	{ "collections.UserDict", .form = "{data}" },
	{ "collections.UserList", .form = "{data}" },
	{ "collections.UserString", .form = "{data}" },
	{ "UserDict.UserDict", .form = "{data}" },
	{ "collections.ChainMap", 0, print_chain },
	{ "zoneinfo.ZoneInfo", 0, print_zoneinfo, .until = SCRY_VERSION_OF(3, 14) },
	{ "zoneinfo.ZoneInfo", 0, print_zoneinfo_of_module, .since = SCRY_VERSION_OF(3, 14) },
	{ "_frozen_importlib.ModuleSpec", .form = SPEC },
	{ "importlib._bootstrap.ModuleSpec", .form = SPEC },
	{ "weakref.WeakValueDictionary", .form = "<%C at %A>", .since = SCRY_VERSION_OF(3, 5) },
	{ "weakref.WeakKeyDictionary", .form = "<%C at %A>", .since = SCRY_VERSION_OF(3, 5) },
	{ "weakref.WeakValueDictionary", .form = "<%C at %D>", .until = SCRY_VERSION_OF(3, 5) },
	{ "weakref.WeakKeyDictionary", .form = "<%C at %D>", .until = SCRY_VERSION_OF(3, 5) },
	{ "_weakrefset.WeakSet", .form = "{data}" },
	{ NULL },
};
