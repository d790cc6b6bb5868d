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

/*
 * Nuitka has a type of its own, "compiled_frame", with the same members. A dump may lack the names
 * of types: then it is taken for a frame.
 */
static bool is_frame(struct scry_runtime *r, scry_addr type, const char **ret_name)
{
	size_t len;

	if (type && type == r->frame_type)
		return true;
	if (scry_type_own_name(r, type, ret_name) < 0)
		return scry_map_at(r->session->target, type) != NULL;
	len = strlen(*ret_name);
	return len >= 5 && !strcmp(*ret_name + len - 5, "frame");
}

/*
 * f_executing (3.4 to 3.9); before, f_stacktop is NULL while the frame is executed; enum
 * _framestate
 * in Include/cpython/frameobject.h, v3.10.
 */
static bool is_stopped(const struct scry_record *rec)
{
	enum { EXECUTING, UNWINDING = 2 };
	int64_t state;

	if (scry_record_has(rec, SCRY_F_FRAME_STATE)) {
		state = scry_record_int(rec, SCRY_F_FRAME_STATE);
		return state != EXECUTING && state != UNWINDING;
	}
	return scry_record_has(rec, SCRY_F_FRAME_EXECUTING)
		       ? !scry_record_uint(rec, SCRY_F_FRAME_EXECUTING)
		       : scry_record_uint(rec, SCRY_F_FRAME_STACKTOP) != 0;
}

bool scry_object_frame_stopped(struct scry_runtime *r, scry_addr addr)
{
	struct scry_record rec;

	return scry_record_read(r, SCRY_S_FRAME, addr, &rec) < 0 || is_stopped(&rec);
}

static bool is_object(struct scry_runtime *r, scry_addr addr)
{
	scry_addr type;
	const char *name;

	return addr && scry_field_read(r, addr, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK &&
	       scry_type_name(r, type, &name) == SCRY_OK;
}

/* The frame must have been made for this code: its instruction, and room for its variables. */
static void check_code(struct scry_runtime *r, struct scry_frame *f, scry_addr valuestack)
{
	const struct scry_code *c = f->code;
	unsigned size = r->session->target->abi.ptr_size;
	unsigned step = scry_trait(r, SCRY_TRAIT_WORDCODE) ? 2 : 1;

	bool fits = !c->slots_known || !valuestack ||
		    valuestack == f->slots + (uint64_t)c->slots * size;

	if (f->lasti < -1 || (f->lasti >= 0 && f->lasti >= (int64_t)c->instructions_size) ||
	    (f->lasti >= 0 && f->lasti % step))
		scry_frame_damage(f, "its instruction %" PRId64 " is not in its code", f->lasti);
	else if (!fits)
		scry_frame_damage(f, "it was not made for the code at 0x%" PRIx64, f->code_addr);
	else
		return;
	f->lasti = -1;
	f->traced_line = 0;
	if (!fits)
		f->code = NULL;
}

int scry_object_frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f)
{
	struct scry_record rec;
	int rc = scry_record_read(r, SCRY_S_FRAME, addr, &rec);
	const char *name = "nothing";
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
	if (!is_frame(r, type, &name))
		return scry_fail(r->session, SCRY_ECORRUPT, addr,
				 "no frame at 0x%" PRIx64 ": a %s stands there", addr, name);
	f->code_addr = scry_record_uint(&rec, SCRY_F_FRAME_CODE);
	f->stopped = is_stopped(&rec) && type == r->frame_type;
	f->globals = scry_record_uint(&rec, SCRY_F_FRAME_GLOBALS);
	f->builtins = scry_record_uint(&rec, SCRY_F_FRAME_BUILTINS);
	f->locals = scry_record_uint(&rec, SCRY_F_FRAME_LOCALS);
	f->slots = scry_field_addr(r, addr, SCRY_F_FRAME_SLOTS);
	f->lasti = scry_record_int(&rec, SCRY_F_FRAME_LASTI);
	/* 3.10 counts instructions: PyFrame_GetLineNumber(), Objects/frameobject.c */
	if (scry_trait(r, SCRY_TRAIT_COUNTS_WORDS) && f->lasti >= 0)
		f->lasti *= 2;
	/*
	 * a traced frame keeps its line itself: up to 3.9 while f_trace is set, in 3.10 while
	 * f_lineno is
	 */
	if (is_object(r, scry_record_uint(&rec, SCRY_F_FRAME_TRACE)) ||
	    scry_trait(r, SCRY_TRAIT_LINENO_WHILE_SET))
		f->traced_line = (int)scry_record_int(&rec, SCRY_F_FRAME_LINENO);
	f->code = f->code_addr ? scry_code_at(r, f->code_addr) : NULL;
	const char *maker = scry_frame_maker(r, addr);
	if (maker)
		scry_frame_compiled(f, maker, (int)scry_record_int(&rec, SCRY_F_FRAME_LINENO));
	if (f->code && !f->code->damaged && type == r->frame_type)
		check_code(r, f, scry_record_uint(&rec, SCRY_F_FRAME_VALUESTACK));
	return SCRY_OK;
}
