/** Whether a class's own Python code has a say in what a printer or py-print would show. */
#ifndef SCRY_OVERRIDES_H
#define SCRY_OVERRIDES_H

#include "object/model.h"

/**
 * Has a class of the MRO of `type` in front of `owner`, one that is not of the owner's package, any
 * of the names of `names` (separated by spaces) in its dict? They are what the owner's repr calls.
 */
bool scry_type_overrides(struct scry_runtime *r, scry_addr type, scry_addr owner,
			 const char *names);
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
