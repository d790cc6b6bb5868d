/*
 * PyPy's byte code. The interpreter has the names of all numbers in an array, by which the JIT
 * tells where it is (pypyjit's get_printable_location()); what an argument is follows from the
 * name, and is what CPython's byte code of that name has. An interpreter's numbers differ from
 * CPython's of the same version, and do not even stay the same in one of its own (CALL_METHOD: 202,
 * then 161).
 */
#include <stdio.h>
#include <string.h>

#include "object/model.h"
#include "object/opcodes.h"
#include "object/pypy/pypy_model.h"

#define OPCODES       256
#define TEXT_MAX      40
#define HAVE_ARGUMENT 90 /* from this one on: lib-python/X/opcode.py, all versions */
#define ITEMS_MAX     (1u << 20)

/*
 * Names that CPython never had, where the argument is more than a number: opcode.py, 2.7 and 3.7.
 */
static const char *const own[] = { "LOOKUP_METHOD:n:0", "JUMP_IF_NOT_DEBUG:r:0" };

static const char *word_of(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(own[i], name, len) && own[i][len] == ':')
			return own[i];
	return scry_opcode_named(name);
}

/* "NAME:KIND:0". What had no argument in CPython may have one here: RERAISE. */
static const char *describe(struct scry_runtime *r, unsigned opcode, const char *name)
{
	const char *word = word_of(name), *colon = word ? strchr(word, ':') : NULL;
	char kind = opcode < HAVE_ARGUMENT ? '.' : !colon || colon[1] == '.' ? '-' : colon[1];

	return scry_arena_printf(&r->session->arena, "%.*s:%c:0",
				 colon ? (int)(colon - word) : (int)strlen(name),
				 colon ? word : name, kind);
}

static void load(struct scry_runtime *r)
{
	struct scry_pypy *p = r->pypy;
	scry_addr names = scry_pypy_opcode_names(p), string;
	const char *text;
	size_t len;

	p->opcodes_done = true;
	if (!names)
		return;
	p->opcodes = scry_arena_alloc(&r->session->arena, OPCODES * sizeof(*p->opcodes));
	for (unsigned i = 0; p->opcodes && i < OPCODES; i++)
		if (scry_read_ptr(r->session, names + 8 * (scry_addr)i, &string) == SCRY_OK &&
		    scry_pypy_string(p, string, TEXT_MAX, &text, &len) == SCRY_OK &&
		    strcmp(text, SCRY_PYPY_NO_OPCODE) != 0)
			p->opcodes[i] = describe(r, i, text);
}

static int opcodes(struct scry_runtime *r, const char *const **ret)
{
	if (!r->pypy->opcodes_done)
		load(r);
	*ret = r->pypy->opcodes;
	return *ret ? SCRY_OK
		    : scry_fail(r->session, SCRY_EUNSUPPORTED, 0,
				"this PyPy's names of byte codes were not found");
}

static int item(struct scry_code *c, bool constant, uint32_t index, scry_addr *ret)
{
	struct scry_pypy *p = c->runtime->pypy;
	uint64_t array, count;
	scry_addr items;
	int rc = scry_pypy_read(p, c->addr, constant ? SCRY_PYPY_CODE_CONSTS : SCRY_PYPY_CODE_NAMES,
				&array);

	rc = rc < 0 ? rc : scry_pypy_array(p, array, &count, &items);
	if (rc < 0 || index >= count || count > ITEMS_MAX)
		return rc < 0 ? rc : SCRY_ENOTFOUND;
	return scry_read_ptr(c->runtime->session, items + 8 * (scry_addr)index, ret);
}

static bool exception_table(const struct scry_code *c, scry_addr *ret, uint64_t *ret_size)
{
	struct scry_pypy *p = c->runtime->pypy;

	return scry_pypy_bytes_of(p, scry_pypy_get(p, c->addr, SCRY_PYPY_CODE_EXCEPTIONTABLE), ret,
				  ret_size);
}

/* What is called, or runs, leads to its code in a step or two. */
static scry_addr code_of(struct scry_runtime *r, scry_addr obj)
{
	static const struct {
		enum scry_pypy_class class;
		enum scry_pypy_field leads;
	} steps[] = {
		{ SCRY_PYPY_CLASS_METHOD, SCRY_PYPY_METHOD_FUNCTION },
		{ SCRY_PYPY_CLASS_FUNCTION, SCRY_PYPY_FUNCTION_CODE },
		{ SCRY_PYPY_CLASS_GENERATOR, SCRY_PYPY_GENERATOR_CODE },
	};
	const struct scry_pypy_type *t;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		t = scry_pypy_type_of(r->pypy, &obj);
		if (scry_pypy_is(r->pypy, t, steps[i].class))
			obj = scry_pypy_get(r->pypy, obj, steps[i].leads);
	}
	t = scry_pypy_type_of(r->pypy, &obj);
	return scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_CODE) ? obj : 0;
}

const struct scry_code_model scry_pypy_codes = {
	.opcodes = opcodes,
	.item = item,
	.exception_table = exception_table,
	.of = code_of,
};
