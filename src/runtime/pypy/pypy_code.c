/* PyPy's code objects: names, variables, line tables. */
#include "runtime/pypy/pypy.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/linetable.h"

#define NAMES_MAX 100000
#define TABLE_MAX (16u << 20)
#define TEXT_MAX  65536
#define BYTES_MAX (1u << 24)
#define OPCODES   256

static const char *text_field(struct scry_code *c, enum scry_pypy_field f)
{
	struct scry_pypy *p = c->runtime->pypy;
	struct scry_session *s = c->runtime->session;
	const char *text;
	size_t len;
	uint64_t string;

	if (scry_pypy_read(p, c->addr, f, &string) == SCRY_OK &&
	    scry_pypy_string(p, string, TEXT_MAX, &text, &len) == SCRY_OK)
		return text;
	if (!c->damaged)
		c->damaged = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
	return "?";
}

/* Names of one kind at the end of what is there already: a GcArray of strings. */
static void add_names(struct scry_code *c, struct scry_local_name *list, enum scry_pypy_field f,
		      enum scry_local_kind kind, unsigned most)
{
	struct scry_pypy *p = c->runtime->pypy;
	uint64_t count = 0;
	scry_addr items = 0, string;
	const char *text;
	size_t len;

	if (scry_pypy_array(p, scry_pypy_get(p, c->addr, f), &count, &items) < 0)
		return;
	for (uint64_t i = 0; i < count && i < most && c->slots < NAMES_MAX; i++) {
		if (scry_read_ptr(c->runtime->session, items + 8 * i, &string) < 0 ||
		    scry_pypy_string(p, string, TEXT_MAX, &text, &len) < 0)
			text = "?";
		list[c->slots++] = (struct scry_local_name) { .name = text,
							      .kind = kind,
							      .in_cell = kind >= SCRY_LOCAL_CELL };
	}
}

static unsigned count_of(struct scry_code *c, enum scry_pypy_field f)
{
	struct scry_pypy *p = c->runtime->pypy;
	uint64_t count = 0;
	scry_addr items;

	return scry_pypy_array(p, scry_pypy_get(p, c->addr, f), &count, &items) == SCRY_OK &&
			       count < NAMES_MAX
		       ? (unsigned)count
		       : 0;
}

/* CO_VARARGS and CO_VARKEYWORDS, as in CPython. */
static unsigned parameters(const struct scry_code *c)
{
	return c->argcount + c->kwonly + !!(c->flags & 4) + !!(c->flags & 8);
}

/* locals_cells_stack_w: locals, cells, free variables, the value stack. */
static void read_locals(struct scry_code *c)
{
	unsigned total = c->nlocals + count_of(c, SCRY_PYPY_CODE_CELLVARS) +
			 count_of(c, SCRY_PYPY_CODE_FREEVARS);
	struct scry_local_name *list =
		scry_arena_alloc(&c->runtime->session->arena, (total + 1) * sizeof(*list));

	if (!list || c->nlocals > NAMES_MAX)
		return;
	add_names(c, list, SCRY_PYPY_CODE_VARNAMES, SCRY_LOCAL_VAR, c->nlocals);
	c->slots = c->nlocals;
	for (unsigned i = 0; i < parameters(c) && i < c->nlocals; i++)
		list[i].kind = SCRY_LOCAL_ARG;
	unsigned cells = c->slots;
	add_names(c, list, SCRY_PYPY_CODE_CELLVARS, SCRY_LOCAL_CELL, total);
	for (unsigned cell = cells; cell < c->slots; cell++)
		for (unsigned i = 0; i < parameters(c) && i < c->nlocals; i++)
			if (list[i].name && !strcmp(list[i].name, list[cell].name)) {
				/* the value that came is still there, the cell has the newest */
				list[i].alias = true;
				list[cell].kind = SCRY_LOCAL_ARG;
			}
	add_names(c, list, SCRY_PYPY_CODE_FREEVARS, SCRY_LOCAL_FREE, total);
	for (unsigned i = 0; i < c->slots; i++)
		if (!list[i].name)
			list[i].name = "?";
	c->locals = list;
}

void scry_pypy_code_whole(struct scry_code *c)
{
	struct scry_pypy *p = c->runtime->pypy;
	struct scry_session *s = c->runtime->session;
	enum scry_pypy_field table = p->field[SCRY_PYPY_CODE_LINETABLE].size
					     ? SCRY_PYPY_CODE_LINETABLE
					     : SCRY_PYPY_CODE_LNOTAB;
	scry_addr code = c->addr;
	const char *bytes;
	uint64_t size;
	size_t len;

	c->name = c->file = "?";
	if (!scry_pypy_is(p, scry_pypy_type_of(p, &code), SCRY_PYPY_CLASS_CODE)) {
		c->damaged = "no code object stands there";
		return;
	}
	c->addr = code;
	c->name = text_field(c, SCRY_PYPY_CODE_NAME);
	c->file = text_field(c, SCRY_PYPY_CODE_FILENAME);
	if (p->field[SCRY_PYPY_CODE_QUALNAME].size)
		c->qualname = text_field(c, SCRY_PYPY_CODE_QUALNAME);
	c->first_line = (int)scry_pypy_get(p, code, SCRY_PYPY_CODE_FIRST_LINE);
	c->flags = (uint32_t)scry_pypy_get(p, code, SCRY_PYPY_CODE_FLAGS);
	c->argcount = (unsigned)scry_pypy_get(p, code, SCRY_PYPY_CODE_ARGCOUNT);
	c->kwonly = (unsigned)scry_pypy_get(p, code, SCRY_PYPY_CODE_KWONLY);
	c->nlocals = (unsigned)scry_pypy_get(p, code, SCRY_PYPY_CODE_NLOCALS);
	if (scry_pypy_string(p, scry_pypy_get(p, code, table), TABLE_MAX, &bytes, &len) ==
	    SCRY_OK) {
		c->lines = (const uint8_t *)bytes;
		c->lines_size = (uint32_t)len;
	} else {
		scry_note(s, "no line numbers for %s: %s", c->name, s->error.text);
	}
	if (scry_pypy_bytes_of(p, scry_pypy_get(p, code, SCRY_PYPY_CODE_CODE), &c->instructions,
			       &size))
		c->instructions_size = (uint32_t)size;
	if (c->argcount > NAMES_MAX || c->kwonly > NAMES_MAX)
		c->argcount = c->kwonly = 0;
	read_locals(c);
}

bool scry_pypy_bytes_of(struct scry_pypy *p, scry_addr string, scry_addr *ret, uint64_t *ret_size)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &string);

	*ret = string + 24; /* header, hash, length */
	return t && t->tid == p->string &&
	       scry_read_uint(p->runtime->session, string + 16, 8, ret_size) == SCRY_OK &&
	       *ret_size < BYTES_MAX;
}

struct names_search {
	struct scry_pypy_scan scan;
	scry_addr found;
};

/* Is there the length of an array of names of byte codes? One of them is that of no instruction. */
static bool are_names(struct scry_pypy_scan *scan, scry_addr at)
{
	struct names_search *n = (struct names_search *)scan;
	struct scry_session *s = scan->pypy->runtime->session;
	uint64_t items[OPCODES], count;
	bool missing = false, loads = false;
	const char *text;
	size_t len;

	if (scry_read_uint(s, at, 8, &count) < 0 || count != OPCODES ||
	    scry_pypy_words(scan->pypy, at + 8, items, OPCODES) < OPCODES)
		return true;
	for (unsigned i = 0; i < OPCODES; i++) {
		if (items[i] < scan->pypy->start || items[i] >= scan->pypy->end ||
		    scry_pypy_string(scan->pypy, items[i], sizeof(SCRY_PYPY_NO_OPCODE), &text,
				     &len) < 0)
			return true;
		missing |= !strcmp(text, SCRY_PYPY_NO_OPCODE);
		loads |= !strcmp(text, "LOAD_CONST");
	}
	if (missing && loads)
		n->found = at + 8;
	return !n->found;
}

scry_addr scry_pypy_opcode_names(struct scry_pypy *p)
{
	struct names_search n = {
		.scan = { .pypy = p, .low = OPCODES, .found = are_names },
	};

	scry_pypy_scan(&n.scan);
	return n.found;
}

/*
 * From 3.6 on a line's distance is negative above 0x80 (not from it on, as CPython's is):
 * pypy/interpreter/pytraceback.py
 */
int scry_pypy_line_from_lnotab(const struct scry_line_table *t, int64_t lasti,
			       struct scry_location *ret)
{
	int64_t at = 0;
	int line = t->first_line;

	for (uint32_t i = 0; i + 1 < t->size; i += 2) {
		at += t->data[i];
		if (at > lasti)
			break;
		line += t->data[i + 1] > 0x80 ? (int)t->data[i + 1] - 256 : t->data[i + 1];
	}
	ret->line = line;
	return SCRY_OK;
}

/*
 * pypy/interpreter/location.py: for each instruction of two bytes the line less the first plus one
 * (0: none) as a variable number, then a column plus one; where that is not 0 two bytes more: the
 * distance of the last line, a column.
 */
int scry_pypy_line_from_linetable(const struct scry_line_table *t, int64_t lasti,
				  struct scry_location *ret)
{
	uint32_t i = 0;

	/* not begun: offset2lineno() has the definition's line */
	if (lasti < 0) {
		ret->line = t->first_line;
		return SCRY_OK;
	}
	for (int64_t n = lasti / 2; i < t->size; n--) {
		uint64_t line = 0;

		for (unsigned shift = 0; i < t->size && shift < 35; shift += 7) {
			uint8_t byte = t->data[i++];

			line |= (uint64_t)(byte & 0x7f) << shift;
			if (!(byte & 0x80))
				break;
		}
		/* nothing at all: one byte */
		uint8_t column = line && i < t->size ? t->data[i++] : 0;
		if (n == 0) {
			ret->line = line ? t->first_line + (int)line - 1 : 0;
			if (column && i + 1 < t->size) {
				ret->column = column;
				ret->end_line = ret->line + t->data[i + 1];
				ret->end_column = t->data[i];
			}
			return SCRY_OK;
		}
		i += column ? 2 : 0;
	}
	return SCRY_OK;
}
