/* Frames: decoding one, its place, its name, its local variables. */
#include "runtime/frame.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR; Include/code.h, v3.6 to
 * v3.15.
 */
#define CO_GENERATORS (0x20 | 0x80 | 0x100 | 0x200)
#define CO_OPTIMIZED  1 /* a function; modules and class bodies have a namespace */

void scry_frame_damage(struct scry_frame *f, const char *format, ...)
{
	char why[256];
	va_list ap;

	f->kind = SCRY_FRAME_DAMAGED;
	if (f->damaged)
		return;
	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	f->damaged = scry_arena_text(&f->runtime->session->arena, why, strlen(why));
	if (!f->damaged)
		f->damaged = "out of memory";
}

/* Where the dump lacks the code object that is said, too: the frame itself may be sound. */
static const char *why_no_code(struct scry_frame *f)
{
	struct scry_session *s = f->runtime->session;
	uint64_t type;

	if (f->code) /* it is one, but for this */
		return f->code->damaged;
	if (f->code_addr &&
	    scry_field_read(f->runtime, f->code_addr, SCRY_F_OBJECT_TYPE, &type) < 0 &&
	    scry_target_hole(s->target, s->error.addr))
		return s->error.text;
	return NULL;
}

static void damage_code(struct scry_frame *f)
{
	const char *why = why_no_code(f);

	scry_frame_damage(f, "%s at 0x%" PRIx64 " in the frame at 0x%" PRIx64 "%s%s",
			  f->code ? "the code object" : "no code object", f->code_addr, f->addr,
			  why ? ": " : "", why ? why : "");
}

int scry_frame_at(struct scry_runtime *r, scry_addr addr, struct scry_frame *ret)
{
	*ret = (struct scry_frame) { .runtime = r, .addr = addr, .lasti = -1 };
	if (r->strategy->frame_read(r, addr, ret) < 0) {
		scry_frame_damage(ret, "%s", r->session->error.text);
		ret->unread = true;
		return SCRY_ECORRUPT;
	}
	if (ret->kind == SCRY_FRAME_SHIM)
		return SCRY_OK;
	if (!ret->code && ret->code_addr && !ret->damaged)
		ret->code = scry_code_at(r, ret->code_addr);
	if (!ret->code || ret->code->damaged) {
		if (ret->code && ret->code->none)
			ret->code = NULL;
		damage_code(ret);
		return SCRY_ECORRUPT;
	}
	if (ret->damaged)
		return SCRY_ECORRUPT;
	ret->kind = ret->code->flags & CO_GENERATORS ? SCRY_FRAME_GENERATOR : SCRY_FRAME_PYTHON;
	return SCRY_OK;
}

const char *scry_frame_maker(struct scry_runtime *r, scry_addr frame_object)
{
	const char *name;
	scry_addr type;
	size_t len;

	if (!frame_object || scry_field_read(r, frame_object, SCRY_F_OBJECT_TYPE, &type) < 0 ||
	    type == r->frame_type || scry_type_own_name(r, type, &name) < 0)
		return NULL;
	len = strlen(name);
	if (len < 5 || strcmp(name + len - 5, "frame"))
		return NULL;
	if (!strcmp(name, "frame") && scry_type_is_own(r, type)) {
		r->frame_type = type;
		return NULL;
	}
	/* nuitka/build/static_src/CompiledFrameType.c */
	return strcmp(name, "compiled_frame") ? name : "Nuitka";
}

/* Its slots, instruction and namespace are left over or never filled in; its line is kept. */
void scry_frame_compiled(struct scry_frame *f, const char *maker, int line)
{
	f->compiled = maker;
	f->lasti = -1;
	f->slots = f->locals = 0;
	f->incomplete = false;
	f->traced_line = line > 0 ? line : 0;
}

int scry_thread_top(struct scry_thread *t, scry_addr *ret)
{
	*ret = 0;
	if (!t->runtime || !t->state)
		return SCRY_OK;
	return t->runtime->strategy->thread_top(t, ret);
}

int scry_frame_location(const struct scry_frame *f, struct scry_location *ret)
{
	*ret = (struct scry_location) { 0 };
	if (f->where)
		*ret = *f->where;
	else if (f->compiled)
		ret->line = f->traced_line;
	if (!f->code || f->where || f->compiled || f->damaged)
		return SCRY_OK;
	int rc = scry_code_location(f->code, f->lasti, ret);
	if (f->traced_line > 0 && f->traced_line != ret->line)
		*ret = (struct scry_location) { .line = f->traced_line };
	return rc;
}

const char *scry_frame_line_lost(const struct scry_frame *f)
{
	struct scry_location at = { 0 };

	if (!f->code || f->damaged || f->compiled)
		return NULL;
	scry_frame_location(f, &at);
	return at.line ? NULL : f->code->lines_bad;
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
	/* where the stack of a caller is lost, an outer call of a recursion may have it */
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
	 * Before MAKE_CELL ran the bare value may be there. A dump may lack the names of static
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
	if (f->compiled)
		return scry_fail(f->runtime->session, SCRY_EUNSUPPORTED, f->addr, "compiled by %s",
				 f->compiled);
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
