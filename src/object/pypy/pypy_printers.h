/** What the printers of PyPy's objects share. Internal to src/object. */
#ifndef SCRY_PYPY_PRINTERS_H
#define SCRY_PYPY_PRINTERS_H

#include "object/printer.h"
#include "object/pypy/pypy_model.h"

static inline bool scry_pypy_is_python2(const struct scry_runtime *r)
{
	return r->version && r->version < 0x03000000;
}

/** A float by its bits, and the text or bytes of an rpy_string, quoted. */
void scry_pypy_put_double(struct scry_printer *p, uint64_t bits);
int scry_pypy_print_utf8(struct scry_printer *p, scry_addr string);
int scry_pypy_print_bytes_of(struct scry_printer *p, scry_addr string);

/**
 * The class of an instance of a class written in Python; 0: it has none. What a class or its bases
 * have under a name.
 */
scry_addr scry_pypy_class_of(struct scry_pypy *y, const struct scry_pypy_type *t, scry_addr addr);
bool scry_pypy_class_find(struct scry_runtime *r, scry_addr cls, const char *name, scry_addr *ret);
/** The class of the MRO that has a name, and what it has there; 0: none is to be found. */
scry_addr scry_pypy_find_in_mro(struct scry_runtime *r, scry_addr cls, const char *name,
				scry_addr *ret);
/** __name__ of a class, or with `whole` "module.qualname" as repr() has it; NULL unreadable. */
const char *scry_pypy_class_name(struct scry_runtime *r, scry_addr cls, bool whole);
/** The type object of any object that Python code can see; 0 not known. */
scry_addr scry_pypy_type_object(struct scry_runtime *r, const struct scry_pypy_type *t,
				scry_addr addr);
/** A field that is an rpy_string, as text; NULL where it is none. */
const char *scry_pypy_string_field(struct scry_pypy *y, scry_addr addr, enum scry_pypy_field f);
/** A value by its key, of an RPython dictionary with text as keys. */
int scry_pypy_table_get(struct scry_runtime *r, struct scry_pypy_table *t, const char *key,
			scry_addr *ret);

/** An item as a value of the model's: an object, or text. */
void scry_pypy_found(struct scry_runtime *r, struct scry_pypy_item item, struct scry_found *ret);

/** Printers of the rows in pypy.c. */
int scry_pypy_print_tuple(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_pair_of_ints(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_pair_of_floats(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_pair_of_objects(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_list(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_dict(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_module_dict(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_set(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_frozenset(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_builtin(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_method(struct scry_printer *p, scry_addr addr);

#endif
