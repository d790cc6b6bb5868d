/* The driver: which printer an object gets, and the bounds on all of them. */
#include "object/cython.h"
#include "object/known.h"
#include "object/contradict.h"
#include "object/judge.h"
#include "object/overrides.h"
#include "object/part.h"
#include "object/printer.h"
#include "object/text_hash.h"

#include <stdarg.h>

/* calls beyond the user's depth: what is not nested to a reader still takes our C stack */
#define LEVEL_EXTRA 64

/* --- bounds --- */

void scry_printer_init(struct scry_printer *p, struct scry_runtime *r, struct scry_buf *out)
{
	const uint64_t *limit = r->session->options.limit;

	*p = (struct scry_printer) { .runtime = r,
				     .out = out,
				     .start = out->len,
				     .max_items = limit[SCRY_LIMIT_ITEMS],
				     .max_depth = limit[SCRY_LIMIT_DEPTH],
				     .max_string = limit[SCRY_LIMIT_STRING],
				     .max_text = limit[SCRY_LIMIT_TEXT] };
}

/* Asked before each item, never within one: a text is cut where a reader sees what is missing. */
static bool full(const struct scry_printer *p)
{
	return p->max_text && p->out->len - p->start > p->max_text;
}

/*
 * Py_ReprEnter() (Objects/object.c) for us: what is open already is written as `text`, "[...]". An
 * address of 0 stands for what cannot contain itself.
 */
bool scry_printer_enter(struct scry_printer *p, scry_addr addr, const char *text)
{
	const unsigned most = sizeof(p->open) / sizeof(p->open[0]);

	for (unsigned i = 0; i < p->depth; i++)
		if (addr && p->open[i] == addr) {
			scry_buf_puts(p->out, text);
			return false;
		}
	if (p->depth >= most || (p->max_depth && p->depth >= p->max_depth)) {
		p->truncated = true;
		scry_buf_puts(p->out, "…");
		return false;
	}
	p->open[p->depth++] = addr;
	return true;
}

void scry_printer_leave(struct scry_printer *p)
{
	p->depth--;
}

bool scry_printer_more(struct scry_printer *p, uint64_t i, uint64_t n)
{
	if (i >= n)
		return false;
	if (i)
		scry_buf_puts(p->out, ", ");
	if ((!p->max_items || i < p->max_items) && !full(p))
		return true;
	p->truncated = true;
	scry_printf(p, "… %" PRIu64 " more", n - i);
	return false;
}

/* Who asked for a text may not ask how it is: the answer as a whole is partial then. */
static void note_damage(struct scry_printer *p)
{
	p->damaged = true;
	p->runtime->session->value_damaged = true;
}

void scry_printer_count(struct scry_printer *p, uint64_t said, uint64_t found)
{
	if (said == found)
		return;
	note_damage(p);
	scry_printf(p, "%s<damaged: it says %" PRIu64 ", %" PRIu64 " are there>", found ? ", " : "",
		    said, found);
}

void scry_printer_doubt(struct scry_printer *p, const char *why)
{
	note_damage(p);
	scry_printf(p, " <damaged: %s>", why);
}

void scry_printer_damage(struct scry_printer *p, scry_addr addr)
{
	note_damage(p);
	scry_printf(p, "<unreadable at 0x%" PRIx64 ": %s>", addr, p->runtime->session->error.text);
}

void scry_printf(struct scry_printer *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	scry_buf_vprintf(p->out, fmt, ap);
	va_end(ap);
}

/* --- the default forms --- */

/* "<module.Type object at 0x...>": object.__repr__. */
static int print_default(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	if (rc == SCRY_OK)
		scry_printf(p, "<%s object at 0x%" PRIx64 ">", name, addr);
	return rc;
}

/* Only of the outermost object: the attributes of each item would bury the list. */
static void print_attributes(struct scry_printer *p, scry_addr addr)
{
	const char *name;
	scry_addr value;
	uint64_t it = 0, n = 0;

	if (p->depth || !scry_printer_enter(p, addr, ""))
		return;
	while (scry_attr_next(p->runtime, addr, &it, &name, &value) == SCRY_ITEM) {
		scry_buf_puts(p->out, n ? ", " : ": ");
		if ((p->max_items && n++ >= p->max_items) || full(p)) {
			p->truncated = true;
			scry_buf_puts(p->out, "…");
			break;
		}
		scry_printf(p, "%s=", name);
		scry_print(p, value);
	}
	scry_printer_leave(p);
}

int scry_print_unknown(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	const char *name;
	int rc = scry_type_full_name(p->runtime, type, &name);

	if (rc < 0)
		return rc;
	scry_printf(p, "<%s at 0x%" PRIx64, name, addr);
	if (p->verbose)
		print_attributes(p, addr);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* A generator of Cython's has the default repr, and attributes that only C code makes. */
static bool print_cython(struct scry_printer *p, scry_addr addr)
{
	static const char *const states[] = { "finished", "not started", "suspended" };
	struct scry_cython_generator g;
	struct scry_frame f;

	if (scry_cython_generator_read(p->runtime, addr, &g) < 0 ||
	    scry_cython_frame(p->runtime, addr, &f) < 0)
		return false;
	const char *name = scry_frame_qualname(&f);
	scry_printf(p, ": %s in %s", name ? name : f.code->name, f.code->file);
	if (g.label_known)
		scry_printf(p, ", %s",
			    g.running ? "running" : states[g.label < 0 ? 0 : 1 + (g.label > 0)]);
	scry_printf(p, ", %s", f.compiled_place);
	return true;
}

static int print_default_row(struct scry_printer *p, scry_addr addr, const struct scry_type *t)
{
	int rc = print_default(p, addr, t->addr);

	if (rc == SCRY_OK && t->never_readied)
		scry_buf_puts(p->out, " (its type was never readied)");
	if (rc < 0 || !p->verbose || t->never_readied)
		return rc;
	scry_buf_cut(p->out, p->out->len - 1);
	if (!print_cython(p, addr))
		print_attributes(p, addr);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* --- printing --- */

/* For a failure that nobody described. */
static const char *why_of(int rc)
{
	return rc == SCRY_ENOMEM         ? "out of memory"
	       : rc == SCRY_EFAULT       ? "memory is missing"
	       : rc == SCRY_ENOFIELD     ? "the layout does not say where its fields are"
	       : rc == SCRY_ENOTFOUND    ? "an attribute of its class is missing"
	       : rc == SCRY_EUNSUPPORTED ? "code of the program's would have to run"
					 : "it makes no sense";
}

static int check_needs(struct scry_runtime *r, scry_addr addr, const char *needs)
{
	scry_addr value;
	int rc = SCRY_OK;

	while (rc == SCRY_OK && needs && *needs) {
		size_t n = strcspn(needs, " ");

		rc = scry_attr_path(r, addr, needs, n, &value);
		needs += n + (needs[n] == ' ');
	}
	return rc;
}

/* A row has a form or a function; what has no row has a __repr__ that we do not know. */
static int print_by_row(struct scry_printer *p, scry_addr addr, const struct scry_type *t)
{
	int rc = t->row ? check_needs(p->runtime, addr, t->row->needs) : SCRY_OK;

	if (rc < 0)
		return rc;
	if (t->row && !t->row->print)
		return scry_print_form(p, addr, t->addr, t->row->form);
	return (t->row ? t->row->print : scry_print_unknown)(p, addr, t->addr);
}

/* Code of the program's makes its repr: what it holds is beside it. */
static int print_overridden(struct scry_printer *p, scry_addr addr, const struct scry_type *t)
{
	int rc = scry_print_unknown(p, addr, t->addr);

	if (rc == SCRY_OK)
		scry_print_content(p, addr, t, scry_printer_by_flags(p->runtime, t->flags));
	return rc;
}

/* One bit of a type pointer leads to the next type: to one that has no printer, as a rule. */
static bool is_disguised(struct scry_runtime *r, scry_addr addr, const struct scry_type *t)
{
	return !(t->flags & (TYPE_UNICODE | TYPE_BYTES | TYPE_LONG | TYPE_GC)) &&
	       scry_type_is_own(r, t->addr) && scry_text_is_there(r, addr);
}

/*
 * Order matters: whether it is an object comes before what kind, whether its type is sound before
 * whose row prints it. A printer that finds code in its way starts over as the unknown; so does one
 * that lacks an attribute, without which repr() would raise: an __init__ has not set it yet.
 */
int scry_cpython_print(struct scry_printer *p, scry_addr addr)
{
	size_t start = p->out->len;
	struct scry_type *t;
	int rc = scry_type_for(p->runtime, addr, &t);

	rc = rc < 0 ? rc : scry_judge_reference(p->runtime, addr, t);
	rc = rc < 0 ? rc : scry_parts_check(p->runtime, addr, t);
	if (rc < 0)
		return rc;
	if (is_disguised(p->runtime, addr, t))
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, addr,
				 "a str is there, of which its type says that it is a %s", t->name);
	if (scry_type_doubt(p->runtime, t))
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, addr, "of its type, %s: %s",
				 t->name, t->doubt);
	if (!t->row_known)
		scry_printer_choose(p->runtime, t);
	if (t->repr_damaged)
		note_damage(p);
	if (t->row_is_default)
		return print_default_row(p, addr, t);
	if (t->overridden)
		return print_overridden(p, addr, t);
	rc = print_by_row(p, addr, t);
	if (rc != SCRY_EUNSUPPORTED && rc != SCRY_ENOTFOUND)
		return rc;
	scry_buf_cut(p->out, start);
	return scry_print_unknown(p, addr, t->addr);
}

void scry_print(struct scry_printer *p, scry_addr addr)
{
	size_t start = p->out->len;

	if (!addr) {
		scry_buf_puts(p->out, "<NULL>");
		return;
	}
	if (full(p) || p->level >= (p->max_depth ? p->max_depth : 64) + LEVEL_EXTRA) {
		p->truncated = true;
		scry_buf_puts(p->out, "…");
		return;
	}
	unsigned depth = p->depth;
	struct scry_error *error = &p->runtime->session->error;
	error->code = SCRY_OK;
	p->level++;
	int rc = scry_model_of(p->runtime)->print(p, addr);
	p->level--;
	p->depth = depth; /* a printer that failed did not leave */
	if (rc >= 0)
		return;
	scry_buf_cut(p->out, start);
	if (error->code != rc) /* an older failure's text says nothing about this one */
		scry_fail(p->runtime->session, rc, addr, "%s", why_of(rc));
	scry_printer_damage(p, addr);
}

void scry_repr(struct scry_runtime *r, scry_addr addr, struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	scry_print(&p, addr);
}

/* For a place in a line of something else: a frame's argument, a register, a slot. */
void scry_repr_short(struct scry_runtime *r, scry_addr addr, unsigned max, struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	p.max_text = p.max_string = max;
	p.max_items = 8;
	p.max_depth = 2;
	scry_print(&p, addr);
}

void scry_print_at(struct scry_printer *p, scry_addr addr)
{
	scry_addr value;

	if (scry_word(p->runtime, addr, &value) < 0)
		scry_printer_damage(p, addr);
	else
		scry_print(p, value);
}

bool scry_print_attr(struct scry_printer *p, scry_addr obj, const char *name)
{
	scry_addr value;

	if (scry_attr(p->runtime, obj, name, &value) < 0)
		return false;
	scry_print(p, value);
	return true;
}

/* 2.7: str(5L) is "5" */
static int print_long_plain(struct scry_printer *p, scry_addr obj, struct scry_type *t)
{
	if (!t->row_known)
		scry_printer_choose(p->runtime, t);
	return t->row && !strcmp(t->row->type, "long") ? scry_print_digits(p, obj) : SCRY_ENOTFOUND;
}

void scry_print_plain(struct scry_printer *p, scry_addr obj)
{
	bool old = scry_layout_has(p->runtime->layout, SCRY_F_CLASSOBJ_DICT);
	struct scry_type *t = NULL;

	if (scry_type_for(p->runtime, obj, &t) < 0)
		t = NULL;
	if (t && (t->flags & TYPE_UNICODE || (t->flags & TYPE_BYTES && old)))
		scry_print_str(p, obj);
	else if (!t || !old || !(t->flags & TYPE_LONG) || print_long_plain(p, obj, t) < 0)
		scry_print(p, obj);
}

bool scry_is_none(struct scry_runtime *r, scry_addr obj)
{
	return obj == 0 || obj == r->none || scry_is_exactly(r, obj, SCRY_IS_NONE);
}
