/* Frames up to 3.10: a PyFrameObject each, linked by f_back. */
#include <inttypes.h>
#include <string.h>

#include "runtime/frame.h"

int scry_object_frame_top(struct scry_thread *t, scry_addr *ret)
{
	return scry_field_read(t->runtime, t->state, SCRY_F_THREAD_FRAME, ret);
}

/*
 * Stackless puts cframes into the chain: C functions, with f_back where a frame has it, and nothing
 * else.
 */
static bool is_cframe(struct scry_runtime *r, scry_addr type)
{
	const char *name;

	if (type == r->frame_type || !type)
		return false;
	if (type == r->cframe_type)
		return true;
	if (scry_type_name(r, type, &name) < 0)
		return false;
	if (!strcmp(name, "frame") && scry_type_is_own(r, type))
		r->frame_type = type;
	else if (!strcmp(name, "_stackless.cframe") || !strcmp(name, "stackless.cframe"))
		r->cframe_type = type;
	return type == r->cframe_type;
}

int scry_object_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f)
{
	struct scry_record rec;
	int rc = scry_record_read(r, SCRY_S_FRAME, addr, &rec);
	uint64_t type = 0;

	if (rc < 0)
		return rc;
	scry_field_read(r, addr, SCRY_F_OBJECT_TYPE, &type);
	f->back = scry_record_uint(&rec, SCRY_F_FRAME_BACK);
	f->frame_object = addr;
	if (is_cframe(r, type)) {
		f->kind = SCRY_FRAME_SHIM;
		return SCRY_OK;
	}
	f->code_addr = scry_record_uint(&rec, SCRY_F_FRAME_CODE);
	f->globals = scry_record_uint(&rec, SCRY_F_FRAME_GLOBALS);
	f->builtins = scry_record_uint(&rec, SCRY_F_FRAME_BUILTINS);
	f->locals = scry_record_uint(&rec, SCRY_F_FRAME_LOCALS);
	f->slots = scry_field_addr(r, addr, SCRY_F_FRAME_SLOTS);
	f->lasti = scry_record_int(&rec, SCRY_F_FRAME_LASTI);
	/* 3.10 counts instructions: PyFrame_GetLineNumber(), Objects/frameobject.c */
	if (r->strategy->since >= 0x030a0000 && f->lasti >= 0)
		f->lasti *= 2;
	/*
	 * a traced frame keeps its line itself: up to 3.9 while f_trace is set, in 3.10 while
	 * f_lineno is
	 */
	if (scry_record_uint(&rec, SCRY_F_FRAME_TRACE) || r->strategy->since >= 0x030a0000)
		f->traced_line = (int)scry_record_int(&rec, SCRY_F_FRAME_LINENO);
	return SCRY_OK;
}
