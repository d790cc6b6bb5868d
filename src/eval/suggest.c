/* "Did you mean": the name nearest to one that is not there. */
#include "eval/evaluate.h"

#define LENGTH_MAX 40
#define NAMES_MAX  5000

struct nearest {
	const char *name;
	char best[LENGTH_MAX + 1];
	unsigned distance;
	unsigned looked_at;
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, exchanges and swaps of neighbours that turn one into the other. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[3][LENGTH_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(least(before[j], now[j - 1]) + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

static void consider(struct nearest *near, const char *name)
{
	size_t n = strlen(near->name), m = strlen(name);

	if (n > LENGTH_MAX || m > LENGTH_MAX || near->looked_at++ > NAMES_MAX ||
	    (n > m ? n - m : m - n) >= near->distance)
		return;
	unsigned d = distance(near->name, n, name, m);
	if (d < near->distance && d < n) {
		near->distance = d;
		memcpy(near->best, name, m + 1);
	}
}

static struct nearest begin(const char *name)
{
	return (struct nearest) { .name = name, .distance = strlen(name) > 4 ? 3 : 2 };
}

static const char *say(struct scry_eval *e, const struct nearest *near)
{
	const char *text =
		*near->best ? scry_arena_printf(&e->s->arena, "; did you mean '%s'?", near->best)
			    : "";

	return text ? text : "";
}

static void consider_keys(struct scry_eval *e, scry_addr dict, struct nearest *near)
{
	struct scry_dict_view v;
	scry_addr key, value;
	uint64_t it = 0;
	const char *text;

	if (!dict || scry_dict_open(e->r, dict, &v) < 0)
		return;
	while (near->looked_at < NAMES_MAX &&
	       scry_dict_view_next(&v, &it, &key, &value) == SCRY_ITEM)
		if (scry_text_at(e->r, key, LENGTH_MAX, &text) == SCRY_OK)
			consider(near, text);
}

const char *scry_suggest_name(struct scry_eval *e, const char *name)
{
	struct nearest near = begin(name);
	struct scry_local local;
	unsigned it = 0;

	while (e->f && scry_frame_local_next(e->f, &it, &local) == SCRY_ITEM)
		consider(&near, local.name);
	if (e->f) {
		consider_keys(e, e->f->locals, &near);
		consider_keys(e, e->f->globals, &near);
		consider_keys(e, e->f->builtins, &near);
	}
	return say(e, &near);
}

static void consider_classes(struct scry_eval *e, scry_addr type, struct nearest *near)
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
	struct nearest near = begin(name);
	scry_addr value, type;
	struct scry_type *t;
	const char *text;
	uint64_t it = 0;

	while (near.looked_at < NAMES_MAX &&
	       scry_attr_next(e->r, obj, &it, &text, &value) == SCRY_ITEM)
		consider(&near, text);
	if (scry_type_for(e->r, obj, &t) == SCRY_OK && t->flags & TYPE_TYPE)
		consider_classes(e, obj, &near);
	else if (scry_type_of(e->r, obj, &type) == SCRY_OK)
		consider_classes(e, type, &near);
	return say(e, &near);
}

/* The nearest text, or the first keys. */
const char *scry_suggest_key(struct scry_eval *e, scry_addr dict, const struct scry_key *key)
{
	struct nearest near = begin(key->kind == SCRY_KEY_TEXT && key->text ? key->text : "");
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
