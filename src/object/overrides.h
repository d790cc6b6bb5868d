/** Whether a class's own Python code has a say in what a printer or py-print would show. */
#ifndef SCRY_OVERRIDES_H
#define SCRY_OVERRIDES_H

#include "object/model.h"

/** Where a __repr__ comes from. */
enum scry_repr_origin {
	SCRY_REPR_OWN,      /* it stands in the class that it was written for */
	SCRY_REPR_MADE,     /* a library made it for the class: dataclasses, namedtuple, attrs */
	SCRY_REPR_BORROWED, /* a class has another one's: __repr__ = dict.__repr__ */
};

/**
 * Does a class of the MRO of `t`, up to the one whose repr it is (t->repr_owner), override what
 * that repr calls? That is what t->row says (it is not NULL), and of Python code the names that it
 * loads, and those of the methods behind them. Classes of the owner's own package are known to fit.
 */
bool scry_repr_overridden(struct scry_runtime *r, const struct scry_type *t,
			  enum scry_repr_origin origin);
/** The class of Python code that has the name, along the MRO of `type`; NULL where none has it. */
const char *scry_type_own_method(struct scry_runtime *r, scry_addr type, const char *name);
/** Does what stands in a class's dict have a __get__ that we do not know? */
bool scry_is_own_descriptor(struct scry_runtime *r, scry_addr value);
/** Does it come before the instance's dictionary: has its type a __set__ or a __delete__? */
bool scry_is_data_descriptor(struct scry_runtime *r, scry_addr value);

/**
 * Append " holding " and what a container has, in the form of the built-in one; nothing where it is
 * no container. `row`: of the built-in type that it derives from by its flags, or NULL.
 */
void scry_print_content(struct scry_printer *p, scry_addr addr, const struct scry_type *t,
			const struct scry_printer_row *row);

#endif
