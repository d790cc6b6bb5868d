/* Methods that a class overrides, and descriptors. */
#include "object/overrides.h"

#include <stdio.h>

#include "object/item.h"
#include "object/known.h"
#include "object/printer.h"

#define NAME_MAX_LENGTH 64

static bool dict_has_any(struct scry_runtime *r, scry_addr dict, const char *names)
{
	scry_addr value;

	for (const char *p = names; *p;) {
		size_t n = strcspn(p, " ");
		char name[NAME_MAX_LENGTH];

		snprintf(name, sizeof(name), "%.*s", (int)n, p);
		if (scry_dict_get(r, dict, name, &value) == SCRY_OK)
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

static bool same_package(struct scry_runtime *r, scry_addr a, scry_addr b)
{
	const char *x = scry_type_module(r, a), *y = scry_type_module(r, b);
	size_t n = strcspn(x, "."), m = strcspn(y, ".");

	return n == m && !strncmp(x, y, n);
}

bool scry_type_overrides(struct scry_runtime *r, scry_addr type, scry_addr owner, const char *names)
{
	uint64_t it = 0;
	struct scry_type *t;
	scry_addr cls;

	while (scry_mro_next(r, type, &it, &cls) == SCRY_ITEM && cls != owner)
		if (scry_type_at(r, cls, &t) == SCRY_OK && t->flags & TYPE_HEAP &&
		    dict_has_any(r, scry_type_dict(r, t), names) && !same_package(r, cls, owner))
			return true;
	return false;
}

const char *scry_type_own_method(struct scry_runtime *r, scry_addr type, const char *name)
{
	scry_addr value, owner;
	enum scry_known known;

	if (scry_type_lookup(r, type, name, &value, &owner) < 0)
		return NULL;
	known = scry_known_of(r, value);
	return known == SCRY_IS_WRAPPER_DESCRIPTOR || known == SCRY_IS_NONE ||
			       known == SCRY_IS_METHOD_DESCRIPTOR
		       ? NULL
		       : scry_type_short(r, owner);
}

static bool type_has(struct scry_runtime *r, scry_addr value, const char *name)
{
	scry_addr type, found;

	return scry_type_of(r, value, &type) == SCRY_OK &&
	       scry_type_lookup(r, type, name, &found, NULL) == SCRY_OK;
}

bool scry_is_own_descriptor(struct scry_runtime *r, scry_addr value)
{
	enum scry_known known = scry_known_of(r, value);

	return known == SCRY_IS_CTYPES_FIELD ||
	       (known == SCRY_IS_OTHER && type_has(r, value, "__get__"));
}

bool scry_is_data_descriptor(struct scry_runtime *r, scry_addr value)
{
	enum scry_known known = scry_known_of(r, value);

	if (known != SCRY_IS_OTHER)
		return known == SCRY_IS_PROPERTY || known == SCRY_IS_CTYPES_FIELD;
	return type_has(r, value, "__set__") || type_has(r, value, "__delete__");
}

/* --- what a container holds, without its class --- */

static void print_items(struct scry_printer *p, scry_addr addr, int64_t n)
{
	struct scry_item item;

	scry_buf_putc(p->out, '[');
	for (int64_t i = 0; scry_printer_more(p, (uint64_t)i, (uint64_t)n); i++) {
		if (scry_item_at(p->runtime, addr, i, &item) < 0)
			break;
		scry_print(p, item.addr);
	}
	scry_buf_putc(p->out, ']');
}

static void print_members(struct scry_printer *p, scry_addr addr, int64_t n)
{
	scry_addr value;
	uint64_t it = 0;

	scry_buf_putc(p->out, '{');
	for (int64_t i = 0; scry_printer_more(p, (uint64_t)i, (uint64_t)n); i++) {
		if (scry_set_next(p->runtime, addr, &it, &value) != SCRY_ITEM)
			break;
		scry_print(p, value);
	}
	scry_buf_putc(p->out, '}');
}

void scry_print_content(struct scry_printer *p, scry_addr addr, const struct scry_type *t,
			const struct scry_printer_row *row)
{
	int64_t n = scry_length(p->runtime, addr);
	bool set = scry_type_is(p->runtime, t->addr, SCRY_IS_SET) ||
		   scry_type_is(p->runtime, t->addr, SCRY_IS_FROZENSET);

	if (n < 0)
		return;
	scry_buf_puts(p->out, " holding ");
	if (row) {
		if (row->print(p, addr, t->addr) < 0)
			scry_printer_damage(p, addr);
	} else if (scry_printer_enter(p, addr, "...")) {
		if (set)
			print_members(p, addr, n);
		else
			print_items(p, addr, n);
		scry_printer_leave(p);
	}
}
