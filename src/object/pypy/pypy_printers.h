/** What the printers of PyPy's objects share. Internal to src/object. */
#ifndef SCRY_PYPY_PRINTERS_H
#define SCRY_PYPY_PRINTERS_H

#include "object/printer.h"
#include "object/pypy/pypy_model.h"

/** Is the language Python 2? False where the version is not known. */
static inline bool scry_pypy_is_python2(const struct scry_runtime *r)
{
	return r->version && scry_trait(r, SCRY_TRAIT_PYTHON_2);
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
/** The class of the MRO that has a name, and what it has there; 0: none was found. */
scry_addr scry_pypy_find_in_mro(struct scry_runtime *r, scry_addr cls, const char *name,
				scry_addr *ret);
/** __name__ of a class, or with `whole` "module.qualname" as repr() has it; NULL unreadable. */
const char *scry_pypy_class_name(struct scry_runtime *r, scry_addr cls, bool whole);
/** Its __module__; never NULL. */
const char *scry_pypy_class_module(struct scry_runtime *r, scry_addr cls);
/** The type object of any object that Python code can see; 0 not known. */
scry_addr scry_pypy_type_object(struct scry_runtime *r, const struct scry_pypy_type *t,
				scry_addr addr);
/** A field that is an rpy_string, as text; NULL where it is not one. */
const char *scry_pypy_string_field(struct scry_pypy *y, scry_addr addr, enum scry_pypy_field f);
/** A value by its key, of an RPython dictionary with text as keys. */
int scry_pypy_table_get(struct scry_runtime *r, struct scry_pypy_table *t, const char *key,
			scry_addr *ret);

/**
 * What a cell has, for names of modules and classes may be kept in cells; else the value itself.
 */
struct scry_pypy_item scry_pypy_open_cell(struct scry_pypy *y, scry_addr value);
/** Attributes of an instance, oldest first: the name is an rpy_string. */
int scry_pypy_attribute_next(struct scry_runtime *r, scry_addr obj, uint64_t *it,
			     scry_addr *ret_name, struct scry_found *ret);
/** The repr of a name: an rpy_string that stands for a str. */
void scry_pypy_print_name(struct scry_printer *p, scry_addr name);
/** A sequence of any kind, opened: what keeps its items, and how. */
struct scry_pypy_sequence {
	struct scry_runtime *runtime;
	uint64_t count;
	enum scry_pypy_kind kind;
	scry_addr items;
	unsigned size; /* bytes of an item */
	bool sign;
	bool counted; /* start, start + step, ...: there are no items */
	uint64_t start, step;
	/* a deque's first block, the index in it, and where the last item was found */
	scry_addr block, at_block;
	uint64_t first, block_at;
};
/** Open a sequence, RPython's arrays and lists too; SCRY_EUNSUPPORTED for anything else. */
int scry_pypy_sequence(struct scry_runtime *r, scry_addr addr, struct scry_pypy_sequence *ret);
/** The item at an index below count, an object; 0 where nothing is kept there. */
int scry_pypy_item_at(struct scry_pypy_sequence *q, uint64_t index, scry_addr *ret);
/** obj[key]: the model's. */
int scry_pypy_item(struct scry_runtime *r, scry_addr obj, const struct scry_subscript *key,
		   scry_addr *ret);
/** The type code of an array; '?' unknown. */
char scry_pypy_array_code(struct scry_pypy *y, scry_addr addr);
/** Is it of a class whose method of this name is not that of the built-in type `base`? */
bool scry_pypy_has_own(struct scry_runtime *r, scry_addr addr, const char *method,
		       const char *base);

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
int scry_pypy_print_generator(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_not_implemented(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_ellipsis(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_range(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_slice(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_bytearray(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_deque(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_array(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_dict_view(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_proxy(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_cdata(struct scry_printer *p, scry_addr addr);
/** An array or list of RPython's, as a tuple. */
int scry_pypy_print_inner(struct scry_printer *p, scry_addr addr);
int scry_pypy_print_exception(struct scry_printer *p, scry_addr addr);

#endif
