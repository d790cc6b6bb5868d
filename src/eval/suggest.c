/* "Did you mean": the name nearest to one that is not there. */
#include "base/nearest.h"
#include "eval/evaluate.h"

#define NAMES_MAX 5000

static const char *say(struct scry_eval *e, const struct scry_nearest *near)
{
	const char *text =
		*near->best ? scry_arena_printf(&e->s->arena, "; did you mean '%s'?", near->best)
			    : "";

	return text ? text : "";
}

static void consider_keys(struct scry_eval *e, scry_addr dict, struct scry_nearest *near)
{
	struct scry_dict_view v;
	scry_addr key, value;
	uint64_t it = 0;
	const char *text;

	if (!dict || scry_dict_open(e->r, dict, &v) < 0)
		return;
	while (near->looked_at < NAMES_MAX &&
	       scry_dict_view_next(&v, &it, &key, &value) == SCRY_ITEM)
		if (scry_text_at(e->r, key, SCRY_NEAREST_MAX, &text) == SCRY_OK)
			scry_nearest_consider(near, text);
}

const char *scry_suggest_name(struct scry_eval *e, const char *name)
{
	struct scry_nearest near = scry_nearest_to(name);
	struct scry_local local;
	unsigned it = 0;

	while (e->f && scry_frame_local_next(e->f, &it, &local) == SCRY_ITEM)
		scry_nearest_consider(&near, local.name);
	if (e->f) {
		consider_keys(e, e->f->locals, &near);
		consider_keys(e, e->f->globals, &near);
		consider_keys(e, e->f->builtins, &near);
	}
	return say(e, &near);
}

static void consider_classes(struct scry_eval *e, scry_addr type, struct scry_nearest *near)
{
	uint64_t it = 0;
	scry_addr cls;
	struct scry_type *t;

	while (scry_mro_next(e->r, type, &it, &cls) == SCRY_ITEM)
		if (scry_type_at(e->r, cls, &t) == SCRY_OK)
			consider_keys(e, scry_type_dict(e->r, t), near);
}

const char *scry_suggest_attribute(struct scry_eval *e, scry_addr obj, const char *name)
{
	struct scry_nearest near = scry_nearest_to(name);
	scry_addr value, type;
	struct scry_type *t;
	const char *text;
	uint64_t it = 0;

	while (near.looked_at < NAMES_MAX &&
	       scry_attr_next(e->r, obj, &it, &text, &value) == SCRY_ITEM)
		scry_nearest_consider(&near, text);
	if (scry_type_for(e->r, obj, &t) == SCRY_OK && t->flags & TYPE_TYPE)
		consider_classes(e, obj, &near);
	else if (scry_type_of(e->r, obj, &type) == SCRY_OK)
		consider_classes(e, type, &near);
	return say(e, &near);
}

/* The nearest text, or the first keys. */
const char *scry_suggest_key(struct scry_eval *e, scry_addr dict, const struct scry_key *key)
{
	struct scry_nearest near =
		scry_nearest_to(key->kind == SCRY_KEY_TEXT && key->text ? key->text : "");
	struct scry_buf out = SCRY_BUF_INIT;
	struct scry_dict_view v;
	struct scry_printer p;
	scry_addr k, value;
	uint64_t it = 0, n = 0;

	if (*near.name)
		consider_keys(e, dict, &near);
	if (*near.best || scry_dict_open(e->r, dict, &v) < 0)
		return say(e, &near);
	if (v.used == 0)
		return "; it is empty";
	scry_printer_init(&p, e->r, &out);
	p.max_string = p.max_text = 60;
	p.max_items = 3;
	while (n < 4 && scry_dict_view_next(&v, &it, &k, &value) == SCRY_ITEM) {
		scry_buf_puts(&out, n++ ? ", " : "; it has ");
		scry_print(&p, k);
	}
	scry_buf_puts(&out, n < v.used ? ", …" : "");
	const char *text = scry_arena_text(&e->s->arena, out.text, out.len);
	scry_buf_done(&out);
	return text ? text : "";
}
