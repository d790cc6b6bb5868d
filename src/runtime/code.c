/* Code objects, each decoded once. */
#include "runtime/code.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/linetable.h"

#define TEXT_MAX   65536       /* characters of a name or file name */
#define LINES_MAX  (64u << 20) /* bytes of a line table */
#define LOCALS_MAX 1000000     /* local variables of one function */

static const char *text_or_mark(struct scry_code *c, scry_addr str)
{
	const char *text;

	if (scry_text_at(c->runtime, str, TEXT_MAX, &text) == SCRY_OK)
		return text;
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
	rc = scry_read(r->session, scry_field_addr(r, bytes, SCRY_F_BYTES_DATA), data, size);
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

	c->instructions = scry_field_addr(r, code, SCRY_F_BYTES_DATA);
	if (code && scry_field_read(r, code, SCRY_F_VAR_SIZE, &size) == SCRY_OK && size < LINES_MAX)
		c->instructions_size = (uint32_t)size;
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
	if (scry_layout_has(r->layout, SCRY_F_CODE_QUALNAME))
		c->qualname = text_or_mark(c, scry_record_uint(rec, SCRY_F_CODE_QUALNAME));
	return SCRY_OK;
}

static void decode(struct scry_code *c)
{
	struct scry_runtime *r = c->runtime;
	struct scry_session *s = r->session;
	struct scry_record rec;

	c->name = c->file = "?";
	if (r->strategy->code_whole)
		return r->strategy->code_whole(c);
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
	r->strategy->code_read(r, &rec, c);
	enum scry_field table = scry_layout_has(r->layout, SCRY_F_CODE_LINETABLE)
					? SCRY_F_CODE_LINETABLE
					: SCRY_F_CODE_LNOTAB;
	if (read_bytes(r, scry_record_uint(&rec, table), &c->lines, &c->lines_size) < 0)
		scry_note(s, "no line numbers for %s: %s", c->name, s->error.text);
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

int scry_code_location(struct scry_code *c, int64_t lasti, struct scry_location *ret)
{
	for (unsigned i = 0; i < sizeof(c->memo) / sizeof(*c->memo); i++) {
		if (!c->memo[i].valid || c->memo[i].lasti != lasti)
			continue;
		*ret = c->memo[i].location;
		return SCRY_OK;
	}
	struct scry_line_table table = { c->lines, c->lines_size, c->first_line };
	struct scry_location found = { 0 };

	if (c->lines)
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

static const char *name_at(struct scry_runtime *r, scry_addr items, uint64_t i)
{
	unsigned size = r->session->target->abi.ptr_size;
	const char *text;
	scry_addr str;

	if (scry_read_ptr(r->session, items + i * size, &str) < 0 ||
	    scry_text_at(r, str, TEXT_MAX, &text) < 0)
		return "?";
	return text;
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
	struct scry_local_name *names =
		scry_arena_alloc(&r->session->arena, (count + 1) * sizeof(*names));
	if (!names)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	for (uint64_t i = 0; i < count; i++) {
		unsigned kind = i < kinds_size ? kinds[i] : FAST_LOCAL;

		names[i].name = name_at(r, items, i);
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
	struct scry_local_name *names =
		scry_arena_alloc(&r->session->arena, (total + 1) * sizeof(*names));
	if (!names)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	unsigned n = 0;
	for (int p = 0; p < 3; p++)
		for (uint64_t i = 0; i < count[p]; i++, n++)
			names[n] = (struct scry_local_name) {
				.name = name_at(r, items[p], i),
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
	struct scry_record rec;

	if (c->locals)
		return SCRY_OK;
	int rc = scry_record_read(c->runtime, SCRY_S_CODE, c->addr, &rec);
	if (rc < 0)
		return rc;
	return scry_layout_has(c->runtime->layout, SCRY_F_CODE_LOCALSPLUSNAMES)
		       ? locals_by_kind(c, &rec)
		       : locals_by_tuple(c, &rec);
}
