/* Code objects, each decoded once. */
#include "runtime/code.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/linetable.h"
#include "symbol/source.h"

#define STACK_MAX  (1u << 28)  /* words of a value stack that an int can count, and more */
#define TEXT_MAX   65536       /* characters of a name or file name */
#define LINES_MAX  (64u << 20) /* bytes of a line table */
#define LOCALS_MAX 1000000     /* local variables of one function */
#define SHIM_MAX   16          /* bytes of the code of a shim */
#define FIRST_MAX  8           /* instructions before RESUME that make no cell */

static const char *text_or_mark(struct scry_code *c, scry_addr str)
{
	const char *text, *doubt = scry_text_doubt(c->runtime, str);

	if (scry_text_at(c->runtime, str, TEXT_MAX, &text) == SCRY_OK) {
		if (doubt && !c->damaged)
			c->damaged = scry_arena_printf(&c->runtime->session->arena,
						       "its name \"%s\": %s", text, doubt);
		return text;
	}
	if (!c->damaged) {
		struct scry_session *s = c->runtime->session;

		c->damaged = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
	}
	return "?";
}

/* The contents of a bytes object in the arena. */
static int read_bytes(struct scry_runtime *r, scry_addr bytes, const uint8_t **ret,
		      uint32_t *ret_size)
{
	uint64_t size;
	int rc = scry_field_read(r, bytes, SCRY_F_VAR_SIZE, &size);

	if (rc < 0)
		return rc;
	if (size > LINES_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, bytes,
				 "a line table of %" PRIu64 " bytes", size);
	uint8_t *data = scry_arena_alloc(&r->session->arena, size + 1);
	if (!data)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	scry_addr from = scry_field_addr(r, bytes, SCRY_F_BYTES_DATA);
	rc = scry_read(r->session, from, data, size);
	/* PyBytes_FromStringAndSize(), Objects/bytesobject.c: a NUL that does not count */
	if (rc == SCRY_OK && scry_read_some(r->session, from + size, data + size, 1) == 1 &&
	    data[size])
		return scry_fail(r->session, SCRY_ECORRUPT, bytes,
				 "bytes that do not end where their size says: %" PRIu64, size);
	if (rc == SCRY_OK) {
		*ret = data;
		*ret_size = (uint32_t)size;
	}
	return rc;
}

int scry_code_read_object(struct scry_runtime *r, const struct scry_record *rec,
			  struct scry_code *c)
{
	scry_addr code = scry_record_uint(rec, SCRY_F_CODE_CODE);
	uint64_t size = 0;

	uint64_t cells, frees;

	c->instructions = scry_field_addr(r, code, SCRY_F_BYTES_DATA);
	if (code && scry_field_read(r, code, SCRY_F_VAR_SIZE, &size) == SCRY_OK && size < LINES_MAX)
		c->instructions_size = (uint32_t)size;
	c->slots_known = scry_field_read(r, scry_record_uint(rec, SCRY_F_CODE_CELLVARS),
					 SCRY_F_VAR_SIZE, &cells) == SCRY_OK &&
			 scry_field_read(r, scry_record_uint(rec, SCRY_F_CODE_FREEVARS),
					 SCRY_F_VAR_SIZE, &frees) == SCRY_OK &&
			 cells < LOCALS_MAX && frees < LOCALS_MAX;
	if (c->slots_known)
		c->slots = c->nlocals + (unsigned)cells + (unsigned)frees;
	return SCRY_OK;
}

int scry_code_read_inline(struct scry_runtime *r, const struct scry_record *rec,
			  struct scry_code *c)
{
	uint64_t units = 0;

	/* a variable-size object since 3.11: ob_size counts code units; Include/cpython/code.h */
	c->instructions = scry_field_addr(r, rec->addr, SCRY_F_CODE_ADAPTIVE);
	if (scry_field_read(r, rec->addr, SCRY_F_VAR_SIZE, &units) == SCRY_OK && units < LINES_MAX)
		c->instructions_size = (uint32_t)units * 2;
	c->slots = (unsigned)scry_record_uint(rec, SCRY_F_CODE_NLOCALSPLUS);
	c->first_traceable =
		c->instructions + 2 * scry_record_uint(rec, SCRY_F_CODE_FIRSTTRACEABLE);
	/* _Py_MakeShimCode(), Objects/codeobject.c, v3.12; static ones have no RESUME in 3.13+ */
	uint64_t first = scry_record_uint(rec, SCRY_F_CODE_FIRSTTRACEABLE);
	c->shim = c->instructions_size <= SHIM_MAX && !c->slots &&
		  (!strcmp(c->file, "<shim>") || 2 * first >= c->instructions_size);
	/* before it only cells are made and free variables copied, one instruction each or two */
	if (!c->shim && first > c->slots + FIRST_MAX && !c->damaged)
		c->damaged = scry_arena_printf(&r->session->arena,
					       "it begins at its instruction %" PRIu64, first);
	if (scry_layout_has(r->layout, SCRY_F_CODE_QUALNAME))
		c->qualname = text_or_mark(c, scry_record_uint(rec, SCRY_F_CODE_QUALNAME));
	return SCRY_OK;
}

/* A dump may lack the names of static types: then the object is taken for what it should be. */
static bool is_code(struct scry_runtime *r, scry_addr addr)
{
	scry_addr type;
	const char *name;

	if (scry_field_read(r, addr, SCRY_F_OBJECT_TYPE, &type) < 0)
		return false;
	if (type == r->code_type && type)
		return true;
	if (scry_type_own_name(r, type, &name) < 0)
		return !r->code_type && scry_map_at(r->session->target, type) != NULL;
	if (strcmp(name, "code"))
		return false;
	r->code_type = type;
	return true;
}

static void decode(struct scry_code *c)
{
	struct scry_runtime *r = c->runtime;
	struct scry_session *s = r->session;
	struct scry_record rec;

	c->name = c->file = "?";
	if (r->strategy->code_whole)
		return r->strategy->code_whole(c);
	c->none = !is_code(r, c->addr);
	if (c->none) {
		c->damaged = scry_arena_printf(&s->arena, "no code object at 0x%" PRIx64, c->addr);
		return;
	}
	if (scry_record_read(r, SCRY_S_CODE, c->addr, &rec) < 0) {
		c->damaged = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
		return;
	}
	c->name = text_or_mark(c, scry_record_uint(&rec, SCRY_F_CODE_NAME));
	c->file = text_or_mark(c, scry_record_uint(&rec, SCRY_F_CODE_FILENAME));
	c->first_line = (int)scry_record_int(&rec, SCRY_F_CODE_FIRSTLINE);
	c->flags = (uint32_t)scry_record_uint(&rec, SCRY_F_CODE_FLAGS);
	c->argcount = (unsigned)scry_record_uint(&rec, SCRY_F_CODE_ARGCOUNT);
	c->posonly = (unsigned)scry_record_uint(&rec, SCRY_F_CODE_POSONLY);
	c->kwonly = (unsigned)scry_record_uint(&rec, SCRY_F_CODE_KWONLY);
	c->nlocals = (unsigned)scry_record_uint(&rec, SCRY_F_CODE_NLOCALS);
	c->stack_size = (unsigned)scry_record_uint(&rec, SCRY_F_CODE_STACKSIZE);
	if (c->stack_size >= STACK_MAX && !c->damaged) /* a count below 0 as well */
		c->damaged = scry_arena_printf(&s->arena, "its value stack would have %u words",
					       c->stack_size);
	r->strategy->code_read(r, &rec, c);
	enum scry_field table = scry_layout_has(r->layout, SCRY_F_CODE_LINETABLE)
					? SCRY_F_CODE_LINETABLE
					: SCRY_F_CODE_LNOTAB;
	/* where it cannot be read each frame says so: scry_frame_line_lost() */
	c->table = scry_record_uint(&rec, table);
	read_bytes(r, c->table, &c->lines, &c->lines_size);
}

struct scry_code *scry_code_at(struct scry_runtime *r, scry_addr addr)
{
	struct scry_code *c = scry_hash_find(&r->codes, addr);

	if (c)
		return c;
	c = scry_arena_alloc(&r->session->arena, sizeof(*c));
	if (!c)
		return NULL;
	c->runtime = r;
	c->addr = addr;
	decode(c);
	return scry_hash_put(&r->codes, addr, c) ? c : NULL;
}

struct scry_code *scry_code_at_checked(struct scry_runtime *r, scry_addr addr)
{
	struct scry_code *c = scry_hash_find(&r->codes, addr);

	if (!c && (r->strategy->code_whole || is_code(r, addr)))
		c = scry_code_at(r, addr);
	return c && !c->damaged ? c : NULL;
}

/*
 * Up to 3.9 an empty table means that all the code is in the line of its def, but so does one that
 * was taken away: only the source decides it, or that nothing else fits.
 */
static bool is_one_line(const struct scry_code *c)
{
	const char *text, *hash;
	size_t len;

	/* "<lambda>", "<module>"; a body of a constant or nothing is four bytes, with its return */
	if (c->name[0] == '<' || c->instructions_size <= 4)
		return true;
	if (scry_source_line(c->runtime->session, c->file, c->first_line, &text, &len) < 0)
		return false;
	hash = memchr(text, '#', len);
	len = hash ? (size_t)(hash - text) : len;
	while (len && strchr(" \t\r\f", text[len - 1]))
		len--;
	return len && !strchr(":\\,(", text[len - 1]);
}

#define DECORATORS_MAX 8 /* lines before a definition's name */

/* Does the definition stand where the code says? Else the file was edited, or is another one. */
static bool file_defines(const struct scry_code *c)
{
	struct scry_session *s = c->runtime->session;
	const char *text;
	size_t len;

	for (int i = 0; i < DECORATORS_MAX; i++)
		if (scry_source_line(s, c->file, c->first_line + i, &text, &len) == SCRY_OK &&
		    memmem(text, len, c->name, strlen(c->name)))
			return true;
	return false;
}

/* A line after the end of the file that the code is from: a damaged number. */
static void check_source(struct scry_code *c, int64_t lasti, const struct scry_line_table *table)
{
	struct scry_session *s = c->runtime->session;
	struct scry_location at = { 0 };
	const char *text;
	size_t len;

	c->runtime->strategy->line(table, lasti, &at);
	if (at.line > 0 && scry_source_line(s, c->file, at.line, &text, &len) < 0 &&
	    scry_source_line(s, c->file, 1, &text, &len) == SCRY_OK && file_defines(c))
		c->lines_bad = scry_arena_printf(&s->arena, "its file has no line %d", at.line);
}

static void check_lines(struct scry_code *c, const struct scry_line_table *table)
{
	const struct scry_strategy *strategy = c->runtime->strategy;

	c->lines_checked = true;
	if (!strategy->line_check)
		return;
	if (!c->lines)
		c->lines_bad = "its line table cannot be read";
	else if (!c->lines_size &&
		 (!scry_layout_has(c->runtime->layout, SCRY_F_CODE_LNOTAB) || !is_one_line(c)))
		c->lines_bad = "it has no line table";
	else
		c->lines_bad = strategy->line_check(table);
	const char *doubt =
		c->lines_bad || !c->table ? NULL : scry_text_doubt(c->runtime, c->table);
	if (doubt)
		c->lines_bad = scry_arena_printf(&c->runtime->session->arena,
						 "its line table was changed: %s", doubt);
}

int scry_code_location(struct scry_code *c, int64_t lasti, struct scry_location *ret)
{
	for (unsigned i = 0; i < sizeof(c->memo) / sizeof(*c->memo); i++) {
		if (!c->memo[i].valid || c->memo[i].lasti != lasti)
			continue;
		*ret = c->memo[i].location;
		return SCRY_OK;
	}
	struct scry_line_table table = { c->lines, c->lines_size, c->first_line,
					 c->instructions_size };
	struct scry_location found = { 0 };

	if (!c->lines_checked)
		check_lines(c, &table);
	if (c->lines && !c->lines_bad && c->runtime->strategy->line_check)
		check_source(c, lasti, &table);
	if (c->lines && !c->lines_bad)
		c->runtime->strategy->line(&table, lasti, &found);
	struct scry_line_memo *memo =
		&c->memo[c->memo_next++ % (sizeof(c->memo) / sizeof(*c->memo))];
	*memo = (struct scry_line_memo) { lasti, true, found };
	*ret = found;
	return SCRY_OK;
}

/* Items of a tuple of names: SCRY_ECORRUPT for absurd sizes. */
static int tuple_of(struct scry_runtime *r, scry_addr tuple, uint64_t *ret_count,
		    scry_addr *ret_items)
{
	uint64_t count;
	int rc = scry_field_read(r, tuple, SCRY_F_VAR_SIZE, &count);

	if (rc < 0)
		return rc;
	if (count > LOCALS_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, tuple, "a tuple of %" PRIu64 " names",
				 count);
	*ret_count = count;
	*ret_items = scry_field_addr(r, tuple, SCRY_F_TUPLE_ITEMS);
	return SCRY_OK;
}

/* CO_FAST_* in co_localspluskinds, Include/internal/pycore_code.h, v3.11 to v3.15. */
enum { FAST_HIDDEN = 0x10, FAST_LOCAL = 0x20, FAST_CELL = 0x40, FAST_FREE = 0x80 };
/* CO_VARARGS, CO_VARKEYWORDS: one more argument each. */
static unsigned count_args(const struct scry_code *c)
{
	return c->argcount + c->kwonly + !!(c->flags & 4) + !!(c->flags & 8);
}

/* Numbers of arguments that fit the variables, and each other. */
static bool fits(const struct scry_code *c, uint64_t variables)
{
	return c->argcount <= variables && c->kwonly <= variables && c->posonly <= c->argcount &&
	       count_args(c) <= variables;
}

static const char *name_at(struct scry_code *c, scry_addr items, uint64_t i)
{
	struct scry_runtime *r = c->runtime;
	unsigned size = r->session->target->abi.ptr_size;
	const char *text;
	scry_addr str;

	if (scry_read_ptr(r->session, items + i * size, &str) == SCRY_OK &&
	    scry_text_at(r, str, TEXT_MAX, &text) == SCRY_OK)
		return text;
	c->locals_bad = "a name cannot be read";
	return "?";
}

/*
 * As many of each kind as the code object says: Objects/codeobject.c, get_localsplus_counts(). What
 * is a local and in a cell counts as both.
 */
static bool agree_with_counts(const struct scry_record *rec, const uint8_t *kinds, uint64_t count)
{
	uint64_t cells = 0, frees = 0;

	for (uint64_t i = 0; i < count; i++) {
		cells += (kinds[i] & FAST_CELL) != 0;
		frees += !(kinds[i] & FAST_CELL) && kinds[i] & FAST_FREE;
	}
	return !scry_record_has(rec, SCRY_F_CODE_NCELLVARS) ||
	       !scry_record_has(rec, SCRY_F_CODE_NFREEVARS) ||
	       (scry_record_uint(rec, SCRY_F_CODE_NCELLVARS) == cells &&
		scry_record_uint(rec, SCRY_F_CODE_NFREEVARS) == frees);
}

/* 3.11+: one tuple of names and one byte of kind for each. */
static int locals_by_kind(struct scry_code *c, struct scry_record *rec)
{
	struct scry_runtime *r = c->runtime;
	const uint8_t *kinds;
	uint32_t kinds_size;
	uint64_t count;
	scry_addr items;
	int rc = tuple_of(r, scry_record_uint(rec, SCRY_F_CODE_LOCALSPLUSNAMES), &count, &items);

	if (rc == SCRY_OK)
		rc = read_bytes(r, scry_record_uint(rec, SCRY_F_CODE_LOCALSPLUSKINDS), &kinds,
				&kinds_size);
	if (rc < 0)
		return rc;
	/* a version without rows may not say how many: names and kinds agree on it */
	if (!scry_layout_has(r->layout, SCRY_F_CODE_NLOCALSPLUS) && count < LOCALS_MAX)
		c->slots = (unsigned)count;
	if (count != c->slots || kinds_size != count || !fits(c, count))
		return scry_fail(r->session, SCRY_ECORRUPT, c->addr,
				 "%u variables have %" PRIu64 " names and %" PRIu32 " kinds",
				 c->slots, count, kinds_size);
	if (!agree_with_counts(rec, kinds, count))
		return scry_fail(r->session, SCRY_ECORRUPT, c->addr,
				 "the kinds of its variables are another code's");
	struct scry_local_name *names =
		scry_arena_alloc(&r->session->arena, (count + 1) * sizeof(*names));
	if (!names)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	for (uint64_t i = 0; i < count; i++) {
		unsigned kind = i < kinds_size ? kinds[i] : FAST_LOCAL;

		names[i].name = name_at(c, items, i);
		names[i].hidden = kind & FAST_HIDDEN;
		names[i].in_cell = kind & (FAST_CELL | FAST_FREE);
		names[i].kind = kind & FAST_FREE    ? SCRY_LOCAL_FREE
				: i < count_args(c) ? SCRY_LOCAL_ARG
				: kind & FAST_CELL  ? SCRY_LOCAL_CELL
						    : SCRY_LOCAL_VAR;
	}
	c->locals = names;
	c->slots = (unsigned)count;
	return SCRY_OK;
}

/*
 * An argument that an inner function uses lives in a cell of the same name, and its own slot is
 * empty.
 */
static void join_cell_arguments(struct scry_local_name *names, unsigned args, unsigned cells,
				unsigned cells_end)
{
	for (unsigned c = cells; c < cells_end; c++)
		for (unsigned a = 0; a < args; a++)
			if (!strcmp(names[a].name, names[c].name)) {
				names[a].cell = c;
				names[c].alias = true;
				names[c].kind = SCRY_LOCAL_ARG;
			}
}

/* Up to 3.10: locals, then cells, then free variables, a tuple of names each. */
static int locals_by_tuple(struct scry_code *c, struct scry_record *rec)
{
	static const struct {
		enum scry_field field;
		enum scry_local_kind kind;
	} parts[] = { { SCRY_F_CODE_VARNAMES, SCRY_LOCAL_VAR },
		      { SCRY_F_CODE_CELLVARS, SCRY_LOCAL_CELL },
		      { SCRY_F_CODE_FREEVARS, SCRY_LOCAL_FREE } };
	struct scry_runtime *r = c->runtime;
	uint64_t count[3], total = 0;
	scry_addr items[3];

	for (int p = 0; p < 3; p++) {
		int rc = tuple_of(r, scry_record_uint(rec, parts[p].field), &count[p], &items[p]);

		if (rc < 0)
			return rc;
		total += count[p];
	}
	if (count[0] != c->nlocals || !fits(c, count[0]))
		return scry_fail(r->session, SCRY_ECORRUPT, c->addr,
				 "%u variables, %u of them arguments, have %" PRIu64 " names",
				 c->nlocals, count_args(c), count[0]);
	struct scry_local_name *names =
		scry_arena_alloc(&r->session->arena, (total + 1) * sizeof(*names));
	if (!names)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	unsigned n = 0;
	for (int p = 0; p < 3; p++)
		for (uint64_t i = 0; i < count[p]; i++, n++)
			names[n] = (struct scry_local_name) {
				.name = name_at(c, items[p], i),
				.kind = p == 0 && i < count_args(c) ? SCRY_LOCAL_ARG
								    : parts[p].kind,
				.in_cell = p > 0,
			};
	join_cell_arguments(names, count_args(c) < count[0] ? count_args(c) : (unsigned)count[0],
			    (unsigned)count[0], (unsigned)(count[0] + count[1]));
	c->locals = names;
	c->slots = n;
	return SCRY_OK;
}

int scry_code_locals(struct scry_code *c)
{
	struct scry_session *s = c->runtime->session;
	struct scry_record rec;

	if (c->locals)
		return SCRY_OK;
	int rc = scry_record_read(c->runtime, SCRY_S_CODE, c->addr, &rec);
	if (rc == SCRY_OK)
		rc = scry_layout_has(c->runtime->layout, SCRY_F_CODE_LOCALSPLUSNAMES)
			     ? locals_by_kind(c, &rec)
			     : locals_by_tuple(c, &rec);
	if (rc < 0 && !c->locals_bad)
		c->locals_bad = scry_arena_text(&s->arena, s->error.text, strlen(s->error.text));
	return rc;
}
