/*
 * Cython's generators: struct __pyx_CoroutineObject of Cython/Utility/Coroutine.c, 0.29 to 3.1.
 * What it begins with differs by version and build, so that it is read from `yieldfrom` on, whose
 * place a member of the type says.
 */
#include "object/cython.h"

#include <inttypes.h>
#include <string.h>

#include "object/known.h"
#include "object/member.h"

#define LABELS_MAX 1000000

static const struct {
	const char *type;
	enum scry_cython_kind kind;
	const char *yields_from, *code; /* the members' names */
} types[] = {
	{ "generator", SCRY_CYTHON_GENERATOR, "gi_yieldfrom", "gi_code" },
	{ "coroutine", SCRY_CYTHON_COROUTINE, "cr_await", "cr_code" },
	/* of asyncio.coroutine()'s making */
	{ "iterable_coroutine", SCRY_CYTHON_COROUTINE, "cr_await", "cr_code" },
	{ "async_generator", SCRY_CYTHON_ASYNC_GENERATOR, "ag_await", "ag_code" },
	/* __pyx_CoroutineAwaitObject, __pyx_PyAsyncGenASend, __pyx_PyAsyncGenAThrow */
	{ "coroutine_wrapper", SCRY_CYTHON_PASSES_ON, NULL, NULL },
	{ "async_generator_asend", SCRY_CYTHON_PASSES_ON, NULL, NULL },
	{ "async_generator_athrow", SCRY_CYTHON_PASSES_ON, NULL, NULL },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static size_t row_of(struct scry_runtime *r, const struct scry_type *t)
{
	size_t i = 0;

	while (i < TYPES && !scry_is_cythons(r, t, types[i].type))
		i++;
	return i;
}

enum scry_cython_kind scry_cython_kind(struct scry_runtime *r, const struct scry_type *t)
{
	size_t row = row_of(r, t);

	return row < TYPES ? types[row].kind : SCRY_CYTHON_NONE;
}

/* Where a member of this name is in an object of the type, 0 where it has none. */
static scry_addr member_at(struct scry_runtime *r, scry_addr addr, const struct scry_type *t,
			   const char *name)
{
	struct scry_member m;
	scry_addr value, owner;

	return scry_type_lookup(r, t->addr, name, &value, &owner) == SCRY_OK &&
			       scry_member_of(r, addr, value, &m) == SCRY_OK
		       ? m.at
		       : 0;
}

/*
 * After `yieldfrom` come gi_name, gi_qualname, gi_modulename, gi_code, gi_frame, int resume_label
 * and char is_running; before gi_name from 3.1 on one pointer more, which "__module__" or the
 * code's member tell. From 3.1 on builds that are profiled have more before resume_label: that one
 * ends the struct then.
 */
static int find_label(struct scry_runtime *r, const struct scry_type *t, scry_addr addr,
		      scry_addr frame_at, struct scry_cython_generator *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr at = frame_at + ptr, end = addr + t->basicsize - 8;
	int64_t label, running;
	int rc;

	if (scry_cython_kind(r, t) != SCRY_CYTHON_ASYNC_GENERATOR)
		at = end;
	else if (end != at + ptr + 8 && end != at + ptr + 16) /* ag_finalizer, two ints or three */
		return SCRY_OK;
	rc = scry_read_int(r->session, at, 4, &label);
	rc = rc < 0 ? rc : scry_read_int(r->session, at + 4, 1, &running);
	if (rc < 0)
		return rc;
	if (label < -1 || label > LABELS_MAX || running < 0 || running > 1)
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "no generator of Cython's stands at %" PRId64, label);
	ret->label_known = true;
	ret->label = (int)label;
	ret->running = running;
	return SCRY_OK;
}

int scry_cython_generator_read(struct scry_runtime *r, scry_addr addr,
			       struct scry_cython_generator *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	struct scry_type *t;
	int rc = scry_type_for(r, addr, &t);
	size_t row;

	if (rc < 0)
		return rc;
	row = row_of(r, t);
	if (row == TYPES || !types[row].yields_from)
		return SCRY_ENOTFOUND;
	scry_addr from = member_at(r, addr, t, types[row].yields_from),
		  module = member_at(r, addr, t, "__module__"),
		  code = member_at(r, addr, t, types[row].code);
	if (!from)
		return scry_fail(r->session, SCRY_ENOTFOUND, addr,
				 "the type '%s' at 0x%" PRIx64 " has no '%s'", t->name, t->addr,
				 types[row].yields_from);
	module = module ? module : code ? code - ptr : from + 3 * (scry_addr)ptr;
	if (module != from + 3 * ptr && module != from + 4 * ptr)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, addr,
				 "generators of this version of Cython are not known");
	*ret = (struct scry_cython_generator) { .addr = addr };
	struct {
		scry_addr at, *value;
	} words[] = { { from, &ret->yields_from },
		      { module - 2 * ptr, &ret->name },
		      { module - ptr, &ret->qualname },
		      { module, &ret->module },
		      { module + ptr, &ret->code } };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((rc = scry_word(r, words[i].at, words[i].value)) < 0)
			return rc;
	if (ret->code && !scry_is_exactly(r, ret->code, SCRY_IS_CODE))
		ret->code = 0;
	return find_label(r, t, addr, module + 2 * ptr, ret);
}

const char *scry_cython_generator_name(struct scry_runtime *r, scry_addr addr, bool qualified)
{
	struct scry_cython_generator g;
	const char *text;

	if (scry_cython_generator_read(r, addr, &g) < 0)
		return NULL;
	return scry_text_at(r, qualified ? g.qualname : g.name, 2000, &text) == SCRY_OK ? text
											: NULL;
}

/* Without the code object of a build that has none: only what the generator knows. */
static struct scry_code *code_of(struct scry_runtime *r, const struct scry_cython_generator *g)
{
	struct scry_code *known = g->code ? scry_code_at_checked(r, g->code) : NULL;
	struct scry_code *c = scry_arena_alloc(&r->session->arena, sizeof(*c));
	const char *text;

	if (!c)
		return NULL;
	*c = known ? *known : (struct scry_code) { .runtime = r, .name = "?", .file = "?" };
	if (scry_text_at(r, g->name, 2000, &text) == SCRY_OK)
		c->name = text;
	if (scry_text_at(r, g->qualname, 2000, &text) == SCRY_OK)
		c->qualname = text;
	return c;
}

static const char *place_of(struct scry_runtime *r, const struct scry_cython_generator *g,
			    const struct scry_code *c)
{
	struct scry_arena *arena = &r->session->arena;
	const char *defined =
		c->first_line > 0 ? scry_arena_printf(arena, "defined at line %d", c->first_line)
				  : "its line is not known";

	if (!defined || g->label <= 0)
		return defined;
	return scry_arena_printf(arena, "%s, %s its yield or await %d", defined,
				 g->running ? "past" : "at", g->label);
}

int scry_cython_frame(struct scry_runtime *r, scry_addr addr, struct scry_frame *ret)
{
	struct scry_cython_generator g;

	*ret = (struct scry_frame) { .runtime = r, .addr = addr, .lasti = -1 };
	int rc = scry_cython_generator_read(r, addr, &g);
	struct scry_code *c = rc < 0 ? NULL : code_of(r, &g);

	if (!c) {
		ret->kind = SCRY_FRAME_DAMAGED;
		ret->damaged = scry_arena_printf(&r->session->arena, "%s", r->session->error.text);
		return SCRY_ECORRUPT;
	}
	ret->kind = SCRY_FRAME_GENERATOR;
	ret->code = c;
	ret->code_addr = g.code;
	ret->compiled = "Cython";
	ret->compiled_place = place_of(r, &g, c);
	return SCRY_OK;
}
