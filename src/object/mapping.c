/* dict and its relatives. */
#include "object/printer.h"

#include <stdlib.h>

/* Items beyond what the dict says it has are its, too: the count is what is damaged then. */
static void print_view(struct scry_printer *p, const struct scry_dict_view *v, const char *colon)
{
	uint64_t it = 0, i = 0;
	scry_addr key, value;
	int rc;

	while ((rc = scry_dict_view_next(v, &it, &key, &value)) == SCRY_ITEM) {
		if (!scry_printer_more(p, i, v->used > i ? v->used : i + 1))
			return;
		scry_print(p, key);
		scry_buf_puts(p->out, colon);
		scry_print(p, value);
		if (!scry_dict_view_fits(v, it, key))
			scry_printer_doubt(p, "the key is not where its hash leads");
		i++;
	}
	if (rc < 0)
		scry_printer_damage(p, v->entries);
	else
		scry_printer_count(p, v->used, i);
}

static void print_pairs(struct scry_printer *p, scry_addr dict, const char *colon)
{
	struct scry_dict_view v;

	if (scry_dict_open(p->runtime, dict, &v) < 0)
		scry_printer_damage(p, dict);
	else
		print_view(p, &v, colon);
}

static int print_dict(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_dict_view v;
	int rc = scry_dict_open(p->runtime, addr, &v);

	(void)type;
	if (rc < 0 || !scry_printer_enter(p, addr, "{...}"))
		return rc;
	scry_buf_putc(p->out, '{');
	print_view(p, &v, ": ");
	scry_buf_putc(p->out, '}');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* --- defaultdict: "defaultdict(<class 'int'>, {...})" --- */

static int print_defaultdict(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr factory;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DEFDICT_FACTORY, &factory);

	if (rc < 0)
		return rc;
	/*
	 * Modules/_collectionsmodule.c, defdict_repr(): the dict's repr is made first, so it says
	 * {...}
	 */
	scry_printf(p, "%s(",
		    scry_trait(p->runtime, SCRY_TRAIT_DEFAULTDICT_OWN_NAME)
			    ? scry_type_short(p->runtime, type)
			    : "defaultdict");
	if (factory)
		scry_print(p, factory);
	else
		scry_buf_puts(p->out, "None");
	scry_buf_puts(p->out, ", ");
	rc = print_dict(p, addr, type);
	scry_buf_putc(p->out, ')');
	return rc;
}

/* --- OrderedDict --- */

/*
 * The values of a dict by the address of their keys; filled at the first look-up, so that printing
 * stays linear.
 */
static int fill_values(struct scry_printer *p, struct scry_hash *values, scry_addr dict)
{
	struct scry_dict_view v;
	scry_addr key, value;
	uint64_t it = 0;
	int rc = scry_dict_open(p->runtime, dict, &v);

	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &key, &value)) == SCRY_ITEM)
		if (!scry_hash_put(values, key, (void *)(uintptr_t)value))
			return scry_fail(p->runtime->session, SCRY_ENOMEM, 0, "out of memory");
	return rc;
}

static int value_of_key(struct scry_printer *p, struct scry_hash *values, scry_addr dict,
			scry_addr key, scry_addr *ret)
{
	int rc = values->count ? SCRY_OK : fill_values(p, values, dict);

	*ret = (uintptr_t)scry_hash_find(values, key);
	return rc < 0 ? rc : *ret ? SCRY_OK : SCRY_ENOTFOUND;
}

void scry_print_pair(struct scry_printer *p, scry_addr key, scry_addr value, const char *form)
{
	scry_buf_puts(p->out, *form == '(' ? "(" : "");
	scry_print(p, key);
	scry_buf_puts(p->out, *form == '(' ? ", " : ": ");
	scry_print(p, value);
	scry_buf_puts(p->out, *form == '(' ? ")" : "");
}

/*
 * The list of nodes says the order; the dict's own is the same unless move_to_end() was used, and a
 * look-up of each key in turn would be quadratic: so the two are walked side by side, and a search
 * starts only where they differ.
 */
struct odict_walk {
	struct scry_printer *p;
	struct scry_dict_view v;
	struct scry_hash values;
	scry_addr dict, node;
	uint64_t it;
};

static int odict_open(struct scry_printer *p, scry_addr dict, struct odict_walk *w)
{
	*w = (struct odict_walk) { .p = p, .dict = dict };
	int rc = scry_dict_open(p->runtime, dict, &w->v);

	return rc < 0 ? rc : scry_field_read(p->runtime, dict, SCRY_F_ODICT_FIRST, &w->node);
}

static int odict_next(struct odict_walk *w, scry_addr *ret_key, scry_addr *ret_value)
{
	struct scry_runtime *r = w->p->runtime;
	scry_addr dict_key;
	int rc;

	if (!w->node)
		return SCRY_OK;
	rc = scry_field_read(r, w->node, SCRY_F_ODICT_NODE_KEY, ret_key);
	rc = rc < 0 ? rc : scry_field_read(r, w->node, SCRY_F_ODICT_NODE_NEXT, &w->node);
	rc = rc < 0 ? rc : scry_dict_view_next(&w->v, &w->it, &dict_key, ret_value);
	if (rc >= 0 && (rc != SCRY_ITEM || dict_key != *ret_key))
		rc = value_of_key(w->p, &w->values, w->dict, *ret_key, ret_value);
	if (rc == SCRY_ENOTFOUND)
		*ret_value = 0;
	return rc < 0 && rc != SCRY_ENOTFOUND ? rc : SCRY_ITEM;
}

static int print_odict_items(struct scry_printer *p, scry_addr addr, const char *form)
{
	struct odict_walk w;
	scry_addr key, value;
	int rc = odict_open(p, addr, &w);

	for (uint64_t i = 0; rc >= 0 && w.node && scry_printer_more(p, i, w.v.used); i++) {
		rc = odict_next(&w, &key, &value);
		if (rc == SCRY_ITEM)
			scry_print_pair(p, key, value, form);
	}
	scry_hash_done(&w.values);
	return rc < 0 ? rc : SCRY_OK;
}

/* 3.12 writes a dict, before it was a list of pairs: the form is the opening bracket */
static int print_odict_in(struct scry_printer *p, scry_addr addr, scry_addr type, const char *form)
{
	uint64_t used;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DICT_USED, &used);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s(", scry_type_short(p->runtime, type));
	if (used) {
		scry_buf_putc(p->out, *form == '(' ? '[' : '{');
		if (print_odict_items(p, addr, form) < 0)
			scry_printer_damage(p, addr);
		scry_buf_putc(p->out, *form == '(' ? ']' : '}');
	}
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_odict_dict(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_odict_in(p, addr, type, "{");
}

static int print_odict_pairs(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	return print_odict_in(p, addr, type, "(");
}

/*
 * 2.7 (Lib/collections.py): a dict, and a ring of lists [previous, next, key] in the attribute
 * _OrderedDict__root; the map _OrderedDict__map leads to them.
 */
static int ring_next(struct scry_runtime *r, scry_addr link, scry_addr *ret_next,
		     scry_addr *ret_key)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t n;
	scry_addr items;
	int rc = scry_sequence(r, link, &n, &items);

	if (rc == SCRY_OK && n != 3)
		rc = scry_fail(r->session, SCRY_ECORRUPT, link,
			       "an OrderedDict's link has %" PRIu64 " items", n);
	rc = rc < 0 ? rc : scry_word(r, items + ptr, ret_next);
	return rc < 0 ? rc : scry_word(r, items + 2 * ptr, ret_key);
}

/* 3.3 and 3.4: links are objects with slots; the ring closes with a proxy of the root */
static int link_next(struct scry_runtime *r, scry_addr link, scry_addr *ret_next,
		     scry_addr *ret_key)
{
	int rc = scry_attr(r, link, "next", ret_next);

	return rc < 0 ? rc : scry_attr(r, link, "key", ret_key);
}

/* Follow the links from `link` on, to `end` (0: as many as the dict has). */
static int print_links(struct scry_printer *p, scry_addr addr, scry_addr type, scry_addr link,
		       scry_addr end,
		       int (*follow)(struct scry_runtime *r, scry_addr link, scry_addr *ret_next,
				     scry_addr *ret_key))
{
	struct scry_runtime *r = p->runtime;
	struct scry_hash values = { 0 };
	uint64_t used;
	scry_addr key, value, next;
	int rc = scry_field_read(r, addr, SCRY_F_DICT_USED, &used);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s(%s", scry_type_short(r, type), used ? "[" : "");
	for (uint64_t i = 0; rc >= 0 && !(end && link == end) && scry_printer_more(p, i, used);
	     i++) {
		rc = follow(r, link, &next, &key);
		rc = rc < 0 ? rc : value_of_key(p, &values, addr, key, &value);
		if (rc >= 0)
			scry_print_pair(p, key, value, "(");
		link = next;
	}
	if (rc < 0)
		scry_printer_damage(p, addr);
	scry_printf(p, "%s)", used ? "]" : "");
	scry_hash_done(&values);
	scry_printer_leave(p);
	return SCRY_OK;
}

static int print_odict_links(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr root, link;
	int rc = scry_attr(p->runtime, addr, "_OrderedDict__hardroot", &root);

	rc = rc < 0 ? rc : scry_attr(p->runtime, root, "next", &link);
	return rc < 0 ? rc : print_links(p, addr, type, link, 0, link_next);
}

static int print_odict2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr root, link, key;
	int rc = scry_attr(p->runtime, addr, "_OrderedDict__root", &root);

	rc = rc < 0 ? rc : ring_next(p->runtime, root, &link, &key);
	return rc < 0 ? rc : print_links(p, addr, type, link, root, ring_next);
}

/* --- views and proxies --- */

static int print_wrapped(struct scry_printer *p, scry_addr addr, const char *name,
			 enum scry_field f)
{
	scry_addr inner;
	int rc = scry_field_read(p->runtime, addr, f, &inner);

	if (rc < 0)
		return rc;
	scry_printf(p, "%s(", name);
	scry_print(p, inner);
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* 3.15+: a dict in all but its type */
static int print_frozendict(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t used;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DICT_USED, &used);
	const char *name = scry_type_short(p->runtime, type);

	if (rc < 0)
		return rc;
	scry_printf(p, used ? "%s({" : "%s(", name);
	if (used && scry_printer_enter(p, addr, "...")) {
		print_pairs(p, addr, ": ");
		scry_printer_leave(p);
	}
	scry_buf_puts(p->out, used ? "})" : ")");
	return SCRY_OK;
}

static int print_mappingproxy(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_wrapped(p, addr, "mappingproxy", SCRY_F_MAPPINGPROXY_MAPPING);
}

static int print_dictproxy2(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	(void)type;
	return print_wrapped(p, addr, "dict_proxy", SCRY_F_MAPPINGPROXY_MAPPING);
}

static void print_view_item(struct scry_printer *p, const char *kind, scry_addr key,
			    scry_addr value)
{
	if (strstr(kind, "keys") || strstr(kind, "values"))
		scry_print(p, strstr(kind, "keys") ? key : value);
	else
		scry_print_pair(p, key, value, "(");
}

/* A view is dict_keys([...]); an OrderedDict's has a name of its own, and the list's order. */
static int print_dict_view(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct odict_walk w = { 0 };
	struct scry_type *t;
	scry_addr dict, key, value;
	int rc = scry_field_read(p->runtime, addr, SCRY_F_DICT_VIEW_DICT, &dict);

	rc = rc < 0 ? rc : scry_type_at(p->runtime, type, &t);
	bool ordered = rc == SCRY_OK && *t->name == 'o';
	if (rc == SCRY_OK)
		rc = ordered ? odict_open(p, dict, &w) : scry_dict_open(p->runtime, dict, &w.v);
	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "%s([", t->name);
	for (uint64_t i = 0; scry_printer_more(p, i, w.v.used); i++) {
		rc = ordered ? odict_next(&w, &key, &value)
			     : scry_dict_view_next(&w.v, &w.it, &key, &value);
		if (rc != SCRY_ITEM)
			break;
		print_view_item(p, t->name, key, value);
	}
	if (rc < 0)
		scry_printer_damage(p, dict);
	scry_buf_puts(p->out, "])");
	scry_hash_done(&w.values);
	scry_printer_leave(p);
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_mapping[] = {
	{ "dict", TYPE_DICT, print_dict },
	{ "collections.defaultdict", 0, print_defaultdict },
	{ "collections.OrderedDict", 0, print_odict_dict, .since = SCRY_VERSION_OF(3, 12),
	  .uses = "keys __getitem__ __getattribute__" },
	{ "collections.OrderedDict", 0, print_odict_pairs, .since = SCRY_VERSION_OF(3, 5),
	  .until = SCRY_VERSION_OF(3, 12), .uses = "items __getattribute__" },
	{ "collections.OrderedDict", 0, print_odict_links, .since = SCRY_VERSION_OF(3, 0),
	  .until = SCRY_VERSION_OF(3, 5), .uses = "items __iter__ __getitem__ __len__ __bool__" },
	{ "collections.OrderedDict", 0, print_odict2, .until = SCRY_VERSION_OF(3, 0),
	  .uses = "items __iter__ __getitem__ __len__ __nonzero__" },
	{ "frozendict", 0, print_frozendict },
	{ "mappingproxy", 0, print_mappingproxy },
	{ "dictproxy", 0, print_dictproxy2, .until = SCRY_VERSION_OF(3, 0) },
	{ "dict_keys", 0, print_dict_view },
	{ "dict_values", 0, print_dict_view },
	{ "dict_items", 0, print_dict_view },
	{ NULL },
};
