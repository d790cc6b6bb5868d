/* Facts as text: their phrases, with colours, and with what is the target's escaped. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

/* What a view is made from, while it is written. */
struct reading {
	struct scry_renderer *to;
	struct scry_call *call;
	const struct scry_facts *facts;
	const void *subject;
};

/* "{key,%-4:style=x}", taken apart. */
struct place {
	const char *key;
	size_t key_len;
	bool asks, denies; /* {?key}, {!key} */
	bool grouped, plural;
	int width; /* below 0: padded on the right */
	const char *style, *other;
	size_t style_len, other_len;
};

static bool put_view(const struct reading *r, const char *const *phrases, const char *between);

/* Up to the closing brace, which is returned. */
static const char *take_place(const char *at, struct place *p)
{
	const char *end = strchr(at, '}');

	*p = (struct place) { .asks = *at == '?', .denies = *at == '!' };
	at += p->asks || p->denies;
	p->key = at;
	p->key_len = strcspn(at, ",+%:=}");
	at += p->key_len;
	for (; at < end; at++) {
		if (*at == ',')
			p->grouped = true;
		else if (*at == '+')
			p->plural = true;
		else if (*at == '%')
			p->width = atoi(at + 1);
		else if (*at == ':') {
			p->style = at + 1;
			p->style_len = strcspn(p->style, "=}");
			at += p->style_len;
		} else if (*at == '=') {
			p->other = at + 1;
			p->other_len = (size_t)(end - p->other);
			break;
		}
	}
	return end;
}

static enum scry_style style_named(const char *name, size_t len)
{
	static const char *const names[] = {
		[SCRY_STYLE_FUNCTION] = "function", [SCRY_STYLE_FILE] = "file",
		[SCRY_STYLE_LINE] = "line",         [SCRY_STYLE_NAME] = "name",
		[SCRY_STYLE_ERROR] = "error",       [SCRY_STYLE_DIM] = "dim",
		[SCRY_STYLE_MARK] = "mark",
	};

	for (size_t i = SCRY_STYLE_FUNCTION; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return (enum scry_style)i;
	return SCRY_STYLE_OFF;
}

#define SPLICES 3 /* facts within facts within facts */

/* A field's value, and what it may point into. */
struct found {
	const struct scry_say *field;
	struct scry_said said, held[SPLICES];
};

static void found_done(struct found *f)
{
	scry_said_done(&f->said);
	for (unsigned i = 0; i < SPLICES; i++)
		scry_said_done(&f->held[i]);
}

/*
 * False where there is no such field. Those of other facts that are here (SCRY_SAID_FIELDS) are
 * looked at where no own one fits.
 */
static bool find(const struct scry_facts *facts, const void *subject, const struct place *p,
		 unsigned depth, struct found *ret)
{
	for (const struct scry_say *f = facts->fields; f->key; f++)
		if (f->key[0] == p->key[0] && !strncmp(f->key, p->key, p->key_len) &&
		    !f->key[p->key_len]) {
			scry_said_get(facts, f, subject, &ret->said);
			ret->field = f;
			return true;
		}
	for (const struct scry_say *f = facts->fields; f->key && depth < SPLICES; f++) {
		struct scry_said *inner = &ret->held[depth];

		if (f->key[0])
			continue;
		scry_said_done(inner);
		scry_said_get(facts, f, subject, inner);
		if (inner->kind == SCRY_SAID_FIELDS &&
		    find(inner->facts, inner->subject, p, depth + 1, ret))
			return true;
	}
	return false;
}

/* In columns: "{bytes,%12}". */
static void put_grouped(struct scry_buf *out, const struct place *p, int64_t n)
{
	SCRY_AUTO_BUF(text);

	if (n < 0)
		scry_buf_putc(&text, '-');
	scry_put_count(&text, n < 0 ? -(uint64_t)n : (uint64_t)n);
	scry_buf_printf(out, "%*s", p->width, text.text);
}

static void put_number(struct scry_buf *out, const struct place *p, int64_t n)
{
	if (p->plural)
		scry_buf_puts(out, n == 1 ? "" : "s");
	else if (p->grouped)
		put_grouped(out, p, n);
	else
		scry_buf_printf(out, "%*" PRId64, p->width, n);
}

static bool put_value(const struct reading *r, const struct place *p, const struct scry_say *field,
		      const struct scry_said *said)
{
	struct scry_buf *out = r->call->out;

	switch (said->kind) {
	case SCRY_SAID_INT:
		put_number(out, p, said->number);
		return true;
	case SCRY_SAID_ADDR:
		scry_buf_printf(out, "0x%" PRIx64, said->addr);
		return true;
	case SCRY_SAID_BOOL:
		scry_buf_puts(out, said->truth ? "yes" : "no");
		return true;
	case SCRY_SAID_TEXT:
		scry_put_safe_bytes(out, said->text, said->len);
		for (int i = (int)said->len; i < -p->width; i++)
			scry_buf_putc(out, ' ');
		return true;
	case SCRY_SAID_FACTS:
		return put_view(&(struct reading) { r->to, r->call, said->facts, said->subject },
				field->names ? field->names : said->facts->text, NULL);
	case SCRY_SAID_LIST:
	case SCRY_SAID_MAP:
		said->each(said->subject, r->to);
		return true;
	case SCRY_SAID_VIEW:
		return put_view(r, said->view, field->between);
	default:
		return false;
	}
}

/* A value in its style, or what stands for it. */
static bool put_styled(const struct reading *r, const struct place *p, const struct found *f)
{
	struct scry_buf *out = r->call->out;

	if (p->style)
		scry_buf_puts(out, scry_style(r->call, style_named(p->style, p->style_len)));
	bool shown = put_value(r, p, f->field, &f->said);
	if (!shown && p->other)
		scry_buf_put(out, p->other, p->other_len);
	if (p->style)
		scry_buf_puts(out, scry_style(r->call, SCRY_STYLE_OFF));
	return shown || p->other;
}

/* One pair of braces; false: the phrase is not for this subject. */
static bool put_place(const struct reading *r, const struct place *p)
{
	static const struct scry_said empty = { .own = SCRY_BUF_INIT };
	SCRY_AUTO(found_done) struct found f = { NULL, empty, { empty, empty, empty } };

	if (!p->key_len) {
		scry_buf_puts(r->call->out,
			      scry_style(r->call, style_named(p->style, p->style_len)));
		return true;
	}
	if (p->asks && p->key_len == 2 && !memcmp(p->key, "-v", 2))
		return r->call->verbose;
	bool known = find(r->facts, r->subject, p, 0, &f);
	if (p->asks || p->denies)
		return (known && scry_said_is(&f.said)) == p->asks;
	return known && put_styled(r, p, &f);
}

/* A phrase, or nothing of it. */
static bool put_phrase(const struct reading *r, const char *phrase)
{
	size_t before = r->call->out->len;

	while (*phrase) {
		size_t plain = strcspn(phrase, "{");
		struct place p;

		scry_buf_put(r->call->out, phrase, plain);
		phrase += plain;
		if (!*phrase)
			break;
		phrase = take_place(phrase + 1, &p) + 1;
		if (!put_place(r, &p)) {
			scry_buf_cut(r->call->out, before);
			return false;
		}
	}
	return true;
}

/* True where any phrase was for this subject. */
static bool put_view(const struct reading *r, const char *const *phrases, const char *between)
{
	bool any = false, last = false;

	for (; *phrases; phrases++) {
		bool other = **phrases == '|';
		size_t before = r->call->out->len;

		if (other && last)
			continue;
		if (any && between)
			scry_buf_puts(r->call->out, between);
		last = put_phrase(r, *phrases + other);
		if (!last)
			scry_buf_cut(r->call->out, before);
		any |= last;
	}
	return any;
}

static void put_facts(struct scry_renderer *to, const struct scry_facts *facts,
		      const char *const *view, const void *subject)
{
	struct reading r = { to, ((struct scry_render *)to)->call, facts, subject };

	view = view ? view : facts->text;
	if (view)
		put_view(&r, view, NULL);
}

static void list_open(struct scry_renderer *to, const char *key)
{
	(void)to;
	(void)key;
}

static void list_close(struct scry_renderer *to)
{
	(void)to;
}

const struct scry_renderer_ops scry_render_text = {
	.name = "text",
	.facts = put_facts,
	.fields = put_facts,
	.list_open = list_open,
	.list_close = list_close,
};

void scry_render_init(struct scry_call *call, const struct scry_renderer_ops *ops)
{
	call->render = (struct scry_render) { .to = { ops, call->s ? &call->s->stopped : NULL },
					      .call = call };
}
