/* Frames: decoding one, walking a chain, the local variables of one. */
#include "runtime/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR; Include/code.h, v3.6 to
 * v3.15.
 */
#define CO_GENERATORS (0x20 | 0x80 | 0x100 | 0x200)
#define CO_OPTIMIZED  1 /* a function; modules and class bodies have a namespace */

static void mark_damaged(struct scry_frame *f, const char *why)
{
	struct scry_session *s = f->runtime->session;

	f->kind = SCRY_FRAME_DAMAGED;
	f->damaged = scry_arena_text(&s->arena, why, strlen(why));
	if (!f->damaged)
		f->damaged = "out of memory";
}

int scry_frame_at(struct scry_runtime *r, scry_addr addr, struct scry_frame *ret)
{
	*ret = (struct scry_frame) { .runtime = r, .addr = addr, .lasti = -1 };
	if (r->strategy->frame_read(r, addr, ret) < 0) {
		mark_damaged(ret, r->session->error.text);
		return SCRY_ECORRUPT;
	}
	if (ret->kind == SCRY_FRAME_SHIM)
		return SCRY_OK;
	if (!ret->code && ret->code_addr)
		ret->code = scry_code_at(r, ret->code_addr);
	if (!ret->code || ret->code->damaged) {
		char why[160];

		snprintf(why, sizeof(why),
			 "no code object at 0x%" PRIx64 " in the frame at 0x%" PRIx64,
			 ret->code_addr, addr);
		mark_damaged(ret, why);
		return SCRY_ECORRUPT;
	}
	ret->kind = ret->code->flags & CO_GENERATORS ? SCRY_FRAME_GENERATOR : SCRY_FRAME_PYTHON;
	return SCRY_OK;
}

int scry_thread_top(struct scry_thread *t, scry_addr *ret)
{
	*ret = 0;
	if (!t->runtime || !t->state)
		return SCRY_OK;
	return t->runtime->strategy->thread_top(t, ret);
}

static void start(struct scry_walk *w, struct scry_thread *t, struct scry_runtime *r,
		  scry_addr frame)
{
	*w = (struct scry_walk) { .thread = t, .runtime = r, .next = frame, .power = 1 };
}

void scry_walk_thread(struct scry_walk *w, struct scry_thread *t)
{
	scry_addr top = 0;
	int rc = scry_thread_top(t, &top);

	start(w, t, t->runtime, top);
	if (rc < 0) {
		const char *why = t->session->error.text;

		t->error = scry_arena_text(&t->session->arena, why, strlen(why));
	}
}

void scry_walk_from(struct scry_walk *w, struct scry_runtime *r, scry_addr frame)
{
	start(w, NULL, r, frame);
}

/* Brent: a marker that moves to the present at every power of two meets any cycle again. */
static bool is_cycle(struct scry_walk *w, scry_addr at)
{
	if (at == w->anchor)
		return true;
	if (w->steps++ == w->power) {
		w->anchor = at;
		w->power *= 2;
		w->steps = 0;
	}
	return false;
}

static int end_damaged(struct scry_walk *w, struct scry_frame *ret, const char *why)
{
	*ret = (struct scry_frame) { .runtime = w->runtime, .addr = w->next, .lasti = -1 };
	mark_damaged(ret, why);
	ret->thread = w->thread;
	ret->depth = w->depth++;
	w->ended = true;
	return SCRY_ITEM;
}

/* The next frame of whatever kind, its link taken. */
static int step(struct scry_walk *w, struct scry_frame *ret)
{
	char why[96];

	if (is_cycle(w, w->next)) {
		snprintf(why, sizeof(why), "the chain of frames leads back to 0x%" PRIx64, w->next);
		return end_damaged(w, ret, why);
	}
	scry_frame_at(w->runtime, w->next, ret);
	w->next = ret->back;
	w->ended = ret->kind == SCRY_FRAME_DAMAGED && !ret->code;
	return SCRY_ITEM;
}

int scry_walk_next(struct scry_walk *w, struct scry_frame *ret)
{
	for (;;) {
		if (w->ended || !w->next || !w->runtime)
			return SCRY_OK;
		int rc = step(w, ret);
		if (rc != SCRY_ITEM || ret->kind == SCRY_FRAME_DAMAGED) {
			ret->thread = w->thread;
			ret->depth = w->depth++;
			return rc;
		}
		if (ret->kind != SCRY_FRAME_SHIM && !ret->incomplete)
			break;
	}
	/*
	 * from 3.12 on a shim stands where C called into the interpreter; it belongs to the frame
	 * before it
	 */
	if (!ret->entry && w->next && scry_layout_has(w->runtime->layout, SCRY_F_IFRAME_OWNER) &&
	    !scry_layout_has(w->runtime->layout, SCRY_F_IFRAME_IS_ENTRY)) {
		uint64_t owner;

		ret->entry = scry_field_read(w->runtime, w->next, SCRY_F_IFRAME_OWNER, &owner) ==
				     SCRY_OK &&
			     owner >= 3;
		ret->shim = ret->entry ? w->next : 0;
	}
	ret->thread = w->thread;
	ret->depth = w->depth++;
	return SCRY_ITEM;
}

int scry_frame_location(const struct scry_frame *f, struct scry_location *ret)
{
	*ret = (struct scry_location) { 0 };
	if (f->where)
		*ret = *f->where;
	if (!f->code || f->where)
		return SCRY_OK;
	int rc = scry_code_location(f->code, f->lasti, ret);
	if (f->traced_line > 0 && f->traced_line != ret->line)
		*ret = (struct scry_location) { .line = f->traced_line };
	return rc;
}

/*
 * The qualified name of the function object at `addr`, if its code is `code`; a bound method's
 * function counts too.
 */
static const char *function_qualname(struct scry_runtime *r, scry_addr addr, scry_addr code)
{
	static const enum scry_field ways[] = { SCRY_F_COUNT, SCRY_F_METHOD_FUNC,
						SCRY_F_STATICMETHOD_CALLABLE };
	uint64_t function, of, name;
	const char *text;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		function = addr;
		if ((ways[i] != SCRY_F_COUNT && scry_field_read(r, addr, ways[i], &function) < 0) ||
		    scry_field_read(r, function, SCRY_F_FUNCTION_CODE, &of) < 0 || of != code)
			continue;
		if (scry_field_read(r, function, SCRY_F_FUNCTION_QUALNAME, &name) == SCRY_OK &&
		    scry_text_at(r, name, 65536, &text) == SCRY_OK)
			return text;
	}
	return NULL;
}

/* callers searched for one code object: a recursion has the same caller 200,000 times */
#define QUALNAME_TRIES 8

/* Of a function with the code of `f`, on the value stack of the frame at `caller`. */
static const char *search_stack(const struct scry_frame *f, scry_addr caller)
{
	struct scry_runtime *r = f->runtime;
	unsigned size = r->session->target->abi.ptr_size;
	uint64_t stack = 0, depth = 0, code = 0;
	const char *text = NULL;

	if (scry_field_read(r, caller, SCRY_F_FRAME_VALUESTACK, &stack) < 0 ||
	    scry_field_read(r, caller, SCRY_F_FRAME_CODE, &code) < 0 ||
	    scry_field_read(r, code, SCRY_F_CODE_STACKSIZE, &depth) < 0)
		return NULL;
	depth &= 0xffff;
	for (uint64_t i = 0; i < depth && !text; i++) {
		scry_addr value;

		if (scry_read_ptr(r->session, stack + i * size, &value) < 0)
			break;
		if (value && value % size == 0)
			text = function_qualname(r, value, f->code_addr);
	}
	return text;
}

/*
 * Up to 3.10 a frame does not know its function, but the caller keeps it on its value stack during
 * the call (a generator has its own name). Stale slots do no harm: only a function with this very
 * code counts.
 */
static const char *search_qualname(const struct scry_frame *f)
{
	struct scry_runtime *r = f->runtime;
	uint64_t code = 0, gen = 0, name = 0;
	const char *text = NULL;
	unsigned tries = 0;

	if (scry_layout_has(r->layout, SCRY_F_FRAME_GEN) &&
	    scry_layout_has(r->layout, SCRY_F_GEN_QUALNAME) &&
	    scry_field_read(r, f->addr, SCRY_F_FRAME_GEN, &gen) == SCRY_OK && gen &&
	    scry_field_read(r, gen, SCRY_F_GEN_QUALNAME, &name) == SCRY_OK &&
	    scry_text_at(r, name, 65536, &text) == SCRY_OK)
		return text;
	/* where the stack of a caller is lost, an outer call of a recursion may tell */
	for (scry_addr caller = f->back; caller && tries++ < QUALNAME_TRIES && !text;) {
		text = search_stack(f, caller);
		if (scry_field_read(r, caller, SCRY_F_FRAME_CODE, &code) < 0 ||
		    code != f->code_addr ||
		    scry_field_read(r, caller, SCRY_F_FRAME_BACK, &caller) < 0)
			break;
	}
	return text;
}

const char *scry_frame_qualname(const struct scry_frame *f)
{
	struct scry_code *c = f->code;
	uint64_t name;
	const char *text;

	if (!c)
		return NULL;
	if (c->qualname)
		return c->qualname;
	if (f->function &&
	    scry_field_read(f->runtime, f->function, SCRY_F_FUNCTION_QUALNAME, &name) == SCRY_OK &&
	    scry_text_at(f->runtime, name, 65536, &text) == SCRY_OK)
		return text;
	if (!c->found_qualname && c->qualname_tries < QUALNAME_TRIES && !f->function &&
	    scry_layout_has(f->runtime->layout, SCRY_F_FUNCTION_QUALNAME)) {
		c->qualname_tries++;
		c->found_qualname = search_qualname(f);
	}
	return c->found_qualname;
}

/* What a slot holds: the object, or what its cell refers to. 0: unbound. */
static scry_addr slot_value(const struct scry_frame *f, unsigned slot, bool in_cell)
{
	struct scry_runtime *r = f->runtime;
	unsigned size = r->session->target->abi.ptr_size;
	scry_addr value = 0, type = 0, inner = 0;
	const char *name;

	if (scry_read_ptr(r->session, f->slots + (scry_addr)slot * size, &value) < 0)
		return 0;
	if (r->strategy->slot_value)
		return r->strategy->slot_value(r, value, in_cell);
	value = scry_untag(r, value);
	if (!in_cell || !value)
		return value;
	if (scry_field_read(r, value, SCRY_F_OBJECT_TYPE, &type) < 0)
		return 0;
	/*
	 * Before MAKE_CELL ran the bare value may stand there. A dump may lack the names of static
	 * types: then the slot's kind is all there is to go by.
	 */
	if (type != r->cell_type && scry_type_name(r, type, &name) == SCRY_OK) {
		if (strcmp(name, "cell") || !scry_type_is_own(r, type))
			return value;
		r->cell_type = type;
	}
	return scry_field_read(r, value, SCRY_F_CELL_REF, &inner) < 0 ? 0 : inner;
}

/*
 * What the compiler keeps in a class body for itself: the namespace as a cell (3.12+), annotations
 * that ran (3.14+), and what a generic class passes in (".type_params"). f_locals has none of
 * these.
 */
static bool made_by_compiler(const struct scry_code *c, const struct scry_local_name *name)
{
	if (c->flags & CO_OPTIMIZED)
		return false;
	return (name->kind == SCRY_LOCAL_FREE && name->name[0] == '.') ||
	       !strcmp(name->name, "__classdict__") ||
	       !strcmp(name->name, "__conditional_annotations__");
}

int scry_frame_local_next(const struct scry_frame *f, unsigned *it, struct scry_local *ret)
{
	if (!f->code || !f->slots)
		return SCRY_OK;
	int rc = scry_code_locals(f->code);
	if (rc < 0)
		return rc;
	for (; *it < f->code->slots; ++*it) {
		const struct scry_local_name *name = &f->code->locals[*it];
		scry_addr value = name->alias ? 0 : slot_value(f, *it, name->in_cell);

		if (!value && name->cell)
			value = slot_value(f, name->cell, true);
		if (!value || made_by_compiler(f->code, name))
			continue;
		*ret = (struct scry_local) { name->name, name->kind, value, name->hidden };
		++*it;
		return SCRY_ITEM;
	}
	return SCRY_OK;
}
