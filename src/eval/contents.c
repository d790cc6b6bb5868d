/* The items of a value, one by one: what iterating it would give, as far as no code has to run. */
#include <string.h>

#include "eval/evaluate.h"
#include "object/known.h"

/* What a walk without `ret` of a key gives: nothing is there. */
static const struct scry_eval_value no_key = { .kind = SCRY_VALUE_TEXT };

static struct scry_eval_value object(scry_addr addr)
{
	return (struct scry_eval_value) { .kind = SCRY_VALUE_OBJECT, .addr = addr };
}

/* Items that the class makes itself. Those of the library's own classes stand where we look. */
static bool iterates_itself(struct scry_eval *e, scry_addr obj)
{
	scry_addr type, value, owner;

	return scry_type_of(e->r, obj, &type) == SCRY_OK &&
	       scry_type_lookup(e->r, type, "__iter__", &value, &owner) == SCRY_OK &&
	       scry_is_exactly(e->r, value, SCRY_IS_FUNCTION) &&
	       strncmp(scry_type_module(e->r, owner), "collections", strlen("collections")) &&
	       strcmp(scry_type_module(e->r, owner), "UserDict");
}

static int fail_none(struct scry_eval *e)
{
	return scry_eval_fail(e, SCRY_EUNSUPPORTED,
			      "%s has no items that can be read without running code",
			      scry_type_name_of(e->r, e->value.addr));
}

static int next_pair(struct scry_eval *e, scry_addr dict, uint64_t *it,
		     struct scry_eval_value *ret_key, struct scry_eval_value *ret_value)
{
	scry_addr key, value;
	int rc = scry_dict_next(e->r, dict, it, &key, &value);

	if (rc == SCRY_ITEM) {
		*ret_key = object(key);
		*ret_value = object(value);
	}
	return rc;
}

static int next_indexed(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret)
{
	struct scry_eval_value whole = e->value;
	struct scry_key key = { .kind = SCRY_KEY_INT, .number = (int64_t)*it };
	int64_t n = scry_eval_length(e);

	if (n < 0)
		return fail_none(e);
	if (*it >= (uint64_t)n)
		return SCRY_OK;
	int rc = scry_eval_item(e, &key);
	*ret = e->value;
	e->value = whole;
	if (rc < 0)
		return rc;
	++*it;
	return SCRY_ITEM;
}

/* Names and variables that stand without a dict. */
static int next_name(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret_key,
		     struct scry_eval_value *ret_value)
{
	struct scry_local local;
	scry_addr key, value;
	int rc;

	if (e->value.kind == SCRY_VALUE_NAMES) {
		rc = scry_dict_view_next(&e->value.names, it, &key, &value);
		if (rc == SCRY_ITEM) {
			*ret_key = object(key);
			*ret_value = object(value);
		}
		return rc;
	}
	unsigned at = (unsigned)*it;
	rc = scry_frame_local_next(&e->value.frame, &at, &local);
	*it = at;
	if (rc == SCRY_ITEM) {
		const char *text =
			scry_arena_printf(&e->s->arena, "'%s'", local.name); /* an identifier */

		if (!text)
			return scry_fail(e->s, SCRY_ENOMEM, 0, "out of memory");
		*ret_key = (struct scry_eval_value) { .kind = SCRY_VALUE_TEXT,
						      .text = text,
						      .type = "str" };
		*ret_value = object(local.value);
	}
	return rc;
}

static bool is_set(struct scry_eval *e, const struct scry_type *t)
{
	return scry_type_is(e->r, t->addr, SCRY_IS_SET) ||
	       scry_type_is(e->r, t->addr, SCRY_IS_FROZENSET);
}

/* Interpreters whose models have items of their own: a dict, or what takes numbers. */
static int next_of_model(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret_key,
			 struct scry_eval_value *ret_value)
{
	struct scry_subscript sub = { .kind = SCRY_SUBSCRIPT_INT, .number = (int64_t)*it };
	scry_addr found;
	int rc = next_pair(e, e->value.addr, it, ret_key, ret_value);

	if (rc >= 0)
		return rc;
	rc = scry_model_of(e->r)->item(e->r, e->value.addr, &sub, &found);
	if (rc < 0)
		return rc == SCRY_ENOTFOUND ? SCRY_OK : rc;
	*ret_value = object(found);
	++*it;
	return SCRY_ITEM;
}

static int next_of_object(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret_key,
			  struct scry_eval_value *ret_value)
{
	struct scry_type *t;
	scry_addr value;

	if (scry_eval_has_own_items(e, e->value.addr) || iterates_itself(e, e->value.addr))
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "%s makes its items by code of its own, which is not run",
				      scry_type_name_of(e->r, e->value.addr));
	e->value.addr = scry_eval_container(e, e->value.addr);
	int rc = scry_type_for(e->r, e->value.addr, &t);
	if (rc == SCRY_OK && !*it)
		rc = scry_items_check(e->r, e->value.addr, t);
	if (rc < 0)
		return rc;
	if (t->flags & TYPE_DICT || scry_known_type(t) == SCRY_IS_FROZENDICT)
		return next_pair(e, e->value.addr, it, ret_key, ret_value);
	if (is_set(e, t)) {
		rc = scry_set_next(e->r, e->value.addr, it, &value);
		if (rc == SCRY_ITEM)
			*ret_value = object(value);
		return rc;
	}
	return next_indexed(e, it, ret_value);
}

int scry_eval_next(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret_key,
		   struct scry_eval_value *ret_value)
{
	struct scry_eval_value whole = e->value;
	int rc;

	*ret_key = no_key;
	if (whole.kind == SCRY_VALUE_NAMES || whole.kind == SCRY_VALUE_LOCALS)
		return next_name(e, it, ret_key, ret_value);
	if (whole.kind == SCRY_VALUE_SLICE)
		return next_indexed(e, it, ret_value);
	if (whole.kind != SCRY_VALUE_OBJECT)
		return scry_eval_fail(e, SCRY_EUNSUPPORTED,
				      "a result without an object has no items");
	rc = scry_model_of(e->r)->item ? next_of_model(e, it, ret_key, ret_value)
				       : next_of_object(e, it, ret_key, ret_value);
	e->value = whole;
	return rc;
}
