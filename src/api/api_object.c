/* Objects as they are handed out: types, attributes and items by the rules of print (src/eval). */
#include "api/api.h"

#include "object/model.h"

void scry_api_hand_object(struct scry_session *s, struct scry_runtime *r, scry_addr addr,
			  struct scry_object *ret)
{
	*ret = (struct scry_object) {
		.addr = addr, .session = s, .of = r, .generation = s->generation
	};
}

/*
 * Values that are no objects of the target (a slice, a member of a C struct, a bound method) are
 * kept in the session: the caller's struct has no room for them.
 */
int scry_api_hand(struct scry_session *s, struct scry_runtime *r,
		  const struct scry_eval_value *value, struct scry_object *ret)
{
	struct scry_eval_value *kept;

	if (value->kind == SCRY_VALUE_OBJECT && !value->wrap) {
		scry_api_hand_object(s, r, value->addr, ret);
		return SCRY_OK;
	}
	kept = scry_arena_alloc(&s->arena, sizeof(*kept));
	if (!kept)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	*kept = *value;
	scry_api_hand_object(s, r, 0, ret);
	ret->value = kept;
	return SCRY_OK;
}

/* What stands for the value in a sentence. */
static void put_name(const struct scry_object *o, struct scry_buf *out)
{
	struct scry_runtime *r = (struct scry_runtime *)(uintptr_t)o->of;

	if (o->value)
		scry_buf_puts(out, "<value>");
	else
		scry_buf_printf(out, "<%s at 0x%" PRIx64 ">", scry_type_name_of(r, o->addr),
				o->addr);
}

/*
 * The generation tells a handle from before a refresh, whose memory may be another object's by now.
 * A session that was freed cannot be told: that is the caller's promise.
 */
static int begin(const struct scry_object *o)
{
	if (!o->session || !o->of)
		return SCRY_EINVAL;
	if (o->generation != o->session->generation)
		return scry_fail(o->session, SCRY_EINVAL, o->addr,
				 "the object is dead: its session was refreshed");
	return scry_api_begin(o->session);
}

/*
 * `name` becomes the text of the expression, so that errors name what they are about: "<module.Type
 * at 0x…>.attr: …".
 */
int scry_api_open(const struct scry_object *o, const char *more, struct scry_buf *name,
		  struct scry_eval *e)
{
	int rc = begin(o);

	if (rc < 0)
		return rc;
	put_name(o, name);
	size_t len = name->len;
	scry_buf_puts(name, more);
	if (name->failed)
		return scry_fail(o->session, SCRY_ENOMEM, 0, "out of memory");
	*e = (struct scry_eval) { .s = o->session,
				  .r = (struct scry_runtime *)(uintptr_t)o->of,
				  .text = name->text,
				  .at = name->text + len };
	if (o->value)
		e->value = *(const struct scry_eval_value *)o->value;
	else
		e->value = (struct scry_eval_value) { .kind = SCRY_VALUE_OBJECT, .addr = o->addr };
	return SCRY_OK;
}

/*
 * The end of a call that gives a value. *ret is written last, and only where nothing failed: a
 * caller may hand in the object that it asks.
 */
static int give(struct scry_eval *e, int rc, struct scry_object *ret)
{
	struct scry_object found = { 0 };

	if (rc >= 0)
		rc = scry_api_hand(e->s, e->r, &e->value, &found);
	rc = scry_api_end(e->s, rc);
	if (rc >= 0)
		*ret = found;
	return rc;
}

int scry_object_at(struct scry_session *s, scry_addr addr, struct scry_object *ret)
{
	char text[32];

	snprintf(text, sizeof(text), "@0x%" PRIx64, addr);
	return scry_object_eval(s, NULL, text, ret);
}

int scry_object_eval(struct scry_session *s, const struct scry_frame *f, const char *expr,
		     struct scry_object *ret)
{
	struct scry_eval e;
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	if (f && !f->runtime)
		return scry_fail(s, SCRY_EUNSUPPORTED, 0, "a C frame has no Python names");
	rc = scry_eval_start(&e, s, f, expr);
	return rc < 0 ? scry_api_end(s, rc) : give(&e, rc, ret);
}

const char *scry_object_type(const struct scry_object *o)
{
	SCRY_AUTO_BUF(name);
	struct scry_eval e;
	const char *type = "?", *dot;

	if (scry_api_open(o, "", &name, &e) < 0)
		return type;
	if (!o->value)
		type = scry_type_name_of(e.r, o->addr);
	else if (e.value.kind == SCRY_VALUE_TEXT)
		type = e.value.type;
	else
		scry_eval_text(&e, &type);
	dot = type ? strrchr(type, '.') : NULL;
	return dot ? dot + 1 : type ? type : "?";
}

int scry_object_class(const struct scry_object *o, struct scry_object *ret)
{
	scry_addr type;
	int rc = begin(o);

	if (rc < 0)
		return rc;
	if (o->value)
		return scry_fail(o->session, SCRY_EUNSUPPORTED, 0,
				 "no object stands for the value, so none for its type");
	struct scry_runtime *r = (struct scry_runtime *)(uintptr_t)o->of;
	rc = scry_api_end(o->session, scry_type_of(r, o->addr, &type));
	if (rc >= 0)
		scry_api_hand_object(o->session, r, type, ret);
	return rc;
}

int scry_object_repr(const struct scry_object *o, struct scry_buf *out)
{
	SCRY_AUTO_BUF(name);
	struct scry_eval e;
	const char *text, *type;
	int rc = scry_api_open(o, "", &name, &e);

	if (rc < 0)
		return rc;
	if (!o->value) {
		scry_repr(e.r, o->addr, out);
	} else {
		text = e.value.kind == SCRY_VALUE_TEXT ? e.value.text : scry_eval_text(&e, &type);
		scry_buf_puts(out, text ? text : "?");
	}
	return scry_api_end(o->session, out->failed ? SCRY_ENOMEM : SCRY_OK);
}

int scry_object_attr(const struct scry_object *o, const char *name, struct scry_object *ret)
{
	SCRY_AUTO_BUF(text);
	struct scry_eval e;
	int rc = scry_api_open(o, "", &text, &e);

	if (rc < 0)
		return rc;
	rc = scry_eval_attribute(&e, name);
	/* print shows what is there; who goes on with it must not take that for the value */
	if (rc >= 0 && e.value.is_property)
		rc = scry_eval_fail(&e, SCRY_EUNSUPPORTED,
				    "'%s' is a property, whose code is not run", name);
	return give(&e, rc, ret);
}

/* An interpreter's own kind of attributes may have no objects. */
static int next_found(struct scry_eval *e, uint64_t *it, const char **ret_name,
		      struct scry_eval_value *ret)
{
	struct scry_found found;
	int rc = scry_model_of(e->r)->found_next(e->r, e->value.addr, it, ret_name, &found);

	if (rc == SCRY_ITEM)
		*ret = (struct scry_eval_value) { .kind = found.addr ? SCRY_VALUE_OBJECT
								     : SCRY_VALUE_TEXT,
						  .addr = found.addr,
						  .text = found.text,
						  .type = found.type };
	return rc;
}

int scry_object_attr_next(const struct scry_object *o, uint64_t *it, struct scry_named_object *ret)
{
	SCRY_AUTO_BUF(text);
	struct scry_eval e;
	struct scry_eval_value value = { .kind = SCRY_VALUE_OBJECT };
	struct scry_named_object found = { 0 };
	uint64_t at = *it;
	int rc = scry_api_open(o, "", &text, &e);

	if (rc < 0)
		return rc;
	if (o->value)
		return scry_eval_fail(&e, SCRY_EUNSUPPORTED,
				      "a result without an object has no attributes");
	rc = scry_model_of(e.r)->found_next
		     ? next_found(&e, &at, &found.name, &value)
		     : scry_attr_next(e.r, o->addr, &at, &found.name, &value.addr);
	if (rc == SCRY_ITEM && scry_api_hand(e.s, e.r, &value, &found.value) < 0)
		rc = SCRY_ENOMEM;
	rc = scry_api_end(e.s, rc);
	if (rc == SCRY_ITEM) {
		*ret = found;
		*it = at;
	}
	return rc;
}

int scry_object_item(const struct scry_object *o, const char *key, struct scry_object *ret)
{
	SCRY_AUTO_BUF(text);
	SCRY_AUTO_BUF(bracket);
	struct scry_eval e;

	scry_buf_printf(&bracket, "[%s]", key);
	int rc = scry_api_open(o, bracket.text, &text, &e);
	if (rc < 0)
		return rc;
	rc = scry_eval_subscript(&e);
	if (rc == SCRY_OK && *e.at)
		rc = scry_fail(e.s, SCRY_EINVAL, 0, "'%s' is not a key: nothing is computed", key);
	return give(&e, rc, ret);
}

/*
 * len() as the target would have it without running code: of a wrapper (UserDict, a mapping proxy)
 * that of what it wraps.
 */
int scry_object_length(const struct scry_object *o, uint64_t *ret)
{
	SCRY_AUTO_BUF(text);
	struct scry_eval e;
	int64_t n = -1;
	int rc = scry_api_open(o, "", &text, &e);

	if (rc < 0)
		return rc;
	if (e.value.kind == SCRY_VALUE_OBJECT && !scry_eval_has_own_items(&e, o->addr))
		e.value.addr = scry_eval_container(&e, o->addr);
	if (e.value.kind == SCRY_VALUE_OBJECT || e.value.kind == SCRY_VALUE_SLICE)
		n = scry_eval_length(&e);
	rc = n < 0 ? scry_eval_fail(&e, SCRY_EUNSUPPORTED, "it has no length that can be read")
		   : SCRY_OK;
	rc = scry_api_end(e.s, rc);
	if (rc >= 0)
		*ret = (uint64_t)n;
	return rc;
}

/* A key without text is none: items of a sequence have values alone. */
int scry_object_next(const struct scry_object *o, uint64_t *it, struct scry_object *ret_key,
		     struct scry_object *ret_value)
{
	SCRY_AUTO_BUF(text);
	struct scry_eval e;
	struct scry_eval_value key, value;
	struct scry_object k = { 0 }, v;
	uint64_t at = *it;
	int rc = scry_api_open(o, "", &text, &e);

	if (rc < 0)
		return rc;
	rc = scry_eval_next(&e, &at, &key, &value);
	if (rc == SCRY_ITEM &&
	    (((key.kind != SCRY_VALUE_TEXT || key.text) && scry_api_hand(e.s, e.r, &key, &k) < 0) ||
	     scry_api_hand(e.s, e.r, &value, &v) < 0))
		rc = SCRY_ENOMEM;
	rc = scry_api_end(e.s, rc);
	if (rc == SCRY_ITEM) {
		*it = at;
		*ret_key = k;
		*ret_value = v;
	}
	return rc;
}
