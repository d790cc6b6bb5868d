/* Items and slices in py-print, and the text of results that are not objects. */
#include <stdio.h>

#include "eval/evaluate.h"
#include "object/known.h"

/* --- which container, and whether its own code would choose the item --- */

/* Library classes in Python whose items stand where we look. */
static bool is_wrapper(struct scry_runtime *r, scry_addr type)
{
	struct scry_type *t;

	if (scry_type_at(r, type, &t) < 0)
		return false;
	enum scry_known known = scry_known_type(t);
	return known == SCRY_IS_USER_DICT || known == SCRY_IS_USER_LIST ||
	       known == SCRY_IS_USER_STRING;
}

/* Code that is not the library's decides what an item is. */
bool scry_eval_has_own_items(struct scry_eval *e, scry_addr obj)
{
	scry_addr type, value, owner;

	if (scry_type_of(e->r, obj, &type) < 0 ||
	    scry_type_lookup(e->r, type, "__getitem__", &value, &owner) < 0)
		return false;
	return scry_is_exactly(e->r, value, SCRY_IS_FUNCTION) && !is_wrapper(e->r, owner) &&
	       !scry_type_is(e->r, owner, SCRY_IS_CHAIN_MAP);
}

/*
 * What keeps the items of a container that is a wrapper: mappingproxy, UserDict and UserList
 * (.data).
 */
scry_addr scry_eval_container(struct scry_eval *e, scry_addr obj)
{
	scry_addr inner, type, value, owner;

	for (int i = 0; i < 5; i++) {
		int rc = SCRY_ENOTFOUND;

		if (scry_is_exactly(e->r, obj, SCRY_IS_MAPPINGPROXY))
			rc = scry_field_read(e->r, obj, SCRY_F_MAPPINGPROXY_MAPPING, &inner);
		else if (scry_type_of(e->r, obj, &type) == SCRY_OK &&
			 scry_type_lookup(e->r, type, "__getitem__", &value, &owner) == SCRY_OK &&
			 is_wrapper(e->r, owner))
			rc = scry_attr(e->r, obj, "data", &inner);
		if (rc < 0)
			break;
		obj = inner;
	}
	return obj;
}

/* --- items --- */

int64_t scry_eval_length(struct scry_eval *e)
{
	return e->value.kind == SCRY_VALUE_SLICE ? e->value.count
						 : scry_length(e->r, e->value.addr);
}

static int index_item(struct scry_eval *e, int64_t index)
{
	int64_t n = scry_eval_length(e), i = index < 0 ? index + n : index;
	struct scry_item item;

	if (n < 0)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "%s has no items that can be read without running code",
				      scry_type_name_of(e->r, e->value.addr));
	if (i < 0 || i >= n)
		return scry_eval_fail(e, SCRY_ENOTFOUND,
				      "index %" PRId64 " is outside its %" PRId64 " items", index,
				      n);
	if (e->value.kind == SCRY_VALUE_SLICE)
		i = e->value.start + i * e->value.step;
	int rc = scry_item_at(e->r, e->value.addr, i, &item);
	if (rc < 0) {
		char *why =
			scry_arena_text(&e->s->arena, e->s->error.text, strlen(e->s->error.text));

		return scry_eval_fail(e, rc, "%s", why ? why : "out of memory");
	}
	if (item.addr)
		return scry_eval_set(e, item.addr);
	return item.text ? scry_eval_set_text(e, item.text, item.type)
			 : scry_eval_set_int(e, item.number);
}

static int find_in_dict(struct scry_eval *e, scry_addr dict, const struct scry_key *key,
			scry_addr *ret)
{
	struct scry_dict_view v;
	scry_addr k;
	uint64_t it = 0;
	int rc = scry_dict_open(e->r, dict, &v);

	while (rc >= 0 && (rc = scry_dict_view_next(&v, &it, &k, ret)) == SCRY_ITEM)
		if (scry_key_matches(e->r, key, k))
			return SCRY_OK;
	return rc < 0 ? rc : SCRY_ENOTFOUND;
}

static int missing_key(struct scry_eval *e, scry_addr dict, const struct scry_key *key)
{
	scry_addr type, value, owner;
	const char *made = "";
	struct scry_type *t;

	if (scry_type_of(e->r, dict, &type) == SCRY_OK &&
	    scry_type_lookup(e->r, type, "__missing__", &value, &owner) == SCRY_OK &&
	    scry_type_at(e->r, owner, &t) == SCRY_OK) {
		if (scry_known_type(t) == SCRY_IS_COUNTER)
			return scry_eval_set_int(e, 0);
		made = scry_known_type(t) == SCRY_IS_DEFAULTDICT
			       ? " (its default_factory is not run)"
			       : " (its __missing__() is not run)";
	}
	return scry_eval_fail(e, SCRY_ENOTFOUND, "no such key%s%s", made,
			      scry_suggest_key(e, dict, key));
}

static int dict_item(struct scry_eval *e, scry_addr dict, const struct scry_key *key)
{
	scry_addr value;
	int rc = find_in_dict(e, dict, key, &value);

	return rc == SCRY_ENOTFOUND ? missing_key(e, dict, key)
	       : rc < 0             ? rc
				    : scry_eval_set(e, value);
}

/* The first of its dicts that has the key. */
static int chain_item(struct scry_eval *e, scry_addr chain, const struct scry_key *key)
{
	scry_addr maps, items, map, value;
	uint64_t n;
	int rc = scry_attr(e->r, chain, "maps", &maps);

	rc = rc < 0 ? rc : scry_sequence(e->r, maps, &n, &items);
	for (uint64_t i = 0; rc == SCRY_OK && i < n; i++) {
		rc = scry_word(e->r, items + i * e->s->target->abi.ptr_size, &map);
		if (rc == SCRY_OK && scry_eval_has_own_items(e, map))
			return scry_eval_fail(e, SCRY_EUNSUPPORTED,
					      "one of its maps is a %s, whose code is not run",
					      scry_type_name_of(e->r, map));
		if (rc == SCRY_OK &&
		    find_in_dict(e, scry_eval_container(e, map), key, &value) == SCRY_OK)
			return scry_eval_set(e, value);
	}
	return rc < 0 ? rc : scry_eval_fail(e, SCRY_ENOTFOUND, "no such key in any of its maps");
}

/* Names that stand without a dict: an object's attributes, a frame's variables. */
static int name_item(struct scry_eval *e, const struct scry_key *key)
{
	struct scry_local local;
	scry_addr k, value;
	uint64_t it = 0;
	unsigned n = 0;

	if (key->kind != SCRY_KEY_TEXT)
		return scry_eval_fail(e, SCRY_ENOTFOUND, "no such key: these are names");
	if (e->value.kind == SCRY_VALUE_NAMES)
		while (scry_dict_view_next(&e->value.names, &it, &k, &value) == SCRY_ITEM)
			if (scry_text_is(e->r, k, key->text))
				return scry_eval_set(e, value);
	if (e->value.kind == SCRY_VALUE_LOCALS)
		while (scry_frame_local_next(&e->value.frame, &n, &local) == SCRY_ITEM)
			if (!strcmp(local.name, key->text))
				return scry_eval_set(e, local.value);
	return scry_eval_fail(e, SCRY_ENOTFOUND, "no such key");
}

static int object_item(struct scry_eval *e, const struct scry_key *key, bool *done)
{
	struct scry_type *t;

	*done = true;
	if (scry_eval_has_own_items(e, e->value.addr))
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "%s has a __getitem__ of its own, which is not run",
				      scry_type_name_of(e->r, e->value.addr));
	e->value.addr = scry_eval_container(e, e->value.addr);
	if (scry_type_for(e->r, e->value.addr, &t) == SCRY_OK) {
		if (t->flags & TYPE_DICT || scry_known_type(t) == SCRY_IS_FROZENDICT)
			return dict_item(e, e->value.addr, key);
		if (scry_type_is(e->r, t->addr, SCRY_IS_CHAIN_MAP))
			return chain_item(e, e->value.addr, key);
	}
	*done = false;
	return SCRY_OK;
}

/* Where the model has items of its own. */
static int item_of_model(struct scry_eval *e, const struct scry_key *key)
{
	static const int kinds[] = {
		[SCRY_KEY_NONE] = SCRY_SUBSCRIPT_NONE,   [SCRY_KEY_BOOL] = SCRY_SUBSCRIPT_BOOL,
		[SCRY_KEY_INT] = SCRY_SUBSCRIPT_INT,     [SCRY_KEY_TEXT] = SCRY_SUBSCRIPT_TEXT,
		[SCRY_KEY_BYTES] = SCRY_SUBSCRIPT_BYTES, [SCRY_KEY_OBJECT] = SCRY_SUBSCRIPT_OBJECT,
	};
	struct scry_subscript sub = { .number = key->number, .text = key->text, .addr = key->addr };
	char why[200];
	scry_addr found;

	if (key->kind == SCRY_KEY_TUPLE || key->kind == SCRY_KEY_FLOAT || key->kind == SCRY_KEY_BIG)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED, "keys of this kind are not looked up");
	sub.kind = kinds[key->kind];
	int rc = scry_model_of(e->r)->item(e->r, e->value.addr, &sub, &found);
	if (rc == SCRY_OK)
		return scry_eval_set(e, found);
	snprintf(why, sizeof(why), "%.199s", e->s->error.text);
	return scry_eval_fail(e, rc, "%s", why);
}

int scry_eval_item(struct scry_eval *e, const struct scry_key *key)
{
	int64_t index;
	bool done = true;
	int rc = SCRY_OK;

	if (e->value.kind == SCRY_VALUE_OBJECT && scry_model_of(e->r)->item)
		return item_of_model(e, key);
	if (e->value.kind == SCRY_VALUE_NAMES || e->value.kind == SCRY_VALUE_LOCALS)
		return name_item(e, key);
	if (e->value.kind != SCRY_VALUE_OBJECT && e->value.kind != SCRY_VALUE_SLICE)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "a result without an object has no items");
	if (e->value.kind == SCRY_VALUE_OBJECT && ((rc = object_item(e, key, &done)) < 0 || done))
		return rc;
	if (scry_key_index(e->r, key, &index))
		return index_item(e, index);
	if (scry_eval_length(e) < 0)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "%s has no items that can be read without running code",
				      scry_type_name_of(e->r, e->value.addr));
	return scry_eval_fail(e, SCRY_EINVAL, "%s takes integers as index",
			      e->value.kind == SCRY_VALUE_SLICE
				      ? "a slice"
				      : scry_type_name_of(e->r, e->value.addr));
}

/* --- slices --- */

static bool can_be_sliced(struct scry_eval *e)
{
	static const enum scry_known unsliced[] = { SCRY_IS_XRANGE,     SCRY_IS_SET,
						    SCRY_IS_FROZENSET,  SCRY_IS_DEQUE,
						    SCRY_IS_FROZENDICT, SCRY_IS_MAPPINGPROXY };
	struct scry_type *t;

	if (e->value.kind == SCRY_VALUE_SLICE)
		return true;
	if (e->value.kind != SCRY_VALUE_OBJECT || scry_eval_length(e) < 0 ||
	    scry_type_for(e->r, e->value.addr, &t) < 0 || t->flags & TYPE_DICT)
		return false;
	for (size_t i = 0; i < sizeof(unsliced) / sizeof(unsliced[0]); i++)
		if (scry_type_is(e->r, t->addr, unsliced[i]))
			return false;
	return true;
}

/* PySlice_AdjustIndices() */
int scry_eval_slice(struct scry_eval *e, const int64_t *bounds, const bool *given)
{
	int64_t n, step = given[2] ? bounds[2] : 1, low, high, start, stop;

	if (scry_model_of(e->r)->item)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "slices of %s's containers are not made", e->r->name);
	if (e->value.kind == SCRY_VALUE_OBJECT) {
		if (scry_eval_has_own_items(e, e->value.addr))
			return scry_eval_fail(e, SCRY_EUNSUPPORTED,
					      "%s has a __getitem__ of its own, which is not run",
					      scry_type_name_of(e->r, e->value.addr));
		e->value.addr = scry_eval_container(e, e->value.addr);
	}
	if (!can_be_sliced(e))
		return scry_eval_fail(e, SCRY_EUNSUPPORTED, "only sequences can be sliced");
	if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
		return scry_eval_fail(e, SCRY_EINVAL, "a slice cannot have step %" PRId64, step);
	n = scry_eval_length(e);
	low = step < 0 ? -1 : 0;
	high = step < 0 ? n - 1 : n;
	start = given[0] ? bounds[0] + (bounds[0] < 0 ? n : 0) : step < 0 ? high : low;
	stop = given[1] ? bounds[1] + (bounds[1] < 0 ? n : 0) : step < 0 ? low : high;
	start = start < low ? low : start > high ? high : start;
	stop = stop < low ? low : stop > high ? high : stop;
	int64_t count =
		step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
	count = count > 0 ? count : 0;
	if (e->value.kind == SCRY_VALUE_SLICE) {
		start = e->value.start + start * e->value.step;
		stop = e->value.start + stop * e->value.step;
		step *= e->value.step;
	}
	e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_SLICE,
					      .addr = e->value.addr,
					      .start = start,
					      .stop = stop,
					      .step = step,
					      .count = count };
	return SCRY_OK;
}

/* --- the text of what is not an object --- */

static void print_item(struct scry_printer *p, scry_addr seq, int64_t index)
{
	struct scry_item item;

	if (scry_item_at(p->runtime, seq, index, &item) < 0)
		scry_printer_damage(p, seq);
	else if (item.addr)
		scry_print(p, item.addr);
	else if (item.text)
		scry_buf_puts(p->out, item.text);
	else
		scry_printf(p, "%" PRId64, item.number);
}

static void print_items(struct scry_printer *p, const struct scry_eval_value *v, const char *open,
			const char *close)
{
	scry_buf_puts(p->out, open);
	for (int64_t i = 0; scry_printer_more(p, (uint64_t)i, (uint64_t)v->count); i++)
		print_item(p, v->addr, v->start + i * v->step);
	scry_buf_puts(p->out, close);
}

/* range(10, 100, 7)[2:5] is range(24, 45, 7) */
static void print_range_slice(struct scry_printer *p, const struct scry_eval_value *v)
{
	int64_t start, step;

	if (scry_range_parts(p->runtime, v->addr, &start, &step) < 0) {
		scry_printer_damage(p, v->addr);
		return;
	}
	scry_printf(p, "range(%" PRId64 ", %" PRId64, start + v->start * step,
		    start + v->stop * step);
	if (v->step * step != 1)
		scry_printf(p, ", %" PRId64, v->step * step);
	scry_buf_putc(p->out, ')');
}

static const char *print_slice(struct scry_printer *p, const struct scry_eval_value *v)
{
	struct scry_runtime *r = p->runtime;
	const char *name = scry_type_name_of(r, v->addr);
	struct scry_type *t;
	int rc = scry_type_for(r, v->addr, &t);
	bool old = scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT);

	if (rc < 0) {
		scry_printer_damage(p, v->addr);
		return name;
	}
	if (t->flags & (TYPE_UNICODE | TYPE_BYTES)) {
		if (scry_print_text_stepped(p, v->addr, v->start, v->step, v->count) < 0)
			scry_printer_damage(p, v->addr);
		return t->flags & TYPE_UNICODE ? (old ? "unicode" : "str") : old ? "str" : "bytes";
	}
	if (scry_type_is(r, t->addr, SCRY_IS_BYTEARRAY)) {
		scry_buf_puts(p->out, old ? "bytearray(b" : "bytearray(");
		if (scry_print_text_stepped(p, v->addr, v->start, v->step, v->count) < 0)
			scry_printer_damage(p, v->addr);
		scry_buf_putc(p->out, ')');
		return "bytearray";
	}
	if (scry_known_type(t) == SCRY_IS_RANGE) {
		print_range_slice(p, v);
		return name;
	}
	if (t->flags & TYPE_TUPLE) {
		print_items(p, v, "(", v->count == 1 ? ",)" : ")");
		return "tuple";
	}
	if (scry_type_is(r, t->addr, SCRY_IS_ARRAY)) {
		scry_printf(p, "array('%c'", scry_array_code(r, v->addr));
		print_items(p, v, v->count ? ", [" : "", v->count ? "])" : ")");
		return "array";
	}
	print_items(p, v, "[", "]");
	return "list";
}

/* "<bound method C.f of SELF>"; up to 3.4 with the class of self, and 2.7 has unbound ones */
static const char *print_bound(struct scry_printer *p, const struct scry_eval_value *v)
{
	bool full = scry_trait(p->runtime, SCRY_TRAIT_METHOD_FULL_NAME),
	     old = scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT);
	const char *name = scry_name_of(p->runtime, v->addr, full);
	scry_addr type;

	scry_printf(p, "<%s method ", v->self ? "bound" : "unbound");
	if (v->type)
		scry_printf(p, "%s.", v->type);
	else if (!full && scry_type_of(p->runtime, v->self, &type) == SCRY_OK)
		scry_printf(p, "%s.", scry_type_short(p->runtime, type));
	scry_buf_puts(p->out, name ? name : "?");
	if (v->self) {
		scry_buf_puts(p->out, " of ");
		scry_print(p, v->self);
	}
	scry_buf_putc(p->out, '>');
	return old ? "instancemethod" : "method";
}

static void print_names(struct scry_printer *p, const struct scry_eval_value *v)
{
	struct scry_local local;
	scry_addr key, value;
	uint64_t it = 0, i = 0;
	unsigned n = 0;

	scry_buf_putc(p->out, '{');
	if (v->kind == SCRY_VALUE_NAMES)
		for (; scry_printer_more(p, i, v->names.used) &&
		       scry_dict_view_next(&v->names, &it, &key, &value) == SCRY_ITEM;
		     i++)
			scry_print_pair(p, key, value, ":");
	else
		while (scry_frame_local_next(&v->frame, &n, &local) == SCRY_ITEM) {
			scry_buf_puts(p->out, i++ ? ", " : "");
			scry_print_quoted(p, local.name);
			scry_buf_puts(p->out, ": ");
			scry_print(p, local.value);
		}
	scry_buf_putc(p->out, '}');
}

static void print_frame(struct scry_printer *p, const struct scry_frame *f)
{
	struct scry_location at = { 0 };

	scry_frame_location(f, &at);
	scry_printf(p, "<frame at 0x%" PRIx64 ", file ", f->addr);
	scry_print_quoted(p, f->code ? f->code->file : "?");
	scry_printf(p, ", line %d, code %s>", at.line, f->code ? f->code->name : "?");
}

const char *scry_eval_text(struct scry_eval *e, const char **ret_type)
{
	const struct scry_eval_value *v = &e->value;
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_printer p;

	scry_printer_init(&p, e->r, &out);
	*ret_type = "dict";
	if (v->kind == SCRY_VALUE_SLICE) {
		*ret_type = print_slice(&p, v);
	} else if (v->kind == SCRY_VALUE_BOUND) {
		*ret_type = print_bound(&p, v);
	} else if (v->kind == SCRY_VALUE_FRAME) {
		*ret_type = "frame";
		print_frame(&p, &v->frame);
	} else if (v->kind == SCRY_VALUE_OBJECT) {
		*ret_type = scry_layout_has(e->r->layout, SCRY_F_CLASSOBJ_DICT) ? "dictproxy"
										: "mappingproxy";
		scry_printf(&p, "%s(", v->wrap);
		scry_print(&p, v->addr);
		scry_buf_putc(&out, ')');
	} else {
		print_names(&p, v);
	}
	const char *text = scry_arena_text(&e->s->arena, out.text, out.len);
	scry_buf_done(&out);
	return text;
}
