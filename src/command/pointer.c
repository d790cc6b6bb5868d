/*
 * What a debugger's own `print`, `info locals` and `frame variable` show for a pointer: the table
 * of C types.
 */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "object/object.h"

/*
 * One C type. `show` fails where the word is something else; then the debugger shows the pointer
 * as it would anyway.
 */
struct row {
	const char *type; /* a struct's or typedef's name; '*' stands for any characters */
	int (*show)(struct scry_runtime *r, scry_addr word, uint64_t max_text,
		    struct scry_buf *out);
};

/* The runtime that knows the object: a process may have several. The first one where none does. */
static struct scry_runtime *runtime_of(struct scry_runtime *first, scry_addr object)
{
	for (struct scry_runtime *r = first; r; r = r->next)
		if (scry_is_object(r, object))
			return r;
	return first;
}

static int show_object(struct scry_runtime *r, scry_addr word, uint64_t max_text,
		       struct scry_buf *out)
{
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_printer p;

	scry_printer_init(&p, runtime_of(r, word), &text);
	if (max_text)
		p.max_text = max_text;
	scry_print(&p, word);
	scry_put_safe_bytes(out, text.text, text.len);
	scry_buf_done(&text);
	return SCRY_OK;
}

/*
 * As a frame object's repr. One that C code made for a call into the interpreter (3.12+) has no
 * code.
 */
static int show_frame(struct scry_runtime *first, scry_addr word, uint64_t max_text,
		      struct scry_buf *out)
{
	struct scry_location at = { 0 };
	struct scry_frame f;

	(void)max_text;
	for (struct scry_runtime *r = first; r; r = r->next) {
		if (scry_frame_at(r, word, &f) < 0)
			continue;
		if (!f.code) {
			scry_buf_printf(out, "<frame at 0x%" PRIx64 ", a call from C>", word);
			return SCRY_OK;
		}
		scry_frame_location(&f, &at);
		scry_buf_printf(out, "<frame at 0x%" PRIx64 ", file '", word);
		scry_put_safe(out, f.code->file);
		scry_buf_printf(out, "', line %d, code ", at.line);
		scry_put_safe(out, f.code->name);
		scry_buf_putc(out, '>');
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}

static int show_thread(struct scry_runtime *r, scry_addr word, uint64_t max_text,
		       struct scry_buf *out)
{
	struct scry_call call = { .s = r->session, .out = out };

	(void)max_text;
	scry_render_init(&call, &scry_render_text);
	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next) {
		if (t->state != word)
			continue;
		scry_buf_printf(out, "<thread state at 0x%" PRIx64 ": ", word);
		scry_thread_text(&call, t);
		scry_buf_putc(out, '>');
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}

static int show_interpreter(struct scry_runtime *first, scry_addr word, uint64_t max_text,
			    struct scry_buf *out)
{
	(void)max_text;
	for (struct scry_runtime *r = first; r; r = r->next)
		for (struct scry_interp *i = r->interps; i; i = i->next)
			if (i->addr == word) {
				scry_buf_printf(out,
						"<interpreter %" PRId64 " at 0x%" PRIx64 ", %s %s>",
						i->id, word, r->name, r->version_text);
				return SCRY_OK;
			}
	return SCRY_ENOTFOUND;
}

/*
 * Include/internal/pycore_stackref.h, v3.13 to v3.15: a pointer with flags, or (3.14+) an int where
 * all are set.
 */
static int show_reference(struct scry_runtime *r, scry_addr word, uint64_t max_text,
			  struct scry_buf *out)
{
	scry_addr object = scry_untag(r, word);

	if (object)
		return show_object(r, object, max_text, out);
	if (r->tag_mask && (word & r->tag_mask) == r->tag_mask &&
	    scry_trait(r, SCRY_TRAIT_TAGGED_INTS))
		/* two bits of tag, the sign kept: Py_INT_TAG */
		scry_buf_printf(out, "%" PRId64, (int64_t)word / 4);
	else
		scry_buf_puts(out, "<NULL>");
	return SCRY_OK;
}

static int show_nothing(struct scry_runtime *r, scry_addr word, uint64_t max_text,
			struct scry_buf *out)
{
	(void)r, (void)word, (void)max_text, (void)out;
	return SCRY_ENOTFOUND;
}

/* The first row that fits wins. Struct tags: what DWARF calls the target of a typedef. */
static const struct row rows[] = {
	/* despite its name no object: Include/internal/pycore_dict.h */
	{ "PyDictKeysObject", show_nothing },
	{ "_PyStackRef", show_reference },
	{ "_PyInterpreterFrame", show_frame },
	{ "PyThreadState", show_thread },
	{ "_ts", show_thread },
	{ "_PyThreadStateImpl", show_thread },
	{ "PyInterpreterState", show_interpreter },
	{ "_is", show_interpreter },
	{ "PyObject", show_object },
	{ "_object", show_object },
	{ "PyVarObject", show_object },
	{ "_typeobject", show_object },
	{ "_frame", show_object },
	{ "_heaptypeobject", show_object },
	{ "_longobject", show_object },
	{ "_traceback", show_object },
	{ "PyModuleDef", show_object },
	{ "PyWeakReference", show_object },
	{ "_PyWeakReference", show_object },
	{ "Py*Object", show_object },
	{ "_Py*Object", show_object },
	{ "wrapperobject", show_object },
	{ "method_descriptor", show_object },
};

static bool fits(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t before = star ? (size_t)(star - pattern) : 0, len = strlen(name);

	if (!star)
		return !strcmp(pattern, name);
	size_t after = strlen(star + 1);
	return len >= before + after && !strncmp(pattern, name, before) &&
	       !strcmp(star + 1, name + len - after);
}

static const struct row *find_row(const char *type)
{
	if (!strncmp(type, "struct ", 7))
		type += 7;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (fits(rows[i].type, type))
			return &rows[i];
	return NULL;
}

const char *scry_pointer_type(unsigned index)
{
	return index < sizeof(rows) / sizeof(*rows) ? rows[index].type : NULL;
}

int scry_pointer_text(struct scry_session *s, const char *type, scry_addr word, uint64_t max_text,
		      struct scry_buf *out)
{
	const struct row *row = type ? find_row(type) : NULL;

	if (type && (!row || row->show == show_nothing))
		return scry_fail(s, SCRY_ENOTFOUND, 0, "%s is not a type of Python's", type);
	struct scry_runtime *r = s->target ? scry_runtime_first(s) : NULL;

	if (!r)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "no Python interpreter was found in the target");
	if (!word)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "a NULL pointer");
	return (row ? row->show : show_object)(r, word, max_text, out);
}

int scry_object_text(struct scry_session *s, scry_addr addr, struct scry_buf *out)
{
	struct scry_runtime *r = s->target ? scry_runtime_first(s) : NULL;

	if (!r)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "no Python interpreter was found in the target");
	return scry_is_object(runtime_of(r, addr), addr) ? show_object(r, addr, 0, out)
							 : s->error.code;
}
