/** Does a class's own Python code change what a printer or py-print would show? */
#ifndef SCRY_OVERRIDES_H
#define SCRY_OVERRIDES_H

#include "object/model.h"

/** Where a __repr__ comes from. */
enum scry_repr_origin {
	SCRY_REPR_OWN,      /* it is in the class that it was written for */
	SCRY_REPR_MADE,     /* a library made it for the class: dataclasses, namedtuple, attrs */
	SCRY_REPR_BORROWED, /* it is another class's: __repr__ = dict.__repr__ */
};

/**
 * Does a class in the MRO of `t`, before the one that defines the repr (t->repr_owner), override
 * what that repr calls? These are the names in t->row (not NULL); of a repr in Python also those
 * that its code loads, and those that the methods of these names load. Classes of the owner's own
 * package are known to fit.
 */
bool scry_repr_overridden(struct scry_runtime *r, const struct scry_type *t,
			  enum scry_repr_origin origin);
/** The name of the first Python class in the MRO of `type` that defines `name`; NULL none. */
const char *scry_type_own_method(struct scry_runtime *r, scry_addr type, const char *name);
/** Has a value in a class's dict a __get__ that we do not know? */
bool scry_is_own_descriptor(struct scry_runtime *r, scry_addr value);
/** Does it take precedence over the instance's dict: has its type __set__ or __delete__? */
bool scry_is_data_descriptor(struct scry_runtime *r, scry_addr value);

/**
 * Append " holding " and the contents of a container, as the built-in type would show them; nothing
 * where it is not a container. `row`: that of the built-in type that its flags name, or NULL.
 */
void scry_print_content(struct scry_printer *p, scry_addr addr, const struct scry_type *t,
			const struct scry_printer_row *row);

#endif
