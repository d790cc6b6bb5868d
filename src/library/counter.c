/* collections.Counter: the most common first, equal ones in their order (Counter.most_common()). */
#include "object/known.h"
#include "object/printer.h"

#include <math.h>
#include <stdlib.h>

/*
 * What sorts: numbers against numbers. A number and text, or None, do not compare: then the dict's
 * order is kept.
 */
enum sort_of { SORT_NUMBER, SORT_ALIEN, SORT_UNKNOWN };

struct counted {
	scry_addr key, value;
	long double count;
	uint64_t place;
};

static int more_common(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static enum sort_of sort_of(struct scry_runtime *r, struct counted *item)
{
	int64_t whole;
	double real;
	struct scry_type *t;

	if (scry_int_value(r, item->value, &whole) == SCRY_OK) {
		item->count = whole;
		return SORT_NUMBER;
	}
	if (scry_type_for(r, item->value, &t) < 0)
		return SORT_UNKNOWN;
	if (scry_known_type(t) == SCRY_IS_FLOAT &&
	    scry_double_at(r, scry_field_addr(r, item->value, SCRY_F_FLOAT_VALUE), &real) ==
		    SCRY_OK &&
	    !isnan(real)) {
		item->count = real;
		return SORT_NUMBER;
	}
	return scry_is_none(r, item->value) || t->flags & (TYPE_UNICODE | TYPE_BYTES | TYPE_LIST |
							   TYPE_TUPLE | TYPE_DICT)
		       ? SORT_ALIEN
		       : SORT_UNKNOWN;
}

#define COUNTER_MAX 2000000 /* more are not sorted, so not printed */

static struct counted *counter_items(struct scry_runtime *r, const struct scry_dict_view *v,
				     uint64_t *ret_n, bool seen[3])
{
	uint64_t n = 0, it = 0;
	struct counted *items = v->used <= COUNTER_MAX ? calloc(v->used + 1, sizeof(*items)) : NULL;

	while (items && n < v->used &&
	       scry_dict_view_next(v, &it, &items[n].key, &items[n].value) == SCRY_ITEM) {
		items[n].place = n;
		seen[sort_of(r, &items[n])] = true;
		n++;
	}
	*ret_n = n;
	return items;
}

static int print_counter(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_dict_view v;
	uint64_t n;
	bool seen[3] = { false };
	int rc = scry_dict_open(p->runtime, addr, &v);

	if (rc < 0)
		return rc;
	struct counted *items = counter_items(p->runtime, &v, &n, seen);
	/* 2.7 compares anything with anything, by rules that need addresses of types */
	bool mixed =
		seen[SORT_ALIEN] &&
		(!seen[SORT_NUMBER] || scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT));
	if (!items || (n > 1 && (seen[SORT_UNKNOWN] || mixed))) {
		free(items);
		return scry_print_unknown(p, addr, type);
	}
	if (!scry_printer_enter(p, addr, "...")) {
		free(items);
		return SCRY_OK;
	}
	if (!seen[SORT_ALIEN])
		qsort(items, n, sizeof(*items), more_common);
	scry_printf(p, "%s(%s", scry_type_short(p->runtime, type), v.used ? "{" : "");
	for (uint64_t i = 0; i < n && scry_printer_more(p, i, v.used); i++)
		scry_print_pair(p, items[i].key, items[i].value, ":");
	scry_printf(p, "%s)", v.used ? "}" : "");
	free(items);
	scry_printer_leave(p);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_counter[] = {
	{ "collections.Counter", 0, print_counter,
	  .uses = "most_common items __len__ __bool__ __nonzero__" },
	{ NULL },
};
