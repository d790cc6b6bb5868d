/*
 * Frames from 3.11 on: struct _PyInterpreterFrame, most of them inside a chunk of the thread's data
 * stack.
 */
#include <inttypes.h>

#include "runtime/frame.h"

/*
 * enum _frameowner, Include/internal/pycore_frame.h, v3.12 to v3.15: from 3 on no Python code runs
 * in the frame.
 */
enum { OWNER_GENERATOR = 1, OWNER_FIRST_SHIM = 3 };

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
	if (f->lasti < -2 || f->lasti > (int64_t)f->code->instructions_size)
		f->lasti = -1; /* no instruction of this code: the first line is all we can say */
	/* _PyFrame_IsIncomplete(): still before the function's first traceable instruction */
	f->incomplete = f->owner != OWNER_GENERATOR &&
			f->lasti < (int64_t)(f->code->first_traceable - f->code->instructions);
}

/* PyFrame_GetLineNumber(): while a trace function runs, the frame object keeps the line. */
static void find_traced_line(struct scry_runtime *r, struct scry_frame *f)
{
	int64_t line;

	if (f->frame_object &&
	    scry_field_read_int(r, f->frame_object, SCRY_F_FRAME_LINENO, &line) == SCRY_OK &&
	    line > 0 && line <= INT32_MAX)
		f->traced_line = (int)line;
}

int scry_interp_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f)
{
	struct scry_record rec;
	int rc = scry_record_read(r, SCRY_S_IFRAME, addr, &rec);

	if (rc < 0)
		return rc;
	f->back = scry_record_uint(&rec, SCRY_F_IFRAME_PREVIOUS);
	f->owner = (unsigned)scry_record_uint(&rec, SCRY_F_IFRAME_OWNER);
	f->entry = scry_record_uint(&rec, SCRY_F_IFRAME_IS_ENTRY); /* 3.11; later a shim says it */
	if (f->owner >= OWNER_FIRST_SHIM) {
		f->kind = SCRY_FRAME_SHIM;
		return SCRY_OK;
	}
	f->code_addr = scry_untag(r, scry_record_uint(&rec, SCRY_F_IFRAME_CODE));
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
	}
	return SCRY_OK;
}
