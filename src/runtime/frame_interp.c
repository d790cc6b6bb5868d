/*
 * Frames from 3.11 on: struct _PyInterpreterFrame, most of them inside a chunk of the thread's data
 * stack.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/datastack.h"
#include "runtime/frame.h"

/*
 * enum _frameowner, Include/internal/pycore_frame.h, v3.11 to v3.15: from 3 on no Python code runs
 * in the frame.
 */
enum {
	OWNER_THREAD,
	OWNER_GENERATOR,
	OWNER_FRAME_OBJECT,
	OWNER_FIRST_SHIM = SCRY_FIRST_SHIM_OWNER
};

/* What else the versions number differently. */
static const struct numbers {
	uint32_t since;
	unsigned last_owner; /* FRAME_OWNED_BY_CSTACK, in 3.15 ..._INTERPRETER */
	int executing;       /* FRAME_EXECUTING of enum _framestate, the same header */
} numbers[] = {
	{ SCRY_VERSION_OF(3, 11), OWNER_FRAME_OBJECT, 0 },
	{ SCRY_VERSION_OF(3, 12), OWNER_FIRST_SHIM, 0 },
	{ SCRY_VERSION_OF(3, 14), OWNER_FIRST_SHIM + 1, 0 },
	/* a pre-release may still have CSTACK */
	{ SCRY_VERSION_OF(3, 15), OWNER_FIRST_SHIM + 1, 4 },
};

static const struct numbers *numbers_of(const struct scry_runtime *r)
{
	return SCRY_SINCE(numbers, r->version);
}

int scry_interp_frame_top(struct scry_thread *t, scry_addr *ret)
{
	uint64_t cframe;
	int rc;

	if (scry_layout_has(t->runtime->layout, SCRY_F_THREAD_CURRENT_FRAME))
		return scry_field_read(t->runtime, t->state, SCRY_F_THREAD_CURRENT_FRAME, ret);
	/*
	 * 3.11 and 3.12 reach it through a struct on the C stack: _PyCFrame,
	 * Include/cpython/pystate.h
	 */
	rc = scry_field_read(t->runtime, t->state, SCRY_F_THREAD_CFRAME, &cframe);
	if (rc < 0 || !cframe)
		return rc;
	return scry_field_read(t->runtime, cframe, SCRY_F_CFRAME_CURRENT_FRAME, ret);
}

/*
 * Free-threaded 3.14+: each thread runs its own copy of the byte code; struct _PyCodeArray,
 * Include/cpython/code.h.
 */
static scry_addr instructions(struct scry_runtime *r, const struct scry_record *rec,
			      const struct scry_code *c)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t array, size, copy;
	uint64_t index = scry_record_uint(rec, SCRY_F_IFRAME_TLBC_INDEX);

	if (!scry_record_has(rec, SCRY_F_IFRAME_TLBC_INDEX) ||
	    !scry_layout_has(r->layout, SCRY_F_CODE_TLBC))
		return c->instructions;
	if (scry_field_read(r, c->addr, SCRY_F_CODE_TLBC, &array) < 0 || !array ||
	    scry_read_ptr(r->session, array, &size) < 0 || index >= size ||
	    scry_read_ptr(r->session, array + ptr * (1 + index), &copy) < 0 || !copy)
		return c->instructions;
	return copy;
}

static void place(struct scry_runtime *r, const struct scry_record *rec, struct scry_frame *f)
{
	bool before = scry_layout_has(r->layout, SCRY_F_IFRAME_PREV_INSTR);
	scry_addr at =
		scry_record_uint(rec, before ? SCRY_F_IFRAME_PREV_INSTR : SCRY_F_IFRAME_INSTR_PTR);
	scry_addr first = instructions(r, rec, f->code);

	f->lasti = (int64_t)(at - first);
	/* _PyFrame_IsIncomplete(): still before the function's first traceable instruction */
	f->incomplete = f->owner != OWNER_GENERATOR &&
			f->lasti < (int64_t)(f->code->first_traceable - f->code->instructions);
	/* prev_instr of one that is about to begin is one instruction before its code */
	if (f->lasti >= (before ? -2 : 0) && f->lasti < (int64_t)f->code->instructions_size &&
	    f->lasti % 2 == 0)
		return;
	f->lasti = -1;
	f->incomplete = false;
	scry_frame_damage(f, "its instruction 0x%" PRIx64 " is not in its code", at);
}

/* PyFrame_GetLineNumber(): while a trace function runs, the frame object keeps the line. */
static void find_traced_line(struct scry_runtime *r, struct scry_frame *f)
{
	int64_t line;
	uint64_t inner;

	if (f->frame_object &&
	    scry_field_read(r, f->frame_object, SCRY_F_FRAME_INNER, &inner) == SCRY_OK &&
	    inner == f->addr &&
	    scry_field_read_int(r, f->frame_object, SCRY_F_FRAME_LINENO, &line) == SCRY_OK &&
	    line > 0 && line <= INT32_MAX)
		f->traced_line = (int)line;
}

/* A shim runs no code, or the interpreter's own for shims (3.12). */
static bool is_shim(struct scry_runtime *r, const struct scry_frame *f)
{
	if (f->owner < OWNER_FIRST_SHIM || f->owner > numbers_of(r)->last_owner)
		return false;
	/* None from 3.13 on, whose type has no name where a dump lacks it */
	scry_addr type = 0;
	const char *name;
	bool code = f->code_addr &&
		    scry_field_read(r, f->code_addr, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK &&
		    (type == r->code_type ||
		     (scry_type_own_name(r, type, &name) == SCRY_OK && !strcmp(name, "code")));
	const struct scry_code *c = code ? scry_code_at_checked(r, f->code_addr) : NULL;

	return !c || c->shim;
}

int scry_interp_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f)
{
	struct scry_record rec;
	const char *maker;
	int rc = scry_record_read(r, SCRY_S_IFRAME, addr, &rec);

	if (rc < 0)
		return rc;
	f->back = scry_record_uint(&rec, SCRY_F_IFRAME_PREVIOUS);
	f->owner = (unsigned)scry_record_uint(&rec, SCRY_F_IFRAME_OWNER);
	f->entry = scry_record_uint(&rec, SCRY_F_IFRAME_IS_ENTRY); /* 3.11; later a shim says it */
	f->code_addr = scry_untag(r, scry_record_uint(&rec, SCRY_F_IFRAME_CODE));
	if (is_shim(r, f)) {
		f->kind = SCRY_FRAME_SHIM;
		return SCRY_OK;
	}
	f->function = scry_untag(r, scry_record_uint(&rec, SCRY_F_IFRAME_FUNCTION));
	f->globals = scry_record_uint(&rec, SCRY_F_IFRAME_GLOBALS);
	f->builtins = scry_record_uint(&rec, SCRY_F_IFRAME_BUILTINS);
	f->locals = scry_record_uint(&rec, SCRY_F_IFRAME_LOCALS);
	f->frame_object = scry_record_uint(&rec, SCRY_F_IFRAME_FRAME_OBJECT);
	f->slots = scry_field_addr(r, addr, SCRY_F_IFRAME_SLOTS);
	f->code = f->code_addr ? scry_code_at(r, f->code_addr) : NULL;
	if (f->code && !f->code->damaged) {
		place(r, &rec, f);
		find_traced_line(r, f);
		maker = scry_frame_maker(r, f->frame_object);
		if (maker)
			scry_frame_compiled(f, maker, f->traced_line);
		if (f->owner > OWNER_FRAME_OBJECT)
			scry_frame_damage(f, "no frame has the owner %u", f->owner);
	}
	return SCRY_OK;
}

/* --- what they prove of the chain --- */

static const char *say(struct scry_walk *w, const char *text, scry_addr a)
{
	return scry_arena_printf(&w->runtime->session->arena, "the chain of frames %s 0x%" PRIx64,
				 text, a);
}

/*
 * The generator that the frame is part of must be running, but for the instants when it is left:
 * then it is the newest of its entry. Nuitka's frames say so too and have no generator around them.
 */
static const char *check_generator(struct scry_walk *w, struct scry_frame *f, bool fresh)
{
	struct scry_runtime *r = w->runtime;
	scry_addr type, own;
	const char *name;
	int64_t state;

	if (!scry_layout_has(r->layout, SCRY_F_GEN_IFRAME))
		return NULL;
	scry_addr gen = f->addr - scry_field_addr(r, 1, SCRY_F_GEN_IFRAME) + 1;
	int rc = scry_field_read(r, gen, SCRY_F_OBJECT_TYPE, &type);
	if (rc < 0 ? scry_map_at(r->session->target, gen) != NULL
		   : scry_type_own_name(r, type, &name) < 0 &&
			     scry_map_at(r->session->target, type))
		return NULL; /* the dump lacks it */
	if (scry_field_read(r, gen, SCRY_F_OBJECT_TYPE, &type) < 0 ||
	    scry_type_own_name(r, type, &name) < 0 ||
	    (strcmp(name, "generator") && strcmp(name, "coroutine") &&
	     strcmp(name, "async_generator"))) {
		if (f->frame_object &&
		    scry_field_read(r, f->frame_object, SCRY_F_OBJECT_TYPE, &own) == SCRY_OK &&
		    scry_type_name(r, own, &name) == SCRY_OK && strcmp(name, "frame"))
			return NULL;
		return say(w, "leads to no frame of a generator:", f->addr);
	}
	if (scry_field_read_int(r, gen, SCRY_F_GEN_STATE, &state) < 0 || fresh ||
	    (int8_t)state == numbers_of(r)->executing)
		return NULL;
	return say(w, "leads to a generator that is not running:", gen);
}

static uint64_t size_of(const struct scry_frame *f)
{
	return f->code && !f->code->damaged && !f->damaged ? scry_data_stack_frame_size(f->code)
							   : 0;
}

static const char *check_place(struct scry_walk *w, struct scry_frame *f, bool fresh)
{
	/* where it cannot be a frame of this code, the size says which of the two is wrong */
	if (f->code && f->damaged &&
	    scry_data_stack_place(&w->data, f->addr, scry_data_stack_frame_size(f->code)) !=
		    SCRY_DATA_NEXT)
		f->code = NULL;
	enum scry_data_place place = scry_data_stack_place(&w->data, f->addr, size_of(f));

	if (place == SCRY_DATA_FOREIGN && scry_data_stack_is_cut(&w->data)) {
		w->data.known = false;
		return NULL;
	}
	if (place == SCRY_DATA_FOREIGN)
		return say(w, "leads out of the thread's data stack:", f->addr);
	/*
	 * Where C code was called a frame may lie between that is being made or left: the newest
	 * of all, or one whose variables' finalizers run; its code may not be there yet.
	 */
	if (place == SCRY_DATA_AWAY && !(w->any || scry_data_stack_next(&w->data)))
		place = SCRY_DATA_HIDDEN;
	if (place == SCRY_DATA_AWAY || (place == SCRY_DATA_HIDDEN && !fresh))
		return say(w, "leaves out some before the one at", f->addr);
	scry_data_stack_take(&w->data, f->addr);
	return NULL;
}

/* After frames of generators comes one of the data stack, in its place. */
static const char *look_ahead(const struct scry_walk *w, const struct scry_frame *f)
{
	struct scry_walk look = *w;
	struct scry_frame next;
	scry_addr at = f->back;
	bool fresh = f->entry;

	for (unsigned n = 0; at && n < 64; n++, at = next.back) {
		if (scry_frame_at(w->runtime, at, &next) < 0)
			return NULL; /* said when it comes */
		if (next.kind == SCRY_FRAME_SHIM)
			fresh = true;
		else if (scry_data_stack_has(&w->data, at) || next.owner == OWNER_THREAD)
			return check_place(&look, &next, fresh);
	}
	return NULL;
}

static const char *check(struct scry_walk *w, struct scry_frame *f)
{
	bool fresh = w->fresh, generator = f->owner == OWNER_GENERATOR;

	if (f->kind == SCRY_FRAME_SHIM) {
		w->fresh = true;
		return NULL;
	}
	if (f->incomplete && !fresh && !f->code->shim) {
		f->incomplete = false;
		scry_frame_damage(f, "it called another before its first instruction");
	}
	w->fresh = f->entry;
	if (!w->data.known)
		return NULL;
	if (!scry_data_stack_has(&w->data, f->addr)) {
		const char *why = generator ? check_generator(w, f, fresh) : NULL;

		if (why || generator)
			return why ? why : look_ahead(w, f);
		if (f->owner == OWNER_FRAME_OBJECT)
			return NULL; /* one that is not the interpreter's own */
	} else if (f->owner != OWNER_THREAD) {
		scry_frame_damage(f, "its owner is %u, but it lies in the thread's data stack",
				  f->owner);
	}
	return check_place(w, f, fresh);
}

static void open(struct scry_walk *w)
{
	scry_data_stack_open(&w->data, w->thread);
}

static const char *end(struct scry_walk *w)
{
	if (w->data.known && !scry_data_stack_empty(&w->data) &&
	    !scry_data_stack_is_cut(&w->data) && (w->any || scry_data_stack_next(&w->data)))
		return "the chain of frames ends before the thread's oldest frame";
	if (w->any && !w->fresh)
		return "the chain of frames ends where no C code called";
	return NULL;
}

static scry_addr recover(struct scry_walk *w)
{
	return scry_data_stack_next(&w->data);
}

const struct scry_chain_ops scry_chain_of_interp_frames = {
	.open = open,
	.check = check,
	.end = end,
	.recover = recover,
	.from = "the thread's data stack",
};
