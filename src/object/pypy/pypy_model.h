/** Values of PyPy: what repr.c, type.c and dict.c do for CPython's objects. */
#ifndef SCRY_OBJECT_PYPY_H
#define SCRY_OBJECT_PYPY_H

#include "object/object.h"
#include "runtime/pypy/pypy.h"

/** Append the repr; negative after scry_fail(). */
int scry_pypy_print(struct scry_printer *p, scry_addr addr);
/** An attribute: an object, or a number that has none. */
int scry_pypy_attr(struct scry_runtime *r, scry_addr obj, const char *name,
		   struct scry_pypy_item *ret);
/** The value of an int object, or of a key that a dict of ints keeps without one. */
int scry_pypy_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret);
/** type(x).__name__, or NULL. */
const char *scry_pypy_type_name(struct scry_runtime *r, scry_addr addr);
/** The object's built-in type, as enum scry_known; SCRY_IS_OTHER for instances of classes. */
int scry_pypy_known(struct scry_runtime *r, scry_addr addr);
/** The items of a dict with text as keys: addresses that scry_text_at() and scry_print() take. */
int scry_pypy_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
			scry_addr *ret_value);

/** One of them by its key: SCRY_OK, or SCRY_ENOTFOUND. */
int scry_pypy_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret);

/** What its tasks are read by: pypy_tasks.c. */
extern const struct scry_suspended_model scry_pypy_suspended;
/** Its byte code: pypy_opcodes.c. */
extern const struct scry_code_model scry_pypy_codes;

#endif
