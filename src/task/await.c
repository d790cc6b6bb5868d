/* Suspended generators and coroutines, and what they wait for. */
#include "task/await.h"

#include <inttypes.h>
#include <string.h>

#include "object/cython.h"
#include "object/known.h"
#include "object/model.h"

#define BASES_MAX 64
#define STACK_MAX 65536 /* words of a frame */

/* --- kinds --- */

static const struct scry_kind_row {
	enum scry_known known; /* of known.h, or OTHER: */
	const char *name;      /* as type.__repr__ gives it */
	enum scry_kind kind;
} kinds[] = {
	{ SCRY_IS_GENERATOR, NULL, SCRY_KIND_GENERATOR },
	{ SCRY_IS_COROUTINE, NULL, SCRY_KIND_COROUTINE },
	{ SCRY_IS_ASYNC_GENERATOR, NULL, SCRY_KIND_ASYNC_GENERATOR },
	{ SCRY_IS_COROUTINE_WRAPPER, NULL, SCRY_KIND_CORO_WRAPPER },
	{ SCRY_IS_ASEND, NULL, SCRY_KIND_ASEND },
	{ SCRY_IS_ATHROW, NULL, SCRY_KIND_ATHROW },
	{ SCRY_IS_ANEXT, NULL, SCRY_KIND_ANEXT },
	/* of a loop in debug mode, 3.4 to 3.7 */
	{ SCRY_IS_OTHER, "asyncio.coroutines.CoroWrapper", SCRY_KIND_DEBUG_WRAPPER },
	{ SCRY_IS_OTHER, "_asyncio.FutureIter", SCRY_KIND_FUTURE_ITER },
	{ SCRY_IS_C_TASK, NULL, SCRY_KIND_C_TASK },
	{ SCRY_IS_C_FUTURE, NULL, SCRY_KIND_C_FUTURE },
	{ SCRY_IS_OTHER, "asyncio.tasks.Task", SCRY_KIND_PY_TASK },
	{ SCRY_IS_OTHER, "asyncio.futures.Future", SCRY_KIND_PY_FUTURE },
	/* BaseEventLoop's base, 3.4 to 3.15 */
	{ SCRY_IS_OTHER, "asyncio.events.AbstractEventLoop", SCRY_KIND_LOOP },
	{ SCRY_IS_OTHER, "uvloop.loop.Loop", SCRY_KIND_LOOP },
	/* 0.15+: what is public says where it is found */
	{ SCRY_IS_OTHER, "trio.lowlevel.Task", SCRY_KIND_TRIO_TASK },
	{ SCRY_IS_OTHER, "trio.hazmat.Task", SCRY_KIND_TRIO_TASK },
	{ SCRY_IS_OTHER, "trio._core._run.Task", SCRY_KIND_TRIO_TASK },
	{ SCRY_IS_OTHER, "trio._core._run.Runner", SCRY_KIND_TRIO_RUNNER },
	{ SCRY_IS_OTHER, "curio.task.Task", SCRY_KIND_CURIO_TASK },
	{ SCRY_IS_OTHER, "curio.kernel.Kernel", SCRY_KIND_CURIO_KERNEL },
	{ SCRY_IS_METHOD, NULL, SCRY_KIND_METHOD },
	{ SCRY_IS_BUILTIN, NULL, SCRY_KIND_BUILTIN },
	{ SCRY_IS_FUNCTION, NULL, SCRY_KIND_FUNCTION },
	{ SCRY_IS_PARTIAL, NULL, SCRY_KIND_PARTIAL },
	{ SCRY_IS_OTHER, "TaskWakeupMethWrapper", SCRY_KIND_WAKEUP },
	{ SCRY_IS_OTHER, "greenlet.greenlet", SCRY_KIND_GREENLET },
};
static const struct scry_kind_row other = { SCRY_IS_OTHER, "", SCRY_KIND_OTHER },
				  cythons[] = {
					  [SCRY_CYTHON_GENERATOR] = { SCRY_IS_OTHER, "",
								      SCRY_KIND_CYTHON_GENERATOR },
					  [SCRY_CYTHON_COROUTINE] = { SCRY_IS_OTHER, "",
								      SCRY_KIND_CYTHON_COROUTINE },
					  [SCRY_CYTHON_ASYNC_GENERATOR] =
						  { SCRY_IS_OTHER, "",
						    SCRY_KIND_CYTHON_ASYNC_GENERATOR },
					  [SCRY_CYTHON_PASSES_ON] = { SCRY_IS_OTHER, "",
								      SCRY_KIND_BETWEEN },
				  },
				  between = { SCRY_IS_OTHER, "", SCRY_KIND_BETWEEN };

enum scry_kind scry_kind_named(const char *full)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].name && !strcmp(kinds[i].name, full))
			return kinds[i].kind;
	return SCRY_KIND_OTHER;
}

void scry_kinds_done(struct scry_kinds *k)
{
	scry_hash_done(&k->types);
}

/*
 * Of a type whose name the dump lacks: asend, athrow and anext() objects, coroutine wrappers
 * (Objects/genobject.c, iterobject.c, 3.5 to 3.15) and FutureIter all have these methods and start
 * with what they pass on to.
 */
static bool passes_on(struct scry_runtime *r, scry_addr type)
{
	static const char *const methods[] = { "send", "throw", "close" };
	struct scry_type *t;
	scry_addr value;

	if (scry_type_at(r, type, &t) < 0 || !t->nameless)
		return false;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (scry_dict_get(r, scry_type_dict(r, t), methods[i], &value) < 0)
			return false;
	return true;
}

/*
 * A name without a dot is a C type's: a class of that name is the program's. Nobody derives from
 * generators but Nuitka, whose "compiled_generator" has other members.
 */
static bool is_row(const struct scry_kind_row *row, const struct scry_type *t, const char *full,
		   bool derived)
{
	if (derived && row->kind && row->kind <= SCRY_KIND_ASYNC_GENERATOR)
		return false;
	if (row->known != SCRY_IS_OTHER)
		return row->known == scry_known_type(t);
	return !strcmp(row->name, full) && (strchr(full, '.') || !(t->flags & TYPE_HEAP));
}

static const struct scry_kind_row *row_of(struct scry_runtime *r, scry_addr type)
{
	enum scry_cython_kind cython;
	struct scry_type *t;
	const char *name;

	if (passes_on(r, type))
		return &between;
	if (scry_type_at(r, type, &t) == SCRY_OK && (cython = scry_cython_kind(r, t)))
		return &cythons[cython];
	for (unsigned depth = 0; type && depth < BASES_MAX; depth++) {
		if (scry_type_at(r, type, &t) < 0 || scry_type_full_name(r, type, &name) < 0)
			break;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (is_row(&kinds[i], t, name, depth))
				return &kinds[i];
		if (scry_field_read(r, type, SCRY_F_TYPE_BASE, &type) < 0)
			break;
	}
	return &other;
}

enum scry_kind scry_kind_of(struct scry_kinds *k, scry_addr object)
{
	const struct scry_kind_row *row;
	scry_addr type;

	if (scry_model_of(k->runtime)->suspended)
		return scry_pypy_kind_of(k, object);

	if (!object || object % k->runtime->session->target->abi.ptr_size ||
	    scry_field_read(k->runtime, object, SCRY_F_OBJECT_TYPE, &type) < 0)
		return SCRY_KIND_OTHER;
	k->unsound += !type;
	if (!type)
		return SCRY_KIND_OTHER;
	row = scry_hash_find(&k->types, type);
	if (row)
		return row->kind;
	struct scry_type *t;
	bool sound = scry_type_of(k->runtime, object, &type) == SCRY_OK;
	k->unsound += !sound;

	row = sound ? row_of(k->runtime, type) : &other;
	/* one damaged object says nothing about the others of its type */
	if (sound || scry_type_at(k->runtime, type, &t) < 0)
		scry_hash_put(&k->types, type, (void *)(uintptr_t)row);
	return row->kind;
}

void scry_kind_teach(struct scry_kinds *k, scry_addr object, enum scry_kind kind)
{
	scry_addr type;

	if (scry_type_of(k->runtime, object, &type) < 0)
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].kind == kind)
			scry_hash_put(&k->types, type, (void *)(uintptr_t)&kinds[i]);
}

/* --- frames of generators --- */

/* What shows the state of a generator, and whether its topmost value is what it yields from. */
struct way {
	uint32_t since;
	/* Fill state, frame and, where the frame says so, `*ret_yields_from`. */
	int (*read)(struct scry_runtime *r, scry_addr gen, struct scry_await *a,
		    bool *ret_yields_from);
	/* values of gi_frame_state, 3.13+ */
	int8_t created, suspended, yield_from, yield_from_locked, executing;
	uint8_t depth; /* which word from the top is it */
};

#define YIELD_FROM 72 /* Include/opcode.h, 3.3 to 3.10 */

/* _PyGen_yf(), Objects/genobject.c: the next instruction is YIELD_FROM. */
static bool next_is_yield_from(struct scry_runtime *r, const struct scry_frame *f)
{
	unsigned step = scry_trait(r, SCRY_TRAIT_WORDCODE) ? 2 : 1;
	uint64_t opcode;

	if (!scry_trait(r, SCRY_TRAIT_YIELDS_FROM) || f->lasti < 0 || !f->code ||
	    f->lasti + step >= f->code->instructions_size)
		return false;
	return scry_read_uint(r->session, f->code->instructions + (uint64_t)f->lasti + step, 1,
			      &opcode) == SCRY_OK &&
	       opcode == YIELD_FROM;
}

static bool flag(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t value = 0;

	return scry_layout_has(r->layout, f) && scry_field_read(r, base, f, &value) == SCRY_OK &&
	       value;
}

/* Up to 3.10 a generator has a frame object until it is over. */
static int read_frame_object(struct scry_runtime *r, scry_addr gen, struct scry_await *a,
			     bool *ret_yields_from)
{
	struct scry_frame f;
	uint64_t frame;
	int64_t state = 1;
	int rc = scry_field_read(r, gen, SCRY_F_GEN_FRAME, &frame);

	if (rc < 0)
		return rc;
	a->frame = frame;
	a->state = SCRY_CLOSED;
	if (!frame)
		return a->frame = 0, SCRY_OK;
	if (scry_frame_at(r, frame, &f) < 0)
		return SCRY_ECORRUPT;
	/* 3.10: enum _framestate, Include/cpython/frameobject.h: 0 is FRAME_EXECUTING */
	if (scry_layout_has(r->layout, SCRY_F_FRAME_STATE))
		scry_field_read_int(r, frame, SCRY_F_FRAME_STATE, &state);
	/* gen_send_ex() links the frame before it says so: Objects/genobject.c, v2.7 to v3.9 */
	uint64_t runs = scry_field_get(r, gen, SCRY_F_GEN_RUNNING);
	if (runs > 1 || (runs && f.stopped && !f.back))
		return scry_fail(r->session, SCRY_ECORRUPT, gen, "gi_running makes no sense");
	if (runs || flag(r, frame, SCRY_F_FRAME_EXECUTING) || state == 0)
		a->state = SCRY_RUNNING;
	else
		a->state = f.lasti < 0 ? SCRY_CREATED : SCRY_SUSPENDED;
	*ret_yields_from = a->state == SCRY_SUSPENDED && next_is_yield_from(r, &f);
	return SCRY_OK;
}

/*
 * 3.11 and 3.12: after the instruction stands RESUME, whose argument is 2 or more after a yield
 * from or an await.
 */
static bool next_is_resume(struct scry_runtime *r, scry_addr frame)
{
	/* Include/opcode.h, 3.11 and 3.12 */
	enum { RESUME = 151, RESUME_QUICK = 150, INSTRUMENTED_RESUME = 240 };
	uint64_t at, opcode, arg;

	return scry_field_read(r, frame, SCRY_F_IFRAME_PREV_INSTR, &at) == SCRY_OK &&
	       scry_read_uint(r->session, at + 2, 1, &opcode) == SCRY_OK &&
	       scry_read_uint(r->session, at + 3, 1, &arg) == SCRY_OK &&
	       (opcode == RESUME || opcode == RESUME_QUICK || opcode == INSTRUMENTED_RESUME) &&
	       (arg & 3) >= 2;
}

static const struct way *way_for(const struct scry_runtime *r);

/* What was created comes before its first line still; what runs has a caller. */
static int check_state(struct scry_runtime *r, scry_addr gen, const struct scry_await *a)
{
	struct scry_frame f;
	const char *why = NULL;

	if (!a->frame || scry_frame_at(r, a->frame, &f) < 0 || !f.code || !f.code->first_traceable)
		return SCRY_OK;
	bool begun = f.code->instructions + (uint64_t)f.lasti > f.code->first_traceable;
	if (a->state == SCRY_RUNNING && !f.back)
		why = "runs, and has no caller";
	else if (a->state == SCRY_CREATED && begun)
		why = "was not started, and has begun";
	else if (a->state == SCRY_SUSPENDED && !begun)
		why = "is suspended, and has not begun";
	return why ? scry_fail(r->session, SCRY_ECORRUPT, gen, "it %s", why) : SCRY_OK;
}

static int read_embedded_frame(struct scry_runtime *r, scry_addr gen, struct scry_await *a,
			       bool *ret_yields_from)
{
	const struct way *w = way_for(r);
	int64_t state;
	int rc = scry_field_read_int(r, gen, SCRY_F_GEN_STATE, &state);

	if (rc < 0)
		return rc;
	state = (int8_t)state;
	a->frame = scry_field_addr(r, gen, SCRY_F_GEN_IFRAME);
	if (state == w->created)
		a->state = SCRY_CREATED;
	else if (state == w->executing)
		a->state = SCRY_RUNNING;
	else if (state == w->suspended || (w->yield_from && state == w->yield_from) ||
		 (w->yield_from_locked && state == w->yield_from_locked))
		a->state = SCRY_SUSPENDED;
	else if (state == w->executing + 1 || state == w->executing + 4)
		a->state = SCRY_CLOSED, a->frame = 0; /* FRAME_COMPLETED (to 3.14), FRAME_CLEARED */
	else
		return scry_fail(r->session, SCRY_ECORRUPT, gen,
				 "no generator is in the state %" PRId64, state);
	if (a->state == SCRY_SUSPENDED)
		*ret_yields_from =
			w->yield_from ? state != w->suspended : next_is_resume(r, a->frame);
	return check_state(r, gen, a);
}

/* enum _framestate: Include/internal/pycore_frame.h, 3.11 to 3.15 */
static const struct way ways[] = {
	{ .since = 0, .read = read_frame_object, .depth = 1 },
	{ .since = SCRY_VERSION_OF(3, 11),
	  .read = read_embedded_frame,
	  .created = -2,
	  .suspended = -1,
	  .executing = 0,
	  .depth = 1 },
	{ .since = SCRY_VERSION_OF(3, 13),
	  .read = read_embedded_frame,
	  .created = -3,
	  .suspended = -2,
	  .yield_from = -1,
	  .executing = 0,
	  .depth = 1 },
	{ .since = SCRY_VERSION_OF(3, 15),
	  .read = read_embedded_frame,
	  .created = 0,
	  .suspended = 1,
	  .yield_from = 2,
	  .yield_from_locked = 3,
	  .executing = 4,
	  .depth = 2 },
};

static const struct way *way_for(const struct scry_runtime *r)
{
	return SCRY_SINCE(ways, r->version);
}

/* The address after the topmost value of a suspended frame; 0 unknown. */
static scry_addr stack_top(struct scry_runtime *r, scry_addr frame)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t at = 0;
	int64_t depth = 0;

	if (scry_layout_has(r->layout, SCRY_F_FRAME_STACKTOP) &&
	    scry_trait(r, SCRY_TRAIT_STACKTOP_IS_POINTER))
		return scry_field_read(r, frame, SCRY_F_FRAME_STACKTOP, &at) < 0 ? 0 : at;
	if (scry_trait(r, SCRY_TRAIT_FRAMES_ARE_OBJECTS)) {
		if (scry_field_read(r, frame, SCRY_F_FRAME_VALUESTACK, &at) < 0 ||
		    scry_field_read_int(r, frame, SCRY_F_FRAME_STACKDEPTH, &depth) < 0)
			return 0;
	} else if (scry_layout_has(r->layout, SCRY_F_IFRAME_STACKPOINTER)) {
		return scry_field_read(r, frame, SCRY_F_IFRAME_STACKPOINTER, &at) < 0 ? 0 : at;
	} else {
		at = scry_field_addr(r, frame, SCRY_F_IFRAME_SLOTS);
		if (scry_field_read_int(r, frame, SCRY_F_IFRAME_STACKTOP, &depth) < 0)
			return 0;
	}
	return depth > 0 && depth < STACK_MAX ? at + (uint64_t)depth * ptr : 0;
}

static int read_generator(struct scry_runtime *r, scry_addr gen, struct scry_await *a)
{
	const struct way *w = way_for(r);
	bool yields_from = false;
	scry_addr top, word;
	int rc = w->read(r, gen, a, &yields_from);

	if (rc < 0 || !yields_from)
		return rc;
	top = stack_top(r, a->frame);
	if (!top ||
	    scry_read_ptr(r->session, top - w->depth * r->session->target->abi.ptr_size, &word) < 0)
		return scry_fail(r->session, SCRY_ECORRUPT, a->frame,
				 "the stack of the frame at 0x%" PRIx64 " is damaged", a->frame);
	a->next = scry_untag(r, word);
	return SCRY_OK;
}

static int read_cythons(struct scry_runtime *r, scry_addr object, struct scry_await *a)
{
	struct scry_cython_generator g;
	int rc = scry_cython_generator_read(r, object, &g);

	if (rc < 0)
		return rc;
	a->state = !g.label_known ? SCRY_NOT_KNOWN
		   : g.label < 0  ? SCRY_CLOSED
		   : g.running    ? SCRY_RUNNING
		   : g.label == 0 ? SCRY_CREATED
				  : SCRY_SUSPENDED;
	a->next = a->state == SCRY_CLOSED || g.yields_from == scry_none(r) ? 0 : g.yields_from;
	return SCRY_OK;
}

/* --- links --- */

int scry_first_member(struct scry_runtime *r, scry_addr object, scry_addr *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;

	return scry_read_ptr(r->session, scry_field_addr(r, object, SCRY_F_OBJECT_TYPE) + ptr, ret);
}

int scry_await_read(struct scry_kinds *k, scry_addr object, struct scry_await *ret)
{
	struct scry_runtime *r = k->runtime;

	*ret = (struct scry_await) { .kind = scry_kind_of(k, object), .state = SCRY_SUSPENDED };
	if (scry_model_of(r)->suspended)
		return scry_pypy_await_read(r, object, ret);
	switch (ret->kind) {
	case SCRY_KIND_GENERATOR:
	case SCRY_KIND_COROUTINE:
	case SCRY_KIND_ASYNC_GENERATOR:
		return read_generator(r, object, ret);
	case SCRY_KIND_CYTHON_GENERATOR:
	case SCRY_KIND_CYTHON_COROUTINE:
	case SCRY_KIND_CYTHON_ASYNC_GENERATOR:
		return read_cythons(r, object, ret);
	case SCRY_KIND_CORO_WRAPPER:
		return scry_field_read(r, object, SCRY_F_CORO_WRAPPER_CORO, &ret->next);
	case SCRY_KIND_ASEND:
		return scry_field_read(r, object, SCRY_F_AGEN_ASEND_GEN, &ret->next);
	case SCRY_KIND_ATHROW:
		return scry_field_read(r, object, SCRY_F_AGEN_ATHROW_GEN, &ret->next);
	case SCRY_KIND_ANEXT:
		return scry_field_read(r, object, SCRY_F_ANEXT_AWAITABLE_WRAPPED, &ret->next);
	case SCRY_KIND_DEBUG_WRAPPER:
		return scry_attr(r, object, "gen", &ret->next);
	case SCRY_KIND_BETWEEN:
	case SCRY_KIND_FUTURE_ITER:
		/* FutureIter, Modules/_asynciomodule.c */
		return scry_first_member(r, object, &ret->next);
	default:
		return SCRY_OK;
	}
}
