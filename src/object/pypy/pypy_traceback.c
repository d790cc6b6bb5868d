/* Tracebacks of PyPy's (pypy/interpreter/pytraceback.py). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "object/exception.h"
#include "object/opcodes.h"
#include "object/pypy/pypy_cpyext.h"

#define STEPS_MAX 1000000

static bool is_a(struct scry_runtime *r, scry_addr obj, enum scry_pypy_class c)
{
	return scry_pypy_is(r->pypy, scry_pypy_type_of(r->pypy, &obj), c);
}

int scry_pypy_traceback_next(struct scry_traceback *t, struct scry_frame *f,
			     struct scry_location *ret)
{
	struct scry_runtime *r = t->runtime;
	struct scry_pypy *y = r->pypy;
	uint64_t frame, lasti, next;

	*ret = (struct scry_location) { 0 };
	if (!t->next)
		return SCRY_OK;
	if (!is_a(r, t->next, SCRY_PYPY_CLASS_TRACEBACK))
		return scry_fail(r->session, SCRY_ECORRUPT, t->next, "no traceback at 0x%" PRIx64,
				 t->next);
	if (t->steps++ > STEPS_MAX)
		return scry_fail(r->session, SCRY_ECORRUPT, t->next,
				 "the traceback does not end at 0x%" PRIx64, t->next);
	int rc = scry_pypy_read(y, t->next, SCRY_PYPY_TRACEBACK_FRAME, &frame);
	rc = rc < 0 ? rc : scry_pypy_read(y, t->next, SCRY_PYPY_TRACEBACK_LASTI, &lasti);
	rc = rc < 0 ? rc : scry_pypy_read(y, t->next, SCRY_PYPY_TRACEBACK_NEXT, &next);
	rc = rc < 0 ? rc : scry_frame_at(r, frame, f);
	if (rc < 0)
		return rc;
	if (f->code && (int64_t)lasti >= 0)
		scry_code_location(f->code, (int64_t)lasti, ret);
	f->lasti = (int64_t)lasti;
	t->next = next;
	return SCRY_ITEM;
}
